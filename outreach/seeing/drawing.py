"""Figures as SVG: one drawing for the page, the file and the frame on other sites.

Drawings are 360 units wide (the map 1000), so that their words can be read on a telephone, and carry their own patterns
and colours; on our pages the style sheet takes over the colours. In languages written from the right, places are counted
from the right.
"""

from collections.abc import Sequence

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language_bidi

from ground.templatetags.portal import number
from outreach.seeing.counting import Row
from partners.maps import crop, project_point, world

WIDTH = 360
INDIGO, MADDER, GREEN, TINT, TEXT, MUTED, LAND, PAPER = "#39489b", "#a1470f", "#1b6a4a", "#dbebe2", "#15211c", "#4b5b53", "#d3ddd5", "#fff"  # fmt: skip
# As the cloth: vertical lines = asked, horizontal = offered, checked = agreed, solid = delivered (LOOK.md).
PATTERNS = mark_safe(  # noqa: S308  colours of ours
    f'<defs><pattern id="see-open" width="6" height="8" patternUnits="userSpaceOnUse"><rect class="c-s" width="6" height="8" fill="{PAPER}"/><rect class="c-w" x="2" width="2" height="8" fill="{INDIGO}"/></pattern>'
    f'<pattern id="see-offered" width="8" height="4" patternUnits="userSpaceOnUse"><rect class="c-s" width="8" height="4" fill="{PAPER}"/><rect class="c-f" y="1" width="8" height="2" fill="{MADDER}"/></pattern>'
    f'<pattern id="see-agreed" width="4" height="4" patternUnits="userSpaceOnUse"><rect class="c-t" width="4" height="4" fill="{TINT}"/><path class="c-c" d="M0 0h2v2h-2zM2 2h2v2h-2z" fill="{GREEN}"/></pattern>'
    f'<pattern id="see-delivered" width="8" height="8" patternUnits="userSpaceOnUse"><rect class="c-c" width="8" height="8" fill="{GREEN}"/></pattern></defs>'
)
EDGES = {"open": INDIGO, "offered": MADDER, "agreed": GREEN, "delivered": GREEN}


class Sheet:
    """A drawing under way: what is put on it, from the side on which the language begins."""

    def __init__(self, width: int = WIDTH, *, is_mirrored: bool | None = None):
        self.width, self.parts, self.patterns = width, [], PATTERNS
        self.is_mirrored = get_language_bidi() if is_mirrored is None else is_mirrored

    def x(self, start: float, width: float = 0) -> str:
        return _number(self.width - start - width if self.is_mirrored else start)

    def text(self, start: float, y: float, words, *, anchor: str = "start", name: str = "") -> None:
        wanted = (("text-anchor", anchor if anchor != "start" else ""), ("class", name))
        more = format_html_join("", ' {}="{}"', ((key, value) for key, value in wanted if value))
        self.parts.append(format_html('<text x="{}" y="{}"{}>{}</text>', self.x(start), _number(y), more, words))

    def bar(self, start: float, y: float, width: float, height: float, pattern: str, title: str) -> None:
        self.parts.append(
            format_html(
                '<rect class="mark {}" x="{}" y="{}" width="{}" height="{}" fill="url(#see-{})" stroke="{}"><title>{}</title></rect>',
                pattern, self.x(start, width), _number(y), _number(width), _number(height), pattern, EDGES[pattern], title,
            )
        )  # fmt: skip

    def whole(self, height: float, label: str, view: str = "", *, name: str = "see", role: str = "img") -> SafeString:
        return format_html(
            '<svg class="{}" xmlns="http://www.w3.org/2000/svg" viewBox="{}" role="{}" aria-label="{}" direction="{}" font-family="sans-serif" font-size="13" fill="{}">{}{}</svg>',
            name, view or f"0 0 {self.width} {_number(height)}", role, label, "rtl" if self.is_mirrored else "ltr", TEXT, self.patterns,
            format_html_join("", "{}", ((part,) for part in self.parts)),
        )  # fmt: skip


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _short(words: str, most: int) -> str:
    """The words, cut where they are wider than so many letters; a sign of Chinese is as wide as two."""
    room = most
    for place, sign in enumerate(words):
        room -= 2 if ord(sign) > 0x2E80 else 1
        if room < 0:
            return f"{words[: place - 1].rstrip()}…"
    return words


# --- bars ----------------------------------------------------------------------------------------------------------------
BAR, LEFT_FOR_NUMBER = 12, 44


