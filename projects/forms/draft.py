"""The parts of a draft: short pages in any order, each saved by itself. The spreadsheet takes the same forms."""

import calendar
import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.dates import MONTHS
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from ground.widgets import field_as_written
from partners.choices import COUNTRY_ROLES
from partners.models import Country, Partner
from partners.rules import memberships
from projects.choices import NeedKind, Unit, Vocabulary
from projects.drafting import MOST_LINES, writable
from projects.lifecycle.need import TO_SUBMIT, Requirement
from projects.models import LineItem, Need, Term

SPARE_LINES = 2  # empty rows under the lines that are there


class MonthWidget(forms.MultiWidget):
    """Month and year, since a date picker asks for more than anybody knows."""

    template_name = "widgets/month.html"

    def __init__(self):
        months = [("", _("month")), *MONTHS.items()]
        year = forms.TextInput(
            attrs={
                "inputmode": "numeric",
                "class": "yr",
                "maxlength": 4,
                "placeholder": _("year"),
                "aria-label": _("year"),
            }
        )
        super().__init__({"month": forms.Select(choices=months, attrs={"aria-label": _("month")}), "year": year})

    def decompress(self, value):
        return [value.month, value.year] if value else [None, None]


class MonthField(forms.MultiValueField):
    """A month, kept as its last day: “by June 2027” lasts until the 30th; as its first where it `begins` something."""

    widget = MonthWidget

    def __init__(self, *, begins: bool = False, **kwargs):
        self.begins = begins
        fields = (
            forms.TypedChoiceField(choices=[("", ""), *MONTHS.items()], coerce=int, required=False, empty_value=None),
            forms.IntegerField(min_value=2000, max_value=2100, required=False),
        )
        super().__init__(fields, require_all_fields=False, **kwargs)

    def compress(self, values):
        month, year = values or (None, None)
        if not month and not year:
            return None
        if not month or not year:
            raise ValidationError(_("Give the month and the year, or neither."))
        return dt.date(year, month, 1 if self.begins else calendar.monthrange(year, month)[1])


class PartForm(forms.ModelForm):
    """Base of the parts. `values` is what `drafting.save` takes."""

    is_background = False  # saved while somebody types, not by a press

    def __init__(self, *args, user=None, **kwargs):
        super().__init__(*args, **kwargs)
        self.user = user
        open_fields = writable(self.instance)
        for name, field in self.fields.items():
            if isinstance(field.widget, forms.Textarea):
                field.widget.attrs |= {"rows": 6, "data-count": field.max_length or ""}
            if self.names_of(name) - open_fields:
                field.disabled = True

    def names_of(self, field: str) -> set[str]:
        """The fields of the need that a field of this form stands for."""
        return {field}

    @property
    def names(self) -> set[str]:
        return set().union(*(self.names_of(name) for name, field in self.fields.items() if not field.disabled))

    @property
    def values(self) -> dict:
        return {name: self.cleaned_data[name] for name in self.names}


def model_part(*names: str, model=Need, widgets: dict | None = None, base=PartForm) -> type[PartForm]:
    return forms.modelform_factory(
        model, form=base, fields=names, widgets=widgets or {}, formfield_callback=field_as_written
    )


class WithLanguages(PartForm):
    """Base: a part in which the languages of work are named."""

    languages = forms.CharField(label=_("Languages of work"), required=False, max_length=100,
                                help_text=_("Codes, separated by commas: en, fr, sw."))  # fmt: skip

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.initial["languages"] = ", ".join(self.instance.languages)

    def clean_languages(self):
        codes = [code.strip().lower() for code in self.cleaned_data["languages"].split(",") if code.strip()]
        self.instance._meta.get_field("languages").clean(codes, self.instance)
        return list(dict.fromkeys(codes))


class LanguagesForm(WithLanguages):
    class Meta:
        model = Need
        fields = ["public_summary"]


