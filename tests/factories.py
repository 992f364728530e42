"""Records for tests. Every trait passes full_clean (tests/test_factories.py)."""

import datetime as dt

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from partners.choices import COUNTRY_ROLES, STAFF_ROLES, Role
from partners.models import Country, Membership, Partner, User
from projects.choices import CountryRole, Modality, ProviderOrder, State
from projects.models import Contribution, Project, ProjectCountry, ProjectPartner, ProjectTerm, Result, Term


class UserFactory(DjangoModelFactory):
    class Meta:
        model = User
        skip_postgeneration_save = True

    email = factory.Sequence(lambda n: f"person{n}@example.org")
    full_name = factory.Faker("name")
    password = factory.django.Password("a long enough password")


class MembershipFactory(DjangoModelFactory):
    class Meta:
        model = Membership

    user = factory.SubFactory(UserFactory)
    role = Role.DESK
    country = factory.Maybe(
        factory.LazyAttribute(lambda o: o.role in COUNTRY_ROLES),
        factory.LazyFunction(lambda: Country.objects.get(iso3="KEN")),
        None,
    )
    partner = factory.Maybe(
        factory.LazyAttribute(lambda o: o.role in COUNTRY_ROLES),
        None,
        factory.LazyAttribute(lambda o: Partner.objects.get(slug="unep" if o.role in STAFF_ROLES else "undp")),
    )


class ProjectFactory(DjangoModelFactory):
    class Meta:
        model = Project
        skip_postgeneration_save = True

    class Params:
        published = factory.Trait(
            state=State.PUBLISHED,
            published_at=factory.LazyFunction(timezone.now),
            published_by=factory.SubFactory(UserFactory),
        )
        in_review = factory.Trait(state=State.REVIEW)
        withdrawn = factory.Trait(
            state=State.WITHDRAWN,
            published_at=factory.LazyFunction(timezone.now),
            published_by=factory.SubFactory(UserFactory),
        )
        triangular = factory.Trait(modality=Modality.TRIANGULAR)

    title = factory.Sequence(lambda n: f"Restoring wetlands together {n}")
    summary = "Two countries restore wetlands and count what comes back."
    modality = Modality.BILATERAL
    planned_start = dt.date(2024, 1, 1)
    planned_end = dt.date(2026, 12, 31)
    created_by = factory.SubFactory(UserFactory)

    @factory.post_generation
    def countries(self, create, extracted, **kwargs):
        """countries={"KEN": "provider"}; Brazil provides and Kenya receives by default; {} for none."""
        chosen = {"BRA": CountryRole.PROVIDER, "KEN": CountryRole.RECIPIENT} if extracted is None else extracted
        for iso3, role in chosen.items():
            ProjectCountry.objects.create(project=self, country=Country.objects.get(iso3=iso3), role=role)

    @factory.post_generation
    def terms(self, create, extracted, **kwargs):
        """terms=["bsp-theme:forests"]; wetlands by default."""
        for code in ["bsp-theme:wetlands"] if extracted is None else extracted:
            vocabulary, code = code.split(":")
            ProjectTerm.objects.create(project=self, term=Term.objects.get(vocabulary=vocabulary, code=code))

    @factory.post_generation
    def partners(self, create, extracted, **kwargs):
        """partners=["undp"]; UNDP implements by default."""
        for slug in ["undp"] if extracted is None else extracted:
            ProjectPartner.objects.create(project=self, partner=Partner.objects.get(slug=slug), role="4")


class ContributionFactory(DjangoModelFactory):
    class Meta:
        model = Contribution

    project = factory.SubFactory(ProjectFactory)
    country = factory.LazyFunction(lambda: Country.objects.get(iso3="BRA"))
    text = "trainers"
    quantity = 40
    delivered = 10
    unit = "expert-days"


class ResultFactory(DjangoModelFactory):
    class Meta:
        model = Result

    project = factory.SubFactory(ProjectFactory)
    title = "People trained"
    baseline = 0
    target = 30
    actual = 12


def first_and_second_provider(project: Project) -> None:
    """Makes a triangular project's Brazil its first provider and adds Portugal as second."""
    project.country_links.filter(country__iso3="BRA").update(provider_order=ProviderOrder.FIRST)
    ProjectCountry.objects.create(
        project=project,
        country=Country.objects.get(iso3="PRT"),
        role=CountryRole.PROVIDER,
        provider_order=ProviderOrder.SECOND,
    )


def people() -> dict[str, User | None]:
    """One person per role; `nobody` is not signed in, `stranger` has no role, `former` had one until yesterday."""
    yesterday = timezone.localdate() - dt.timedelta(days=1)
    found: dict[str, User | None] = {"nobody": None, "stranger": UserFactory()}
    for role in Role:
        found[role.value] = MembershipFactory(role=role).user
    former = MembershipFactory(role=Role.ADMINISTRATOR, starts_on=yesterday - dt.timedelta(days=30), ends_on=yesterday)
    found["former"] = former.user
    return found
