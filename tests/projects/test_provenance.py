"""Where records came from and under which licence: kept on each import, shown and exported with each record."""

import csv
import datetime as dt
import io
import json

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone
from lxml import etree, html
from openpyxl import load_workbook

from ground.licences import LICENCES, OWN
from partners.models import Change, Country, CountryGroup, Partner, User
from partners.models.provenance import ENTERED_HERE, NOT_STATED, licence_in, licence_url_in
from projects import actions, duplicates
from projects.choices import NeedState
from projects.interchange import iati_export, open_data
from projects.interchange.bulk import running
from projects.interchange.iati_import import import_file
from projects.interchange.iati_own import own
from projects.interchange.reference_sources import SOURCES
from projects.models import DuplicatePair, ImportRun, Need, Offer, Project, Term
from tests.admin_form import shown
from tests.factories import ContributionFactory, NeedFactory, OfferFactory, ProjectFactory, commit, put_in_state
from tests.projects.activities import activity, document
from tests.projects.tables import NEW
from tests.projects.test_open_data import body, rows_of

pytestmark = pytest.mark.django_db
STATED = {
    "licence": "CC-BY-NC-4.0", "publisher": "UNDP Open Data", "source_url": "https://open.undp.example/a.xml", "retrieved_on": dt.date(2026, 5, 3),
}  # fmt: skip
TOLD = {
    "licence": "CC-BY-NC-4.0", "licence_url": "https://creativecommons.org/licenses/by-nc/4.0/", "publisher": "UNDP Open Data",
    "url": "https://open.undp.example/a.xml", "retrieved_on": "2026-05-03",
}  # fmt: skip
IN_TABLES = {
    "licence": "licence", "licence_url": "licence_url", "source_publisher": "publisher", "source_url": "url", "source_retrieved_on": "retrieved_on",
}  # fmt: skip
OURS = {"licence": "CC-BY-4.0", "licence_url": OWN.url, "publisher": "", "url": "", "retrieved_on": None}
UNKNOWN = {"licence": "unknown", "licence_url": "", "publisher": "", "url": "", "retrieved_on": None}
COMPLETE = '<activity-date type="1" iso-date="2024-01-01"/><sector vocabulary="1" code="41030"/>'

UNDP = "XM-DAC-41114-1"


@pytest.fixture
def read(tmp_path):
    """Imports an activity file with what is stated of its source."""

    def do(*activities, **stated):
        path = tmp_path / "file.xml"
        path.write_bytes(document(*(activities or [activity(COMPLETE, identifier=UNDP)])))
        run = ImportRun(file_name="file.xml", **stated)
        return import_file(path, by=User.objects.system(), run=run)

    return do


@pytest.fixture
def bring(media, people):
    """Carries out a table with what is stated of its source."""

    def do(kind, content, by="desk", **stated):
        run = ImportRun(kind=kind, file_name="t.csv", started_by=people[by], **stated)
        run.file.save("t.csv", SimpleUploadedFile("t.csv", content.encode()), save=False)
        running.carry_out(run, dry_run=True)
        running.carry_out(run, dry_run=False)
        assert run.progress == "done", (run.message, [row.problems for row in run.rows.all()])
        return run

    return do


def row_text(page) -> str:
    """What a page says beside “Source”."""
    [term] = html.fromstring(page.content.decode()).xpath("//dt[.='Source']")
    found = []
    for element in term.itersiblings():
        if element.tag != "dd":
            break
        found.append(element.text_content())
    return " ".join(" ".join(found).split())


def in_tables(told: dict) -> dict:
    return {column: told[name] or "" for column, name in IN_TABLES.items()}


