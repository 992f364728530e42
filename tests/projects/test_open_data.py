"""Lists as files, whole data sets, figures of the standards."""

import csv
import datetime as dt
import gzip
import hashlib
import io
import json
from decimal import Decimal

import duckdb
import pandas
import pytest
from django.core.management import call_command
from django.urls import reverse
from lxml import etree, html
from openpyxl import load_workbook

from ground import tables
from partners import tables as of_partners
from partners.models import Country, Partner
from projects.choices import NeedState
from projects.interchange import datasets, open_data
from projects.interchange.statistics import TOSSD
from projects.models import Contribution, Location, Need, Project
from tests.factories import ContributionFactory, NeedFactory, OfferFactory, ProjectFactory, commit, put_in_state
from tests.projects.test_draft_documents import close

LISTS = {**of_partners.TABLES, **datasets.TABLES}
pytestmark = [pytest.mark.sql, pytest.mark.django_db]


def body(answer) -> bytes:
    """What was answered, to its end; files are closed."""
    if not answer.streaming:
        return answer.content
    content = b"".join(answer.streaming_content)
    close(answer)
    return content


def rows_of(answer) -> list[dict]:
    assert answer.status_code == 200, body(answer)
    return list(csv.DictReader(io.StringIO(body(answer).decode())))


@pytest.fixture
def one_of_each():
    project = ProjectFactory(published=True)
    ContributionFactory(project=project)
    NeedFactory(in_state=NeedState.OPEN)
    OfferFactory(in_state="active")
    return project


# --- every list in every format -------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", [*LISTS, "tossd", "quantities"])
def test_a_list_is_the_same_in_every_format(name, client, one_of_each):
    address = f"/api/v1/{name}/"
    as_csv = client.get(address, {"format": "csv"})
    assert as_csv["Content-Type"] == "text/csv; charset=utf-8"
    assert as_csv["Content-Disposition"].startswith(f'attachment; filename="{name}-2')
    rows = rows_of(as_csv)
    assert rows

    as_lines = client.get(address, {"format": "jsonl"})
    assert as_lines["Content-Type"] == "application/jsonl; charset=utf-8"
    lines = [json.loads(line) for line in body(as_lines).splitlines()]
    assert [list(line) for line in lines] == [list(r) for r in rows]

    as_book = client.get(address, {"format": "xlsx"})
    sheet = load_workbook(io.BytesIO(body(as_book))).worksheets[0]
    head, *cells = sheet.iter_rows(values_only=True)
    assert (list(head), len(cells)) == (list(rows[0]), len(rows))
    for row_, line in zip(rows, lines, strict=True):
        for column, cell in row_.items():
            value = line[column]
            if isinstance(value, list):
                value = tables.JOIN.join(value)
            if isinstance(value, bool):
                value = str(value).lower()
            written = "" if value is None else f"{Decimal(str(value)):f}" if isinstance(value, float) else str(value)
            assert cell.removeprefix("'") == written, column

    counted = client.get(address).json()["count"]
    assert counted == len(rows)


@pytest.mark.parametrize("name", [n for n, (t, _model) in LISTS.items() if t.places is not None])
def test_places_come_as_geojson(name, client, one_of_each):
    Location.objects.create(project=one_of_each, name="A", latitude=Decimal("-1.5"), longitude=Decimal("36.25"))
    Location.objects.create(project=one_of_each, name="B", latitude=1, longitude=2)
    answer = client.get(f"/api/v1/{name}/", {"format": "geojson"})
    assert answer["Content-Type"] == "application/geo+json; charset=utf-8"
    found = json.loads(body(answer))
    assert (found["type"], "crs" in found) == ("FeatureCollection", False)
    assert len(found["features"]) == len(rows_of(client.get(f"/api/v1/{name}/", {"format": "csv"})))
    for feature in found["features"]:
        assert set(feature) == {"type", "id", "geometry", "properties"}
        if feature["geometry"]:
            points = feature["geometry"]["coordinates"]
            for longitude, latitude in points if feature["geometry"]["type"] == "MultiPoint" else [points]:
                assert -180 <= longitude <= 180
                assert -90 <= latitude <= 90
    if name == "projects":
        assert found["features"][0]["geometry"] == {"type": "MultiPoint", "coordinates": [[36.25, -1.5], [2, 1]]}


