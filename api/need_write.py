"""The API of needs: begin, write, move, respond. Every rule is in drafting, actions and lifecycle; here JSON becomes their arguments."""

from django.db import transaction
from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import exceptions, serializers, status
from rest_framework.decorators import action
from rest_framework.response import Response as Answered

from api.need import (
    WITH_PLAN,
    ActivitySerializer,
    IndicatorSerializer,
    NeedDetailSerializer,
    NeedSerializer,
    PlanRoleSerializer,
)
from api.response import ResponseSerializer, ResponseWriteSerializer, SuggestionSerializer, answers_of
from api.standards import IATINeeds, IATIRecord
from api.writing import SEEN, SEEN_FIRST, DraftFields, LineFields, Writes
from ground.languages import language_of_contents
from partners.models import Country, Partner, with_last_change
from partners.rules import require
from projects import actions, agreement, drafting
from projects.choices import ConfirmedStep, Criterion
from projects.filters import NeedFilter
from projects.interchange.datasets import NEEDS
from projects.lifecycle.need import DRAFT_FIELDS
from projects.models import LineItem, Need, Offer, Response
from projects.models.need import AUDIENCE


class LineWriteSerializer(LineFields, serializers.ModelSerializer):
    """One line to be written. With its `id` it changes that line; lines that are left out go."""

    class Meta:
        model = LineItem
        fields = ["id", "text", "assistance", "quantity", "unit", "by_when", "note"]


class NeedWriteSerializer(DraftFields, serializers.ModelSerializer):
    """What may be written of a need. What its state does not let you write is refused (409, `state`)."""

    institution_partner = serializers.SlugRelatedField(
        slug_field="slug", queryset=Partner.objects.all(), required=False, allow_null=True
    )
    lines = LineWriteSerializer(many=True, required=False)

    class Meta:
        model = Need
        fields = sorted(DRAFT_FIELDS)
        extra_kwargs = {"title": {"required": False}}


class NeedBeginSerializer(NeedWriteSerializer):
    """A new draft: the country and the title, and whatever else is known."""

    country = serializers.SlugRelatedField(
        slug_field="iso3", queryset=Country.objects.all(), help_text="ISO 3166-1 alpha-3"
    )
    key = serializers.CharField(
        required=False,
        max_length=60,
        help_text="Like the header Idempotency-Key, but for good: sent twice, it is one need",
    )

    class Meta(NeedWriteSerializer.Meta):
        fields = ["country", "key", *NeedWriteSerializer.Meta.fields]
        extra_kwargs = {"title": {"required": True}}


class MoveSerializer(serializers.Serializer):
    """What a move takes: its note; further fields where the move needs them."""

    note = serializers.CharField(required=False, allow_blank=True, max_length=2000)
    outcome = serializers.CharField(required=False, max_length=8000, help_text="close, close_partly")
    rating = serializers.IntegerField(required=False, min_value=1, max_value=5, help_text="close, close_partly")
    lessons = serializers.CharField(required=False, max_length=8000, help_text="close, close_partly")
    merged_into = serializers.CharField(required=False, help_text="merge: reference of the other need")
    project = serializers.CharField(
        required=False, help_text="start: reference of a project that runs; without it one is made from the plan"
    )


class CriterionSerializer(serializers.Serializer):
    is_met = serializers.BooleanField()
    note = serializers.CharField(max_length=2000)


class ScreeningSerializer(serializers.Serializer):
    """The answers of the screening, by criterion, and a referral."""

    referral = serializers.CharField(required=False, allow_blank=True, max_length=2000)

    def get_fields(self):
        return {**super().get_fields(), **{c.value: CriterionSerializer(help_text=str(c.label)) for c in Criterion}}


class PlanSerializer(serializers.Serializer):
    """A plan: its words, a role for each that takes part, activities and indicators. What is left out stays."""

    plan = serializers.CharField(max_length=8000, required=False, allow_blank=True)
    roles = PlanRoleSerializer(many=True, required=False)
    activities = ActivitySerializer(many=True, required=False)
    indicators = IndicatorSerializer(many=True, required=False)


def plan_of(values: dict) -> dict:
    """As `agreement.write_plan` takes them."""

    def row_of(row: dict) -> dict:
        found = {name: value for name, value in row.items() if name not in ("country", "partner")}
        if "country" in row or "partner" in row or "role" in row:
            found |= {f"{name}_id": getattr(row.get(name), "pk", None) for name in ("country", "partner")}
        return found

    return {name: given if name == "plan" else [row_of(row) for row in given] for name, given in values.items()}


class NoteSerializer(serializers.Serializer):
    note = serializers.CharField(max_length=2000)


