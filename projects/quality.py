"""How complete a project's record is: points, each with what it is for and how to gain it; what IATI can't do without."""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from django.db import transaction
from django.db.models import Prefetch
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from partners.models import Partner
from projects.choices import CountryRole, Modality, Status, Vocabulary
from projects.models import Need, Project, ProjectPartner, ProjectTerm, QualityDay

ONLY_IN_TRANSACTIONS = _("The source names it only in its transactions.")


@dataclass(frozen=True)
class Criterion:
    """One thing a good record has. `points` are out of 100 in all."""

    key: str
    points: int
    label: str
    advice: str
    holds: Callable[[Project], bool]
    says: Callable[[Project], str] | None = None  # advice about this very record
    is_elsewhere: Callable[[Project], bool] | None = None  # told, where the record has no place for it yet


def _has_term(project: Project, vocabulary: str) -> bool:
    return any(link.term.vocabulary == vocabulary for link in project.term_links.all() if link.term_id)


def _resolved(project: Project) -> bool:
    links = [*project.country_links.all(), *project.region_links.all(), *project.partner_links.all()]
    return bool(links) and all(link.is_resolved for link in links)


CRITERIA = (
    Criterion("summary", 8, _("A summary for everybody"), _("Write one or two plain sentences."), lambda p: bool(p.summary)),
    Criterion(
        "description", 6, _("A description"), _("Say what is done, where and for whom."), lambda p: len(p.description) >= 80
    ),
    Criterion("objectives", 5, _("Objectives"), _("Say what it aims at."), lambda p: bool(p.objectives)),
    Criterion(
        "countries", 8, _("Countries with their roles"), _("Name the countries that provide and receive."),
        lambda p: any(link.country_id for link in p.country_links.all()), is_elsewhere=lambda p: p.has_countries_only_in_transactions,
    ),  # fmt: skip
    Criterion(
        "provider", 6, _("At least one provider from the South"), _("Say which country shares what it knows."),
        lambda p: any(link.role in ("provider", "both") for link in p.country_links.all()),
    ),  # fmt: skip
    Criterion(
        "resolved", 7, _("All countries and partners recognised"), _("Choose the record for what was kept as reported."), _resolved
    ),
    Criterion("modality", 5, _("Modality"), _("Choose bilateral, triangular, regional or multilateral."), lambda p: p.modality != Modality.UNSTATED),
    Criterion("theme", 8, _("Theme"), _("Choose a thematic area of the Bali Strategic Plan."), lambda p: _has_term(p, Vocabulary.BSP_THEME)),
    Criterion("sdg", 5, _("Sustainable Development Goal"), _("Choose a goal or target."), lambda p: _has_term(p, Vocabulary.SDG)),
    Criterion(
        "crs", 5, _("Sector (CRS purpose code)"), _("Choose one; IATI requires it."), lambda p: _has_term(p, Vocabulary.CRS),
        is_elsewhere=lambda p: p.has_sectors_only_in_transactions,
    ),  # fmt: skip
    Criterion("start", 5, _("Start date"), _("Give the planned or actual start; IATI requires it."), lambda p: p.start is not None),
    Criterion("end", 3, _("End date"), _("Give the planned or actual end."), lambda p: p.end is not None),
    Criterion(
        "partners", 5, _("Implementing partner"), _("Name who carries it out."),
        lambda p: any(link.role == "4" for link in p.partner_links.all()),
    ),  # fmt: skip
    Criterion(
        "contributions", 7, _("Contributions in quantities"), _("Say what each side brings, with its unit."),
        lambda p: any(c.quantity is not None for c in p.contributions.all()),
    ),  # fmt: skip
    Criterion(
        "results", 7, _("Results with targets"), _("Add a result with its target and what is reached."),
        lambda p: any(r.target is not None or r.actual is not None for r in p.results.all())
        or (p.status == Status.PIPELINE and bool(p.results.all())),
    ),  # fmt: skip
    Criterion(
        "iati", 10, _("Valid as an IATI activity"), _("Give what an IATI activity can’t do without; each record’s page says what that is."),
        lambda p: not lacks_for_iati(p), lambda p: " ".join(str(one.advice) for one in lacks_for_iati(p)),
    ),  # fmt: skip
)  # fmt: skip


