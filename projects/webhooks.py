"""Telling other systems of changes: which webhooks a change concerns, and the call itself, signed and to public addresses only.

Signatures are those of the Standard Webhooks specification 1.0.0 (standardwebhooks.com), by its library; a test holds them to the
specification's example.
"""

import datetime as dt
import json
import logging
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from http.client import HTTPException
from itertools import islice
from types import SimpleNamespace
from typing import NamedTuple
from urllib.parse import urlsplit

import standardwebhooks
import urllib3
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F, QuerySet
from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from urllib3.connection import HTTPConnection, HTTPSConnection

from ground import networks
from partners.letters import tell
from partners.models import Change
from projects.choices import CallState, Followed, PauseReason
from projects.filters import NeedFilter, OfferFilter, ProjectFilter
from projects.lifecycle import TRANSITIONS
from projects.models import FeedPosition, ListedRecord, Need, Offer, Project, Webhook, WebhookCall
from projects.models.webhook import why_not_called

logger = logging.getLogger(__name__)

LISTS = {Followed.PROJECT: (Project, ProjectFilter), Followed.NEED: (Need, NeedFilter), Followed.OFFER: (Offer, OfferFilter)}  # fmt: skip
WAITS = tuple(
    dt.timedelta(minutes=m) for m in (1, 5, 30, 120, 360, 720, 1440)
)  # between attempts: nearly two days in all
GIVEN_UP_AFTER = 5  # calls in a row that failed for good: then the webhook is paused
CONNECT_SECONDS = 5  # also for the handshake of TLS
CALL_SECONDS = 15  # for the whole of it, however slowly the other side answers
RETRY_LATER = (429, 503)  # answers whose Retry-After is heeded (RFC 9110, 10.2.3; RFC 6585, 4)
MAX_RETRY_AFTER_SECONDS = 24 * 60 * 60
RUN_SECONDS = 20  # for which the waiting calls of one host are made one after another, before others get the place
MAX_CALLS_IN_A_RUN = 500
READ_AT_ONCE = 500  # changes of the feed
KEPT_FOR = dt.timedelta(days=30)  # the log
WORDS = 200


def kinds_of_change() -> list[str]:
    """What calls can be about, such as `need.publish`: each public move of the lists that can be followed, and changes."""
    return [
        f"{kind}.{what}"
        for kind in Followed.values
        for what in [*(name for name, move in TRANSITIONS[kind].items() if move.is_public), "changed"]
    ]


# --- which webhooks a change concerns ----------------------------------------------------------------------------------
def filter_of(webhook: Webhook):
    """The filter of a webhook as a FilterSet: of what its owner may see."""
    records, filters = LISTS[Followed(webhook.subject)]
    request = SimpleNamespace(user=webhook.user)
    return filters(QueryDict(webhook.query), queryset=records.objects.all(), request=request)


def check_query(webhook: Webhook) -> None:
    """Raises ValidationError for a filter that the list does not have."""
    found = filter_of(webhook)
    problems = [f"{name}: {text}" for name, texts in found.errors.items() for text in texts]
    unknown = sorted(set(found.data) - set(found.filters))
    problems += [_("There is no filter “%(name)s”.") % {"name": name[:60]} for name in unknown[:5]]
    if problems:
        raise ValidationError({"query": problems})


def _entries(webhook: Webhook) -> QuerySet:
    """What stands in the list that this webhook follows, as its owner sees it."""
    found = filter_of(webhook)
    return found.entries() if found.is_valid() else found.ENTRY.objects.none()


def make(webhook: Webhook) -> None:
    """Keeps a new webhook, and what stands in its list: whoever makes it may read that, and wants to hear of what leaves."""
    with transaction.atomic():
        webhook.save()
        remember_list(webhook)


def remember_list(webhook: Webhook) -> None:
    """Notes what stands in its list now, beside what was noted before."""
    keys = _entries(webhook).values_list("pk", flat=True).iterator(chunk_size=READ_AT_ONCE)
    while some := [ListedRecord(webhook=webhook, record=key) for key in islice(keys, READ_AT_ONCE)]:
        ListedRecord.objects.bulk_create(some, ignore_conflicts=True)
    webhook.listed_at = timezone.now()
    webhook.save(update_fields=["listed_at"])


