"""Webhooks: where another system wants to be told of changes, and what it was told."""

import secrets
import uuid
from base64 import b64encode
from urllib.parse import urlsplit

import pghistory
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

from ground import networks
from partners.models.constraints import CheckedTogether, known
from projects.choices import CallState, Followed, PauseReason

MOST_WEBHOOKS = 10  # that one person has


def why_not_called(url: str) -> str:
    """The sentence, not translated, why this address isn't one that the portal calls; nothing where it is. Asked when it is entered
    and again before each call."""
    parts, is_free = urlsplit(url), settings.WEBHOOKS_TO_PRIVATE
    try:
        port = parts.port
    except ValueError:
        return gettext_noop("Only port 443 is called.")
    if parts.scheme != "https" and not (is_free and parts.scheme == "http"):
        return gettext_noop("Begin the address with https:// so that nobody on the way reads along.")
    if port not in (None, 443) and not is_free:
        return gettext_noop("Only port 443 is called.")
    if parts.username is not None:
        return gettext_noop("Leave the user name and password out of the address: they are not sent.")
    if networks.is_plainly_private(url) and not is_free:
        return gettext_noop("The address lies in a private network.")
    return ""


class WebhookQuerySet(models.QuerySet):
    def active(self):
        return self.filter(paused_at__isnull=True, user__is_active=True)


def _key() -> str:
    return secrets.token_urlsafe(24)


@pghistory.track(exclude=["key", "listed_at", "quiet_until"])
class Webhook(CheckedTogether):
    """An address that is called when records of a list change, as far as its owner may see them."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="webhooks", verbose_name=_("person")
    )
    url = models.URLField(
        _("address to call"), max_length=500, validators=[URLValidator(schemes=["http", "https"])],
        help_text=_("Begins with https:// and is open to the internet."),
    )  # fmt: skip
    subject = models.CharField(_("tells of"), max_length=10, choices=Followed, default=Followed.PROJECT)
    query = models.CharField(
        _("only those that pass this filter"), max_length=500, blank=True,
        help_text=_("What stands after the question mark in the address of a filtered list, such as country=KEN. Empty for all."),
    )  # fmt: skip
    key = models.CharField(max_length=40, default=_key, editable=False)
    created_at = models.DateTimeField(_("made at"), default=timezone.now, editable=False)
    paused_at = models.DateTimeField(_("paused at"), null=True, editable=False)
    paused_by = models.CharField(_("paused by"), max_length=10, choices=PauseReason, blank=True, editable=False)
    quiet_until = models.DateTimeField(_("asked for no calls until"), null=True, editable=False)  # by its Retry-After
    listed_at = models.DateTimeField(null=True, editable=False)  # since when it is known what stands in its list

    objects = WebhookQuerySet.as_manager()

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")
        ordering = ["-created_at", "-pk"]
        constraints = [known("subject", Followed), known("paused_by", PauseReason)]

    def __str__(self):
        return self.url

    def get_absolute_url(self):
        return reverse("webhook", args=[self.pk])

    def clean(self):
        self.query = self.query.strip().lstrip("?")
        if why := why_not_called(self.url):
            raise ValidationError({"url": gettext(why)})
        if self.user_id and self.pk is None and Webhook.objects.filter(user=self.user_id).count() >= MOST_WEBHOOKS:
            raise ValidationError(_("You have %(most)s webhooks. Remove one first.") % {"most": MOST_WEBHOOKS})

    @property
    def secret(self) -> bytes:
        """The key of its signatures. It is derived from the portal's own secret, so that no copy of the database has it."""
        return salted_hmac("projects.webhook", f"{self.pk}:{self.key}", algorithm="sha256").digest()

    @property
    def shown_secret(self) -> str:
        """The same as the receiver enters it (standardwebhooks.com: `whsec_` and base64)."""
        return f"whsec_{b64encode(self.secret).decode()}"


class WebhookCallQuerySet(models.QuerySet):
    def due(self):
        return self.filter(state=CallState.WAITING, next_at__lte=timezone.now(), webhook__in=Webhook.objects.active())


class WebhookCall(models.Model):
    """One thing that a webhook tells: what, how often it was tried, what the other side answered."""

    webhook = models.ForeignKey(Webhook, models.CASCADE, related_name="calls", verbose_name=_("webhook"))
    number = models.UUIDField(_("number"), default=uuid.uuid4, unique=True, editable=False)
    what = models.CharField(_("what"), max_length=40)
    record = models.CharField(_("record"), max_length=30, blank=True)
    body = models.TextField(_("body"))
    state = models.CharField(_("state"), max_length=10, choices=CallState, default=CallState.WAITING)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    status = models.PositiveSmallIntegerField(_("answer"), null=True)
    problem = models.CharField(_("problem"), max_length=200, blank=True)
    created_at = models.DateTimeField(_("at"), default=timezone.now)
    tried_at = models.DateTimeField(_("last tried at"), null=True)
    next_at = models.DateTimeField(_("next attempt at"), null=True, default=timezone.now)

    objects = WebhookCallQuerySet.as_manager()

    class Meta:
        verbose_name = _("call of a webhook")
        verbose_name_plural = _("calls of webhooks")
        ordering = ["-created_at", "-pk"]
        constraints = [known("state", CallState)]
        indexes = [
            models.Index(fields=["next_at"], name="webhook_call_due", condition=models.Q(state="waiting")),
            models.Index(fields=["webhook", "record"], name="webhook_call_of_record"),
        ]

    def __str__(self):
        return f"{self.what} {self.record}"

    @property
    def is_put_off(self) -> bool:
        """Whether it waits for its next attempt, or because the other side asked to be called later."""
        return (
            self.state == CallState.WAITING
            and bool(self.next_at)
            and bool(self.attempts or self.next_at > timezone.now())
        )


class ListedRecord(models.Model):
    """A record that stands in the list of a webhook, or stood there when that was last looked at: when it leaves, the webhook is told.
    Not taken from the log of calls, which is cleared; who made the webhook may have read the list itself."""

    webhook = models.ForeignKey(Webhook, models.CASCADE, related_name="listed", verbose_name=_("webhook"))
    record = models.BigIntegerField()

    class Meta:
        verbose_name = _("listed record")
        verbose_name_plural = _("listed records")
        constraints = [models.UniqueConstraint(fields=["webhook", "record"], name="listed_record_once")]

    def __str__(self):
        return f"{self.webhook_id}: {self.record}"


class FeedPosition(models.Model):
    """How far a reader of ours has read the change feed. Locked while it reads, so that each change is read once."""

    reader = models.CharField(max_length=20, primary_key=True)
    sequence = models.BigIntegerField(default=0)

    class Meta:
        verbose_name = _("position in the change feed")
        verbose_name_plural = _("positions in the change feed")

    def __str__(self):
        return f"{self.reader}: {self.sequence}"