# --- shown and exported -------------------------------------------------------------------------------------------------
def test_an_imported_project_shows_its_source_and_licence_everywhere(read, client):
    run = read(**STATED)
    project = Project.objects.get()
    assert project.import_run == run
    page = client.get(project.get_absolute_url())
    assert "UNDP Open Data; address of the source; licence: CC BY-NC 4.0; retrieved on 3 May 2026" in row_text(page)
    assert 'href="https://open.undp.example/a.xml"' in page.content.decode()
    assert OWN.url not in page.content.decode()

    address = f"/api/v1/projects/{project.reference}/"
    assert client.get(address).json()["provenance"] == TOLD
    assert client.get("/api/v1/projects/").json()["results"][0]["provenance"] == TOLD
    [row] = rows_of(client.get("/api/v1/projects/?format=csv"))
    assert {name: row[name] for name in IN_TABLES} == in_tables(TOLD)
    line = json.loads(body(client.get("/api/v1/projects/?format=jsonl")))
    [feature] = json.loads(body(client.get("/api/v1/projects/?format=geojson")))["features"]
    for found in (line, feature["properties"]):
        assert {name: found[name] or "" for name in IN_TABLES} == in_tables(TOLD)
    book = load_workbook(io.BytesIO(body(client.get("/api/v1/projects/?format=xlsx"))))
    head, cells = book.worksheets[0].iter_rows(values_only=True)
    assert dict(zip(head, cells, strict=True))["licence"] == "CC-BY-NC-4.0"

    linked = json.loads(html.fromstring(page.content).xpath("//script[@type='application/ld+json']/text()")[0])
    assert linked["subjectOf"]["license"] == TOLD["licence_url"]
    assert linked["subjectOf"]["isBasedOn"]["url"] == TOLD["url"]
    assert linked["subjectOf"]["isBasedOn"]["publisher"]["name"] == "UNDP Open Data"

    [written] = etree.fromstring(iati_export.one(Project.objects.for_iati().get())).findall("iati-activity")
    names = ("licence", "licence-uri", "source-publisher", "source-uri", "source-retrieved-on")
    assert [written.get(own(name)) for name in names] == list(TOLD.values())


def test_what_is_not_known_is_never_under_the_portals_licence(read, client):
    read()
    project = Project.objects.get()
    page = client.get(project.get_absolute_url())
    assert row_text(page).endswith("licence: not known")
    assert OWN.url not in page.content.decode()
    assert client.get(f"/api/v1/projects/{project.reference}/").json()["provenance"] == UNKNOWN
    [row] = rows_of(client.get("/api/v1/projects/?format=csv"))
    assert (row["licence"], row["licence_url"]) == ("unknown", "")
    linked = html.fromstring(page.content).xpath("//script[@type='application/ld+json']/text()")[0]
    assert "license" not in linked
    [written] = etree.fromstring(iati_export.one(Project.objects.for_iati().get())).findall("iati-activity")
    assert (written.get(own("licence")), written.get(own("licence-uri"))) == ("unknown", None)


def test_what_was_entered_here_is_under_the_portals_licence(client):
    project, need, offer = ProjectFactory(published=True), NeedFactory(in_state="open"), OfferFactory(in_state="active")
    for record, kind in ((project, "projects"), (need, "needs"), (offer, "offers")):
        assert client.get(f"/api/v1/{kind}/{record.reference}/").json()["provenance"] == OURS
        [row] = rows_of(client.get(f"/api/v1/{kind}/?format=csv"))
        assert {name: row[name] for name in IN_TABLES} == in_tables(OURS)
        said = row_text(client.get(record.get_absolute_url()))
        assert said.lower().startswith("entered here") and said.endswith("licence: CC BY 4.0"), said


def test_another_licence_is_told_in_the_words_of_the_source(read, client):
    read(licence="other", licence_text="https://example.org/our-terms")
    assert client.get("/api/v1/projects/").json()["results"][0]["provenance"] == {
        **UNKNOWN, "licence": "https://example.org/our-terms", "licence_url": "https://example.org/our-terms",
    }  # fmt: skip
    ImportRun.objects.update(licence_text="Terms of the Fund")
    found = client.get("/api/v1/projects/").json()["results"][0]["provenance"]
    assert (found["licence"], found["licence_url"]) == ("Terms of the Fund", "")
    assert rows_of(client.get("/api/v1/projects/?format=csv"))[0]["licence"] == "Terms of the Fund"
    assert "licence: Terms of the Fund" in row_text(client.get(Project.objects.get().get_absolute_url()))


