"""The needs of the demonstration: each is carried through its life by the same moves as a real one."""

import calendar
import datetime as dt
from decimal import Decimal

from django.db import transaction
from django.utils import timezone

from partners.choices import STAFF_ROLES, Role
from partners.models import Country, Partner, User
from projects import actions, agreement, deliveries, lifecycle
from projects.choices import ConfirmedStep, Criterion, NeedState, Status
from projects.choices import NeedState as S
from projects.demonstration import person, read
from projects.models import Answer, Event, LineItem, Need, NeedTerm, Offer, Project, RecordCheck, Response, Term
from projects.models.need import ENDED

TEXTS = (
    "kind", "language", "title", "problem", "gap", "institution", "technology_sought", "technology_purpose",
    "operation_and_maintenance", "maturity",
)  # fmt: skip
MONITORING = {  # by the language of the need
    "en": "Every half year we count who does the work without help from outside, and what runs without interruption.",
    "fr": "Chaque semestre, nous comptons qui fait le travail sans aide extérieure et ce qui fonctionne sans arrêt.",
    "es": "Cada semestre contamos quién hace el trabajo sin ayuda externa y qué funciona sin interrupción.",
    "ar": "نحصي كل نصف سنة من يعمل بلا مساعدة من الخارج وما يعمل بلا انقطاع.",
}


@transaction.atomic
def load_needs() -> int:
    """Needs of the demonstration; those that are there already stay as they are. Returns how many are new."""
    terms = {f"{t.vocabulary}:{t.code}": t for t in Term.objects.all()}
    present = set(Need.objects.filter(is_illustrative=True).values_list("title", flat=True))
    new = 0
    for row in read("needs"):
        if row["title"] in present:
            continue
        need = _draft(row, terms)
        with lifecycle.quietly():
            _carry(need, row)
        _put_back(need, row["days_ago"])
        new += 1
    return new


def _draft(row: dict, terms: dict) -> Need:
    focal = person(Role.FOCAL_POINT, f"country:{row['country']}")
    need = Need(
        **{name: row[name] for name in TEXTS if name in row},
        country=Country.objects.get(iso3=row["country"]), public_summary=row["summary"], national_plan=row["plan"],
        is_illustrative=True, created_by=focal, contact_name="A. Person", contact_email="person@example.org",
        monitoring=row.get("monitoring", MONITORING[row.get("language", "en")]), scope="national", existing_initiatives="none", same_request="no", languages=[row.get("language", "en")],
        endorsed_by_name="B. Person", endorsed_on=timezone.localdate(), **dict.fromkeys(row.get("flags", []), True),
    )  # fmt: skip
    need.full_clean(exclude=["reference"])
    need.save()
    NeedTerm.objects.bulk_create(NeedTerm(need=need, term=terms[code]) for code in row["terms"])
    for place, entry in enumerate(row["lines"]):
        help_, quantity, unit, month, text = entry.split(" ", 4)
        LineItem.objects.create(
            need=need, position=place, text=text, quantity=Decimal(quantity), unit=unit,
            assistance=terms[f"assistance:{help_}"], by_when=_last_day_of(month),
        )  # fmt: skip
    return need


def _last_day_of(month: str) -> dt.date:
    """“By June 2027” lasts until the 30th, as where people write it."""
    year, number = map(int, month.split("-"))
    return dt.date(year, number, calendar.monthrange(year, number)[1])


