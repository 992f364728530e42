"""Two people at one form of admin: what the form showed, what was typed, and what stands now, brought together.

Every form carries, signed, the values that it showed. Where the record is newer when it is sent, nothing is saved: fields
that only others changed are filled as they stand now, what was typed stays, and fields that both changed are told with both
values (decision 0033). The form that is shown then carries what stands now, so the next attempt is made knowingly.
"""

import re
from dataclasses import dataclass, field
from difflib import SequenceMatcher

from django import forms
from django.core import signing
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.forms.formsets import DELETION_FIELD_NAME
from django.utils.datastructures import MultiValueDict
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from ground import listing
from ground.signs import with_plain_line_ends
from ground.widgets import with_language

AS_SHOWN = "_as_shown"
LONGEST_TOLD = 400  # signs of a text that are told where it differs from another
BEFORE = 80  # signs that are told before a difference
MOST_TOLD = 4  # differences between two texts
MOST_COMPARED = 3000  # words, above which frequent ones tell nothing of where texts differ: that takes too long
Values = dict[str, list[str]]  # of one form, as a browser would send them; names without the prefix of the form
Rows = dict[str, Values]  # of one formset, by the primary key


# --- what a form shows -----------------------------------------------------------------------------------------------
def shown(form: forms.BaseForm) -> Values:
    """The values of a form as a browser would send them, were nothing changed."""
    return {
        name: value
        for each in form.visible_fields() + form.hidden_fields()
        if not (each.field.disabled or each.name == DELETION_FIELD_NAME)
        for name, value in _sent(each.field.widget, each.name, each.value())
    }


def shown_rows(formset: forms.BaseModelFormSet) -> Rows:
    return {str(form.instance.pk): shown(form) for form in formset.initial_forms if form.instance.pk}


def _sent(widget, name: str, value):
    """(name, values) for each control of a widget."""
    widget = getattr(widget, "widget", widget)  # inside admin's frame for related records
    if isinstance(widget, forms.MultiWidget):
        parts = value if isinstance(value, list) else widget.decompress(value)
        for suffix, part, inner in zip(widget.widgets_names, parts, widget.widgets, strict=False):
            yield from _sent(inner, name + suffix, part)
    elif isinstance(widget, forms.PasswordInput):
        return
    elif isinstance(widget, forms.FileInput):
        yield name, [str(value or "")]
    elif isinstance(widget, forms.CheckboxInput):
        yield name, ["on"] if widget.check_test(value) else []
    else:
        said = widget.format_value(value)
        said = said if isinstance(said, list | tuple) else [said]
        yield name, [str(each) for each in said if each not in (None, "")]


def sign(content: dict, about: str) -> str:
    return signing.dumps(content, salt=f"as-shown:{about}", compress=True)


def read(text: str, about: str) -> dict | None:
    """What a form says that it showed; None where it says nothing that we signed for this record."""
    try:
        return signing.loads(text, salt=f"as-shown:{about}")
    except signing.BadSignature:
        return None


# --- what was sent, against both -------------------------------------------------------------------------------------
@dataclass
class Clash:
    """A field that two people changed: how it stands now, and what was typed."""

    label: str
    now: str
    typed: str
    model: type | None = None
    pk: str = ""
    name: str = ""


@dataclass
class Taken:
    """A field or a row that only others changed."""

    label: str
    model: type
    pk: str
    name: str = ""
    is_gone: bool = False


@dataclass
class Merged:
    """What became of one form that was sent."""

    clashes: list[Clash] = field(default_factory=list)
    taken: list[Taken] = field(default_factory=list)
    is_mine: bool = False  # something was typed in it

    @property
    def is_newer(self) -> bool:
        return bool(self.clashes or self.taken)


def merge(
    form: forms.ModelForm, base: Values | None, now: Values, data: MultiValueDict, files, prefix: str, *, row: str = ""
) -> Merged:
    """Brings the values of one form in `data` together. `base` is None where the form didn't say what it showed: then each
    difference counts as changed by both. `row`: what its record is called, where it is one of several in a form."""
    found = Merged()
    for name, present in now.items():
        key = prefix + name
        owner = _owner(form, name)
        if isinstance(getattr(owner.field.widget, "widget", owner.field.widget), forms.FileInput):
            typed = [files[key].name] if key in files else (["-"] if f"{key}-clear" in data else None)
        else:
            typed = data.getlist(key)
            if isinstance(owner.field.widget, forms.CheckboxInput):
                typed = ["on"] if owner.field.widget.value_from_datadict(data, files, key) else []
        before = base.get(name, []) if base is not None else None
        is_mine = typed is not None and not (before is not None and _same(owner, name, typed, before))
        is_theirs = before is None or not _same(owner, name, before, present)
        if is_mine and not _same(owner, name, typed, present):
            found.is_mine = True
            if is_theirs:
                found.clashes.append(
                    Clash(in_row(row, owner.label), said(owner.field, present), said(owner.field, typed), type(form.instance),
                          str(form.instance.pk), owner.name)
                )  # fmt: skip
        elif is_theirs and before is not None and not is_mine:
            found.taken.append(Taken(in_row(row, owner.label), type(form.instance), str(form.instance.pk), owner.name))
            data.setlist(key, present)
    return found


