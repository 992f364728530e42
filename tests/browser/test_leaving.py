"""Pages with a form, in a browser: leaving with text that was not sent asks; Back and Save again makes nothing twice."""

import pytest

from outreach.models import Page
from partners.choices import Role
from projects.models import Need, Project
from tests.browser.conftest import BROWSER, cookies_of
from tests.factories import MembershipFactory, NeedFactory, ResponseFactory

pytestmark = [*BROWSER, pytest.mark.xdist_group("site")]


def page_of(chromium, base: str, person, path: str):
    context = chromium.new_context(viewport={"width": 360, "height": 800})
    context.add_cookies(cookies_of(person, base))
    page = context.new_page()
    page.goto(f"{base}{path}")
    return page


def asks_on_leaving(page) -> bool:
    asked = []
    page.once("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    page.evaluate("location.assign('/about/')")
    page.wait_for_timeout(1000)
    return asked == ["beforeunload"]


def written(place: str):
    """(whose page, its address, the field in which one types)."""
    if place == "plan":
        need = NeedFactory(in_state="in_dialogue")
        return MembershipFactory(role=Role.FOCAL_POINT).user, f"/needs/{need.reference}/plan/", "#id_plan"
    if place == "response":
        return MembershipFactory(role=Role.FOCAL_POINT).user, ResponseFactory().get_absolute_url(), "#id_text"
    if place == "act":
        need = NeedFactory(in_state="open")
        return MembershipFactory(role=Role.PARTNER_LEAD).user, f"/needs/{need.reference}/respond/", "#id_text"
    if place == "contact":
        return MembershipFactory(role=Role.PARTNER_LEAD).user, "/contact/", "#id_text"
    key = Page.objects.get(path="about/history").texts.get(language="en").page_id
    boss = MembershipFactory(role=Role.ADMINISTRATOR).user
    return boss, f"/admin/outreach/page/{key}/change/", "textarea[name$='-body'] >> nth=0"


@pytest.mark.parametrize("place", ["plan", "response", "act", "contact", "admin"])
def test_leaving_a_form_with_text_that_was_not_sent_asks(place, chromium, live_server, reference_again):
    person, path, field = written(place)
    page = page_of(chromium, live_server.url, person, path)
    page.locator(field).press_sequentially("A word")
    assert asks_on_leaving(page)
    assert page.url == f"{live_server.url}{path}" and "A word" in page.locator(field).input_value()


def test_a_form_that_was_sent_does_not_ask(chromium, live_server, reference_again):
    response = ResponseFactory()
    person = MembershipFactory(role=Role.FOCAL_POINT).user
    page = page_of(chromium, live_server.url, person, response.get_absolute_url())
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    page.fill("#id_text", "When?")
    page.click("form:has(#id_text) button")
    page.wait_for_selector("text=It is sent to the other side.")
    page.goto(f"{live_server.url}/needs/")
    assert asked == [] and response.events.count() == 1


def test_back_and_save_again_makes_no_second_record(chromium, live_server, reference_again):
    """The page comes anew on the way back, with another token, and the browser puts the words in again."""
    page = page_of(chromium, live_server.url, MembershipFactory(role=Role.CONTRIBUTOR).user, "/needs/new/")
    page.fill("#id_title", "Wells")
    for _n in range(2):
        page.click("main form button")
        page.wait_for_url("**/draft/problem/")
        page.go_back()
        page.wait_for_selector("#id_title")
        page.fill("#id_title", "Wells")
    assert Need.objects.filter(title="Wells").count() == 1


def test_back_and_save_again_in_admin_makes_no_second_record(chromium, live_server, reference_again):
    boss = MembershipFactory(role=Role.ADMINISTRATOR).user
    page = page_of(chromium, live_server.url, boss, "/admin/projects/project/add/")
    for _n in range(2):
        page.fill("#id_title", "Wells")
        page.select_option("#id_status", "2")
        page.select_option("#id_modality", "bilateral")
        page.click("[name=_save] >> nth=0")
        page.wait_for_url(lambda url: "/add/" not in url)
        page.go_back()
        page.wait_for_selector("#id_title")
    assert Project.objects.filter(title="Wells").count() == 1
