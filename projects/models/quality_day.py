"""How complete the published records were on a day, in all and by publisher."""

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from partners.models import Partner
from partners.models.constraints import CheckedTogether


class QualityDayQuerySet(models.QuerySet):
    def whole(self):
        """Of all published records."""
        return self.filter(is_whole=True)


class QualityDay(CheckedTogether):
    """Counts of one night (projects/quality.py `measure`). Without a publisher: all records (`is_whole`), or those that name none."""

    day = models.DateField(_("day"))
    publisher = models.ForeignKey(
        Partner, models.CASCADE, null=True, related_name="quality_days", verbose_name=_("publisher")
    )
    is_whole = models.BooleanField(_("of all records"), default=False)
    records = models.PositiveIntegerField(_("published records"), validators=[MinValueValidator(1)])
    points = models.PositiveBigIntegerField(_("their points together"))
    met = models.JSONField(_("how many records meet each criterion"), default=dict)

    objects = QualityDayQuerySet.as_manager()

    class Meta:
        verbose_name = _("data quality of a day")
        verbose_name_plural = _("data quality by day")
        ordering = ["day", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["day", "publisher", "is_whole"], name="quality_once_a_day", nulls_distinct=False
            ),
            models.CheckConstraint(
                name="quality_whole_has_no_publisher", condition=Q(is_whole=False) | Q(publisher__isnull=True)
            ),
            models.CheckConstraint(name="quality_of_some_records", condition=Q(records__gte=1)),
        ]

    def __str__(self):
        return f"{self.day} {self.publisher or ''}"

    @property
    def mean(self) -> float:
        """Points a record, 0 to 100."""
        return self.points / self.records
