"""Acts on a need that write more than one row. Each is one transaction; each asks rules.py, as a move does."""

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from partners.choices import Role
from partners.models import User
from partners.rules import memberships, refuse, require
from projects import agreement
from projects.choices import ConfirmedStep, NeedState, ResponseState, Side
from projects.coverage import coverage_of
from projects.drafting import name_submission, sent_before
from projects.lifecycle import locked, only_as_seen, only_in, today, transition, write_down
from projects.lifecycle.need import DRAFT_FIELDS, DUE, days
from projects.lifecycle.response import ENDED as RESPONSE_ENDED
from projects.models import Answer, CriterionAnswer, LineItem, Need, NeedTerm, Offer, Project, RecordCheck, Response
from projects.models.need import ENDED

ANSWER_WITHIN = days(30)  # the country answers a response; who was asked to offer answers the country
GOOD = 4  # rated so or better, a need is proposed as a story to tell
ASKED_WITHIN = days(14)  # at least so long from a question to the answer


# --- before it opens ---------------------------------------------------------------------------------------------------
@transaction.atomic
def screen(need: Need, answers: dict[str, tuple[bool, str]], *, by, referral: str = "") -> None:
    """Keeps the screener's answers: {criterion: (met, note)}. Each needs its note."""
    now = locked(need, by, "screen")
    only_in(now, NeedState.SUBMITTED)
    for criterion, (is_met, note) in answers.items():
        answer = CriterionAnswer(need=now, criterion=criterion, is_met=is_met, note=note.strip())
        answer.full_clean(validate_unique=False, validate_constraints=False)
        CriterionAnswer.objects.update_or_create(
            need=now, criterion=criterion, defaults={"is_met": is_met, "note": answer.note}
        )
    now.referral = referral.strip() or now.referral
    now.version += 1
    now.save(update_fields=["referral", "version", "modified_at"])
    write_down(now, "screen", by=by)


@transaction.atomic
def approve_summary(need: Need, *, by) -> None:
    """The national focal point agrees to what the public will read."""
    now = locked(need, by, "approve_summary")
    only_in(now, NeedState.SUBMITTED, NeedState.RETURNED, NeedState.ELIGIBLE)
    if not now.public_summary.strip():
        raise ValidationError(_("Write the public summary."), code="incomplete")
    now.summary_approved_at, now.summary_approved_by = timezone.now(), by
    now.save(update_fields=["summary_approved_at", "summary_approved_by", "modified_at"])
    write_down(now, "approve_summary", by=by, is_public=True)


# --- responses -----------------------------------------------------------------------------------------------------------
@transaction.atomic
def respond(response: Response, answers: list[Answer], *, by, key: str = "", content: str = "") -> Response:
    """A partner or country offers to cover lines of a need, or takes up what was suggested to it. The need has to take
    responses now.

    Sent twice with one `key`, it is one response; with other `content` it is refused.
    """
    need = Need.objects.select_for_update(of=("self",)).get(pk=response.need_id)
    response.need = need
    response.created_by = response.created_by or by
    require(by, "projects.express_response", response)
    if key:
        name_submission(response, key, content, by=by)
        if found := sent_before(response):
            return found
    only_in(need, NeedState.OPEN, NeedState.IN_DIALOGUE)
    is_new = response.pk is None
    if not is_new:
        only_in(Response.objects.select_for_update(of=("self",)).get(pk=response.pk), ResponseState.SUGGESTED)
    try:
        with transaction.atomic():
            _store(response, answers)
    except IntegrityError:  # the same key for another need at the same moment
        if key and (found := sent_before(response)):
            return found
        raise
    if is_new:
        write_down(response, "express", by=by, is_public=True)
    else:
        transition(response, "express", by=by)
    return response


