"""Acts on a need that write more than one row. Each is one transaction; each asks rules.py, as a move does."""

from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from partners.rules import refuse, require
from projects.choices import ConfirmedStep, NeedState, ResponseState, Side
from projects.coverage import coverage_of
from projects.drafting import Conflict, mark
from projects.lifecycle import missing_for, moves_of, today, transition, write_down
from projects.lifecycle.need import DRAFT_FIELDS, DUE, days
from projects.models import Answer, Confirmation, CriterionAnswer, LineItem, Need, NeedTerm, Offer, Project, Response
from projects.models.need import ENDED
from projects.models.response import ACCEPTED

ANSWER_WITHIN = days(30)  # the country answers a response


def _locked(need: Need, by, act: str) -> Need:
    """The need, locked and as it is now. Raises PermissionDenied where this person may not do that."""
    locked = Need.objects.select_for_update(of=("self",)).get(pk=need.pk)
    require(by, f"projects.{act}_need", locked)
    return locked


def _only_in(need: Need, *states: str) -> None:
    if need.state not in states:
        raise ValidationError(
            _("It is “%(state)s” by now, so this is no longer possible. Reload the page."),
            code="state",
            params={"state": need.get_state_display()},
        )


# --- before it opens ---------------------------------------------------------------------------------------------------
@transaction.atomic
def screen(need: Need, answers: dict[str, tuple[bool, str]], *, by, referral: str = "") -> None:
    """Keeps the screener's answers: {criterion: (met, note)}. Each needs its note."""
    locked = _locked(need, by, "screen")
    _only_in(locked, NeedState.SUBMITTED)
    for criterion, (is_met, note) in answers.items():
        answer = CriterionAnswer(need=locked, criterion=criterion, is_met=is_met, note=note.strip())
        answer.full_clean(validate_unique=False, validate_constraints=False)
        CriterionAnswer.objects.update_or_create(
            need=locked, criterion=criterion, defaults={"is_met": is_met, "note": answer.note}
        )
    if referral.strip():
        locked.referral = referral.strip()
        locked.save(update_fields=["referral", "modified_at"])
    write_down(locked, "screen", by=by)


@transaction.atomic
def approve_summary(need: Need, *, by) -> None:
    """The national focal point agrees to what the public will read."""
    locked = _locked(need, by, "approve_summary")
    _only_in(locked, NeedState.SUBMITTED, NeedState.RETURNED, NeedState.ELIGIBLE)
    if not locked.public_summary.strip():
        raise ValidationError(_("Write the public summary."), code="incomplete")
    locked.summary_approved_at, locked.summary_approved_by = timezone.now(), by
    locked.save(update_fields=["summary_approved_at", "summary_approved_by", "modified_at"])
    write_down(locked, "approve_summary", by=by, is_public=True)


# --- responses -----------------------------------------------------------------------------------------------------------
@transaction.atomic
def respond(response: Response, answers: list[Answer], *, by, key: str = "") -> Response:
    """A partner or country offers to cover lines of a need. The need has to take responses now.

    Sent twice with one `key`, it is one response.
    """
    need = Need.objects.select_for_update(of=("self",)).get(pk=response.need_id)
    response.need, response.created_by = need, by
    require(by, "projects.express_response", response)
    if key:  # the need is locked, so nobody stores the same key between here and below
        response.submission_key = f"{by.pk}:{key}"[:100]
        if found := Response.objects.filter(submission_key=response.submission_key).first():
            return found
    _only_in(need, NeedState.OPEN, NeedState.IN_DIALOGUE)
    if not answers:
        raise ValidationError(_("Choose at least one line."), code="incomplete")
    response.due_on = ANSWER_WITHIN(today())
    response.full_clean()
    response.save()
    for answer in answers:
        answer.response = response
        answer.full_clean()
        answer.save()
    write_down(response, "express", by=by, is_public=True)
    return response


@transaction.atomic
def accept_response(response: Response, *, by, note: str = "") -> None:
    """The country says yes; the first yes begins the dialogue."""
    need = Need.objects.select_for_update(of=("self",)).get(pk=response.need_id)
    require(by, "projects.accept_response", response)
    _only_in(need, NeedState.OPEN, NeedState.IN_DIALOGUE)
    transition(response, "accept", by=by, note=note)
    if need.state == NeedState.OPEN:
        transition(need, "begin_dialogue", by=by)


# --- plan, delivery, end -------------------------------------------------------------------------------------------------
def side_of(user, need: Need) -> str | None:
    """For which side a person confirms: the country, the partners, or UNEP."""
    if user.has_perm("projects.begin_dialogue_need", need) and not user.is_staff:
        return Side.COUNTRY
    if user.is_staff:
        return Side.UNEP
    return Side.PARTNER if user.has_perm("projects.confirm_need", need) else None


@transaction.atomic
def write_plan(need: Need, plan: str, *, by, seen: str | None = None) -> None:
    """Who does what, by when. Each side may write it; a change takes back what was confirmed before."""
    locked = _locked(need, by, "confirm")
    _only_in(locked, NeedState.IN_DIALOGUE)
    if plan == locked.plan:
        return
    before = {"plan": locked.plan}
    if seen is not None and seen != mark(before):
        raise Conflict(before, mark(before), locked.version)
    locked.plan = plan
    locked.version += 1
    locked.full_clean(exclude=["reference"])
    locked.save(update_fields=["plan", "version", "modified_at"])
    locked.confirmations.filter(step=ConfirmedStep.PLAN).delete()
    write_down(locked, "plan", by=by)


