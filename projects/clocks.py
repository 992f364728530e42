"""What time does by itself: reminders, lapse, expiry, leaving out of lists.

A table of clocks; each says which records are due on a day and what happens to one. Whatever is done shows in the
record or its events, so a record is due once: a missed night is caught up by the next run, and two runs at once do
nothing twice. All act as the named system user.
"""

import datetime as dt
import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from partners.models import User
from projects.choices import NeedState as S
from projects.choices import OfferState
from projects.choices import ResponseState as R
from projects.lifecycle import today, transition, write_down
from projects.models import Event, Need, Offer, Response

logger = logging.getLogger(__name__)
UNLISTED_AFTER = dt.timedelta(days=90)  # after the deadline of an update, or after expiry


@dataclass(frozen=True)
class Clock:
    """`due(day)` gives the records; `act(record, by)` does it. The name of a reminder is the action of its event."""

    name: str
    label: str
    due: Callable[[dt.date], QuerySet]
    act: Callable


def _before(day: dt.date, days: int) -> dt.datetime:
    """The end of the day so many days before, at the desk."""
    return dt.datetime.combine(day - dt.timedelta(days=days - 1), dt.time(), tzinfo=ZoneInfo(settings.DESK_TIME_ZONE))


def _not_told(action: str, owner: str = "need") -> Exists:
    """No event of this name since the record is in its state."""
    since = OuterRef("created_at") if owner == "response" else OuterRef("state_since")
    return ~Exists(Event.objects.filter(**{owner: OuterRef("pk")}, action=action, at__gte=since))


def _needs(*states: str) -> QuerySet:
    return Need.objects.filter(state__in=states)


def reminder(name: str, label: str, due: Callable[[dt.date], QuerySet], owner: str = "need") -> Clock:
    """Writes an event of this name, once per stay in the state; the mail follows from it."""
    return Clock(
        name,
        label,
        lambda day: due(day).filter(_not_told(name, owner)),
        lambda record, by: write_down(record, name, by=by),
    )


def move(name: str, label: str, due: Callable[[dt.date], QuerySet], action: str, note: str = "") -> Clock:
    return Clock(name, label, due, lambda record, by: transition(record, action, by=by, note=str(note)))


def _late(*states: str) -> Callable[[dt.date], QuerySet]:
    return lambda day: _needs(*states).filter(due_on__lt=day)


def _unlist(need: Need, by) -> None:
    need.unlisted_at = timezone.now()
    need.save(update_fields=["unlisted_at", "modified_at"])
    write_down(need, "unlist", by=by)


