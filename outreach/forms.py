"""The forms by which one writes to us, and asks for updates."""

from django import forms
from django.conf import settings
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from ground.widgets import NamedSelect
from outreach.choices import Rhythm, Told
from outreach.filters import WORLD
from outreach.models import ContactMessage, Subscriber, Topic
from outreach.subjects import SUBJECTS, label
from outreach.subscribing import Wish
from partners.models import Country, Partner, Region
from projects.models import ProjectCountry, Term


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


class AddressForm(forms.Form):
    """Where to, in which language, how often."""

    email = forms.EmailField(
        label=_("Your e-mail address"), max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "email"}),
        help_text=_("You get one mail with a link. Nothing is kept before you have followed it."),
    )  # fmt: skip
    rhythm = forms.ChoiceField(
        label=_("How often"), choices=Rhythm, initial=Rhythm.WEEKLY, widget=forms.RadioSelect,
        help_text=_("Nothing is sent when there is nothing new."),
    )  # fmt: skip
    language = forms.ChoiceField(label=_("Language of the mail"), choices=settings.LANGUAGES)
    website = forms.CharField(label=_("Leave this field empty"), required=False, max_length=200)  # a trap for programs

    def wish(self, wanted: list[tuple[str, str]]) -> Wish:
        data = self.cleaned_data
        return Wish(data["email"], data["language"], data["rhythm"], tuple(wanted))


def _narrowing(label, records, code: str, empty) -> forms.ModelChoiceField:
    return forms.ModelChoiceField(
        label=label, queryset=records, to_field_name=code, required=False, empty_label=empty, widget=NamedSelect
    )


class SubscribeForm(AddressForm):
    """What to be told of, narrowed by a theme, a region, a country, a partner."""

    told = forms.MultipleChoiceField(
        label=_("What you want to hear of"), choices=Told, widget=forms.CheckboxSelectMultiple
    )
    theme = _narrowing(_("Only about this theme"), Term.objects.themes(), "code", _("all themes"))
    region = _narrowing(_("Only from this region"), Region.objects.exclude(code=WORLD), "code", _("all regions"))
    country = _narrowing(_("Only about this country"), Country.objects.all(), "iso3", _("all countries"))
    partner = _narrowing(_("Only of this partner"), Partner.objects.all(), "slug", _("all partners"))
    field_order = ["told", "theme", "region", "country", "partner", "rhythm", "language", "email"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        taking_part = Q(is_un_member=True) | Q(pk__in=ProjectCountry.objects.values("country"))
        self.fields["country"].queryset = Country.objects.filter(taking_part).by_name()  # of 248 areas of M49
        self.fields["partner"].queryset = Partner.objects.by_name()
        self.fields["region"].queryset = Region.objects.exclude(code=WORLD).by_name()

    def clean(self):
        data = super().clean()
        told = data.get("told") or []
        if data.get("partner") and Told.NEEDS in told:
            self.add_error("partner", _("Needs are of countries, not of partners. Ask for needs without a partner."))
        return data

    @property
    def wanted(self) -> list[tuple[str, str]]:
        """Each thing asked for, with its search. Raises ValidationError."""
        data = self.cleaned_data
        codes = {"theme": "code", "region": "code", "country": "iso3", "partner": "slug"}
        chosen = {name: getattr(data[name], column) for name, column in codes.items() if data.get(name)}
        return [(told, SUBJECTS[told].narrowed(chosen) if told in SUBJECTS else "") for told in data["told"]]


class ChoicesForm(forms.ModelForm):
    """How somebody is told, and of what they go on to hear."""

    kept = forms.ModelMultipleChoiceField(
        label=_("What you hear of"), queryset=None, required=False, widget=forms.CheckboxSelectMultiple,
        help_text=_("Take away the mark from what you do not want any more."),
    )  # fmt: skip

    class Meta:
        model = Subscriber
        fields = ["rhythm", "language"]
        labels = {"rhythm": _("How often"), "language": _("Language of the mail")}
        widgets = {"rhythm": forms.RadioSelect}
        help_texts = {"rhythm": _("Nothing is sent when there is nothing new.")}

    field_order = ["kept", "rhythm", "language"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        followed = self.instance.subscriptions.all()
        self.fields["kept"].queryset = followed
        self.fields["kept"].label_from_instance = lambda one: label(one.told, one.query)
        self.initial["kept"] = [one.pk for one in followed]


class ReminderForm(forms.Form):
    """Asks for the link to one's choices."""

    email = forms.EmailField(
        label=_("Your e-mail address"), max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "email"})
    )
