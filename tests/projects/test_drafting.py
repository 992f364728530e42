"""Writing a need: parts, saving, two writers at once, suggestions."""

import io

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.base import ContentFile
from openpyxl import load_workbook

from partners.models import Country, Partner
from projects import actions, drafting, uploads
from projects.choices import Criterion, NeedKind, NeedState
from projects.forms import PARTS, parts_of
from projects.forms.moves import ScreeningForm
from projects.interchange import need_sheet
from projects.lifecycle import missing_for
from projects.lifecycle.need import ASKED_IN, DRAFT_FIELDS, TO_SUBMIT
from projects.models import Need
from projects.search import any_beginning
from projects.suggestions import similar_to, suggest
from tests.drafts import PDF, post
from tests.factories import NeedFactory, ProjectFactory, term

pytestmark = pytest.mark.django_db


@pytest.fixture
def need():
    return NeedFactory()


PLANS = {"national_plan": "Plan 2030", "existing_initiatives": "none", "same_request": "no", "same_request_text": "",
         "cofinancing": "", "cofinancing_text": ""}  # fmt: skip


# --- parts ---------------------------------------------------------------------------------------------------------------
def test_the_parts_hold_every_field_of_a_draft_once_and_every_requirement_has_its_page():
    held = [name for part in PARTS for name in part.fields] + ["institution_partner"]
    assert sorted(held) == sorted(DRAFT_FIELDS)
    assert {r.field for r in TO_SUBMIT} - {"documents"} <= set(held)


def test_each_criterion_of_the_screening_has_its_question_in_the_draft():
    """Two lists held together: what a screener judges, and what the draft asks; at least one question has to be answered."""
    required = {kind: {r.field for r in TO_SUBMIT if r.only_for in ("", kind)} for kind in NeedKind.values}
    assert set(ASKED_IN) == set(Criterion)
    for criterion, names in ASKED_IN.items():
        assert set(names) <= DRAFT_FIELDS, criterion
        for kind in NeedKind.values:
            asked = {name for part in PARTS if part.only_for in ("", kind) for name in part.fields}
            assert set(names) & asked & required[kind], (criterion, kind)


def test_how_progress_will_be_seen_is_asked_kept_and_read_by_partners(need, people, sign_in):
    Need.objects.filter(pk=need.pk).update(monitoring="")
    need.refresh_from_db()
    assert "monitoring" in {r.field for r in missing_for(need, NeedState.SUBMITTED)}
    client = sign_in(people["contributor"])
    assert post(client, need, "people", monitoring="Ten stations report.", women="", men="").status_code == 302
    need.refresh_from_db()
    assert need.monitoring == "Ten stations report."
    assert "monitoring" not in {r.field for r in missing_for(need, NeedState.SUBMITTED)}
    assert "Ten stations report." in client.get(need.get_absolute_url()).content.decode()
    codes = [row[0].value for row in load_workbook(io.BytesIO(need_sheet.write(need)))["Need"].iter_rows()]
    assert "people.monitoring" in codes


def test_a_screener_reads_where_the_draft_asked():
    for kind, asked in (
        ("capacity", "what is missing; lines"),
        ("technology", "what is missing; lines; operation and maintenance"),
    ):
        form = ScreeningForm(need=NeedFactory(kind=kind))
        assert str(form.fields["monitoring"].help_text) == "Asked in the draft: how progress will be seen."
        assert asked in str(form.fields["capacity"].help_text)


def test_a_draft_is_begun_once_however_often_its_form_is_sent(people, sign_in):
    client = sign_in(people["contributor"])
    key = client.get("/needs/new/").context["form"].initial["key"]
    kenya = Country.objects.get(iso3="KEN")
    form = {"country": kenya.pk, "kind": "capacity", "title": "Clean rivers", "key": key}
    first, second = client.post("/needs/new/", form), client.post("/needs/new/", form)
    assert first.status_code == second.status_code == 302
    assert first["Location"] == second["Location"]
    need = Need.objects.get(title="Clean rivers")
    assert (need.country, need.created_by, need.state) == (kenya, people["contributor"], NeedState.DRAFT)
    assert [e.action for e in need.events.all()] == ["begin"]


@pytest.mark.parametrize(
    ("who", "status"),
    [
        ("nobody", 302),
        ("stranger", 403),
        ("partner_lead", 403),
        ("contributor", 200),
        ("focal_point", 200),
        ("desk", 200),
    ],
)
def test_who_may_begin(who, status, people, sign_in):
    assert sign_in(people[who]).get("/needs/new/").status_code == status


