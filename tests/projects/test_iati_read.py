"""IATI: each thing that is counted as read is: taken away or changed alone, the record differs or a finding tells of it."""

import copy
import re
from collections import Counter, defaultdict
from decimal import Decimal
from itertools import chain

import pytest
from django.core.exceptions import ValidationError
from lxml import etree

from partners.models import User
from projects.interchange.iati_directory import Directory
from projects.interchange.iati_elements import parse_activity
from projects.interchange.iati_import import import_file
from projects.interchange.iati_record import parts_of, values_of
from projects.interchange.iati_settling import tell_assumed
from projects.interchange.iati_understood import READ, name_in_path
from projects.models import Project
from tests.iati_standard import Standard

PARTS = (
    "translations", "country_links", "region_links", "partner_links", "term_links", "budgets", "transactions", "results",
    "locations", "documents", "related_links",
)  # fmt: skip
NOW = """<iati-activity xml:lang="en" default-currency="USD">
<iati-identifier>XX-1</iati-identifier>
<reporting-org ref="XX" type="22"><narrative xml:lang="fr">Qui rapporte</narrative></reporting-org>
<title xml:lang="fr"><narrative>Palétuviers</narrative><narrative xml:lang="en">Mangroves</narrative></title>
<description type="1" xml:lang="fr"><narrative>Ce qui se fait.</narrative><narrative xml:lang="en">What is done.</narrative></description>
<description type="2"><narrative>What it aims at.</narrative></description>
<participating-org ref="XM-DAC-41114" type="21" role="1"><narrative xml:lang="fr">Programme de dév.</narrative></participating-org>
<participating-org ref="XX-2" type="22" role="4" xml:lang="es"><narrative>Fundación</narrative></participating-org>
<other-identifier ref="OLD-1" type="A1"><owner-org ref="XX"/></other-identifier>
<activity-status code="2"/>
<activity-date type="1" iso-date="2024-01-01"/><activity-date type="4" iso-date="2024-12-31"/>
<activity-scope code="4"/>
<recipient-country code="KE" percentage="30"><narrative xml:lang="fr">La république du Kenya</narrative></recipient-country>
<recipient-country code="ZZ" percentage="10"><narrative xml:lang="fr">Pays inconnu</narrative></recipient-country>
<recipient-region code="289" vocabulary="1" percentage="60"><narrative xml:lang="fr">Afrique</narrative></recipient-region>
<location><name xml:lang="fr"><narrative>Lamou</narrative></name><point srsName="x"><pos>-2.2 40.9</pos></point></location>
<sector vocabulary="1" code="41030" percentage="60"><narrative xml:lang="fr">La nature</narrative></sector>
<sector vocabulary="1" code="14030" percentage="40"/>
<sector vocabulary="98" code="own" percentage="100"><narrative xml:lang="fr">Le nôtre</narrative></sector>
<tag vocabulary="2" code="14"><narrative xml:lang="fr">Vie aquatique</narrative></tag>
<tag vocabulary="99" code="free"><narrative xml:lang="fr">Libre</narrative></tag>
<collaboration-type code="8"/>
<budget type="2" status="2"><period-start iso-date="2024-01-01"/><period-end iso-date="2024-12-31"/><value currency="EUR" value-date="2023-11-30">100</value></budget>
<transaction><transaction-type code="3"/><transaction-date iso-date="2024-05-01"/><value currency="EUR" value-date="2024-04-30">10</value>
<description xml:lang="fr"><narrative>Paiement</narrative></description></transaction>
<transaction><transaction-type code="4"/><transaction-date iso-date="2024-06-01"/><value>20</value></transaction>
<document-link url="https://example.org/a" format="text/html"><title xml:lang="fr"><narrative>Rapport</narrative></title>
<language code="fr"/><document-date iso-date="2024-02-03"/></document-link>
<related-activity ref="XX-9" type="2"/>
<location><name><narrative xml:lang="fr">Malindi</narrative></name><point><pos>-3.2 40.1</pos></point></location>
<document-link url="https://example.org/b"><title><narrative xml:lang="fr">Annexe</narrative></title></document-link>
<transaction><transaction-type code="3"/><transaction-date iso-date="2024-07-01"/><value>30</value><description><narrative xml:lang="fr">Solde</narrative></description></transaction>
<result type="2"><title><narrative xml:lang="fr">Effet</narrative></title><indicator measure="1"><title><narrative xml:lang="fr">Nombre</narrative></title>
<description><narrative xml:lang="fr">Compter</narrative></description></indicator></result>
<result type="1"><title xml:lang="fr"><narrative>Formation</narrative></title>
<indicator measure="2"><title xml:lang="fr"><narrative>Part formée</narrative></title>
<description xml:lang="fr"><narrative>Comment compter</narrative></description><baseline value="5" year="2023"/>
<period><period-start iso-date="2024-01-01"/><period-end iso-date="2024-06-30"/><target value="20"/><actual value="10"/></period>
<period><period-start iso-date="2024-07-01"/><period-end iso-date="2024-12-31"/><target value="40"/><actual value="30"/>
<target value="7"><dimension name="sex" value="female"/></target><actual value="12"><dimension name="sex" value="female"/></actual>
<actual value="18"><dimension name="sex" value="male"/></actual></period></indicator>
<indicator measure="1"><title><narrative>Forests</narrative></title><period><period-end iso-date="2024-12-31"/><target value="4"/></period></indicator>
</result>
</iati-activity>"""
BEFORE = """<iati-activity xml:lang="en" default-currency="USD">
<iati-identifier>XX-1</iati-identifier>
<reporting-org ref="XX" type="22" xml:lang="fr">Qui rapporte</reporting-org>
<title>Mangroves</title><title xml:lang="fr">Palétuviers</title>
<description type="1" xml:lang="fr">Ce qui se fait.</description><description>What is done.</description>
<participating-org ref="XX-2" type="22" role="Implementing" xml:lang="es">Fundación</participating-org>
<other-identifier owner-name="XX" owner-ref="YY">OLD-1</other-identifier>
<activity-status code="2">Running</activity-status>
<activity-date type="start-planned" iso_date="2024-01-01">the first day</activity-date><activity-date type="end-planned">2024-12-31</activity-date>
<recipient-country ref="KE" percentage="30" xml:lang="fr">La république</recipient-country>
<recipient-country percentage="5" xml:lang="fr">Pays inconnu</recipient-country><recipient-country code="RW" percentage="5"/>
<recipient-region ref="289" vocabulary="1" percentage="60" xml:lang="fr">Afrique</recipient-region>
<sector vocabulary="DAC" ref="41030" percentage="60" xml:lang="fr">La nature</sector>
<tag vocabulary="2" ref="14" xml:lang="fr">Vie aquatique</tag>
<tag vocabulary="99" code="free" xml:lang="fr">Libre</tag>
<location><name xml:lang="fr">Lamou</name><point><pos>-2.2 40.9</pos></point></location>
<budget-planned type="2" status="2"><period-start>2024-01-01</period-start><period-end iso-date="2024-12-31"/><value currency="EUR" value-date="2023-11-30">100</value></budget-planned>
<budget-planned type="1"><period-start iso-date="2025-01-01"/><period-end>2025-12-31</period-end><value>50</value></budget-planned>
<transaction type="D"><transaction-date>2024-05-01</transaction-date><value currency="EUR" value-date="2024-04-30">10</value><description xml:lang="fr">Paiement</description></transaction>
<transaction><transaction-type>Disbursement</transaction-type><transaction-date iso-date="2024-06-01"/><value>20</value></transaction>
<document-link url="https://example.org/a"><title xml:lang="fr">Rapport</title></document-link>
<result type="1"><title xml:lang="fr">Formation</title><indicator measure="1"><title xml:lang="fr">Part formée</title><description xml:lang="fr">Comment</description></indicator></result>
</iati-activity>"""


