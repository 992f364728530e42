"""Admin of projects: one page for everything that belongs to one, lists with the portal's own filters, moves, exchange."""

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from desk.base import KeptHistory, RuledAdmin, is_untouched
from desk.importing import Tabled
from desk.moving import Moving, ReadOnlyInline
from desk.partners import RuledInline
from partners.models import Country, CountryGroup, Partner, Region
from projects import deliveries, quality, recording, search
from projects.choices import State, Vocabulary
from projects.models import (
    Budget,
    Contribution,
    Document,
    FacetKind,
    Location,
    Project,
    ProjectCountry,
    ProjectPartner,
    ProjectRegion,
    ProjectTerm,
    ProjectTranslation,
    RecordCheck,
    RelatedProject,
    Result,
    SearchEntry,
    Term,
    Transaction,
    Update,
)  # fmt: skip
from projects.models.parts import misfit_of_countries, misfit_of_terms


# --- filters: the facets of the pages, in the sidebar ----------------------------------------------------------------
def _counts(request):
    """The counts of all facets, read once for all filters of a page."""
    if not hasattr(request, "facet_counts"):
        request.facet_counts = SearchEntry.objects.counts_for(request.user)
    return request.facet_counts


class FacetListFilter(admin.SimpleListFilter):
    """Values in use of one kind of facet. The same parameter and codes as on the pages and in the API."""

    kind: FacetKind
    most = 60
    template = "admin/facet.html"  # closed until it is used

    def records(self):
        raise NotImplementedError

    def lookups(self, request, model_admin):
        counts = self.kind.among(_counts(request))
        keys = sorted(counts, key=lambda key: -counts[key])[: self.most]
        known = {
            pk: (code, name) for pk, code, name in self.records().filter(pk__in=keys).values_list("pk", *self.columns)
        }
        return sorted(
            ((known[key][0], f"{known[key][1]} ({counts[key]})") for key in keys if key in known),
            key=lambda o: o[1],
        )

    def queryset(self, request, queryset):
        if self.value() is None:
            return queryset
        found = self.records().filter(**{self.columns[0]: self.value()}).first()
        if found is None:
            return queryset.none()
        return queryset.filter(entry__facets__contains=[self.kind.of(found.pk)])


def facet_filter(name, label, kind_, model, code, **fixed):
    """A filter class for one kind of facet."""
    return type(
        f"{name.title()}Filter",
        (FacetListFilter,),
        {
            "title": label, "parameter_name": name, "kind": kind_, "columns": (code, "name_en"),
            "records": lambda self: model.objects.filter(**fixed),
        },
    )  # fmt: skip


FACET_FILTERS = [
    facet_filter("country", gettext_lazy("country"), FacetKind.COUNTRY, Country, "iso3"),
    facet_filter("region", gettext_lazy("region"), FacetKind.REGION, Region, "code"),
    facet_filter("group", gettext_lazy("country group"), FacetKind.GROUP, CountryGroup, "code"),
    facet_filter("theme", gettext_lazy("theme"), FacetKind.TERM, Term, "code", vocabulary=Vocabulary.BSP_THEME),
    facet_filter("partner", gettext_lazy("partner"), FacetKind.PARTNER, Partner, "slug"),
]


class YearFilter(admin.SimpleListFilter):
    template = "admin/facet.html"
    title, parameter_name = gettext_lazy("year"), "year"

    def lookups(self, request, model_admin):
        counts = FacetKind.YEAR.among(_counts(request))
        return [(str(year), f"{year} ({n})") for year, n in sorted(counts.items(), reverse=True)]

    def queryset(self, request, queryset):
        value = self.value()
        if value is None:
            return queryset
        if not (value.isascii() and value.isdigit() and len(value) == 4):
            return queryset.none()
        return queryset.filter(entry__facets__contains=[FacetKind.YEAR.of(int(value))])


