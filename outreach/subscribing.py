"""Asking for updates by mail, and stopping them.

Nothing is kept before whoever reads the mail has confirmed: what was asked for is in the signed link that they get.
Whoever stops is erased.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.core import signing
from django.core.exceptions import ValidationError
from django.core.signing import BadSignature, SignatureExpired
from django.db import transaction
from django.db.models import Count
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from outreach import subjects
from outreach.choices import Told
from outreach.models import Subscriber, Subscription
from partners import letters

SALT = "outreach.subscribe"
KEPT_FOR = 7 * 24 * 3600  # seconds in which a link confirms
MOST = 20  # searches of one address


@dataclass(frozen=True)
class Wish:
    """What somebody asks for: an address, its language, how often, and (of what, search) pairs."""

    email: str
    language: str
    rhythm: str
    wanted: tuple[tuple[str, str], ...]

    @property
    def labels(self) -> list[str]:
        """What is asked for, in the reader's words."""
        return [subjects.label(told, query) for told, query in self.wanted]


def small(email: str) -> str:
    """The address as it is kept. Upper and lower case are one mailbox wherever mail is in use."""
    return email.strip().lower()


def ask(wish: Wish) -> None:
    """Sends the link that confirms. Whether the address is known already is told in that mail alone."""
    token = signing.dumps([small(wish.email), wish.language, wish.rhythm, wish.wanted], salt=SALT, compress=True)
    known = Subscriber.objects.filter(email=small(wish.email)).first()
    with override(wish.language):
        context = {"wish": wish, "choices": known.get_absolute_url() if known else ""}
        letters.send_later(wish.email, wish.language, "subscribe", context, reverse("confirm", args=[token]))


def asked(token: str) -> Wish:
    """What a link of `ask` stands for. Raises ValidationError with what to do where it is too old or not ours."""
    try:
        email, language, rhythm, wanted = signing.loads(token, salt=SALT, max_age=KEPT_FOR)
    except SignatureExpired:
        raise ValidationError(_("This link is older than seven days. Ask once more for what you want.")) from None
    except BadSignature:
        raise ValidationError(
            _("This link is not complete. Copy the whole of it from the mail, or ask once more for what you want.")
        ) from None
    return Wish(email, language, rhythm, tuple((told, query) for told, query in wanted))


@transaction.atomic
def confirm(wish: Wish) -> Subscriber:
    """Whoever reads the mail of this address wants it. Confirming twice changes nothing."""
    Subscriber.objects.bulk_create([Subscriber(email=wish.email)], ignore_conflicts=True)
    subscriber = Subscriber.objects.select_for_update().get(email=wish.email)
    subscriber.language, subscriber.rhythm = wish.language, wish.rhythm
    if subscriber.bounced_at:  # not all that has come since
        subscriber.bounced_at, subscriber.bounce, subscriber.told_until = None, "", timezone.now()
    subscriber.full_clean()
    subscriber.save()
    rows = [Subscription(subscriber=subscriber, told=told, query=query) for told, query in wish.wanted]
    Subscription.objects.bulk_create(rows, ignore_conflicts=True)
    if subscriber.subscriptions.count() > MOST:
        raise ValidationError(
            _("One address can follow %(n)s searches. Remove one of yours first, or ask for a wider one.") % {"n": MOST}
        )
    return subscriber


@transaction.atomic
def change(subscriber: Subscriber, *, language: str, rhythm: str, kept: Iterable[int]) -> bool:
    """Changes how somebody is told, and takes away what is not among `kept`. Returns whether anything is left of it."""
    locked = Subscriber.objects.select_for_update().get(pk=subscriber.pk)
    locked.subscriptions.exclude(pk__in=list(kept)).delete()
    if not locked.subscriptions.exists():
        stop(locked)
        return False
    locked.language, locked.rhythm = language, rhythm
    locked.full_clean()
    locked.save()
    return True


def stop(subscriber: Subscriber) -> None:
    """Ends all mail to an address and erases it."""
    subscriber.delete()


def remind(email: str, language: str) -> None:
    """Sends the link to one's choices, where there are any. The page says the same in either case."""
    subscriber = Subscriber.objects.filter(email=small(email)).first()
    if subscriber is not None:
        with override(language):
            letters.send_later(subscriber.email, language, "choices", {}, subscriber.get_absolute_url())


def export(email: str) -> list[dict]:
    """What somebody hears of by mail."""
    return [
        {
            "since": one.created_at, "language": one.language, "rhythm": one.rhythm, "told_until": one.told_until,
            "subscriptions": list(one.subscriptions.values("told", "query", "created_at")),
        }
        for one in Subscriber.objects.filter(email=small(email))
    ]  # fmt: skip


def erase(email: str) -> None:
    """Ends all mail to an address and erases it."""
    Subscriber.objects.filter(email=small(email)).delete()


def bounced(subscriber: Subscriber, text: str) -> None:
    """The address takes no mail: nothing more is sent until somebody confirms it anew."""
    Subscriber.objects.filter(pk=subscriber.pk).update(bounced_at=timezone.now(), bounce=text[:500])


def _counted(rows, column: str) -> dict[str, int]:
    """How many rows there are of each value, the most first."""
    return dict(rows.values_list(column).annotate(n=Count("pk")).order_by("-n"))


def numbers() -> dict:
    """How many are told of what, for staff. No address is in it."""
    by = Subscriber.objects.reachable().order_by()
    followed = Subscription.objects.filter(subscriber__bounced_at=None).order_by()
    return {
        "all": by.count(),
        "bounced": Subscriber.objects.exclude(bounced_at=None).count(),
        "rhythms": _counted(by, "rhythm"),
        "languages": _counted(by, "language"),
        "told": {str(Told(told).label): n for told, n in _counted(followed, "told").items()},
    }