# What the standard says of an attribute that is missing.
SAYS_NO_MORE = {
    "description/@type": "1", "budget/@type": "1", "budget-planned/@type": "1", "sector/@vocabulary": "1", "recipient-region/@vocabulary": "1",
}  # fmt: skip


def at_default(element, name: str, standard: str | None) -> bool:
    return standard is not None and element.get(name) in (standard, "DAC")


def path_of(element, root) -> str:
    steps = []
    while element is not root:
        steps.insert(0, name_in_path(element.tag))
        element = element.getparent()
    return "/".join(steps)


def other_value(value: str) -> str:
    """A value of the same kind that says something else."""
    if re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        return f"{int(value[:4]) - 1}{value[4:]}"
    if re.fullmatch(r"\d", value):
        return "3" if value != "3" else "4"
    if re.fullmatch(r"\d+", value):
        return f"{int(value) + 1}"
    if re.fullmatch(r"[a-z]{2}", value):
        return "pt"
    if re.fullmatch(r"[A-Z]{3}", value):
        return "GBP"
    return f"{value}x"


def variants(root):
    """(path, what was done, activity) for each thing that is counted as read: taken away alone, and changed alone."""
    for n, element in enumerate(root.iter()):
        if not isinstance(element.tag, str):
            continue
        path = path_of(element, root)
        if path == "iati-identifier":  # it is what tells the variants apart
            continue
        here = [(f"{path}/@{name_in_path(name)}".lstrip("/"), name) for name in element.attrib]
        here += [(path, None)] if path else []
        for what, name in here:
            if what not in READ:
                continue
            standard = SAYS_NO_MORE.get(what)
            for is_change in (False, True):
                if not is_change and name and at_default(element, name, standard):
                    continue
                if is_change and name is None and not (element.text or "").strip():
                    continue
                changed = copy.deepcopy(root)
                at = list(changed.iter())[n]
                if name is None and is_change:
                    at.text = other_value(at.text.strip())
                elif name is None:
                    at.getparent().remove(at)
                elif is_change:
                    at.set(name, other_value(at.get(name)))
                else:
                    del at.attrib[name]
                yield what, "changed" if is_change else "taken away", changed


