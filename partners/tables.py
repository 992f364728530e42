"""Countries, partners and their vocabularies as tables."""

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import CharField, OuterRef, Value
from django.db.models.functions import Cast, Concat

from ground.tables import Column, Table, page
from partners.choices import Standing
from partners.models import Country, CountryGroup, GroupMember, Partner, PartnerCountry, Region, Traceable
from partners.models.provenance import licence_in, licence_url_in

LANGUAGES = ("ar", "zh_hans", "en", "fr", "ru", "es")


def names(prefix: str = "name") -> list[Column]:
    """A name in each language that it is kept in."""
    return [
        Column(f"name_{code.replace('_', '-')}", f"{prefix}_{code}", f"Name in the language {code.replace('_', '-')}")
        for code in LANGUAGES
    ]


def point(latitude: str, longitude: str):
    """A place as the text "longitude latitude"; null where either is."""
    return Concat(Cast(longitude, CharField()), Value(" "), Cast(latitude, CharField()))


def provenance(model: type[Traceable], at: str = "") -> list[Column]:
    """Where a record came from and its licence, the same in every table; `at`: the path to the record."""
    run = f"{at}import_run"
    return [
        Column(
            "licence", licence_in(model, at),
            "Under which it may be used again: a code of the SPDX License List, or the words of the source; unknown: nobody stated it",
        ),
        Column("licence_url", licence_url_in(model, at), "Where the words of the licence are"),
        Column("source_publisher", f"{run}__publisher", "Of what was imported: who published the source; empty where not stated"),
        Column("source_url", f"{run}__source_url", "Of what was imported: address of the source; empty where not stated"),
        Column(
            "source_retrieved_on", f"{run}__retrieved_on",
            "Of what was imported: when it was taken from the source; empty where not stated", "date",
        ),
    ]  # fmt: skip


COUNTRIES = Table(
    "countries",
    "Countries and areas",
    [
        Column("iso3", "iso3", "ISO 3166-1 alpha-3"),
        Column("iso2", "iso2", "ISO 3166-1 alpha-2"),
        Column("m49", "m49", "UN M49 code"),
        *names(),
        Column("formal_name", "formal_name", "Formal name"),
        Column("region", "region__code", "UN M49 code of its region"),
        Column(
            "groups",
            ArraySubquery(
                GroupMember.objects.filter(country=OuterRef("pk"), standing=Standing.MEMBER)
                .order_by("group__code")
                .values("group__code")
            ),
            "Codes of the groups it is a full member of",
            "list",
        ),
        Column("is_un_member", "is_un_member", "Member of the United Nations", "boolean"),
        Column("latitude", "latitude", "Of a point inside it, WGS 84", "number"),
        Column("longitude", "longitude", "Of a point inside it, WGS 84", "number"),
        *provenance(Country),
        Column("url", page("/countries/", "iso3"), "Its page"),
    ],
    places=ArraySubquery(
        Country.objects.filter(pk=OuterRef("pk"), latitude__isnull=False).values(place=point("latitude", "longitude"))
    ),
    ordering=("iso3",),
)

REGIONS = Table(
    "regions",
    "Regions of UN M49",
    [
        Column("code", "code", "UN M49 code"),
        *names(),
        Column("parent", "parent__code", "Code of the region it is part of"),
    ],
    ordering=("code",),
)

GROUPS = Table(
    "groups",
    "Groups of countries",
    [
        Column("code", "code", "Code in the portal"),
        Column("acronym", "acronym", "Acronym"),
        *names(),
        Column("kind", "kind", "Kind of group"),
        Column(
            "members",
            ArraySubquery(
                GroupMember.objects.filter(group=OuterRef("pk"), standing=Standing.MEMBER)
                .order_by("country__iso3")
                .values("country__iso3")
            ),
            "ISO 3166-1 alpha-3 codes of full members",
            "list",
        ),
        Column("source", "source", "Where the list of members comes from"),
        Column("as_of", "as_of", "Date of that list", "date"),
    ],
    ordering=("code",),
)

PARTNERS = Table(
    "partners",
    "Partners",
    [
        Column("slug", "slug", "Its code in the portal"),
        *names(),
        Column("acronym", "acronym", "Acronym"),
        Column("kind", "kind", "IATI organisation type; forum for a regional forum"),
        Column("iati_identifier", "iati_identifier", "Identifier in IATI, where it is confirmed"),
        Column("country", "country__iso3", "ISO 3166-1 alpha-3, of a national body"),
        Column(
            "member_countries",
            ArraySubquery(
                PartnerCountry.objects.filter(partner=OuterRef("pk")).order_by("country__iso3").values("country__iso3")
            ),
            "ISO 3166-1 alpha-3 codes of its members",
            "list",
        ),
        Column("parent", "parent__slug", "Code of the partner it is part of"),
        Column("website", "website", "Website"),
        Column("is_illustrative", "is_illustrative", "Made up for the demonstration", "boolean"),
        *provenance(Partner),
        Column("url", page("/partners/", "slug"), "Its page"),
    ],
    places=ArraySubquery(
        Country.objects.filter(pk=OuterRef("country"), latitude__isnull=False).values(
            place=point("latitude", "longitude")
        )
    ),
    ordering=("slug",),
)

TABLES = {table.name: (table, model) for table, model in (
    (COUNTRIES, Country), (REGIONS, Region), (GROUPS, CountryGroup), (PARTNERS, Partner),
)}  # fmt: skip
