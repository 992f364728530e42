"""Pictures: each says what was recorded, and no more. The drawings are read back and compared with the records."""

import csv
import gzip
import io
import json
import re
from functools import cache

import pytest
from django.core.cache import caches
from django.utils.html import escape
from django.utils.translation import override
from lxml import etree

from outreach import seeing
from outreach.choices import Told
from outreach.seeing import counting, drawing
from outreach.seeing.counting import Row
from partners.maps import world
from partners.models import Country
from projects.choices import NeedState, OfferState, Status
from projects.models import Project
from tests import THOROUGH
from tests.factories import NeedFactory, OfferFactory, ProjectFactory

pytestmark = [pytest.mark.sql, pytest.mark.django_db]
SVG = "{http://www.w3.org/2000/svg}"
EVERY = [(slug, told) for slug, picture in seeing.PICTURES.items() for told in picture.of]


@pytest.fixture(autouse=True)
def fresh():
    caches["pictures"].clear()


@pytest.fixture
def records():
    """Three projects, three needs, two offers; and of each one that nobody may see."""
    kenya = Country.objects.get(iso3="KEN")
    for title, countries, terms, status, start in (
        ("One", {"BRA": "provider", "KEN": "recipient"}, ["bsp-theme:wetlands", "sdg:15"], Status.CLOSED, "2020-01-01"),
        ("Two", {"BRA": "provider", "KEN": "recipient", "UGA": "recipient"}, ["bsp-theme:wetlands"], Status.IMPLEMENTATION, "2023-01-01"),
        ("Three", {"KEN": "both", "FJI": "recipient"}, ["bsp-theme:forests", "sdg:6"], Status.PIPELINE, "2023-06-01"),
    ):  # fmt: skip
        ProjectFactory(published=True, title=title, countries=countries, terms=terms, status=status, planned_start=start, planned_end="2027-01-01")  # fmt: skip
    ProjectFactory(
        title="Hidden", countries={"IND": "provider", "NPL": "recipient"}, terms=["bsp-theme:waste", "sdg:1"]
    )
    for iso3, terms in (("KEN", ["bsp-theme:air"]), ("UGA", ["bsp-theme:air"]), ("FJI", ["bsp-theme:waste"])):
        NeedFactory(in_state=NeedState.OPEN, country=Country.objects.get(iso3=iso3), terms=terms)
    NeedFactory(country=kenya)
    OfferFactory(in_state=OfferState.ACTIVE, terms=["bsp-theme:waste"])
    OfferFactory(
        in_state=OfferState.ACTIVE, terms=["bsp-theme:waste"], partner=None, country=Country.objects.get(iso3="BRA")
    )
    OfferFactory()


def made(slug: str, told: str = Told.PROJECTS, query: str = "") -> seeing.Made:
    return seeing.made(seeing.PICTURES[slug], told, query)


def table(slug: str, told: str = Told.PROJECTS, query: str = "") -> dict:
    rows = made(slug, told, query).rows
    return {(row.code, row.to_code) if row.to_code else row.code: row.values for row in rows}


def marks(svg: str, tag: str) -> list:
    """The marks of a drawing: (words of its title, the element)."""
    root = etree.fromstring(svg)
    return [(one.findtext(f"{SVG}title"), one) for one in root.iter(SVG + tag) if one.find(f"{SVG}title") is not None]


# --- the figures ---------------------------------------------------------------------------------------------------------
def test_figures_are_those_of_the_public_records(records):
    assert table("map") == {"KEN": (3,), "BRA": (2,), "FJI": (1,), "UGA": (1,)}
    assert table("map", Told.NEEDS) == {"KEN": (1,), "FJI": (1,), "UGA": (1,)}
    assert table("time") == {"2020": (1,), "2021": (0,), "2022": (0,), "2023": (2,)}
    assert {code: n for code, n in table("goals").items() if n != (0,)} == {"15": (1,), "6": (1,)}
    assert len(table("goals")) == 17
    assert table("balance", Told.NEEDS) == {"air": (2, 0), "waste": (1, 2)}
    assert table("progress") == {"wetlands": (1, 1, 0), "forests": (0, 0, 1)}
    assert table("countries") == {("BRA", "KEN"): (2,), ("BRA", "UGA"): (1,), ("KEN", "FJI"): (1,)}
    # Sub-regions: Latin America and the Caribbean, Sub-Saharan Africa, Melanesia.
    assert table("regions") == {("419", "202"): (2,), ("202", "054"): (1,)}


