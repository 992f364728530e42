"""How a record moves from one state to another: the shape of a move, and the one function that makes it.

The tables (project.py, need.py, response.py, offer.py) say from where and what it takes; rules.py says who. Every door and every
scheduled task moves a record by `transition`, so the same move gives the same Event, or the same refusal, wherever it
is asked for.
"""

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import DatabaseError, connection, models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from procrastinate.contrib.django import app

from partners.rules import require
from projects.lifecycle.seen import only_as_seen
from projects.models import Event


@dataclass(frozen=True)
class Transition:
    """One move: its name in addresses and buttons, the states it starts from, and what it takes."""

    action: str
    label: str
    from_states: tuple[str, ...]
    to_state: str  # empty: back to the state from which the record was put on hold
    requires_note: bool = False
    requires: Callable[[models.Model], list[str]] | None = None  # what is missing, as sentences that say what to do
    is_public: bool = False  # shown in the public log
    is_note_public: bool = False  # with its note
    due: Callable[[dt.date], dt.date] | None = None  # when the new state has to be left
    then: Callable[[models.Model, models.Model], dict] | None = None  # (record, by) -> further fields to write
    is_for_forms: bool = True  # False: an action of actions.py makes it together with other changes
    # What nobody who makes the move can mend. A record that does not fit is not offered it; the move `instead` stands in its place.
    fits: Callable[[models.Model], bool] | None = None
    instead: str = ""
    model: str = field(default="project", compare=False)

    @property
    def permission(self) -> str:
        return f"projects.{self.action}_{self.model}"


def table(model: str, *moves: Transition) -> dict[str, Transition]:
    """Moves of one kind of record, by action."""
    return {move.action: _named(move, model) for move in moves}


def _named(move: Transition, model: str) -> Transition:
    object.__setattr__(move, "model", model)
    return move


TRANSITIONS: dict[str, dict[str, Transition]] = {}  # kind of record -> action -> move


def moves_of(record: models.Model) -> dict[str, Transition]:
    """All moves of this kind of record, by action."""
    return TRANSITIONS[record._meta.model_name]


def in_place_of(move: Transition, record: models.Model) -> Transition | None:
    """The move that stands in the place of one that starts from the present state and can't succeed with this record."""
    can_start = record.state in move.from_states
    return moves_of(record)[move.instead] if can_start and move.fits and not move.fits(record) else None


def moves_open_to(user, record: models.Model) -> list[Transition]:
    """Moves that this person may make now: the buttons to show."""
    return [
        move
        for move in moves_of(record).values()
        if record.state in move.from_states and move.is_for_forms and user.has_perm(move.permission, record)
        and in_place_of(move, record) is None
    ]  # fmt: skip


def today() -> dt.date:
    """The day at the desk, where deadlines are counted, whoever acts from wherever."""
    return timezone.localdate(timezone=ZoneInfo(settings.DESK_TIME_ZONE))


@transaction.atomic
def transition(record: models.Model, action: str, *, by, note: str = "", **values) -> Event:
    """Moves a record and writes down the move; `values` are written with it.

    Locks the row, so that of two people pressing a button at once one wins. Raises PermissionDenied when `by` may not,
    and ValidationError when the move does not start from the present state, lacks its note, or the record is incomplete.
    """
    move = moves_of(record)[action]
    now = locked(record, by, action)
    only_in(now, *move.from_states)
    if move.requires_note and not note.strip():
        raise ValidationError(_("Say why, in a note."), code="note")
    for name, value in values.items():
        setattr(now, name, value)
    if move.requires and (missing := move.requires(now)):
        raise ValidationError([ValidationError(text, code="incomplete") for text in missing])
    changes = {**values, "state": move.to_state or now.held_from}
    if hasattr(now, "due_on"):
        changes["due_on"] = move.due(today()) if move.due else None
    if hasattr(now, "state_since"):
        changes["state_since"] = timezone.now()
    if hasattr(now, "unlisted_at"):
        changes["unlisted_at"] = None
    if move.then:
        changes |= move.then(now, by)
    event = write_down(
        now, action, by=by, to_state=changes["state"], note=note, is_public=move.is_public,
        is_note_public=move.is_note_public, is_told=move.model != "project",  # an import moves thousands; nobody waits for it
    )  # fmt: skip
    for name, value in changes.items():
        setattr(now, name, value)
        setattr(record, name, value)
    timestamps = [name for name in ("modified_at",) if hasattr(now, name)]
    now.save(update_fields=[*changes, *timestamps])
    if record._meta.model_name in ("need", "offer") and not _quiet.get():  # what fits it may be another by now
        job = app.configure_task("projects.read_for_matching", lock="matching")
        job.defer(kind=record._meta.model_name, record=record.pk)
    return event


def locked(record: models.Model, by, act: str) -> models.Model:
    """The record, locked and as it is now. Raises PermissionDenied where this person may not do that, and ValidationError where
    it is another by now than the one that they saw."""
    found = type(record).objects.select_for_update(of=("self",)).get(pk=record.pk)
    require(by, f"projects.{act}_{record._meta.model_name}", found)
    only_as_seen(record, found)
    return found


def only_in(record: models.Model, *states: str) -> None:
    """Raises ValidationError where the record is in another state by now."""
    if record.state not in states:
        raise ValidationError(
            _("It is “%(state)s” by now, so this is no longer possible. Reload the page."),
            code="state",
            params={"state": record.get_state_display()},
        )


def write_down(
    record, action: str, *, by, to_state: str = "", note: str = "", is_public=False, is_note_public=False, is_told=True
):
    """Records what was done to a record; without `to_state` its state stays. Whom it concerns is told (notify.py).

    The job that tells them is queued in the same transaction: what is rolled back is never told, what is kept always is.
    """
    event = Event.objects.create(
        **{record._meta.model_name: record},
        action=action,
        from_state=record.state,
        to_state=to_state or record.state,
        by=by,
        note=note.strip(),
        is_public=is_public,
        is_note_public=is_note_public,
    )
    if is_told and not _quiet.get():
        app.configure_task("projects.tell_of_event").defer(event_id=event.pk)
    if is_public:
        tell_outside()
    return event


def tell_outside() -> None:
    """Other systems are told at once, rather than within a minute, of what the change feed tells when this is kept (webhooks.py)."""
    if not _quiet.get():
        app.configure_task("projects.tell_webhooks").defer()


_quiet: ContextVar[bool] = ContextVar("quiet", default=False)


@contextmanager
def quietly() -> Iterator[None]:
    """Nobody is told of what is done inside: for demonstrations and imports. The change feed has it all, marked, so that no webhook
    is called."""
    token = _quiet.set(True)
    _mark_changes("on")
    try:
        yield
    finally:
        _quiet.reset(token)
        with suppress(DatabaseError):  # in a transaction that failed it ends with it
            _mark_changes("on" if _quiet.get() else "")


def _mark_changes(value: str) -> None:
    """For the triggers (models/telling.py)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('portal.quiet', %s, false)", [value])
