"""Which address calls, and how often it may: one answer for pages, the API and attempts to sign in.

Calls are counted in each process and told to a table that all share after every tenth part of what is allowed (docs/
decisions/0039-rates.md): a person's calls cost no query, and a program gets no more by reaching several processes.
"""

import threading
import time
from dataclasses import dataclass

import psycopg
from allauth.core.internal.ratelimit import get_ip
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import Error
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from partners.models import CallCount
from partners.sessions import is_signed_in

STEPS = (
    10  # how often at most the calls of an address are told to the shared table while it stays within what is allowed
)
MOST_KNOWN = 50_000  # addresses that a process counts at a time
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def address_of(request: HttpRequest) -> str:
    """Who calls: behind a proxy what that says; of IPv6 the network (/64) that one customer has. Empty where it isn't known,
    as behind a socket file without a proxy that tells it: then nobody is counted."""
    try:
        return get_ip(request)
    except PermissionDenied:
        return ""


@dataclass
class Calls:
    """What a process knows of one caller within the present window."""

    told: int = 0  # of all processes, when it was told last
    mine: int = 0  # since then, in this one


@dataclass(frozen=True)
class Taken:
    """Whether a call is within what is allowed, and what is left of it."""

    is_allowed: bool
    limit: int
    left: int
    wait: int  # seconds until the next window

    def headers(self) -> dict[str, str]:
        return {"Retry-After": str(self.wait)}


_lock = threading.Lock()
_known: dict[str, Calls] = {}
_windows: dict[str, int] = {}  # name of a budget -> the window in which it was counted last


def take(budget: str, caller: str) -> Taken | None:
    """Counts one call. None where nothing is counted: the setting is empty, or the caller not known."""
    rate = settings.RATES[budget]
    if not rate or not caller:
        return None
    limit, seconds = parsed(rate)
    window, wait = int(time.time() // seconds), int(seconds - time.time() % seconds) + 1
    key = f"{budget}:{window}:{caller}"
    with _lock:
        _forget(budget, window)
        calls = _known.setdefault(key, Calls())
        calls.mine += 1
        news = calls.mine if calls.mine >= max(1, limit // STEPS) and calls.told <= limit else 0
        if news:
            calls.mine = 0
    if news:
        calls.told = _tell(key, news, calls.told, seconds)
    made = calls.told + calls.mine
    return Taken(made <= limit, limit, max(0, limit - made), wait)


def parsed(rate: str) -> tuple[int, int]:
    """(calls, seconds) of `1200/min`."""
    number, _slash, period = rate.partition("/")
    return int(number), SECONDS[period[0]]


def _tell(key: str, news: int, told: int, seconds: int) -> int:
    """Adds calls to the shared count. No database: each process goes by its own."""
    hidden = salted_hmac("caller", key, algorithm="sha256").hexdigest()  # the table names no address
    try:
        return CallCount.objects.add(hidden, news, seconds)
    except (Error, psycopg.Error):
        return told + news


def _forget(budget: str, window: int) -> None:
    if len(_known) > MOST_KNOWN:
        _known.clear()
    if _windows.get(budget) != window:
        _windows[budget] = window
        for key in [key for key in _known if key.startswith(f"{budget}:")]:
            del _known[key]


def costly(budget: str):
    """Decorator of a view whose answer costs more than a page: it has a limit of its own."""

    def declare(view):
        view.budget = budget
        return view

    return declare


def take_page(request: HttpRequest, view) -> Taken | None:
    """Counts the call of a page, its search or its costly answer; nobody who is signed in is counted."""
    if is_signed_in(request):
        return None
    budget = getattr(view, "budget", "") or ("search" if request.GET.get("q") else "page")
    return take(budget, address_of(request))
