"""Files that came in, read apart: in a process of their own that may hold so much and work so long, and no more.

A workbook of 5 KB can stand for 17 billion cells, a picture of 40 KB for two gigabytes. Whoever takes a file from outside
reads it here; `reading.py` is what runs in that process. What is over a limit is refused with a sentence.
"""

import gzip
import json
import re
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from ground.numbers import Written
from ground.reading import MOST_NAMED

WAITED = 60  # seconds; a process that does nothing is ended, one that works is bounded by its processor time
MOST_CELLS, MOST_ROWS, MOST_COLUMNS = 500_000, 50_000, 500  # of a workbook
MOST_TOLD = 100  # things to mend that are listed at once
PIECE = 256 * 1024

KNOWN = gettext_lazy("PDF, Word, Excel, PowerPoint, OpenDocument, PNG or JPEG")
OFFICE = "application/vnd.openxmlformats-officedocument"
MEDIA_TYPES = {
    ".pdf": "application/pdf", ".png": "image/png", ".jpg": "image/jpeg",
    ".docx": f"{OFFICE}.wordprocessingml.document", ".xlsx": f"{OFFICE}.spreadsheetml.sheet",
    ".pptx": f"{OFFICE}.presentationml.presentation",
    ".odt": "application/vnd.oasis.opendocument.text", ".ods": "application/vnd.oasis.opendocument.spreadsheet",
}  # fmt: skip
SENTENCES = {
    "type": gettext_lazy("This file is not taken: by its content it is none of %(known)s."),
    "macros": gettext_lazy("This file holds macros. Save it without them."),
    "unpacked": gettext_lazy("This file unpacks to more than %(n)s MB. Send a smaller one."),
    "no_workbook": gettext_lazy("This is not a spreadsheet of the kind XLSX."),
    "strict": gettext_lazy(
        "This spreadsheet is saved as “Strict Open XML”. Save it again as “Excel workbook (.xlsx)”."
    ),
    "damaged": gettext_lazy("This spreadsheet is damaged. Save it again as XLSX."),
    "cells": gettext_lazy(
        "This spreadsheet has more than %(n)s cells, merged ones counted. Copy what is meant into a new one."
    ),
    "far": gettext_lazy(
        "The cell %(cell)s lies far outside of a table. Delete what stands there, or copy what is meant into a new one."
    ),
    "rows": gettext_lazy(
        "The sheet “%(sheet)s” goes on below row %(n)s. Delete what stands there, or copy what is meant into a new one."
    ),
    "columns": gettext_lazy(
        "The sheet “%(sheet)s” has more than %(n)s columns. Delete what stands there, or copy what is meant into a new one."
    ),
    "no_picture": gettext_lazy("This file is not taken: by its content it is neither PNG nor JPEG."),
    "pixels": gettext_lazy("This picture has more than %(n)s million pixels. Make it smaller and send it again."),
    "no_image": gettext_lazy("This picture can't be read. Save it anew and send it again."),
    "too_much": gettext_lazy("Reading this file takes more than is given to one file. Send a smaller or simpler one."),
}


# What a spreadsheet writes where a formula went wrong, in the languages of its menus; or where a column is too narrow
ERRORS = frozenset(
    [
        "#N/A",
        "#DIV/0!",
        "#REF!",
        "#NAME?",
        "#NULL!",
        "#NUM!",
        "#VALUE!",
        "#SPILL!",
        "#CALC!",
        "#GETTING_DATA",
        "#FIELD!",
        "#BLOCKED!",
        "#UNKNOWN!",
        "#CONNECT!",
        "#BUSY!",
        "#NV",
        "#BEZUG!",
        "#WERT!",
        "#ZAHL!",
        "#NOM?",
        "#NUL!",
        "#NOMBRE!",
        "#VALEUR!",
        "#N/D",
        "#¡DIV/0!",
        "#¡REF!",
        "#¿NOMBRE?",
        "#¡NULO!",
        "#¡NUM!",
        "#¡VALOR!",
        "#Н/Д",
        "#ДЕЛ/0!",
        "#ССЫЛКА!",
        "#ИМЯ?",
        "#ПУСТО!",
        "#ЧИСЛО!",
        "#ЗНАЧ!",
    ]
)
NO_VALUE = re.compile(r"#{3,}|Err:\d{3}")


def check_value(text: str) -> None:
    """Raises ValueError where a cell holds an error of the spreadsheet instead of a value."""
    if text.upper() in ERRORS or NO_VALUE.fullmatch(text):
        raise ValueError(
            _("“%(text)s” is an error of the spreadsheet, not a value. Mend the formula or the width of the column, or write the value.")
            % {"text": text[:20]}
        )  # fmt: skip


@dataclass(frozen=True)
class Area:
    """Cells that were merged into one, by the numbers of their rows and columns. The first of them holds the value."""

    name: str
    top: int
    bottom: int
    left: int
    right: int


def merged_sentence(area: Area) -> str:
    return _(
        "The merged cell %(name)s covers several values, and only its first cell holds one. Unmerge it, and write each value where it belongs."
    ) % {"name": area.name}


