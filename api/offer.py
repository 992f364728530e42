"""The API of offers: read, begin, write, move. Who reads which field is declared in models/offer.py; the rules are in drafting
and lifecycle."""

from django.db import transaction
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action

from api.need import HappenedSerializer
from api.partners import ProvenanceSerializer
from api.records import LastChange
from api.writing import SEEN, SEEN_FIRST, DraftFields, LineFields, NoteMoveSerializer, Writes
from partners.models import Country, CountryGroup, Partner, Region, with_last_change
from partners.rules import require
from projects import drafting
from projects.filters import OfferFilter
from projects.interchange.datasets import OFFERS
from projects.lifecycle.offer import DRAFT_FIELDS
from projects.models import Offer, OfferLine, Project
from projects.models.offer import AUDIENCE
from projects.timeline import offer_timeline


class OfferLineSerializer(serializers.ModelSerializer):
    """One kind of help that is offered, in its own unit."""

    assistance = serializers.CharField(
        source="assistance.code", default=None, allow_null=True, help_text="Code of the kind of help"
    )

    class Meta:
        model = OfferLine
        fields = ["id", "text", "assistance", "cost", "quantity", "unit", "note"]


class OfferSerializer(serializers.ModelSerializer):
    """An offer in a list."""

    partner = serializers.CharField(
        source="partner.slug", default=None, allow_null=True, help_text="Slug, where a partner offers"
    )
    country = serializers.CharField(
        source="country.iso3", default=None, allow_null=True, help_text="ISO 3166-1, where a country offers"
    )
    themes = serializers.SerializerMethodField(help_text="Codes of thematic areas of the Bali Strategic Plan")
    modified_at = LastChange(help_text="When this answer last changed")
    provenance = ProvenanceSerializer(read_only=True)
    url = serializers.SerializerMethodField(help_text="Its page")

    class Meta:
        model = Offer
        fields = [
            "reference", "kind", "partner", "country", "title", "language", "summary", "state", "state_since", "expires_on",
            "deadline", "themes", "is_illustrative", "published_at", "modified_at", "provenance", "url",
        ]  # fmt: skip

    def get_themes(self, offer) -> list[str]:
        return [link.term.code for link in offer.theme_links]

    def get_url(self, offer) -> str:
        return self.context["request"].build_absolute_uri(offer.get_absolute_url())


class OfferDetailSerializer(OfferSerializer):
    """One offer: what is public for everybody, the rest for those who may read it."""

    lines = OfferLineSerializer(many=True)
    terms = serializers.SerializerMethodField(help_text="As vocabulary:code")
    eligible = serializers.SerializerMethodField(
        help_text="Who can have it: ISO 3166-1 codes, codes of groups, UN M49 codes of regions; empty for all"
    )
    history = serializers.SerializerMethodField()
    project = serializers.SerializerMethodField(
        help_text="Reference of the project it comes from, where that is public"
    )

    class Meta:
        model = Offer
        fields = [
            *OfferSerializer.Meta.fields, "description", "languages", "available_from", "available_until", "how_to_apply", "website",
            "maturity", "past_cooperation", "evidence", "project", "eligible", "terms", "lines", "history", *AUDIENCE,
        ]  # fmt: skip

    def to_representation(self, offer):
        found = super().to_representation(offer)
        if not found.keys() & set(AUDIENCE):
            return found
        readable = offer.readable_by(self.context["request"].user)
        return {name: value for name, value in found.items() if name not in AUDIENCE or name in readable}

    def get_themes(self, offer) -> list[str]:
        return [term.code for term in offer.terms_of("bsp-theme")]

    def get_terms(self, offer) -> list[str]:
        return [f"{link.term.vocabulary}:{link.term.code}" for link in offer.term_links.all()]

    def get_eligible(self, offer) -> list[str]:
        return [getattr(row.place, "iso3", None) or row.place.code for row in offer.eligible.all()]

    def get_project(self, offer) -> str | None:
        return offer.project.reference if offer.project and offer.project.is_published else None

    @extend_schema_field(HappenedSerializer(many=True))
    def get_history(self, offer):
        return HappenedSerializer(offer_timeline(offer, self.context["request"].user, html=False), many=True).data


class OfferLineWriteSerializer(LineFields, serializers.ModelSerializer):
    """One line to be written. With its `id` it changes that line; lines that are left out go."""

    class Meta:
        model = OfferLine
        fields = ["id", "text", "assistance", "cost", "quantity", "unit", "note"]


