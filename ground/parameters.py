"""Parameters of an address: each is taken as it was given, or refused in words. None is dropped.

Where several values can't be meant, a second one would win without a word over the first. Pages and API refuse it alike.
"""

from collections.abc import Iterable

import django_filters
from django import forms
from django.core.exceptions import BadRequest
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext_lazy as _

MULTIPLE = (forms.SelectMultiple, forms.MultipleHiddenInput)  # how forms ask for several values
GIVE_ONCE = _("Give this parameter once.")


def given_twice(parameters: QueryDict, names: Iterable[str]) -> list[str]:
    """Those of these names that were given more than once."""
    return sorted(name for name in names if name in parameters and len(parameters.getlist(name)) > 1)


def one_value(parameters: QueryDict, name: str, default: str = "") -> str:
    """The one value of a parameter. Raises BadRequest where there are two."""
    if given_twice(parameters, [name]):
        raise BadRequest(f"{name}: {GIVE_ONCE}")
    return parameters.get(name, default)


def leave_foreign(request: HttpRequest, filters: type[django_filters.FilterSet] | None = None) -> None:
    """Takes out of the parameters of a list those that it does not know, such as what other sites add to their links
    (`utm_source`): they narrow nothing, and the links of its page would carry them on to where they are refused."""
    known = {"page", *(filters.base_filters if filters else ())}
    kept = QueryDict(mutable=True)
    for name, values in request.GET.lists():
        if name in known:
            kept.setlist(name, values)
    request.GET = kept


def lists_of(filters: type[django_filters.FilterSet]) -> set[str]:
    """The parameters of these filters that take several values."""
    return {name for name, one in filters.base_filters.items() if issubclass(one.field_class.widget, MULTIPLE)}


class FilterSet(django_filters.FilterSet):
    """Base of the filters of all lists: refuses two values of a filter that takes one."""

    def get_form_class(self):
        made = super().get_form_class()
        return type(made.__name__, (_GivenOnce, made), {"single": set(self.base_filters) - lists_of(type(self))})


class _GivenOnce(forms.Form):
    def clean(self):
        if isinstance(self.data, QueryDict):  # what the portal itself asks has one value of each
            for name in given_twice(self.data, self.single):
                self.add_error(name, GIVE_ONCE)
        return super().clean()