@transaction.atomic
def note_changes() -> list[WebhookCall]:
    """Writes down the calls for what the change feed tells since it was last read here: in its order, each change once."""
    FeedPosition.objects.get_or_create(reader="webhooks")
    position = FeedPosition.objects.select_for_update().get(reader="webhooks")
    made = []
    news = Change.objects.filter(kind__in=Followed.values)
    while some := list(news.filter(sequence__gt=position.sequence)[:READ_AT_ONCE]):
        made += note(some)
        position.sequence = some[-1].sequence
    position.save()
    return made


@transaction.atomic
def note(changes: list[Change]) -> list[WebhookCall]:
    """Writes down a call for each webhook that a change concerns. A record that leaves the list is told of once more: its
    reference, and that it is no longer there. Quiet changes call nobody, but what they bring into a list is noted."""
    made = []
    for kind, (model, _filters) in LISTS.items():
        if not (of_kind := [change for change in changes if change.kind == kind]):
            continue
        records = model.objects.in_bulk({change.record for change in of_kind})
        for webhook in Webhook.objects.active().filter(subject=kind).select_related("user"):
            made += _calls(webhook, of_kind, records)
    return WebhookCall.objects.bulk_create(made)


def _calls(webhook: Webhook, changes: list[Change], records: dict) -> list[WebhookCall]:
    keys = {change.record for change in changes}
    here = set(_entries(webhook).filter(pk__in=keys).values_list("pk", flat=True)) & records.keys()
    known = set(webhook.listed.filter(record__in=keys).values_list("record", flat=True))
    if webhook.listed_at is None:  # not looked at before: whatever was public may have stood in its list
        known |= _public_before(changes)
    made, left = [], set()
    for change in changes:
        if change.is_quiet or change.record not in (here | known) - left:
            continue
        if change.record in here:
            made.append(_call(webhook, _name_of(change), records[change.record], change.reference))
        else:
            left.add(change.record)
            made.append(_call(webhook, f"{change.kind}.gone", None, change.reference))
    if webhook.listed_at is None:
        remember_list(webhook)
    new = [ListedRecord(webhook=webhook, record=key) for key in here - known]
    ListedRecord.objects.bulk_create(new, ignore_conflicts=True)
    webhook.listed.filter(record__in=left).delete()
    return made


def _name_of(change: Change) -> str:
    told = f"{change.kind}.{change.what}"
    return told if told in kinds_of_change() else f"{change.kind}.changed"


def _public_before(changes: list[Change]) -> set[int]:
    """Keys of the records that these changes did not bring in."""
    first: dict[int, Change] = {}
    for change in changes:
        first.setdefault(change.record, change)
    earlier = Change.objects.filter(kind=changes[0].kind, record__in=first, sequence__lt=changes[0].sequence)
    return {key for key, change in first.items() if change.is_gone} | set(earlier.values_list("record", flat=True))


def ping(webhook: Webhook) -> WebhookCall:
    """A call that tells nothing, so that its owner sees whether it arrives."""
    call = _call(webhook, "ping", None, "")
    call.save()
    return call


def _call(webhook: Webhook, what: str, record, reference: str) -> WebhookCall:
    """The call, not saved. It says little: who is told reads the record through the API, with what they may see."""
    data = {"kind": webhook.subject, "reference": reference} if reference else {}
    if record is not None:
        data |= {
            "state": record.state,
            "url": settings.PORTAL_URL + reverse(f"api-{webhook.subject}-detail", args=[record.reference]),
            "page": settings.PORTAL_URL + record.get_absolute_url(),
        }
    body = {"type": what, "timestamp": timezone.now().isoformat(timespec="seconds"), "data": data}
    at = max(timezone.now(), webhook.quiet_until or timezone.now())
    return WebhookCall(webhook=webhook, what=what, record=reference, body=json.dumps(body), next_at=at)


# --- the call ----------------------------------------------------------------------------------------------------------
class NotAllowed(Exception):
    """The address is none that the portal may call; the message says why."""


def signature(secret: bytes, number: str, second: int, body: str) -> str:
    """Of the header `webhook-signature`: HMAC-SHA256 of number, time and body (Standard Webhooks 1.0.0, Signature scheme)."""
    return standardwebhooks.Webhook(secret).sign(number, dt.datetime.fromtimestamp(second, dt.UTC), body)