def bars(label: str, rows: Sequence[Row], series: Sequence[tuple[str, str]], *, is_stacked: bool) -> SafeString:
    """A line of words and a strip for each row: one part for each of the series (pattern, name), beside or below another."""
    sheet, y = Sheet(), 4.0
    room = WIDTH - LEFT_FOR_NUMBER
    most = max((sum(row.values) if is_stacked else max(row.values) for row in rows), default=0) or 1
    for row in rows:
        y += 13
        sheet.text(0, y, _short(row.label, 52))
        y += 5
        at = 0.0
        for (pattern, name), n in zip(series, row.values, strict=True):
            width = n / most * room
            if n:
                sheet.bar(at if is_stacked else 0, y, width, BAR, pattern, f"{row.label}, {name}: {n}")
            if not is_stacked:
                sheet.text(width + 6, y + 10.5, number(n), name="figure")
                y += BAR + 3
            at += width
        if is_stacked:
            sheet.text(at + 6, y + 10.5, number(sum(row.values)), name="figure")
            y += BAR + 3
        y += 5
    return sheet.whole(y, label)


# --- columns -------------------------------------------------------------------------------------------------------------
COLUMNS_HEIGHT, COLUMNS_TOP, COLUMNS_SIDE = 150, 16, 16  # beside, so that the first and the last word fit


