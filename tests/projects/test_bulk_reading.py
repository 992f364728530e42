"""How the cells of a table are read: numbers as they are written elsewhere, and nothing dropped without a word."""

import io
import zipfile
from datetime import datetime

import pytest
from django.urls import reverse
from lxml import html
from openpyxl import Workbook, load_workbook
from openpyxl.comments import Comment

from projects.interchange.bulk import sheets
from projects.interchange.bulk.kinds import KINDS
from projects.models import Project
from tests.projects.tables import counts, problems

pytestmark = pytest.mark.django_db


# --- numbers as they are written elsewhere -----------------------------------------------------------------------------
HEAD = "title;contribution;contribution_by;contribution_kind;quantity;delivered;unit;women;men;amount;spent;currency\n"
LINE = "Experts;KEN;D011;{};{};expert-days;;;{};;USD\n"


def quantities(run) -> tuple:
    lines = run.rows.first().after["contributions"]
    return tuple(lines[0].get(name) for name in ("quantity", "delivered", "amount"))


def test_decimal_commas_are_read_and_shown_as_they_will_be_stored(bring):
    run = bring("projects", HEAD + "P;" + LINE.format("12,5", "0,5", "1 234,56"))
    assert (problems(run), quantities(run)) == ([], ("12.5", "0.5", "1234.56"))
    contribution = Project.objects.get().contributions.get()
    assert [str(n) for n in (contribution.quantity, contribution.delivered, contribution.amount)] == [
        "12.50",
        "0.50",
        "1234.56",
    ]


def test_a_number_that_can_mean_two_is_refused_by_row_and_column(bring):
    run = bring("projects", HEAD + "P;" + LINE.format("1,200", "7", ""))
    assert problems(run) == [
        "contributions: Row 2, quantity: “1,200” can mean 1200 or 1.2. Write the one that is meant, in this way."
    ]
    comma = bring("projects", HEAD.replace(";", ",") + "P," + LINE.replace(";", ",").format('"1.200"', "7", ""))
    assert counts(comma) == (0, 0, 0, 1)


def test_other_numbers_of_the_table_tell_what_its_comma_means(bring):
    run = bring("projects", HEAD + "P;" + LINE.format("1,200", "0,5", "5") + "Q;" + LINE.format("2", "1,000", "5"))
    assert problems(run) == []
    assert [row.after["contributions"][0]["delivered"] for row in run.rows.all()] == ["0.5", "1"]
    assert quantities(run)[0] == "1.2"


def test_a_number_filled_up_with_zeros_tells_nothing_and_is_refused_itself(bring):
    run = bring("projects", HEAD + "P;" + LINE.format("012,345", "7", "") + "Q;" + LINE.format("1,200", "7", ""))
    assert problems(run) == [
        "contributions: Row 2, quantity: “012,345” can mean 12345 or 12.3450. Write the one that is meant, in this way.",
        "contributions: Row 3, quantity: “1,200” can mean 1200 or 1.2. Write the one that is meant, in this way.",
    ]


@pytest.mark.parametrize("number", ["0,5", "012,345", "020-7946,12", "+254 20,555"])
def test_a_telephone_number_or_code_in_a_text_tells_nothing_of_numbers(bring, number):
    run = bring(
        "projects", HEAD + f"Call {number};" + LINE.format("1,200", "7", "") + f"{number};" + LINE.format("3", "2", "")
    )
    assert problems(run)[0].startswith("contributions: Row 2, quantity: “1,200” can mean 1200 or 1.2.")


def test_shares_are_written_so_that_they_come_back_whatever_the_convention(bring, desk):
    bring("projects", "title,terms\nP,bsp-theme:air:33.3330\n")
    resource = KINDS["projects"](by=desk)
    for write in (sheets.as_csv, sheets.as_workbook):
        content = write(resource, sheets.filled(resource, Project.objects.all()))
        assert counts(bring("projects", content, name=f"t.{'csv' if write is sheets.as_csv else 'xlsx'}")) == (
            0,
            0,
            1,
            0,
        )


