"""What holds several entries: columns with more than one, and the lines of a record, each a row of the table."""

from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from django.utils.translation import gettext as _
from import_export import fields

from ground.numbers import LONGEST, clearly, to_be_read
from projects.interchange.bulk.cells import Cell, Number


class Entries(fields.Field):
    """A column with several entries, or the lines of a record. What a row says of them is kept until the record is written."""

    def __init__(self, name: str, stored, widget):
        super().__init__(attribute=name, column_name=name, widget=widget)
        self.stored = stored

    def save(self, instance, row, is_m2m=False, **kwargs):
        instance.__dict__.setdefault("_entered", {})[self.column_name] = self.clean(row)

    def get_value(self, instance):
        entered = instance.__dict__.get("_entered", {})
        if self.column_name in entered:
            return entered[self.column_name]
        return self.stored(instance) if instance.pk else []


@dataclass(frozen=True)
class LineColumn:
    """A column of a line: the field that it fills, and what a cell of it holds."""

    field: str
    cell: Cell


class Lines(Cell):
    """The lines of a record: in a table one row each, here a list of (row, {column: text})."""

    several = True

    def __init__(self, columns: dict[str, LineColumn]):
        super().__init__()
        self.columns = columns

    def clean(self, value, row=None, **kwargs):
        found, wrong = [], []
        for number, texts in value or []:
            line = {}
            for name, column in self.columns.items():
                try:
                    line |= self.values_of(name, column.cell.clean(texts.get(name)))
                except ValueError as error:
                    wrong.append(_("Row %(n)s, %(column)s: %(error)s") % {"n": number, "column": name, "error": error})
            found.append(line)
        if wrong:
            raise ValueError(" ".join(wrong))
        return found

    def values_of(self, name: str, value) -> dict:
        return {self.columns[name].field: value}

    def render(self, value, obj=None, **kwargs) -> list[dict]:
        return [
            {
                name: text
                for name, column in self.columns.items()
                if (text := column.cell.render(line.get(column.field)))
            }
            for line in value or []
        ]


def numbers_told(cell: Cell, text: str) -> list[str]:
    """What each number of a cell is read as, where that is not how it is written."""
    return [
        _("“%(text)s” is read as %(number)s.") % {"text": written[:LONGEST], "number": clearly(read)}
        for number, written in cell.numbers_in(text) if (read := _read_otherwise(number, written)) is not None
    ]  # fmt: skip


def _read_otherwise(cell: Number, text: str) -> Decimal | None:
    with suppress(ValueError):
        read = Decimal(cell.read(to_be_read(text)))
        try:
            return None if Decimal(text.strip()) == read else read
        except InvalidOperation:
            return read
    return None  # what is no number is told as that
