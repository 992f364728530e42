"""Lists as tables: declared once as columns, written as CSV, XLSX, JSON Lines or GeoJSON while they are read.

Memory stays constant in the number of rows, but for XLSX, which is a ZIP archive and is made in a file first.
Sources: RFC 4180 (CSV), RFC 7946 (GeoJSON), jsonlines.org, ECMA-376 (XLSX), Frictionless Table Schema (descriptions).
"""

import csv
import datetime as dt
import io
import json
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Func, TextField, Value
from django.db.models.functions import Cast, Concat
from django.http import FileResponse, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from rest_framework.renderers import JSONRenderer

from ground.licences import OWN
from ground.numbers import plainly

BATCH = 1000  # rows read at once
PIECE = 64 * 1024  # bytes sent at once
LINE_END = b"\r\n"  # of CSV, as RFC 4180 has it and Python writes it
MOST_IN_A_WORKBOOK = 20_000  # rows made while somebody waits; the ready-made data sets hold all
MOST_IN_A_CELL = 32_767  # characters of UTF-16, by the specification of Excel; openpyxl cuts what is longer
UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")  # signs that XLSX can't hold
ESCAPE = re.compile("_(?=x[0-9A-Fa-f]{4}_)")  # where a text would be read as a sign (ECMA-376, ST_Xstring)
JOIN = "; "


class TooMany(Exception):
    """More rows than one file is made of."""


class TooLong(Exception):
    """A text that no cell of a workbook holds. Says so to whoever asked for the workbook."""

    def __init__(self, text: str):
        super().__init__(text)
        self.start = text[:40]

    def __str__(self) -> str:
        return _(
            "The text that begins with “%(start)s” has more than the %(most)s characters that a cell of a workbook (XLSX) holds. Take CSV, which holds all of it."
        ) % {"start": self.start, "most": MOST_IN_A_CELL}


# --- columns -----------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Column:
    """One column: `source` is a path or expression of the query, `kind` a type of the Frictionless Table Schema.

    `list` stands for several codes: an array in JSON, in one cell with semicolons elsewhere. `shown`: makes the value
    of what the query gives.
    """

    name: str
    source: object
    text: str
    kind: str = "string"

    @property
    def schema(self) -> dict:
        kind = "string" if self.kind == "list" else self.kind
        return {"name": self.name, "type": kind, "description": str(self.text)}


def page(path: str, code: str = "reference"):
    """The full address of a record's page, from the column that holds its code."""
    return Concat(Value(f"{settings.PORTAL_URL}{path}"), code, Value("/"), output_field=TextField())


@dataclass(frozen=True)
class Table:
    """The columns of one kind of record. `places`: an expression that gives its points as texts "longitude latitude"."""

    name: str
    title: str
    columns: list[Column]
    places: object = None
    ordering: tuple[str, ...] = ("pk",)

    def _read(self, records, *sources):
        bare = records.select_related(None).prefetch_related(None).order_by(*self.ordering)
        return bare.values_list(*sources)

    def rows(self, records, *more) -> Iterator[tuple]:
        """Rows as Python values, read from the database as they are needed; `more`: expressions for further values."""
        read = self._read(records, *(column.source for column in self.columns), *more)
        with transaction.atomic():  # outside of a transaction PostgreSQL would first store all rows
            yield from read.iterator(chunk_size=BATCH)

    def copied(self, records) -> Iterator[bytes]:
        """CSV as PostgreSQL itself writes it (COPY): a third of what rows that come through Python cost."""
        query = self._read(records, *(_in_csv(column) for column in self.columns)).query
        head = io.StringIO(newline="")
        csv.writer(head).writerow([column.name for column in self.columns])
        waiting = head.getvalue().encode()
        with connection.cursor() as cursor:
            sql, parameters = query.get_compiler(connection=connection, elide_empty=False).as_sql()
            whole = connection.ops.compose_sql(sql, parameters)  # COPY takes no parameters
            with cursor.copy(f"COPY ({whole}) TO STDOUT (FORMAT csv)") as copy:
                for row in copy:  # one at a time, with the line end of PostgreSQL
                    waiting += bytes(row).removesuffix(b"\n") + LINE_END
                    if len(waiting) >= PIECE:
                        yield waiting
                        waiting = b""
        yield waiting

    def pieces(self, format: str, records) -> Iterator[bytes] | None:
        """The whole list in a format that can be sent while it is read; None for a workbook."""
        if format == "csv":
            return self.copied(records)
        if format == "geojson":
            return geojson_pieces(self, records)
        return jsonl_of(self.columns, self.rows(records)) if format == "jsonl" else None

    @property
    def formats(self) -> list[str]:
        return ["csv", "xlsx", "jsonl", *(["geojson"] if self.places is not None else [])]


