"""The moves of a project between its publishing states: one table, one function.

The table says from where and what it takes; rules.py says who. Every door and every scheduled task moves a record by
`transition`, so the same move gives the same Event, or the same refusal, wherever it is asked for.
"""

from collections.abc import Callable
from dataclasses import dataclass

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from projects.choices import Source, State
from projects.models import Event, Project


@dataclass(frozen=True)
class Transition:
    """One move: its name in addresses and buttons, the states it starts from, and what it takes."""

    action: str
    label: str
    from_states: tuple[str, ...]
    to_state: str
    requires_note: bool = False
    requires: Callable[[Project], list[str]] | None = None
    is_public: bool = False

    @property
    def permission(self) -> str:
        return f"projects.{self.action}_project"


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


TRANSITIONS: dict[str, Transition] = {
    move.action: move
    for move in (
        Transition(
            "submit",
            _("Submit for publication"),
            (State.DRAFT, State.WITHDRAWN),
            State.REVIEW,
            requires=missing_for_publication,
        ),
        Transition("return", _("Return with questions"), (State.REVIEW,), State.DRAFT, requires_note=True),
        Transition(
            "publish",
            _("Publish"),
            (State.DRAFT, State.REVIEW, State.WITHDRAWN),
            State.PUBLISHED,
            requires=missing_for_publication,
            is_public=True,
        ),
        Transition(
            "unpublish",
            _("Withdraw from the public"),
            (State.PUBLISHED,),
            State.WITHDRAWN,
            requires_note=True,
            is_public=True,
        ),
    )
}


def moves_open_to(user, project: Project) -> list[Transition]:
    """Moves that this person may make now: the buttons to show."""
    return [
        move
        for move in TRANSITIONS.values()
        if project.state in move.from_states and user.has_perm(move.permission, project)
    ]


@transaction.atomic
def transition(project: Project, action: str, *, by, note: str = "") -> Event:
    """Moves a project and records the move.

    Locks the row, so that of two people pressing a button at once one wins. Raises PermissionDenied when `by` may not,
    and ValidationError when the move does not start from the present state, lacks its note, or the record is incomplete.
    """
    move = TRANSITIONS[action]
    locked = Project.objects.select_for_update(of=("self",)).get(pk=project.pk)
    if not by.has_perm(move.permission, locked):
        raise PermissionDenied(_("Your role does not allow this move."))
    if locked.state not in move.from_states:
        raise ValidationError(
            _("It is “%(state)s” by now, so this is no longer possible. Reload the page."),
            code="state",
            params={"state": locked.get_state_display()},
        )
    if move.requires_note and not note.strip():
        raise ValidationError(_("Say why, in a note."), code="note")
    if move.requires and (missing := move.requires(locked)):
        raise ValidationError([ValidationError(text, code="incomplete") for text in missing])
    event = Event.objects.create(
        project=locked,
        action=action,
        from_state=locked.state,
        to_state=move.to_state,
        by=by,
        note=note.strip(),
        is_public=move.is_public,
    )
    locked.state = move.to_state
    fields = ["state", "modified_at"]
    if move.to_state == State.PUBLISHED and locked.published_at is None:
        locked.published_at, locked.published_by = timezone.now(), by
        fields += ["published_at", "published_by"]
    locked.save(update_fields=fields)
    for name in fields:
        setattr(project, name, getattr(locked, name))
    return event
