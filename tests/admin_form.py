"""Forms of admin as a browser would send them back."""

from django import forms
from lxml import html


def shown(page, form_id: str | None = None) -> dict:
    """Everything that a form of a page carries, ready to be sent; the largest form where no id is given."""
    found = html.fromstring(page.content.decode().encode("utf-8"), parser=html.HTMLParser(encoding="utf-8")).forms
    form = next(f for f in found if f.get("id") == form_id) if form_id else max(found, key=lambda f: len(f.inputs))
    data: dict = {}
    for name, value in form.form_values():
        if "__prefix__" not in name:
            data.setdefault(name, []).append(value.removeprefix("\n"))
    return data


def fill(data: dict, form) -> dict:
    """A form of admin with something in each field that has to have it."""
    filled = {}
    for name, field in form.fields.items():
        if not field.required or data.get(name, [""])[0]:
            continue
        filled[name] = example(name, field)
    return data | filled


def example(name: str, field):
    kind = type(field).__name__
    if hasattr(field, "queryset"):
        return str(getattr(field.queryset.last(), field.to_field_name or "pk"))
    if getattr(field, "choices", None):
        flat = [
            c for key, label in field.choices for c in (label if isinstance(label, list | tuple) else [(key, label)])
        ]
        return next(str(key) for key, _label in flat if key)
    examples = {
        "EmailField": "someone@example.org", "URLField": "https://example.org/x", "DateField": "2026-05-04",
        "IntegerField": "3", "DecimalField": "3", "NumberField": "3", "AmountField": "3", "SlugField": "something-new",
    }  # fmt: skip
    if kind in examples:
        return examples[kind]
    longest = getattr(field, "max_length", None) or 100
    return "Something new"[:longest] if longest > 3 else "KES"[:longest]


def others(field, present: list[str]) -> list[str]:
    """Two other values that could stand in a field; none where there are not two, or it is not one control."""
    kind, widget = type(field).__name__, getattr(field.widget, "widget", field.widget)
    if field.disabled or kind in ("BooleanField", "JSONField", "ReadOnlyPasswordHashField", "SplitDateTimeField"):
        return []
    if isinstance(widget, forms.SelectMultiple | forms.CheckboxSelectMultiple | forms.FileInput | forms.HiddenInput):
        return []
    if hasattr(field, "queryset"):
        found = [str(row.pk) for row in field.queryset.order_by("pk")[:4]]
    elif getattr(field, "choices", None):
        found = [str(key) for key, label in field.choices if key and not isinstance(label, list | tuple)]
    else:
        longest = getattr(field, "max_length", None) or 100
        found = {
            "EmailField": ["by-others@example.org", "typed-here@example.org"],
            "URLField": ["https://example.org/by-others", "https://example.org/typed-here"],
            "DateField": ["2026-05-04", "2026-06-05"], "IntegerField": ["7", "8"], "DecimalField": ["7", "8"],
            "NumberField": ["7", "8"], "WholeNumberField": ["7", "8"], "PositiveSmallIntegerField": ["7", "8"],
        }.get(kind, ["by-others", "typed-here"] if longest > 10 else ["KES"[:longest], "USD"[:longest]])  # fmt: skip
    found = [value for value in found if value not in present]
    return found[:2] if len(found) > 1 else []


def text_field(data: dict, form) -> str | None:
    """A field of the form in which words are typed."""
    for name, field in form.fields.items():
        is_text = type(field).__name__ in ("CharField", "SlugField") and "Text" in type(field.widget).__name__
        fits = (getattr(field, "max_length", None) or 100) >= 30
        if is_text and fits and name in data and not field.disabled and name != "reason":
            return name
    return None
