"""Two people at one form of admin: what the form showed, what was typed, and what stands now, brought together.

Every form carries, signed, the values that it showed. Where the record is newer when it is sent, nothing is saved: fields
that only others changed are filled as they stand now, what was typed stays, and fields that both changed are told with both
values (decision 0033). The form that is shown then carries what stands now, so the next attempt is made knowingly.
"""

from dataclasses import dataclass, field

from django import forms
from django.core import signing
from django.core.exceptions import ValidationError
from django.forms.formsets import DELETION_FIELD_NAME
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _

AS_SHOWN = "_as_shown"
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
class Merged:
    """What became of one form that was sent."""

    clashes: list[Clash] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)  # labels of fields that only others changed
    is_mine: bool = False  # something was typed in it

    @property
    def is_newer(self) -> bool:
        return bool(self.clashes or self.taken)


def merge(form: forms.ModelForm, base: Values | None, now: Values, data: MultiValueDict, files, prefix: str) -> Merged:
    """Brings the values of one form in `data` together. `base` is None where the form didn't say what it showed: then each
    difference counts as changed by both."""
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
        is_theirs = before is None or before != present
        if is_mine and not _same(owner, name, typed, present):
            found.is_mine = True
            if is_theirs:
                found.clashes.append(
                    Clash(str(owner.label), _said(owner, present), _said(owner, typed), type(form.instance),
                          str(form.instance.pk), owner.name)
                )  # fmt: skip
        elif is_theirs and before is not None and not is_mine:
            found.taken.append(str(owner.label))
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
    return value.replace("\r\n", "\n").strip()


def _said(owner, values: list[str]) -> str:
    """Values in words: of a choice what stands in its list."""
    chosen = owner.field
    if isinstance(chosen, forms.BooleanField):
        return _("yes") if values else _("no")
    if isinstance(chosen, forms.ModelChoiceField):
        try:
            rows = chosen.queryset.filter(**{f"{chosen.to_field_name or 'pk'}__in": values})
            return ", ".join(str(row) for row in rows)
        except (ValueError, ValidationError):
            return ", ".join(values)
    if isinstance(chosen, forms.ChoiceField):
        names = {str(key): str(label) for key, label in chosen.choices if not isinstance(label, list | tuple)}
        values = [names.get(value, value) for value in values]
    return ", ".join(values)


def merge_rows(
    formset: forms.BaseModelFormSet, base: Rows | None, data: MultiValueDict, files, *, takes_new: bool = True
) -> dict[str, Merged]:
    """Brings the rows of a formset together and numbers them anew. Gives what became of each, by its primary key.

    Rows that others added stand in it now, rows that others removed are gone unless something was typed in them: then what
    was typed stands as a row to be added.
    """
    prefix, key, now = formset.prefix, formset.model._meta.pk.name, shown_rows(formset)
    forms_now = {str(form.instance.pk): form for form in formset.initial_forms}
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
                found[pk] = Merged([Clash(_("a row"), _("removed"), _("what you typed stands as a new row below"))])
            elif "DELETE" not in row:
                found[pk] = Merged(taken=[_("a row that was removed")])
        else:
            before = None if base is None else base.get(pk, {})
            found[pk] = merge(forms_now[pk], before, now[pk], row, row_files, "")
            if "DELETE" in row and found[pk].is_newer:
                found[pk].clashes += [
                    Clash(_("a row"), _("changed"), _("to be removed"), type(forms_now[pk].instance), pk)
                ]
            kept.append((row, row_files))
    there = {row.get(key) for row, _files in kept}
    for pk in now if takes_new and base is not None else []:
        if pk not in base and pk not in there:
            kept.append((MultiValueDict(now[pk] | {key: [pk]}), MultiValueDict()))
            found[pk] = Merged(taken=[_("a row that was added")])
    _number_rows(data, files, prefix, kept, fresh)
    return found


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
