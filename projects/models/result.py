"""What came of it: results, each with the indicator that measures it."""

import pghistory
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from partners.models.constraints import CheckedTogether, known
from projects.choices import ResultKind, Unit
from projects.models.money import count_field
from projects.models.project import Project


@pghistory.track()
class Result(CheckedTogether):
    """One indicator of one result: where it started, what was aimed at, what is reached (IATI 2.03 result/indicator).

    Several indicators of one result share its title.
    """

    project = models.ForeignKey(Project, models.CASCADE, related_name="results", verbose_name=_("project"))
    kind = models.CharField(_("kind"), max_length=1, choices=ResultKind, default=ResultKind.OUTPUT)
    title = models.CharField(_("result"), max_length=300)
    indicator = models.CharField(
        _("indicator"), max_length=300, blank=True, help_text=_("Empty when it says the same.")
    )
    unit = models.CharField(_("unit"), max_length=15, choices=Unit, default=Unit.PEOPLE)
    baseline = count_field(_("start"))
    baseline_year = models.PositiveSmallIntegerField(_("year of the start"), null=True, blank=True)
    target = count_field(_("target"))
    target_on = models.DateField(_("to be reached by"), null=True, blank=True)
    actual = count_field(_("reached"))
    actual_on = models.DateField(_("counted on"), null=True, blank=True)
    women = models.PositiveIntegerField(_("of them women"), null=True, blank=True)
    men = models.PositiveIntegerField(_("of them men"), null=True, blank=True)
    planned = models.OneToOneField(  # the indicator of a need's agreed plan that it measures
        "PlanIndicator", models.SET_NULL, null=True, blank=True, editable=False, related_name="result",
        verbose_name=_("indicator of the plan"),
    )  # fmt: skip
    comment = models.CharField(_("how it was counted"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("result")
        verbose_name_plural = _("results")
        ordering = ["project", "pk"]
        constraints = [known("kind", ResultKind), known("unit", Unit)]

    def __str__(self):
        return self.indicator or self.title

    def clean(self):
        counted = (self.women or 0) + (self.men or 0)
        if counted and self.unit != Unit.PEOPLE:
            raise ValidationError({"unit": _("Women and men are counted where the unit is people.")})
        if counted and self.actual is not None and counted > self.actual:
            raise ValidationError({"women": _("Women and men together are more than the number reached.")})