def more_sentence(n: int) -> str:
    """Below a list of things to mend that goes on."""
    return ngettext(
        "There is %(n)s more thing to mend. Mend these first, then bring the file again.",
        "There are %(n)s more things to mend. Mend these first, then bring the file again.",
        n,
    ) % {"n": n}


def comments_sentence(cells: list[str]) -> str:
    shown = ", ".join(cells[:MOST_NAMED]) + (", …" if len(cells) > MOST_NAMED else "")
    return _(
        "Comments of cells are not read: %(cells)s. Write what is meant into the cells, or delete the comments."
    ) % {"cells": shown}


@dataclass
class Sheet:
    """What a sheet of a workbook holds: the cells of each row that is not empty, by its number.

    A text is a str; everything else is what a spreadsheet keeps as a number, a day (in a list) or true and false.
    """

    title: str
    rows: dict[int, list]
    areas: list[Area] = field(default_factory=list)  # of merged cells
    commented: list[str] = field(default_factory=list)  # cells below the heads that have a comment, the first of them

    def filled_areas(self) -> list[Area]:
        """Merged cells in which something stands."""
        firsts = ((area, self.rows.get(area.top, [])[area.left - 1 : area.left]) for area in self.areas)
        return [area for area, first in firsts if first and first[0] not in (None, "")]

    def texts(self, *, width: int) -> Iterator[tuple[int, list[str]]]:
        """Each row as texts, at least `width` of them."""
        for number, cells in self.rows.items():
            yield number, [*map(text_of, cells), *[""] * (width - len(cells))]


def media_type(content: bytes, *, unpacked: int) -> tuple[str, str]:
    """(media type, extension) of a file by its content. Raises ValidationError for what is not taken.

    `unpacked`: the most bytes that an archive may unfold to.
    """
    told, _made = _read_apart("type", content, unpacked=unpacked)
    return MEDIA_TYPES[told["extension"]], told["extension"]


def workbook(content: bytes, *, unpacked: int) -> dict[str, Sheet]:
    """The sheets of a workbook (XLSX), by their names. Raises ValidationError."""
    told, _made = _read_apart(
        "workbook", content, unpacked=unpacked, cells=MOST_CELLS, rows=MOST_ROWS, columns=MOST_COLUMNS
    )
    if cells := told["without_result"]:
        raise ValidationError(
            _("A formula has no result here: %(cells)s. Open the file in a spreadsheet program and save it, or write the values.")
            % {"cells": ", ".join(cells)}
        )  # fmt: skip
    areas = {name: [Area(*area) for area in found] for name, found in told["merged"].items()}
    comments = told["comments"]
    return {name: Sheet(name, dict(rows), areas[name], comments[name]) for name, rows in told["sheets"].items()}


def picture(content: bytes, *, unpacked: int, **limits: int) -> tuple[bytes, tuple[int, int]]:
    """A PNG or JPEG as a small JPEG, with its width and height. Raises ValidationError."""
    told, made = _read_apart("picture", content, unpacked=unpacked, **limits)
    return made, (told["width"], told["height"])


def text_of(cell) -> str:
    """What a person reads in the cell of a workbook; whoever reads a number of it asks `to_be_read`."""
    if isinstance(cell, float):
        return Written(cell)
    return str(cell[0] if isinstance(cell, list) else "" if cell is None else cell).strip()


def unpacks_within(path: Path, most: int) -> bool:
    """Whether a file, or what is packed in it (ZIP, gzip), is no larger than this. No more than this is unpacked to know."""
    try:
        with path.open("rb") as file:
            start = file.read(4)
        if start.startswith(b"PK"):
            with zipfile.ZipFile(path) as archive:
                return sum(entry.file_size for entry in archive.infolist()) <= most
        if start.startswith(b"\x1f\x8b"):
            return _size_within(path, most)
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error):
        return True  # whoever reads it says what is wrong with it
    return path.stat().st_size <= most


def _size_within(path: Path, most: int) -> bool:
    size = 0
    with gzip.open(path) as file:
        while size <= most and (piece := file.read(PIECE)):
            size += len(piece)
    return size <= most


def _read_apart(kind: str, content: bytes, **options) -> tuple[dict, bytes]:
    """What `reading` says of a file, and what it made of it. Raises ValidationError."""
    line, _end, made = _answer(kind, content, json.dumps(options)).partition(b"\n")
    if not line:
        raise _refusal("too_much")
    told = json.loads(line)
    if code := told.pop("refused", None):
        raise _refusal(code, **told)
    return told, made


def _answer(kind: str, content: bytes, options: str) -> bytes:
    """What a process of its own says; nothing where it was ended."""
    try:
        done = subprocess.run(  # noqa: S603
            [sys.executable, "-E", "-s", "-m", "ground.reading", kind, options],
            input=content, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=WAITED, check=False,
            cwd=settings.BASE_DIR, env={},
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return b""
    return b"" if done.returncode else done.stdout


def _refusal(code: str, **details) -> ValidationError:
    return ValidationError(str(SENTENCES[code]) % {"known": KNOWN, **details}, code=code)
