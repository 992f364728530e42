"""Every IATI file is valid: against the schemas, all rules of the standard ruleset and its codelists; and comes back unchanged."""

import datetime as dt
from decimal import Decimal

import pytest
from django.core.management import call_command
from lxml import etree

from outreach.models import Story
from partners.models import Country, Partner, Region
from projects import quality
from projects.choices import State, Status
from projects.demonstration import load_projects
from projects.interchange import iati_export
from projects.interchange.iati_import import import_file
from projects.interchange.iati_own import percentages
from projects.interchange.iati_project import activity_of
from projects.interchange.iati_writing import Publisher
from projects.models import Budget, Contribution, Need, Offer, Project, ProjectTerm, RelatedProject, Response, Result
from projects.models.need import UNDER_WAY
from tests import THOROUGH
from tests.factories import NeedFactory, ProjectFactory
from tests.iati_standard import FOLDER, Standard
from tests.projects.activities import some_of

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="needs the standard in ../shared")


@pytest.fixture(scope="session")
def standard():
    return Standard()


# --- the runner itself ---------------------------------------------------------------------------------------------------
GOOD = """<iati-activities version="2.03"><iati-activity xml:lang="en" default-currency="USD" last-updated-datetime="2026-01-01T00:00:00Z">
<iati-identifier>XM-DAC-41116-1</iati-identifier><reporting-org ref="XM-DAC-41116" type="40"><narrative>UNEP</narrative></reporting-org>
<title><narrative>Title</narrative></title><description type="1"><narrative>Text</narrative></description>
<participating-org ref="XM-DAC-41116" role="4" type="40"/><other-identifier ref="A" type="A3"><owner-org ref="XM-DAC-41116"/></other-identifier>
<activity-status code="2"/><activity-date type="1" iso-date="2024-01-01"/><activity-date type="2" iso-date="2024-02-01"/>
<activity-date type="3" iso-date="2025-12-31"/><recipient-country code="KE" percentage="60"/><recipient-country code="UG" percentage="40"/>
<sector vocabulary="1" code="41010" percentage="50"/><sector vocabulary="1" code="41030" percentage="50"/><sector vocabulary="7" code="14"/>
<policy-marker vocabulary="1" code="1" significance="1"/>
<budget><period-start iso-date="2024-01-01"/><period-end iso-date="2024-12-31"/><value value-date="2024-01-01">10</value></budget>
<transaction><transaction-type code="2"/><transaction-date iso-date="2024-03-01"/><value value-date="2024-03-01">5</value>
<provider-org ref="XM-DAC-41116"/><receiver-org><narrative>R</narrative></receiver-org></transaction>
<related-activity ref="XM-DAC-41116-2" type="3"/>
<result type="1"><title><narrative>R</narrative></title><indicator measure="1"><title><narrative>I</narrative></title>
<baseline year="2023" value="1"/><period><period-start iso-date="2024-01-01"/><period-end iso-date="2024-12-31"/>
<target value="3"/><actual value="2"/></period></indicator></result></iati-activity></iati-activities>"""
PERIODS = "<period-start iso-date='2024-01-01'/><period-end iso-date='2024-12-31'/>"
FUTURE = f"{dt.datetime.now(dt.UTC).year + 2}-01-01"
BROKEN = [  # (what is replaced, by what, the rules that are broken then)
    (">XM-DAC-41116-1<", ">XM-DAC-41116<", {"1.1.3", "1.1.21"}),
    (">XM-DAC-41116-1<", "> XM-DAC-41116-1<", {"1.3.1", "1.1.21"}),
    (">XM-DAC-41116-1<", ">YY-9/7<", {"1.1.21", "1.3.13"}),
    ('reporting-org ref="XM-DAC-41116"', 'reporting-org ref="QQQ-NEW|1"', {"1.1.21", "1.14.8", "1.14.13"}),
    ('reporting-org ref="XM-DAC-41116"', 'reporting-org ref="XM-DAC-41116 "', {"1.1.21", "1.14.1"}),
    ('<activity-date type="1" iso-date="2024-01-01"/><activity-date type="2" iso-date="2024-02-01"/>', "", {"6.11.1"}),
    ('<activity-date type="3" iso-date="2025-12-31"/>', '<activity-date type="3" iso-date="2023-12-31"/>', {"11.1.2"}),
    ('<activity-date type="3" iso-date="2025-12-31"/>', '<activity-date type="4" iso-date="2024-01-31"/>', {"11.1.3"}),
    ('<activity-date type="3" iso-date="2025-12-31"/>', f'<activity-date type="4" iso-date="{FUTURE}"/>', {"11.1.5"}),
    ('type="2" iso-date="2024-02-01"', f'type="2" iso-date="{FUTURE}"', {"11.1.4"}),
    ('last-updated-datetime="2026-01-01', f'last-updated-datetime="{FUTURE}', {"11.1.1"}),
    ('xml:lang="en" ', "", {"4.1.1"}),
    (' default-currency="USD"', "", {"7.8.1"}),
    ('<sector vocabulary="1" code="41010" percentage="50"/><sector vocabulary="1" code="41030" percentage="50"/>', "", {"102.1.1"}),
    ('code="41030" percentage="50"', 'code="41030" percentage="49.9999"', {"2.1.2"}),
    ('code="41030" percentage="50"', 'code="41030"', {"2.1.1"}),
    ('code="41030" percentage="50"/>', 'code="41030" percentage="150"/>', {"2.1.2", "12.3.1"}),
    ('vocabulary="7" code="14"', 'vocabulary="7" code="14" percentage="50"', {"2.1.4"}),
    ('<sector vocabulary="7" code="14"/>', '<sector vocabulary="7" code="14"/><sector vocabulary="7" code="13"/>', {"2.1.1", "2.1.2"}),
    ('<sector vocabulary="7" code="14"/>', '<sector vocabulary="99" code="X"/>', {"2.2.1"}),
    ("<sector ", "<no-sector ", {"6.2.2"}),
    ('code="UG" percentage="40"', 'code="UG" percentage="39"', {"3.1.2"}),
    ('code="UG" percentage="40"', 'code="UG"', {"3.1.1", "3.1.2"}),
    ('<recipient-country code="UG" percentage="40"/>', "", {"3.1.4"}),
    ('<recipient-country code="UG" percentage="40"/>', '<recipient-region vocabulary="2" code="014" percentage="30"/>', {"3.4.2"}),
    ('<recipient-country code="KE" percentage="60"/><recipient-country code="UG" percentage="40"/>', "", {"3.7.1", "3.7.2"}),
    ('<recipient-country code="KE" percentage="60"/><recipient-country code="UG" percentage="40"/>',
     '<recipient-region vocabulary="2" code="014" percentage="30"/>', {"3.4.4"}),
    ('<receiver-org><narrative>R</narrative></receiver-org>', "<receiver-org/>", {"6.9.2"}),
    ('<provider-org ref="XM-DAC-41116"/>', "<provider-org/>", {"6.9.1"}),
    ('<provider-org ref="XM-DAC-41116"/>', '<provider-org ref="XM-DAC-41116" provider-activity-id="A "/>', {"1.4.1"}),
    ('<receiver-org><narrative>R</narrative></receiver-org>', '<sector vocabulary="1" code="41010"/>', {"6.6.2"}),
    ('<receiver-org><narrative>R</narrative></receiver-org>', '<recipient-country code="KE"/>', {"3.6.2"}),
    ('<owner-org ref="XM-DAC-41116"/>', "<owner-org/>", {"6.8.1"}),
    ('<other-identifier ref="A" type="A3">', '<other-identifier ref="A " type="A3">', {"1.6.1"}),
    ('<participating-org ref="XM-DAC-41116" role="4" type="40"/>', '<participating-org role="4"/>', {"6.10.1"}),
    ('<participating-org ref="XM-DAC-41116"', '<participating-org ref="a/b"', {"1.8.13"}),
    ('significance="1"', "", {"6.14.1"}),
    ('<related-activity ref="XM-DAC-41116-2"', '<related-activity ref="XM-DAC-41116-2 "', {"1.7.1"}),
    ('<transaction-date iso-date="2024-03-01"/>', f'<transaction-date iso-date="{FUTURE}"/>', {"11.2.1"}),
    ('<value value-date="2024-03-01">', f'<value value-date="{FUTURE}">', {"11.2.2"}),
    ('<period-end iso-date="2024-12-31"/><value', '<period-end iso-date="2025-01-02"/><value', {"7.5.3"}),
    ('<period-end iso-date="2024-12-31"/><value', '<period-end iso-date="2023-12-31"/><value', {"8.6.3"}),
    ('<period-end iso-date="2024-12-31"/>\n<target', '<period-end iso-date="2023-12-31"/>\n<target', {"8.6.1"}),
    ('<baseline year="2023" value="1"/>', '<baseline year="2023"/>', {"8.8.1"}),
    ('<target value="3"/>', "<target/>", {"8.9.1"}),
    ('<actual value="2"/>', '<actual value="two"/>', {"8.10.2"}),
    ('measure="1"', 'measure="5"', {"8.8.3", "8.9.3", "8.10.3"}),
    ("<title><narrative>Title</narrative></title>", "<title><narrative/></title>", {"4.3.1"}),
    ('<description type="1"><narrative>Text</narrative>', '<description type="1"><narrative/>', {"4.4.1"}),
    ("<indicator measure=\"1\"><title><narrative>I</narrative></title>",
     '<reference vocabulary="1" code="a"/><indicator measure="1"><title><narrative>I</narrative></title><reference vocabulary="1" code="b"/>', {"8.11.1"}),
]  # fmt: skip


