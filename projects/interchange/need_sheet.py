"""A draft need as one fillable file (XLSX): taken away, completed offline, brought back.

The file holds the same parts as the pages, and what comes back goes through the same forms and the same save, so the
same rules hold. All of it is taken over, or nothing and a list of findings with sheet, row and column. The file may be
taken in one language and brought back in another: its sheets and labels are known in all of them.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.base import File
from django.db import transaction
from django.http import QueryDict
from django.utils.translation import get_language, gettext_lazy, gettext_noop, override
from django.utils.translation import gettext as _
from openpyxl import Workbook
from openpyxl.utils import get_column_letter
from openpyxl.utils.cell import coordinate_from_string

from ground.dates import read_month
from ground.incoming import MOST_TOLD, check_value, comments_sentence, merged_sentence, more_sentence
from ground.numbers import NotANumber, read_number, to_be_read
from ground.tables import UNWRITABLE
from projects import drafting
from projects.choices import Unit, Vocabulary
from projects.forms.draft import Lines, Part, ThemesForm, parts_of
from projects.interchange.workbooks import BOLD, FILL, LISTS, WRAP, head, opened, pick, put
from projects.models import Need, Term

NEED, LINES, ABOUT = gettext_lazy("Need"), gettext_lazy("Lines"), gettext_lazy("About")
YES_OR_NO = ((True, gettext_lazy("yes")), (False, gettext_lazy("no")))
TRUTHS = {"true": True, "1": True, "": False, "false": False, "0": False}  # as programs write them
LOCKED = gettext_noop("This can't be changed any more. Put back what stood here.")
NUMBERS = (forms.IntegerField, forms.DecimalField)
LARGEST = 2 * 1024 * 1024
SPARE = 15  # rows for lines that are not there yet
NEED_WIDTH, ANSWERS = 4, 3  # columns of the sheet of questions; the one of the answers
LEFT_OUT = {"kind", "record"}  # the kind decides which parts there are; the record is chosen on the page
KEPT = {"kind", "institution_partner"}  # the same as fields of the need: as they are, whatever the file says
LINE_COLUMNS = ("id", "text", "assistance", "quantity", "unit", "by_when", "note", "remove")
LETTERS = dict(zip(LINE_COLUMNS, "ABCDEFGH", strict=True))


@dataclass(frozen=True)
class Finding:
    """Something to mend: where, and what to do."""

    sheet: str
    row: int
    column: str
    text: str


class SheetErrors(ValidationError):
    """All that is to be mended, as much of it as is listed at once."""

    def __init__(self, findings: list[Finding]):
        self.count = len(findings)
        if (more := self.count - MOST_TOLD) > 0:
            last = findings[MOST_TOLD]
            findings = [*findings[:MOST_TOLD], Finding(last.sheet, last.row, last.column, more_sentence(more))]
        super().__init__([finding.text for finding in findings])
        self.findings = findings


# --- writing -----------------------------------------------------------------------------------------------------------
def write(need: Need) -> bytes:
    """The file: what to fill in, what is there already, choices to pick from. Raises TooLong."""
    book = Workbook()
    sheet, lines, lists, about = (
        book.active,
        book.create_sheet(str(LINES)),
        book.create_sheet(LISTS),
        book.create_sheet(str(ABOUT)),
    )
    sheet.title = str(NEED)
    head(sheet, [("field", 4), (_("Question"), 34), (_("Your answer"), 70), (_("How to answer"), 50)])
    sheet.column_dimensions["A"].hidden = True
    names, columns = set(), iter(range(1, 200))
    for part in parts_of(need):
        form = part.form(instance=need)
        names |= set(form.names) & drafting.writable(need)
        if isinstance(form, Lines):
            continue
        _row(sheet, "", str(part.title), "", str(part.lede), head=True)
        for name, field in form.fields.items():
            if name in LEFT_OUT:
                continue
            row = _row(sheet, f"{part.slug}.{name}", str(field.label), _shown(form, name), _help(field))
            if choices := _choices(field):
                pick(sheet, lists, f"C{row}", choices, next(columns))
    _write_lines(lines, lists, need, columns)
    lists.sheet_state = "hidden"
    for row in (("reference", need.reference), ("seen", drafting.fingerprint(need, names - KEPT))):
        about.append(row)
    about.append(("", _("Bring this file back at the page of the draft. Keep these two lines as they are.")))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _row(sheet, code: str, label: str, answer, hint: str, *, head=False) -> int:
    row = sheet.max_row + 1
    for column, value in enumerate((code, label, answer, hint), start=1):
        cell = sheet.cell(row, column)
        put(cell, value)
        cell.alignment = WRAP
        if head:
            cell.font, cell.fill = BOLD, FILL
    return row


def _choices(field) -> list[str]:
    """Labels to pick from; none for free text and for fields that take several."""
    if isinstance(field, forms.ModelMultipleChoiceField):
        return []
    if isinstance(field, forms.BooleanField):
        return [str(label) for _value, label in YES_OR_NO]
    return [str(label) for value, label in getattr(field, "choices", ()) if value not in ("", None)]


def _help(field) -> str:
    if isinstance(field, forms.ModelMultipleChoiceField):
        codes = "; ".join(f"{term.code} ({term.name})" for term in field.queryset)
        return _("Codes, separated by semicolons: %(codes)s") % {"codes": codes}
    if isinstance(field, forms.DateField):
        return _("A day such as 2026-07-01.")
    return str(field.help_text)


def _shown(form, name: str):
    field, value = form.fields[name], form[name].value()
    if isinstance(field, forms.ModelMultipleChoiceField):
        codes = {term.pk: term.code for term in field.queryset}
        return "; ".join(codes[key] for key in value or [])
    if isinstance(field, forms.BooleanField):
        return str(dict(YES_OR_NO)[bool(value)])
    if choices := dict(getattr(field, "choices", ())):
        return str(choices.get(value, "")) if value not in ("", None) else ""
    return "" if value is None else value


def _assistance(need: Need) -> list[tuple[Term, Term]]:
    """Kinds of help, each with its label: itself, since it calls itself by the name in the reader's language. Last those that
    only lines of the need still have."""
    terms = Term.objects.filter(vocabulary=Vocabulary.ASSISTANCE).order_by("is_withdrawn", "position", "pk")
    used = set(need.lines.values_list("assistance_id", flat=True))
    return [(term, term) for term in terms if not term.is_withdrawn or term.pk in used]


def _titles_of_lines() -> list[tuple[str, int]]:
    """The columns of the sheet of lines, as LINE_COLUMNS, with their widths."""
    return [("id", 4), (_("What exactly"), 50), (_("Kind of help"), 28), (_("How much"), 12), (_("Unit"), 18),
            (_("By when (year-month)"), 18), (_("Note"), 40), (_("Remove this line"), 14)]  # fmt: skip


def _in_line(sheet, row: int, name: str, text) -> Finding:
    """A finding in a line, which names its column as those of the sheet of questions name theirs."""
    titles = dict(zip(LINE_COLUMNS, (title for title, _width in _titles_of_lines()), strict=True))
    return Finding(sheet.title, row, LETTERS.get(name, "B"), f"{titles.get(name, LINES)}: {text}")


def _write_lines(sheet, lists, need: Need, columns) -> None:
    head(sheet, _titles_of_lines())
    sheet.column_dimensions["A"].hidden = True
    stored = list(need.lines.select_related("assistance"))
    for row, line in enumerate(stored, start=2):
        values = (line.pk, line.text, str(line.assistance or ""), line.quantity, line.get_unit_display() if line.unit else "",
                  f"{line.by_when:%Y-%m}" if line.by_when else "", line.note, "")  # fmt: skip
        for column, value in enumerate(values, start=1):
            put(sheet.cell(row, column), value)
            sheet.cell(row, column).alignment = WRAP
    last = len(stored) + 1 + SPARE
    pick(sheet, lists, f"C2:C{last}", [str(label) for _term, label in _assistance(need)], next(columns))
    pick(sheet, lists, f"E2:E{last}", [str(label) for label in Unit.labels], next(columns))
    pick(sheet, lists, f"H2:H{last}", [_("yes")], next(columns))


# --- taking back -------------------------------------------------------------------------------------------------------
def _by_label(choices) -> dict:
    """Values by their labels in any language of the site, the reader's first, in small letters."""
    found = {}
    for code in (get_language(), *(code for code, _name in settings.LANGUAGES)):
        with override(code):
            for value, label in choices:
                found.setdefault(str(label).lower(), value)
    return found


