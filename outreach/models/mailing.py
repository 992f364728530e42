"""What goes to many at once: one mailing, and a copy for each who gets it. Copies make sure that nobody gets two."""

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from outreach.choices import MailingKind
from outreach.models.newsletter import Issue
from outreach.models.subscriber import Subscriber
from partners.models.constraints import known
from projects.choices import Delivery

STATUSES = (Delivery.WAITING, Delivery.SENT, Delivery.BOUNCED, Delivery.FAILED)


class MailingQuerySet(models.QuerySet):
    def open(self):
        """Those that somebody still has to get."""
        return self.filter(ended_at=None)


class Mailing(models.Model):
    """A digest of what came before a moment, or an issue of the newsletter."""

    kind = models.CharField(_("kind"), max_length=7, choices=MailingKind)
    until = models.DateTimeField(_("tells what came before"))
    issue = models.OneToOneField(
        Issue, models.PROTECT, related_name="mailing", verbose_name=_("issue"), null=True, blank=True
    )
    started_at = models.DateTimeField(_("begun"), default=timezone.now)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    sent = models.PositiveIntegerField(_("sent"), default=0)
    bounced = models.PositiveIntegerField(_("came back"), default=0)
    failed = models.PositiveIntegerField(_("failed"), default=0)

    objects = MailingQuerySet.as_manager()

    class Meta:
        verbose_name = _("mailing")
        verbose_name_plural = _("mailings")
        ordering = ["-until", "-pk"]
        constraints = [
            known("kind", MailingKind),
            models.UniqueConstraint(fields=["kind", "until"], name="digest_once", condition=Q(issue=None)),
            models.CheckConstraint(
                name="newsletter_has_its_issue", condition=Q(kind=MailingKind.ISSUE) ^ Q(issue__isnull=True)
            ),
        ]

    def __str__(self):
        return f"{self.get_kind_display()} {self.until:%Y-%m-%d}"


class CopyQuerySet(models.QuerySet):
    def waiting(self):
        return self.filter(status=Delivery.WAITING)

    def free(self):
        """Those that wait and are in no worker's hands."""
        return self.waiting().filter(Q(taken_until=None) | Q(taken_until__lt=timezone.now()))


class Copy(models.Model):
    """What one subscriber gets of a mailing. `content` is emptied when it is sent."""

    mailing = models.ForeignKey(Mailing, models.CASCADE, related_name="copies", verbose_name=_("mailing"))
    subscriber = models.ForeignKey(Subscriber, models.CASCADE, related_name="copies", verbose_name=_("subscriber"))
    content = models.JSONField(_("content"), default=list)
    status = models.CharField(
        _("status"), max_length=8, choices=[(s.value, s.label) for s in STATUSES], default=Delivery.WAITING
    )
    taken_until = models.DateTimeField(_("in a worker's hands until"), null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    message_id = models.CharField("Message-ID", max_length=120, unique=True)
    error = models.CharField(_("what the mail server said"), max_length=500, blank=True)

    objects = CopyQuerySet.as_manager()

    class Meta:
        verbose_name = _("copy")
        verbose_name_plural = _("copies")
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(name="outreach_copy_status_known", condition=Q(status__in=STATUSES)),
            models.UniqueConstraint(fields=["mailing", "subscriber"], name="copy_once"),
        ]
        indexes = [
            models.Index(fields=["mailing", "taken_until"], name="copy_waiting", condition=Q(status=Delivery.WAITING))
        ]

    def __str__(self):
        return self.message_id
