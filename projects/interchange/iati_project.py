"""One project as an IATI 2.03 activity.

What IATI asks for and a record lacks is never made up. Where the standard allows an estimate (shares of several
countries or sectors, the period of an indicator) it is written and marked `ssc:assumed`; where it does not, the record
can't be written (`quality.lacks_for_iati`). Element by element: docs/decisions/0018.
"""

import mimetypes
from datetime import date
from decimal import Decimal
from itertools import groupby

from django.utils.translation import override
from lxml import etree

from partners.choices import PartnerKind
from projects import quality
from projects.choices import CountryRole, Instrument, Modality, OrganisationRole, Relation, ResultKind, Unit, Vocabulary
from projects.interchange.iati_own import (
    DESCRIPTION,
    LANGUAGE,
    OWN_VOCABULARY,
    SCOPE,
    TITLE,
    mark_assumed,
    own,
    percentages,
    role_code,
    taken,
)
from projects.interchange.iati_writing import (
    GENERAL,
    OBJECTIVES,
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
    text_of,
)
from projects.models import Project
from projects.models.parts import sum_of_shares

HIERARCHY = {Instrument.PROGRAMME: "1", Instrument.PROJECT: "2", Instrument.ACTION: "3"}
TRIANGULAR = "8"  # codelist CollaborationType; plain South-South cooperation has no code
M49, DAC = "2", "1"  # codelist RegionVocabulary: of the UN, of OECD DAC
CRS, GOALS, TARGETS = "1", "7", "8"  # codelist SectorVocabulary
FORMER = "B1"  # codelist OtherIdentifierType: previous activity identifier
WEB_PAGE = "A12"  # codelist DocumentCategory
SEXES = (("women", "female"), ("men", "male"))


def activity_of(project: Project, publisher: Publisher):
    """One project as <iati-activity>, its elements in the order of the schema."""
    with override("en"):
        root = start_activity(project, publisher)
        if project.instrument:
            root.set("hierarchy", HIERARCHY[project.instrument])
        if project.default_currency:
            root.set("default-currency", project.default_currency)
        if project.only_in_transactions:
            root.set(own("only-in-transactions"), project.only_in_transactions)
        made_up = taken(project)
        if project.taken_as:
            root.set(own("taken-as"), project.taken_as)
        if LANGUAGE in made_up:
            mark_assumed(root, "xml:lang")
        if project.is_illustrative:
            root.set(own("illustrative"), "1")
        _reporting(root, project, publisher)
        _texts(root, project, made_up)
        _organisations(root, project)
        refer_to(root, project, publisher)
        for other in project.merged.all():  # what it was known by before
            refer_to(root, other, publisher)
            if other.iati_identifier or (other.published_at and not project.iati_identifier):
                put(root, "other-identifier", ref=publisher.identifier_of(other), type=FORMER)
        put(root, "activity-status", code=project.status)
        for kind, name in (("1", "planned_start"), ("2", "actual_start"), ("3", "planned_end"), ("4", "actual_end")):
            if day := getattr(project, name):
                put(root, "activity-date", iso_date=day, type=kind)
        if scope := SCOPES.get(project.delivery_level):
            put(root, "activity-scope", code=made_up.get(SCOPE) or scope).set(own("level"), project.delivery_level)
        reported = _places(root, project)
        for place in project.locations.all():
            element = put(root, "location")
            if place.name:
                narrate(put(element, "name"), place.name)
            point = put(element, "point", srsName="http://www.opengis.net/def/crs/EPSG/0/4326")
            put(point, "pos", f"{place.latitude} {place.longitude}")
        reported += _terms(root, project, publisher)
        if project.modality == Modality.TRIANGULAR:
            put(root, "collaboration-type", code=TRIANGULAR)
        _money(root, project)
        for document in project.documents.all():
            _document(root, document)
        _related(root, project, publisher)
        for (kind, title), rows in groupby(project.results.all(), key=lambda r: (r.kind, r.title)):
            _result(root, kind, title, list(rows), project, publisher)
        for line in project.contributions.all():
            _contribution(root, line, project, publisher)
        for element, attributes in reported:  # what an import brought and nobody has resolved yet
            put(root, own("reported"), element=element, **attributes)
        return root


def _reporting(root, project, publisher) -> None:
    found = quality.reporter_of(project)
    if found is None:
        links = project.partner_links.all()
        report_as_portal(root, publisher, is_secondary=all(li.partner_id != publisher.partner.pk for li in links))
        return
    link, identifier = found
    kind = _type_of(link)
    element = put(
        root, "reporting-org", ref=identifier, type=kind or PartnerKind.OTHER.iati_code,
        secondary_reporter=None if link.partner == publisher.partner else "1",  # the portal passes on what another wrote
    )  # fmt: skip
    if not link.is_reporting:
        mark_assumed(element, "*")
    else:
        made_up = {"type": not kind, "narrative": not link.partner and not link.reported_name}
        mark_assumed(element, *(name for name in made_up if made_up[name]))
    if link.partner:
        named(element, link.partner)
    else:
        narrate(element, link.reported_name or identifier)


