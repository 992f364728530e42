"""Small steps of every request."""

import re
import uuid
from http import HTTPStatus

from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.middleware.common import CommonMiddleware
from django.middleware.http import ConditionalGetMiddleware
from django.utils import timezone
from django.utils.http import escape_leading_slashes

from ground.error_pages import bad_request, changed, not_found, too_many
from partners import callers
from partners.sessions import is_signed_in


class Guard:
    """Keeps other sites from embedding ours, and answers 400 to addresses with a NUL byte: no text column can hold one, so no record can be meant.

    In development Django answers 400 and 404 with pages for programmers; visitors of the demonstration get ours.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request: HttpRequest):
        query = request.META.get("QUERY_STRING", "")
        if "\x00" in request.path or "%00" in query or "\x00" in query:
            return bad_request(request)
        response = self.get_response(request)
        response.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        # By which a report of a fault is found in the log of a proxy; what a caller sends is kept where it is harmless.
        given = request.headers.get("X-Request-Id", "")
        response["X-Request-Id"] = given if re.fullmatch(r"[A-Za-z0-9._-]{8,64}", given) else uuid.uuid4().hex
        if (
            settings.DEBUG
            and response.status_code in (400, 404)
            and b"DEBUG = True" in getattr(response, "content", b"")
        ):
            return bad_request(request) if response.status_code == 400 else not_found(request)
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """What a view says is wrong with an address, in its own words."""
        return bad_request(request, exception) if isinstance(exception, BadRequest) else None


class OtherOrigins:
    """Pages of other sites may read the API, with a token or without, at every address and whatever is answered. Not write:
    a program that writes runs on a server of its own."""

    HEADERS = {
        "Access-Control-Allow-Origin": "*",  # without cookies
        "Access-Control-Expose-Headers": "Link, ETag, Last-Modified, Location, Retry-After, Content-Disposition, RateLimit-Limit, "
        "RateLimit-Remaining, RateLimit-Reset, X-Request-Id, Deprecation, Sunset",
    }
    PREFLIGHT = {
        "Access-Control-Allow-Methods": "GET, HEAD, OPTIONS",
        "Access-Control-Allow-Headers": "Accept, Accept-Language, Authorization, If-None-Match",
    }

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request: HttpRequest):
        if not request.path.startswith("/api/"):
            return self.get_response(request)
        # A question is led on nowhere: browsers refuse the answer to one that is.
        asks_first = "Access-Control-Request-Method" in request.headers or not request.path.endswith("/")
        is_preflight = request.method == "OPTIONS" and asks_first
        response = HttpResponse(status=204) if is_preflight else self.get_response(request)
        for name, value in (self.HEADERS | (self.PREFLIGHT if request.method == "OPTIONS" else {})).items():
            response[name] = value
        return response


class Conditional(ConditionalGetMiddleware):
    """Answers 304 to who has it already. To who asked for another state of it than there is (If-Match), says so in words: as a
    problem document under /api/. Stands inside of whatever adds headers to every answer (settings)."""

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        answer = super().process_response(request, response)
        if answer.status_code != HTTPStatus.PRECONDITION_FAILED or answer is response:
            return answer
        said = changed(request)
        for name in {"Cache-Control", "ETag", "Vary"} & set(response.headers):
            said[name] = response[name]
        return said


class PersonalSettings:
    """Shows times in the person's own zone."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request: HttpRequest):
        if is_signed_in(request):
            timezone.activate(request.user.zone)
        try:
            return self.get_response(request)
        finally:
            timezone.deactivate()


class LastSlash(CommonMiddleware):
    """Leads on to the address with its last slash. A write goes there as a write (308): after 301 clients go on with
    GET, and what was sent is lost without an error."""

    def get_full_path_with_slash(self, request: HttpRequest) -> str:
        return escape_leading_slashes(request.get_full_path(force_append_slash=True))

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        answer = super().process_response(request, response)
        if isinstance(answer, HttpResponsePermanentRedirect) and request.method not in ("GET", "HEAD"):
            answer.status_code = 308
        return answer


class NotKept:
    """What is shown to somebody who is signed in is kept by no browser and no proxy. The API says its own: answers to a
    token are `private, no-cache`, so that a program can ask whether they changed.

    Outside of every step that answers: pages of errors, redirects and refusals are answers to a known person, too.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request: HttpRequest):
        response = self.get_response(request)
        says_its_own = request.path.startswith("/api/") and "Cache-Control" in response
        if not says_its_own and _may_be_known(request):
            response["Cache-Control"] = "private, no-store"
        return response


class PageRates:
    """Slows programs that ask for pages faster than people read them. Whoever is signed in is never slowed; calls of the API
    are counted there (api.py)."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request: HttpRequest):
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view, args, kwargs) -> HttpResponse | None:
        if hasattr(view, "cls"):
            return None
        taken = callers.take_page(request, view)
        return None if taken is None or taken.is_allowed else too_many(request, taken.wait)


def _may_be_known(request: HttpRequest) -> bool:
    """Whether the answer is for somebody who is signed in, or was until now. Where nobody has looked at the session that a
    browser brought (the answer was given before), it may be anybody's."""
    brought = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
    session = getattr(request, "session", None)
    if session is None or not hasattr(request, "user") or (brought and not session.accessed):
        return bool(brought)
    if not session.session_key:
        return bool(brought)  # signed out, or ended
    return session.session_key != brought or request.user.is_authenticated
