"""What somebody typed while the session ended, the second factor went or the form expired is not lost (decision 0037), nor what
was typed while the record moved on, so that it is no longer taken: the answer shows it, to be copied.

One step of every request sees each form that was sent and turned away for such a reason. Where the person has to sign in
first, what was typed is kept for an hour; then the page of the form is shown with it. Where nobody knows who typed it, nothing
is kept: the answer shows it. Nothing is ever sent by itself.
"""

import base64
import hashlib
import io
import json
import re
import secrets
import zlib
from dataclasses import dataclass
from urllib.parse import SplitResult, unquote_to_bytes, urljoin, urlsplit

from allauth.core.ratelimit import consume
from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import BadRequest, RequestDataTooBig, SuspiciousOperation
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from ground.bodies import files_left_out, is_from_a_page, may_be_read, were_words_read
from partners.accounts import without_language
from partners.guessing import last_person
from partners.models import UnsentForm, User
from partners.models.unsent import KEPT_FOR
from partners.refilling import EMPTY_ROW, MARK, Fields, Page, in_words
from partners.sent_once import BACK
from partners.sessions import owner_of

COOKIE = "__Host-unsent" if settings.SESSION_COOKIE_SECURE else "unsent"
LARGEST_BYTES = 1_000_000
MOST_FORMS = 50  # of one browser
MOST_BYTES = 3_000_000  # of one browser: all of it is read again for each of its pages
NEVER = re.compile(r"password|passphrase|secret|token|(^|[_-])otp([_-]|$)", re.IGNORECASE)  # names of fields
ACCOUNTS = "/accounts/"
SIGNING = (ACCOUNTS, "/admin/login/", "/admin/logout/", "/admin/password_change/")  # passwords, codes: nothing is kept
GONE = (403, 404)  # not open to this person, in this state; deleted, or seen by fewer
READ = (400, 409, 429)  # it was read, and is shown with what keeps it from being taken
NOT_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")  # no page can show these
UNREADABLE = (UnreadablePostError, MultiPartParserError, RequestDataTooBig, SuspiciousOperation, BadRequest)

SIGNED_OUT = _("You had been signed out, so this was not sent.")
EXPIRED = _("This form had expired, so it was not sent.")
SECOND_FACTOR = _("Your role needs a second factor, so this was not sent.")
ONLY_STAFF = _("Admin is for UNEP's staff.")
REASONS = {"signed_out": SIGNED_OUT, "expired": EXPIRED, "second_factor": SECOND_FACTOR}


# --- addresses -------------------------------------------------------------------------------------------------------
def bare(address: str) -> str:
    """The path of an address as it is in English, whose pages have no language in front."""
    return without_language(_parts(address).path)


def _parts(address: str) -> SplitResult:
    """Of an address that somebody may have made up; of one that is none (http://[) nothing."""
    try:
        return urlsplit(address)
    except ValueError:
        return urlsplit("")


def _is_from_here(request: HttpRequest) -> bool:
    """Whether a form can come from a page of ours. What other sites send in somebody's name is not kept."""
    origin = request.headers.get("Origin") or request.headers.get("Referer")
    site = request.headers.get("Sec-Fetch-Site", "none")
    return (origin is None or _is_ours(request, origin)) and site in ("none", "same-origin")


def _is_ours(request: HttpRequest, address: str) -> bool:
    trusted = [urlsplit(origin).netloc for origin in settings.CSRF_TRUSTED_ORIGINS]
    return _parts(address).netloc in (request.get_host(), *trusted)


def _is_background(request: HttpRequest) -> bool:
    """Scripts of a page hold what they send, and are told in their own way."""
    return "X-Background" in request.headers or request.headers.get("Sec-Fetch-Mode", "navigate") != "navigate"


