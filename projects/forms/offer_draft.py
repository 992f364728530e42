"""The parts of an offer while it is written: short pages in any order, each saved by itself, as those of a need."""

from functools import partial

from django import forms
from django.utils.translation import gettext_lazy as _

from ground.widgets import field_as_written
from partners.choices import COUNTRY_ROLES, PARTNER_ROLES
from partners.models import Country, CountryGroup, Partner, Region
from partners.rules import memberships
from projects.choices import CostTerms, OfferKind, OfferState
from projects.forms.draft import LineForm as NeedLineForm
from projects.forms.draft import PartForm, ThemesForm, WithLanguages, lines_form, model_part, part
from projects.lifecycle.offer import REQUIRED
from projects.models import Offer, OfferLine, Project


class LineForm(NeedLineForm):
    by_when = None  # an offer says when it can be had as a whole

    class Meta:
        model = OfferLine
        fields = ["text", "assistance", "cost", "quantity", "unit", "note"]
        formfield_callback = field_as_written

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["cost"].choices = CostTerms.choices
        self.fields["cost"].initial = CostTerms.FREE


class EligibleForm(WithLanguages):
    """Who can have it: groups, regions and countries; nothing chosen means all."""

    GROUPS = {
        "groups": ("group", _("Groups of countries")),
        "regions": ("region", _("Regions")),
        "countries": ("country", _("Countries")),
    }

    class Meta:
        model = Offer
        fields: list[str] = []

    field_order = ["languages"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        chosen = list(self.instance.eligible.values_list("country", "group", "region"))
        places = {
            "groups": CountryGroup.objects.order_by("code"),
            "regions": Region.objects.exclude(code="001").by_name(),
            "countries": Country.objects.by_name(),
        }
        for place, (name, records) in enumerate(places.items()):
            many = forms.SelectMultiple(attrs={"size": 8}) if name == "countries" else forms.CheckboxSelectMultiple()
            field = forms.ModelMultipleChoiceField(records, label=self.GROUPS[name][1], required=False, widget=many)
            if place == 0:
                field.help_text = _("Choose nothing in the three lists if all countries can have it.")
            column = {"countries": 0, "groups": 1, "regions": 2}[name]
            self.initial[name] = [row[column] for row in chosen if row[column]]
            field.disabled = self.fields["languages"].disabled
            self.fields[name] = field

    def names_of(self, field):
        return {"eligible"} if field in self.GROUPS else {field}

    @property
    def values(self):
        if not self.names:
            return {}
        eligible = [
            f"{kind}:{place.pk}" for name, (kind, _label) in self.GROUPS.items() for place in self.cleaned_data[name]
        ]
        return {"languages": self.cleaned_data["languages"], "eligible": eligible}


class EvidenceForm(PartForm):
    """What it rests on, and the project it comes from, by its reference."""

    project = forms.ModelChoiceField(
        label=_("Project it comes from"), queryset=Project.objects.none(), to_field_name="reference", required=False,
        widget=forms.TextInput(attrs={"placeholder": "P-2026-0001"}), help_text=_("Its reference, if it is on record here."),
        error_messages={"invalid_choice": _("There is no project with this reference. Look it up in the list of projects.")},
    )  # fmt: skip

    class Meta:
        model = Offer
        fields = ["maturity", "past_cooperation", "evidence", "project"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["project"].queryset = Project.objects.visible_to(self.user)
        self.initial["project"] = self.instance.project.reference if self.instance.project else ""
        if self.instance.kind != OfferKind.TECHNOLOGY:
            del self.fields["maturity"]


class WhenForm(PartForm):
    website = forms.URLField(label=_("Website"), required=False, max_length=500, assume_scheme="https",
                             widget=forms.TextInput(attrs={"inputmode": "url"}))  # fmt: skip

    class Meta:
        model = Offer
        fields = ["available_from", "available_until", "deadline", "how_to_apply", "website"]
        widgets = dict.fromkeys(fields[:3], forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))


_part = partial(part, required=REQUIRED[OfferState.SUBMITTED])
OFFER_PARTS = (
    _part("what", _("What you share"), _("In plain words, for somebody who does not know you."),
          model_part("kind", "title", "language", "summary", "description", model=Offer, widgets={"kind": forms.RadioSelect})),
    _part("lines", _("What exactly, and how much"),
          _("One line for each kind of help, free of charge and at cost apart. Needs are matched line by line."),
          partial(lines_form, line=LineForm), "lines"),
    _part("themes", _("Themes and goals"), _("By these, countries find your offer."), ThemesForm, "terms"),
    _part("eligible", _("For whom, in which languages"), _("Who can have it, and how you work together."), EligibleForm, "languages", "eligible"),
    _part("when", _("When and how"), _("When it can be had, and how it is asked for."),
          WhenForm),
    _part("evidence", _("What it rests on"), _("With whom you did it before, and what shows that it works."), EvidenceForm),
    _part("private", _("Contact and private terms"),
          _("The contact is shown to people with a role here; conditions and rights stay private until a country has accepted a response."),
          model_part("contact_name", "contact_email", "contact_phone", "conditions", "intellectual_property", model=Offer)),
)  # fmt: skip


class BeginOfferForm(forms.ModelForm):
    """The first page: in whose name, what kind, its title."""

    who = forms.ChoiceField(label=_("In the name of"))
    key = forms.CharField(widget=forms.HiddenInput, required=False, max_length=60)

    class Meta:
        model = Offer
        fields = ["kind", "title"]
        widgets = {"kind": forms.RadioSelect}

    field_order = ["who", "kind", "title"]

    def __init__(self, *args, user, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["kind"].initial = OfferKind.EXPERTISE
        own = [m for m in memberships(user) if m.role in (*COUNTRY_ROLES, *PARTNER_ROLES)]
        self.instance.is_on_behalf = user.is_staff and not own
        if self.instance.is_on_behalf:
            found = [("partner", p) for p in Partner.objects.by_name()] + [
                ("country", c) for c in Country.objects.by_name()
            ]
            self.fields["who"].help_text = _("You enter it on the provider's behalf.")
        else:
            found = [("partner", m.partner) if m.partner_id else ("country", m.country) for m in own]
        self.fields["who"].choices = {f"{kind}:{record.pk}": str(record) for kind, record in found}.items()

    def clean(self):
        found = super().clean()
        if who := found.get("who"):
            kind, _colon, key = who.partition(":")
            self.instance.partner = Partner.objects.get(pk=key) if kind == "partner" else None
            self.instance.country = Country.objects.get(pk=key) if kind == "country" else None
        return found
