"""Constraints that many records share. Their messages are written for the person at the form."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


def known(field: str, choices: type[models.Choices], *, blank: bool = False) -> models.CheckConstraint:
    """The field holds one of the choices (or nothing, with `blank`)."""
    values = [*choices.values, *([""] if blank and "" not in choices.values else [])]
    return models.CheckConstraint(
        name=f"%(app_label)s_%(class)s_{field}_known", condition=Q(**{f"{field}__in": values})
    )


def together(first: str, second: str, message=None) -> models.CheckConstraint:
    """Both fields are given, or neither: when and by whom, a number and its unit."""
    return models.CheckConstraint(
        name=f"%(app_label)s_%(class)s_{first}_and_{second}",
        condition=Q(**{f"{first}__isnull": True, f"{second}__isnull": True})
        | Q(**{f"{first}__isnull": False, f"{second}__isnull": False}),
        violation_error_message=message or _("Give both of these, or neither."),
    )


def in_order(first: str, last: str, message) -> models.CheckConstraint:
    """The second date does not come before the first, where both are given."""
    return models.CheckConstraint(
        name=f"%(app_label)s_%(class)s_{first}_before_{last}",
        condition=Q(**{f"{first}__isnull": True})
        | Q(**{f"{last}__isnull": True})
        | Q(**{f"{last}__gte": models.F(first)}),
        violation_error_message=message,
    )
