"""The form of a plan: its words, a role for each that takes part, activities and indicators as rows."""

import datetime as dt

from django import forms
from django.utils.translation import gettext_lazy as _

from ground.templatetags.portal import named
from ground.widgets import NumberField
from partners.models import Country
from projects import agreement
from projects.choices import ContributionKind, Unit
from projects.coverage import letter_of
from projects.drafting import MOST_LINES
from projects.forms.draft import SPARE_LINES, MonthField
from projects.models import Need

AMOUNT = {"required": False, "max_digits": 12, "decimal_places": 2}


class Row(forms.Form):
    """Base of the rows. `row` is what `agreement.write_plan` takes."""

    id = forms.IntegerField(required=False, widget=forms.HiddenInput)

    @property
    def row(self) -> dict:
        found = {name: value for name, value in self.cleaned_data.items() if name != "DELETE"}
        for name, value in found.items():  # a month that was not changed keeps the day that it had
            before = self.initial.get(name)
            if isinstance(value, dt.date) and before and (before.year, before.month) == (value.year, value.month):
                found[name] = before
        return found


class ActivityForm(Row):
    text = forms.CharField(label=_("What is done"), max_length=300)
    who = forms.ChoiceField(label=_("By whom"))
    line = forms.TypedChoiceField(label=_("For the line"), required=False, coerce=int, empty_value=None)
    kind = forms.ChoiceField(
        label=_("Kind of contribution"), choices=ContributionKind, initial=ContributionKind.SERVICES
    )
    quantity = NumberField(label=_("How much"), min_value=0, **AMOUNT)
    unit = forms.ChoiceField(label=_("Unit"), required=False, choices=[("", _("choose")), *Unit.choices])
    starts_on = MonthField(label=_("From"), required=False, begins=True)
    ends_on = MonthField(label=_("Until"), required=False)

    def __init__(self, *args, parties, lines, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["who"].choices = [(key_of(who), str(who)) for who in parties]
        self.fields["who"].initial = key_of(parties[0])  # as a browser sends it with an empty row
        self.fields["line"].choices = [("", _("none"))] + [
            (line.pk, f"{letter_of(place)}. {line.text}"[:80]) for place, line in enumerate(lines)
        ]

    def clean(self):
        found = super().clean()
        if not {"quantity", "unit"} & set(self.errors) and (not found.get("quantity")) != (not found.get("unit")):
            self.add_error(
                "unit" if found.get("quantity") else "quantity",
                _("Give a quantity together with its unit, or neither."),
            )
        return found

    @property
    def row(self):
        found = super().row
        kind, _colon, key = found.pop("who").partition(":")
        found |= {"country_id": None, "partner_id": None, f"{kind}_id": int(key)}
        return found | {"line_id": found.pop("line"), "quantity": found["quantity"] or None}


class IndicatorForm(Row):
    text = forms.CharField(label=_("Indicator"), max_length=300)
    unit = forms.ChoiceField(label=_("Unit"), choices=Unit, initial=Unit.PEOPLE)
    baseline = NumberField(label=_("Start"), min_value=0, **AMOUNT)
    target = NumberField(label=_("Target"), min_value=0, **AMOUNT)
    target_on = MonthField(label=_("To be reached by"), required=False)


class Rows(forms.BaseFormSet):
    @property
    def rows(self) -> list[dict]:
        kept = [f for n, f in enumerate(self.forms) if n < self.initial_form_count() or f.has_changed()]
        return [form.row for form in kept if not self._should_delete_form(form)]


def _rows(form) -> type[Rows]:
    return forms.formset_factory(
        form, formset=Rows, extra=SPARE_LINES, can_delete=True, max_num=MOST_LINES, absolute_max=MOST_LINES + 10
    )


def key_of(who) -> str:
    return f"{who._meta.model_name}:{who.pk}"


class PlanForm(forms.Form):
    """What all sides then confirm. Begins with what was accepted."""

    plan = forms.CharField(
        label=_("How you work together"), required=False, max_length=8000,
        widget=forms.Textarea(attrs={"rows": 6, "data-count": 8000}),
        help_text=_("What the rows below do not say: who decides, who pays for travel, what happens when something fails."),
    )  # fmt: skip

    def __init__(self, data=None, *, need: Need):
        super().__init__(data)
        found = (
            agreement.stored(need)
            if agreement.is_written(need) or need.plan_roles.exists()
            else agreement.proposed(need)
        )
        self.fields["plan"].initial = found["plan"]
        self.parties = agreement.parties(need)
        chosen = {f"country:{r['country_id']}" if r["country_id"] else f"partner:{r['partner_id']}": r["role"] for r in found["roles"]}  # fmt: skip
        for who in self.parties:
            key = key_of(who)
            choices = agreement.roles_for(who)
            if who == need.country:
                choices = [(value, label) for value, label in choices if value in ("recipient", "both")]
            elif key not in chosen:
                choices = [("", _("takes no part")), *choices]
            self.fields[f"role-{key}"] = forms.ChoiceField(
                label=named(who),
                choices=choices,
                initial=chosen.get(key, ""),
                required=bool(key in chosen or who == need.country),
            )
        self.ids = ids = {name: list(model.objects.filter(need=need).order_by("position", "pk").values_list("pk", flat=True)) for name, model in agreement.MODELS.items()}  # fmt: skip
        kwargs = {"parties": self.parties, "lines": list(need.lines.all())}
        self.activities = _rows(ActivityForm)(
            data, prefix="activities", form_kwargs=kwargs, initial=[
                {**row, "who": f"country:{row['country_id']}" if row["country_id"] else f"partner:{row['partner_id']}",
                 "line": row["line_id"], "id": ids["activities"][n] if n < len(ids["activities"]) else None}
                for n, row in enumerate(found["activities"])
            ],
        )  # fmt: skip
        self.indicators = _rows(IndicatorForm)(
            data, prefix="indicators",
            initial=[{**row, "id": ids["indicators"][n]} for n, row in enumerate(found["indicators"])],
        )  # fmt: skip

    @property
    def sets(self) -> tuple[Rows, Rows]:
        return self.activities, self.indicators

    @property
    def role_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.fields if name.startswith("role-")]

    def is_valid(self) -> bool:
        return all([super().is_valid(), *(rows.is_valid() for rows in self.sets)])

    @property
    def has_errors(self) -> bool:
        return self.is_bound and (bool(self.errors) or any(rows.total_error_count() for rows in self.sets))

    @property
    def values(self) -> dict:
        """What `agreement.write_plan` takes."""
        roles = []
        for who in self.parties:
            if role := self.cleaned_data.get(f"role-{key_of(who)}"):
                is_country = isinstance(who, Country)
                roles.append({"country_id": who.pk if is_country else None, "partner_id": None if is_country else who.pk, "role": role})  # fmt: skip
        return {"plan": self.cleaned_data["plan"], "roles": roles, "activities": self._known("activities"), "indicators": self._known("indicators")}  # fmt: skip

    def _known(self, name: str) -> list[dict]:
        """The rows; one that somebody else removed meanwhile is a new one, so that it is kept."""
        left, rows = set(self.ids[name]), getattr(self, name).rows
        for row in rows:
            row["id"] = row["id"] if row["id"] in left else None
            left.discard(row["id"])
        return rows
