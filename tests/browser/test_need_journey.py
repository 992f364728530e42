"""A real need from import to its end, by all the people it takes: at 360 px, by keyboard alone, without JavaScript.

Afterwards every page that was met is checked by axe, with JavaScript.
"""

import csv
import io
from pathlib import Path

import pytest
from django.core.management import call_command

from partners.choices import Role
from partners.models import Country, Partner
from projects.choices import Criterion, NeedState
from projects.models import Need
from tests.browser.conftest import BROWSER
from tests.browser.person import Person, check_with_axe
from tests.factories import MembershipFactory

pytestmark = [*BROWSER, pytest.mark.xdist_group("journey")]  # beside the other browser tests
REAL = Path(__file__).resolve().parents[3] / "shared" / "data" / "needs" / "ndc_needs.csv"
OWN = {  # where the real table is not at hand: one row of the same form, written for this test
    "need_id": "TEST-1", "iso2": "KE", "iso3": "KEN", "country": "Kenya", "region": "", "component": "Mitigation", "kind": "capacity",
    "sector": "Energy", "subsector": "", "question_code": "X", "question": "Capacity needed", "text": "Train people who mend solar pumps | A workshop",
}  # fmt: skip


@pytest.fixture
def need(reference_again, tmp_path):
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


def test_a_need_from_import_to_its_end(chromium, live_server, need):
    country, undp = need.country, Partner.objects.get(slug="undp")
    met: dict = {}

    def somebody(role: str, **place) -> Person:
        user = MembershipFactory(role=role, **place).user
        user.vouch_for_address()
        return Person(chromium, live_server.url, user, met)

    page_of_need = f"/needs/{need.reference}/"

    # The contributor completes the draft.
    writer = somebody(Role.CONTRIBUTOR, country=country)
    writer.says("Nothing waits for you")
    writer.go(f"{page_of_need}draft/")
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
        writer._tab_to("e.id === a", f"id_lines-{number}-by_when_0")
        writer.page.keyboard.type("June")
        writer._tab_to("e.id === a", f"id_lines-{number}-by_when_1")
        writer.page.keyboard.type("2099")
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

    # The national focal point endorses it.
    focal = somebody(Role.FOCAL_POINT, country=country)
    focal.says("Complete the draft and endorse it.")
    focal.go(f"{page_of_need}draft/")
    focal.press("Endorsement")
    focal.write("Endorsed by", "B. Person, national focal point")
    focal._tab_to("e.id === a", "id_endorsed_on")
    focal.page.keyboard.type("01022026")
    focal.press("Save and go on")
    focal.says("Nothing is missing")
    focal.press("Endorse and submit")
    focal.press("Endorse and submit")
    focal.says("Submitted", "UNEP screens it by five criteria")

    # UNEP screens; somebody else at UNEP opens, once the summary is approved.
    desk = somebody(Role.DESK)
    desk.says("Screen it, or return it with questions.")
    desk.press("Screen it, or return it with questions.")
    desk.press("Screen")
    for criterion in Criterion:
        within = f"#id_{criterion.value}"
        desk.choose("Yes", within)
        desk._tab_to("e.id === a", f"id_{criterion.value}_note")
        desk.page.keyboard.type("Said in the draft.")
    desk.press("Screen")
    desk.press("Find eligible")
    desk.press("Find eligible")
    focal.go("/dashboard/")
    focal.press("Approve the public summary.")
    focal.press("Approve the public summary")
    focal.press("Approve the public summary")
    publisher = somebody(Role.PUBLISHER)
    publisher.press("Open it to responses.")
    publisher.press("Open to responses")
    publisher.press("Open to responses")
    assert Need.objects.get().state == NeedState.OPEN

    # Ghana answers the first line, together with UNDP; FAO the second. The country asks, then accepts.
    first, second = need.lines.all()
    ghana_place = Country.objects.get(iso3="GHA")
    ghana = somebody(Role.FOCAL_POINT, country=ghana_place)
    ghana.go(page_of_need)
    ghana.press("Respond to this need")
    ghana.write("What you offer", "A course for all twelve, twice.")
    ghana.write("Second provider", "United Nations Development P")
    ghana._tab_to("e.id === a", f"id_line_{first.pk}")
    ghana.page.keyboard.type("12")
    ghana.press("Respond to this need")
    ghana.says("is with the country. It answers by")
    fao = somebody(Role.PARTNER_LEAD, partner=Partner.objects.get(slug="fao"))
    fao.go(page_of_need)
    fao.press("Respond to this need")
    fao.write("What you offer", "Twelve places.")
    fao._tab_to("e.id === a", f"id_line_{second.pk}")
    fao.page.keyboard.type("12")
    fao.press("Respond to this need")
    one, other = need.responses.order_by("pk")
    assert (one.second, other.responder) == (undp, Partner.objects.get(slug="fao"))
    focal.go(f"/responses/{one.reference}/")
    focal.write("Your question or answer", "Who pays for travel?")
    focal.press("Send")
    ghana.go(f"/responses/{one.reference}/")
    ghana.says("Who pays for travel?")
    ghana.write("Your question or answer", "Ghana does.")
    ghana.press("Send")
    focal.go(f"/responses/{one.reference}/")
    focal.says("Ghana does.")
    focal.press("Accept")
    focal.press("Accept: Ghana")
    focal.says("In dialogue")
    focal.press("Accept")
    focal.press(f"Accept: {other.responder}")

    # They agree on a plan; it becomes a project.
    lead = somebody(Role.PARTNER_LEAD, partner=undp)
    focal.press("Write the plan")
    focal.write("How you work together", "Two courses in 2099; the ministry gives the rooms.")
    for number, quantity in enumerate(["24", "2", ""]):
        within = f"fieldset.beam >> nth={number}"
        if quantity:
            focal.write("How much", quantity, within)
            focal.write("Unit", "people" if quantity == "24" else "visits", within)
    focal.write("Indicator", "People who mend pumps by themselves", "fieldset.beam:has(#id_indicators-0-text)")
    focal.write("Target", "12", "fieldset.beam:has(#id_indicators-0-text)")
    focal.press("Save the plan")
    focal.says("The plan is kept.", "Still to confirm:")
    for person in (focal, ghana, lead, fao, desk):
        person.go(page_of_need)
        person.press("Confirm the plan")
        person.press("Confirm the plan")
    desk.says("Plan agreed")
    desk.press("Start delivery")
    desk.press("Start delivery")
    need.refresh_from_db()
    assert need.project.modality == "triangular"
    ghana.go(page_of_need)
    ghana.press("Report progress")
    ghana.write("Note", "The first course is over.")
    ghana.press("Report progress")
    for provider, response in ((ghana, one), (fao, other)):
        provider.go(page_of_need)
        provider.press("Enter what was delivered")
        for answer in response.answers.all():
            provider._tab_to("e.id === a", f"id_{answer.pk}")
            provider.page.keyboard.press("Control+A")
            provider.page.keyboard.type("12")
        provider.press("Enter what was delivered")
    for person in (ghana, lead, fao, desk):
        person.go(page_of_need)
        person.press("Confirm the delivery")
        person.press("Confirm the delivery")
    desk.says("Delivered")

    # Both sides say that the record of the project is right.
    for person in (focal, ghana):
        person.go(f"/projects/{need.project.reference}/")
        person.press("Confirm or dispute the record")
        person.choose("Yes, it is right")
        person.press("Confirm or dispute the record")
    ghana.says("Confirmed by provider and recipient")

    # The country says what came of it; everybody can read it.
    focal.go("/dashboard/")
    focal.press("Say what came of it and close it.")
    focal.press("Close")
    focal.write("What came of it", "Twelve people mend pumps.")
    focal.choose("4")
    focal.write("What was learned", "Teach in pairs.")
    focal.press("Close")
    anybody = Person(chromium, live_server.url, None, met)
    anybody.go(page_of_need)
    anybody.says(
        "Closed", "Twelve people mend pumps.", "The country rates it 4 of 5.", "opens it to responses.", "closes it."
    )
    need.refresh_from_db()
    assert need.state == NeedState.CLOSED
    for secret in ("Pumps stand still", "person@example.org", "B. Person"):
        assert secret not in anybody.page.content(), secret

    people = {
        p.user.pk if p.user else None: p.user for p in (writer, focal, desk, publisher, ghana, lead, fao, anybody)
    }
    check_with_axe(chromium, live_server.url, met, people)
    assert Country.objects.get(pk=country.pk) == country
