"""How complete records are: the points, each with how to gain it; by publisher and over time; the public page."""

import datetime as dt

import pytest
from lxml import html

from partners.models import Partner
from projects import charts, quality, recording
from projects.models import Project, ProjectPartner, QualityDay
from tests.factories import ProjectFactory

pytestmark = [pytest.mark.sql, pytest.mark.django_db]
DAY = dt.date(2026, 11, 25)


def published_by(slug: str, n: int = 1, **values) -> list[Project]:
    """Published records that a partner reports."""
    found = [ProjectFactory(published=True, partners=[], **values) for _number in range(n)]
    for project in found:
        partner = Partner.objects.get(slug=slug)
        ProjectPartner.objects.create(project=project, partner=partner, role="4", is_reporting=True)
    return found


def test_the_points_are_a_hundred_and_each_says_how_to_gain_it():
    assert sum(criterion.points for criterion in quality.CRITERIA) == 100
    assert len({criterion.key for criterion in quality.CRITERIA}) == len(quality.CRITERIA)
    assert all(criterion.points > 0 and criterion.advice for criterion in quality.CRITERIA)


def test_following_each_advice_gains_its_points(people):
    """From an empty record to a hundred, one act after the other; each gains what its criterion promises."""
    project = recording.enter({"title": "A title", "status": "2"}, by=people["desk"])
    score = Project.objects.get(pk=project.pk).quality_score
    assert score == 0
    acts = [
        ("summary", {"summary": "Two sentences. For everybody."}),
        ("description", {"description": "What is done, where and for whom. " * 4}),
        ("objectives", {"objectives": "Cleaner rivers."}),
        ("start", {"planned_start": dt.date(2026, 1, 1)}),
        ("end", {"planned_end": dt.date(2027, 1, 1)}),
        ("modality", {"modality": "bilateral"}),
    ]
    points = {criterion.key: criterion.points for criterion in quality.CRITERIA}
    for key, values in acts:
        project = recording.change(project, values, by=people["desk"])
        now = Project.objects.get(pk=project.pk).quality_score
        assert now - score == points[key], key
        score = now


def test_what_iati_asks_for_is_part_of_the_score_with_its_fix():
    [project] = published_by("undp", status="2", planned_start=DAY)
    loaded = Project.objects.for_iati().get(pk=project.pk)
    found = {finding.criterion.key: finding for finding in quality.assess(loaded)}
    assert found["iati"].is_met == (quality.lacks_for_iati(loaded) == [])
    Project.objects.filter(pk=project.pk).update(planned_start=None, actual_start=None)
    loaded = Project.objects.for_iati().get(pk=project.pk)
    found = {finding.criterion.key: finding for finding in quality.assess(loaded)}
    assert not found["iati"].is_met
    assert "planned or actual start" in found["iati"].advice


def test_a_day_is_measured_in_all_and_by_publisher_and_counted_right():
    published_by("undp", 2)
    published_by("fao", 1)
    ProjectFactory(published=True, partners=[])
    ProjectFactory()  # a draft counts for nobody
    quality.measure(DAY)
    quality.measure(DAY)  # once more on the same day: no second row
    whole = QualityDay.objects.whole().get()
    rows = {row.publisher and row.publisher.slug: row for row in QualityDay.objects.filter(is_whole=False)}
    assert {slug: row.records for slug, row in rows.items()} == {"undp": 2, "fao": 1, None: 1}
    scores = dict(Project.objects.values_list("pk", "quality_score"))
    published = Project.objects.published()
    assert whole.points == sum(scores[p.pk] for p in published) == sum(row.points for row in rows.values())
    worth = {criterion.key: criterion.points for criterion in quality.CRITERIA}
    assert whole.points == sum(worth[key] * n for key, n in whole.met.items())


def test_measuring_costs_a_fixed_number_of_queries(count_queries):
    def cost(n: int) -> int:
        published_by("undp", n)
        quality.measure(DAY)  # scores are stored
        with count_queries() as counted:
            quality.measure(DAY)
        return counted()

    assert cost(1) == cost(2) == cost(27)


def test_change_is_told_where_it_was_measured_before():
    published_by("undp", 1)
    quality.measure(DAY - dt.timedelta(days=31))
    published_by("fao", 1)
    Project.objects.filter(partner_links__partner__slug="undp").update(objectives="", summary="")
    quality.measure(DAY)
    found = {one.partner.slug: one for one in quality.publishers(DAY)}
    assert found["undp"].change < 0
    assert found["fao"].change is None


def test_the_page_shows_the_figures_that_were_kept(client):
    published_by("undp", 3)
    quality.measure(DAY - dt.timedelta(days=40))
    published_by("fao", 1)
    quality.measure(DAY)
    page = html.fromstring(client.get("/data/quality/").content)
    now = QualityDay.objects.whole().get(day=DAY)
    cells = [[cell.text_content().strip() for cell in row.iter("th", "td")] for row in page.iter("tr")]
    assert ["25 November 2026", "4", f"{now.mean:.1f}"] in cells
    for criterion in quality.CRITERIA:
        said = f"{criterion.label}{criterion.advice}"
        assert [said, str(criterion.points), f"{now.met[criterion.key]} of 4"] in cells
    undp = next(row for row in cells if "Development Programme" in row[0])
    assert undp[1] == "3"
    [drawn] = page.xpath("//svg[contains(@class, 'over-time')]")
    ends = [tuple(map(float, point.split(","))) for point in drawn.xpath(".//path[@class='line']/@d")[0][1:].split("L")]
    height = charts.LINE_BOTTOM - charts.LINE_TOP
    read = [(charts.LINE_BOTTOM - y) / height * 100 for _x, y in ends]
    kept = [row.mean for row in quality.history(None)]
    assert read == pytest.approx(kept, abs=0.1)
    one = client.get("/data/quality/?publisher=undp")
    assert "3 published projects" in one.content.decode()
    assert client.get("/data/quality/?publisher=nobody").status_code == 404
    assert client.get("/data/quality/?publisher=unesco").status_code == 404  # publishes nothing here


def test_before_the_first_night_the_page_says_so(client):
    page = client.get("/data/quality/")
    assert page.status_code == 200
    assert "first night has not come" in page.content.decode()


def test_the_page_costs_the_same_at_any_length(client, count_queries):
    def cost(slugs) -> int:
        for slug in slugs:
            published_by(slug)
        quality.measure(DAY)
        with count_queries() as counted:
            client.get("/data/quality/")
        return counted()

    assert cost(["undp"]) == cost(["fao", "unesco"]) == cost(["who", "unido", "unctad"])
