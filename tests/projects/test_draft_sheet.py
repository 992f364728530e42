"""The spreadsheet of a draft: taken, filled in, brought back; what it may change, and what is told."""

import io
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils.translation import override
from openpyxl import load_workbook
from openpyxl.comments import Comment

from partners.choices import Role
from projects import drafting
from projects.choices import NeedState
from projects.interchange import need_sheet
from projects.models import LineItem, Need, Term
from tests.drafts import PDF
from tests.factories import MembershipFactory, NeedFactory
from tests.projects.test_draft_documents import office
from tests.test_incoming import BOMBS

pytestmark = pytest.mark.django_db


@pytest.fixture
def need():
    return NeedFactory()


def sheet_of(need) -> tuple:
    book = load_workbook(io.BytesIO(need_sheet.write(need)))
    rows = {row[0].value: row[2] for row in book["Need"].iter_rows(min_row=2) if row[0].value}
    return book, rows


def sent(book) -> ContentFile:
    out = io.BytesIO()
    book.save(out)
    return ContentFile(out.getvalue(), "need.xlsx")


def test_a_sheet_brought_back_unchanged_changes_nothing(need, people):
    book, _rows = sheet_of(need)
    assert need_sheet.take(need, sent(book), by=people["contributor"]) == []
    assert Need.objects.get(pk=need.pk).version == 1


@pytest.fixture
def with_kept_terms():
    """A need with terms that nobody can choose any more, or not here: a target below a goal, a theme and a kind of help that
    were withdrawn."""
    need = NeedFactory(terms=["bsp-theme:air", "bsp-theme:urban", "sdg:15", "sdg:15.7"])
    Term.objects.filter(vocabulary="bsp-theme", code="urban").update(is_withdrawn=True)
    Term.objects.filter(pk__in=need.lines.values("assistance")).update(is_withdrawn=True)
    return need


def terms_of(need) -> set[str]:
    return set(need.term_links.values_list("term__code", flat=True))


def test_a_sheet_of_a_need_with_terms_that_are_not_offered_is_taken_and_brought_back(with_kept_terms, people, sign_in):
    client, address = sign_in(people["contributor"]), f"/needs/{with_kept_terms.reference}/draft/"
    taken = client.get(f"{address}sheet.xlsx")
    assert taken.status_code == 200
    file = SimpleUploadedFile("need.xlsx", taken.content)
    page = client.post(f"{address}upload/", {"file": file}, follow=True).content.decode()
    assert "The file says what the draft says already" in page
    assert terms_of(with_kept_terms) == {"air", "urban", "15", "15.7"}


def test_terms_that_are_not_offered_stay_when_others_are_changed_in_the_sheet(with_kept_terms, people):
    book, rows = sheet_of(with_kept_terms)
    assert (rows["themes.themes"].value, rows["themes.goals"].value) == ("air", "15")
    rows["themes.themes"].value, rows["themes.goals"].value = "oceans", None
    assert len(need_sheet.take(with_kept_terms, sent(book), by=people["contributor"])) == 1
    assert terms_of(with_kept_terms) == {"oceans", "urban", "15.7"}


def test_a_sheet_without_the_question_of_themes_keeps_all_terms(with_kept_terms, people):
    book, rows = sheet_of(with_kept_terms)
    book["Need"].delete_rows(rows["themes.themes"].row)
    assert need_sheet.take(with_kept_terms, sent(book), by=people["contributor"]) == []
    assert terms_of(with_kept_terms) == {"air", "urban", "15", "15.7"}


def test_a_locked_sheet_with_terms_that_are_not_offered_changes_nothing(with_kept_terms, people):
    Need.objects.filter(pk=with_kept_terms.pk).update(state=NeedState.SUBMITTED)
    with_kept_terms.refresh_from_db()
    book, _rows = sheet_of(with_kept_terms)
    assert need_sheet.take(with_kept_terms, sent(book), by=people["contributor"]) == []
    assert terms_of(with_kept_terms) == {"air", "urban", "15", "15.7"}


