"""How far each line of a need is covered: delivered, agreed, offered, open. In the line's own unit, never added up."""

from dataclasses import dataclass, field
from decimal import Decimal

from projects.choices import ResponseState
from projects.models import Answer, LineItem, Need
from projects.models.response import ACCEPTED


@dataclass
class Coverage:
    """One line and its parts. `delivered` and `agreed` are apart: what is delivered no longer counts as agreed."""

    line: LineItem
    letter: str
    wanted: Decimal
    delivered: Decimal = Decimal(0)
    agreed: Decimal = Decimal(0)
    offered: Decimal = Decimal(0)
    open: Decimal = Decimal(0)
    over: Decimal = Decimal(0)  # offered or agreed beyond what is wanted; not in the parts, which never exceed it
    answers: list[Answer] = field(default_factory=list)  # public ones

    @property
    def is_double(self) -> bool:
        """Several responses cover the same: together they bring more than is wanted."""
        return self.over > 0 and len(self.answers) > 1

    @property
    def parts(self) -> list[tuple[str, Decimal]]:
        return [(name, getattr(self, name)) for name in ("delivered", "agreed", "offered", "open")]


def letter_of(place: int) -> str:
    """A, B, ... Z, AA, AB, ..."""
    return (letter_of(place // 26 - 1) if place >= 26 else "") + chr(ord("A") + place % 26)


def coverage_of(need: Need) -> list[Coverage]:
    """Every line with what covers it. Never more than is wanted: agreed counts before offered."""
    found = []
    for place, line in enumerate(need.lines.all()):
        row = Coverage(line, letter_of(place), line.wanted)
        for answer in line.answers.all():
            state = answer.response.state
            if state in ACCEPTED:
                row.delivered += answer.delivered
                row.agreed += answer.quantity - answer.delivered
                row.answers.append(answer)
            elif state == ResponseState.EXPRESSED:
                row.offered += answer.quantity
                row.answers.append(answer)
        row.over = max(Decimal(0), row.delivered + row.agreed + row.offered - row.wanted)
        left = row.wanted
        for name in ("delivered", "agreed", "offered"):
            setattr(row, name, min(getattr(row, name), left))
            left -= getattr(row, name)
        row.open = left
        found.append(row)
    return found