class QualityFilter(admin.SimpleListFilter):
    title, parameter_name = gettext_lazy("data quality"), "quality"
    BANDS = {"low": (0, 39), "middle": (40, 69), "high": (70, 100)}

    def lookups(self, request, model_admin):
        return [("low", _("below 40")), ("middle", _("40 to 69")), ("high", _("70 and more"))]

    def queryset(self, request, queryset):
        band = self.BANDS.get(self.value())
        return queryset.filter(quality_score__range=band) if band else queryset


class UnresolvedFilter(admin.SimpleListFilter):
    title, parameter_name = gettext_lazy("kept as reported"), "unresolved"

    def lookups(self, request, model_admin):
        return [
            ("country", _("a country to recognise")),
            ("partner", _("a partner to recognise")),
            ("term", _("a sector to recognise")),
        ]

    def queryset(self, request, queryset):
        parts = {"country": ProjectCountry, "partner": ProjectPartner, "term": ProjectTerm}
        part = parts.get(self.value())
        return queryset.filter(pk__in=part.objects.unresolved().values("project")) if part else queryset


# --- the parts of a project ------------------------------------------------------------------------------------------
class TranslationInline(admin.StackedInline, RuledInline):
    model = ProjectTranslation
    classes = ["collapse"]


class LinksFormSet(forms.BaseInlineFormSet):
    """Base: links that are judged together."""

    def clean(self):
        super().clean()
        if not any(self.errors) and (misfit := self.misfit(self._kept())):
            raise ValidationError(misfit)

    def _kept(self) -> list:
        return [form.instance for form in self.forms if form.cleaned_data and not form.cleaned_data.get("DELETE")]

    def misfit(self, links: list) -> str | None:
        """Why they don't fit, in words for whoever enters them."""
        raise NotImplementedError


class CountriesFormSet(LinksFormSet):
    """Checks roles and shares together, with the modality as entered on the same page."""

    def misfit(self, links):
        self.instance.countries_entered = links  # for the regions, which come later on the page
        return misfit_of_countries(self.instance.modality, links)


class CountryInline(RuledInline):
    model = ProjectCountry
    formset = CountriesFormSet
    extra = 2
    autocomplete_fields = ["country"]
    fields = ["country", "role", "provider_order", "share", "note", "as_reported"]
    readonly_fields = ["as_reported"]


class RegionsFormSet(LinksFormSet):
    """Checks the shares together with those of the countries as entered on the same page."""

    def misfit(self, links):
        countries = getattr(self.instance, "countries_entered", None)  # none where something else is wrong with them
        if countries is None or misfit_of_countries(self.instance.modality, countries):
            return None  # told there
        return misfit_of_countries(self.instance.modality, [*countries, *links])


class RegionInline(RuledInline):
    model = ProjectRegion
    formset = RegionsFormSet
    autocomplete_fields = ["region"]
    classes = ["collapse"]


class PartnerInline(RuledInline):
    model = ProjectPartner
    extra = 1
    autocomplete_fields = ["partner"]
    fields = ["partner", "role", "is_reporting", "as_reported"]
    readonly_fields = ["as_reported"]


class TermsFormSet(LinksFormSet):
    """Checks the shares of each vocabulary together, where they are changed: what came so in an import stays to be edited."""

    def misfit(self, links):
        return misfit_of_terms(links) if self.has_changed() else None


class TermInline(RuledInline):
    model = ProjectTerm
    formset = TermsFormSet
    extra = 2
    autocomplete_fields = ["term"]
    fields = ["term", "share", "as_reported"]
    readonly_fields = ["as_reported"]


class ContributionForm(forms.ModelForm):
    """A row of what each side brings; what a need knows of it too is asked of deliveries.py."""

    def _post_clean(self):
        super()._post_clean()
        for name, text in deliveries.objections(self.instance).items() if self.has_changed() else ():
            self.add_error(name if name in self.fields else None, text)


class ContributionsFormSet(forms.BaseInlineFormSet):
    """Keeps the rows whose delivery a need tells."""

    def clean(self):
        super().clean()
        removed = [form.instance for form in self.initial_forms if self._should_delete_form(form)]
        found = [text for row in removed for text in deliveries.objections(row, is_removed=True).values()]
        if found:
            raise ValidationError(found)


