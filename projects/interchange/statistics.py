"""What each side brought, as statisticians take it: the TOSSD table, and South-South cooperation in quantities.

Nothing is computed that nobody reported: no money from quantities, no quantity divided among recipients, no sum over
different units or currencies. What was not reported is empty, and counted as such.
Sources: TOSSD Reporting Instructions (data fields and code lists); UN conceptual framework to measure South-South
cooperation (SDG indicator 17.3.1), categories A, B and C. docs/decisions/0019 says what was read and what was not.
"""

from collections.abc import Iterator

from django.contrib.postgres.fields import ArrayField
from django.db.models import Case, CharField, Func, Value, When
from django.db.models.functions import Coalesce, Concat, ExtractYear

from partners.models import Partner
from projects.choices import ContributionKind, Modality, OrganisationRole, TransactionKind, Vocabulary
from projects.interchange.datasets import of, unless_empty
from projects.models import Contribution, ProjectCountry, ProjectPartner, ProjectTerm, Transaction
from projects.models.project import RECEIVING
from ssc_portal.tables import Column, Table, page

FRAMEWORKS = {  # TOSSD: framework of collaboration
    Modality.BILATERAL: "FC01", Modality.REGIONAL: "FC01", Modality.TRIANGULAR: "FC02", Modality.MULTILATERAL: "FC03",
}  # fmt: skip
GRANT, DIRECT_SPENDING = "110", "2100"  # TOSSD: financial instrument


def of_project(model, value, *, order=("pk",), **only):
    """Values of the parts of a contribution's or transaction's project, as one list."""
    return of(model, "project", value, at="project", order=order, **only)


STARTED = Coalesce(ExtractYear("project__actual_start"), ExtractYear("project__planned_start"))
YEAR = Coalesce(ExtractYear("activity__starts_on"), STARTED)
RECIPIENTS = of_project(
    ProjectCountry, "country__iso3", country__isnull=False, role__in=RECEIVING, order=("country__iso3",)
)
NAME = Coalesce("country__name_en", "partner__name_en")
PROVIDER = Coalesce("country__iso3", "partner__iati_identifier", "partner__slug", output_field=CharField())


def contributions(projects):
    """What is brought to these projects."""
    return Contribution.objects.filter(project__in=projects)


# --- TOSSD ---------------------------------------------------------------------------------------------------------------
TOSSD = Table(
    "tossd",
    "TOSSD activities",
    [
        Column("reporting_year", YEAR, "Year in which the planned activity, else the project, begins", "integer"),
        Column("provider_code", PROVIDER, "ISO 3166-1 alpha-3 of a country; IATI identifier, else code here, of a partner"),
        Column("provider_name", NAME, "Provider"),
        Column("provider_agency", "partner__name_en", "Agency, where a partner provides"),
        Column(
            "provider_project_number", Concat("project__reference", Value("/"), "pk", output_field=CharField()),
            "Reference of the project and number of the contribution",
        ),
        Column("recipient_codes", RECIPIENTS, "ISO 3166-1 alpha-3; several receive together, nothing is divided", "list"),
        Column("project_title", "project__title", "Title"),
        Column("project_description", Concat("project__summary", Value(" – "), "text", output_field=CharField()), "Summary, and what is brought"),
        Column("external_link", page("/projects/", "project__reference"), "Its page"),
        Column(
            "sdg_focus", of_project(ProjectTerm, "term__code", term__vocabulary=Vocabulary.SDG), "Goals and targets", "list"
        ),
        Column(
            "sector_codes",
            Coalesce(
                unless_empty(of_project(ProjectTerm, "term__code", term__vocabulary=Vocabulary.CRS)),
                of_project(ProjectTerm, "term__default_crs__code", term__default_crs__isnull=False),
            ),
            "CRS purpose codes: of the project, else those of its themes",
            "list",
        ),
        Column(
            "channel",
            of_project(ProjectPartner, "partner__name_en", partner__isnull=False, role=OrganisationRole.IMPLEMENTING),
            "Implementing partners",
            "list",
        ),
        Column("modality", "kind", "Modality of co-operation: " + ", ".join(ContributionKind.values)),
        Column(
            "financial_instrument",
            Case(When(kind=ContributionKind.PROJECT, then=Value(GRANT)), default=Value(DIRECT_SPENDING)),
            "110 grant, for project-type interventions; else 2100 direct provider spending",
        ),
        Column(
            "framework_of_collaboration",
            Case(*(When(project__modality=m, then=Value(code)) for m, code in FRAMEWORKS.items())),
            "FC01 South-South, FC02 triangular, FC03 multilateral support for it; empty where the modality is not stated",
        ),
        Column("currency", "currency", "ISO 4217"),
        Column("amount_committed", "amount", "Money agreed, as reported; never computed", "number"),
        Column("amount_disbursed", "spent", "Money spent, as reported; never computed", "number"),
        Column("quantity", "quantity", "Quantity agreed, in its own unit", "number"),
        Column("quantity_delivered", "delivered", "Quantity delivered so far", "number"),
        Column("unit", "unit", "Unit of the quantities"),
        Column("women", "women", "Women among them", "integer"),
        Column("men", "men", "Men among them", "integer"),
        Column(
            "not_reported",
            Func(
                *(
                    Case(When(**{f"{name}__isnull": True}, then=Value(shown)))
                    for name, shown in (
                        ("amount", "amount_committed"), ("spent", "amount_disbursed"), ("quantity", "quantity"),
                        ("delivered", "quantity_delivered"),
                    )
                ),
                function="array_remove", template="array_remove(ARRAY[%(expressions)s], NULL)",
                output_field=ArrayField(CharField()),
            ),
            "Which of money and quantities nobody reported",
            "list",
        ),
        Column("is_illustrative", "project__is_illustrative", "Made up for the demonstration", "boolean"),
    ],
)  # fmt: skip


