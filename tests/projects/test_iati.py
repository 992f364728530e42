"""IATI in: real dirt met one by one, re-import, staff's edits, resumption, hostile files."""

import ctypes
import gzip
import io
import re
import zipfile
from decimal import Decimal
from pathlib import Path

import pytest
from lxml import etree

from ground import incoming
from projects.interchange import iati_elements, iati_reader
from projects.interchange.cleaning import clean
from projects.interchange.iati_elements import parse_activity
from projects.interchange.iati_import import import_file
from projects.interchange.iati_reader import Unreadable, read_activities
from projects.models import ImportIssue, ImportRun, Project
from tests import THOROUGH
from tests.projects.activities import activity, document, some_of

SAMPLES = Path(__file__).resolve().parents[3] / "shared" / "data" / "activities"


@pytest.fixture
def imported(write, system):
    """Imports one activity with extra elements; gives (project, issues as tuples)."""

    def do(more="", **kwargs):
        run = import_file(write(document(activity(more, **kwargs))), by=system)
        issues = list(run.issues.values_list("element", "value", "outcome"))
        return Project.objects.filter(import_run=run).first(), issues

    return do


def damaged_gzip() -> bytes:
    """Whole at its beginning, broken where it is unpacked."""
    packed = bytearray(gzip.compress(document(activity())))
    packed[10:40] = b"\xff" * 30
    return bytes(packed)


@pytest.mark.parametrize("content", [damaged_gzip(), gzip.compress(document(activity()))[:-20]])
def test_a_gzip_file_that_is_damaged_inside_ends_in_a_failed_run(content, write, system):
    path = write(content, "a.xml.gz")
    assert incoming.unpacks_within(path, 1024**2)
    run = import_file(path, by=system)
    assert (run.progress, run.finished_at is None) == (ImportRun.Progress.FAILED, False)
    assert "damaged" in run.message


def test_a_fault_while_importing_leaves_no_run_at_work(write, system, monkeypatch):
    def broken(*args):
        raise LookupError("a fault of the program")

    monkeypatch.setattr("projects.interchange.iati_import._import_one", broken)
    with pytest.raises(LookupError):
        import_file(write(document(activity())), by=system)
    run = ImportRun.objects.get()
    assert (run.progress, run.finished_at is None) == (ImportRun.Progress.FAILED, False)
    assert "import the file again" in run.message


def test_one_activity_arrives_whole_and_public(imported):
    project, issues = imported(
        """<activity-date type="1" iso-date="2024-01-01"/><sector vocabulary="1" code="41030" percentage="100"/>
        <tag vocabulary="3" code="14.2"/><collaboration-type code="8"/><activity-scope code="4"/>
        <budget type="1"><period-start iso-date="2024-01-01"/><period-end iso-date="2024-12-31"/><value currency="EUR">1200.50</value></budget>
        <location><name><narrative>Mombasa</narrative></name><point><pos>-4.05 39.66</pos></point></location>
        <document-link url="https://example.org/report"><title><narrative>Report</narrative></title><language code="en"/></document-link>
        <result type="1"><title><narrative>Trained</narrative></title><indicator measure="1"><title><narrative>People</narrative></title>
        <baseline year="2023" value="0"/><period><period-end iso-date="2025-12-31"/><target value="40"/><actual value="12"/></period></indicator></result>"""
    )
    assert (project.state, project.source, project.status, project.modality, project.delivery_level) == (
        "published", "imported", "2", "triangular", "national",
    )  # fmt: skip
    assert [str(t.term) for t in project.term_links.all()] == [
        "41030 Biodiversity",
        "14.2 Marine and coastal ecosystems protected",
    ]
    assert project.country_links.get().country.iso3 == "KEN"
    assert project.partner_links.get().partner.slug == "undp"
    assert project.partner_links.get().is_reporting
    assert str(project.budgets.get()) == "2024: EUR 1200.50"
    assert project.locations.get().name == "Mombasa"
    assert project.documents.get().url == "https://example.org/report"
    result = project.results.get()
    assert (result.indicator, result.target, result.actual) == ("People", 40, 12)
    assert issues == []


