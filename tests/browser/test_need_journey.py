"""A need's life in a browser, by all the people it takes: at 360 px, by keyboard alone, without JavaScript.

Each part of it starts from records; `make thorough` walks through all of it. Afterwards every kind of page that was met is
checked by axe, with JavaScript.
"""

import csv
import io
from pathlib import Path

import pytest
from django.core.management import call_command

from partners.choices import Role
from partners.models import Country, Partner
from projects import agreement, deliveries
from projects.choices import ConfirmedStep, Criterion, NeedState
from projects.models import CriterionAnswer, Need, Response
from tests import factories
from tests.browser.conftest import BROWSER, page_of
from tests.browser.person import Person, check_with_axe
from tests.factories import MembershipFactory, NeedFactory
from tests.projects.plans import in_delivery, triangular_need

pytestmark = [*BROWSER, pytest.mark.xdist_group("journey")]  # beside the other browser tests
REAL = Path(__file__).resolve().parents[3] / "shared" / "data" / "needs" / "ndc_needs.csv"
OWN = {  # where the real table is not at hand: one row of the same form, written for this test
    "need_id": "TEST-1", "iso2": "KE", "iso3": "KEN", "country": "Kenya", "region": "", "component": "Mitigation", "kind": "capacity",
    "sector": "Energy", "subsector": "", "question_code": "X", "question": "Capacity needed", "text": "Train people who mend solar pumps | A workshop",
}  # fmt: skip


@pytest.fixture
def imported(chromium, tmp_path):
    """A need of two lines as the import brings it in."""
    rows = [OWN]
    if REAL.exists():
        with REAL.open(encoding="utf-8-sig", newline="") as file:
            rows = [row for row in csv.DictReader(file) if row["kind"] == "capacity" and row["text"].count("|") == 1][
                :1
            ]
    path = tmp_path / "needs.csv"
    out = io.StringIO()
    writer = csv.DictWriter(out, fieldnames=list(OWN))
    writer.writeheader()
    writer.writerows(rows)
    path.write_text(out.getvalue(), encoding="utf-8")
    call_command("import_needs", str(path), stdout=io.StringIO())
    return Need.objects.get()


class Stage:
    """The people of one need, who take turns at one window."""

    def __init__(self, chromium, base: str):
        self.chromium, self.base, self.met, self.users = chromium, base, {}, {}
        self.page = page_of(chromium, base, None, java_script_enabled=False)

    def person(self, user) -> Person:
        self.users[user and user.pk] = user
        return Person(self.chromium, self.base, user, self.met, self.page)

    def somebody(self, role: str, **place) -> Person:
        user = MembershipFactory(role=role, **place).user
        user.vouch_for_address()
        return self.person(user)

    def check_with_axe(self) -> None:
        check_with_axe(self.chromium, self.base, self.met, self.users)


@pytest.fixture
def stage(chromium, live_server):
    return Stage(chromium, live_server.url)


def complete(writer: Person, need: Need) -> None:
    """The contributor completes the draft."""
    writer.says("Nothing waits for you")
    writer.go(f"/needs/{need.reference}/draft/")
    writer.says("are missing for the endorsement")
    writer.press("Problem and gap")
    writer.write("Problem", "Pumps stand still for months because nobody can mend them.")
    writer.press("Save and go on")
    for number, line in enumerate(need.lines.all()):
        within = (
            f"fieldset:has(input[value='{line.text}'])" if "'" not in line.text else f"fieldset.beam >> nth={number}"
        )
        writer.write("Kind of help", "Training", within)
        writer.write("How much", "12", within)
        writer.write("Unit", "people", within)
        writer.write_into(f"id_lines-{number}-by_when_0", "June")
        writer.write_into(f"id_lines-{number}-by_when_1", "2099")
    writer.press("Save and go on")
    assert set(need.lines.values_list("quantity", "unit")) == {(12, "people")}
    writer.says("Themes and goals", "What your words point to")
    writer.press("Save and go on")
    writer.write("Institution", "Ministry of energy")
    writer.write("Contact", "A. Person")
    writer.write("E-mail address", "person@example.org")
    writer.write("Scope", "national")
    writer.press("Save and go on")
    writer.write("How progress will be seen", "Pumps that run, counted every half year.")
    writer.press("Save and go on")  # who benefits, left empty
    writer.write("Existing initiatives", "none")
    writer.choose("No, only here")
    writer.press("Save and go on")
    writer.write("Public summary", "Villages want people who mend solar pumps.")
    writer.write("Languages of work", "en, fr")
    writer.press("Save and come back later")
    writer.says("2 things are missing")
    writer.press("Tell the focal point that it is ready")


def endorse(focal: Person, need: Need) -> None:
    """The national focal point endorses it."""
    focal.go("/dashboard/")
    focal.says("Complete the draft and endorse it.")
    focal.go(f"/needs/{need.reference}/draft/")
    focal.press("Endorsement")
    focal.write("Endorsed by", "B. Person, national focal point")
    focal.write_into("id_endorsed_on", "01022026")
    focal.press("Save and go on")
    focal.says("Nothing is missing")
    focal.press("Endorse and submit")
    focal.press("Endorse and submit")
    focal.says("Submitted", "UNEP screens it by five criteria")