def test_pictures_follow_the_filters(records):
    assert table("map", query="country=UGA") == {"BRA": (1,), "KEN": (1,), "UGA": (1,), "FJI": (0,)}
    assert table("regions", query="country=UGA") == {("419", "202"): (1,)}
    assert table("time", query="term=bsp-theme:forests") == {"2023": (1,)}
    assert table("progress", query="q=Three") == {"forests": (0, 0, 1)}
    assert table("balance", Told.NEEDS, "country=KEN") == {"air": (1, 0)}
    assert table("balance", Told.NEEDS, "country=BRA&state=closed") == {"waste": (0, 1)}  # the state is left aside
    assert made("map", query="q=nothing+at+all").sentence.startswith("Nothing that passes")


def test_a_picture_says_which_projects_are_in_none_of_its_rows(records):
    """One without a theme or goal, one whose sectors are only in its transactions; what has stopped is not called planned."""
    ProjectFactory(published=True, title="Four", countries={"KEN": "recipient"}, terms=[], status=Status.CANCELLED)
    Project.objects.filter(title="Three").update(only_in_transactions="sector")
    drawn = made("progress")
    assert drawn.sentence.endswith("Not shown, since they have no theme: 1.")
    assert "1 project names its sectors only in its transactions." in " ".join(drawn.not_counted)
    assert "have no theme: 1." in made("progress", query="country=KEN").sentence
    assert "no theme" not in made("progress", query="term=bsp-theme:forests").sentence
    assert made("goals").sentence.endswith("Not shown, since they name no goal: 2.")
    ProjectFactory(published=True, terms=["bsp-theme:air"], status=Status.SUSPENDED)
    caches["pictures"].clear()
    assert table("progress")["air"] == (0, 0, 1)
    assert [str(h) for _p, _n, h in seeing.PICTURES["progress"].series][
        -1
    ] == "Planned, suspended, cancelled or not stated"


def test_a_figure_leads_to_the_records_that_it_counts(records, client):
    @cache
    def total(address: str) -> int:
        return client.get(address).context["total"]

    queries = ("country=KEN", "country=KEN&country=UGA", "term=bsp-theme:wetlands", "q=air")
    for place, (slug, told) in enumerate(EVERY):
        for query in ("", *(queries if THOROUGH else [queries[place % len(queries)]])):
            for row in made(slug, told, query).rows:
                if not row.address or slug in ("balance", "countries"):
                    continue
                assert total(row.address) == sum(row.values), (slug, told, query, row)
    for row in made("balance", Told.NEEDS).rows:
        if row.address:
            assert total(row.address) == row.values[0]
    # Codes of one filter are alternatives: where another code is chosen no list has just these.
    assert {row.code for row in made("map", query="country=UGA").rows if row.address} == {"UGA"}


def test_zero_is_told_from_nothing_reported(records):
    areas = {title.split(":")[0]: one for title, one in [*marks(made("map", query="country=UGA").svg, "path"), *marks(made("map", query="country=UGA").svg, "circle")]}  # fmt: skip
    assert areas["Fiji"].get("class") == "b0" and areas["Kenya"].get("class") == "b1"
    assert "India" not in areas  # has only a draft


# --- the drawings --------------------------------------------------------------------------------------------------------
def test_the_map_shows_the_figures_of_its_table(records):
    rows, svg = made("map").rows, made("map").svg
    shown = dict(title.split(": ") for title, _one in [*marks(svg, "path"), *marks(svg, "circle")])
    assert {name: int(n) for name, n in shown.items()} == {row.label: row.values[0] for row in rows}
    links = {one.get("href") for one in etree.fromstring(svg).iter(SVG + "a")}
    assert links == {row.address for row in rows}


def test_bars_are_as_long_as_their_figures(records):
    for slug, told in (("progress", Told.PROJECTS), ("goals", Told.PROJECTS), ("balance", Told.NEEDS)):
        picture, drawn = seeing.PICTURES[slug], made(slug, told)
        names = [str(heading) for _p, _n, heading in picture.series_of(told)]
        wanted = {
            f"{row.label}, {name}": n for row in drawn.rows for name, n in zip(names, row.values, strict=True) if n
        }
        got = {title.rpartition(": ")[0]: (int(title.rpartition(": ")[2]), float(one.get("width"))) for title, one in marks(drawn.svg, "rect")}  # fmt: skip
        assert {name: n for name, (n, _width) in got.items()} == wanted
        unit = {round(width / n, 1) for n, width in got.values()}
        assert max(unit) - min(unit) <= 0.11, slug  # the same length for one, everywhere
        patterns = {pattern for pattern, _n, _h in picture.series_of(told)}
        assert {one.get("class").split()[1] for _t, one in marks(drawn.svg, "rect")} <= patterns