# --- nothing is dropped without a word ---------------------------------------------------------------------------------
def test_a_row_without_a_name_loses_no_text(bring):
    run = bring("projects", "title,summary,lessons\nWells,Two towns.,\n,Lost text,Lost too\n")
    assert counts(run) == (0, 0, 0, 1)
    summary, lessons = problems(run)
    assert "Row 3 goes on with the record of row 2" in summary and "“Lost text” has no place" in summary
    assert lessons.startswith("lessons: ")


def test_a_row_that_repeats_its_key_with_another_text_is_told(bring):
    run = bring("needs", "key,country,title,problem\nN1,KEN,Air,No data.\nN1,KEN,Water,No data.\n")
    assert "“Water” has no place" in " ".join(problems(run))
    again = bring("needs", "key,country,title,line\nN1,KEN,Air,One\nN1,KEN,Air,Two\n")  # filled down: nothing is lost
    assert problems(again) == []


def workbook(**sheets_with_rows) -> bytes:
    book = Workbook()
    book.remove(book.active)
    for name, rows in sheets_with_rows.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (workbook(Data=[["title"], ["A"]], More=[["title"], ["B"]]), "something on “More” too"),
        (workbook(Data=[["title"], ["A", "beside"]]), "Row 2 has more cells"),
        (workbook(Data=[["title"], ['=CONCATENATE("A","B")']]), "formula has no result here: A2"),
        (workbook(Data=[["title", None, "summary"], ["A", "between", "C"]]), "There is no column “”"),
    ],
)
def test_what_is_not_read_of_a_workbook_is_said(content, said, bring):
    run = bring("projects", content)
    assert run.progress == "failed" and said in run.message


def test_hidden_rows_and_numbers_of_a_workbook_are_read(bring):
    book = load_workbook(io.BytesIO(workbook(Data=[
        ["title", "contribution", "contribution_by", "contribution_kind", "quantity", "delivered", "unit", "women", "men", "amount",
         "spent", "currency"], ["A", "x", "KEN", "D011", 12.5, 0.25, "expert-days", None, None, 1234, None, "USD"],
    ])))  # fmt: skip
    book["Data"].row_dimensions[2].hidden = True
    out = io.BytesIO()
    book.save(out)
    run = bring("projects", out.getvalue())
    assert (problems(run), quantities(run)) == ([], ("12.5", "0.25", "1234"))


@pytest.mark.parametrize(
    ("content", "said"),
    [("title\n" + "\n" * 60_000 + "A\n", "more than 50000 rows"), ("title\n" + "," * 1_000_000 + "A\n", "Row 2 has more cells")],
    ids=["rows", "cells"],
)  # fmt: skip
def test_a_text_of_endless_rows_or_cells_is_refused(content, said, bring):
    run = bring("projects", content)
    assert run.progress == "failed" and said in run.message


def notes(run) -> list[list[str]]:
    return [note for row in run.rows.all() for note in row.notes]


def test_a_number_that_is_read_otherwise_than_written_is_told_in_the_open(bring, sign_in, people):
    run = bring(
        "projects",
        HEAD + "P;" + LINE.format("1,200", "12,5", "1 234,56") + ";" + LINE.format("7", "2", "1200"),
        write=False,
    )
    assert notes(run) == [
        ["quantity", "Row 2: “1,200” is read as 1.2."], ["delivered", "Row 2: “12,5” is read as 12.5."],
        ["amount", "Row 2: “1 234,56” is read as 1234.56."],
        ["", "Rows without a key and a name of their own, joined to the row above: 3."],
    ]  # fmt: skip
    client = sign_in(people["desk"])
    page = html.fromstring(client.get(reverse("admin:projects_importrun_change", args=[run.pk])).content.decode())
    told = page.xpath("//li[not(ancestor::details)][contains(., '“1,200” is read as 1.2.')]")
    assert len(told) == 1 and told[0].text_content().startswith("quantity")
    assert "“1,200” is read as 1.2." in client.get(reverse("admin:projects_importrun_findings", args=[run.pk])).content.decode()  # fmt: skip


