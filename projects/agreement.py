"""From accepted responses to their delivery: the plan, its confirmation, and the project that carries it out.

A plan is written by either side and confirmed by the country, by each provider and by UNEP; whoever changes it later
takes these confirmations back. When the delivery starts, the plan becomes a project (or is added to one that runs); what
is delivered is recorded in deliveries.py.
"""

import datetime as dt
from collections import defaultdict
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from ground.signs import with_plain_line_ends
from partners.choices import PartnerKind, Role
from partners.models import Country, Partner
from partners.rules import memberships, refuse
from projects.choices import (
    ConfirmedStep,
    ContributionKind,
    CountryRole,
    Modality,
    NeedState,
    OrganisationRole,
    PlannedRole,
    ProviderOrder,
    ResponseState,
    Side,
    Status,
)
from projects.drafting import MOST_LINES, Conflict, mark, only_known
from projects.lifecycle import locked, missing_for, moves_of, only_as_seen, only_in, transition, write_down
from projects.lifecycle.need import TO_AGREE, unconfirmed
from projects.models import (
    Answer,
    Confirmation,
    Contribution,
    LineItem,
    Need,
    PlanActivity,
    PlanIndicator,
    PlanRole,
    Project,
    ProjectCountry,
    ProjectPartner,
    ProjectTerm,
    Response,
    Result,
)
from projects.models.response import ACCEPTED

Party = Country | Partner
WRITABLE = (NeedState.IN_DIALOGUE, NeedState.PLAN_AGREED, NeedState.IN_DELIVERY)
FIELDS = {
    "activities": ("text", "country_id", "partner_id", "line_id", "kind", "quantity", "unit", "starts_on", "ends_on"),
    "indicators": ("text", "unit", "baseline", "target", "target_on"),
}
MODELS = {"activities": PlanActivity, "indicators": PlanIndicator}
COUNTRY_ROLES = {
    PlannedRole.RECIPIENT: (CountryRole.RECIPIENT, None),
    PlannedRole.PROVIDER: (CountryRole.PROVIDER, None),
    PlannedRole.FIRST: (CountryRole.PROVIDER, ProviderOrder.FIRST),
    PlannedRole.SECOND: (CountryRole.PROVIDER, ProviderOrder.SECOND),
    PlannedRole.BOTH: (CountryRole.BOTH, None),
}
PARTNER_ROLES = {
    PlannedRole.IMPLEMENTING: OrganisationRole.IMPLEMENTING,
    PlannedRole.EXTENDING: OrganisationRole.EXTENDING,
    PlannedRole.FUNDING: OrganisationRole.FUNDING,
    PlannedRole.ACCOUNTABLE: OrganisationRole.ACCOUNTABLE,
}
KIND_OF_HELP = {  # the kind of contribution (TOSSD) that a kind of help (assistance type) usually is
    "expert": ContributionKind.EXPERT_COSTS,
    "training": ContributionKind.TRAINING,
    "study-tour": ContributionKind.TRAINING,
    "scholarship": ContributionKind.SCHOLARSHIP,
    "equipment": ContributionKind.IN_KIND,
    "joint-research": ContributionKind.RESEARCH,
    "pilot": ContributionKind.PROJECT,
}


# --- who takes part ----------------------------------------------------------------------------------------------------
def parties(need: Need) -> list[Party]:
    """Who can have a role and do something in the plan: the country, each provider, UNEP."""
    unep = Partner.objects.unep()
    return [need.country, *(who for who in need.providers if who != unep), unep]


def roles_for(who: Party) -> list[tuple[str, str]]:
    """The roles that a country or a partner can have."""
    known = COUNTRY_ROLES if isinstance(who, Country) else PARTNER_ROLES
    return [(role.value, role.label) for role in PlannedRole if role in known]


def sides_of(user, need: Need) -> list[tuple[str, Party | None]]:
    """(side, and which provider) that a person speaks for: the country, UNEP, or providers one by one. UNEP's desk speaks
    for the country too where it acts on its behalf."""
    if user.is_staff:
        on_behalf = need.is_on_behalf and user.has_perm("projects.begin_dialogue_need", need)
        return [(Side.UNEP, None), *([(Side.COUNTRY, None)] if on_behalf else [])]
    if user.has_perm("projects.begin_dialogue_need", need):
        return [(Side.COUNTRY, None)]
    held = memberships(user)
    return [
        (Side.PARTNER, who)
        for who in need.providers
        if any(
            m.country_id == who.pk and m.role == Role.FOCAL_POINT
            if isinstance(who, Country)
            else m.partner_id == who.pk
            for m in held
        )
    ]


