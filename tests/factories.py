"""Records for tests. Every trait passes full_clean (tests/test_factories.py)."""

import datetime as dt

import factory
from django.db import connection
from django.utils import timezone
from factory.django import DjangoModelFactory

from partners.choices import COUNTRY_ROLES, STAFF_ROLES, Role
from partners.models import Country, CountryGroup, Membership, Partner, Region, User
from projects import agreement
from projects.choices import (
    ConfirmedStep,
    CountryRole,
    Criterion,
    Modality,
    NeedState,
    OfferState,
    ProviderOrder,
    ResponseState,
    Side,
    State,
    Status,
)
from projects.models import (
    Answer,
    Confirmation,
    Contribution,
    CriterionAnswer,
    Eligible,
    LineItem,
    Need,
    NeedTerm,
    Offer,
    OfferLine,
    OfferTerm,
    PlanActivity,
    PlanIndicator,
    PlanRole,
    Project,
    ProjectCountry,
    ProjectPartner,
    ProjectTerm,
    Response,
    Result,
    Term,
)
from projects.models.offer import SHOWN


def commit() -> None:
    """What the database does at the end of a transaction, inside that of a test: deferred checks, and the change feed."""
    connection.check_constraints()


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
        merged = factory.Trait(
            state=State.MERGED, merged_into=factory.SubFactory("tests.factories.ProjectFactory", published=True)
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


# --- needs -----------------------------------------------------------------------------------------------------------
def term(code: str) -> Term:
    """A term as vocabulary:code."""
    vocabulary, code = code.split(":")
    return Term.objects.get(vocabulary=vocabulary, code=code)


class NeedFactory(DjangoModelFactory):
    """A draft of Kenya that lacks nothing for endorsement. `in_state` puts it, with its parts, anywhere in its life."""

    class Meta:
        model = Need
        skip_postgeneration_save = True

    title = factory.Sequence(lambda n: f"Measuring the air of our towns {n}")
    country = factory.LazyFunction(lambda: Country.objects.get(iso3="KEN"))
    problem = "RESTRICTED-PROBLEM Nobody measures the air."
    gap = "RESTRICTED-GAP People who can run stations."
    public_summary = "Two towns want to know what they breathe."
    national_plan = "National climate plan 2023, action 4"
    institution = "Department of the environment"
    contact_name = "RESTRICTED-CONTACT A. Person"
    contact_email = "restricted-contact@example.org"
    scope = "national"
    monitoring = "RESTRICTED-MONITORING Ten stations report every day."
    existing_initiatives = "RESTRICTED-INITIATIVES none"
    same_request = "no"
    languages = ["en"]
    endorsed_by_name = "RESTRICTED-ENDORSER B. Person"
    endorsed_on = dt.date(2026, 3, 20)
    created_by = factory.SubFactory(UserFactory)

    @factory.post_generation
    def terms(self, create, extracted, **kwargs):
        for code in ["bsp-theme:air"] if extracted is None else extracted:
            NeedTerm.objects.create(need=self, term=term(code))

    @factory.post_generation
    def lines(self, create, extracted, **kwargs):
        """lines=[("what", 40, "expert-days")]; two lines by default."""
        wanted = [("Network design", 40, "expert-days"), ("Sensors", 10, "items")] if extracted is None else extracted
        for place, (text, quantity, unit) in enumerate(wanted):
            LineItem.objects.create(
                need=self, position=place, text=text, quantity=quantity, unit=unit, by_when=dt.date(2027, 6, 30),
                assistance=term("assistance:training"),
            )  # fmt: skip

    @factory.post_generation
    def in_state(self, create, extracted, **kwargs):
        if extracted:
            put_in_state(self, extracted)


class ResponseFactory(DjangoModelFactory):
    """UNDP offers all of the first line."""

    class Meta:
        model = Response
        skip_postgeneration_save = True

    need = factory.SubFactory(NeedFactory, in_state=NeedState.OPEN)
    partner = factory.LazyFunction(lambda: Partner.objects.get(slug="undp"))
    text = "Two experts for twenty days each."
    terms_text = "RESTRICTED-TERMS day rates on request"
    created_by = factory.SubFactory(UserFactory)

    @factory.post_generation
    def answers(self, create, extracted, **kwargs):
        """answers={0: 40}: place of the line and how much of it."""
        for place, quantity in ({0: 40} if extracted is None else extracted).items():
            Answer.objects.create(response=self, line=self.need.lines.all()[place], quantity=quantity)


# --- offers ----------------------------------------------------------------------------------------------------------
class OfferFactory(DjangoModelFactory):
    """A draft of UNDP that lacks nothing for verification. `in_state` puts it anywhere in its life."""

    class Meta:
        model = Offer
        skip_postgeneration_save = True

    title = factory.Sequence(lambda n: f"Air networks that towns run themselves {n}")
    partner = factory.LazyFunction(lambda: Partner.objects.get(slug="undp"))
    summary = "Engineers who set up low-cost networks and train those who run them."
    languages = ["en", "fr"]
    contact_name = "MEMBERS-ONLY C. Person"
    contact_email = "members-only@example.org"
    conditions = "PRIVATE-CONDITIONS travel is paid by the country"
    intellectual_property = "PRIVATE-RIGHTS licence of the firmware"
    created_by = factory.SubFactory(UserFactory)

    @factory.post_generation
    def terms(self, create, extracted, **kwargs):
        for code in ["bsp-theme:air"] if extracted is None else extracted:
            OfferTerm.objects.create(offer=self, term=term(code))

    @factory.post_generation
    def lines(self, create, extracted, **kwargs):
        """lines=[("what", 40, "expert-days", "free")]; two lines by default."""
        wanted = (
            [("Network design", 60, "expert-days", "free"), ("Sensors", 20, "items", "cost")]
            if extracted is None
            else extracted
        )
        for place, (text, quantity, unit, cost) in enumerate(wanted):
            OfferLine.objects.create(
                offer=self,
                position=place,
                text=text,
                quantity=quantity,
                unit=unit,
                cost=cost,
                assistance=term("assistance:training"),
            )

    @factory.post_generation
    def eligible(self, create, extracted, **kwargs):
        """eligible=["KEN", "ldc", "014"]: codes of countries, groups and regions."""
        for code in extracted or []:
            place = (
                {"country": Country.objects.get(iso3=code)} if code.isupper()
                else {"region": Region.objects.get(code=code)} if code.isdigit()
                else {"group": CountryGroup.objects.get(code=code)}
            )  # fmt: skip
            Eligible.objects.create(offer=self, **place)

    @factory.post_generation
    def in_state(self, create, extracted, **kwargs):
        if not extracted:
            return
        self.state, now = extracted, timezone.now()
        if extracted not in (OfferState.DRAFT, OfferState.SUBMITTED):
            self.verified_at, self.verified_by = now, UserFactory()
        if extracted in SHOWN:
            self.published_at, self.expires_on = now, timezone.localdate() + dt.timedelta(days=365)
        self.save()


OPENED = (
    NeedState.OPEN, NeedState.IN_DIALOGUE, NeedState.PLAN_AGREED, NeedState.IN_DELIVERY, NeedState.DELIVERED,
    NeedState.CLOSED, NeedState.PARTIALLY_MET, NeedState.EXPIRED,
)  # fmt: skip


def put_in_state(need: Need, state: str) -> None:
    """Writes a state with what belongs to it, past the moves, for tests that start there."""
    screener, now = UserFactory(), timezone.now()
    need.state = state
    if state in OPENED:
        need.published_at, need.published_by = now, UserFactory()
        need.screened_at, need.screened_by = now, screener
    if state in (NeedState.ELIGIBLE, *OPENED):
        need.summary_approved_at, need.summary_approved_by = now, UserFactory()
    if state in (NeedState.SUBMITTED, NeedState.ELIGIBLE):
        for criterion in Criterion:
            CriterionAnswer.objects.create(need=need, criterion=criterion, is_met=True, note="yes")
    if state == NeedState.ON_HOLD:
        need.held_from = NeedState.SUBMITTED
    if state == NeedState.MERGED:
        need.merged_into = NeedFactory(country=need.country)
    if state in OPENED[1:-1]:
        agreed = ResponseState.ACCEPTED if state == NeedState.IN_DIALOGUE else ResponseState.AGREED
        response = ResponseFactory(need=need, state=agreed, answers={0: 40})
        need.plan, need.outcome, need.lessons, need.rating = "Two visits.", "It runs.", "Start small.", 4
        need.project = ProjectFactory(status=Status.IMPLEMENTATION)
        if state != NeedState.IN_DIALOGUE:
            response.answers.update(delivered=30)
        planned(need)
        for side in Side:
            who = {"partner": response.partner} if side == Side.PARTNER else {}
            for step in ConfirmedStep:
                Confirmation.objects.create(need=need, step=step, side=side, by=screener, **who)
    need.save()


def planned(need: Need) -> None:
    """A plan that lacks nothing: what was accepted, one indicator, the usual roles."""
    found = agreement.proposed(need)
    for place, row in enumerate(found["activities"]):
        PlanActivity.objects.create(need=need, position=place, **row)
    for row in found["roles"]:
        PlanRole.objects.create(need=need, **row)
    PlanIndicator.objects.create(need=need, text="Stations that run", unit="items", baseline=0, target=10)


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
    """One person per role; `nobody` is not signed in, `stranger` has no role, `former` had one until yesterday.

    Written in two statements, since half of all tests begin with them.
    """
    yesterday = timezone.localdate() - dt.timedelta(days=1)
    places = {
        "country": Country.objects.get(iso3="KEN"),
        **{partner.slug: partner for partner in Partner.objects.filter(slug__in=["unep", "undp"])},
    }
    found: dict[str, User | None] = {"nobody": None}
    found |= {name: UserFactory.build() for name in ("stranger", *Role.values, "former")}
    User.objects.bulk_create(person for person in found.values() if person)
    memberships = [_membership(found[role], role, places) for role in Role]
    former = _membership(found["former"], Role.ADMINISTRATOR, places)
    former.starts_on, former.ends_on = yesterday - dt.timedelta(days=30), yesterday
    Membership.objects.bulk_create([*memberships, former])
    return found


def _membership(person: User, role: Role, places: dict) -> Membership:
    of_country = role in COUNTRY_ROLES
    partner = None if of_country else places["unep" if role in STAFF_ROLES else "undp"]
    return MembershipFactory.build(
        user=person, role=role, country=places["country"] if of_country else None, partner=partner
    )
