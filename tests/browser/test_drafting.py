"""A draft with JavaScript: it saves itself, counts words, shows similar records, and tells of the other writer."""

import pytest
from django.contrib.sessions.models import Session

from partners.choices import Role
from projects import drafting
from projects.models import Need
from tests.browser.conftest import BROWSER, cookies_of, page_of, until
from tests.factories import MembershipFactory, NeedFactory, OfferFactory, ProjectFactory

pytestmark = [*BROWSER, pytest.mark.xdist_group("drafting")]
PAUSE = 2_100  # milliseconds without a key after which a draft saves itself (static/js/draft.js), and a little more


def said(page, words: str) -> None:
    page.locator("#saved", has_text=words).wait_for(timeout=15_000)


def drafting_page(chromium, base: str, person, path: str):
    """Its clock runs as clocks do, and on at once where the test says `pause`."""
    page = page_of(chromium, base, person)
    page.clock.install()
    page.goto(base + path)
    return page


def pause(page) -> None:
    """They stop typing for as long as it takes a draft to save itself."""
    page.clock.run_for(PAUSE)


def saved(page) -> None:
    pause(page)
    said(page, "Saved at")


class Saves:
    """The saves in the background, held until the test answers them; and how often a button was pressed."""

    def __init__(self, page):
        self.page, self.waiting, self.count, self.presses = page, [], 0, 0
        page.route("**/draft/*/", self._hold)

    def _hold(self, route):
        if route.request.headers.get("x-background"):
            self.count += 1
            self.waiting.append(route)
        else:
            self.presses += route.request.method == "POST"
            route.continue_()

    def next(self):
        pause(self.page)
        until(self.page, lambda: self.waiting)
        return self.waiting.pop(0)

    def answer(self) -> None:
        self.next().continue_()

    def lose_the_answer(self) -> None:
        """The portal stores it, but the page never hears of it."""
        route = self.next()
        route.fetch()
        route.abort()

    def are_all_here(self) -> None:
        """What the page has sent until now has come: a call that it makes afterwards is answered."""
        self.page.evaluate("fetch('/static/css/tokens.css', {cache: 'no-store'}).then(() => null)")


@pytest.fixture
def writer(chromium):
    return MembershipFactory(role=Role.CONTRIBUTOR).user


def test_a_draft_saves_itself_while_one_types(chromium, live_server):
    person, other = MembershipFactory(role=Role.CONTRIBUTOR).user, MembershipFactory(role=Role.FOCAL_POINT).user
    need = NeedFactory(problem="", title="Air")
    ProjectFactory(published=True, title="Measuring the air of Nairobi together")
    page = drafting_page(chromium, live_server.url, person, f"/needs/{need.reference}/draft/problem/")
    page.locator("#id_problem").press_sequentially("Nobody measures the air")
    assert page.inner_text("[data-counts=id_problem] b") == "23"
    assert page.inner_text("[data-counts=id_problem] span").endswith("4")
    saved(page)
    assert Need.objects.get(pk=need.pk).problem == "Nobody measures the air"
    page.fill("#id_title", "Measuring the air of Nairobi")
    page.wait_for_selector("#similar a")
    assert "Measuring the air of Nairobi together" in page.inner_text("#similar")
    saved(page)
    drafting.save(need, {"gap": "The other's words"}, by=other)
    page.fill("#id_gap", "My words")
    pause(page)
    said(page, "Somebody else")
    page.click("text=Save and go on")
    page.wait_for_selector(".summary")
    assert "The other's words" in page.inner_text(".summary")
    assert page.input_value("#id_gap") == "My words"
    page.click("text=Save and go on")
    page.wait_for_url("**/draft/lines/")
    assert Need.objects.get(pk=need.pk).gap == "My words"
    assert page.evaluate("window.__refused") == []


def test_what_could_not_be_sent_is_sent_when_the_line_is_back(chromium, live_server):
    person, need = MembershipFactory(role=Role.CONTRIBUTOR).user, NeedFactory(problem="")
    page = drafting_page(chromium, live_server.url, person, f"/needs/{need.reference}/draft/problem/")
    page.context.set_offline(True)
    page.fill("#id_problem", "Typed without a line")
    pause(page)
    said(page, "Not saved")
    page.context.set_offline(False)
    said(page, "Saved at")
    assert Need.objects.get(pk=need.pk).problem == "Typed without a line"