def test_a_contributor_begins_for_the_own_country_only(people, sign_in):
    uganda = Country.objects.get(iso3="UGA")
    answer = sign_in(people["contributor"]).post(
        "/needs/new/", {"country": uganda.pk, "kind": "capacity", "title": "x"}
    )
    assert answer.status_code == 400
    assert not Need.objects.exists()
    with pytest.raises(PermissionDenied):
        drafting.begin(Need(country=uganda, title="x"), by=people["contributor"])


def test_unep_begins_on_behalf_and_writes_it(people, sign_in):
    client = sign_in(people["desk"])
    client.post("/needs/new/", {"country": Country.objects.get(iso3="UGA").pk, "kind": "technology", "title": "Pumps"})
    need = Need.objects.get()
    assert need.is_on_behalf
    assert post(client, need, "plans", **PLANS).status_code == 302
    assert client.get(f"/needs/{need.reference}/draft/technology/").status_code == 200
    assert "documents" in {r.field for r in missing_for(need, NeedState.SUBMITTED)}


@pytest.mark.parametrize("kind", NeedKind.values)
def test_every_part_opens_and_saves_without_script(kind, people, sign_in):
    need, client = NeedFactory(kind=kind), sign_in(people["contributor"])
    for part in parts_of(need):
        page = client.get(f"/needs/{need.reference}/draft/{part.slug}/")
        assert page.status_code == 200
        form = page.context["form"]
        data = {"seen": page.context["seen"]}
        for one in [form.management_form, *form.forms] if part.slug == "lines" else [form]:
            for bound in one:
                for widget in bound.subwidgets if bound.field.widget.__class__.__name__ == "MonthWidget" else [bound]:
                    name = widget.data["name"] if widget is not bound else bound.html_name
                    value = widget.data["value"] if widget is not bound else bound.value()
                    if widget is not bound:
                        month, year = bound.field.widget.decompress(bound.value() or None)
                        data |= {f"{bound.html_name}_month": month or "", f"{bound.html_name}_year": year or ""}
                    elif value not in (None, False):
                        data[name] = value
        before = Need.objects.get(pk=need.pk)
        answer = client.post(f"/needs/{need.reference}/draft/{part.slug}/", data)
        assert answer.status_code == 302, (part.slug, answer.context and answer.context["form"].errors)
        assert Need.objects.get(pk=need.pk).version == before.version, part.slug  # nothing was changed
    page = client.get(f"/needs/{need.reference}/draft/")
    assert page.status_code == 200


def test_lines_are_added_changed_and_removed(need, people, sign_in):
    client = sign_in(people["contributor"])
    design, sensors = need.lines.all()
    training = term("assistance:training").pk
    rows = {
        "lines-TOTAL_FORMS": 4, "lines-INITIAL_FORMS": 2,
        "lines-0-id": design.pk, "lines-0-text": "Network design", "lines-0-quantity": "60", "lines-0-unit": "expert-days",
        "lines-0-assistance": training, "lines-0-by_when_month": "6", "lines-0-by_when_year": "2027",
        "lines-1-id": sensors.pk, "lines-1-text": "Sensors", "lines-1-DELETE": "on",
        "lines-2-text": "Course", "lines-2-quantity": "12", "lines-2-unit": "people", "lines-2-assistance": training,
        "lines-2-by_when_month": "2", "lines-2-by_when_year": "2028", "lines-3-text": "",
    }  # fmt: skip
    assert post(client, need, "lines", **rows).status_code == 302
    found = [(line.pk, line.text, line.quantity, str(line.by_when)) for line in need.lines.all()]
    assert found[0] == (design.pk, "Network design", 60, "2027-06-30")
    assert found[1][1:] == ("Course", 12, "2028-02-29")
    bad = post(
        client, need, "lines", **rows | {"lines-0-unit": "", "lines-1-DELETE": "", "lines-1-id": "", "lines-1-text": ""}
    )
    assert bad.status_code == 400
    assert "Give a quantity together with its unit" in bad.content.decode()
    assert need.lines.first().unit == "expert-days"
    half = post(client, need, "lines", **rows | {"lines-2-by_when_year": ""})
    assert b"Give the month and the year" in half.content


