"""Tables of five kinds: templates, trial with a difference for each record, all or nothing or the good ones, undo as one act."""

import csv
import io

import pghistory
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from openpyxl import load_workbook

from partners.models import Country, GroupMember, Partner
from projects.interchange.bulk import running, sheets
from projects.interchange.bulk.kinds import KINDS
from projects.models import ImportRun, Need, Offer, Project
from tests import THOROUGH
from tests.factories import ContributionFactory, NeedFactory, OfferFactory, ProjectFactory
from tests.projects.tables import NEW, counts, problems

pytestmark = [pytest.mark.sql, pytest.mark.django_db]


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_record_comes_in_goes_out_and_comes_back_unchanged(kind, bring, people):
    text, by = NEW[kind]
    run = bring(kind, text, by=by)
    assert (problems(run), run.message, counts(run)) == ([], "", (1, 0, 0, 0))
    resource = KINDS[kind](by=people[by])
    records = resource._meta.model.objects.filter(pk=run.rows.get().record)
    for write in (sheets.as_csv, sheets.as_workbook):
        content = write(resource, sheets.filled(resource, records))
        again = bring(kind, content, by=by, name="t.csv" if write is sheets.as_csv else "t.xlsx")
        assert (problems(again), counts(again)) == ([], (0, 0, 1, 0)), again.rows.get().after


def test_what_a_table_says_is_what_is_stored(bring, desk):
    for kind, (text, by) in NEW.items():
        bring(kind, text, by=by)
    country = Country.objects.get(iso3="XKX")
    assert set(country.groups.values_list("code", flat=True)) == {"sids", "ldc"} and country.is_un_member
    partner = Partner.objects.get(slug="new-body")
    assert (partner.country.iso3, partner.is_from_import, partner.verified_at) == ("KEN", True, None)
    assert set(partner.member_countries.values_list("iso3", flat=True)) == {"BRA", "KEN"}
    project = Project.objects.get(title="Wells")
    links = [(link.country.iso3, link.role, link.provider_order) for link in project.country_links.order_by("pk")]
    assert links == [("BRA", "provider", 1), ("MOZ", "provider", 2), ("KEN", "recipient", None)]
    assert {(link.partner.slug, link.role) for link in project.partner_links.all()} == {("undp", "1"), ("unep", "4")}
    assert {(link.term.code, link.share) for link in project.term_links.all()} == {("freshwater", 60), ("air", 40)}
    one, two = project.contributions.order_by("pk")
    assert (one.country.iso3, one.quantity, one.delivered, one.amount, str(one.currency)) == (
        "BRA",
        12,
        3,
        1000.5,
        "USD",
    )
    assert (two.partner.slug, two.quantity, project.state, project.created_by) == ("undp", None, "draft", desk)
    need = Need.objects.get()
    assert (need.country.iso3, need.is_on_behalf, need.source, need.source_key, need.state) == (
        "KEN",
        True,
        "imported",
        "N1",
        "draft",
    )
    lines = [(line.text, line.quantity, line.unit, str(line.by_when), line.note) for line in need.lines.all()]
    assert lines == [("Train staff", 12, "places", "2027-06-30", ""), ("Instruments", None, "", "None", "later")]
    assert (need.languages, {t.code for t in need.terms.all()}) == (["en", "fr"], {"air", "waste"})
    offer = Offer.objects.get()
    assert (offer.partner.slug, offer.lines.get().cost, offer.lines.get().assistance.code) == (
        "undp",
        "cost",
        "training",
    )
    assert set(offer.eligible.values_list("country__iso3", "group__code")) == {("KEN", None), (None, "ldc")}


def test_a_trial_tells_each_difference_and_writes_nothing(bring):
    project = ProjectFactory(title="Old wells", status="2")
    other = ProjectFactory(title="Stays")
    text = f"reference,title,status\n{project.reference},New wells,\n{other.reference},Stays,{other.status}\n,Fresh,1\n"
    run = bring("projects", text, write=False)
    assert (run.progress, run.is_dry_run, counts(run)) == ("waiting", True, (1, 1, 1, 0))
    row = run.rows.get(outcome="changed")
    assert (row.before, row.after) == ({"title": "Old wells", "status": "2"}, {"title": "New wells", "status": ""})
    project.refresh_from_db()
    assert (project.title, Project.objects.count()) == ("Old wells", 2)


BAD = {
    "projects": [
        (",X,9,,", "status: “9” is not known here"), (",X,,ZZZ,", "countries: There is no “ZZZ”"), (",X,,KEN:king,", "“king” is not known"),
        (",X,,,soon", "planned_start: “soon” is no day"), ("P-2020-9999,X,,,", "reference: There is no P-2020-9999"),
    ],
}  # fmt: skip


