"""An activity as the fields and rows of a project: what is known here is tied, the rest is kept as it was reported, and what
has no place is told."""

from django.utils.translation import gettext as _

from ground.signs import one_line
from partners.choices import PartnerKind
from partners.models import Partner
from projects import search
from projects.choices import CountryRole, OrganisationRole
from projects.interchange.iati_activity import Activity, Tie
from projects.interchange.iati_directory import Directory
from projects.interchange.iati_own import TITLE, role_of, stands_for
from projects.models import ImportIssue
from projects.models.parts import without_rounding

Outcome = ImportIssue.Outcome
FIELDS = ("title", "summary", "description", "objectives")


def values_of(activity: Activity, name: str) -> dict:
    """The fields of the project itself."""
    texts = activity.texts.get(activity.language, {})
    title = texts.get("title", "")
    if not title:
        title = one_line(name)[:400]
        activity.taken_as = [*activity.taken_as, f"{TITLE}:{stands_for(title)}"]
        activity.find(
            "title", "", Outcome.KEPT, _("Missing; the identifier stands in its place until somebody writes one.")
        )
    return {
        "iati_identifier": activity.identifier or None,
        "language": activity.language,
        "title": title,
        "summary": texts.get("summary", ""),
        "description": texts.get("description", ""),
        "objectives": texts.get("objectives", ""),
        "status": activity.status,
        "modality": activity.modality,
        "delivery_level": activity.level,
        "default_currency": activity.currency,
        "only_in_transactions": " ".join(activity.only_in_transactions),
        "taken_as": " ".join(activity.taken_as),
        **{k: activity.dates.get(k) for k in ("planned_start", "planned_end", "actual_start", "actual_end")},
        **(
            {
                "lessons": texts.get("lessons", ""),
                "instrument": activity.instrument,
                "is_illustrative": activity.is_illustrative,
            }
            if activity.is_own
            else {}
        ),
    }


def parts_of(activity: Activity, directory: Directory) -> dict[str, list[dict]]:
    """What belongs to the project, by the name of the reverse manager. Repeated targets are kept once."""
    countries, regions, partners, terms = _Rows(), _Rows(), _Rows(), _Rows()
    if activity.is_own:
        countries = _countries_with_roles(activity, directory)
    known = {row["country"] for row in countries}
    for tie in activity.countries:
        if activity.is_own and directory.country(tie) in known:
            continue  # its role is told by a tag
        country = directory.country(tie)
        if country is None:
            activity.find(
                "recipient-country",
                tie.code or tie.name,
                Outcome.KEPT,
                _("No such country or area; kept as reported for staff to resolve."),
            )
        row = {"role": CountryRole.RECIPIENT, "share": tie.share}
        _once(countries, "country", country, tie, row, "recipient-country", activity)
    for tie in activity.regions:
        region = directory.region(tie)
        if region is None and tie.code != "998":  # developing countries, unspecified: no area is meant
            activity.find(
                "recipient-region", tie.code or tie.name, Outcome.KEPT, _("Not a region of UN M49; kept as reported.")
            )
        if tie.code and tie.vocabulary not in ("", "1", "2"):  # a code of another list says nothing without its name
            tie.code = f"{tie.vocabulary}:{tie.code}"[:200]
        _once(regions, "region", region, tie, {"share": tie.share}, "recipient-region", activity)
    reporting = next((t for t in activity.organisations if t.is_reporting), None)
    for tie in activity.organisations:
        if tie.is_reporting:
            continue
        partner = _partner_of(tie, "participating-org", activity, directory)
        reports = tie.reports
        if reports is None:
            reports = reporting is not None and (tie.code, tie.name) == (reporting.code, reporting.name)
        rest = {"role": tie.role, "is_reporting": reports, **_reported_type(partner, tie)}
        _once(partners, "partner", partner, tie, rest, "participating-org", activity, also=("role",))
        _tell_type("participating-org", partner, tie, activity)
    if reporting is not None and not any(row["is_reporting"] for row in partners):
        partner = _partner_of(reporting, "reporting-org", activity, directory)
        _tell_type("reporting-org", partner, reporting, activity)
        same = next((r for r in partners if partner is not None and r["partner"] == partner), None)
        if same:
            same["is_reporting"] = True
            _tell_name("reporting-org", partner, reporting, activity)
        else:
            # It reports; that it takes part, and in which role, nobody said.
            rest = {"role": OrganisationRole.REPORTS_ONLY, "is_reporting": True, **_reported_type(partner, reporting)}
            _once(partners, "partner", partner, reporting, rest, "reporting-org", activity, also=("role",))
    elif reporting is not None:
        _tell_type("reporting-org", directory.partner(reporting), reporting, activity, partners)
    for tie in activity.sectors:
        term = directory.term(tie)
        if term is None and tie.vocabulary in ("1", "7", "8"):
            activity.find(
                "sector",
                tie.code,
                Outcome.KEPT,
                _("No such code in vocabulary %(v)s; kept as reported.") % {"v": tie.vocabulary},
            )
        elif term is not None and term.is_withdrawn:
            activity.find(
                "sector", tie.code, Outcome.KEPT, _("This code has been withdrawn; kept, since it was reported so.")
            )
        _once(
            terms,
            "term",
            term,
            tie,
            {"share": tie.share, "reported_vocabulary": tie.vocabulary if term is None else ""},
            "tag" if tie.vocabulary.startswith("tag ") else "sector",
            activity,
        )
    names = (*FIELDS, "lessons") if activity.is_own else FIELDS
    translations = [
        {"language": language, **{k: texts.get(k, "") for k in names}}
        for language, texts in sorted(activity.texts.items())
        if language != activity.language and any(texts.get(k) for k in names)
    ]
    related = []
    for tie in {(t.code, t.role): t for t in activity.related}.values():
        if tie.code == activity.identifier:
            activity.find("related-activity", tie.said, Outcome.LEFT_OUT, _("It names itself as related."))
        else:
            other = directory.project(tie.code)
            related.append(
                {
                    "other_id": other.pk if other else None,
                    "relation": tie.role,
                    "reported_identifier": "" if other else tie.code,
                }
            )
    return {
        "translations": translations,
        "country_links": countries,
        "region_links": regions,
        "partner_links": partners,
        "term_links": terms,
        "budgets": activity.budgets,
        "transactions": activity.transactions,
        "results": activity.results,
        "locations": activity.locations,
        "documents": activity.documents,
        "related_links": related,
        **({"contributions": _contributions(activity, directory)} if activity.is_own else {}),
    }


