"""Terms, projects, needs, offers and what was brought and reached, as tables of what everybody may read."""

from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.fields import ArrayField
from django.db.models import Case, CharField, Exists, Func, OuterRef, Q, TextField, Value, When
from django.db.models.functions import Cast, Coalesce, Concat, NullIf

from ground.tables import Column, Table, page
from partners.models import Country, last_change_of
from partners.tables import names, point, provenance
from projects.choices import Checked, State, Vocabulary
from projects.models import (
    Answer,
    Eligible,
    LineItem,
    Location,
    Need,
    NeedTerm,
    Offer,
    OfferTerm,
    Project,
    ProjectCountry,
    ProjectPartner,
    ProjectRegion,
    ProjectTerm,
    RecordCheck,
    Term,
)
from projects.models.project import PROVIDING, RECEIVING

COLON, TEXTS = Value(":"), ArrayField(TextField())


def of(model, record: str, value, *, at: str = "pk", order=("pk",), **only):
    """Values of a record's parts as one list; `at`: where the row has the record's key."""
    rows = model.objects.filter(**{record: OuterRef(at)}, **only).order_by(*order)
    return ArraySubquery(rows.values(value) if isinstance(value, str) else rows.values(part=value))


def unless_empty(found):
    """A list, or null where it holds nothing."""
    return NullIf(Cast(found, TEXTS), Value([], TEXTS))


def coded(column: str = "term"):
    """vocabulary:code of a term."""
    return Concat(f"{column}__vocabulary", COLON, f"{column}__code")


def themes(model, record: str) -> Column:
    found = of(model, record, "term__code", term__vocabulary=Vocabulary.BSP_THEME)
    return Column("themes", found, "Codes of thematic areas of the Bali Strategic Plan", "list")


def terms(model, record: str) -> Column:
    return Column("terms", of(model, record, coded(), term__isnull=False), "All terms, as vocabulary:code", "list")


class Judged(Func):
    """How far a record is confirmed, in words (SQL function `projects_checked`, migration 0002)."""

    words = ", ".join(f"'{word}'" for word in Checked.values)
    template = f"(ARRAY[{words}])[projects_checked(%(expressions)s) + 1]"
    output_field = TextField()


IN_COUNTRIES = ProjectCountry.objects.filter(
    project=OuterRef("pk"), country__latitude__isnull=False, role__in=RECEIVING
)