def test_what_is_wrong_is_told_by_row_and_column_all_at_once(bring):
    rows = BAD["projects"]
    text = (
        "reference,title,status,countries,planned_start\n" + "\n".join(row for row, _said in rows) + "\n,Good,2,KEN,\n"
    )
    run = bring("projects", text)
    assert (run.progress, run.is_dry_run, counts(run), Project.objects.count()) == ("waiting", True, (1, 0, 0, 5), 0)
    for row, (_text, said) in zip(run.rows.filter(outcome="wrong"), rows, strict=True):
        assert said in f"{row.problems[0][0]}: {row.problems[0][1]}"
    order = bring("projects", "title,modality,countries\nX,bilateral,BRA:provider:2\n")
    assert "triangular cooperation only" in problems(order)[0]
    dates = bring("projects", "title,planned_start,planned_end\nX,2025-01-01,2024-01-01\n")
    assert "planned end comes before" in problems(dates)[0]
    both = bring("projects", "title,status,planned_start\nX,9,soon\n")
    assert len(both.rows.get().problems) == 2


def test_only_the_good_ones_by_choice(bring):
    text = "title,status\nGood,2\nBad,9\n"
    assert bring("projects", text).progress == "waiting" and not Project.objects.exists()
    run = bring("projects", text, only_good=True)
    assert (run.progress, run.is_dry_run, counts(run)) == ("done", False, (1, 0, 0, 1))
    assert Project.objects.get().title == "Good"


FILES = [
    (b"", "names none of the columns"), (b"title\n", "no rows"), (b"nonsense\n1\n", "names none of the columns"),
    (b"title,nonsense\n1,2\n", "There is no column “nonsense”"), (b"title,title\n1,2\n", "there twice"),
    (b"\xff\xfe\x00t", "neither a workbook"), (b'title\n"open\n', "stray quotation mark"), (b"summary\nx\n", "which record"),
    (b"title,quantity\nX,2\n", "go together"), (b"title\nX,2\n", "more cells"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "said"), FILES)
def test_a_file_that_is_no_such_table_is_refused_in_words(content, said, bring):
    run = bring("projects", content, name="t.csv")
    assert run.progress == "failed" and said in run.message, run.message


def test_a_workbook_that_is_none_is_refused(bring):
    assert "by its content it is none of" in bring("projects", b"PK nonsense").message


def test_signs_that_a_workbook_can_not_hold_are_left_out(desk):
    ProjectFactory(title="A\x01B")
    resource = KINDS["projects"](by=desk)
    data = load_workbook(io.BytesIO(sheets.as_workbook(resource, sheets.filled(resource, Project.objects.all()))))[
        "Data"
    ]
    assert data.cell(2, list(resource.columns()).index("title") + 1).value == "AB"


def test_spreadsheets_of_other_countries_and_formulas(bring, desk):
    run = bring("projects", "title;summary\nBrunnen;'=SUM(A1)\n")
    project = Project.objects.get()
    assert (counts(run), project.summary) == ((1, 0, 0, 0), "=SUM(A1)")
    resource = KINDS["projects"](by=desk)
    assert b"'=SUM(A1)" in sheets.as_csv(resource, sheets.filled(resource, Project.objects.all()))
    sheet = load_workbook(io.BytesIO(sheets.as_workbook(resource, sheets.filled(resource, Project.objects.all()))))[
        "Data"
    ]
    cell = sheet.cell(2, list(resource.columns()).index("summary") + 1)
    assert (cell.value, cell.data_type) == ("=SUM(A1)", "s")


@pytest.mark.parametrize("kind", KINDS)
def test_a_template_has_lists_to_pick_from(kind, people):
    resource = KINDS[kind](by=people["administrator"])
    book = load_workbook(io.BytesIO(sheets.as_workbook(resource, [])))
    data, columns = book["Data"], resource.columns()
    assert [cell.value for cell in data[1]] == list(columns)
    picked = {rule.sqref.ranges.copy().pop().min_col for rule in data.data_validations.dataValidation}
    assert picked == {n for n, cell in enumerate(columns.values(), 1) if cell.choices()} and len(picked) >= 2
    assert book["Lists"].sheet_state == "hidden"
    assert {row[0].value for row in book["About"].iter_rows(min_row=2)} >= set(columns)
    some = next(rule for rule in data.data_validations.dataValidation)
    assert some.formula1.startswith("Lists!$") and some.type == "list"
    first = next(csv.reader(io.StringIO(sheets.as_csv(resource, []).decode("utf-8-sig"))))
    assert first == list(columns)