def test_columns_stand_in_order_and_are_as_high_as_their_figures(records):
    drawn = made("time")
    got = sorted((float(one.get("x")), title, float(one.get("height")), float(one.get("y"))) for title, one in marks(drawn.svg, "rect"))  # fmt: skip
    assert [title for _x, title, _h, _y in got] == ["2020: 1", "2023: 2"]
    assert got[1][2] == 2 * got[0][2] and {height + top for _x, _t, height, top in got} == {166.0}


def test_ribbons_are_as_thick_as_their_figures(records):
    drawn = made("countries")
    got = {title: float(one.get("stroke-width")) for title, one in marks(drawn.svg, "path")}
    assert set(got) == {"Brazil → Kenya: 2", "Brazil → Uganda: 1", "Kenya → Fiji: 1"}
    assert got["Brazil → Kenya: 2"] == pytest.approx(2 * got["Kenya → Fiji: 1"], abs=0.02)
    nodes = {title: float(one.get("height")) for title, one in marks(drawn.svg, "rect")}
    assert nodes["Brazil: 3"] == pytest.approx(3 * got["Brazil → Uganda: 1"], abs=0.1)


def test_drawings_are_mirrored_for_arabic(records):
    rows = [Row("a", "A", (1,)), Row("b", "B", (2,))]
    ltr = drawing.bars("x", rows, [("open", "n")], is_stacked=True)
    with override("ar"):
        rtl = drawing.bars("x", rows, [("open", "n")], is_stacked=True)
    for (_title, one), (_same, other) in zip(marks(ltr, "rect"), marks(rtl, "rect"), strict=True):
        width = float(one.get("width"))
        assert float(other.get("x")) == pytest.approx(drawing.WIDTH - float(one.get("x")) - width, abs=0.11)
    assert 'direction="rtl"' in rtl and 'direction="ltr"' in ltr
    with override("ar"):
        assert 'direction="ltr"' in made("map").svg  # the world is not turned round


def test_words_of_records_do_not_break_out():
    svg = drawing.bars("<b>&\"'", [Row("x", '<script>alert(1)</script>"', (3,))], [("open", "<i>")], is_stacked=True)
    assert "<script" not in svg and etree.fromstring(svg) is not None


def test_every_member_state_is_on_the_map():
    drawn = {area.iso2 for area in world()}
    members = Country.objects.filter(is_un_member=True)
    assert members.count() == 193 and {one.iso2 for one in members} <= drawn


def test_the_largest_map_is_light():
    figures = {
        one.iso2: (one.name, 1 + one.pk % 500, f"/projects/?country={one.iso3}") for one in Country.objects.all()
    }
    svg, edges = drawing.world_map("A map", "projects", figures, [])
    assert len(gzip.compress(svg.encode())) < 30_000
    assert len(edges) == 4 and len({one.get("class") for _t, one in marks(svg, "path")}) == 4


@pytest.mark.parametrize(
    ("most", "edges"), [(0, []), (1, [1]), (3, [1, 2, 3]), (8, [1, 2]), (30, [1, 2, 10]), (100, [1, 2, 10, 20]), (2700, [1, 100, 200, 500])]
)  # fmt: skip
def test_bands_begin_at_round_numbers(most, edges):
    assert drawing.edges_of(most) == edges
    assert drawing.band_of(0, edges) == 0 and drawing.band_of(most, edges) == len(edges)