def _page_of(request: HttpRequest) -> str:
    """The page on which the form stood."""
    came_from = _parts(request.headers.get("Referer", ""))
    is_usable = _is_ours(request, came_from.geturl()) and came_from.path.startswith("/")
    is_usable = is_usable and not bare(came_from.path).startswith(SIGNING)  # a page that asked for the password
    if not is_usable or came_from.path.startswith("//") or "%00" in came_from.geturl():
        return request.get_full_path()
    return came_from.path + (f"?{came_from.query}" if came_from.query else "")


def _leads_to(response: HttpResponse, *names: str) -> bool:
    target = bare(response["Location"]) if response.status_code == 302 else None
    return target is not None and target in [bare(reverse(name)) for name in names]


# --- what was typed --------------------------------------------------------------------------------------------------
@dataclass
class Typed:
    """One form as it was sent."""

    why: str
    page: str
    path: str
    fields: Fields
    files: list[str]
    pk: int | None = None  # where it is kept
    user_id: int | None = None
    size: int = 0  # bytes

    @property
    def reason(self) -> str:
        return REASONS[self.why]

    @property
    def is_account(self) -> bool:
        return bare(self.path).startswith(SIGNING)

    @property
    def said(self) -> list[tuple[str, str]]:
        """What a person would know again: without keys and counts."""
        return [(in_words(name), value) for name, value in self.texts]

    @property
    def texts(self) -> Fields:
        """The fields without keys and counts, as they were sent."""
        return [(name, value) for name, value in self.fields if _is_said(name, value)]

    def is_of(self, user) -> bool:
        """Whether this person may see it: its author alone."""
        return user.is_authenticated and self.user_id == user.pk

    def is_on(self, request: HttpRequest) -> bool:
        return bare(self.page) == bare(request.path)


def _is_said(name: str, value: str) -> bool:
    is_counted = name.startswith("_") or name.endswith("_FORMS") or name in ("key", "seen")
    return bool(value.strip()) and not is_counted


def typed(request: HttpRequest, why: str) -> Typed:
    path = request.get_full_path()
    is_account = bare(path).startswith(SIGNING)
    fields = [
        (name, NOT_TEXT.sub("", value)) for name, values in request.POST.lists() for value in values
        if name not in (MARK, BACK) and f"-{EMPTY_ROW}-" not in name and not NEVER.search(name) and not is_account
    ]  # fmt: skip
    files = [file.name for file in request.FILES.values()] + files_left_out(request)
    return Typed(why, _page_of(request), path, fields, files)


# --- keeping ---------------------------------------------------------------------------------------------------------
def _digest(secret: str) -> str:
    return hashlib.sha256(f"which browser {secret}".encode()).hexdigest()


def _box(secret: str) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(f"what was typed {secret}".encode()).digest()))


def _rows(request: HttpRequest):
    return UnsentForm.objects.waiting().filter(digest=_digest(request.COOKIES.get(COOKIE, "")))


def waiting(request: HttpRequest) -> list[Typed]:
    """What is kept for this browser, newest first."""
    found = []
    for row in _rows(request):
        try:
            kept = zlib.decompress(_box(request.COOKIES[COOKIE]).decrypt(row.data.encode()))
        except InvalidToken:
            continue
        content = json.loads(kept)
        fields = [tuple(pair) for pair in content.pop("fields")]
        found.append(Typed(**content, fields=fields, pk=row.pk, user_id=row.user_id, size=len(kept)))
    return found


def _author(request: HttpRequest) -> User | None:
    """Who typed it: whoever is or was signed in; where the session is gone, who was last in this browser; else nobody knows."""
    if request.user.is_authenticated:
        return request.user
    return getattr(request, "was_user", None) or owner_of(request) or last_person(request)


