"""Two records that may be of one and the same project, and what staff decided about them."""

import pghistory
from django.conf import settings
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from partners.models.constraints import CheckedTogether, known, together
from projects.choices import PairState
from projects.models.project import Project


class DuplicatePairQuerySet(models.QuerySet):
    def open(self):
        """Those that wait for a decision, the likeliest first."""
        return self.filter(state=PairState.OPEN).order_by("-score", "pk")


@pghistory.track()
class DuplicatePair(CheckedTogether):
    """Found at night by projects/duplicates.py. A pair that was decided is not found again."""

    first = models.ForeignKey(Project, models.CASCADE, related_name="+", verbose_name=_("one project"))
    second = models.ForeignKey(Project, models.CASCADE, related_name="+", verbose_name=_("the other"))
    score = models.PositiveSmallIntegerField(_("likeness"), validators=[MaxValueValidator(100)])
    reasons = models.JSONField(_("what they share"), default=dict)
    state = models.CharField(_("state"), max_length=10, choices=PairState, default=PairState.OPEN)
    found_at = models.DateTimeField(_("found at"), default=timezone.now)
    decided_at = models.DateTimeField(_("decided at"), null=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("decided by")
    )
    note = models.TextField(_("note"), blank=True, max_length=2000)

    objects = DuplicatePairQuerySet.as_manager()

    class Meta:
        verbose_name = _("possible duplicate")
        verbose_name_plural = _("possible duplicates")
        ordering = ["-score", "pk"]
        constraints = [
            known("state", PairState),
            together("decided_at", "decided_by"),
            models.UniqueConstraint(fields=["first", "second"], name="duplicate_pair_once"),
            models.CheckConstraint(name="duplicate_pair_in_order", condition=Q(first__lt=F("second"))),
            models.CheckConstraint(
                name="duplicate_pair_decided", condition=Q(state="open") ^ Q(decided_at__isnull=False)
            ),
        ]

    def __str__(self):
        return f"{self.first.reference} – {self.second.reference}"