def _type_of(link) -> str:
    """The type of an organisation as IATI's code: of its record, else as reported; empty where nobody said."""
    return PartnerKind(link.partner.kind).iati_code if link.partner else link.reported_type


def _texts(root, project, made_up: dict[str, str]) -> None:
    translations = list(project.translations.all())

    def in_languages(element, name: str):
        if text := getattr(project, name):
            narrate(element, text)
        return narrate(element, **{t.language: getattr(t, name) for t in translations if getattr(t, name)})

    title = in_languages(put(root, "title"), "title")
    if TITLE in made_up:
        mark_assumed(title, "narrative")
    for name, kind in (("description", GENERAL), ("objectives", OBJECTIVES), ("summary", OTHER), ("lessons", OTHER)):
        if getattr(project, name) or any(getattr(t, name) for t in translations):
            element = in_languages(put(root, "description", type=kind), name)
            if kind == OTHER:
                element.set(own("as"), name)
            if kind == GENERAL and DESCRIPTION in made_up:
                mark_assumed(element, "type")


def _organisations(root, project) -> None:
    links = list(project.partner_links.all())
    takes_part = any(link.role != OrganisationRole.REPORTS_ONLY for link in links)
    reporter = quality.reporter_of(project)
    for link in links:
        ref, role = link.iati_identifier, link.role
        if role == OrganisationRole.REPORTS_ONLY:
            if takes_part and reporter and link == reporter[0]:
                continue  # <reporting-org> says it
            role = OrganisationRole.EXTENDING  # IATI asks for one
        elif role == OrganisationRole.UNSTATED:
            role = OrganisationRole.IMPLEMENTING
        element = put(root, "participating-org", ref=ref, role=role, type=_type_of(link))
        made_up = [] if role == link.role else ["role"]
        if link.partner:
            element.set(own("partner"), link.partner.slug)
            named(element, link.partner)
        else:
            if not ref and link.reported_code:
                element.set(own("ref"), text_of(link.reported_code))
            if link.reported_name or not ref:
                narrate(element, link.reported_name or link.reported_code)
            if not link.reported_name and not ref:
                made_up.append("narrative")
        mark_assumed(element, *made_up)
        if link.is_reporting:
            element.set(own("reports"), "1")
    # IATI names the countries that receive; those that provide take part as governments.
    for link in project.country_links.all():
        if link.country and link.role != CountryRole.RECIPIENT:
            element = put(
                root, "participating-org", role=OrganisationRole.IMPLEMENTING, type=PartnerKind.GOVERNMENT.iati_code
            )
            mark_assumed(element, "*")
            named(element, link.country)


def _places(root, project) -> list[tuple[str, dict]]:
    """Countries and regions that receive. Returns what can't stand there, as it was reported."""
    links = list(project.country_links.all())
    regions = list(project.region_links.all())
    receiving = [li for li in links if li.country and li.role != CountryRole.PROVIDER]
    for_all = [li for li in regions if li.region]
    vocabulary = M49
    if not for_all and not any(li.country for li in links):  # all regions of a file are of one vocabulary
        for_all, vocabulary = [li for li in regions if li.is_dac_region], DAC
    apart = [li for li in links if not li.country and li.role != CountryRole.PROVIDER]
    elsewhere = sum_of_shares([*apart, *(li for li in regions if li not in for_all)])
    shares = percentages([li.share for li in [*receiving, *for_all]], elsewhere)
    for link, share in zip(receiving, shares, strict=False):
        element = put(root, "recipient-country", code=link.country.iso2)
        _share(element, share, link.share)
    for link, share in zip(for_all, shares[len(receiving) :], strict=True):
        element = put(
            root,
            "recipient-region",
            vocabulary=vocabulary,
            code=link.region.code if link.region else link.reported_code,
        )
        _share(element, share, link.share)
        if not link.region and link.reported_name:
            narrate(element, link.reported_name)
    found = [
        ("recipient-country", {
            "code": li.reported_code, "name": li.reported_name, "role": role_code(li.role, li.provider_order),
            "percentage": None if li.share is None else number(li.share), "note": li.note,
        })
        for li in links if not li.country
    ]  # fmt: skip
    return found + [
        ("recipient-region", {
            "code": li.reported_code, "name": li.reported_name, "percentage": None if li.share is None else number(li.share),
        })
        for li in regions if li not in for_all
    ]  # fmt: skip