PROJECTS = Table(
    "projects",
    "Projects",
    [
        Column("reference", "reference", "The portal's reference"),
        Column("iati_identifier", "iati_identifier", "IATI identifier, where the publisher gave one"),
        Column("title", "title", "Title, in the language of the texts"),
        Column("summary", "summary", "Summary"),
        Column("language", "language", "Language of the texts"),
        Column("status", "status", "IATI activity status, 1 to 6; empty where not stated"),
        Column("instrument", "instrument", "programme, project or action; empty where not stated"),
        Column("modality", "modality", "bilateral, triangular, regional or multilateral; empty where not stated"),
        Column("delivery_level", "delivery_level", "national, subregional, regional or global; empty where not stated"),
        Column("planned_start", "planned_start", "Planned start", "date"),
        Column("planned_end", "planned_end", "Planned end", "date"),
        Column("actual_start", "actual_start", "Actual start", "date"),
        Column("actual_end", "actual_end", "Actual end", "date"),
        Column(
            "providers",
            of(ProjectCountry, "project", "country__iso3", country__isnull=False, role__in=PROVIDING),
            "ISO 3166-1 alpha-3 codes of the countries that provide",
            "list",
        ),
        Column(
            "recipients",
            of(ProjectCountry, "project", "country__iso3", country__isnull=False, role__in=RECEIVING),
            "ISO 3166-1 alpha-3 codes of the countries that receive",
            "list",
        ),
        Column(
            "regions",
            of(ProjectRegion, "project", "region__code", region__isnull=False),
            "UN M49 codes of regions that it is for as a whole",
            "list",
        ),
        Column(
            "partners",
            of(ProjectPartner, "project", Concat("partner__slug", COLON, "role"), partner__isnull=False),
            "Codes of its partners, each with its IATI role 1 to 4; 0: it reports, no role is stated",
            "list",
        ),
        themes(ProjectTerm, "project"),
        terms(ProjectTerm, "project"),
        Column(
            "only_in_transactions",
            "only_in_transactions",
            "Elements of IATI that the source names only for single transactions, divided by spaces; what is empty here and "
            "named there was reported",
        ),
        Column(
            "confirmed",
            Case(
                When(Exists(RecordCheck.objects.filter(project=OuterRef("pk"))), then=Judged("pk")),
                default=Value(Checked.NONE.value),
                output_field=TextField(),
            ),
            "Confirmed by provider and recipient (both), by one side (one), or by none",
        ),
        Column("quality_score", "quality_score", "How complete the record is, 0 to 100", "integer"),
        Column("is_illustrative", "is_illustrative", "Made up for the demonstration", "boolean"),
        Column(
            "points",
            Case(
                When(Exists(Location.objects.filter(project=OuterRef("pk"))), then=Value("places")),
                When(Exists(IN_COUNTRIES), then=Value("countries")),
                output_field=TextField(),
            ),
            "What its points on a map (GeoJSON) are: places that were reported, or only a point in each country that receives; "
            "empty where there are none",
        ),
        Column("published_at", "published_at", "Published", "datetime"),
        Column("modified_at", Coalesce(last_change_of(Project), "modified_at"), "Last changed", "datetime"),
        *provenance(Project),
        Column("url", page("/projects/"), "Its page"),
    ],
    # Where it happens, as reported; else a point in each country that receives.
    places=Coalesce(
        unless_empty(of(Location, "project", point("latitude", "longitude"))),
        of(
            ProjectCountry,
            "project",
            point("country__latitude", "country__longitude"),
            country__latitude__isnull=False,
            role__in=RECEIVING,
        ),
    ),
)

NEEDS = Table(
    "needs",
    "Needs",
    [
        Column("reference", "reference", "The portal's reference"),
        Column("kind", "kind", "capacity or technology"),
        Column("country", "country__iso3", "ISO 3166-1 alpha-3"),
        Column("title", "title", "Title, in the language of the texts"),
        Column("public_summary", "public_summary", "Summary"),
        Column("language", "language", "Language of the texts"),
        Column("state", "state", "State"),
        Column("state_since", "state_since", "Since when", "datetime"),
        Column("due_on", "due_on", "Date by which the next step is due", "date"),
        Column("expires_on", "expires_on", "Date on which it expires", "date"),
        themes(NeedTerm, "need"),
        terms(NeedTerm, "need"),
        Column(
            "lines", of(LineItem, "need", "text", order=("position", "pk")), "What is asked for, line by line", "list"
        ),
        Column(
            "project",
            Case(When(project__state=State.PUBLISHED, then="project__reference")),
            "Reference of the project that carries it out, where that is public",
        ),
        Column("rating", "rating", "The country's rating at the end, 1 to 5", "integer"),
        Column("is_illustrative", "is_illustrative", "Made up for the demonstration", "boolean"),
        Column("published_at", "published_at", "Opened", "datetime"),
        Column("modified_at", Coalesce(last_change_of(Need), "modified_at"), "Last changed", "datetime"),
        *provenance(Need),
        Column("url", page("/needs/"), "Its page"),
    ],
    places=of(Need, "pk", point("country__latitude", "country__longitude"), country__latitude__isnull=False),
)