class ContributionInline(RuledInline):
    model = Contribution
    form, formset = ContributionForm, ContributionsFormSet
    extra = 1
    autocomplete_fields = ["country", "partner"]


class ResultInline(RuledInline):
    model = Result
    extra = 1


class BudgetInline(RuledInline):
    model = Budget
    classes = ["collapse"]


class TransactionInline(RuledInline):
    model = Transaction
    classes = ["collapse"]


class LocationInline(RuledInline):
    model = Location
    classes = ["collapse"]


class DocumentInline(RuledInline):
    model = Document
    classes = ["collapse"]


class RelatedInline(RuledInline):
    model = RelatedProject
    fk_name = "project"
    autocomplete_fields = ["other"]
    classes = ["collapse"]


class CheckInline(ReadOnlyInline):
    model = RecordCheck
    fields = readonly_fields = ["country", "partner", "is_right", "text", "by", "at"]


class UpdateInline(RuledInline):
    model = Update
    classes = ["collapse"]


class ProjectForm(forms.ModelForm):
    class Meta:
        model = Project
        fields = recording.FIELDS
        widgets = {"title": forms.TextInput(attrs={"size": 90, "data-similar": "title"})}


class ListedForm(forms.ModelForm):
    """A project in the list: what is changed there fits the countries that it has."""

    def clean(self):
        found = super().clean()
        if "modality" in self.changed_data and (
            misfit := recording.misfit_of(self.instance, found.get("modality", self.instance.modality))
        ):
            self.add_error("modality", misfit)
        return found