def test_an_empty_list_is_an_empty_file(client):
    assert body(client.get("/api/v1/projects/?format=jsonl")) == b""
    assert len(body(client.get("/api/v1/projects/?format=csv")).splitlines()) == 1
    assert json.loads(body(client.get("/api/v1/projects/?format=geojson")))["features"] == []
    answer = client.get("/api/v1/projects/?format=iati")  # an IATI file holds at least one activity
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")
    said = "No record of this list can stand in an IATI file, which can’t be empty"
    assert said in answer.json()["detail"]
    NeedFactory(in_state=NeedState.OPEN)  # whose delivery is not agreed
    assert said in client.get("/api/v1/needs/?format=iati").json()["detail"]


def test_an_empty_list_does_not_offer_a_file_that_can_not_be_empty(client):
    ProjectFactory(published=True, title="Wells")
    links = {
        q: html.fromstring(client.get(reverse("project-list"), {"q": q}).content).xpath("//a/@href")
        for q in ("wells", "volcano")
    }
    formats = {
        q: {name for name in ("csv", "iati") for link in found if f"format={name}" in link}
        for q, found in links.items()
    }
    assert formats == {"wells": {"csv", "iati"}, "volcano": {"csv"}}


def test_the_filter_holds_in_every_format(client):
    chosen = ProjectFactory(published=True, title="Mangroves of the delta", terms=["bsp-theme:oceans"])
    ContributionFactory(project=chosen)
    other = ProjectFactory(published=True, terms=["bsp-theme:energy"])
    ContributionFactory(project=other)
    hidden = ProjectFactory(terms=["bsp-theme:oceans"], title="Mangroves unseen")
    ContributionFactory(project=hidden)
    query = {"q": "mangroves", "term": "bsp-theme:oceans", "country": "KEN"}
    for name in ("csv", "jsonl", "geojson", "iati"):
        text = body(client.get("/api/v1/projects/", {**query, "format": name})).decode()
        assert chosen.reference in text
        assert other.reference not in text
        assert hidden.reference not in text
    for name in ("tossd", "quantities"):
        assert len(rows_of(client.get(f"/api/v1/{name}/", {**query, "format": "csv"}))) == 1
    page = client.get("/projects/", {**query, "format": "csv"})
    assert (page.status_code, page.url.split("?")[0]) == (302, "/api/v1/projects/")
    assert len(rows_of(client.get(page.url))) == 1


@pytest.mark.parametrize(
    ("query", "code", "field"),
    [
        ("format=csv&page=2", 404, None),
        ("format=csv&page_size=0", 400, "page_size"),
        ("format=csv&fields=nonsense", 400, "fields"),
        ("format=iati&omit=title", 400, "omit"),
        ("format=", 406, None),
        ("format=csv&country=ZZZ", 400, "country"),
        ("format=xlsx&nonsense=1", 400, "nonsense"),
        ("format=pdf", 406, None),
    ],
)
def test_what_can_not_be_used_is_a_problem_in_every_format(query, code, field, client):
    answer = client.get(f"/api/v1/projects/?{query}")
    assert (answer.status_code, answer["Content-Type"]) == (code, "application/problem+json")
    assert [e["field"] for e in answer.json().get("errors", [])] == ([field] if field else [])


