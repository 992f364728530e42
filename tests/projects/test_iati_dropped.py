"""IATI: what is dropped, cut or read otherwise than written is named in full by a finding."""

import pytest
from lxml import etree

from projects.interchange import iati_export
from projects.interchange.cleaning import language_code
from projects.models import Project
from tests.projects.activities import activity, document
from tests.projects.test_iati_nothing_lost import exported

SECTOR = '<sector vocabulary="1" code="41030"/><activity-date type="1" iso-date="2024-01-01"/>'


@pytest.fixture
def brought(read):
    """Imports one activity with these elements; gives its record and what the findings tell: (element, value, outcome, text)."""

    def do(more="", **kwargs) -> tuple[Project, list[tuple[str, str, str, str]]]:
        run = read(document(activity(more, **kwargs)))
        return Project.objects.get(), list(run.issues.values_list("element", "value", "outcome", "text"))

    return do


def values(told, element: str) -> list[str]:
    return [value for path, value, _outcome, _text in told if path == element]


# --- languages ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("tag", "language"),
    [
        ("en", "en"), ("EN", "en"), ("es-419", "es"), ("pt-BR", "pt"), ("en_GB", "en"), ("de-1996", "de"), ("sl-rozaj-biske-1994", "sl"),
        ("en-US-u-ca-buddhist", "en"), ("eng", "en"), ("fre", "fr"), ("fra", "fr"), ("chi", "zh"), ("eng-latinx", "en"), ("swh", "sw"),
        ("luo", "luo"), ("zh", "zh"), ("zh-Hans-CN", "zh"), ("zh-hans", "zh"), ("zh-Hant", "zh-hant"), ("zh-TW", "zh-hant"),
        ("zh-Hans-TW", "zh"), ("zho-Hant-HK", "zh-hant"), ("English", ""), ("x-klingon", ""), ("not a language", ""), ("es-", ""),
        ("419", ""), ("", ""),
    ],
)  # fmt: skip
def test_a_tag_means_the_language_that_it_begins_with(tag, language):
    assert language_code(tag) == language


@pytest.mark.parametrize(
    ("tag", "language"), [("es-419", "es"), ("zh-Hans-CN", "zh"), ("zh-Hant-TW", "zh-hant"), ("spa", "es")]
)
def test_a_title_in_a_language_with_region_or_script_is_kept(brought, tag, language):
    title = f'<title><narrative>Water</narrative><narrative xml:lang="{tag}">Agua</narrative></title>'
    project, told = brought(title, title="Water")
    assert list(project.translations.values_list("language", "title")) == [(language, "Agua")]
    assert (values(told, "title"), values(told, "title/narrative/@lang")) == ([], [tag])


def test_the_language_of_an_activity_may_have_a_region(read):
    run = read(document(activity().replace('xml:lang="en"', 'xml:lang="es-419"')))
    assert Project.objects.get().language == "es"
    told = run.issues.get(element="@lang")
    assert (told.value, told.text) == ("es-419", "Taken as “es”; the record keeps the language alone.")


def test_the_portals_own_file_keeps_the_language_of_a_record(read):
    read(document(activity(SECTOR, identifier="XM-DAC-41114-1")))
    project = Project.objects.get()
    project.language = "pt-br"
    project.save()
    run = read(iati_export.one(Project.objects.for_iati().get()))
    assert (run.unchanged, Project.objects.get().language) == (1, "pt-br")


