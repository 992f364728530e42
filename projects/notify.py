"""Who is told of what, and how: every event of a need, response, offer or project, and every match that is found,
reaches those it concerns, in their language.

`recipients` says whom an event concerns and why; each person chose how often for each reason. One message is one
`Notice`, written before it is sent, so that staff see what failed and nothing is told twice.
"""

import datetime as dt
import smtplib
from dataclasses import dataclass
from email.utils import make_msgid

from django.db import transaction
from django.urls import reverse, translate_url
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from partners import letters
from partners.choices import Role
from partners.models import Membership, User
from projects.choices import Audience, Delivery, Frequency, NoticeKind, ResponseState, Side
from projects.lifecycle.need import HOLDER, NEXT, WRITING
from projects.lifecycle.offer import NEXT as NEXT_OF_OFFER
from projects.models import Event, FoundMatch, MailPreference, Need, Notice, Offer, Project, Response
from projects.models.response import ACCEPTED
from projects.timeline import happened

MOST_ATTEMPTS = 8
DIGEST_HOUR = 7  # in the person's own time
COUNTRY, PARTNER, DESK, PUBLISHER = "country", "partner", "desk", "publisher"

# Whom an event of a need concerns. Followers hear of what is public, besides.
CONCERNS: dict[str, tuple[str, ...]] = {
    "ask_endorsement": (COUNTRY,), "submit": (COUNTRY, DESK), "return": (COUNTRY,), "find_eligible": (COUNTRY, PUBLISHER),
    "find_not_eligible": (COUNTRY,), "approve_summary": (PUBLISHER,), "publish": (COUNTRY, DESK),
    "begin_dialogue": (COUNTRY, DESK), "reopen": (COUNTRY, PARTNER, DESK), "plan": (COUNTRY, PARTNER, DESK),
    "confirm_plan": (COUNTRY, PARTNER, DESK), "agree": (COUNTRY, PARTNER, DESK), "start": (COUNTRY, PARTNER),
    "progress": (COUNTRY, DESK), "record_delivered": (COUNTRY, PARTNER, DESK), "confirm_delivery": (COUNTRY, PARTNER, DESK),
    "deliver": (COUNTRY, PARTNER, DESK), "close": (PARTNER, DESK), "close_partly": (COUNTRY, PARTNER, DESK),
    "withdraw": (COUNTRY, PARTNER, DESK), "hold": (COUNTRY, PARTNER, DESK), "resume": (COUNTRY, PARTNER),
    "expire": (COUNTRY,), "renew": (DESK,), "merge": (COUNTRY, PARTNER), "archive": (COUNTRY,), "restore": (),
    "revise": (COUNTRY, PARTNER, DESK), "project_ended": (COUNTRY, PARTNER, DESK), "propose_story": (PUBLISHER,),
    "correct": (COUNTRY,), "unlist": (COUNTRY, PARTNER, DESK),
    "remind_draft": (COUNTRY,), "remind_screening": (DESK,), "remind_publish": (PUBLISHER,), "remind_summary": (COUNTRY,),
    "remind_30": (COUNTRY,), "remind_50": (COUNTRY,), "remind_unanswered": (COUNTRY, DESK), "remind_expiry": (COUNTRY,),
    "remind_dialogue": (COUNTRY, PARTNER, DESK), "remind_progress": (PARTNER, DESK), "remind_closing": (COUNTRY,),
}  # fmt: skip
# The same for a response; PARTNER is its responder.
RESPONSE_CONCERNS: dict[str, tuple[str, ...]] = {
    "suggest": (PARTNER,), "ask": (COUNTRY, PARTNER), "express": (COUNTRY, DESK), "accept": (PARTNER, DESK),
    "decline": (PARTNER, COUNTRY), "take_back": (COUNTRY, PARTNER, DESK), "reconsider": (),
    "agree": (), "convert": (), "lapse": (PARTNER, COUNTRY), "remind_answer": (COUNTRY,),
}  # fmt: skip
# Of an offer; PARTNER are the people of its provider. What waits for them is in OFFER_ASKS.
OFFER_CONCERNS: dict[str, tuple[str, ...]] = {
    "begin": (), "submit": (DESK,), "return": (PARTNER,), "verify": (PARTNER,), "activate": (), "pause": (), "resume": (),
    "expire": (PARTNER,), "renew": (), "revise": (), "withdraw": (DESK,), "correct": (PARTNER,), "remind_offer": (PARTNER,),
}  # fmt: skip
OFFER_ASKS = ("submit", "return", "verify", "expire", "remind_offer")
# Of a project; PARTNER are those who speak for its countries and partners.
PROJECT_CONCERNS: dict[str, tuple[str, ...]] = {"check_right": (PARTNER,), "check_wrong": (PARTNER, DESK)}
HELD_BY = {Side.COUNTRY: COUNTRY, Side.PARTNER: PARTNER, Side.UNEP: DESK}
ASKS_COUNTRY = ("express", "remind_answer", "ask_endorsement", "remind_summary", "find_eligible")  # whatever the state


