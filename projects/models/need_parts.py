"""What belongs to a need: the terms that it names, its lines, what the screener found on each criterion."""

from decimal import Decimal

import pghistory
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from partners.models.constraints import CheckedTogether, known
from projects.choices import Criterion, Unit, Vocabulary
from projects.models.search import keeps_search_fresh
from projects.models.term import Term


@keeps_search_fresh("need_id", "need")
@pghistory.track()
class NeedTerm(models.Model):
    """A theme, goal, cross-cutting issue or capacity level that a need names."""

    need = models.ForeignKey("Need", models.CASCADE, related_name="term_links", verbose_name=_("need"))
    term = models.ForeignKey(Term, models.PROTECT, related_name="need_links", verbose_name=_("term"))

    class Meta:
        verbose_name = _("term of the need")
        verbose_name_plural = _("terms of the need")
        ordering = ["need", "pk"]
        constraints = [models.UniqueConstraint(fields=["need", "term"], name="term_once_per_need")]

    def __str__(self):
        return str(self.term)


@keeps_search_fresh("need_id", "need")
@pghistory.track()
class LineItem(CheckedTogether):
    """One thing that is asked for: what exactly, how much of it, by when. Partners answer lines, not needs."""

    need = models.ForeignKey("Need", models.CASCADE, related_name="lines", verbose_name=_("need"))
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    text = models.CharField(_("what exactly"), max_length=300)
    assistance = models.ForeignKey(
        Term, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("kind of help"),
        limit_choices_to={"vocabulary": Vocabulary.ASSISTANCE},
    )  # fmt: skip
    quantity = models.DecimalField(
        _("how much"),
        max_digits=12,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal("0.01"))],
    )
    unit = models.CharField(_("unit"), max_length=12, choices=Unit, blank=True, default="")
    by_when = models.DateField(_("by when"), null=True, blank=True)
    note = models.CharField(_("note"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("line")
        verbose_name_plural = _("lines")
        ordering = ["need", "position", "pk"]
        constraints = [
            known("unit", Unit, blank=True),
            models.CheckConstraint(
                name="line_quantity_with_unit",
                condition=Q(quantity__isnull=True, unit="") | (Q(quantity__isnull=False, quantity__gt=0) & ~Q(unit="")),
                violation_error_message=_("Give a quantity together with its unit, or neither."),
            ),
        ]

    def __str__(self):
        return self.text

    @property
    def wanted(self) -> Decimal:
        """How much is asked for; a line without a quantity counts as one thing."""
        return self.quantity if self.quantity is not None else Decimal(1)


@pghistory.track()
class CriterionAnswer(models.Model):
    """What the screener found on one criterion."""

    need = models.ForeignKey("Need", models.CASCADE, related_name="criteria", verbose_name=_("need"))
    criterion = models.CharField(_("criterion"), max_length=12, choices=Criterion)
    is_met = models.BooleanField(_("met"))
    note = models.TextField(_("note"), max_length=2000)

    class Meta:
        verbose_name = _("answer of the screening")
        verbose_name_plural = _("answers of the screening")
        ordering = ["need", "pk"]
        constraints = [
            known("criterion", Criterion),
            models.UniqueConstraint(fields=["need", "criterion"], name="criterion_once_per_need"),
        ]

    def __str__(self):
        return f"{self.get_criterion_display()} {'✓' if self.is_met else '✗'}"