def _owner(form, name: str):
    """The field to which a control belongs."""
    return form[name] if name in form.fields else form[name.rpartition("_")[0]]


def _same(owner, name: str, one: list[str], other: list[str]) -> bool:
    one, other = (sorted(_plain(v) for v in values if _plain(v)) for values in (one, other))
    if one == other:
        return True
    if name != owner.name or len(one) != 1 or len(other) != 1 or isinstance(owner.field, forms.ModelChoiceField):
        return False
    try:
        return owner.field.to_python(one[0]) == owner.field.to_python(other[0])
    except (ValidationError, TypeError, ValueError):
        return False


def _plain(value: str) -> str:
    return with_plain_line_ends(value).strip()


def said(chosen: forms.Field, values: list[str]) -> str:
    """Values in words: of a choice what stands in its list."""
    if isinstance(chosen, forms.BooleanField):
        return _("yes") if values else _("no")
    if isinstance(chosen, forms.ModelChoiceField):
        try:
            rows = chosen.queryset.filter(**{f"{chosen.to_field_name or 'pk'}__in": values})
            return listing.with_commas(rows)
        except (ValueError, ValidationError):
            return listing.with_commas(values)
    if isinstance(chosen, forms.ChoiceField):
        names = {str(key): str(label) for key, label in chosen.choices if not isinstance(label, list | tuple)}
        values = [names.get(value, value) for value in values]
    return listing.with_commas(values)


def differing(one: str, other: str) -> tuple[str, str]:
    """Two texts as they are told side by side: long ones where they differ, with a few words before each difference."""
    if max(len(one), len(other)) <= LONGEST_TOLD:
        return one, other
    words = [re.findall(r"\s*\S+", text) for text in (one, other)]
    is_much = max(map(len, words)) > MOST_COMPARED
    places = _near_ones_joined(SequenceMatcher(None, *words, autojunk=is_much).get_opcodes())
    return tuple(_told(words[n], [place[2 * n : 2 * n + 2] for place in places]) for n in (0, 1))


def _near_ones_joined(found: list[tuple]) -> list[tuple[int, int, int, int]]:
    """Where two lists of words differ; differences with a few words in between are one."""
    places: list[tuple[int, int, int, int]] = []
    for kind, *place in found:
        if kind == "equal":
            continue
        if places and place[0] - places[-1][1] < 8:
            place = [places[-1][0], place[1], places[-1][2], place[3]]
            places.pop()
        places.append(tuple(place))
    return places


def _told(words: list[str], places: list[tuple[int, int]]) -> str:
    """The words of a text at these places, with some before; … stands for what is not told."""
    longest, told, end = LONGEST_TOLD // min(len(places) or 1, MOST_TOLD), "", 0
    for first, last in places[:MOST_TOLD]:
        before = "".join(words[end:first])
        if len(before) > BEFORE:
            before = " …" + before[-BEFORE:].partition(" ")[2]
        piece = "".join(words[first:last])
        told += before + (piece if len(piece) <= longest else piece[:longest] + "…")
        end = last
    rest = "".join(words[end:])
    return (told + (rest if len(rest) <= BEFORE and len(places) <= MOST_TOLD else rest[:20] + "…")).strip()


def in_row(row: str, label) -> str:
    return _("%(row)s: %(field)s") % {"row": row, "field": label} if row else str(label)


def row_name(record: Model, number: int) -> str:
    """What a row of a form is called: its language, what its record says of itself, or its number."""
    kind = capfirst(record._meta.verbose_name)
    if language := getattr(record, "language", ""):
        return with_language(kind, language)
    if type(record).__str__ is Model.__str__:
        return f"{kind} {number}"
    return f"{kind} “{str(record)[:80]}”"


