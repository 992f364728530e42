"""What each side brings: quantities in their own units, and money apart from them. Neither is computed from the other."""

import pghistory
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from partners.models import Country, Partner
from partners.models.constraints import CheckedTogether, in_order, known, together
from projects.choices import BudgetKind, BudgetStatus, ContributionKind, TransactionKind, Unit
from projects.models.project import Project, currency_field


def amount_field(verbose_name, **kwargs):
    return models.DecimalField(verbose_name, max_digits=20, decimal_places=2, **kwargs)


def count_field(verbose_name, **kwargs):
    return models.DecimalField(
        verbose_name,
        max_digits=15,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        **kwargs,
    )


@pghistory.track()
class Contribution(CheckedTogether):
    """What one country or partner brings: a quantity with its unit, money where it is reported (TOSSD modalities)."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="contributions", verbose_name=_("project"))
    country = models.ForeignKey(
        Country, models.PROTECT, related_name="+", verbose_name=_("country"), null=True, blank=True
    )
    partner = models.ForeignKey(
        Partner, models.PROTECT, related_name="contributions", verbose_name=_("partner"), null=True, blank=True
    )
    kind = models.CharField(_("kind"), max_length=4, choices=ContributionKind, default=ContributionKind.EXPERT_COSTS)
    text = models.CharField(_("what"), max_length=300, help_text=_("For example: trainers and method."))
    activity = models.OneToOneField(  # what of a need's agreed plan it carries out
        "PlanActivity", models.SET_NULL, null=True, blank=True, editable=False, related_name="contribution",
        verbose_name=_("activity of the plan"),
    )  # fmt: skip
    quantity = count_field(_("quantity agreed"))
    delivered = count_field(_("delivered so far"))
    unit = models.CharField(_("unit"), max_length=15, choices=Unit, null=True, blank=True)
    women = models.PositiveIntegerField(_("of them women"), null=True, blank=True)
    men = models.PositiveIntegerField(_("of them men"), null=True, blank=True)
    amount = amount_field(_("money agreed"), null=True, blank=True, validators=[MinValueValidator(0)])
    spent = amount_field(_("money spent"), null=True, blank=True, validators=[MinValueValidator(0)])
    currency = currency_field(null=True, blank=True)

    class Meta:
        verbose_name = _("contribution")
        verbose_name_plural = _("contributions")
        ordering = ["project", "pk"]
        constraints = [
            models.CheckConstraint(
                name="contribution_from_one",
                condition=Q(country__isnull=False, partner__isnull=True)
                | Q(country__isnull=True, partner__isnull=False),
                violation_error_message=_("Say who brings it: one country or one partner."),
            ),
            known("kind", ContributionKind),
            models.CheckConstraint(
                name="contribution_unit_known", condition=Q(unit__isnull=True) | Q(unit__in=Unit.values)
            ),
            together("quantity", "unit", _("Give the quantity together with its unit.")),
            models.CheckConstraint(
                name="contribution_money_has_currency",
                condition=Q(amount__isnull=True, spent__isnull=True, currency__isnull=True)
                | (Q(currency__isnull=False) & (Q(amount__isnull=False) | Q(spent__isnull=False))),
                violation_error_message=_("Give money together with its currency."),
            ),
            models.CheckConstraint(
                name="contribution_not_negative",
                condition=(Q(quantity__isnull=True) | Q(quantity__gte=0))
                & (Q(delivered__isnull=True) | Q(delivered__gte=0, quantity__isnull=False))
                & (Q(amount__isnull=True) | Q(amount__gte=0))
                & (Q(spent__isnull=True) | Q(spent__gte=0)),
                violation_error_message=_(
                    "Quantities and money can't be negative; what is delivered needs a quantity agreed."
                ),
            ),
        ]

    def __str__(self):
        return f"{self.who}: {self.text}"

    @property
    def who(self):
        return self.country or self.partner

    def clean(self):
        self.unit, self.currency = self.unit or None, (self.currency or "").upper() or None
        counted = (self.women or 0) + (self.men or 0)
        if counted and self.unit not in (Unit.PEOPLE, Unit.PLACES):
            raise ValidationError({"unit": _("Women and men are counted where the unit is people or places.")})
        if counted and self.quantity is not None and counted > max(self.quantity, self.delivered or 0):
            raise ValidationError({"women": _("Women and men together are more than the quantity.")})


@pghistory.track()
class Budget(CheckedTogether):
    """Money planned for a period of at most one year (IATI 2.03 iati-activity/budget)."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="budgets", verbose_name=_("project"))
    kind = models.CharField(_("kind"), max_length=1, choices=BudgetKind, default=BudgetKind.ORIGINAL)
    status = models.CharField(
        _("status"), max_length=1, choices=BudgetStatus, blank=True, default=BudgetStatus.UNSTATED, db_default=""
    )
    starts_on = models.DateField(_("from"))
    ends_on = models.DateField(_("until"))
    amount = amount_field(_("amount"))
    currency = currency_field()
    valued_on = models.DateField(_("value date"), null=True, blank=True)

    class Meta:
        verbose_name = _("budget line")
        verbose_name_plural = _("budget lines")
        ordering = ["project", "starts_on", "pk"]
        constraints = [
            known("kind", BudgetKind),
            known("status", BudgetStatus),
            in_order("starts_on", "ends_on", _("The last day of the period comes before the first.")),
            models.CheckConstraint(
                name="budget_period_at_most_a_year",
                condition=Q(ends_on__lte=models.F("starts_on") + models.Value(366)),
                violation_error_message=_("A budget period is at most one year long. Divide it by year."),
            ),
        ]

    def __str__(self):
        return f"{self.starts_on:%Y}: {self.currency} {self.amount}"


@pghistory.track()
class Transaction(models.Model):
    """Money that moved (IATI 2.03 iati-activity/transaction). A negative amount corrects or returns an earlier one."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="transactions", verbose_name=_("project"))
    kind = models.CharField(_("kind"), max_length=2, choices=TransactionKind)
    made_on = models.DateField(_("on"))
    valued_on = models.DateField(_("value date"), null=True, blank=True)
    amount = amount_field(_("amount"))
    currency = currency_field()
    text = models.CharField(_("what for"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("transaction")
        verbose_name_plural = _("transactions")
        ordering = ["project", "made_on", "pk"]
        constraints = [known("kind", TransactionKind)]

    def __str__(self):
        return f"{self.made_on}: {self.currency} {self.amount}"