@pytest.mark.parametrize("kind", ["partners", "countries", "projects", "needs", "offers"])
def test_a_record_of_a_table_comes_from_its_import(kind, bring, people, client):
    text, by = NEW[kind]
    run = bring(kind, text, by, **STATED)
    model = {"partners": Partner, "countries": Country, "projects": Project, "needs": Need, "offers": Offer}[kind]
    record = model.objects.get(pk=run.rows.get().record)
    assert record.import_run == run
    if hasattr(record, "state"):
        client.force_login(people["desk"])
    code = next(getattr(record, name) for name in ("reference", "iso3", "slug") if hasattr(record, name))
    assert client.get(f"/api/v1/{kind}/{code}/").json()["provenance"] == TOLD
    said = row_text(client.get(record.get_absolute_url()))
    assert "UNDP Open Data; address of the source; licence: CC BY-NC 4.0; retrieved on 3 May 2026" in said


def test_what_each_side_brings_and_sums_name_the_licences_of_their_projects(read, client):
    read(**STATED)
    imported, entered = Project.objects.get(), ProjectFactory(published=True)
    same = {
        "country": Country.objects.get(iso3="BRA"),
        "partner": None,
        "text": "Experts",
        "unit": "expert-days",
        "quantity": 5,
    }
    for project in (imported, entered):
        project.country_links.all().delete()
        Project.objects.filter(pk=project.pk).update(planned_start=dt.date(2024, 1, 1), actual_start=None)
        ContributionFactory(project=project, **same)
    rows = rows_of(client.get("/api/v1/tossd/?format=csv"))
    assert sorted(row["licence"] for row in rows) == ["CC-BY-4.0", "CC-BY-NC-4.0"]
    [row] = [row for row in rows_of(client.get("/api/v1/quantities/?format=csv")) if row["unit"] == "expert-days"]
    assert (row["quantity"], row["licences"]) == ("10", "CC-BY-4.0; CC-BY-NC-4.0")


@pytest.mark.parametrize("licence", [*LICENCES, "other", "unknown", "portal", None])
def test_tables_say_of_a_licence_what_pages_say(licence):
    """`licence_in` and `Provenance` are one rule, in SQL and in Python."""
    text = "https://example.org/terms" if licence == "other" else ""
    run = ImportRun.objects.create(file_name="a.xml", licence=licence, licence_text=text) if licence else None
    projects = [ProjectFactory(), ProjectFactory(source="imported")]
    Project.objects.update(import_run=run)
    partner = Partner.objects.create(slug="x", name_en="X", kind="10", is_from_import=True, import_run=run)
    for record in (*projects, partner, Country.objects.get(iso3="KEN")):
        model = type(record)
        found = model.objects.filter(pk=record.pk).values_list(licence_in(model), licence_url_in(model)).get()
        said = model.objects.get(pk=record.pk).provenance
        assert (found[0], found[1] or "") == (said.licence, said.licence_url)


def test_every_reference_list_has_its_source_named():
    """What a list says of where it comes from is one of the sources that are told with the files."""
    for table, records in (("terms", Term.objects.all()), ("groups", CountryGroup.objects.all())):
        known = tuple(said for one in SOURCES if table in one.tables for said in one.said)
        found = set(records.values_list("source", flat=True))
        assert [text for text in found if not text.startswith(known)] == [], table
        assert [said for said in known if not any(text.startswith(said) for text in found)] == [], table


# --- whole files --------------------------------------------------------------------------------------------------------
@pytest.fixture
def written(settings, tmp_path, client):
    def do() -> dict:
        settings.OPEN_DATA = tmp_path / "open"
        open_data.write()
        package = json.loads(body(client.get("/data/datapackage.json")))
        return {resource["path"]: resource for resource in package["resources"]} | {"package": package}

    return do


