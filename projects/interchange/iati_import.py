"""Writing IATI activities as projects: resolve what is known, keep the rest as reported, change only what staff did not.

Each activity is written in a transaction of its own, so a run that stops leaves nothing half-written, and running it
again goes on: what is unchanged costs one look. What staff edited since the last import stays (partners/reference.py).
"""

import hashlib
import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from django.core.exceptions import ValidationError
from django.db import DatabaseError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from partners.choices import PartnerKind
from partners.models import Country, Partner, ReferenceValue, Region
from partners.reference import merge, plain
from partners.rules import require
from projects import lifecycle, quality, search
from projects.choices import CountryRole, Instrument, OrganisationRole, Source, State
from projects.interchange import iati_reader
from projects.interchange.iati_activity import Activity, Finding, Tie
from projects.interchange.iati_own import role_of
from projects.interchange.iati_reader import Unreadable
from projects.interchange.iati_writing import Publisher
from projects.models import ImportIssue, ImportRun, Need, Project, RelatedProject, Term

logger = logging.getLogger(__name__)
LEDGER = "projects.project"
Outcome = ImportIssue.Outcome
ROWS_AT_ONCE = 1000  # one activity may hold tens of thousands of payments

# OECD DAC region codes that name the same area as UN M49.
DAC_REGIONS = {
    "89": "150", "189": "015", "289": "202", "298": "002", "389": "419", "489": "005", "498": "019", "619": "143",
    "679": "034", "789": "030", "798": "142", "889": "009", "1027": "014", "1028": "017", "1029": "018", "1030": "011",
    "1031": "029", "1032": "013", "1033": "054", "1034": "057", "1035": "061",
}  # fmt: skip
VOCABULARIES = {"1": "crs", "7": "sdg", "8": "sdg"}
FIELDS = ("title", "summary", "description", "objectives")


@dataclass
class Directory:
    """Codes and names that references are resolved by, loaded once per run. Nothing is guessed: only exact matches count."""

    countries: dict[str, Country] = field(default_factory=dict)
    regions: dict[str, Region] = field(default_factory=dict)
    partners: dict[str, Partner] = field(default_factory=dict)
    slugs: dict[str, Partner] = field(default_factory=dict)
    terms: dict[tuple[str, str], Term] = field(default_factory=dict)
    publisher: Publisher = field(default_factory=Publisher)

    @classmethod
    def load(cls) -> "Directory":
        self = cls()
        for country in Country.objects.all():
            for key in (
                country.iso2,
                country.iso3,
                country.m49,
                country.name_en,
                country.name_fr,
                country.name_es,
                *country.aliases,
            ):
                self.countries.setdefault(search.plain(key), country)
        self.regions = {region.code: region for region in Region.objects.all()}
        self.slugs = {partner.slug: partner for partner in Partner.objects.all()}
        for partner in (p for p in self.slugs.values() if not p.is_from_import):
            for key in (partner.iati_identifier, partner.name_en, partner.name_fr, partner.name_es):
                if key:
                    self.partners.setdefault(search.plain(key), partner)
        self.terms = {(t.vocabulary, t.code): t for t in Term.objects.all()}
        return self

    def country(self, tie: Tie) -> Country | None:
        return self.countries.get(search.plain(tie.code)) or (
            None if tie.code else self.countries.get(search.plain(tie.name))
        )

    def region(self, tie: Tie) -> Region | None:
        code = DAC_REGIONS.get(tie.code) if tie.vocabulary == "1" else tie.code if tie.vocabulary == "2" else None
        return self.regions.get(code)

    def partner(self, tie: Tie) -> Partner | None:
        return (
            (self.slugs.get(tie.slug) if tie.slug else None)
            or self.partners.get(search.plain(tie.code))
            or (None if tie.code else self.partners.get(search.plain(tie.name)))
        )

    def term(self, tie: Tie) -> Term | None:
        return self.terms.get((VOCABULARIES.get(tie.vocabulary, tie.vocabulary), tie.code))

    def project(self, identifier: str) -> Project | None:
        """The project that an IATI identifier means: its own, or one that the portal made of its reference."""
        known = Project.objects.filter(iati_identifier=identifier).first()
        own = f"{self.publisher.ref}-"
        if known is None and identifier.startswith(own):
            known = Project.objects.filter(iati_identifier=None, reference=identifier.removeprefix(own)).first()
        return known


