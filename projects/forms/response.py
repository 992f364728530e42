"""Forms of responses: offering for lines of a need, asking somebody to offer, and a word about a response."""

from django import forms
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from ground.numbers import plainly
from ground.templatetags.portal import in_language
from ground.widgets import NamedSelect, NumberField
from partners.models import Country, Partner
from partners.rules import memberships
from projects.choices import counted
from projects.coverage import Coverage, coverage_of
from projects.models import Answer, Need, Offer, Project, Response


class OfferField(forms.ModelChoiceField):
    """One of the responder's own offers, by reference and title."""

    widget = NamedSelect

    def label_from_instance(self, offer) -> str:
        return f"{offer.reference} {offer.title}"


def _still_open(row: Coverage) -> str:
    if not row.is_counted:
        return _("quantity not stated")
    return _("%(open)s %(unit)s still open") % {"open": plainly(row.open), "unit": counted(row.line.unit, row.open)}


class WithLines(forms.ModelForm):
    """Base: how much of each line. `answers` is what actions take."""

    def add_lines(self, need: Need, quantities: dict[int, object]) -> None:
        self.lines: list[tuple[Coverage, forms.BoundField]] = []
        for row in coverage_of(need):
            name = f"line_{row.line.pk}"
            self.fields[name] = NumberField(
                label=format_html("{}. {}", row.letter, in_language(row.line.text, need.language)), required=False, min_value=0, max_digits=12, decimal_places=2,
                help_text=_still_open(row),
                initial=quantities.get(row.line.pk),
            )  # fmt: skip
            self.lines.append((row, self[name]))

    @property
    def answers(self) -> list[Answer]:
        return [
            Answer(line=row.line, quantity=quantity)
            for row, field in self.lines
            if (quantity := self.cleaned_data.get(field.name))
        ]


class ResponseForm(WithLines):
    """Which lines, how much of each, on which terms; in the name of one's partner or country. With a response that was
    suggested as `instance`, it takes that up.
    """

    who = forms.ChoiceField(label=_("In the name of"))
    second = forms.ChoiceField(
        label=_("Second provider"), required=False,
        help_text=_("Who provides it together with you, in triangular cooperation. They read this response and confirm the plan too."),
    )  # fmt: skip
    project = forms.ModelChoiceField(
        label=_("Part of an existing project"), queryset=Project.objects.none(), to_field_name="reference", required=False,
        widget=forms.TextInput(attrs={"placeholder": "P-2026-0001"}),
        help_text=_("Its reference, where this is done within a project that runs already. Empty: it is a new activity."),
        error_messages={"invalid_choice": _("There is no project with this reference. Look it up in the list of projects.")},
    )  # fmt: skip
    key = forms.CharField(widget=forms.HiddenInput, required=False, max_length=60)

    class Meta:
        model = Response
        fields = ["offer", "text", "terms_text", "cost", "project", "starts_on", "ends_on"]
        field_classes = {"offer": OfferField}
        widgets = {
            "text": forms.Textarea(attrs={"rows": 5}),
            "terms_text": forms.Textarea(attrs={"rows": 3}),
            "cost": forms.RadioSelect,
            "starts_on": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            "ends_on": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        }

    field_order = ["who", "offer"]

    def __init__(self, *args, need: Need, user, **kwargs):
        super().__init__(*args, **kwargs)
        self.instance.need = need
        self.fields["project"].queryset = Project.objects.visible_to(user)
        self.fields["second"].choices = [
            ("", _("none")),
            (
                _("Countries"),
                [(f"country:{c.pk}", str(c)) for c in Country.objects.exclude(pk=need.country_id).by_name()],
            ),
            (_("Partners"), [(f"partner:{p.pk}", str(p)) for p in Partner.objects.by_name()]),
        ]
        asked = self.instance.pk is not None
        if asked:
            del self.fields["who"]
            self.initial["text"] = ""
            del self.fields["offer"]  # for which it was asked
        else:
            self.fields["who"].choices = responders(user, need)
            self.fields["offer"].queryset = Offer.objects.of(user).active()
            self.fields["offer"].to_field_name = "reference"
            if not self.fields["offer"].queryset.exists():
                del self.fields["offer"]
        quantities = {a.line_id: a.quantity for a in self.instance.answers.all()} if asked else {}
        self.add_lines(need, quantities)

    def clean_who(self):
        kind, key = self.cleaned_data["who"].split(":")
        self.instance.partner = Partner.objects.get(pk=key) if kind == "partner" else None
        self.instance.country = Country.objects.get(pk=key) if kind == "country" else None
        return self.cleaned_data["who"]

    def clean_second(self):
        kind, _colon, key = self.cleaned_data["second"].partition(":")
        self.instance.second_partner = Partner.objects.get(pk=key) if kind == "partner" else None
        self.instance.second_country = Country.objects.get(pk=key) if kind == "country" else None
        return self.cleaned_data["second"]


def responders(user, need: Need) -> list[tuple[str, str]]:
    """In whose names a person may respond to this need."""
    found = {}
    for held in memberships(user):
        response = Response(need=need, partner=held.partner, country=held.country)
        if held.country_id != need.country_id and user.has_perm("projects.express_response", response):
            found[f"partner:{held.partner_id}" if held.partner_id else f"country:{held.country_id}"] = str(
                response.responder
            )
    return list(found.items())


class SuggestForm(WithLines):
    """Asks a provider, for one of its offers, to help with lines of a need."""

    offer = forms.ModelChoiceField(
        label=_("Offer"), queryset=Offer.objects.none(), to_field_name="reference",
        widget=forms.TextInput(attrs={"placeholder": "O-2026-0001"}), help_text=_("Its reference."),
        error_messages={"invalid_choice": _("There is no active offer with this reference that this country can have. Look it up in the list of offers.")},
    )  # fmt: skip

    class Meta:
        model = Response
        fields = ["offer", "text"]
        labels = {"text": _("What you ask for")}
        help_texts = {"text": _("A few sentences to the provider. The provider, the country and UNEP read them.")}
        widgets = {"text": forms.Textarea(attrs={"rows": 5})}

    def __init__(self, *args, need: Need, **kwargs):
        super().__init__(*args, **kwargs)
        self.instance.need = need
        self.fields["offer"].queryset = Offer.objects.can_serve(need).select_related("partner", "country")
        self.add_lines(need, {row.line.pk: row.figures["open"] or None for row in coverage_of(need)})

    def clean_offer(self):
        offer = self.cleaned_data["offer"]
        self.instance.partner, self.instance.country = offer.partner, offer.country
        return offer


class WordForm(forms.Form):
    """A question, or the answer to one."""

    text = forms.CharField(
        label=_("Your question or answer"), max_length=2000, widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("The providers, the country and UNEP read it; nobody else does."),
    )  # fmt: skip


class ResponseDocumentForm(forms.Form):
    """A document beside a response."""

    title = forms.CharField(label=_("Title"), max_length=200, required=False)
    file = forms.FileField(label=_("File"), allow_empty_file=True, error_messages={"required": _("Choose a file.")})