def _share(element, written: Decimal | None, kept: Decimal | None) -> None:
    """A share as IATI asks for it. One that nobody reported is marked as assumed, beside the one that was."""
    if written is not None:
        element.set("percentage", number(written))
    if written != kept:
        mark_assumed(element, "percentage")
        element.set(own("share"), "" if kept is None else number(kept))


def _terms(root, project, publisher) -> list[tuple[str, dict]]:
    """Sectors, then tags. Returns what can't stand there, as it was reported."""
    reported, tags = [], []
    sectors: dict[str, list] = {}  # vocabulary of IATI: [(code, link or None, name)]
    apart: dict[str, list] = {}  # what is of these vocabularies too and can't stand there
    for link in project.term_links.all():
        term = link.term
        if term is None:
            vocabulary, code = link.reported_vocabulary, link.reported_code
            if vocabulary.startswith("tag ") and code:
                tags.append((vocabulary[4:], None, code, link.reported_name, None))
            elif code and vocabulary.isdigit() and vocabulary not in (DAC, "7", "8"):
                sectors.setdefault(vocabulary, []).append((code, link, link.reported_name))
            else:
                apart.setdefault(vocabulary, []).append(link)
                reported.append(("sector", {
                    "vocabulary": vocabulary, "code": code, "name": link.reported_name,
                    "percentage": None if link.share is None else number(link.share),
                }))  # fmt: skip
        elif term.vocabulary == Vocabulary.CRS:
            sectors.setdefault("1", []).append((term.code, link, ""))
        elif term.vocabulary == Vocabulary.SDG:
            is_target = "." in term.code
            if link.share is not None:
                sectors.setdefault("8" if is_target else "7", []).append((term.code, link, ""))
            else:
                tags.append(("3" if is_target else "2", None, term.code, "", None))
        else:
            tags.append((OWN_VOCABULARY, publisher.uri, f"{term.vocabulary}:{term.code}", term.name_en, link.share))
    if "1" not in sectors:
        codes = dict.fromkeys(quality.default_sectors(project))
        apart.pop("1", None)
        sectors["1"] = [(code, None, "") for code in codes]
    for vocabulary in sorted(sectors, key=int):
        rows = sectors[vocabulary]
        elsewhere = sum_of_shares(apart.get(vocabulary, []))
        shares = percentages([link.share if link else None for _code, link, _name in rows], elsewhere)
        for (code, link, name), share in zip(rows, shares, strict=True):
            element = put(root, "sector", vocabulary=vocabulary, code=code)
            _share(element, share, link.share if link else share)
            if link is None:
                mark_assumed(element, "*")
            if name or vocabulary in ("98", "99"):  # own vocabularies need a name
                narrate(element, name or code)
                if not name:
                    mark_assumed(element, "narrative")
    for vocabulary, uri, code, name, share in tags:
        element = put(root, "tag", vocabulary=vocabulary, vocabulary_uri=uri, code=code)
        if share is not None:
            element.set(own("share"), number(share))
        if name:
            narrate(element, name)
    if project.instrument:
        own_tag(root, publisher, f"instrument:{project.instrument}", Instrument(project.instrument).label)
    if project.modality:
        own_tag(root, publisher, f"modality:{project.modality}", Modality(project.modality).label)
    for link in project.country_links.all():
        if link.country:
            role = role_code(link.role, link.provider_order)
            element = own_tag(
                root, publisher, f"role:{role}:{link.country.iso3}", f"{role.replace('-', ' ')}: {link.country.name_en}"
            )
            if link.share is not None and link.role == CountryRole.PROVIDER:
                element.set(own("share"), number(link.share))
            if link.note:
                element.set(own("note"), text_of(link.note))
    return reported


def _money(root, project) -> None:
    for budget in project.budgets.all():
        element = put(root, "budget", type=budget.kind, status=budget.status)
        put(element, "period-start", iso_date=budget.starts_on)
        put(element, "period-end", iso_date=budget.ends_on)
        _value(element, budget.amount, budget.currency, budget.valued_on, budget.starts_on)
    for moved in project.transactions.all():
        element = put(root, "transaction")
        put(element, "transaction-type", code=moved.kind)
        put(element, "transaction-date", iso_date=moved.made_on)
        _value(element, moved.amount, moved.currency, moved.valued_on, moved.made_on)
        if moved.text:
            narrate(put(element, "description"), moved.text)


def _value(parent, amount: Decimal, currency: str, valued_on: date | None, otherwise: date | None) -> None:
    element = put(parent, "value", number(amount), currency=currency, value_date=valued_on or otherwise)
    if not valued_on:
        mark_assumed(element, "value-date")


