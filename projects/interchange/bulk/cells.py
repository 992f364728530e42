"""What stands in one cell of a table that people fill in: read into a value, shown as text, with the choices there are.

Where a code is to be picked, the cell may hold the code alone or, as the lists to pick from have it, `code – name`.
"""

import calendar
from collections.abc import Callable, Iterable
from contextlib import suppress
from decimal import Decimal
from functools import cached_property

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import override
from import_export import widgets

from ground.dates import read_day, read_month
from ground.incoming import check_value
from ground.numbers import clearly, read_number, to_be_read
from ground.signs import one_line, without_hidden
from ground.tables import GUARD, JOIN
from projects.models.parts import without_rounding

NAMED = " – "  # between a code and its name
ALSO_CALLED = ("acronym", "formal_name", "title")  # beside its names in each language
YES, NO = "true", "false"


def code_and_name(text: str) -> tuple[str, str]:
    """The code that a cell holds, and what stands behind it as its name."""
    code, _dash, name = text.partition(NAMED)
    return code.strip(), name.strip()


def check_name(code: str, name: str, known: Callable[[], set[str]]) -> None:
    """Raises ValueError where what stands behind a code is not its name: it would say something that nobody reads."""
    if name and as_compared(name) not in known():
        raise ValueError(
            _("“%(text)s” is not the name of %(code)s. Write the code alone, and each further one behind a semicolon.")
            % {"text": name[:60], "code": code}
        )


def as_compared(name: str) -> str:
    return " ".join(without_hidden(name).replace(";", ",").casefold().split())


def known_names(said: Callable[[], str], also: Iterable[str] = ()) -> set[str]:
    """A name in each language of the portal, and others beside it, to be compared with what somebody wrote."""
    found = set(also)
    for code, _name in settings.LANGUAGES:
        with override(code):
            found.add(str(said()))
    return {as_compared(name) for name in found if name}


class Cell(widgets.Widget):
    """Text, as it is. `read` raises ValueError with a sentence that says what to do."""

    several = False  # more than one, separated by semicolons
    how = ""  # how to fill it in

    def __init__(self, *, null: bool = False):
        super().__init__()
        self.null = null

    def clean(self, value, row=None, **kwargs):
        text = GUARD.sub("", "" if value is None else str(value).strip())
        check_value(text)
        return self.read(text) if text else self.empty

    def render(self, value, obj=None, **kwargs) -> str:
        return "" if value is None else self.show(value)

    @property
    def empty(self):
        return None if self.null else ""

    def read(self, text: str):
        return text

    def show(self, value) -> str:
        return str(value)

    def choices(self) -> list[tuple[str, str]]:
        """(code, name) of what can be picked; none where anything may be written."""
        return []

    def numbers_in(self, text: str) -> list[tuple["Number", str]]:
        """The numbers that a text holds, each with the cell that reads it."""
        return []


class OneLine(Cell):
    """A text of one line, as it will be stored."""

    def read(self, text):
        return one_line(text)


class Choice(Cell):
    """One code of a list."""

    def __init__(self, choices, **kwargs):
        super().__init__(**kwargs)
        self.known = [(value, label) for value, label in choices if value not in ("", None)]

    def choices(self):
        return [(str(value), str(label)) for value, label in self.known]

    @cached_property
    def names(self) -> dict[str, set[str]]:
        return {value: known_names(lambda label=label: label) for value, label in self.known}

    def read(self, text):
        code, name = code_and_name(text)
        found = next((value for value, _label in self.known if str(value).lower() == code.lower()), None)
        if found is None:
            known = ", ".join(str(value) for value, _label in self.known[:20])
            raise ValueError(
                _("“%(code)s” is not known here. Use one of: %(known)s.") % {"code": code[:40].lower(), "known": known}
            )
        check_name(code, name, lambda: self.names[found])
        return found