def test_whole_files_name_the_licences_and_sources_that_occur_in_them(read, written, client):
    read(activity(COMPLETE, identifier=UNDP), **STATED)
    read(activity(COMPLETE, identifier=f"{UNDP}2"))
    ProjectFactory(published=True)
    NeedFactory(in_state="open")
    found = written()
    mixed = ["CC-BY-4.0", "CC-BY-NC-4.0", "notspecified"]
    for name in ("package", "projects.csv", "projects.jsonl", "projects.geojson", "iati-activities.xml"):
        assert [one["name"] for one in found[name]["licenses"]] == mixed, name
        named = [
            one for one in found[name]["sources"] if "licenses" not in one
        ]  # the others are those of reference lists
        assert named == [{"title": "UNDP Open Data", "path": "https://open.undp.example/a.xml"}]
    assert [one["name"] for one in found["needs.csv"]["licenses"]] == ["CC-BY-4.0"]
    assert "sources" not in found["needs.csv"]
    for table in ("countries", "regions", "groups", "terms", "partners"):
        for one in found[f"{table}.csv"]["sources"]:
            assert one["title"] and one["path"].startswith("http") and one["licenses"][0]["title"], table
            assert one in found["package"]["sources"]
    assert {"https://unstats.un.org/unsd/methodology/m49/overview/", "https://cldr.unicode.org/"} == {
        one["path"] for one in found["regions.csv"]["sources"]
    }
    assert "Records from other sources: the licence of their source" in found["package"]["description"]

    catalogue = client.get("/data/catalog.jsonld").json()
    sets = {one["dct:title"]: one for one in catalogue["dcat:dataset"]}
    for one in (sets["Projects"], *sets["Projects"]["dcat:distribution"]):
        assert "dct:license" not in one
        assert "Attribution-NonCommercial 4.0, Not known" in one["dct:rights"]["rdfs:label"]
    for one in (sets["Needs"], *sets["Needs"]["dcat:distribution"]):
        assert (one["dct:license"], "dct:rights" in one) == ({"@id": OWN.url}, False)

    page = client.get("/data/").content.decode()
    said = " ".join(html.fromstring(page).text_content().split())
    assert "Licence of what was entered here: CC BY 4.0." in said
    assert "Licences of other sources that occur: Creative Commons Attribution-NonCommercial 4.0; not known." in said
    linked = json.loads(html.fromstring(page).xpath("//script[@type='application/ld+json']/text()")[0])
    assert linked["license"].endswith("/data/#licence")


def test_files_of_own_records_alone_are_under_the_portals_licence(written, client):
    ProjectFactory(published=True)
    found = written()
    assert {one["name"] for resource in found.values() for one in resource["licenses"]} == {"CC-BY-4.0"}
    page = client.get("/data/").content.decode()
    assert "None occur now." in page
    assert (
        json.loads(html.fromstring(page).xpath("//script[@type='application/ld+json']/text()")[0])["license"] == OWN.url
    )


def test_a_workbook_does_not_say_that_all_is_under_the_portals_licence(read, client):
    read(**STATED)
    book = load_workbook(io.BytesIO(body(client.get("/api/v1/projects/?format=xlsx&fields=title"))))
    said = {row[0]: row[1] for row in book["About"].iter_rows(values_only=True)}
    assert "under the licence of their source" in said["licence"]


# --- which import it is ---------------------------------------------------------------------------------------------------
def test_a_record_comes_from_the_import_that_wrote_it_last(read):
    first = read(activity(COMPLETE, identifier=UNDP), **STATED)
    again = read(activity(COMPLETE, identifier=UNDP), licence="CC0-1.0")
    assert (again.unchanged, Project.objects.get().import_run) == (1, first)
    second = read(activity(COMPLETE, identifier=UNDP, title="Another title"), licence="CC0-1.0")
    assert Project.objects.get().import_run == second
    part = read(activity(COMPLETE + '<budget type="1"><period-start iso-date="2024-01-01"/><period-end iso-date="2024-12-31"/>'
                         '<value currency="EUR">5</value></budget>', identifier=UNDP, title="Another title"))  # fmt: skip
    assert (part.updated, Project.objects.get().import_run) == (1, part), "a part of it alone was written"
    assert Project.objects.get().provenance == NOT_STATED


def test_the_same_file_with_its_licence_stated_tells_it(read):
    read()
    assert Project.objects.get().provenance == NOT_STATED
    run = read(**STATED)
    assert (run.unchanged, Project.objects.get().import_run) == (1, run)
    assert run.issues.get(element="licence").value == "CC-BY-NC-4.0"


def test_a_licence_that_the_file_gives_is_not_dropped_without_a_word(read, tmp_path):
    ProjectFactory(published=True)
    path = tmp_path / "own.xml"
    path.write_bytes(iati_export.one(Project.objects.for_iati().get()))
    Project.objects.all().delete()
    run = import_file(path, by=User.objects.system(), run=ImportRun(file_name="own.xml", licence="ODbL-1.0"))
    [issue] = run.issues.filter(element="iati-activity/@ssc:licence")
    assert (issue.value, "ODbL-1.0" in issue.text) == ("CC-BY-4.0", True)
    assert "the portal’s own attribute ssc:licence" in issue.text
    assert Project.objects.get().provenance.licence == "ODbL-1.0"


