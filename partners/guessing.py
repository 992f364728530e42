"""Guessing a password is slowed for each account over all addresses, and its owner stays able to sign in.

Why it is so: docs/decisions/0034-guessing.md.
"""

import math
import secrets
import time

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.userkit import filter_users_by_email
from allauth.core.internal import ratelimit
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core import signing
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils.translation import ngettext

from ground import networks
from partners import callers
from partners.letters import tell

COOKIE = "__Host-known" if settings.SESSION_COOKIE_SECURE else "known"
SALT = "browser that was signed in before"
KEPT_SECONDS = 365 * 86_400
ACCOUNTS = 5  # that one browser is known for
DAY = 86_400
TOO_MANY = "too_many_login_attempts"  # (templates/account/login.html)
RESET = "password_reset_of"  # in the session: whose password was set anew here


class SlowsGuessing(DefaultAccountAdapter):
    def get_client_ip(self, request):
        """Asked by every limit that counts by address, of django-allauth and of ours (partners/callers.py)."""
        return networks.caller(super().get_client_ip(request))

    def pre_authenticate(self, request, **credentials):
        """Unknown browsers share one total for each account; each browser that was signed in before has its own."""
        try:
            super().pre_authenticate(request, **credentials)
        except ValidationError:
            key = self._get_login_attempts_cache_key(request, **credentials)
            raise _too_many(_seconds_to_wait(request, "login_failed", key)) from None
        person = _person(credentials.get("email", ""))
        account = str(person.pk) if person else credentials.get("email", "").lower()
        key = f"{account}:{_browser_of(request, person)}"
        self._usage_anywhere = ratelimit.consume(
            request, app="allauth.account", action="login_failed_anywhere", key=key
        )
        if not self._usage_anywhere:
            if person:
                _warn(person)
            raise _too_many(_seconds_to_wait(request, "login_failed_anywhere", key))

    def validation_error(self, code, *args):
        """Codes of a second factor are counted by django-allauth itself: there the longest that it can last."""
        if code != TOO_MANY:
            return super().validation_error(code, *args)
        rates = ratelimit.get_rates(app="allauth.account", action="login_failed")
        return _too_many(max((rate.duration for rate in rates if rate.per == "key"), default=60))

    def _get_login_attempts_cache_key(self, request, **credentials):
        """Failed attempts are counted for an account *from an address*: a guesser elsewhere does not lock the owner out, and one
        who mistypes does not lock out the office behind the same address; nor does a guesser in that office the owner's browser."""
        browser = _browser_of(request, _person(credentials.get("email", "")))
        key = super()._get_login_attempts_cache_key(request, **credentials)
        return f"{key}:{callers.address_of(request)}:{browser}"

    def _rollback_login_failed_rl_usage(self):
        super()._rollback_login_failed_rl_usage()
        if usage := getattr(self, "_usage_anywhere", None):
            usage.rollback()

    def _delete_login_attempts_cached_email(self, request, **credentials):
        """Whoever set the password anew by mail is the owner, though the browser is new."""
        super()._delete_login_attempts_cached_email(request, **credentials)
        if person := _person(credentials.get("email", "")):
            request.session[RESET] = person.pk

    def post_login(self, request, user, **kwargs):
        response = super().post_login(request, user, **kwargs)
        _remember(request, response, user)
        return response


def _too_many(seconds: float) -> ValidationError:
    """What is said instead of looking at a password: how long to wait. The same whether there is an account or not."""
    minutes = max(1, math.ceil(seconds / 60))
    text = ngettext(
        "There were too many failed attempts to sign in. Wait %(n)s minute, then try again.",
        "There were too many failed attempts to sign in. Wait %(n)s minutes, then try again.", minutes,
    )  # fmt: skip
    return ValidationError(text, code=TOO_MANY, params={"n": minutes})


def _seconds_to_wait(request, action: str, key: str) -> float:
    """Until the next attempt counts: the longest of the rates that are used up."""
    app, now, longest = "allauth.account", time.time(), 0.0
    for rate in ratelimit.get_rates(app=app, action=action):
        history = cache.get(ratelimit.get_cache_key(request, app=app, action=action, rate=rate, key=key), [])
        recent = [at for at in history if at > now - rate.duration]
        if len(recent) >= rate.amount:
            longest = max(longest, min(recent) + rate.duration - now)
    return longest


def _person(email: str):
    return next(iter(filter_users_by_email(email, prefer_verified=True, for_login=True)), None)


def _browser_of(request, person) -> str:
    """What tells this browser apart, where it was signed in to this account before; empty for all others."""
    if person is None:
        return ""
    if request.user.is_authenticated and request.user.pk == person.pk or request.session.get(RESET) == person.pk:
        return request.session.session_key or ""
    known = _known(request)
    return known["browser"] if person.pk in known["accounts"] else ""


def _known(request) -> dict:
    try:
        return signing.loads(request.COOKIES.get(COOKIE, ""), salt=SALT, max_age=KEPT_SECONDS)
    except signing.BadSignature:
        return {"browser": secrets.token_urlsafe(12), "accounts": []}


def last_person(request):
    """Who signed in last in this browser; None where nobody did."""
    accounts = _known(request)["accounts"]
    return get_user_model().objects.filter(pk=accounts[0]).first() if accounts else None


def _remember(request, response, user) -> None:
    known = _known(request)
    known["accounts"] = [user.pk, *(pk for pk in known["accounts"] if pk != user.pk)][:ACCOUNTS]
    response.set_cookie(
        COOKIE, signing.dumps(known, salt=SALT), max_age=KEPT_SECONDS, httponly=True, samesite="Lax",
        secure=bool(settings.SESSION_COOKIE_SECURE),
    )  # fmt: skip


def _warn(person) -> None:
    """Tells the owner, at most once a day however long it goes on."""
    if cache.add(f"guessing-told:{person.pk}", True, DAY):
        tell(person, "guessed", {}, reverse("account_reset_password"))
