"""Digests and newsletters: who gets what, once, however often a worker dies in between (decision 0026).

Two steps, each in small batches that several workers can share. *Preparing* looks at each subscriber once and writes a
copy for whoever has something new. *Sending* takes copies for a few minutes; that one is sent is noted in the instant
in which the message comes to count for the mail server.
"""

import contextlib
import json
import logging
import smtplib
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from time import monotonic, sleep

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db import DatabaseError, transaction
from django.db import connection as database
from django.db.models import Count, F, Q, QuerySet
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import override

from ground.committing import commit_ahead
from ground.smtp import deliver
from outreach import markup, subjects, subscribing
from outreach.choices import MailingKind, Told
from outreach.models import Copy, Issue, Mailing, Subscriber
from outreach.subjects import SUBJECTS
from partners import letters
from partners.letters import Letter
from partners.rules import require
from partners.tasks import send_mail
from projects import lifecycle
from projects.choices import Delivery

logger = logging.getLogger(__name__)

AT_ONCE = 500  # subscribers looked at in one transaction
TAKEN, LEASE = 50, timedelta(minutes=5)  # copies in one worker's hands, and for how long
MOST_ATTEMPTS = 6
TOLD_OF = 10  # of one search in one digest; the list has the others
KEPT_DAYS = 90  # copies of mailings that ended; their numbers stay
DIGESTS = (MailingKind.DAILY, MailingKind.WEEKLY, MailingKind.MONTHLY)


class GoneAlready(Exception):
    """The copy was sent by another worker, or its subscriber has stopped."""


class ServerAway(Exception):
    """The mail server can't be reached: there is no sense in trying the next copy."""


# --- beginning -----------------------------------------------------------------------------------------------------------
def boundary(kind: str, now: datetime) -> datetime:
    """The last midnight (UTC) that ends a day, a week (Sunday's) or a month."""
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if kind == MailingKind.WEEKLY:
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if kind == MailingKind.MONTHLY else day


def begin(now: datetime) -> list[Mailing]:
    """Begins the digests whose time has come. Returns all mailings that are not at their end."""
    for kind in DIGESTS:
        Mailing.objects.get_or_create(kind=kind, until=boundary(kind, now), issue=None)
    return list(Mailing.objects.open())


@transaction.atomic
def send_issue(issue: Issue, *, by) -> Mailing:
    """Sends an issue to all who asked for the newsletter, in their language. Once."""
    require(by, "outreach.send_issue", issue)
    locked = Issue.objects.select_for_update().get(pk=issue.pk)
    lifecycle.only_as_seen(issue, locked)
    mailing, is_new = Mailing.objects.get_or_create(
        issue=locked, defaults={"kind": MailingKind.ISSUE, "until": timezone.now()}
    )
    if is_new:
        locked.is_public = True
        locked.save()
        readers = Subscriber.objects.reachable().filter(subscriptions__told=Told.NEWSLETTER).order_by("pk")
        rows = (_copy(mailing, key, []) for key in readers.values_list("pk", flat=True).iterator())
        Copy.objects.bulk_create(rows, batch_size=2000)
    return mailing


def test_issue(issue: Issue, *, to) -> int:
    """Sends an issue to one of the staff, in each language in which it is written. Returns how many mails go."""
    require(to, "outreach.send_issue", issue)
    languages = [text.language for text in issue.texts.all()]
    for language in languages:
        letter = issue_letter(issue, language)
        title = f"[test, {language}] {letter.subject}"
        send_mail.defer(email=to.email, subject=title, text=letter.text, html=letter.html)
    return len(languages)


# --- preparing -----------------------------------------------------------------------------------------------------------
def _copy(mailing: Mailing, subscriber: int, content: list) -> Copy:
    name = salted_hmac("outreach.copy", f"{mailing.pk}.{subscriber}").hexdigest()[:32]
    return Copy(mailing=mailing, subscriber_id=subscriber, content=content, message_id=f"<{name}@{_host()}>")


def _host() -> str:
    return settings.PORTAL_URL.partition("//")[2].partition(":")[0]


