"""Signing in: what the portal adds to django-allauth, which does sign-up, sign-in, second factors and sessions."""

import base64
import hashlib
import time

from allauth.account import app_settings as account_settings
from allauth.account.authentication import get_authentication_records
from allauth.account.decorators import reauthentication_required
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from cryptography.fernet import Fernet
from django.conf import settings
from django.contrib.sites.shortcuts import get_current_site
from django.db import transaction
from django.http import HttpRequest, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse, translate_url
from django.utils.translation import get_language_from_path, gettext_lazy
from django.utils.translation import gettext as _

from ground.languages import told_to_programs
from partners.guessing import SlowsGuessing
from partners.letters import send_written, tell
from partners.models import ApiToken
from partners.rules import ADMINISTRATOR, DESK, FOCAL_POINT, PUBLISHER, memberships
from partners.sessions import is_signed_in

SET_UP_FIRST = gettext_lazy("Your role needs a second factor. Set it up under /accounts/2fa/ first.")
NEEDS_SECOND_FACTOR = (FOCAL_POINT, DESK, PUBLISHER, ADMINISTRATOR)


class AccountAdapter(SlowsGuessing):
    def post_login(self, request, user, *, redirect_url=None, **kwargs):
        """On in the person's own language."""
        address = redirect_url or self.get_login_redirect_url(request)
        return super().post_login(request, user, redirect_url=translate_url(address, user.language), **kwargs)

    def is_reauthentication_required(self, *, app, **kwargs):
        """Asked by all of django-allauth: what signing in a moment ago has shown need not be shown again."""
        return not was_known_lately(context.request) and super().is_reauthentication_required(app=app, **kwargs)

    def get_signup_redirect_url(self, request):
        return reverse("join")

    def send_mail(self, template_prefix, email, context):
        """By the queue, like all mail: a mail server that is slow or away holds nobody up, and its time tells nobody anything."""
        about = {"request": self.request, "email": email, "current_site": get_current_site(self.request), **context}
        message = self.render_mail(template_prefix, email, about)
        send_written(email, message.subject, message.body)

    def populate_username(self, request, user):
        """People have no user name."""


class SecondFactorAdapter(DefaultMFAAdapter):
    """Keeps the secrets of authenticators encrypted, so that a copy of the database is not enough to sign in."""

    def _box(self) -> Fernet:
        key = hashlib.sha256(f"second factor {settings.SECRET_KEY}".encode()).digest()
        return Fernet(base64.urlsafe_b64encode(key))

    def encrypt(self, text: str) -> str:
        return self._box().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return self._box().decrypt(encrypted_text.encode()).decode()


def needs_second_factor(user) -> bool:
    """Whether one of the person's roles asks for a second factor."""
    return any(m.role in NEEDS_SECOND_FACTOR for m in memberships(user))


def has_second_factor(user) -> bool:
    return Authenticator.objects.filter(user=user).exclude(type=Authenticator.Type.RECOVERY_CODES).exists()


def without_language(path: str) -> str:
    """An address as it is in English, whose pages have no language in front."""
    language = get_language_from_path(path)
    return path.removeprefix(f"/{language}") if language else path


def lacks_second_factor(user) -> bool:
    """Whether a role asks for a second factor that is not there. Asked by pages and admin (below) and for API tokens
    (api/base.py): until it is set up, nothing is open."""
    return settings.SECOND_FACTOR_REQUIRED and needs_second_factor(user) and not has_second_factor(user)


def was_known_lately(request: HttpRequest) -> bool:
    """Whether the person gave the password or a second factor in the last minutes, at sign-in or since."""
    given = [r["at"] for r in get_authentication_records(request, request.user) if r["method"] in ("password", "mfa")]
    return bool(given) and time.time() - max(given) < account_settings.REAUTHENTICATION_TIMEOUT


def _is_written(request: HttpRequest) -> bool:
    return request.method == "POST"


# For acts that an open session alone must not do: asks for the password or a second factor, then does what was sent.
known_lately = reauthentication_required
known_lately_to_write = reauthentication_required(enabled=_is_written)


@transaction.atomic
def make_token(user, **given) -> tuple[ApiToken, str]:
    """A new token and its secret; its owner is told by mail. Raises ValidationError."""
    token, secret = ApiToken.objects.make(user, **given)
    tell(user, "token_made", {"token": token}, reverse("tokens"))
    return token, secret


@told_to_programs
def second_factor_missing(request: HttpRequest) -> JsonResponse:
    title = _("Second factor missing")
    body = {"type": "about:blank", "code": "permission_denied", "title": title, "status": 403, "detail": SET_UP_FIRST}
    return JsonResponse(body, status=403, content_type="application/problem+json")


class SecondFactor:
    """Whoever holds a role at UNEP or is a national focal point sets a second factor up before anything else."""

    ALWAYS_OPEN = ("/accounts/", settings.STATIC_URL)

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request: HttpRequest):
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view, args, kwargs):
        """After the limits of bodies and the mark against forgery were asked for: a form is read and kept meanwhile."""
        if (
            is_signed_in(request)
            and not without_language(request.path_info).startswith(self.ALWAYS_OPEN)
            and lacks_second_factor(request.user)
        ):
            if request.path.startswith("/api/"):
                return second_factor_missing(request)
            request.is_second_factor_missing = True  # (partners/unsent.py)
            return redirect("mfa_index")
        return None