@pytest.mark.parametrize(
    ("more", "issue", "check"),
    [
        pytest.param(
            '<transaction><transaction-type code="3"/><transaction-date iso-date="2024-05-01"/><value>-500</value></transaction>',
            ("transaction/value", "-500.00", "kept"), lambda p: p.transactions.get().amount == -500, id="negative transaction",
        ),
        pytest.param(
            '<sector code="41050"/>', ("sector", "41050", "kept"), lambda p: p.term_links.get().term.is_withdrawn, id="withdrawn code",
        ),
        pytest.param(
            '<sector code="99999"/>', ("sector", "99999", "kept"),
            lambda p: p.term_links.get().reported_code == "99999", id="unknown code",
        ),
        pytest.param(
            '<sector code="41010" percentage="60"/><sector code="41020" percentage="60"/>',
            ("sector (vocabulary 1)/@percentage", "41010 60; 41020 60", "left_out"), lambda p: [t.share for t in p.term_links.all()] == [None, None],
            id="percentages over 100",
        ),
        pytest.param(
            '<sector code="41010" percentage="30"/><sector code="41020" percentage="30"/>',
            ("sector (vocabulary 1)/@percentage", "60.0000", "kept"), lambda p: [t.share for t in p.term_links.all()] == [30, 30],
            id="percentages under 100",
        ),
        pytest.param(
            '<recipient-country code="GLOBAL"/>', ("recipient-country", "GLOBAL", "kept"),
            lambda p: p.country_links.unresolved().get().reported_code == "GLOBAL", id="country GLOBAL",
        ),
        pytest.param(
            '<recipient-country code="XX"><narrative>Nowhere</narrative></recipient-country>', ("recipient-country", "XX", "kept"),
            lambda p: p.country_links.unresolved().get().reported_name == "Nowhere", id="country XX",
        ),
        pytest.param(
            '<participating-org ref="" role="1"><narrative></narrative></participating-org>', ("participating-org", "1", "left_out"),
            lambda p: p.partner_links.count() == 1, id="empty reference",
        ),
        pytest.param(
            '<participating-org ref=" XM-DAC 41301 " role="1"/>', ("participating-org/@ref", " XM-DAC 41301 ", "repaired"),
            lambda p: p.partner_links.unresolved().get().reported_code == "XM-DAC41301", id="reference with spaces",
        ),
        pytest.param(
            '<participating-org role="1"><narrative>Unknown Ministry</narrative></participating-org>',
            ("participating-org", "Unknown Ministry", "kept"),
            lambda p: p.partner_links.unresolved().get().reported_name == "Unknown Ministry", id="unknown organisation",
        ),
        pytest.param(
            '<budget><period-start iso-date="2020-01-01"/><period-end iso-date="2024-12-31"/><value>5</value></budget>',
            ("budget", "2020-01-01 2024-12-31 5", "left_out"), lambda p: p.budgets.count() == 0, id="budget of five years",
        ),
        pytest.param(
            '<activity-date type="1" iso-date="2025-01-01"/><activity-date type="3" iso-date="2024-01-01"/>',
            ("activity-date", "2025-01-01 – 2024-01-01", "left_out"), lambda p: p.planned_end is None, id="end before start",
        ),
        pytest.param(
            '<document-link url="javascript:alert(1)"/>', ("document-link/@url", "javascript:alert(1)", "left_out"),
            lambda p: p.documents.count() == 0, id="script as address",
        ),
        pytest.param(
            '<location><point><pos>95 200</pos></point></location>', ("location", "95 200", "left_out"),
            lambda p: p.locations.count() == 0, id="place off the earth",
        ),
        pytest.param(
            '<transaction><transaction-type code="3"/><transaction-date iso-date="2024-05-01"/><value>1,200.50</value></transaction>',
            ("transaction/value", "1,200.50", "repaired"), lambda p: str(p.transactions.get().amount) == "1200.50", id="number with commas",
        ),
    ],
)  # fmt: skip
def test_bad_input_is_taken_as_far_as_it_goes(imported, more, issue, check):
    project, issues = imported(more)
    assert issue in issues
    assert check(project)


