"""The records and what the database refuses, whoever writes."""

import datetime as dt

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from partners.models import Country
from projects.choices import Modality
from projects.models import Budget, FacetKind, Project, ProjectCountry, ProjectRegion, ReferenceCounter, SearchEntry
from projects.models.parts import misfit_of_countries
from tests.factories import ContributionFactory, ProjectFactory, UserFactory, first_and_second_provider

pytestmark = [pytest.mark.sql, pytest.mark.django_db]


def refused():
    """A write that the database refuses, deferred checks included."""

    class Refused:
        def __enter__(self):
            self.raised = pytest.raises(IntegrityError)
            self.raised.__enter__()
            self.atomic = transaction.atomic()
            self.atomic.__enter__()

        def __exit__(self, kind, error, trace):
            if kind is None:
                try:
                    with connection.cursor() as cursor:
                        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
                except IntegrityError as found:
                    kind, error, trace = type(found), found, found.__traceback__
            self.atomic.__exit__(kind, error, trace)
            return self.raised.__exit__(kind, error, trace)

    return Refused()


def test_references_count_up_within_a_year():
    first, second = ProjectFactory(), ProjectFactory()
    year = timezone.now().year
    assert [first.reference, second.reference] == [f"P-{year}-0001", f"P-{year}-0002"]
    assert ReferenceCounter.take("P-1999") == "P-1999-0001"


def test_dates_out_of_order_are_refused_in_words_and_by_the_database():
    project = ProjectFactory()
    project.planned_end = dt.date(2020, 1, 1)
    with pytest.raises(ValidationError, match="planned end comes before"):
        project.full_clean()
    with refused():
        Project.objects.filter(pk=project.pk).update(planned_end=dt.date(2020, 1, 1))


@pytest.mark.parametrize(
    ("change", "value"),
    [
        ("status", "9"),
        ("state", "gone"),
        ("modality", "other"),
        ("iati_identifier", ""),
        ("quality_score", 101),
        ("state", "published"),
    ],
)
def test_database_refuses(change, value):
    project = ProjectFactory()
    with refused():
        Project.objects.filter(pk=project.pk).update(**{change: value})


def test_published_at_needs_published_by():
    project = ProjectFactory()
    with refused():
        Project.objects.filter(pk=project.pk).update(published_at=timezone.now())


def test_project_is_not_its_own_ancestor():
    programme = ProjectFactory(instrument="programme")
    part = ProjectFactory(parent=programme)
    programme.parent = part
    with pytest.raises(ValidationError, match="part of itself"):
        programme.clean()


def shares(project, first, second):
    for link, share in zip(project.country_links.all(), (first, second), strict=True):
        ProjectCountry.objects.filter(pk=link.pk).update(share=share)


def test_shares_of_countries_and_regions_stay_within_100():
    project = ProjectFactory()
    shares(project, 60, 40)
    with refused():
        ProjectRegion.objects.create(project=project, reported_code="998", share=1)
    with refused():
        shares(project, 60, 41)


def test_second_provider_exists_in_triangular_cooperation_only():
    project = ProjectFactory(triangular=True)
    first_and_second_provider(project)
    with refused():
        Project.objects.filter(pk=project.pk).update(modality=Modality.BILATERAL)
    with refused():
        project.country_links.filter(provider_order=1).update(provider_order=None)


@pytest.mark.parametrize("modality", Modality.values)
@pytest.mark.parametrize("orders", [(None, None), (1, None), (1, 2), (2, None), (1, 1)])
@pytest.mark.parametrize("given", [(None, None), (50, 50), (70, 40)])
def test_python_and_sql_agree_on_countries(modality, orders, given):
    links = [ProjectCountry(role="provider", provider_order=o, share=s) for o, s in zip(orders, given, strict=True)]
    in_words = misfit_of_countries(modality, links) is None
    project = ProjectFactory(modality=modality, countries={})
    for link, iso3 in zip(links, ("BRA", "IND"), strict=True):
        link.project, link.country = project, Country.objects.get(iso3=iso3)
    try:
        with transaction.atomic():
            ProjectCountry.objects.bulk_create(links)
            with connection.cursor() as cursor:
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        in_sql = True
    except IntegrityError:
        in_sql = False
    assert in_words == in_sql


