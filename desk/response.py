"""Admin of responses: to look at. What is offered is the responder's word, and the country's the answer."""

from django.contrib import admin

from desk.base import KeptHistory, RuledAdmin
from desk.moving import ReadOnlyInline
from projects.models import Answer, Event, NeedDocument, Response


class AnswerInline(ReadOnlyInline):
    model = Answer
    fields = readonly_fields = ["line", "quantity", "agreed", "delivered"]


class DocumentInline(ReadOnlyInline):
    model = NeedDocument
    fields = readonly_fields = ["title", "media_type", "size", "added_by"]


class EventInline(ReadOnlyInline):
    model = Event
    fk_name = "response"
    fields = readonly_fields = ["at", "by", "action", "from_state", "to_state", "note"]


@admin.register(Response)
class ResponseAdmin(KeptHistory, RuledAdmin, admin.ModelAdmin):
    list_display = ["reference", "need", "partner", "country", "state", "due_on", "created_at"]
    list_select_related = ["need", "partner", "country"]
    list_filter = ["state", "suggested_by", "cost"]
    search_fields = ["reference", "need__reference", "need__title", "partner__name_en", "partner__acronym", "country__name_en"]  # fmt: skip
    inlines = [AnswerInline, DocumentInline, EventInline]
    ordering = ["-created_at", "-pk"]
    list_per_page = 50
    show_full_result_count = False

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False
