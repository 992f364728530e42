"""IATI: nothing that came in is dropped without a finding, nothing goes out that nobody said; files that break off."""

import io
import json
import zipfile
from datetime import date
from decimal import Decimal

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection
from lxml import etree

from partners.models import Partner, User
from projects import linked_data, quality
from projects.interchange import iati_export, iati_import
from projects.interchange.iati_elements import parse_activity
from projects.interchange.iati_import import import_file
from projects.interchange.iati_own import ASSUMED, own
from projects.interchange.iati_understood import READ
from projects.interchange.iati_writing import Publisher
from projects.models import ImportRun, Project, ProjectPartner
from projects.models.importing import AT_WORK
from tests.iati_standard import LANG, Standard
from tests.projects.test_iati import activity, document

MONEY = """<transaction><transaction-type code="3"/><transaction-date iso-date="2024-05-01"/><value value-date="2024-04-30">10</value>
<provider-org ref="XX-PAYS"/><receiver-org ref="XX-TAKES"/><sector code="41030"/>{place}</transaction>"""


@pytest.fixture
def read(tmp_path, db):
    """Imports a file; gives its run."""

    def do(content: bytes, name="file.xml", **kwargs) -> ImportRun:
        path = tmp_path / name
        path.write_bytes(content)
        return import_file(path, by=User.objects.system(), **kwargs)

    return do


def element_at(path: str):
    """An activity that holds this path and nothing else."""
    root = etree.Element("iati-activity")
    at = root
    for step in path.split("/"):
        if step.startswith("@"):
            at.set(LANG if step == "@lang" else step[1:], "x")
        else:
            at = etree.SubElement(at, step)
    if "@" not in path:
        at.text = "x"
    return root


@pytest.mark.skipif(not Standard().folder.exists(), reason="the standard is beside the repository only")
def test_every_path_of_the_standard_is_read_or_reported():
    paths = Standard().activity_paths
    assert len(paths) > 300
    silent = []
    for path in paths:
        reported = {finding.element for finding in parse_activity(element_at(path)).findings}
        above = {path.rsplit("/", n)[0] for n in range(path.count("/") + 1)}
        if path not in READ and not reported & (above | {f"{path}/text()"}):
            silent.append(path)
    assert silent == []


@pytest.mark.parametrize(
    ("more", "element"),
    [
        ("<title><narrative>Two</narrative></title>", "title"),
        ('<policy-marker vocabulary="1" code="2" significance="3"/>', "policy-marker"),
        ('<activity-scope code="3"/>', "activity-scope"),
        ('<collaboration-type code="1"/>', "collaboration-type"),
        ('<humanitarian-scope type="1" code="x"/>', "humanitarian-scope"),
        ('<activity-date type="1" iso-date="2024-01-01"/><activity-date type="1" iso-date="2024-02-01"/>', "activity-date"),
        ("<result type='1'><title><narrative>R</narrative></title><description><narrative>D</narrative></description></result>", "result/description"),
        ("<result type='1'><title><narrative>R</narrative></title></result>", "result"),
        ("<result type='1'><title><narrative>R</narrative></title><indicator measure='1'><title><narrative>I</narrative></title>"
         "<period><target value='1'/></period><period><target value='2'/></period></indicator></result>", "result/indicator/period/target"),
        (MONEY.format(place='<recipient-country code="UG"/>'), "transaction/recipient-country"),
        (MONEY.format(place=""), "transaction/provider-org"),
    ],
)  # fmt: skip
def test_what_has_no_place_is_reported_once_for_each_record(read, more, element):
    run = read(document(activity(more), activity(more + more if "policy" in more else more, identifier="XX-2")))
    assert list(run.issues.filter(element=element).values_list("identifier", flat=True)) == ["XX-1", "XX-2"]


def test_attributes_of_the_activity_are_reported(read):
    run = read(document(activity().replace("<iati-activity ", '<iati-activity hierarchy="2" humanitarian="1" ')))
    assert {"@hierarchy", "@humanitarian"} <= set(run.issues.values_list("element", flat=True))