def test_the_runner_finds_nothing_in_a_good_file(standard):
    assert standard.judge(GOOD.encode()) == []


@pytest.mark.parametrize(
    ("old", "new", "rules"), BROKEN, ids=lambda v: ",".join(sorted(v)) if isinstance(v, set) else ""
)
def test_the_runner_finds_each_rule_that_is_broken(standard, old, new, rules):
    assert old in GOOD
    root = etree.fromstring(GOOD.replace(old, new).encode())
    assert {breach.rule for breach in standard.rules_broken(root)} == rules


def test_the_runner_knows_organisation_files(standard):
    text = """<iati-organisations version="2.03"><iati-organisation {lang}><organisation-identifier>{id}</organisation-identifier>
    <name><narrative>N</narrative></name><reporting-org ref="XM-DAC-41116" type="40"><narrative>U</narrative></reporting-org>
    <total-budget><period-start iso-date="2024-01-01"/><period-end iso-date="{end}"/><value currency="USD" value-date="2024-01-01">1</value>
    </total-budget></iati-organisation></iati-organisations>"""

    def broken(lang='xml:lang="en"', id="XM-DAC-41116", end="2024-12-31"):
        return {b.rule for b in standard.rules_broken(etree.fromstring(text.format(lang=lang, id=id, end=end)))}

    assert broken() == set()
    assert broken(lang="") == {"4.5.1"}
    assert broken(id="A|B") == {"1.12.13"}
    assert broken(end="2025-06-30") == {"7.5.3"}
    assert broken(end="2023-06-30") == {"8.6.3"}