def test_what_is_typed_while_a_save_runs_is_sent_after_it(chromium, live_server, writer):
    need = NeedFactory(problem="", gap="")
    page = drafting_page(chromium, live_server.url, writer, f"/needs/{need.reference}/draft/problem/")
    saves = Saves(page)
    page.fill("#id_problem", "First words")
    said(page, "Changed, not saved yet.")
    route = saves.next()
    said(page, "Saving")
    slow = route.fetch()
    page.fill("#id_problem", "First words, and more")
    page.fill("#id_gap", "What is missing")
    pause(page)
    saves.are_all_here()
    assert (saves.waiting, saves.count) == ([], 1)  # one at a time, so that no answer overtakes another
    assert page.inner_text("#saved") == "Changed, not saved yet."
    route.fulfill(response=slow)
    route = saves.next()
    assert "Saved at" not in page.inner_text("#saved")
    route.continue_()
    said(page, "Saved at")
    need.refresh_from_db()
    assert (need.problem, need.gap) == ("First words, and more", "What is missing")
    assert saves.count == 2


def test_the_press_of_a_button_waits_for_the_save_that_runs(chromium, live_server, writer):
    need = NeedFactory(problem="")
    page = drafting_page(chromium, live_server.url, writer, f"/needs/{need.reference}/draft/problem/")
    saves = Saves(page)
    page.fill("#id_problem", "First words")
    route = saves.next()
    page.fill("#id_problem", "First words, and more")
    page.click("text=Save and go on")
    saves.are_all_here()
    assert saves.presses == 0 and page.url.endswith("/draft/problem/")
    route.continue_()
    page.wait_for_url("**/draft/lines/")  # not a conflict with oneself
    assert saves.presses == 1
    assert Need.objects.get(pk=need.pk).problem == "First words, and more"


def test_a_save_whose_answer_was_lost_is_no_conflict_with_oneself(chromium, live_server, writer):
    need = NeedFactory(problem="")
    page = drafting_page(chromium, live_server.url, writer, f"/needs/{need.reference}/draft/problem/")
    saves = Saves(page)
    page.fill("#id_problem", "First words")
    saves.lose_the_answer()
    said(page, "Not saved: no connection")
    page.fill("#id_problem", "First words, and more")
    saves.answer()  # the same again
    saves.answer()  # the newer words
    said(page, "Saved at")
    assert Need.objects.get(pk=need.pk).problem == "First words, and more"


def test_an_error_of_the_portal_is_said_and_tried_again(chromium, live_server, writer):
    need = NeedFactory(problem="")
    page = drafting_page(chromium, live_server.url, writer, f"/needs/{need.reference}/draft/problem/")
    saves = Saves(page)
    page.fill("#id_problem", "Words")
    saves.next().fulfill(status=503, body="busy")
    said(page, "Not saved: the portal cannot take it at the moment.")
    page.clock.run_for(15_000)
    saves.answer()
    said(page, "Saved at")
    assert Need.objects.get(pk=need.pk).problem == "Words"


def test_new_lines_are_saved_while_one_types_and_never_doubled(chromium, live_server, writer):
    need = NeedFactory()
    page = drafting_page(chromium, live_server.url, writer, f"/needs/{need.reference}/draft/lines/")
    saves = Saves(page)
    page.fill("#id_lines-3-text", "A course")  # the second of the two empty rows
    saves.lose_the_answer()
    said(page, "Not saved: no connection")
    page.fill("#id_lines-3-note", "Twice a year")
    saves.answer()
    saves.answer()
    said(page, "Saved at")
    key = need.lines.get(text="A course").pk
    assert page.input_value("[name=lines-3-id]") == str(key)
    page.fill("#id_lines-3-text", "A course for twelve")
    saves.answer()
    said(page, "Saved at")
    page.fill("#id_lines-2-text", "A handbook")  # the row before it
    saves.answer()
    said(page, "Saved at")
    assert [line.text for line in need.lines.all()] == [
        "Network design",
        "Sensors",
        "A handbook",
        "A course for twelve",
    ]
    assert need.lines.get(pk=key).note == "Twice a year"
    page.check("#id_lines-3-DELETE")
    saves.answer()
    said(page, "Saved at")
    page.fill("#id_lines-0-note", "First of all")
    saves.answer()
    said(page, "Saved at")
    assert [line.text for line in need.lines.all()] == ["Network design", "Sensors", "A handbook"]
    page.click("text=Save and go on")
    page.wait_for_url("**/draft/themes/")
    assert need.lines.count() == 3


def test_lines_of_an_offer_are_saved_while_one_types(chromium, live_server):
    lead = MembershipFactory(role=Role.PARTNER_LEAD).user
    offer = OfferFactory()
    before = offer.lines.count()
    page = drafting_page(chromium, live_server.url, lead, f"/offers/{offer.reference}/draft/lines/")
    page.fill(f"#id_lines-{before}-text", "A handbook")
    saved(page)
    page.fill(f"#id_lines-{before}-note", "In two languages")
    saved(page)
    line = offer.lines.get(text="A handbook")
    assert (line.note, offer.lines.count()) == ("In two languages", before + 1)


