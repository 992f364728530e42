"""Pages of offers: the list and one offer."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from projects.choices import Vocabulary
from projects.filters import OfferFilter
from projects.lifecycle.offer import NEXT
from projects.models import Offer
from projects.models.offer import AUDIENCE
from projects.timeline import offer_timeline
from projects.views.listing import list_page


@require_safe
def offer_list(request: HttpRequest) -> HttpResponse:
    filterset = OfferFilter(request.GET, queryset=Offer.objects.all(), request=request)
    more = {"list_name": _("Offers"), "list_url": reverse("offer-list"), "api_url": reverse("api-offer-list")}
    return list_page(request, filterset, "projects/offer_list.html", more)


@require_safe
def offer_detail(request: HttpRequest, reference: str) -> HttpResponse:
    offer = get_object_or_404(Offer.objects.visible_to(request.user).for_page(), reference=reference.upper())
    if reference != offer.reference:
        return redirect(offer, permanent=True)
    readable = offer.readable_by(request.user)
    return render(
        request,
        "projects/offer_detail.html",
        {
            "offer": offer,
            "then": NEXT[offer.state],
            "log": offer_timeline(offer, request.user),
            "terms": [
                (v.label, offer.terms_of(v))
                for v in (Vocabulary.BSP_THEME, Vocabulary.BSP_ISSUE, Vocabulary.SDG, Vocabulary.CAPACITY)
                if offer.terms_of(v)
            ],
            "detail": [
                (offer._meta.get_field(name).verbose_name, getattr(offer, name))
                for name in AUDIENCE
                if name in readable and getattr(offer, name)
            ],
            "project": offer.project if offer.project and offer.project.is_published else None,
        },
    )
