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


# --- marks of the portal in files of others ---------------------------------------------------------------------------------
def marked(reference: str, more: str, **kwargs) -> bytes:
    own = f'xmlns:ssc="urn:x-ssc-portal:iati:1" ssc:reference="{reference}" '
    return document(activity(more, **kwargs).replace("<iati-activity ", f"<iati-activity {own}", 1))


MONEY = '<transaction ssc:assumed="*"><transaction-type code="3"/><transaction-date iso-date="2024-05-01"/><value>9</value></transaction>'


@pytest.mark.parametrize("reference", ["NEW", "P-2024-0001"])
def test_money_that_a_file_marks_as_assumed_is_told(read, reference):
    run = read(marked(reference, MONEY))
    assert "9" in run.issues.get(element="transaction").value
    assert not Project.objects.get().transactions.exists()


def test_what_is_no_reference_makes_no_file_of_the_portals(read):
    org = (
        '<participating-org ref="YY" role="1" type="22" ssc:assumed="type"><narrative>Y</narrative></participating-org>'
    )
    run = read(marked("NEW", org))
    assert Project.objects.get().partner_links.get(reported_code="YY").reported_type == "22"
    told = set(run.issues.values_list("element", "value"))
    assert told >= {("@ssc:reference", "NEW"), ("participating-org/@ssc:assumed", "type")}


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