@extend_schema_view(
    list=extend_schema(
        summary="List needs", description="Needs that were ever open and pass the filters, a page at a time."
    ),
    retrieve=extend_schema(
        summary="One need", description="One need, by its reference; its restricted detail for those who may read it."
    ),
)
class NeedViewSet(Writes):
    serializer_class = NeedSerializer
    detail_serializer = NeedDetailSerializer
    filterset_class = NeedFilter
    table = NEEDS
    whole = NeedDetailSerializer
    private = (*AUDIENCE, *WITH_PLAN, "moves", "confirmations", "history")
    standards = {"list": [IATINeeds], "retrieve": [IATIRecord]}
    lookup_field = "reference"
    lookup_value_regex = r"N-[A-Z]{3}-[0-9]{4}-[0-9]{4,}"

    def get_queryset(self):
        needs = Need.objects.visible_to(self.request.user)
        if self.action == "list" and not self.expanded:
            return with_last_change(needs.for_listing())
        if self.action in ("list", "retrieve"):
            return with_last_change(needs.for_page())
        return needs.select_related("country")

    def get_serializer_class(self):
        return NeedSerializer if self.action == "list" else NeedDetailSerializer

    # -- writing
    @extend_schema(
        summary="Begin a need",
        request=NeedBeginSerializer,
        responses={201: NeedDetailSerializer, 200: NeedDetailSerializer},
    )
    @transaction.atomic
    def create(self, request):
        country = self.read_only(NeedBeginSerializer, "country")["country"]
        is_own = any(m.country_id == country.pk for m in request.user.active_memberships)
        need = Need(country=country, is_on_behalf=request.user.is_staff and not is_own)
        return self.begun(need, NeedBeginSerializer, "country", "title", "kind")

    @extend_schema(
        summary="Write a need", request=NeedWriteSerializer, responses={200: NeedDetailSerializer},
        parameters=[SEEN],
    )  # fmt: skip
    def partial_update(self, request, reference):
        need = self.get_object()
        require(request.user, "projects.change_need", need)
        values = dict(self.read(NeedWriteSerializer, instance=need, partial=True))
        drafting.save(need, values, by=request.user, version=self.version_seen(need))
        return self.shown(need)

    @extend_schema(
        summary="Move a need", parameters=[SEEN_FIRST], request=MoveSerializer, responses={200: NeedDetailSerializer}
    )
    @action(methods=["post"], detail=True, url_path=r"moves/(?P<move>[a-z_]+)")
    def moves(self, request, reference, move):
        return self.move(self.get_object(), move, MoveSerializer)

    @extend_schema(
        summary="Screen a need",
        parameters=[SEEN_FIRST],
        request=ScreeningSerializer,
        responses={200: NeedDetailSerializer},
    )
    @action(methods=["post"], detail=True)
    def screening(self, request, reference):
        need = self.get_object()
        require(request.user, "projects.screen_need", need)
        given = dict(self.read(ScreeningSerializer))
        referral = given.pop("referral", "")
        actions.screen(
            self.as_seen(need),
            {c: (a["is_met"], a["note"]) for c, a in given.items()},
            by=request.user,
            referral=referral,
        )
        return self.shown(need)

    @extend_schema(
        summary="Approve the public summary",
        parameters=[SEEN_FIRST],
        request=None,
        responses={200: NeedDetailSerializer},
    )
    @action(methods=["post"], detail=True, url_path="approve-summary")
    def approve_summary(self, request, reference):
        need = self.get_object()
        actions.approve_summary(self.as_seen(need), by=request.user)
        return self.shown(need)

    @extend_schema(
        summary="Write the plan", request=PlanSerializer, responses={200: NeedDetailSerializer}, parameters=[SEEN]
    )
    @action(methods=["put"], detail=True)
    def plan(self, request, reference):
        need = self.get_object()
        require(request.user, "projects.confirm_need", need)
        values = plan_of(self.read(PlanSerializer))
        agreement.write_plan(self.as_read(need), values, by=request.user)
        return self.shown(need)

    @extend_schema(
        summary="Confirm the plan or the delivery",
        parameters=[SEEN_FIRST],
        request=None,
        responses={200: NeedDetailSerializer},
    )
    @action(methods=["post"], detail=True, url_path=r"confirm/(?P<step>[a-z]+)")
    def confirm(self, request, reference, step):
        if step not in ConfirmedStep.values:
            raise Http404
        need = self.get_object()
        agreement.confirm(self.as_seen(need), step, by=request.user)
        return self.shown(need)

    @extend_schema(
        summary="Report progress",
        request=NoteSerializer,
        responses={200: NeedDetailSerializer},
        parameters=[SEEN_FIRST],
    )
    @action(methods=["post"], detail=True)
    def progress(self, request, reference):
        need = self.get_object()
        require(request.user, "projects.deliver_need", need)
        note = self.read(NoteSerializer)["note"]
        actions.report_progress(self.as_seen(need), note, by=request.user)
        return self.shown(need)

    @extend_schema(
        summary="Respond to a need",
        parameters=[SEEN_FIRST],
        request=ResponseWriteSerializer,
        responses={201: ResponseSerializer},
    )
    @action(methods=["post"], detail=True)
    def responses(self, request, reference):
        need = self.get_object()
        provider = self.read_only(ResponseWriteSerializer, "partner", "country")
        require(request.user, "projects.express_response", Response(need=need, **provider))
        given = dict(self.read(ResponseWriteSerializer))
        answers = answers_of(need, given.pop("answers"))
        key, content = given.pop("key", ""), self.mark_of_body(need.reference)
        response = Response(need=self.as_seen(need), **given)
        response = actions.respond(response, answers, by=request.user, key=key, content=content)
        return self._answered(response)

    @extend_schema(
        summary="Ask a provider to respond, for one of its offers",
        parameters=[SEEN_FIRST],
        request=SuggestionSerializer,
        responses={201: ResponseSerializer},
    )
    @action(methods=["post"], detail=True)
    def suggestions(self, request, reference):
        need = self.get_object()
        require(request.user, "projects.suggest_response", Response(need=need))
        given = dict(self.read(SuggestionSerializer))
        offer, answers = given["offer"], answers_of(need, given["answers"])
        if not Offer.objects.can_serve(need).filter(pk=offer.pk).exists():
            raise exceptions.ValidationError({"offer": [_("This country can't have this offer now.")]})
        asked = Response(need=need, offer=offer, partner=offer.partner, country=offer.country, text=given["text"])
        self.as_seen(need)
        return self._answered(actions.suggest(asked, answers, by=request.user))

    def _answered(self, response: Response) -> Answered:
        context = self.get_serializer_context()
        with language_of_contents():
            return Answered(ResponseSerializer(response, context=context).data, status=status.HTTP_201_CREATED)
