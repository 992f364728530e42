"""The moves of a project between its publishing states."""

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from projects.choices import Source, State
from projects.lifecycle.moves import Transition, table
from projects.models import Project


def missing_for_publication(project: Project) -> list[str]:
    """What a project still lacks before the public may see it, as sentences that say what to do."""
    missing = []
    if not project.title.strip():
        missing.append(_("Give it a title."))
    if project.source == Source.ENTERED and not (project.summary.strip() or project.description.strip()):
        missing.append(_("Write a summary or a description."))
    if not (project.country_links.exists() or project.region_links.exists() or project.partner_links.exists()):
        missing.append(_("Name at least one country, region or partner."))
    return missing


def _published(project: Project, by) -> dict:
    return {} if project.published_at else {"published_at": timezone.now(), "published_by": by}


MOVES = table(
    "project",
    Transition(
        "submit", _("Submit for publication"), (State.DRAFT, State.WITHDRAWN), State.REVIEW,
        requires=missing_for_publication,
    ),
    Transition("return", _("Return with questions"), (State.REVIEW,), State.DRAFT, requires_note=True),
    Transition(
        "publish", _("Publish"), (State.DRAFT, State.REVIEW, State.WITHDRAWN), State.PUBLISHED,
        requires=missing_for_publication, is_public=True, then=_published,
    ),
    Transition(
        "unpublish", _("Withdraw from the public"), (State.PUBLISHED,), State.WITHDRAWN, requires_note=True,
        is_public=True,
    ),
    Transition(  # made by duplicates.merge together with what else it takes
        "merge", _("Merge into another"), (State.DRAFT, State.REVIEW, State.PUBLISHED, State.WITHDRAWN), State.MERGED,
        requires_note=True, is_for_forms=False,
    ),
)  # fmt: skip
