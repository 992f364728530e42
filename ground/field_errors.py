"""What fields say when a value can't be used: what it must be, or what to do, in place of the words of Django and of its
libraries for programmers ("Ensure this value is less than or equal to"). One place for forms, records and the API.

Here for the kinds of fields; a field that knows better what is asked for says so itself (`error_messages`).
"""

from django import forms
from django.contrib.postgres.forms import SimpleArrayField
from django.core import validators
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models
from django.forms.formsets import BaseFormSet
from django.utils.translation import gettext_lazy as _
from rest_framework import relations, serializers
from rest_framework import validators as api_validators

EMPTY = _("Enter a value.")
AT_MOST = _("This must be %(limit_value)s or less.")
AT_LEAST = _("This must be %(limit_value)s or more.")
TOO_LONG = _("Use at most %(limit_value)s characters; there are %(show_value)s.")
TOO_SHORT = _("Use at least %(limit_value)s characters; there are %(show_value)s.")
NUMBER = _("Enter a number, for example 12.5.")
WHOLE_NUMBER = _("Enter a whole number, for example 12.")
TOO_MANY_DIGITS = _("This number has too many digits. Enter a shorter one.")
NO_DATE = _("Enter a date, for example 2027-06-30.")
NO_MOMENT = _("Enter a date and time, for example 2027-06-30T12:00:00Z.")
YES_OR_NO = _("Enter true or false.")
ADDRESS = _("Enter a full web address, for example https://www.example.org/.")
SHORT_NAME = _("Use only letters, digits, hyphens and underscores.")
NOT_UNIQUE = _("Another record has this already. Enter a different one.")
FROM_THE_LIST = _("Choose one from the list.")
NOT_IN_THE_LIST = _("Choose one from the list; “%(value)s” is not there.")
A_TEXT = _("Write it as a text, in quotation marks.")
A_LIST = _("Write a list, in square brackets.")
AN_OBJECT = _("Write named fields, in braces.")
AN_ITEM = _("Give at least one item.")
FEWER, MORE = _("Give at most {max_length} items."), _("Give at least {min_length} items.")

# By what they check.
OF_VALIDATORS = {
    validators.MaxValueValidator: AT_MOST,
    validators.MinValueValidator: AT_LEAST,
    validators.MaxLengthValidator: TOO_LONG,
    validators.MinLengthValidator: TOO_SHORT,
    validators.URLValidator: ADDRESS,
    validators.ProhibitNullCharactersValidator: _("There is a NUL sign in it. Take it out."),
    api_validators.UniqueValidator: NOT_UNIQUE,
}
DIGITS = {
    "max_digits": _("Digits: at most %(max)s."),
    "max_decimal_places": _("Digits after the decimal point: at most %(max)s."),
    "max_whole_digits": _("Digits before the decimal point: at most %(max)s."),
}