def columns(label: str, rows: Sequence[Row], pattern: str) -> SafeString:
    """A column for each row, in their order, with its figure above; what stands below is not crowded."""
    sheet = Sheet()
    step = (WIDTH - 2 * COLUMNS_SIDE) / max(len(rows), 6)
    most = max((row.values[0] for row in rows), default=0) or 1
    every = max(1, -(-len(rows) // 6))
    for place, row in enumerate(rows):
        n = row.values[0]
        height = n / most * COLUMNS_HEIGHT
        start, top = COLUMNS_SIDE + place * step + step * 0.1, COLUMNS_TOP + COLUMNS_HEIGHT - height
        if n:
            sheet.bar(start, top, step * 0.8, height, pattern, f"{row.label}: {n}")
        if step >= 26 or n == most:
            sheet.text(COLUMNS_SIDE + place * step + step / 2, top - 4, number(n), anchor="middle", name="figure")
        if (len(rows) - 1 - place) % every == 0:
            sheet.text(
                COLUMNS_SIDE + place * step + step / 2, COLUMNS_TOP + COLUMNS_HEIGHT + 16, row.label, anchor="middle"
            )
    return sheet.whole(COLUMNS_TOP + COLUMNS_HEIGHT + 22, label)


# --- flows ---------------------------------------------------------------------------------------------------------------
NODE, GAP, FLOWS_HEIGHT = 8, 18, 340


def flows(label: str, rows: Sequence[Row], share_heading: str, receive_heading: str) -> SafeString:
    """Who shares on one side, who receives on the other, and between them ribbons as thick as there are projects."""
    sheet = Sheet()
    givers, takers = _sums(rows, giving=True), _sums(rows, giving=False)
    total = sum(row.values[0] for row in rows) or 1
    tallest = max(len(givers), len(takers), 1)
    height = max(FLOWS_HEIGHT, tallest * (GAP + 12))
    unit = (height - GAP * tallest) / total
    left, right = WIDTH * 0.41, WIDTH * 0.59
    tops = {}
    for nodes, start, side in ((givers, left - NODE, "give"), (takers, right, "take")):
        y = 24.0
        for code, (name, n) in nodes.items():
            tops[side, code] = y
            pattern = "offered" if side == "give" else "open"
            sheet.bar(start, y, NODE, max(n * unit, 1), pattern, f"{name}: {n}")
            words = f"{_short(name, 17)} {number(n)}"
            if side == "give":
                sheet.text(start - 5, y + max(n * unit / 2 + 4, 9), words, anchor="end")
            else:
                sheet.text(start + NODE + 5, y + max(n * unit / 2 + 4, 9), words)
            y += n * unit + GAP
    for row in rows:
        n = row.values[0]
        a, b = tops["give", row.code], tops["take", row.to_code]
        tops["give", row.code] += n * unit
        tops["take", row.to_code] += n * unit
        start, end, middle = sheet.x(left), sheet.x(right), sheet.x(WIDTH / 2)
        title = f"{row.label} → {row.to_label}: {n}"
        sheet.parts.append(
            format_html(
                '<path class="ribbon" d="M{} {}C{} {} {} {} {} {}" fill="none" stroke="{}" stroke-opacity=".45" stroke-width="{}"><title>{}</title></path>',
                start, _number(a + n * unit / 2), middle, _number(a + n * unit / 2), middle, _number(b + n * unit / 2),
                end, _number(b + n * unit / 2), GREEN, f"{n * unit:.2f}", title,
            )
        )  # fmt: skip
    sheet.text(left, 14, share_heading, anchor="end", name="muted")
    sheet.text(right, 14, receive_heading, name="muted")
    return sheet.whole(height + 30, label)


def _sums(rows: Sequence[Row], *, giving: bool) -> dict[str, tuple[str, int]]:
    """{code: (name, how many)} of one side, the most first."""
    found: dict[str, tuple[str, int]] = {}
    for row in rows:
        code, name = (row.code, row.label) if giving else (row.to_code, row.to_label)
        found[code] = (name, found.get(code, (name, 0))[1] + row.values[0])
    return dict(sorted(found.items(), key=lambda item: -item[1][1]))


# --- the map -------------------------------------------------------------------------------------------------------------
BANDS = 4
MAP_PATTERNS = {"needs": INDIGO, "offers": MADDER, "projects": GREEN}


def edges_of(most: int) -> list[int]:
    """Where each of the four bands of a map begins: round numbers, each about three times the one before."""
    if most <= BANDS:
        return list(range(1, most + 1))
    found = [1]
    for part in (27, 9, 3):
        size = most / part
        step = 10 ** (len(str(int(size))) - 1)
        edge = next((k * step for k in (10, 5, 2, 1) if k * step <= size), 1)
        if edge > found[-1]:
            found.append(edge)
    return found


def band_of(n: int, edges: list[int]) -> int:
    """The band of a figure: 0 for nothing, then 1 to 4."""
    return sum(n >= edge for edge in edges)


def _bands(colour: str) -> SafeString:
    """Four patterns, each darker than the one before also in grey."""
    shapes = (
        '<path d="M0 3h6v1h-6z"/>', '<path d="M0 1h6v1.4h-6zM0 4h6v1.4h-6z"/>',
        '<path d="M0 0h3v3h-3zM3 3h3v3h-3z"/><path d="M0 0h6v1h-6zM0 0h1v6h-1z"/>', '<path d="M0 0h6v6h-6z"/>',
    )  # fmt: skip
    return mark_safe(  # noqa: S308  a colour and shapes of ours
        "<defs>"
        + "".join(
            f'<pattern id="see-{place}" width="6" height="6" patternUnits="userSpaceOnUse"><path class="c-s" d="M0 0h6v6h-6z" fill="{PAPER}"/><g class="c-n" fill="{colour}">{shape}</g></pattern>'
            for place, shape in enumerate(shapes, 1)
        )
        + "</defs>"
    )


def world_map(
    label: str, told: str, figures: dict[str, tuple[str, int, str]], centres: Sequence[tuple[float, float]]
) -> tuple[SafeString, list[int]]:
    """The world with a pattern for each country that has a figure. `figures`: {ISO 3166-1 alpha-2: (name, n, address)}.
    `centres`: latitude and longitude of the countries to look at closely, the whole world where there are none.

    Returns the drawing and where each band begins.
    """
    edges = edges_of(max((n for _name, n, _address in figures.values()), default=0))
    sheet = Sheet(1000, is_mirrored=False)
    colour = MAP_PATTERNS[told]
    sheet.patterns = _bands(colour)
    shapes = []
    for area in world():
        name, n, address = figures.get(area.iso2, ("", None, ""))
        look, title, radius = "", "", 1.5
        if n is not None:
            band = band_of(n, edges)
            radius = 3 + band
            look = format_html(' class="b{}" fill="{}"', band, f"url(#see-{band})" if band else PAPER)
            title = format_html("<title>{}: {}</title>", name, number(n))
        if area.path:
            shape = format_html('<path{} d="{}">{}</path>' if title else '<path{} d="{}"/>', look, area.path, title)
        else:
            shape = format_html('<circle{} cx="{}" cy="{}" r="{}">{}</circle>', look, area.x, area.y, radius, title)
        shapes.append(format_html('<a href="{}">{}</a>', address, shape) if address else shape)
    land = format_html_join("", "{}", ((shape,) for shape in shapes))
    sheet.parts.append(format_html('<g class="land" fill="{}" stroke="{}" stroke-width=".6">{}</g>', LAND, TEXT, land))
    view = crop([project_point(*one) for one in centres]) if centres else "0 30 1000 400"
    return sheet.whole(0, label, view, name="see world", role="group"), edges