def public_address(host: str, port: int) -> str:
    """The IP address to connect to. Raises NotAllowed where any address of the name lies in a private network: a webhook must
    not reach what only the portal's own machine can."""
    try:
        found = {info[4][0] for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    except (OSError, UnicodeError) as error:
        raise NotAllowed(gettext_noop("The name of the host was not found.")) from error
    if not settings.WEBHOOKS_TO_PRIVATE and not all(networks.is_public(address) for address in found):
        raise NotAllowed(gettext_noop("The address lies in a private network."))
    return sorted(found)[0]


class Answer(NamedTuple):
    """What a receiver said: the status, and how long it asks us to wait."""

    status: int
    wait: dt.timedelta


def post(url: str, body: str, headers: dict[str, str]) -> Answer:
    """Sends the body and gives the answer. The connection goes to the address that was looked at, follows no redirect and
    reads no content. Raises NotAllowed, and OSError or an HTTPError of urllib3 or http.client where nobody answers in time."""
    if why := why_not_called(url):
        raise NotAllowed(why)
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    address = public_address(parts.hostname or "", port)
    options = {"timeout": CONNECT_SECONDS}
    if parts.scheme == "https":
        connection = HTTPSConnection(address, port, server_hostname=parts.hostname, assert_hostname=parts.hostname, **options)  # fmt: skip
    else:
        connection = HTTPConnection(address, port, **options)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    with closing(connection), _ended_after(CALL_SECONDS, connection):
        connection.connect()
        headers = {"Host": parts.netloc.rpartition("@")[2], **headers}
        connection.request("POST", path, body=body.encode(), headers=headers, preload_content=False)
        answer = connection.getresponse()
        return Answer(answer.status, _asked_to_wait(answer))


@contextmanager
def _ended_after(seconds: float, connection: HTTPConnection) -> Iterator[None]:
    """Ends the connection when the time is over. A time-out of the socket alone begins anew with each byte that drips in."""
    is_over = threading.Event()

    def end() -> None:
        is_over.set()
        if connection.sock is not None:
            with suppress(OSError):  # over already
                socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)  # of the connection below TLS

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        if is_over.is_set():  # whatever was read by then, it may be cut off
            raise TimeoutError


def _asked_to_wait(answer: urllib3.BaseHTTPResponse) -> dt.timedelta:
    """None at all where it can't be read: a number of thousands of digits, a year that no calendar has."""
    if answer.status not in RETRY_LATER:
        return dt.timedelta()
    try:
        seconds = urllib3.Retry(retry_after_max=MAX_RETRY_AFTER_SECONDS).get_retry_after(answer)
    except (urllib3.exceptions.InvalidHeader, ValueError, TypeError, OverflowError):
        seconds = None
    return dt.timedelta(seconds=seconds or 0)


def host_of(webhook: Webhook) -> str:
    """Whose calls wait for one another: those of one host."""
    return urlsplit(webhook.url).hostname or ""


def hosts_due() -> list[str]:
    """Hosts that have calls to be made now."""
    due = Webhook.objects.filter(pk__in=WebhookCall.objects.due().values("webhook"))
    return sorted({host_of(webhook) for webhook in due.only("url")})


def send_waiting(host: str) -> bool:
    """Makes the calls of a host that are due one after another, in their order, as fast as they are answered. Whether some are
    left: a run ends after a while, and when nobody answers, so that hosts that do are not kept waiting."""
    found = Webhook.objects.filter(url__icontains=host).only("url")
    due = WebhookCall.objects.due().filter(webhook__in=[each.pk for each in found if host_of(each) == host])
    ends = time.monotonic() + RUN_SECONDS
    for _n in range(MAX_CALLS_IN_A_RUN):
        key = due.order_by("pk").values_list("pk", flat=True).first()
        if key is None:
            return False
        is_tried = send(key)
        is_answered = WebhookCall.objects.filter(pk=key, status__isnull=False).exists()
        if not is_tried or not is_answered or time.monotonic() > ends:
            break
    return due.exists()


