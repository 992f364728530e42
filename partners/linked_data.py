"""Countries and partners as schema.org describes them, for search engines and readers of linked data."""

from django.conf import settings

from partners.models import Country, Partner

CONTEXT = "https://schema.org"


def address(record) -> str:
    return settings.PORTAL_URL + record.get_absolute_url()


def country(record: Country) -> dict:
    found = {
        "@context": CONTEXT, "@type": "Country", "@id": address(record), "url": address(record), "name": record.name,
        "identifier": [record.iso3, record.m49],
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
    }
    if record.acronym:
        found["alternateName"] = record.acronym
    if record.website:
        found["sameAs"] = record.website
    if record.iati_identifier:
        found["identifier"] = record.iati_identifier
    return found