@transaction.atomic
def take(need: Need, file: File, *, by) -> list[str]:
    """Saves what the file says; returns the titles of the parts that changed.

    Raises SheetErrors with every cell to mend, ValidationError for a file that is not ours, Conflict (a SheetErrors
    here) when the draft was changed on the pages since the file was taken, PermissionDenied.
    """
    book = opened(file, LARGEST)
    sheets = _sheets(book)
    about = {a: b for a, b, *_rest in (texts for _n, texts in sheets[ABOUT].texts(width=2))}
    if about.get("reference") != need.reference:
        raise ValidationError(
            _("This file belongs to %(other)s, not to %(reference)s.")
            % {"other": str(about.get("reference") or _("another need"))[:40], "reference": need.reference}
        )
    answers = {
        code: (row, value)
        for row, (code, _label, value, *_rest) in sheets[NEED].texts(width=NEED_WIDTH)
        if code and row > 1
    }
    values, findings, parts = {}, _without_place(need, book, sheets), []
    for part in parts_of(need):
        if part.slug == "lines" and "lines" not in drafting.writable(need):
            findings += _locked_lines(need, sheets[LINES])
            continue
        if part.slug == "lines":
            form, cells = _lines(part, need, sheets[LINES], by)
        else:
            form, cells = _part(part, need, sheets[NEED], answers, by)
        if form.is_valid():
            found = {name: value for name, value in form.values.items() if name not in KEPT}
            if drafting.stored(need, found) != drafting.comparable(need, found):
                parts.append(str(part.title))
            values |= found
        else:
            findings += cells(form)
    if findings:
        raise SheetErrors(sorted(findings, key=lambda f: (f.sheet != sheets[NEED].title, f.row, f.column)))
    try:
        drafting.save(need, values, by=by, seen=str(about.get("seen") or ""))
    except drafting.Conflict:
        text = _(
            "The draft was changed on the pages since this file was taken. Take a new file and enter your changes there."
        )
        raise SheetErrors([Finding(sheets[ABOUT].title, 2, "B", text)]) from None
    return parts