def accepted_answers(need: Need):
    rows = Answer.objects.filter(response__need=need, response__state__in=ACCEPTED)
    return rows.order_by("response_id", "pk").select_related(
        "line",
        "response__need",
        "response__partner",
        "response__country",
        "response__second_partner",
        "response__second_country",
    )


def by_line_and_responder(need: Need) -> list[tuple[tuple[LineItem, Party], list[Answer], set[Party]]]:
    """((line, responder), its accepted answers, who gives that: the responder, and its second provider unless that one
    answers the same line in its own name)."""
    answers: dict[tuple, list[Answer]] = defaultdict(list)
    for answer in accepted_answers(need):
        answers[answer.line, answer.response.responder].append(answer)
    return [
        (
            (line, responder), own,
            {responder, *({a.response.second for a in own} - {None} - {who for other, who in answers if other == line})},
        )
        for (line, responder), own in answers.items()
    ]  # fmt: skip


# --- the plan ----------------------------------------------------------------------------------------------------------
def proposed(need: Need) -> dict:
    """A plan to begin with, made of what was accepted: {"plan", "roles", "activities", "indicators"}."""
    activities = []
    accepted = need.responses.accepted().order_by("pk").select_related("second_partner", "second_country")
    for response in accepted.prefetch_related("answers__line__assistance"):
        rows = [_proposed_activity(response, answer) for answer in response.answers.all()]
        if response.second and rows:  # how much, the two say themselves
            rows.append(rows[0] | _key(response.second) | {"quantity": None, "unit": ""})
        activities += rows
    return {"plan": need.plan, "roles": _proposed_roles(need), "activities": activities, "indicators": []}


def _proposed_activity(response: Response, answer: Answer) -> dict:
    line = answer.line
    code = line.assistance.code if line.assistance else ""
    return {
        "text": line.text, "line_id": line.pk, "quantity": answer.quantity if line.unit else None, "unit": line.unit,
        "kind": KIND_OF_HELP.get(code, ContributionKind.SERVICES), "starts_on": response.starts_on,
        "ends_on": response.ends_on or line.by_when, **_key(response.responder),
    }  # fmt: skip


def _proposed_roles(need: Need) -> list[dict]:
    countries = [who for who in need.providers if isinstance(who, Country)]
    order = [PlannedRole.FIRST, PlannedRole.SECOND] if len(countries) == 2 else [PlannedRole.PROVIDER] * len(countries)
    roles = [{**_key(need.country), "role": PlannedRole.RECIPIENT}]
    roles += [{**_key(who), "role": role} for who, role in zip(countries, order, strict=True)]
    partners = [who for who in need.providers if isinstance(who, Partner)]
    return roles + [{**_key(who), "role": PlannedRole.IMPLEMENTING} for who in partners]


def _key(who: Party) -> dict:
    """The two columns for a country or partner."""
    is_country = isinstance(who, Country)
    return {"country_id": who.pk if is_country else None, "partner_id": None if is_country else who.pk}


def stored(need: Need) -> dict:
    """The plan as it is stored, in a form that can be compared."""
    found = {
        "plan": need.plan,
        "roles": list(need.plan_roles.order_by("pk").values("country_id", "partner_id", "role")),
    }
    for name, fields in FIELDS.items():
        found[name] = list(MODELS[name].objects.filter(need=need).order_by("position", "pk").values(*fields))
    return found


def fingerprint(need: Need) -> str:
    """What a writer sees of the plan, as a short mark to send back with a save."""
    return mark(stored(need))


def is_written(need: Need) -> bool:
    return need.activities.exists()


