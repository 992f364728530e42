"""What has become of each line of a need: delivered, agreed, offered, open; of a need that has ended also not delivered and
carried over to the need that continues it. In the line's own unit, never added up."""

from dataclasses import dataclass, field
from decimal import Decimal

from projects.choices import NeedState, ResponseState
from projects.models import Answer, LineItem, Need
from projects.models.response import ACCEPTED

PARTS = ("delivered", "agreed", "offered", "not_delivered", "carried_over", "open")
OVER = (NeedState.CLOSED, NeedState.PARTIALLY_MET, NeedState.WITHDRAWN, NeedState.MERGED)  # nothing more is delivered


@dataclass
class Coverage:
    """One line and its parts, which together are what is wanted. What is delivered no longer counts as agreed; when the need
    is over, what was agreed and never came is `not_delivered`, and what nobody had promised `carried_over`."""

    line: LineItem
    letter: str
    wanted: Decimal
    delivered: Decimal = Decimal(0)
    agreed: Decimal = Decimal(0)
    offered: Decimal = Decimal(0)
    not_delivered: Decimal = Decimal(0)
    carried_over: Decimal = Decimal(0)
    open: Decimal = Decimal(0)
    over: Decimal = Decimal(0)  # offered or agreed beyond what is wanted; not in the parts, which never exceed it
    answers: list[Answer] = field(default_factory=list)  # public ones

    @property
    def is_double(self) -> bool:
        """Several responses cover the same: together they bring more than is wanted."""
        return self.over > 0 and len(self.answers) > 1

    @property
    def parts(self) -> list[tuple[str, Decimal]]:
        return [(name, getattr(self, name)) for name in PARTS]

    @property
    def left(self) -> Decimal:
        """What a need that continues this one asks for."""
        return self.wanted - self.delivered

    @property
    def is_answered(self) -> bool:
        """Somebody has offered all of it."""
        return not self.open and not self.carried_over


def letter_of(place: int) -> str:
    """A, B, ... Z, AA, AB, ..."""
    return (letter_of(place // 26 - 1) if place >= 26 else "") + chr(ord("A") + place % 26)


def coverage_of(need: Need) -> list[Coverage]:
    """Every line with what covers it. Never more than is wanted: agreed counts before offered."""
    found, is_over = [], need.state in OVER
    for place, line in enumerate(need.lines.all()):
        row = Coverage(line, letter_of(place), line.wanted)
        for answer in line.answers.all():
            state = answer.response.state
            if state in ACCEPTED:
                row.delivered += answer.delivered
                row.agreed += max(Decimal(0), answer.promised - answer.delivered)
                row.answers.append(answer)
            elif state == ResponseState.EXPRESSED and not is_over:
                row.offered += answer.quantity
                row.answers.append(answer)
        row.over = max(Decimal(0), row.delivered + row.agreed + row.offered - row.wanted)
        left = row.wanted
        for name in ("delivered", "agreed", "offered"):
            setattr(row, name, min(getattr(row, name), left))
            left -= getattr(row, name)
        row.open = left
        if is_over:
            row.agreed, row.not_delivered = Decimal(0), row.agreed
        if need.state == NeedState.PARTIALLY_MET:
            row.open, row.carried_over = Decimal(0), row.open
        found.append(row)
    return found
