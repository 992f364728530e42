"""Forms of the moves of records."""

from django import forms
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from ground import listing
from ground.numbers import plainly
from ground.templatetags.portal import in_language, named
from ground.widgets import NamedSelect, NumberField
from projects.choices import Criterion, SetAsideReason, counted
from projects.deliveries import not_emptied
from projects.lifecycle import Transition
from projects.lifecycle.need import ASKED_IN, TO_SUBMIT
from projects.models import Answer, LineItem, Need, Offer, Project, RecordCheck, SetAside
from projects.models.need import ENDED

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
        label=_("Project"), queryset=Project.objects.none(), to_field_name="reference", required=False,
        widget=forms.TextInput(attrs={"placeholder": "P-2026-0001"}),
        help_text=_("Empty: a new project is made from the plan. Otherwise the reference of one in delivery (IATI status 2), to which the plan is added."),
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


class DeliveredForm(forms.Form):
    """How much has been delivered of each of these accepted answers."""

    def __init__(self, *args, need: Need, answers: list[Answer], **kwargs):
        super().__init__(*args, **kwargs)
        for answer in answers:
            self.fields[str(answer.pk)] = NumberField(
                label=format_html(
                    "{}: {}", in_language(answer.line.text, need.language), named(answer.response.responder)
                ), initial=answer.delivered, required=False, min_value=0,
                max_value=answer.most, max_digits=12, decimal_places=2,
                help_text=_("of %(agreed)s %(unit)s agreed")
                % {"agreed": plainly(answer.promised), "unit": counted(answer.line.unit, answer.promised)},
            )  # fmt: skip

    def clean(self):
        for name, field in self.fields.items():
            is_emptied = self.add_prefix(name) in self.data and self.cleaned_data.get(name, field.initial) is None
            if is_emptied and field.initial is not None:
                self.add_error(name, not_emptied(field.initial))
        if not self.errors and not self.delivered:
            raise forms.ValidationError(_("Enter how much of at least one line was delivered."))

    @property
    def delivered(self) -> dict:
        """What was entered. An empty box says nothing of its line, which stays as it is."""
        return {int(name): value for name, value in self.cleaned_data.items() if value is not None}


class ScreeningForm(forms.Form):
    """Yes or no and a note for each criterion."""

    def __init__(self, *args, need: Need, **kwargs):
        super().__init__(*args, **kwargs)
        given = {answer.criterion: answer for answer in need.criteria.all()}
        for criterion in Criterion:
            answer = given.get(criterion)
            self.fields[criterion.value] = forms.TypedChoiceField(
                label=criterion.label, help_text=_asked_in(criterion, need), coerce=lambda value: value == "yes", choices=[("yes", _("yes")), ("no", _("no"))],
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


def _asked_in(criterion: str, need: Need) -> str:
    """Under which questions of the draft the answer stands."""
    others = {requirement.field for requirement in TO_SUBMIT if requirement.only_for not in ("", need.kind)}
    labels = [
        LineItem._meta.verbose_name_plural if name == "lines" else Need._meta.get_field(name).verbose_name
        for name in ASKED_IN[criterion] if name not in others
    ]  # fmt: skip
    return _("Asked in the draft: %(questions)s.") % {"questions": listing.with_semicolons(labels)}


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


class CheckForm(forms.ModelForm):
    """Whether the record of a project is right; in whose name, where a person speaks for several."""

    is_right = forms.TypedChoiceField(
        label=_("Is this record right?"), coerce=lambda value: value == "yes", widget=forms.RadioSelect,
        choices=[("yes", _("yes, it is right")), ("no", _("no, something is wrong"))],
        help_text=_("Countries, partners and their roles, dates, contributions and results, as they stand on its page."),
    )  # fmt: skip

    class Meta:
        model = RecordCheck
        fields = ["text"]
        widgets = {"text": forms.Textarea(attrs={"rows": 4})}

    field_order = ["who", "is_right", "text"]

    def __init__(self, *args, project: Project, sides: list, **kwargs):
        super().__init__(*args, **kwargs)
        self.instance.project, self.sides = project, sides
        if len(sides) > 1:
            choices = [(str(n), str(who)) for n, who in enumerate(sides)]
            self.fields["who"] = forms.ChoiceField(label=_("In the name of"), choices=choices)
            self.order_fields(self.field_order)

    def clean(self):
        found = super().clean()
        who = self.sides[int(found.get("who") or 0)]
        for name, value in RecordCheck.of(who).items():
            setattr(self.instance, name, value)
        self.instance.is_right = found.get("is_right", True)
        return found
