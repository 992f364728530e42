"""JSON that somebody sends, whichever way it comes in: as the body of a call of the API, or in a field of a form, of ours, of
admin or of a library. What Python can't walk through, or PostgreSQL can't store, is refused with a sentence and never breaks a page."""

import json
import math
from collections.abc import Callable, Iterator

DEEPEST = 20  # lists and objects inside each other


def depth_is_over(value) -> bool:
    """Level by level, since what is too deep can't be walked through by calls."""
    level = [value]
    for _n in range(DEEPEST + 1):
        held = [one for one in level if isinstance(one, (dict, list))]
        level = [inner for one in held for inner in (one.values() if isinstance(one, dict) else one)]
        if not held:
            return False
    return True


def has_half_sign(text: str) -> bool:
    return any("\ud800" <= sign <= "\udfff" for sign in text)


def has_nul(text: str) -> bool:
    return "\x00" in text


def places_of(value, is_bad: Callable[[str], bool], path: str = "body") -> Iterator[str]:
    """Where texts are that can't be stored, also in names."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from places_of(name, is_bad, path)
            yield from places_of(inner, is_bad, str(name))
    elif isinstance(value, list):
        for inner in value:
            yield from places_of(inner, is_bad, path)
    elif isinstance(value, str) and is_bad(value):
        yield writable(path)


def writable(name: str) -> str:
    """A name that somebody sent, as it can be told and stored."""
    return name.replace("\x00", "").encode(errors="replace").decode()[:60]


def is_readable(text: str) -> bool:
    """Whether it is JSON (RFC 8259) that can be walked through and stored."""
    try:
        value = json.loads(text)
    except (ValueError, TypeError, RecursionError):  # of numbers of thousands of digits too
        return False
    if depth_is_over(value) or not _is_finite(value):
        return False
    return next(places_of(value, lambda one: has_nul(one) or has_half_sign(one)), None) is None


def _is_finite(value) -> bool:
    """JSON has no NaN and nothing without end; Python reads both, also from 1e999."""
    if isinstance(value, dict | list):
        return all(map(_is_finite, value.values() if isinstance(value, dict) else value))
    return not isinstance(value, float) or math.isfinite(value)


def guard_forms() -> None:
    """Every field of a form that takes JSON, also in the forms of libraries: Django's own breaks with what is too deep, and
    lets through what no column takes."""
    from django.core.exceptions import ValidationError
    from django.forms import JSONField
    from django.forms.fields import InvalidJSONInput

    to_python, bound_data = JSONField.to_python, JSONField.bound_data

    def readable(self, value):
        if isinstance(value, str) and value not in self.empty_values and not self.disabled and not is_readable(value):
            raise ValidationError(self.error_messages["invalid"], code="invalid", params={"value": value[:100]})
        return to_python(self, value)

    def shown_again(self, data, initial):
        """As it was typed, where it can't be read."""
        if isinstance(data, str) and data and not self.disabled and not is_readable(data):
            return InvalidJSONInput(data)
        return bound_data(self, data, initial)

    JSONField.to_python, JSONField.bound_data = readable, shown_again