def test_page_and_api_say_what_only_transactions_name(read, client):
    one = activity(MONEY.format(place='<recipient-country code="UG"/>')).replace(
        '<recipient-country code="KE"/>', "", 1
    )
    read(document(one))
    project = Project.objects.get()
    page = client.get(project.get_absolute_url()).content.decode()
    assert "no countries reported" not in page
    for what in ("countries or regions", "sectors", "payers or payees"):
        assert f"The source names {what} only in its transactions" in page
    kinds = ["recipient-country", "sector", "provider-org", "receiver-org"]
    assert client.get(f"/api/v1/projects/{project.reference}/").json()["only_in_transactions"] == kinds
    assert "recipient-country sector" in client.get("/api/v1/projects/?format=csv").getvalue().decode()


# --- out ---------------------------------------------------------------------------------------------------------------
def exported(**lookup):
    return etree.fromstring(iati_export.one(Project.objects.for_iati().get(**lookup))).find("iati-activity")


BUDGET = """<budget type="1" status="2"><period-start iso-date="2024-01-01"/><period-end iso-date="2024-12-31"/>
<value value-date="2023-11-30">100</value></budget><sector code="41030"/><activity-date type="1" iso-date="2024-01-01"/>"""


def test_budget_status_and_value_dates_go_out_as_they_came(read):
    read(document(activity(BUDGET + MONEY.format(place=""), identifier="XM-DAC-41114-1")))
    written = exported()
    assert written.find("budget").get("status") == "2"
    assert written.find("budget/value").get("value-date") == "2023-11-30"
    assert written.find("transaction/value").get("value-date") == "2024-04-30"


def test_what_nobody_said_is_left_out_or_marked_as_assumed(read):
    read(document(activity(
        BUDGET.replace(' status="2"', "").replace(' value-date="2023-11-30"', "")
        + MONEY.format(place="").replace(' value-date="2024-04-30"', "")
    ).replace('<reporting-org ref="XM-DAC-41114" type="40"><narrative>UNDP', '<reporting-org ref="XX"><narrative>Who')))  # fmt: skip
    written = exported()
    assert written.find("budget").get("status") is None
    for path in ("budget/value", "transaction/value"):
        assert written.find(path).get(ASSUMED) == "value-date"
    reporter = written.find("reporting-org")
    assert (reporter.get("ref"), reporter.get("secondary-reporter"), reporter.get(ASSUMED)) == ("XX", "1", "type")
    assert [org.get("role") for org in written.findall("participating-org")] == ["4"]
    assert written.get("hierarchy") is None


PLACED = '<sector vocabulary="1" code="41030"/><activity-date type="1" iso-date="2024-01-01"/>'


def placed(*places: str, more="") -> bytes:
    """An activity that takes place in countries and regions of these codes and shares: "KE:30", "1 298:70"."""
    said = []
    for place in places:
        code, _colon, share = place.partition(":")
        vocabulary, _space, region = code.partition(" ")
        name = (
            f'recipient-region vocabulary="{vocabulary}" code="{region}"'
            if region
            else f'recipient-country code="{code}"'
        )
        percentage = f' percentage="{share}"' if share else ""
        said.append(f"<{name}{percentage}><narrative>Place {code}</narrative></{name.split()[0]}>")
    whole = activity(PLACED + more, identifier="XM-DAC-41114-1").replace(
        '<recipient-country code="KE"/>', "".join(said)
    )
    return document(whole)


def percentages_of(written, name: str) -> list[tuple[str, bool, str | None]]:
    """(percentage, whether it is marked as assumed, what was reported) of each of these elements."""
    return [
        (e.get("percentage"), "percentage" in e.get(ASSUMED, "").split(), e.get(own("share")))
        for e in written.findall(name)
    ]


@pytest.mark.parametrize(
    ("places", "out"),
    [
        (["KE:30", "UG:30", "RW:30", "ZZ:10"], [("33.3334", True, "30"), ("33.3333", True, "30"), ("33.3333", True, "30")]),
        (["KE:40", "ZZ:60"], [("100", True, "40")]),
        (["KE:50"], [("100", True, "50")]),
        (["KE", "ZZ:60"], [("100", True, "")]),
        (["KE:30", "UG:30"], [("50", True, "30"), ("50", True, "30")]),
        (["KE:30", "UG"], [("30", False, None), ("70", True, "")]),
        (["KE:40", "UG", "ZZ:20"], [("50", True, "40"), ("50", True, "")]),
        (["KE:40", "UG:60"], [("40", False, None), ("60", False, None)]),
        (["KE:100"], [("100", False, None)]),
        (["KE"], [(None, False, None)]),
    ],
)  # fmt: skip
def test_a_percentage_that_nobody_reported_is_marked(read, places, out):
    read(placed(*places))
    assert percentages_of(exported(), "recipient-country") == out


