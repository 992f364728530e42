"""Workbooks (XLSX) that people fill in: cells, lists to pick from, and reading what comes back."""

from django.core.exceptions import ValidationError
from django.core.files.base import File
from django.utils.translation import gettext as _
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from ground import incoming
from ground.tables import IS_FORMULA, for_workbook

LISTS = "Lists"  # the hidden sheet with what can be picked
BOLD = Font(bold=True)
FILL = PatternFill("solid", fgColor="E8EEEA")
WRAP = Alignment(wrap_text=True, vertical="top")


def put(cell, value) -> None:
    """Writes text as text, so that a spreadsheet never takes it for a formula; without the signs that XLSX can't hold."""
    cell.value = value = for_workbook(value) if isinstance(value, str) else value
    if isinstance(value, str) and IS_FORMULA.match(value):
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


def opened(file: File, largest: int) -> dict[str, incoming.Sheet]:
    """The sheets of the workbook in an uploaded file of at most `largest` bytes. Raises ValidationError."""
    if file.size > largest:
        raise ValidationError(_("This file is larger than %(n)s MB.") % {"n": largest // 1024**2})
    return incoming.workbook(file.read(), unpacked=20 * largest)