class Finder:
    """What is new in each search: looked for once, however many follow it."""

    def __init__(self, until: datetime, since: datetime):
        self.until, self.since, self.known = until, since, {}

    def found(self, told: str, query: str, language: str, since: datetime) -> list[int]:
        """Keys of what came after `since`, the newest first."""
        wanted = (told, query, language)
        if wanted not in self.known:
            with override(language):  # which words say nothing depends on it
                self.known[wanted] = SUBJECTS[told].found(query, self.since, self.until)
        return [key for moment, key in self.known[wanted] if moment > since]


def finder_of(mailing: Mailing) -> Finder:
    """Looks as far back as anybody has not been told."""
    since = mailing.until
    for subscriber in Subscriber.objects.due(mailing.kind, mailing.until).order_by("told_until", "created_at")[:1]:
        since = subscriber.told_until or subscriber.created_at
    for never in Subscriber.objects.due(mailing.kind, mailing.until).filter(told_until=None).order_by("created_at")[:1]:
        since = min(since, never.created_at)
    return Finder(mailing.until, since)


@transaction.atomic
def prepare(mailing: Mailing, finder: Finder) -> int:
    """Looks at the next subscribers of a digest. Returns how many there were."""
    due = Subscriber.objects.due(mailing.kind, mailing.until).order_by("pk")
    batch = list(due.select_for_update(skip_locked=True).prefetch_related("subscriptions")[:AT_ONCE])
    copies = []
    for one in batch:
        content = []
        for wanted in one.subscriptions.all():
            if wanted.told not in SUBJECTS:
                continue
            since = max(filter(None, [one.told_until, wanted.created_at]))
            if keys := finder.found(wanted.told, wanted.query, one.language, since):
                content.append([wanted.told, wanted.query, keys[:TOLD_OF], len(keys)])
        if content:
            copies.append(_copy(mailing, one.pk, content))
    Copy.objects.bulk_create(copies, ignore_conflicts=True)
    Subscriber.objects.filter(pk__in=[one.pk for one in batch]).update(told_until=mailing.until)
    return len(batch)


# --- writing -------------------------------------------------------------------------------------------------------------
CHOICES, STOP = "https://choices.invalid/", "https://stop.invalid/"  # stand for the two addresses of each reader


class Writer:
    """Writes the letters of one mailing. Readers with the same content get the same letter, but for their own addresses."""

    MOST_KEPT = 4000  # some 10 kB each

    def __init__(self, mailing: Mailing):
        self.mailing, self.known = mailing, {}

    def letter(self, copy: Copy) -> Letter | None:
        """What a copy says, or None where nothing of it is public any more."""
        reader = copy.subscriber
        wanted = (reader.language, json.dumps(copy.content))
        if wanted not in self.known:
            if len(self.known) >= self.MOST_KEPT:
                self.known.clear()
            with override(reader.language):
                self.known[wanted] = self._written(reader.language, copy.content)
        model = self.known[wanted]
        if model is None:
            return None
        own = {CHOICES: address_of(reader), STOP: stop_address(reader)}
        return Letter(model.subject, _filled(model.text, own), _filled(model.html, own))

    def _written(self, language: str, content: list) -> Letter | None:
        if self.mailing.issue_id:
            return issue_letter(self.mailing.issue, language)
        sections, before = [], settings.PORTAL_URL
        for told, query, keys, total in content:
            subject = SUBJECTS[told]
            if rows := subject.rows(keys):
                more = max(0, total - len(keys))
                is_many = total >= subjects.MOST_FOUND
                sections.append({
                    "label": subjects.label(told, query), "rows": [(row, before + row.address) for row in rows],
                    "more": more, "is_many": is_many, "address": before + subject.address(query),
                })  # fmt: skip
        if not sections:
            return None
        n = sum(len(section["rows"]) + section["more"] for section in sections)
        context = {"sections": sections, "n": n, "choices": CHOICES, "stop": STOP, "first": sections[0]["rows"][0][0]}
        return letters.compose("updates", language, context, "")


def issue_letter(issue: Issue, language: str) -> Letter | None:
    """An issue of the newsletter as mail, in a language or what there is instead. None where nothing is written."""
    with override(language):
        text = issue.text
        if text is None:
            return None
        address = settings.PORTAL_URL + issue.get_absolute_url()
        body = markup.render(text.body, {}, base=settings.PORTAL_URL)
        context = {
            "issue": issue, "said": text, "body": body, "address": address, "choices": CHOICES, "stop": STOP,
            "site_name": settings.SITE_NAME, "language": language,
        }  # fmt: skip
        plain = render_to_string("mail/newsletter.txt", context).strip() + "\n"
        return Letter(text.title, plain, render_to_string("mail/newsletter.html", context))


