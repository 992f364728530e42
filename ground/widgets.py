"""Form fields as pages show them."""

from decimal import Decimal

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from ground.numbers import NotANumber, clearly, read_number
from ground.templatetags.portal import in_words, language_of_name, number


class NamedSelect(forms.Select):
    """A list of records. What there is only in another language than the reader's is marked with it."""

    def create_option(self, name, value, label, *args, **kwargs):
        option = super().create_option(name, value, label, *args, **kwargs)
        if record := getattr(value, "instance", None):
            language = getattr(record, "language", None) or language_of_name(record)
            if language != get_language():
                option["attrs"]["lang"] = language
        return option


class NumberField(forms.DecimalField):
    """A number, written as people write it where they live: 12,5 or 12.5. What can mean two numbers is refused.

    A field of text: fields of the type "number" let signs vanish while one types, so that 12,5 becomes 125.
    """

    widget = forms.TextInput(attrs={"inputmode": "decimal"})

    def prepare_value(self, value):
        """As it is read again: 33.924 as 33.9240, since the one can mean two numbers."""
        return clearly(value) if isinstance(value, Decimal) else value

    def to_python(self, value):
        return super().to_python(_read(value))

    def run_validators(self, value):
        """A limit is told as numbers are read here: 10, not 10.00."""
        try:
            super().run_validators(value)
        except ValidationError as error:
            for one in error.error_list:
                params = (one.params or {}).items()
                one.params = {name: number(each) if isinstance(each, Decimal) else each for name, each in params}
            raise


class WholeNumberField(forms.IntegerField):
    """A whole number, written as people write it: 1 200, or 1200. Not 12.000, which can mean two numbers."""

    widget = forms.TextInput(attrs={"inputmode": "numeric"})

    def to_python(self, value):
        number = _read(value)
        if isinstance(number, Decimal) and number != number.to_integral_value():
            raise ValidationError(_("“%(text)s” is no whole number.") % {"text": value[:20]}, code="invalid")
        return super().to_python(int(number) if isinstance(number, Decimal) else number)


def name_of(db_field: models.Field) -> str:
    """What a record's field is called; one of six for a text in six languages with its language."""
    language = getattr(db_field, "_translated_field_language_code", "")
    return with_language(db_field.verbose_name, language) if language else str(db_field.verbose_name)


def with_language(name, language: str) -> str:
    return _("%(name)s (%(language)s)") % {"name": name, "language": in_words(language)}


FIELDS_OF_NUMBERS = ((models.DecimalField, NumberField), (models.IntegerField, WholeNumberField))


def field_as_written(db_field: models.Field, **kwargs) -> forms.Field | None:
    """The form field of a record's field (a `formfield_callback`): numbers as people write them."""
    return db_field.formfield(**{**options_as_written(db_field), **kwargs})


def options_as_written(db_field: models.Field) -> dict:
    """What makes its form field one that reads numbers as people write them; nothing for other fields."""
    kind = next((field for model, field in FIELDS_OF_NUMBERS if isinstance(db_field, model)), None)
    return {"form_class": kind, "widget": kind.widget} if kind and not db_field.choices else {}


def _read(value):
    """A text as the number that it means; everything else as it is."""
    if not isinstance(value, str) or not value.strip():
        return value
    try:
        return read_number(value)
    except NotANumber as error:
        raise ValidationError(str(error), code="invalid") from None
