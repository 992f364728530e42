"""What the portal is built on: documents, pins and pyproject.toml say the same."""

import json
import re

import pytest

from docs import dependencies
from tests.test_repository import ROOT

DOCUMENT = (ROOT / "docs" / "dependencies.md").read_text()
ROWS = re.findall(r"^\| (?!package )([a-z0-9-]+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|", DOCUMENT, re.M)
BILL = json.loads((ROOT / "docs" / "sbom.cdx.json").read_text())
MAY_BE_DELIVERED = {
    "0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "LGPL-3.0-only", "MIT", "MIT-0", "MIT-CMU", "MPL-2.0",
    "OFL-1.1", "PSF-2.0", "PostgreSQL", "Zlib",
}  # fmt: skip


def _pinned(*files: str) -> set[tuple[str, str]]:
    return {(pin.name, pin.version) for file in files for pin in dependencies.pins(file)}


def test_every_pin_stands_in_the_document_with_its_version():
    told = {(name, version) for name, versions, *_rest in ROWS for version in versions.split(" or ")}
    assert told == _pinned(*dependencies.PINS)


def test_the_bill_of_materials_holds_what_is_delivered():
    told = {(part["name"], part["version"]) for part in BILL["components"]}
    assert told == _pinned("requirements.txt", "requirements-meaning.txt")
    assert all(part["purl"] == f"pkg:pypi/{part['name']}@{part['version']}" for part in BILL["components"])
    asked = {edge["ref"]: edge.get("dependsOn", []) for edge in BILL["dependencies"]}
    names = {ref.partition("@")[0] for ref in asked["ssc-portal"]}
    assert names == {*dependencies.direct()["requirements.txt"], *dependencies.direct()["requirements-meaning.txt"]}
    assert any(ref.startswith("sqlparse@") for ref in next(asked[ref] for ref in asked if ref.startswith("django@")))


def test_the_bill_of_materials_is_the_same_each_time_it_is_made():
    assert "serialNumber" not in BILL
    assert "timestamp" not in BILL["metadata"]


def test_every_licence_lets_the_portal_be_handed_on_and_stands_in_both_documents_alike():
    licences = {name: licence for name, _versions, licence, _keeper in ROWS}
    assert {part for licence in licences.values() for part in re.split(r" (?:AND|OR) ", licence)} <= MAY_BE_DELIVERED
    for part in BILL["components"]:
        (told,) = part["licenses"]
        assert (told.get("expression") or told["license"]["id"]) == licences[part["name"]], part["name"]


def test_every_package_has_a_keeper_and_those_we_chose_a_way_out():
    assert [name for name, _versions, _licence, keeper in ROWS if not keeper.strip()] == []
    assert set(dependencies.WAYS_OUT) == {name for names in dependencies.direct().values() for name in names}


@pytest.mark.parametrize("file", dependencies.PINS)
def test_every_package_we_chose_says_why_it_is_here(file):
    lines = (ROOT / "pyproject.toml").read_text().splitlines()
    for name in dependencies.direct()[file]:
        (line,) = [line for line in lines if re.match(rf'    "{name}(\[[a-z,]+\])?>=', line)]
        assert "# " in line, name
