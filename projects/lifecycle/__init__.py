"""The moves of projects, needs, responses and offers between their states. Start with moves.py."""

from projects.lifecycle import need, offer, project, response
from projects.lifecycle.moves import (
    TRANSITIONS,
    Transition,
    in_place_of,
    locked,
    moves_of,
    moves_open_to,
    only_in,
    quietly,
    tell_outside,
    today,
    transition,
    write_down,
)
from projects.lifecycle.need import REQUIRED, Requirement, missing_for
from projects.lifecycle.project import missing_for_publication
from projects.lifecycle.seen import as_seen, mark_of, only_as_seen

TRANSITIONS.update(project=project.MOVES, need=need.MOVES, response=response.MOVES, offer=offer.MOVES)

__all__ = [
    "REQUIRED",
    "TRANSITIONS",
    "Requirement",
    "Transition",
    "as_seen",
    "in_place_of",
    "locked",
    "mark_of",
    "missing_for",
    "missing_for_publication",
    "moves_of",
    "moves_open_to",
    "only_as_seen",
    "only_in",
    "quietly",
    "tell_outside",
    "today",
    "transition",
    "write_down",
]
