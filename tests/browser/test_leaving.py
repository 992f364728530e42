"""Pages with a form, in a browser: leaving with text that was not sent asks; Back and Save again makes nothing twice."""

import pytest

from outreach.models import Page
from partners.choices import Role
from projects.models import Need, Project
from tests.browser.conftest import BROWSER, page_of, until
from tests.factories import MembershipFactory, NeedFactory, ResponseFactory

pytestmark = [*BROWSER, pytest.mark.xdist_group("leaving")]


def written():
    """(address, the field in which one types) of each kind of page with a text that is sent by a button."""
    in_dialogue, response, is_open = (
        NeedFactory(in_state="in_dialogue"),
        ResponseFactory(),
        NeedFactory(in_state="open"),
    )
    yield f"/needs/{in_dialogue.reference}/plan/", "#id_plan"
    yield response.get_absolute_url(), "#id_text"
    yield f"/needs/{is_open.reference}/respond/", "#id_text"
    yield "/contact/", "#id_text"
    key = Page.objects.get(path="about/history").pk
    yield f"/admin/outreach/page/{key}/change/", "textarea[name$='-body'] >> nth=0"


def test_leaving_a_form_with_text_that_was_not_sent_asks(chromium, live_server):
    person = MembershipFactory(role=Role.FOCAL_POINT).user
    for role in (Role.PARTNER_LEAD, Role.ADMINISTRATOR):
        MembershipFactory(user=person, role=role)
    page = page_of(chromium, live_server.url, person)
    asked, stays = [], True
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss() if stays else dialog.accept()))
    for path, field in written():
        page.goto(f"{live_server.url}{path}")
        page.locator(field).press_sequentially("A word")
        asked.clear()
        stays = True
        page.evaluate("location.assign('/about/')")
        until(page, lambda: asked)
        assert asked == ["beforeunload"] and page.url == f"{live_server.url}{path}"
        assert "A word" in page.locator(field).input_value()
        stays = False


def test_a_form_that_was_sent_does_not_ask(chromium, live_server):
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


def test_back_and_save_again_makes_no_second_record(chromium, live_server):
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


def test_back_and_save_again_in_admin_makes_no_second_record(chromium, live_server):
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
