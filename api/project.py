"""What the API tells of terms and projects. Writing them is in project_write.py."""

import django_filters
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers

from api.partners import ProvenanceSerializer
from api.records import LastChange, Names, Records
from partners.filters import FollowedFilter
from partners.models import Country, Partner
from projects.choices import Vocabulary
from projects.interchange.datasets import TERMS
from projects.models import (
    Budget,
    Contribution,
    Document,
    Location,
    Project,
    ProjectCountry,
    ProjectPartner,
    ProjectRegion,
    ProjectTerm,
    ProjectTranslation,
    RecordCheck,
    RelatedProject,
    Result,
    Term,
    Transaction,
    Update,
)  # fmt: skip
from projects.models.record_check import checked


class TermFilter(FollowedFilter):
    vocabulary = django_filters.ChoiceFilter(choices=Vocabulary.choices, label=_("Vocabulary"))
    code = django_filters.CharFilter(max_length=40, label=_("Code"))

    class Meta:
        model = Term
        fields: list[str] = []


class TermSerializer(serializers.ModelSerializer):
    names = Names()
    parent = serializers.SerializerMethodField(help_text="vocabulary:code of the term it is part of")
    default_crs = serializers.SlugRelatedField(slug_field="code", read_only=True, allow_null=True)
    id = serializers.SerializerMethodField(help_text="vocabulary:code, as the filter `term` takes it")

    class Meta:
        model = Term
        fields = ["id", "vocabulary", "code", "names", "parent", "default_crs", "source", "is_verified", "is_withdrawn"]

    def get_id(self, term) -> str:
        return f"{term.vocabulary}:{term.code}"

    def get_parent(self, term) -> str | None:
        return f"{term.parent.vocabulary}:{term.parent.code}" if term.parent else None


class CountryInProject(serializers.ModelSerializer):
    country = serializers.SlugRelatedField(
        slug_field="iso3",
        read_only=True,
        allow_null=True,
        help_text="ISO 3166-1 alpha-3; null where not recognised yet",
    )

    class Meta:
        model = ProjectCountry
        fields = ["country", "role", "provider_order", "share", "note", "reported_code", "reported_name"]


class RegionInProject(serializers.ModelSerializer):
    region = serializers.SlugRelatedField(slug_field="code", read_only=True, allow_null=True)

    class Meta:
        model = ProjectRegion
        fields = ["region", "share", "reported_code", "reported_name"]


class PartnerInProject(serializers.ModelSerializer):
    partner = serializers.SlugRelatedField(slug_field="slug", read_only=True, allow_null=True)

    class Meta:
        model = ProjectPartner
        fields = ["partner", "role", "is_reporting", "reported_code", "reported_name"]


class TermInProject(serializers.ModelSerializer):
    term = serializers.SerializerMethodField(help_text="vocabulary:code; null where not recognised")

    class Meta:
        model = ProjectTerm
        fields = ["term", "share", "reported_vocabulary", "reported_code", "reported_name"]

    def get_term(self, link) -> str | None:
        return f"{link.term.vocabulary}:{link.term.code}" if link.term else None


class TranslationSerializer(serializers.ModelSerializer):
    class Meta:
        model = ProjectTranslation
        fields = ["language", "title", "summary", "description", "objectives", "lessons"]


class ContributionSerializer(serializers.ModelSerializer):
    country = serializers.SlugRelatedField(slug_field="iso3", read_only=True, allow_null=True)
    partner = serializers.SlugRelatedField(slug_field="slug", read_only=True, allow_null=True)

    class Meta:
        model = Contribution
        fields = [
            "country",
            "partner",
            "kind",
            "text",
            "quantity",
            "delivered",
            "unit",
            "women",
            "men",
            "amount",
            "spent",
            "currency",
        ]


class BudgetSerializer(serializers.ModelSerializer):
    class Meta:
        model = Budget
        fields = ["kind", "status", "starts_on", "ends_on", "amount", "currency", "valued_on"]


class TransactionSerializer(serializers.ModelSerializer):
    class Meta:
        model = Transaction
        fields = ["kind", "made_on", "valued_on", "amount", "currency", "text"]


class ResultSerializer(serializers.ModelSerializer):
    class Meta:
        model = Result
        fields = ["kind", "title", "indicator", "unit", "baseline", "baseline_year", "target", "target_on", "actual", "actual_on", "women", "men", "comment"]  # fmt: skip


class LocationSerializer(serializers.ModelSerializer):
    class Meta:
        model = Location
        fields = ["name", "latitude", "longitude"]


class DocumentSerializer(serializers.ModelSerializer):
    class Meta:
        model = Document
        fields = ["title", "url", "language", "published_on"]


class UpdateSerializer(serializers.ModelSerializer):
    class Meta:
        model = Update
        fields = ["made_on", "text"]


class RelatedSerializer(serializers.ModelSerializer):
    project = serializers.SerializerMethodField(help_text="Reference of the other project, where it is public")

    class Meta:
        model = RelatedProject
        fields = ["project", "relation", "reported_identifier"]

    def get_project(self, link) -> str | None:
        return link.other.reference if link.other and link.other.is_published else None