def test_the_standards_own_examples_are_valid(standard):
    for kind in ("activity", "organisation"):
        content = (FOLDER / "examples" / f"{kind}-standard-example-annotated_203.xml").read_bytes()
        root = etree.fromstring(content)
        assert standard.schemas[root.tag].validate(root)


def test_unknown_codes_are_found(standard):
    assert [
        b.rule for b in standard.judge(GOOD.replace('default-currency="USD"', 'default-currency="US$"').encode())
    ] == ["codelist"]


# --- what the portal writes ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "shares",
    [[], [None], [40], [None, None, None], [50, 50], [60, None], [None, 30, None], [60, 30], [0, 0], [0, None], [100, None], [33.3333] * 3],
)  # fmt: skip
def test_shares_add_up_exactly(shares):
    given = [None if s is None else Decimal(str(s)) for s in shares]
    found = percentages(given)
    assert len(found) == len(given)
    if given not in ([], [None]):
        assert sum(found) == 100
        assert all(0 <= share <= 100 for share in found)
        assert sum(g or 0 for g in given) != 100 or None in given or found == given
    else:
        assert found == [None] * len(given)


def whole(projects=None, needs=None) -> bytes:
    return b"".join(iati_export.activities(Project.objects.all() if projects is None else projects, needs))


def said(breaches) -> list[str]:
    return sorted({f"{b.rule} {b.text}" for b in breaches})


