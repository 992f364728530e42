"""The API of projects: reading, entering, writing, moving, confirming. The rules are in recording, actions and lifecycle."""

from django.http import Http404, HttpResponsePermanentRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import permissions, serializers, status
from rest_framework.decorators import action
from rest_framework.response import Response as Answered

from api.project import (
    BudgetSerializer,
    CheckSerializer,
    CheckWriteSerializer,
    ContributionSerializer,
    CountryInProject,
    DocumentSerializer,
    LocationSerializer,
    PartnerInProject,
    ProjectDetailSerializer,
    ProjectSerializer,
    RegionInProject,
    ResultSerializer,
    TransactionSerializer,
    TranslationSerializer,
    UpdateSerializer,
)
from api.standards import IATI, IATIRecord
from api.writing import SEEN, SEEN_FIRST, NoteMoveSerializer, WholeRow, Writes, terms_by_code
from ground.languages import language_of_contents
from partners.models import Country, Partner, Region, with_last_change
from partners.rules import require
from projects import actions, duplicates, recording
from projects.choices import State
from projects.filters import ProjectFilter
from projects.interchange.datasets import PROJECTS
from projects.models import Project, ProjectTerm, RecordCheck, RelatedProject
from projects.models.parts import ROUNDING


def _one(model, slug: str, *, required=False, **kwargs):
    """A field that takes the code of a record."""
    return serializers.SlugRelatedField(
        slug_field=slug, queryset=model.objects.all(), required=required, allow_null=not required, **kwargs
    )


SHARE = {"share": {"max_value": 100 + ROUNDING}}  # what only rounding brought above 100 becomes 100, as from IATI


class CountryWrite(WholeRow, CountryInProject):
    country = _one(Country, "iso3", required=True)

    class Meta(CountryInProject.Meta):
        fields = ["country", "role", "provider_order", "share", "note"]
        extra_kwargs = SHARE


class RegionWrite(WholeRow, RegionInProject):
    region = _one(Region, "code", required=True)

    class Meta(RegionInProject.Meta):
        fields = ["region", "share"]
        extra_kwargs = SHARE


class PartnerWrite(WholeRow, PartnerInProject):
    partner = _one(Partner, "slug", required=True)

    class Meta(PartnerInProject.Meta):
        fields = ["partner", "role", "is_reporting"]


class TermWrite(WholeRow):
    term = serializers.CharField(max_length=80, help_text="vocabulary:code, such as bsp-theme:air")

    class Meta:
        model = ProjectTerm
        fields = ["term", "share"]
        extra_kwargs = SHARE


class ContributionWrite(WholeRow, ContributionSerializer):
    country = _one(Country, "iso3")
    partner = _one(Partner, "slug")


class TranslationWrite(WholeRow, TranslationSerializer):
    pass


class BudgetWrite(WholeRow, BudgetSerializer):
    pass


class TransactionWrite(WholeRow, TransactionSerializer):
    pass


class ResultWrite(WholeRow, ResultSerializer):
    pass


class LocationWrite(WholeRow, LocationSerializer):
    pass


class DocumentWrite(WholeRow, DocumentSerializer):
    pass


class UpdateWrite(WholeRow, UpdateSerializer):
    pass


class RelatedWrite(WholeRow):
    project = _one(Project, "reference", required=True, source="other")

    class Meta:
        model = RelatedProject
        fields = ["project", "relation"]


class ProjectWriteSerializer(serializers.ModelSerializer):
    """What may be written of a project. A list of rows stands for all of them: what is left out of it goes. So does a row for all
    that it says: what is left out of it is empty or has its default."""

    parent = _one(Project, "reference")
    countries = CountryWrite(many=True, required=False)
    regions = RegionWrite(many=True, required=False)
    partners = PartnerWrite(many=True, required=False)
    terms = TermWrite(many=True, required=False)
    translations = TranslationWrite(many=True, required=False)
    contributions = ContributionWrite(many=True, required=False)
    results = ResultWrite(many=True, required=False)
    budgets = BudgetWrite(many=True, required=False)
    transactions = TransactionWrite(many=True, required=False)
    locations = LocationWrite(many=True, required=False)
    documents = DocumentWrite(many=True, required=False)
    related = RelatedWrite(many=True, required=False)
    updates = UpdateWrite(many=True, required=False)

    class Meta:
        model = Project
        fields = [*recording.FIELDS, *recording.ROWS]

    def validate_terms(self, given: list[dict]) -> list[dict]:
        known = terms_by_code() if given else {}
        if wrong := [row["term"] for row in given if row["term"] not in known]:
            raise serializers.ValidationError(
                [_("There is no term “%(code)s”.") % {"code": code} for code in wrong[:5]]
            )
        return [{**row, "term": known[row["term"]]} for row in given]


