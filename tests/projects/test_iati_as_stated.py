"""What a file says is read as it says it, and what it does not say is not stated: which record, shares, days, parts of archives."""

import io
import zipfile
from datetime import date
from decimal import Decimal

import pytest
from django.db import DatabaseError
from lxml import etree

from projects.interchange import iati_export, iati_import
from projects.interchange.iati_own import ASSUMED, own
from projects.interchange.iati_writing import Publisher
from projects.models import ImportRun, Project
from tests.projects.activities import activity, document
from tests.projects.test_iati_nothing_lost import PLACED, exported, packed, placed


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
        "activity-date", "budget/period-start", "budget", "transaction/transaction-date",
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