class YesNo(Cell):
    words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}

    def choices(self):
        return [(YES, _("yes")), (NO, _("no"))]

    @property
    def empty(self):
        return None if self.null else False

    def read(self, text):
        code, name = code_and_name(text)
        if (answer := self.words.get(code.lower())) is None:
            raise ValueError(_("Answer true or false."))
        check_name(code, name, lambda: known_names(lambda: dict(self.choices())[self.show(answer)]))
        return answer

    def show(self, value):
        return YES if value else NO


class Nullable(Cell):
    """Base: an empty cell is no value at all."""

    empty = None


class Day(Nullable):
    how = "2027-06-30"

    def read(self, text):
        return read_day(text)

    def show(self, value):
        return value.isoformat()


class Month(Nullable):
    """A month, kept as its last day."""

    how = "2027-06"

    def read(self, text):
        day = read_month(text)
        return day.replace(day=calendar.monthrange(day.year, day.month)[1])

    def show(self, value):
        return f"{value:%Y-%m}"


class Number(Nullable):
    how = "12.5"
    decimal_mark: str | None = None  # of the table, where its other numbers prove it

    def clean(self, value, row=None, **kwargs):
        return super().clean(to_be_read(value), row, **kwargs)

    def numbers_in(self, text):
        return [(self, text)]

    def read(self, text):
        return read_number(text, self.decimal_mark)

    def show(self, value):
        return clearly(Decimal(value))


class Whole(Number):
    how = "12"

    def read(self, text):
        value = super().read(text)
        if value != int(value):
            raise ValueError(_("“%(text)s” is no whole number.") % {"text": text[:20]})
        return int(value)


class Share(Number):
    """A share in per cent, by the tolerance of every door."""

    how = "12.5"

    def read(self, text):
        return without_rounding(super().read(text))


class Record(Nullable):
    """Another record, by its code."""

    def __init__(self, records: Callable[[], models.QuerySet], code: Callable[[models.Model], str], **kwargs):
        super().__init__(**kwargs)
        self.records, self.code = records, code

    @cached_property
    def names(self) -> dict[models.Model, set[str]]:
        return {}

    @cached_property
    def by_code(self) -> dict[str, models.Model]:
        return {self.code(record).lower(): record for record in self.records()}

    def choices(self):
        return [(self.code(record), str(record)) for record in self.by_code.values()]

    def read(self, text):
        code, name = code_and_name(text)
        found = self.found(code)
        check_name(code, name, lambda: self.names_of(found))
        return found

    def found(self, code: str) -> models.Model:
        if (record := self.find(code)) is None:
            raise ValueError(_("There is no “%(code)s” here.") % {"code": code[:60]})
        return record

    def names_of(self, record: models.Model) -> set[str]:
        """All that a record is called, kept: a table names the same ones again and again."""
        if record not in self.names:
            fields = (one.name for one in record._meta.fields)
            names = [name for name in fields if name in ALSO_CALLED or name.startswith(("name_", "short_"))]
            self.names[record] = known_names(lambda: str(record), [getattr(record, name) for name in names])
        return self.names[record]

    def find(self, code: str) -> models.Model | None:
        return self.by_code.get(code.lower())

    def show(self, value):
        return self.code(value)


class Key(Record):
    """Another record by its code; the value is its key."""

    def read(self, text):
        return super().read(text).pk

    def show(self, value):
        return next((self.code(record) for record in self.by_code.values() if record.pk == value), "")


class Reference(Record):
    """A record of the many that are known by a reference; nothing to pick from."""

    def __init__(self, model: type[models.Model]):
        super().__init__(model.objects.all, lambda record: record.reference)

    def choices(self):
        return []

    def find(self, code):
        return self.records().filter(reference=code.upper()).first()