@extend_schema_view(
    list=extend_schema(
        summary="List projects", description="Published projects that pass the filters, a page at a time."
    ),
    retrieve=extend_schema(summary="One project", description="One published project, by its reference."),
)
class ProjectViewSet(Writes):
    serializer_class = ProjectSerializer
    detail_serializer = ProjectDetailSerializer
    filterset_class = ProjectFilter
    table = PROJECTS
    whole = ProjectDetailSerializer
    standards = {"list": [IATI], "retrieve": [IATIRecord]}
    lookup_field = "reference"
    lookup_value_regex = r"P-[0-9]{4}-[0-9]{4,}"

    def get_queryset(self):
        projects = Project.objects.visible_to(self.request.user)
        if self.action == "retrieve":
            projects = projects.exclude(state=State.MERGED)  # its address leads to the record that stays, for staff too
        if self.action == "retrieve" or (self.action == "list" and self.expanded):
            return with_last_change(projects.for_page()).prefetch_related("related_links__other")
        return with_last_change(projects.for_listing())

    def get_serializer_class(self):
        return ProjectSerializer if self.action == "list" else ProjectDetailSerializer

    def retrieve(self, request, *args, **kwargs):
        try:
            return super().retrieve(request, *args, **kwargs)
        except Http404:
            if other := duplicates.successor(kwargs["reference"], request.user):
                return HttpResponsePermanentRedirect(reverse("api-project-detail", args=[other.reference]))
            raise

    @extend_schema(
        summary="Enter a project", request=ProjectWriteSerializer, responses={201: ProjectDetailSerializer},
        description="A draft, for UNEP staff; publishing it is a move of its own.",
    )  # fmt: skip
    def create(self, request):
        require(request.user, "projects.add_project")
        project = recording.enter(dict(self.read(ProjectWriteSerializer)), by=request.user)
        return self.shown(project, status.HTTP_201_CREATED)

    @extend_schema(
        summary="Write a project", request=ProjectWriteSerializer, responses={200: ProjectDetailSerializer},
        parameters=[SEEN],
        description="Fields and lists that are left out stay as they are. A list that is sent stands for all of its rows, and each row for "
        "all that it says: what is left out of it is empty or has its default.",
    )  # fmt: skip
    def partial_update(self, request, reference):
        project = self.get_object()
        require(request.user, "projects.change_project", project)
        values = self.read(ProjectWriteSerializer, partial=True)
        seen = self.version_seen(project)  # what is wrong in itself is said first (RFC 9110, 13.2.1)
        return self.shown(recording.change(project, dict(values), by=request.user, seen=seen))

    @extend_schema(
        summary="Move a project",
        parameters=[SEEN_FIRST],
        request=NoteMoveSerializer,
        responses={200: ProjectDetailSerializer},
    )
    @action(methods=["post"], detail=True, url_path=r"moves/(?P<move>[a-z_]+)")
    def moves(self, request, reference, move):
        return self.move(self.get_object(), move, NoteMoveSerializer)

    @extend_schema(
        summary="Confirm or dispute a record",
        parameters=[SEEN_FIRST],
        request=CheckWriteSerializer,
        responses={200: CheckSerializer},
    )
    @action(methods=["post"], detail=True, permission_classes=[permissions.IsAuthenticated])
    def check(self, request, reference):
        project = self.get_object()
        require(request.user, "projects.check_project", project)
        given = self.read(CheckWriteSerializer)
        kept = actions.check_record(RecordCheck(project=self.as_seen(project), **given), by=request.user)
        with language_of_contents():
            return Answered(CheckSerializer(kept).data)