@admin.register(Project)
class ProjectAdmin(Tabled, Moving, KeptHistory, RuledAdmin, admin.ModelAdmin):
    form = ProjectForm
    table_kind = "projects"
    change_form_template = "admin/projects/project/change_form.html"
    list_display = ["reference", "title", "state", "status", "modality", "quality_score", "modified_at"]
    list_display_links = ["reference", "title"]
    list_editable = ["status", "modality"]
    list_filter = [
        "state",
        "status",
        "modality",
        "instrument",
        *FACET_FILTERS,
        YearFilter,
        QualityFilter,
        UnresolvedFilter,
        "source",
        "is_illustrative",
    ]
    list_per_page = 50
    show_full_result_count = False
    search_fields = ["title"]
    search_help_text = gettext_lazy("Words in any language, a reference or an IATI identifier.")
    autocomplete_fields = ["parent"]
    readonly_fields = [
        "reference",
        "state",
        "source",
        "import_run",
        "quality_score",
        "published_at",
        "published_by",
        "created_at",
        "created_by",
    ]
    save_on_top = True
    inlines = [
        CountryInline, PartnerInline, TermInline, ContributionInline, ResultInline, BudgetInline, TransactionInline, TranslationInline,
        RegionInline, LocationInline, DocumentInline, RelatedInline, UpdateInline, CheckInline,
    ]  # fmt: skip
    actions = ["submit_selected", "publish_selected", *Tabled.actions]
    fieldsets = [
        (None, {"fields": ["title", "language", "summary", ("status", "modality"), ("instrument", "delivery_level")]}),
        (gettext_lazy("Dates"), {"fields": [("planned_start", "planned_end"), ("actual_start", "actual_end")]}),
        (gettext_lazy("Texts"), {"classes": ["wide-form"], "fields": ["description", "objectives", "lessons"]}),
        (gettext_lazy("Belongs to"), {"fields": ["parent", "iati_identifier", "default_currency", "is_illustrative"]}),
        (
            gettext_lazy("Record"),
            {"classes": ["collapse"], "fields": ["reference", "state", "source", "import_run", "quality_score", ("published_at", "published_by"), ("created_at", "created_by")]},
        ),
    ]  # fmt: skip

    class Media:
        js = ["js/similar.js"]

    # -- what waits
    def queues(self) -> list[dict]:
        """Queues for the start page of admin."""
        changelist = "projects_project_changelist"
        return [
            {"label": _("Projects to publish"), "permission": "projects.publish_project", "view": changelist, "query": "state__exact=review",
             "rows": lambda user: Project.objects.waiting_for_publisher(), "text": _("Submitted by the desk; publish or return them.")},
            {"label": _("My drafts"), "permission": "projects.add_project", "view": changelist, "query": "state__exact=draft",
             "rows": lambda user: Project.objects.filter(state=State.DRAFT, created_by=user)},
            {"label": _("Partners kept as reported"), "permission": "projects.change_project", "view": changelist, "query": "unresolved=partner",
             "rows": lambda user: ProjectPartner.objects.unresolved(), "text": _("Named by an import; choose which partner is meant.")},
            {"label": _("Countries kept as reported"), "permission": "projects.change_project", "view": changelist, "query": "unresolved=country",
             "rows": lambda user: ProjectCountry.objects.unresolved()},
            {"label": _("Published projects below 40 points"), "permission": "projects.change_project", "view": changelist, "query": "state__exact=published&quality=low",
             "rows": lambda user: Project.objects.published().filter(quality_score__lt=40), "text": _("Each page says what is missing and how to gain it.")},
        ]  # fmt: skip

    # -- lists
    def get_search_results(self, request, queryset, search_term):
        compiled = search.compile_query(search_term) if search_term.strip() else None
        if compiled is None:
            return queryset, False
        return queryset.filter(pk__in=search.entries_matching(SearchEntry.objects.all(), compiled).values("pk")), False

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("import_run", "published_by", "created_by")

    # -- writing
    def get_readonly_fields(self, request, obj=None):
        return self.readonly_fields

    def get_changelist_form(self, request, **kwargs):
        return super().get_changelist_form(request, **{"form": ListedForm, **kwargs})

    def save_model(self, request, obj, form, change):
        if isinstance(form, ListedForm):
            recording.change(obj, {name: form.cleaned_data[name] for name in form.changed_data}, by=request.user)
            return
        if not change:
            obj.created_by = request.user
        super().save_model(request, obj, form, change)

    def save_formset(self, request, form, formset, change):
        for record in formset.save(commit=False):
            if isinstance(record, Update) and record.entered_by_id is None:
                record.entered_by = request.user
            record.save()
        for record in formset.deleted_objects:
            record.delete()
        formset.save_m2m()

    def save_related(self, request, form, formsets, change):
        super().save_related(request, form, formsets, change)
        if isinstance(form, ListedForm) or is_untouched(request):
            return  # written as a whole, or not at all
        if change:
            recording.after_change(form.instance)
        else:
            quality.rescore(Project.objects.filter(pk=form.instance.pk))

    # -- moves
    def get_urls(self):
        view = self.admin_site.admin_view
        return [
            path("similar/", view(self.similar_view), name="projects_project_similar"),
            *super().get_urls(),
        ]

    def change_view(self, request, object_id, form_url="", extra_context=None):
        project = self.get_object(request, object_id)
        if project is not None:
            findings = quality.assess(project)
            extra_context = {
                "missing": [finding for finding in findings if not finding.is_met],
                "events": project.events.select_related("by")[:10],
                **(extra_context or {}),
            }
        return super().change_view(request, object_id, form_url, extra_context)

    @admin.action(description=gettext_lazy("Publish the selected projects"), permissions=["publish"])
    def publish_selected(self, request, queryset):
        self.move_selected(request, queryset, "publish")

    @admin.action(description=gettext_lazy("Submit the selected projects for publication"), permissions=["submit"])
    def submit_selected(self, request, queryset):
        self.move_selected(request, queryset, "submit")

    def has_publish_permission(self, request):
        return request.user.has_perm("projects.publish_project")

    def has_submit_permission(self, request):
        return request.user.has_perm("projects.submit_project")

    # -- likeness
    def similar_view(self, request):
        """Projects whose titles resemble the one being entered, as a small piece of HTML."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        without = request.GET.get("without", "")
        found = search.similar(
            request.GET.get("title", "")[:400],
            visible=Project.objects.visible_to(request.user),
            without=int(without[:12]) if without.isascii() and without.isdigit() else None,
        )
        return render(request, "admin/projects/project/similar.html", {"similar": found})
