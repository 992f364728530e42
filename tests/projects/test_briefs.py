"""The brief of a country and the report of a year: right figures, nothing private, as page and as PDF in every language."""

import datetime as dt
import io
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override
from pypdf import PdfReader

from partners.models import Country, Partner
from projects.choices import NeedState, OfferState, Unit
from projects.interchange import briefs
from projects.interchange.statistics import QUANTITIES, quantities
from projects.models import Need, Project
from tests.factories import (
    ContributionFactory,
    NeedFactory,
    OfferFactory,
    ProjectFactory,
    ResponseFactory,
)

pytestmark = pytest.mark.django_db
THIS = timezone.localdate().year


def table(brief, slug, place=0):
    section = next(one for one in brief.sections if one.slug == slug)
    return [[cell.text for cell in row.cells] for row in section.tables[place].rows]


def figures(brief) -> dict:
    return {one.label: one.value for one in brief.figures}


@pytest.fixture
def kenya():
    return Country.objects.get(iso3="KEN")


@pytest.fixture
def world(kenya):
    """Kenya asks, offers, gives and gets; others too."""
    NeedFactory(in_state=NeedState.OPEN)
    NeedFactory(in_state=NeedState.CLOSED)
    NeedFactory(in_state=NeedState.DRAFT, title="PRIVATE-DRAFT")
    OfferFactory(in_state=OfferState.ACTIVE, country=kenya, partner=None)
    OfferFactory(in_state=OfferState.DRAFT, country=kenya, partner=None, title="PRIVATE-OFFER")
    given = ProjectFactory(
        published=True, countries={"KEN": "provider", "MOZ": "recipient"}, actual_start=dt.date(THIS, 2, 1)
    )
    ContributionFactory(project=given, country=kenya, partner=None, quantity=40, delivered=10, unit="expert-days")
    ContributionFactory(project=given, country=kenya, partner=None, quantity=5, delivered=None, unit="expert-days")
    ContributionFactory(
        project=given, country=kenya, partner=None, quantity=3, delivered=3, unit="items", amount=1000, currency="USD"
    )
    got = ProjectFactory(
        published=True, countries={"BRA": "provider", "KEN": "recipient"}, actual_start=dt.date(THIS, 3, 1)
    )
    ContributionFactory(
        project=got, country=Country.objects.get(iso3="BRA"), partner=None, quantity=7, delivered=2, unit="people"
    )
    hidden = ProjectFactory(countries={"KEN": "provider", "BRA": "recipient"}, title="PRIVATE-PROJECT")
    ContributionFactory(project=hidden, country=kenya, partner=None, quantity=999, delivered=999, unit="expert-days")


def test_what_nobody_said_a_word_on_is_not_drawn_as_outstanding(world, kenya):
    """Of 45 expert-days 10 are delivered, 30 are not yet, and of 5 nothing is known."""
    sections = {section.slug: section for section in briefs.brief_of(kenya).sections}
    rows = [row for section in sections.values() for table in section.tables for row in table.rows]
    [days] = [row for row in rows if row.strips and row.cells[0].text == str(Unit.EXPERT_DAYS.label)]
    assert [(part.pattern, part.value) for part in days.strips[0]] == [("delivered", 10), ("agreed", 30), ("open", 5)]


def test_a_brief_says_what_was_asked_offered_brought_and_with_whom(world, kenya):
    brief = briefs.brief_of(kenya)
    assert figures(brief) == {
        "needs stated": "2", "of them under way": "1", "of them met, whole or in part": "1", "offers that can be had": "1",
        "projects as provider": "1", "projects as recipient": "1",
    }  # fmt: skip
    assert table(brief, "asked") == [["open", "1"], ["closed", "1"]]
    assert table(brief, "brought") == [["expert-days", "45", "10", "1", "2"], ["items", "3", "3", "0", "1"]]
    assert table(brief, "brought", 1) == [["USD", "USD\u00a01\u202f000", "not reported", "1", "1"]]
    assert table(brief, "received") == [["people", "7", "2", "0", "1"]]
    assert table(brief, "with-whom") == [["Brazil", "1", "0"], ["Mozambique", "0", "1"]]
    assert len(table(brief, "carried-out", 1)) == 2


