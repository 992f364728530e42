"""The API of places and partners. Read only; the same filters as the pages."""

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers

from partners.filters import CountryFilter, PartnerFilter
from partners.models import Country, CountryGroup, Partner, Region
from partners.tables import COUNTRIES, GROUPS, PARTNERS, REGIONS
from ssc_portal.api_records import Names, Records


def described(what: str):
    """Summaries of the two operations of a record type."""
    return extend_schema_view(
        list=extend_schema(summary=f"List {what}", description=f"List {what}, a page at a time."),
        retrieve=extend_schema(summary=f"One of the {what}", description=f"One of the {what}, by its code."),
    )


class RegionSerializer(serializers.ModelSerializer):
    names = Names()
    parent = serializers.SlugRelatedField(
        slug_field="code", read_only=True, allow_null=True, help_text="M49 code of the region it is part of"
    )

    class Meta:
        model = Region
        fields = ["code", "names", "parent"]


class GroupSerializer(serializers.ModelSerializer):
    names = Names()
    members = serializers.SerializerMethodField(help_text="ISO 3166-1 alpha-3 codes of full members")

    class Meta:
        model = CountryGroup
        fields = ["code", "acronym", "names", "kind", "source", "as_of", "is_verified", "members"]

    def get_members(self, group) -> list[str]:
        return sorted(m.country.iso3 for m in group.members.all() if m.standing == "member")


class CountrySerializer(serializers.ModelSerializer):
    names = Names()
    region = serializers.SlugRelatedField(
        slug_field="code", read_only=True, allow_null=True, help_text="M49 code of its region"
    )
    groups = serializers.SerializerMethodField(help_text="Codes of the groups it is a full member of")
    url = serializers.SerializerMethodField(help_text="Its page")

    class Meta:
        model = Country
        fields = [
            "iso3",
            "iso2",
            "m49",
            "names",
            "formal_name",
            "region",
            "groups",
            "is_un_member",
            "latitude",
            "longitude",
            "url",
        ]

    def get_groups(self, country) -> list[str]:
        return sorted(m.group.code for m in country.memberships_in_groups.all() if m.standing == "member")

    def get_url(self, country) -> str:
        return self.context["request"].build_absolute_uri(country.get_absolute_url())


class PartnerSerializer(serializers.ModelSerializer):
    names = Names()
    country = serializers.SlugRelatedField(
        slug_field="iso3", read_only=True, allow_null=True, help_text="ISO 3166-1 alpha-3"
    )
    parent = serializers.SlugRelatedField(slug_field="slug", read_only=True, allow_null=True)
    member_countries = serializers.SlugRelatedField(
        slug_field="iso3", many=True, read_only=True, help_text="ISO 3166-1 alpha-3"
    )
    is_verified = serializers.SerializerMethodField()
    url = serializers.SerializerMethodField(help_text="Its page")

    class Meta:
        model = Partner
        fields = ["slug", "names", "acronym", "kind", "iati_identifier", "country", "member_countries", "parent", "website", "offers", "is_verified", "is_illustrative", "url"]  # fmt: skip

    def get_is_verified(self, partner) -> bool:
        return partner.verified_at is not None

    def get_url(self, partner) -> str:
        return self.context["request"].build_absolute_uri(partner.get_absolute_url())


@described("regions of UN M49")
class RegionViewSet(Records):
    queryset = Region.objects.select_related("parent")
    table = REGIONS
    serializer_class = RegionSerializer
    lookup_field = "code"
    lookup_value_regex = r"[0-9]{3}"


@described("groups of countries")
class GroupViewSet(Records):
    queryset = CountryGroup.objects.prefetch_related("members__country")
    table = GROUPS
    serializer_class = GroupSerializer
    lookup_field = "code"
    lookup_value_regex = r"[a-z0-9-]+"


@described("countries and areas")
class CountryViewSet(Records):
    queryset = Country.objects.select_related("region").prefetch_related("memberships_in_groups__group")
    table = COUNTRIES
    serializer_class = CountrySerializer
    filterset_class = CountryFilter
    lookup_field = "iso3"
    lookup_value_regex = r"[A-Z]{3}"


@described("partners")
class PartnerViewSet(Records):
    queryset = Partner.objects.select_related("country", "parent").prefetch_related("member_countries")
    table = PARTNERS
    serializer_class = PartnerSerializer
    filterset_class = PartnerFilter
    lookup_field = "slug"
    lookup_value_regex = r"[-a-zA-Z0-9_]+"
