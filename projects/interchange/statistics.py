"""What each side brought, as statisticians take it: the TOSSD table, and South-South cooperation in quantities.

Nothing is computed that nobody reported: no money from quantities, no quantity divided among recipients, no sum over
different units or currencies. What was not reported is empty, and counted as such.
Sources: TOSSD Reporting Instructions (data fields and code lists); UN conceptual framework to measure South-South
cooperation (SDG indicator 17.3.1), categories A, B and C. docs/decisions/0019 says what was read and what was not.
"""

from django.contrib.postgres.aggregates import ArrayAgg
from django.contrib.postgres.fields import ArrayField
from django.db.models import (
    Case,
    CharField,
    Count,
    DecimalField,
    Exists,
    F,
    Func,
    IntegerField,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Coalesce, Concat, ExtractYear

from ground.tables import Column, Table, page
from partners.models.provenance import licence_in
from partners.tables import provenance
from projects.choices import ContributionKind, Modality, OrganisationRole, TransactionKind, Vocabulary
from projects.interchange.datasets import of, unless_empty
from projects.models import Contribution, Project, ProjectCountry, ProjectPartner, ProjectTerm, Transaction
from projects.models.project import RECEIVING

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
IDENTIFIER = Coalesce("partner__iati_identifier", "partner__slug", output_field=CharField())
PROVIDER = Coalesce("country__iso3", IDENTIFIER, output_field=CharField())


def contributions(projects):
    """What is brought to these projects."""
    return Contribution.objects.filter(project__in=projects)


def payments(projects):
    """Money that moved in these projects."""
    return Transaction.objects.filter(project__in=projects, kind__in=SPENDING)


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
            "110 grant, for project-type interventions; else 2100 direct provider spending; always assumed",
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
        Column(
            "assumed",
            Func(
                Value("financial_instrument"),
                Case(When(Q(activity__starts_on=None) & ~Q(project__actual_start=None, project__planned_start=None), then=Value("reporting_year"))),
                Case(When(~Exists(
                    ProjectTerm.objects.filter(project=OuterRef("project"), term__vocabulary=Vocabulary.CRS)
                ) & Exists(
                    ProjectTerm.objects.filter(project=OuterRef("project"), term__default_crs__isnull=False)
                ), then=Value("sector_codes"))),
                function="array_remove", template="array_remove(ARRAY[%(expressions)s], NULL)",
                output_field=ArrayField(CharField()),
            ),
            "Which of these columns nobody reported: they follow from others by rule",
            "list",
        ),
        *provenance(Project, "project__"),
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
    Column("entries_without_women", None, "Of them without a count of women, which is not zero", "integer"),
    Column("entries_without_men", None, "Of them without a count of men, which is not zero", "integer"),
    Column(
        "licences",
        None,
        "Licences of the projects that these figures are of, as in the column licence of projects",
        "list",
    ),
    Column("is_illustrative", None, "Made up for the demonstration", "boolean"),
]
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
NUMBERS = {"number": DecimalField(), "integer": IntegerField()}
SPENDING = (TransactionKind.DISBURSEMENT, TransactionKind.EXPENDITURE)
CATEGORY = Case(  # of one contribution
    When(quantity=None, amount=None, spent=None, then=Value("")),
    When(quantity=None, then=Value("A")),
    When(amount=None, spent=None, then=Value("C")),
    default=Value("B"),
)


def quantities(projects) -> QuerySet:
    """Rows of QUANTITIES: sums of what was reported, by year, provider, recipients, category, unit and currency."""
    brought = _summed(
        contributions(projects),
        {
            "year": YEAR, "provider_code": PROVIDER, "provider_name": NAME, "recipient_codes": RECIPIENTS, "category": CATEGORY,
            "basis": Value("contribution"), "unit": F("unit"), "currency": F("currency"),
        },
        {name: Sum(name) for name in ("quantity", "delivered", "women", "men", "amount", "spent")}
        | {
            "entries_without_delivered": Count("pk", filter=Q(delivered=None, spent=None)),
            "entries_without_women": Count("pk", filter=Q(women=None)), "entries_without_men": Count("pk", filter=Q(men=None)),
        },
    )  # fmt: skip
    moved = _summed(
        payments(projects),
        {
            "year": ExtractYear("made_on"), "provider_code": _payer(IDENTIFIER), "provider_name": _payer("partner__name_en"),
            "recipient_codes": RECIPIENTS, "category": Value("A"), "basis": Value("transaction"), "currency": F("currency"),
        },
        {"spent": Sum("amount"), "entries_without_delivered": Value(0)},
    )  # fmt: skip
    return brought.union(moved, all=True).order_by(*(f"of_{name}" for name in KEYS))


def _summed(records, keys: dict, sums: dict) -> QuerySet:
    """A row of QUANTITIES for each combination of keys; what is not named is null."""
    keys["is_illustrative"], sums["entries"] = F("project__is_illustrative"), Count("pk")
    sums["licences"] = ArrayAgg(licence_in(Project, "project__"), distinct=True)
    rows = records.order_by().values(**{f"of_{name}": value for name, value in keys.items()})
    nothing = {c.name: Value(None, NUMBERS.get(c.kind, CharField())) for c in QUANTITIES if c.name not in keys | sums}
    rows = rows.annotate(**{f"of_{name}": value for name, value in (sums | nothing).items()})
    return rows.values_list(*(f"of_{column.name}" for column in QUANTITIES))


def _payer(value):
    """Of a transaction: the project's only funder; with several, nobody said who paid which sum."""
    funders = ProjectPartner.objects.filter(
        project=OuterRef("project"), partner__isnull=False, role=OrganisationRole.FUNDING
    ).exclude(project__only_in_transactions__contains="provider-org")  # each transaction names its own
    only = funders.order_by().values("project").annotate(funders=Count("partner", distinct=True)).filter(funders=1)
    return Subquery(only.values(found=Min(value, output_field=CharField())))