TOLD = ("language", "title", "summary", "description", "objectives", "status", "modality", "delivery_level", "default_currency",
        "only_in_transactions", "planned_start", "planned_end", "actual_start", "actual_end")  # fmt: skip


def in_words(value) -> str:
    return f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)


def held(project, parts: dict) -> dict:
    """All that a record and its rows hold, without their keys."""
    own = {"id", "project", "iati_identifier", "import_run"}

    def all_values(record):
        return {
            f.attname: in_words(getattr(record, f.attname)) for f in record._meta.concrete_fields if f.name not in own
        }

    rows = {part: sorted(str(all_values(row)) for row in parts[part]) for part in PARTS}
    return rows | {name: str(getattr(project, name)) for name in TOLD}


def stored(project) -> dict:
    return held(project, {part: getattr(project, part).all() for part in PARTS})


def settled(element, directory) -> tuple[dict | None, Counter]:
    """What an activity becomes and what is told of it, before any of it is written; None where it may not be written."""
    activity = parse_activity(element)
    tell_assumed(activity)
    values, parts = values_of(activity, activity.key), parts_of(activity, directory)
    project = Project(**values)
    rows = {part: [getattr(Project, part).rel.related_model(**row) for row in parts[part]] for part in PARTS}
    told = Counter((f.element, f.value, f.outcome, f.text) for f in activity.findings)
    try:
        project.clean_fields(exclude=["reference", "created_by"])
        project.clean()
        for row in chain.from_iterable(rows.values()):
            row.clean_fields(exclude=[f.name for f in row._meta.concrete_fields if f.is_relation])
    except ValidationError:
        return None, told
    return held(project, rows), told


def unheeded(root) -> list[str]:
    """What of an activity can be taken away or changed without a trace in the record or in the findings."""
    directory = Directory.load()
    before = settled(copy.deepcopy(root), directory)
    return sorted({f"{path} {what}" for path, what, one in variants(root) if settled(one, directory) == before})


def unheeded_in_the_database(root, tmp_path) -> list[str]:
    """The same of what was stored and can be read back."""
    done = [("", "", root), *variants(root)]
    for n, (_path, _what, one) in enumerate(done):
        one.find("iati-identifier").text = f"XX-ALONE-{n}"
    run = imported((copy.deepcopy(one) for _path, _what, one in done), tmp_path)
    told = defaultdict(Counter)
    for identifier, *finding in run.issues.values_list("identifier", "element", "value", "outcome", "text"):
        told[identifier][tuple(finding)] += 1
    found = {p.iati_identifier: stored(p) for p in Project.objects.filter(import_run=run)}
    before, said = found["XX-ALONE-0"], told["XX-ALONE-0"]
    return sorted(
        {
            f"{path} {what}"
            for n, (path, what, _one) in enumerate(done)
            if n and found.get(f"XX-ALONE-{n}") == before and told[f"XX-ALONE-{n}"] == said
        }
    )


def imported(activities, tmp_path):
    whole = etree.Element("iati-activities", version="2.03")
    whole.extend(activities)
    path = tmp_path / "alone.xml"
    path.write_bytes(etree.tostring(whole))
    return import_file(path, by=User.objects.system())