def test_a_refused_part_keeps_what_was_entered(need, people, sign_in):
    answer = post(sign_in(people["contributor"]), need, "institution", institution="Ministry", contact_email="not an address",
                  contact_name="Ann", scope="national")  # fmt: skip
    assert answer.status_code == 400
    text = answer.content.decode()
    assert "not an address" in text and "Ann" in text and text.count("Enter a valid email address") >= 2
    assert Need.objects.get(pk=need.pk).institution == "Department of the environment"


def test_an_institution_becomes_a_partner_inside_the_form(need, people, sign_in):
    client = sign_in(people["contributor"])
    data = {"institution": "Nairobi Air Laboratory", "record": "new", "contact_name": "A", "contact_email": "a@example.org",
            "scope": "national"}  # fmt: skip
    assert post(client, need, "institution", **data).status_code == 302
    assert post(client, need, "institution", **data).status_code == 302
    partner = Partner.objects.get(name_en="Nairobi Air Laboratory")
    assert (partner.country, partner.verified_at) == (need.country, None)
    assert Need.objects.get(pk=need.pk).institution_partner == partner
    assert post(client, need, "institution", **data | {"institution": ""}).status_code == 400


# --- two at once -----------------------------------------------------------------------------------------------------------
def test_the_second_writer_sees_the_difference_and_overwrites_nothing(need, people, sign_in):
    address = f"/needs/{need.reference}/draft/plans/"
    client = sign_in(people["contributor"])
    seen = client.get(address).context["seen"]
    drafting.save(need, {"national_plan": "The other's plan"}, by=people["focal_point"])
    answer = client.post(address, {"seen": seen, **PLANS})
    assert answer.status_code == 409
    text = answer.content.decode()
    assert "The other&#x27;s plan" in text and "Plan 2030" in text
    assert Need.objects.get(pk=need.pk).national_plan == "The other's plan"
    again = client.post(address, {"seen": answer.context["seen"], **PLANS})  # having seen both
    assert again.status_code == 302
    assert Need.objects.get(pk=need.pk).national_plan == "Plan 2030"


def test_two_writers_of_different_parts_do_not_disturb_each_other(need, people):
    seen = drafting.fingerprint(need, ["problem"])
    drafting.save(need, {"national_plan": "other"}, by=people["focal_point"])
    assert drafting.save(need, {"problem": "Mine"}, by=people["contributor"], seen=seen)
    with pytest.raises(drafting.Conflict):
        drafting.save(need, {"gap": "Mine"}, by=people["contributor"], version=1)


def test_lines_of_two_writers_conflict(need, people):
    seen = drafting.fingerprint(need, ["lines"])
    rows = [
        {"id": line.pk, **{n: getattr(line, n) for n in drafting.KINDS[Need].line_fields}} for line in need.lines.all()
    ]
    drafting.save(need, {"lines": rows[:1]}, by=people["focal_point"])
    with pytest.raises(drafting.Conflict):
        drafting.save(
            need, {"lines": [*rows, {"text": "New", "unit": "", "note": ""}]}, by=people["contributor"], seen=seen
        )
    assert need.lines.count() == 1


def test_saving_in_the_background_answers_with_time_and_mark(need, people, sign_in):
    client = sign_in(people["contributor"])
    address = f"/needs/{need.reference}/draft/plans/"
    seen = client.get(address).context["seen"]
    answer = client.post(address, {"seen": seen, **PLANS}, headers={"X-Background": "save"})
    assert answer.status_code == 200 and "Saved at" in answer.json()["said"]
    assert answer.json()["seen"] == client.get(address).context["seen"]
    stale = client.post(address, {"seen": seen, **PLANS | {"national_plan": "x"}}, headers={"X-Background": "save"})
    assert stale.status_code == 409
    bad = client.post(address, {"seen": seen, **PLANS | {"same_request": "perhaps"}}, headers={"X-Background": "save"})
    assert bad.status_code == 400 and "Not saved" in bad.json()["said"]


def test_saving_in_the_background_names_what_cannot_be_used(need, people, sign_in):
    client = sign_in(people["contributor"])
    address = f"/needs/{need.reference}/draft/institution/"
    data = {"seen": client.get(address).context["seen"], "institution": "M", "contact_email": "a@", "scope": "national"}
    bad = client.post(address, data, headers={"X-Background": "save"})
    assert bad.json() == {"said": "Not saved yet. E-mail address: Enter a valid email address."}
    assert Need.objects.get(pk=need.pk).institution == "Department of the environment"