def test_a_number_that_is_read_as_written_is_not_told(bring):
    assert notes(bring("projects", HEAD + "P;" + LINE.format("1200", "12.50", "0.5"))) == []
    assert notes(bring("projects", HEAD + "Q;" + LINE.format("1,200", "x", ""))) == []


def test_what_is_wrong_with_a_line_names_the_row_of_the_table(bring):
    bad = LINE.replace("D011", "D011").format("7", "-3", "5")
    run = bring("projects", HEAD + "P;" + LINE.format("1", "1", "1") + "Q;" + LINE.format("2", "2", "2") + ";" + bad)
    assert [text for text in problems(run) if "Row 4, delivered: " in text] == problems(run) != []
    need = "key,country,kind,title,line,assistance,quantity,unit,by_when,line_note\nN1,KEN,capacity,A,Train,training,1,places,,\nN2,KEN,capacity,B,Train,training,-2,places,,\n"  # fmt: skip
    assert [text for text in problems(bring("needs", need)) if "Row 3, quantity: " in text]


def test_what_is_wrong_with_an_entry_of_a_cell_says_so(bring):
    run = bring("projects", "title,countries,modality,terms\nP,KEN,bilateral,bsp-theme:air:60; bsp-theme:waste:140\n")
    assert all("Row " not in text for text in problems(run)) and "Entry 2 of the cell: " in " ".join(problems(run))


# --- numbers that a workbook keeps as numbers ---------------------------------------------------------------------------
NUMBERS = HEAD.strip().split(";")


def line_of(title, quantity, delivered) -> list:
    return [title, "Experts", "KEN", "D011", quantity, delivered, "expert-days", None, None, None, None, "USD"]


PLACE = ["iso3", "iso2", "m49", "name_en", "latitude", "longitude"]


@pytest.mark.parametrize("beside", ["12,5", "1.234,5", 7, None], ids=["comma", "grouped", "number", "nothing"])
def test_a_number_kept_as_a_number_means_that_number_whatever_stands_beside_it(beside, bring):
    rows = [PLACE, ["XKX", "XK", "983", "A", -1.292, 36.817], ["XKY", "XY", "984", "B", 1.234, beside]]
    run = bring("countries", workbook(Data=rows), by="administrator", write=False)
    first, second = run.rows.all()
    assert (first.problems, first.after["latitude"], first.after["longitude"]) == ([], "-1.2920", "36.8170")
    assert "ambiguous" not in str(second.problems) and not [
        text for name, text in second.problems if name == "latitude"
    ]
    rows = [NUMBERS, line_of("P", 254.712, 2), line_of("Q", beside, 0.5)]
    said = problems(bring("projects", workbook(Data=rows)))[0]
    assert "at most 2" in said and "254712" not in said


# --- codes with names, and what is said behind them ---------------------------------------------------------------------
@pytest.mark.parametrize(
    ("column", "cell", "stored"),
    [
        ("countries", "KEN – Kenya:provider", "KEN:provider"),
        ("countries", "KEN – KENYA", "KEN:recipient"),
        ("countries", "BOL – Bolivie (État plurinational de):provider", "BOL:provider"),
        ("countries", "KEN:provider – Provider", "KEN:provider"),
        ("terms", "sdg:13 – 13 Climate action:50", "sdg:13:50"),
        ("terms", "sdg:13 – Climate action:50", "sdg:13:50"),
        ("partners", "unep – UNEP:4", "unep:4"),
        ("status", "2 – in delivery", "2"),
        ("status", "2 – قيد التنفيذ", "2"),
    ],
)
def test_a_name_behind_a_code_is_read_with_what_follows_it(column, cell, stored, bring):
    run = bring("projects", f"title,{column}\nP,{cell}\n", write=False)
    assert problems(run) == []
    assert run.rows.get().after[column] == stored