@pytest.fixture(params=["2.03", "1.x", "example of the standard"])
def root(request):
    """An activity that holds much of what is read."""
    if request.param != "example of the standard":
        return etree.fromstring({"2.03": NOW, "1.x": BEFORE}[request.param])
    if not Standard().folder.exists():
        pytest.skip("the standard is beside the repository only")
    example = etree.parse(Standard().folder / "examples" / "activity-standard-example-annotated_203.xml")
    root = example.find("iati-activity")
    etree.strip_tags(root, etree.Comment)
    return root


@pytest.mark.django_db
def test_what_is_counted_as_read_is_settled_or_told(root):
    assert len(list(variants(root))) > 80
    assert unheeded(root) == []


@pytest.mark.django_db
def test_what_is_settled_is_stored_and_what_is_told_is_kept(root, tmp_path):
    wanted, told = settled(copy.deepcopy(root), Directory.load())
    run = imported([root], tmp_path)
    assert stored(Project.objects.get()) == wanted
    assert Counter(run.issues.values_list("element", "value", "outcome", "text")) == told


@pytest.mark.thorough
@pytest.mark.django_db
def test_what_is_counted_as_read_is_stored_or_told(root, tmp_path):
    assert unheeded_in_the_database(root, tmp_path) == []


FORGED = """<iati-activity xml:lang="en" default-currency="USD" xmlns:ssc="urn:x-ssc-portal:iati:1" ssc:reference="P-2024-0001" humanitarian="1" ssc:secret="x">
<iati-identifier>XX-1</iati-identifier><reporting-org ref="XX" type="22"><narrative>Who</narrative></reporting-org>
<title><narrative>Mangroves</narrative></title><description type="3"><narrative>What is done.</narrative></description>
<other-identifier ref="OLD-1" type="A1"/>
<activity-status code="2"/><activity-scope code="3"/><recipient-country code="KE"/><collaboration-type code="1"/>
<policy-marker vocabulary="1" code="2"/><contact-info><email>a@example.org</email></contact-info>
<result type="1"><title><narrative>R</narrative></title><indicator measure="5"><title><narrative>I</narrative></title>
<reference vocabulary="1" code="x"/><period><period-start iso-date="2024-01-01"/><target value="1"/></period></indicator></result></iati-activity>"""


@pytest.fixture
def told(tmp_path, db):
    """The elements that findings of an activity name."""

    def do(text: str) -> set[str]:
        path = tmp_path / "file.xml"
        path.write_text(f'<iati-activities version="2.03">{text}</iati-activities>')
        return set(import_file(path, by=User.objects.system()).issues.values_list("element", flat=True))

    return do


def test_a_file_that_says_it_is_the_portals_own_is_told_of_like_any_other(told):
    lost = {
        "@humanitarian", "@ssc:secret", "description/@type", "other-identifier", "activity-scope", "collaboration-type", "policy-marker",
        "contact-info", "result/indicator/@measure", "result/indicator/reference", "result/indicator/period/period-start",
    }  # fmt: skip
    assert lost - told(FORGED) == set()
    project = Project.objects.get()
    assert [link.country.iso2 for link in project.country_links.all()] == ["KE"]


def test_what_another_file_marks_as_assumed_is_told(told):
    marked = NOW.replace("<iati-activity ", '<iati-activity xmlns:ssc="urn:x-ssc-portal:iati:1" ', 1).replace(
        '<sector vocabulary="1" code="14030"', '<sector ssc:assumed="*" vocabulary="1" code="14030"'
    )
    found = told(marked)
    assert "sector/@ssc:assumed" in found and "sector" not in found


@pytest.mark.parametrize("lang", ["", 'xml:lang="English"'])
def test_a_language_that_nobody_stated_is_told(told, lang):
    assert "@lang" in told(NOW.replace('xml:lang="en"', lang, 1))


def test_women_of_a_target_are_not_women_reached(told):
    told(NOW)
    row = Project.objects.get().results.get(indicator="Part formée")
    assert (row.target, row.actual, row.women, row.men) == (40, 30, None, None)


def test_a_place_without_a_name_is_given_none(told):
    told(NOW.replace('<name><narrative xml:lang="fr">Malindi</narrative></name>', ""))
    assert set(Project.objects.get().locations.values_list("name", flat=True)) == {"Lamou", ""}


def test_the_activities_of_this_test_hold_all_that_is_counted_as_read():
    held = set()
    for text in (NOW, BEFORE):
        root = etree.fromstring(text)
        for element in root.iter():
            held.add(path_of(element, root))
            held.update(f"{path_of(element, root)}/@{name_in_path(name)}".lstrip("/") for name in element.attrib)
    assert sorted(READ - held) == []
