"""Who asked for updates by mail, of what, and how often. Nothing is kept of whoever did not confirm, or stopped."""

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from outreach.choices import Rhythm, Told
from partners.models.constraints import known

SIGNER = Signer(salt="outreach.subscriber")
LONGEST_QUERY = 500


class SubscriberQuerySet(models.QuerySet):
    def reachable(self):
        """Those whose address takes mail."""
        return self.filter(bounced_at=None)

    def due(self, rhythm, until):
        """Those whom a digest of this rhythm, of what came before `until`, has not looked at yet."""
        waiting = Q(told_until=None) | Q(told_until__lt=until)
        return self.reachable().filter(waiting, rhythm=rhythm, created_at__lt=until)

    def by_token(self, token: str):
        """The subscriber of a secret address, or None."""
        try:
            return self.filter(pk=SIGNER.unsign(token)).first()
        except (BadSignature, ValueError):
            return None


class Subscriber(models.Model):
    """An address that asked for updates, and confirmed it."""

    email = models.EmailField(_("e-mail address"), unique=True)
    language = models.CharField(_("language"), max_length=10, choices=settings.LANGUAGES, default="en")
    rhythm = models.CharField(_("how often"), max_length=7, choices=Rhythm, default=Rhythm.WEEKLY)
    created_at = models.DateTimeField(_("since"), default=timezone.now, editable=False)
    told_until = models.DateTimeField(_("has been told of all before"), null=True, blank=True, editable=False)
    bounced_at = models.DateTimeField(_("mail came back"), null=True, blank=True, editable=False)
    bounce = models.CharField(_("because"), max_length=500, blank=True, editable=False)

    objects = SubscriberQuerySet.as_manager()

    class Meta:
        verbose_name = _("subscriber")
        verbose_name_plural = _("subscribers")
        ordering = ["-created_at", "-pk"]
        constraints = [
            known("rhythm", Rhythm),
            models.CheckConstraint(
                name="subscriber_in_small_letters", condition=Q(email=models.functions.Lower("email"))
            ),
        ]
        indexes = [models.Index(fields=["rhythm", "told_until"], name="subscriber_due", condition=Q(bounced_at=None))]

    def __str__(self):
        return self.email

    def get_absolute_url(self):
        """The secret page of their choices: only whoever has it in the mail knows it."""
        return reverse("choices", args=[self.token])

    @property
    def token(self) -> str:
        return SIGNER.sign(self.pk)


class Subscription(models.Model):
    """One thing that a subscriber asked for: a search over records or news, or the newsletter."""

    subscriber = models.ForeignKey(
        Subscriber, models.CASCADE, related_name="subscriptions", verbose_name=_("subscriber")
    )
    told = models.CharField(_("of what"), max_length=10, choices=Told)
    query = models.CharField(
        _("search"), max_length=LONGEST_QUERY, blank=True, help_text=_("The filters of the list, as in its address.")
    )  # fmt: skip
    created_at = models.DateTimeField(_("since"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("subscription")
        verbose_name_plural = _("subscriptions")
        ordering = ["told", "query"]
        constraints = [
            known("told", Told),
            models.UniqueConstraint(fields=["subscriber", "told", "query"], name="subscribed_once"),
        ]

    def __str__(self):
        return f"{self.told}?{self.query}"
