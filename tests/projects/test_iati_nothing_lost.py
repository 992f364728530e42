"""IATI: nothing that came in is dropped without a finding, nothing goes out that nobody said; files that break off."""

import io
import json
import zipfile

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from lxml import etree

from pages.discovery import linked_data
from partners.models import Partner, User
from projects import quality
from projects.interchange import iati_export, iati_reader
from projects.interchange.iati_elements import parse_activity
from projects.interchange.iati_own import ASSUMED, own
from projects.interchange.iati_understood import READ
from projects.interchange.iati_writing import Publisher
from projects.models import ImportRun, Project, ProjectPartner
from projects.models.importing import AT_WORK
from tests.iati_standard import LANG, Standard
from tests.projects.activities import activity, document

MONEY = """<transaction><transaction-type code="3"/><transaction-date iso-date="2024-05-01"/><value value-date="2024-04-30">10</value>
<provider-org ref="XX-PAYS"/><receiver-org ref="XX-TAKES"/><sector code="41030"/>{place}</transaction>"""


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
        ("transaction/value", "3 2024-05-01 0,004", "left_out"), ("transaction/value", "1.235", "repaired"),
        ("result/indicator/baseline", "0.004", "left_out"), ("result/indicator/period/target", "0.125", "repaired"),
    } <= told  # fmt: skip


def test_a_currency_that_iso_4217_does_not_know_is_told_and_goes_nowhere(read):
    payment = '<transaction><transaction-type code="3"/><transaction-date iso-date="2024-05-01"/><value currency="ZZZ">5</value></transaction>'
    run = read(document(activity(payment).replace('default-currency="USD"', 'default-currency="€€€"', 1)))
    project = Project.objects.get()
    assert (project.default_currency, project.transactions.count()) == ("", 0)
    told = {one.element: one for one in run.issues.filter(outcome="left_out")}
    assert told["@default-currency"].value == "€€€"
    assert "ZZZ" in (lost := told["transaction/value/@currency"].value) and "2024-05-01" in lost


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


PAYMENT = (
    '<transaction><transaction-type code="3"/><transaction-date iso-date="2024-05-01"/><value>10</value></transaction>'
)


@pytest.mark.parametrize("payments", [9_000, pytest.param(40_000, marks=pytest.mark.thorough)])
def test_thousands_of_payments_of_one_activity_are_taken(read, payments):
    """More than the values that one statement may hold, 65 535."""
    run = read(document(activity(PAYMENT * payments)))
    assert (run.created, run.rejected) == (1, 0)
    assert Project.objects.get().transactions.count() == payments


def test_an_activity_of_forty_thousand_payments_is_read(write, monkeypatch):
    monkeypatch.setattr(iati_reader, "parse_activity", lambda element: len(element.findall("transaction")))
    assert list(iati_reader.read_activities(write(document(activity(PAYMENT * 40_000))))) == [40_000]


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
