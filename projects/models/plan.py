"""The agreed plan of a need: who has which role, who does what by when, by which indicators it is seen, who confirmed it.

Its rows stay when the delivery starts: the project's contributions and results point to them (`Contribution.activity`,
`Result.planned`), so that what is delivered there is known here.
"""

from decimal import Decimal

import pghistory
from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from partners.models import Country, Partner
from partners.models.constraints import CheckedTogether, in_order, known
from projects.choices import ConfirmedStep, ContributionKind, PlannedRole, Side, Unit
from projects.models.money import count_field
from projects.models.need import Need
from projects.models.need_parts import LineItem


class OfOne(CheckedTogether):
    """Base: of one country or of one partner."""

    country = models.ForeignKey(
        Country, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("country")
    )
    partner = models.ForeignKey(
        Partner, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("partner")
    )

    class Meta:
        abstract = True

    @property
    def who(self) -> Country | Partner:
        return self.country or self.partner

    @staticmethod
    def of(who: Country | Partner) -> dict:
        """The two fields for a country or partner."""
        is_country = isinstance(who, Country)
        return {"country": who if is_country else None, "partner": None if is_country else who}


def of_one(name: str) -> models.CheckConstraint:
    return models.CheckConstraint(
        name=name,
        condition=Q(partner__isnull=True) ^ Q(country__isnull=True),
        violation_error_message=_("Say who: one country or one partner."),
    )


@pghistory.track()
class PlanRole(OfOne):
    """The role of one country or partner in what is planned."""

    need = models.ForeignKey(Need, models.CASCADE, related_name="plan_roles", verbose_name=_("need"))
    role = models.CharField(_("role"), max_length=12, choices=PlannedRole)

    class Meta:
        verbose_name = _("role in the plan")
        verbose_name_plural = _("roles in the plan")
        ordering = ["need", "pk"]
        constraints = [
            known("role", PlannedRole),
            of_one("plan_role_of_one"),
            models.UniqueConstraint(
                fields=["need", "country", "partner"], name="one_role_in_the_plan", nulls_distinct=False
            ),
        ]

    def __str__(self):
        return f"{self.who}: {self.get_role_display()}"


@pghistory.track()
class PlanActivity(OfOne):
    """One thing that somebody does: what, how much of it, from when until when, for which line of the need."""

    need = models.ForeignKey(Need, models.CASCADE, related_name="activities", verbose_name=_("need"))
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    text = models.CharField(_("what is done"), max_length=300)
    line = models.ForeignKey(
        LineItem, models.PROTECT, null=True, blank=True, related_name="activities", verbose_name=_("for the line")
    )
    kind = models.CharField(
        _("kind of contribution"), max_length=4, choices=ContributionKind, default=ContributionKind.SERVICES
    )
    quantity = models.DecimalField(
        _("how much"), max_digits=12, decimal_places=2, null=True, blank=True,
        validators=[MinValueValidator(Decimal("0.01"))],
    )  # fmt: skip
    unit = models.CharField(_("unit"), max_length=12, choices=Unit, blank=True, default="")
    starts_on = models.DateField(_("from"), null=True, blank=True)
    ends_on = models.DateField(_("until"), null=True, blank=True)

    class Meta:
        verbose_name = _("activity of the plan")
        verbose_name_plural = _("activities of the plan")
        ordering = ["need", "position", "pk"]
        constraints = [
            known("kind", ContributionKind),
            known("unit", Unit, blank=True),
            of_one("activity_of_one"),
            in_order("starts_on", "ends_on", _("The last day comes before the first.")),
            models.CheckConstraint(
                name="activity_quantity_with_unit",
                condition=Q(quantity__isnull=True, unit="") | (Q(quantity__isnull=False, quantity__gt=0) & ~Q(unit="")),
                violation_error_message=_("Give a quantity together with its unit, or neither."),
            ),
        ]

    def __str__(self):
        return f"{self.who}: {self.text}"

    @property
    def delivered(self) -> Decimal | None:
        """How much of it the project that carries it out has delivered, where that is reported."""
        return self.contribution.delivered if hasattr(self, "contribution") else None


@pghistory.track()
class PlanIndicator(models.Model):
    """By what all sides will see that it works: where it starts, what is aimed at, by when."""

    need = models.ForeignKey(Need, models.CASCADE, related_name="indicators", verbose_name=_("need"))
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    text = models.CharField(_("indicator"), max_length=300)
    unit = models.CharField(_("unit"), max_length=15, choices=Unit, default=Unit.PEOPLE)
    baseline = count_field(_("start"))
    target = count_field(_("target"))
    target_on = models.DateField(_("to be reached by"), null=True, blank=True)

    class Meta:
        verbose_name = _("indicator of the plan")
        verbose_name_plural = _("indicators of the plan")
        ordering = ["need", "position", "pk"]
        constraints = [known("unit", Unit)]

    def __str__(self):
        return self.text

    @property
    def reached(self) -> Decimal | None:
        """What the project has reached by it, where that is reported."""
        return self.result.actual if hasattr(self, "result") else None


@pghistory.track()
class Confirmation(OfOne):
    """One side says that the plan, or the delivery, is as written. The need moves when all have said so.

    For the partners' side each that takes part speaks for itself, so who it was is kept.
    """

    need = models.ForeignKey(Need, models.CASCADE, related_name="confirmations", verbose_name=_("need"))
    step = models.CharField(_("what"), max_length=8, choices=ConfirmedStep)
    side = models.CharField(_("side"), max_length=8, choices=Side)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("by"))
    at = models.DateTimeField(_("at"), default=timezone.now)

    class Meta:
        verbose_name = _("confirmation")
        verbose_name_plural = _("confirmations")
        ordering = ["need", "step", "at"]
        constraints = [
            known("step", ConfirmedStep),
            known("side", Side),
            models.UniqueConstraint(
                fields=["need", "step", "side", "country", "partner"],
                name="confirmed_once_by_each",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                name="partners_confirm_by_name",
                condition=(Q(side=Side.PARTNER) & (Q(partner__isnull=True) ^ Q(country__isnull=True)))
                | (~Q(side=Side.PARTNER) & Q(partner__isnull=True, country__isnull=True)),
            ),
        ]

    def __str__(self):
        return f"{self.who or self.get_side_display()}: {self.get_step_display()}"
