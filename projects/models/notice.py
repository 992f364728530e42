"""Who follows which need, who wants which mail how often, and each message with what became of it."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from partners.models.constraints import CheckedTogether, known
from projects.choices import Delivery, Frequency, NoticeKind
from projects.models.event import Event
from projects.models.matching import FoundMatch
from projects.models.need import Need

DEFAULTS = {
    NoticeKind.YOUR_MOVE: Frequency.IMMEDIATE,
    NoticeKind.YOURS: Frequency.IMMEDIATE,
    NoticeKind.FOLLOWED: Frequency.DAILY,
    NoticeKind.MATCHED: Frequency.DAILY,
}


class Follow(models.Model):
    """A person follows a need."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="follows", verbose_name=_("person"))
    need = models.ForeignKey(Need, models.CASCADE, related_name="follows", verbose_name=_("need"))
    since = models.DateTimeField(_("since"), default=timezone.now)

    class Meta:
        verbose_name = _("follow")
        verbose_name_plural = _("follows")
        ordering = ["-since", "-pk"]
        constraints = [models.UniqueConstraint(fields=["user", "need"], name="need_followed_once")]

    def __str__(self):
        return f"{self.user} → {self.need}"


class MailPreference(CheckedTogether):
    """How often a person wants mail of a kind; without a row, what DEFAULTS say."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="mail_preferences", verbose_name=_("person")
    )
    kind = models.CharField(_("kind"), max_length=10, choices=NoticeKind)
    frequency = models.CharField(_("how often"), max_length=10, choices=Frequency)

    class Meta:
        verbose_name = _("choice of mail")
        verbose_name_plural = _("choices of mail")
        ordering = ["user", "kind"]
        constraints = [
            known("kind", NoticeKind),
            known("frequency", Frequency),
            models.UniqueConstraint(fields=["user", "kind"], name="mail_preference_once"),
        ]

    def __str__(self):
        return f"{self.user}: {self.kind} {self.frequency}"

    @classmethod
    def of(cls, users) -> dict[int, dict[str, str]]:
        """{key of the person: {kind: how often}} for these people."""
        found = {user.pk: dict(DEFAULTS) for user in users}
        for row in cls.objects.filter(user__in=found):
            found[row.user_id][row.kind] = row.frequency
        return found


class NoticeQuerySet(models.QuerySet):
    def troubled(self):
        """Given up or come back: for the desk to look at."""
        return self.filter(status__in=(Delivery.FAILED, Delivery.BOUNCED))

    def for_digest(self):
        return self.filter(status=Delivery.WAITING, frequency=Frequency.DAILY)


class Notice(CheckedTogether):
    """One message to one person about one event, or one match that was found, and what became of it."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="notices", verbose_name=_("person"))
    event = models.ForeignKey(
        Event, models.CASCADE, null=True, blank=True, related_name="notices", verbose_name=_("event")
    )
    found = models.ForeignKey(
        FoundMatch, models.CASCADE, null=True, blank=True, related_name="notices", verbose_name=_("match")
    )
    kind = models.CharField(_("kind"), max_length=10, choices=NoticeKind)
    frequency = models.CharField(_("how often"), max_length=10, choices=Frequency)
    status = models.CharField(_("status"), max_length=10, choices=Delivery, default=Delivery.WAITING)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    error = models.CharField(_("last error"), max_length=500, blank=True)
    message_id = models.CharField(_("message id"), max_length=120, blank=True, db_index=True)
    created_at = models.DateTimeField(_("at"), default=timezone.now)
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        ordering = ["-created_at", "-pk"]
        indexes = [
            models.Index(fields=["status", "frequency", "user"], name="notice_waiting"),
        ]
        constraints = [
            known("kind", NoticeKind),
            known("frequency", Frequency),
            known("status", Delivery),
            models.UniqueConstraint(fields=["user", "event"], name="told_once"),
            models.UniqueConstraint(fields=["user", "found"], name="told_of_a_match_once"),
            models.CheckConstraint(
                name="notice_of_one", condition=models.Q(event__isnull=True) ^ models.Q(found__isnull=True)
            ),
        ]

    def __str__(self):
        return f"{self.user}: {self.event or self.found}"

    @property
    def record(self):
        """What it is about: a need, an offer or a project."""
        if self.found_id:
            return self.found.need
        return self.event.response.need if self.event.response_id else self.event.record