class InstitutionForm(PartForm):
    NEW = "new"
    record = forms.ChoiceField(
        label=_("Its record among the partners"), required=False,
        help_text=_("Choose it where it is there; otherwise a record is made from its name, and UNEP checks it."),
    )  # fmt: skip

    class Meta:
        model = Need
        fields = ["institution", "contact_name", "contact_email", "contact_phone", "scope", "place"]

    field_order = ["institution", "record"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        known = Partner.objects.filter(country=self.instance.country).by_name()
        self.fields["record"].choices = [
            ("", _("none")), (self.NEW, _("make one from the name above")), *((str(p.pk), str(p)) for p in known[:300])
        ]  # fmt: skip
        self.initial["record"] = str(self.instance.institution_partner_id or "")

    def names_of(self, field):
        return {"institution_partner"} if field == "record" else {field}

    def clean(self):
        found = super().clean()
        if found.get("record") == self.NEW and not found.get("institution"):
            self.add_error("institution", _("Give its name, so that a record can be made from it."))
        return found

    @property
    def values(self):
        found = {name: self.cleaned_data[name] for name in self.names - {"institution_partner"}}
        if "institution_partner" in self.names:
            chosen = self.cleaned_data["record"]
            if chosen == self.NEW and self.is_background:  # the name may be half typed: the press makes the record
                partner = self.instance.institution_partner
            elif chosen == self.NEW:
                partner = Partner.objects.of_country(self.instance.country, self.cleaned_data["institution"])
            else:
                partner = Partner.objects.get(pk=chosen) if chosen else None
            found["institution_partner"] = partner
        return found


class ThemesForm(PartForm):
    """Vocabularies to choose from. Each group is one field; together they are the terms of the need."""

    GROUPS = {
        "themes": (Vocabulary.BSP_THEME, _("Thematic areas of the Bali Strategic Plan")),
        "issues": (Vocabulary.BSP_ISSUE, _("Cross-cutting issues")),
        "goals": (Vocabulary.SDG, _("Sustainable Development Goals")),
        "levels": (Vocabulary.CAPACITY, _("Levels of capacity")),
    }

    class Meta:
        model = Need
        fields: list[str] = []

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        chosen = list(self.instance.term_links.values_list("term_id", flat=True)) if self.instance.pk else []
        for name, (vocabulary, label) in self.GROUPS.items():
            terms = Term.objects.in_use().filter(vocabulary=vocabulary)
            if vocabulary == Vocabulary.SDG:
                terms = terms.filter(parent=None)
            field = forms.ModelMultipleChoiceField(
                terms.order_by("position", "pk"), label=label, required=False, widget=forms.CheckboxSelectMultiple
            )
            field.disabled = "terms" not in writable(self.instance)
            self.fields[name] = field
            offered = {term.pk for term in field.queryset}
            self.initial[name] = [key for key in chosen if key in offered]
        asked = {key for name in self.GROUPS for key in self.initial[name]}
        self.kept = [key for key in chosen if key not in asked]  # such as targets below a goal, and what was withdrawn

    def names_of(self, field):
        return {"terms"}

    @property
    def values(self):
        if not self.names:
            return {}
        return {"terms": [*self.kept, *(term.pk for name in self.GROUPS for term in self.cleaned_data[name])]}


class LineForm(forms.ModelForm):
    id = forms.IntegerField(required=False, widget=forms.HiddenInput)
    by_when = MonthField(label=_("By when"), required=False)

    class Meta:
        model = LineItem
        fields = ["text", "assistance", "quantity", "unit", "by_when", "note"]
        formfield_callback = field_as_written

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["assistance"].queryset = Term.objects.filter(vocabulary=Vocabulary.ASSISTANCE).order_by(
            "position", "pk"
        )
        self.fields["unit"].choices = [("", _("choose")), *Unit.choices]

    def clean_by_when(self):
        """A month that was not changed keeps the day that it had."""
        day, before = self.cleaned_data["by_when"], self.instance.by_when
        return before if day and before and (day.year, day.month) == (before.year, before.month) else day

    def clean(self):
        found = super().clean()
        if (found.get("quantity") is None) != (not found.get("unit")) and "quantity" not in self.errors:
            self.add_error("quantity" if found.get("quantity") is None else "unit",
                           _("Give a quantity together with its unit, or neither."))  # fmt: skip
        return found


class Lines(forms.BaseFormSet):
    """The lines of a need or offer as rows. Looks like a part form to whoever saves it."""

    is_background = False

    def __init__(self, data=None, *, instance, user=None, **kwargs):
        self.instance, self.user = instance, user
        self.stored = list(instance.lines.select_related("assistance")) if instance.pk else []
        self.is_open = "lines" in writable(instance)
        self.names = {"lines"} if self.is_open else set()
        # A row that was sent says itself which line it is; its place may be another by now.
        initial = [{"id": line.pk} for line in self.stored] if data is None else None
        super().__init__(data, prefix="lines", initial=initial, **kwargs)

    def get_form_kwargs(self, index):
        """The stored line that a row stands for: by its key, since others may have added or removed lines meanwhile."""
        if index is None:
            return {}
        if not self.is_bound:
            return {"instance": self.stored[index]} if index < len(self.stored) else {}
        key = self.data.get(f"lines-{index}-id", "")
        line = next((line for line in self.stored if str(line.pk) == key), None)
        return {"instance": line} if line else {}

    @cached_property
    def kinds_of_help(self) -> list:
        """Asked for once, not by each row."""
        terms = Term.objects.filter(vocabulary=Vocabulary.ASSISTANCE).order_by("position", "pk")
        return [("", _("choose")), *((term.pk, str(term)) for term in terms)]

    def _construct_form(self, i, **kwargs):
        form = super()._construct_form(i, **kwargs)
        form.fields["assistance"].choices = self.kinds_of_help
        form.empty_permitted = form.empty_permitted and form.instance.pk is None
        if not self.is_open:
            for field in form.fields.values():
                field.disabled = True
        return form

    @property
    def kept(self) -> list[LineForm]:
        """The rows that are lines: neither empty nor removed."""
        return [
            form for form in self.forms
            if not self._should_delete_form(form) and (form.instance.pk or form.has_changed())
        ]  # fmt: skip

    def keys(self) -> dict[str, int]:
        """{name of the hidden field: key} of the lines as they are stored now, in the order in which they were sent: a
        page that stays open sends them with the next save."""
        stored = self.instance.lines.values_list("pk", flat=True)
        return {form.add_prefix("id"): key for form, key in zip(self.kept, stored, strict=True)}

    @property
    def values(self) -> dict:
        rows = []
        for form in self.kept:
            data = form.cleaned_data
            assistance = data.get("assistance")
            kept = {name: data.get(name) for name in form.fields if name not in ("id", "assistance", "DELETE")}
            rows.append({**kept, "assistance_id": assistance.pk if assistance else None, "id": form.instance.pk})
        return {"lines": rows} if self.is_open else {}


def lines_form(data=None, *, instance, user=None, line=LineForm):
    formset = forms.formset_factory(
        line, formset=Lines, extra=SPARE_LINES, can_delete=True, max_num=MOST_LINES, absolute_max=MOST_LINES + 10
    )
    return formset(data, instance=instance, user=user)


class EndorsementForm(PartForm):
    class Meta:
        model = Need
        fields = ["endorsed_by_name", "endorsed_on"]
        widgets = {"endorsed_on": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")}

    def clean_endorsed_on(self):
        day = self.cleaned_data["endorsed_on"]
        if day and day > timezone.localdate():
            raise ValidationError(_("This day has not come yet."))
        return day


@dataclass(frozen=True)
class Part:
    """A page of the draft: its name in addresses, its title, the form, and the names whose requirements it answers."""

    slug: str
    title: str
    lede: str
    form: Callable
    fields: frozenset[str]
    only_for: str = ""
    required: tuple[Requirement, ...] = TO_SUBMIT

    def requirements(self, missing: list[Requirement]) -> list[Requirement]:
        return [requirement for requirement in missing if requirement.field in self.fields]

    @property
    def is_required(self) -> bool:
        return any(requirement.field in self.fields for requirement in self.required)


def part(slug, title, lede, form, *more: str, only_for="", required=TO_SUBMIT) -> Part:
    fields = getattr(getattr(form, "Meta", None), "fields", ())
    return Part(slug, title, lede, form, frozenset([*fields, *more]), only_for, required)


PARTS = (
    part("problem", _("Problem and gap"), _("What happens now, and what you lack to change it."),
         model_part("kind", "title", "language", "problem", "gap", widgets={"kind": forms.RadioSelect})),
    part("lines", _("What is needed, line by line"),
         _("One line for each thing that could be given on its own. Partners answer line by line."), lines_form, "lines"),
    part("technology", _("The technology"), _("What you look for, and the conditions in which it has to work."),
         model_part("technology_sought", "technology_purpose", "conditions_of_use", "existing_equipment",
                    "operation_and_maintenance", "maturity"), only_for=NeedKind.TECHNOLOGY),
    part("themes", _("Themes and goals"), _("By these, partners find your need."), ThemesForm, "terms"),
    part("institution", _("Institution and contact"), _("Who would carry it out, and where."), InstitutionForm),
    part("people", _("Who benefits, and how progress will be seen"),
         _("Count people by sex where you count them. Leave empty what you do not know."),
         model_part("beneficiaries", "women", "men", "is_for_women", "is_for_youth", "is_for_indigenous", "monitoring")),
    part("plans", _("Plans it serves, what exists already"), _("How it fits what your country does and asks for elsewhere."),
         model_part("national_plan", "existing_initiatives", "same_request", "same_request_text", "cofinancing",
                    "cofinancing_text", widgets={"same_request": forms.RadioSelect, "cofinancing": forms.RadioSelect})),
    part("summary", _("Public summary and languages"),
         _("Everybody reads the summary once the need is open. The rest of your texts stays with your country, UNEP and accepted partners."),
         LanguagesForm, "languages"),
    part("endorsement", _("Endorsement"), _("The national focal point endorses the need for the country."), EndorsementForm),
)  # fmt: skip


def parts_of(record, among: tuple[Part, ...] = PARTS) -> list[Part]:
    """The parts that a need or offer of this kind has."""
    return [found for found in among if found.only_for in ("", record.kind)]


class BeginForm(forms.ModelForm):
    """The first page: for which country, what kind, its title."""

    key = forms.CharField(widget=forms.HiddenInput, required=False, max_length=60)

    class Meta:
        model = Need
        fields = ["country", "kind", "title"]
        widgets = {"kind": forms.RadioSelect}

    def __init__(self, *args, user, **kwargs):
        super().__init__(*args, **kwargs)
        if self.is_on_behalf(user):
            self.fields["country"].queryset = Country.objects.by_name()
            self.fields["country"].help_text = _(
                "You enter it on the country's behalf: its endorsement letter has to be added before it is submitted."
            )
        else:
            own = {m.country_id for m in memberships(user) if m.role in COUNTRY_ROLES}
            self.fields["country"].queryset = Country.objects.filter(pk__in=own).by_name()
            if len(own) == 1:
                self.initial.setdefault("country", next(iter(own)))
                self.fields["country"].empty_label = None
        self.instance.is_on_behalf = self.is_on_behalf(user)
        self.fields["kind"].initial = NeedKind.CAPACITY

    @staticmethod
    def is_on_behalf(user) -> bool:
        return user.is_staff and not any(m.role in COUNTRY_ROLES for m in memberships(user))
