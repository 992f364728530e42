"""What was done to a record, move by move: from, to, who, when, note."""

from functools import reduce
from operator import or_

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

RECORDS = ("project", "need", "response", "offer")


class Event(models.Model):
    """One move, or something else that was done. Written by `lifecycle` alone, never changed or deleted."""

    project = models.ForeignKey(
        "Project", models.CASCADE, null=True, blank=True, related_name="events", verbose_name=_("project")
    )
    need = models.ForeignKey(
        "Need", models.CASCADE, null=True, blank=True, related_name="events", verbose_name=_("need")
    )
    response = models.ForeignKey(
        "Response", models.CASCADE, null=True, blank=True, related_name="events", verbose_name=_("response")
    )
    offer = models.ForeignKey(
        "Offer", models.CASCADE, null=True, blank=True, related_name="events", verbose_name=_("offer")
    )
    action = models.CharField(_("action"), max_length=20)
    from_state = models.CharField(_("from"), max_length=20)
    to_state = models.CharField(_("to"), max_length=20)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("by"))
    at = models.DateTimeField(_("at"), default=timezone.now)
    note = models.TextField(_("note"), blank=True, max_length=2000)
    is_public = models.BooleanField(_("public"), default=False)
    is_note_public = models.BooleanField(_("note is public"), default=False)

    class Meta:
        verbose_name = _("move")
        verbose_name_plural = _("moves")
        ordering = ["-at", "-pk"]
        indexes = [models.Index(fields=["at"], name="event_at")]  # what is new since a person looked
        constraints = [
            models.CheckConstraint(
                name="event_of_one_record",
                condition=reduce(or_, (Q(**{f"{name}__isnull": name != one for name in RECORDS}) for one in RECORDS)),
            )
        ]

    def __str__(self):
        return f"{self.at:%Y-%m-%d %H:%M} {self.from_state} → {self.to_state}"

    @property
    def record(self):
        return self.project or self.need or self.response or self.offer
