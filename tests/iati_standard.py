"""The IATI 2.03 standard as a judge: its schemas, its ruleset and its codelists, read from ../shared.

The ruleset is run as its SPEC.rst defines it ("JS edition"). tests/projects/test_iati_standard.py tests this runner.
"""

import datetime as dt
import json
import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cached_property
from pathlib import Path

from lxml import etree

FOLDER = Path(__file__).resolve().parents[2] / "shared" / "data" / "iati"
XSD = "{http://www.w3.org/2001/XMLSchema}"
LANG = "{http://www.w3.org/XML/1998/namespace}lang"
AGENCIES = {
    "XM-DAC",
    "XM-OCHA",
    "GB-COH",
    "GB-CHC",
    "GB-GOV",
    "XI-IATI",
}  # of org-id.guide: those that occur in the tests


@dataclass(frozen=True)
class Breach:
    """A rule that an element breaks."""

    rule: str
    severity: str
    text: str
    line: int


# --- schemas -----------------------------------------------------------------------------------------------------------
class Standard:
    def __init__(self, folder: Path = FOLDER):
        self.folder = folder

    @cached_property
    def schemas(self) -> dict:
        return {
            f"iati-{kind}": etree.XMLSchema(etree.parse(self.folder / "schemas" / f"iati-{kind}-schema.xsd"))
            for kind in ("activities", "organisations")
        }

    @cached_property
    def ruleset(self) -> dict:
        return json.loads((self.folder / "rulesets" / "standard.json").read_text())

    @cached_property
    def known_organisations(self) -> set[str]:
        """Identifiers in use: of the codelists, and of the publishers whose files from the Registry are in the samples."""
        published = {
            element.get("ref")
            for path in (self.folder.parent / "activities").glob("*.xml")
            for element in etree.parse(path).iterfind(".//reporting-org")
        }
        return (published - {None}) | {
            code.text.strip()
            for name in ("OrganisationIdentifier", "IATIOrganisationIdentifier")
            for code in etree.parse(self.folder / "codelists" / f"{name}.xml").iterfind(".//code")
            if code.text
        }

    def judge(self, content: bytes) -> list[Breach]:
        """Every breach of schema, ruleset and codelists; an empty list for a valid file."""
        root = etree.fromstring(content)
        schema = self.schemas[root.tag]
        if not schema.validate(root):
            return [Breach("xsd", "error", e.message, e.line) for e in schema.error_log]
        return [*self.rules_broken(root), *self.codes_unknown(root)]

    # --- paths -----------------------------------------------------------------------------------------------------------
    @cached_property
    def activity_paths(self) -> list[str]:
        """Every element and attribute below <iati-activity> that the schema names, as a path: `budget/value/@currency`."""
        roots = [etree.parse(self.folder / "schemas" / f"iati-{name}.xsd") for name in ("activities-schema", "common")]
        elements, types = (
            {e.get("name"): e for root in roots for e in root.getroot().iterfind(f"{XSD}{kind}")}
            for kind in ("element", "complexType")
        )
        found: list[str] = []

        def walk(node, path: str) -> None:
            for part in node:
                if part.tag == f"{XSD}attribute":
                    found.append(f"{path}/@{(part.get('name') or part.get('ref')).replace('xml:', '')}".lstrip("/"))
                elif part.tag == f"{XSD}element":
                    name = part.get("ref") or part.get("name")
                    below = f"{path}/{name}".lstrip("/")
                    found.append(below)
                    declared = elements[name] if part.get("ref") else part
                    walk(types.get(declared.get("type"), declared), below)
                elif part.tag == f"{XSD}extension" and part.get("base") in types:
                    walk(types[part.get("base")], path)
                    walk(part, path)
                elif part.tag != f"{XSD}annotation":
                    walk(part, path)

        walk(elements["iati-activity"], "")
        return list(dict.fromkeys(found))

    # --- codelists -------------------------------------------------------------------------------------------------------
    @cached_property
    def codes(self) -> list[tuple[str, str, set[str]]]:
        """(path of the values, condition, codes) of mapping.xml, where the list is here and complete."""
        found = []
        for mapping in etree.parse(self.folder / "codelists" / "mapping.xml").iterfind("mapping"):
            path = self.folder / "codelists" / f"{mapping.find('codelist').get('ref')}.xml"
            if path.is_file():
                codelist = etree.parse(path).getroot()
                if codelist.get("complete") == "1":
                    codes = {c.text for c in codelist.iterfind("codelist-items/codelist-item/code")}
                    found.append((mapping.findtext("path"), mapping.findtext("condition") or "", codes))
        return found

    def codes_unknown(self, root) -> list[Breach]:
        found = []
        for path, condition, codes in self.codes:
            element, _slash, attribute = path.rpartition("/")
            query = f"{element}[{condition}]/{attribute}" if condition and element else path
            for value in root.xpath(query):
                if str(value) not in codes:
                    parent = value.getparent() if hasattr(value, "getparent") else root
                    found.append(Breach("codelist", "error", f"{path}: {value}", parent.sourceline))
        return found

    # --- ruleset ---------------------------------------------------------------------------------------------------------
    def rules_broken(self, root) -> list[Breach]:
        runner, found = Runner(self.known_organisations), []
        for context, rules in self.ruleset.items():
            for element in root.getroottree().xpath(context):
                for name, rule in rules.items():
                    for case in rule["cases"]:
                        found += runner.run(element, name, case)
        return found


