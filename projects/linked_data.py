"""Projects, needs, offers and the data sets as schema.org describes them. Only what everybody may read."""

from django.conf import settings
from django.urls import reverse

from partners.linked_data import CONTEXT, address, provenance
from partners.models import Country
from projects.choices import CountryRole
from projects.models import Need, Offer, Project
from ssc_portal.licences import OWN


def _record(kind: str, record, text: str) -> dict:
    found = {
        "@context": CONTEXT, "@type": kind, "@id": address(record), "url": address(record), "identifier": record.reference,
        "name": record.title, **provenance(record),
    }  # fmt: skip
    return found | ({"description": text} if text else {})


def _place(country: Country) -> dict:
    return {"@type": "Country", "@id": address(country), "name": country.name}


def project(record: Project) -> dict:
    found = _record("Project", record, record.summary)
    if record.actual_start:  # what is planned has not begun
        found["foundingDate"] = record.actual_start.isoformat()
    if record.actual_end:
        found["dissolutionDate"] = record.actual_end.isoformat()
    links = [link for link in record.country_links.all() if link.country]
    if places := [_place(link.country) for link in links if link.role != CountryRole.PROVIDER]:
        found["areaServed"] = places
    if members := [
        {"@type": "Organization", "@id": address(link.partner), "name": link.partner.name}
        for link in record.partner_links.all()
        if link.partner
    ]:
        found["member"] = members
    return found


def need(record: Need) -> dict:
    found = _record("Demand", record, record.public_summary)
    found["areaServed"] = [_place(record.country)]
    if record.expires_on:
        found["availabilityEnds"] = record.expires_on.isoformat()
    return found


def offer(record: Offer) -> dict:
    found = _record("Offer", record, record.summary)
    kind = "Country" if isinstance(record.provider, Country) else "Organization"
    found["offeredBy"] = {"@type": kind, "@id": address(record.provider), "name": record.provider.name}
    if record.expires_on:
        found["availabilityEnds"] = record.expires_on.isoformat()
    return found


def site() -> dict:
    """The portal itself, with its search."""
    return {
        "@context": CONTEXT, "@type": "WebSite", "url": f"{settings.PORTAL_URL}/", "name": str(settings.SITE_NAME),
        "potentialAction": {
            "@type": "SearchAction", "target": settings.PORTAL_URL + reverse("search") + "?q={words}", "query-input": "required name=words",
        },
    }  # fmt: skip


def data_set(description: dict | None) -> dict:
    """The whole data sets, as far as they are written."""
    base = settings.PORTAL_URL + reverse("data")
    found = {
        "@context": CONTEXT, "@type": "Dataset", "@id": base, "url": base, "name": str(settings.SITE_NAME), "license": OWN.url,
        "isAccessibleForFree": True,
        "description": "Needs, offers, projects, countries and partners of South-South cooperation on the environment, as published.",
    }  # fmt: skip
    if description:
        if [one.get("name") for one in description["licenses"]] != [OWN.code]:
            found["license"] = f"{base}#licence"  # where each is named, and for what it holds
        found["dateModified"] = description["created"]
        found["distribution"] = [
            {"@type": "DataDownload", "contentUrl": base + resource["path"], "encodingFormat": resource["mediatype"]}
            for resource in description["resources"]
            if not resource["path"].startswith("iati-") or resource["path"] == "iati-activities.xml"
        ]
    return found
