"""Pages of needs: the list, one need, and those that nobody has answered."""

import uuid

from django import forms
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from partners.models import Region
from partners.rules import require
from projects import actions, charts, drafting, lifecycle
from projects.choices import Audience, ConfirmedStep, NeedState, Vocabulary
from projects.coverage import coverage_of
from projects.filters import NeedFilter
from projects.forms import (
    DeliveredForm,
    NoteForm,
    PlanForm,
    ResponseForm,
    ScreeningForm,
    form_of,
    responders,
)
from projects.lifecycle.need import HOLDER, NEXT, WRITING
from projects.models import FacetKind, Need, NeedDocument, NeedEntry, Response, Term
from projects.models.need import AUDIENCE, UNANSWERED_AFTER
from projects.timeline import timeline
from projects.views.acting import answer_form, given
from projects.views.listing import list_page
from ssc_portal.templatetags.portal import day as format_date


@require_safe
def need_list(request: HttpRequest) -> HttpResponse:
    filterset = NeedFilter(request.GET, queryset=Need.objects.all(), request=request)
    more = {
        "list_name": _("Needs"),
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
    coverage, readable = coverage_of(need), need.readable_by(request.user)
    return render(
        request,
        "projects/need_detail.html",
        {
            "need": need,
            "steps": charts.thread(need),
            "holder": HOLDER.get(need.state),
            "coverage": [(row, charts.strip(*row.parts)) for row in coverage],
            "open_lines": sum(1 for row in coverage if row.open > 0),
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
            "may_respond": bool(responders(request.user, need)),
            "waiting": [r for r in need.responses.all() if r.state == "expressed"]
            if request.user.has_perm("projects.begin_dialogue_need", need)
            else [],
            "documents": NeedDocument.objects.visible_to(request.user).filter(need=need),
            "follows": request.user.is_authenticated and need.follows.filter(user=request.user).exists(),
            "children": [child for child in need.children.all() if child.is_published],
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
    for name in AUDIENCE:
        value = getattr(need, f"get_{name}_display", lambda name=name: getattr(need, name))()
        if name in readable and value:
            found.append((str(need._meta.get_field(name).verbose_name), str(value)))
    return found


def _acts(user, need: Need) -> list[tuple[str, str]]:
    """Buttons beside the moves: (address, label)."""
    acts = []

    def add(name: str, label: str, permission: str, *states: str, step: str = "") -> None:
        if need.state in states and user.has_perm(f"projects.{permission}_need", need):
            acts.append((reverse(name, args=[need.reference, *filter(None, [step])]), label))

    add("need-draft", _("Write on"), "change", *WRITING)
    add("need-screen", _("Screen"), "screen", NeedState.SUBMITTED)
    if need.state in (NeedState.SUBMITTED, NeedState.ELIGIBLE) and user.has_perm("projects.change_need", need):
        acts.append((reverse("need-part", args=[need.reference, "summary"]), _("Change the public summary")))
    if need.summary_approved_at is None:
        states = (NeedState.SUBMITTED, NeedState.RETURNED, NeedState.ELIGIBLE)
        add("need-approve", _("Approve the public summary"), "approve_summary", *states)
    add("need-plan", _("Write the plan"), "confirm", NeedState.IN_DIALOGUE)
    if need.plan:
        add("need-confirm", _("Confirm the plan"), "confirm", NeedState.IN_DIALOGUE, step=ConfirmedStep.PLAN)
    add("need-progress", _("Report progress"), "deliver", NeedState.IN_DELIVERY)
    add("need-delivered", _("Enter what was delivered"), "deliver", NeedState.IN_DELIVERY)
    if any(answer.delivered for response in need.responses.all() for answer in response.answers.all()):
        add("need-confirm", _("Confirm the delivery"), "deliver", NeedState.IN_DELIVERY, step=ConfirmedStep.DELIVERY)
    return acts


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
def _found(request: HttpRequest, reference: str) -> Need:
    return get_object_or_404(Need.objects.visible_to(request.user), reference=reference.upper())


@login_required
def need_move(request: HttpRequest, reference: str, action: str) -> HttpResponse:
    """Confirms a move, asks for its note, and makes it."""
    need = _found(request, reference)
    move = lifecycle.moves_of(need).get(action)
    if move is None or not move.is_for_forms:
        raise Http404
    require(request.user, move.permission, need)
    form = form_of(move, need, user=request.user, data=given(request))

    def act() -> str:
        child = actions.move(need, action, by=request.user, **form.cleaned_data)
        if child is not None:
            return _("Closed. The open lines go on as the draft %(reference)s.") % {"reference": child.reference}
        return _("%(need)s is “%(state)s” now. %(next)s") % {
            "need": need.reference, "state": need.get_state_display(), "next": NEXT[need.state],
        }  # fmt: skip

    asked = {"project", "merged_into", "outcome", "rating", "lessons"} & set(form.fields)
    missing = [r for r in lifecycle.missing_for(need, move.to_state) if r.field not in asked]
    return answer_form(request, need, form, act, {"title": move.label, "missing": missing})


@login_required
def need_plan(request: HttpRequest, reference: str) -> HttpResponse:
    """Each side may write the plan; a change takes back what was confirmed."""
    need = _found(request, reference)
    require(request.user, "projects.confirm_need", need)
    seen = request.POST.get("seen") or drafting.fingerprint(need, ["plan"])
    form, conflict = PlanForm(given(request), instance=need), None

    def act() -> str:
        actions.write_plan(need, form.cleaned_data["plan"], by=request.user, seen=seen)
        return _("The plan is kept. The country, the partners and UNEP each confirm it.")

    try:
        return answer_form(request, need, form, act, {"title": _("Write the plan"), "missing": [], "seen": seen})
    except drafting.Conflict as error:
        conflict = error
    form.add_error(None, conflict.messages[0])
    context = {"title": _("Write the plan"), "missing": [], "seen": conflict.seen, "quote": conflict.stored["plan"]}
    return render(request, "projects/act.html", {"record": need, "form": form, **context}, status=409)


@login_required
def need_confirm(request: HttpRequest, reference: str, step: str) -> HttpResponse:
    """One side confirms the plan or the delivery."""
    need = _found(request, reference)
    if step not in ConfirmedStep.values:
        raise Http404
    require(request.user, "projects.confirm_need", need)
    form = forms.Form(given(request))

    def act() -> str:
        done = actions.confirm(need, step, by=request.user)
        return (
            _("Confirmed by all: %(state)s.") % {"state": Need.objects.get(pk=need.pk).get_state_display()}
            if done
            else _("Confirmed. It moves on when every side has confirmed.")
        )

    title = _("Confirm the plan") if step == ConfirmedStep.PLAN else _("Confirm the delivery")
    context = {"title": title, "missing": [], "quote": need.plan if step == ConfirmedStep.PLAN else ""}
    return answer_form(request, need, form, act, context)


@login_required
def need_delivered(request: HttpRequest, reference: str) -> HttpResponse:
    """How much of each line has been delivered."""
    need = _found(request, reference)
    require(request.user, "projects.deliver_need", need)
    form = DeliveredForm(given(request), need=need)

    def act() -> str:
        actions.record_delivered(need, form.delivered, by=request.user)
        return _("Kept. The partners and UNEP each confirm the delivery.")

    return answer_form(request, need, form, act, {"title": _("Enter what was delivered"), "missing": []})


@login_required
def need_progress(request: HttpRequest, reference: str) -> HttpResponse:
    """The six-monthly update."""
    need = _found(request, reference)
    require(request.user, "projects.deliver_need", need)
    form = NoteForm(given(request), is_required=True, is_public=True)

    def act() -> str:
        actions.report_progress(need, form.cleaned_data["note"], by=request.user)
        return _("Thank you. The next update is due in six months.")

    return answer_form(request, need, form, act, {"title": _("Report progress"), "missing": []})


@login_required
def need_screen(request: HttpRequest, reference: str) -> HttpResponse:
    """The screener's answers to each criterion."""
    need = _found(request, reference)
    require(request.user, "projects.screen_need", need)
    form = ScreeningForm(given(request), need=need)

    def act() -> str:
        actions.screen(need, form.answers, by=request.user, referral=form.cleaned_data["referral"])
        return _("The answers are kept. Now find it eligible or not.")

    return answer_form(request, need, form, act, {"title": _("Screen"), "missing": []})


@login_required
def need_approve(request: HttpRequest, reference: str) -> HttpResponse:
    """The national focal point approves what the public will read."""
    need = _found(request, reference)
    require(request.user, "projects.approve_summary_need", need)
    form = forms.Form(given(request))

    def act() -> str:
        actions.approve_summary(need, by=request.user)
        return _("Approved. UNEP can open the need now.")

    title = _("Approve the public summary")
    return answer_form(request, need, form, act, {"title": title, "missing": [], "quote": need.public_summary})


@login_required
def need_respond(request: HttpRequest, reference: str) -> HttpResponse:
    """A partner or another country offers to cover lines."""
    need = _found(request, reference)
    if not responders(request.user, need):
        raise PermissionDenied(_("Members and leads of partners, and focal points of other countries, can respond."))
    form = ResponseForm(
        given(request),
        need=need,
        user=request.user,
        initial={"key": uuid.uuid4().hex, "offer": request.GET.get("offer")},
    )

    def act() -> str:
        response = actions.respond(form.instance, form.answers, by=request.user, key=form.cleaned_data["key"])
        return _("Your response %(reference)s is with the country. It answers by %(date)s.") % {
            "reference": response.reference, "date": format_date(response.due_on),
        }  # fmt: skip

    return answer_form(request, need, form, act, {"title": _("Respond to this need"), "missing": []})


@login_required
def response_answer(request: HttpRequest, reference: str, action: str) -> HttpResponse:
    """The country accepts or declines a response; the responder takes it back."""
    response = get_object_or_404(Response.objects.visible_to(request.user), reference=reference)
    need = response.need
    move = lifecycle.moves_of(response).get(action)
    if move is None or action not in ("accept", "decline", "take_back"):
        raise Http404
    require(request.user, move.permission, response)
    form = NoteForm(given(request), is_required=move.requires_note, is_public=move.is_note_public)

    def act() -> str:
        if action == "accept":
            actions.accept_response(response, by=request.user, note=form.cleaned_data["note"])
        else:
            lifecycle.transition(response, action, by=request.user, note=form.cleaned_data["note"])
        return _("%(reference)s: %(state)s.") % {"reference": response.reference, "state": response.get_state_display()}

    return answer_form(
        request,
        need,
        form,
        act,
        {"title": f"{move.label}: {response.responder}", "missing": [], "quote": response.text},
    )
