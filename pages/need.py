"""Pages of needs: the list, one need, and those that nobody has answered."""

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from pages.acting import answer_form, given
from pages.agreement import acts_of, found, plan_shown, what_was_delivered
from pages.discovery import linked_data
from pages.listing import list_page
from partners.models import Region
from partners.rules import require
from partners.sent_once import once
from projects import actions, agreement, charts, lifecycle
from projects.choices import Audience, NeedState, ResponseState, Vocabulary
from projects.coverage import OVER, coverage_of
from projects.filters import NeedFilter
from projects.forms import ScreeningForm, form_of, responders
from projects.lifecycle.need import HOLDER, NEXT, WRITING
from projects.models import FacetKind, Need, NeedDocument, NeedEntry, Term
from projects.models.need import AUDIENCE, UNANSWERED_AFTER
from projects.timeline import timeline


@require_safe
def need_list(request: HttpRequest) -> HttpResponse:
    filterset = NeedFilter(request.GET, queryset=Need.objects.all(), request=request)
    more = {
        "list_name": _("Needs"),
        "told": "needs",
        "list_url": reverse("need-list"),
        "api_url": reverse("api-need-list"),
        "more_filters": [
            (name, filterset.filters[name], request.GET.get(name, "")) for name in ("answered", "waiting", "due")
        ],
    }
    return list_page(request, filterset, "projects/need_list.html", more)


@require_safe
def need_detail(request: HttpRequest, reference: str) -> HttpResponse:
    need = get_object_or_404(Need.objects.visible_to(request.user).for_page(), reference=reference.upper())
    if reference != need.reference:
        return redirect(need, permanent=True)
    coverage, readable, user = coverage_of(need), need.readable_by(request.user), request.user
    return render(
        request,
        "projects/need_detail.html",
        {
            "need": need,
            "linked_data": linked_data.need(need),
            "steps": charts.thread(need),
            "holder": HOLDER.get(need.state),
            "coverage": [(row, charts.strip(*row.drawn), charts.key(*row.told)) for row in coverage],
            "open_lines": sum(1 for row in coverage if row.open > 0),
            "goes_on": need.state == NeedState.PARTIALLY_MET and bool(need.children.all()),
            "is_over": need.state in OVER,
            "is_reported_now": need.state in (NeedState.IN_DELIVERY, NeedState.DELIVERED),
            "is_left": any(row.not_delivered or row.carried_over for row in coverage),
            "log": timeline(need, request.user),
            "terms": [
                (v.label, need.terms_of(v))
                for v in (Vocabulary.BSP_THEME, Vocabulary.BSP_ISSUE, Vocabulary.SDG, Vocabulary.CAPACITY)
                if need.terms_of(v)
            ],
            "facts": _criteria_met(need),
            "moves": lifecycle.moves_open_to(request.user, need) if request.user.is_authenticated else [],
            "merged_into": need.merged_into,
            "then": NEXT[need.state],
            "detail": _detail(need, readable),
            "is_party": need.audience_of(request.user) == Audience.PARTY,
            "acts": _acts(request.user, need),
            "seen": lifecycle.mark_of(need),
            "may_respond": bool(responders(request.user, need)),
            "waiting": [r for r in need.responses.all() if r.state == ResponseState.EXPRESSED]
            if user.has_perm("projects.begin_dialogue_need", need)
            else [],
            "own_responses": [r for r in need.responses.all() if user.has_perm("projects.view_response", r)],
            "documents": NeedDocument.objects.visible_to(user).filter(need=need, response=None),
            "project": need.project if need.project and user.has_perm("projects.view_project", need.project) else None,
            "plan": plan_shown(need) if "plan" in readable and (need.plan or agreement.is_written(need)) else None,
            "follows": request.user.is_authenticated and need.follows.filter(user=request.user).exists(),
            "children": [child for child in need.children.all() if user.has_perm("projects.view_need", child)],
        },
    )


def _criteria_met(need: Need) -> list[str]:
    """Facts about the need that many programmes ask for. Shown as they are, never added up."""
    groups = {m.group.code: m.group for m in need.country.memberships_in_groups.all()}
    found = [str(groups[code].name) for code in ("ldc", "lldc", "sids") if code in groups]
    flags = ("is_for_women", "is_for_youth", "is_for_indigenous")
    return found + [str(need._meta.get_field(name).verbose_name) for name in flags if getattr(need, name)]


def _detail(need: Need, readable: set[str]) -> list[tuple[str, str]]:
    """The restricted texts that the reader may see, with their labels, in the order of their declaration."""
    found = []
    if not need.is_endorsed:
        readable = readable - {"endorsed_by_name"}
    for name in AUDIENCE:
        value = getattr(need, f"get_{name}_display", lambda name=name: getattr(need, name))()
        if name in readable and name != "plan" and value:  # the plan has a part of its own
            found.append((str(need._meta.get_field(name).verbose_name), str(value)))
    return found


