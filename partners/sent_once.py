"""A form that is sent twice is carried out once: a double press, Back and Save again, a line that broke before the answer.

Each page that is shown has a token of its own against forgery, so that tells the pages apart (decision 0033). A page that
the browser fetched anew on the way back has another one: there the same words, sent again to the same address right after,
are the same form. Not so messages: “Yes” to a second question is another one, and who went back sees the first above it.
"""

import datetime as dt
import hashlib
import json
from collections.abc import Callable
from functools import partial, wraps

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from partners.models import KeptAnswer

AGAIN_WITHIN = dt.timedelta(minutes=10)  # in which the same words on a page that was fetched anew are the same form
TOKEN = "csrfmiddlewaretoken"  # noqa: S105
BACK = "_unsent"  # in a form that came back after signing in: which one (partners/unsent.py)
NOT_SAID = frozenset(
    {TOKEN, "key", BACK, "_save", "_addanother", "_continue"}
)  # of the page or a button, not the person's
SENT_TWICE = _("This form was sent twice. It was saved once.")
ROWS_SENT_TWICE = _("The new rows of this form were sent twice. They were saved once.")
PREFIX = "form:"
LONGEST = KeptAnswer._meta.get_field("location").max_length


def once(view: Callable | None = None, *, again=SENT_TWICE, is_message: bool = False) -> Callable:
    """A view whose form somebody signed in may send twice: the second is answered as the first, and nothing is done.
    `again` says so on the page to which it leads. Of messages the same words from a page opened anew are another one."""
    if view is None:
        return lambda view: once(view, again=again, is_message=is_message)

    @wraps(view)
    def answered(request: HttpRequest, *args, **kwargs) -> HttpResponse:
        if request.method != "POST" or not request.user.is_authenticated:
            return view(request, *args, **kwargs)
        return carry_out_once(request, partial(view, request, *args, **kwargs), again=again, is_message=is_message)

    answered.is_once = True
    return answered


@transaction.atomic
def carry_out_once(
    request: HttpRequest, do: Callable[[], HttpResponse], *, again=SENT_TWICE, with_other_words: Callable | None = None,
    is_message: bool = False,
) -> HttpResponse:  # fmt: skip
    """The answer of `do`, or where the form had one before, the way to where that led. Whoever sends it a second time
    waits here for the first.

    `request.kept` is what is kept of this page: new, or of the form that was sent from it before with other words; then
    `with_other_words(kept)` is called first. What is refused, or shown again with its errors, is not kept.
    """
    page, (said, has_words) = request.POST.get(TOKEN, ""), _said(request)
    if not page and not has_words:
        return do()
    kept, is_new = KeptAnswer.objects.claim(request.user, PREFIX + _checksum([_address(request), page or said]), said)
    is_another = is_message and page and BACK not in request.POST
    if page and not is_new and kept.fingerprint == said:
        before = kept
    else:
        before = _said_last(request, said) if has_words and not is_another else None
    if before:
        if is_new:
            kept.delete()
        messages.info(request, again)
        return HttpResponseRedirect(before.location)
    request.is_sent_before = bool(page) and not is_new
    if request.is_sent_before and with_other_words:
        with_other_words(kept)
    return _remembered(request, kept, is_new, said, do())


@transaction.atomic
def add_rows_once(
    request: HttpRequest, rows: dict, do: Callable[[], HttpResponse], *, without_rows: Callable[[], None]
) -> HttpResponse:
    """The answer of `do` to a form that changes a record and adds `rows` to it. Sent again as it was, it leads where it led;
    with the same new rows and other words, `without_rows()` takes them out first and the rest is saved."""
    key = PREFIX + _checksum([_address(request), "rows"])
    if not rows:
        KeptAnswer.objects.filter(user=request.user, key=key).delete()
        return do()
    said, (whole, _has_words) = _checksum([_address(request), rows]), _said(request)
    kept, is_new = KeptAnswer.objects.claim(request.user, key, said)
    is_recent = not is_new and kept.created_at > timezone.now() - AGAIN_WITHIN
    if is_recent and kept.fingerprint == said:
        if kept.body == whole:
            messages.info(request, SENT_TWICE)
            return HttpResponseRedirect(kept.location)
        messages.info(request, ROWS_SENT_TWICE)
        without_rows()
        return do()
    request.made = whole
    return _remembered(request, kept, is_new, said, do())


def _remembered(request, kept: KeptAnswer, is_new: bool, said: str, answer: HttpResponse) -> HttpResponse:
    """Keeps where an answer leads, if something was done."""
    location = getattr(answer, "leads_to", answer.get("Location", ""))
    if len(location) > LONGEST:  # a list with many filters
        location = location.partition("?")[0]
    if location and not getattr(answer, "is_refusal", False):
        kept.fingerprint, kept.status, kept.location, kept.created_at = said, 302, location, timezone.now()
        kept.body = getattr(request, "made", "")
        kept.save()
    elif is_new:
        kept.delete()
    return answer


def _said_last(request: HttpRequest, said: str) -> KeptAnswer | None:
    """The last form that this person sent, if it said the same and that was a moment ago."""
    forms = KeptAnswer.objects.filter(user=request.user, key__startswith=PREFIX).exclude(location="")
    last = forms.order_by("-created_at", "-pk").first()
    recent = last and last.created_at > timezone.now() - AGAIN_WITHIN
    return last if recent and last.fingerprint == said else None


def forget(user) -> None:
    """Somebody took away what they made: the same words make it again."""
    forms = KeptAnswer.objects.filter(user=user, key__startswith=PREFIX)
    earlier = timezone.now() - AGAIN_WITHIN
    forms.filter(created_at__gt=earlier).update(created_at=earlier)


def refused(to, *args) -> HttpResponse:
    """The way back to a page that tells why nothing was done: sent again, it is tried again."""
    answer = redirect(to, *args)
    answer.is_refusal = True
    return answer


def _address(request: HttpRequest) -> str:
    return request.get_full_path()


def _said(request: HttpRequest) -> tuple[str, bool]:
    """A checksum of what somebody says with a form, and whether that is anything but a press."""
    words = [(name, values) for name, values in sorted(request.POST.lists()) if name not in NOT_SAID]
    files = [(name, file.name, _digest(file)) for name, given in request.FILES.lists() for file in given]
    return _checksum([_address(request), words, files]), bool(files) or any(any(values) for _name, values in words)


def _digest(file) -> str:
    """Of the content: a file that was mended since is another, whatever its name and size."""
    found = hashlib.sha256()
    for chunk in file.chunks():
        found.update(chunk)
    file.seek(0)
    return found.hexdigest()


def _checksum(content) -> str:
    """Keyed, since a form can hold a password."""
    return salted_hmac("form sent", json.dumps(content, default=str), algorithm="sha256").hexdigest()