def test_a_sheet_in_which_a_text_would_be_cut_is_refused_with_the_text(need, people, sign_in):
    Need.objects.filter(pk=need.pk).update(problem="Nobody knows. " + "x" * 32_754)
    page = sign_in(people["contributor"]).get(f"/needs/{need.reference}/draft/sheet.xlsx", follow=True)
    assert page.redirect_chain == [(f"/needs/{need.reference}/draft/", 302)]
    assert "“Nobody knows. xxxxxxxxxxxxxxxxxxxxxxxxxx” is longer than a cell" in page.content.decode()


def test_a_filled_in_sheet_is_taken_over_whole(people):
    need = NeedFactory(problem="", terms=[], lines=[("Design", 40, "expert-days")])
    book, rows = sheet_of(need)
    rows["problem.problem"].value = "=1+1 is no formula"
    rows["problem.problem"].data_type = "s"
    rows["themes.themes"].value = "air; urban"
    rows["people.women"].value = 40
    rows["people.is_for_women"].value = "yes"
    rows["plans.same_request"].value = "yes, no answer yet"
    rows["plans.same_request_text"].value = "At the GCF, 2025"
    lines = book["Lines"]
    lines["D2"].value = 55
    for column, value in zip("BCDEF", ("Course", "Training", 12, "people", "2027-09"), strict=True):
        lines[f"{column}3"].value = value
    changed = need_sheet.take(need, sent(book), by=people["contributor"])
    assert len(changed) == 5
    need.refresh_from_db()
    assert (need.problem, need.women, need.is_for_women, need.same_request) == (
        "=1+1 is no formula",
        40,
        True,
        "waiting",
    )
    assert sorted(link.term.code for link in need.term_links.all()) == ["air", "urban"]
    assert [(line.text, line.quantity) for line in need.lines.all()] == [("Design", 55), ("Course", 12)]


def test_a_sheet_taken_in_one_language_comes_back_in_another(need, people):
    with override("fr"):
        book = load_workbook(io.BytesIO(need_sheet.write(need)))
    assert book.sheetnames[:2] == ["Besoin", "Lignes"]
    rows = {row[0].value: row[2] for row in book["Besoin"].iter_rows(min_row=2) if row[0].value}
    assert (rows["people.is_for_women"].value, book["Lignes"]["E2"].value) == ("non", "jours d’expert")
    rows["people.is_for_women"].value = "oui"
    rows["plans.same_request"].value = "non, seulement ici"
    with override("ar"):
        assert need_sheet.take(need, sent(book), by=people["contributor"])
    need.refresh_from_db()
    assert (need.is_for_women, need.same_request, need.lines.first().unit) == (True, "no", "expert-days")
    book["Lignes"]["E2"].value = "boisseaux"
    with override("ar"), pytest.raises(need_sheet.SheetErrors) as refusal:
        need_sheet.take(need, sent(book), by=people["contributor"])
    assert {(f.sheet, f.row, f.column) for f in refusal.value.findings} >= {("Lignes", 2, "E")}


def test_errors_name_sheet_row_and_column_and_nothing_is_written(need, people, sign_in):
    book, rows = sheet_of(need)
    rows["problem.problem"].value = "Changed"
    rows["institution.contact_email"].value = "nobody"
    rows["themes.themes"].value = "air; no-such-theme"
    book["Lines"]["E2"].value = "bushels"
    book["Lines"]["F3"].value = "soon"
    with pytest.raises(need_sheet.SheetErrors) as refusal:
        need_sheet.take(need, sent(book), by=people["contributor"])
    spots = {(f.sheet, f.row, f.column) for f in refusal.value.findings}
    email, themes = rows["institution.contact_email"].row, rows["themes.themes"].row
    assert spots == {("Need", email, "C"), ("Need", themes, "C"), ("Lines", 2, "E"), ("Lines", 3, "F")}
    assert Need.objects.get(pk=need.pk).problem != "Changed"
    file = sent(book)
    page = sign_in(people["contributor"]).post(f"/needs/{need.reference}/draft/upload/", {"file": file})
    assert page.status_code == 400
    assert f"C{email}" in page.content.decode()