def _partner_of(tie: Tie, element: str, activity: Activity, directory: Directory) -> Partner | None:
    """The partner that an organisation of a file is here; that there is none is told."""
    partner = directory.partner(tie)
    if partner is None:
        text = _("No partner of this identifier or name; kept as reported for staff to resolve.")
        activity.find(element, tie.name or tie.code, Outcome.KEPT, text)
    return partner


def _reported_type(partner: Partner | None, tie: Tie) -> dict:
    """The type of an organisation as it came, where the list of partners does not say it."""
    return {"reported_type": "" if partner else tie.kind}


def _countries_with_roles(activity: Activity, directory: Directory) -> list[dict]:
    """Countries with the roles that the portal's own tags give them; shares stand with those that receive."""
    shares = {getattr(directory.country(tie), "pk", None): tie.share for tie in activity.countries}
    rows = _Rows()
    for tie in activity.roles:
        country = directory.country(tie)
        role, order = role_of(tie.role)
        share = shares.get(country.pk, tie.share) if country else tie.share
        row = {"role": role, "provider_order": order, "share": share, "note": tie.note}
        _once(rows, "country", country, tie, row, "tag", activity)
    return rows


def _contributions(activity: Activity, directory: Directory) -> list[dict]:
    """What each side brings, where that side is known here."""
    rows = []
    for row in activity.contributions:
        kind, who = row.pop("by")
        country = directory.countries.get(search.plain(who)) if kind == "country" else None
        partner = directory.slugs.get(who) if kind == "partner" else None
        if country or partner:
            rows.append({"country": country, "partner": partner, **row})
        else:
            text = _("Who brings it is not known here: %(who)s.") % {"who": who}
            said = " ".join(str(value) for value in row.values() if value not in (None, ""))
            activity.find("result", said, Outcome.LEFT_OUT, text)
    return rows


def _tell_type(element: str, partner: Partner | None, tie: Tie, activity: Activity, rows: list[dict] = ()) -> None:
    """What a file says of the type of an organisation, where the record says another: of the list of partners, or of a row."""
    said = PartnerKind(partner.kind).iati_code if partner else None
    if partner is None:  # it takes part under the same name, so one row holds both
        row = next((row for row in rows if row["is_reporting"]), None)
        if row and tie.kind and not row["reported_type"]:
            row["reported_type"] = tie.kind
        said = row["reported_type"] if row else tie.kind
    if tie.kind and tie.kind != said:
        name = partner.name_en if partner else tie.name or tie.code
        text = _("%(name)s is of another type here; that one stays.") % {"name": name}
        activity.find(f"{element}/@type", tie.kind, Outcome.LEFT_OUT, text)


NAMES = ("slug", "name_en", "name_fr", "name_es", "name_ru", "name_ar", "name_zh_hans")


def _tell_name(element: str, found, tie: Tie, activity: Activity) -> None:
    """What a file calls something that is known here by another name, which stays."""
    names = [getattr(found, name, "") for name in NAMES] + list(getattr(found, "aliases", None) or [])
    if tie.name and search.plain(tie.name) not in {search.plain(name) for name in names if name}:
        text = _("Known here as “%(name)s”; that name stays.") % {"name": found.name_en}
        activity.find_once(f"{element}/narrative", tie.name, Outcome.LEFT_OUT, text[:500])


class _Rows(list):
    """Rows of one part, with those that are tied to a record found by it."""

    def __init__(self):
        super().__init__()
        self.known: dict[tuple, dict] = {}


def _once(
    rows: _Rows,
    target: str,
    found,
    tie: Tie,
    rest: dict,
    element: str,
    activity: Activity,
    also: tuple[str, ...] = (),
) -> None:
    """One row for each country, partner or term. What means the same as a row that is there adds its share to it."""
    if found is not None:
        _tell_name(element, found, tie, activity)
    row = {
        target: found,
        "reported_code": tie.code if found is None else "",
        "reported_name": tie.name if found is None else "",
        **rest,
    }
    there = None if found is None else rows.known.setdefault((found.pk, *(row[k] for k in also)), row)
    if there is not None and there is not row:
        if row.get("share") is not None:
            there["share"] = without_rounding((there["share"] or 0) + row["share"])
        if row.get("is_reporting"):
            there["is_reporting"] = True
        text = _("It means “%(name)s”, which is named already; kept once.") % {"name": found.name_en}
        activity.find(element, tie.said, Outcome.REPAIRED, text[:500])
        return
    rows.append(row)
