"""Pages of the whole site: what to do when something went wrong."""

import sys

import psycopg
from django.conf import settings
from django.core.exceptions import BadRequest, TooManyFieldsSent, TooManyFilesSent
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.views.decorators.csrf import requires_csrf_token

from ground import storage
from ground.languages import told_to_programs

CODES = {
    400: "bad_request",
    403: "permission_denied",
    404: "not_found",
    412: "changed",
    413: "too_large",
    415: "unsupported_media_type",
    429: "throttled",
    500: "error",
    503: "away",
    507: "no_room",
}  # fmt: skip  of problems
PROBLEM = "application/problem+json"
AWAY = (OperationalError, InterfaceError, psycopg.OperationalError, psycopg.InterfaceError)  # no use of the database


def _answer(request: HttpRequest, status: int, title: str, advice: str) -> HttpResponse:
    """A page, or under /api/ a problem document (RFC 9457). Needs no database."""
    if request.path.startswith("/api/"):
        body = {"type": "about:blank", "code": CODES[status], "title": title, "status": status, "detail": advice}
        return JsonResponse(body, status=status, content_type=PROBLEM)
    page = render_to_string("error.html", {"title": title, "advice": advice, "status": status, "path": request.path})
    return HttpResponse(page, status=status)


@told_to_programs
def bad_request(request: HttpRequest, exception=None) -> HttpResponse:
    said = str(exception) if type(exception) is BadRequest else ""  # others come from Django, and are for its log
    return _answer(
        request,
        400,
        _("This request can't be understood"),
        said or _("Check the address, or start again from the home page."),
    )


@requires_csrf_token
@told_to_programs
def permission_denied(request: HttpRequest, exception=None) -> HttpResponse:
    advice = request.refusal = str(exception) if exception and str(exception) else ""
    return _answer(
        request,
        403,
        _("This is not open to you"),
        advice or _("Sign in with another account, or ask the UNEP desk for access."),
    )


@told_to_programs
def not_found(request: HttpRequest, exception=None) -> HttpResponse:
    return _answer(
        request,
        404,
        _("There is no such page"),
        _("It may have moved, or be visible to fewer people. Search for it, or look through the lists."),
    )


@told_to_programs
def changed(request: HttpRequest) -> HttpResponse:
    """It was asked for on condition (If-Match, If-Unmodified-Since), and is another by now (RFC 9110, 15.5.13)."""
    return _answer(
        request,
        412,
        _("It was changed since you read it"),
        _("Ask for it without a condition (If-Match, If-Unmodified-Since), and go on with its new ETag."),
    )


@told_to_programs
def too_large(
    request: HttpRequest, most: str, error: Exception | None = None, *, for_members: bool = False
) -> HttpResponse:
    """More was sent than the address takes: `most` megabytes, or (`error`) so many fields."""
    if isinstance(error, TooManyFieldsSent | TooManyFilesSent):
        advice = _("This form has more fields than can be read at once (%(n)s). Send it in several parts.")
        advice %= {"n": settings.DATA_UPLOAD_MAX_NUMBER_FIELDS}
    elif for_members:
        advice = _(
            "Files are taken here from people who are signed in and whose role allows it. Sign in, then send it again."
        )
    else:
        advice = _(
            "This address takes %(n)s MB at most. Nothing was kept. Press Back and send less, such as a smaller file."
        )
        advice %= {"n": most}
    request.refusal = advice
    return _answer(request, 413, _("This is too large"), advice)


@told_to_programs
def compressed(request: HttpRequest) -> HttpResponse:
    """The body came packed (Content-Encoding): it could unfold to any size, so none is unpacked (RFC 9110, 15.5.16)."""
    answer = _answer(
        request,
        415,
        _("Compressed requests are not accepted"),
        _("Send it again uncompressed, without the header Content-Encoding. Nothing was kept."),
    )
    answer["Accept-Encoding"] = "identity"
    return answer


@told_to_programs
def not_in_utf_8(request: HttpRequest) -> HttpResponse:
    """A form names a charset (Content-Type) other than the one that is read."""
    return _answer(
        request,
        415,
        _("This form is not in UTF-8"),
        _("Send it in UTF-8, with “charset=utf-8” or no charset in the header Content-Type. Nothing was kept."),
    )


@told_to_programs
def too_many(request: HttpRequest, wait: int) -> HttpResponse:
    """More pages in a minute than people read. Tells programs when to go on (RFC 6585, 4)."""
    advice = _(
        "Too many pages were asked for from your network address. Wait %(n)s seconds, or sign in: people who are signed in "
        "are not limited. For whole data sets take the files under /data/."
    )
    answer = _answer(request, 429, _("Wait a moment"), advice % {"n": wait})
    answer["Retry-After"] = str(wait)
    answer["Cache-Control"] = "no-store"
    return answer


@told_to_programs
def no_room(request: HttpRequest) -> HttpResponse:
    """507 (RFC 4918), not 503: it is of no use to send it again at once, and programs do that after 503."""
    return _answer(
        request,
        507,
        _("There is no room for this at the moment"),
        _(
            "The portal's disk is full, so nothing was saved from this step; what you typed is still there when you press "
            "Back. Send it again later, and tell the UNEP desk if it stays so."
        ),
    )


@told_to_programs
def server_error(request: HttpRequest) -> HttpResponse:
    error = sys.exc_info()[1]
    if storage.is_full(error):
        return no_room(request)
    if any(isinstance(one, AWAY) for one in storage.led_up_to(error)):
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


@told_to_programs
def form_expired(request: HttpRequest, reason: str = "") -> HttpResponse:
    """For what another site or a script sent; a form of ours is shown again with what was typed (partners/unsent.py)."""
    request.is_form_expired = True
    return _answer(
        request,
        403,
        _("This form was not accepted"),
        _("It did not come from a page of this site. Open the form here, fill it in and send it."),
    )