@pytest.mark.parametrize(
    ("column", "cell", "said"),
    [
        ("countries", "KEN – Kenya, UGA – Uganda", "“Kenya, UGA – Uganda” is not the name of KEN"),
        ("countries", "KEN – Uganda", "“Uganda” is not the name of KEN"),
        ("countries", "KEN – provider", "“provider” is not the name of KEN"),
        ("countries", "KEN – Kenya and others:provider", "“Kenya and others:provider” is not the name of KEN"),
        ("countries", "KEN:provider – recipient", "“recipient” is not the name of provider"),
        ("terms", "sdg:13 – Life below water", "“Life below water” is not the name of sdg:13"),
        ("status", "2 – in delivery – delayed until 2027", "“in delivery – delayed until 2027” is not the name of 2"),
        ("parent", "KEN – Kenya", "There is no “KEN” here"),
        ("countries", "KEN:recipient::lead country of it", "“lead country of it” stands behind the last part"),
        ("countries", "KEN – Kenya:recipient::lead", "“lead” stands behind the last part"),
        ("partners", "unep:1:lead", "“lead” stands behind the last part of the entry “unep:1:lead”"),
        ("terms", "sdg:13:50:main focus", "“main focus” stands behind the last part"),
    ],
)  # fmt: skip
def test_what_behind_a_code_is_not_understood_is_told_by_its_cell(column, cell, said, bring):
    run = bring("projects", f'title,{column}\nP,"{cell}"\n')
    assert counts(run) == (0, 0, 0, 1)
    assert problems(run)[0].startswith(f"{column}: ") and said in problems(run)[0]


@pytest.mark.parametrize(
    ("kind", "columns", "cells", "said"),
    [
        ("needs", "country,title,is_for_women", "KEN,A,true – but few", "“but few” is not the name of true"),
        ("needs", "country,title,terms", "KEN,A,bsp-theme:air – Air and water", "is not the name of bsp-theme:air"),
        ("needs", "country,title", "KEN – Uganda,A", "“Uganda” is not the name of KEN"),
        ("offers", "partner,title,eligible", "undp,A,KEN – and its neighbours", "“and its neighbours” is not the name of KEN"),
        ("countries", "iso3,iso2,m49,name_en,groups", "XKX,XK,983,T,ldc – all of them", "“all of them” is not the name of ldc"),
    ],
)  # fmt: skip
def test_a_name_that_is_not_that_of_its_code_is_told_in_every_table(kind, columns, cells, said, bring):
    run = bring(kind, f"{columns}\n{cells}\n", by="administrator" if kind == "countries" else "desk")
    assert said in " ".join(problems(run)) and counts(run) == (0, 0, 0, 1)


def test_a_fixed_cell_that_is_not_understood_is_told_by_its_cell(bring):
    bring("needs", "key,country,title\nN1,KEN,Air\n")
    run = bring("needs", "key,country,title\nN1,KEN – Uganda,Air\n")
    assert (run.progress, counts(run)) == ("waiting", (0, 0, 0, 1))
    assert problems(run)[0].startswith("country: ") and "“Uganda” is not the name of KEN" in problems(run)[0]


# --- days and months ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("text", ["2027-06-30/2028-01-01", "2027-06-30 or later", "2027-03-01xyz", "2027-06-30 23:59", "2027-06-30T", "2027"])  # fmt: skip
def test_text_behind_a_day_is_told(text, bring):
    run = bring("projects", f"title,planned_end\nP,{text}\n")
    assert problems(run) == [f"planned_end: “{text}” is no day. Write it as 2027-06-30."]


@pytest.mark.parametrize(
    ("day", "stored"), [("2027-06-30 00:00:00", "2027-06-30"), ("20270630", "2027-06-30"), ("2027-06-30T00:00", "2027-06-30")]
)  # fmt: skip
def test_a_day_that_programs_write_with_midnight_is_that_day(day, stored, bring):
    assert bring("projects", f"title,planned_end\nP,{day}\n").rows.get().after["planned_end"] == stored


MONTHS = "country,title,line,assistance,quantity,unit,by_when,line_note\nKEN,N,Train,training,5,places,{},\n"


