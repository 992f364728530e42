"""Admin of needs and of the mail about them. Texts can be corrected with a reason; the state moves by the moves alone."""

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from partners.admin import RuledInline
from partners.rules import require
from projects import actions, drafting, lifecycle, notify
from projects.choices import NeedState
from projects.forms import form_of
from projects.lifecycle import today
from projects.models import CriterionAnswer, Event, LineItem, Need, NeedDocument, NeedTerm, Notice, Response
from projects.tasks import send_notice
from ssc_portal.admin import KeptHistory, RuledAdmin


class ReadOnlyInline(RuledInline):
    """Rows to look at; what changes them is an act of its own."""

    can_delete = False
    max_num = 0
    classes = ["collapse"]

    def has_change_permission(self, request, obj=None):
        return False

    def has_add_permission(self, request, obj=None):
        return False


class NeedTermInline(RuledInline):
    model = NeedTerm
    autocomplete_fields = ["term"]


class LineInline(RuledInline):
    model = LineItem
    fields = ["position", "text", "assistance", "quantity", "unit", "by_when", "note"]


class CriterionInline(ReadOnlyInline):
    model = CriterionAnswer
    fields = readonly_fields = ["criterion", "is_met", "note"]


class DocumentInline(ReadOnlyInline):
    model = NeedDocument
    fields = readonly_fields = ["kind", "title", "media_type", "size", "is_restricted", "added_by"]


class ResponseInline(ReadOnlyInline):
    model = Response
    fields = readonly_fields = ["reference", "partner", "country", "state", "due_on"]


class EventInline(ReadOnlyInline):
    model = Event
    fk_name = "need"
    fields = readonly_fields = ["at", "by", "action", "from_state", "to_state", "note"]


class NeedForm(forms.ModelForm):
    """A correction: needs its reason, and overwrites nobody (the form carries the version that it was made from)."""

    reason = forms.CharField(
        label=gettext_lazy("Reason of the correction"), widget=forms.Textarea(attrs={"rows": 2}), max_length=2000,
        help_text=gettext_lazy("The country is told."),
    )  # fmt: skip
    seen = forms.IntegerField(widget=forms.HiddenInput, required=False)

    class Meta:
        model = Need
        fields = [
            "kind", "language", "title", "problem", "gap", "public_summary", "technology_sought", "technology_purpose",
            "conditions_of_use", "existing_equipment", "operation_and_maintenance", "maturity", "national_plan",
            "institution", "institution_partner", "contact_name", "contact_email", "contact_phone", "scope", "place",
            "beneficiaries", "women", "men", "is_for_women", "is_for_youth", "is_for_indigenous", "existing_initiatives",
            "same_request", "same_request_text", "cofinancing", "cofinancing_text", "languages", "endorsed_by_name",
            "endorsed_on", "referral", "plan", "source_note", "is_illustrative",
        ]  # fmt: skip

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.initial["seen"] = self.instance.version

    def clean(self):
        found = super().clean()
        now = Need.objects.get(pk=self.instance.pk).version
        if found.get("seen") != now:
            self.data = self.data.copy()
            self.data[self.add_prefix("seen")] = now  # the next attempt is made knowingly
            raise ValidationError(
                _("Somebody changed this need after you opened it. What you entered is still here; compare it with the need (opened in another tab), then save again to keep yours.")
            )  # fmt: skip
        return found


class LateFilter(admin.SimpleListFilter):
    title, parameter_name = gettext_lazy("deadline"), "late"

    def lookups(self, request, model_admin):
        return [("yes", _("late"))]

    def queryset(self, request, queryset):
        return queryset.filter(due_on__lt=today()) if self.value() else queryset