def test_saving_in_the_background_says_why_it_is_refused(need, people, sign_in):
    address = f"/needs/{need.reference}/draft/plans/"
    ended = sign_in(None).post(address, PLANS, headers={"X-Background": "save"})
    assert ended.status_code == 401 and "Sign in again in another tab" in ended.json()["said"]
    Need.objects.filter(pk=need.pk).update(state=NeedState.SUBMITTED)
    late = sign_in(people["contributor"]).post(address, PLANS, headers={"X-Background": "save"})
    assert late.status_code == 403 and "It is “submitted” now" in late.json()["said"]


def test_a_half_typed_name_makes_no_partner_in_the_background(need, people, sign_in):
    client = sign_in(people["contributor"])
    address = f"/needs/{need.reference}/draft/institution/"
    data = {
        "seen": client.get(address).context["seen"],
        "institution": "Nairobi Air Lab",
        "record": "new",
        "scope": "national",
    }
    before = Partner.objects.count()
    assert client.post(address, data, headers={"X-Background": "save"}).status_code == 200
    assert (Partner.objects.count(), Need.objects.get(pk=need.pk).institution) == (before, "Nairobi Air Lab")
    assert post(client, need, "institution", **data | {"seen": client.get(address).context["seen"]}).status_code == 302
    assert Need.objects.get(pk=need.pk).institution_partner.name_en == "Nairobi Air Lab"


def row(number: int, line=None, **more) -> dict:
    """A row of the page of lines, as a browser sends it."""
    found = {"id": line.pk if line else "", "text": line.text if line else "", "quantity": line.quantity or "" if line else "",
             "unit": line.unit if line else "", "assistance": line.assistance_id or "" if line else "", "note": "",
             "by_when_month": line.by_when.month if line else "", "by_when_year": line.by_when.year if line else ""}  # fmt: skip
    return {f"lines-{number}-{name}": value for name, value in {**found, **more}.items()}


def test_lines_saved_in_the_background_keep_their_keys_however_often_they_are_sent(need, people, sign_in):
    client, address = sign_in(people["contributor"]), f"/needs/{need.reference}/draft/lines/"
    design, sensors = need.lines.all()
    sent = {"lines-TOTAL_FORMS": 4, "lines-INITIAL_FORMS": 2, **row(0, design), **row(1, sensors), **row(2),
            **row(3, text="Course"), "seen": client.get(address).context["seen"]}  # fmt: skip
    first = client.post(address, sent, headers={"X-Background": "save"}).json()
    again = client.post(address, sent, headers={"X-Background": "save"}).json()  # its answer was lost
    course = need.lines.get(text="Course")
    assert first["rows"] == again["rows"] == {
        "lines-0-id": design.pk, "lines-1-id": sensors.pk, "lines-3-id": course.pk,
    }  # fmt: skip
    assert first["seen"] == again["seen"]
    sent |= {**row(3, text="Course for twelve"), "lines-3-id": course.pk, "seen": again["seen"]}
    last = client.post(address, sent, headers={"X-Background": "save"})
    assert last.status_code == 200, last.json()
    assert [(line.pk, line.text) for line in need.lines.all()][2:] == [(course.pk, "Course for twelve")]
    unchanged = sent | {"seen": last.json()["seen"]}
    version = Need.objects.get(pk=need.pk).version
    assert client.post(address, unchanged).status_code == 302  # the press after it
    assert (need.lines.count(), Need.objects.get(pk=need.pk).version) == (3, version)


def test_a_month_that_was_not_changed_keeps_its_day(need, people, sign_in):
    need.lines.update(by_when="2027-06-15")
    rows = {name: value for place, line in enumerate(need.lines.all()) for name, value in row(place, line).items()}
    sizes = {"lines-TOTAL_FORMS": 2, "lines-INITIAL_FORMS": 2}
    assert post(sign_in(people["contributor"]), need, "lines", **sizes, **rows).status_code == 302
    assert {str(line.by_when) for line in need.lines.all()} == {"2027-06-15"}
    assert (
        post(sign_in(people["contributor"]), need, "lines", **sizes, **rows | {"lines-0-by_when_month": 7}).status_code
        == 302
    )
    assert [str(line.by_when) for line in need.lines.all()] == ["2027-07-31", "2027-06-15"]


