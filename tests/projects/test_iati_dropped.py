"""IATI: what is dropped, cut or read otherwise than written is named in full by a finding."""

import pytest
from lxml import etree

from projects.models import Project
from tests.projects.activities import activity, document

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