# --- what an IATI 2.03 activity can't do without -----------------------------------------------------------------------
@dataclass(frozen=True)
class Requirement:
    """Something without which a record is no valid activity: `key` is the number of the rule, or `xsd`."""

    key: str
    advice: str
    holds: Callable
    is_elsewhere: Callable | None = None

    def about(self, record) -> "Requirement":
        """The same with advice about this very record."""
        if self.is_elsewhere is None or not self.is_elsewhere(record):
            return self
        return replace(self, advice=f"{ONLY_IN_TRANSACTIONS} {self.advice}")


def default_sectors(project: Project | Need) -> list[str]:
    """CRS codes of its themes, for a record that names no CRS code itself."""
    themes = (link.term for link in project.term_links.all() if link.term_id)
    return [theme.default_crs.code for theme in themes if theme.default_crs]


def _has_sector(project: Project) -> bool:
    return _has_term(project, Vocabulary.CRS) or bool(default_sectors(project))


def _has_recipient(project: Project) -> bool:
    return any(link.country_id and link.role != CountryRole.PROVIDER for link in project.country_links.all()) or any(
        link.region_id or link.is_dac_region for link in project.region_links.all()
    )


def _has_participant(project: Project) -> bool:
    return bool(project.partner_links.all()) or any(
        link.country_id and link.role != CountryRole.RECIPIENT for link in project.country_links.all()
    )


def reporter_of(project: Project) -> tuple[ProjectPartner, str] | None:
    """Who publishes the record by its own word, or by the beginning of its identifier: the tie, and the IATI identifier."""
    ties = [(link, link.iati_identifier) for link in project.partner_links.all() if link.iati_identifier]
    for link, identifier in ties:
        if link.is_reporting:
            return link, identifier
    own = project.iati_identifier or ""
    return next(((link, identifier) for link, identifier in ties if own.startswith(f"{identifier}-")), None)


def _is_of_its_publisher(project: Project) -> bool:
    if not project.iati_identifier:
        return True
    found = reporter_of(project)
    return found is not None and project.iati_identifier.startswith(f"{found[1]}-")


def _in_the_past(*days) -> bool:
    today = timezone.localdate()
    return all(day is None or day <= today for day in days)


def _at_most_a_year(budget) -> bool:
    start = budget.starts_on
    try:
        year_later = start.replace(year=start.year + 1)
    except ValueError:  # from a 29 February
        year_later = start.replace(year=start.year + 1, month=3, day=1)
    return budget.ends_on <= year_later


REQUIREMENTS = (
    Requirement("xsd", _("Say its status."), lambda p: bool(p.status)),
    Requirement(
        "xsd", _("Write a summary or a description."), lambda p: any((p.summary, p.description, p.objectives, p.lessons))
    ),
    Requirement("6.11.1", _("Give the planned or actual start."), lambda p: p.start is not None),
    Requirement(
        "6.2.2", _("Choose a CRS sector, or a theme that has one."), _has_sector, lambda p: p.has_sectors_only_in_transactions
    ),
    Requirement(
        "3.7.1", _("Name a country or region that receives."), _has_recipient, lambda p: p.has_countries_only_in_transactions
    ),
    Requirement("xsd", _("Name a partner, or a country that provides."), _has_participant),
    Requirement(
        "1.1.21", _("Mend the IATI identifier, or say which partner reports the record: the one begins with the other’s."),
        _is_of_its_publisher,
    ),
    Requirement(
        "11.1.4", _("Mend the actual start or end: it lies in the future."),
        lambda p: _in_the_past(p.actual_start, p.actual_end),
    ),
    Requirement(
        "11.2.1", _("Mend the date of a transaction: it lies in the future."),
        lambda p: _in_the_past(*(t.made_on for t in p.transactions.all())),
    ),
    Requirement(
        "7.5.3", _("Divide the budget whose period is longer than a year."),
        lambda p: all(_at_most_a_year(b) for b in p.budgets.all()),
    ),
)  # fmt: skip


OF_NEEDS = (
    Requirement(
        "xsd", _("Needs are told once their plan is agreed, as what is in the pipeline."), lambda n: n.is_under_way
    ),
    Requirement("6.2.2", _("Choose a theme that has a CRS sector."), lambda n: bool(default_sectors(n))),
)


def lacks_for_iati(record: Project | Need) -> list[Requirement]:
    """What a project or need still lacks to be a valid IATI 2.03 activity, each with what to do."""
    asked = OF_NEEDS if isinstance(record, Need) else REQUIREMENTS
    return [one.about(record) for one in asked if not one.holds(record)]