@admin.register(Need)
class NeedAdmin(KeptHistory, RuledAdmin, admin.ModelAdmin):
    form = NeedForm
    change_form_template = "admin/projects/need/change_form.html"
    list_display = ["reference", "title", "country", "kind", "state", "age", "due_on"]
    list_display_links = ["reference", "title"]
    list_select_related = ["country"]
    list_filter = ["state", LateFilter, "kind", "is_on_behalf", "source", "is_illustrative"]
    search_fields = ["reference", "title", "country__name_en", "country__iso3"]
    autocomplete_fields = ["institution_partner"]
    readonly_fields = [
        "reference",
        "country",
        "state",
        "state_since",
        "due_on",
        "expires_on",
        "published_at",
        "created_by",
    ]
    inlines = [LineInline, NeedTermInline, CriterionInline, ResponseInline, DocumentInline, EventInline]
    ordering = ["-modified_at", "-pk"]
    list_per_page = 50
    show_full_result_count = False
    actions = ["hold_selected", "resume_selected"]

    @admin.display(description=gettext_lazy("days in this state"), ordering="state_since")
    def age(self, need):
        return (timezone.now() - need.state_since).days

    def queues(self):
        """What waits at the desk, for the start page of admin."""
        screen, opened = lifecycle.moves_of(Need())["find_eligible"], lifecycle.moves_of(Need())["publish"]
        view, here = "projects_need_changelist", {NeedState.SUBMITTED: screen, NeedState.ELIGIBLE: opened}
        return [
            {
                "label": _("Needs: %(state)s") % {"state": state.label}, "view": view, "query": f"state__exact={state}",
                "permission": move.permission, "rows": lambda user, state=state: Need.objects.visible_to(user).filter(state=state),
            }
            for state, move in here.items()
        ] + [
            {
                "label": _("Needs: deadline passed"), "view": view, "query": "late=yes", "permission": "projects.screen_need",
                "rows": lambda user: Need.objects.visible_to(user).filter(due_on__lt=today()),
            }
        ]  # fmt: skip

    # -- who may what
    def get_queryset(self, request):
        return super().get_queryset(request).visible_to(request.user)

    def has_add_permission(self, request):
        return False  # needs are begun on the pages, also by UNEP on a country's behalf

    def has_change_permission(self, request, obj=None):
        return request.user.has_perm("projects.correct_need", obj)

    def has_delete_permission(self, request, obj=None):
        return False  # a draft is deleted on its page; anything later stays

    def save_related(self, request, form, formsets, change):
        super().save_related(request, form, formsets, change)
        drafting.correct(form.instance, by=request.user, note=form.cleaned_data["reason"])

    # -- moves
    def get_urls(self):
        move = self.admin_site.admin_view(self.move_view)
        return [path("<int:pk>/move/<slug:action>/", move, name="projects_need_move"), *super().get_urls()]

    def change_view(self, request, object_id, form_url="", extra_context=None):
        need = self.get_object(request, object_id)
        moves = lifecycle.moves_open_to(request.user, need) if need is not None else []
        return super().change_view(request, object_id, form_url, {"moves": moves, **(extra_context or {})})

    def move_view(self, request, pk, action):
        """Confirms a move, takes what it needs, and makes it: the same form and the same function as on the pages."""
        need = Need.objects.visible_to(request.user).filter(pk=pk).first()
        move = lifecycle.moves_of(Need()).get(action)
        if need is None or move is None or not move.is_for_forms:
            raise Http404
        require(request.user, move.permission, need)
        form = form_of(move, need, user=request.user, data=request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                actions.move(need, action, by=request.user, **form.cleaned_data)
            except ValidationError as error:
                form.add_error(None, error)
            else:
                self.message_user(
                    request,
                    _("%(need)s is “%(state)s” now.") % {"need": need.reference, "state": need.get_state_display()},
                )
                return redirect("admin:projects_need_change", need.pk)
        context = {**self.admin_site.each_context(request), "title": move.label, "record": need, "move": move, "form": form,
                   "opts": self.opts}  # fmt: skip
        return render(request, "admin/projects/move.html", context, status=400 if form.errors else 200)

    def _move_selected(self, request, queryset, action):
        done = 0
        for need in queryset:
            try:
                actions.move(need, action, by=request.user, note=_("Together with others, in admin"))
                done += 1
            except (PermissionDenied, ValidationError) as error:
                why = " ".join(error.messages) if isinstance(error, ValidationError) else str(error)
                self.message_user(request, f"{need.reference}: {why}", messages.WARNING)
        if done:
            self.message_user(request, ngettext("%(n)s need moved.", "%(n)s needs moved.", done) % {"n": done})

    @admin.action(description=gettext_lazy("Put the selected needs on hold"))
    def hold_selected(self, request, queryset):
        self._move_selected(request, queryset, "hold")

    @admin.action(description=gettext_lazy("Take the selected needs off hold"))
    def resume_selected(self, request, queryset):
        self._move_selected(request, queryset, "resume")


@admin.register(Notice)
class NoticeAdmin(RuledAdmin, admin.ModelAdmin):
    """Mail that was sent, failed or came back."""

    list_display = ["created_at", "user", "about", "kind", "status", "attempts", "error"]
    list_select_related = ["user", "event__need", "event__response__need"]
    list_filter = ["status", "kind", "frequency"]
    search_fields = ["user__email", "message_id"]
    actions = ["send_again"]
    show_full_result_count = False

    @admin.display(description=gettext_lazy("about"))
    def about(self, notice):
        need = notice.event.need or notice.event.response.need
        return need.reference

    def queues(self):
        return [
            {
                "label": _("Mail that failed or came back"), "view": "projects_notice_changelist", "query": "status__exact=failed",
                "permission": "projects.view_notice", "rows": lambda user: Notice.objects.troubled(),
            }
        ]  # fmt: skip

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False

    def has_retry_permission(self, request):
        return request.user.has_perm("projects.retry_notice")

    @admin.action(description=gettext_lazy("Send the selected messages again"), permissions=["retry"])
    def send_again(self, request, queryset):
        rows = notify.try_again(queryset)
        for notice in rows:
            send_notice.defer(notice_id=notice.pk)
        self.message_user(
            request,
            ngettext("%(n)s message is tried again.", "%(n)s messages are tried again.", len(rows)) % {"n": len(rows)},
        )
