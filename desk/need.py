"""Admin of needs and of the mail about them. Texts can be corrected with a reason; the state moves by the moves alone."""

from django.contrib import admin
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from desk.base import KeptHistory, RuledAdmin
from desk.importing import Tabled
from desk.moving import Corrected, Correction, Moving, ReadOnlyInline
from desk.partners import RuledInline
from projects import drafting, lifecycle, notify
from projects.choices import NeedState
from projects.lifecycle import today
from projects.models import (
    Confirmation,
    CriterionAnswer,
    Event,
    LineItem,
    Need,
    NeedDocument,
    NeedTerm,
    Notice,
    PlanActivity,
    PlanIndicator,
    PlanRole,
    Response,
)
from projects.tasks import send_notice


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


class PlanRoleInline(ReadOnlyInline):
    model = PlanRole
    fields = readonly_fields = ["country", "partner", "role"]


class ActivityInline(ReadOnlyInline):
    model = PlanActivity
    fields = readonly_fields = ["text", "country", "partner", "kind", "quantity", "unit", "starts_on", "ends_on"]


class IndicatorInline(ReadOnlyInline):
    model = PlanIndicator
    fields = readonly_fields = ["text", "unit", "baseline", "target", "target_on"]


class ConfirmationInline(ReadOnlyInline):
    model = Confirmation
    fields = readonly_fields = ["step", "side", "country", "partner", "by", "at"]


class EventInline(ReadOnlyInline):
    model = Event
    fk_name = "need"
    fields = readonly_fields = ["at", "by", "action", "from_state", "to_state", "note"]


class NeedForm(Correction):
    class Meta:
        model = Need
        fields = [
            "kind", "language", "title", "problem", "gap", "public_summary", "technology_sought", "technology_purpose",
            "conditions_of_use", "existing_equipment", "operation_and_maintenance", "maturity", "national_plan",
            "institution", "institution_partner", "contact_name", "contact_email", "contact_phone", "scope", "place",
            "beneficiaries", "women", "men", "is_for_women", "is_for_youth", "is_for_indigenous", "monitoring",
            "existing_initiatives",
            "same_request", "same_request_text", "cofinancing", "cofinancing_text", "languages", "endorsed_by_name",
            "endorsed_on", "referral", "plan", "source_note", "is_illustrative",
        ]  # fmt: skip

    def save(self, commit=True):
        drafting.take_back_approval(self.instance, self.initial.get("public_summary", ""))
        return super().save(commit)


class LateFilter(admin.SimpleListFilter):
    title, parameter_name = gettext_lazy("deadline"), "late"

    def lookups(self, request, model_admin):
        return [("yes", _("late"))]

    def queryset(self, request, queryset):
        return queryset.filter(due_on__lt=today()) if self.value() else queryset


class StoryFilter(admin.SimpleListFilter):
    title, parameter_name = gettext_lazy("story"), "story"

    def lookups(self, request, model_admin):
        return [("proposed", _("closed well, proposed as a story"))]

    def queryset(self, request, queryset):
        return queryset.proposed_as_stories() if self.value() else queryset


@admin.register(Need)
class NeedAdmin(Tabled, Corrected, Moving, KeptHistory, RuledAdmin, admin.ModelAdmin):
    table_kind = "needs"
    form = NeedForm
    change_form_template = "admin/projects/moving_form.html"
    list_display = ["reference", "title", "country", "kind", "state", "age", "due_on"]
    list_display_links = ["reference", "title"]
    list_select_related = ["country"]
    list_filter = ["state", LateFilter, StoryFilter, "kind", "is_on_behalf", "source", "is_illustrative"]
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
    inlines = [LineInline, NeedTermInline, CriterionInline, ResponseInline, PlanRoleInline, ActivityInline, IndicatorInline,
               ConfirmationInline, DocumentInline, EventInline]  # fmt: skip
    ordering = ["-modified_at", "-pk"]
    list_per_page = 50
    show_full_result_count = False
    actions = ["hold_selected", "resume_selected", *Tabled.actions]

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
            },
            {
                "label": _("Needs closed well: stories to tell"), "view": view, "query": "story=proposed", "permission": "projects.publish_need",
                "rows": lambda user: Need.objects.visible_to(user).proposed_as_stories(),
            },
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

    # -- moves of many
    @admin.action(description=gettext_lazy("Put the selected needs on hold"))
    def hold_selected(self, request, queryset):
        self.move_selected(request, queryset, "hold", _("Together with others, in admin"))

    @admin.action(description=gettext_lazy("Take the selected needs off hold"))
    def resume_selected(self, request, queryset):
        self.move_selected(request, queryset, "resume", _("Together with others, in admin"))


@admin.register(Notice)
class NoticeAdmin(RuledAdmin, admin.ModelAdmin):
    """Mail that was sent, failed or came back."""

    list_display = ["created_at", "user", "about", "kind", "status", "attempts", "error"]
    list_select_related = [
        "user",
        "event__need",
        "event__response__need",
        "event__offer",
        "event__project",
        "found__need",
    ]
    list_filter = ["status", "kind", "frequency"]
    search_fields = ["user__email", "message_id"]
    actions = ["send_again"]
    show_full_result_count = False

    @admin.display(description=gettext_lazy("about"))
    def about(self, notice):
        return notice.record.reference

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