@transaction.atomic
def write_plan(need: Need, values: dict, *, by, seen: str | None = None) -> bool:
    """Writes the plan: `plan` a text, `roles`, `activities` and `indicators` lists of rows (with their `id` where they
    stand already); what is not given stays. Each side may write it. A change takes back what was confirmed; of an agreed
    plan it leads back to the dialogue. Returns whether anything changed.

    Raises PermissionDenied, Conflict where somebody else changed it meanwhile, ValidationError with the rows at fault.
    """
    now = locked(need, by, "confirm")
    only_in(now, *WRITABLE)
    only_as_seen(need, now)
    before = stored(now)
    after = {**before, **{name: _comparable(name, given) for name, given in values.items()}}
    is_same = after == {name: _comparable(name, value) for name, value in before.items()}
    if not is_same and seen is not None and seen != mark(before):
        raise Conflict(before, mark(before), now.version)
    for name in FIELDS.keys() & values.keys():
        only_known(name, values[name], MODELS[name].objects.filter(need=now).values_list("pk", flat=True))
    if is_same:
        return False
    _check_parties(now, values)
    if "plan" in values:
        now.plan = _comparable("plan", values["plan"])
    now.version += 1
    now.full_clean(exclude=["reference"])
    now.save(update_fields=["plan", "version", "modified_at"])
    if "roles" in values:
        _write_roles(now, values["roles"])
    elif not before["roles"]:
        _write_roles(now, _proposed_roles(now))
    for name in FIELDS:
        if name in values:
            _write_rows(now, name, values[name])
    now.confirmations.filter(step=ConfirmedStep.PLAN).delete()
    write_down(now, "plan", by=by)
    if now.state == NeedState.PLAN_AGREED:
        transition(now, "revise", by=by)
        Answer.objects.filter(response__need=now).exclude(agreed=None).update(agreed=None)
        for response in now.responses.filter(state=ResponseState.AGREED):
            transition(response, "reconsider", by=by)
    need.refresh_from_db(fields=["plan", "version", "state", "state_since", "due_on"])
    return True


def _comparable(name: str, given):
    """What is given under a name, so that what says the same is equal: whatever the ends of lines, the order of roles,
    and what is left to its default."""
    if name == "plan":
        return with_plain_line_ends(given.strip())
    if name == "roles":
        return sorted(
            ({field: row.get(field) for field in ("country_id", "partner_id", "role")} for row in given), key=str
        )
    return [{field: _value(row, field) for field in FIELDS[name]} for row in given]


def _value(row: dict, field: str):
    """The value of a row as it is stored."""
    if field == "kind":
        return row.get(field) or ContributionKind.SERVICES
    if field == "text":
        return (row.get(field) or "").strip()
    return row.get(field, "" if field == "unit" else None)


def _check_parties(need: Need, values: dict) -> None:
    """Only those who take part have a role or do something; only lines of this need are served."""
    known = {tuple(_key(who).values()) for who in parties(need)}
    lines = set(need.lines.values_list("pk", flat=True))
    for name in ("roles", "activities"):
        for place, row in enumerate(values.get(name, ()), start=1):
            if (row.get("country_id"), row.get("partner_id")) not in known:
                text = _("Row %(n)s: choose one who takes part: the country, a provider, or UNEP.") % {"n": place}
                raise ValidationError({name: text})
            if row.get("line_id") and row["line_id"] not in lines:
                raise ValidationError({name: _("Row %(n)s: this line belongs to another need.") % {"n": place}})
    for place, row in enumerate(values.get("roles", ()), start=1):
        fitting = COUNTRY_ROLES if row.get("country_id") else PARTNER_ROLES
        if row.get("role") not in fitting:
            raise ValidationError({"roles": _("Row %(n)s: this role is not one it can have.") % {"n": place}})
        if row.get("country_id") == need.country_id and row["role"] not in (PlannedRole.RECIPIENT, PlannedRole.BOTH):
            raise ValidationError({"roles": _("The country whose need it is receives.")})
    given = [row["role"] for row in values.get("roles", ())]
    if given.count(PlannedRole.FIRST) > 1 or given.count(PlannedRole.SECOND) > 1:
        raise ValidationError({"roles": _("Only one country can be the first provider, one the second.")})
    if PlannedRole.SECOND in given and PlannedRole.FIRST not in given:
        raise ValidationError({"roles": _("There is a second provider but no first one.")})


def _write_roles(need: Need, rows: list[dict]) -> None:
    need.plan_roles.all().delete()
    for row in rows:
        role = PlanRole(need=need, **{name: row[name] for name in ("country_id", "partner_id", "role")})
        role.full_clean(exclude=["need"])
        role.save()


def _write_rows(need: Need, name: str, rows: list[dict]) -> None:
    """Keeps the rows that are there, so that history and the project's ties stay."""
    if len(rows) > MOST_LINES:
        raise ValidationError({name: _("At most %(n)s lines. Join what belongs together.") % {"n": MOST_LINES}})
    model = MODELS[name]
    there = {row.pk: row for row in model.objects.filter(need=need)}
    errors, written = [], []
    for place, values in enumerate(rows):
        row = there.pop(values.get("id"), None) or model(need=need)
        for field in FIELDS[name]:
            setattr(row, field, _value(values, field))
        row.position = place
        try:
            row.full_clean(exclude=["need"])
        except ValidationError as error:
            errors += [_("Row %(n)s: %(error)s") % {"n": place + 1, "error": text} for text in error.messages]
        written.append(row)
    if errors:
        raise ValidationError({name: errors})
    for row in there.values():
        row.delete()
    for row in written:
        row.save()


