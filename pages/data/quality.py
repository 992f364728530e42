"""How complete the published records are: in all or of one publisher, by criterion, and over time."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from ground.parameters import one_value
from partners.models import Partner
from projects import charts, quality

MOST_DAYS = 31  # in the table below the picture


@require_safe
def data_quality(request: HttpRequest) -> HttpResponse:
    slug = one_value(request.GET, "publisher")
    publisher = get_object_or_404(Partner, slug=slug) if slug else None
    days = quality.history(publisher)
    if publisher and not days:
        raise Http404(_("This partner publishes no record here."))
    now = days[-1] if days else None
    context = {
        "publisher": publisher,
        "now": now,
        "criteria": quality.shares(now) if now else [(criterion, None) for criterion in quality.CRITERIA],
        "publishers": quality.publishers(now.day) if now and not publisher else [],
        "compared": quality.COMPARED,
        "line": charts.line([(row.day, row.mean) for row in days]),
        "days": list(reversed(days))[:MOST_DAYS],
    }
    return render(request, "projects/quality.html", context)