class OfferWriteSerializer(DraftFields, serializers.ModelSerializer):
    """What may be written of an offer. What its state does not let you write is refused (409, `state`)."""

    lines = OfferLineWriteSerializer(many=True, required=False)
    project = serializers.SlugRelatedField(
        slug_field="reference", queryset=Project.objects.published(), required=False, allow_null=True
    )
    eligible = serializers.ListField(
        child=serializers.CharField(max_length=30),
        required=False,
        help_text="Who can have it: ISO 3166-1 codes, codes of groups, UN M49 codes of regions; empty for all",
    )

    class Meta:
        model = Offer
        fields = sorted(DRAFT_FIELDS)
        extra_kwargs = {"title": {"required": False}}

    def validate_eligible(self, given: list[str]) -> list[str]:
        known = {country.iso3: f"country:{country.pk}" for country in Country.objects.filter(iso3__in=given)}
        known |= {group.code: f"group:{group.pk}" for group in CountryGroup.objects.filter(code__in=given)}
        known |= {region.code: f"region:{region.pk}" for region in Region.objects.filter(code__in=given)}
        if wrong := [code for code in given if code not in known]:
            raise serializers.ValidationError(
                [_("There is no country, group or region “%(code)s”.") % {"code": code} for code in wrong[:5]]
            )
        return [known[code] for code in dict.fromkeys(given)]


class OfferBeginSerializer(OfferWriteSerializer):
    """A new draft: in whose name, what kind, the title, and whatever else is known."""

    partner = serializers.SlugRelatedField(slug_field="slug", queryset=Partner.objects.all(), required=False)
    country = serializers.SlugRelatedField(slug_field="iso3", queryset=Country.objects.all(), required=False)
    key = serializers.CharField(
        required=False,
        max_length=60,
        help_text="Like the header Idempotency-Key, but for good: sent twice, it is one offer",
    )

    class Meta(OfferWriteSerializer.Meta):
        fields = ["partner", "country", "key", *OfferWriteSerializer.Meta.fields]
        extra_kwargs = {"title": {"required": True}}

    def validate(self, values):
        if ("partner" in values) == ("country" in values):
            raise serializers.ValidationError({"partner": [_("An offer comes from a partner or from a country.")]})
        return values


@extend_schema_view(
    list=extend_schema(
        summary="List offers", description="Offers that are active or paused and pass the filters, a page at a time."
    ),
    retrieve=extend_schema(
        summary="One offer", description="One offer, by its reference; what is private for those who may read it."
    ),
)
class OfferViewSet(Writes):
    serializer_class = OfferSerializer
    detail_serializer = OfferDetailSerializer
    filterset_class = OfferFilter
    table = OFFERS
    whole = OfferDetailSerializer
    private = (*AUDIENCE, "history")
    lookup_field = "reference"
    lookup_value_regex = r"O-[0-9]{4}-[0-9]{4,}"

    def get_queryset(self):
        offers = Offer.objects.visible_to(self.request.user)
        if self.action == "list" and not self.expanded:
            return with_last_change(offers.for_listing())
        if self.action in ("list", "retrieve"):
            return with_last_change(offers.for_page())
        return offers.select_related("country", "partner")

    def get_serializer_class(self):
        return OfferSerializer if self.action == "list" else OfferDetailSerializer

    @extend_schema(
        summary="Begin an offer",
        request=OfferBeginSerializer,
        responses={201: OfferDetailSerializer, 200: OfferDetailSerializer},
    )
    @transaction.atomic
    def create(self, request):
        offer = Offer(**self.read_only(OfferBeginSerializer, "partner", "country"))
        places = {(m.partner_id, m.country_id) for m in request.user.active_memberships}
        offer.is_on_behalf = request.user.is_staff and (offer.partner_id, offer.country_id) not in places
        return self.begun(offer, OfferBeginSerializer, "partner", "country", "title", "kind")

    @extend_schema(
        summary="Write an offer",
        request=OfferWriteSerializer,
        responses={200: OfferDetailSerializer},
        parameters=[SEEN],
    )
    def partial_update(self, request, reference):
        offer = self.get_object()
        require(request.user, "projects.change_offer", offer)
        values = dict(self.read(OfferWriteSerializer, instance=offer, partial=True))
        drafting.save(offer, values, by=request.user, version=self.version_seen(offer))
        return self.shown(offer)

    @extend_schema(
        summary="Move an offer",
        parameters=[SEEN_FIRST],
        request=NoteMoveSerializer,
        responses={200: OfferDetailSerializer},
    )
    @action(methods=["post"], detail=True, url_path=r"moves/(?P<move>[a-z_]+)")
    def moves(self, request, reference, move):
        return self.move(self.get_object(), move, NoteMoveSerializer)
