"""Forms that were filled in and could not be taken, because their sender was no longer signed in."""

from datetime import timedelta

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

KEPT_FOR = timedelta(hours=1)


class UnsentFormQuerySet(models.QuerySet):
    def waiting(self):
        return self.filter(created_at__gte=timezone.now() - KEPT_FOR)

    def outdated(self):
        return self.filter(created_at__lt=timezone.now() - KEPT_FOR)


class UnsentForm(models.Model):
    """What was typed, for an hour, encrypted with a key that only a cookie of the browser holds (partners/unsent.py)."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name=_("person"))
    digest = models.CharField(_("browser, as a checksum"), max_length=64, editable=False)
    data = models.TextField(_("address and answers, encrypted"), editable=False)
    created_at = models.DateTimeField(_("at"), default=timezone.now, editable=False)

    objects = UnsentFormQuerySet.as_manager()

    class Meta:
        verbose_name = _("form that was not sent")
        verbose_name_plural = _("forms that were not sent")
        ordering = ["-created_at", "-pk"]
        indexes = [
            models.Index(fields=["digest"], name="unsent_browser"),
            models.Index(fields=["created_at"], name="unsent_age"),
        ]

    def __str__(self):
        return f"{self.created_at:%Y-%m-%d %H:%M}"