# --- the doors -----------------------------------------------------------------------------------------------------------
LANGUAGES = ["", "/ar", "/fr"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_picture_has_a_page_its_table_and_its_files(language, records, client):
    """Each in one of the languages, or in all of them."""
    for slug, told in EVERY if THOROUGH else EVERY[LANGUAGES.index(language) :: 3]:
        base = f"{language}/see/{told}/{slug}"
        page = client.get(f"{base}/")
        text = page.content.decode()
        drawn = page.context["made"]
        assert page.status_code == 200 and str(escape(drawn.sentence)) in text and "<svg" in text
        assert text.count("<tr>") == 1 + len(drawn.rows)
        file = client.get(f"{base}.svg")
        assert file["Content-Type"].startswith("image/svg+xml") and "max-age" in file["Cache-Control"]
        root = etree.fromstring(file.content)
        assert root.tag == f"{SVG}svg" and all(
            a.get("href").startswith("http://testserver/") for a in root.iter(SVG + "a")
        )
        rows = list(csv.reader(io.StringIO(b"".join(client.get(f"{base}.csv").streaming_content).decode())))
        picture = seeing.PICTURES[slug]
        assert rows[0] == [column.name for column in picture.columns(told)]
        assert [tuple(row) for row in rows[1:]] == [tuple(map(str, cells)) for cells in drawn.cells(picture)]
        lines = b"".join(client.get(f"{base}.jsonl").streaming_content).decode().splitlines()
        assert [json.loads(line)[rows[0][-1]] for line in lines] == [row.values[-1] for row in drawn.rows]


def test_a_frame_loads_nothing_and_anybody_may_show_it(records, client):
    answer = client.get("/see/projects/map/frame/?country=KEN")
    text, policy = answer.content.decode(), answer["Content-Security-Policy"]
    assert "frame-ancestors *" in policy and "script-src 'none'" in policy and "style-src 'self'" in policy
    assert (
        "X-Frame-Options" not in answer
        and not answer.cookies
        and answer["Cross-Origin-Resource-Policy"] == "cross-origin"
    )
    assert re.findall(r'(?:src|href)="(/[^"]*)"', text)[:1] == ["/static/css/frame.css"]
    assert not re.search(r"<(script|img|style)|src=", text) and "/see/projects/map/?country=KEN" in text
    assert client.get("/see/projects/map/")["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize("language", ["", "/ar"])
def test_what_cannot_be_drawn_is_told(language, client):
    for address in ("/see/projects/map/?country=XXX", "/see/needs/map/?kind=nothing"):
        answer = client.get(language + address)
        assert answer.status_code == 400 and 'role="alert"' in answer.content.decode()
    for address in (
        "/see/projects/map.svg?country=XXX",
        "/see/projects/map/frame/?country=XXX",
        "/see/projects/map.csv?q=" + "x" * 700,
    ):
        assert client.get(language + address).status_code == 400
    for address in (
        "/see/projects/nothing/",
        "/see/offers/regions/",
        "/see/news/map/",
        "/see/projects/map.exe",
        "/see/projects/map.xlsx",
    ):
        assert client.get(language + address).status_code == 404


@pytest.mark.parametrize(("slug", "told"), EVERY)
def test_without_records_it_says_so(slug, told, client):
    page = client.get(f"/see/{told}/{slug}/")
    assert page.status_code == 200
    if slug != "goals":
        assert "nothing reported" in page.content.decode() and not page.context["made"].rows


def test_a_picture_is_made_once(records, client, django_assert_max_num_queries):
    client.get("/see/projects/map/")
    Project.objects.filter(title="One").update(title="Ones")
    with django_assert_max_num_queries(4):  # regions of the page; none for the picture
        client.get("/see/projects/map/")
    assert client.get("/see/projects/map.svg").status_code == 200


def test_a_picture_costs_the_same_for_many_records(records, count_queries):
    def costs() -> dict:
        found = {}
        for slug, told in EVERY:
            with count_queries() as n:
                seeing.pictures._make(seeing.PICTURES[slug], told, "")
            found[slug, told] = n()
        return found

    few = costs()
    for _n in range(5):
        ProjectFactory(published=True, countries={"KEN": "recipient"})
        NeedFactory(in_state=NeedState.OPEN)
    assert costs() == few


def test_lists_lead_to_their_pictures(records, client):
    text = client.get("/needs/?country=KEN&sort=title").content.decode()
    assert 'href="/see/needs/map/?country=KEN"' in text
    assert "/see/" in client.get("/").content.decode()
    index = client.get("/see/").content.decode()
    for slug, told in EVERY:
        assert f'href="/see/{told}/{slug}/"' in index


def test_names_of_a_sentence_are_the_largest():
    rows = [Row("a", "A", (5,)), Row("b", "B", (3,)), Row("c", "C", (0,))]
    assert counting.names_of(rows) == "A (5), B (3)"
