"""What was delivered of what was agreed: entered on a need's page or with its project, and known in both.

What nobody has reported is empty, never zero (docs/decisions/0017-plan-and-project.md). Project and need say the same: what
one of them says and the other can't is refused at whatever door it comes (`objections`).
"""

from decimal import Decimal

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.translation import gettext as _

from ground.field_errors import AT_MOST
from ground.templatetags.portal import number
from partners.models import User
from projects.agreement import accepted_answers, by_line_and_responder, shared_out
from projects.choices import ConfirmedStep, NeedState, Status
from projects.lifecycle import locked, only_in, transition, write_down
from projects.models import Answer, Contribution, Need, Project

FOLLOWING = (NeedState.IN_DELIVERY, NeedState.ON_HOLD)  # of a need: its figures are those of its project
NON_FIELD = "__all__"


@transaction.atomic
def record_delivered(need: Need, delivered: dict[int, Decimal], *, by) -> None:
    """How much of each answer has been delivered: {key of the answer: quantity}. Where that is another quantity than
    before, takes back earlier confirmations. Each provider states its own, UNEP's desk any.

    The project's contributions that carry the answer out say the same.
    """
    now = locked(need, by, "deliver")
    only_in(now, NeedState.IN_DELIVERY)
    stated = list(accepted_answers(now).filter(pk__in=delivered))
    if not {answer.pk for answer in stated} <= {answer.pk for answer in stated_by(by, now)}:
        raise PermissionDenied(_("Each provider enters what it delivered itself; UNEP enters what others did."))
    changed = [_set_delivered(one, delivered[one.pk]) for one in stated]
    for answers, rows in _carried(now):
        if not any(answer.pk in delivered for answer in answers):
            continue  # of whom nothing is said now
        shares = shared_out(_reported(answers), [*(row.quantity for row in rows[:-1]), None])
        changed += [_set_delivered(row, share) for row, share in _said(rows, shares, of=answers)]
    if any(changed):
        _note_delivered(now, by)


def _note_delivered(need: Need, by) -> None:
    """Other figures, another word: who had confirmed them confirms them anew, and who has the page open reads them first."""
    need.confirmations.filter(step=ConfirmedStep.DELIVERY).delete()
    need.version += 1
    need.save(update_fields=["version", "modified_at"])
    write_down(need, "record_delivered", by=by, is_public=True)


def _reported(rows: list) -> Decimal:
    """The sum of what is reported as delivered of answers, or of contributions."""
    return sum((row.delivered for row in rows if row.delivered is not None), Decimal(0))


def _said(rows: list, shares: list[Decimal], *, of: list) -> list[tuple]:
    """(row, its share) of those rows of which the others, `of`, say something. Where these don't report on each of the rows, a row
    for which nothing is left stays as not reported: what nobody said is not zero."""
    each = len(of) == len(rows) and all(one.delivered is not None for one in of)
    return [
        (row, share)
        for place, (row, share) in enumerate(zip(rows, shares, strict=True))
        if each or place == 0 or share or row.delivered is not None
    ]


def stated_by(user, need: Need) -> list[Answer]:
    """The accepted answers of which this person may say how much was delivered."""
    return [answer for answer in accepted_answers(need) if user.has_perm("projects.deliver_response", answer.response)]


def _set_delivered(row: Answer | Contribution, quantity: Decimal | None) -> bool:
    """Whether that is another quantity than before; that nothing was reported is not zero."""
    if row.delivered == quantity:
        return False
    row.delivered = quantity
    row.full_clean()
    row.save(update_fields=["delivered"])
    return True


def _carried(need: Need) -> list[tuple[list[Answer], list[Contribution]]]:
    """(answers of one responder to one line, the contributions that carry them out: theirs for that line, in its unit),
    where there are any."""
    rows = Contribution.objects.filter(activity__need=need, activity__line__isnull=False, quantity__isnull=False)
    rows = rows.select_related("activity__line", "country", "partner", "project").order_by("activity__position", "pk")
    found = []
    for (line, _responder), own, doers in by_line_and_responder(need):
        carrying = [r for r in rows if r.activity.line == line and r.unit == line.unit and r.who in doers]
        if carrying:
            found.append((own, carrying))
    return found


# --- what a project may say of it --------------------------------------------------------------------------------------
def not_emptied(quantity: Decimal) -> str:
    """What was reported is corrected, and never goes back to silence."""
    text = _("%(n)s is reported already. Enter what was delivered instead; 0 says that nothing was.")
    return text % {"n": number(quantity)}