@dataclass(frozen=True)
class Finding:
    criterion: Criterion
    is_met: bool
    advice: str = ""

    @property
    def points(self) -> int:
        return self.criterion.points if self.is_met else 0


def assess(project: Project) -> list[Finding]:
    """Each criterion and whether the record meets it; the score is the sum of the points."""
    return [_found(criterion, project) for criterion in CRITERIA]


def _found(criterion: Criterion, project: Project) -> Finding:
    if criterion.holds(project):
        return Finding(criterion, True)
    if criterion.is_elsewhere and criterion.is_elsewhere(project):
        return Finding(criterion, True, str(ONLY_IN_TRANSACTIONS))  # not missing
    return Finding(criterion, False, criterion.says(project) if criterion.says else criterion.advice)


def publisher_of(project: Project) -> Partner | None:
    """The partner that publishes the record elsewhere; none for what was entered here."""
    found = reporter_of(project)
    return found[0].partner if found else None


def _assessed(projects) -> Iterator[tuple[Project, list[Finding]]]:
    """Each of these projects (a queryset) with its findings; its score is stored where it changed."""
    loaded = projects.prefetch_related(
        Prefetch("term_links", ProjectTerm.objects.select_related("term__default_crs")),
        Prefetch("partner_links", ProjectPartner.objects.select_related("partner")),
        "country_links", "region_links", "contributions", "results", "budgets", "transactions",
    )  # fmt: skip
    for project in loaded.iterator(chunk_size=500):
        findings = assess(project)
        score = sum(finding.points for finding in findings)
        if score != project.quality_score:
            project.quality_score = score
            # update() and not save(): the score is derived, it changes neither `modified_at` nor the history.
            Project.objects.filter(pk=project.pk).update(quality_score=score)
        yield project, findings


def rescore(projects) -> None:
    """Stores the score of these projects (a queryset)."""
    for _project, _findings in _assessed(projects):
        pass


@transaction.atomic
def measure(day: dt.date) -> None:
    """Scores every project, and keeps how complete the published ones are on this day: in all, and by publisher."""
    tallies: dict[tuple[int | None, bool], QualityDay] = {}
    for project, findings in _assessed(Project.objects.all()):
        if not project.is_published:
            continue
        publisher = publisher_of(project)
        for key in ((publisher and publisher.pk, False), (None, True)):
            tally = tallies.setdefault(
                key, QualityDay(day=day, publisher_id=key[0], is_whole=key[1], records=0, points=0)
            )
            tally.records += 1
            for finding in findings:
                tally.points += finding.points
                tally.met[finding.criterion.key] = tally.met.get(finding.criterion.key, 0) + finding.is_met
    QualityDay.objects.filter(day=day).delete()
    QualityDay.objects.bulk_create(tallies.values())


# --- what the public page tells ----------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Publisher:
    """How complete a publisher's records are, and how that changed."""

    partner: Partner | None
    now: QualityDay
    change: float | None  # points a record since COMPARED days before; none where it was not measured then


COMPARED = 30  # days
LONGEST = 400  # days that the picture shows


def publishers(day: dt.date) -> list[Publisher]:
    """All publishers of that day, the most records first."""
    rows = list(QualityDay.objects.filter(day=day, is_whole=False).select_related("publisher"))
    earlier = {}
    since = day - dt.timedelta(days=COMPARED)
    for row in QualityDay.objects.filter(day__lte=since, day__gt=since - dt.timedelta(days=COMPARED), is_whole=False):
        earlier[row.publisher_id] = row  # the latest one stays
    found = [
        Publisher(
            row.publisher, row, row.mean - earlier[row.publisher_id].mean if row.publisher_id in earlier else None
        )
        for row in rows
    ]
    return sorted(found, key=lambda one: (-one.now.records, one.partner.slug if one.partner else ""))


def history(publisher: Partner | None) -> list[QualityDay]:
    """The days measured, of one publisher or in all, the oldest first."""
    rows = QualityDay.objects.filter(publisher=publisher) if publisher else QualityDay.objects.whole()
    return list(reversed(rows.order_by("-day")[:LONGEST]))


def shares(row: QualityDay) -> list[tuple[Criterion, int]]:
    """Each criterion and how many of the records meet it."""
    return [(criterion, row.met.get(criterion.key, 0)) for criterion in CRITERIA]
