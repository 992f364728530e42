"""Pages of offers: the list and one offer."""

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from pages.acting import acted_on, answer_form, given
from pages.discovery import linked_data
from pages.listing import list_page
from partners.rules import require
from partners.sent_once import once
from projects import actions, lifecycle
from projects.choices import Vocabulary
from projects.filters import OfferFilter
from projects.forms import form_of
from projects.lifecycle.offer import NEXT, WRITING, missing_for
from projects.models import Offer
from projects.models.offer import AUDIENCE
from projects.timeline import offer_timeline


@require_safe
def offer_list(request: HttpRequest) -> HttpResponse:
    filterset = OfferFilter(request.GET, queryset=Offer.objects.all(), request=request)
    more = {
        "list_name": _("Offers"),
        "told": "offers",
        "list_url": reverse("offer-list"),
        "api_url": reverse("api-offer-list"),
    }
    more["may_begin"] = request.user.has_perm("projects.add_offer")
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
            "linked_data": linked_data.offer(offer),
            "then": NEXT[offer.state],
            "may_write": offer.state in WRITING and request.user.has_perm("projects.change_offer", offer),
            "may_copy": request.user.has_perm("projects.change_offer", offer),
            "moves": lifecycle.moves_open_to(request.user, offer) if request.user.is_authenticated else [],
            "seen": lifecycle.mark_of(offer),
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


@login_required
@once
def offer_move(request: HttpRequest, reference: str, action: str) -> HttpResponse:
    """Confirms a move, asks for its note, and makes it."""
    offer = acted_on(request, Offer.objects.visible_to(request.user), reference)
    move = lifecycle.moves_of(offer).get(action)
    if move is None:
        raise Http404
    require(request.user, move.permission, offer)
    form = form_of(move, offer, user=request.user, data=given(request))

    def act() -> str:
        actions.move(offer, action, by=request.user, **form.cleaned_data)
        return _("%(need)s is “%(state)s” now. %(next)s") % {
            "need": offer.reference, "state": offer.get_state_display(), "next": NEXT[offer.state],
        }  # fmt: skip

    return answer_form(request, offer, form, act, {"title": move.label, "missing": missing_for(offer, move.to_state)})
