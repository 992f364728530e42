"""Forms of the moves of records."""

from django import forms
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from partners.models import Country, Partner
from partners.rules import memberships
from projects.choices import Criterion, SetAsideReason
from projects.coverage import Coverage, coverage_of
from projects.lifecycle import Transition
from projects.models import Answer, Need, Offer, Project, Response, SetAside
from projects.models.need import ENDED
from projects.models.response import ACCEPTED
from ssc_portal.templatetags.portal import in_language, named
from ssc_portal.widgets import NamedSelect

READERS = {  # of a note that is not public, by the kind of record
    "project": _("Only UNEP reads it."),
    "need": _("Only the country and UNEP read it."),
    "offer": _("Only the provider and UNEP read it."),
}


class NoteForm(forms.Form):
    """The note of a move."""

    note = forms.CharField(label=_("Note"), required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 4}))

    def __init__(self, *args, is_required=False, is_public=False, of="need", **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["note"].required = is_required
        self.fields["note"].help_text = _("Everybody can read it.") if is_public else READERS[of]


class ClosingForm(NoteForm):
    """What the country says at the end."""

    outcome = forms.CharField(label=_("What came of it"), max_length=8000, widget=forms.Textarea(attrs={"rows": 6}))
    rating = forms.TypedChoiceField(
        label=_("Rating"), coerce=int, choices=[(n, str(n)) for n in range(1, 6)], widget=forms.RadioSelect,
        help_text=_("1 (little came of it) to 5 (all that was hoped for)."),
    )  # fmt: skip
    lessons = forms.CharField(label=_("What was learned"), max_length=8000, widget=forms.Textarea(attrs={"rows": 6}))

    field_order = ["outcome", "rating", "lessons", "note"]


class ProjectForm(NoteForm):
    """The project that carries a need out."""

    project = forms.ModelChoiceField(
        label=_("Project"), queryset=Project.objects.none(), to_field_name="reference",
        widget=forms.TextInput(attrs={"placeholder": "P-2026-0001"}),
        help_text=_("Its reference. It has to be in delivery (IATI status 2)."),
        error_messages={"invalid_choice": _("There is no project with this reference. Look it up in the list of projects.")},
    )  # fmt: skip
    field_order = ["project", "note"]

    def __init__(self, *args, user, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["project"].queryset = Project.objects.visible_to(user)


class MergeForm(NoteForm):
    """The need into which another goes."""

    merged_into = forms.ModelChoiceField(label=_("Merge into"), queryset=Need.objects.none(), to_field_name="reference",
                                         widget=NamedSelect,
                                         help_text=_("Needs of the same country that have not ended."))  # fmt: skip
    field_order = ["merged_into", "note"]

    def __init__(self, *args, need: Need, user, **kwargs):
        super().__init__(*args, **kwargs)
        others = Need.objects.visible_to(user).filter(country=need.country).exclude(pk=need.pk).exclude(state__in=ENDED)
        self.fields["merged_into"].queryset = others.order_by("-pk")


class PlanForm(forms.ModelForm):
    """The plan that all sides then confirm."""

    class Meta:
        model = Need
        fields = ["plan"]
        widgets = {"plan": forms.Textarea(attrs={"rows": 14, "data-count": 8000})}


class DeliveredForm(forms.Form):
    """How much of each accepted answer has been delivered."""

    def __init__(self, *args, need: Need, **kwargs):
        super().__init__(*args, **kwargs)
        self.rows = Answer.objects.filter(response__need=need, response__state__in=ACCEPTED).select_related(
            "line", "response__partner", "response__country"
        )
        for answer in self.rows:
            self.fields[str(answer.pk)] = forms.DecimalField(
                label=format_html(
                    "{}: {}", in_language(answer.line.text, need.language), named(answer.response.responder)
                ), initial=answer.delivered, min_value=0,
                max_value=answer.quantity, max_digits=12, decimal_places=2,
                help_text=_("of %(agreed)s %(unit)s agreed")
                % {"agreed": f"{answer.quantity.normalize():f}", "unit": answer.line.get_unit_display()},
            )  # fmt: skip

    @property
    def delivered(self) -> dict:
        return {int(name): value for name, value in self.cleaned_data.items()}


class ScreeningForm(forms.Form):
    """Yes or no and a note for each criterion."""

    def __init__(self, *args, need: Need, **kwargs):
        super().__init__(*args, **kwargs)
        given = {answer.criterion: answer for answer in need.criteria.all()}
        for criterion in Criterion:
            answer = given.get(criterion)
            self.fields[criterion.value] = forms.TypedChoiceField(
                label=criterion.label, coerce=lambda value: value == "yes", choices=[("yes", _("yes")), ("no", _("no"))],
                widget=forms.RadioSelect, initial=answer and ("yes" if answer.is_met else "no"),
            )  # fmt: skip
            self.fields[f"{criterion.value}_note"] = forms.CharField(
                label=_("Why"),
                max_length=2000,
                widget=forms.Textarea(attrs={"rows": 2}),
                initial=answer and answer.note,
            )
        self.fields["referral"] = forms.CharField(
            label=_("Referral"), required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 2}),
            initial=need.referral, help_text=_("If a criterion is not met: who else could help."),
        )  # fmt: skip

    @property
    def answers(self) -> dict[str, tuple[bool, str]]:
        return {c: (self.cleaned_data[c], self.cleaned_data[f"{c}_note"]) for c in Criterion.values}


