"""Compares a list of pages with what the portal answers: each page comes from the template that the list says.

Runs in the portal's environment, on the database of the running copy: .venv/bin/python .ci/templates.py .ci/pages.txt [--all]
"""

import argparse
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / ".ci")]
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ssc_portal.settings")

import django  # noqa: E402

django.setup()

from django.test import Client  # noqa: E402
from django.test.utils import setup_test_environment  # noqa: E402
from page_list import VISITORS, Page, one_of_each, read_pages  # noqa: E402

from partners.models import User  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("list", type=Path)
    parser.add_argument("--all", action="store_true", help="all pages, not one of each template")
    given = parser.parse_args()
    pages = read_pages(given.list.read_text())
    setup_test_environment()
    clients = {name: _client(visitor.user) for name, visitor in VISITORS.items()}
    pages = pages if given.all else one_of_each(pages)
    wrong = [f"{page.who} /{page.address}: {found}, not {page.template}" for page in pages if (found := _template(page, clients)) != page.template]  # fmt: skip
    print(
        f"templates: {'FAIL' if wrong else 'ok'} – {len(pages)} pages, {len(wrong)} from another template than the list says"
    )
    print(*wrong, sep="\n")
    sys.exit(bool(wrong))


def _client(user: str) -> Client:
    client = Client(REMOTE_ADDR="127.0.0.1")
    if user:
        client.force_login(User.objects.get(email=user), "allauth.account.auth_backends.AuthenticationBackend")
    return client


def _template(page: Page, clients: dict[str, Client]) -> str:
    """The first that is rendered and no part of a page: what a page extends comes after it."""
    answer = clients[page.who].get(f"/{page.address}")
    names = (template.name for template in answer.templates if template.name)
    return next((name for name in names if not Path(name).name.startswith("_")), str(answer.status_code))


if __name__ == "__main__":
    main()