def test_nothing_of_a_sheet_is_dropped_without_a_finding(need, people):
    book, rows = sheet_of(need)
    sheet = book["Need"]
    sheet["F5"].value = "Beside the columns"
    last = sheet.max_row + 1
    sheet.cell(last, 3).value = "Below the questions"
    sheet.cell(last + 1, 1).value, sheet.cell(last + 1, 3).value = "problem.problem", "The same question again"
    book["Lines"]["K2"].value = "Beside the lines"
    book["Lines"]["B500"].value = "A line far below"
    book.create_sheet("Notes")["A3"].value = "On a sheet of its own"
    with pytest.raises(need_sheet.SheetErrors) as refusal:
        need_sheet.take(need, sent(book), by=people["contributor"])
    assert {(f.sheet, f.row, f.column) for f in refusal.value.findings} == {
        ("Need", 5, "F"), ("Need", last, "C"), ("Need", last + 1, "C"), ("Lines", 2, "K"), ("Notes", 3, "A"),
    }  # fmt: skip
    book, _rows = sheet_of(need)
    book["Lines"]["B200"].value = "A line far below"
    need_sheet.take(need, sent(book), by=people["contributor"])
    assert need.lines.last().text == "A line far below"


def test_numbers_of_a_sheet_are_read_as_people_write_them(need, people):
    book, _rows = sheet_of(need)
    book["Lines"]["D2"].value = "12,5"
    need_sheet.take(need, sent(book), by=people["contributor"])
    assert need.lines.first().quantity == Decimal("12.5")
    book, _rows = sheet_of(need)
    book["Lines"]["D2"].value = "1,200"
    with pytest.raises(need_sheet.SheetErrors, match="can mean 1200 or 1.2") as refusal:
        need_sheet.take(need, sent(book), by=people["contributor"])
    assert [(f.sheet, f.row, f.column) for f in refusal.value.findings] == [("Lines", 2, "D")]


@pytest.mark.parametrize(
    ("cell", "value", "said"),
    [
        ("B2", "", "What exactly: "), ("C2", "magic", "Kind of help: There is no such"), ("D2", "1,200", "How much: "),
        ("E2", "boxes", "Unit: There is no such"), ("F2", "soon", "By when (year-month): Write"), ("G2", "x" * 5000, "Note: "),
    ],
)  # fmt: skip
def test_a_finding_in_a_line_names_its_column(cell, value, said, need, people):
    book, _rows = sheet_of(need)
    book["Lines"][cell].value = value
    with pytest.raises(need_sheet.SheetErrors) as refusal:
        need_sheet.take(need, sent(book), by=people["contributor"])
    [finding] = refusal.value.findings
    assert (f"{finding.column}{finding.row}", finding.text[: len(said)]) == (cell, said)


@pytest.mark.parametrize("text", ["2027-06-30 to 2027-09", "from 2027-06", "2027-06 or later", "2027.1"])
def test_a_month_of_a_sheet_is_read_to_its_end(text, need, people):
    book, _rows = sheet_of(need)
    book["Lines"]["F2"].value = text
    with pytest.raises(need_sheet.SheetErrors, match="Write the month as 2027-06") as refusal:
        need_sheet.take(need, sent(book), by=people["contributor"])
    assert [(f.sheet, f.row, f.column) for f in refusal.value.findings] == [("Lines", 2, "F")]


def test_errors_of_a_spreadsheet_and_merged_cells_are_findings(need, people):
    book, rows = sheet_of(need)
    answer = rows["problem.problem"].row
    book["Need"][f"C{answer}"].value = "#REF!"
    book["Lines"]["G2"].value = "#N/A"
    book["Lines"]["G3"].value = "A note"
    book["Lines"]["B3"].value = "Another line"
    book["Lines"].merge_cells("G3:G4")
    book["Need"][f"C{answer + 1}"].value = "One answer"
    book["Need"].merge_cells(f"C{answer + 1}:C{answer + 2}")
    with pytest.raises(need_sheet.SheetErrors) as refusal:
        need_sheet.take(need, sent(book), by=people["contributor"])
    found = {(f.sheet, f.row, f.column): f.text for f in refusal.value.findings}
    assert "“#REF!” is an error of the spreadsheet" in found["Need", answer, "C"]
    assert "“#N/A” is an error of the spreadsheet" in found["Lines", 2, "G"]
    assert "The merged cell G3:G4 covers" in found["Lines", 3, "G"]
    assert f"The merged cell C{answer + 1}:C{answer + 2} covers" in found["Need", answer + 1, "C"]