def test_what_is_picked_from_a_list_is_understood(bring, desk):
    """A label such as “KEN – Kenya” in every cell with a list, as a spreadsheet writes it."""
    resource = KINDS["needs"](by=desk)
    book = load_workbook(io.BytesIO(sheets.as_workbook(resource, [])))
    data, lists, names = book["Data"], book["Lists"], list(resource.columns())
    for rule in data.data_validations.dataValidation:
        column = rule.sqref.ranges.copy().pop().min_col
        data.cell(2, column, lists.cell(1, column).value)
    for name, value in {"title": "Picked", "line": "One", "quantity": 2.0, "by_when": "2027-01"}.items():
        data.cell(2, names.index(name) + 1, value)
    out = io.BytesIO()
    book.save(out)
    run = bring("needs", out.getvalue())
    assert (problems(run), counts(run)) == ([], (1, 0, 0, 0))
    assert Need.objects.get().lines.get().quantity == 2


# --- rules -------------------------------------------------------------------------------------------------------------
def test_what_may_not_be_written_is_refused_by_the_rules_of_the_record(bring):
    opened = NeedFactory(in_state="open", is_on_behalf=True)
    theirs = NeedFactory(in_state="draft")  # a country's own draft: not even known of
    text = f"reference,title\n{opened.reference},Other\n{theirs.reference},Other\n"
    run = bring("needs", text)
    assert counts(run)[3] == 2
    assert "can't be changed any more" in problems(run)[0] and "There is no" in problems(run)[1]
    offer = OfferFactory(in_state="draft", is_on_behalf=True)
    assert "can't be changed" in problems(bring("offers", f"reference,country\n{offer.reference},KEN\n"))[0]


MAY_BRING = {
    "projects": {"desk", "publisher", "administrator"}, "needs": {"desk", "administrator"}, "offers": {"desk", "administrator"},
    "partners": {"desk", "publisher", "administrator"}, "countries": {"administrator"},
}  # fmt: skip


STAFF = ["desk", "publisher", "administrator"]


def those_at_the_door(kind: str, everybody) -> list[str]:
    """One who may, staff who may not, and others by turns, so that everybody is somewhere among them; or all there are."""
    place, others = list(KINDS).index(kind), [name for name in everybody if name not in STAFF]
    if THOROUGH:
        return [*everybody]
    may = sorted(MAY_BRING[kind])
    may_not = [name for name in STAFF if name not in may]
    return [may[place % len(may)], *may_not, *(others * 2)[2 * place % len(others) :][:2]]


def test_who_may_bring_in_which_table_by_the_rules(people):
    may = {
        kind: {n for n, one in people.items() if one and one.is_staff and one.has_perm(resource.permission)}
        for kind, resource in KINDS.items()
    }
    assert may == MAY_BRING
    assert {name for kind in KINDS for name in those_at_the_door(kind, people)} == set(people)


@pytest.mark.parametrize("kind", KINDS)
def test_who_may_bring_in_which_table(kind, people, client, bring):
    for name in those_at_the_door(kind, people):
        person, may = people[name], name in MAY_BRING[kind]
        client.logout()
        if person:
            client.force_login(person)
        answer = client.get(reverse("admin:projects_importrun_template", args=[kind, "csv"]))
        assert (answer.status_code == 200) == may, name
        file = SimpleUploadedFile("t.csv", NEW[kind][0].encode())
        sent = client.post(reverse("admin:projects_importrun_table"), {"kind": kind, "file": file})
        assert ImportRun.objects.filter(kind=kind).exists() == may, (name, sent.status_code)
        tried = bring(kind, NEW[kind][0], by="administrator", write=False)  # somebody else's
        client.post(reverse("admin:projects_importrun_confirm", args=[tried.pk]))
        tried.refresh_from_db()
        assert (tried.progress == "done") == may, name
        if may:
            running.undo(tried, by=people["administrator"])
        ImportRun.objects.all().delete()


def test_the_same_record_twice_is_refused(bring):
    project = ProjectFactory()
    other = ProjectFactory()
    text = f"reference,title\n{project.reference},A\n{other.reference},B\n{project.reference},C\n"
    assert "Another row" in problems(bring("projects", text))[0]


def test_what_changed_since_the_trial_is_looked_at_again(bring):
    project = ProjectFactory(title="Old")
    run = bring("projects", f"reference,title\n{project.reference},New\n", write=False)
    Project.objects.filter(pk=project.pk).update(title="Meanwhile")
    running.carry_out(run, dry_run=False)
    assert (run.progress, run.is_dry_run) == ("waiting", True) and "since the trial" in problems(run)[0]
    running.carry_out(run, dry_run=True)
    running.carry_out(run, dry_run=False)
    project.refresh_from_db()
    assert (run.progress, project.title) == ("done", "New")