def test_a_table_written_for_the_portal_corrects_a_record_and_leaves_its_source(read, bring):
    first = read(**STATED)
    imported, entered = Project.objects.get(), ProjectFactory()
    table = f"reference,title\n{imported.reference},Mended\n{entered.reference},Mended\n,New\n"
    bring("projects", table, licence="portal")
    imported.refresh_from_db()
    entered, new = Project.objects.get(pk=entered.pk), Project.objects.get(title="New")
    assert (imported.title, imported.import_run) == ("Mended", first)
    assert (entered.title, entered.provenance) == ("Mended", ENTERED_HERE)
    assert new.provenance == ENTERED_HERE


def test_an_undo_gives_a_record_back_to_its_source(read, bring, people):
    first = read(**STATED)
    project = Project.objects.get()
    run = bring("projects", f"reference,title\n{project.reference},Of the table\n", licence="CC0-1.0")
    assert Project.objects.get().import_run == run
    running.undo(run, by=people["desk"])
    assert Project.objects.get().import_run == first


def test_what_is_made_of_an_imported_record_is_not_taken_for_our_own(read, people):
    run = read(**STATED)
    imported, ours = Project.objects.get(), ProjectFactory(published=True, summary="")
    first, second = sorted((imported, ours), key=lambda p: p.pk)
    pair = DuplicatePair.objects.create(first=first, second=second, score=90, reasons={"title": 90})
    assert duplicates.merge(pair, keep=ours, by=people["desk"], note="The same").import_run == run


def test_a_need_that_goes_on_keeps_the_source_of_the_first(people):
    run = ImportRun.objects.create(file_name="n.csv", kind="needs", **STATED)
    need = NeedFactory(import_run=run)
    put_in_state(need, NeedState.DELIVERED)
    child = actions.close_partly(need, by=people["focal_point"], note="Not all", outcome="Some of it", rating=3)
    assert child.import_run == run


# --- stating it -------------------------------------------------------------------------------------------------------------
IN_A_FORM = STATED | {"retrieved_on": "2026-05-03"}


def test_the_forms_of_admin_ask_where_a_file_comes_from(client, people, media):
    client.force_login(people["desk"])
    for view, more in (("add", {"publish": "on"}), ("table", {"kind": "projects"})):
        address = reverse(f"admin:projects_importrun_{view}")
        assert shown(client.get(address))["licence"] == ["unknown"]
        content = b"title\nA\n" if view == "table" else document(activity())
        for stated, kept in ((IN_A_FORM, STATED["licence"]), ({}, "unknown")):
            answer = client.post(address, {"file": SimpleUploadedFile("a.csv", content), **more, **stated})
            run = ImportRun.objects.latest("pk")
            assert (answer.status_code, run.licence) == (302, kept)
            if stated:
                assert {name: getattr(run, name) for name in STATED} == STATED
                assert "UNDP Open Data" in client.get(answer.url).content.decode()


TOMORROW = (timezone.localdate() + dt.timedelta(days=1)).isoformat()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"retrieved_on": TOMORROW}, "today or earlier"), ({"source_url": "javascript:alert(1)"}, "full web address"),
        ({"source_url": "ftp://example.org/"}, "full web address"), ({"licence": "other"}, "name or the address of the licence"),
        ({"licence_text": "Mine"}, "Choose “another licence”"), ({"licence": "mine"}, "Choose one from the list"),
        ({"licence": "other", "licence_text": "cc-by-4.0"}, "in the list"), ({"licence": "other", "licence_text": "Unknown"}, "in the list"),
    ],
)  # fmt: skip
def test_what_can_not_be_said_of_a_source_is_refused_in_words(wrong, said, client, people, media):
    client.force_login(people["desk"])
    file = SimpleUploadedFile("a.xml", document(activity()))
    answer = client.post(reverse("admin:projects_importrun_add"), {"file": file, **IN_A_FORM, **wrong})
    assert (answer.status_code, said in answer.content.decode()) == (400, True)
    assert not ImportRun.objects.exists()