def test_budget_period_is_at_most_a_year():
    project = ProjectFactory()
    line = Budget(
        project=project, starts_on=dt.date(2024, 1, 1), ends_on=dt.date(2025, 6, 30), amount=1, currency="USD"
    )
    with pytest.raises(ValidationError, match="at most one year"):
        line.full_clean()
    with refused():
        line.save()


@pytest.mark.parametrize(
    "broken",
    [{"unit": None}, {"quantity": None}, {"amount": 5}, {"currency": "USD"}, {"quantity": -1}, {"country": None}],
)
def test_contribution_keeps_numbers_with_their_units(broken):
    with refused():
        ContributionFactory(**broken)


def test_history_keeps_raw_sql_and_bulk_edits():
    project = ProjectFactory(title="Before")
    Project.objects.filter(pk=project.pk).update(title="By bulk edit")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE projects_project SET title = 'By raw SQL' WHERE id = %s", [project.pk])
        cursor.execute("DELETE FROM projects_projectcountry WHERE project_id = %s", [project.pk])
    assert list(project.history.order_by("pgh_id").values_list("pgh_label", "title")) == [
        ("insert", "Before"),
        ("update", "By bulk edit"),
        ("update", "By raw SQL"),
    ]
    assert ProjectCountry.history.rel.related_model.objects.filter(pgh_label="delete", project=project).count() == 2


def test_search_entry_follows_every_write():
    project = ProjectFactory(published=True, title="Quiet title", countries={"KEN": "recipient"}, terms=[], partners=[])
    kenya, fiji = Country.objects.get(iso3="KEN"), Country.objects.get(iso3="FJI")
    entry = SearchEntry.objects.get(pk=project.pk)
    assert FacetKind.RECIPIENT.of(kenya.pk) in entry.facets
    assert entry.is_public
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE projects_projectcountry SET country_id = %s, role = 'provider' WHERE project_id = %s",
            [fiji.pk, project.pk],
        )
        cursor.execute("UPDATE projects_project SET title = 'Loud mangroves' WHERE id = %s", [project.pk])
    entry.refresh_from_db()
    assert FacetKind.PROVIDER.of(fiji.pk) in entry.facets
    assert FacetKind.COUNTRY.of(kenya.pk) not in entry.facets
    assert "mangrov" in entry.vector


def test_facets_hold_all_regions_and_groups_above_a_country():
    project = ProjectFactory(countries={"KEN": "recipient"})
    entry = SearchEntry.objects.get(pk=project.pk)
    kenya = Country.objects.get(iso3="KEN")
    regions, region = set(), kenya.region
    while region:
        regions.add(FacetKind.REGION.of(region.pk))
        region = region.parent
    assert len(regions) == 4  # Eastern Africa, Sub-Saharan Africa, Africa, world
    assert regions <= set(entry.facets)
    groups = {FacetKind.GROUP.of(m.group_id) for m in kenya.memberships_in_groups.filter(standing="member")}
    assert groups == {f for f in entry.facets if f % 16 == FacetKind.GROUP}


def test_facets_follow_a_change_of_group_membership():
    project = ProjectFactory(countries={"KEN": "recipient"})
    kenya = Country.objects.get(iso3="KEN")
    link = kenya.memberships_in_groups.get(group__code="amcen")
    group = link.group_id
    link.delete()
    assert FacetKind.GROUP.of(group) not in SearchEntry.objects.get(pk=project.pk).facets


def test_text_comes_in_the_readers_language_or_says_its_own(settings):
    from django.utils.translation import override

    project = ProjectFactory(title="Forests", language="en")
    project.translations.create(language="fr", title="Forêts")
    with override("fr"):
        assert Project.objects.get(pk=project.pk).text("title") == ("Forêts", "fr")
    with override("ar"):
        assert Project.objects.get(pk=project.pk).text("title") == ("Forests", "en")


def test_entered_by_deleted_person_is_protected():
    person = UserFactory()
    ProjectFactory(created_by=person)
    with pytest.raises(IntegrityError):
        person.delete()
