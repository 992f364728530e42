"""What the texts of records hold to, whichever door they come through: pages, API, tables, IATI.

Django holds a TextField to its `max_length` in forms alone, and only browsers make one line of what is typed into a field of one.
Here both are rules of the fields themselves, so that every door that validates a record has them, with the same sentence.
"""

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxLengthValidator
from django.db import models
from django.utils.functional import cached_property

from ground.signs import one_line


def hold_to_rules() -> None:
    """Before the first field of a record is made."""
    _hold_to_length()
    _keep_to_one_line()


def _hold_to_length() -> None:
    asked = models.TextField.validators.func

    def validators(self):
        return asked(self) + ([] if self.max_length is None else [MaxLengthValidator(self.max_length)])

    models.TextField.validators = cached_property(validators)
    models.TextField.validators.__set_name__(models.TextField, "validators")


def _keep_to_one_line() -> None:
    """An end of a line becomes a space, as in forms. It is told nowhere: nothing is lost."""
    clean, clean_several = models.CharField.clean, ArrayField.clean

    def in_one_line(self, value, record):
        return clean(self, one_line(value), record)

    def each_in_one_line(self, value, record):
        if isinstance(self.base_field, models.CharField) and isinstance(value, list):
            value = [one_line(each) for each in value]
        return clean_several(self, value, record)

    models.CharField.clean, ArrayField.clean = in_one_line, each_in_one_line


def as_kept(model: type[models.Model], values: dict) -> dict:
    """Values for fields of a record as they will be stored, to be compared with those that are."""
    of_one_line = {field.name for field in model._meta.concrete_fields if isinstance(field, models.CharField)}
    return {name: one_line(value) if name in of_one_line else value for name, value in values.items()}