# --- confirming --------------------------------------------------------------------------------------------------------
STEPS = {
    ConfirmedStep.PLAN: (NeedState.IN_DIALOGUE, "agree"),
    ConfirmedStep.DELIVERY: (NeedState.IN_DELIVERY, "deliver"),
}


def may_confirm(need: Need, step: str, user) -> bool:
    """Whether this person's word on a step is still missing, and the step can be confirmed now."""
    if step == ConfirmedStep.PLAN:
        ready = need.state in (NeedState.IN_DIALOGUE, NeedState.IN_DELIVERY) and all(
            one.is_met(need) for one in TO_AGREE
        )
    else:
        ready = need.state == NeedState.IN_DELIVERY and any(
            answer.delivered for response in need.responses.all() for answer in response.answers.all()
        )
    return ready and bool(set(unconfirmed(need, step)) & set(sides_of(user, need)))


@transaction.atomic
def confirm(need: Need, step: str, *, by) -> bool:
    """One side confirms the plan or the delivery. True when that was the last word and the need moved on; of a plan that
    was changed during delivery, when the change holds."""
    now = locked(need, by, "confirm")
    step = ConfirmedStep(step)
    state, action = STEPS[step]
    only_in(now, state, *([NeedState.IN_DELIVERY] if step == ConfirmedStep.PLAN else []))
    own = sides_of(by, now) or refuse()
    if step == ConfirmedStep.DELIVERY:
        own = [one for one in own if one[0] != Side.COUNTRY] or refuse()
    if step == ConfirmedStep.PLAN and (missing := [one for one in TO_AGREE if not one.is_met(now)]):
        raise ValidationError([ValidationError(one.message, code="incomplete") for one in missing])
    if step == ConfirmedStep.PLAN:
        _check_parties(now, stored(now))  # somebody who was in it may have taken their response back
    if not (new := set(own) & set(unconfirmed(now, step))):
        raise ValidationError(_("Your side has confirmed already."), code="state")
    for one, who in own:
        if (one, who) in new:
            Confirmation.objects.create(need=now, step=step, side=one, by=by, **(Confirmation.of(who) if who else {}))
    write_down(now, f"confirm_{step}", by=by, is_public=True)
    if now.state == NeedState.IN_DELIVERY and step == ConfirmedStep.PLAN:  # a change of what is under way
        if unconfirmed(now, step):
            return False
        _keep_agreed(now)
        carry_over(now)
        return True
    if missing_for(now, moves_of(now)[action].to_state):
        return False
    transition(need, action, by=by)
    if action == "agree":
        _keep_agreed(now)
        for response in now.responses.filter(state=ResponseState.ACCEPTED):
            transition(response, "agree", by=by)
    return True


def _keep_agreed(need: Need) -> None:
    """What the plan says that all sides have confirmed decides how much of each answer is agreed."""
    for (line, _responder), answers, rows in _planned(need):
        total = _quantity_of(line, rows)
        most = [*(answer.quantity for answer in answers[:-1]), None]
        shares = [None] * len(answers) if total is None else shared_out(total, most)
        for answer, agreed in zip(answers, shares, strict=True):
            if answer.agreed != agreed:
                answer.agreed = agreed
                answer.full_clean()
                answer.save(update_fields=["agreed"])


def shared_out(total: Decimal, most: list[Decimal | None]) -> list[Decimal]:
    """A sum shared out in order, to each no more than its `most` (None: what is left)."""
    shares = []
    for one in most:
        shares.append(total if one is None else min(total, one))
        total -= shares[-1]
    return shares


def _planned(need: Need) -> list[tuple[tuple, list[Answer], list[PlanActivity]]]:
    """((line, responder), its answers, what the plan says that it does for the line, or does without naming a line)."""
    rows = list(need.activities.select_related("country", "partner").order_by("position", "pk"))
    return [
        (key, answers, [r for r in rows if r.who in doers and r.line_id in (None, key[0].pk)])
        for key, answers, doers in by_line_and_responder(need)
    ]


def _quantity_of(line: LineItem, rows: list[PlanActivity]) -> Decimal | None:
    """How much of a line such rows of the plan promise. None where they don't say, which is not zero."""
    if counted := [row.quantity for row in rows if row.line_id and row.quantity and row.unit == line.unit]:
        return sum(counted, Decimal(0))
    return None if rows else Decimal(0)