# --- out and in again ------------------------------------------------------------------------------------------------------
PARTS = {
    "translations": ("language", "title", "summary", "description", "objectives", "lessons"),
    "country_links": ("country_id", "role", "provider_order", "share", "note", "reported_code", "reported_name"),
    "region_links": ("region_id", "share", "reported_code", "reported_name"),
    "partner_links": ("partner_id", "role", "is_reporting", "reported_type", "reported_code", "reported_name"),
    "term_links": ("term_id", "share", "reported_vocabulary", "reported_code", "reported_name"),
    "contributions": ("country_id", "partner_id", "kind", "text", "quantity", "delivered", "unit", "women", "men", "amount", "spent", "currency"),
    "budgets": ("kind", "status", "starts_on", "ends_on", "amount", "currency", "valued_on"),
    "transactions": ("kind", "made_on", "valued_on", "amount", "currency", "text"),
    "results": ("kind", "title", "indicator", "unit", "baseline", "baseline_year", "target", "target_on", "actual", "actual_on", "women", "men", "comment"),
    "locations": ("name", "latitude", "longitude"),
    "documents": ("title", "url", "language", "published_on"),
}  # fmt: skip
NOT_IN_A_FILE = {  # of a project: the portal's own book-keeping, and what is derived
    "id", "reference", "iati_identifier", "parent", "state", "source", "import_run", "quality_score", "published_at", "published_by",
    "created_at", "created_by", "modified_at",
}  # fmt: skip


def pictures() -> dict[str, dict]:
    """Everything of each published project that a file must carry, comparable across databases, by its identifier."""
    published, publisher = Project.objects.published(), Publisher()
    own = [f.name for f in Project._meta.concrete_fields if f.name not in NOT_IN_A_FILE]
    identifiers = {project.pk: publisher.identifier_of(project) for project in published}
    found = {
        identifiers[project.pk]: {name: getattr(project, name) for name in own}
        | {part: [] for part in PARTS}
        | {"parent": project.parent and project.parent.title, "related": []}
        for project in published.select_related("parent")
    }
    for part, names in PARTS.items():
        model = getattr(Project, part).rel.related_model
        for pk, *row in model.objects.filter(project__in=published).values_list("project_id", *names):
            found[identifiers[pk]][part].append(tuple(row))
    for link in RelatedProject.objects.filter(project__in=published).select_related("other"):
        told = (link.relation, link.other.title if link.other else link.reported_identifier)
        found[identifiers[link.project_id]]["related"].append(told)
    for project in found.values():
        for part in (*PARTS, "related"):
            project[part].sort(key=str)
    return found


def test_every_part_of_a_record_is_compared():
    of_projects = {"project", "id", "activity", "planned"}
    for part, names in PARTS.items():
        model = getattr(Project, part).rel.related_model
        columns = {f.attname if f.is_relation else f.name for f in model._meta.concrete_fields}
        assert columns - set(names) <= {f"{n}_id" for n in of_projects} | of_projects, part


@pytest.fixture
def goes_round(tmp_path, system, standard):
    """Writes all published projects, reads the file into the same database, then into an emptied one; compares each time."""

    def do(expected: int):
        content = whole(Project.objects.published())
        assert said(standard.judge(content)) == []
        path = tmp_path / "whole.xml"
        path.write_bytes(content)
        before = pictures()
        assert len(before) == expected
        history = {model: model.history.rel.related_model.objects.count() for model in (Project, Result, ProjectTerm)}

        run = import_file(path, by=system)
        changed = list(
            run.issues.filter(outcome__in=("changed", "staff", "rejected")).values_list("identifier", "element", "text")
        )
        assert (changed, run.done, run.unchanged, run.message) == ([], expected, expected, "")
        assert pictures() == before
        assert history == {model: model.history.rel.related_model.objects.count() for model in history}, (
            "nothing was written"
        )

        for model in (Need, Offer, Response):
            model.objects.update(project=None)
        Project.objects.update(parent=None)
        Story.objects.all().delete()  # which no file brings back
        Project.objects.all().delete()
        run = import_file(path, by=system)
        assert (run.done, run.created) == (expected, expected)
        after = pictures()
        for identifier, was in before.items():
            assert after[identifier] == was, identifier
        return content

    return do


