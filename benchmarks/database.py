"""A throw-away database for measurements, beside the portal's own on the same server."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection
from django.test.utils import setup_databases, teardown_databases


@contextmanager
def throw_away() -> Iterator[None]:
    """Everything inside runs on an empty, migrated database that is dropped afterwards."""
    connection.settings_dict["TEST"]["NAME"] = "portal_benchmark"  # not the tests' own, which may be running
    kept = setup_databases(verbosity=0, interactive=False)
    try:
        yield
    finally:
        if getattr(connection, "pool", None):
            connection.close_pool()
        teardown_databases(kept, verbosity=0)
