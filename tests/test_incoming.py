"""Files that came in: what is over a limit is refused in words, in little time and memory, whatever kind of file it is."""

import datetime as dt
import gzip
import io
import json
import struct
import subprocess
import sys
import zipfile
import zlib

import pytest
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from openpyxl import Workbook
from openpyxl.comments import Comment
from PIL import Image

from ground import incoming, reading
from outreach import pictures
from outreach.models import Picture
from projects import uploads
from projects.interchange import workbooks
from projects.interchange.bulk import sheets
from tests import THOROUGH

MEGABYTE = 1024**2
MEASURED = """
import re, sys
from ground.reading import main
try:
    main(*sys.argv[1:])
finally:
    with open("/proc/self/status") as status:
        print(re.search(r"VmHWM:\\s+(\\d+) kB", status.read())[1], file=sys.stderr)
"""


def measured(kind: str, content: bytes, **options) -> tuple[int, bytes]:
    """The most bytes that the process which reads this holds, and what it answers."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, kind, json.dumps(options)], input=content, capture_output=True
    )
    return int(done.stderr.split()[-1]) * 1024, done.stdout


SHEET = "xl/worksheets/sheet1.xml"


def book(change=lambda name, data: data, *, rows=(("reference", "title"), ("x", "y"))) -> bytes:
    """A small workbook, with its parts changed."""
    made = Workbook()
    made.active.title = "Data"
    for row in rows:
        made.active.append(row)
    plain, out = io.BytesIO(), io.BytesIO()
    made.save(plain)
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            target.writestr(name, change(name, source.read(name)))
    return out.getvalue()


def with_sheet(change) -> bytes:
    return book(lambda name, data: change(data) if name == SHEET else data)


def behind(more: bytes):
    return lambda data: data.replace(b"</sheetData>", b"</sheetData>" + more)


def last_row(more: bytes):
    return lambda data: data.replace(b"</sheetData>", more + b"</sheetData>")


def merged(ref: str, times: int = 1):
    return behind(b"<mergeCells>" + f'<mergeCell ref="{ref}"/>'.encode() * times + b"</mergeCells>")


def in_utf_16(change):
    return lambda data: b"\xff\xfe" + change(data).decode().encode("utf-16-le")


MERGES = {
    "absolute": lambda: with_sheet(merged("$A$1:$A$1048576", 20)),
    "with character references": lambda: with_sheet(merged("&#65;1:&#x41;1048576", 20)),
    "whole columns": lambda: with_sheet(merged("A:A", 20)),
    "whole rows": lambda: with_sheet(merged("2:3000", 20)),
    "in UTF-16": lambda: with_sheet(in_utf_16(merged("A1:A1048576", 20))),
    "of another prefix": lambda: with_sheet(
        lambda data: data.replace(b"<worksheet ", b'<worksheet xmlns:a-b="http://schemas.openxmlformats.org/spreadsheetml/2006/main" ')
        .replace(b"</sheetData>", b'</sheetData><a-b:mergeCells><a-b:mergeCell\n ref = "A1:XFD1048576"/></a-b:mergeCells>')
    ),
    "twice, the second small": lambda: with_sheet(
        lambda data: merged("$A$1:$A$1048576")(merged("A1:B1")(data))
    ),
}  # fmt: skip


@pytest.mark.parametrize("merge", MERGES)
def test_merged_cells_are_counted_however_the_file_writes_them(merge):
    with pytest.raises(ValidationError, match="more than 500000 cells, merged ones counted|is damaged"):
        workbooks.opened(ContentFile(MERGES[merge]()), sheets.LARGEST)


def test_a_workbook_in_the_strict_form_is_called_so():
    """openpyxl reads nothing of it, which would look like a file that says nothing."""
    names = (
        b"http://schemas.openxmlformats.org/spreadsheetml/2006/main",
        b"http://purl.oclc.org/ooxml/spreadsheetml/main",
    )
    content = with_sheet(lambda data: data.replace(*names))
    with pytest.raises(ValidationError, match="Strict Open XML"):
        workbooks.opened(ContentFile(content), sheets.LARGEST)


ENTITIES = b'<!DOCTYPE worksheet [<!ENTITY a "aaaaaaaaaa">%s]>' % b"".join(
    b'<!ENTITY %c "%s">' % (c, b"&%c;" % (c - 1) * 10) for c in b"bcdefghij"
)
BOMBS = {
    "one merge over all": lambda: with_sheet(behind(b'<mergeCells count="1"><mergeCell ref="A1:XFD1048576"/></mergeCells>')),
    "one cell at the end": lambda: with_sheet(last_row(b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>')),
    "one cell far right": lambda: with_sheet(last_row(b'<row r="3"><c r="XFD3"><v>1</v></c></row>')),
    "a row that does not exist": lambda: with_sheet(last_row(b'<row r="99999999999"><c><v>1</v></c></row>')),
    "empty cells far right in each row": lambda: with_sheet(
        last_row(b"".join(b'<row r="%d"><c r="XFD%d" s="1"/></row>' % (n, n) for n in range(3, 3000)))
    ),
    "a million cells": lambda: with_sheet(last_row(b'<row r="3">' + b"<c><v>1</v></c>" * 1_000_000 + b"</row>")),
    "spaces without end": lambda: with_sheet(behind(b" " * 210 * MEGABYTE)),
    "entities in entities": lambda: with_sheet(
        lambda data: ENTITIES + data.replace(b"</sheetData>", b'<row r="3"><c t="inlineStr"><is><t>&j;</t></is></c></row></sheetData>')
    ),
    "one long text in many cells": lambda: book(
        lambda name, data: last_row(b'<row r="3">' + b'<c t="s"><v>0</v></c>' * 100_000 + b"</row>")(data) if name == SHEET
        else data.replace(b"reference", b"r" * 30_000) if name == "xl/sharedStrings.xml" else data
    ),
}  # fmt: skip


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_workbook_that_unfolds_without_end_is_refused_in_words(bomb, monkeypatch):
    content = BOMBS[bomb]()
    limits = {"cells": incoming.MOST_CELLS, "rows": incoming.MOST_ROWS, "columns": incoming.MOST_COLUMNS}
    held, answer = measured("workbook", content, unpacked=200 * MEGABYTE, **limits)
    monkeypatch.setattr(incoming, "_answer", lambda *_asked: answer)
    with pytest.raises(ValidationError) as refusal:
        workbooks.opened(ContentFile(content), sheets.LARGEST)
    assert refusal.value.code in ("cells", "far", "rows", "columns", "unpacked", "damaged", "too_much")
    assert "%(" not in refusal.value.messages[0]
    assert held < 200 * MEGABYTE


def test_a_process_that_answers_nothing_is_ended(monkeypatch, read_apart):
    monkeypatch.setattr(incoming, "WAITED", 0.01)
    with pytest.raises(ValidationError, match="more than is given"):
        incoming.media_type(b"%PDF-1.4", unpacked=MEGABYTE)


def test_what_reads_files_knows_nothing_of_the_portal():
    """Neither its settings and database nor what stands in its environment."""
    code = "import sys, ground.reading; print(sorted(m for m in sys.modules if m.split('.')[0] in ('django', 'projects', 'psycopg')))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_what_an_ordinary_workbook_says_is_read(read_apart):
    made = Workbook()
    made.active.append(["text", 12, 12.5, 1.234, True, None, "=1+1"])
    made.active.append([None, None])
    made.active.append(["", "last"])
    out = io.BytesIO()
    made.save(out)
    content = out.getvalue().replace(b"<v></v>", b"<v>2</v>")
    with pytest.raises(ValidationError, match="formula has no result here: G1"):
        workbooks.opened(ContentFile(content), MEGABYTE)
    made.active["G1"] = None
    made.active["H1"] = time_of = dt.date(2026, 7, 1)
    out = io.BytesIO()
    made.save(out)
    (sheet,) = workbooks.opened(ContentFile(out.getvalue()), MEGABYTE).values()
    assert dict(sheet.texts(width=3)) == {
        1: ["text", "12", "12.5", "1.234", "True", "", "", time_of.isoformat()], 3: ["", "last", ""],
    }  # fmt: skip


FORMULA = b'<row r="3"><c r="B3"%s><f>IF(A1="","",A1)</f>%s</c></row>'


@pytest.mark.parametrize(
    ("kind", "value", "has_result"),
    [
        (b' t="str"', b"<v></v>", True), (b' t="str"', b"<v/>", True), (b" s='1' t='str'", b"<v></v>", True),
        (b' t="str"', b"", False), (b"", b"<v></v>", False), (b"", b"<v/>", False), (b"", b"", False),
        (b' t="str"', b"<v>text</v>", True), (b"", b"<v>0</v>", True),
    ],
)  # fmt: skip
def test_an_empty_text_is_the_result_of_a_formula(kind, value, has_result):
    content = with_sheet(last_row(FORMULA % (kind, value)))
    if has_result:
        assert incoming.workbook(content, unpacked=MEGABYTE)
    else:
        with pytest.raises(ValidationError, match="no result here: B3"):
            incoming.workbook(content, unpacked=MEGABYTE)


def many_sheets(n: int) -> bytes:
    made = Workbook()
    for _more in range(n - 1):
        made.create_sheet()
    out, long = io.BytesIO(), io.BytesIO()
    made.save(out)
    with zipfile.ZipFile(out) as source, zipfile.ZipFile(long, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            data = source.read(name)
            if name.startswith("xl/worksheets/"):
                data = data.replace(b"<sheetData/>", b'<sheetData><row r="1048576"/></sheetData>').replace(
                    b"<sheetData></sheetData>", b'<sheetData><row r="1048576"/></sheetData>'
                )
            target.writestr(name, data)
    return long.getvalue()


SLOW = {
    "cells that do not end": lambda: with_sheet(behind(b'<c r="A1"' * 200_000)),
    "one cell with endless references": lambda: with_sheet(behind(b"<c " + b'r="AAA1" ' * 200_000 + b"/>")),
    "merges that do not end": lambda: with_sheet(behind(b"<mergeCell " * 200_000)),
    "formulas that do not end": lambda: with_sheet(behind(b'<c r="A1"><f ' * 200_000)),
    "a last row on each of many sheets": lambda: many_sheets(60),
    "too many sheets": lambda: many_sheets(201),
}


SLOW |= {
    "two million elements in each other": lambda: with_sheet(behind(b"<a>" * 2_000_000)),
    "elements in each other, one beside each": lambda: with_sheet(behind(b"<a><b/>" * 60_000)),
    "one element with endless attributes": lambda: with_sheet(behind(b"<a " + b"".join(b'q%d="1" ' % n for n in range(90_000)) + b"/>")),
    "conditions without end": lambda: with_sheet(behind(b'<conditionalFormatting sqref="A1"><cfRule type="expression" priority="1"/></conditionalFormatting>' * 30_000)),
    "styles without end": lambda: book(lambda name, data: data.replace(b"</cellXfs>", b'<xf numFmtId="0"/>' * 110_000 + b"</cellXfs>")),
}  # fmt: skip


@pytest.mark.parametrize("slow", SLOW)
def test_a_small_workbook_takes_little_of_the_processor(slow):
    """Measured as time of the processor that the reading process is given, so that a busy machine changes nothing."""
    limits = {"cells": incoming.MOST_CELLS, "rows": incoming.MOST_ROWS, "columns": incoming.MOST_COLUMNS}
    code = "import sys; from ground import reading; reading.MOST_SECONDS = 2; reading.main(*sys.argv[1:])"
    options = json.dumps({"unpacked": 200 * MEGABYTE, **limits})
    done = subprocess.run([sys.executable, "-c", code, "workbook", options], input=SLOW[slow](), capture_output=True)
    assert done.returncode == 0
    assert json.loads(done.stdout)["refused"] in ("damaged", "too_much", "cells", "far")


def seconds_for(kind: str, content: bytes) -> int:
    return reading._seconds(kind, len(content))


def test_a_sheet_of_five_thousand_like_rows_is_small_and_is_read(read_apart):
    """Packed far better than rows of people, since each says the same; styled, and with a link in each."""
    made = Workbook()
    for number in range(1, 5001):
        made.active.append(
            ["The same text in each row of the sheet", 12.5, "2027-06-30", "KEN:provider:1", None, "yes"] * 3
        )
        made.active.cell(number, 1).hyperlink = "https://example.org/"
        made.active.cell(number, 5).number_format = "@"
    out = io.BytesIO()
    made.save(out)
    (sheet,) = incoming.workbook(out.getvalue(), unpacked=200 * MEGABYTE).values()
    assert len(sheet.rows) == 5000 and sheet.rows[5000][:2] == ["The same text in each row of the sheet", 12.5]


def test_a_small_file_is_given_two_seconds_and_a_large_one_more():
    assert seconds_for("workbook", bytes(25_000)) == 2
    assert seconds_for("workbook", bytes(MEGABYTE)) == 12
    assert seconds_for("workbook", bytes(10 * MEGABYTE)) == 20


def test_merged_cells_of_each_sheet_are_told_with_their_places():
    made, out = Workbook(), io.BytesIO()
    made.active.append(["a", "b"])
    made.active["B2"] = "value"
    made.active.merge_cells("B2:C4")
    made.active.merge_cells("E5:E6")
    made.create_sheet("More").append(["x"])
    made.save(out)
    first, more = incoming.workbook(out.getvalue(), unpacked=MEGABYTE).values()
    assert first.areas == [incoming.Area("B2:C4", 2, 4, 2, 3), incoming.Area("E5:E6", 5, 6, 5, 5)]
    assert (first.filled_areas(), more.areas) == (first.areas[:1], [])


def test_a_merged_cell_that_is_named_absolutely_or_twice_is_told_once():
    content = with_sheet(merged("$A$2:$A$4", 3))
    (sheet,) = incoming.workbook(content, unpacked=MEGABYTE).values()
    assert sheet.areas == [incoming.Area("A2:A4", 2, 4, 1, 1)]


def test_a_formula_without_a_result_is_told_in_another_encoding_too():
    content = with_sheet(in_utf_16(last_row(FORMULA % (b"", b""))))
    with pytest.raises(ValidationError, match="no result here: B3"):
        incoming.workbook(content, unpacked=MEGABYTE)


def text_read(text: str) -> str:
    (sheet,) = incoming.workbook(book(rows=[["head"], [text]]), unpacked=MEGABYTE).values()
    return sheet.rows[2][0]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("line1_x000D_\nline2", "line1\nline2"), ("a_x005F_x000D_b", "a_x000D_b"), ("_x0041_b", "Ab"), ("a_x00_b", "a_x00_b"),
        ("_xD83D__xDE00_", "\U0001f600"), ("_xD83D_", "_xD83D_"), ("x005F_kept", "x005F_kept"),
    ],
)  # fmt: skip
def test_a_sign_that_excel_writes_by_its_number_is_that_sign(written, read):
    assert text_read(written) == read
    cell = b'<row r="3"><c r="A3" t="inlineStr"><is><t>%s</t></is></c></row>' % written.encode()
    (sheet,) = incoming.workbook(with_sheet(last_row(cell)), unpacked=MEGABYTE).values()
    assert sheet.rows[3] == [read]


@pytest.mark.parametrize("text", ["_x000D_", "a_x005F_b", "_x005F_x0041_", "_x12_"])
def test_what_looks_like_such_a_number_comes_back_from_our_own_workbooks(text):
    made, out = Workbook(), io.BytesIO()
    workbooks.put(made.active.cell(1, 1), text)
    made.save(out)
    (sheet,) = incoming.workbook(out.getvalue(), unpacked=MEGABYTE).values()
    assert sheet.rows[1] == [text]


def test_blank_cells_far_right_are_not_kept():
    row = b"".join(
        b'<row r="%d"><c r="SF%d" t="inlineStr"><is><t> </t></is></c></row>' % (n, n) for n in range(3, 3000)
    )
    (sheet,) = incoming.workbook(with_sheet(last_row(row)), unpacked=200 * MEGABYTE).values()
    assert list(sheet.rows) == [1, 2]


def test_cells_with_comments_are_told_but_for_the_heads():
    made, out = Workbook(), io.BytesIO()
    made.active.append(["head", "b"])
    made.active["A1"].comment, made.active["B7"].comment = Comment("ours", ""), Comment("theirs", "")
    made.save(out)
    (sheet,) = incoming.workbook(out.getvalue(), unpacked=MEGABYTE).values()
    assert sheet.commented == ["B7"]


def test_a_workbook_that_is_damaged_inside_is_told_as_damaged():
    content = bytearray(book(rows=[[f"text {n}", n] for n in range(500)]))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        start = archive.getinfo(SHEET).header_offset + 30 + len(SHEET)
    content[start : start + 60] = b"\xff" * 60
    with pytest.raises(ValidationError, match="is damaged"):
        incoming.workbook(bytes(content), unpacked=MEGABYTE)


@pytest.mark.parametrize(
    "rows",
    [
        b'<row r="5"><c r="A5"><v>1</v></c></row><row r="4"><c r="A4"><v>2</v></c></row>',
        b'<row r="5"><c r="A5"><v>1</v></c></row><row r="5"><c r="A5"><v>2</v></c></row>',
        b'<row r="5"><c r="A5"><v>1</v></c><c r="A5"><v>2</v></c></row>',
        b'<row r="5"><c r="B5"><v>1</v></c><c r="A5"><v>2</v></c></row>',
        b'<row r="5"><c r="A9"><v>1</v></c></row>',
    ],
)
def test_rows_and_cells_that_stand_twice_or_out_of_order_are_refused(rows):
    with pytest.raises(ValidationError, match="is damaged"):
        incoming.workbook(with_sheet(last_row(rows)), unpacked=MEGABYTE)


def test_a_number_that_is_shown_as_a_percentage_is_read_as_people_read_it():
    made, out = Workbook(), io.BytesIO()
    made.active.append(["share", 0.8, 0.805, 0.8])
    made.active["B1"].number_format, made.active["C1"].number_format = "0%", '0.00" "%'
    made.save(out)
    (sheet,) = incoming.workbook(out.getvalue(), unpacked=MEGABYTE).values()
    assert sheet.rows == {1: ["share", "80%", "80.5%", 0.8]}


def png(width: int, height: int, *, rows: int | None = None) -> bytes:
    """`rows`: how many there are, whatever it declares."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    packed = zlib.compressobj(9)
    rows = (
        b"".join(packed.compress(bytes(width * 4 + 1)) for _row in range(height if rows is None else rows))
        + packed.flush()
    )
    head = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(20_000, 3000), (7100, 7100), (30_000, 30_000), (60_000, 60_000)])