def test_comments_of_cells_are_a_finding(need, people):
    book, _rows = sheet_of(need)
    book["Lines"]["B2"].comment = book["Lines"]["D3"].comment = Comment("Perhaps 50", "")
    with pytest.raises(need_sheet.SheetErrors) as refusal:
        need_sheet.take(need, sent(book), by=people["contributor"])
    ((spot, text),) = [((f.sheet, f.row, f.column), f.text) for f in refusal.value.findings]
    assert spot == ("Lines", 2, "B") and "Comments of cells are not read: B2, D3. Write" in text


def test_of_very_many_findings_the_first_are_shown(need, people, sign_in):
    book, _rows = sheet_of(need)
    for row in range(2, 400):
        book["Lines"].cell(row, 11).value = "Beside"
    page = sign_in(people["contributor"]).post(f"/needs/{need.reference}/draft/upload/", {"file": sent(book)})
    text = page.content.decode()
    assert "398 cells need your attention" in text
    assert text.count("This stands beside the columns") == 100
    assert "There are 298 more things to mend. Mend these first, then bring the file again." in text


def test_a_number_typed_where_a_text_is_asked_stays_as_it_was_typed(need, people):
    book, rows = sheet_of(need)
    rows["institution.contact_phone"].value = 254.712
    book["Lines"]["D2"].value, book["Lines"]["G2"].value = 1.25, 1.234
    need_sheet.take(need, sent(book), by=people["contributor"])
    need.refresh_from_db()
    line = need.lines.first()
    assert (need.contact_phone, line.note, line.quantity) == ("254.712", "1.234", Decimal("1.25"))


@pytest.fixture
def locked():
    """A need that was handed in: only its public summary is still written."""
    need = NeedFactory(
        is_for_women=True, women=0, same_request="waiting", same_request_text="At the GCF,\r\n 2025",
        lines=[("Design", "12.50", "expert-days"), ("Course", None, "")],
    )  # fmt: skip
    LineItem.objects.filter(text="Design").update(by_when="2027-06-30", note="In one go")
    Need.objects.filter(pk=need.pk).update(state=NeedState.SUBMITTED)
    need.refresh_from_db()
    return need


@pytest.mark.parametrize("state", [NeedState.SUBMITTED, NeedState.ELIGIBLE])
@pytest.mark.parametrize(("taken", "brought"), [("en", "en"), ("fr", "ar")])
def test_a_sheet_of_a_submitted_need_brought_back_unchanged_changes_nothing(state, taken, brought, locked, people):
    Need.objects.filter(pk=locked.pk).update(state=state)
    locked.refresh_from_db()
    with override(taken):
        book = load_workbook(io.BytesIO(need_sheet.write(locked)))
    with override(brought):
        assert need_sheet.take(locked, sent(book), by=people["contributor"]) == []


def test_the_public_summary_of_a_submitted_need_is_still_taken_from_its_sheet(locked, people):
    book, rows = sheet_of(locked)
    rows["summary.public_summary"].value = "Said anew, for everybody."
    assert len(need_sheet.take(locked, sent(book), by=people["contributor"])) == 1
    locked.refresh_from_db()
    assert locked.public_summary == "Said anew, for everybody."


LOCKED_CHANGES = {
    "problem.title": "Another title", "problem.problem": None, "people.women": 5, "people.men": 0,
    "people.is_for_women": "no", "people.is_for_youth": "yes", "people.is_for_indigenous": "perhaps",
    "plans.same_request": "yes", "plans.same_request_text": "At the gcf, 2025", "themes.themes": "air; urban",
    "themes.goals": "no-such-goal", "summary.languages": "fr, ar",
}  # fmt: skip