@pytest.fixture
def rich(db):
    """A project with everything that a record can hold, what an import left unresolved, and awkward figures."""
    undp, brazil = Partner.objects.get(slug="undp"), Country.objects.get(iso3="BRA")
    programme = ProjectFactory(
        title="The programme", published=True, instrument="programme", terms=["bsp-theme:climate"]
    )
    elsewhere = ProjectFactory(title="Beside it", published=True, iati_identifier="XM-DAC-41114-OUTPUT-7")
    hidden = ProjectFactory(title="Not public")
    project = ProjectFactory(
        title="Everything: “quotes”, <b>signs</b> & 汉字", published=True, language="pt", summary=" Kept  with its spaces ",
        description="Linha um\r\nLinha dois", objectives="&amp; not unescaped", lessons="Aprendemos", modality="triangular",
        instrument="action", delivery_level="subregional", status="4", planned_start=None, planned_end=None, parent=programme,
        actual_start=dt.date(2024, 2, 29), actual_end=dt.date(2025, 3, 1), default_currency="BRL", is_illustrative=True,
        iati_identifier="XM-DAC-41114-P1", countries={}, partners=[],
        terms=["bsp-theme:oceans", "bsp-issue:3", "assistance:training", "sdg:14", "sdg:14.2", "crs:41030", "crs:14015"],
    )  # fmt: skip
    project.translations.create(language="fr", title="Tout", lessons="Appris")
    project.translations.create(language="ar", title="كل شيء", summary="ملخص")
    links = project.country_links
    links.create(country=brazil, role="provider", provider_order=1, note="leads; “pays”", share=None)
    links.create(country=Country.objects.get(iso3="PRT"), role="provider", provider_order=2, share=Decimal("12.5"))
    links.create(country=Country.objects.get(iso3="MOZ"), role="both", share=Decimal("33.3333"))
    links.create(country=Country.objects.get(iso3="AGO"), role="recipient", share=None)
    links.create(reported_code="XX", reported_name="Somewhere", role="recipient", share=Decimal("3"), note="?")
    project.region_links.create(region=Region.objects.get(code="017"), share=Decimal(10))
    project.region_links.create(reported_code="998", reported_name="Developing countries, unspecified")
    project.partner_links.create(partner=undp, role="1", is_reporting=True)
    project.partner_links.create(partner=undp, role="4")
    project.partner_links.create(reported_code="ZZ 1", reported_name="A body", role="2")
    project.partner_links.create(reported_code="ZZ/2", role="3", reported_type="22")
    project.partner_links.create(reported_code="ZZ-3", role="3")
    terms = project.term_links
    terms.filter(term__code="14015").update(share=Decimal("20"))
    terms.filter(term__code="14").update(share=Decimal("60"))
    terms.filter(term__code="oceans").update(share=Decimal("70"))
    terms.create(reported_vocabulary="2", reported_code="410", reported_name="", share=Decimal(40))
    terms.create(reported_vocabulary="99", reported_code="OWN", share=None)
    terms.create(reported_vocabulary="tag 1", reported_code="c_1", reported_name="agrovoc")
    terms.create(reported_vocabulary="RO", reported_name="in words only", share=Decimal(5))
    terms.create(reported_vocabulary="1", reported_code="99999", reported_name="no such")
    day = dt.date(2024, 6, 30)
    rows = [
        {"title": "Trained", "indicator": "People", "unit": "people", "baseline": 0, "target": 40, "target_on": day, "actual": 30,
         "actual_on": day, "women": 20, "men": 10, "comment": "by list"},
        {"title": "Trained", "unit": "percent", "target": Decimal("12.34"), "actual": 1, "actual_on": day},
        {"title": "Planted", "kind": "2", "unit": "hectares", "baseline": 5, "baseline_year": 2020, "target_on": day},
        {"title": "Nothing yet", "kind": "9", "unit": "other", "baseline_year": 2021, "actual_on": day, "women": 0},
    ]  # fmt: skip
    for row in rows:
        Result.objects.create(project=project, **row)
    lines = [
        {"country": brazil, "kind": "D011", "text": "trainers", "quantity": Decimal("12.5"), "delivered": 0, "unit": "expert-days"},
        {"partner": undp, "kind": "D021", "text": "course", "quantity": 20, "unit": "people", "women": 9, "men": 11},
        {"partner": undp, "kind": "J01", "text": "only money", "amount": Decimal("1000.50"), "spent": 0, "currency": "EUR"},
        {"country": brazil, "kind": "C01", "text": "in words"},
    ]  # fmt: skip
    for line in lines:
        Contribution.objects.create(project=project, **line)
    budget = {"starts_on": dt.date(2024, 1, 1), "ends_on": dt.date(2024, 12, 31), "currency": "USD"}
    Budget.objects.create(project=project, amount=Decimal("10.10"), **budget)
    Budget.objects.create(project=project, amount=-5, kind="2", status="2", valued_on=day, **budget)
    project.transactions.create(
        kind="3", made_on=day, valued_on=dt.date(2024, 6, 1), amount=Decimal("-2.00"), currency="USD", text="returned"
    )
    project.transactions.create(kind="2", made_on=day, amount=7, currency="JPY")
    project.locations.create(name="Beira", latitude=Decimal("-19.84361"), longitude=Decimal("34.83889"))
    project.documents.create(title="Report", url="https://example.org/r.pdf?x=1&y=2", language="pt", published_on=day)
    project.documents.create(title="Page", url="https://example.org/")
    project.related_links.create(other=elsewhere, relation="3")
    project.related_links.create(reported_identifier="XM-ELSEWHERE-9", relation="5")
    project.related_links.create(other=hidden, relation="2")
    return project