def test_a_picture_of_too_many_pixels_is_refused_in_words(size):
    rows = png(*size, rows=None if THOROUGH and size[1] < 8000 else 1)
    with pytest.raises(ValidationError, match="more than 50 million pixels. Make it smaller"):
        pictures.put(Picture(name="p"), ContentFile(rows))


@pytest.mark.parametrize("mode", ["RGBA", "RGB", "P", "LA", "I;16"] if THOROUGH else ["RGBA"])
def test_the_largest_picture_that_is_taken_is_made_small_whatever_its_kind(mode, read_apart):
    out = io.BytesIO()
    Image.new(mode, (7071, 7071)).save(out, "PNG", compress_level=1)
    picture = Picture(name="p")
    pictures.put(picture, ContentFile(out.getvalue()))
    assert (picture.width, picture.height) == (960, 960)


@pytest.mark.thorough  # `make test` reads five thousand rows within theirs, above
def test_the_largest_workbook_that_is_taken_is_read_within_its_time_and_memory(read_apart):
    made = Workbook(write_only=True)
    sheet = made.create_sheet("Data")
    for row in range(incoming.MOST_ROWS):
        sheet.append(
            [
                f"text {row} of {n}" if n % 3 == 0 else row * n + 0.5
                for n in range(incoming.MOST_CELLS // incoming.MOST_ROWS)
            ]
        )
    out = io.BytesIO()
    made.save(out)
    found = incoming.workbook(out.getvalue(), unpacked=200 * MEGABYTE)["Data"].rows
    assert len(found) == incoming.MOST_ROWS and sum(map(len, found.values())) == incoming.MOST_CELLS


def test_a_large_photograph_is_made_small(read_apart):
    out = io.BytesIO()
    Image.new("RGB", (8000, 6000), "green").save(out, "JPEG")
    picture = Picture(name="p")
    pictures.put(picture, ContentFile(out.getvalue()))
    assert (picture.width, picture.height) == (960, 720)


def test_a_picture_drawn_over_and_over_is_refused_before_it_is_unfolded():
    out = io.BytesIO()
    Image.new("RGB", (4000, 4000)).save(out, "JPEG", progressive=True, quality=1)
    content = out.getvalue()
    scan = content[content.rindex(b"\xff\xda") : -2]
    picture = Picture(name="p")
    pictures.put(picture, ContentFile(content))
    code = "import sys; from ground import reading; reading.SECONDS['picture'] = 1; reading.main(*sys.argv[1:])"
    options = json.dumps({"unpacked": MEGABYTE, "width": 960, "height": 960, "pixels": 50_000_000, "quality": 80})
    many = content[:-2] + scan * 400 + content[-2:]
    done = subprocess.run([sys.executable, "-c", code, "picture", options], input=many, capture_output=True)
    assert (done.returncode, json.loads(done.stdout)) == (0, {"refused": "no_image"})


def test_the_type_of_an_archive_is_told_without_unpacking_it():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("mimetype", "w") as file:
        file.write(b"application/vnd.oasis.opendocument.text")
        for _more in range(300):
            file.write(b" " * MEGABYTE)
    assert uploads.media_type(out.getvalue())[1] == ".odt"
    with pytest.raises(ValidationError, match="unpacks to more than"):
        incoming.media_type(out.getvalue(), unpacked=MEGABYTE)
    assert measured("type", out.getvalue(), unpacked=uploads.UNPACKED)[0] < 200 * MEGABYTE


def test_what_is_packed_is_measured_without_unpacking_more_than_asked(tmp_path):
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(bytes(3 * MEGABYTE)))
    assert incoming.unpacks_within(path, 3 * MEGABYTE)
    assert not incoming.unpacks_within(path, MEGABYTE)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.xml", bytes(3 * MEGABYTE))
    assert incoming.unpacks_within(path, 3 * MEGABYTE)
    assert not incoming.unpacks_within(path, MEGABYTE)