class Tie(Record):
    """Another record with what is said of the tie, in one entry: code:this:that. The value is a dictionary."""

    def __init__(self, name: str, records, code, parts: dict[str, Cell], **defaults):
        super().__init__(records, code)
        self.name, self.parts, self.defaults = name, parts, defaults

    def numbers_in(self, text):
        with suppress(ValueError):
            _record, said = self._taken_apart(text)
            cells = zip(self.parts.values(), said, strict=False)
            return [found for cell, part in cells for found in cell.numbers_in(part)]
        return []

    def _taken_apart(self, text: str) -> tuple[models.Model, list[str]]:
        """The record, and what is said of the tie. Raises ValueError for a code or a name that is not known."""
        head, dash, tail = text.partition(NAMED)
        code = next((c for c in self._beginnings(head) if c.lower() in self.by_code), head.strip())
        record, rest = self.found(code), head[len(code) :]
        if dash and not rest.strip():
            rest = self._behind_name(code, record, tail)
        else:
            rest += dash + tail
        return record, [part.strip() for part in rest.split(":")[1:]]

    def _behind_name(self, code: str, record: models.Model, text: str) -> str:
        """What follows the name of a record, which may have colons of its own."""
        names = self.names_of(record)
        name = next((start for start in self._beginnings(text) if as_compared(start) in names), None)
        if name is None:
            check_name(code, text.strip() or NAMED.strip(), lambda: names)
        return text.lstrip()[len(name) :]

    def read(self, text):
        record, said = self._taken_apart(text)
        if beside := [part for part in said[len(self.parts) :] if part]:
            raise ValueError(
                _("“%(text)s” stands behind the last part of the entry “%(entry)s”. Write no more than %(form)s.")
                % {"text": beside[0][:60], "entry": text[:60], "form": ":".join((_("code"), *self.parts))}
            )
        found = {
            self.name: record,
            **{name: cell.empty for name, cell in self.parts.items()},
            **self.defaults,
        }
        for (name, cell), part in zip(self.parts.items(), said, strict=False):
            if part:
                found[name] = cell.clean(part)
        return found

    @staticmethod
    def _beginnings(text: str):
        """The text, then ever less of its parts: codes such as bsp-theme:air hold a colon themselves."""
        parts = text.split(":")
        return [":".join(parts[:n]).strip() for n in range(len(parts), 0, -1)]

    def show(self, value):
        said = [cell.render(value[name]) for name, cell in self.parts.items()]
        return ":".join([self.code(value[self.name]), *said]).rstrip(":")


class Several(Cell):
    """Several of a kind in one cell, separated by semicolons; each once."""

    several, empty = True, []

    def __init__(self, one: Cell):
        super().__init__()
        self.one = one

    def choices(self):
        return self.one.choices()

    def numbers_in(self, text):
        return [found for part in text.split(JOIN.strip()) for found in self.one.numbers_in(part.strip())]

    def clean(self, value, row=None, **kwargs):
        entries = [part for part in str(value or "").split(JOIN.strip()) if part.strip()]
        found = [self.one.clean(entry) for entry in entries]
        return [value for place, value in enumerate(found) if value not in found[:place]]

    def render(self, value, obj=None, **kwargs):
        return JOIN.join(self.one.render(entry) for entry in value or [])


def cell_for(field: models.Field) -> Cell:
    """The cell that holds a field of a record."""
    if field.choices:
        return Choice(field.choices, null=field.null)
    if isinstance(field, models.ForeignKey):
        model = field.related_model
        names = {one.name for one in model._meta.fields}
        if "reference" in names:
            return Reference(model)
        code = next(name for name in ("iso3", "slug", "code") if name in names)
        return Record(model.objects.all, lambda record: getattr(record, code))
    if isinstance(field, ArrayField):
        return Several(OneLine())
    kinds = (
        (models.BooleanField, YesNo), (models.DateField, Day), (models.DecimalField, Number), (models.IntegerField, Whole),
    )  # fmt: skip
    kind = next((cell for kind, cell in kinds if isinstance(field, kind)), None)
    text = OneLine if isinstance(field, models.CharField) else Cell
    return kind() if kind else text(null=field.null)