def _store(response: Response, answers: list[Answer]) -> None:
    if not answers:
        raise ValidationError(_("Choose at least one line."), code="incomplete")
    response.due_on = ANSWER_WITHIN(today())
    response.full_clean(exclude=["submission_key"])  # the key is settled by whoever stores it first
    response.save()
    response.answers.all().delete()
    for answer in answers:
        answer.response = response
        answer.full_clean()
        answer.save()


@transaction.atomic
def suggest(response: Response, answers: list[Answer], *, by) -> Response:
    """The country, or UNEP's desk, asks a partner or country to respond to lines of a need; usually for an offer of theirs.

    Whoever is asked takes it up with their own quantities and terms, or declines.
    """
    need = Need.objects.select_for_update(of=("self",)).get(pk=response.need_id)
    response.need, response.created_by, response.state = need, by, ResponseState.SUGGESTED
    require(by, "projects.suggest_response", response)
    only_in(need, NeedState.OPEN, NeedState.IN_DIALOGUE)
    response.suggested_by = Side.UNEP if by.is_staff else Side.COUNTRY
    _store(response, answers)
    write_down(response, "suggest", by=by, note=response.text)
    return response


@transaction.atomic
def accept_response(response: Response, *, by, note: str = "") -> None:
    """The country says yes; the first yes begins the dialogue."""
    need = Need.objects.select_for_update(of=("self",)).get(pk=response.need_id)
    require(by, "projects.accept_response", response)
    only_in(need, NeedState.OPEN, NeedState.IN_DIALOGUE)
    transition(response, "accept", by=by, note=note)
    if need.state == NeedState.OPEN:
        transition(need, "begin_dialogue", by=by)


@transaction.atomic
def answer_response(response: Response, action: str, *, by, note: str = "") -> None:
    """The country accepts or declines a response, or it is taken back. One that was accepted leaves a plan that is
    another, so what was confirmed of it is taken back too."""
    if action == "accept":
        accept_response(response, by=by, note=note)
        return
    need = Need.objects.select_for_update(of=("self",)).get(pk=response.need_id)
    transition(response, action, by=by, note=note)
    if response.events.filter(from_state=ResponseState.ACCEPTED, to_state=ResponseState.TAKEN_BACK).exists():
        need.confirmations.filter(step=ConfirmedStep.PLAN).delete()


@transaction.atomic
def ask(response: Response, text: str, *, by) -> None:
    """A question about a response, or the answer to one: the providers, the country and UNEP read it.

    While a response waits, each gives at least ASKED_WITHIN more for an answer.
    """
    now = locked(response, by, "ask")
    if now.state in RESPONSE_ENDED:
        raise ValidationError(
            _("It is “%(state)s” by now, so this is no longer possible. Reload the page."),
            code="state", params={"state": now.get_state_display()},
        )  # fmt: skip
    if not text.strip():
        raise ValidationError(_("Write your question or answer."), code="note")
    if now.due_on and now.due_on < (longer := ASKED_WITHIN(today())):
        now.due_on = longer
        now.save(update_fields=["due_on"])
    write_down(now, "ask", by=by, note=text)


# --- delivery, end -----------------------------------------------------------------------------------------------------
@transaction.atomic
def report_progress(need: Need, text: str, *, by) -> None:
    """The six-monthly update: what has been done since the last one. It sets the clock anew."""
    now = locked(need, by, "deliver")
    only_in(now, NeedState.IN_DELIVERY)
    only_as_seen(need, now)
    if not text.strip():
        raise ValidationError(_("Say what has been done."), code="note")
    now.due_on, now.unlisted_at = DUE[NeedState.IN_DELIVERY](today()), None
    now.save(update_fields=["due_on", "unlisted_at", "modified_at"])
    write_down(now, "progress", by=by, note=text, is_public=True, is_note_public=True)


# What a child need does not take over: it is written or counted anew. Terms and lines are records of their own.
ANEW = {
    "public_summary", "women", "men", "same_request", "same_request_text", "cofinancing", "cofinancing_text",
    "endorsed_by_name", "endorsed_on", "terms", "lines",
}  # fmt: skip