@pytest.mark.parametrize("state", NeedState.values)
def test_only_what_the_state_allows_can_be_written(state, people):
    need = NeedFactory(in_state=state)
    for name, value in (("problem", "x"), ("public_summary", "y")):
        allowed = name in drafting.writable(need)
        assert allowed == (
            state in ("draft", "returned") or (name == "public_summary" and state in ("submitted", "eligible"))
        )
        if allowed:
            assert drafting.save(need, {name: value}, by=people["focal_point"])
        else:
            with pytest.raises(ValidationError):
                drafting.save(need, {name: value}, by=people["focal_point"])


def test_another_summary_needs_another_approval(people):
    need = NeedFactory(in_state=NeedState.ELIGIBLE)
    assert need.summary_approved_at
    drafting.save(need, {"public_summary": "Another"}, by=people["contributor"])
    assert Need.objects.get(pk=need.pk).summary_approved_at is None


def test_the_approval_stays_where_the_summary_says_the_same(people, sign_in):
    need = NeedFactory(public_summary="Two towns.\n\nThey want to know.")
    drafting.save(need, {"languages": ["en", "fr"]}, by=people["focal_point"])
    Need.objects.filter(pk=need.pk).update(
        state=NeedState.RETURNED, summary_approved_at=need.created_at, summary_approved_by=people["focal_point"]
    )
    data = {"public_summary": "Two towns.\r\n\r\nThey want to know.", "languages": "en, fr, sw"}  # as browsers send it
    assert post(sign_in(people["contributor"]), need, "summary", **data).status_code == 302
    need.refresh_from_db()
    assert need.languages == ["en", "fr", "sw"]
    assert need.summary_approved_at and need.summary_approved_by == people["focal_point"]
    drafting.save(
        need,
        {"public_summary": need.public_summary, "gap": "Another gap", "languages": ["en"]},
        by=people["focal_point"],
    )
    assert Need.objects.get(pk=need.pk).summary_approved_at
    drafting.save(need, {"public_summary": "Another text", "languages": ["en"]}, by=people["focal_point"])
    assert Need.objects.get(pk=need.pk).summary_approved_at is None


def test_other_ends_of_lines_are_no_other_text(need, people):
    drafting.save(need, {"problem": "One.\nTwo."}, by=people["contributor"])
    seen = drafting.fingerprint(need, ["problem"])
    assert not drafting.save(need, {"problem": "One.\r\nTwo."}, by=people["focal_point"])
    Need.objects.filter(pk=need.pk).update(problem="One.\r\nTwo.")  # as it was stored once
    need.refresh_from_db()
    assert drafting.fingerprint(need, ["problem"]) == seen
    assert not drafting.save(need, {"problem": "One.\nTwo."}, by=people["focal_point"])


@pytest.mark.parametrize("who", ["stranger", "partner_lead", "publisher", "desk"])
def test_others_write_nothing(who, need, people, sign_in):
    assert sign_in(people[who]).post(f"/needs/{need.reference}/draft/plans/", PLANS).status_code in (403, 404)
    with pytest.raises(PermissionDenied):
        drafting.save(need, {"problem": "x"}, by=people[who])
    with pytest.raises(PermissionDenied):
        uploads.add_document(need, ContentFile(PDF, "a.pdf"), by=people[who], kind="other")
    with pytest.raises(PermissionDenied):
        drafting.discard(need, by=people[who])


def test_asking_for_endorsement_is_written_down_once_a_day(need, people, sign_in):
    client = sign_in(people["contributor"])
    for _n in range(2):
        assert client.post(f"/needs/{need.reference}/draft/ask/").status_code == 302
    assert [e.action for e in need.events.all()] == ["ask_endorsement"]


def test_a_draft_is_deleted_until_it_was_submitted(need, people, sign_in, media):
    uploads.add_document(need, ContentFile(PDF, "a.pdf"), by=people["contributor"], kind="other")
    client = sign_in(people["focal_point"])
    assert client.get(f"/needs/{need.reference}/draft/delete/").status_code == 200
    assert client.post(f"/needs/{need.reference}/draft/delete/").status_code == 302
    assert not Need.objects.exists()
    submitted = NeedFactory(in_state=NeedState.SUBMITTED)
    with pytest.raises(PermissionDenied):
        drafting.discard(submitted, by=people["focal_point"])


