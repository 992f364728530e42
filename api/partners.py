"""The API of places and partners. Read only; the same filters as the pages."""

from urllib.parse import quote

from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from rest_framework import serializers, viewsets
from rest_framework.reverse import reverse

from api.base import FollowedPages
from api.records import Answers, Names, Records
from partners.filters import ChangeFilter, CountryFilter, GroupFilter, PartnerFilter, RegionFilter
from partners.models import Change, Country, CountryGroup, Partner, Region
from partners.tables import COUNTRIES, GROUPS, PARTNERS, REGIONS


def described(what: str):
    """Summaries of the two operations of a record type."""
    return extend_schema_view(
        list=extend_schema(summary=f"List {what}", description=f"List {what}, a page at a time."),
        retrieve=extend_schema(summary=f"One of the {what}", description=f"One of the {what}, by its code."),
    )


class ProvenanceSerializer(serializers.Serializer):
    """Where a record came from and under which licence it may be used again: of imported records as stated for the import that
    wrote it last."""

    licence = serializers.CharField(
        help_text="Code of the SPDX License List, or the words of the source; `unknown`: nobody stated it"
    )
    licence_url = serializers.CharField(allow_blank=True, help_text="Where the words of the licence are")
    publisher = serializers.CharField(
        allow_blank=True, help_text="Who published the source; empty where entered here or not stated"
    )
    url = serializers.CharField(
        allow_blank=True, help_text="Address of the source; empty where entered here or not stated"
    )
    retrieved_on = serializers.DateField(allow_null=True, help_text="When it was taken from the source")


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
    provenance = ProvenanceSerializer(read_only=True)
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
            "provenance",
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
    provenance = ProvenanceSerializer(read_only=True)
    url = serializers.SerializerMethodField(help_text="Its page")

    class Meta:
        model = Partner
        fields = ["slug", "names", "acronym", "kind", "iati_identifier", "country", "member_countries", "parent", "website", "offers", "is_verified", "is_illustrative", "provenance", "url"]  # fmt: skip

    def get_is_verified(self, partner) -> bool:
        return partner.verified_at is not None

    def get_url(self, partner) -> str:
        return self.context["request"].build_absolute_uri(partner.get_absolute_url())


@described("regions of UN M49")
class RegionViewSet(Records):
    queryset = Region.objects.select_related("parent")
    table = REGIONS
    filterset_class = RegionFilter
    serializer_class = RegionSerializer
    lookup_field = "code"
    lookup_value_regex = r"[0-9]{3}"


@described("groups of countries")
class GroupViewSet(Records):
    queryset = CountryGroup.objects.prefetch_related("members__country")
    table = GROUPS
    filterset_class = GroupFilter
    serializer_class = GroupSerializer
    lookup_field = "code"
    lookup_value_regex = r"[a-z0-9-]+"


@described("countries and areas")
class CountryViewSet(Records):
    queryset = Country.objects.select_related("region", "import_run").prefetch_related("memberships_in_groups__group")
    table = COUNTRIES
    serializer_class = CountrySerializer
    filterset_class = CountryFilter
    lookup_field = "iso3"
    lookup_value_regex = r"[A-Z]{3}"


@described("partners")
class PartnerViewSet(Records):
    queryset = Partner.objects.select_related("country", "parent", "import_run").prefetch_related("member_countries")
    table = PARTNERS
    serializer_class = PartnerSerializer
    filterset_class = PartnerFilter
    lookup_field = "slug"
    lookup_value_regex = r"[-a-zA-Z0-9_]+"


# --- what changed in public --------------------------------------------------------------------------------------------
class ChangeSerializer(serializers.ModelSerializer):
    """One change of what everybody may read of a record."""

    gone = serializers.BooleanField(source="is_gone", help_text="It is public no more: remove it from a copy")
    merged_into = serializers.CharField(
        allow_blank=True, help_text="Where it is gone: reference of the record that it goes on as, or empty"
    )
    url = serializers.SerializerMethodField(help_text="Where the record is read as it is now; null where it is gone")

    class Meta:
        model = Change
        fields = ["sequence", "kind", "reference", "what", "gone", "merged_into", "at", "url"]
        extra_kwargs = {
            "sequence": {"help_text": "In the order in which changes became visible: no lower number appears later"},
            "kind": {"help_text": "Of the record: its list is that of this name"},
            "reference": {"help_text": "As in the address of the record"},
            "what": {
                "help_text": "The public move, such as publish; else added, changed, renamed, deleted. More may come"
            },
            "at": {"help_text": "When. Never earlier than that of a lower number"},
        }

    @extend_schema_field({"type": ["string", "null"], "format": "uri"})
    def get_url(self, change):
        if change.is_gone:
            return None
        # Not by the pattern of one record's address: no odd code may stop the whole feed.
        return (
            f"{reverse(f'api-{change.kind}-list', request=self.context['request'])}{quote(change.reference, safe=':')}/"
        )


class ChangeViewSet(Answers, viewsets.GenericViewSet):
    queryset = Change.objects.all()
    serializer_class = ChangeSerializer
    filterset_class = ChangeFilter
    pagination_class = FollowedPages

    @extend_schema(
        summary="What changed in public",
        description="Every change of what everybody may read of a record, in the order in which they became visible. Follow `next` "
        "to the end and keep `last`; later, go on with `after` = `last`. Changes after which the same record changed again may be "
        "left out after 30 days; what is gone stays.",
    )
    def list(self, request):
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)
