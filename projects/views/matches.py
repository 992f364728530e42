"""Pages of matches: who can help a need, which needs fit an offer, and what fits one's side or waits to be brokered."""

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from partners.rules import is_unep
from projects import matches, matching
from projects.choices import Signal
from projects.forms import SetAsideForm, responders
from projects.matching import meaning
from projects.models import Need, Offer, Response, SetAside
from projects.views.acting import answer_form, given


def _how() -> dict:
    """How points are given, for the side of each page of matches."""
    return {
        "weights": [(Signal(signal).label, points) for signal, points in matching.points_in_force().items() if points],
        "reads_meaning": meaning.is_installed(),
    }


@require_safe
def match_list(request: HttpRequest) -> HttpResponse:
    """What fits the offers of one's side; for UNEP what could be brokered; for everybody what matches have led to."""
    signed_in = request.user.is_authenticated
    own = (
        Offer.objects.of(request.user).active().select_related("partner", "country")
        if signed_in
        else Offer.objects.none()
    )
    pages = Paginator(matches.fitting(request.user), matches.SHOWN) if signed_in else None
    page = pages.get_page(request.GET.get("page")) if pages else None
    candidates = matches.shown_of(request.user, [row["need"] for row in page]) if page else []
    _tell_who_may(request.user, candidates)
    context = {
        "own": own.order_by("reference"),
        "page": page,
        "candidates": candidates,
        "aside": matches.set_aside_by(request.user) if signed_in else [],
        "ledger": Response.objects.led_to_cooperation().select_related(
            "need__country", "need__project", "partner", "country", "offer"
        )[:50],
        **_how(),
    }
    if signed_in and is_unep(request.user):
        lonely = matches.without_match()
        context |= {"broker": matches.to_broker(), "lonely": lonely[:20], "lonely_count": lonely.count()}
    return render(request, "projects/match_list.html", context)


@require_safe
def need_matches(request: HttpRequest, reference: str) -> HttpResponse:
    need = get_object_or_404(
        Need.objects.visible_to(request.user).select_related("country"), reference=reference.upper()
    )
    candidates = matches.offers_for(need)
    _tell_who_may(request.user, candidates)
    return render(
        request,
        "projects/need_matches.html",
        {
            "need": need,
            "candidates": candidates,
            "together": matches.together(candidates),
            "before": matches.projects_for(need),
            "taken_apart": is_unep(request.user),
            "may_ask": need.takes_responses and request.user.has_perm("projects.suggest_response", Response(need=need)),
            **_how(),
        },
    )


@require_safe
def offer_matches(request: HttpRequest, reference: str) -> HttpResponse:
    offer = get_object_or_404(
        Offer.objects.visible_to(request.user).select_related("partner", "country", "entry"),
        reference=reference.upper(),
    )
    candidates = matches.needs_for(offer)
    _tell_who_may(request.user, candidates)
    return render(
        request,
        "projects/offer_matches.html",
        {
            "offer": offer,
            "candidates": candidates,
            "may_respond": request.user.is_authenticated
            and bool(candidates and responders(request.user, candidates[0].need)),
            "taken_apart": is_unep(request.user),
            **_how(),
        },
    )


def _tell_who_may(user, candidates: list) -> None:
    """Marks the matches that this person may set aside: those of which they are one of the two sides."""
    for candidate in candidates if user.is_authenticated else ():
        candidate.may_set_aside = matches.aside_of(candidate.need, candidate.given, user) is not None


@login_required
def match_aside(request: HttpRequest, reference: str, offer: str) -> HttpResponse:
    """“Not for us”, with the reason; or, where it was said before, takes that back."""
    need = get_object_or_404(Need.objects.visible_to(request.user), reference=reference.upper())
    other = get_object_or_404(Offer.objects.visible_to(request.user), reference=offer.upper())
    if request.method == "POST" and "back" in request.POST:
        aside = get_object_or_404(SetAside, need=need, offer=other)
        matches.put_back(aside, by=request.user)
        return redirect("match-list")
    aside = matches.aside_of(need, other, request.user)
    if aside is None:
        raise PermissionDenied(_("Only the two sides of a match can set it aside."))
    form = SetAsideForm(given(request), instance=aside)

    def act() -> str:
        matches.set_aside(form.instance)
        return _("Set aside. It is not shown to you again; you find it among your matches, where you can put it back.")

    record = need if aside.country_id == need.country_id else other
    title = _("Not for us: %(other)s") % {"other": (other if record is need else need).reference}
    return answer_form(request, record, form, act, {"title": title})
