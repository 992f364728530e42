"""Pages of countries and partners. Their projects come by the reverse managers, which know who may see what."""

from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import translate_url
from django.views.decorators.http import require_safe

from partners.filters import CountryFilter, PartnerFilter
from partners.maps import map_of_flows
from partners.models import Country, Partner


class SignIn(LoginView):
    """Sign-in by e-mail; leads on in the person's own language."""

    template_name = "login.html"
    redirect_authenticated_user = True

    def get_success_url(self):
        return translate_url(super().get_success_url(), self.request.user.language)


@require_safe
def country_list(request: HttpRequest) -> HttpResponse:
    filterset = CountryFilter(request.GET, queryset=Country.objects.for_listing().by_name())
    projects = Country._meta.get_field("projects").related_model.objects.visible_to(request.user).published()
    counts = dict(Country.objects.with_projects(projects).values_list("pk", "n"))
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
    projects = country.projects.visible_to(request.user).published()
    roles = projects.role_counts_of(country)
    flows = projects.flows_of(country)
    both = roles.get("both", 0)
    return render(
        request,
        "partners/country_detail.html",
        {
            "country": country,
            "provides": roles.get("provider", 0) + both,
            "receives": roles.get("recipient", 0) + both,
            "both": both,
            "count": sum(roles.values()),
            "flows": flows[:25],
            "flows_count": len(flows),
            "map": map_of_flows(country, flows[:40]),
            "projects": projects.for_listing().order_by("-published_at", "-pk")[:8],
            "themes": projects.theme_counts()[:10],
            "groups": [m for m in country.memberships_in_groups.all() if m.group.kind != "electoral"],
            "partners": country.partners.all()[:12],
        },
    )


@require_safe
def partner_list(request: HttpRequest) -> HttpResponse:
    filterset = PartnerFilter(
        request.GET, queryset=Partner.objects.for_listing().with_project_counts(request.user).by_name()
    )
    partners = filterset.qs if filterset.is_valid() else Partner.objects.none()
    return render(
        request,
        "partners/partner_list.html",
        {"filter": filterset, "partners": partners},
        status=200 if filterset.is_valid() else 400,
    )


@require_safe
def partner_detail(request: HttpRequest, slug: str) -> HttpResponse:
    partner = get_object_or_404(Partner.objects.select_related("country", "parent"), slug=slug)
    projects = partner.projects.visible_to(request.user).published().distinct()
    return render(
        request,
        "partners/partner_detail.html",
        {
            "partner": partner,
            "count": projects.count(),
            "projects": projects.for_listing().order_by("-published_at", "-pk")[:10],
            "countries": Country.objects.with_projects(projects)[:12],
            "members": partner.member_countries.by_name(),
            "parts": partner.parts.by_name(),
            "contributions": partner.contributions.filter(project__in=projects.order_by().values("pk")).select_related(
                "project"
            )[:20],
        },
    )