# --- what was dropped ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("more", "element", "said"),
    [
        ('<location ref="K1"><name><narrative>Kisumu</narrative></name><location-id vocabulary="G1" code="191245"/></location>', "location",
         ["K1", "Kisumu", "191245"]),
        ("<location><name><narrative>Kisumu</narrative></name><point><pos>95 200</pos></point></location>", "location", ["Kisumu", "95 200"]),
        ('<participating-org ref="YY" type="22" role="1"><narrative>Y</narrative></participating-org>' * 2, "participating-org", ["YY", "22"]),
        ('<participating-org type="22" role="1"/>', "participating-org", ["22", "1"]),
        ('<participating-org ref="YY" role="beneficiary" type="10"/>', "participating-org/@role", ["YY", "10"]),
        ('<result type="1"><indicator measure="1"><period><target value="10"/><actual value="20"/></period></indicator></result>',
         "result/indicator", ["10", "20"]),
        ('<result type="2"><title><narrative>Better lakes</narrative></title></result>', "result", ["2", "Better lakes"]),
        ("<transaction><description><narrative>Second rate</narrative></description></transaction>", "transaction/value", ["Second rate"]),
        ('<transaction><transaction-date iso-date="2024-05-01"/><value>9</value><description><narrative>Rate</narrative></description></transaction>',
         "transaction/transaction-type", ["2024-05-01", "9", "Rate"]),
        ('<transaction><transaction-type code="3"/><value>9</value><description><narrative>Rate</narrative></description></transaction>',
         "transaction/transaction-date", ["3", "9", "Rate"]),
        ('<transaction><transaction-type code="3"/><transaction-date iso-date="2024-05-01"/><value currency="EURO">9</value></transaction>',
         "transaction/value/@currency", ["EURO", "9", "2024-05-01"]),
        ('<transaction><transaction-type code="3"/><transaction-date iso-date="2024-05-01"/><value>0.004</value></transaction>',
         "transaction/value", ["0.004", "2024-05-01"]),
        ('<budget type="2"><period-start iso-date="2024-01-01"/><value>77</value></budget>', "budget", ["2", "2024-01-01", "77"]),
        ('<recipient-region percentage="30"/>', "recipient-region", ["30"]),
        ('<sector percentage="30"/>', "sector", ["30"]),
        ('<recipient-country code="UG"><narrative>Uganda</narrative></recipient-country><recipient-country code="UG"><narrative>Buganda</narrative></recipient-country>',
         "recipient-country", ["Buganda"]),
        ('<sector code="41010" percentage="70"/><sector code="41030" percentage="60"/>', "sector (vocabulary 1)/@percentage", ["41010 70", "41030 60"]),
        ('<related-activity type="2"/>', "related-activity", ["2"]),
        ('<related-activity type="2" ref="XX-1"/>', "related-activity", ["2", "XX-1"]),
        ('<activity-date type="1" iso-date="2024-01-01"/><activity-date type="1" iso-date="2024-02-01"/>', "activity-date", ["1", "2024-02-01"]),
    ],
)  # fmt: skip
def test_the_finding_names_all_that_was_dropped(brought, more, element, said):
    _project, told = brought(more)
    found = values(told, element)
    assert any(all(one in value for one in said) for value in found), found


def test_the_type_of_an_organisation_named_twice_is_kept(brought):
    org = '<participating-org ref="YY" role="1"{}><narrative>Y</narrative></participating-org>'
    project, _told = brought(org.format("") + org.format(' type="22"'))
    assert project.partner_links.get(reported_code="YY").reported_type == "22"


def test_what_of_a_text_is_cut_stands_in_the_finding(brought):
    part = f"<description><narrative>{'word ' * 5800}</narrative></description>"
    end = "<description><narrative>Last of all</narrative></description>"
    _project, told = brought(part + part.replace("</n", "the end</n") + end)
    assert any(value.endswith("…") or "the end" in value for value in values(told, "description"))
    assert any("Last of all" in value for value in values(told, "description"))


def test_a_default_currency_that_is_none_is_told_also_without_money(read):
    run = read(document(activity().replace('default-currency="USD"', 'default-currency="EURO"')))
    assert run.issues.get(element="@default-currency").value == "EURO"
    assert Project.objects.get().default_currency == ""


