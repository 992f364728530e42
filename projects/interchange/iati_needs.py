"""Needs whose delivery was agreed, as IATI 2.03 activities in the pipeline: what is asked, by whom, who will help."""

from django.utils import timezone
from django.utils.translation import override

from partners.choices import PartnerKind
from partners.models import Country
from projects import quality
from projects.choices import NeedState, OrganisationRole, ResultKind, Status, Unit, Vocabulary
from projects.interchange.iati_own import mark_assumed, own, percentages
from projects.interchange.iati_writing import (
    GENERAL,
    OTHER,
    PER_CENT,
    QUALITATIVE,
    SCOPES,
    WHOLE,
    Publisher,
    indicator_in,
    named,
    narrate,
    number,
    own_tag,
    put,
    refer_to,
    report_as_portal,
    start_activity,
)
from projects.models import Need


def pipeline_activity_of(need: Need, publisher: Publisher):
    """One need in delivery as <iati-activity>, from what everybody may read of it.

    It carries no money. The projects that carry it out are named as related, so that nothing is counted twice.
    """
    with override("en"):
        root = start_activity(need, publisher)
        root.set(own("need"), "1")
        report_as_portal(root, publisher, is_secondary=False)
        narrate(put(root, "title"), need.title)
        description = narrate(put(root, "description", type=GENERAL), need.public_summary or need.title)
        if not need.public_summary:
            mark_assumed(description, "narrative")
        if need.beneficiaries:
            narrate(put(root, "description", type=OTHER), need.beneficiaries)
        if need.institution:
            element = put(root, "participating-org", role=OrganisationRole.IMPLEMENTING)
            mark_assumed(element, "role")
            narrate(element, need.institution)
        for who in need.providers:
            is_country = isinstance(who, Country)
            kind = PartnerKind.GOVERNMENT if is_country else PartnerKind(who.kind)
            ref = None if is_country else who.iati_identifier
            element = put(root, "participating-org", ref=ref, role=OrganisationRole.IMPLEMENTING, type=kind.iati_code)
            mark_assumed(element, "role", *(["type"] if is_country else []))
            named(element, who)
        refer_to(root, need, publisher)
        put(root, "activity-status", code=Status.PIPELINE)
        project = need.project if need.project and need.project.is_published else None
        start = project.planned_start if project else None
        date = put(root, "activity-date", iso_date=start or _agreed_on(need), type="1")
        if not start:
            mark_assumed(date, "*")
        if scope := SCOPES.get(need.scope):
            put(root, "activity-scope", code=scope)
        put(root, "recipient-country", code=need.country.iso2)
        codes = list(dict.fromkeys(quality.default_sectors(need)))
        for code, share in zip(codes, percentages([None] * len(codes)), strict=True):
            sector = put(root, "sector", vocabulary="1", code=code, percentage=number(share) if share else None)
            mark_assumed(sector, "*")
        for link in need.term_links.all():
            term = link.term
            if term.vocabulary == Vocabulary.SDG:
                put(root, "tag", vocabulary="3" if "." in term.code else "2", code=term.code)
            else:
                own_tag(root, publisher, f"{term.vocabulary}:{term.code}", term.name_en)
        own_tag(root, publisher, f"need:{need.kind}", need.get_kind_display())
        if project:
            put(root, "related-activity", ref=publisher.identifier_of(project), type="3")
        for line in need.lines.all():
            result = put(root, "result", type=ResultKind.OUTPUT)
            narrate(put(result, "title"), line.text)
            measure = QUALITATIVE if line.quantity is None else PER_CENT if line.unit == Unit.PERCENT else WHOLE
            indicator = indicator_in(result, line.text, line.unit, measure, publisher)
            if line.quantity is not None:
                first, last = start or _agreed_on(need), line.by_when or start or _agreed_on(need)
                period = put(indicator, "period")
                mark_assumed(period, "period-start", *([] if line.by_when else ["period-end"]))
                put(period, "period-start", iso_date=min(first, last))
                put(period, "period-end", iso_date=last)
                put(period, "target", value=number(line.quantity))
        return root


def _agreed_on(need: Need):
    """The day since which the plan is agreed."""
    agreed = [e.at for e in need.events.all() if e.to_state == NeedState.PLAN_AGREED]
    return timezone.localdate(max(agreed, default=need.state_since))