def test_its_quantities_are_those_of_the_standard(world, kenya):
    names = [column.name for column in QUANTITIES]
    rows = [dict(zip(names, row, strict=True)) for row in quantities(Project.objects.published())]
    of_kenya = [row for row in rows if row["provider_code"] == "KEN" and row["unit"] == "expert-days"]
    shown = next(row for row in table(briefs.brief_of(kenya), "brought") if row[0] == "expert-days")
    assert Decimal(shown[1]) == sum(row["quantity"] for row in of_kenya)
    assert Decimal(shown[2]) == sum(row["delivered"] or 0 for row in of_kenya)
    of_year = [row for row in rows if row["year"] == THIS and row["unit"] == "people"]
    shown = next(row for row in table(briefs.report_of(THIS), "delivered") if row[0] == "people")
    assert Decimal(shown[1]) == sum(row["quantity"] for row in of_year)


def test_nothing_reported_is_not_zero():
    brief = briefs.brief_of(Country.objects.get(iso3="AND"))
    assert all(not section.tables and section.nothing for section in brief.sections)
    assert "That is not the same as having none." in brief.sections[0].nothing
    report = briefs.report_of(THIS)
    assert all(not section.tables for section in report.sections)


def test_a_year_counts_what_happened_in_it():
    early = NeedFactory(in_state=NeedState.OPEN, title="Of last year")
    Need.objects.filter(pk=early.pk).update(published_at=timezone.now() - dt.timedelta(days=366))
    need = NeedFactory(in_state=NeedState.OPEN)
    Need.objects.filter(pk=need.pk).update(published_at=timezone.now() - dt.timedelta(days=4))
    ResponseFactory(need=need)
    suggested = ResponseFactory(need=need, partner=Partner.objects.get(slug="fao"))
    type(suggested).objects.filter(pk=suggested.pk).update(state="suggested")
    ProjectFactory(published=True, actual_start=dt.date(THIS - 1, 5, 1), actual_end=dt.date(THIS, 1, 15), status="4")
    ProjectFactory(published=True, actual_start=None, planned_start=dt.date(THIS, 5, 1), planned_end=None)
    said = figures(briefs.report_of(THIS))
    assert (said["needs opened"], said["of them with a response"], said["responses"]) == ("1", "1", "1")
    assert said["days to the first response, at the median"] in ("3", "4")
    assert (said["projects begun"], said["projects ended"]) == ("1", "1")
    last = briefs.report_of(THIS - 1)
    assert figures(last)["needs opened"] == "1" and figures(last)["projects begun"] == "1"
    assert "So far" in briefs.report_of(THIS).lede and "So far" not in last.lede
    assert "Of last year" in [row[2] for row in table(last, "asked", -1)]
    assert briefs.years()[0] == THIS and THIS - 1 in briefs.years()


def test_nothing_private_is_in_them(world, client, kenya):
    for address in (reverse("country-brief", args=["KEN"]), reverse("year-report", args=[THIS])):
        content = client.get(address).content.decode()
        assert "PRIVATE" not in content and "RESTRICTED" not in content
    assert "PRIVATE" not in text_of(briefs.as_pdf(briefs.brief_of(kenya)))


