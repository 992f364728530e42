"""Admin of offers: entered on a provider's behalf, corrected with a reason; the state moves by the moves alone."""

from django import forms
from django.contrib import admin
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from desk.base import KeptHistory, RuledAdmin
from desk.importing import Tabled
from desk.moving import Corrected, Correction, Moving, ReadOnlyInline
from desk.partners import RuledInline
from projects import lifecycle
from projects.choices import OfferState
from projects.models import Eligible, Event, Offer, OfferLine, OfferTerm, Response


class OfferTermInline(RuledInline):
    model = OfferTerm
    autocomplete_fields = ["term"]


class OfferLineInline(RuledInline):
    model = OfferLine
    fields = ["position", "text", "assistance", "cost", "quantity", "unit", "note"]


class EligibleInline(RuledInline):
    model = Eligible
    autocomplete_fields = ["country", "group", "region"]
    verbose_name_plural = gettext_lazy("who can have it (nothing here: all countries)")


class ResponseInline(ReadOnlyInline):
    model = Response
    fk_name = "offer"
    fields = readonly_fields = ["reference", "need", "state", "due_on"]


class EventInline(ReadOnlyInline):
    model = Event
    fk_name = "offer"
    fields = readonly_fields = ["at", "by", "action", "from_state", "to_state", "note"]


class OfferForm(Correction):
    website = forms.URLField(label=gettext_lazy("website"), max_length=500, required=False, assume_scheme="https")

    class Meta:
        model = Offer
        fields = [
            "kind", "partner", "country", "language", "title", "summary", "description", "languages", "available_from",
            "available_until", "deadline", "how_to_apply", "website", "maturity", "past_cooperation", "evidence", "project",
            "conditions", "intellectual_property", "contact_name", "contact_email", "contact_phone", "source_note", "is_illustrative",
        ]  # fmt: skip


@admin.register(Offer)
class OfferAdmin(Tabled, Corrected, Moving, KeptHistory, RuledAdmin, admin.ModelAdmin):
    table_kind = "offers"
    form = OfferForm
    change_form_template = "admin/projects/moving_form.html"
    list_display = ["reference", "title", "partner", "country", "kind", "state", "due_on", "expires_on"]
    list_display_links = ["reference", "title"]
    list_select_related = ["partner", "country"]
    list_filter = ["state", "kind", "is_on_behalf", "source", "is_illustrative"]
    search_fields = ["reference", "title", "partner__name_en", "partner__acronym", "country__name_en", "country__iso3"]
    autocomplete_fields = ["partner", "country", "project"]
    readonly_fields = ["reference", "state", "state_since", "due_on", "expires_on", "verified_by", "published_at", "created_by"]  # fmt: skip
    inlines = [OfferLineInline, OfferTermInline, EligibleInline, ResponseInline, EventInline]
    ordering = ["-modified_at", "-pk"]
    list_per_page = 50
    show_full_result_count = False

    def queues(self):
        """What waits at the desk, for the start page of admin."""
        return [
            {
                "label": _("Offers to verify"), "view": "projects_offer_changelist", "query": f"state__exact={OfferState.SUBMITTED}",
                "permission": "projects.verify_offer", "rows": lambda user: Offer.objects.filter(state=OfferState.SUBMITTED),
            }
        ]  # fmt: skip

    def get_queryset(self, request):
        return super().get_queryset(request).visible_to(request.user)

    def has_change_permission(self, request, obj=None):
        return request.user.has_perm("projects.correct_offer", obj)

    def save_model(self, request, obj, form, change):
        if not change:
            obj.created_by, obj.is_on_behalf = request.user, True
        super().save_model(request, obj, form, change)
        if not change:
            lifecycle.write_down(obj, "begin", by=request.user)