def keep(request: HttpRequest, form: Typed, author: User) -> str | None:
    """Keeps a form for an hour. Returns the secret by which the browser finds it; None where it is too much."""
    UnsentForm.objects.outdated().delete()
    content = json.dumps({n: getattr(form, n) for n in ("why", "page", "path", "fields", "files")}).encode()
    before, sent = waiting(request), (author.pk, form.path, form.fields, form.files)
    if any(sent == (one.user_id, one.path, one.fields, one.files) for one in before):
        return request.COOKIES[COOKIE]  # pressed twice
    is_full = len(before) >= MOST_FORMS or sum(one.size for one in before) + len(content) > MOST_BYTES
    if len(content) > LARGEST_BYTES or is_full or not consume(request, action="unsent"):
        return None
    secret = request.COOKIES[COOKIE] if before else secrets.token_urlsafe(32)
    data = _box(secret).encrypt(zlib.compress(content)).decode()
    UnsentForm.objects.create(user=author, digest=_digest(secret), data=data)
    return secret


def drop(request: HttpRequest, key: int) -> str:
    """Throws away what is kept for this browser under that key; returns the page of the form."""
    found = next((one for one in waiting(request) if one.pk == key and one.is_of(request.user)), None)
    if found is None:
        return reverse("home")
    _rows(request).filter(pk=key).delete()
    return found.page


def clear_outdated() -> None:
    UnsentForm.objects.outdated().delete()


def _forget_read(request: HttpRequest) -> None:
    """A form was read: the same is no longer kept, whether it was sent from the page that showed it again or anew."""
    sent, key = typed(request, "signed_out"), request.POST.get(BACK, "")
    gone = [
        one.pk for one in waiting(request)
        if str(one.pk) == key or (bare(one.path), one.fields) == (bare(sent.path), sent.fields)
    ]  # fmt: skip
    _rows(request).filter(pk__in=gone).delete()


