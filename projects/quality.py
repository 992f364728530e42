"""How complete a project's record is: points, each with what it is for and how to gain it."""

from collections.abc import Callable
from dataclasses import dataclass

from django.db.models import Prefetch
from django.utils.translation import gettext_lazy as _

from projects.choices import Modality, Status, Vocabulary
from projects.models import Project, ProjectTerm


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