def _filled(text: str, own: dict[str, str]) -> str:
    for mark, address in own.items():
        text = text.replace(mark, address)
    return text


def address_of(reader: Subscriber) -> str:
    with override(reader.language):
        return settings.PORTAL_URL + reader.get_absolute_url()


def stop_address(reader: Subscriber) -> str:
    with override(reader.language):
        return settings.PORTAL_URL + reverse("stop", args=[reader.token])


def headers_of(copy: Copy) -> dict[str, str]:
    """One name for the message whoever sends it, and how to stop it with one press (RFC 8058, RFC 2919)."""
    return {
        "Message-ID": copy.message_id,
        "List-Unsubscribe": f"<{stop_address(copy.subscriber)}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "List-Id": f"<updates.{_host()}>",
    }


# --- sending -------------------------------------------------------------------------------------------------------------
def take(mailing: Mailing) -> list[Copy]:
    """Copies that are this worker's for LEASE: nobody else takes them, and if it dies somebody else does."""
    with transaction.atomic():
        free = mailing.copies.free().order_by("pk").select_for_update(skip_locked=True)
        keys = list(free.values_list("pk", flat=True)[:TAKEN])
        Copy.objects.filter(pk__in=keys).update(taken_until=timezone.now() + LEASE)
    return list(Copy.objects.filter(pk__in=keys).select_related("subscriber").order_by("pk"))


class Note:
    """That a copy is sent: written down in the instant in which it comes to count for the mail server.

    The row is locked first, so that nobody else sends it. Then the commit goes to the database and, without waiting for
    it, the full stop to the mail server.
    """

    def __init__(self, copy: Copy):
        self.copy, self.is_made, self.is_kept = copy, False, False

    @contextlib.contextmanager
    def __call__(self) -> Iterator[None]:
        try:
            with transaction.atomic():
                if not self._write(Copy.objects.waiting()):
                    raise GoneAlready
                with commit_ahead():
                    self.is_made = True
                    yield
            self.is_kept = True
        except DatabaseError:
            if not self.is_made:
                raise

    def _write(self, copies: QuerySet[Copy]) -> int:
        values = {"status": Delivery.SENT, "sent_at": timezone.now(), "content": [], "error": ""}
        return copies.filter(pk=self.copy.pk).update(**values, attempts=self.copy.attempts + 1)

    def keep(self) -> None:
        """Where the database went away over it: writes it down when it is back, while nobody else may take the copy."""
        end = monotonic() + LEASE.total_seconds()
        while self.is_made and not self.is_kept and monotonic() < end:
            database.close()
            try:
                self._write(Copy.objects.all())
                self.is_kept = True
            except DatabaseError as error:
                logger.warning("Copy %s is sent; to note it waits for the database: %s", self.copy.pk, error)
                sleep(1)


def post(copy: Copy, letter: Letter, server) -> None:
    """Sends one copy, unless it is sent or its subscriber gone. Raises ServerAway where the mail server can't be reached."""
    note = Note(copy)
    try:
        server.open()
    except (smtplib.SMTPException, OSError) as error:
        raise ServerAway(f"{type(error).__name__}: {error}") from error
    try:
        answer = _answer(server, letters.message(copy.subscriber.email, letter, headers_of(copy)), note)
    except GoneAlready:
        return
    note.keep()
    if isinstance(answer, (smtplib.SMTPResponseException, smtplib.SMTPRecipientsRefused)):  # it has read it and says no
        text, is_final = letters.refusal(answer)
        _refused(copy, text, is_final=is_final)
    elif answer and note.is_made:  # it went out whole, and the answer was lost: a second one would be worse
        Copy.objects.filter(pk=copy.pk).update(error="the mail server's answer was lost")
    elif answer:  # it hung up on this one
        text, _is_final = letters.refusal(answer)
        _refused(copy, text, is_final=False)


