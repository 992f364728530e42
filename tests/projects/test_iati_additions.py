"""IATI: what of the portal's namespace stands in the file of somebody else. It has no effect on the record, and is told once."""

import copy
from collections import Counter

import pytest
from lxml import etree

from partners.models import Partner
from projects.interchange import iati_own
from projects.interchange.iati_directory import Directory
from projects.interchange.iati_own import own
from projects.interchange.iati_understood import OWN, OWN_ELEMENTS, OWN_FOR_OTHERS
from projects.models import Project
from tests.projects.activities import activity, document
from tests.projects.test_iati_read import NOW, settled

KNOWN, UNKNOWN = "one of the portal’s own additions", "not known to the portal"
ROOT = {
    "need": "1", "illustrative": "1", "only-in-transactions": "sector", "licence": "ODbL-1.0", "licence-uri": "https://example.org/l",
    "taken-as": "title:00000000", "source-publisher": "X", "source-uri": "https://example.org", "source-retrieved-on": "2024-01-01",
    "reference": "NEW",
}  # fmt: skip
ATTRIBUTES = [  # where, name, value
    *(("", name, value) for name, value in ROOT.items()),
    ("description", "as", "lessons"),
    ("activity-scope", "level", "global"),
    ("participating-org[2]", "partner", "undp"),
    ("participating-org[3]", "ref", "XX-9"),
    ("participating-org[2]", "reports", "1"),
    *((where, "share", "7") for where in ("recipient-country", "recipient-region", "sector", "sector[2]", "tag[3]")),
    ("recipient-country", "share", ""),
    ("tag[3]", "note", "A note"),
    ("result/indicator", "baseline-year", "2020"),
    ("result/indicator", "target-on", "2025-01-01"),
    ("result/indicator", "actual-on", "2025-01-01"),
    ("result", "contribution", "expertise"),
    ("result", "by", "country:KEN"),
    *(("result", name, value) for name, value in (("amount", "5"), ("spent", "4"), ("currency", "EUR"))),
    *((where, "assumed", "*") for where in ("reporting-org", "sector", "transaction", "activity-date", "title")),
    ("recipient-country", "assumed", "percentage"),
    ("participating-org", "assumed", "role type narrative"),
    ("related-activity", "assumed", "type"),
    ("result", "assumed", "type"),
    ("budget/value", "assumed", "value-date"),
    ("result[2]/indicator/baseline", "assumed", "year"),
    ("result[2]/indicator/period", "assumed", "period-end"),
    ("title/narrative", "foo", "x"),
    ("", "foo", "x"),
    ("sector", "parent", "x"),
]
REPORTED = '<ssc:reported xmlns:ssc="urn:x-ssc-portal:iati:1" element="{}" code="ZZ" name="Somewhere" percentage="5"/>'
ELEMENTS = [  # where, element
    *(("", REPORTED.format(name)) for name in ("recipient-country", "recipient-region", "sector", "elsewhere")),
    ("related-activity", '<ssc:parent xmlns:ssc="urn:x-ssc-portal:iati:1"/>'),
    ("", '<ssc:foo xmlns:ssc="urn:x-ssc-portal:iati:1" ssc:share="3"><title>x</title><ssc:bar>y</ssc:bar></ssc:foo>'),
    ("title/narrative", '<ssc:foo xmlns:ssc="urn:x-ssc-portal:iati:1">hidden</ssc:foo>'),
]


@pytest.fixture
def root(db):
    Partner.objects.get_or_create(slug="undp", defaults={"name_en": "UNDP", "kind": "multilateral"})
    found = etree.fromstring(NOW)
    role = f'<tag vocabulary="99" vocabulary-uri="{iati_own.vocabulary_uri()}" code="role:recipient:KEN"/>'
    org = '<participating-org type="22" role="2"><narrative>Nobody knows it</narrative></participating-org>'
    found.insert(list(found).index(found.find("tag")), etree.fromstring(org))
    found.insert(list(found).index(found.findall("tag")[-1]) + 1, etree.fromstring(role))
    return found


def more_told(root, changed) -> Counter:
    """What is told beside what is told of the activity without the addition. The record is the same."""
    directory = Directory.load()
    (record, told), (same, told_more) = (settled(copy.deepcopy(one), directory) for one in (root, changed))
    assert record is not None and same == record
    assert told - told_more == Counter()
    return told_more - told


@pytest.mark.parametrize(("where", "name", "value"), ATTRIBUTES)
def test_an_attribute_of_the_portals_has_no_effect_in_the_file_of_another(root, where, name, value):
    changed = copy.deepcopy(root)
    (changed.find(where) if where else changed).set(own(name), value)
    [(finding, times)] = more_told(root, changed).items()
    path, said, outcome, text = finding
    assert (path.rpartition("@")[2], said, outcome, times) == (f"ssc:{name}", value, "left_out", 1)
    assert (KNOWN in text, UNKNOWN in text) == (name in OWN | OWN_FOR_OTHERS, name not in OWN | OWN_FOR_OTHERS)


@pytest.mark.parametrize(("where", "addition"), ELEMENTS)
def test_an_element_of_the_portals_has_no_effect_in_the_file_of_another(root, where, addition):
    changed, part = copy.deepcopy(root), etree.fromstring(addition)
    (changed.find(where) if where else changed).append(part)
    [((path, _said, outcome, text), times)] = more_told(root, changed).items()
    name = etree.QName(part).localname
    assert (path.rpartition("/")[2], outcome, times) == (f"ssc:{name}", "left_out", 1)
    assert (KNOWN in text, UNKNOWN in text) == (name in OWN_ELEMENTS, name not in OWN_ELEMENTS)


def test_text_behind_an_element_of_the_portals_is_read(root):
    changed = copy.deepcopy(root)
    title = changed.find("title/narrative[2]")
    title.text = "Man"
    etree.SubElement(title, own("foo")).tail = "groves"
    assert [path for path, *_said in more_told(root, changed)] == ["title/narrative/ssc:foo"]


def test_all_that_the_portal_writes_into_its_namespace_is_tried_in_the_file_of_another():
    assert {name for _where, name, _value in ATTRIBUTES} >= OWN | OWN_FOR_OTHERS
    assert {etree.QName(etree.fromstring(part)).localname for _where, part in ELEMENTS} >= OWN_ELEMENTS


def test_a_percentage_is_stored_as_another_publisher_stated_it(read):
    more = '<recipient-country code="RW" percentage="50" ssc:share="1"/>'
    text = activity(more).replace('code="KE"', 'code="KE" percentage="50" ssc:share="99"')
    ours = 'xmlns:ssc="urn:x-ssc-portal:iati:1" ssc:licence="ODbL-1.0" '
    run = read(document(text.replace("<iati-activity ", f"<iati-activity {ours}", 1)))
    links = Project.objects.get().country_links.values_list("country__iso2", "share")
    assert {(code, int(share)) for code, share in links} == {("KE", 50), ("RW", 50)}
    told = [row for row in run.issues.values_list("element", "value") if "ssc:" in row[0]]
    assert sorted(told) == [("@ssc:licence", "ODbL-1.0"), ("recipient-country/@ssc:share", "99; 1")]


def test_a_role_or_instrument_in_the_file_of_another_is_not_dropped_without_a_word(read):
    uri = iati_own.vocabulary_uri()
    tags = [
        f'<tag vocabulary="99" vocabulary-uri="{uri}" code="{code}"/>'
        for code in ("role:provider:RWA", "instrument:grant")
    ]
    [issue] = read(document(activity("".join(tags)))).issues.filter(element="tag")
    assert "role:provider:RWA" in issue.value and "instrument:grant" in issue.value
