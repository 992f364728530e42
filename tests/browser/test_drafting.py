"""A draft with JavaScript: it saves itself, counts words, shows similar records, and tells of the other writer."""

import pytest

from partners.choices import Role
from projects import drafting
from projects.models import Need
from tests.browser.conftest import BROWSER, cookies_of
from tests.browser.test_site import WATCH
from tests.factories import MembershipFactory, NeedFactory, ProjectFactory

pytestmark = [*BROWSER, pytest.mark.xdist_group("site")]


def said(page, words: str) -> None:
    page.locator("#saved", has_text=words).wait_for(timeout=25_000)


def test_a_draft_saves_itself_while_one_types(chromium, live_server, reference_again):
    person, other = MembershipFactory(role=Role.CONTRIBUTOR).user, MembershipFactory(role=Role.FOCAL_POINT).user
    need = NeedFactory(problem="", title="Air")
    ProjectFactory(published=True, title="Measuring the air of Nairobi together")
    context = chromium.new_context(viewport={"width": 360, "height": 800})
    context.add_cookies(cookies_of(person, live_server.url))
    page = context.new_page()
    page.add_init_script(WATCH)
    page.goto(f"{live_server.url}/needs/{need.reference}/draft/problem/")
    page.locator("#id_problem").press_sequentially("Nobody measures the air")
    assert page.inner_text("[data-counts=id_problem] b") == "23"
    assert page.inner_text("[data-counts=id_problem] span").endswith("4")
    said(page, "Saved at")
    assert Need.objects.get(pk=need.pk).problem == "Nobody measures the air"
    page.fill("#id_title", "Measuring the air of Nairobi")
    page.wait_for_selector("#similar a")
    assert "Measuring the air of Nairobi together" in page.inner_text("#similar")

    said(page, "Saved at")
    page.wait_for_timeout(2500)  # the title is saved as well
    drafting.save(need, {"gap": "The other's words"}, by=other)
    page.fill("#id_gap", "My words")
    said(page, "Somebody else")
    page.click("text=Save and go on")
    page.wait_for_selector(".summary")
    assert "The other's words" in page.inner_text(".summary")
    assert page.input_value("#id_gap") == "My words"
    page.click("text=Save and go on")
    page.wait_for_url("**/draft/lines/")
    assert Need.objects.get(pk=need.pk).gap == "My words"
    assert page.evaluate("window.__refused") == []


def test_what_could_not_be_sent_is_sent_when_the_line_is_back(chromium, live_server, reference_again):
    person, need = MembershipFactory(role=Role.CONTRIBUTOR).user, NeedFactory(problem="")
    context = chromium.new_context()
    context.add_cookies(cookies_of(person, live_server.url))
    page = context.new_page()
    page.goto(f"{live_server.url}/needs/{need.reference}/draft/problem/")
    context.set_offline(True)
    page.fill("#id_problem", "Typed without a line")
    said(page, "Not saved")
    context.set_offline(False)
    said(page, "Saved at")
    assert Need.objects.get(pk=need.pk).problem == "Typed without a line"