def test_the_database_refuses_another_licence_without_a_name():
    for wrong in ({"licence": "other"}, {"licence_text": "Mine"}, {"licence": "CC"}):
        with pytest.raises(ValidationError):
            ImportRun(file_name="a.xml", **wrong).validate_constraints()


def test_the_source_of_an_import_is_stated_later_and_shows_at_once(read, client, people):
    run = read()
    commit()
    number, address = Change.objects.last_number(), reverse("admin:projects_importrun_source", args=[run.pk])
    client.force_login(people["desk"])
    assert address in client.get(reverse("admin:projects_importrun_change", args=[run.pk])).content.decode()
    form = shown(client.get(address))
    assert client.post(address, form | IN_A_FORM).status_code == 302
    commit()
    project = Project.objects.get()
    assert client.get(f"/api/v1/projects/{project.reference}/").json()["provenance"] == TOLD
    assert [(c.kind, c.reference) for c in Change.objects.filter(sequence__gt=number)] == [
        ("project", project.reference)
    ]
    late = client.post(address, form | IN_A_FORM | {"publisher": "Another"})
    assert (late.status_code, "Somebody has changed the source" in late.content.decode()) == (400, True)
    assert ImportRun.objects.get().publisher == "UNDP Open Data"
    assert client.post(address, shown(late)).status_code == 302
    assert ImportRun.objects.get().publisher == "Another"
    client.force_login(people["partner_lead"])
    assert client.get(address).status_code in (302, 403)


def test_the_commands_take_what_is_known_of_the_source(tmp_path, media, people):
    said = ["--publisher", "UNDP Open Data", "--licence", "cc by-nc 4.0", "--retrieved", "2026-05-03"]
    path, table, needs = tmp_path / "a.xml", tmp_path / "t.csv", tmp_path / "n.csv"
    path.write_bytes(document(activity()))
    table.write_text("title\nA\n")
    needs.write_text("need_id,iso3,kind,sector,subsector,question,text\nX,KEN,capacity,Water,,What,Wells\n")
    call_command("import_iati", str(path), *said, "--source", STATED["source_url"], stdout=io.StringIO())
    by = ["--by", people["desk"].email, "--write"]
    call_command(
        "import_table", "projects", str(table), *by, *said, "--source", STATED["source_url"], stdout=io.StringIO()
    )
    call_command("import_needs", str(needs), *said, "--source-url", STATED["source_url"], stdout=io.StringIO())
    for record in (*Project.objects.all(), Need.objects.get()):
        assert {name: getattr(record.import_run, name) for name in STATED} == STATED
    assert Project.objects.count() == 2
    call_command("import_iati", str(path), "--licence", "other: Terms of the Fund", stdout=io.StringIO())
    assert ImportRun.objects.latest("pk").provenance.licence == "Terms of the Fund"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--licence", "CC"], "“CC” is not in the list. Use one of unknown, CC-BY-4.0"), (["--licence", "other:"], "Enter the name or the address"),
        (["--retrieved", "3.5.2026"], "is no date. Write it as 2026-11-30"), (["--retrieved", TOMORROW], "retrieved on: The date must be today"),
        (["--source", "undp"], "address of the source: Enter a full web address"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("command", ["import_iati", "import_table projects"])
def test_the_commands_refuse_in_words_what_can_not_be_said(options, said, command, tmp_path, people):
    path = tmp_path / "a.xml"
    path.write_bytes(document(activity()))
    by = ["--by", people["desk"].email] if "table" in command else []
    with pytest.raises(CommandError, match=said.replace("“", ".").replace("”", ".")):
        call_command(*command.split(), str(path), *by, *options, stdout=io.StringIO())
    assert not ImportRun.objects.exists()


def test_old_imports_are_not_known(client):
    """A record that was marked as imported before imports were kept with it."""
    need = NeedFactory(in_state="open", source="imported")
    assert client.get(f"/api/v1/needs/{need.reference}/").json()["provenance"] == UNKNOWN
    assert ImportRun.objects.create(file_name="old.xml").provenance == NOT_STATED
    assert (
        list(csv.DictReader(io.StringIO(body(client.get("/api/v1/needs/?format=csv")).decode())))[0]["licence"]
        == "unknown"
    )
