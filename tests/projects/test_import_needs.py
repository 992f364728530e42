"""Needs from a table: real rows, bad rows, the same table again."""

import io
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from partners.models import User
from projects.choices import NeedState, Source
from projects.interchange.needs_import import Unreadable, import_needs, read_table
from projects.models import ImportRun, Need
from projects.models.importing import ImportKind

pytestmark = pytest.mark.django_db
REAL = Path(__file__).resolve().parents[3] / "shared" / "data" / "needs" / "ndc_needs.csv"
ROW = {"need_id": "X-1", "iso3": "KEN", "kind": "technology", "sector": "Water", "subsector": "Irrigation", "question": "Technologies needed",
       "text": "Drip lines | Drip lines | =Pumps&amp;pipes | "}  # fmt: skip


def take(*rows, **options):
    run = ImportRun(kind=ImportKind.STATEMENTS, file_name="needs.csv", **{"licence": "CC-BY-4.0", **options})
    return import_needs([{**ROW, **row} for row in rows], by=User.objects.system(), source="A table", run=run)


def test_a_row_becomes_a_draft_of_its_country_with_lines_and_source(people):
    report = take({})
    need = Need.objects.get()
    assert (need.country.iso3, need.state, need.source) == ("KEN", NeedState.DRAFT, Source.IMPORTED)
    assert need.title == "Technology for the climate contribution: Water, Irrigation"
    assert [line.text for line in need.lines.all()] == ["Drip lines", "=Pumps&pipes"]
    assert {term.code for term in need.themes} == {"climate", "freshwater"}
    assert need.source_note == "A table; Technologies needed"
    assert need.events.get().action == "import"
    assert (report.created, report.rejected) == (1, 0)
    assert people["focal_point"].has_perm("projects.change_need", need)
    assert people["desk"].has_perm("projects.view_need", need)
    assert not people["partner_lead"].has_perm("projects.view_need", need)


@pytest.mark.parametrize(
    ("change", "words"),
    [({"need_id": " "}, "no need_id"), ({"iso3": "XXX"}, "no country XXX"), ({"kind": "money"}, "neither"), ({"text": " | "}, "says nothing"),
     ({"text": None}, "says nothing")],
)  # fmt: skip
def test_bad_rows_are_reported_and_the_others_come(change, words):
    report = take({"need_id": "good"}, change)
    assert (report.created, report.rejected) == (1, 1)
    assert [text for row, _key, text in report.findings if row == 3 and words in text]
    assert Need.objects.get().source_key == "good"


def test_again_changes_nothing_that_somebody_edited():
    take({})
    Need.objects.update(title="Edited")
    report = take({}, {"need_id": "X-1"})
    assert (report.created, report.present) == (0, 2)
    assert Need.objects.get().title == "Edited"


def test_a_trial_run_writes_nothing():
    assert take({}, is_dry_run=True).created == 1
    assert not Need.objects.exists()


def test_long_lines_are_cut_and_said():
    report = take({"text": "a" * 400})
    assert len(Need.objects.get().lines.get().text) == 300
    assert "a" * 400 in Need.objects.get().gap
    assert any("was cut" in text for _row, _key, text in report.findings)


@pytest.mark.parametrize(
    ("content", "words"), [(b"a,b\n1,2\n", "no column"), (b"\xff\xfe\x00", "UTF-8"), (None, "no such file")]
)
def test_what_is_no_table_is_one_clear_line(tmp_path, content, words):
    path = tmp_path / "table.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(Unreadable, match=words):
        read_table(path)
    with pytest.raises(CommandError, match=words):
        call_command("import_needs", path)


@pytest.mark.skipif(not REAL.exists(), reason="the real table is not beside this clone")
def test_all_133_real_needs_arrive(tmp_path):
    out, report = io.StringIO(), tmp_path / "report.csv"
    call_command("import_needs", REAL, report=report, stdout=out)
    assert "133 new drafts, 0 here already, 0 not usable" in out.getvalue()
    assert Need.objects.filter(state=NeedState.DRAFT).count() == 133
    assert not Need.objects.filter(lines=None).exists()
    assert len(report.read_text().splitlines()) > 133


def test_nothing_of_a_table_is_left_out_without_a_word(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text(
        ",".join((*ROW, "remarks")) + "\n"
        "A,KEN,technology,Water,,Asked,One,a remark,beside\n"
        "A,KEN,technology,Water,,Asked,Another,,\n"
        f"B,KEN,technology,Water,,{'q' * 400},{'|'.join(f'line {n}' for n in range(45))},,\n"
        f"{'k' * 101},KEN,technology,Water,,Asked,One,,\n"
    )
    report = import_needs(
        read_table(path), by=User.objects.system(), source="A table", run=ImportRun(kind=ImportKind.STATEMENTS)
    )
    assert (report.created, report.present, report.rejected) == (2, 1, 1)
    for row, words in (
        (1, "The column “remarks” is not read."), (2, "more cells than there are columns; not read: beside"),
        (3, "Row 2 has the same need_id, so this row was not taken"), (4, "The first 40 of its 45 lines"), (4, "was cut after 300"),
        (5, "need_id is longer than 100"),
    ):  # fmt: skip
        assert any(number == row and words in text for number, _key, text in report.findings), words
    assert "line 44" in Need.objects.get(source_key="B").gap


def test_a_row_with_an_error_of_a_spreadsheet_is_rejected():
    report = take({"text": "#REF!"}, {"need_id": "#N/A"})
    assert (report.created, report.rejected) == (0, 2)
    assert report.findings[0][2].startswith("text: “#REF!” is an error of the spreadsheet")