def test_pages_lead_to_each_other_and_refuse_what_is_not_there(world, client):
    page = client.get("/countries/KEN/")
    assert reverse("country-brief", args=["KEN"]).encode() in page.content
    brief = client.get(reverse("country-brief", args=["KEN"])).content.decode()
    assert (
        reverse("country-brief-pdf", args=["KEN"]) in brief
        and "Sources and method" in brief
        and "url(#p-delivered)" in brief
    )
    assert client.get("/countries/ken/brief/")["Location"] == "/countries/KEN/brief/"
    assert client.get("/countries/ken/brief.pdf")["Location"] == "/countries/KEN/brief.pdf"
    for address in (
        "/countries/XXX/brief/",
        "/countries/XXX/brief.pdf",
        "/data/report/1900/",
        "/data/report/99999.pdf",
    ):
        assert client.get(address).status_code == 404, address
    newest = client.get("/data/report/")
    assert newest.status_code == 302 and client.get(newest["Location"]).status_code == 200
    assert client.post("/data/report/2026/").status_code == 405
    assert f"/data/report/{THIS}/" in client.get("/sitemap-reports.xml").content.decode()


# --- PDF ---------------------------------------------------------------------------------------------------------------
def reader_of(content: bytes) -> PdfReader:
    return PdfReader(io.BytesIO(content))


def text_of(content: bytes) -> str:
    return " ".join(" ".join(page.extract_text() for page in reader_of(content).pages).split())


def fonts_of(content: bytes) -> set[str]:
    found = set()
    for page in reader_of(content).pages:
        found |= {str(font["/BaseFont"]).split("+")[-1] for font in page["/Resources"]["/Font"].get_object().values()}
    return found


def test_the_pdf_holds_what_the_page_says(world, client):
    answer = client.get(reverse("country-brief-pdf", args=["KEN"]))
    assert answer["Content-Type"] == "application/pdf" and 'filename="brief-KEN.pdf"' in answer["Content-Disposition"]
    said, brief = text_of(answer.content), briefs.brief_of(Country.objects.get(iso3="KEN"))
    for section in brief.sections:
        assert section.title in said
        for one in section.tables:
            assert one.caption in said
            for row in one.rows:
                assert all(" ".join(cell.text.split()) in said for cell in row.cells), [cell.text for cell in row.cells]
    pdf = reader_of(answer.content)
    root = pdf.trailer["/Root"]
    assert (pdf.metadata.title, str(root["/Lang"])) == (brief.title, "en") and root["/MarkInfo"]["/Marked"]
    links = [
        note.get_object()["/A"]["/URI"]
        for page in pdf.pages
        for note in page.get("/Annots", [])
        if "/A" in note.get_object()
    ]
    assert any(link.endswith("/countries/BRA/") for link in links)


def test_texts_of_people_are_data_never_markup(kenya):
    title = '#panic("no") *bold* $x$ <label> @ref \\ "quoted" // comment'
    NeedFactory(in_state=NeedState.OPEN, title=title)
    assert title in text_of(briefs.as_pdf(briefs.brief_of(kenya)))


@pytest.mark.parametrize(
    ("language", "font", "said"),
    [("ar", "Almarai", "البيئة"), ("zh-hans", "NotoSansSC", "肯尼亚"), ("ru", "NotoSans", "Кения")],
)
def test_every_script_has_its_font(language, font, said, world, kenya):
    with override(language):
        content = briefs.as_pdf(briefs.brief_of(kenya))
    assert any(name.startswith(font) for name in fonts_of(content)), fonts_of(content)
    assert said in text_of(content)
    assert str(reader_of(content).trailer["/Root"]["/Lang"]).startswith(language[:2])


@pytest.mark.parametrize("which", ["brief", "report"])
def test_more_records_cost_no_more_queries(which, world, kenya, count_queries):
    def make():
        return briefs.brief_of(kenya) if which == "brief" else briefs.report_of(THIS)

    make()
    with count_queries() as n:
        make()
    for _again in range(5):
        NeedFactory(in_state=NeedState.OPEN)
        OfferFactory(in_state=OfferState.ACTIVE, country=kenya, partner=None)
        project = ProjectFactory(
            published=True, countries={"IND": "provider", "KEN": "recipient"}, actual_start=dt.date(THIS, 2, 1)
        )
        ContributionFactory(project=project)
    with count_queries() as more:
        make()
    assert more() == n()
