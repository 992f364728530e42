"""Tables of projects: what belongs to one stands in cells with several entries, what each side brings in lines."""

from django.utils.translation import gettext_lazy
from import_export import fields

from partners.models import Country, Partner
from projects import recording
from projects.choices import (
    ContributionKind,
    CountryRole,
    OrganisationRole,
    ProviderOrder,
    Unit,
)
from projects.interchange.bulk.cells import Cell, Choice, Number, Record, Several, Share, Tie, Whole
from projects.interchange.bulk.lines import Entries, LineColumn, Lines
from projects.interchange.bulk.resources import TableResource
from projects.models import Contribution, Project, Term


class ContributionLines(Lines):
    """What each brings: by a country (ISO 3) or a partner (its address)."""

    def values_of(self, name, value):
        if name == "contribution_by":
            return {kind.__name__.lower(): value if isinstance(value, kind) else None for kind in (Country, Partner)}
        return {} if name == "contribution_kind" and not value else super().values_of(name, value)

    def render(self, value, obj=None, **kwargs):
        return super().render([{**line, "by": line["country"] or line["partner"]} for line in value or []])


def _places():
    return [*Country.objects.order_by("iso3"), *Partner.objects.order_by("slug")]


def _code_of_place(place: Country | Partner) -> str:
    return place.iso3 if isinstance(place, Country) else place.slug


CONTRIBUTION = {
    "contribution": LineColumn("text", Cell()),
    "contribution_by": LineColumn("by", Record(_places, _code_of_place)),
    "contribution_kind": LineColumn("kind", Choice(ContributionKind.choices)),
    "quantity": LineColumn("quantity", Number()),
    "delivered": LineColumn("delivered", Number()),
    "unit": LineColumn("unit", Choice(Unit.choices, null=True)),
    "women": LineColumn("women", Whole()),
    "men": LineColumn("men", Whole()),
    "amount": LineColumn("amount", Number()),
    "spent": LineColumn("spent", Number()),
    "currency": LineColumn("currency", Cell(null=True)),
}


def _ties(column: str, *names: str):
    """What the links of a project say, as `recording` takes it; what an import kept as reported stays aside."""
    manager = recording.ROWS[column].manager

    def stored(project: Project) -> list[dict]:
        links = getattr(project, manager).select_related(names[0]).order_by("pk")
        return [{name: getattr(link, name) for name in names} for link in links if link.is_resolved]

    return stored


def _contributions(project: Project) -> list[dict]:
    rows = project.contributions.select_related("country", "partner").order_by("pk")
    names = [column.field for column in CONTRIBUTION.values() if column.field != "by"]
    return [{name: getattr(row, name) for name in ("country", "partner", *names)} for row in rows]


def terms_in_use():
    return Term.objects.in_use().order_by("vocabulary", "position", "pk")


def code_of_term(term: Term) -> str:
    return f"{term.vocabulary}:{term.code}"


class ProjectResource(TableResource):
    """Projects, by reference or IATI identifier; a row with neither is a new draft."""

    known_by, only_present, required = ("reference", "iati_identifier"), ("reference",), ("title",)
    line_column, line_model, permission = "contributions", Contribution, "projects.import_projects"
    texts = {
        "reference": gettext_lazy("Of a project that is here already; empty for a new one"),
        "countries": gettext_lazy(
            "ISO 3166-1 alpha-3:role:order of the provider, such as KEN:provider:1; without a role it receives"
        ),
        "partners": gettext_lazy("Address:role in IATI, such as undp:1; without a role it implements"),
        "terms": gettext_lazy("Vocabulary:code:share in per cent, such as bsp-theme:air or sdg:13:50"),
        "contribution_by": gettext_lazy("Who brings it: a country (ISO 3166-1 alpha-3) or a partner (its address)"),
    }

    reference = fields.Field("reference", "reference", Cell(), readonly=True)
    countries = Entries(
        "countries", _ties("countries", "country", "role", "provider_order"),
        Several(
            Tie("country", lambda: Country.objects.order_by("iso3"), lambda country: country.iso3,
                {"role": Choice(CountryRole.choices), "provider_order": Choice(ProviderOrder.choices, null=True)},
                role=CountryRole.RECIPIENT)
        ),
    )  # fmt: skip
    partners = Entries(
        "partners", _ties("partners", "partner", "role"),
        Several(
            Tie("partner", lambda: Partner.objects.order_by("slug"), lambda partner: partner.slug,
                {"role": Choice(OrganisationRole.choices)}, role=OrganisationRole.IMPLEMENTING)
        ),
    )  # fmt: skip
    terms = Entries(
        "terms", _ties("terms", "term", "share"), Several(Tie("term", terms_in_use, code_of_term, {"share": Share()}))
    )
    contributions = Entries("contributions", _contributions, ContributionLines(CONTRIBUTION))

    class Meta:
        model = Project
        fields = [
            "reference", "iati_identifier", "title", "language", "summary", "description", "objectives", "lessons", "status",
            "instrument", "modality", "delivery_level", "planned_start", "planned_end", "actual_start", "actual_end", "parent",
            "default_currency", "countries", "partners", "terms", "contributions",
        ]  # fmt: skip

    def records(self):
        return Project.objects.visible_to(self.by)

    def write(self, record, values, is_new):
        if is_new:
            return recording.enter(values, by=self.by)
        return recording.change(record, values, by=self.by)