@pytest.mark.parametrize(
    "text", ["2027-06-30 to 2027-09", "2027-06abc", "2027-13", "2027", "06/2027 or later", "2027.1"]
)
def test_text_behind_a_month_is_told(text, bring):
    run = bring("needs", MONTHS.format(text))
    assert problems(run) == [f"lines: Row 2, by_when: “{text}” is no month. Write it as 2027-06."]


@pytest.mark.parametrize("text", ["2027-06", "06/2027", "6.2027", "2027-06-01", "2027-06-01 00:00:00", "2027/06"])
def test_a_month_is_read_as_people_write_it(text, bring):
    run = bring("needs", MONTHS.format(text))
    assert problems(run) == [] and run.rows.get().after["lines"][0]["by_when"] == "2027-06"


def test_the_time_of_a_moment_in_a_workbook_is_told(bring):
    moment = datetime(2027, 6, 30, 23, 59)  # noqa: DTZ001  a sheet has no time zones
    run = bring("projects", workbook(Data=[["title", "planned_end"], ["P", moment]]))
    assert problems(run) == ["planned_end: “2027-06-30 23:59:00” is no day. Write it as 2027-06-30."]
    day = moment.replace(hour=0, minute=0)
    right = bring("projects", workbook(Data=[["title", "planned_end"], ["P", day]]))
    assert right.rows.get().after["planned_end"] == "2027-06-30"


# --- rows that are joined -----------------------------------------------------------------------------------------------
def test_rows_that_are_joined_to_a_record_are_told_in_the_trial(bring, sign_in, people):
    text = "title,language,countries\nOne,en,KEN\n,,UGA\n,en,RWA\nTwo,fr,MOZ\n\n,,TZA\n"
    run = bring("projects", text, write=False)
    assert notes(run) == [
        ["", "Rows without a key and a name of their own, joined to the row above: 3–4."],
        ["", "Rows without a key and a name of their own, joined to the row above: 7."],
    ]
    page = html.fromstring(
        sign_in(people["desk"]).get(reverse("admin:projects_importrun_change", args=[run.pk])).content.decode()
    )
    assert page.xpath(
        "//li[normalize-space() = 'Rows without a key and a name of their own, joined to the row above: 3–4.']"
    )
    head = "key,country,title,line,assistance,quantity,unit,by_when,line_note\n"
    lines = "N1,KEN,Air,One,,,,,\nN1,KEN,Air,Two,,,,,\nN1,,,Three,,,,,\nN2,KEN,Sea,One,,,,,\n"
    again = bring("needs", head + lines, write=False)
    assert notes(again) == [["", "Rows that repeat its key and are part of this record: 3–4."]]


def test_a_row_with_another_language_and_no_name_is_not_joined_in_silence(bring):
    run = bring("projects", "title,language,countries\nOne,en,KEN\n,fr,UGA\n", write=False)
    assert "Row 3 goes on with the record of row 2" in " ".join(problems(run)) and len(notes(run)) == 1


# --- merged cells -------------------------------------------------------------------------------------------------------
def merged(area: str, rows: list[list]) -> bytes:
    book = load_workbook(io.BytesIO(workbook(Data=rows)))
    book["Data"].merge_cells(area)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


LINES_OF = ["key", "country", "title", "line", "assistance", "quantity", "unit", "by_when", "line_note"]
TWO_LINES = [LINES_OF, ["N1", "KEN", "Air", "One", "training", 1, "places", None, "note"], ["N1", None, None, "Two", "training", 2, "places", None, None]]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "area", "rows", "told"),
    [
        ("projects", "B2:B4", [["title", "summary"], ["A", "same"], ["B"], ["C"]], [0, 1, 1]),
        ("projects", "B2:C2", [["title", "planned_start", "planned_end"], ["A", "2027-01-01"]], [1]),
        ("projects", "A2:A3", [["title", "countries"], ["A", "KEN"], [None, "UGA"]], [0]),
        ("projects", "B2:B3", [["title", "summary"], ["A", None], ["B", None]], [0, 0]),
        ("projects", "B2:B90", [["title", "summary"], ["A", "same"]], [0]),
        ("needs", "I2:I3", TWO_LINES, [1]),
        ("needs", "B2:B3", TWO_LINES, [0]),
    ],
)
def test_a_merged_cell_over_several_values_is_told_to_those_that_lose_it(kind, area, rows, told, bring):
    run = bring(kind, merged(area, rows), write=False)
    said = [
        [text for _name, text in row.problems if f"The merged cell {area} covers several values" in text]
        for row in run.rows.all()
    ]
    assert [len(texts) for texts in said] == told
    assert counts(run)[3] == sum(map(bool, told))


