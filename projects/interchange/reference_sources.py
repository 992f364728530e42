"""Where the lists come from that the portal did not make: countries, regions, groups, vocabularies, codes of organisations.

The same as fixtures/SOURCES.md tells people, for descriptions of whole files: name, address and licence of each. A test compares
them with what each list says of itself.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings

from ground.licences import LICENCES, OWN

# A licence as a Data Package names it. The United Nations and others publish these lists without one: codes and names are facts.
NOT_STATED = {"name": "notspecified", "title": "None stated by the source; codes and names are facts"}
PUBLIC_DOMAIN = {"name": "other-pd", "title": "Public domain"}
UNICODE = {"name": "Unicode-3.0", "title": "Unicode License v3", "path": "https://www.unicode.org/license.txt"}
MIT = {"name": "MIT", "title": "MIT License", "path": "https://spdx.org/licenses/MIT.html"}


def _open(code: str) -> dict:
    one = LICENCES[code]
    return {"name": one.code, "title": one.title, "path": one.url}


@dataclass(frozen=True)
class ReferenceSource:
    """One source. `tables`: what is exported and has something of it; `said`: how the column `source` of these begins then."""

    title: str
    path: str
    licence: dict
    tables: tuple[str, ...]
    said: tuple[str, ...] = ()


IATI = "https://iatistandard.org/en/iati-standard/203/codelists"
SOURCES = (
    ReferenceSource(
        "UN M49, standard country or area codes for statistical use (United Nations Statistics Division, September 2024)",
        "https://unstats.un.org/unsd/methodology/m49/overview/", NOT_STATED, ("countries", "regions", "groups"), ("UN M49",),
    ),
    ReferenceSource(
        "Formal names of UNTERM, from datasets/country-codes", "https://github.com/datasets/country-codes", _open("PDDL-1.0"),
        ("countries",),
    ),
    ReferenceSource("Unicode CLDR, names of territories", "https://cldr.unicode.org/", UNICODE, ("regions",)),
    ReferenceSource(
        "Natural Earth, positions of countries", "https://www.naturalearthdata.com/", PUBLIC_DOMAIN, ("countries",)
    ),
    ReferenceSource(
        "openclimatedata/countrygroups: groups of the United Nations and of negotiations, Member States",
        "https://github.com/openclimatedata/countrygroups", _open("CC0-1.0"), ("countries", "groups"),
        ("openclimatedata/countrygroups", "derived: the 54 UN Member States of Africa"),
    ),
    ReferenceSource(
        "UNEP, on the African Ministerial Conference on the Environment", "https://www.unep.org/", NOT_STATED, ("groups",)
    ),
    ReferenceSource(
        "Members of international organisations: CIA World Factbook, appendix B (public domain), as tabulated by "
        "dieghernan/Country-Codes-and-International-Organizations (January 2020)",
        "https://github.com/dieghernan/Country-Codes-and-International-Organizations", MIT, ("groups",), ("CIA World Factbook",),
    ),
    ReferenceSource(
        "UN DESA, World Economic Situation and Prospects, country classification", "https://www.un.org/en/desa", NOT_STATED,
        ("groups",), ("UN DESA, World Economic Situation and Prospects",),
    ),
    ReferenceSource(
        "IATI Registry, list of publishers", "https://iatiregistry.org/publisher", NOT_STATED, ("partners", "iati-organisations")
    ),
    ReferenceSource(
        "IATI codelist CRSChannelCode (OECD DAC)", f"{IATI}/crschannelcode/", _open("CC-BY-4.0"), ("partners", "iati-organisations"),
    ),
    ReferenceSource(
        "IATI codelist Sector (OECD DAC CRS purpose codes)", f"{IATI}/sector/", _open("CC-BY-4.0"), ("terms",), ("OECD DAC CRS",)
    ),
    ReferenceSource(
        "Sustainable Development Goals, A/RES/70/1", "https://undocs.org/A/RES/70/1", NOT_STATED, ("terms",), ("A/RES/70/1",)
    ),
    ReferenceSource(
        "Names of the goals in six languages: open-sdg/sdg-translations", "https://github.com/open-sdg/sdg-translations", MIT,
        ("terms",),
    ),
    ReferenceSource(
        "Codes of the targets, A/RES/71/313; labels in the portal's own words", "https://undocs.org/A/RES/71/313", NOT_STATED,
        ("terms",), ("Code: A/RES/71/313",),
    ),
    ReferenceSource(
        "Bali Strategic Plan for Technology Support and Capacity-building, UNEP/GC.23/6/Add.1",
        "https://undocs.org/UNEP/GC.23/6/Add.1", NOT_STATED, ("terms",), ("Bali Strategic Plan",),
    ),
    ReferenceSource(
        "UNEP, programmes of work and subprogrammes", "https://www.unep.org/", NOT_STATED, ("terms",), ("UNEP, programme",)
    ),
    ReferenceSource(
        "UNDP, capacity development: a primer", "https://www.undp.org/", NOT_STATED, ("terms",), ("UNDP, capacity development",)
    ),
    ReferenceSource(
        "The portal's own list of assistance types", settings.PORTAL_URL, _open(OWN.code), ("terms",), ("Portal's own list",)
    ),
)  # fmt: skip


def reference_sources(table: str) -> Iterator[dict]:
    """The sources of an exported table as a Data Package lists them, each with its licence."""
    for one in SOURCES:
        if table in one.tables:
            yield {"title": one.title, "path": one.path, "licenses": [one.licence]}