def _answer(server, message: EmailMessage, note: Note) -> Exception | None:
    """Delivers a message. Returns what the mail server has against it."""
    try:
        deliver(server, message, note)
    except (smtplib.SMTPResponseException, smtplib.SMTPRecipientsRefused) as refusal:
        return refusal
    except (smtplib.SMTPException, OSError) as error:
        server.close()  # the next copy begins anew, and finds out whether the server is there at all
        return error
    return None


def _refused(copy: Copy, text: str, *, is_final: bool) -> None:
    """Tries again later, each time after a longer while, or gives up."""
    attempts = copy.attempts + 1
    changes = {"error": text[:500], "attempts": attempts, "content": copy.content, "sent_at": None}
    if is_final:
        changes["status"] = Delivery.BOUNCED
        subscribing.bounced(copy.subscriber, text)
    elif attempts >= MOST_ATTEMPTS:
        changes["status"] = Delivery.FAILED
    else:
        changes |= {"status": Delivery.WAITING, "taken_until": timezone.now() + timedelta(minutes=4**attempts)}
    Copy.objects.filter(pk=copy.pk).update(**changes)


def carry_on(mailing: Mailing, *, seconds: float, stopped: Callable[[], bool] = lambda: False) -> bool:
    """Works at a mailing for a while. Returns whether it is at its end."""
    end = monotonic() + seconds
    if mailing.kind in DIGESTS and mailing.ended_at is None:
        finder = finder_of(mailing)
        while monotonic() < end and not stopped() and prepare(mailing, finder):
            pass
    writer, connection = Writer(mailing), get_connection()
    try:
        while monotonic() < end and not stopped() and (copies := take(mailing)):
            _send_all(copies, writer, connection, min(end, monotonic() + LEASE.total_seconds() / 2), stopped)
    except ServerAway as away:
        logger.warning("The mail server is away, mailing %s waits: %s", mailing.pk, away)
    finally:
        with contextlib.suppress(smtplib.SMTPException):
            connection.close()
    return settle(mailing)


def _send_all(copies: list[Copy], writer: Writer, connection, end: float, stopped) -> None:
    left = list(copies)
    try:
        while left and monotonic() < end and not stopped():
            copy = left.pop(0)
            letter = writer.letter(copy)
            if letter is None:
                Copy.objects.waiting().filter(pk=copy.pk).delete()  # what another has sent is empty too, and stays
                continue
            try:
                post(copy, letter, connection)
            except ServerAway:
                left.append(copy)
                raise
    finally:
        Copy.objects.waiting().filter(pk__in=[copy.pk for copy in left]).update(taken_until=None)


def settle(mailing: Mailing) -> bool:
    """Ends a mailing that nobody waits for any more, and writes its numbers down. Returns whether it is at its end."""
    is_open = mailing.copies.waiting().exists() or (
        mailing.kind in DIGESTS and Subscriber.objects.due(mailing.kind, mailing.until).exists()
    )
    count = {name: Count("pk", filter=Q(status=status)) for name, status in COUNTED.items()}
    numbers = mailing.copies.aggregate(**count)
    ended = {} if is_open else {"ended_at": timezone.now()}
    Mailing.objects.filter(pk=mailing.pk, ended_at=None).update(**numbers, **ended)
    return not is_open


COUNTED = {"sent": Delivery.SENT, "bounced": Delivery.BOUNCED, "failed": Delivery.FAILED}


# --- what comes back -----------------------------------------------------------------------------------------------------
@transaction.atomic
def bounced(message_id: str, text: str) -> int:
    """A copy came back: its address gets no more mail. Returns how many copies have this id."""
    copies = (
        Copy.objects.select_for_update(of=("self",)).select_related("subscriber").filter(message_id=message_id.strip())
    )
    for copy in copies:
        if copy.status == Delivery.SENT:
            Mailing.objects.filter(pk=copy.mailing_id).update(sent=F("sent") - 1, bounced=F("bounced") + 1)
        subscribing.bounced(copy.subscriber, text)
        Copy.objects.filter(pk=copy.pk).update(status=Delivery.BOUNCED, error=text[:500])
    return len(copies)


def forget_old() -> int:
    """Erases the copies of mailings that ended long ago."""
    old = Mailing.objects.filter(ended_at__lt=timezone.now() - timedelta(days=KEPT_DAYS))
    return Copy.objects.filter(mailing__in=old).delete()[0]