def _sheets(book) -> dict:
    """The sheets, whatever language their names are in."""
    names = _by_label([(name, name) for name in (NEED, LINES, ABOUT)])
    found = {names[title.lower()]: sheet for title, sheet in book.items() if title.lower() in names}
    if missing := [name for name in (NEED, LINES, ABOUT) if name not in found]:
        raise ValidationError(
            _("The sheet “%(name)s” is missing. Use the file that you took from here.") % {"name": missing[0]}
        )
    return found


def _without_place(need: Need, book: dict, sheets: dict) -> list[Finding]:
    """What somebody wrote where nothing is read: beside the columns, at no question or at one asked twice, on other sheets."""
    known = {
        f"{part.slug}.{name}" for part in parts_of(need) for name in getattr(part.form(instance=need), "fields", {})
    }
    seen, found = set(), []
    for row, (code, _label, value, _hint, *beside) in sheets[NEED].texts(width=NEED_WIDTH):
        if row > 1 and value and (code not in known or code in seen):
            found.append(Finding(sheets[NEED].title, row, "C", _("Nothing is asked here, so this has no place: write it as the answer to a question.")))  # fmt: skip
        seen.add(code)
        found += _beside(sheets[NEED], row, NEED_WIDTH, beside)
    for kind in (NEED, LINES):
        found += [
            *_errors(sheets[kind]),
            *_merged(sheets[kind], is_lines=kind == LINES),
            *_comments(sheets[kind]),
        ]
    for row, cells in sheets[LINES].texts(width=len(LINE_COLUMNS)):
        found += _beside(sheets[LINES], row, len(LINE_COLUMNS), cells[len(LINE_COLUMNS) :])
    for title, sheet in book.items():
        if sheet.rows and title != LISTS and sheet not in sheets.values():
            found.append(Finding(title, next(iter(sheet.rows)), "A", _("This sheet is not read. Move what is meant to the others, and delete it.")))  # fmt: skip
    return found


def _errors(sheet) -> list[Finding]:
    found = []
    for row, cells in sheet.texts(width=0):
        for column, text in enumerate(cells, start=1):
            try:
                check_value(text)
            except ValueError as error:
                found.append(Finding(sheet.title, row, get_column_letter(column), str(error)))
    return found


def _merged(sheet, *, is_lines: bool) -> list[Finding]:
    """Merged cells that stand for several answers, or for several cells of lines."""
    return [
        Finding(sheet.title, area.top, get_column_letter(area.left), merged_sentence(area))
        for area in sheet.filled_areas()
        if area.bottom > max(area.top, 1) and (is_lines or area.left <= ANSWERS <= area.right) or (is_lines and area.right > area.left)
    ]  # fmt: skip


def _comments(sheet) -> list[Finding]:
    if not sheet.commented:
        return []
    column, row = coordinate_from_string(sheet.commented[0])
    return [Finding(sheet.title, row, column, comments_sentence(sheet.commented))]


def _beside(sheet, row: int, width: int, beside: list[str]) -> list[Finding]:
    return [
        Finding(sheet.title, row, get_column_letter(width + place), _("This stands beside the columns that are read. Move it into one of them, or delete it."))
        for place, text in enumerate(beside, start=1) if text
    ]  # fmt: skip


