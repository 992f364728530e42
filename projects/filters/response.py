"""The filter of responses, which only their parties read."""

import django_filters
from django.utils.translation import gettext_lazy as _

from ground.parameters import FilterSet
from projects.choices import ResponseState
from projects.models import Response


class ResponseFilter(FilterSet):
    state = django_filters.ChoiceFilter(choices=ResponseState.choices, label=_("State"))

    class Meta:
        model = Response
        fields: list[str] = []
