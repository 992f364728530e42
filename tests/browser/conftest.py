"""A real browser: Debian's Chromium, driven by Playwright."""

import os
import shutil

import pytest
from django.contrib.auth import SESSION_KEY
from django.test import Client

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
BROWSER = [
    pytest.mark.browser,
    pytest.mark.ignore_template_errors,  # Django's own admin templates
    pytest.mark.skipif(
        not CHROMIUM and os.environ.get("BROWSER_TESTS") != "required", reason="there is no Chromium here"
    ),
]
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def chromium():
    from playwright.sync_api import sync_playwright

    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = (
        "true"  # Playwright runs a loop in this thread; our queries are ordinary ones
    )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


def cookies_of(person, base: str) -> list[dict]:
    client = Client()
    client.force_login(person)
    assert SESSION_KEY in client.session
    return [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": base}]
