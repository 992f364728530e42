"""One person's own pages: what waits, what they follow, their mail; the calendar of the desk."""

import datetime as dt

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from partners.accounts import has_second_factor, needs_second_factor
from partners.choices import Role
from projects import clocks, dashboard, matches
from projects.choices import Frequency, NoticeKind
from projects.lifecycle import today
from projects.models import Follow, MailPreference, Need

WEEKS = 8
MOST = 25  # entries of one week; the rest is counted, and stands in admin


@login_required
@require_safe
def my_dashboard(request: HttpRequest) -> HttpResponse:
    user = request.user
    held = user.memberships.active().select_related("country", "partner")
    context = {
        "tasks": dashboard.your_move(user),
        "others": dashboard.with_others(user),
        "followed": dashboard.followed(user),
        "news": dashboard.news(user),
        "to_share": dashboard.to_share(user),
        "saved": matches.saved_by(user),
        "held": held,
        "asked": user.join_requests.filter(decided_at=None).select_related("country", "partner"),
        "may_begin": user.has_perm("projects.add_need"),
        "may_offer": user.has_perm("projects.add_offer"),
        "fitting": matches.fitting(matches.found_for(user)).count(),
        "may_grant": user.has_perm("partners.grant_membership"),
        "lacks_second_factor": needs_second_factor(user) and not has_second_factor(user),
        "countries": [m.country for m in held if m.role == Role.FOCAL_POINT],
    }
    return render(request, "projects/dashboard.html", context)


@login_required
@require_POST
def news_seen(request: HttpRequest) -> HttpResponse:
    request.user.news_seen_at = timezone.now()
    request.user.save(update_fields=["news_seen_at"])
    return redirect("dashboard")


@login_required
@require_POST
def need_follow(request: HttpRequest, reference: str) -> HttpResponse:
    """Follows a need, or no longer."""
    need = get_object_or_404(Need.objects.visible_to(request.user), reference=reference.upper())
    if "stop" in request.POST:
        Follow.objects.filter(user=request.user, need=need).delete()
        messages.success(request, _("You no longer follow %(reference)s.") % {"reference": need.reference})
    else:
        Follow.objects.get_or_create(user=request.user, need=need)
        messages.success(request, _("You follow %(reference)s: what happens stands on your page, and comes by mail as you chose.") % {"reference": need.reference})  # fmt: skip
    return redirect(need)


class MailForm(forms.Form):
    def __init__(self, *args, user, **kwargs):
        super().__init__(*args, **kwargs)
        self.user = user
        chosen = MailPreference.of([user])[user.pk]
        for kind in NoticeKind:
            self.fields[kind.value] = forms.ChoiceField(
                label=kind.label, choices=Frequency, widget=forms.RadioSelect, initial=chosen[kind]
            )

    def save(self) -> None:
        for kind, frequency in self.cleaned_data.items():
            MailPreference.objects.update_or_create(user=self.user, kind=kind, defaults={"frequency": frequency})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def my_mail(request: HttpRequest) -> HttpResponse:
    """How often which mail comes, and what was sent lately."""
    form = MailForm(request.POST or None, user=request.user)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Your choice is kept."))
        return redirect("my-mail")
    latest = request.user.notices.select_related(
        "event__need", "event__response__need", "event__offer", "event__project", "found__need"
    )[:20]
    return render(
        request, "projects/my_mail.html", {"form": form, "latest": latest}, status=400 if form.errors else 200
    )


@login_required
@require_safe
def desk_calendar(request: HttpRequest) -> HttpResponse:
    """What is due at the desk in the coming weeks, and what is late."""
    if not request.user.is_staff:
        raise PermissionDenied(_("The calendar is for UNEP's staff."))
    now = today()
    monday = now - dt.timedelta(days=now.weekday())
    late, late_count = clocks.calendar(request.user, now - dt.timedelta(days=365), now - dt.timedelta(days=1), MOST)
    weeks = []
    for number in range(WEEKS):
        first = monday + dt.timedelta(weeks=number)
        entries, count = clocks.calendar(request.user, max(first, now), first + dt.timedelta(days=6), MOST)
        weeks.append((first, entries, count - len(entries)))
    return render(
        request, "projects/calendar.html", {"late": late, "more_late": late_count - len(late), "weeks": weeks}
    )
