"""How complete a project's record is: points, each with what it is for and how to gain it; what IATI can't do without."""

from collections.abc import Callable
from dataclasses import dataclass

from django.db.models import Prefetch
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from projects.choices import CountryRole, Modality, Status, Vocabulary
from projects.models import Need, Project, ProjectPartner, ProjectTerm


@dataclass(frozen=True)
class Criterion:
    """One thing a good record has. `points` are out of 100 in all."""

    key: str
    points: int
    label: str
    advice: str
    holds: Callable[[Project], bool]


def _has_term(project: Project, vocabulary: str) -> bool:
    return any(link.term.vocabulary == vocabulary for link in project.term_links.all() if link.term_id)


def _resolved(project: Project) -> bool:
    links = [*project.country_links.all(), *project.region_links.all(), *project.partner_links.all()]
    return bool(links) and all(link.is_resolved for link in links)


CRITERIA = (
    Criterion("summary", 10, _("A summary for everybody"), _("Write one or two plain sentences."), lambda p: bool(p.summary)),
    Criterion(
        "description", 8, _("A description"), _("Say what is done, where and for whom."), lambda p: len(p.description) >= 80
    ),
    Criterion("objectives", 5, _("Objectives"), _("Say what it aims at."), lambda p: bool(p.objectives)),
    Criterion(
        "countries", 12, _("Countries with their roles"), _("Name the countries that provide and receive."),
        lambda p: any(link.country_id for link in p.country_links.all()),
    ),  # fmt: skip
    Criterion(
        "provider", 8, _("At least one provider from the South"), _("Say which country shares what it knows."),
        lambda p: any(link.role in ("provider", "both") for link in p.country_links.all()),
    ),  # fmt: skip
    Criterion(
        "resolved", 7, _("All countries and partners recognised"), _("Choose the record for what was kept as reported."), _resolved
    ),
    Criterion("modality", 5, _("Modality"), _("Choose bilateral, triangular, regional or multilateral."), lambda p: p.modality != Modality.UNSTATED),
    Criterion("theme", 8, _("Theme"), _("Choose a thematic area of the Bali Strategic Plan."), lambda p: _has_term(p, Vocabulary.BSP_THEME)),
    Criterion("sdg", 5, _("Sustainable Development Goal"), _("Choose a goal or target."), lambda p: _has_term(p, Vocabulary.SDG)),
    Criterion("crs", 5, _("Sector (CRS purpose code)"), _("Choose one; IATI requires it."), lambda p: _has_term(p, Vocabulary.CRS)),
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
        or (p.status == Status.PIPELINE and p.results.exists()),
    ),  # fmt: skip
)  # fmt: skip


# --- what an IATI 2.03 activity can't do without -----------------------------------------------------------------------
@dataclass(frozen=True)
class Requirement:
    """Something without which a record is no valid activity: `key` is the number of the rule, or `xsd`."""

    key: str
    advice: str
    holds: Callable


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
    Requirement("6.2.2", _("Choose a CRS sector, or a theme that has one."), _has_sector),
    Requirement("3.7.1", _("Name a country or region that receives."), _has_recipient),
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
    return [one for one in asked if not one.holds(record)]


@dataclass(frozen=True)
class Finding:
    criterion: Criterion
    is_met: bool

    @property
    def points(self) -> int:
        return self.criterion.points if self.is_met else 0


def assess(project: Project) -> list[Finding]:
    """Each criterion and whether the record meets it; the score is the sum of the points."""
    return [Finding(criterion, bool(criterion.holds(project))) for criterion in CRITERIA]


def rescore(projects) -> int:
    """Stores the score of these projects (a queryset). Returns how many changed."""
    loaded = projects.prefetch_related(
        Prefetch("term_links", ProjectTerm.objects.select_related("term")),
        "country_links", "region_links", "partner_links", "contributions", "results",
    )  # fmt: skip
    changed = []
    for project in loaded.iterator(chunk_size=500):
        score = sum(finding.points for finding in assess(project))
        if score != project.quality_score:
            project.quality_score = score
            changed.append(project)
    # update() and not save(): the score is derived, it changes neither `modified_at` nor the history.
    for project in changed:
        Project.objects.filter(pk=project.pk).update(quality_score=project.quality_score)
    return len(changed)