def merge_rows(
    formset: forms.BaseModelFormSet, base: Rows | None, data: MultiValueDict, files, *, takes_new: bool = True
) -> dict[str, Merged]:
    """Brings the rows of a formset together and numbers them anew. Gives what became of each, by its primary key.

    Rows that others added stand in it now, rows that others removed are gone unless something was typed in them: then what
    was typed stands as a row to be added.
    """
    prefix, key, now = formset.prefix, formset.model._meta.pk.name, shown_rows(formset)
    forms_now = {str(form.instance.pk): form for form in formset.initial_forms}
    names = {pk: row_name(form.instance, number) for number, (pk, form) in enumerate(forms_now.items(), start=1)}
    kind = capfirst(formset.model._meta.verbose_name)
    sent = _sent_rows(data, files, prefix)
    first = _count(data, f"{prefix}-INITIAL_FORMS")
    kept, fresh, found = [], [], {}
    for number in sorted(sent):
        row, row_files = sent[number]
        pk = row.get(key, "") if number < first else ""
        if not pk:
            fresh.append((row, row_files))
        elif pk not in now:
            if _typed_in(row, (base or {}).get(pk), key):
                row.setlist(key, [])
                row.pop("DELETE", None)
                fresh.append((row, row_files))
                found[pk] = Merged(
                    [
                        Clash(
                            in_row(f"{kind} {number + 1}", _("a row")),
                            _("removed"),
                            _("what you typed stands as a new row below"),
                        )
                    ]
                )
            elif "DELETE" not in row:
                found[pk] = Merged(
                    taken=[
                        Taken(
                            in_row(f"{kind} {number + 1}", _("a row that was removed")), formset.model, pk, is_gone=True
                        )
                    ]
                )
        else:
            before = None if base is None else base.get(pk, {})
            found[pk] = merge(forms_now[pk], before, now[pk], row, row_files, "", row=names[pk])
            if "DELETE" in row and found[pk].is_newer:
                found[pk].clashes += [
                    Clash(
                        in_row(names[pk], _("a row")),
                        _("changed"),
                        _("to be removed"),
                        type(forms_now[pk].instance),
                        pk,
                    )
                ]
            kept.append((row, row_files))
    there = {row.get(key) for row, _files in kept}
    for pk in now if takes_new and base is not None else []:
        if pk not in base and pk not in there:
            kept.append((MultiValueDict(now[pk] | {key: [pk]}), MultiValueDict()))
            found[pk] = Merged(taken=[Taken(in_row(names[pk], _("a row that was added")), formset.model, pk)])
    _number_rows(data, files, prefix, kept, fresh)
    return found


def new_rows(formset: forms.BaseModelFormSet, data: MultiValueDict, files) -> dict[int, dict]:
    """What was typed into the blank rows of a formset, by their numbers."""
    blank, first = shown(formset.empty_form), _count(data, f"{formset.prefix}-INITIAL_FORMS")
    found = {}
    for number, (row, row_files) in sorted(_sent_rows(data, files, formset.prefix).items()):
        if number >= first and _typed_in(row, blank, formset.model._meta.pk.name) or row_files and number >= first:
            names = {file: [each.name, each.size] for file, each in row_files.items()}
            found[number] = {name: row.getlist(name) for name in sorted(row) if any(row.getlist(name))} | names
    return found


def leave_out_rows(prefix: str, numbers, data: MultiValueDict, files) -> None:
    """Takes blank rows that were filled in out of what was sent."""
    sent, first = _sent_rows(data, files, prefix), _count(data, f"{prefix}-INITIAL_FORMS")
    rows = {number: row for number, row in sorted(sent.items()) if number not in numbers}
    kept, fresh = ([row for n, row in rows.items() if (n < first) == there] for there in (True, False))
    _number_rows(data, files, prefix, kept, fresh)
    data[f"{prefix}-TOTAL_FORMS"] = str(len(kept) + len(fresh))


def _typed_in(row: MultiValueDict, before: Values | None, key: str) -> bool:
    """Whether a row says something else than it showed."""

    def said(values):
        return sorted(_plain(v) for v in values if _plain(v))

    return any(
        said(row.getlist(n)) != said((before or {}).get(n, [])) for n in (before or row) if n != key and n != "DELETE"
    )


def _count(data: MultiValueDict, name: str) -> int:
    text = data.get(name, "")
    return int(text) if text.isascii() and text.isdigit() else 0


def _sent_rows(data: MultiValueDict, files, prefix: str) -> dict[int, tuple[MultiValueDict, MultiValueDict]]:
    """The rows of a formset as they were sent: number, values, files; names without the prefix."""
    found: dict[int, tuple[MultiValueDict, MultiValueDict]] = {}
    for place, source in enumerate((data, files)):
        for name in list(source):
            number, dash, rest = name.removeprefix(f"{prefix}-").partition("-")
            if name.startswith(f"{prefix}-") and dash and number.isascii() and number.isdigit():
                found.setdefault(int(number), (MultiValueDict(), MultiValueDict()))[place].setlist(
                    rest, source.getlist(name)
                )
    return found


def _number_rows(data: MultiValueDict, files, prefix: str, kept: list, fresh: list) -> None:
    for source in (data, files):
        for name in [
            n for n in source if n.removeprefix(f"{prefix}-").partition("-")[0].isdigit() and n.startswith(prefix)
        ]:
            del source[name]
    for number, row in enumerate([*kept, *fresh]):
        for source, values in zip((data, files), row, strict=True):
            for name in values:
                source.setlist(f"{prefix}-{number}-{name}", values.getlist(name))
    if f"{prefix}-TOTAL_FORMS" in data:
        total = max(_count(data, f"{prefix}-TOTAL_FORMS"), len(kept) + len(fresh)) if fresh else len(kept)
        data[f"{prefix}-INITIAL_FORMS"], data[f"{prefix}-TOTAL_FORMS"] = str(len(kept)), str(total)
