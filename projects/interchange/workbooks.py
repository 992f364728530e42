"""Workbooks (XLSX) that people fill in: cells, lists to pick from, and reading what comes back."""

import datetime as dt
import io
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.core.files.base import File
from django.utils.translation import gettext as _
from lxml import etree
from openpyxl import load_workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet.datavalidation import DataValidation

from projects import uploads
from ssc_portal.tables import UNWRITABLE

LISTS = "Lists"  # the hidden sheet with what can be picked
BOLD = Font(bold=True)
FILL = PatternFill("solid", fgColor="E8EEEA")
WRAP = Alignment(wrap_text=True, vertical="top")


def put(cell, value) -> None:
    """Writes text as text, so that a spreadsheet never takes it for a formula; without the signs that XLSX can't hold."""
    cell.value = value = UNWRITABLE.sub("", value) if isinstance(value, str) else value
    if isinstance(value, str) and value[:1] in "=+-@\t\r" and value:
        cell.data_type = "s"
        cell.quotePrefix = True


def head(sheet, columns: list[tuple[str, int]]) -> None:
    """The first row: titles with the widths of their columns. It stays in sight."""
    for number, (title, width) in enumerate(columns, start=1):
        cell = sheet.cell(1, number, title)
        cell.font, cell.fill = BOLD, FILL
        sheet.column_dimensions[get_column_letter(number)].width = width
    sheet.freeze_panes = "A2"


def pick(sheet, lists, cells: str, labels: list[str], column: int, *, only: bool = True) -> None:
    """A list to pick from in these cells; the labels stand on a hidden sheet, since formulas hold 255 characters only.

    `only`: nothing else may be written there.
    """
    for row, label in enumerate(labels, start=1):
        put(lists.cell(row, column), label)
    letter = get_column_letter(column)
    rule = DataValidation("list", formula1=f"{LISTS}!${letter}$1:${letter}${len(labels)}", allow_blank=True)
    rule.showErrorMessage = only
    sheet.add_data_validation(rule)
    rule.add(cells)


def opened(file: File, largest: int):
    """The workbook in an uploaded file of at most `largest` bytes. Raises ValidationError."""
    if file.size > largest:
        raise ValidationError(_("This file is larger than %(n)s MB.") % {"n": largest // 1024**2})
    content = file.read()
    if not content or uploads.media_type(content, unpacked=20 * largest)[1] != ".xlsx":
        raise ValidationError(_("This is not a spreadsheet of the kind XLSX."))
    try:
        return load_workbook(io.BytesIO(content), data_only=True)
    except (InvalidFileException, etree.XMLSyntaxError, KeyError, ValueError, OSError, TypeError, IndexError):
        raise ValidationError(_("This spreadsheet is damaged. Save it again as XLSX.")) from None


def plain(value) -> str:
    """What a person reads in the cell."""
    if value is None:
        return ""
    if isinstance(value, dt.datetime):
        return value.date().isoformat()
    if isinstance(value, float | Decimal) and value == int(value):
        return str(int(value))
    return str(value).replace("\x00", "").strip()