CLOCKS = (
    reminder("remind_draft", _("draft is archived in 30 days"),
             lambda day: _needs(S.DRAFT).filter(modified_at__lt=_before(day, 335), modified_at__gte=_before(day, 365))),
    move("archive", _("draft archived"), lambda day: _needs(S.DRAFT).filter(modified_at__lt=_before(day, 365)), "archive",
         _("Nobody has written on it for 12 months.")),
    reminder("remind_screening", _("screening late"), _late(S.SUBMITTED)),
    reminder("remind_publish", _("opening late"), lambda day: _late(S.ELIGIBLE)(day).filter(summary_approved_at__isnull=False)),
    reminder("remind_summary", _("summary not approved"),
             lambda day: _needs(S.ELIGIBLE).filter(summary_approved_at=None, state_since__lt=_before(day, 7))),
    reminder("remind_30", _("questions unanswered for 30 days"),
             lambda day: _needs(S.RETURNED).filter(state_since__lt=_before(day, 30), state_since__gte=_before(day, 50))),
    reminder("remind_50", _("questions unanswered for 50 days"),
             lambda day: _needs(S.RETURNED).filter(state_since__lt=_before(day, 50), due_on__gte=day)),
    move("hold_returned", _("on hold: questions unanswered"), _late(S.RETURNED), "hold",
         _("UNEP's questions were not answered within 60 days.")),
    reminder("remind_unanswered", _("no response within 60 days"),
             lambda day: _late(S.OPEN)(day).filter(responses__isnull=True)),
    reminder("remind_expiry", _("expires in 30 days"),
             lambda day: _needs(S.OPEN).filter(expires_on__lte=day + dt.timedelta(days=30), expires_on__gte=day)),
    move("expire", _("expired"), lambda day: _needs(S.OPEN).filter(expires_on__lt=day), "expire"),
    reminder("remind_dialogue", _("dialogue ends in 14 days"),
             lambda day: _needs(S.IN_DIALOGUE).filter(due_on__lte=day + dt.timedelta(days=14), due_on__gte=day)),
    move("reopen", _("back to open: no plan"), _late(S.IN_DIALOGUE), "reopen", _("No plan was agreed within 90 days.")),
    reminder("remind_progress", _("update due"), _late(S.IN_DELIVERY)),
    reminder("remind_closing", _("closing due"), _late(S.DELIVERED)),
    Clock("unlist", _("left out of lists"),
          lambda day: (_needs(S.IN_DELIVERY).filter(due_on__lt=day - UNLISTED_AFTER)
                       | _needs(S.EXPIRED).filter(state_since__lt=_before(day, UNLISTED_AFTER.days))).filter(unlisted_at=None),
          _unlist),
    reminder("remind_answer", _("answer to a response due in 10 days"),
             lambda day: Response.objects.filter(state=R.EXPRESSED, due_on__lte=day + dt.timedelta(days=10), due_on__gte=day),
             "response"),
    move("lapse", _("response lapsed"), lambda day: Response.objects.filter(state__in=(R.EXPRESSED, R.SUGGESTED), due_on__lt=day),
         "lapse"),
    reminder("remind_offer", _("offer expires in 30 days"),
             lambda day: Offer.objects.filter(state=OfferState.ACTIVE, expires_on__range=(day, day + dt.timedelta(days=30))), "offer"),
    move("expire_offer", _("offer expired"),
         lambda day: Offer.objects.filter(state__in=(OfferState.ACTIVE, OfferState.PAUSED), expires_on__lt=day), "expire"),
)  # fmt: skip


def run(day: dt.date | None = None, *, dry_run: bool = False) -> Counter:
    """Does all that is due on a day (today at the desk). Returns how often each clock acted.

    One transaction for each record: a failure is logged and the others go on.
    """
    day, by, done = day or today(), User.objects.system(), Counter()
    for clock in CLOCKS:
        keys = list(clock.due(day).order_by("pk").values_list("pk", flat=True))
        for key in keys:
            if dry_run or _act(clock, key, day, by):
                done[clock.name] += 1
    return done


def _act(clock: Clock, key: int, day: dt.date, by: User) -> bool:
    model = clock.due(day).model
    try:
        with transaction.atomic():
            record = model.objects.select_for_update(of=("self",)).get(pk=key)
            if not clock.due(day).filter(pk=key).exists():  # somebody was quicker
                return False
            clock.act(record, by)
            return True
    except (ValidationError, PermissionDenied, model.DoesNotExist) as error:
        logger.warning("Clock %s could not act on %s %s: %s", clock.name, model.__name__, key, error)
    except Exception:  # whatever it is, the other records do not wait for it
        logger.exception("Clock %s failed with %s %s", clock.name, model.__name__, key)
    return False


@dataclass(frozen=True)
class Due:
    """Something that is due on a day: for the calendar of the desk."""

    on: dt.date
    what: str
    need: Need


def calendar(user, first: dt.date, last: dt.date, most: int) -> tuple[list[Due], int]:
    """What is due between two days, as far as the person may see it: the deadline of each need, expiry, answers.

    Returns the first `most` of it and how much there is in all.
    """
    needs = Need.objects.visible_to(user).select_related("country")
    waiting = (
        Response.objects.visible_to(user)
        .filter(state=R.EXPRESSED)
        .select_related("need__country", "partner", "country")
    )
    kinds = (
        (needs, "due_on", lambda n: Due(n.due_on, _("deadline: %(state)s") % {"state": n.get_state_display()}, n)),
        (needs.filter(state=S.OPEN), "expires_on", lambda n: Due(n.expires_on, str(_("expires")), n)),
        (waiting, "due_on", lambda r: Due(r.due_on, _("answer to %(who)s") % {"who": r.responder}, r.need)),
    )
    found, total = [], 0
    for rows, name, due in kinds:
        rows = rows.filter(**{f"{name}__range": (first, last)})
        found += [due(row) for row in rows.order_by(name, "pk")[:most]]
        total += rows.count()
    return sorted(found, key=lambda due: (due.on, due.need.reference))[:most], total