@dataclass(frozen=True)
class Told:
    user: User
    kind: str


def recipients(event: Event) -> list[Told]:
    """Whom an event concerns, each once, and why; never whoever did it. Only people who may see the record."""
    record = event.response.need if event.response else event.record
    found: dict[int, Told] = {}
    for user, is_asked in _concerned(event):
        found.setdefault(user.pk, Told(user, NoticeKind.YOUR_MOVE if is_asked else NoticeKind.YOURS))
    if event.is_public and isinstance(record, Need):
        for follow in record.follows.select_related("user"):
            found.setdefault(follow.user_id, Told(follow.user, NoticeKind.FOLLOWED))
    found.pop(event.by_id, None)
    return [told for told in found.values() if _can_be_told(told.user, record)]


def _can_be_told(user: User, record) -> bool:
    there = user.is_active and not user.email.endswith(".invalid")
    return there and user.has_perm(f"projects.view_{record._meta.model_name}", record)


def _concerned(event: Event) -> list[tuple[User, bool]]:
    """(person, whether something waits for them)."""
    if event.offer:
        sides = OFFER_CONCERNS.get(event.action, ())
        people = {PARTNER: lambda: _of_provider(event.offer), DESK: lambda: _staff(Role.DESK)}
        return [(user, event.action in OFFER_ASKS) for side in sides for user in people[side]()]
    if event.project:
        sides = PROJECT_CONCERNS.get(event.action, ())
        people = {PARTNER: lambda: _of_project(event.project), DESK: lambda: _staff(Role.DESK)}
        return [(user, False) for side in sides for user in people[side]()]
    response, need, found = event.response, event.need or event.response.need, []
    for side in (RESPONSE_CONCERNS if response else CONCERNS).get(event.action, ()):
        is_asked = side == HELD_BY.get(HOLDER.get(need.state)) or (side == COUNTRY and event.action in ASKS_COUNTRY)
        found += [(user, is_asked) for user in _people(side, need, response)]
    return found


def _held():
    return Membership.objects.active().filter(user__is_active=True).select_related("user").order_by("pk")


def _staff(role: str) -> list[User]:
    return [m.user for m in _held().filter(role=role)]


def _of_provider(offer: Offer) -> list[User]:
    if offer.is_on_behalf and offer.created_by:
        return [offer.created_by]
    if offer.partner_id:
        return [m.user for m in _held().filter(partner=offer.partner_id)]
    return [m.user for m in _held().filter(country=offer.country_id, role=Role.FOCAL_POINT)]


def _of_project(project: Project) -> list[User]:
    countries = _held().filter(country__in=project.country_links.values("country"), role=Role.FOCAL_POINT)
    return [m.user for m in countries | _held().filter(partner__in=project.partner_links.values("partner"), role=Role.PARTNER_LEAD)]  # fmt: skip


