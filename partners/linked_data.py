"""Countries and partners as schema.org describes them, for search engines and readers of linked data."""

from django.conf import settings

from partners.models import Country, Partner, Traceable

CONTEXT = "https://schema.org"


def address(record) -> str:
    return settings.PORTAL_URL + record.get_absolute_url()


def provenance(record: Traceable) -> dict:
    """The page about a record as a work: its licence, and what it is based on. Nothing is said of a licence that is not known."""
    found, said = {"@type": "WebPage", "url": address(record)}, record.provenance
    if said.is_known:
        found["license"] = said.licence_url or {"@type": "CreativeWork", "name": said.licence}
    if said.publisher or said.url:
        found["isBasedOn"] = {
            "@type": "CreativeWork",
            **({"url": said.url} if said.url else {}),
            **({"publisher": {"@type": "Organization", "name": said.publisher}} if said.publisher else {}),
        }
    if said.retrieved_on:
        found["sdDatePublished"] = said.retrieved_on.isoformat()
    return {"subjectOf": found}


def country(record: Country) -> dict:
    found = {
        "@context": CONTEXT, "@type": "Country", "@id": address(record), "url": address(record), "name": record.name,
        "identifier": [record.iso3, record.m49], **provenance(record),
    }  # fmt: skip
    if record.latitude is not None:
        found["geo"] = {
            "@type": "GeoCoordinates",
            "latitude": float(record.latitude),
            "longitude": float(record.longitude),
        }
    return found


def organisation(record: Partner) -> dict:
    found = {
        "@context": CONTEXT,
        "@type": "Organization",
        "@id": address(record),
        "url": address(record),
        "name": record.name,
        **provenance(record),
    }
    if record.acronym:
        found["alternateName"] = record.acronym
    if record.website:
        found["sameAs"] = record.website
    if record.iati_identifier:
        found["identifier"] = record.iati_identifier
    return found