def test_a_percentage_of_a_sector_that_nobody_reported_is_marked(read):
    codes = ("14.1", "14.2", "14.99", "14.98", "14.97")
    targets = "".join(f'<sector vocabulary="8" code="{code}" percentage="20"/>' for code in codes)
    read(placed("KE", more=targets))
    written = percentages_of(exported(), "sector[@vocabulary='8']")
    assert written == [("50", True, "20"), ("50", True, "20")]
    assert [e.get("percentage") for e in exported().findall(own("reported"))] == ["20"] * 3


@pytest.mark.parametrize(
    ("more", "name", "value", "told"),
    [
        ('<activity-status code="4"/>', "status", "2", "activity-status"),
        ('<activity-scope code="4"/><activity-scope code="2"/>', "delivery_level", "national", "activity-scope"),
        ("<iati-identifier>XX-2</iati-identifier>", "iati_identifier", "XX-1", "iati-identifier"),
        ('<reporting-org ref="YY" type="22"><narrative>Y</narrative></reporting-org>', "title", "A project", "reporting-org"),
    ],
)  # fmt: skip
def test_of_what_is_named_twice_the_first_is_taken(read, more, name, value, told):
    run = read(document(activity(more)))
    assert getattr(Project.objects.get(), name) == value
    assert [issue.outcome for issue in run.issues.filter(element=told)] == ["left_out"]
    assert not ProjectPartner.objects.filter(reported_code="YY").exists()


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ('<budget><period-start iso-date="2024-01-01"/><period-start iso-date="2024-02-01"/><period-end iso-date="2024-12-31"/><value>1</value></budget>', "budget/period-start"),
        ('<budget-planned><period-start iso-date="2024-01-01"/><period-end iso-date="2024-12-31"/><value>1</value><value>2</value></budget-planned>', "budget-planned/value"),
        ('<document-link url="https://example.org/"><document-date iso-date="2024-01-01"/><document-date iso-date="2024-02-01"/></document-link>', "document-link/document-date"),
        ("<location><point><pos>1 2</pos><pos>3 4</pos></point></location>", "location/point/pos"),
    ],
)  # fmt: skip
def test_a_second_one_within_an_element_is_told(read, more, told):
    assert [issue.outcome for issue in read(document(activity(more))).issues.filter(element=told)] == ["left_out"]


def test_type_of_an_organisation_goes_out_as_it_came(read):
    read(document(activity(
        '<participating-org ref="XX-Y" role="1" type="22"><narrative>Y</narrative></participating-org>' + BUDGET,
        identifier="XM-DAC-41114-1",
    )))  # fmt: skip
    assert exported().find("participating-org[@ref='XX-Y']").get("type") == "22"


