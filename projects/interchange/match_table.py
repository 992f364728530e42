"""Matches as a table: how well a need and an offer (or an earlier project) fit, signal by signal, with the sentences."""

from collections.abc import Iterable, Iterator
from decimal import Decimal

from django.conf import settings

from ground.numbers import plainly
from ground.tables import Column
from projects.choices import Signal
from projects.matches import Candidate, LineFit

COLUMNS = [
    Column("need", None, "Reference of the need"),
    Column("need_title", None, "Its title"),
    Column("need_country", None, "ISO 3166-1 alpha-3 of the country that asks"),
    Column("offer", None, "Reference of the offer that fits"),
    Column("project", None, "Reference of the project, where one has done the like"),
    Column("given_title", None, "Title of the offer or project"),
    Column("provider", None, "Who offers it; of a project nobody is named here"),
    Column("score", None, "0 to 100", "number"),
    *(Column(f"points_{signal.value}", None, f"Points for the signal {signal.value}", "number") for signal in Signal),
    Column("covers", None, "Lines of the need that it could cover: text, how much of what is open", "list"),
    Column("reasons", None, "What speaks for it and against it, in English", "list"),
    Column("url", None, "Page of the offer or project"),
]


def _points(value: float) -> Decimal:
    return Decimal(f"{value:.1f}")


def _covered(line: LineFit) -> str:
    text = line.row.line.text
    return text if line.figure is None else f"{text}: {plainly(line.figure)} / {plainly(line.row.open)}"


def rows(candidates: Iterable[Candidate]) -> Iterator[list]:
    """One row a candidate, in the order given."""
    for candidate in candidates:
        need, given, points = candidate.need, candidate.given, candidate.match.points
        reference = given.reference
        said = [told.reason() for told in candidate.match.told.values() if told.reason]
        yield [
            need.reference, need.title, need.country.iso3,
            reference if candidate.is_offer else None, None if candidate.is_offer else reference, given.title,
            given.provider.name if candidate.is_offer else None, _points(candidate.match.score),
            *(_points(points[signal][0]) if signal in points else None for signal in Signal),
            [_covered(line) for line in candidate.covers],
            said, f"{settings.PORTAL_URL}{given.get_absolute_url()}",
        ]  # fmt: skip
