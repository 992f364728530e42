"""Constraints that many records share. Their messages are written for the person at the form."""

from collections.abc import Collection
from functools import reduce
from operator import and_

from django.core.exceptions import FieldError, ValidationError
from django.db import models
from django.db.models import CheckConstraint, Q
from django.utils.translation import gettext_lazy as _


def known(field: str, choices: type[models.Choices], *, blank: bool = False) -> models.CheckConstraint:
    """The field holds one of the choices (or nothing, with `blank`)."""
    values = [*choices.values, *([""] if blank and "" not in choices.values else [])]
    return models.CheckConstraint(
        name=f"%(app_label)s_%(class)s_{field}_known", condition=Q(**{f"{field}__in": values})
    )


def keeps_address(record: models.Model, field: str, fixed: Collection[str]) -> None:
    """Records that the portal itself finds by their address keep it. For `clean`."""
    stored = type(record)._base_manager.filter(pk=record.pk).values_list(field, flat=True)
    was = stored.first() if record.pk and getattr(record, field) not in fixed else None
    if was in fixed:
        text = _("The portal itself leads to “%(address)s”, so this address can’t be changed.")
        raise ValidationError({field: text % {"address": was}})


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


class CheckedTogether(models.Model):
    """Base of records with several check constraints. Django asks the database about each of them by itself; here one
    question is about all, and only where the answer is no, each is asked for its sentence."""

    class Meta:
        abstract = True

    def validate_constraints(self, exclude=None):
        checks = [one.condition for one in self._meta.constraints if isinstance(one, CheckConstraint)]
        try:
            against = self._get_field_expression_map(meta=self._meta, exclude=exclude)
            self._checks_hold = not checks or reduce(and_, checks).check(against)
        except FieldError:  # a condition is about a field that is left out
            self._checks_hold = False
        try:
            super().validate_constraints(exclude=exclude)
        finally:
            del self._checks_hold

    def get_constraints(self):
        found = super().get_constraints()
        if not getattr(self, "_checks_hold", False):
            return found
        return [(model, [one for one in rows if not isinstance(one, CheckConstraint)]) for model, rows in found]
