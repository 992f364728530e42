"""What pages tell search engines and readers of linked data, as schema.org describes it. Only what everybody may read."""

from django.conf import settings
from django.urls import reverse

from ground.licences import OWN
from outreach.models import Story, StoryText
from partners.models import Country, Partner, Traceable
from projects.choices import CountryRole
from projects.models import Need, Offer, Project

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


def story(record: Story, text: StoryText) -> dict:
    """An article about a project (schema.org Article)."""
    found = {
        "@context": CONTEXT, "@type": "Article", "@id": address(record), "url": address(record), "headline": text.title,
        "inLanguage": text.language, "about": {"@type": "Project", "@id": address(record.project), "name": record.project.title},
    }  # fmt: skip
    if text.lede:
        found["description"] = text.lede
    if record.published_at:
        found["datePublished"] = record.published_at.date().isoformat()
    return found
