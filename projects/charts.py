"""Pictures drawn by the server: positions and sizes for the SVG in templates/components. Each page gives the figures too.

Strips follow the idea of the cloth: open, offered, agreed, delivered. Nothing here computes money or adds up units.
"""

import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from projects.choices import NeedState, Side, Status
from projects.coverage import coverage_of
from projects.lifecycle.need import HOLDER, PATH
from projects.models import Contribution, Need, Project, Result


# --- strips ----------------------------------------------------------------------------------------------------------
@dataclass
class Part:
    """A stretch of a strip: its pattern, where it begins and how long it is (both in per cent), and the figure it stands for.

    Positions are texts, so that no language's decimal comma gets into a drawing.
    """

    pattern: str  # delivered, agreed, offered, not_delivered, carried_over, open
    start: str
    width: str
    value: Decimal | int | None = 0  # None: nobody stated it


def strip(*parts: tuple[str, Decimal | int]) -> list[Part]:
    """Parts of one strip, in the order given; empty ones are left out."""
    total, at, found = sum(value for _name, value in parts), 0.0, []
    for pattern, value in parts:
        if total and value > 0:
            width = round(float(value) / float(total) * 100, 2)
            found.append(Part(pattern, f"{at:.2f}", f"{width:.2f}", value))
            at += width
    return found


def key(*parts: tuple[str, Decimal | None]) -> list[Part]:
    """What stands under a strip: each part with its figure, also of a strip that can't be drawn."""
    return [Part(pattern, "", "", value) for pattern, value in parts]


def contribution_strip(line: Contribution) -> list[Part]:
    """Delivered and still agreed, of one contribution's quantity."""
    if line.quantity is None:
        return []
    delivered = min(line.delivered or 0, line.quantity)
    drawn = strip(("delivered", delivered), ("agreed", line.quantity - delivered))
    for part in drawn:
        if part.pattern == "delivered":
            part.value = line.delivered  # more may have come than was agreed: the strip is full, the figure is said
    return drawn


def result_strip(result: Result) -> list[Part]:
    """Reached and still open, of one indicator's target."""
    if not result.target or result.actual is None:
        return []
    reached = min(result.actual, result.target)
    return strip(("delivered", reached), ("open", result.target - reached))


@dataclass
class Swatch:
    """A project in a list: one strip of 8 px per contribution, never averaged."""

    strips: list[tuple[int, list[Part]]]  # top edge in px, parts
    text: str

    @property
    def height(self) -> int:
        return len(self.strips) * 8

    @property
    def gaps(self) -> list[str]:
        return [f"{top - 0.5:.1f}" for top, _parts in self.strips[1:]]


def swatch(project: Project) -> Swatch | None:
    """None where no quantities are reported: nothing is drawn, the list says so in words."""
    lines = [c for c in project.contributions.all() if c.quantity is not None][:8]
    if not lines:
        return None
    told = [c for c in lines if c.delivered is not None]
    done = sum(1 for c in told if c.delivered >= c.quantity)
    begun = sum(1 for c in told if 0 < c.delivered < c.quantity)
    silent = len(lines) - len(told)
    if done == len(lines):
        text = _("All delivered")
    elif silent == len(lines):
        text = _("Delivery not reported")
    else:
        text = _("%(done)s of %(all)s contributions delivered, %(begun)s under way") % {
            "done": done,
            "all": len(lines),
            "begun": begun,
        }
        text += _(", %(n)s not reported") % {"n": silent} if silent else ""
    return Swatch([(i * 8, contribution_strip(c)) for i, c in enumerate(lines)], text)


def need_swatch(need: Need) -> Swatch | None:
    """One strip per line of a need, with its parts."""
    lines = coverage_of(need)
    if not lines:
        return None
    covered = sum(1 for line in lines if line.is_answered)
    text = ngettext("%(covered)s of %(n)s line answered", "%(covered)s of %(n)s lines answered", len(lines)) % {
        "covered": covered,
        "n": len(lines),
    }
    return Swatch([(place * 8, strip(*line.drawn)) for place, line in enumerate(lines[:8])], text)


DOTS = 20  # squares in a cell, at most; beyond that one square stands for several