def test_a_publisher_without_name_and_reference_is_told(read):
    org = '<reporting-org ref="XM-DAC-41114" type="40"><narrative>UNDP</narrative></reporting-org>'
    run = read(document(activity().replace(org, '<reporting-org type="10"/>')))
    told = set(run.issues.filter(element="reporting-org").values_list("value", "text"))
    assert told == {
        ("10", "Neither a name nor a reference."), ("", "Missing: nobody is named as the publisher."),
    }  # fmt: skip


# --- numbers -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("raw", "share", "outcome"),
    [
        ("66.666667", "66.6667", "repaired"), ("0.00005", None, "left_out"), ("0.00004", None, "left_out"), ("0.00006", "0.0001", "repaired"),
        ("12.00005", "12.0000", "repaired"), ("12,5", "12.5000", "repaired"), ("12.5", "12.5000", None), ("0", "0.0000", None),
    ],
)  # fmt: skip
def test_a_share_is_rounded_in_the_open_and_never_to_zero(brought, raw, share, outcome):
    project, told = brought(f'<sector vocabulary="2" code="410" percentage="{raw}"/>')
    kept = project.term_links.get().share
    assert (None if kept is None else str(kept)) == share
    assert [o for path, _v, o, _t in told if path == "sector/@percentage"] == ([outcome] if outcome else [])


def test_numbers_written_otherwise_are_told_wherever_they_stand(brought):
    project, told = brought(
        "<location><point><pos>-0,12 36.8</pos></point></location>"
        '<result type="1"><title><narrative>R</narrative></title><indicator measure="1"><title><narrative>I</narrative></title>'
        '<baseline year="2020" value="12,5"/><period><target value="1 234,5"/></period></indicator></result>'
    )
    row, place = project.results.get(), project.locations.get()
    assert (str(row.baseline), str(row.target), str(place.latitude)) == ("12.50", "1234.50", "-0.12000")
    read_as = {(path, value, text) for path, value, _outcome, text in told if text.startswith("Read as")}
    assert read_as == {
        ("location/point/pos", "-0,12", "Read as -0.12."), ("result/indicator/baseline", "12,5", "Read as 12.5."),
        ("result/indicator/period/target", "1 234,5", "Read as 1234.5."),
    }  # fmt: skip


# --- marks of the portal in files of others ---------------------------------------------------------------------------------
def marked(reference: str, more: str, **kwargs) -> bytes:
    own = f'xmlns:ssc="urn:x-ssc-portal:iati:1" ssc:reference="{reference}" '
    return document(activity(more, **kwargs).replace("<iati-activity ", f"<iati-activity {own}", 1))


MONEY = '<transaction ssc:assumed="*"><transaction-type code="3"/><transaction-date iso-date="2024-05-01"/><value>9</value></transaction>'


def test_money_that_a_file_of_the_portals_marks_as_assumed_is_told(read):
    run = read(marked("P-2024-0001", MONEY))
    told = run.issues.get(element="transaction")
    assert "9" in told.value and told.text.startswith("The file marks it as assumed, so it was not taken as stated.")
    assert not Project.objects.get().transactions.exists()


WHOLE = [  # what a publisher states, and what the record then says
    (MONEY, lambda project: project.transactions.get().amount, 9),
    ('<budget ssc:assumed="*"><period-start iso-date="2024-01-01"/><period-end iso-date="2024-12-31"/><value value-date="2024-01-01">77</value></budget>',
     lambda project: project.budgets.get().amount, 77),
    ('<participating-org ref="YY" role="1" type="22" ssc:assumed="*"><narrative>Y</narrative></participating-org>',
     lambda project: project.partner_links.get(reported_code="YY").reported_type, "22"),
    ('<sector vocabulary="1" code="41030" ssc:assumed="* percentage" percentage="100"/>', lambda project: project.term_links.get().term.code, "41030"),
    ('<activity-date type="1" iso-date="2024-03-01" ssc:assumed="*"/>', lambda project: str(project.planned_start), "2024-03-01"),
    ('<result type="1" ssc:assumed="*"><title ssc:assumed="*"><narrative>R</narrative></title><indicator measure="1"><title><narrative>I</narrative></title>'
     '<period ssc:assumed="*"><target value="5"/></period></indicator></result>', lambda project: project.results.get().target, 5),
]  # fmt: skip