def test_each_changed_answer_that_is_locked_is_a_finding(locked, people):
    book, rows = sheet_of(locked)
    for code, value in LOCKED_CHANGES.items():
        rows[code].value = value
    with pytest.raises(need_sheet.SheetErrors) as refusal:
        need_sheet.take(locked, sent(book), by=people["contributor"])
    assert all("Put back what stood here" in finding.text for finding in refusal.value.findings)
    found = sorted((f.sheet, f.row, f.column) for f in refusal.value.findings)
    assert found == sorted(("Need", rows[code].row, "C") for code in LOCKED_CHANGES)


@pytest.mark.parametrize(
    "changes",
    [
        {"B2": "design", "D2": 13, "F2": "2027-07", "F3": "soon", "B4": "A new line"},
        {"C2": "Something else", "E2": "people", "G2": None, "D3": 0},
        {"D2": None, "H2": "yes"},
        {"A2": None},  # its text is of no line then
    ],
)
def test_each_changed_cell_of_a_line_that_is_locked_is_a_finding(changes, locked, people):
    book, _rows = sheet_of(locked)
    for cell, value in changes.items():
        book["Lines"][cell].value = value
    with pytest.raises(need_sheet.SheetErrors) as refusal:
        need_sheet.take(locked, sent(book), by=people["contributor"])
    found = [f for f in refusal.value.findings if f.sheet == "Lines"]
    spots = {f"{f.column}{f.row}" for f in found}
    assert spots - {"B1"} == ({"B2"} if "A2" in changes else set(changes))
    for finding in found:
        title = "Lines" if finding.row == 1 else book["Lines"][f"{finding.column}1"].value
        assert finding.text.startswith(f"{title}: ")


def test_a_locked_line_whose_row_is_gone_is_a_finding(locked, people):
    book, _rows = sheet_of(locked)
    book["Lines"].delete_rows(2)
    with pytest.raises(need_sheet.SheetErrors, match="“Design” is missing"):
        need_sheet.take(locked, sent(book), by=people["contributor"])


@pytest.mark.parametrize("bomb", ["one merge over all", "one cell at the end"])
def test_a_sheet_that_unfolds_without_end_is_refused_on_the_page(bomb, need, people, sign_in):
    file = SimpleUploadedFile("need.xlsx", BOMBS[bomb]())
    page = sign_in(people["contributor"]).post(f"/needs/{need.reference}/draft/upload/", {"file": file})
    assert page.status_code == 400
    assert "copy what is meant into a new one" in page.content.decode().lower()


def test_a_sheet_taken_before_a_change_on_the_pages_is_refused(need, people):
    book, rows = sheet_of(need)
    rows["problem.problem"].value = "Offline"
    drafting.save(need, {"gap": "Online"}, by=people["focal_point"])
    with pytest.raises(need_sheet.SheetErrors, match="changed on the pages"):
        need_sheet.take(need, sent(book), by=people["contributor"])


@pytest.mark.parametrize("content", [b"", b"not a sheet", PDF, office("[Content_Types].xml", "xl/workbook.xml")])
def test_other_files_are_no_sheets(content, need, people, sign_in):
    file = SimpleUploadedFile("need.xlsx", content)
    assert (
        sign_in(people["contributor"]).post(f"/needs/{need.reference}/draft/upload/", {"file": file}).status_code == 400
    )


def test_a_sheet_of_another_need_is_refused(need, people):
    book, _rows = sheet_of(NeedFactory())
    with pytest.raises(ValidationError, match="belongs to"):
        need_sheet.take(need, sent(book), by=people["contributor"])


def test_the_sheet_is_downloaded_by_its_writers_only(need, people, sign_in):
    address = f"/needs/{need.reference}/draft/sheet.xlsx"
    got = {n for n, person in people.items() if sign_in(person).get(address).status_code == 200}
    assert got == {"contributor", "focal_point"}
    assert MembershipFactory(role=Role.DESK).user.is_staff
    assert LineItem.objects.filter(need=need).count() == 2