def dots(n: int, most: int) -> tuple[list[tuple[int, int]], int]:
    """Positions of one square per need, 5 in a row on a grid of 8 px, and their height; scaled where a cell holds more."""
    shown = n if most <= DOTS else round(n / most * DOTS) or (1 if n else 0)
    return [(place % 5 * 8, place // 5 * 8) for place in range(shown)], (shown + 4) // 5 * 8


# --- the thread of a need ----------------------------------------------------------------------------------------------
LANES = {Side.COUNTRY: 16, Side.UNEP: 48, Side.PARTNER: 80}  # px from the top
SMALL_LANES = {Side.COUNTRY: 8, Side.UNEP: 26, Side.PARTNER: 44}  # px from the side, on narrow screens


@dataclass
class Step:
    """A state on the way: who holds the need there and when it came; drawn done, now or ahead."""

    state: str
    label: str
    holder: str
    when: str  # done, now or next
    at: dt.date | None = None
    x: str = ""
    y: int = 0
    small_x: int = 0
    before: "Step | None" = None
    after: "Step | None" = None


def thread(need: Need) -> list[Step]:
    """The way of a need from its draft to where it is, and what lies ahead on the main path."""
    entered: dict[str, dt.datetime] = {NeedState.DRAFT: need.created_at}
    for event in reversed(need.events.all()):
        entered.setdefault(event.to_state, event.at)
    now = {
        NeedState.RETURNED: NeedState.SUBMITTED,
        NeedState.ON_HOLD: need.held_from,
        NeedState.ARCHIVED: NeedState.DRAFT,
    }.get(need.state, need.state)
    if now == NeedState.RETURNED:  # on hold while it was with the country
        now = NeedState.SUBMITTED
    path = list(PATH)
    if now == NeedState.PARTIALLY_MET:
        path[-1] = now
    elif now not in path:  # it ended off the main path
        path = [state for state in path if state in entered] + [now]
    place_now = path.index(now)
    steps: list[Step] = []
    for place, state in enumerate(path):
        when = "done" if place < place_now else "now" if place == place_now else "next"
        holder = HOLDER.get(state, Side.UNEP)
        at = entered.get(state) if when != "next" else None
        steps.append(
            Step(
                state, NeedState(state).label, holder, when, at and timezone.localtime(at).date(),
                f"{(place + 0.5) / len(path) * 100:.2f}", LANES[holder], SMALL_LANES[holder],
            )
        )  # fmt: skip
    for one, two in pairwise(steps):
        one.after, two.before = two, one
    return steps


# --- the loom of the home page ---------------------------------------------------------------------------------------
@dataclass
class Column:
    year: int
    x: str
    width: str
    delivered: int
    agreed: int
    open: int
    rects: list[tuple[str, int, int]] = field(default_factory=list)  # pattern, y, height in px

    @property
    def total(self) -> int:
        return self.delivered + self.agreed + self.open


LOOM_HEIGHT = 224


def loom(counts: dict[int, dict[str, int]], most: int) -> list[Column]:
    """Columns by year of start, the newest `most` of them: share of projects finished, in delivery, and planned or not stated, on a grid of 4 px."""
    years = sorted(counts)[-most:]
    columns = []
    for place, year in enumerate(years):
        by_status = counts[year]
        column = Column(
            year, f"{place / len(years) * 100:.2f}", f"{100 / len(years) + 0.4 * (place < len(years) - 1):.2f}",
            delivered=sum(by_status.get(s, 0) for s in (Status.CLOSED, Status.FINALISATION)),
            agreed=by_status.get(Status.IMPLEMENTATION, 0),
            open=sum(by_status.get(s, 0) for s in (Status.PIPELINE, Status.SUSPENDED, Status.CANCELLED, Status.UNSTATED)),
        )  # fmt: skip
        heights = {k: round(getattr(column, k) / column.total * LOOM_HEIGHT / 4) * 4 for k in ("delivered", "agreed")}
        heights["delivered"] = min(heights["delivered"], LOOM_HEIGHT)
        heights["agreed"] = min(heights["agreed"], LOOM_HEIGHT - heights["delivered"])
        bottom = LOOM_HEIGHT - heights["delivered"]
        column.rects = [
            ("delivered", bottom, heights["delivered"]),
            ("agreed", bottom - heights["agreed"], heights["agreed"]),
            ("open", 0, bottom - heights["agreed"]),
        ]
        column.rects = [r for r in column.rects if r[2] > 0]
        columns.append(column)
    return columns


# --- a line over time --------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Line:
    """A figure of 0 to 100 over days, in a picture of 340 x 160: the path, and where its last point is."""

    path: str
    x: str
    y: str
    first: dt.date
    last: dt.date
    value: float


LINE_LEFT, LINE_RIGHT, LINE_TOP, LINE_BOTTOM = 34, 332, 10, 140


def line(points: list[tuple[dt.date, float]]) -> Line | None:
    """Drawn from two days on; a single figure needs no picture."""
    if len(points) < 2:
        return None
    (first, _value), (last, value) = points[0], points[-1]
    days = max(1, (last - first).days)

    def place(day: dt.date, figure: float) -> tuple[str, str]:
        x = LINE_LEFT + (day - first).days / days * (LINE_RIGHT - LINE_LEFT)
        y = LINE_BOTTOM - figure / 100 * (LINE_BOTTOM - LINE_TOP)
        return f"{x:.1f}", f"{y:.1f}"

    path = "M" + "L".join(",".join(place(day, figure)) for day, figure in points)
    return Line(path, *place(last, value), first, last, value)