# --- SDG indicator 17.3.1 ------------------------------------------------------------------------------------------------
CATEGORIES = {
    "A": "money",
    "B": "in kind, with the money that was reported for it",
    "C": "in kind, in quantities only",
    "": "neither money nor quantity reported",
}
QUANTITIES = [
    Column("year", None, "Year of the payment; of what is brought, the year in which it begins", "integer"),
    Column(
        "provider_code", None, "ISO 3166-1 alpha-3; IATI identifier or code here of a partner; empty where not reported"
    ),
    Column("provider_name", None, "Provider"),
    Column("recipient_codes", None, "Countries that receive, together; nothing is divided among them", "list"),
    Column("category", None, "; ".join(f"{code or 'empty'}: {text}" for code, text in CATEGORIES.items())),
    Column("basis", None, "contribution (what each side brings) or transaction (money that moved). Never add the two"),
    Column("unit", None, "Unit of the quantities; one row for each"),
    Column("quantity", None, "Agreed, in this unit", "number"),
    Column("delivered", None, "Delivered so far, in this unit", "number"),
    Column("women", None, "Women among them, where counted", "integer"),
    Column("men", None, "Men among them, where counted", "integer"),
    Column("currency", None, "ISO 4217; one row for each"),
    Column("amount", None, "Money agreed, in this currency", "number"),
    Column("spent", None, "Money spent, in this currency", "number"),
    Column("entries", None, "How many entries these figures are the sum of", "integer"),
    Column("entries_without_delivered", None, "Of them without a word on what was delivered or spent", "integer"),
    Column("is_illustrative", None, "Made up for the demonstration", "boolean"),
]
SUMMED = ("quantity", "delivered", "women", "men", "amount", "spent")
KEYS = (
    "year",
    "provider_code",
    "provider_name",
    "recipient_codes",
    "category",
    "basis",
    "unit",
    "currency",
    "is_illustrative",
)
SPENDING = (TransactionKind.DISBURSEMENT, TransactionKind.EXPENDITURE)


def category_of(quantity, money) -> str:
    """A, B or C of the framework; empty where neither money nor a quantity was reported."""
    if quantity is None:
        return "" if money is None else "A"
    return "C" if money is None else "B"


def quantities(projects) -> Iterator[list]:
    """Rows of QUANTITIES: sums of what was reported, by year, provider, recipients, category, unit and currency."""
    groups: dict[tuple, dict] = {}

    def add(key: tuple, figures: dict, is_silent: bool) -> None:
        group = groups.setdefault(key, {**dict.fromkeys(SUMMED), "entries": 0, "entries_without_delivered": 0})
        for name, value in figures.items():
            if value is not None:
                group[name] = (group[name] or 0) + value
        group["entries"] += 1
        group["entries_without_delivered"] += is_silent

    brought = contributions(projects).order_by("pk").values_list(
        YEAR, PROVIDER, NAME, RECIPIENTS, "unit", "currency",
        "project__is_illustrative", *SUMMED,
    )  # fmt: skip
    for year, code, name, recipients, unit, currency, is_made_up, *figures in brought.iterator(chunk_size=2000):
        given = dict(zip(SUMMED, figures, strict=True))
        money = given["amount"] if given["amount"] is not None else given["spent"]
        category = category_of(given["quantity"], money)
        is_silent = given["delivered"] is None and given["spent"] is None
        add(
            (year, code, name, tuple(recipients), category, "contribution", unit, currency, is_made_up),
            given,
            is_silent,
        )
    funders = of_project(ProjectPartner, "partner__slug", partner__isnull=False, role=OrganisationRole.FUNDING)
    moved = Transaction.objects.filter(project__in=projects, kind__in=SPENDING).order_by("pk").values_list(
        ExtractYear("made_on"), funders, RECIPIENTS, "currency", "project__is_illustrative", "amount"
    )  # fmt: skip
    names = {
        slug: (identifier or slug, name)
        for slug, identifier, name in Partner.objects.values_list("slug", "iati_identifier", "name_en")
    }
    for year, slugs, recipients, currency, is_made_up, amount in moved.iterator(chunk_size=2000):
        # With several funders nobody said who paid which sum.
        code, name = names[slugs[0]] if len(set(slugs)) == 1 else (None, None)
        add(
            (year, code, name, tuple(recipients), "A", "transaction", None, currency, is_made_up),
            {"spent": amount},
            False,
        )
    for key in sorted(groups, key=lambda k: tuple("" if v is None else str(v) for v in k)):
        said = {**dict(zip(KEYS, key, strict=True)), **groups[key]}
        yield [list(said[c.name]) if c.kind == "list" else said[c.name] for c in QUANTITIES]