def test_a_merged_cell_that_reaches_far_below_the_table_costs_what_the_table_has(desk):
    """However far it reaches, and however many there are: the rows between are not walked."""
    found = [sheets.Given(number, {"title": "A"}) for number in range(2, 7)]
    areas = [sheets.Area(f"B2:B{last}", 2, last, 2, 2) for last in range(10**12, 10**12 + 100)]
    sheets._tell_merged(areas, ["title", "summary"], found, KINDS["projects"](by=desk))
    assert [len(one.wrong) for one in found] == [0, *[sheets.MOST_MERGED] * 4]


def test_of_a_record_no_more_is_listed_than_a_person_mends_at_once(bring):
    rows = "".join(f",Text {number}\n" for number in range(300))
    run = bring("projects", "title,summary\nA,B\n" + rows, write=False)
    assert len(problems(run)) == 101
    assert problems(run)[-1] == "There are 200 more things to mend. Mend these first, then bring the file again."


# --- files as they come -------------------------------------------------------------------------------------------------
def test_a_workbook_that_is_called_csv_is_read_as_what_it_is(bring):
    run = bring("projects", workbook(Data=[["title"], ["Wells"]]), name="t.csv")
    assert (run.progress, Project.objects.get().title) == ("done", "Wells")


def test_nul_is_taken_out_and_told(bring):
    run = bring("projects", "title,summary\nWe\x00lls,Two\u202e towns.\n")
    assert (Project.objects.get().title, Project.objects.get().summary) == ("Wells", "Two towns.")
    assert "2 title: U+0000; 2 summary: U+202E" in run.message


def test_comments_of_cells_are_told_once_with_the_cells(bring):
    book = load_workbook(io.BytesIO(workbook(Data=[["title", "summary"], *([f"Wells {n}", "x"] for n in range(20))])))
    for number in (1, *range(3, 15)):
        book["Data"].cell(number, 2).comment = Comment("Ask the ministry", "")
    out = io.BytesIO()
    book.save(out)
    run = bring("projects", out.getvalue())
    assert "Comments of cells are not read: B3, B4, B5, B6, B7, B8, B9, B10, B11, B12, …. Write" in run.message
    assert run.message.count("Comments") == 1 and counts(run)[0] == 20


def test_a_cell_that_is_too_long_is_told_by_its_row(bring):
    run = bring("projects", "title,summary\nWells,a\nMore," + "x" * 140_000 + "\n")
    assert run.message == (
        "Row 3 has a cell with more than 131072 characters. Shorten it, or close the quotation mark that it begins with."
    )


def test_a_cell_of_a_workbook_holds_no_more_than_one_of_csv(bring):
    def long(signs: int) -> bytes:
        book, out = io.BytesIO(workbook(Data=[["title", "summary"], ["Wells", "a"], ["More", "LONG"]])), io.BytesIO()
        with zipfile.ZipFile(book) as read, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as written:
            for name in read.namelist():
                written.writestr(name, read.read(name).replace(b"LONG", b"x" * signs))
        return out.getvalue()  # openpyxl itself would cut it

    run = bring("projects", long(131_073))
    assert (run.progress, run.message) == (
        "failed", "Row 3 has a cell with more than 131072 characters. Shorten it."
    )  # fmt: skip
    run = bring("projects", long(131_072), write=False)
    assert "131072 characters" not in run.message and run.done == 2


