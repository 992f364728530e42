"""Codes and names by which what a file names is found here: countries, regions, partners, terms, records. Nothing is guessed."""

from dataclasses import dataclass, field

from partners.models import Country, Partner, Region
from projects import search
from projects.interchange.iati_activity import Tie
from projects.interchange.iati_writing import Publisher
from projects.models import Project, Term

# OECD DAC region codes that name the same area as UN M49.
DAC_REGIONS = {
    "89": "150", "189": "015", "289": "202", "298": "002", "389": "419", "489": "005", "498": "019", "619": "143",
    "679": "034", "789": "030", "798": "142", "889": "009", "1027": "014", "1028": "017", "1029": "018", "1030": "011",
    "1031": "029", "1032": "013", "1033": "054", "1034": "057", "1035": "061",
}  # fmt: skip
VOCABULARIES = {"1": "crs", "7": "sdg", "8": "sdg"}


@dataclass
class Directory:
    """Codes and names that references are resolved by, loaded once per run. Nothing is guessed: only exact matches count."""

    countries: dict[str, Country] = field(default_factory=dict)
    regions: dict[str, Region] = field(default_factory=dict)
    partners: dict[str, Partner] = field(default_factory=dict)
    slugs: dict[str, Partner] = field(default_factory=dict)
    terms: dict[tuple[str, str], Term] = field(default_factory=dict)
    publisher: Publisher = field(default_factory=Publisher)

    @classmethod
    def load(cls) -> "Directory":
        self = cls()
        for country in Country.objects.all():
            for key in (
                country.iso2,
                country.iso3,
                country.m49,
                country.name_en,
                country.name_fr,
                country.name_es,
                *country.aliases,
            ):
                self.countries.setdefault(search.plain(key), country)
        self.regions = {region.code: region for region in Region.objects.all()}
        self.slugs = {partner.slug: partner for partner in Partner.objects.all()}
        for partner in (p for p in self.slugs.values() if not p.is_from_import):
            for key in (partner.iati_identifier, partner.name_en, partner.name_fr, partner.name_es):
                if key:
                    self.partners.setdefault(search.plain(key), partner)
        self.terms = {(t.vocabulary, t.code): t for t in Term.objects.all()}
        return self

    def country(self, tie: Tie) -> Country | None:
        return self.countries.get(search.plain(tie.code)) or (
            None if tie.code else self.countries.get(search.plain(tie.name))
        )

    def region(self, tie: Tie) -> Region | None:
        code = DAC_REGIONS.get(tie.code) if tie.vocabulary == "1" else tie.code if tie.vocabulary == "2" else None
        return self.regions.get(code)

    def partner(self, tie: Tie) -> Partner | None:
        return (
            (self.slugs.get(tie.slug) if tie.slug else None)
            or self.partners.get(search.plain(tie.code))
            or (None if tie.code else self.partners.get(search.plain(tie.name)))
        )

    def term(self, tie: Tie) -> Term | None:
        return self.terms.get((VOCABULARIES.get(tie.vocabulary, tie.vocabulary), tie.code))

    def project(self, identifier: str) -> Project | None:
        """The project that an IATI identifier means: its own, or one that the portal made of its reference."""
        known = Project.objects.filter(iati_identifier=identifier).first()
        own = f"{self.publisher.ref}-"
        if known is None and identifier.startswith(own):
            known = Project.objects.filter(iati_identifier=None, reference=identifier.removeprefix(own)).first()
        return known