# --- rules ---------------------------------------------------------------------------------------------------------------
def _text(node) -> str:
    return str(node) if isinstance(node, str) else "".join(node.itertext())


def _day(text: str) -> dt.date:
    return dt.date.fromisoformat(text.strip()[:10])


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text.strip())
    except InvalidOperation:
        return Decimal("NaN")


class Runner:
    """One rule on one element. Each method answers whether the rule holds; `run` makes a breach of what does not."""

    def __init__(self, known_organisations=frozenset(), agencies=frozenset(AGENCIES), today: dt.date | None = None):
        self.known, self.agencies, self.today = known_organisations, agencies, today or dt.datetime.now(dt.UTC).date()

    def run(self, element, name: str, case: dict) -> list[Breach]:
        if name == "loop":
            return self._loop(element, case)
        if "condition" in case and not self._true(element, case["condition"]):
            return []
        if getattr(self, name)(element, case):
            return []
        info = case["ruleInfo"]
        return [Breach(info["id"], info["severity"], info["message"], element.sourceline or 0)]

    def _loop(self, element, case) -> list[Breach]:
        found = []
        for value in dict.fromkeys(map(_text, element.xpath(case["foreach"]))):
            for name, rule in case["do"].items():
                for inner in rule["cases"]:
                    # `$1` stands wherever it does: the ruleset's own list of keys leaves out some that hold it.
                    put = json.loads(json.dumps(inner).replace("$1", value.replace('"', "")))
                    found += self.run(element, name, put)
        return found

    @staticmethod
    def _true(element, path: str) -> bool:
        return bool(element.xpath(f"boolean({path})"))

    def _values(self, element, case) -> list[str]:
        """Values of the paths; those that `idCondition` excuses are left out."""
        values = [_text(node) for path in case["paths"] for node in element.xpath(path)]
        if case.get("idCondition") == "NOT_EXISTING_ORG_ID":
            return [v for v in values if v not in self.known]
        if case.get("idCondition") == "NOT_EXISTING_ORG_ID_PREFIX":
            return [v for v in values if not any(v.startswith(k) for k in self.known)]
        return values

    def _dates(self, element, path: str) -> list[dt.date]:
        return [self.today] if path == "NOW" else [_day(_text(node)) for node in element.xpath(path)]

    def atleast_one(self, element, case):
        return any(element.xpath(path) for path in case["paths"])

    def no_more_than_one(self, element, case):
        return sum(len(element.xpath(path)) for path in case["paths"]) <= 1

    def one_or_all(self, element, case):
        if element.xpath(case["one"]):
            return True
        if case["all"] == "lang":
            return all(LANG in narrative.attrib for narrative in element.iter("narrative"))
        if case["all"] == "currency":
            return not element.xpath(".//value[not(@currency)] | .//loan-status[not(@currency)]")
        if case["all"] == "sector":
            moved = element.xpath("transaction")
            declared = element.xpath("transaction[sector]")
            return not declared or len(declared) == len(moved)
        return all(element.xpath(path) for path in case["all"])

    def sum(self, element, case):
        values = self._values(element, case)
        return not values or sum(map(_decimal, values)) == Decimal(str(case["sum"]))

    def strict_sum(self, element, case):
        return sum(map(_decimal, self._values(element, case)), Decimal(0)) == Decimal(str(case["sum"]))

    def date_order(self, element, case):
        return all(
            less <= more for less in self._dates(element, case["less"]) for more in self._dates(element, case["more"])
        )

    def date_now(self, element, case):
        return all(day <= self.today for day in self._dates(element, case["date"]))

    def time_limit(self, element, case):
        for start in self._dates(element, case["start"]):
            leap_day = (start.month, start.day) == (2, 29)
            limit = dt.date(start.year + 1, 3, 1) if leap_day else start.replace(year=start.year + 1)
            if any(end > limit for end in self._dates(element, case["end"])):
                return False
        return True

    def between_dates(self, element, case):
        starts, ends = self._dates(element, case["start"]), self._dates(element, case["end"])
        return all(s <= day <= e for day in self._dates(element, case["date"]) for s in starts for e in ends)

    def regex_matches(self, element, case):
        return all(re.search(case["regex"], value) for value in self._values(element, case))

    def regex_no_matches(self, element, case):
        return not any(re.search(case["regex"], value) for value in self._values(element, case))

    def startswith(self, element, case):
        prefixes = (
            self.agencies
            if case["prefix"] == ["ORG-ID-PREFIX"]
            else {_text(node) for path in case["prefix"] for node in element.xpath(path)}
        )
        sign = case.get("separator", "-")
        return all(any(v.startswith(f"{p}{sign}") for p in prefixes) for v in self._values(element, case))

    def unique(self, element, case):
        values = self._values(element, case)
        return len(values) == len(set(values))

    def if_then(self, element, case):
        return not self._true(element, case["if"]) or self._true(element, case["then"])

    def no_spaces(self, element, case):
        return all(value == value.strip() for value in self._values(element, case))

    def range(self, element, case):
        return all(case["min"] <= float(_decimal(value)) <= case["max"] for value in self._values(element, case))
