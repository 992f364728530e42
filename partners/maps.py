"""Maps of countries: static/img/world.svg with patterns, arcs and names. Every map has its table and the UN disclaimer."""

import math
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from django.conf import settings

from partners.models import Country

MAP_WIDTH = 1000
A1, A2, A3, A4 = 1.340264, -0.081106, 0.000893, 0.003796  # Equal Earth (Šavrič, Patterson and Jenny 2018)


def project_point(latitude: float, longitude: float, digits: int = 1) -> tuple[float, float]:
    """Position on static/img/world.svg (Equal Earth, 1000 units wide) of a point in degrees."""
    t = math.asin(math.sqrt(3) / 2 * math.sin(math.radians(latitude)))
    x = (
        2
        * math.sqrt(3)
        * math.radians(longitude)
        * math.cos(t)
        / (3 * (9 * A4 * t**8 + 7 * A3 * t**6 + 3 * A2 * t**2 + A1))
    )
    y = A4 * t**9 + A3 * t**7 + A2 * t**3 + A1 * t
    scale = MAP_WIDTH / (2 * 2.7066)
    return round(MAP_WIDTH / 2 + x * scale, digits), round(244 - y * scale, digits)


@dataclass(frozen=True)
class Area:
    """One area of the map: a path, or a dot for a small island state."""

    iso2: str
    path: str = ""
    x: str = ""
    y: str = ""


@lru_cache(maxsize=1)
def world() -> tuple[Area, ...]:
    """The areas of static/img/world.svg, read once per process. The file is ours (fixtures/build_map.py)."""
    root = ET.parse(settings.BASE_DIR / "static" / "img" / "world.svg").getroot()  # noqa: S314
    areas = []
    for element in root:
        if element.tag.endswith("path"):
            areas.append(Area(element.get("id"), path=element.get("d")))
        elif element.tag.endswith("circle"):
            areas.append(Area(element.get("id"), x=element.get("cx"), y=element.get("cy")))
    return tuple(areas)


@dataclass
class Label:
    left: float
    top: float
    anchor: str
    text: str

    # Texts, so that no language's decimal comma gets into the drawing.
    @property
    def x(self) -> str:
        return f"{self.left:.1f}"

    @property
    def y(self) -> str:
        return f"{self.top:.1f}"


@dataclass
class Map:
    """A world map with countries patterned by role, arcs between them, and a crop for narrow screens."""

    classes: dict[str, str]  # ISO2 -> class
    arcs: list[tuple[str, str]]  # class, path
    labels: list[Label]
    near: str  # viewBox of the crop

    @property
    def areas(self) -> list[tuple[Area, str]]:
        return [(area, self.classes.get(area.iso2, "")) for area in world()]


def _position(country: Country) -> tuple[float, float] | None:
    if country.latitude is None:
        return None
    return project_point(float(country.latitude), float(country.longitude))


def _arc(start, end) -> str:
    (x1, y1), (x2, y2) = start, end
    bend = 0.15
    cx, cy = (x1 + x2) / 2 + (y2 - y1) * bend, (y1 + y2) / 2 - (x2 - x1) * bend
    return f"M{x1:.0f} {y1:.0f}Q{cx:.0f} {cy:.0f} {x2:.0f} {y2:.0f}"


def crop(points: list[tuple[float, float]]) -> str:
    xs, ys = [p[0] for p in points] or [500], [p[1] for p in points] or [220]
    width = max(max(xs) - min(xs) + 120, (max(ys) - min(ys) + 120) * 1.3, 300)
    height = width / 1.3
    x = min(max((max(xs) + min(xs)) / 2 - width / 2, 0), max(MAP_WIDTH - width, 0))
    y = min(max((max(ys) + min(ys)) / 2 - height / 2, 0), max(440 - height, 0))
    return f"{x:.0f} {y:.0f} {min(width, MAP_WIDTH):.0f} {min(height, 440):.0f}"


def _labels(countries: Iterable[Country]) -> list[Label]:
    """Names beside their countries; one that would cover another is left to the table."""
    placed: list[Label] = []
    for country in countries:
        if (position := _position(country)) is None:
            continue
        x, y = position
        anchor = "end" if x > 820 else "start"
        label = Label(round(x + (-8 if anchor == "end" else 8), 1), round(y + 4, 1), anchor, country.name)
        if all(abs(label.top - other.top) > 12 or abs(label.left - other.left) > 60 for other in placed):
            placed.append(label)
    return placed[:14]


ROLE_CLASS = {"provider": "gives", "recipient": "gets", "both": "both"}


def map_of_roles(links: Iterable[tuple[Country, str]]) -> Map | None:
    """A project's countries by role, with an arc from every provider to every recipient."""
    links = [(country, role) for country, role in links if country is not None]
    if not links:
        return None
    givers = [c for c, role in links if role in ("provider", "both")]
    takers = [c for c, role in links if role in ("recipient", "both")]
    pairs = [(a, b) for a in givers for b in takers if a != b][:40]
    arcs = [("f-in", _arc(_position(a), _position(b))) for a, b in pairs if _position(a) and _position(b)]
    points = [p for c, _role in links if (p := _position(c))]
    return Map({c.iso2: ROLE_CLASS[role] for c, role in links}, arcs, _labels(c for c, _role in links), crop(points))


@dataclass
class Flow:
    """Cooperation with one other country: how many projects it shares in, and draws on."""

    country: Country
    shares: int  # projects in which the other country provides and this one receives
    draws: int  # projects in which this country provides and the other one receives

    @property
    def role(self) -> str:
        """Which mark stands before the other country's name."""
        return "both" if self.shares and self.draws else "provider" if self.shares else "recipient"


def map_of_flows(centre: Country, flows: list[Flow]) -> Map | None:
    """Whom a country works with: arcs in from those who share with it, out to those it shares with."""
    here = _position(centre)
    if here is None or not flows:
        return None
    classes, arcs, points = {centre.iso2: "here"}, [], [here]
    for flow in flows:
        there = _position(flow.country)
        classes[flow.country.iso2] = "both" if flow.shares and flow.draws else "gives" if flow.shares else "gets"
        if there is None:
            continue
        points.append(there)
        if flow.shares:
            arcs.append(("f-in", _arc(there, here)))
        if flow.draws:
            arcs.append(("f-out", _arc(here, there)))
    return Map(classes, arcs[:60], _labels([centre, *(f.country for f in flows)]), crop(points[:12]))