def test_identifier_with_spaces_is_repaired(imported):
    project, issues = imported(identifier=" XX-1 2 ")
    assert project.iati_identifier == "XX-12"
    assert ("iati-identifier", " XX-1 2 ", "repaired") in issues


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("Caf&amp;eacute;", "Café"),
        ("A &amp;lt;p&amp;gt;B&amp;lt;/p&amp;gt;", "A B"),
        ("CÃ´te dâ€™Ivoire", "Côte d’Ivoire"),
        ("plain &  text", "plain & text"),
        ("a\u0001b", "ab"),
        ("3 < 4 and 5 > 2", "3 < 4 and 5 > 2"),
        ("São Tomé", "São Tomé"),
    ],
)
def test_text_is_cleaned(raw, text):
    assert clean(raw)[0] == text


@pytest.mark.parametrize(
    "text",
    ["a<b, c>d", "write to <john@example.org>", "<mailto:john@example.org>", "if a<i and b>j", "p<0.05 and q>1", "see <https://example.org/>",
     "<name of the ministry>", "<Kenya>", "x<y>z", "a <b c> d"],
)  # fmt: skip
def test_angle_brackets_that_are_no_markup_stay(text):
    assert clean(text) == (text, "")


@pytest.mark.parametrize(
    "text",
    ["<p>A</p>", "<P align=center>A</P>", '<a href="https://example.org/?a=1" target=_blank>A</a>', "<td nowrap>A</td>", "A<br/>", "<o:p>A</o:p>",
     "<span style='color: red'>A</span>", "<h1 >A</h1 >", '<img src="a.png" alt="" />A', "<script>A</script>"],
)  # fmt: skip
def test_markup_is_taken_out(text):
    assert clean(text)[0] == "A"


def test_texts_keep_their_languages(imported):
    project, _issues = imported(
        '<title><narrative xml:lang="fr">Un projet</narrative><narrative xml:lang="ar">مشروع</narrative></title>'
    )
    assert dict(project.translations.values_list("language", "title")) == {"ar": "مشروع", "fr": "Un projet"}


def test_second_import_changes_nothing_and_third_follows_the_source(write, system):
    path = write(document(activity('<sector code="41010"/>')))
    first = import_file(path, by=system)
    second = import_file(path, by=system)
    third = import_file(write(document(activity('<sector code="41020"/>', title="New title"))), by=system)
    assert [(r.created, r.updated, r.unchanged) for r in (first, second, third)] == [(1, 0, 0), (0, 0, 1), (0, 1, 0)]
    project = Project.objects.get()
    assert (project.title, project.term_links.get().term.code) == ("New title", "41020")
    assert set(third.issues.values_list("element", "outcome")) == {("title", "changed"), ("term_links", "changed")}


def test_staffs_edits_stay_and_conflicts_are_listed(write, system):
    import_file(write(document(activity('<sector code="41010"/>'))), by=system)
    project = Project.objects.get()
    project.title = "Better title"
    project.save()
    project.term_links.all().delete()
    run = import_file(write(document(activity('<sector code="41020"/>', title="New title"))), by=system)
    project.refresh_from_db()
    assert project.title == "Better title"
    assert project.term_links.count() == 0
    assert set(run.issues.values_list("element", "outcome")) == {("title", "staff"), ("term_links", "staff")}


def test_trial_run_shows_changes_and_writes_nothing(write, system):
    import_file(write(document(activity())), by=system)
    run = import_file(write(document(activity(title="Other"), activity(identifier="XX-2"))), by=system, dry_run=True)
    assert (run.created, run.updated) == (1, 1)
    assert run.issues.get(outcome=ImportIssue.Outcome.CHANGED).value == "Other"
    assert list(Project.objects.values_list("title", flat=True)) == ["A project"]