# --- cells -------------------------------------------------------------------------------------------------------------
BLANKS = "\t\n\x0b\x0c\r \x85\xa0\u061c\u1680\u2000-\u200f\u2028\u2029\u202f\u205f\u2060\u3000\ufeff"  # which spreadsheets pass over
FORMULA = f"[{BLANKS}]*[=+@\uff1d\uff0b\uff20\uff0d-]|[\t\r]"  # what a spreadsheet would take for one begins so
IS_FORMULA = re.compile(FORMULA)
GUARD = re.compile(f"^'(?={FORMULA})")  # the apostrophe that `harmless` puts before it


def harmless(cell):
    """The cell, with an apostrophe before what a spreadsheet would take for a formula."""
    return f"'{cell}" if isinstance(cell, str) and IS_FORMULA.match(cell) else cell


def _moment(value: dt.datetime) -> str:
    return value.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _cell(kind: str) -> Callable:
    """How a value of a kind is written in CSV. `_in_csv` says the same in SQL; a test compares the two."""
    return {
        "string": lambda v: harmless(str(v)),
        "list": lambda v: harmless(JOIN.join(map(str, v))),
        "boolean": lambda v: "true" if v else "false",
        "datetime": _moment,
        "number": plainly,
    }.get(kind, str)


def _in_csv(column: Column):
    """The column as an expression that gives the text for its cell."""
    source = F(column.source) if isinstance(column.source, str) else column.source
    text = {"output_field": TextField()}
    made = {
        "list": lambda: Func(source, Value(JOIN), function="array_to_string", **text),
        "datetime": lambda: Func(
            source, template="to_char(%(expressions)s AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')", **text
        ),
        "number": lambda: Func(source, function="trim_scale", **text),
    }.get(column.kind, lambda: Cast(source, **text))()
    if column.kind in ("string", "list"):
        made = Func(
            made, Value("", **text), function="NULLIF", **text
        )  # COPY would write "" for it, and nothing for what is unknown
        made = Func(made, Value(f"^({FORMULA})"), Value("'\\1"), function="regexp_replace", **text)
    return made


def _plain(value):
    """A value as JSON takes it. Numbers with decimals are numbers: the schema says that they are decimal."""
    if isinstance(value, dt.datetime):
        return _moment(value)
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value if isinstance(value, bool | int | float | list | None) else str(value)


# --- files -------------------------------------------------------------------------------------------------------------
def csv_of(columns: list[Column], rows: Iterable) -> Iterator[bytes]:
    """CSV in UTF-8 with a heading, of rows that Python made."""
    buffer, cells, rows = io.StringIO(newline=""), [_cell(column.kind) for column in columns], iter(rows)
    writer = csv.writer(buffer)
    writer.writerow([column.name for column in columns])
    yield buffer.getvalue().encode()  # at once, however long the first rows take
    while batch := list(islice(rows, BATCH)):
        buffer.seek(0)
        buffer.truncate()
        writer.writerows(["" if v is None else cell(v) for v, cell in zip(row, cells, strict=True)] for row in batch)
        yield buffer.getvalue().encode()


def jsonl_of(columns: list[Column], rows: Iterable) -> Iterator[bytes]:
    """One JSON object a line."""
    rows = iter(rows)
    while batch := list(islice(rows, BATCH)):
        yield "".join(json.dumps(as_object(columns, row), ensure_ascii=False) + "\n" for row in batch).encode()


def as_object(columns: list[Column], row: list) -> dict:
    """A row as JSON takes it."""
    return {column.name: _plain(value) for column, value in zip(columns, row, strict=True)}


def geojson_pieces(table: Table, records) -> Iterator[bytes]:
    """A FeatureCollection: each record with its points, or none where its place is not known."""
    yield b'{"type": "FeatureCollection", "features": [\n'
    rows, first = table.rows(records, table.places), True
    while batch := list(islice(rows, BATCH)):
        written = ",\n".join(json.dumps(_feature(table, row), ensure_ascii=False) for row in batch)
        yield (("" if first else ",\n") + written).encode()
        first = False
    yield b"\n]}\n"


def _feature(table: Table, row: tuple) -> dict:
    *values, places = row
    points = [[float(part) for part in place.split()] for place in dict.fromkeys(places or []) if place]
    geometry = None
    if points:
        geometry = (
            {"type": "Point", "coordinates": points[0]}
            if len(points) == 1
            else {"type": "MultiPoint", "coordinates": points}
        )
    properties = as_object(table.columns, values)
    return {"type": "Feature", "id": values[0], "geometry": geometry, "properties": properties}


