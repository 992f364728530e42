"""What has become of each line of a need: delivered, agreed, offered, open; of a need that has ended also not delivered and
carried over to the need that continues it. In the line's own unit, never added up.

A line without a quantity is one thing when it is asked whether all is answered or delivered; no figure of it is told but
what somebody stated. What nobody has reported as delivered is not delivered as far as the parts go, which are all that is
wanted; it is told as not reported, never as zero.
"""

from dataclasses import dataclass, field
from decimal import Decimal

from projects.choices import NeedState, ResponseState
from projects.models import Answer, LineItem, Need
from projects.models.response import ACCEPTED

PARTS = ("delivered", "agreed", "offered", "not_delivered", "carried_over", "open")
FIGURES = (*PARTS, "not_reported", "over")
OVER = (NeedState.CLOSED, NeedState.PARTIALLY_MET, NeedState.WITHDRAWN, NeedState.MERGED)  # nothing more is delivered


@dataclass
class Coverage:
    """One line and its parts, which together are what is wanted. What is delivered no longer counts as agreed; when the need
    is over, what was agreed and never came is `not_delivered`, and what nobody had promised `carried_over`. Of what is agreed
    or not delivered, `not_reported` is that of which nobody has said whether it was delivered."""

    line: LineItem
    letter: str
    wanted: Decimal
    delivered: Decimal = Decimal(0)
    agreed: Decimal = Decimal(0)
    offered: Decimal = Decimal(0)
    not_delivered: Decimal = Decimal(0)
    carried_over: Decimal = Decimal(0)
    open: Decimal = Decimal(0)
    not_reported: Decimal = Decimal(0)
    is_reported: bool = False  # somebody has said how much was delivered, be it nothing
    over: Decimal = Decimal(0)  # offered or agreed beyond what is wanted; not in the parts, which never exceed it
    answers: list[Answer] = field(default_factory=list)  # public ones
    stated: dict[str, Decimal] = field(default_factory=dict)  # of a line without a quantity: what its answers say

    @property
    def is_counted(self) -> bool:
        """The need says how much of it."""
        return self.line.quantity is not None

    @property
    def is_double(self) -> bool:
        """Several responses cover the same: together they bring more than is wanted."""
        return self.over > 0 and len(self.answers) > 1

    @property
    def parts(self) -> list[tuple[str, Decimal]]:
        return [(name, getattr(self, name)) for name in PARTS]

    @property
    def figures(self) -> dict[str, Decimal | None]:
        """Each part as it is told to people and programs, `over` too. None where nobody stated it, which is not zero."""
        if not self.is_counted:
            return {name: self.stated.get(name) for name in FIGURES}
        return {name: getattr(self, name) for name in FIGURES} | {"delivered": self.reported}

    @property
    def reported(self) -> Decimal | None:
        """What was delivered; None where nobody has said."""
        return self.delivered if self.is_reported else None

    @property
    def drawn(self) -> list[tuple[str, Decimal]]:
        """The parts of its picture: none of a line without a quantity, of which nobody knows how long the parts are."""
        return self.parts if self.is_counted else []

    @property
    def told(self) -> list[tuple[str, Decimal | None]]:
        """Those parts that there are, each with its figure where there is one."""
        figures = self.figures
        return [
            (name, figures[name])
            for name, amount in self.parts
            if amount or figures[name] or (name == "delivered" and figures[name] is not None)
        ]

    @property
    def left(self) -> Decimal:
        """What a need that continues this one asks for: all but what was reported as delivered."""
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
                _count_accepted(row, answer)
            elif state == ResponseState.EXPRESSED and not is_over:
                row.offered += answer.quantity
                row.answers.append(answer)
        if not row.is_counted:
            row.stated = _stated(row, is_over)
        row.over = max(Decimal(0), row.delivered + row.agreed + row.offered - row.wanted)
        left = row.wanted
        for name in ("delivered", "agreed", "offered"):
            setattr(row, name, min(getattr(row, name), left))
            left -= getattr(row, name)
        row.open = left
        row.not_reported = min(row.not_reported, row.agreed)
        if is_over:
            row.agreed, row.not_delivered = Decimal(0), row.agreed
        if need.state == NeedState.PARTIALLY_MET:
            row.open, row.carried_over = Decimal(0), row.open
        if not row.is_counted:
            row.over = Decimal(0)
        found.append(row)
    return found


def _count_accepted(row: Coverage, answer: Answer) -> None:
    row.answers.append(answer)
    if answer.delivered is None:
        row.not_reported += answer.promised
    else:
        row.is_reported = True
    row.delivered += answer.delivered or Decimal(0)
    row.agreed += max(Decimal(0), answer.promised - (answer.delivered or Decimal(0)))


def _stated(row: Coverage, is_over: bool) -> dict[str, Decimal]:
    """What the answers to a line without a quantity say in figures."""
    names = {
        "agreed": "not_delivered" if is_over else "agreed",
        "offered": "offered",
        "not_reported": "not_reported",
    }
    said = {told: amount for name, told in names.items() if (amount := getattr(row, name))}
    return said if row.reported is None else said | {"delivered": row.reported}
