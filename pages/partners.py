"""Pages of countries and partners. Their projects come by the reverse managers, which know who may see what."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from ground.parameters import leave_foreign
from ground.tables import in_format
from pages.discovery import linked_data
from partners.filters import CountryFilter, PartnerFilter
from partners.maps import map_of_flows
from partners.models import Country, Partner


def _projects_of(model):
    """The manager of projects. This package does not know that one; its models are named by fields there."""
    return model._meta.get_field("projects").related_model.objects


@require_safe
def country_list(request: HttpRequest) -> HttpResponse:
    if elsewhere := in_format(request, reverse("api-country-list")):
        return elsewhere
    leave_foreign(request, CountryFilter)
    filterset = CountryFilter(request.GET, queryset=Country.objects.for_listing().by_name())
    counts = _projects_of(Country).figures().by_country
    countries = list(filterset.qs) if filterset.is_valid() else []
    for country in countries:
        country.n = counts.get(country.pk, 0)
    context = {"filter": filterset, "countries": countries, "with_projects": len(counts)}
    return render(request, "partners/country_list.html", context, status=200 if filterset.is_valid() else 400)


@require_safe
def country_detail(request: HttpRequest, iso3: str) -> HttpResponse:
    country = get_object_or_404(Country.objects.for_page(), iso3=iso3.upper())
    if iso3 != country.iso3:
        return redirect(country, permanent=True)
    projects = _projects_of(Country)
    figures = projects.figures(country=country)
    flows = projects.flows_of(country)
    return render(
        request,
        "partners/country_detail.html",
        {
            "country": country,
            "linked_data": linked_data.country(country),
            **figures.roles_of(country),
            "flows": flows[:25],
            "flows_count": len(flows),
            "map": map_of_flows(country, flows[:40]),
            "projects": projects.newest(8, country=country),
            "not_counted": projects.notes_on_transactions("places"),
            "themes": figures.themes()[:10],
            "offers": country.offer_records.active().for_listing().order_by("-published_at", "-pk")[:5],
            "needs": country.needs.public().for_listing().order_by("-published_at", "-pk")[:5],
            "needs_count": country.needs.public().count(),
            "groups": [m for m in country.memberships_in_groups.all() if m.group.kind != "electoral"],
            "partners": country.partners.all()[:12],
        },
    )


@require_safe
def partner_list(request: HttpRequest) -> HttpResponse:
    if elsewhere := in_format(request, reverse("api-partner-list")):
        return elsewhere
    leave_foreign(request, PartnerFilter)
    filterset = PartnerFilter(request.GET, queryset=Partner.objects.for_listing().by_name())
    counts = _projects_of(Partner).figures().by_partner
    partners = list(filterset.qs) if filterset.is_valid() else []
    for partner in partners:
        partner.n = counts.get(partner.pk, 0)
    return render(
        request,
        "partners/partner_list.html",
        {"filter": filterset, "partners": partners},
        status=200 if filterset.is_valid() else 400,
    )


@require_safe
def partner_detail(request: HttpRequest, slug: str) -> HttpResponse:
    partner = get_object_or_404(Partner.objects.select_related("country", "parent", "import_run"), slug=slug)
    projects = _projects_of(Partner)
    figures = projects.figures(partner=partner)
    return render(
        request,
        "partners/partner_detail.html",
        {
            "partner": partner,
            "linked_data": linked_data.organisation(partner),
            "count": figures.total,
            "projects": projects.newest(10, partner=partner),
            "offers": partner.offer_records.active().for_listing().order_by("-published_at", "-pk")[:10],
            "countries": figures.countries(most=12),
            "members": partner.member_countries.by_name(),
            "parts": partner.parts.by_name(),
            "contributions": partner.contributions.filter(project__entry__is_public=True).select_related("project")[
                :20
            ],
        },
    )
