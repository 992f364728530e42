"""How people come to their roles: they ask to join, or are invited. Decided in partners/joining.py."""

import secrets

import pghistory
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from partners.choices import COUNTRY_ROLES, PARTNER_ROLES, STAFF_ROLES, Role
from partners.models.constraints import known, together
from partners.models.partner import Partner
from partners.models.place import Country

INVITED_FOR = 14  # days that an invitation stays open


class Place(models.Model):
    """Base: a role in a country or in a partner."""

    role = models.CharField(_("role"), max_length=20, choices=Role)
    country = models.ForeignKey(
        Country, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("country")
    )
    partner = models.ForeignKey(
        Partner, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("partner")
    )

    class Meta:
        abstract = True

    @property
    def place(self):
        return self.country or self.partner

    def clean(self):
        if (self.role in COUNTRY_ROLES) != (self.country_id is not None and self.partner_id is None):
            raise ValidationError(_("A country's role needs a country; every other role needs a partner."))


def in_one_place(name: str) -> models.CheckConstraint:
    return models.CheckConstraint(
        name=name,
        condition=Q(role__in=COUNTRY_ROLES, country__isnull=False, partner__isnull=True)
        | Q(role__in=[*PARTNER_ROLES, *STAFF_ROLES], country__isnull=True, partner__isnull=False),
        violation_error_message=_("A country's role needs a country; every other role needs a partner."),
    )


@pghistory.track()
class JoinRequest(Place):
    """A person asks to join a country or a partner."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="join_requests", verbose_name=_("person")
    )
    note = models.TextField(
        _("who you are"), max_length=1000, help_text=_("Your office and task, so that you are recognised.")
    )
    asked_at = models.DateTimeField(_("asked at"), default=timezone.now)
    decided_at = models.DateTimeField(_("decided at"), null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("decided by")
    )
    is_granted = models.BooleanField(_("granted"), null=True, blank=True)
    answer = models.TextField(_("answer"), blank=True, max_length=1000)

    class Meta:
        verbose_name = _("request to join")
        verbose_name_plural = _("requests to join")
        ordering = ["-asked_at", "-pk"]
        constraints = [
            known("role", Role),
            together("decided_at", "decided_by"),
            in_one_place("request_in_one_place"),
            models.UniqueConstraint(
                fields=["user", "role", "country", "partner"], nulls_distinct=False, condition=Q(decided_at__isnull=True),
                name="asked_once", violation_error_message=_("You asked for this already; the answer comes by mail."),
            ),
        ]  # fmt: skip

    def __str__(self):
        return f"{self.user} → {self.place}"


def new_token() -> str:
    return secrets.token_urlsafe(32)


@pghistory.track(exclude=["token"])
class Invitation(Place):
    """Somebody is invited by e-mail to a role. The link works once, for a while."""

    email = models.EmailField(_("e-mail address"))
    token = models.CharField(max_length=60, unique=True, default=new_token, editable=False)
    ends_on = models.DateField(_("role until"), null=True, blank=True)
    invited_at = models.DateTimeField(_("invited at"), default=timezone.now)
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("invited by")
    )
    accepted_at = models.DateTimeField(_("accepted at"), null=True, blank=True)
    accepted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("accepted by")
    )
    withdrawn_at = models.DateTimeField(_("withdrawn at"), null=True, blank=True)

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        ordering = ["-invited_at", "-pk"]
        constraints = [
            known("role", Role),
            together("accepted_at", "accepted_by"),
            in_one_place("invitation_in_one_place"),
        ]

    def __str__(self):
        return f"{self.email} → {self.place}"

    @property
    def is_open(self) -> bool:
        late = timezone.now() - self.invited_at > timezone.timedelta(days=INVITED_FOR)
        return self.accepted_at is None and self.withdrawn_at is None and not late