def objections(row: Contribution, *, is_removed: bool = False) -> dict[str, str]:
    """Why a contribution that carries out the plan of a need can't be written so, or left out: {field: sentence}. Whoever writes a
    project asks it before the row is saved."""
    was = (
        row.pk and Contribution.objects.filter(pk=row.pk).select_related("activity__need", "country", "partner").first()
    )
    if not was or was.activity is None:
        return {}
    need, is_reported = was.activity.need, was.delivered is not None
    values = {"n": number(was.delivered) if is_reported else "", "need": need.reference, "what": was.text}
    if is_removed:
        text = _(
            "“%(what)s”: %(n)s is reported as delivered for the need %(need)s. Keep this row, with the same text, kind and provider."
        )
        return {NON_FIELD: text % values} if is_reported else {}
    if is_reported and row.delivered is None:
        return {"delivered": not_emptied(was.delivered)}
    if is_reported and (moved := [name for name in ("country", "partner", "unit") if _differs(row, was, name)]):
        text = _(
            "%(n)s is reported as delivered of it for the need %(need)s, so its unit and its provider stay as they are."
        )
        return {moved[0]: text % values}
    if is_reported and row.quantity != was.quantity and (row.quantity or 0) < row.delivered:
        text = _("%(n)s is reported as delivered of it for the need %(need)s, so the quantity agreed can’t be less.")
        return {"quantity": text % (values | {"n": number(row.delivered)})}
    return _objections_to_quantity(row, was, need) if row.delivered != was.delivered and was.activity.line_id else {}


def _differs(row: Contribution, was: Contribution, name: str) -> bool:
    field = Contribution._meta.get_field(name).attname
    return (getattr(row, field) or None) != (getattr(was, field) or None)


def _objections_to_quantity(row: Contribution, was: Contribution, need: Need) -> dict[str, str]:
    """Of another figure: the need has to be able to say it too."""
    if need.state not in FOLLOWING:
        text = _("The need %(need)s is “%(state)s”, so what was delivered for it can’t be changed here any more.")
        return {"delivered": text % {"need": need.reference, "state": need.get_state_display()}}
    answers = next((own for own, rows in _carried(need) if was in rows), [])
    most = sum(answer.most for answer in answers)
    return {"delivered": str(AT_MOST) % {"limit_value": number(most)}} if answers and row.delivered > most else {}


# --- the need follows --------------------------------------------------------------------------------------------------
@transaction.atomic
def follow(project: Project) -> None:
    """The needs that a project carries out follow it: quantities delivered, suspension, its end. Acts as the system."""
    by = User.objects.system()
    for need in project.needs.filter(state__in=FOLLOWING).select_for_update(of=("self",)):
        if NeedState.IN_DELIVERY in (need.state, need.held_from):
            _take_delivered(need, by)
        _take_status(need, project, by)


def _take_delivered(need: Need, by) -> None:
    changed = []
    for answers, rows in _carried(need):
        if all(row.delivered is None for row in rows):
            changed += _taken_back(need, answers, by)
        elif _reported(rows) != _reported(answers) or _says_more(rows, answers):
            shares = shared_out(_reported(rows), [answer.most for answer in answers])
            changed += [_set_delivered(answer, share) for answer, share in _said(answers, shares, of=rows)]
    if any(changed):
        _note_delivered(need, by)


def _says_more(rows: list[Contribution], answers: list[Answer]) -> bool:
    """Whether the project reports on each answer, of one of which nothing is known here."""
    is_whole = len(rows) == len(answers) and all(row.delivered is not None for row in rows)
    return (is_whole or len(answers) == 1) and any(answer.delivered is None for answer in answers)


def _taken_back(need: Need, answers: list[Answer], by) -> list[bool]:
    """The project reports nothing, or no longer. What had come from it goes with it; what was entered at the need stays."""
    if all(answer.delivered is None for answer in answers):
        return []
    last = need.events.filter(action="record_delivered").first()
    return [_set_delivered(answer, None) for answer in answers] if last and last.by_id == by.pk else []


def _take_status(need: Need, project: Project, by) -> None:
    stopped = project.status in (Status.SUSPENDED, Status.CANCELLED)
    told = need.events.filter(at__gte=need.state_since)
    if stopped and need.state == NeedState.IN_DELIVERY:
        transition(need, "hold", by=by, note=_("The project %(reference)s is “%(status)s”.") % {
            "reference": project.reference, "status": project.get_status_display()})  # fmt: skip
    elif need.state == NeedState.ON_HOLD and project.status == Status.IMPLEMENTATION:
        last = need.events.filter(action="hold").first()
        if need.held_from == NeedState.IN_DELIVERY and last and last.by_id == by.pk:
            transition(need, "resume", by=by)
    elif (
        need.state == NeedState.IN_DELIVERY
        and project.status in (Status.FINALISATION, Status.CLOSED)
        and not told.filter(action="project_ended").exists()
    ):
        write_down(need, "project_ended", by=by, is_public=True)