def import_file(
    path: Path,
    *,
    by,
    dry_run: bool = False,
    publish: bool = True,
    run: ImportRun | None = None,
    progress: Callable | None = None,
) -> ImportRun:
    """Reads a file and writes its activities. Returns the run with its counts; its issues tell the rest.

    `publish`: new records go public where `by` may publish and nothing needed is missing; else they stay drafts.
    `progress(run)` is called now and then. Raises PermissionDenied; a file that can't be read ends in a failed run.
    """
    require(by, "projects.import_projects")
    run = run or ImportRun(file_name=path.name[:200], started_by=by)
    run.is_dry_run, run.progress = dry_run, ImportRun.Progress.RUNNING
    run.save()
    with run.being_carried_out():
        try:
            return _carry_out(path, run, by, dry_run, publish, progress)
        except Exception:
            _break_off(run)
            raise


def _break_off(run: ImportRun) -> None:
    """A fault of the program ends the run too, and says so: it isn't left as if it were at work."""
    run.progress, run.finished_at = ImportRun.Progress.FAILED, timezone.now()
    run.message = _(
        "The import broke off by a fault of the portal. What was read before it stays; import the file again."
    )
    run.save(update_fields=["progress", "finished_at", "message"])


def _carry_out(path: Path, run: ImportRun, by, dry_run: bool, publish: bool, progress: Callable | None) -> ImportRun:
    source = iati_reader.Source()
    size = path.stat().st_size if path.is_file() else 0
    unread: Counter = Counter()
    touched: list[int] = []
    seen: set[str] = set()
    parents: dict[str, str] = {}
    directory = Directory.load()
    try:
        for activity in iati_reader.read_activities(path, source):
            unread.update(path.partition("/")[0] for path in activity.unread.times)
            if activity.parent:
                parents[activity.identifier] = activity.parent
            _import_one(activity, run, directory, by, dry_run, publish, seen, touched)
            run.done += 1
            if run.done % 25 == 0:
                run.version = source.version
                run.percent = min(99, source.bytes_read * 100 // size) if size else 0
                run.save()
                if progress:
                    progress(run)
                touched = _finish(touched)
        run.progress, run.percent = ImportRun.Progress.DONE, 100
        if run.done == 0:
            run.progress, run.message = ImportRun.Progress.FAILED, _("The file holds no activities.")
        if source.problems:
            run.progress, run.message = ImportRun.Progress.FAILED, " ".join(source.problems)[:500]
    except Unreadable as error:
        run.progress, run.message = ImportRun.Progress.FAILED, str(error)[:500]
    _finish(touched)
    if not dry_run:
        _tie_together(run, parents, directory)
    if unread:
        elements = ", ".join(f"{name} ({n})" for name, n in unread.most_common(12))
        left_out = _("Not read in full, with the number of findings: %s. The findings name each part.") % elements
        run.message = f"{run.message} {left_out}".strip()[:500]
    if source.files:
        names = _("Files in the archive: %s.") % ", ".join(f"{name} ({n})" for name, n in source.files.items())
        run.message = f"{run.message} {names}".strip()[:500]
    run.version, run.finished_at = source.version, timezone.now()
    if path.is_file():
        run.sha256 = _checksum(path)
    run.save()
    if run.created or run.updated:
        search.rebuild_words()
    if progress:
        progress(run)
    return run


def _tie_together(run: ImportRun, parents: dict[str, str], directory: Directory) -> None:
    """Ties to records that came later in the file: what belongs together, and programmes with their parts."""
    waiting = RelatedProject.objects.filter(project__import_run=run, other=None)
    for link in waiting.iterator():
        if (other := directory.project(link.reported_identifier)) and other.pk != link.project_id:
            RelatedProject.objects.filter(pk=link.pk).update(other=other, reported_identifier="")
    for identifier, parent_identifier in parents.items():
        project, parent = directory.project(identifier), directory.project(parent_identifier)
        if project and parent and project.parent_id is None:
            project.parent = parent
            try:
                project.clean()
            except ValidationError:
                continue
            project.save(update_fields=["parent"])


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _finish(touched: list[int]) -> list[int]:
    if touched:
        quality.rescore(Project.objects.filter(pk__in=touched))
    return []


class _TrialRun(Exception):
    """Rolls back what a trial run wrote."""


def _import_one(activity, run, directory, by, dry_run, publish, seen, touched) -> None:
    title = next(iter(t.get("title") for t in activity.texts.values() if t.get("title")), "")
    name = activity.key or title
    if not name:
        run.rejected += 1
        _record(
            run,
            activity,
            [
                *activity.findings,
                Finding("iati-activity", "", Outcome.REJECTED, _("Neither an identifier nor a title.")),
            ],
        )
        return
    if name in seen:
        run.rejected += 1
        _record(
            run,
            activity,
            [
                Finding(
                    "iati-identifier",
                    name,
                    Outcome.REJECTED,
                    _("The file holds this activity twice; the first was taken."),
                )
            ],
        )
        return
    seen.add(name)
    if activity.is_need and Need.objects.filter(reference=activity.reference).exists():
        run.unchanged += 1
        text = _("A need of this portal, not a project; it stays as it is.")
        _record(run, activity, [Finding("iati-activity", activity.reference, Outcome.KEPT, text)])
        return
    try:
        with transaction.atomic():
            written: list[int] = []
            with search.deferred(written):
                outcome, project = _write(activity, name, run, directory, by, publish)
                if outcome != "unchanged" and not dry_run:
                    written.append(project.pk)
            if dry_run:
                raise _TrialRun
    except _TrialRun:
        pass
    except (ValidationError, DatabaseError) as error:
        run.rejected += 1
        text = "; ".join(error.messages) if isinstance(error, ValidationError) else _refusal()
        _record(run, activity, [*activity.findings, Finding("iati-activity", "", Outcome.REJECTED, text[:500])])
        logger.warning("IATI activity %s was not read: %s", name, " ".join(str(error).split())[:2000])
        return
    setattr(run, outcome, getattr(run, outcome) + 1)
    _record(run, activity, activity.findings)
    if not dry_run and outcome != "unchanged":
        touched.append(project.pk)


def _refusal() -> str:
    return _("The database refused it. Whoever runs the portal finds the reason in its log.")


def _record(run: ImportRun, activity: Activity, findings: list) -> None:
    ImportIssue.objects.bulk_create(
        ImportIssue(
            run=run,
            identifier=(activity.key or "?")[:250],
            line=activity.line,
            element=f.element,
            value=f.value,
            outcome=f.outcome,
            text=f.text,
        )
        for f in findings
    )


# --- one activity ----------------------------------------------------------------------------------------------------
def _write(
    activity: Activity, name: str, run: ImportRun, directory: Directory, by, publish: bool
) -> tuple[str, Project]:
    """Creates or updates one project. Returns ("created" | "updated" | "unchanged", project)."""
    note = ReferenceValue.objects.filter(model=LEDGER, key=name).first()
    project = Project.objects.filter(reference=note.values.get("reference")).first() if note else None
    if project is None and activity.identifier:
        project = directory.project(activity.identifier)
    if project is not None and project.merged_into is not None:
        text = _("This record was merged into %(reference)s, which stays as it is.") % {
            "reference": project.merged_into.reference
        }
        activity.find("iati-activity", "", Outcome.KEPT, text)
        return "unchanged", project
    values = _values(activity, name)
    if project is not None and project.iati_identifier is None and activity.is_own:
        del values["iati_identifier"]  # the portal made it of the reference
    parts = _parts(activity, directory)
    if project is not None and activity.is_own:  # the file does not tell of records that are not public
        hidden = project.related_links.filter(other__isnull=False).exclude(other__state=State.PUBLISHED)
        parts["related_links"] += list(hidden.values("other_id", "relation", "reported_identifier"))
    written = {k: plain(v) for k, v in values.items()} | {
        part: [_plain_row(r) for r in rows] for part, rows in parts.items()
    }

    if project is None:
        project = Project(
            source=Source.IMPORTED, import_run=run if not run.is_dry_run else None, created_by=by,
            **{"instrument": Instrument.UNSTATED} | values,  # files of others do not say it
        )  # fmt: skip
        _check(project)
        project.save()
        for part, rows in parts.items():
            _add(project, part, rows)
        outcome = "created"
    else:
        last = note.values if note else {}
        decided = merge({k: getattr(project, k) for k in values}, last, values)
        for k, (now, said) in decided.conflicts.items():
            activity.find(
                k,
                said,
                Outcome.STAFF,
                _("Edited here since the last import: “%(now)s” stays.") % {"now": str(now)[:200]},
            )
        for k, v in decided.updates.items():
            activity.find(k, v, Outcome.CHANGED, _("Was “%(was)s”.") % {"was": str(getattr(project, k))[:200]})
            setattr(project, k, v)
        changed = bool(decided.updates)
        if changed:
            _check(project)
            project.save()
        for part, rows in parts.items():
            changed |= _update_part(project, part, rows, last.get(part), activity)
        outcome = "updated" if changed else "unchanged"
        _note_source(project, run, activity, has_changed=changed)
    if outcome != "unchanged" and activity.licence and activity.licence != run.provenance.licence:
        text = _("Given by the file for this activity. The record has the licence that was stated for the import: %s.")
        activity.find("iati-activity/@ssc:licence", activity.licence, Outcome.LEFT_OUT, text % run.provenance.licence)

    if outcome != "unchanged" or (note is None and not activity.is_own):
        ReferenceValue.objects.update_or_create(
            model=LEDGER,
            key=name,
            defaults={"source": run.file_name, "values": written | {"reference": project.reference}},
        )
    if outcome == "created" and publish and by.has_perm("projects.publish_project", project):
        if missing := lifecycle.missing_for_publication(project):
            activity.find(
                "iati-activity",
                "",
                Outcome.KEPT,
                _("Kept as a draft: %(why)s") % {"why": " ".join(str(m) for m in missing)},
            )
        else:
            with lifecycle.quietly():  # it may be thousands
                lifecycle.transition(project, "publish", by=by)
    return outcome, project


def _note_source(project: Project, run: ImportRun, activity: Activity, *, has_changed: bool) -> None:
    """The record comes from the import that wrote it last, be it a part of it only; or from one that says under which licence the same
    came, where that was not known."""
    if run.is_dry_run or not run.is_source_of(is_new=False):
        return
    if has_changed or run.says_more_than(project.import_run):
        if not has_changed:
            activity.find("licence", run.provenance.licence, Outcome.CHANGED, _("Was not known."))
        Project.objects.filter(pk=project.pk).update(import_run=run)
        project.import_run = run


def _values(activity: Activity, name: str) -> dict:
    """The fields of the project itself."""
    texts = activity.texts.get(activity.language, {})
    title = texts.get("title", "")
    if not title:
        title = name[:400]
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


def _parts(activity: Activity, directory: Directory) -> dict[str, list[dict]]:
    """What belongs to the project, by the name of the reverse manager. Repeated targets are kept once."""
    countries, regions, partners, terms = [], [], [], []
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
        partner = directory.partner(tie)
        if partner is None:
            activity.find(
                "participating-org",
                tie.name or tie.code,
                Outcome.KEPT,
                _("No partner of this identifier or name; kept as reported for staff to resolve."),
            )
        reports = tie.reports
        if reports is None:
            reports = reporting is not None and (tie.code, tie.name) == (reporting.code, reporting.name)
        rest = {"role": tie.role, "is_reporting": reports, **_reported_type(partner, tie)}
        _once(partners, "partner", partner, tie, rest, "participating-org", activity, also=("role",))
        _tell_type("participating-org", partner, tie, activity)
    if reporting is not None and not any(row["is_reporting"] for row in partners):
        partner = directory.partner(reporting)
        if partner is None:
            activity.find(
                "reporting-org",
                reporting.name or reporting.code,
                Outcome.KEPT,
                _("No partner of this identifier or name; kept as reported for staff to resolve."),
            )
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
            activity.find("related-activity", tie.code, Outcome.LEFT_OUT, _("It names itself as related."))
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


def _reported_type(partner: Partner | None, tie: Tie) -> dict:
    """The type of an organisation as it came, where the list of partners does not say it."""
    return {"reported_type": "" if partner else tie.kind}


def _countries_with_roles(activity: Activity, directory: Directory) -> list[dict]:
    """Countries with the roles that the portal's own tags give them; shares stand with those that receive."""
    shares = {getattr(directory.country(tie), "pk", None): tie.share for tie in activity.countries}
    rows: list[dict] = []
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
            activity.find("result", row["text"], Outcome.LEFT_OUT, text)
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


def _once(
    rows: list[dict],
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
    same = (r for r in rows if found is not None and r[target] == found and all(r[k] == row[k] for k in also))
    if there := next(same, None):
        if row.get("share") is not None:
            there["share"] = min((there["share"] or 0) + row["share"], 100)
        if row.get("is_reporting"):
            there["is_reporting"] = True
        text = _("It means “%(name)s”, which is named already; kept once.") % {"name": found.name_en}
        activity.find(element, tie.code or tie.name, Outcome.REPAIRED, text[:500])
        return
    rows.append(row)


def _plain_row(row: dict) -> dict:
    return {k: plain(v) for k, v in row.items()}


def _present_rows(project: Project, part: str, names: list[str]) -> list[dict]:
    return [{name: plain(getattr(record, name)) for name in names} for record in getattr(project, part).order_by("pk")]


def _check(project: Project) -> None:
    """Raises ValidationError. Constraints are left to the database, which checks them on writing without extra queries."""
    project.clean_fields(exclude=["reference", "import_run", "parent"])
    project.clean()


def _replace(project: Project, part: str, rows: list[dict]) -> None:
    getattr(project, part).all().delete()
    _add(project, part, rows)


def _add(project: Project, part: str, rows: list[dict]) -> None:
    manager = getattr(project, part)
    records = [manager.model(project=project, **row) for row in rows]
    for record in records:
        record.clean_fields(exclude=["project"])
    manager.bulk_create(records, batch_size=ROWS_AT_ONCE)


def _update_part(project: Project, part: str, rows: list[dict], last: list[dict] | None, activity: Activity) -> bool:
    """Replaces the rows of one part where the source changed them and staff did not. Returns whether anything changed."""
    incoming = [_plain_row(row) for row in rows]
    names = list(rows[0] if rows else (last[0] if last else []))
    present = _present_rows(project, part, names) if names else [{} for _row in getattr(project, part).all()]
    if _sorted(present) == _sorted(incoming):
        return False
    if last is not None and _sorted(present) != _sorted(last):
        if _sorted(incoming) != _sorted(last):
            activity.find(
                part,
                f"{len(incoming)} rows",
                Outcome.STAFF,
                _("Edited here since the last import: the %(n)s rows here stay.") % {"n": len(present)},
            )
        return False
    activity.find(part, f"{len(incoming)} rows", Outcome.CHANGED, _("Were %(n)s rows.") % {"n": len(present)})
    _replace(project, part, rows)
    return True


def _sorted(rows: list[dict]) -> list[str]:
    return sorted(str(sorted((k, v if v not in (None, "") else "") for k, v in row.items())) for row in rows)


def is_usable(run: ImportRun) -> bool:
    """Whether anything at all could be read: the exit status of the command."""
    return run.done > run.rejected and not (run.progress == ImportRun.Progress.FAILED and run.done == 0)