OFFERS = Table(
    "offers",
    "Offers",
    [
        Column("reference", "reference", "The portal's reference"),
        Column("kind", "kind", "expertise, training, technology, experience or funding"),
        Column("partner", "partner__slug", "Code of the partner that offers it"),
        Column("country", "country__iso3", "ISO 3166-1 alpha-3, where a country offers it"),
        Column("title", "title", "Title, in the language of the texts"),
        Column("summary", "summary", "Summary"),
        Column("language", "language", "Language of the texts"),
        Column("state", "state", "State"),
        Column("state_since", "state_since", "Since when", "datetime"),
        themes(OfferTerm, "offer"),
        terms(OfferTerm, "offer"),
        Column("languages", "languages", "Languages of work", "list"),
        Column(
            "eligible",
            of(Eligible, "offer", Coalesce("country__iso3", "group__code", "region__code", output_field=CharField())),
            "Who can have it: countries (ISO 3), groups, regions (M49); nothing means all",
            "list",
        ),
        Column("available_from", "available_from", "Available from", "date"),
        Column("available_until", "available_until", "Available until", "date"),
        Column("deadline", "deadline", "To be asked for by", "date"),
        Column("maturity", "maturity", "Maturity of a technology"),
        Column("is_illustrative", "is_illustrative", "Made up for the demonstration", "boolean"),
        Column("published_at", "published_at", "First active", "datetime"),
        Column("modified_at", Coalesce(last_change_of(Offer), "modified_at"), "Last changed", "datetime"),
        *provenance(Offer),
        Column("url", page("/offers/"), "Its page"),
    ],
    places=ArraySubquery(
        Country.objects.filter(
            Q(pk=OuterRef("country")) | Q(pk=OuterRef("partner__country")), latitude__isnull=False
        ).values(place=point("latitude", "longitude"))
    ),
)

TERMS = Table(
    "terms",
    "Terms of the vocabularies",
    [
        Column("id", Concat("vocabulary", COLON, "code"), "vocabulary:code"),
        Column("vocabulary", "vocabulary", "Vocabulary"),
        Column("code", "code", "Code"),
        *names(),
        Column("parent", "parent__code", "Code of the term it is part of"),
        Column("default_crs", "default_crs__code", "CRS purpose code given with it where none is named"),
        Column("source", "source", "Source"),
        Column("is_verified", "is_verified", "Compared with the original document", "boolean"),
        Column("is_withdrawn", "is_withdrawn", "No longer given to new records", "boolean"),
    ],
)

RESPONSES = Table(  # read by their parties only, so never among the open data
    "responses",
    "Responses",
    [
        Column("reference", "reference", "The portal's reference"),
        Column("need", "need__reference", "Reference of the need"),
        Column("need_country", "need__country__iso3", "ISO 3166-1 alpha-3 code of the country that asks"),
        Column("partner", "partner__slug", "Code of the partner that offers"),
        Column("country", "country__iso3", "ISO 3166-1 alpha-3, where a country offers"),
        Column("second_partner", "second_partner__slug", "Code of the second provider, where it is a partner"),
        Column("second_country", "second_country__iso3", "ISO 3166-1 alpha-3 code of the second provider"),
        Column("offer", "offer__reference", "Reference of the offer it comes from"),
        Column("project", "project__reference", "Reference of the project that runs already"),
        Column("state", "state", "State"),
        Column("text", "text", "What is offered"),
        Column("cost", "cost", "free or cost"),
        Column(
            "lines",
            of(
                Answer,
                "response",
                Concat(
                    "line__text",
                    Value(": "),
                    Cast("quantity", TextField()),
                    Value(" "),
                    "line__unit",
                    output_field=TextField(),
                ),
            ),
            "The lines it covers, each with the quantity offered and its unit",
            "list",
        ),
        Column("starts_on", "starts_on", "From", "date"),
        Column("ends_on", "ends_on", "Until", "date"),
        Column("due_on", "due_on", "Date by which the country answers", "date"),
        Column("created_at", "created_at", "Made", "datetime"),
        Column("url", page("/responses/"), "Its page"),
    ],
)

TABLES = {table.name: (table, model) for table, model in (
    (PROJECTS, Project), (NEEDS, Need), (OFFERS, Offer), (TERMS, Term),
)}  # fmt: skip
