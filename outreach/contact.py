"""Messages to the desks: how they come in, who is told, what staff does with them.

What looks unwanted is kept as such and told to nobody, so that a person taken for a program by mistake is not lost.
"""

import secrets
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.core.signing import BadSignature, SignatureExpired, TimestampSigner
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from outreach.choices import ContactState
from outreach.models import ContactMessage
from outreach.models.contact import SIGNER
from partners import letters
from partners.personal import erase_rows
from partners.rules import require

KEYS = TimestampSigner(salt="outreach.contact.form")
TOO_QUICK, TOO_OLD = 3, 7 * 24 * 3600  # seconds between the form and what comes back
MOST_LINKS = 5
WAITING = (ContactState.NEW, ContactState.TAKEN)
MOVES = {  # act: (from, to)
    "take": (WAITING, ContactState.TAKEN),
    "answer": (WAITING, ContactState.ANSWERED),
    "close": (WAITING, ContactState.CLOSED),
    "spam": (WAITING, ContactState.SPAM),
    "reopen": ((ContactState.ANSWERED, ContactState.CLOSED, ContactState.SPAM), ContactState.TAKEN),
}
KEPT_DAYS = {ContactState.SPAM: 30, ContactState.ANSWERED: 730, ContactState.CLOSED: 730}


def new_key() -> str:
    """What a form carries: once sent it is never taken again, and it tells how old the form is."""
    return KEYS.sign(secrets.token_urlsafe(16))


def receive(message: ContactMessage, key: str, *, trap: str = "") -> ContactMessage:
    """Keeps a message, once for each form, and queues the mail to the desk and to whoever wrote it.

    `trap`: a field that people leave empty. Raises ValidationError for a form that is too old or not ours.
    """
    try:
        KEYS.unsign(key, max_age=TOO_OLD)
    except SignatureExpired:
        raise ValidationError(_("This page was open for long. Look it over and send it again."), code="key") from None
    except BadSignature:
        raise ValidationError(_("Something went wrong with this page. Send it again."), code="key") from None
    message.submission_key = key
    message.suspicion = _suspicion(message, key, trap)
    if message.suspicion:
        message.state = ContactState.SPAM
    message.full_clean(exclude=["submission_key", "reference"])  # the key is settled by whoever stores it first
    try:
        with transaction.atomic():
            message.save()
            if not message.suspicion:
                _tell_both(message)
    except IntegrityError:
        kept = ContactMessage.objects.get(submission_key=key)
        if any(getattr(kept, name) != getattr(message, name) for name in ("topic_id", "email", "text")):
            raise ValidationError(
                _("Your first message was kept already. To send this one too, send it again."), code="key"
            ) from None
        return kept
    return message


def _suspicion(message: ContactMessage, key: str, trap: str) -> str:
    if trap:
        return "a field that people do not see was filled in"
    try:
        KEYS.unsign(key, max_age=TOO_QUICK)
    except SignatureExpired:
        pass
    else:
        return "sent within three seconds"
    if message.text.lower().count("http") > MOST_LINKS:
        return f"more than {MOST_LINKS} links"
    return ""


def _tell_both(message: ContactMessage) -> None:
    context = {"message": message, "topic": message.topic}
    with override("en"):
        letters.send_later(
            message.topic.email, "en", "contact_desk", context,
            reverse("admin:outreach_contactmessage_change", args=[message.pk]), headers={"Reply-To": message.email},
        )  # fmt: skip
    _tell_writer(message, "contact_received")


def _tell_writer(message: ContactMessage, name: str) -> None:
    with override(message.language):
        context, address = {"message": message, "topic": message.topic}, message.get_absolute_url()
        letters.send_later(message.email, message.language, name, context, address)


def by_secret(token: str) -> ContactMessage | None:
    """The message of a secret address."""
    try:
        reference = SIGNER.unsign(token)
    except BadSignature:
        return None
    return ContactMessage.objects.select_related("topic").filter(reference=reference).first()


def mark_of(message: ContactMessage) -> str:
    """In whose hands a page showed a message, and since when."""
    return f"{message.assignee_id or ''} {message.state_since.isoformat()}"


def _only_in_seen_hands(now: ContactMessage, by, seen: str) -> None:
    if now.assignee_id in (None, by.pk) or seen == mark_of(now):
        return
    said = {"who": now.assignee, "at": f"{timezone.localtime(now.state_since):%Y-%m-%d %H:%M}"}
    text = _(
        "It is in the hands of %(who)s since %(at)s. Nothing was sent or changed yet; to do it all the same, press again."
    )
    raise ValidationError(text % said, code="state")


@transaction.atomic
def move(message: ContactMessage, act: str, *, by, text: str = "", seen: str | None = None) -> ContactMessage:
    """What staff does with a message. `seen` is the mark that its page showed: what somebody else has taken in hand since is not taken
    from them unseen. Raises PermissionDenied, and ValidationError where it is out of place or lacks its text."""
    now = ContactMessage.objects.select_for_update(of=("self",)).select_related("topic").get(pk=message.pk)
    require(by, "outreach.change_contactmessage", now)
    sources, target = MOVES[act]
    if now.state not in sources:
        raise ValidationError(_("It is “%(state)s” by now.") % {"state": now.get_state_display()}, code="state")
    if seen is not None:
        _only_in_seen_hands(now, by, seen)
    text = text.strip()
    if act in ("answer", "close") and not text:
        raise ValidationError(_("Say it in words first."), code="required")
    now.state, now.state_since = target, timezone.now()
    if act == "answer":
        now.answer = text
    elif text:
        now.note = text
    if act in ("take", "answer", "reopen"):
        now.assignee = by
    if act == "reopen":
        now.suspicion = ""
    now.clean_fields()
    now.save()
    if act == "answer":
        _tell_writer(now, "contact_answer")
    return now


def export(email: str) -> list[dict]:
    """What somebody wrote to the desks, and was answered."""
    names = ("reference", "topic__code", "name", "text", "about", "language", "state", "answer", "created_at")
    return list(ContactMessage.objects.filter(email__iexact=email).order_by("pk").values(*names))


def erase(email: str) -> None:
    """Erases what somebody wrote to the desks, with its history."""
    erase_rows(ContactMessage.objects.filter(email__iexact=email))


@transaction.atomic
def forget_old() -> int:
    """Erases messages that are done with, and their history, after the time that the privacy page tells."""
    old = Q()
    for state, days in KEPT_DAYS.items():
        old |= Q(state=state, state_since__lt=timezone.now() - timedelta(days=days))
    return erase_rows(ContactMessage.objects.filter(old))
