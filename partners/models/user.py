"""People who sign in. What they may do follows from their memberships, never from flags on the person."""

from functools import cached_property
from zoneinfo import ZoneInfo, available_timezones

import pghistory
import pgtrigger
import rules
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from partners.choices import Role
from partners.models.program import ends_tokens
from partners.rules import SYSTEM

ERASED = "@erased.invalid"  # what addresses of erased accounts end with (partners/personal.py)


def known_time_zone(value: str) -> None:
    """Raises ValidationError for a name that is not in the IANA time zone database."""
    if value not in available_timezones():
        raise ValidationError(_("There is no time zone of this name. Use one such as Africa/Nairobi."))


class UserManager(BaseUserManager):
    def get_by_natural_key(self, email):
        return self.get(email__iexact=email)

    def create_user(self, email: str, password: str | None = None, **fields) -> "User":
        """A person who can sign in, without any role. Without a password they have to set one by mail."""
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.full_clean(exclude=["password"])
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields) -> "User":
        """The first administrator of an installation: a person with that role at UNEP."""
        from partners.models.partner import Membership, Partner  # they point back to people

        user = self.create_user(email, password, **fields)
        Membership.objects.create(user=user, partner=Partner.objects.unep(), role=Role.ADMINISTRATOR)
        user.vouch_for_address()
        return user

    def system(self) -> "User":
        """The named user that scheduled work and commands act as. Nobody can sign in as it."""
        from partners.models.partner import Membership, Partner

        user, new = self.get_or_create(email=SYSTEM, defaults={"full_name": "Portal (automatic)"})
        if new:
            user.set_unusable_password()
            user.save()
            Membership.objects.create(user=user, partner=Partner.objects.unep(), role=Role.PUBLISHER)
        return user


@pgtrigger.register(
    ends_tokens(
        pgtrigger.UpdateOf("password", "is_active"),
        "NEW.id",
        condition="OLD.password IS DISTINCT FROM NEW.password OR (OLD.is_active AND NOT NEW.is_active)",
    )
)
@pghistory.track(exclude=["password", "last_login", "news_seen_at"])
class User(AbstractBaseUser):
    """A person, known by e-mail address."""

    email = models.EmailField(_("e-mail address"), max_length=254, unique=True)
    full_name = models.CharField(_("full name"), max_length=150, blank=True)
    language = models.CharField(_("preferred language"), max_length=10, choices=settings.LANGUAGES, default="en")
    time_zone = models.CharField(_("time zone"), max_length=50, default="UTC", validators=[known_time_zone])
    is_active = models.BooleanField(_("may sign in"), default=True)
    news_seen_at = models.DateTimeField(_("news seen until"), default=timezone.now, editable=False)
    date_joined = models.DateTimeField(_("joined"), default=timezone.now, editable=False)

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: list[str] = []

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        ordering = ["email"]
        constraints = [
            models.UniqueConstraint(
                Lower("email"),
                name="user_email_once",
                violation_error_message=_("There is an account with this e-mail address already."),
            )
        ]

    def __str__(self):
        return self.full_name or (str(_("erased account")) if self.email.endswith(ERASED) else self.email)

    def clean(self):
        self.email = self.email.strip().lower()

    def check_password(self, raw_password):
        """Also writes the same password anew where Django has come to a stronger way: that ends no tokens."""
        with pgtrigger.ignore("partners.User:ends_tokens"):
            return super().check_password(raw_password)

    def vouch_for_address(self) -> None:
        """The address of an account made on the command line needs no message to be confirmed."""
        self.emailaddress_set.update_or_create(email=self.email, defaults={"verified": True, "primary": True})

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @cached_property
    def active_memberships(self) -> list:
        """Memberships that hold today, loaded once per request."""
        return list(self.memberships.active()) if self.pk and self.is_active else []

    @property
    def is_staff(self) -> bool:
        """Whether admin is open to this person (Django's admin asks by this name)."""
        return self.is_active and rules.test_rule("partners.is_unep", self)

    def has_perm(self, perm: str, obj=None) -> bool:
        """Asked everywhere; answered by the predicates in rules.py of each app."""
        return self.is_active and rules.has_perm(perm, self, obj)

    def has_perms(self, perms, obj=None) -> bool:
        return all(self.has_perm(perm, obj) for perm in perms)

    def has_module_perms(self, app_label: str) -> bool:
        return self.is_staff
