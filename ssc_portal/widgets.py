"""Form fields as pages show them."""

from django import forms
from django.utils.translation import get_language

from ssc_portal.templatetags.portal import language_of_name


class NamedSelect(forms.Select):
    """A list of records. What there is only in another language than the reader's is marked with it."""

    def create_option(self, name, value, label, *args, **kwargs):
        option = super().create_option(name, value, label, *args, **kwargs)
        if record := getattr(value, "instance", None):
            language = getattr(record, "language", None) or language_of_name(record)
            if language != get_language():
                option["attrs"]["lang"] = language
        return option