def test_what_keeps_a_part_from_being_saved_is_named_beside_the_field(chromium, live_server, writer):
    need = NeedFactory()
    page = drafting_page(chromium, live_server.url, writer, f"/needs/{need.reference}/draft/institution/")
    page.fill("#id_contact_name", "Ann")
    page.fill("#id_contact_email", "ann@")
    pause(page)
    said(page, "Not saved yet. E-mail address: Enter a valid email address.")
    page.fill("#id_contact_email", "ann@example.org")
    saved(page)
    need.refresh_from_db()
    assert (need.contact_name, need.contact_email) == ("Ann", "ann@example.org")
    page.goto(f"{live_server.url}/needs/{need.reference}/draft/lines/")
    page.fill("#id_lines-0-quantity", "")
    pause(page)
    said(page, "Not saved yet. Line 1: How much: Give a quantity together with its unit, or neither.")


def test_the_state_stands_beside_the_field_that_is_written(chromium, live_server, writer):
    need = NeedFactory(kind="technology")
    page = drafting_page(chromium, live_server.url, writer, "/contact/")
    for part, fields in (("problem", ("title", "problem", "gap")), ("technology", ("conditions_of_use",)), ("lines", ("lines-1-quantity", "lines-2-text"))):  # fmt: skip
        page.goto(f"{live_server.url}/needs/{need.reference}/draft/{part}/")
        for name in fields:
            page.fill(f"#id_{name}", "7")
            field, state = page.locator(f"#id_{name}").bounding_box(), page.locator("#saved").bounding_box()
            assert 0 <= state["y"] - (field["y"] + field["height"]) < 60, name
            assert page.evaluate("document.documentElement.scrollWidth") <= 360
        said(page, "Changed, not saved yet.")
        if part != "lines":
            saved(page)  # so that leaving does not ask


def test_leaving_with_unsaved_text_asks(chromium, live_server, writer):
    need = NeedFactory(problem="")
    page = drafting_page(chromium, live_server.url, writer, f"/needs/{need.reference}/draft/problem/")
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    saves = Saves(page)
    page.locator("#id_problem").press_sequentially("Words")
    page.evaluate("location.assign('/needs/')")
    until(page, lambda: asked)
    assert asked == ["beforeunload"] and page.url.endswith("/draft/problem/")
    saves.answer()
    said(page, "Saved at")
    page.evaluate("location.assign('/needs/')")
    page.wait_for_url("**/needs/")
    assert asked == ["beforeunload"]
    assert Need.objects.get(pk=need.pk).problem == "Words"


def test_after_the_session_has_ended_saving_goes_on_once_they_signed_in_elsewhere(chromium, live_server, writer):
    need = NeedFactory(problem="")
    page = drafting_page(chromium, live_server.url, writer, f"/needs/{need.reference}/draft/problem/")
    Session.objects.all().delete()
    page.fill("#id_problem", "Words")
    pause(page)
    said(page, "Sign in again in another tab; your text is still here.")
    page.context.clear_cookies()
    page.context.add_cookies(cookies_of(writer, live_server.url))
    page.context.new_page().goto(f"{live_server.url}/contact/")  # another mark against forged forms
    page.bring_to_front()
    page.evaluate("dispatchEvent(new Event('online'))")
    said(page, "Saved at")
    assert Need.objects.get(pk=need.pk).problem == "Words"
    page.fill("#id_problem", "Words, and more")
    page.click("text=Save and go on")
    page.wait_for_url("**/draft/lines/")
    assert Need.objects.get(pk=need.pk).problem == "Words, and more"


def test_a_draft_that_was_submitted_meanwhile_is_said(chromium, live_server, writer):
    need = NeedFactory(problem="")
    page = drafting_page(chromium, live_server.url, writer, f"/needs/{need.reference}/draft/problem/")
    Need.objects.filter(pk=need.pk).update(state="submitted")
    page.fill("#id_problem", "Words")
    pause(page)
    said(page, "so this part cannot be changed.")
    page.fill("#id_problem", "Words, and more")
    assert "cannot be changed" in page.inner_text("#saved")


def test_a_press_after_the_session_ended_shows_why_and_where_to_sign_in(chromium, live_server, writer):
    need = NeedFactory(problem="")
    page = drafting_page(chromium, live_server.url, writer, f"/needs/{need.reference}/draft/problem/")
    Session.objects.all().delete()
    page.fill("#id_title", "Typed after the session had ended")
    pause(page)
    said(page, "your session has ended")
    page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    page.click("text=Save and go on")
    until(page, lambda: page.evaluate("document.activeElement.id") == "saved")
    box = page.locator("#saved").bounding_box()
    assert box["y"] >= 0 and box["y"] + box["height"] <= 800
    link = page.locator("#saved-sign-in a")
    assert (
        link.is_visible()
        and link.get_attribute("target") == "_blank"
        and "/accounts/login/" in link.get_attribute("href")
    )
    assert page.input_value("#id_title") == "Typed after the session had ended" and page.url.endswith("/draft/problem/")