def _document(root, document) -> None:
    kind = mimetypes.guess_type(document.url.split("?")[0])[0] or "text/html"
    element = put(root, "document-link", format=kind, url=document.url)
    mark_assumed(element, "format")
    title = narrate(put(element, "title"), document.title)
    if document.title == document.url[:300]:
        mark_assumed(title, "narrative")
    mark_assumed(put(element, "category", code=WEB_PAGE), "*")
    if document.language:
        put(element, "language", code=document.language)
    if document.published_on:
        put(element, "document-date", iso_date=document.published_on)


def _related(root, project, publisher) -> None:
    if project.parent and project.parent.is_published:
        put(put(root, "related-activity", ref=publisher.identifier_of(project.parent), type="1"), own("parent"))
    for link in project.related_links.all():
        if link.other is None or link.other.is_published:
            is_said = link.relation != Relation.UNSTATED
            ref = publisher.identifier_of(link.other) if link.other else link.reported_identifier
            element = put(root, "related-activity", ref=ref, type=link.relation if is_said else Relation.SIBLING)
            if not is_said:
                mark_assumed(element, "type")


# --- results: what was reached, and what each side brings, in quantities ---------------------------------------------------
def _result(root, kind: str, title: str, rows: list, project, publisher) -> None:
    is_said = kind != ResultKind.UNSTATED
    element = put(root, "result", type=kind if is_said else ResultKind.OTHER)
    if not is_said:
        mark_assumed(element, "type")
    narrate(put(element, "title"), title)
    for row in rows:
        measure = PER_CENT if row.unit == Unit.PERCENT else WHOLE
        indicator = indicator_in(element, row.indicator or title, row.unit, measure, publisher)
        made_up = {"title": not row.indicator, "measure": row.unit == Unit.OTHER}
        mark_assumed(indicator, *(name for name in made_up if made_up[name]))
        if row.comment:
            description = etree.Element("description")
            indicator.insert(1, narrate(description, row.comment))
        if row.baseline is not None:
            year = row.baseline_year or project.start.year
            base = put(indicator, "baseline", year=year, value=number(row.baseline))
            if not row.baseline_year:
                mark_assumed(base, "year")
        elif row.baseline_year:
            indicator.set(own("baseline-year"), str(row.baseline_year))
        counted = {name: getattr(row, name) for name, _sex in SEXES}
        has_actual = row.actual is not None or any(v is not None for v in counted.values())
        together = row.target is not None and has_actual and row.target_on == row.actual_on
        period = None
        if row.target is not None:
            period = period_in(indicator, row.target_on, project)
            put(period, "target", value=number(row.target))
        if has_actual:
            period = period if together else period_in(indicator, row.actual_on, project)
            if row.actual is not None:
                put(period, "actual", value=number(row.actual))
            by_sex(period, "actual", counted)
        for name, is_said in (("target_on", row.target is not None), ("actual_on", has_actual)):
            if not is_said and getattr(row, name):
                indicator.set(own(name.replace("_", "-")), str(getattr(row, name)))


def period_in(indicator, until: date | None, project):
    """The period that a figure is for. IATI asks for both ends; what the record does not say is marked as assumed."""
    start = project.start
    end = until or max(start, project.end or start)
    period = put(indicator, "period")
    mark_assumed(period, "period-start", *([] if until else ["period-end"]))
    put(period, "period-start", iso_date=min(start, end))
    put(period, "period-end", iso_date=end)
    return period


def by_sex(period, tag: str, counted: dict[str, int | None]) -> None:
    for name, sex in SEXES:
        if counted[name] is not None:
            put(put(period, tag, value=counted[name]), "dimension", name="sex", value=sex)


def _contribution(root, line, project, publisher) -> None:
    """What one side brings: an output in its own unit. Money stays in the portal's namespace: none of it moved yet."""
    element = put(root, "result", type=ResultKind.OUTPUT)
    who = f"country:{line.country.iso3}" if line.country else f"partner:{line.partner.slug}"
    element.set(own("contribution"), line.kind)
    element.set(own("by"), who)
    for name in ("amount", "spent", "currency"):
        if (value := getattr(line, name)) is not None:
            element.set(own(name), value if name == "currency" else number(value))
    name = line.country.name_en if line.country else line.partner.name_en
    narrate(put(element, "title"), f"{name}: {line.text}")
    measure = QUALITATIVE if line.quantity is None else PER_CENT if line.unit == Unit.PERCENT else WHOLE
    indicator = indicator_in(element, line.text, line.unit, measure, publisher)
    if line.quantity is not None:
        period = period_in(indicator, None, project)
        put(period, "target", value=number(line.quantity))
        by_sex(period, "target", {name: getattr(line, name) for name, _sex in SEXES})
        if line.delivered is not None:
            put(period, "actual", value=number(line.delivered))