@transaction.atomic
def close_partly(need: Need, *, by, note: str, **values) -> Need | None:
    """Closes a need of which not all was delivered; a child need takes the rest on as a draft of the country."""
    transition(need, "close_partly", by=by, note=note, **values)
    left = [row for row in coverage_of(need) if row.left]
    if not left:
        return None
    kept = DRAFT_FIELDS - ANEW | {"country", "is_on_behalf", "is_illustrative"}
    texts = {name: getattr(need, name) for name in kept}
    child = Need.objects.create(parent=need, created_by=by, import_run=need.import_run, **texts)
    NeedTerm.objects.bulk_create(NeedTerm(need=child, term_id=link.term_id) for link in need.term_links.all())
    for place, row in enumerate(left):
        line = row.line
        LineItem.objects.create(
            need=child, position=place, text=line.text, assistance=line.assistance, unit=line.unit, note=line.note,
            quantity=row.left if line.quantity is not None else None,
        )  # fmt: skip
    return child


@transaction.atomic
def merge(need: Need, into: Need | None, *, by, note: str) -> None:
    """Merges a need into another of the same country. Both addresses keep working; the first leads to the second."""
    now = locked(need, by, "merge")
    if into is not None and (into.pk == now.pk or into.country_id != now.country_id or into.state in ENDED):
        raise ValidationError(_("Choose another need of the same country."), code="merged_into")
    transition(need, "merge", by=by, note=note, merged_into=into)


# --- the record of a project ---------------------------------------------------------------------------------------------
@transaction.atomic
def check_record(check: RecordCheck, *, by) -> RecordCheck:
    """A country or partner of a project says that its record is right, or what is wrong. Its latest word counts."""
    project = Project.objects.select_for_update(of=("self",)).get(pk=check.project_id)
    require(by, "projects.check_project", project)
    only_as_seen(check.project, project)
    if check.who not in speaks_for(by, project):
        refuse()
    check.by, check.at = by, timezone.now()
    check.full_clean(validate_unique=False, validate_constraints=False)
    kept, _new = RecordCheck.objects.update_or_create(
        project=project, country=check.country, partner=check.partner,
        defaults={"is_right": check.is_right, "text": check.text, "by": by, "at": check.at},
    )  # fmt: skip
    action = "check_right" if kept.is_right else "check_wrong"
    write_down(project, action, by=by, note=kept.text, is_public=True, is_note_public=True)
    return kept


def speaks_for(user, project: Project) -> list:
    """The countries and partners of a project for which this person speaks."""
    countries = {link.country_id: link.country for link in project.country_links.all() if link.country_id}
    partners = {link.partner_id: link.partner for link in project.partner_links.all() if link.partner_id}
    held = memberships(user)
    found = [countries[m.country_id] for m in held if m.role == Role.FOCAL_POINT and m.country_id in countries]
    return found + [partners[m.partner_id] for m in held if m.role == Role.PARTNER_LEAD and m.partner_id in partners]


# --- any move ------------------------------------------------------------------------------------------------------------
def move(record: Project | Need | Offer, action: str, *, by, note: str = "", **values) -> Need | None:
    """Makes a move that a person may press, as page, API and admin offer it; with `values` that it takes.

    Most moves are one `transition`; three of a need write further records. Gives the child need of a close in part.
    """
    if action == "close_partly":
        return close_partly(record, by=by, note=note, **values)
    if action == "merge":
        merge(record, values.get("merged_into"), by=by, note=note)
    elif action == "close":
        transition(record, action, by=by, note=note, **values)
        if record.rating >= GOOD:
            write_down(record, "propose_story", by=User.objects.system())
    elif action == "start":
        agreement.start(record, values.get("project"), by=by, note=note)
    else:
        transition(record, action, by=by, note=note, **values)
    return None