@transaction.atomic
def start(need: Need, project: Project, *, by, note: str = "") -> None:
    """The delivery starts with a project; what was agreed is carried out in it."""
    transition(need, "start", by=by, note=note, project=project)
    for response in need.responses.filter(state=ResponseState.AGREED):
        transition(response, "convert", by=by)


@transaction.atomic
def record_delivered(need: Need, delivered: dict[int, Decimal], *, by) -> None:
    """How much of each answer has been delivered: {key of the answer: quantity}. Takes back earlier confirmations."""
    locked = _locked(need, by, "deliver")
    _only_in(locked, NeedState.IN_DELIVERY)
    for answer in Answer.objects.filter(response__need=locked, response__state__in=ACCEPTED, pk__in=delivered):
        answer.delivered = delivered[answer.pk]
        answer.full_clean()
        answer.save(update_fields=["delivered"])
    locked.confirmations.filter(step=ConfirmedStep.DELIVERY).delete()
    write_down(locked, "record_delivered", by=by, is_public=True)


@transaction.atomic
def report_progress(need: Need, text: str, *, by) -> None:
    """The six-monthly update: what has been done since the last one. It sets the clock anew."""
    locked = _locked(need, by, "deliver")
    _only_in(locked, NeedState.IN_DELIVERY)
    if not text.strip():
        raise ValidationError(_("Say what has been done."), code="note")
    locked.due_on, locked.unlisted_at = DUE[NeedState.IN_DELIVERY](today()), None
    locked.save(update_fields=["due_on", "unlisted_at", "modified_at"])
    write_down(locked, "progress", by=by, note=text, is_public=True, is_note_public=True)


STEPS = {
    ConfirmedStep.PLAN: (NeedState.IN_DIALOGUE, "agree"),
    ConfirmedStep.DELIVERY: (NeedState.IN_DELIVERY, "deliver"),
}


@transaction.atomic
def confirm(need: Need, step: str, *, by, side: str | None = None) -> bool:
    """One side confirms the plan or the delivery. True when that was the last and the need moved on.

    UNEP may confirm for a country on whose behalf it acts (`side`).
    """
    locked = _locked(need, by, "confirm")
    state, action = STEPS[ConfirmedStep(step)]
    _only_in(locked, state)
    side = side or side_of(by, locked)
    may = side == side_of(by, locked) or (side == Side.COUNTRY and locked.is_on_behalf and by.is_staff)
    if side is None or not may:
        refuse()
    if step == ConfirmedStep.PLAN and not locked.plan.strip():
        raise ValidationError(_("Write the plan: who does what, indicators, contributions, dates."), code="incomplete")
    _confirmation, new = Confirmation.objects.get_or_create(need=locked, step=step, side=side, defaults={"by": by})
    if not new:
        raise ValidationError(_("Your side has confirmed already."), code="state")
    write_down(locked, f"confirm_{step}", by=by, is_public=True)
    if missing_for(locked, moves_of(locked)[action].to_state):
        return False
    transition(need, action, by=by)
    if action == "agree":
        for response in locked.responses.filter(state=ResponseState.ACCEPTED):
            transition(response, "agree", by=by)
    return True


# What a child need does not take over: it is written or counted anew. Terms and lines are records of their own.
ANEW = {
    "public_summary", "women", "men", "same_request", "same_request_text", "cofinancing", "cofinancing_text",
    "endorsed_by_name", "endorsed_on", "terms", "lines",
}  # fmt: skip


@transaction.atomic
def close_partly(need: Need, *, by, note: str, **values) -> Need | None:
    """Closes a need of which lines stay open; a child need takes these on as a draft of the country."""
    transition(need, "close_partly", by=by, note=note, **values)
    left = [row for row in coverage_of(need) if row.open > 0]
    if not left:
        return None
    kept = DRAFT_FIELDS - ANEW | {"country", "is_on_behalf", "is_illustrative"}
    child = Need.objects.create(parent=need, created_by=by, **{name: getattr(need, name) for name in kept})
    NeedTerm.objects.bulk_create(NeedTerm(need=child, term_id=link.term_id) for link in need.term_links.all())
    for place, row in enumerate(left):
        line = row.line
        LineItem.objects.create(
            need=child, position=place, text=line.text, assistance=line.assistance, unit=line.unit, note=line.note,
            quantity=row.open if line.quantity is not None else None,
        )  # fmt: skip
    return child


@transaction.atomic
def merge(need: Need, into: Need | None, *, by, note: str) -> None:
    """Merges a need into another of the same country. Both addresses keep working; the first leads to the second."""
    locked = _locked(need, by, "merge")
    if into is not None and (into.pk == locked.pk or into.country_id != locked.country_id or into.state in ENDED):
        raise ValidationError(_("Choose another need of the same country."), code="merged_into")
    transition(need, "merge", by=by, note=note, merged_into=into)


# --- any move ------------------------------------------------------------------------------------------------------------
def move(record: Project | Need | Offer, action: str, *, by, note: str = "", **values) -> Need | None:
    """Makes a move that a person may press, as page, API and admin offer it; with `values` that it takes.

    Most moves are one `transition`; three of a need write further records. Gives the child need of a close in part.
    """
    if action == "close_partly":
        return close_partly(record, by=by, note=note, **values)
    if action == "merge":
        merge(record, values.get("merged_into"), by=by, note=note)
    elif action == "start":
        start(record, values.get("project"), by=by, note=note)
    else:
        transition(record, action, by=by, note=note, **values)
    return None