# --- suggestions -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "code", "word"),
    [
        ("Our wetlands dry out", "wetlands", "wetlands"),
        ("La dégradation des zones humides", "wetlands", "zones humides"),
        ("Contaminación del aire en la ciudad", "air", "contaminacion del aire"),
        ("Загрязнение воздуха", "air", "загрязнение воздуха"),
        ("تلوث الهواء في المدن", "air", "تلوث الهواء"),
        ("我们的湿地", "wetlands", "湿地"),
    ],
)
def test_words_lead_to_themes_in_each_language(text, code, word):
    found = {s.term.code: s.words for s in suggest(text)["bsp-theme"]}
    assert word in found[code]


def test_no_words_lead_nowhere():
    assert suggest("") == {} == suggest("xyzzy")
    assert "bsp-theme" not in suggest("the floor of the door")  # no “flo*” of floods


def test_similar_records_of_the_same_country_only(need, people):
    ProjectFactory(published=True, title="Measuring the air of Nairobi together", countries={"KEN": "recipient"})
    ProjectFactory(published=True, title="Measuring the air of Lima together", countries={"PER": "recipient"})
    hidden = NeedFactory(country=Country.objects.get(iso3="UGA"), title="Measuring the air of Kampala together")
    words = "Measuring the air together"
    titles = [s.record.title for s in similar_to(words, need, people["contributor"])]
    assert titles == ["Measuring the air of Nairobi together"]
    assert similar_to(words, hidden, people["contributor"]) == []


@pytest.mark.parametrize(
    ("page", "most"),
    [
        (
            "similar/?title=Measuring+the+air&problem=Nobody+measures+fine+dust+near+schools+hospitals+markets+streets",
            8,
        ),
        ("problem/", 16),
    ],
)
def test_looking_for_similar_records_costs_a_round_trip_for_all_words(page, most, people, sign_in, count_queries):
    need = NeedFactory(
        title="Measuring the air of Nairobi",
        problem="Nobody measures fine dust near schools, hospitals, markets, streets, bus stations, factories, landfills",
    )
    client = sign_in(people["contributor"])
    client.get("/needs/")  # what a process loads once
    any_beginning.cache_clear()
    with count_queries() as count:
        assert client.get(f"/needs/{need.reference}/draft/{page}").status_code == 200
    assert count() <= most


def test_a_draft_costs_the_same_with_many_lines(people, sign_in, count_queries):
    client, costs = sign_in(people["contributor"]), []
    for n in (1, 3, 20):
        need = NeedFactory(lines=[(f"Line {k}", 5, "items") for k in range(n)])
        found = []
        for address in ("", "lines/", "themes/", "institution/"):
            client.get(f"/needs/{need.reference}/draft/{address}")
            with count_queries() as count:
                assert client.get(f"/needs/{need.reference}/draft/{address}").status_code == 200
            found.append(count())
        costs.append(found)
    assert costs[1] == costs[0]
    assert costs[2][0] == costs[0][0] and costs[2][2:] == costs[0][2:]
    assert costs[2][1] == costs[0][1], "each row asks for its own choices"


def test_who_changes_an_approved_summary_is_told_that_the_approval_ended(people, sign_in):
    need = NeedFactory(public_summary="As approved.")
    Need.objects.filter(pk=need.pk).update(state=NeedState.SUBMITTED)
    actions.approve_summary(need, by=people["focal_point"])
    client, ended = sign_in(people["contributor"]), "the approval no longer holds"
    address = f"/needs/{need.reference}/draft/summary/"
    same = client.post(address, {"public_summary": "As approved."}, headers={"X-Background": "save"})
    assert same.status_code == 200 and ended not in same.json()["said"]
    other = client.post(address, {"public_summary": "Other words."}, headers={"X-Background": "save"})
    assert ended in other.json()["said"]
    pressed = client.post(address, {"public_summary": "Other words."}, follow=True)
    assert ended in pressed.content.decode()
    need.refresh_from_db()
    actions.approve_summary(need, by=people["focal_point"])
    pressed = client.post(address, {"public_summary": "Third words."}, follow=True)
    assert ended in pressed.content.decode()


def test_who_writes_a_summary_that_was_never_approved_is_told_nothing_of_it(people, sign_in):
    need = NeedFactory(public_summary="First.")
    Need.objects.filter(pk=need.pk).update(summary_approved_at=None, summary_approved_by=None)
    address = f"/needs/{need.reference}/draft/summary/"
    sent = sign_in(people["contributor"]).post(address, {"public_summary": "Next."}, headers={"X-Background": "save"})
    assert sent.status_code == 200 and "approval" not in sent.json()["said"]