# --- each request ----------------------------------------------------------------------------------------------------
class KeepsUnsent:
    """Forms that were turned away for want of a sign-in come back to whoever filled them in."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path.startswith("/api/"):
            return self.get_response(request)
        if request.method == "POST":
            return self._take(request)
        if request.method == "GET" and COOKIE in request.COOKIES:
            return self._show(request)
        return self.get_response(request)

    # -- a form was sent
    def _take(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not may_be_read(request):
            return self._show_too_large(request, response) if were_words_read(request) else response
        why = _why_refused(request, response)
        try:
            if why and _is_from_here(request) and not _is_background(request):
                return self._bring_back(request, typed(request, why), response)
            if not why and _is_lost(request, response):
                return self._show_refused(request, typed(request, "refused"), response)
            if not why and COOKIE in request.COOKIES and _was_read(response):
                _forget_read(request)
                if not _rows(request).exists():
                    response.delete_cookie(COOKIE, samesite="Lax")
        except UNREADABLE:
            pass
        return response

    def _bring_back(self, request: HttpRequest, form: Typed, response: HttpResponse) -> HttpResponse:
        if form.why == "expired":
            page = self._page(request, form.page)
            if form.is_account or not _asks_who(page):
                return _shown_at_once(request, form, page)
            form.why, response = _why_refused(request, page) or "expired", page
        if form.is_account:
            return response
        author = _author(request)
        if form.why == "signed_out":
            response = redirect_to_login(form.page)
        if author is None:  # of a program, or where a button alone was pressed, nothing is lost
            is_typed = (form.texts or form.files) and is_from_a_page(request)
            return _apart(request, form, status=403, is_known=False) if is_typed else response
        secret = keep(request, form, author)
        if secret is None:
            return _apart(request, form, status=400)
        response.set_cookie(
            COOKIE, secret, max_age=int(KEPT_FOR.total_seconds()), httponly=True, samesite="Lax",
            secure=bool(settings.SESSION_COOKIE_SECURE),
        )  # fmt: skip
        response["Cache-Control"] = "private, no-store"
        return response

    def _show_refused(self, request: HttpRequest, form: Typed, response: HttpResponse) -> HttpResponse:
        """What was typed for a record that moved on meanwhile, and how that stands now. It is not kept: it can't be sent."""
        said = self._as_labelled(request, form) if form.texts and not form.is_account else []
        if not said:
            return response
        context = {"form": form, "said": said, "record": _as_it_is(request), "refusal": getattr(request, "refusal", "")}
        status = response.status_code
        if _leads_to(response, "admin:login"):
            context["refusal"], status = ONLY_STAFF, 403
        elif _is_led_back(response):
            context["leads_to"], status = response["Location"], 409
        page = render(request, "partners/refused.html", context, status=status)
        page["Cache-Control"] = "private, no-store"
        return page

    def _show_too_large(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        """What was typed beside a file that is not taken: too large, or of somebody whose session has ended."""
        if not _is_from_here(request) or _is_background(request):
            return response
        page = self._show_refused(request, typed(request, "refused"), response)
        if page is not response:
            page._resource_closers += response._resource_closers  # whoever still sends is heard out
        return page

    def _as_labelled(self, request: HttpRequest, form: Typed) -> Fields:
        """With the labels of the page on which it was typed, where that is still there."""
        answer = self._page(request, form.page)
        page = Page(answer.content) if answer.status_code == 200 and _is_page(answer) else None
        names = {name for name, _value in form.fields}
        found = page and page.form_for(lambda action: _is_same(action, form), names)
        if found is None:
            return form.said
        rows = [pair for pair in form.fields if pair[0].endswith("_FORMS")]
        return page.in_words(found, rows + form.texts)

    def _page(self, request: HttpRequest, address: str) -> HttpResponse:
        """A page of ours as this person would see it now."""
        path, _mark, query = address.partition("?")
        skipped = ("HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE")
        environ = {name: value for name, value in request.environ.items() if name not in skipped}
        environ |= {
            "REQUEST_METHOD": "GET", "PATH_INFO": unquote_to_bytes(path).decode("latin-1"), "QUERY_STRING": query,
            "CONTENT_LENGTH": "", "CONTENT_TYPE": "", "wsgi.input": io.BytesIO(),
        }  # fmt: skip
        fresh = WSGIRequest(environ)
        fresh.session, fresh.user, fresh.LANGUAGE_CODE = request.session, request.user, request.LANGUAGE_CODE
        response = self.get_response(fresh)
        marks = ("CSRF_COOKIE", "CSRF_COOKIE_NEEDS_UPDATE")
        request.META.update({name: fresh.META[name] for name in marks if name in fresh.META})
        return response

    # -- a page is asked for
    def _show(self, request: HttpRequest) -> HttpResponse:
        if not request.user.is_authenticated:
            return self._show_stranger(request)
        mine = [one for one in waiting(request) if one.is_of(request.user)]
        here = sorted((o for o in mine if o.is_on(request)), key=lambda o: o.page != request.get_full_path())
        if here:
            request.META.pop("HTTP_IF_NONE_MATCH", None)
            request.META.pop("HTTP_IF_MODIFIED_SINCE", None)
        response = self.get_response(request)
        if here:
            return _with_form(request, here[0], response, [one for one in mine if one is not here[0]])
        return _with_notice(request, response, {"form": None, "others": mine}) if mine else response

    def _show_stranger(self, request: HttpRequest) -> HttpResponse:
        """Who has not signed in yet sees nothing of it, but is told where that is done."""
        response = self.get_response(request)
        if _is_at(request, "login") and _rows(request).exists():
            return _with_notice(request, response, {"form": None, "is_signing_in": True})
        return response


def _is_at(request: HttpRequest, name: str) -> bool:
    return bare(request.path) == bare(reverse(name))


def _asks_who(response: HttpResponse) -> bool:
    """Whether the person has to be known first: sign-in, second factor, password once more."""
    return _leads_to(response, "admin:login") or (
        response.status_code == 302 and bare(response["Location"]).startswith(ACCOUNTS)
    )


def _was_read(response: HttpResponse) -> bool:
    """Whether a form was done, or is shown with what keeps it from that. One that was refused on the way back to another page
    (sent_once.refused) is in no page: it stays kept."""
    is_answered = response.status_code < 400 or response.status_code in READ
    return is_answered and not getattr(response, "is_refusal", False)


def _why_refused(request: HttpRequest, response: HttpResponse) -> str | None:
    if _leads_to(response, "login", "admin:login") and not request.user.is_authenticated:
        return "signed_out"
    if getattr(request, "is_second_factor_missing", False):
        return "second_factor"
    return "expired" if getattr(request, "is_form_expired", False) else None


def _is_led_back(response: HttpResponse) -> bool:
    """Whether a form was refused on the way back to another page (sent_once.refused)."""
    return response.status_code == 302 and getattr(response, "is_refusal", False)


def _is_lost(request: HttpRequest, response: HttpResponse) -> bool:
    """Whether a form of somebody known was refused with a page that would not show what was typed."""
    is_lost = _is_led_back(response) or _leads_to(response, "admin:login")  # whose role for admin has ended
    is_lost = is_lost or (response.status_code in GONE and _is_page(response))
    return is_lost and request.user.is_authenticated and _is_from_here(request) and not _is_background(request)


def _as_it_is(request: HttpRequest):
    """The record that the form was about, as it stands now; None where this person no longer sees it."""
    record = getattr(request, "acts_on", None)
    return record and type(record).objects.visible_to(request.user).filter(pk=record.pk).first()


def _shown_at_once(request: HttpRequest, form: Typed, page: HttpResponse) -> HttpResponse:
    """The form had expired: the answer is its page, as it would be after a mistake in the form."""
    if page.status_code == 302 and not form.fields:  # such as signing in, being signed in meanwhile
        return page
    response = _with_form(request, form, page, [])
    if response.status_code == 200:
        response.status_code = 400
    return response


def _with_form(request: HttpRequest, form: Typed, response: HttpResponse, others: list[Typed]) -> HttpResponse:
    """The page of a form with what was typed in it; where the form is no longer there, a page that shows what was typed."""
    is_refused_by_admin = request.user.is_authenticated and _leads_to(response, "admin:login")
    if _asks_who(response) and not is_refused_by_admin:
        return response
    if response.status_code != 200 or not _is_page(response):
        return _apart(request, form)
    page = Page(response.content)
    found = page.form_for(lambda action: _is_same(action, form), {name for name, _value in form.fields})
    if found is None:
        return _apart(request, form)
    left = [] if form.is_account else [(in_words(name), value) for name, value in page.fill(found, form.fields)]
    found.set("action", form.path + re.sub("^[^#]*", "", found.get("action", "")))
    if form.pk:
        page.hide(found, BACK, str(form.pk))
    context = {"form": form, "id": page.show(found), "left": left, "others": others}
    page.insert(render_to_string("components/_unsent.html", _known(request, context), request))
    return _rewritten(response, page)


def _is_same(action: str, form: Typed) -> bool:
    return bare(urljoin(form.page, action)) == bare(form.path)


def _with_notice(request: HttpRequest, response: HttpResponse, context: dict) -> HttpResponse:
    if response.status_code != 200 or not _is_page(response):
        return response
    page = Page(response.content)
    is_in = page.insert(render_to_string("components/_unsent.html", _known(request, context), request))
    return _rewritten(response, page) if is_in else response


def _known(request: HttpRequest, context: dict) -> dict:
    return {"id": "", "left": [], "others": [], "is_signing_in": False, "has_cookies": bool(request.COOKIES), **context}


def _is_page(response: HttpResponse) -> bool:
    is_html = response.get("Content-Type", "").startswith("text/html")
    return is_html and not response.streaming and bool(response.content)


def _rewritten(response: HttpResponse, page: Page) -> HttpResponse:
    response.content = str(page).encode()
    for name in ("Content-Length", "ETag", "Last-Modified"):
        del response[name]
    response["Cache-Control"] = "private, no-store"
    return response


def _apart(request: HttpRequest, form: Typed, status: int = 200, *, is_known: bool = True) -> HttpResponse:
    """A page with nothing but what was typed, from where it can be sent."""
    context = _known(request, {"form": form, "is_known": is_known})
    response = render(request, "partners/unsent.html", context, status=status)
    response["Cache-Control"] = "private, no-store"
    return response
