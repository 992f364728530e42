"""Pages of matches: who can help a need, which needs fit an offer, and what fits one's side or waits to be brokered."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from ground.parameters import leave_foreign, one_value
from ground.tables import in_format
from pages.acting import answer_form, given
from partners.rules import is_unep
from partners.sent_once import once
from projects import matches, matching
from projects.choices import Audience, Signal
from projects.filters import MatchFilter
from projects.forms import SetAsideForm, responders
from projects.matching import meaning
from projects.models import FoundMatch, Need, Offer, Response, SetAside


def _how() -> dict:
    """How points are given, for the side of each page of matches."""
    return {
        "weights": [(Signal(signal).label, points) for signal, points in matching.points_in_force().items() if points],
        "reads_meaning": meaning.is_installed(),
    }


@require_safe
def match_list(request: HttpRequest) -> HttpResponse:
    """What fits the offers of one's side; for UNEP what could be brokered; for everybody what matches have led to."""
    if elsewhere := in_format(request, reverse("api-match-list")):
        return elsewhere
    leave_foreign(request, MatchFilter)
    signed_in = request.user.is_authenticated
    own = (
        Offer.objects.of(request.user).active().select_related("partner", "country")
        if signed_in
        else Offer.objects.none()
    )
    narrowed = MatchFilter(request.GET, queryset=matches.found_for(request.user)) if signed_in else None
    fits = narrowed is not None and narrowed.is_valid()
    found = narrowed.qs if fits else FoundMatch.objects.none()
    pages = Paginator(matches.fitting(found), matches.SHOWN) if signed_in else None
    page = pages.get_page(one_value(request.GET, "page")) if pages else None
    chosen = narrowed.form.cleaned_data.get("offer") if fits else None
    candidates = matches.shown_of(request.user, [row["need"] for row in page], chosen) if page else []
    _tell_who_may(request.user, candidates)
    context = {
        "own": own.order_by("reference"),
        "narrowed": narrowed,
        "is_narrowed": fits and any(narrowed.form.cleaned_data.values()),
        "page": page,
        "candidates": candidates,
        "saved": matches.saved_by(request.user) if signed_in else [],
        "aside": matches.set_aside_by(request.user) if signed_in else [],
        "ledger": Response.objects.led_to_cooperation()
        .select_related(
            "need__country", "need__project", "partner", "country", "second_partner", "second_country", "offer"
        )
        .prefetch_related("answers__line")[:50],
        **_how(),
    }
    if signed_in and is_unep(request.user):
        lonely = matches.without_match()
        counts, by_signal = matches.quality()
        shown = list(lonely[:20])
        missing = matches.lacking(shown)
        context |= {"broker": matches.to_broker(), "lonely": [(need, missing[need.pk]) for need in shown], "lonely_count": lonely.count(),
                    "quality": counts, "by_signal": by_signal}  # fmt: skip
    status = 400 if narrowed is not None and not fits else 200
    return render(request, "projects/match_list.html", context, status=status)


@require_safe
def demand(request: HttpRequest) -> HttpResponse:
    """Needs and offers side by side, by theme and by region: where nobody offers what is asked for."""
    themes, regions = matches.demand_and_supply()
    used = [row for row in themes if row.needs or row.offers]
    context = {
        "themes": used,
        "regions": regions,
        "silent": [row.place for row in themes if not (row.needs or row.offers)],
        "gaps": [row for row in used if row.is_gap],
        "needs_count": Need.objects.taking_responses().count(),
        "offers_count": Offer.objects.active().count(),
    }
    return render(request, "projects/demand.html", context)


@login_required
@require_POST
def match_keep(request: HttpRequest, reference: str, offer: str) -> HttpResponse:
    """Keeps a match for later, or no longer."""
    need = get_object_or_404(Need.objects.visible_to(request.user), reference=reference.upper())
    other = get_object_or_404(Offer.objects.visible_to(request.user), reference=offer.upper())
    if "stop" in request.POST:
        request.user.saved_matches.filter(need=need, offer=other).delete()
        messages.success(request, _("You no longer keep this match."))
    else:
        matches.keep(need, other, request.user)
        messages.success(request, _("Kept: you find it under “Matches” and on your own page."))
    return redirect("match-list")


@login_required
@require_POST
def matches_seen(request: HttpRequest) -> HttpResponse:
    """A page with matches says which it has shown, or which was opened; counted for the quality of matching, not by whom."""
    pairs = []
    for pair in request.POST.get("pairs", "").split(",")[: matches.MOST_SEEN]:
        need, _colon, offer = pair.partition(":")
        if need.isascii() and need.isdigit() and offer.isascii() and offer.isdigit() and len(pair) < 40:
            pairs.append((int(need), int(offer)))
    matches.seen(pairs, opened="opened" in request.POST)
    return HttpResponse(status=204)


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
            "set_aside": need.set_aside.select_related("offer__partner", "offer__country", "partner", "country")
            if need.audience_of(request.user) == Audience.PARTY
            else [],
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
            "set_aside": offer.set_aside.select_related("need__country", "partner", "country")
            if offer.audience_of(request.user) == Audience.PARTY
            else [],
            "candidates": candidates,
            "may_respond": request.user.is_authenticated
            and bool(candidates and responders(request.user, candidates[0].need)),
            "taken_apart": is_unep(request.user),
            **_how(),
        },
    )


def _tell_who_may(user, candidates: list) -> None:
    """Marks the matches that this person may set aside (they are one of the two sides), and those that they keep."""
    kept = set(user.saved_matches.values_list("need", "offer")) if user.is_authenticated and candidates else set()
    for candidate in candidates if user.is_authenticated else ():
        candidate.is_kept = (candidate.need.pk, candidate.given.pk) in kept
        candidate.may_set_aside = matches.aside_of(candidate.need, candidate.given, user) is not None


@login_required
@once
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