def test_one_bad_activity_stops_no_other(write, system):
    run = import_file(
        write(document(activity(), activity(), "<iati-activity/>", activity(identifier="XX-3"))), by=system
    )
    assert (run.created, run.rejected, run.done) == (2, 2, 4)
    assert list(run.issues.filter(outcome="rejected").values_list("identifier", flat=True)) == ["XX-1", "?"]


def test_file_that_breaks_keeps_what_came_before_and_goes_on_next_time(write, system):
    whole = document(*[activity(identifier=f"XX-{n}") for n in range(6)])
    broken = import_file(write(whole[: len(whole) * 2 // 3]), by=system)
    assert broken.progress == ImportRun.Progress.FAILED
    assert "breaks off" in broken.message
    assert 0 < Project.objects.count() < 6
    again = import_file(write(whole), by=system)
    assert (again.progress, again.created + again.unchanged, Project.objects.count()) == ("done", 6, 6)


def cut_at(mark: bytes, whole: bytes) -> bytes:
    return whole[: whole.index(mark) + len(mark)]


SIX = document(*[activity(identifier=f"XX-{n}") for n in range(6)])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (cut_at(b"XX-4</iati-identifier><", SIX.replace(b"\n", b"")),
         "The file breaks off in activity 5 (XX-4): 4 were read in full before it; get the whole file and import it again."),
        (cut_at(b"<iati-identifier>XX-", SIX), "in activity 1 (line 1): 0 were read in full before it"),
        (SIX[: SIX.rindex(b"</iati-activities>")],
         "The file breaks off after activity 6; up to there all was read: get the whole file and import it again."),
        (SIX.replace(b"<title><narrative>A project</narrative>", b"<title><narrative>A & B</narrative>"),
         "The XML has an error in line 4, in activity 1 (XX-0): 0 were read in full before it; have the publisher mend the file"),
        (b"not xml", "breaks off before its first activity, or is no XML: nothing was read."),
        (gzip.compress(SIX + b" " * 10_000)[:-20], "The archive is damaged or incomplete. The file breaks off"),
        (b"PK\x03\x04broken", "The archive is damaged or locked with a password, so it can’t be unpacked"),
    ],
)  # fmt: skip
def test_a_file_that_breaks_off_says_where_what_was_read_and_what_to_do(write, content, said):
    with pytest.raises(Unreadable) as error:
        list(read_activities(write(content)))
    assert said in str(error.value)
    for jargon in ("tag", "EOF", "column", "Error", "zip file", "stream"):
        assert jargon not in str(error.value)


def test_wherever_a_file_is_cut_it_is_said_that_it_breaks_off(write):
    whole = document(
        activity("<!-- a note --><title><narrative xml:lang='fr'>A &amp; é <![CDATA[x < y]]></narrative></title>")
    )
    for end in range(whole.index(b">") + 1, len(whole)):
        with pytest.raises(Unreadable, match="breaks off"):
            list(read_activities(write(whole[:end])))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "breaks off"),
        (b"<html/>", "begins with <html>"),
        (b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><iati-activities>&b;</iati-activities>', "declares"),
        (
            b'<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><iati-activities><iati-activity>&f;</iati-activity></iati-activities>',
            "declares",
        ),
        (b"\x1f\x8b\x08broken", "damaged"),
    ],
)
def test_unreadable_file_says_why(write, content, why):
    with pytest.raises(Unreadable, match=why):
        list(read_activities(write(content)))


def test_archives_are_read_and_bombs_are_not(write, monkeypatch):
    content = document(activity())
    assert len(list(read_activities(write(gzip.compress(content), "a.gz")))) == 1
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.xml", content)
    assert len(list(read_activities(write(packed.getvalue(), "a.zip")))) == 1
    monkeypatch.setattr(iati_reader, "FREE_BYTES", 1024**2)
    bomb = gzip.compress(b"<iati-activities>" + b" " * 30_000_000)
    with pytest.raises(Unreadable, match="unpacks to more"):
        list(read_activities(write(bomb, "bomb.gz")))
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as archive:
        for n in range(3):
            archive.writestr(f"{n}.xml", b"<iati-activities>" + b"<a/>" * 150_000 + b"</iati-activities>")
    with pytest.raises(Unreadable, match="unpacks to more"):
        list(read_activities(write(into.getvalue(), "bomb.zip")))