def _acts(user, need: Need) -> list[tuple[str, str]]:
    """Buttons beside the moves: (address, label)."""
    acts = []

    def add(name: str, label: str, permission: str, *states: str, step: str = "") -> None:
        if need.state in states and user.has_perm(f"projects.{permission}_need", need):
            acts.append((reverse(name, args=[need.reference, *filter(None, [step])]), label))

    add("need-draft", _("Write on"), "change", *WRITING)
    if user.has_perm("projects.change_need", need) and need.state not in WRITING:
        acts.append((f"{reverse('need-new')}?copy={need.reference}", _("Make a copy")))
    add("need-screen", _("Screen"), "screen", NeedState.SUBMITTED)
    if need.state in (NeedState.SUBMITTED, NeedState.ELIGIBLE) and user.has_perm("projects.change_need", need):
        acts.append((reverse("need-part", args=[need.reference, "summary"]), _("Change the public summary")))
    if need.summary_approved_at is None:
        states = (NeedState.SUBMITTED, NeedState.RETURNED, NeedState.ELIGIBLE)
        add("need-approve", _("Approve the public summary"), "approve_summary", *states)
    return acts + acts_of(user, need)


@require_safe
def unanswered(request: HttpRequest) -> HttpResponse:
    """Needs that are open and that nobody has answered: by theme and region, as figures and a picture."""
    themes, regions = list(Term.objects.themes()), list(Region.objects.filter(parent__code="001").by_name())
    counts = NeedEntry.objects.unanswered().pairs(
        [FacetKind.TERM.of(theme.pk) for theme in themes], [FacetKind.REGION.of(region.pk) for region in regions]
    )
    rows = [
        (
            theme,
            [
                (region, counts.get((FacetKind.TERM.of(theme.pk), FacetKind.REGION.of(region.pk)), 0))
                for region in regions
            ],
        )
        for theme in themes
    ]
    most = max(counts.values(), default=0)
    return render(
        request,
        "projects/unanswered.html",
        {
            "rows": [
                (theme, [(region, n, *charts.dots(n, most)) for region, n in cells])
                for theme, cells in rows
                if any(n for _r, n in cells)
            ],
            "silent": [theme for theme, cells in rows if not any(n for _r, n in cells)],
            "regions": regions,
            "total": NeedEntry.objects.unanswered().count(),
            "longest": Need.objects.unanswered().for_listing().order_by("published_at", "pk")[:10],
            "days": UNANSWERED_AFTER.days,
        },
    )


# --- acts ----------------------------------------------------------------------------------------------------------------
@login_required
@once
def need_move(request: HttpRequest, reference: str, action: str) -> HttpResponse:
    """Confirms a move, asks for its note, and makes it."""
    need = found(request, reference)
    move = lifecycle.moves_of(need).get(action)
    if move is None or not move.is_for_forms:
        raise Http404
    require(request.user, move.permission, need)
    form, context = form_of(move, need, user=request.user, data=given(request)), {"title": move.label}
    if other := lifecycle.in_place_of(move, need):
        address = reverse("need-move", args=[need.reference, other.action])
        if request.method != "POST":
            return redirect(f"{address}?{request.GET.urlencode()}")
        context["instead"] = (address, other.label)  # with what was typed

    def act() -> str:
        child = actions.move(need, action, by=request.user, **form.cleaned_data)
        if child is not None:
            return _("Closed. What was not delivered goes on as the draft %(reference)s.") % {
                "reference": child.reference
            }
        return _("%(need)s is “%(state)s” now. %(next)s") % {
            "need": need.reference, "state": need.get_state_display(), "next": NEXT[need.state],
        }  # fmt: skip

    asked = {"project", "merged_into", "outcome", "rating", "lessons"} & set(form.fields)
    missing = [r for r in lifecycle.missing_for(need, move.to_state) if r.field not in asked]
    context["missing"] = missing
    if move.to_state in (NeedState.CLOSED, NeedState.PARTIALLY_MET):
        context |= what_was_delivered(need)
    return answer_form(request, need, form, act, context)


@login_required
@once
def need_screen(request: HttpRequest, reference: str) -> HttpResponse:
    """The screener's answers to each criterion."""
    need = found(request, reference)
    require(request.user, "projects.screen_need", need)
    form = ScreeningForm(given(request), need=need)

    def act() -> str:
        actions.screen(need, form.answers, by=request.user, referral=form.cleaned_data["referral"])
        return _("The answers are kept. Now find it eligible or not.")

    return answer_form(request, need, form, act, {"title": _("Screen"), "missing": []})


@login_required
@once
def need_approve(request: HttpRequest, reference: str) -> HttpResponse:
    """The national focal point approves what the public will read."""
    need = found(request, reference)
    require(request.user, "projects.approve_summary_need", need)
    form = forms.Form(given(request))

    def act() -> str:
        actions.approve_summary(need, by=request.user)
        if need.state == NeedState.ELIGIBLE:
            return _("Approved. UNEP can open the need now.")
        return _("Approved. UNEP can open the need once it has found it eligible.")

    title = _("Approve the public summary")
    return answer_form(request, need, form, act, {"title": title, "missing": [], "quote": lambda: need.public_summary})