def screen_and_open(desk: Person, focal: Person, publisher: Person) -> None:
    """UNEP screens; somebody else at UNEP opens, once the summary is approved."""
    desk.go("/dashboard/")
    desk.press("Screen it, or return it with questions.")
    desk.press("Screen")
    for criterion in Criterion:
        desk.choose("Yes", f"#id_{criterion.value}")
        desk.write_into(f"id_{criterion.value}_note", "Said in the draft.")
    desk.press("Screen")
    desk.press("Find eligible")
    desk.press("Find eligible")
    focal.go("/dashboard/")
    focal.press("Approve the public summary.")
    focal.press("Approve the public summary")
    focal.press("Approve the public summary")
    publisher.go("/dashboard/")
    publisher.press("Open it to responses.")
    publisher.press("Open to responses")
    publisher.press("Open to responses")
    assert Need.objects.get().state == NeedState.OPEN


def respond(provider: Person, need: Need, words: str, *, line, second: str = "") -> None:
    provider.go(f"/needs/{need.reference}/")
    provider.press("Respond to this need")
    provider.write("What you offer", words)
    if second:
        provider.write("Second provider", second)
    provider.write_into(f"id_line_{line.pk}", "12")
    provider.press("Respond to this need")
    provider.says("is with the country. It answers by")


def ask_and_accept(focal: Person, provider: Person, response: Response) -> None:
    """The country asks, then accepts."""
    for person, words in ((focal, "Who pays for travel?"), (provider, "Ghana does.")):
        person.go(f"/responses/{response.reference}/")
        person.write("Your question or answer", words)
        person.press("Send")
    provider.says("Who pays for travel?")
    focal.go(f"/responses/{response.reference}/")
    focal.says("Ghana does.")
    focal.press("Accept")
    focal.press("Accept: Ghana")
    focal.says("In dialogue")


def write_plan(focal: Person, need: Need, quantities: list[tuple[str, str]]) -> None:
    focal.go(f"/needs/{need.reference}/")
    focal.press("Write the plan")
    focal.write("How you work together", "Two courses in 2099; the ministry gives the rooms.")
    for number, (quantity, unit) in enumerate(quantities):
        within = f"fieldset.beam >> nth={number}"
        focal.write("How much", quantity, within)
        focal.write("Unit", unit, within)
    focal.write("Indicator", "People who mend pumps by themselves", "fieldset.beam:has(#id_indicators-0-text)")
    focal.write("Target", "12", "fieldset.beam:has(#id_indicators-0-text)")
    focal.press("Save the plan")
    focal.says("The plan is kept.", "Still to confirm:")


def confirm(person: Person, need: Need, what: str) -> None:
    person.go(f"/needs/{need.reference}/")
    person.press(what)
    person.press(what)


def start(desk: Person, need: Need) -> None:
    desk.says("Plan agreed")
    desk.press("Start delivery")
    desk.press("Start delivery")
    need.refresh_from_db()
    assert need.project.modality == "triangular"


def deliver(provider: Person, need: Need, response: Response) -> None:
    provider.go(f"/needs/{need.reference}/")
    provider.press("Enter what was delivered")
    for answer in response.answers.all():
        provider.write_into(f"id_{answer.pk}", f"{answer.quantity:.0f}")
    provider.press("Enter what was delivered")


def report_progress(provider: Person, need: Need) -> None:
    provider.go(f"/needs/{need.reference}/")
    provider.press("Report progress")
    provider.write("Note", "The first course is over.")
    provider.press("Report progress")


def confirm_the_record(focal: Person, provider: Person, need: Need) -> None:
    """Both sides say that the record of the project is right."""
    for person in (focal, provider):
        person.go(f"/projects/{need.project.reference}/")
        person.press("Confirm or dispute the record")
        person.choose("Yes, it is right")
        person.press("Confirm or dispute the record")
    provider.says("Confirmed by provider and recipient")


def close(focal: Person, anybody: Person, need: Need) -> None:
    """The country says what came of it; everybody can read it."""
    focal.go("/dashboard/")
    focal.press("Say what came of it and close it.")
    focal.press("Close")
    focal.write("What came of it", "Twelve people mend pumps.")
    focal.choose("4")
    focal.write("What was learned", "Teach in pairs.")
    focal.press("Close")
    anybody.go(f"/needs/{need.reference}/")
    anybody.says("Closed", "Twelve people mend pumps.", "The country rates it 4 of 5.", "closes it.")
    need.refresh_from_db()
    assert need.state == NeedState.CLOSED
    for secret in (need.problem, need.contact_email, need.endorsed_by_name):
        assert secret and secret not in anybody.page.content(), secret


def test_an_imported_draft_is_completed_and_endorsed(stage, imported):
    writer = stage.somebody(Role.CONTRIBUTOR, country=imported.country)
    writer.sign_in()
    complete(writer, imported)
    endorse(stage.somebody(Role.FOCAL_POINT, country=imported.country), imported)
    stage.check_with_axe()


