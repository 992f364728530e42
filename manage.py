#!/usr/bin/env python3
"""Django's command line. A database that can't be used ends in one line that says what to do."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ssc_portal.settings")
    try:
        from django.core.exceptions import ImproperlyConfigured
        from django.core.management import execute_from_command_line
        from django.db import NotSupportedError, OperationalError
    except ImportError:
        sys.exit("Django is not installed here. Run `make demo` once, then use .venv/bin/python manage.py.")
    from ground.database import DatabaseUnavailable, explain

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"Settings: {error}")
    except (DatabaseUnavailable, NotSupportedError, OperationalError) as error:
        sys.exit(explain(error))


if __name__ == "__main__":
    main()
