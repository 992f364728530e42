"""Admin of the vocabularies."""

from django.contrib import admin

from desk.base import KeptHistory, RuledAdmin
from projects.models import Term


@admin.register(Term)
class TermAdmin(KeptHistory, RuledAdmin, admin.ModelAdmin):
    list_display = ["code", "name_en", "vocabulary", "parent", "is_verified", "is_withdrawn"]
    list_select_related = ["parent"]
    list_filter = ["vocabulary", "is_verified", "is_withdrawn"]
    search_fields = ["code", "name_en", "name_fr", "name_es", "name_ar", "name_ru", "name_zh_hans"]
    autocomplete_fields = ["parent", "default_crs"]

    def get_search_results(self, request, queryset, search_term):
        found, duplicates = super().get_search_results(request, queryset, search_term)
        if request.path.endswith("/autocomplete/"):
            found = found.in_use()
        return found, duplicates
