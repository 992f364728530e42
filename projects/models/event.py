"""Every move of a record from one state to another: from, to, who, when, note."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Event(models.Model):
    """One move. Written by `lifecycle.transition` alone, never changed or deleted."""

    project = models.ForeignKey("Project", models.CASCADE, related_name="events", verbose_name=_("project"))
    action = models.CharField(_("action"), max_length=20)
    from_state = models.CharField(_("from"), max_length=20)
    to_state = models.CharField(_("to"), max_length=20)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("by"))
    at = models.DateTimeField(_("at"), default=timezone.now)
    note = models.TextField(_("note"), blank=True, max_length=2000)
    is_public = models.BooleanField(_("public"), default=False)

    class Meta:
        verbose_name = _("move")
        verbose_name_plural = _("moves")
        ordering = ["-at", "-pk"]
        constraints = [
            models.CheckConstraint(name="event_goes_somewhere", condition=~Q(from_state=models.F("to_state")))
        ]

    def __str__(self):
        return f"{self.at:%Y-%m-%d %H:%M} {self.from_state} → {self.to_state}"