def _part(part: Part, need: Need, sheet, answers: dict, by):
    """The form of a part, filled from the sheet, and a function that finds the cells of its errors."""
    blank, data, rows, wrong = part.form(instance=need), {}, {}, []
    yes_or_no = _by_label(YES_OR_NO) | TRUTHS
    for name, field in blank.fields.items():
        row, text = answers.get(f"{part.slug}.{name}", (0, None))
        rows[name] = row
        if text is None or name in LEFT_OUT or field.disabled:
            value = blank[name].value()
            data[name] = "" if value is None else value
            if field.disabled and text is not None and name not in LEFT_OUT and not _stands(blank, name, text):
                wrong.append((name, _(LOCKED)))
            continue
        if isinstance(field, forms.ModelMultipleChoiceField):
            codes = {term.code.lower(): term.pk for term in field.queryset}
            given = [code.strip() for code in text.replace(",", ";").split(";") if code.strip()]
            wrong += [
                (name, _("There is no code “%(code)s”.") % {"code": code[:40]})
                for code in given
                if code.lower() not in codes
            ]
            data[name] = [codes[code.lower()] for code in given if code.lower() in codes]
        elif isinstance(field, forms.BooleanField):
            answer = yes_or_no.get(text.lower())
            if answer:
                data[name] = "on"
            elif answer is None:
                wrong.append((name, _("Answer yes or no.")))
        elif choices := _by_label(getattr(field, "choices", ())):
            data[name] = choices.get(text.lower(), text)
        else:
            data[name] = to_be_read(text) if isinstance(field, NUMBERS) else text
    form = part.form(_flat(data), instance=Need.objects.get(pk=need.pk), user=by)
    if isinstance(form, ThemesForm):
        form.is_valid()
    for name, text in wrong:
        form.add_error(name, text)

    def cells(form) -> list[Finding]:
        return [
            Finding(sheet.title, rows.get(name) or 1, "C", f"{form.fields[name].label if name in form.fields else part.title}: {text}")
            for name, texts in form.errors.items() for text in texts
        ]  # fmt: skip

    return form, cells


# --- what can't be changed any more: held against what `write` puts there, in whatever language the file was taken ------
def _stands(blank, name: str, text: str) -> bool:
    """Whether the cell of a locked question still says what stood there."""
    field, value = blank.fields[name], blank[name].value()
    if isinstance(field, forms.ModelMultipleChoiceField):
        return _codes(text) == _codes(_shown(blank, name))
    if isinstance(field, forms.BooleanField):
        return (_by_label(YES_OR_NO) | TRUTHS).get(text.lower()) is bool(value)
    if isinstance(field, NUMBERS):
        return _is_number(text, value)
    if getattr(field, "choices", ()):
        return text.lower() in _in_each_language(lambda: _shown(blank, name))
    return _words(text) == _words(_shown(blank, name))


def _codes(text: str) -> set[str]:
    return {code.strip().lower() for code in text.replace(",", ";").split(";") if code.strip()}


def _words(value) -> list[str]:
    """A text without what spreadsheets do to its spaces and ends of lines, and without what they can't hold."""
    return UNWRITABLE.sub("", str(value)).split()


def _is_number(text: str, value) -> bool:
    if value in (None, "") or not text:
        return text == ("" if value is None else str(value))
    try:
        return read_number(to_be_read(text)) == value
    except NotANumber:
        return False


def _in_each_language(shown: Callable) -> set[str]:
    found = set()
    for code, _name in settings.LANGUAGES:
        with override(code):
            found.add(str(shown()).strip().lower())
    return found


def _changed(line, values: dict) -> list[str]:
    """The columns in which the row of a locked line says something else than is stored."""
    by_when = (str(line.by_when.month), str(line.by_when.year)) if line.by_when else ("", "")
    same = {
        "text": _words(values["text"]) == _words(line.text),
        "assistance": values["assistance"].lower() in _in_each_language(lambda: line.assistance or ""),
        "quantity": _is_number(values["quantity"], line.quantity),
        "unit": values["unit"].lower() in _in_each_language(lambda: line.get_unit_display() if line.unit else ""),
        "by_when": _month(values["by_when"]) == by_when and bool(values["by_when"]) == bool(line.by_when),
        "note": _words(values["note"]) == _words(line.note),
        "remove": not (_by_label(YES_OR_NO) | TRUTHS).get(values["remove"].lower(), bool(values["remove"])),
    }
    return [name for name, is_same in same.items() if not is_same]