def test_a_need_is_screened_and_opened(stage):
    NeedFactory(in_state=NeedState.SUBMITTED)
    CriterionAnswer.objects.all().delete()
    screen_and_open(*(stage.somebody(role) for role in (Role.DESK, Role.FOCAL_POINT, Role.PUBLISHER)))
    stage.check_with_axe()


def test_a_need_is_answered_and_the_answer_accepted(stage):
    need = NeedFactory(in_state=NeedState.OPEN)
    ghana = stage.somebody(Role.FOCAL_POINT, country=Country.objects.get(iso3="GHA"))
    respond(
        ghana, need, "A course for all twelve, twice.", line=need.lines.first(), second="United Nations Development P"
    )
    response = need.responses.get()
    assert response.second == Partner.objects.get(slug="undp")
    ask_and_accept(stage.somebody(Role.FOCAL_POINT), ghana, response)
    stage.check_with_axe()


def test_a_plan_is_written_confirmed_and_becomes_a_project(stage):
    people = factories.people()
    need = triangular_need(people)
    write_plan(stage.person(people["focal_point"]), need, [("40", "expert-days"), ("2", "visits")])
    confirm(stage.person(people["ghana"]), need, "Confirm the plan")
    for name in ("focal_point", "partner_lead", "fao"):
        agreement.confirm(Need.objects.get(pk=need.pk), ConfirmedStep.PLAN, by=people[name])
    desk = stage.person(people["desk"])
    confirm(desk, need, "Confirm the plan")
    start(desk, need)
    stage.check_with_axe()


def test_what_was_delivered_is_entered_and_confirmed(stage):
    people = factories.people()
    need = in_delivery(triangular_need(people), people)
    ghana = stage.person(people["ghana"])
    one, other = need.responses.order_by("pk")
    report_progress(ghana, need)
    deliver(ghana, need, one)
    deliveries.record_delivered(need, {row.pk: row.quantity for row in other.answers.all()}, by=people["fao"])
    confirm(ghana, need, "Confirm the delivery")
    for name in ("partner_lead", "fao"):
        agreement.confirm(Need.objects.get(pk=need.pk), ConfirmedStep.DELIVERY, by=people[name])
    desk = stage.person(people["desk"])
    confirm(desk, need, "Confirm the delivery")
    desk.says("Delivered")
    stage.check_with_axe()


def test_a_record_is_confirmed_by_both_sides_and_the_need_closed(stage):
    people = factories.people()
    need = in_delivery(triangular_need(people), people)
    for response, name in zip(need.responses.order_by("pk"), ("ghana", "fao"), strict=True):
        rows = {row.pk: row.quantity for row in response.answers.all()}
        deliveries.record_delivered(need, rows, by=people[name])
    for name in ("ghana", "partner_lead", "fao", "desk"):
        agreement.confirm(Need.objects.get(pk=need.pk), ConfirmedStep.DELIVERY, by=people[name])
    focal = stage.person(people["focal_point"])
    confirm_the_record(focal, stage.person(people["ghana"]), need)
    close(focal, stage.person(None), need)
    stage.check_with_axe()


@pytest.mark.thorough
def test_a_need_from_import_to_its_end(stage, imported):
    need, country = imported, imported.country
    writer = stage.somebody(Role.CONTRIBUTOR, country=country)
    writer.sign_in()
    complete(writer, need)
    focal = stage.somebody(Role.FOCAL_POINT, country=country)
    focal.sign_in()
    endorse(focal, need)
    desk = stage.somebody(Role.DESK)
    screen_and_open(desk, focal, stage.somebody(Role.PUBLISHER))

    # Ghana answers the first line, together with UNDP; FAO the second.
    first, second = need.lines.all()
    undp = Partner.objects.get(slug="undp")
    ghana = stage.somebody(Role.FOCAL_POINT, country=Country.objects.get(iso3="GHA"))
    respond(ghana, need, "A course for all twelve, twice.", line=first, second="United Nations Development P")
    fao = stage.somebody(Role.PARTNER_LEAD, partner=Partner.objects.get(slug="fao"))
    respond(fao, need, "Twelve places.", line=second)
    one, other = need.responses.order_by("pk")
    assert (one.second, other.responder) == (undp, Partner.objects.get(slug="fao"))
    ask_and_accept(focal, ghana, one)
    focal.press("Accept")
    focal.press(f"Accept: {other.responder}")

    # They agree on a plan; it becomes a project.
    lead = stage.somebody(Role.PARTNER_LEAD, partner=undp)
    write_plan(focal, need, [("24", "people"), ("2", "visits")])
    for person in (focal, ghana, lead, fao, desk):
        confirm(person, need, "Confirm the plan")
    start(desk, need)
    report_progress(ghana, need)
    for provider, response in ((ghana, one), (fao, other)):
        deliver(provider, need, response)
    for person in (ghana, lead, fao, desk):
        confirm(person, need, "Confirm the delivery")
    desk.says("Delivered")
    confirm_the_record(focal, ghana, need)
    anybody = stage.person(None)
    close(focal, anybody, need)
    anybody.says("opens it to responses.")
    stage.check_with_axe()
    assert Country.objects.get(pk=country.pk) == country
