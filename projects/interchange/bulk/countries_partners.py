"""Tables of countries and of partners."""

from django.utils.translation import gettext_lazy

from partners.choices import Standing
from partners.models import Country, CountryGroup, GroupMember, Partner, PartnerCountry
from partners.rules import require
from projects.interchange.bulk.cells import Record, Several
from projects.interchange.bulk.lines import Entries
from projects.interchange.bulk.resources import NAMES, TableResource


class CountryResource(TableResource):
    """Countries, by ISO 3166-1 alpha-3; `groups` are those that it is a full member of."""

    known_by, required, named_by = ("iso3",), ("iso3", "iso2", "m49", "name_en"), "name_en"
    permission = "partners.change_country"
    texts = {"iso2": gettext_lazy("ISO 3166-1 alpha-2"), "iso3": "ISO 3166-1 alpha-3"}

    groups = Entries(
        "groups",
        lambda country: list(
            CountryGroup.objects.filter(members__country=country, members__standing=Standing.MEMBER).order_by("code")
        ),
        Several(Record(lambda: CountryGroup.objects.order_by("code"), lambda group: group.code)),
    )

    class Meta:
        model = Country
        fields = [
            "iso3", "iso2", "m49", *NAMES, "formal_name", "aliases", "region", "is_un_member", "latitude", "longitude", "groups",
        ]  # fmt: skip

    def write(self, record, values, is_new):
        require(self.by, f"partners.{'add' if is_new else 'change'}_country", None if is_new else record)
        record.full_clean()
        record.save()
        if "groups" in values:
            full = GroupMember.objects.filter(country=record, standing=Standing.MEMBER)
            full.exclude(group__in=values["groups"]).delete()
            for group in values["groups"]:
                GroupMember.objects.update_or_create(
                    country=record, group=group, defaults={"standing": Standing.MEMBER}
                )
        return record


class PartnerResource(TableResource):
    """Partners, by their address."""

    known_by, required, named_by = ("slug",), ("slug", "name_en", "kind"), "name_en"
    permission = "partners.change_partner"

    member_countries = Entries(
        "member_countries",
        lambda partner: list(partner.member_countries.order_by("iso3")),
        Several(Record(lambda: Country.objects.order_by("iso3"), lambda country: country.iso3)),
    )

    class Meta:
        model = Partner
        fields = [
            "slug", *NAMES, "acronym", "kind", "iati_identifier", "country", "member_countries", "parent", "website", "offers",
            "is_illustrative",
        ]  # fmt: skip

    def write(self, record, values, is_new):
        require(self.by, f"partners.{'add' if is_new else 'change'}_partner", None if is_new else record)
        if is_new:
            record.is_from_import = True  # waits in the queue of those that nobody has verified
        record.full_clean()
        record.save()
        if "member_countries" in values:
            ties = PartnerCountry.objects.filter(partner=record)
            ties.exclude(country__in=values["member_countries"]).delete()
            for country in values["member_countries"]:
                ties.get_or_create(partner=record, country=country)
        return record