OF_FIELDS = {
    # forms
    forms.IntegerField: {"invalid": WHOLE_NUMBER},
    forms.FloatField: {"invalid": NUMBER},
    forms.DecimalField: {"invalid": NUMBER},
    forms.DateField: {"invalid": NO_DATE},
    forms.URLField: {"invalid": ADDRESS},
    forms.ChoiceField: {"invalid_choice": NOT_IN_THE_LIST},
    forms.MultipleChoiceField: {"invalid_choice": NOT_IN_THE_LIST, "invalid_list": FROM_THE_LIST},
    forms.ModelChoiceField: {"invalid_choice": FROM_THE_LIST},
    forms.ModelMultipleChoiceField: {
        "invalid_choice": NOT_IN_THE_LIST,
        "invalid_list": FROM_THE_LIST,
        "invalid_pk_value": FROM_THE_LIST,
    },
    SimpleArrayField: {"item_invalid": _("Item %(nth)s of the list:")},
    BaseFormSet: {
        "missing_management_form": _("A part of this form did not arrive. Reload the page, then send it again.")
    },
    # records
    models.Field: {"invalid_choice": NOT_IN_THE_LIST, "null": EMPTY, "blank": EMPTY, "unique": NOT_UNIQUE},
    models.BooleanField: {"invalid": YES_OR_NO, "invalid_nullable": YES_OR_NO},
    models.DateField: {"invalid": NO_DATE, "invalid_date": NO_DATE},
    models.DateTimeField: {"invalid": NO_MOMENT, "invalid_date": NO_MOMENT, "invalid_datetime": NO_MOMENT},
    models.DecimalField: {"invalid": NUMBER},
    models.FloatField: {"invalid": NUMBER},
    models.IntegerField: {"invalid": WHOLE_NUMBER},
    models.ForeignKey: {"invalid": _("This record is no longer there: %(value)s. Choose another.")},
    # the API
    serializers.Field: {"null": EMPTY},
    serializers.BooleanField: {"invalid": YES_OR_NO},
    serializers.CharField: {"invalid": A_TEXT, "blank": EMPTY, "max_length": TOO_LONG, "min_length": TOO_SHORT},
    serializers.SlugField: {"invalid": SHORT_NAME},
    serializers.URLField: {"invalid": ADDRESS},
    serializers.IntegerField: {
        "invalid": WHOLE_NUMBER,
        "max_value": AT_MOST,
        "min_value": AT_LEAST,
        "max_string_length": TOO_MANY_DIGITS,
    },
    serializers.FloatField: {
        "invalid": NUMBER,
        "max_value": AT_MOST,
        "min_value": AT_LEAST,
        "max_string_length": TOO_MANY_DIGITS,
        "overflow": TOO_MANY_DIGITS,
    },
    serializers.DecimalField: {
        "invalid": NUMBER,
        "max_value": AT_MOST,
        "min_value": AT_LEAST,
        "max_digits": _("Digits: at most {max_digits}."),
        "max_decimal_places": _("Digits after the decimal point: at most {max_decimal_places}."),
        "max_whole_digits": _("Digits before the decimal point: at most {max_whole_digits}."),
        "max_string_length": TOO_MANY_DIGITS,
    },
    serializers.DateField: {"invalid": NO_DATE, "datetime": NO_DATE},
    serializers.DateTimeField: {"invalid": NO_MOMENT, "date": NO_MOMENT, "overflow": NO_MOMENT},
    serializers.ChoiceField: {
        "invalid_choice": _("“{input}” cannot be chosen here. The description at /api/v1/docs/ says what can.")
    },
    serializers.ListField: {"not_a_list": A_LIST, "empty": AN_ITEM, "max_length": FEWER, "min_length": MORE},
    serializers.DictField: {"not_a_dict": AN_OBJECT, "empty": AN_ITEM},
    serializers.Serializer: {"invalid": AN_OBJECT},
    serializers.ListSerializer: {"not_a_list": A_LIST, "empty": AN_ITEM, "max_length": FEWER, "min_length": MORE},
    relations.SlugRelatedField: {
        "does_not_exist": _("There is no record “{value}” that can be named here. Look up its code in the list."),
        "invalid": _("Write the code of one record, as a text."),
    },
    relations.PrimaryKeyRelatedField: {
        "does_not_exist": _("There is no record {pk_value} that can be named here. Look it up in the list."),
        "incorrect_type": _("Write the number of one record."),
    },
    relations.ManyRelatedField: {"not_a_list": A_LIST, "empty": AN_ITEM},
}


def by_field(error: ValidationError) -> list[dict[str, str]]:
    """What is wrong with one row of several: `error` names the field, too; `field` and `text` are the same apart."""
    if not hasattr(error, "error_dict"):
        return [{"field": "", "text": text, "error": text} for text in error.messages]
    return [
        {"field": "", "text": text, "error": text} if name == NON_FIELD_ERRORS
        else {"field": name, "text": text, "error": f"{name}: {text}"}
        for name, texts in error for text in texts
    ]  # fmt: skip


def say_what_to_do() -> None:
    """Before the first field is made: each takes the sentences of its kinds then."""
    for one, text in OF_VALIDATORS.items():
        one.message = text
    validators.validate_slug.message = validators.validate_unicode_slug.message = SHORT_NAME
    validators.DecimalValidator.messages = validators.DecimalValidator.messages | {"invalid": NUMBER} | DIGITS
    for kind, texts in OF_FIELDS.items():
        own = vars(kind).get("default_error_messages", {})
        kind.default_error_messages = {**own, **texts}
    models.BaseConstraint.default_violation_error_message = _(
        "These values do not fit together (%(name)s). Check them, then save again."
    )
