"""The form of a webhook."""

from functools import partial

from django import forms

from projects.models import Webhook


class WebhookForm(forms.ModelForm):
    class Meta:
        model = Webhook
        fields = ["url", "subject", "query"]
        widgets = {"subject": forms.RadioSelect}
        field_classes = {"url": partial(forms.URLField, assume_scheme="https")}

    def __init__(self, *args, user, **kwargs):
        super().__init__(*args, **kwargs)
        self.instance.user = user
        self.fields["url"].widget.attrs["placeholder"] = "https://"