def test_a_page_of_a_list_can_be_taken_as_a_file(client):
    for n in range(5):
        ContributionFactory(project=ProjectFactory(published=True, title=f"Project {n}"))
    answer = client.get("/api/v1/projects/?format=csv&sort=title&page_size=2&page=2")
    assert sorted(r["title"] for r in rows_of(answer)) == ["Project 2", "Project 3"]
    assert 'rel="next"' in answer["Link"] and 'rel="prev"' in answer["Link"]
    commit()
    seen, address = [], "/api/v1/projects/?format=csv&cursor=&page_size=2"
    while address:
        answer = client.get(address)
        seen += [r["title"] for r in rows_of(answer)]
        address = next((part.split(">")[0][1:] for part in answer["Link"].split(", ") if 'rel="next"' in part), None)
    assert seen == [f"Project {n}" for n in range(5)]
    assert len(rows_of(client.get("/api/v1/tossd/?format=csv&page=2&page_size=2"))) == 2
    assert len(rows_of(client.get("/api/v1/quantities/?format=csv&page=1&page_size=1"))) == 1


def test_columns_of_a_file_are_chosen(client, one_of_each):
    assert list(rows_of(client.get("/api/v1/projects/?format=csv&fields=title,reference"))[0]) == ["reference", "title"]
    assert "title" not in rows_of(client.get("/api/v1/projects/?format=csv&omit=title"))[0]


def test_formats_are_negotiated(client, one_of_each):
    assert client.get("/api/v1/projects/", headers={"Accept": "text/csv"})["Content-Type"].startswith("text/csv")
    answer = client.get("/api/v1/needs/", headers={"Accept": "application/geo+json"})
    assert json.loads(body(answer))["type"] == "FeatureCollection"
    answer = client.get(f"/api/v1/projects/{one_of_each.reference}/", headers={"Accept": "application/xml"})
    assert etree.fromstring(body(answer)).tag == "iati-activities"
    assert client.get(f"/api/v1/projects/{one_of_each.reference}/?format=csv").status_code == 406


def test_a_workbook_is_not_made_of_more_rows_than_one_waits_for(client, monkeypatch):
    monkeypatch.setattr(tables, "MOST_IN_A_WORKBOOK", 2)
    for _n in range(3):
        ProjectFactory(published=True)
    answer = client.get("/api/v1/projects/?format=xlsx")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "format")
    assert len(rows_of(client.get("/api/v1/projects/?format=csv"))) == 3


@pytest.mark.parametrize("text", ["x" * 32_768, "\U0001f30d" * 16_384, "_x0041_" * 4000])
def test_a_workbook_is_not_made_where_a_cell_would_be_cut(text, client):
    project = ProjectFactory(published=True)
    Project.objects.update(summary=text)
    answer = client.get("/api/v1/projects/?format=xlsx")
    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["field"]) == (400, "format")
    assert "more than the 32767 characters" in error["detail"] and "Take CSV" in error["detail"]
    assert rows_of(client.get("/api/v1/projects/?format=csv"))[0]["summary"] == text
    Project.objects.filter(pk=project.pk).update(summary="x" * 32_767)
    sheet = load_workbook(io.BytesIO(body(client.get("/api/v1/projects/?format=xlsx")))).worksheets[0]
    assert "x" * 32_767 in [cell.value for cell in sheet[2]]


def test_no_cell_is_a_formula(client):
    ProjectFactory(published=True, title='=HYPERLINK("https://evil.example")', summary="+1\x0b")
    found = rows_of(client.get("/api/v1/projects/?format=csv"))[0]
    assert (found["title"][:2], found["summary"][:2]) == ("'=", "'+")
    sheet = load_workbook(io.BytesIO(body(client.get("/api/v1/projects/?format=xlsx")))).worksheets[0]
    cell = next(c for c in sheet[2] if str(c.value).startswith("=HYPERLINK"))
    assert cell.data_type == "s"
    line = json.loads(body(client.get("/api/v1/projects/?format=jsonl")))
    assert line["title"].startswith("=HYPERLINK")


BLANKS = ["", "\n", "\r\n", "\t", " ", "\ufeff", "\u00a0\n", "\u200b"]


