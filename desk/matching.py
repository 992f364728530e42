"""Admin of matching: the thesaurus, near themes, and the weights, of which a change is a new version."""

from django import forms
from django.contrib import admin
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from desk.base import KeptHistory, RuledAdmin, is_untouched
from desk.partners import RuledInline
from ground.widgets import WholeNumberField
from projects import matching
from projects.choices import Signal
from projects.matching import words
from projects.models import Concept, MatchWeights, NearTerm, Wording


class WordingInline(RuledInline):
    model = Wording
    fields = ["language", "words"]


@admin.register(Concept)
class ConceptAdmin(KeptHistory, RuledAdmin, admin.ModelAdmin):
    list_display = ["code", "use", "broader"]
    list_select_related = ["broader"]
    list_filter = ["use", "wordings__language"]
    search_fields = ["code", "wordings__words"]
    autocomplete_fields = ["broader"]
    inlines = [WordingInline]

    def save_related(self, request, form, formsets, change):
        super().save_related(request, form, formsets, change)
        if is_untouched(request):
            return
        words.forget()
        self.message_user(request, _("Kept. Records are read again with it tonight, new ones at once."))


@admin.register(NearTerm)
class NearTermAdmin(KeptHistory, RuledAdmin, admin.ModelAdmin):
    list_display = ["one", "other"]
    list_select_related = ["one", "other"]
    autocomplete_fields = ["one", "other"]


class WeightsForm(forms.ModelForm):
    """A new version: the points of each signal, and why."""

    class Meta:
        model = MatchWeights
        fields = ["note"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        present = self.instance.points if self.instance.pk else matching.weights()
        for signal in Signal:
            self.fields[f"points_{signal}"] = WholeNumberField(
                label=signal.label, min_value=0, max_value=100, initial=present.get(signal, 0)
            )

    def clean(self):
        given = super().clean()
        self.instance.points = {signal.value: given.get(f"points_{signal}") for signal in Signal}
        return given


@admin.register(MatchWeights)
class MatchWeightsAdmin(RuledAdmin, admin.ModelAdmin):
    form = WeightsForm
    list_display = ["version", "note", "created_at", "created_by"]
    readonly_fields = ["created_at", "created_by"]
    fieldsets = [
        (None, {"fields": ["note"]}),
        (
            gettext_lazy("points that each signal can give"),
            {
                "fields": [f"points_{signal}" for signal in Signal],
                "description": gettext_lazy("The points of a match are added up and told as a share of 100."),
            },
        ),
    ]

    @admin.display(description=gettext_lazy("version"), ordering="pk")
    def version(self, weights):
        return weights.pk

    def get_form(self, request, obj=None, **kwargs):
        return self.form if obj is None else super().get_form(request, obj, fields=["note"], **kwargs)

    def save_model(self, request, obj, form, change):
        obj.created_by = request.user
        super().save_model(request, obj, form, change)
