"""What people's programs use: tokens that stand for a person in the API, and the answers to calls that may be sent twice."""

import datetime as dt
import hashlib
import secrets

import pghistory
import pgtrigger
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from partners.choices import Scope
from partners.models.constraints import known

BEGINNING = "ssc_"  # by which a leaked token is recognised in a text
SHOWN = 10  # signs of it that the list shows
MOST_TOKENS = 20  # that one person has at a time
LONGEST = 366  # days that one holds
SEEN_EVERY = dt.timedelta(minutes=1)  # how exactly the last use is known
KEPT_FOR = dt.timedelta(hours=24)


def digest_of(secret: str) -> str:
    """What is kept of a token. It is random and long, so one round of SHA-256 is enough."""
    return hashlib.sha256(secret.encode()).hexdigest()


def ends_tokens(operation, person: str, *, condition: str) -> pgtrigger.Trigger:
    """Ends the tokens of a person who is no longer known by what they were made with. The database does it, so that
    no page, admin, command or shell can forget to."""
    return pgtrigger.Trigger(
        name="ends_tokens",
        operation=operation,
        when=pgtrigger.After,
        condition=pgtrigger.Condition(condition),
        func=f"UPDATE partners_apitoken SET revoked_at = now() WHERE user_id = {person} AND revoked_at IS NULL; RETURN NULL;",  # noqa: S608
    )


class ApiTokenQuerySet(models.QuerySet):
    def active(self):
        """Those that open the API now."""
        return self.filter(revoked_at__isnull=True, expires_on__gte=timezone.localdate())

    def make(self, user, *, name: str, scope: str, expires_on: dt.date) -> tuple["ApiToken", str]:
        """A new token and its secret, which is shown once and not kept. Raises ValidationError."""
        secret = BEGINNING + secrets.token_urlsafe(32)
        token = self.model(
            user=user, name=name, scope=scope, expires_on=expires_on, beginning=secret[:SHOWN], digest=digest_of(secret)
        )
        token.full_clean()
        if self.active().filter(user=user).count() >= MOST_TOKENS:
            raise ValidationError(_("You have %(most)s tokens. Revoke one first.") % {"most": MOST_TOKENS})
        token.save()
        return token, secret

    def opened_by(self, secret: str) -> "ApiToken | None":
        """The active token with this secret; its use is noted."""
        token = self.active().select_related("user").filter(digest=digest_of(secret)).first()
        now = timezone.now()
        if token and (token.last_used_at is None or now - token.last_used_at >= SEEN_EVERY):
            self.filter(pk=token.pk).update(last_used_at=now)
        return token


@pghistory.track(exclude=["digest", "last_used_at"])
class ApiToken(models.Model):
    """A secret by which a program acts as a person: named, limited in time and to reading or writing, revocable.

    It ends with the password that it was made with, with a second factor that is removed, and with the account."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="api_tokens", verbose_name=_("person")
    )
    name = models.CharField(_("what for"), max_length=100, help_text=_("So that you know later which one it is."))
    scope = models.CharField(_("may"), max_length=5, choices=Scope, default=Scope.READ)
    beginning = models.CharField(_("begins with"), max_length=SHOWN, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(_("made at"), default=timezone.now, editable=False)
    expires_on = models.DateField(_("until"))
    last_used_at = models.DateTimeField(_("last used"), null=True, editable=False)
    revoked_at = models.DateTimeField(_("revoked at"), null=True, editable=False)

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")
        ordering = ["-created_at", "-pk"]
        constraints = [known("scope", Scope)]

    def __str__(self):
        return f"{self.beginning}… ({self.name})"

    def clean(self):
        today = timezone.localdate()
        if self.expires_on and not today <= self.expires_on <= today + dt.timedelta(days=LONGEST):
            raise ValidationError({"expires_on": _("A token holds for a year at most, and not into the past.")})

    @property
    def is_active(self) -> bool:
        return self.revoked_at is None and self.expires_on >= timezone.localdate()

    def revoke(self) -> None:
        """Ends it at once."""
        self.revoked_at = self.revoked_at or timezone.now()
        self.save(update_fields=["revoked_at"])


class KeptAnswerQuerySet(models.QuerySet):
    def claim(self, user, key: str, fingerprint: str) -> tuple["KeptAnswer", bool]:
        """The call that this person sent with this key within 24 hours, or a new one to be filled.

        Called inside the transaction that does the work: a second call with the key waits here until the first has ended.
        """
        self.filter(user=user, key=key, created_at__lt=timezone.now() - KEPT_FOR).delete()
        return self.select_for_update().get_or_create(user=user, key=key, defaults={"fingerprint": fingerprint})

    def outdated(self):
        return self.filter(created_at__lt=timezone.now() - KEPT_FOR)


class KeptAnswer(models.Model):
    """What a call with an Idempotency-Key was answered, or where a form led, for 24 hours: sent again, it is done once."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name=_("person"))
    key = models.CharField(_("key"), max_length=200)
    fingerprint = models.CharField(_("method, address and body, as a checksum"), max_length=64)
    rights = models.CharField(_("roles of the person then, as a checksum"), max_length=64, blank=True, default="")
    status = models.PositiveSmallIntegerField(_("status"), default=0)
    location = models.CharField(_("address of what was made"), max_length=500, blank=True)
    body = models.TextField(_("body"), blank=True)
    created_at = models.DateTimeField(_("at"), default=timezone.now)

    objects = KeptAnswerQuerySet.as_manager()

    class Meta:
        verbose_name = _("kept answer")
        verbose_name_plural = _("kept answers")
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="one_answer_for_a_key")]
        indexes = [models.Index(fields=["created_at"], name="kept_answer_age")]

    def __str__(self):
        return f"{self.key} ({self.status})"