# --- the project ---------------------------------------------------------------------------------------------------------
@transaction.atomic
def start(need: Need, project: Project | None, *, by, note: str = "") -> Project:
    """The delivery starts: with a project made of the plan, or with one that runs already, to which the plan is added."""
    locked(need, by, "start")
    is_new = project is None
    if is_new:
        only_in(need, NeedState.PLAN_AGREED)
        project = _project_of(need, by)
    transition(need, "start", by=by, note=note, project=project)
    carry_over(need)
    if is_new:
        transition(project, "submit", by=by)
    for response in need.responses.filter(state=ResponseState.AGREED):
        transition(response, "convert", by=by)
    return project


def _project_of(need: Need, by) -> Project:
    starts_on, ends_on = _stated_span(need)
    project = Project(
        title=need.title, language=need.language, summary=need.public_summary[:1000], status=Status.IMPLEMENTATION,
        modality=modality_of(need), delivery_level=need.scope, planned_start=starts_on, planned_end=ends_on,
        is_illustrative=need.is_illustrative, created_by=by,
    )  # fmt: skip
    project.full_clean(exclude=["reference"])
    project.save()
    return project


def _stated_span(need: Need) -> tuple[dt.date | None, dt.date | None]:
    """From when until when the plan says it lasts. An end is no start: where an activity ends before any is said to begin,
    nobody has said when it all begins."""
    rows = list(need.activities.all())
    starts, ends = [r.starts_on for r in rows if r.starts_on], [r.ends_on for r in rows if r.ends_on]
    is_stated = bool(starts) and all(min(starts) <= day for day in ends)
    return min(starts) if is_stated else None, max(ends, default=None)


def modality_of(need: Need) -> str:
    """Triangular with a second provider or with an international body beside the South's provider; else bilateral,
    regional with several provider countries, multilateral where no country provides."""
    roles = list(need.plan_roles.select_related("partner"))
    countries = _provider_countries(need)
    bodies = [r for r in roles if r.partner and r.partner.kind == PartnerKind.MULTILATERAL]
    if any(r.role == PlannedRole.SECOND for r in roles) or (countries and bodies):
        return Modality.TRIANGULAR
    if not countries:
        return Modality.MULTILATERAL
    return Modality.BILATERAL if len(countries) == 1 else Modality.REGIONAL


def _provider_countries(need: Need) -> list[Country]:
    """Provider countries, and those of national bodies that provide."""
    found = [who if isinstance(who, Country) else who.country for who in need.providers]
    return list(dict.fromkeys(country for country in found if country and country != need.country))


@transaction.atomic
def carry_over(need: Need) -> None:
    """Brings the plan into the project: countries and partners with their roles, terms, contributions, indicators.

    What the project has already stays; what was carried over before follows the plan.
    """
    project = need.project
    roles = list(need.plan_roles.select_related("country", "partner"))
    there = {link.country_id for link in project.country_links.all()}
    for row in roles:
        if row.country and row.country_id not in there:
            role, order = COUNTRY_ROLES[row.role]
            order = order if project.modality == Modality.TRIANGULAR else None
            ProjectCountry.objects.create(project=project, country=row.country, role=role, provider_order=order)
            there.add(row.country_id)
    for country in _provider_countries(need):
        if country.pk not in there:
            ProjectCountry.objects.create(project=project, country=country, role=CountryRole.PROVIDER)
            there.add(country.pk)
    for row in roles:
        if row.partner:
            ProjectPartner.objects.get_or_create(project=project, partner=row.partner, role=PARTNER_ROLES[row.role])
    have = {link.term_id for link in project.term_links.all()}
    terms = {link.term_id for link in need.term_links.all()} | {line.assistance_id for line in need.lines.all()} - {
        None
    }
    ProjectTerm.objects.bulk_create(ProjectTerm(project=project, term_id=key) for key in sorted(terms - have))
    for activity in need.activities.select_related("country", "partner"):
        Contribution.objects.update_or_create(
            activity=activity,
            defaults={
                "project": project, "country": activity.country, "partner": activity.partner, "kind": activity.kind,
                "text": activity.text, "quantity": activity.quantity, "unit": activity.unit or None,
            },
        )  # fmt: skip
    for indicator in need.indicators.all():
        Result.objects.update_or_create(
            planned=indicator,
            defaults={
                "project": project, "title": indicator.text, "unit": indicator.unit, "baseline": indicator.baseline,
                "target": indicator.target, "target_on": indicator.target_on,
            },
        )  # fmt: skip
