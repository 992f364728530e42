"""Briefs to be read, printed and taken along as PDF: of a country, and of a year."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from partners.callers import costly
from partners.models import Country
from projects.interchange import briefs


def _shown(request: HttpRequest, brief: briefs.Brief, name: str, is_pdf: bool, **context) -> HttpResponse:
    if not is_pdf:
        return render(request, "projects/brief.html", {"brief": brief, **context})
    disposition = f'inline; filename="{name}.pdf"'
    return HttpResponse(
        briefs.as_pdf(brief), content_type="application/pdf", headers={"Content-Disposition": disposition}
    )


@costly("pdf")
@require_safe
def country_brief(request: HttpRequest, iso3: str, pdf: bool = False) -> HttpResponse:
    country = get_object_or_404(Country, iso3=iso3.upper())
    if iso3 != country.iso3:
        return redirect("country-brief-pdf" if pdf else "country-brief", country.iso3, permanent=True)
    return _shown(request, briefs.brief_of(country), f"brief-{country.iso3}", pdf, country=country)


@costly("pdf")
@require_safe
def year_report(request: HttpRequest, year: int, pdf: bool = False) -> HttpResponse:
    if year not in (known := briefs.years()):
        raise Http404(
            _("There is no report of that year. There are those of %(first)s to %(last)s.")
            % {"first": known[-1], "last": known[0]}
        )
    return _shown(request, briefs.report_of(year), f"report-{year}", pdf, year=year, years=known)


@require_safe
def newest_report(request: HttpRequest) -> HttpResponse:
    """The last whole year, else the present one."""
    known = briefs.years()
    return redirect("year-report", known[1] if len(known) > 1 else known[0])