def _people(side: str, need: Need, response: Response | None) -> list[User]:
    held = _held()
    if side == COUNTRY:
        held = held.filter(country=need.country)
        if need.state not in WRITING:  # while it is written, contributors hear of it too
            held = held.filter(role=Role.FOCAL_POINT) | held.filter(user=need.created_by)
        found = [m.user for m in held]
        return found or ([need.created_by] if need.is_on_behalf and need.created_by else [])
    if side == PARTNER:
        of = (
            [response]
            if response
            else [r for r in need.responses.all() if r.state in (*ACCEPTED, ResponseState.EXPRESSED)]
        )
        partners = {key for r in of for key in (r.partner_id, r.second_partner_id)} - {None}
        countries = {key for r in of for key in (r.country_id, r.second_country_id)} - {None}
        held = held.filter(partner__in=partners) | held.filter(country__in=countries, role=Role.FOCAL_POINT)
        return [m.user for m in held]
    return _staff({DESK: Role.DESK, PUBLISHER: Role.PUBLISHER}[side])


# --- writing it down -----------------------------------------------------------------------------------------------------
@transaction.atomic
def note(event: Event) -> list[Notice]:
    """Writes one notice for each person concerned, once; returns those to be sent now."""
    _write(recipients(event), event=event)
    return list(event.notices.filter(frequency=Frequency.IMMEDIATE, status=Delivery.WAITING))


def _write(told: list[Told], **about) -> None:
    wishes = MailPreference.of([t.user for t in told])
    rows = []
    for one in told:
        frequency = wishes[one.user.pk][one.kind]
        status = Delivery.UNWANTED if frequency == Frequency.NONE else Delivery.WAITING
        rows.append(Notice(user=one.user, kind=one.kind, frequency=frequency, status=status, **about))
    Notice.objects.bulk_create(rows, ignore_conflicts=True)


MATCHES_AT_ONCE = 200  # told in one transaction


@transaction.atomic
def note_matches() -> list[Notice]:
    """Writes notices of matches that nobody was told of yet; returns those to be sent now. Both sides hear of them: the
    people of the provider and the country's focal points."""
    waiting = FoundMatch.objects.filter(is_told=False).select_for_update(of=("self",), skip_locked=True)
    keys = list(waiting.order_by("pk").values_list("pk", flat=True)[:MATCHES_AT_ONCE])
    for found in FoundMatch.objects.standing().filter(pk__in=keys).select_related("need", "offer"):
        people = {u.pk: u for u in [*_of_provider(found.offer), *_people(COUNTRY, found.need, None)]}
        _write([Told(u, NoticeKind.MATCHED) for u in people.values() if _can_be_told(u, found.need)], found=found)
    FoundMatch.objects.filter(pk__in=keys).update(is_told=True)
    return list(Notice.objects.filter(found__in=keys, frequency=Frequency.IMMEDIATE, status=Delivery.WAITING))


# --- sending -------------------------------------------------------------------------------------------------------------
def _facts(notice: Notice) -> dict:
    """What a message says of an event or a match, as far as this person may know it."""
    record = notice.record
    address = translate_url(record.get_absolute_url(), notice.user.language)
    found = {
        "record": record, "whose": getattr(record, "side", ""), "state": record.get_state_display(), "note": "", "due_on": None,
        "next": "", "is_your_move": notice.kind == NoticeKind.YOUR_MOVE, "address": address,
    }  # fmt: skip
    if notice.found_id:
        offer = notice.found.offer
        address = translate_url(reverse("need-matches", args=[record.reference]), notice.user.language)
        what = _("An offer may meet it: %(reference)s %(title)s, from %(who)s; %(n)s of 100 points.") % {
            "reference": offer.reference, "title": offer.title, "who": offer.provider, "n": round(notice.found.score),
        }  # fmt: skip
        return found | {
            "what": what,
            "next": _("See why, then respond, ask for it, or set it aside."),
            "address": address,
        }
    event = notice.event
    response = event.response
    is_party = not isinstance(record, Project) and record.audience_of(notice.user) == Audience.PARTY
    may_read_note = event.is_note_public or is_party or (response is not None and _is_responder(notice.user, response))
    return found | {
        "what": happened(event),
        "note": event.note if may_read_note else "",
        "next": {Need: NEXT, Offer: NEXT_OF_OFFER}[type(record)][record.state] if not isinstance(record, Project) else "",
        "due_on": response.due_on if response and event.action in ("express", "remind_answer", "suggest", "ask")
        else getattr(record, "due_on", None),
    }  # fmt: skip


