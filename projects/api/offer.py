"""The API of offers: what is read. Who reads which field is declared in models/offer.py."""

from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from rest_framework import serializers

from projects.api.need import HappenedSerializer
from projects.filters import OfferFilter
from projects.models import Offer, OfferLine
from projects.models.offer import AUDIENCE
from projects.timeline import offer_timeline
from ssc_portal.api_records import Records


class OfferLineSerializer(serializers.ModelSerializer):
    """One kind of help that is offered, in its own unit."""

    assistance = serializers.CharField(source="assistance.code", default=None, help_text="Code of the kind of help")

    class Meta:
        model = OfferLine
        fields = ["text", "assistance", "cost", "quantity", "unit", "note"]


class OfferSerializer(serializers.ModelSerializer):
    """An offer in a list."""

    partner = serializers.CharField(source="partner.slug", default=None, help_text="Slug, where a partner offers")
    country = serializers.CharField(source="country.iso3", default=None, help_text="ISO 3166-1, where a country offers")
    themes = serializers.SerializerMethodField(help_text="Codes of thematic areas of the Bali Strategic Plan")
    url = serializers.SerializerMethodField(help_text="Its page")

    class Meta:
        model = Offer
        fields = [
            "reference", "kind", "partner", "country", "title", "language", "summary", "state", "state_since", "expires_on",
            "deadline", "themes", "is_illustrative", "published_at", "modified_at", "url",
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
        return HappenedSerializer(offer_timeline(offer, self.context["request"].user), many=True).data


@extend_schema_view(
    list=extend_schema(summary="List offers", description="Offers that can be had and pass the filters, a page at a time."),
    retrieve=extend_schema(summary="One offer", description="One offer, by its reference; what is private for those who may read it."),
)  # fmt: skip
class OfferViewSet(Records):
    serializer_class = OfferSerializer
    filterset_class = OfferFilter
    lookup_field = "reference"
    lookup_value_regex = r"O-[0-9]{4}-[0-9]{4,}"

    def get_queryset(self):
        offers = Offer.objects.visible_to(self.request.user)
        return offers.for_listing() if self.action == "list" else offers.for_page()

    def get_serializer_class(self):
        return OfferSerializer if self.action == "list" else OfferDetailSerializer
