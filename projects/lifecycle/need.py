"""The life of a need: what each state requires, and the moves between the states."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from partners.models import Country, Partner
from projects.choices import ConfirmedStep, Criterion, DocumentKind, Side, Status, Vocabulary
from projects.choices import NeedState as S
from projects.lifecycle.moves import Transition, table, today
from projects.models import Need


# --- clocks ----------------------------------------------------------------------------------------------------------
def days(n: int) -> Callable[[dt.date], dt.date]:
    return lambda start: start + dt.timedelta(days=n)


def working_days(n: int) -> Callable[[dt.date], dt.date]:
    """Days on which the desk works: Monday to Friday, without its holidays."""

    def due(start: dt.date) -> dt.date:
        day, left = start, n
        while left:
            day += dt.timedelta(days=1)
            left -= day.weekday() < 5 and day.isoformat() not in settings.DESK_HOLIDAYS
        return day

    return due


WRITING = (S.DRAFT, S.RETURNED)  # the country writes
OPEN_FOR = dt.timedelta(days=365)


# --- what each state requires ----------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Requirement:
    """Something that a state requires: a sentence that says what to do, and where in the form."""

    field: str  # the field, or the part, to which the message belongs
    message: str
    is_met: Callable[[Need], bool]
    only_for: str = ""  # a kind of need


def _has(name: str) -> Callable[[Need], bool]:
    return lambda need: bool(str(getattr(need, name) or "").strip())


def _lines_are_complete(need: Need) -> bool:
    lines = list(need.lines.all())
    return bool(lines) and all(line.quantity is not None and line.by_when is not None for line in lines)


def _assistance(need: Need) -> set:
    return {line.assistance_id for line in need.lines.all()}


def _has_term(vocabulary: str) -> Callable[[Need], bool]:
    return lambda need: any(link.term.vocabulary == vocabulary for link in need.term_links.select_related("term"))


def unconfirmed(need: Need, step: str) -> list[tuple[str, Country | Partner | None]]:
    """(side, and who of the partners) whose confirmation of a step is still missing."""
    wanted: list = [(Side.PARTNER, who) for who in need.providers]
    wanted = [(Side.COUNTRY, None), *wanted] if step == ConfirmedStep.PLAN else wanted
    given = {(c.side, c.who) for c in need.confirmations.select_related("country", "partner") if c.step == step}
    return [one for one in [*wanted, (Side.UNEP, None)] if one not in given]


def _confirmed(step: str) -> Callable[[Need], bool]:
    return lambda need: not unconfirmed(need, step)


def _activities(need: Need) -> dict:
    """{who provides: its activities}."""
    rows = list(need.activities.select_related("country", "partner"))
    return {who: [row for row in rows if row.who == who] for who in need.providers}


TO_SUBMIT = (
    Requirement("title", _("Give it a title."), _has("title")),
    Requirement("problem", _("Describe the problem."), _has("problem")),
    Requirement("gap", _("Say what is missing."), _has("gap")),
    Requirement("terms", _("Choose at least one thematic area of the Bali Strategic Plan."), _has_term(Vocabulary.BSP_THEME)),
    Requirement("lines", _("Add at least one line: what exactly you need."), lambda need: need.lines.exists()),
    Requirement("lines", _("Give each line its quantity, unit and date."), lambda n: not n.lines.exists() or _lines_are_complete(n)),
    Requirement(
        "lines", _("Choose a kind of help for each line; one to three kinds in all."),
        lambda n: not n.lines.exists() or (None not in _assistance(n) and 1 <= len(_assistance(n)) <= 3),
    ),
    Requirement("technology_sought", _("Say which technology you seek."), _has("technology_sought"), "technology"),
    Requirement("technology_purpose", _("Say what the technology is for."), _has("technology_purpose"), "technology"),
    Requirement(
        "operation_and_maintenance", _("Say who will run and maintain it."), _has("operation_and_maintenance"), "technology"
    ),
    Requirement("maturity", _("Choose the least mature technology that you would accept."), _has("maturity"), "technology"),
    Requirement("national_plan", _("Name the national plan that it serves."), _has("national_plan")),
    Requirement("institution", _("Name the institution that would carry it out."), _has("institution")),
    Requirement("contact_name", _("Name a contact."), _has("contact_name")),
    Requirement("contact_email", _("Give the contact's e-mail address."), _has("contact_email")),
    Requirement("scope", _("Choose the scope: national, subregional, regional or global."), _has("scope")),
    Requirement("monitoring", _("Say how progress will be seen."), _has("monitoring")),
    Requirement("existing_initiatives", _("Say what exists already, or “none”."), _has("existing_initiatives")),
    Requirement("same_request", _("Answer whether the same was asked for elsewhere."), _has("same_request")),
    Requirement(
        "same_request_text", _("Say where it was asked for, and when."),
        lambda n: n.same_request in ("", "no") or bool(n.same_request_text.strip()),
    ),
    Requirement("endorsed_by_name", _("Give the name of the national focal point who endorses it."), _has("endorsed_by_name")),
    Requirement("endorsed_on", _("Give the date of the endorsement."), lambda n: n.endorsed_on is not None),
    Requirement(
        "documents", _("Add the country's endorsement letter."),
        lambda n: not n.is_on_behalf or n.documents.filter(kind=DocumentKind.LETTER).exists(),
    ),
)  # fmt: skip


# Where the draft asks for what a screener judges. Each has at least one question that has to be answered to submit.
ASKED_IN: dict[str, tuple[str, ...]] = {
    Criterion.BENEFIT: ("problem", "beneficiaries"),
    Criterion.ALIGNMENT: ("national_plan",),
    Criterion.CAPACITY: ("gap", "lines", "operation_and_maintenance"),
    Criterion.MONITORING: ("monitoring",),
    Criterion.REQUESTER: ("institution", "endorsed_by_name"),
}


def _all_answered(need: Need) -> bool:
    return {answer.criterion for answer in need.criteria.all()} == set(Criterion.values)


def _all_delivered(need: Need) -> bool:
    from projects.coverage import coverage_of

    return not any(line.left for line in coverage_of(need))


TO_AGREE = (  # what a plan says before it is confirmed
    Requirement(
        "activities", _("Write the plan: say what each side does, with at least one activity for each provider."),
        lambda n: bool(n.providers) and all(_activities(n).values()),
    ),
    Requirement(
        "activities", _("Give at least one activity of each provider its quantity and unit."),
        lambda n: all(any(row.quantity for row in rows) for rows in _activities(n).values() if rows),
    ),
    Requirement(
        "activities", _("Say of each activity until when it is done."), lambda n: not n.activities.filter(ends_on=None).exists()
    ),
    Requirement(
        "indicators", _("Add at least one indicator, each with its target."),
        lambda n: n.indicators.exists() and not n.indicators.filter(target=None).exists(),
    ),
)  # fmt: skip


REQUIRED: dict[str, tuple[Requirement, ...]] = {
    S.SUBMITTED: TO_SUBMIT,
    S.ELIGIBLE: (
        Requirement("criteria", _("Answer every criterion."), _all_answered),
        Requirement("criteria", _("A need is eligible when every criterion is met."), lambda n: all(a.is_met for a in n.criteria.all())),
    ),
    S.NOT_ELIGIBLE: (
        Requirement("criteria", _("Answer every criterion."), _all_answered),
        Requirement("criteria", _("Mark at least one criterion as not met."), lambda n: any(not a.is_met for a in n.criteria.all())),
        Requirement("referral", _("Say who else could help."), _has("referral")),
    ),
    S.OPEN: (
        Requirement("public_summary", _("Write the public summary."), _has("public_summary")),
        Requirement(
            "public_summary", _("The national focal point has to approve the public summary."),
            lambda n: n.summary_approved_at is not None,
        ),
    ),
    S.IN_DIALOGUE: (Requirement("responses", _("Accept a response first."), lambda n: n.responses.accepted().exists()),),
    S.PLAN_AGREED: (
        Requirement("responses", _("Accept a response first."), lambda n: n.responses.accepted().exists()),
        *TO_AGREE,
        Requirement("plan", _("The country, the partners and UNEP each confirm the plan."), _confirmed(ConfirmedStep.PLAN)),
    ),
    S.IN_DELIVERY: (
        Requirement("project", _("Link the project that carries it out."), lambda n: n.project_id is not None),
        Requirement(
            "project", _("The linked project has to be in delivery (IATI status 2)."),
            lambda n: n.project is None or n.project.status == Status.IMPLEMENTATION,
        ),
    ),
    S.DELIVERED: (
        Requirement("responses", _("Enter how much of each line was delivered."), lambda n: n.lines.filter(answers__delivered__gt=0).exists()),
        Requirement("plan", _("The partners and UNEP each confirm the delivery."), _confirmed(ConfirmedStep.DELIVERY)),
    ),
    S.CLOSED: (
        Requirement("outcome", _("Say what came of it."), _has("outcome")),
        Requirement("rating", _("Rate it from 1 to 5."), lambda n: n.rating is not None),
        Requirement("lessons", _("Say what was learned."), _has("lessons")),
        Requirement("lines", _("Not all that was asked for was delivered: close it as met in part."), _all_delivered),
    ),
    S.PARTIALLY_MET: (
        Requirement("outcome", _("Say what came of it."), _has("outcome")),
        Requirement("rating", _("Rate it from 1 to 5."), lambda n: n.rating is not None),
        Requirement("lessons", _("Say what was learned."), _has("lessons")),
    ),
    S.MERGED: (Requirement("merged_into", _("Choose the need into which it is merged."), lambda n: n.merged_into_id is not None),),
}  # fmt: skip


def missing_for(need: Need, state: str) -> list[Requirement]:
    """What a need lacks before it may enter a state."""
    return [r for r in REQUIRED.get(state, ()) if r.only_for in ("", need.kind) and not r.is_met(need)]


def _requires(state: str) -> Callable[[Need], list[str]]:
    return lambda need: list(dict.fromkeys(r.message for r in missing_for(need, state)))


# --- what may be written in which state ---------------------------------------------------------------------------------
DRAFT_FIELDS = frozenset({
    "kind", "language", "title", "problem", "gap", "public_summary", "technology_sought", "technology_purpose",
    "conditions_of_use", "existing_equipment", "operation_and_maintenance", "maturity", "national_plan", "institution",
    "institution_partner", "contact_name", "contact_email", "contact_phone", "scope", "place", "beneficiaries", "women", "men",
    "is_for_women", "is_for_youth", "is_for_indigenous", "monitoring", "existing_initiatives", "same_request", "same_request_text",
    "cofinancing", "cofinancing_text", "languages", "endorsed_by_name", "endorsed_on", "terms", "lines",
})  # fmt: skip
WRITABLE: dict[str, frozenset[str]] = {  # by the country, or by UNEP on its behalf
    **dict.fromkeys(WRITING, DRAFT_FIELDS),
    S.SUBMITTED: frozenset({"public_summary"}),
    S.ELIGIBLE: frozenset({"public_summary"}),
}
TAKES_DOCUMENTS = (*WRITING, S.SUBMITTED)


# --- what a move writes besides the state ------------------------------------------------------------------------------
def _screened(need: Need, by) -> dict:
    return {"screened_at": timezone.now(), "screened_by": by}


def _opened(need: Need, by) -> dict:
    return {
        "published_at": need.published_at or timezone.now(),
        "published_by": need.published_by or by,
        "expires_on": today() + OPEN_FOR,
    }


def _held(need: Need, by) -> dict:
    return {"held_from": need.state}


def _resumed(need: Need, by) -> dict:
    due = DUE.get(need.held_from)
    return {"held_from": "", "due_on": due(today()) if due else None}


# How long a state may last. What happens at its end is in clocks.py.
DUE: dict[str, Callable[[dt.date], dt.date]] = {
    S.SUBMITTED: working_days(15),
    S.RETURNED: days(60),
    S.ELIGIBLE: working_days(15),
    S.OPEN: days(60),
    S.IN_DIALOGUE: days(90),
    S.IN_DELIVERY: days(182),
    S.DELIVERED: days(90),
}

MOVES = table(
    "need",
    Transition(
        "submit", _("Endorse and submit"), WRITING, S.SUBMITTED, requires=_requires(S.SUBMITTED),
        is_public=True, due=DUE[S.SUBMITTED],
    ),
    Transition(
        "return", _("Return with questions"), (S.SUBMITTED,), S.RETURNED, requires_note=True, is_public=True,
        due=DUE[S.RETURNED],
    ),
    Transition(
        "find_eligible", _("Find eligible"), (S.SUBMITTED,), S.ELIGIBLE, requires=_requires(S.ELIGIBLE), is_public=True,
        due=DUE[S.ELIGIBLE], then=_screened,
    ),
    Transition(
        "find_not_eligible", _("Find not eligible"), (S.SUBMITTED,), S.NOT_ELIGIBLE, requires_note=True,
        requires=_requires(S.NOT_ELIGIBLE), then=_screened,
    ),
    Transition(
        "publish", pgettext_lazy("need", "Open to responses"), (S.ELIGIBLE,), S.OPEN, requires=_requires(S.OPEN), is_public=True,
        due=DUE[S.OPEN], then=_opened,
    ),
    Transition(
        "begin_dialogue", _("Begin the dialogue"), (S.OPEN,), S.IN_DIALOGUE, requires=_requires(S.IN_DIALOGUE),
        is_public=True, due=DUE[S.IN_DIALOGUE], is_for_forms=False,
    ),
    Transition(
        "reopen", _("Back to open"), (S.IN_DIALOGUE,), S.OPEN, requires_note=True, is_public=True, is_note_public=True,
        due=DUE[S.OPEN],
    ),
    Transition(
        "agree", _("Agree the plan"), (S.IN_DIALOGUE,), S.PLAN_AGREED, requires=_requires(S.PLAN_AGREED), is_public=True,
        is_for_forms=False,
    ),
    Transition(
        "revise", _("Change the plan"), (S.PLAN_AGREED,), S.IN_DIALOGUE, is_public=True, due=DUE[S.IN_DIALOGUE],
        is_for_forms=False,
    ),
    Transition(
        "start", _("Start delivery"), (S.PLAN_AGREED,), S.IN_DELIVERY, requires=_requires(S.IN_DELIVERY),
        is_public=True, due=DUE[S.IN_DELIVERY],
    ),
    Transition(
        "deliver", _("Mark as delivered"), (S.IN_DELIVERY,), S.DELIVERED, requires=_requires(S.DELIVERED),
        is_public=True, due=DUE[S.DELIVERED], is_for_forms=False,
    ),
    Transition(
        "close", _("Close"), (S.DELIVERED,), S.CLOSED, requires=_requires(S.CLOSED), is_public=True, fits=_all_delivered,
        instead="close_partly",
    ),
    Transition(
        "close_partly", _("Close as met in part"), (S.DELIVERED,), S.PARTIALLY_MET, requires_note=True,
        requires=_requires(S.PARTIALLY_MET), is_public=True, is_note_public=True,
    ),
    Transition(
        "withdraw", _("Withdraw"),
        (S.DRAFT, S.SUBMITTED, S.RETURNED, S.ELIGIBLE, S.OPEN, S.IN_DIALOGUE, S.PLAN_AGREED, S.IN_DELIVERY, S.ON_HOLD, S.EXPIRED),
        S.WITHDRAWN, requires_note=True, is_public=True, is_note_public=True, then=lambda need, by: {"held_from": ""},
    ),
    Transition(
        "hold", _("Put on hold"),
        (S.SUBMITTED, S.RETURNED, S.ELIGIBLE, S.OPEN, S.IN_DIALOGUE, S.PLAN_AGREED, S.IN_DELIVERY), S.ON_HOLD,
        requires_note=True, is_public=True, is_note_public=True, then=_held,
    ),
    Transition("resume", _("Take off hold"), (S.ON_HOLD,), "", is_public=True, then=_resumed),
    Transition("expire", _("Let expire"), (S.OPEN,), S.EXPIRED, is_public=True),
    Transition("renew", _("Renew for 12 months"), (S.EXPIRED,), S.OPEN, is_public=True, due=DUE[S.OPEN], then=_opened),
    Transition(
        "merge", _("Merge into another need"), (S.SUBMITTED, S.RETURNED, S.ELIGIBLE, S.OPEN, S.EXPIRED), S.MERGED,
        requires=_requires(S.MERGED), is_public=True, is_note_public=True, requires_note=True,
    ),
    Transition("archive", _("Archive"), (S.DRAFT,), S.ARCHIVED),
    Transition("restore", _("Take up again"), (S.ARCHIVED,), S.DRAFT),
)  # fmt: skip

# The main path, for the status bar: who holds a need in each state.
PATH = (S.DRAFT, S.SUBMITTED, S.ELIGIBLE, S.OPEN, S.IN_DIALOGUE, S.PLAN_AGREED, S.IN_DELIVERY, S.DELIVERED, S.CLOSED)
HOLDER: dict[str, str] = {
    S.DRAFT: Side.COUNTRY, S.SUBMITTED: Side.UNEP, S.RETURNED: Side.COUNTRY, S.ELIGIBLE: Side.UNEP, S.OPEN: Side.PARTNER,
    S.IN_DIALOGUE: Side.COUNTRY, S.PLAN_AGREED: Side.UNEP, S.IN_DELIVERY: Side.PARTNER, S.DELIVERED: Side.COUNTRY,
    S.CLOSED: Side.COUNTRY, S.PARTIALLY_MET: Side.COUNTRY, S.ON_HOLD: Side.UNEP, S.EXPIRED: Side.COUNTRY,
    S.ARCHIVED: Side.COUNTRY,
}  # fmt: skip

# What comes after each state, for whoever reads the status bar.
NEXT: dict[str, str] = {
    S.DRAFT: _("The national focal point endorses and submits it."),
    S.SUBMITTED: _("UNEP screens it by five criteria, or returns it with questions."),
    S.RETURNED: _("The country answers the questions and submits it again."),
    S.ELIGIBLE: _("A second person at UNEP opens it, once the country has approved the public summary."),
    S.NOT_ELIGIBLE: _("Nothing more happens here; the referral says who else could help."),
    S.OPEN: _("The country answers each response within 30 days."),
    S.IN_DIALOGUE: _("The country, the partners and UNEP agree on a plan, or it is opened again."),
    S.PLAN_AGREED: _("The plan becomes a project and the delivery starts."),
    S.IN_DELIVERY: _("The partners and UNEP say what was delivered; every six months they report."),
    S.DELIVERED: _("The country says what came of it and closes it."),
    S.CLOSED: _("Nothing more: it has ended."),
    S.PARTIALLY_MET: _("What was not delivered goes on in a new need."),
    S.WITHDRAWN: _("Nothing more: the country withdrew it."),
    S.ON_HOLD: _("UNEP takes it off hold when the reason has passed."),
    S.EXPIRED: _("The country renews it, or lets it rest."),
    S.MERGED: _("It goes on as part of the other need."),
    S.ARCHIVED: _("The country takes it up again, or lets it rest."),
}