def test_no_cell_is_a_formula_after_what_spreadsheets_pass_over():
    texts = [f"{blank}{sign}1+1" for blank in BLANKS for sign in "=+-@＝"]
    for text in texts:
        ProjectFactory(published=True, countries={}, terms=[], partners=[], title=text)
    table, records = LISTS["projects"][0], Project.objects.order_by("pk")
    for content in (table.copied(records), tables.csv_of(table.columns, table.rows(records))):
        found = csv.DictReader(io.StringIO(b"".join(content).decode(), newline=""))
        assert sorted(row["title"] for row in found) == sorted(f"'{text}" for text in texts)
    with tables.workbook("projects", table.columns, table.rows(records)) as file:
        sheet = load_workbook(file).worksheets[0]
    cells = [c for row in sheet.iter_rows(min_row=2) for c in row if str(c.value).endswith("1+1")]
    assert [(c.data_type, c.quotePrefix) for c in cells] == [("s", True)] * len(texts)


def test_csv_is_the_same_from_the_database_as_from_python(one_of_each):
    """`_in_csv` and `_cell` say the same thing, to the byte."""
    ProjectFactory(published=True, title="@formula", summary='quoted "words",\nlines', language="fr", planned_end=None)
    for table, model in (*LISTS.values(), (TOSSD, Contribution)):
        records = model.objects.all()
        from_python = b"".join(tables.csv_of(table.columns, table.rows(records))).decode()
        assert b"".join(table.copied(records)).decode() == from_python


def test_every_csv_is_read_by_other_programs_without_options(one_of_each, client, tmp_path):
    """One line end and one way to say nothing (RFC 4180)."""
    ProjectFactory(published=True, title="Ünïcode", summary='quoted "words",\nlines; and more', planned_end=None)
    for name in (*LISTS, "tossd", "quantities"):
        content = body(client.get(f"/api/v1/{name}/?format=csv"))
        path = tmp_path / f"{name}.csv"
        path.write_bytes(content)
        rows = list(csv.reader(io.StringIO(content.decode(), newline="")))
        assert content.count(b"\r\n") == len(rows), name
        assert b',"",' not in content, name
        duck = duckdb.sql(f"select * from read_csv('{path}', all_varchar = true)")  # noqa: S608
        panda = pandas.read_csv(path, dtype=str)
        assert [duck.columns, list(panda.columns)] == [rows[0]] * 2, name
        assert [len(duck), len(panda)] == [len(rows) - 1] * 2, name
        assert [[cell or "" for cell in row] for row in duck.fetchall()] == rows[1:], name
        assert len(duckdb.sql(f"select * from '{path}'")) == len(rows) - 1, name  # noqa: S608


def test_tables_are_read_at_a_fixed_number_of_queries(client, count_queries):
    def asked(address):
        with count_queries() as n:
            body(client.get(address))
        return n()

    addresses = [
        f"/api/v1/{name}/?format={f}" for name in ("projects", "tossd", "quantities") for f in ("csv", "jsonl")
    ]
    addresses += ["/api/v1/projects/?format=geojson", "/api/v1/projects/?format=iati"]
    ProjectFactory(published=True)
    counts = []
    for address in addresses:
        body(client.get(address))  # what is looked up once is known after this
    for more in (1, 12):
        for _n in range(more):
            ContributionFactory(project=ProjectFactory(published=True))
        counts.append([asked(address) for address in addresses])
    assert counts[0] == counts[1]
    assert max(counts[0][:-1]) <= 6


# --- nobody reads more than they may ----------------------------------------------------------------------------------------
def test_tables_hold_only_what_everybody_may_read():
    from projects.models.need import AUDIENCE as OF_NEEDS
    from projects.models.offer import AUDIENCE as OF_OFFERS

    for table, restricted in ((datasets.NEEDS, OF_NEEDS), (datasets.OFFERS, OF_OFFERS)):
        assert not {column.name for column in table.columns} & set(restricted)
        assert not {str(column.source) for column in table.columns} & set(restricted)


