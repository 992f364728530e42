"""Search: languages, accents, phrases, exclusions, names in the query, typing errors, marks, order."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import QueryDict
from django.utils.translation import override
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from partners.models import Country, Region
from projects import search
from projects.choices import NeedState
from projects.filters import ProjectFilter
from projects.models import FacetKind, Project
from tests.factories import NeedFactory, ProjectFactory, UserFactory

pytestmark = [pytest.mark.sql, pytest.mark.django_db]


class Request:
    user = AnonymousUser()


def found(query: str) -> list[str]:
    filterset = ProjectFilter(QueryDict(query), queryset=Project.objects.all(), request=Request)
    assert filterset.is_valid(), filterset.errors
    return [
        Project.objects.get(pk=pk).title for pk in filterset.ordered(filterset.entries()).values_list("pk", flat=True)
    ]


@pytest.fixture
def collection():
    person = UserFactory()

    def make(title, language="en", **fields):
        ProjectFactory(
            title=title,
            language=language,
            published=True,
            created_by=person,
            published_by=person,
            summary=fields.pop("summary", "x"),
            **fields,
        )

    make("Restoring mangroves on the coast")
    make("Restauration des forêts côtières", "fr", countries={"CIV": "recipient"})
    make("Restauración de manglares", "es", summary="Con comunidades")
    make("Восстановление лесов", "ru")
    make("استعادة الغابات", "ar")
    make("修复沿海湿地", "zh")
    make("Early warning of floods", summary="A warning that comes early and is kept")
    make("Warning signs", summary="Not early at all")
    make("São Tomé fishing", countries={"STP": "recipient"})
    ProjectFactory(title="A draft about mangroves")


@pytest.mark.parametrize(
    ("words", "titles"),
    [
        ("mangrove", ["Restoring mangroves on the coast"]),
        ("MANGROVES", ["Restoring mangroves on the coast"]),
        ("foret", ["Restauration des forêts côtières"]),
        ("forêts cotiere", ["Restauration des forêts côtières"]),
        ("manglar", ["Restauración de manglares"]),
        ("лес", ["Восстановление лесов"]),
        ("الغابات", ["استعادة الغابات"]),
        ("湿地", ["修复沿海湿地"]),
        ("mangr*", ["Restoring mangroves on the coast"]),
        ("mangr", ["Restoring mangroves on the coast"]),
        ('"early warning"', ["Early warning of floods"]),
        ("warning -early", []),
        ("warning -floods", ["Warning signs"]),
        ("Cote d'Ivoire", ["Restauration des forêts côtières"]),
        ("Sao Tome", ["São Tomé fishing"]),
        ("nothing of this kind", []),
    ],
)
def test_finds(collection, words, titles):
    with override("en"):
        assert found(f"q={words}") == titles


def test_reference_and_identifier_are_found():
    project = ProjectFactory(published=True, iati_identifier="XM-DAC-41114-1")
    assert found(f"q={project.reference.lower()}") == [project.title]
    assert found("q=XM-DAC-41114-1") == [project.title]


def test_title_outranks_description_and_ties_are_stable():
    person = UserFactory()
    for title, text in [("Other", "solar solar solar"), ("Solar school", "x"), ("Other two", "solar")]:
        ProjectFactory(title=title, description=text, published=True, created_by=person, published_by=person)
    assert found("q=solar")[0] == "Solar school"
    assert found("q=solar") == found("q=solar")


def test_drafts_are_found_by_nobody_outside(collection):
    assert "A draft about mangroves" not in found("q=draft")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mangroves in Kenya", [("country", "KEN", "mangroves in")]),
        ("Côte d’Ivoire forests", [("country", "CIV", "forests"), ("term", "bsp-theme:forests", "Côte d Ivoire")]),
        ("الغابات", [("term", "bsp-theme:forests", "")]),
        ("UNDP training", [("term", "assistance:training", "UNDP"), ("partner", "undp", "training")]),
        ("nothing known", []),
    ],
)
def test_names_in_the_query_are_recognised(text, expected):
    assert sorted((r.parameter, r.value, r.rest) for r in search.recognise(text)) == sorted(expected)


def test_typing_error_gets_a_suggestion(collection):
    search.rebuild_words()
    assert search.did_you_mean("mangrovs restoring") == "mangroves restoring"
    assert search.did_you_mean("Kenia") == "kenya"
    assert search.did_you_mean("mangroves") is None
    assert search.did_you_mean("qqqqqqqqqqq") is None


def test_hits_are_marked_and_text_is_escaped():
    compiled = search.compile_query("mangrove côte")
    assert (
        search.mark("Mangroves & <b>Cotes</b>", compiled)
        == "<mark>Mangroves</mark> &amp; &lt;b&gt;<mark>Cotes</mark>&lt;/b&gt;"
    )


def test_similar_titles_are_shown_with_their_words():
    ProjectFactory(title="Mangrove restoration measured by villages")
    ProjectFactory(title="Solar roofs for schools")
    similar = search.similar("Restoration of mangrove by the villages", visible=Project.objects.all())
    assert [s.record.title for s in similar] == ["Mangrove restoration measured by villages"]
    assert similar[0].words == ["restoration", "mangrove", "villages"]


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=80))
def test_any_query_can_be_asked(text):
    compiled = search.compile_query(text.replace("\x00", ""))
    if compiled:
        list(Project.objects.filter(entry__vector=search.as_query(compiled))[:1])
    search.recognise(text)
    str(search.mark(text, compiled))


def test_a_country_moved_to_another_region_takes_its_records_along():
    project = ProjectFactory(published=True, countries={"KEN": "provider"})
    need = NeedFactory(in_state=NeedState.OPEN)
    there = Region.objects.get(code="005")
    Country.objects.filter(iso3="KEN").update(region=there)
    for entry in (project.entry, need.entry):
        entry.refresh_from_db()
        assert FacetKind.REGION.of(there.pk) in entry.facets
