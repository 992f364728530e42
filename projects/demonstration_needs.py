"""The needs of the demonstration: each is carried through its life by the same moves as a real one."""

import datetime as dt
from decimal import Decimal

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from partners.choices import STAFF_ROLES, Role
from partners.models import Country, User
from projects import actions, agreement, lifecycle
from projects.choices import ConfirmedStep, Criterion, NeedState, Status
from projects.demonstration import person, read
from projects.models import Answer, Event, LineItem, Need, NeedTerm, Project, Response, Term

TEXTS = (
    "kind", "language", "title", "problem", "gap", "institution", "technology_sought", "technology_purpose",
    "operation_and_maintenance", "maturity",
)  # fmt: skip


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
        scope="national", existing_initiatives="none", same_request="no", languages=[row.get("language", "en")],
        endorsed_by_name="B. Person", endorsed_on=timezone.localdate(), **dict.fromkeys(row.get("flags", []), True),
    )  # fmt: skip
    need.full_clean(exclude=["reference"])
    need.save()
    NeedTerm.objects.bulk_create(NeedTerm(need=need, term=terms[code]) for code in row["terms"])
    for place, entry in enumerate(row["lines"]):
        help_, quantity, unit, month, text = entry.split(" ", 4)
        LineItem.objects.create(
            need=need, position=place, text=text, quantity=Decimal(quantity), unit=unit,
            assistance=terms[f"assistance:{help_}"], by_when=dt.date.fromisoformat(f"{month}-01"),
        )  # fmt: skip
    return need


def _carry(need: Need, row: dict) -> None:
    """Through its life as far as the file says."""
    upto = row["upto"]
    focal = need.created_by
    desk, publisher = (person(role, "partner:unep") for role in STAFF_ROLES[:2])
    if upto == NeedState.DRAFT:
        return
    lifecycle.transition(need, "submit", by=focal)
    if upto == NeedState.SUBMITTED:
        return
    actions.screen(need, dict.fromkeys(Criterion.values, (True, "Said in the draft.")), by=desk)
    lifecycle.transition(need, "find_eligible", by=desk)
    actions.approve_summary(need, by=focal)
    lifecycle.transition(need, "publish", by=publisher)
    for entry in row.get("responses", []):
        _respond(need, entry, focal)
    if upto == NeedState.WITHDRAWN:
        lifecycle.transition(need, "withdraw", by=focal, note="A national programme now pays for it.")
    if upto in (NeedState.IN_DELIVERY, NeedState.CLOSED):
        _deliver(need, row, focal, desk, to_the_end=upto == NeedState.CLOSED)


def _responder(entry: dict) -> User:
    kind = entry["by"].split(":")[0]
    return person(Role.FOCAL_POINT if kind == "country" else Role.PARTNER_LEAD, entry["by"])


def _respond(need: Need, entry: dict, focal: User) -> None:
    by = _responder(entry)
    held = by.memberships.get()
    response = Response(need=need, partner=held.partner, country=held.country, text=entry["text"])
    lines = list(need.lines.all())
    actions.respond(response, [Answer(line=lines[n], quantity=q) for n, q in entry["answers"].items()], by=by)
    if entry.get("accepted"):
        actions.accept_response(response, by=focal)
        need.refresh_from_db()


def _deliver(need: Need, row: dict, focal: User, desk: User, *, to_the_end: bool) -> None:
    helper = _responder(row["responses"][0])
    plan = (
        "The provider sends its people; the country prepares places and figures. Progress is told every three months."
    )
    values = {**agreement.proposed(need), "plan": plan}
    indicator = {"text": "People who can do it by themselves", "unit": "people", "baseline": 0, "target": 20}
    agreement.write_plan(need, {**values, "indicators": [indicator]}, by=focal)
    for side in (focal, helper, desk):
        agreement.confirm(need, ConfirmedStep.PLAN, by=side)
    running = Project.objects.published().filter(is_illustrative=True, status=Status.IMPLEMENTATION)
    need.refresh_from_db()
    project = running.filter(country_links__country=need.country).first() or running.first()
    agreement.start(need, project, by=desk)
    answers = Answer.objects.filter(response__need=need)
    answers.update(delivered=F("quantity") if to_the_end else F("quantity") / 2)
    if to_the_end:
        for side in (helper, desk):
            agreement.confirm(need, ConfirmedStep.DELIVERY, by=side)
        need.refresh_from_db()
        texts = {
            "outcome": "Sixty people learned together; the manual is used in four courts.",
            "rating": 4,
            "lessons": "Mixed groups of inspectors and magistrates argued well and learned faster.",
        }
        lifecycle.transition(need, "close", by=focal, **texts)


def _put_back(need: Need, days: int) -> None:
    """Moves what has happened back in time, so that the demonstration shows deadlines and needs that wait."""
    events = Event.objects.filter(need=need) | Event.objects.filter(response__need=need)
    moved = list(events.order_by("at", "pk"))
    start = timezone.now() - dt.timedelta(days=days)
    step = dt.timedelta(days=days) / (len(moved) * 3 + 1)
    for place, event in enumerate(moved):
        Event.objects.filter(pk=event.pk).update(at=start + step * place)
    need.refresh_from_db()
    need.created_at = start - dt.timedelta(days=14)
    back = dt.timedelta(days=days) - step * len(moved)
    need.state_since -= back
    if need.due_on:
        need.due_on -= back
    if need.published_at:
        need.published_at -= back
        need.expires_on -= back
    need.save()