def _is_responder(user: User, response: Response) -> bool:
    return Response.objects.of(user).filter(pk=response.pk).exists()


def _loaded(notices):
    return notices.select_related(
        "user", "event__by", "event__need__country", "event__response__need__country", "event__response__partner",
        "event__response__country", "event__offer__partner", "event__offer__country", "event__project",
        "found__need__country", "found__offer__partner", "found__offer__country",
    ).order_by("pk")  # fmt: skip


def send(notice_id: int) -> None:
    """Sends one message. Raises what the mail server said, so that it is tried again, until MOST_ATTEMPTS."""
    with transaction.atomic():
        notice = _loaded(Notice.objects.select_for_update(of=("self",), skip_locked=True)).filter(pk=notice_id).first()
        if notice is None or notice.status != Delivery.WAITING:
            return
        with override(notice.user.language):
            facts = _facts(notice)
            message = letters.compose("event", notice.user.language, facts, facts["address"])
        problem = _hand_over([notice], notice.user, message)
    if problem:
        raise problem


def last_digest_time(user: User) -> dt.datetime:
    """When the last daily message of this person was due."""
    now = timezone.localtime(timezone=user.zone)
    due = now.replace(hour=DIGEST_HOUR, minute=0, second=0, microsecond=0)
    return due if due <= now else due - dt.timedelta(days=1)


@transaction.atomic
def send_digest(user: User) -> Exception | None:
    """All that waits for this person's daily message, as one."""
    waiting = list(
        _loaded(Notice.objects.for_digest().filter(user=user).select_for_update(of=("self",), skip_locked=True))
    )
    if not waiting:
        return None
    with override(user.language):
        context = {"rows": [_facts(notice) for notice in waiting]}
        message = letters.compose("digest", user.language, context, translate_url(reverse("dashboard"), user.language))
    return _hand_over(waiting, user, message)


def _hand_over(notices: list[Notice], user: User, message: letters.Letter) -> Exception | None:
    """Gives a message to the mail server and keeps what came of it. Returns an error that is worth another try."""
    message_id, problem = make_msgid(domain="portal"), None
    changes = {"attempts": notices[0].attempts + 1, "message_id": message_id, "error": ""}
    try:
        letters.send(user.email, message.subject, message.text, message.html, {"Message-ID": message_id})
        changes |= {"status": Delivery.SENT, "sent_at": timezone.now()}
    except (smtplib.SMTPException, OSError) as error:
        changes["error"], is_final = letters.refusal(error)
        if is_final:
            changes["status"] = Delivery.BOUNCED
        else:
            problem = error
    if problem and changes["attempts"] >= MOST_ATTEMPTS:
        changes["status"], problem = Delivery.FAILED, None
    Notice.objects.filter(pk__in=[notice.pk for notice in notices]).update(**changes)
    return problem


def bounced(message_id: str, text: str) -> int:
    """Marks the messages with this id as come back; returns how many there are."""
    return Notice.objects.filter(message_id=message_id.strip()).update(status=Delivery.BOUNCED, error=text[:500])


@transaction.atomic
def try_again(notices) -> list[Notice]:
    """Puts failed messages back into the queue; returns those to be sent now."""
    rows = list(notices.troubled().select_for_update())
    Notice.objects.filter(pk__in=[row.pk for row in rows]).update(
        status=Delivery.WAITING, attempts=0, error=_("Tried again")
    )
    return [row for row in rows if row.frequency == Frequency.IMMEDIATE]
