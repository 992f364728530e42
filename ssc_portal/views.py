"""Pages of the whole site: what to do when something went wrong."""

import sys
from collections.abc import Iterator

import psycopg
from django.core.exceptions import BadRequest
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.views.decorators.csrf import requires_csrf_token

CODES = {400: "bad_request", 403: "permission_denied", 404: "not_found", 500: "error", 503: "away"}  # of problems
PROBLEM = "application/problem+json"
AWAY = (OperationalError, InterfaceError, psycopg.OperationalError, psycopg.InterfaceError)  # no use of the database


def _answer(request: HttpRequest, status: int, title: str, advice: str) -> HttpResponse:
    """A page, or under /api/ a problem document (RFC 9457). Needs no database."""
    if request.path.startswith("/api/"):
        body = {"type": "about:blank", "code": CODES[status], "title": title, "status": status, "detail": advice}
        return JsonResponse(body, status=status, content_type=PROBLEM)
    page = render_to_string("error.html", {"title": title, "advice": advice, "status": status, "path": request.path})
    return HttpResponse(page, status=status)


def bad_request(request: HttpRequest, exception=None) -> HttpResponse:
    said = str(exception) if type(exception) is BadRequest else ""  # others come from Django, and are for its log
    return _answer(
        request,
        400,
        _("This request can't be understood"),
        said or _("Check the address, or start again from the home page."),
    )


@requires_csrf_token
def permission_denied(request: HttpRequest, exception=None) -> HttpResponse:
    advice = str(exception) if exception and str(exception) else ""
    return _answer(
        request,
        403,
        _("This is not open to you"),
        advice or _("Sign in with another account, or ask the UNEP desk for access."),
    )


def not_found(request: HttpRequest, exception=None) -> HttpResponse:
    return _answer(
        request,
        404,
        _("There is no such page"),
        _("It may have moved, or be visible to fewer people. Search for it, or look through the lists."),
    )


def _led_up_to(error: BaseException | None) -> Iterator[BaseException]:
    """The error and those that it came from: libraries raise errors of their own over those of the database."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def server_error(request: HttpRequest) -> HttpResponse:
    if any(isinstance(error, AWAY) for error in _led_up_to(sys.exc_info()[1])):
        answer = _answer(
            request,
            503,
            _("The portal is away for a moment"),
            _("Nothing was saved from this step. Wait a few seconds, then press Back and send it again."),
        )
        answer["Retry-After"] = "5"
        return answer
    return _answer(
        request,
        500,
        _("Something went wrong on our side"),
        _("It has been noted. Try again; if it stays, tell the UNEP desk."),
    )


def form_expired(request: HttpRequest, reason: str = "") -> HttpResponse:
    return _answer(
        request,
        403,
        _("This form has expired"),
        _(
            "For your safety a form is valid for one visit. Press Back, reload the page and send it again; allow cookies."
        ),
    )
