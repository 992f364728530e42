"""Admin of webhooks: whose systems are called, and what came of it. Their owners make and change them on the pages."""

from django.contrib import admin

from desk.base import KeptHistory, RuledAdmin
from desk.partners import OnlyLooked
from projects.models import Webhook, WebhookCall


@admin.register(Webhook)
class WebhookAdmin(OnlyLooked, KeptHistory, RuledAdmin, admin.ModelAdmin):
    list_display = ["url", "user", "subject", "query", "created_at", "paused_at", "paused_by"]
    list_select_related = ["user"]
    list_filter = ["subject", "paused_by"]
    search_fields = ["url", "user__email"]
    fields = readonly_fields = ["user", "url", "subject", "query", "created_at", "paused_at", "paused_by"]


@admin.register(WebhookCall)
class WebhookCallAdmin(OnlyLooked, RuledAdmin, admin.ModelAdmin):
    list_display = ["created_at", "webhook", "what", "record", "state", "attempts", "status", "problem"]
    list_select_related = ["webhook"]
    list_filter = ["state"]
    search_fields = ["record", "webhook__url"]
    fields = readonly_fields = [
        "webhook", "number", "what", "record", "body", "state", "attempts", "status", "problem", "created_at", "tried_at", "next_at",
    ]  # fmt: skip
