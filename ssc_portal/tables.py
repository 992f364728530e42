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
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice

from django.conf import settings
from django.http import FileResponse, StreamingHttpResponse
from django.utils import timezone
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from rest_framework.renderers import JSONRenderer

LICENCE = {
    "name": "CC-BY-4.0",
    "title": "Creative Commons Attribution 4.0",
    "path": "https://creativecommons.org/licenses/by/4.0/",
}
BATCH = 1000
MOST_IN_A_WORKBOOK = 20_000  # rows made while somebody waits; the ready-made data sets hold all
UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")  # signs that XLSX can't hold
JOIN = "; "


class TooMany(Exception):
    """More rows than a workbook is made of while somebody waits."""


def harmless(cell):
    """The cell, with an apostrophe before what a spreadsheet would take for a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell


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
    shown: Callable | None = None

    @property
    def schema(self) -> dict:
        kind = "string" if self.kind == "list" else self.kind
        return {"name": self.name, "type": kind, "description": str(self.text)}


def page(address: str) -> Callable:
    """Makes the full address of a record's page: `address` holds {}."""
    return lambda code: settings.PORTAL_URL + address.format(code)


@dataclass(frozen=True)
class Table:
    """The columns of one kind of record. `places`: an expression that gives its points as texts "longitude latitude"."""

    name: str
    title: str
    columns: list[Column]
    places: object = None
    ordering: tuple[str, ...] = ("pk",)

    def rows(self, records, *more) -> Iterator[list]:
        """Rows as Python values, read from the database as they are needed; `more`: expressions for further values."""
        sources = [column.source for column in self.columns]
        bare = records.select_related(None).prefetch_related(None).order_by(*self.ordering)
        read = bare.values_list(*sources, *more).iterator(chunk_size=BATCH)
        made = [(place, column.shown) for place, column in enumerate(self.columns) if column.shown]
        for values in read:
            row = list(values)
            for place, shown in made:
                if row[place] is not None:
                    row[place] = shown(row[place])
            yield row

    @property
    def formats(self) -> list[str]:
        return ["csv", "xlsx", "jsonl", *(["geojson"] if self.places is not None else [])]


# --- cells -------------------------------------------------------------------------------------------------------------
def _moment(value: dt.datetime) -> str:
    return value.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _number(value: Decimal) -> str:
    return f"{value.normalize():f}"


def _cell(kind: str) -> Callable:
    """How a value of a kind is written in CSV."""
    return {
        "string": lambda v: harmless(str(v)),
        "list": lambda v: harmless(JOIN.join(map(str, v))),
        "boolean": lambda v: "true" if v else "false",
        "datetime": _moment,
        "number": _number,
    }.get(kind, str)


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
def csv_pieces(table: Table, records) -> Iterator[bytes]:
    """CSV in UTF-8 with a heading."""
    return csv_of(table.columns, table.rows(records))


def csv_of(columns: list[Column], rows: Iterable[list]) -> Iterator[bytes]:
    buffer, cells, rows = io.StringIO(newline=""), [_cell(column.kind) for column in columns], iter(rows)
    writer = csv.writer(buffer)
    writer.writerow([column.name for column in columns])
    while True:
        batch = list(islice(rows, BATCH))
        writer.writerows(["" if v is None else cell(v) for v, cell in zip(row, cells, strict=False)] for row in batch)
        yield buffer.getvalue().encode()
        buffer.seek(0)
        buffer.truncate()
        if not batch:
            return


def jsonl_pieces(table: Table, records) -> Iterator[bytes]:
    """One JSON object a line."""
    return jsonl_of(table.columns, table.rows(records))


def jsonl_of(columns: list[Column], rows: Iterable[list]) -> Iterator[bytes]:
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


def _feature(table: Table, row: list) -> dict:
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
    """An XLSX file, open at its beginning. Raises TooMany beyond `most` rows."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(str(title)[:31])
    sheet.freeze_panes = "B2"
    for place, column in enumerate(columns, 1):
        sheet.column_dimensions[get_column_letter(place)].width = 40 if column.kind == "string" else 16
    head = [WriteOnlyCell(sheet, value=column.name) for column in columns]
    for cell in head:
        cell.font = Font(bold=True)
    sheet.append(head)
    for number, row in enumerate(rows, 1):
        if most is not None and number > most:
            raise TooMany
        sheet.append([_sheet_cell(sheet, value) for value in row])
    about = book.create_sheet("About")
    for line in (("source", settings.PORTAL_URL), ("made", _moment(timezone.now())), ("licence", LICENCE["title"])):
        about.append(line)
    for column in columns:
        about.append((column.name, str(column.text)))
    file = tempfile.TemporaryFile()  # noqa: SIM115  whoever sends it closes it
    book.save(file)
    file.seek(0)
    return file


def _sheet_cell(sheet, value):
    if isinstance(value, list):
        value = JOIN.join(map(str, value))
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).replace(tzinfo=None)
    if isinstance(value, str):
        value = UNWRITABLE.sub("", value)
        if value[:1] == "=":  # a text, never a formula
            cell = WriteOnlyCell(sheet, value=value)
            cell.data_type = "s"
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


def answer(name: str, format: str, columns: list[Column], rows: Iterable[list], features=None):
    """Rows as a file that is sent while it is made. Raises TooMany."""
    file_name = f"{name}-{timezone.localdate():%Y-%m-%d}.{format}"
    kind = FORMATS[format]
    if format == "xlsx":
        made = workbook(name, columns, rows, most=MOST_IN_A_WORKBOOK)
        return FileResponse(made, as_attachment=True, filename=file_name, content_type=kind.media_type)
    write = {"csv": csv_of, "jsonl": jsonl_of}.get(format)
    pieces = write(columns, rows) if write else features
    return StreamingHttpResponse(
        pieces,
        content_type=f"{kind.media_type}; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{file_name}"'},
    )