def _locked_lines(need: Need, sheet) -> list[Finding]:
    """Findings for every cell, row and missing row by which the sheet differs from lines that are locked."""
    stored, found = {line.pk: line for line in need.lines.select_related("assistance")}, []
    for row, cells in sheet.texts(width=len(LINE_COLUMNS)):
        values = dict(zip(LINE_COLUMNS, cells, strict=False))
        if row == 1 or not any(values.values()):
            continue
        line = stored.pop(int(values["id"]), None) if values["id"].isdecimal() else None
        columns = _changed(line, values) if line else ["text"]
        found += [_in_line(sheet, row, name, _(LOCKED)) for name in columns]
    gone = _("The row of the line “%(line)s” is missing, and lines can't be changed any more. Put it back.")
    return found + [_in_line(sheet, 1, "", gone % {"line": line.text[:60]}) for line in stored.values()]


def _flat(data: dict) -> QueryDict:
    """As a browser would have sent it."""
    found = QueryDict(mutable=True)
    for name, value in data.items():
        found.setlist(name, [str(v) for v in value] if isinstance(value, list) else [str(value)])
    return found


def _lines(part: Part, need: Need, sheet, by):
    """The lines of the sheet as the formset of the page. A row that is not there any more removes nothing."""
    stored = {line.pk: place for place, line in enumerate(need.lines.all())}
    assistance, units, yes_or_no = _by_label(_assistance(need)), _by_label(Unit.choices), _by_label(YES_OR_NO)
    filled, fresh = {}, []
    for row, cells in sheet.texts(width=len(LINE_COLUMNS)):
        values = dict(zip(LINE_COLUMNS, cells, strict=False))
        if row == 1 or not any(v for name, v in values.items() if name != "id"):
            continue
        key = int(values["id"]) if values["id"].isdigit() else None
        if key in stored and stored[key] not in filled:
            filled[stored[key]] = (row, values)
        else:
            fresh.append((row, values))
    data = {"lines-INITIAL_FORMS": len(stored), "lines-TOTAL_FORMS": len(stored) + len(fresh)}
    rows, wrong, keys = {}, [], list(stored)
    for place in range(len(stored) + len(fresh)):
        row, values = filled.get(place, (0, None)) if place < len(stored) else fresh[place - len(stored)]
        rows[place] = row
        if values is None:  # its row was cleared: it stays as it is
            line = list(need.lines.all())[place]
            values = {"text": line.text, "assistance": str(line.assistance or ""), "quantity": str(line.quantity or ""),
                      "unit": line.get_unit_display(), "by_when": f"{line.by_when:%Y-%m}" if line.by_when else "",
                      "note": line.note, "remove": ""}  # fmt: skip
        month, year = _month(values["by_when"])
        if values["by_when"] and not month:
            wrong.append(_in_line(sheet, row, "by_when", _("Write the month as 2027-06.")))
        if values["assistance"] and values["assistance"].lower() not in assistance:
            wrong.append(
                _in_line(sheet, row, "assistance", _("There is no such kind of help. Pick one from the list."))
            )
        if values["unit"] and values["unit"].lower() not in units:
            wrong.append(_in_line(sheet, row, "unit", _("There is no such unit. Pick one from the list.")))
        chosen = assistance.get(values["assistance"].lower())
        data |= {
            f"lines-{place}-id": keys[place] if place < len(stored) else "",
            f"lines-{place}-text": values["text"], f"lines-{place}-assistance": chosen.pk if chosen else "",
            f"lines-{place}-quantity": to_be_read(values["quantity"]), f"lines-{place}-unit": units.get(values["unit"].lower(), ""),
            f"lines-{place}-by_when_month": month, f"lines-{place}-by_when_year": year, f"lines-{place}-note": values["note"],
        }  # fmt: skip
        if yes_or_no.get(values["remove"].lower()):
            data[f"lines-{place}-DELETE"] = "on"
    formset = part.form(_flat(data), instance=Need.objects.get(pk=need.pk), user=by)
    if wrong:
        formset.is_valid = lambda: False

    def cells(formset) -> list[Finding]:
        found, told = list(wrong), {(finding.row, finding.column) for finding in wrong}
        for place, form in enumerate(formset.forms):
            for name, texts in form.errors.items():
                row = rows.get(place) or 1
                if (row, LETTERS.get(name, "B")) not in told:
                    found += [_in_line(sheet, row, name, text) for text in texts]
        return found + [_in_line(sheet, 1, "", text) for text in formset.non_form_errors()]

    return formset, cells


def _month(text: str) -> tuple[str, str]:
    """(month, year) of 2027-06, of a whole date, or of 06/2027."""
    try:
        month = read_month(text)
    except ValueError:
        return "", ""
    return str(month.month), str(month.year)
