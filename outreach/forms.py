"""The form by which one writes to us."""

from django import forms
from django.utils.translation import gettext_lazy as _

from outreach.models import ContactMessage, Topic
from ssc_portal.widgets import NamedSelect


class ContactForm(forms.ModelForm):
    topic = forms.ModelChoiceField(
        label=_("Topic"), queryset=Topic.objects.offered(), to_field_name="code", empty_label=_("choose one"), widget=NamedSelect
    )  # fmt: skip
    key = forms.CharField(widget=forms.HiddenInput, max_length=200)
    website = forms.CharField(label=_("Leave this field empty"), required=False, max_length=200)  # a trap for programs

    class Meta:
        model = ContactMessage
        fields = ["topic", "name", "email", "text", "about"]
        labels = {
            "name": _("Your name"),
            "email": _("Your e-mail address"),
            "text": _("Your message"),
        }
        widgets = {
            "about": forms.HiddenInput,
            "text": forms.Textarea(attrs={"rows": 9}),
            "email": forms.EmailInput(attrs={"autocomplete": "email"}),
            "name": forms.TextInput(attrs={"autocomplete": "name"}),
        }
        help_texts = {"email": _("The answer goes there. It is shown to nobody but the desk.")}
