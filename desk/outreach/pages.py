"""Admin of the site's own pages with every version of them, of news, milestones, channels and pictures."""

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from desk.base import KeptHistory, RuledAdmin
from desk.outreach.texts import Previewed, TextInline, Titled
from desk.partners import NAMES
from ground.bodies import takes_files
from ground.storage import kept_with_its_row
from outreach.models import (
    Announcement,
    AnnouncementText,
    Channel,
    Milestone,
    Page,
    PageText,
    Picture,
)
from outreach.pictures import put
from pages.outreach.news import news_as_read
from pages.outreach.page import page_as_read
from projects.uploads import LARGEST

KEPT = ("title", "lede", "body", "video_title", "video_url", "captions_url", "transcript")


class PageTextInline(TextInline):
    model = PageText
    fieldsets = [
        *TextInline.fieldsets,
        (_("Video"), {"fields": ["video_title", "video_url", "captions_url", "transcript"], "classes": ["collapse"]}),
    ]


@admin.register(Page)
class PageAdmin(Previewed, Titled, KeptHistory, RuledAdmin, admin.ModelAdmin):
    list_display = ["path", "title", "menu", "position", "is_public", "modified_at"]
    list_filter = ["menu", "is_public"]
    search_fields = ["path", "texts__title", "texts__body"]
    autocomplete_fields = ["partner", "group"]
    inlines = [PageTextInline]

    def show(self, request, page):
        return page_as_read(request, page, page.text, is_preview=True)

    def change_view(self, request, object_id, form_url="", extra_context=None):
        more = {"versions_url": "admin:outreach_page_versions"}
        return super().change_view(request, object_id, form_url, {**more, **(extra_context or {})})

    def get_urls(self):
        return [
            path("<int:pk>/versions/", self.admin_site.admin_view(self.versions), name="outreach_page_versions"),
            path(
                "<int:pk>/versions/<int:version>/",
                self.admin_site.admin_view(self.version),
                name="outreach_page_version",
            ),
            *super().get_urls(),
        ]

    def versions(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Every text that the page has had, the newest first."""
        page = get_object_or_404(Page.objects.with_texts(), pk=pk)
        if not self.has_view_permission(request, page):
            raise PermissionDenied
        kept = PageText.pgh_event_model.objects.filter(page=page).select_related("pgh_context").order_by("-pgh_id")
        context = {
            **self.admin_site.each_context(request),
            "title": _("Versions of %(path)s") % {"path": page.path},
            "opts": self.opts,
            "page": page,
            "versions": kept[:200],
        }
        return render(request, "admin/outreach/versions.html", context)

    def version(self, request: HttpRequest, pk: int, version: int) -> HttpResponse:
        """Shows a text as it was; a POST brings it back, as a version of its own."""
        page = get_object_or_404(Page.objects.with_texts(), pk=pk)
        kept = get_object_or_404(PageText.pgh_event_model, page=page, pk=version)
        said = {name: getattr(kept, name) for name in KEPT}
        if request.method != "POST":
            if not self.has_view_permission(request, page):
                raise PermissionDenied
            with override(kept.language):
                text = PageText(page=page, language=kept.language, **said)
                return page_as_read(request, page, text, is_preview=True)
        if not self.has_change_permission(request, page):
            raise PermissionDenied
        text = PageText.objects.filter(page=page, language=kept.language).first()
        text = text or PageText(page=page, language=kept.language)
        for name, value in said.items():
            setattr(text, name, value)
        text.full_clean()
        text.save()
        self.message_user(request, _("This version is what readers see now."), messages.SUCCESS)
        return redirect("admin:outreach_page_versions", page.pk)


class AnnouncementTextInline(TextInline):
    model = AnnouncementText


@admin.register(Announcement)
class AnnouncementAdmin(Previewed, Titled, KeptHistory, RuledAdmin, admin.ModelAdmin):
    list_display = ["slug", "title", "kind", "published_on", "starts_on", "deadline", "is_public"]
    list_filter = ["kind", "is_public", "is_illustrative"]
    search_fields = ["slug", "texts__title", "texts__body"]
    autocomplete_fields = ["country"]
    date_hierarchy = "published_on"
    inlines = [AnnouncementTextInline]

    def formfield_for_manytomany(self, db_field, request, **kwargs):
        if db_field.name == "themes":
            kwargs["widget"] = forms.CheckboxSelectMultiple
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def show(self, request, announcement):
        return news_as_read(request, announcement, is_preview=True)


@admin.register(Milestone)
class MilestoneAdmin(KeptHistory, RuledAdmin, admin.ModelAdmin):
    list_display = ["happened_on", "name_en", "kind", "place", "is_verified", "is_public"]
    list_filter = ["kind", "is_verified", "is_public"]
    search_fields = ["code", "text_en", "place", *NAMES]
    autocomplete_fields = ["country"]
    date_hierarchy = "happened_on"


@admin.register(Channel)
class ChannelAdmin(KeptHistory, RuledAdmin, admin.ModelAdmin):
    list_display = ["title", "kind", "url", "position", "is_public"]


class PictureForm(forms.ModelForm):
    file = forms.FileField(label=_("File"), help_text=Picture._meta.get_field("file").help_text)

    def clean(self):
        data = super().clean()
        if self.files.get("file") and data.get("name"):
            self.instance.name = data["name"]
            try:
                put(self.instance, self.files["file"])
            except forms.ValidationError as error:
                self.add_error("file", error)
            else:
                data["file"] = self.instance.file
        return data


@admin.register(Picture)
class PictureAdmin(KeptHistory, RuledAdmin, admin.ModelAdmin):
    form = PictureForm
    list_display = ["name", "alt_en", "credit", "width", "height"]
    search_fields = ["name", "credit", "alt_en"]

    @takes_files(LARGEST)
    def add_view(self, *args, **kwargs):
        return super().add_view(*args, **kwargs)

    @takes_files(LARGEST)
    def change_view(self, *args, **kwargs):
        return super().change_view(*args, **kwargs)

    def save_model(self, request, picture, form, change):
        with kept_with_its_row(picture):
            super().save_model(request, picture, form, change)

    def view_on_site(self, picture):
        return reverse("picture", args=[picture.name])