def test_lines_keep_their_history(bring):
    need = NeedFactory(in_state="draft", is_on_behalf=True)
    kept = need.lines.first()
    text = f"reference,line,assistance,quantity,unit,by_when,line_note\n{need.reference},New first,,,,,\n{need.reference},{kept.text},,,,,noted\n"
    run = bring("needs", text)
    assert problems(run) == []
    assert [line.text for line in need.lines.all()] == ["New first", kept.text]
    assert need.lines.get(text=kept.text).pk == kept.pk


# --- undo --------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", KINDS)
def test_an_import_is_undone_as_one_act(kind, bring, people):
    text, by = NEW[kind]
    model = KINDS[kind]._meta.model
    before = model.objects.count()
    run = bring(kind, text, by=by)
    assert model.objects.count() == before + 1
    running.undo(run, by=people[by])
    run.refresh_from_db()
    assert (model.objects.count(), run.undone_by, run.rows.get().undo) == (before, people[by], "whole")
    with pytest.raises(Exception, match="undone already"):
        running.undo(run, by=people[by])


def test_changed_cells_are_as_before_again_but_for_what_was_changed_since(bring, people, desk):
    project = ProjectFactory(title="Old", summary="Old.", status="2")
    ContributionFactory(project=project, text="Kept")
    text = f"reference,title,summary,terms\n{project.reference},New,New.,bsp-theme:air\n,Made by it,,\n,Worked on,,\n"
    run = bring("projects", text)
    project.refresh_from_db()
    project.summary = "By hand."
    project.save()
    worked = Project.objects.get(title="Worked on")
    with pghistory.context(user=desk.pk):  # as another request would
        ContributionFactory(project=worked)
    running.undo(run, by=desk)
    project.refresh_from_db()
    assert (project.title, project.summary, project.contributions.count()) == ("Old", "By hand.", 1)
    assert (
        not Project.objects.filter(title="Made by it").exists() and Project.objects.filter(title="Worked on").exists()
    )
    said = {row.key: (row.undo, row.undo_note) for row in run.rows.all()}
    assert said[project.reference] == ("part", "Changed since: summary.")
    assert said[worked.reference][0] == "left" and "worked on it" in said[worked.reference][1]


def test_lines_come_back_with_an_undo(bring, desk):
    need = NeedFactory(in_state="draft", is_on_behalf=True)
    before = [(line.text, line.quantity, line.unit, line.by_when) for line in need.lines.all()]
    run = bring(
        "needs", f"reference,line,assistance,quantity,unit,by_when,line_note\n{need.reference},Only this,,,,,\n"
    )
    assert [line.text for line in need.lines.all()] == ["Only this"]
    running.undo(run, by=desk)
    assert [(line.text, line.quantity, line.unit, line.by_when) for line in need.lines.all()] == before


def test_groups_of_a_country_come_back(bring, people):
    kenya = Country.objects.get(iso3="KEN")
    before = set(GroupMember.objects.filter(country=kenya, standing="member").values_list("group__code", flat=True))
    run = bring("countries", "iso3,groups,formal_name\nKEN,sids,Other\n", by="administrator")
    assert [g.code for g in kenya.groups.filter(members__standing="member")] == ["sids"]
    running.undo(run, by=people["administrator"])
    kenya.refresh_from_db()
    assert (
        set(GroupMember.objects.filter(country=kenya, standing="member").values_list("group__code", flat=True))
        == before
    )
    assert kenya.formal_name != "Other"


def test_what_others_refer_to_is_left(bring, people):
    run = bring("partners", "slug,name_en,kind\nthe-parent,A,10\n")
    parent = Partner.objects.get(slug="the-parent")
    second = bring("partners", "slug,name_en,kind,parent\nthe-child,B,10,the-parent\n")
    running.undo(run, by=people["desk"])
    row = run.rows.get()
    assert row.undo == "left" and Partner.objects.filter(pk=parent.pk).exists()
    running.undo(second, by=people["desk"])
    assert not Partner.objects.filter(slug="the-child").exists()


def test_who_may_undo(bring, people):
    run = bring("projects", "title\nX\n")
    for name in ("publisher", "focal_point", "partner_lead"):
        with pytest.raises(Exception, match="role"):
            running.undo(run, by=people[name])
    running.undo(run, by=people["administrator"])
