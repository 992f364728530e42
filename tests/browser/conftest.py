"""A real browser: Debian's Chromium, driven by Playwright."""

import os
import shutil

import pytest
from django.contrib.auth import SESSION_KEY
from django.test import Client

from partners import guessing
from tests.forms_typed import known_to

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


# What the policy of the site refused on a page.
WATCH = "window.__refused = []; addEventListener('securitypolicyviolation', e => __refused.push(e.effectiveDirective + ' ' + e.blockedURI))"


@pytest.fixture(scope="session")
def started_chromium():
    from playwright.sync_api import sync_playwright

    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = (
        "true"  # Playwright runs a loop in this thread; our queries are ordinary ones
    )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def chromium(started_chromium, reference_again):
    """One browser for all tests of a worker. Its pages are closed before the records are removed: none asks on after its test."""
    yield started_chromium
    for context in started_chromium.contexts:
        context.close()


def cookies_of(person, base: str) -> list[dict]:
    """Both that a sign-in leaves: a script of the page may find the session over first, and then only the other one stays."""
    client = Client()
    client.force_login(person)
    assert SESSION_KEY in client.session
    values = {"sessionid": client.cookies["sessionid"].value, guessing.COOKIE: known_to(person)}
    return [{"name": name, "value": value, "url": base} for name, value in values.items()]


def take_seat(page, cookies: list[dict]) -> None:
    """Another person sits down at this window."""
    page.context.clear_cookies()
    page.context.add_cookies(cookies)


def page_of(chromium, base: str, person, path: str = "", width: int = 360, **more):
    """A page in a window of its own, watched for what the policy refuses, where `person` is signed in (None: nobody)."""
    context = chromium.new_context(viewport={"width": width, "height": 800}, **more)
    if person is not None:
        context.add_cookies(cookies_of(person, base))
    page = context.new_page()
    page.add_init_script(WATCH)
    if path:
        page.goto(base + path)
    return page


def violations_on(page) -> list[dict]:
    """Of WCAG 2.2 A and AA and of best practice, as axe finds them."""
    from axe_playwright_python.sync_playwright import Axe

    return Axe().run(page).response["violations"]


def until(page, is_so) -> None:
    """Waits for what the page cannot say, such as what the portal has stored."""
    for _n in range(600):
        if is_so():
            return
        page.wait_for_timeout(25)
    raise AssertionError("It did not happen within 15 seconds.")