# --- whole data sets ----------------------------------------------------------------------------------------------------------
@pytest.fixture
def files(settings, tmp_path):
    settings.OPEN_DATA = tmp_path / "open"
    return settings.OPEN_DATA


def test_whole_data_sets_are_described_truly(files, client, one_of_each, capsys):
    need = NeedFactory()
    put_in_state(need, NeedState.IN_DELIVERY)
    call_command("write_open_data")
    assert "files" in capsys.readouterr().out
    description = client.get("/data/datapackage.json")
    assert description.status_code == 200
    package = json.loads(body(description))
    assert dt.datetime.fromisoformat(package["created"]) <= dt.datetime.now(dt.UTC)
    assert package["licenses"][0]["name"] == "CC-BY-4.0"
    names = {resource["path"] for resource in package["resources"]}
    assert {f"{name}.{f}" for name in (*LISTS, "tossd", "quantities") for f in ("csv", "xlsx", "jsonl")} <= names
    assert {"projects.geojson", "iati-activities.xml", "iati-country-KEN.xml", "iati-theme-wetlands.xml", "iati-organisations.xml",
            "iati-publisher-portal.xml"} <= names  # fmt: skip
    for resource in package["resources"]:
        content = body(client.get(f"/data/{resource['path']}"))
        assert (len(content), f"sha256:{hashlib.sha256(content).hexdigest()}") == (resource["bytes"], resource["hash"])
        if resource["format"] == "csv":
            head = next(csv.reader(io.StringIO(content.decode())))
            assert head == [field["name"] for field in resource["schema"]["fields"]]
    assert need.reference in body(client.get("/data/iati-activities.xml")).decode()
    page = client.get("/data/").content.decode()
    assert page.count('href="/data/') >= len(names)
    catalogue = client.get("/data/catalog.jsonld")
    assert catalogue["Content-Type"] == "application/ld+json"
    found = {
        d["dcat:downloadURL"]["@id"].rsplit("/", 1)[1]
        for s in catalogue.json()["dcat:dataset"]
        for d in s["dcat:distribution"]
    }
    assert found == names


def test_a_workbook_that_would_be_cut_is_left_out_of_the_data_sets_with_a_sentence(files, client, one_of_each):
    Project.objects.update(summary="Wells of the delta. " + "x" * 32_748)
    description = open_data.write()
    names = {resource["path"] for resource in description["resources"]}
    assert "projects.xlsx" not in names and {"projects.csv", "projects.jsonl", "needs.xlsx"} <= names
    assert not (files / "current" / "projects.xlsx").exists()
    assert "There is no projects.xlsx: The text that begins with “Wells of the delta." in description["description"]
    assert (client.get("/data/").status_code, client.get("/data/projects.xlsx").status_code) == (200, 404)
    assert "x" * 32_748 in body(client.get("/data/projects.csv")).decode()


def test_each_activity_is_in_the_files_that_it_belongs_to(files, client):
    undp = Partner.objects.get(slug="undp")
    flagged = ProjectFactory(published=True, title="Flagged", partners=[], terms=["bsp-theme:oceans"])
    flagged.partner_links.create(partner=undp, role="4", is_reporting=True)
    by_identifier = ProjectFactory(published=True, title="By identifier", iati_identifier="XM-DAC-41114-9")
    unresolved = ProjectFactory(published=True, title="Unresolved", iati_identifier="XX-NEW-1", partners=[])
    unresolved.partner_links.create(reported_code="XX-NEW", reported_name="Somebody", role="4", is_reporting=True)
    ours = ProjectFactory(published=True, title="Ours", countries={"MOZ": "recipient"})
    lacking = ProjectFactory(published=True, title="Lacking", status="")
    open_data.write()

    def titles(name):
        root = etree.fromstring(body(client.get(f"/data/iati-{name}.xml")))
        publishers = set(root.xpath("iati-activity/reporting-org/@ref"))
        return set(root.xpath("iati-activity/title/narrative[1]/text()")), publishers

    assert titles("publisher-xm-dac-41114") == ({flagged.title, by_identifier.title}, {"XM-DAC-41114"})
    assert titles("publisher-xx-new") == ({unresolved.title}, {"XX-NEW"})
    assert titles("publisher-portal") == ({ours.title}, {"XM-DAC-41116"})
    assert titles("country-MOZ")[0] == {ours.title}
    assert titles("theme-oceans")[0] == {flagged.title}
    everything = {p.title for p in Project.objects.exclude(pk=lacking.pk)}
    assert titles("activities")[0] == everything