# --- files that break off, archives, weight ------------------------------------------------------------------------------
def test_command_has_a_status_of_its_own_for_a_file_that_breaks_off(db, tmp_path):
    path = tmp_path / "broken.xml"
    whole = document(*[activity(identifier=f"XX-{n}") for n in range(6)])
    path.write_bytes(whole[: len(whole) * 2 // 3])
    with pytest.raises(CommandError, match="Not read to the end") as error:
        call_command("import_iati", str(path), stdout=io.StringIO())
    assert error.value.returncode == 2
    assert Project.objects.exists()


def packed(**files: bytes) -> bytes:
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return into.getvalue()


def test_archive_with_several_files_is_read_whole(read):
    run = read(packed(**{"a.xml": document(activity()), "b.xml": document(activity(identifier="XX-2"))}), "all.zip")
    assert (run.progress, run.created) == ("done", 2)
    assert "a.xml (1), b.xml (1)" in run.message


def test_archive_with_one_bad_file_takes_the_good_ones_and_says_so(read):
    run = read(packed(**{"a.xml": b"<html/>", "b.xml": document(activity())}), "all.zip")
    assert (run.progress, run.created) == ("failed", 1)
    assert "a.xml: This is no IATI activity file" in run.message


def test_what_of_an_archive_is_not_read_is_named(read):
    inner = packed(**{"c.xml": document(activity(identifier="XX-3"))})
    beside = {"old.xml.gz": b"\x1f\x8b", "more.ZIP": inner, "notes.txt": b"x"}
    run = read(packed(**{"a.xml": document(activity())}, **beside), "all.zip")
    assert (run.progress, run.created) == ("failed", 1)
    for said in ("old.xml.gz: an archive in the archive is not read", "more.ZIP: an archive", "no XML: notes.txt"):
        assert said in run.message
    run = read(packed(**{"a.xml": document(activity()), "notes.txt": b"x"}), "all.zip")
    assert (run.progress, "notes.txt" in run.message) == ("done", True)


def test_a_number_that_is_rounded_is_told_and_none_becomes_zero(read):
    payment = '<transaction><transaction-type code="3"/><transaction-date iso-date="2024-05-01"/><value>{}</value></transaction>'
    result = (
        "<result type='1'><title><narrative>R</narrative></title><indicator measure='1'><title><narrative>I</narrative></title>"
        "<baseline year='2020' value='0.004'/><period><target value='0.125'/></period></indicator></result>"
    )
    run = read(document(activity("".join(map(payment.format, ("0,004", "1.235", "1.50"))) + result)))
    project = Project.objects.get()
    assert [str(one.amount) for one in project.transactions.order_by("pk")] == ["1.24", "1.50"]
    row = project.results.get()
    assert (row.baseline, str(row.target)) == (None, "0.13")
    told = set(run.issues.values_list("element", "value", "outcome"))
    assert {
        ("transaction/value", "0.004", "left_out"), ("transaction/value", "1.235", "repaired"),
        ("result/indicator/baseline", "0.004", "left_out"), ("result/indicator/period/target", "0.125", "repaired"),
    } <= told  # fmt: skip


def test_text_beside_narratives_and_behind_elements_is_reported(read):
    one = activity().replace("<title>", "<title>Old words", 1)
    run = read(document(one.replace("</title>", "</title>stray words", 1)))
    told = dict(run.issues.filter(element__endswith="text()").values_list("element", "value"))
    assert told == {"title/text()": "Old words", "text()": "stray words"}


def test_one_share_that_rounding_brought_above_100_is_kept(read):
    run = read(document(activity('<sector vocabulary="2" code="410" percentage="100.01"/>')))
    assert Project.objects.get().term_links.get(reported_code="410").share == 100
    assert run.issues.get(element="sector/@percentage").outcome == "repaired"


def test_archive_from_macos_is_read(read):
    beside = {"__MACOSX/._a.xml": b"\x00\x05\x16\x07", "._a.xml": b"\x00", ".DS_Store": b"\x00"}
    run = read(packed(**{"a.xml": document(activity())}, **beside), "mac.zip")
    assert (run.progress, run.created) == ("done", 1)


def test_forty_thousand_payments_of_one_activity_are_taken(read):
    one = '<transaction><transaction-type code="3"/><transaction-date iso-date="2024-05-01"/><value>10</value></transaction>'
    run = read(document(activity(one * 40_000)))
    assert (run.created, run.rejected) == (1, 0)
    assert Project.objects.get().transactions.count() == 40_000


def test_run_whose_process_died_is_broken_off(db):
    run = ImportRun.objects.create(file_name="a.xml", started_by=User.objects.system())
    parameters = connection.get_connection_params()
    known = {k: parameters[k] for k in ("dbname", "user", "password", "host", "port") if parameters.get(k)}
    other = psycopg.connect(**known)
    other.execute("SELECT pg_advisory_lock(%s, %s)", [AT_WORK, run.pk])
    assert not run.is_broken_off
    with connection.cursor() as cursor:  # ends it, and waits until it has ended
        cursor.execute("SELECT pg_terminate_backend(%s, 10000)", [other.info.backend_pid])
    other.close()
    assert run.is_broken_off


def test_import_is_at_work_while_it_runs(read):
    seen = []
    run = read(
        document(*[activity(identifier=f"XX-{n}") for n in range(26)]),
        progress=lambda run: seen.append((run.progress, run.is_broken_off)),
    )
    assert seen[0] == ("running", False)
    assert not run.is_broken_off


def test_signs_that_turn_the_direction_are_taken_out(read):
    run = read(document(activity(title="Report \u202efdp.exe \u2066x\u2069")))
    assert Project.objects.get().title == "Report fdp.exe x"
    assert run.issues.filter(element="title", outcome="repaired").exists()


def test_admin_says_that_a_run_broke_off_and_goes_on(client, people):
    client.force_login(people["desk"])
    run = ImportRun.objects.create(file_name="a.xml", file="imports/a.xml", started_by=User.objects.system())
    page = client.get(f"/admin/projects/importrun/{run.pk}/change/")
    assert "Broken off" in page.content.decode()
    assert "broken off" in client.get("/admin/projects/importrun/").content.decode()
    assert client.post(f"/admin/projects/importrun/{run.pk}/go-on/").status_code == 302
    run.refresh_from_db()
    assert run.progress == "queued"


def test_what_only_transactions_name_is_missing_nowhere(read, client):
    one = activity(MONEY.format(place='<recipient-country code="UG"/>')).replace(
        '<recipient-country code="KE"/>', "", 1
    )
    read(document(one))
    project = Project.objects.for_iati().get()
    found = {finding.criterion.key: finding for finding in quality.assess(project)}
    for key in ("countries", "crs"):
        assert (found[key].is_met, "only in its transactions" in found[key].advice) == (True, True), key
    lacking = {one.key: str(one.advice) for one in quality.lacks_for_iati(project)}
    assert all("only in its transactions" in lacking[rule] for rule in ("6.2.2", "3.7.1"))
    places = "1 project names its countries or regions only in its transactions"
    sectors = "1 project names its sectors only in its transactions"
    for address, text in (
        ("/projects/?country=UGA", places), ("/projects/?term=crs:41030", sectors), ("/countries/UGA/", places),
        ("/countries/UGA/brief/", places), ("/see/projects/map/", places), ("/see/projects/goals/", sectors),
    ):  # fmt: skip
        assert text in client.get(address).content.decode(), address
    assert places not in client.get("/projects/").content.decode()


def test_nothing_is_said_of_transactions_where_no_record_has_it(read, client):
    read(document(activity()))
    assert "in its transactions" not in client.get("/projects/?country=KEN").content.decode()


# --- what nobody said, in every format ----------------------------------------------------------------------------------
def test_what_is_imported_is_no_project_until_somebody_says_so(read, client):
    read(document(activity(BUDGET, identifier="XM-DAC-41114-1")))
    project = Project.objects.get()
    assert project.instrument == ""
    assert client.get("/api/v1/projects/?instrument=unstated").json()["count"] == 1
    assert client.get(f"/api/v1/projects/{project.reference}/").json()["instrument"] == ""
    assert not exported().xpath("tag[starts-with(@code, 'instrument:')]")
    project.instrument = "project"  # by staff
    project.save()
    read(document(activity(BUDGET, identifier="XM-DAC-41114-1", title="Another title")))
    project.refresh_from_db()
    assert (project.title, project.instrument) == ("Another title", "project")
    assert exported().get("hierarchy") == "2"
    [tag] = exported().xpath("tag[@code='instrument:project']")
    assert tag.get(ASSUMED) is None


def test_points_say_whether_they_were_reported(read, client):
    place = "<location><point><pos>-4.05 39.66</pos></point></location>"
    read(document(activity(place), activity(identifier="XX-2")))
    features = client.get("/api/v1/projects/?format=geojson").getvalue()
    said = {f["properties"]["iati_identifier"]: f["properties"]["points"] for f in json.loads(features)["features"]}
    assert said == {"XX-1": "places", "XX-2": "countries"}


def test_what_is_planned_has_not_begun(read):
    read(document(activity('<activity-date type="1" iso-date="2024-01-01"/>')))
    assert "foundingDate" not in linked_data.project(Project.objects.get())


def test_language_of_a_partners_site_is_not_made_up(db):
    partner = Partner.objects.exclude(iati_identifier=None).first()
    partner.website = "https://partner.example.org/"
    site = iati_export.organisation_of(partner, Publisher()).find(f"document-link[@url='{partner.website}']")
    assert site.find("language") is None


# --- which record an activity is ---------------------------------------------------------------------------------------
def of_publisher(ref: str, country: str, *, identifier="", title="A training", reporting="") -> str:
    one = activity(title=title).replace("<iati-identifier>XX-1</iati-identifier>", identifier)
    reporting = reporting or f'<reporting-org ref="{ref}" type="10"><narrative>{ref}</narrative></reporting-org>'
    before = '<reporting-org ref="XM-DAC-41114" type="40"><narrative>UNDP</narrative></reporting-org>'
    return one.replace(before, reporting).replace('code="KE"', f'code="{country}"')


@pytest.mark.parametrize(
    "identifier", ["", '<other-identifier ref="123"/>', '<other-identifier owner-name="Z" ref="1"/>']
)
def test_activities_without_identifier_of_two_publishers_are_two_records(read, identifier):
    for ref, country in (("AA-1", "KE"), ("BB-1", "UG")):
        for _again in range(2):
            run = read(document(of_publisher(ref, country, identifier=identifier)))
        assert (run.created, run.updated, run.unchanged, run.rejected) == (0, 0, 1, 0)
    found = {link.country.iso2 for project in Project.objects.all() for link in project.country_links.all()}
    assert (Project.objects.count(), found) == (2, {"KE", "UG"})


def test_two_publishers_in_one_file_with_the_same_title_are_two_records(read):
    run = read(document(of_publisher("AA-1", "KE"), of_publisher("BB-1", "UG")))
    assert (run.created, run.rejected) == (2, 0)


def test_long_titles_that_begin_alike_are_two_records(read):
    run = read(document(*(of_publisher("AA-1", "KE", title="x" * 300 + end) for end in "ab")))
    assert (run.created, run.rejected) == (2, 0)


def test_without_identifier_and_publisher_the_source_of_the_import_stands_for_it(read):
    nobody = document(of_publisher("", "KE", reporting="<!-- nobody -->"))
    run = read(nobody)
    assert (run.created, run.rejected) == (0, 1)
    assert "State who publishes the file" in run.issues.get(outcome="rejected").text
    for publisher in ("Ministry A", "Ministry B"):
        run = read(nobody, run=ImportRun(file_name="a.xml", publisher=publisher))
        assert (run.created, run.updated) == (1, 0)


def test_what_stands_beside_the_activities_is_told(read):
    other = "<iati-organisation><organisation-identifier>Z</organisation-identifier></iati-organisation>"
    misspelt = "<iati-activty><iati-identifier>XX-{}</iati-identifier></iati-activty>"
    run = read(
        document("first text", activity(), misspelt.format(2), "loose text", other, misspelt.format(3), "at the end")
    )
    assert (run.created, run.done) == (1, 1)
    told = {issue.element: (issue.value, issue.outcome, issue.text[-2:]) for issue in run.issues.all()}
    assert told["iati-activty"] == ("XX-2", "left_out", "2.")
    assert told["iati-organisation"] == ("Z", "left_out", "1.")
    assert told["text()"][1:] == ("left_out", "3.")
    assert "iati-activty (2)" in run.message


# --- going on after a break --------------------------------------------------------------------------------------------
class Killed(BaseException):
    """As kill -9: nothing of the program goes on after it."""


def test_going_on_after_a_kill_is_the_same_as_a_whole_run(read, monkeypatch):
    link = '<related-activity ref="XX-4" type="3"/>'
    whole = [activity(link if n == 1 else "", identifier=f"XX-{n}") for n in range(1, 5)]
    written = iati_import.write_activity

    def stop_at_the_fourth(one, *rest):
        if one.identifier == "XX-4":
            raise Killed
        return written(one, *rest)

    monkeypatch.setattr(iati_import, "write_activity", stop_at_the_fourth)
    with pytest.raises(Killed):
        read(document(*whole))
    run = ImportRun.objects.get()
    assert (run.done, run.created) == (3, 3)
    monkeypatch.setattr(iati_import, "write_activity", written)
    run = read(document(*whole))
    assert (run.done, run.created, run.unchanged) == (4, 1, 3)
    assert not Project.objects.filter(quality_score=0).exists()
    assert Project.objects.get(iati_identifier="XX-1").related_links.get().other.iati_identifier == "XX-4"


def test_a_link_of_an_earlier_file_is_tied_when_what_it_names_comes(read):
    own = f"{Publisher().ref}-NOT-HERE"
    links = f'<related-activity ref="XX-2" type="3"/><related-activity ref="XX-9" type="3"/><related-activity ref="{own}" type="3"/>'
    read(document(activity(links)))
    read(document(activity(identifier="XX-2")))
    found = Project.objects.get(iati_identifier="XX-1").related_links.all()
    assert {(link.other and link.other.iati_identifier, link.reported_identifier) for link in found} == {
        ("XX-2", ""), (None, "XX-9"), (None, own),
    }  # fmt: skip


def test_an_activity_that_the_database_refuses_is_counted_once(read, monkeypatch):
    def refuse(run, outcome, one, findings, count=iati_import._count):
        count(run, outcome, one, findings)
        if outcome == "created":
            raise DatabaseError("refused at the end")

    monkeypatch.setattr(iati_import, "_count", refuse)
    run = read(document(activity()))
    run.refresh_from_db()
    assert (run.done, run.created, run.rejected) == (1, 0, 1)


# --- shares of regions -------------------------------------------------------------------------------------------------
def shares_of(project) -> dict[str, Decimal | None]:
    links = [*project.country_links.all(), *project.region_links.all()]
    return {
        link.reported_code or getattr(link, "country", None) and link.country.iso2 or link.region.code: link.share
        for link in links
    }


@pytest.mark.parametrize(
    ("places", "kept", "left_out"),
    [
        (["1 298:100", "2 202:100"], {"002": None, "202": 100}, "298 100"),
        (["KE:50", "1 298:50", "99 A1:50"], {"KE": 50, "002": 50, "99:A1": None}, "A1 50"),
        (["98 1:40", "99 1:60"], {"98:1": 40, "99:1": 60}, None),
        (["KE:40", "98 1:60", "99 1:60"], {"KE": 40, "98:1": 60, "99:1": None}, "1 60"),
    ],
)  # fmt: skip
def test_shares_of_regions_are_those_of_one_list(read, places, kept, left_out):
    run = read(placed(*places))
    assert shares_of(Project.objects.get()) == kept
    found = run.issues.filter(element__contains="@percentage")
    assert [(issue.value, issue.outcome) for issue in found] == ([(left_out, "left_out")] if left_out else [])
    assert not run.issues.filter(text__contains="They add up").exists()


@pytest.mark.parametrize("element", ["recipient-region", "sector", "tag"])
def test_the_same_code_of_two_own_lists_is_two(read, element):
    one = '<{e} vocabulary="{v}" code="1"><narrative>{name}</narrative></{e}>'
    said = ("98", "North"), ("99", "South"), ("99", "West"), ("99", "West")
    run = read(document(activity("".join(one.format(e=element, v=v, name=name) for v, name in said))))
    project = Project.objects.get()
    links = project.region_links if element == "recipient-region" else project.term_links
    assert sorted(links.values_list("reported_name", flat=True)) == ["North", "South", "West"]
    assert run.issues.filter(element=element, text__contains="kept once").count() == 1


# --- archives ----------------------------------------------------------------------------------------------------------
def test_a_file_whose_name_begins_with_a_dot_is_read_or_named(read):
    files = {".hid.xml": document(activity()), ".notes": b"x", "._a.xml": b"of macOS", ".DS_Store": b"of macOS"}
    run = read(packed(**files), "all.zip")
    assert (run.progress, run.created) == ("done", 1)
    assert "no XML: .notes." in run.message


@pytest.mark.parametrize("at", ["content", "header"])
def test_a_damaged_file_of_an_archive_holds_up_no_other(read, at):
    names = ("a.xml", "b.xml", "c.xml")
    whole = {name: document(activity(identifier=f"XX-{name}", title="Much of it " * 20)) for name in names}
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w") as archive:
        for name, content in whole.items():
            archive.writestr(name, content)
        start = archive.getinfo("b.xml").header_offset
    content = bytearray(into.getvalue())
    if at == "content":
        content[content.index(b"Much of it", start)] = ord("X")
    else:
        content[start : start + 4] = b"XXXX"
    run = read(bytes(content), "all.zip")
    assert (run.progress, "XX-c.xml" in Project.objects.values_list("iati_identifier", flat=True)) == ("failed", True)
    assert "b.xml: The archive is damaged" in run.message
    assert "c.xml (1)" in run.message


# --- days --------------------------------------------------------------------------------------------------------------
DAYS = """<activity-date type="1" iso-date="{0}"/><budget type="1" status="1"><period-start iso-date="{0}"/><period-end iso-date="2024-12-31"/>
<value currency="USD" value-date="{0}">5</value></budget><transaction><transaction-type code="3"/><transaction-date iso-date="{0}"/>
<value currency="USD" value-date="{0}">7</value></transaction><result type="1"><title><narrative>R</narrative></title><indicator measure="1">
<title><narrative>I</narrative></title><period><period-end iso-date="{0}"/><actual value="3"/></period></indicator></result>
<document-link url="https://example.org/a.pdf" format="application/pdf"><title><narrative>D</narrative></title><document-date iso-date="{0}"/></document-link>"""


def days_of(project) -> set:
    return {
        project.planned_start, *project.budgets.values_list("starts_on", flat=True), *project.budgets.values_list("valued_on", flat=True),
        *project.transactions.values_list("made_on", flat=True), *project.transactions.values_list("valued_on", flat=True),
        *project.results.values_list("actual_on", flat=True), *project.documents.values_list("published_on", flat=True),
    }  # fmt: skip


@pytest.mark.parametrize("junk", ["2024-01-01junk", "2024-01-01 or so", "2024-01-01/2024-06-30", "2024-02-30"])
def test_text_behind_a_day_is_told_and_no_day_made_of_it(junk, read):
    run = read(document(activity(DAYS.format(junk))))
    assert days_of(Project.objects.get()) <= {None}
    told = set(run.issues.filter(value__contains=junk, outcome="left_out").values_list("element", flat=True))
    assert told == {
        "activity-date", "budget/period-start", "transaction/transaction-date",
        "transaction/value/@value-date", "result/indicator/period/period-end/@iso-date",
        "document-link/document-date/@iso-date",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("written", "repaired"),
    [("2024-01-01Z", 0), ("2024-01-01+03:00", 0), (" 2024-01-01 ", 0), ("2024-01-01T00:00:00Z", 7), ("2024-01-01T12:30:00.5+03:00", 7)],
)  # fmt: skip
def test_a_day_with_a_time_zone_is_that_day_and_a_moment_is_repaired(written, repaired, read):
    run = read(document(activity(DAYS.format(written))))
    assert days_of(Project.objects.get()) == {date(2024, 1, 1)}
    assert run.issues.filter(text="Read as 2024-01-01.", outcome="repaired").count() == repaired


# --- what nobody stated ------------------------------------------------------------------------------------------------
UNSAID = """<participating-org ref="YY-1" type="10"><narrative>No role</narrative></participating-org>
<participating-org role="9" ref="YY-2" type="10"><narrative>Role nine</narrative></participating-org>
<related-activity ref="YY-R" type="77"/><result><title><narrative>R</narrative></title><indicator measure="1"><title><narrative>I</narrative></title>
<period><period-end iso-date="2024-12-31"/><actual value="1"/></period></indicator></result><activity-scope code="7"/>"""


def unsaid() -> bytes:
    text = activity(PLACED + UNSAID, identifier="XM-DAC-41114-1").replace(' xml:lang="en"', "")
    text = text.replace("<title><narrative>A project</narrative></title>", "").replace(
        "<description>", '<description type="77">'
    )
    return document(text)


def test_what_an_import_put_in_goes_out_marked(read):
    read(unsaid())
    written = exported()

    def marks(path: str) -> set[str]:
        return set(written.find(path).get(ASSUMED, "").split())

    assert "xml:lang" in written.get(ASSUMED).split()
    assert "narrative" in marks("title")
    assert "type" in marks("description")
    assert marks("participating-org[@ref='YY-1']") == {"role"} == marks("participating-org[@ref='YY-2']")
    assert marks("participating-org[@ref='XM-DAC-41114']") == set()
    assert marks("related-activity") == {"type"} == marks("result")
    assert written.find("activity-scope").get("code") == "7"  # as it came


def test_what_an_import_put_in_comes_back_as_such(read):
    read(unsaid())
    content = iati_export.one(Project.objects.for_iati().get())
    Project.objects.all().delete()
    for outcome in ("created", "unchanged"):
        run = read(content)
        assert getattr(run, outcome) == 1, list(run.issues.values_list("element", "value", "text"))
    again = iati_export.one(Project.objects.for_iati().get())
    [before, after] = [etree.fromstring(one).find("iati-activity") for one in (content, again)]
    assert before.get(own("taken-as")) == after.get(own("taken-as"))
    assert [(e.tag, e.get(ASSUMED)) for e in before] == [(e.tag, e.get(ASSUMED)) for e in after]


def test_what_somebody_wrote_in_its_place_is_not_marked(read):
    read(unsaid())
    project = Project.objects.get()
    project.title, project.language, project.delivery_level = "Its title", "fr", "regional"
    project.save()
    written = exported()
    assert (written.get(ASSUMED), written.find("title").get(ASSUMED)) == (None, None)
    assert written.find("activity-scope").get("code") == "2"