def test_everything_that_a_record_can_hold_comes_back(rich, goes_round):
    rich.related_links.filter(
        other__title="Not public"
    ).delete()  # a file for the public can't bring it to another database
    content = goes_round(3)
    root = etree.fromstring(content)
    assert "Everything" in root.findtext("iati-activity[3]/title/narrative")


def test_a_record_tied_to_one_that_is_not_public_keeps_the_tie(rich, tmp_path, system):
    content = whole(Project.objects.published())
    hidden = Project.objects.get(title="Not public")
    assert hidden.reference.encode() not in content
    path = tmp_path / "whole.xml"
    path.write_bytes(content)
    run = import_file(path, by=system)
    assert (run.done, run.unchanged) == (3, 3)
    assert rich.related_links.filter(other=hidden).exists()


def test_generated_records_are_valid_and_come_back(db, goes_round):
    call_command("generate_records", "--projects", "120" if THOROUGH else "16", verbosity=0)
    for project in Project.objects.published():
        if quality.lacks_for_iati(project):
            project.delete()
    goes_round(Project.objects.published().count())


def test_real_files_come_out_valid_and_come_back(system, standard, goes_round, write):
    for path in sorted((FOLDER.parent / "activities").glob("*.xml")):
        import_file(write(some_of(path), path.name), by=system)
    lacking = [p.pk for p in Project.objects.published().for_iati() if quality.lacks_for_iati(p)]
    assert 0 < len(lacking) < Project.objects.count() / 2
    Project.objects.filter(pk__in=lacking).delete()
    goes_round(Project.objects.published().count())


def test_what_a_record_was_known_by_before_a_merge_is_told(db, standard):
    stays = ProjectFactory(published=True)
    ProjectFactory(published=True, state="merged", merged_into=stays, iati_identifier="XM-DAC-41116-B")
    nameless = ProjectFactory(published=True, state="merged", merged_into=stays)
    content = whole(Project.objects.filter(pk=stays.pk))
    assert standard.judge(content) == []
    told = [(each.get("ref"), each.get("type")) for each in etree.fromstring(content).iter("other-identifier")]
    assert ("XM-DAC-41116-B", "B1") in told and {kind for ref, kind in told if nameless.reference in ref} == {
        "A9",
        "B1",
    }
    assert len(told) == 5


