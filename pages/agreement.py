"""Pages of the plan and the delivery: writing it, confirming it, saying what was delivered."""

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _

from ground import listing
from pages.acting import acted_on, answer_form, given
from partners.rules import require
from partners.sent_once import once
from projects import actions, agreement, deliveries, drafting
from projects.choices import ConfirmedStep, NeedState, Side
from projects.forms import CheckForm, DeliveredForm, NoteForm, PlanForm
from projects.lifecycle.need import TO_AGREE, unconfirmed
from projects.models import Need, Project


def found(request: HttpRequest, reference: str) -> Need:
    return acted_on(request, Need.objects.visible_to(request.user), reference)


def plan_shown(need: Need) -> dict:
    """What the pages show of a plan: its rows, who has confirmed it, whose word is missing."""
    given = [c for c in need.confirmations.select_related("country", "partner") if c.step == ConfirmedStep.PLAN]
    return {
        "plan_roles": need.plan_roles.select_related("country", "partner"),
        "activities": need.activities.select_related("country", "partner", "line", "contribution"),
        "indicators": need.indicators.select_related("result"),
        "missing": [one.message for one in TO_AGREE if not one.is_met(need)],
        "confirmed": given,
        "unconfirmed": _still_to_confirm(need, ConfirmedStep.PLAN),
    }


def what_was_delivered(need: Need) -> dict:
    """What a form shows of it, before somebody confirms it or closes the need: each accepted answer, reported or not."""
    figures = SimpleLazyObject(lambda: list(agreement.accepted_answers(need)))
    return {"figures": figures, "unreported": lambda: any(answer.delivered is None for answer in figures)}


def _still_to_confirm(need: Need, step: str) -> list:
    """Who has not confirmed yet: providers by name, the country and UNEP as sides."""
    return [who or Side(side).label for side, who in unconfirmed(need, step)]


@login_required
def need_plan(request: HttpRequest, reference: str) -> HttpResponse:
    """Each side may write the plan; a change takes back what was confirmed."""
    need = found(request, reference)
    require(request.user, "projects.confirm_need", need)
    if need.state not in agreement.WRITABLE:
        raise PermissionDenied(_("A plan is written from the dialogue to the end of the delivery."))
    seen = request.POST.get("seen") or agreement.fingerprint(need)
    form, conflict, code = PlanForm(given(request), need=need), None, 200
    if request.method == "POST":
        code = 400
        if form.is_valid():
            try:
                agreement.write_plan(need, form.values, by=request.user, seen=seen)
            except drafting.Conflict as error:
                conflict, code = error, 409
            except ValidationError as error:
                for text in error.messages:
                    form.add_error(None, text)
            else:
                if "add" in request.POST:
                    return redirect(f"{reverse('need-plan', args=[need.reference])}#spare")
                messages.success(request, _("The plan is kept. The country, each provider and UNEP confirm it."))
                return redirect(need)
    context = {"need": need, "record": need, "form": form, "seen": conflict.seen if conflict else seen}
    if conflict:
        context |= {"conflict": True, "stands": plan_shown(need)}
    return render(request, "projects/plan.html", context, status=code)


@login_required
@once
def need_confirm(request: HttpRequest, reference: str, step: str) -> HttpResponse:
    """One side confirms the plan or the delivery."""
    need = found(request, reference)
    if step not in ConfirmedStep.values:
        raise Http404
    require(request.user, "projects.confirm_need", need)
    form = forms.Form(given(request))

    def act() -> str:
        if agreement.confirm(need, step, by=request.user):
            return _("Confirmed by all: %(state)s.") % {"state": Need.objects.get(pk=need.pk).get_state_display()}
        return _("Confirmed. Still to confirm: %(who)s.") % {
            "who": listing.with_semicolons(_still_to_confirm(need, step))
        }

    title = _("Confirm the plan") if step == ConfirmedStep.PLAN else _("Confirm the delivery")
    context = {"title": title, "missing": []}
    if step == ConfirmedStep.PLAN:
        context |= {"need": need, "show_plan": True, "plan": SimpleLazyObject(lambda: plan_shown(need))}
    else:
        context |= what_was_delivered(need)
    return answer_form(request, need, form, act, context)


@login_required
@once
def need_delivered(request: HttpRequest, reference: str) -> HttpResponse:
    """How much of each line has been delivered."""
    need = found(request, reference)
    require(request.user, "projects.deliver_need", need)
    form = DeliveredForm(given(request), need=need, answers=deliveries.stated_by(request.user, need))

    def act() -> str:
        deliveries.record_delivered(need, form.delivered, by=request.user)
        return _("Kept. The partners and UNEP each confirm the delivery.")

    return answer_form(request, need, form, act, {"title": _("Enter what was delivered"), "missing": []})


@login_required
@once
def need_progress(request: HttpRequest, reference: str) -> HttpResponse:
    """The six-monthly update."""
    need = found(request, reference)
    require(request.user, "projects.deliver_need", need)
    form = NoteForm(given(request), is_required=True, is_public=True)

    def act() -> str:
        actions.report_progress(need, form.cleaned_data["note"], by=request.user)
        return _("Thank you. The next update is due in six months.")

    return answer_form(request, need, form, act, {"title": _("Report progress"), "missing": []})


def acts_of(user, need: Need) -> list[tuple[str, str]]:
    """Buttons of the plan and the delivery: (address, label)."""
    acts = []

    def add(name: str, label: str, *args) -> None:
        acts.append((reverse(name, args=[need.reference, *args]), label))

    if need.state in agreement.WRITABLE and user.has_perm("projects.confirm_need", need):
        written = agreement.is_written(need)
        add("need-plan", _("Change the plan") if written else _("Write the plan"))
        if agreement.may_confirm(need, ConfirmedStep.PLAN, user):
            add("need-confirm", _("Confirm the plan"), ConfirmedStep.PLAN)
    if need.state == NeedState.IN_DELIVERY and user.has_perm("projects.deliver_need", need):
        add("need-progress", _("Report progress"))
        add("need-delivered", _("Enter what was delivered"))
        if agreement.may_confirm(need, ConfirmedStep.DELIVERY, user):
            add("need-confirm", _("Confirm the delivery"), ConfirmedStep.DELIVERY)
    return acts


@login_required
@once
def project_check(request: HttpRequest, reference: str) -> HttpResponse:
    """A country or partner of a project says whether its record is right."""
    project = acted_on(request, Project.objects.visible_to(request.user), reference)
    sides = actions.speaks_for(request.user, project)
    if not sides:
        raise PermissionDenied(
            _("Focal points of its countries and leads of its partners say whether a record is right.")
        )
    form = CheckForm(given(request), project=project, sides=sides)

    def act() -> str:
        check = actions.check_record(form.instance, by=request.user)
        if check.is_right:
            return _("Thank you. It stands on the page that %(who)s confirms the record.") % {"who": check.who}
        return _("Thank you. It stands on the page, and UNEP is told.")

    return answer_form(request, project, form, act, {"title": _("Confirm or dispute the record"), "missing": []})