def test_an_end_of_line_as_excel_writes_it_is_one(bring):
    bring("projects", workbook(Data=[["title", "summary"], ["Wells", "line1_x000D_\nline2"]]))
    assert Project.objects.get().summary == "line1\nline2"


def test_what_the_record_says_of_a_line_names_its_row_and_column(bring):
    head = "key,country,title,line,assistance,quantity,unit,by_when,line_note\n"
    run = bring("needs", head + "N1,KEN,Air,One,training,1.2345,places,,\n")
    assert problems(run) == ["lines: Row 2, quantity: Digits after the decimal point: at most 2."]
    run = bring("needs", head + f"N1,KEN,Air,{'x' * 400},training,1,places,,\n")
    assert problems(run)[0].startswith("lines: Row 2, line: ")
    run = bring("projects", HEAD + "P;" + LINE.format("1,234", "0,5", "").replace("USD", "ZZZ"))
    assert "contributions: Row 2, currency: ISO 4217 has no currency “ZZZ”. Look its three letters up." in problems(run)


@pytest.mark.parametrize("code", ["€€€", "usd", "US", "ZZZ"])
def test_a_currency_by_default_is_one_of_iso_4217(code, bring):
    run = bring("projects", f"title,default_currency\nWells,{code}\n")
    assert counts(run)[3] == 1 and "ISO 4217" in problems(run)[0] and problems(run)[0].startswith("default_currency")
    assert counts(bring("projects", "title,default_currency\nWells,KES\n"))[0] == 1


# --- errors of spreadsheets ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "error", ["#N/A", "#DIV/0!", "#REF!", "#NAME?", "#n/a", "#BEZUG!", "#Н/Д", "#¡REF!", "########", "Err:502"]
)
def test_an_error_of_a_spreadsheet_is_no_value(error, bring):
    run = bring(
        "projects", f"title,summary,countries\nA,{error},KEN\n{error},x,KEN\nC,x,KEN; {error}\nD,About {error},KEN\n"
    )
    said = "is an error of the spreadsheet, not a value"
    assert [[name for name, text in row.problems if said in text] for row in run.rows.all()] == [
        ["summary"],
        ["title"],
        ["countries"],
        [],
    ]
    line = bring("needs", f"key,country,title,line,assistance,quantity,unit,by_when,line_note\n{error},KEN,A,,,,,,\nN,KEN,A,{error},training,1,places,,\n")  # fmt: skip
    assert [(row.problems[0][0], said in row.problems[0][1]) for row in line.rows.all()] == [
        ("key", True),
        ("lines", True),
    ]


def test_an_error_of_a_workbook_is_no_value(bring):
    run = bring("projects", workbook(Data=[["title", "summary"], ["A", "#N/A"]]))
    assert problems(run)[0].startswith("summary: “#N/A” is an error of the spreadsheet")


# --- shares -------------------------------------------------------------------------------------------------------------
def test_shares_of_a_vocabulary_add_up_to_100_but_for_rounding(bring):
    run = bring(
        "projects",
        "title,terms\nP,bsp-theme:air; sdg:13:60; sdg:14:60\nQ,sdg:13:50.05; sdg:14:50.05\nR,sdg:13:60; bsp-theme:air:60\nS,sdg:13:100; sdg:13.1:100\n",
    )
    assert problems(run) == [
        "terms: The shares of “Sustainable Development Goals and targets” add up to 120, more than 100."
    ]
    assert [row.outcome for row in run.rows.all()] == ["wrong", "new", "new", "new"]


def test_a_share_that_rounding_brought_above_100_is_100_and_told(bring):
    run = bring("projects", "title,terms\nP,sdg:13:100.01\n")
    assert (problems(run), notes(run)) == ([], [["terms", "“100.01” is read as 100."]])
    assert Project.objects.get().term_links.get().share == 100
    assert counts(bring("projects", "title,terms\nQ,sdg:13:100.2\n")) == (0, 0, 0, 1)