# --- what a record lacks -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (lambda p: setattr(p, "status", ""), "xsd"),
        (lambda p: setattr(p, "summary", ""), "xsd"),
        (lambda p: setattr(p, "planned_start", None), "6.11.1"),
        (lambda p: p.term_links.all().delete(), "6.2.2"),
        (lambda p: p.country_links.filter(role="recipient").delete(), "3.7.1"),
        (lambda p: [p.country_links.filter(role="provider").delete(), p.partner_links.all().delete()], "xsd"),
        (lambda p: setattr(p, "actual_start", dt.date.fromisoformat(FUTURE)), "11.1.4"),
        (lambda p: p.transactions.create(kind="2", made_on=FUTURE, amount=1, currency="USD"), "11.2.1"),
        (lambda p: p.budgets.create(starts_on="2023-01-01", ends_on="2024-01-02", amount=1, currency="USD"), "7.5.3"),
        (lambda p: [setattr(p, "iati_identifier", "NL-1-77"), p.partner_links.update(is_reporting=True)], "1.1.21"),
    ],
    ids=["status", "text", "start", "sector", "recipient", "participant", "future start", "future payment", "long budget", "identifier"],
)  # fmt: skip
def test_what_a_record_lacks_is_told_and_would_break_the_rule(db, standard, client, change, rule):
    project = ProjectFactory(published=True)
    change(project)
    project.save()
    project = Project.objects.for_iati().get(pk=project.pk)
    assert [one.key for one in quality.lacks_for_iati(project)] == [rule]
    answer = client.get(f"/projects/{project.reference}/iati.xml")
    assert answer.status_code == 404
    assert str(quality.lacks_for_iati(project)[0].advice) in answer.content.decode()
    with pytest.raises(iati_export.NothingToWrite):
        whole()
    # Written all the same it is no valid file, for just that reason: nothing is asked for in vain.
    if rule == "6.11.1":
        return  # without a start there are no periods, so it can't even be written
    content = b"".join(
        iati_export._file("iati-activities", iter([iati_export.piece(activity_of(project, Publisher()))]))
    )
    assert rule in {b.rule for b in standard.judge(content)}


def judge_all(standard, projects, needs, cuts: int) -> None:
    """All are in the file and it is valid, as are files of a record alone, of each or of one in so many."""
    everything = whole(projects, needs)
    assert said(standard.judge(everything)) == []
    root = etree.fromstring(everything)
    told = {e.text.removeprefix("XM-DAC-41116-") for e in root.iterfind("iati-activity/iati-identifier")}
    assert told == {*projects.values_list("reference", flat=True), *needs.values_list("reference", flat=True)}, (
        "nothing lacks"
    )
    for need in needs:
        status = root.xpath(
            "//iati-activity[iati-identifier=$id]/activity-status/@code", id=f"XM-DAC-41116-{need.reference}"
        )
        assert status == [Status.PIPELINE]
    for record in [*projects[::cuts], *needs[::cuts]]:
        assert said(standard.judge(iati_export.one(record))) == []
    partners = Partner.objects.exclude(iati_identifier=None)
    assert said(standard.judge(b"".join(iati_export.organisations(partners)))) == []


def test_projects_of_the_demonstration_are_valid_and_come_back(db, standard, goes_round):
    load_projects()
    for state in UNDER_WAY:
        NeedFactory(in_state=state)
    published = Project.objects.published().order_by("pk")
    judge_all(standard, published, Need.objects.under_way().order_by("pk"), cuts=8)
    Project.objects.update(parent=None)
    Project.objects.exclude(pk__in=[project.pk for project in published[::3]]).update(state=State.WITHDRAWN)
    goes_round(published.count())


@pytest.mark.thorough
def test_the_demonstration_is_valid_in_every_cut_and_comes_back(db, standard, goes_round):
    call_command("load_demonstration", verbosity=0)
    published = Project.objects.published()
    judge_all(standard, published, Need.objects.under_way(), cuts=1)
    goes_round(published.count())