def _begins(ends_on: dt.date) -> dt.date:
    """The work on a line takes three months in these plans; a plan says so, for an end is no start."""
    months = ends_on.year * 12 + ends_on.month - 3
    return dt.date(months // 12, months % 12 + 1, 1)


OPENED = (
    S.OPEN,
    S.IN_DIALOGUE,
    S.PLAN_AGREED,
    S.IN_DELIVERY,
    S.DELIVERED,
    S.CLOSED,
    S.PARTIALLY_MET,
    S.EXPIRED,
    S.WITHDRAWN,
)


def _carry(need: Need, row: dict) -> None:
    """Through its life as far as the file says, by the people it takes."""
    upto, focal, system = NeedState(row["upto"]), need.created_by, User.objects.system()
    desk, publisher = (person(role, "partner:unep") for role in STAFF_ROLES[:2])
    if upto == S.ARCHIVED:
        lifecycle.transition(need, "archive", by=system, note="Nobody has written on it for 12 months.")
    if upto in (S.DRAFT, S.ARCHIVED):
        return
    lifecycle.transition(need, "submit", by=focal)
    if upto == S.RETURNED:
        lifecycle.transition(need, "return", by=desk, note=row.get("note", "Who will run it after the first year?"))
    if upto == S.ON_HOLD:
        lifecycle.transition(need, "hold", by=desk, note=row.get("note", "The ministry is being reorganised."))
    if upto == S.MERGED:
        others = Need.objects.filter(country=need.country, is_illustrative=True).exclude(pk=need.pk)
        other = others.exclude(state__in=ENDED).earliest("pk")
        actions.merge(need, other, by=desk, note="Both ask for the same.")
    if upto in (S.SUBMITTED, S.RETURNED, S.ON_HOLD, S.MERGED):
        return
    answers = dict.fromkeys(Criterion.values, (True, "Said in the draft."))
    if upto == S.NOT_ELIGIBLE:
        answers[Criterion.CAPACITY] = (False, "It asks for goods only; nothing stays that people can do.")
    actions.screen(
        need, answers, by=desk, referral="A fund for equipment of the region." if upto == S.NOT_ELIGIBLE else ""
    )
    if upto == S.NOT_ELIGIBLE:
        lifecycle.transition(need, "find_not_eligible", by=desk, note="It asks for goods only.")
        return
    lifecycle.transition(need, "find_eligible", by=desk)
    if upto not in OPENED:
        return
    actions.approve_summary(need, by=focal)
    lifecycle.transition(need, "publish", by=publisher)
    for entry in row.get("responses", []):
        _respond(need, entry, focal)
    if upto == S.WITHDRAWN:
        lifecycle.transition(need, "withdraw", by=focal, note="A national programme now pays for it.")
    elif upto == S.EXPIRED:
        lifecycle.transition(need, "expire", by=system)
    elif upto not in (S.OPEN, S.IN_DIALOGUE):
        _agree_and_deliver(need, row, upto, focal, desk, publisher)


def _helper(code: str) -> User:
    return person(Role.FOCAL_POINT if code.startswith("country:") else Role.PARTNER_LEAD, code)


def _place(code: str, prefix: str = "") -> dict:
    kind, _colon, key = code.partition(":")
    found = Country.objects.get(iso3=key) if kind == "country" else Partner.objects.get(slug=key)
    return {f"{prefix}{kind}": found}


def _respond(need: Need, entry: dict, focal: User) -> None:
    """One response: `second`: who provides with it; `accepted`, `declined`: the country's word; `asks`: its question."""
    by = _helper(entry["by"])
    second = _place(entry["second"], "second_") if "second" in entry else {}
    offer = Offer.objects.get(title=entry["offer"]) if "offer" in entry else None
    response = Response(need=need, **_place(entry["by"]), **second, offer=offer, text=entry["text"])
    lines = list(need.lines.all())
    actions.respond(response, [Answer(line=lines[n], quantity=q) for n, q in entry["answers"].items()], by=by)
    if "asks" in entry:
        actions.ask(response, entry["asks"], by=focal)
    if "replies" in entry:
        actions.ask(response, entry["replies"], by=by)
    if entry.get("accepted"):
        actions.accept_response(response, by=focal)
    elif "declined" in entry:
        lifecycle.transition(response, "decline", by=focal, note=entry["declined"])
    need.refresh_from_db()


def _agree_and_deliver(need: Need, row: dict, upto: str, focal: User, desk: User, publisher: User) -> None:
    accepted = [entry for entry in row["responses"] if entry.get("accepted")]
    helpers = [_helper(code) for entry in accepted for code in (entry["by"], entry.get("second")) if code]
    values = agreement.proposed(need)
    for activity in values["activities"]:
        activity["starts_on"] = _begins(activity["ends_on"])
        if activity["quantity"] is None:  # of a second provider
            activity |= {
                "text": "Travel, and what is learned put into writing",
                "quantity": 3,
                "unit": "visits",
                "line_id": None,
            }
    indicators = row.get("indicators", ["people 0 20 People who can do it by themselves"])
    values["indicators"] = [
        {"unit": unit, "baseline": start, "target": target, "text": text}
        for unit, start, target, text in (entry.split(" ", 3) for entry in indicators)
    ]
    agreement.write_plan(
        need, values | {"plan": "A group of three, one from each side, meets every second month."}, by=focal
    )
    for side in dict.fromkeys([focal, *helpers, desk]):
        agreement.confirm(need, ConfirmedStep.PLAN, by=side)
    need.refresh_from_db()
    if upto == S.PLAN_AGREED:
        return
    project = agreement.start(need, None, by=desk)
    lifecycle.transition(project, "publish", by=publisher)
    need.refresh_from_db()
    share = {S.IN_DELIVERY: Decimal("0.5"), S.PARTIALLY_MET: Decimal("0.75")}.get(upto, Decimal(1))
    answers = Answer.objects.filter(response__need=need, response__state="converted")
    delivered = {answer.pk: (answer.quantity * share).quantize(Decimal(1)) for answer in answers}
    for by in dict.fromkeys(helpers):  # each says what it delivered itself
        own = {answer.pk for answer in deliveries.stated_by(by, need)}
        deliveries.record_delivered(need, {key: n for key, n in delivered.items() if key in own}, by=by)
    actions.report_progress(need, "The first half has been done; the second begins after the rains.", by=helpers[0])
    if upto == S.IN_DELIVERY:
        return
    Project.objects.filter(pk=project.pk).update(status=Status.CLOSED)
    for side in dict.fromkeys([*helpers, desk]):
        agreement.confirm(need, ConfirmedStep.DELIVERY, by=side)
    need.refresh_from_db()
    if upto == S.DELIVERED:
        return
    texts = {"outcome": row["outcome"], "rating": row["rating"], "lessons": row["lessons"]}
    if upto == S.PARTIALLY_MET:
        actions.close_partly(need, by=focal, note="The rest goes on in a new need.", **texts)
    else:
        actions.move(need, "close", by=focal, **texts)
    _check(project, focal, helpers)


def _check(project: Project, focal: User, helpers: list[User]) -> None:
    """Both sides say that the record of the project is right."""
    for by in (focal, *helpers[:1]):
        held = by.memberships.get()
        check = RecordCheck(project=project, country=held.country, partner=held.partner, is_right=True)
        if check.who in actions.speaks_for(by, project):
            actions.check_record(check, by=by)


def _put_back(need: Need, days: int) -> None:
    """Moves what has happened back in time, so that the demonstration shows deadlines and needs that wait."""
    events = Event.objects.filter(need=need) | Event.objects.filter(response__need=need)
    moved = list(events.order_by("at", "pk"))
    start = timezone.now() - dt.timedelta(days=days)
    step = dt.timedelta(days=days) / (len(moved) * 3 + 1)
    for place, event in enumerate(moved):
        Event.objects.filter(pk=event.pk).update(at=start + step * place)
    need = Need.objects.get(pk=need.pk)
    need.created_at = start - dt.timedelta(days=14)
    back = dt.timedelta(days=days) - step * len(moved)
    need.state_since -= back
    if need.due_on:
        need.due_on -= back
    if need.published_at:
        need.published_at -= back
        need.expires_on -= back
    need.save()