class CheckSerializer(serializers.ModelSerializer):
    """What a country or partner of a project says of its record."""

    country = serializers.SlugRelatedField(slug_field="iso3", read_only=True, allow_null=True)
    partner = serializers.SlugRelatedField(slug_field="slug", read_only=True, allow_null=True)

    class Meta:
        model = RecordCheck
        fields = ["country", "partner", "is_right", "text", "at"]


class CheckWriteSerializer(serializers.Serializer):
    """A word on a record, in the name of one's country or partner."""

    country = serializers.SlugRelatedField(
        slug_field="iso3", queryset=Country.objects.all(), required=False, allow_null=True
    )
    partner = serializers.SlugRelatedField(
        slug_field="slug", queryset=Partner.objects.all(), required=False, allow_null=True
    )
    is_right = serializers.BooleanField()
    text = serializers.CharField(required=False, allow_blank=True, max_length=2000, help_text="What is wrong")


class ProjectSerializer(serializers.ModelSerializer):
    """A project in a list."""

    countries = CountryInProject(source="country_links", many=True, read_only=True)
    themes = serializers.SerializerMethodField(help_text="Codes of thematic areas of the Bali Strategic Plan")
    confirmed = serializers.SerializerMethodField(help_text="By provider and recipient: both, one, none")
    modified_at = LastChange(help_text="When this answer last changed")
    only_in_transactions = serializers.ListField(
        source="elements_only_in_transactions", child=serializers.CharField(), read_only=True,
        help_text="Elements of IATI that the source names only for single transactions: an empty list here is then not “none reported”",
    )  # fmt: skip
    provenance = ProvenanceSerializer(read_only=True)
    url = serializers.SerializerMethodField(help_text="Its page")

    class Meta:
        model = Project
        fields = [
            "reference", "iati_identifier", "title", "summary", "language", "status", "instrument", "modality", "delivery_level",
            "planned_start", "planned_end", "actual_start", "actual_end", "countries", "themes", "only_in_transactions", "confirmed", "quality_score",
            "is_illustrative", "published_at", "modified_at", "provenance", "url",
        ]  # fmt: skip
        extra_kwargs = {
            "quality_score": {"help_text": "How complete the record is, 0 to 100; /data/quality/ says for what"}
        }

    def get_themes(self, project) -> list[str]:
        return [link.term.code for link in project.theme_links]

    def get_confirmed(self, project) -> str:
        return checked(project)

    def get_url(self, project) -> str:
        return self.context["request"].build_absolute_uri(project.get_absolute_url())


class ProjectDetailSerializer(ProjectSerializer):
    """Everything that is public of one project."""

    translations = TranslationSerializer(many=True, read_only=True)
    regions = RegionInProject(source="region_links", many=True, read_only=True)
    partners = PartnerInProject(source="partner_links", many=True, read_only=True)
    terms = TermInProject(source="term_links", many=True, read_only=True)
    contributions = ContributionSerializer(many=True, read_only=True)
    budgets = BudgetSerializer(many=True, read_only=True)
    transactions = TransactionSerializer(many=True, read_only=True)
    results = ResultSerializer(many=True, read_only=True)
    locations = LocationSerializer(many=True, read_only=True)
    documents = DocumentSerializer(many=True, read_only=True)
    updates = UpdateSerializer(many=True, read_only=True)
    related = RelatedSerializer(source="related_links", many=True, read_only=True)
    checks = CheckSerializer(many=True, read_only=True)
    needs = serializers.SerializerMethodField(help_text="References of the public needs that it carries out")
    parent = serializers.SerializerMethodField(
        help_text="Reference of the programme it is part of, where that is public"
    )

    class Meta:
        model = Project
        fields = [
            *ProjectSerializer.Meta.fields, "description", "objectives", "lessons", "default_currency", "source", "parent", "translations", "regions",
            "partners", "terms", "contributions", "budgets", "transactions", "results", "locations", "documents", "updates", "related",
            "checks", "needs",
        ]  # fmt: skip
        extra_kwargs = ProjectSerializer.Meta.extra_kwargs | {
            "default_currency": {
                "help_text": "ISO 4217: of amounts of this project that state none; empty where nobody said"
            }
        }

    def get_themes(self, project) -> list[str]:
        return [link.term.code for link in project.term_links.all() if link.term and link.term.is_theme]

    def get_needs(self, project) -> list[str]:
        return sorted(need.reference for need in project.needs.all() if need.is_published)

    def get_parent(self, project) -> str | None:
        return project.parent.reference if project.parent and project.parent.is_published else None


@extend_schema_view(
    list=extend_schema(summary="List terms", description="Terms of every vocabulary, a page at a time."),
    retrieve=extend_schema(summary="One term", description="One term, by vocabulary:code."),
)
class TermViewSet(Records):
    queryset = Term.objects.select_related("parent", "default_crs")
    table = TERMS
    serializer_class = TermSerializer
    filterset_class = TermFilter
    lookup_value_regex = r"[a-z-]+:[A-Za-z0-9.-]+"
    lookup_field = "id"

    def get_object(self):
        vocabulary, code = self.kwargs["id"].split(":", 1)
        return get_object_or_404(self.get_queryset(), vocabulary=vocabulary, code=code)