def send(key: int) -> bool:
    """Makes a call that is due; each is taken by one worker. Returns whether it was tried."""
    with transaction.atomic():
        due = WebhookCall.objects.due().filter(pk=key).select_related("webhook__user")
        call = due.select_for_update(of=("self",), skip_locked=True).first()
        if call is None:
            return False
        # Taken: if this process ends here, the next attempt is made when this one would have been over.
        call.attempts = F("attempts") + 1
        call.tried_at, call.next_at = timezone.now(), timezone.now() + WAITS[0]
        call.save(update_fields=["attempts", "tried_at", "next_at"])
    call.refresh_from_db()
    _send(call)
    return True


def _send(call: WebhookCall) -> None:
    webhook, second, wait = call.webhook, int(time.time()), dt.timedelta()
    headers = {
        "Content-Type": "application/json", "User-Agent": "ssc-portal-webhooks/1", "webhook-id": str(call.number),
        "webhook-timestamp": str(second), "webhook-signature": signature(webhook.secret, str(call.number), second, call.body),
    }  # fmt: skip
    try:
        call.status, wait = post(webhook.url, call.body, headers)
        call.problem = ""
    except NotAllowed as error:
        call.status, call.problem = None, str(error)[:WORDS]
    except (
        urllib3.exceptions.HTTPError,
        HTTPException,
        OSError,
        ValueError,
    ) as error:  # an answer that nobody can read, too
        call.status, call.problem = None, _reason(error)
    if call.status and 200 <= call.status < 300:
        call.state, call.next_at = CallState.DONE, None
    elif call.attempts > len(WAITS):
        call.state, call.next_at = CallState.FAILED, None
    else:
        call.next_at = timezone.now() + max(WAITS[call.attempts - 1], wait)
    call.save(update_fields=["status", "problem", "state", "next_at"])
    if wait:
        _wait_with_others(webhook.url, timezone.now() + wait)
    if call.state == CallState.FAILED:
        _pause_if_hopeless(webhook)


def _wait_with_others(url: str, until: dt.datetime) -> None:
    """Who asks to be called later means every call: those to the same address wait too, also new ones. Not those to others of
    the same host, which many share: nobody stops somebody else's."""
    Webhook.objects.filter(url=url).update(quiet_until=until)
    waiting = WebhookCall.objects.filter(webhook__url=url, state=CallState.WAITING)
    waiting.filter(next_at__lt=until).update(next_at=until)


def _reason(error: Exception) -> str:
    """What went wrong, without addresses inside our network. Kept in English, translated where it is shown."""
    if isinstance(error, (urllib3.exceptions.TimeoutError, TimeoutError)):
        return gettext_noop("Nobody answered in time.")
    if isinstance(error, urllib3.exceptions.SSLError):
        return gettext_noop("The certificate of the host can't be trusted.")
    return gettext_noop("Nobody answers at this address.")


def _pause_if_hopeless(webhook: Webhook) -> None:
    """Pauses a webhook whose last calls all failed for good, and says so to its owner."""
    last = list(webhook.calls.exclude(state=CallState.WAITING).values_list("state", flat=True)[:GIVEN_UP_AFTER])
    if len(last) < GIVEN_UP_AFTER or set(last) != {CallState.FAILED}:
        return
    changed = Webhook.objects.filter(pk=webhook.pk, paused_at=None).update(
        paused_at=timezone.now(), paused_by=PauseReason.FAILURES
    )
    if changed:
        tell(webhook.user, "webhook_paused", {"webhook": webhook}, webhook.get_absolute_url())


# --- what its owner does -----------------------------------------------------------------------------------------------
def pause(webhook: Webhook) -> None:
    webhook.paused_at, webhook.paused_by = timezone.now(), PauseReason.OWNER
    webhook.save(update_fields=["paused_at", "paused_by"])


@transaction.atomic
def resume(webhook: Webhook) -> None:
    """Calls go on; those that waited meanwhile are made now. Of what came into its list meanwhile it hears when that leaves."""
    webhook.paused_at, webhook.paused_by = None, ""
    webhook.save(update_fields=["paused_at", "paused_by"])
    remember_list(webhook)


def again(call: WebhookCall) -> None:
    """One more attempt, now."""
    call.state, call.next_at = CallState.WAITING, timezone.now()
    call.save(update_fields=["state", "next_at"])


def forget_old() -> None:
    """Ends the log of what is over."""
    WebhookCall.objects.exclude(state=CallState.WAITING).filter(created_at__lt=timezone.now() - KEPT_FOR).delete()