def test_an_archive_without_end_is_refused_before_any_of_it_is_read(write, monkeypatch):
    monkeypatch.setattr(iati_reader, "FREE_BYTES", 1024**2)
    content = document(activity()).removesuffix(b"</iati-activities>")
    with pytest.raises(Unreadable, match="unpacks to more"):
        next(read_activities(write(gzip.compress(content + b"<a></a>" * 2_000_000), "bomb.gz")))


def test_an_element_with_attributes_without_end_is_refused(write):
    attributes = " ".join(f'a{n}="1"' for n in range(20_000))
    with pytest.raises(Unreadable, match="more than 100 attributes"):
        list(read_activities(write(document(activity(f"<foo {attributes}/>")))))


class Compared(str):
    """A text that counts how often texts are compared with it."""

    times = 0
    __hash__ = str.__hash__

    def __eq__(self, other):
        Compared.times += 1
        return str.__eq__(self, other)


@pytest.mark.parametrize(
    "one",
    [
        '<participating-org role="1" ref="XX-{n}"><narrative>Organisation {n}</narrative></participating-org>',
        '<sector vocabulary="99" code="{n}"><narrative>Sector {n}</narrative></sector>',
        '<tag vocabulary="99" code="{n}"><narrative>Tag {n}</narrative></tag>',
        '<recipient-country code="{n}"/>',
        '<recipient-region vocabulary="99" code="{n}"><narrative>Region {n}</narrative></recipient-region>',
    ],
)  # fmt: skip
def test_each_of_many_is_not_compared_with_all_before_it(one, monkeypatch):
    """Of n of a kind each is looked up, not searched: the number of comparisons grows as n."""
    monkeypatch.setattr(iati_elements, "within", lambda text, *rest: Compared(text))

    def comparisons(n: int) -> int:
        Compared.times = 0
        parse_activity(etree.fromstring(activity("".join(one.format(n=i) for i in range(n)))))
        return Compared.times

    assert comparisons(400) < 8 * comparisons(100) + 8000


def test_many_different_findings_of_a_kind_are_told_each(imported):
    titles = "".join(f'<narrative xml:lang="not a language {n}">T{n}</narrative>' for n in range(50))
    _project, issues = imported(f"<title>{titles}</title>")
    assert len([one for one in issues if one[0] == "title/narrative/@lang"]) == 50


def test_huge_text_is_refused_not_swallowed(write):
    huge = document(activity(title="x" * 11_000_000))
    with pytest.raises(Unreadable):
        list(read_activities(write(huge)))


def resident() -> int:
    """kB that this process holds now, without what it has freed."""
    ctypes.CDLL(None).malloc_trim(0)
    return int(re.search(r"VmRSS:\s*(\d+) kB", Path("/proc/self/status").read_text())[1])


@pytest.mark.parametrize("content", ["<description><narrative>{}</narrative></description>", '<title note="{}"/>'])
def test_memory_stays_flat(write, content):
    """Of the twenty MB that are read nothing is kept, neither of the file nor of what it meant."""
    one = activity(content.format("words " * 17_000)).encode()
    path = write(b'<iati-activities version="2.03">' + one * 200 + b"</iati-activities>")
    for number, _activity in enumerate(read_activities(path), 1):
        if number == 20:
            before = resident()
        if number == 200:
            assert resident() - before < 6_000