class OfferField(forms.ModelChoiceField):
    """One of the responder's own offers, by reference and title."""

    widget = NamedSelect

    def label_from_instance(self, offer) -> str:
        return f"{offer.reference} {offer.title}"


class ResponseForm(forms.ModelForm):
    """Which lines, how much of each, on which terms; in the name of one's partner or country."""

    who = forms.ChoiceField(label=_("In the name of"))
    key = forms.CharField(widget=forms.HiddenInput, required=False, max_length=60)

    class Meta:
        model = Response
        fields = ["offer", "text", "terms_text", "cost", "starts_on", "ends_on"]
        field_classes = {"offer": OfferField}
        widgets = {
            "text": forms.Textarea(attrs={"rows": 5}),
            "terms_text": forms.Textarea(attrs={"rows": 3}),
            "cost": forms.RadioSelect,
            "starts_on": forms.DateInput(attrs={"type": "date"}),
            "ends_on": forms.DateInput(attrs={"type": "date"}),
        }

    field_order = ["who", "offer"]

    def __init__(self, *args, need: Need, user, **kwargs):
        super().__init__(*args, **kwargs)
        self.instance.need = need
        self.fields["who"].choices = responders(user, need)
        self.fields["offer"].queryset = Offer.objects.of(user).active()
        self.fields["offer"].to_field_name = "reference"
        if not self.fields["offer"].queryset.exists():
            del self.fields["offer"]
        self.lines: list[tuple[Coverage, forms.BoundField]] = []
        for row in coverage_of(need):
            name = f"line_{row.line.pk}"
            self.fields[name] = forms.DecimalField(
                label=format_html("{}. {}", row.letter, in_language(row.line.text, need.language)), required=False, min_value=0, max_digits=12, decimal_places=2,
                help_text=_("%(open)s %(unit)s still open") % {"open": f"{row.open.normalize():f}", "unit": row.line.get_unit_display()},
            )  # fmt: skip
            self.lines.append((row, self[name]))

    def clean_who(self):
        kind, key = self.cleaned_data["who"].split(":")
        self.instance.partner = Partner.objects.get(pk=key) if kind == "partner" else None
        self.instance.country = Country.objects.get(pk=key) if kind == "country" else None
        return self.cleaned_data["who"]

    @property
    def answers(self) -> list[Answer]:
        return [
            Answer(line=row.line, quantity=quantity)
            for row, field in self.lines
            if (quantity := self.cleaned_data.get(field.name))
        ]


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


def form_of(move: Transition, record: Project | Need | Offer, *, user, data=None) -> NoteForm:
    """The form that a move takes, for page, API and admin: its note, and what else it writes."""
    more = {"is_required": move.requires_note, "is_public": move.is_note_public, "of": move.model}
    if move.action in ("close", "close_partly"):
        return ClosingForm(data, initial={n: getattr(record, n) for n in ("outcome", "rating", "lessons")}, **more)
    if move.action == "merge":
        return MergeForm(data, need=record, user=user, **more)
    if move.action == "start":
        return ProjectForm(data, user=user, **more)
    return NoteForm(data, **more)


class SetAsideForm(forms.ModelForm):
    """Why a match is not for one's side."""

    class Meta:
        model = SetAside
        fields = ["reason", "note"]
        widgets = {"reason": forms.RadioSelect, "note": forms.Textarea(attrs={"rows": 3})}
        labels = {"reason": _("Why?"), "note": _("Note")}
        help_texts = {
            "reason": _("It is kept, and makes later matches better: what is similar counts less."),
            "note": _("Only you, the other side and UNEP read it."),
        }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["reason"].choices = SetAsideReason.choices  # no empty one