def workbook(title, columns: list[Column], rows: Iterable[list], most: int | None = None):
    """An XLSX file, open at its beginning. Raises TooMany beyond `most` rows, TooLong for a text that no cell holds."""
    book = Workbook(write_only=True)
    try:
        return _saved(book, title, columns, rows, most)
    except (OSError, TooLong):  # no room on the disk, or in a cell
        if hasattr(rows, "close"):
            rows.close()  # and with it the transaction in which they are read
        for sheet in book.worksheets:
            with suppress(Exception):  # ending it writes its last lines, for which there is no room either
                sheet.close()
            with suppress(OSError, AttributeError):  # openpyxl would keep it until this process ends
                sheet._writer.cleanup()
        raise


def _saved(book: Workbook, title, columns: list[Column], rows: Iterable[list], most: int | None):
    sheet = book.create_sheet(str(title)[:31])
    sheet.freeze_panes = "B2"
    for place, column in enumerate(columns, 1):
        sheet.column_dimensions[get_column_letter(place)].width = 40 if column.kind == "string" else 16
    head = [WriteOnlyCell(sheet, value=column.name) for column in columns]
    for cell in head:
        cell.font = Font(bold=True)
    sheet.append(head)
    number = 0
    for row in islice(rows, most + 1 if most is not None else None):
        sheet.append([_sheet_cell(sheet, value) for value in row])
        number += 1
    about = book.create_sheet("About")
    for line in (("source", settings.PORTAL_URL), ("made", _moment(timezone.now())), ("licence", _licence())):
        about.append(line)
    for column in columns:
        about.append((column.name, str(column.text)))
    file = tempfile.TemporaryFile()  # noqa: SIM115  whoever sends it closes it
    book.save(file)  # also of too many: only saving ends the files that openpyxl writes to
    if most is not None and number > most:
        file.close()
        raise TooMany
    file.seek(0)
    return file


def _licence() -> str:
    """What a workbook says of its licence, whichever of its columns were asked for."""
    elsewhere = f"records from other sources are under the licence of their source: {settings.PORTAL_URL}/data/#licence"
    return f"{OWN.title} for what was entered here; {elsewhere}"


def for_workbook(text: str) -> str:
    """A text so that it is read from XLSX as it is, but for the signs that it can't hold. Raises TooLong."""
    written = ESCAPE.sub("_x005F_", UNWRITABLE.sub("", text))
    if 2 * len(written) > MOST_IN_A_CELL and len(written.encode("utf-16-le", "surrogatepass")) > 2 * MOST_IN_A_CELL:
        raise TooLong(text)
    return written


def _sheet_cell(sheet, value):
    if isinstance(value, list):
        value = JOIN.join(map(str, value))
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).replace(tzinfo=None)
    if isinstance(value, str):
        value = for_workbook(value)
        if IS_FORMULA.match(value):  # a text, never a formula
            cell = WriteOnlyCell(sheet, value=value)
            cell.data_type, cell.quotePrefix = "s", True
            return cell
    return value


# --- formats, as the API negotiates them ----------------------------------------------------------------------------------
class Format(JSONRenderer):
    """A format of a list. The view streams it; only refusals are rendered, as problem documents."""

    charset = "utf-8"


class CSV(Format):
    media_type, format = "text/csv", "csv"


class XLSX(Format):
    media_type, format = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"


class JSONLines(Format):
    media_type, format = "application/jsonl", "jsonl"


class GeoJSON(Format):
    media_type, format = "application/geo+json", "geojson"


FORMATS = {one.format: one for one in (CSV, XLSX, JSONLines, GeoJSON)}


def in_format(request: HttpRequest, api_url: str) -> HttpResponse | None:
    """Where the address of a page asks for a format: on to the API, which has them, with the same filters. A whole file has no
    order, whichever the page has."""
    asked = request.GET.copy()
    if asked.get("format") != "json" and "page" not in asked:
        asked.pop("sort", None)
    return redirect(f"{api_url}?{asked.urlencode()}") if asked.get("format") else None


def answer(name: str, format: str, columns: list[Column], rows: Iterable, pieces: Iterable[bytes] | None = None):
    """Rows as a file that is sent while it is made; `pieces`: where the format has a way of its own. Raises TooMany,
    and TooLong."""
    file_name = f"{name}-{timezone.localdate():%Y-%m-%d}.{format}"
    kind = FORMATS[format]
    if format == "xlsx":
        made = workbook(name, columns, rows, most=MOST_IN_A_WORKBOOK)
        return FileResponse(made, as_attachment=True, filename=file_name, content_type=kind.media_type)
    if pieces is None:
        pieces = {"csv": csv_of, "jsonl": jsonl_of}[format](columns, rows)
    return StreamingHttpResponse(
        pieces,
        content_type=f"{kind.media_type}; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{file_name}"'},
    )