@pytest.mark.skipif(
    not SAMPLES.exists(), reason="the real samples are beside the repository only where it is developed"
)
def test_real_samples_arrive(system, client, write):
    def read(name: str) -> ImportRun:
        return import_file(write(some_of(SAMPLES / f"{name}_sample.xml"), f"{name}.xml"), by=system)

    run, wanted = read("iati_environment"), 47 if THOROUGH else 12
    assert (run.created, run.rejected, run.version) == (wanted, 0, "2.03")
    assert Project.objects.published().count() == wanted
    assert client.get("/api/v1/projects/?page_size=200").json()["count"] == wanted
    for project in Project.objects.all():
        assert client.get(project.get_absolute_url()).status_code == 200
        assert client.get("/api/v1/projects/", {"q": f'"{project.title}"', "page_size": 1}).json()["count"] >= 1
    for name, activities in [("undp_2010_v10", 1), ("globalfund_2010_v10", 7), ("worldbank_2010_v10", 16)]:
        old = read(name)
        assert (old.created, old.rejected) == (activities if THOROUGH else -(-activities // 4), 0)
        assert old.issues.exists()


# --- numbers and shares --------------------------------------------------------------------------------------------------
PAYMENT = (
    '<transaction><transaction-type code="3"/><transaction-date iso-date="2024-05-01"/><value>{}</value></transaction>'
)


@pytest.mark.parametrize(
    ("raw", "amounts", "outcome"),
    [
        ("1234,56", ["1234.56"], "repaired"), ("1 234,56", ["1234.56"], "repaired"), ("1.234,56", ["1234.56"], "repaired"),
        ("1234.5", ["1234.50"], None), ("1.234", ["1.23"], "repaired"), ("1,200", [], "left_out"), ("1E3", [], "left_out"),
        ("NaN", [], "left_out"), ("1,23,4", [], "left_out"),
    ],
)  # fmt: skip
def test_an_amount_is_read_as_it_is_meant_or_left_out(imported, raw, amounts, outcome):
    project, issues = imported(PAYMENT.format(raw))
    assert [str(t.amount) for t in project.transactions.all()] == amounts
    assert [o for element, value, o in issues if element == "transaction/value"] == ([outcome] if outcome else [])


def shares(places: str, sectors: str = ""):
    return (
        "".join(f'<recipient-country code="{c}" percentage="{n}"/>' for c, n in (p.split(":") for p in places.split()))
        + "".join(f'<sector code="{c}" percentage="{n}"/>' for c, n in (p.split(":") for p in sectors.split()))
    )  # fmt: skip


def test_shares_that_were_rounded_are_kept(write, system):
    content = activity(shares("RW:33.34 KE:33.34 UG:33.34", "41010:50.01 41030:50")).replace(
        '<recipient-country code="KE"/>', ""
    )
    run = import_file(write(document(content)), by=system)
    project = Project.objects.get()
    assert sorted(link.share for link in project.country_links.all()) == [Decimal("33.34")] * 3
    assert sorted(link.share for link in project.term_links.all()) == [Decimal(50), Decimal("50.01")]
    assert not run.issues.filter(element__contains="percentage").exists()


def test_a_place_named_twice_has_both_shares(imported):
    project, issues = imported(shares("KE:30 UG:40 KE:30", "41010:50 41030:20 41010:30"))
    assert {link.country.iso2: link.share for link in project.country_links.all()} == {"KE": 60, "UG": 40}
    assert {link.term.code: link.share for link in project.term_links.all()} == {"41010": 80, "41030": 20}
    assert ("recipient-country", "KE 30", "repaired") in issues


def test_a_sentence_about_shares_has_no_exponent(imported):
    project, _issues = imported(shares("", "41010:30 41030:30"))
    assert "to 60, not" in " ".join(project.import_run.issues.values_list("text", flat=True))


def test_an_activity_without_end_is_not_held(write, monkeypatch):
    monkeypatch.setattr(iati_reader, "MOST_ELEMENTS", 20)
    one = activity(identifier="XX-1")
    assert len(list(read_activities(write(document(one, one, one))))) == 3  # counted for each by itself
    with pytest.raises(Unreadable, match="more than 20 elements"):
        list(read_activities(write(document(activity("<sector/>" * 30)))))