def test_a_broken_transfer_goes_on_where_it_broke(files, client, one_of_each):
    open_data.write()
    whole = client.get("/data/projects.csv")
    content = body(whole)
    rest = client.get("/data/projects.csv", headers={"Range": "bytes=100-", "If-Range": whole["ETag"]})
    assert (rest.status_code, rest["Content-Range"]) == (206, f"bytes 100-{len(content) - 1}/{len(content)}")
    assert content[:100] + body(rest) == content
    of_another_night = client.get("/data/projects.csv", headers={"Range": "bytes=100-", "If-Range": '"other"'})
    assert (of_another_night.status_code, body(of_another_night)) == (200, content)
    assert client.get("/data/projects.csv", headers={"If-None-Match": whole["ETag"]}).status_code == 304
    packed = client.get("/data/projects.csv", headers={"Accept-Encoding": "gzip"})
    assert (packed["Content-Encoding"], gzip.decompress(body(packed))) == ("gzip", content)
    book = client.get("/data/projects.xlsx", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in book
    assert len(body(book)) == int(book["Content-Length"])
    assert client.head("/data/projects.csv")["Content-Length"] == str(len(content))


def test_only_files_of_the_set_are_given_out(files, client):
    for name in ("projects.csv", "datapackage.json", "catalog.jsonld"):
        assert client.get(f"/data/{name}").status_code == 404  # nothing written yet
    assert "first night" in client.get("/data/").content.decode()
    open_data.write()
    for name in ("..%2f..%2fmanage.py", "..", "projects.csv.gz", "current", "nonsense.csv"):
        assert client.get(f"/data/{name}").status_code == 404


def test_the_last_night_stays_for_whoever_is_in_the_middle_of_it(files):
    for _night in range(open_data.KEPT + 1):
        open_data.write()
    kept = [path for path in files.iterdir() if not path.is_symlink()]
    assert len(kept) == open_data.KEPT
    assert (files / "current").resolve() == max(kept)


def test_units_and_currencies_are_never_added_up(client):
    project = ProjectFactory(published=True)
    for unit, currency in (
        ("people", "USD"),
        ("people", "USD"),
        ("visits", "USD"),
        ("people", "EUR"),
        ("people", None),
    ):
        ContributionFactory(
            project=project, unit=unit, quantity=10, delivered=None, currency=currency, amount=5 if currency else None
        )
    rows = rows_of(client.get("/api/v1/quantities/?format=csv"))
    assert sorted(
        (r["category"], r["unit"], r["quantity"], r["currency"], r["amount"], r["entries"]) for r in rows
    ) == [
        ("B", "people", "10", "EUR", "5", "1"),
        ("B", "people", "20", "USD", "10", "2"),
        ("B", "visits", "10", "USD", "5", "1"),
        ("C", "people", "10", "", "", "1"),
    ]
    assert {r["entries_without_delivered"] for r in rows} == {"1", "2"}


@pytest.mark.parametrize(
    ("quantity", "amount", "spent", "category"),
    [
        (1, 1, None, "B"), (1, None, 1, "B"), (0, 0, None, "B"), (1, None, None, "C"), (None, 1, None, "A"), (None, None, 1, "A"),
        (None, None, None, ""),
    ],
)  # fmt: skip
def test_categories_of_the_framework(client, quantity, amount, spent, category):
    ContributionFactory(
        project=ProjectFactory(published=True), quantity=quantity, unit=None if quantity is None else "people", delivered=None,
        amount=amount, spent=spent, currency=None if amount is spent is None else "USD",
    )  # fmt: skip
    (found,) = rows_of(client.get("/api/v1/quantities/?format=csv"))
    assert found["category"] == category


def test_several_funders_are_not_made_one(client):
    project = ProjectFactory(published=True)
    for slug in ("undp", "fao"):
        project.partner_links.create(partner=Partner.objects.get(slug=slug), role="1")
    project.transactions.create(kind="4", made_on="2025-01-01", amount=7, currency="EUR")
    project.transactions.create(kind="1", made_on="2025-01-01", amount=9, currency="EUR")  # not spent by the project
    (found,) = rows_of(client.get("/api/v1/quantities/?format=csv"))
    assert (found["provider_code"], found["spent"]) == ("", "7")


def test_pages_link_to_the_formats(client, one_of_each):
    page = client.get("/projects/?country=KEN").content.decode()
    for name in ("csv", "xlsx", "jsonl", "geojson", "iati"):
        assert f"/api/v1/projects/?country=KEN&amp;format={name}" in page
    assert f"/projects/{one_of_each.reference}/iati.xml" in client.get(one_of_each.get_absolute_url()).content.decode()
    for address in (
        "/countries/?format=csv",
        "/partners/?format=jsonl",
        "/needs/?format=geojson",
        "/offers/?format=xlsx",
    ):
        assert client.get(address).status_code == 302
    assert client.get("/data/vocabulary/").status_code == 200


def test_a_need_is_an_activity_once_its_plan_is_agreed(client):
    need = NeedFactory(in_state=NeedState.OPEN)
    answer = client.get(f"/needs/{need.reference}/iati.xml")
    assert (answer.status_code, "plan is agreed" in answer.content.decode()) == (404, True)
    agreed = NeedFactory()
    put_in_state(agreed, NeedState.IN_DELIVERY)
    root = etree.fromstring(body(client.get(f"/needs/{agreed.reference}/iati.xml")))
    assert root.xpath("//activity-status/@code") == ["1"]
    assert Need.objects.under_way().get() == agreed


BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"


@pytest.mark.parametrize(
    "address", ["projects/", "projects/{project}/", "needs/", "needs/{need}/", "offers/", "countries/KEN/"]
)
def test_a_browser_gets_json_of_the_api_unless_the_address_names_another_format(address, client):
    address = "/api/v1/" + address.format(
        project=ProjectFactory(published=True).reference, need=NeedFactory(in_state=NeedState.OPEN).reference
    )
    answer = client.get(address, headers={"Accept": BROWSER})
    assert answer.status_code == 200 and answer["Content-Type"].startswith("application/json")
    if address.startswith("/api/v1/projects/"):
        asked = client.get(address, {"format": "iati"}, headers={"Accept": BROWSER})
        assert asked["Content-Type"].startswith("application/xml")


def test_links_of_pages_to_the_api_name_the_format(client, sign_in, people):
    need, offer = NeedFactory(in_state=NeedState.OPEN), OfferFactory(in_state="active")
    pages = [
        reverse("project-list"), ProjectFactory(published=True).get_absolute_url(), reverse("need-list"),
        need.get_absolute_url(), reverse("offer-list"), offer.get_absolute_url(),
        reverse("country-list"), Country.objects.get(iso3="KEN").get_absolute_url(), reverse("partner-list"), reverse("match-list"),
    ]  # fmt: skip
    client, found = sign_in(people["desk"]), 0
    for page in pages:
        tree = html.fromstring(client.get(page).content)
        links = [link for link in tree.xpath("//main//a/@href") if link.startswith("/api/v1/") and "docs" not in link]
        assert all("format=" in link for link in links), (page, links)
        found += len([link for link in links if link.endswith("format=json") and client.get(link, headers={"Accept": BROWSER}).json()])  # fmt: skip
    assert found >= 8
