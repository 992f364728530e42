"""Which pictures there are, what each says in a sentence, and its table. Made once for a search and kept a few minutes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.core.cache import caches
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _

from ground import listing
from ground.tables import Column
from outreach.choices import Told
from outreach.seeing import counting, drawing
from outreach.seeing.counting import Row
from outreach.subjects import SUBJECTS
from partners.models import Country
from projects.models import Project

KEPT = 300  # seconds
PATTERN = {Told.PROJECTS: "agreed", Told.NEEDS: "open", Told.OFFERS: "offered"}
FIGURE_OF = {  # told: what one figure counts
    Told.PROJECTS: gettext_lazy("projects"), Told.NEEDS: gettext_lazy("needs"), Told.OFFERS: gettext_lazy("offers"),
}  # fmt: skip


@dataclass(frozen=True)
class Picture:
    """One kind of picture. `series`: (pattern, name in files, heading) of each figure of a row."""

    slug: str
    title: str
    of: tuple[str, ...]  # Told
    rows: Callable[[str, str], list[Row]]
    draw: Callable[..., SafeString]
    sentence: Callable[[str, list[Row], int], str]
    head: str  # of the table's first column
    series: tuple[tuple[str, str, str], ...] = ()
    to_head: str = ""  # of flows
    note: str = ""
    left_out: Callable[[str, str], str] = lambda told, query: ""  # the sentence on what passes and is in no row
    counts: tuple[str, ...] = ()  # what of a project may stand in its transactions only, and is counted here

    def series_of(self, told: str) -> Sequence[tuple[str, str, str]]:
        return self.series or ((PATTERN[told], str(told), str(FIGURE_OF[told]).capitalize()),)

    def columns(self, told: str) -> list[Column]:
        """The columns of its file, with stable names in English."""
        places = (
            [("from_code", 0), ("from", 1), ("to_code", 2), ("to", 3)] if self.to_head else [("code", 0), ("name", 1)]
        )
        figures = [(name, len(places) + place) for place, (_p, name, _h) in enumerate(self.series_of(told))]
        return [Column(name, place, "") for name, place in places] + [Column(n, p, "", "integer") for n, p in figures]


@dataclass(frozen=True)
class Made:
    """A picture that was made: its drawing, sentence, table and file."""

    title: str
    sentence: str
    svg: SafeString
    rows: list[Row]
    total: int
    at: datetime
    edges: tuple[int, ...] = ()  # of the bands of a map
    not_counted: tuple[str, ...] = ()  # what the figures leave out, in words

    def cells(self, picture: Picture) -> list[tuple]:
        """The rows as they stand in files."""
        if picture.to_head:
            return [(row.code, row.label, row.to_code, row.to_label, *row.values) for row in self.rows]
        return [(row.code, row.label, *row.values) for row in self.rows]


# --- drawings and sentences -----------------------------------------------------------------------------------------------
def _map(label: str, told: str, query: str, rows: list[Row]):
    codes = dict(Country.objects.values_list("iso3", "iso2"))
    figures = {codes[row.code]: (row.label, row.values[0], row.address) for row in rows}
    return drawing.world_map(label, told, figures, _centres(told, query))


def _centres(told: str, query: str) -> list[tuple[float, float]]:
    """Where the countries of the regions are to which the list is narrowed; empty for the world."""
    filterset = SUBJECTS[told].filterset(query)
    filterset.is_valid()
    wanted = set((filterset.values.get("region") or {}).values())
    if not wanted:
        return []
    within = Country.objects.within(wanted).exclude(latitude=None).values_list("latitude", "longitude")
    return [(float(latitude), float(longitude)) for latitude, longitude in within]


def _bars(is_stacked: bool):
    def draw(label: str, told: str, query: str, rows: list[Row], picture: "Picture"):
        series = [(pattern, heading) for pattern, _name, heading in picture.series_of(told)]
        return drawing.bars(label, rows, series, is_stacked=is_stacked)

    return draw


def _columns(label: str, told: str, query: str, rows: list[Row], picture: "Picture"):
    return drawing.columns(label, rows, PATTERN[told])


def _flows(label: str, told: str, query: str, rows: list[Row], picture: "Picture"):
    return drawing.flows(label, rows, _("share"), _("receive"))


def _world(label: str, told: str, query: str, rows: list[Row], picture: "Picture"):
    return _map(label, told, query, rows)


def say_countries(told: str, rows: list[Row], total: int) -> str:
    named = [row for row in rows if row.values[0]]
    if not named:
        return _("Nothing that passes these filters was reported for any country.")
    n = len(named)
    return ngettext(
        "%(n)s country has %(what)s here: %(names)s.", "%(n)s countries have %(what)s here; the most: %(names)s.", n
    ) % {"n": n, "what": FIGURE_OF[told], "names": counting.names_of(named)}


def say_goals(told: str, rows: list[Row], total: int) -> str:
    named = sorted((row for row in rows if row.values[0]), key=lambda row: -row.values[0])
    if not named:
        return _("None of them names a Sustainable Development Goal.")
    return _("%(n)s of the 17 goals are worked for; the most: %(names)s.") % {
        "n": len(named),
        "names": counting.names_of(named),
    }


def say_time(told: str, rows: list[Row], total: int) -> str:
    if not rows:
        return _("None of them has a day.")
    best = max(rows, key=lambda row: row.values[0])
    values = {"first": rows[0].label, "last": rows[-1].label, "n": sum(row.values[0] for row in rows), "best": best.label, "most": best.values[0]}  # fmt: skip
    if told == Told.PROJECTS:
        return _("From %(first)s to %(last)s %(n)s projects began; the most in %(best)s: %(most)s.") % values
    return _("From %(first)s to %(last)s %(n)s came to be public; the most in %(best)s: %(most)s.") % values


def say_balance(told: str, rows: list[Row], total: int) -> str:
    more = [row for row in rows if row.values[0] > row.values[1]]
    if not rows:
        return _("Neither needs nor offers wait here.")
    if not more:
        return _("In each theme there are at least as many offers as needs.")
    return ngettext(
        "In %(n)s theme more is asked than offered: %(names)s.",
        "In %(n)s themes more is asked than offered; the first: %(names)s.",
        len(more),
    ) % {"n": len(more), "names": listing.with_commas(row.label for row in more[:3])}


def say_progress(told: str, rows: list[Row], total: int) -> str:
    if not rows:
        return _("None of these projects has a theme.")
    return _("A project counts in each of its themes. The most projects: %(names)s.") % {
        "names": listing.with_commas(f"{row.label} ({sum(row.values)})" for row in rows[:3])
    }


def say_without_theme(told: str, query: str) -> str:
    n = counting.without_theme(query)
    return _("Not shown, since they have no theme: %(n)s.") % {"n": n} if n else ""


def say_without_goal(told: str, query: str) -> str:
    n = counting.without_goal(told, query)
    return _("Not shown, since they name no goal: %(n)s.") % {"n": n} if n else ""


def say_flows(told: str, rows: list[Row], total: int) -> str:
    if not rows:
        return _("None of these projects names both who shares and who receives.")
    best = rows[0]
    return _("The most projects lead from %(giver)s to %(taker)s: %(n)s.") % {
        "giver": best.label,
        "taker": best.to_label,
        "n": best.values[0],
    }


THREE = (Told.PROJECTS, Told.NEEDS, Told.OFFERS)
DISCLAIMER = gettext_lazy(
    "The boundaries and names shown and the designations used on this map do not imply official endorsement or acceptance by the United Nations."
)
PICTURES = {
    picture.slug: picture
    for picture in (
        Picture("map", gettext_lazy("Where"), THREE, counting.by_country, _world, say_countries, gettext_lazy("Country"), note=DISCLAIMER, counts=("places",)),
        Picture(
            "regions", gettext_lazy("Which regions share with which"), (Told.PROJECTS,), counting.flows_of_regions, _flows, say_flows,
            gettext_lazy("Shares"), to_head=gettext_lazy("Receives"), note=gettext_lazy("Sub-regions of the United Nations (M49). A project with several countries counts once for each pair of sub-regions; the 20 largest flows are shown."),
            counts=("places",),
        ),
        Picture(
            "countries", gettext_lazy("Which countries share with which"), (Told.PROJECTS,), counting.flows_of_countries, _flows,
            say_flows, gettext_lazy("Shares"), to_head=gettext_lazy("Receives"), note=gettext_lazy("A project with several countries counts once for each pair; the 20 most frequent pairs are shown."),
            counts=("places",),
        ),
        Picture(
            "balance", gettext_lazy("Needs against offers by theme"), (Told.NEEDS,), counting.needs_and_offers, _bars(is_stacked=False),
            say_balance, gettext_lazy("Theme"),
            series=(("open", "needs", gettext_lazy("Needs that wait")), ("offered", "offers", gettext_lazy("Offers that can be had"))),
            note=gettext_lazy("Words, terms, country, region and group narrow both; other filters are left aside."),
        ),
        Picture("time", gettext_lazy("Over time"), THREE, counting.over_time, _columns, say_time, gettext_lazy("Year or month")),
        Picture("goals", gettext_lazy("Sustainable Development Goals"), THREE, counting.by_goal, _bars(is_stacked=True), say_goals, gettext_lazy("Goal"), left_out=say_without_goal, counts=("sectors",)),
        Picture(
            "progress", gettext_lazy("How far projects are"), (Told.PROJECTS,), counting.progress, _bars(is_stacked=True), say_progress,
            gettext_lazy("Theme"), left_out=say_without_theme, counts=("sectors",),
            series=(
                ("delivered", "finished", gettext_lazy("Finished")), ("agreed", "in_delivery", gettext_lazy("In delivery")),
                ("open", "planned_stopped_or_not_stated", gettext_lazy("Planned, suspended, cancelled or not stated")),
            ),
        ),
    )
}  # fmt: skip


def of(told: str) -> list[Picture]:
    """The pictures that there are of one kind of record."""
    return [picture for picture in PICTURES.values() if told in picture.of]


def made(picture: Picture, told: str, query: str) -> Made:
    """The picture of a search (a canonical query), for everybody; the same for KEPT seconds."""
    key = salted_hmac("outreach.seeing", "|".join((picture.slug, told, get_language() or "en", query))).hexdigest()
    return caches["pictures"].get_or_set(key, lambda: _make(picture, told, query), KEPT)


def _make(picture: Picture, told: str, query: str) -> Made:
    rows = picture.rows(told, query)
    total = counting.total(told, query)
    sentence = " ".join(
        filter(None, (picture.sentence(told, rows, total), picture.left_out(told, query) if rows else ""))
    )
    drawn = picture.draw(sentence, told, query, rows, picture)
    svg, edges = drawn if isinstance(drawn, tuple) else (drawn, [])
    title = str(picture.title)
    if len(picture.of) > 1:
        title = _("%(what)s: %(title)s") % {"what": str(FIGURE_OF[told]).capitalize(), "title": title}
    not_counted = Project.objects.notes_on_transactions(*picture.counts, is_kept=False) if told == Told.PROJECTS else ()
    return Made(title, sentence, svg, rows, total, timezone.now(), tuple(edges), tuple(not_counted))