@pytest.mark.parametrize("reference", ["", "NEW"])
@pytest.mark.parametrize(("more", "kept", "stated"), WHOLE)
def test_what_another_publisher_marks_as_a_whole_is_read_as_stated(read, reference, more, kept, stated):
    run = read(marked(reference, more))
    assert kept(Project.objects.get()) == stated
    tag = etree.fromstring(f'<a xmlns:ssc="urn:x-ssc-portal:iati:1">{more}</a>')[0].tag
    told = dict(run.issues.filter(outcome="left_out").values_list("element", "value"))
    assert told[f"{tag}/@ssc:assumed"].startswith("*") and tag not in told


def test_what_is_no_reference_makes_no_file_of_the_portals(read):
    org = (
        '<participating-org ref="YY" role="1" type="22" ssc:assumed="type"><narrative>Y</narrative></participating-org>'
    )
    run = read(marked("NEW", org))
    assert Project.objects.get().partner_links.get(reported_code="YY").reported_type == "22"
    told = set(run.issues.values_list("element", "value"))
    assert told >= {("@ssc:reference", "NEW"), ("participating-org/@ssc:assumed", "type")}


def test_a_mark_of_the_portals_in_the_file_of_another_is_said_to_be_no_mark_of_its_own(read):
    more = MONEY + '<ssc:other>x</ssc:other><policy-marker code="1"/>'
    run = read(marked("NEW", more))
    assert Project.objects.get().transactions.get().amount == 9
    told = dict(run.issues.filter(outcome="left_out").values_list("element", "text"))
    for path in ("@ssc:reference", "transaction/@ssc:assumed"):
        assert "the portal did not write this file: it was left out, and only what the file says" in told[path]
    assert "not known to the portal" in told["ssc:other"] and "no place for it yet" in told["policy-marker"]


def test_what_a_file_marks_as_assumed_is_told_where_the_record_is_not_from_it(read):
    org = '<participating-org ref="YY" role="1" type="22" ssc:assumed="*"><narrative>Who pays</narrative></participating-org>'
    run = read(marked("P-2024-0001", org))
    assert "Who pays" in run.issues.get(element="participating-org", outcome="left_out").value


def test_a_file_of_the_portal_tells_nothing_of_its_own_marks(read):
    budget = '<budget><period-start iso-date="2024-01-01"/><period-end iso-date="2024-12-31"/><value>1</value></budget>'
    read(document(activity(SECTOR + budget, identifier="XM-DAC-41114-1")))
    assert exported().xpath("//*[@*[local-name()='assumed']]")
    run = read(iati_export.one(Project.objects.for_iati().get()))
    assert (run.unchanged, list(run.issues.values_list("element", "text"))) == (1, [])


# --- limits of the parser ----------------------------------------------------------------------------------------------------
def test_elements_that_are_nested_too_deep_are_called_so(read):
    deep = "<x>" * 5000 + "</x>" * 5000
    run = read(document(activity(identifier="XX-1"), activity(deep, identifier="XX-2"), activity(identifier="XX-3")))
    assert (run.progress, run.created) == ("failed", 1)
    assert "XX-2: elements are nested deeper than 256" in run.message
    assert "read in full before it: 1" in run.message
    assert "error" not in run.message


def test_a_text_that_is_too_long_is_called_so(read):
    run = read(document(activity(identifier="XX-1"), activity(identifier="XX-2", title="x" * 11_000_000)))
    assert (run.progress, run.created) == ("failed", 1)
    assert "XX-2: a text or name is too long" in run.message
    assert etree.fromstring(document(activity())).tag == "iati-activities"
