"""Admin of the site's own pages, with a preview and every version, and of what people write to us."""

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.widgets import AdminTextareaWidget
from django.core.exceptions import BadRequest, PermissionDenied, ValidationError
from django.db import models, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from outreach import contact, views
from outreach.choices import ContactState
from outreach.models import (
    Announcement,
    AnnouncementText,
    Channel,
    ContactMessage,
    Milestone,
    Page,
    PageText,
    Picture,
    Topic,
)
from outreach.pictures import put
from partners.admin import NAMES
from ssc_portal.admin import KeptHistory, RuledAdmin

KEPT = ("title", "lede", "body", "video_title", "video_url", "captions_url", "transcript")


class TextInline(RuledAdmin, admin.StackedInline):
    """A text in one language."""

    extra = 0
    formfield_overrides = {models.TextField: {"widget": AdminTextareaWidget(attrs={"rows": 25})}}
    fieldsets = [(None, {"fields": ["language", "title", "lede", "body"]})]


class Previewed:
    """Mixin: the form shows its record as readers would see it, in any language, and keeps nothing of it.

    What the form said is checked and saved like any, shown by `show`, then taken back as a whole (decision 0025).
    """

    change_form_template = "admin/outreach/previewed_form.html"

    def response_add(self, request, obj, post_url_continue=None):
        return self._preview(request, obj) or super().response_add(request, obj, post_url_continue)

    def response_change(self, request, obj):
        return self._preview(request, obj) or super().response_change(request, obj)

    def log_addition(self, request, obj, message):
        return None if "_preview" in request.POST else super().log_addition(request, obj, message)

    def log_change(self, request, obj, message):
        return None if "_preview" in request.POST else super().log_change(request, obj, message)

    def _preview(self, request: HttpRequest, obj) -> HttpResponse | None:
        if "_preview" not in request.POST:
            return None
        if request.POST["_preview"] not in dict(settings.LANGUAGES):
            raise BadRequest
        with override(request.POST["_preview"]):
            fresh = type(obj).objects.with_texts().get(pk=obj.pk)
            shown = self.show(request, fresh)
        transaction.set_rollback(True)
        return shown


class PageTextInline(TextInline):
    model = PageText
    fieldsets = [
        *TextInline.fieldsets,
        (_("Video"), {"fields": ["video_title", "video_url", "captions_url", "transcript"], "classes": ["collapse"]}),
    ]


@admin.register(Page)
class PageAdmin(Previewed, KeptHistory, RuledAdmin, admin.ModelAdmin):
    list_display = ["path", "title", "menu", "position", "is_public", "modified_at"]
    list_filter = ["menu", "is_public"]
    search_fields = ["path", "texts__title", "texts__body"]
    autocomplete_fields = ["partner", "group"]
    inlines = [PageTextInline]

    def get_queryset(self, request):
        return super().get_queryset(request).with_texts()

    @admin.display(description=_("title"))
    def title(self, page):
        return page.text.title if page.text else ""

    def show(self, request, page):
        return views.page_as_read(request, page, page.text, is_preview=True)

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
                return views.page_as_read(request, page, text, is_preview=True)
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
class AnnouncementAdmin(Previewed, KeptHistory, RuledAdmin, admin.ModelAdmin):
    list_display = ["slug", "title", "kind", "published_on", "starts_on", "deadline", "is_public"]
    list_filter = ["kind", "is_public", "is_illustrative"]
    search_fields = ["slug", "texts__title", "texts__body"]
    autocomplete_fields = ["country"]
    date_hierarchy = "published_on"
    inlines = [AnnouncementTextInline]

    def get_queryset(self, request):
        return super().get_queryset(request).with_texts()

    @admin.display(description=_("title"))
    def title(self, announcement):
        return announcement.text.title if announcement.text else ""

    def formfield_for_manytomany(self, db_field, request, **kwargs):
        if db_field.name == "themes":
            kwargs["widget"] = forms.CheckboxSelectMultiple
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def show(self, request, announcement):
        return views.news_as_read(request, announcement, is_preview=True)


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

    def view_on_site(self, picture):
        return reverse("picture", args=[picture.name])


@admin.register(Topic)
class TopicAdmin(KeptHistory, RuledAdmin, admin.ModelAdmin):
    list_display = ["name_en", "email", "answer_days", "position", "is_public"]
    search_fields = ["code", "email", *NAMES]


@admin.register(ContactMessage)
class ContactMessageAdmin(KeptHistory, RuledAdmin, admin.ModelAdmin):
    """The queue: what people wrote is read, taken, answered or closed; nothing of it is edited."""

    change_form_template = "admin/outreach/contact_form.html"
    list_display = ["reference", "topic", "email", "state", "assignee", "created_at"]
    list_filter = ["state", "topic", ("assignee", admin.RelatedOnlyFieldListFilter)]
    list_select_related = ["topic", "assignee"]
    search_fields = ["reference", "email", "name", "text", "answer"]
    date_hierarchy = "created_at"
    readonly_fields = ["reference", "state", "state_since", "topic", "name", "email", "text", "about", "language", "suspicion",
                       "assignee", "answer", "note", "created_at", "created_by"]  # fmt: skip
    fields = readonly_fields

    def queues(self):
        yield {
            "label": _("Messages to us that wait for an answer"),
            "permission": "outreach.change_contactmessage",
            "rows": lambda user: ContactMessage.objects.waiting(),
            "view": "outreach_contactmessage_changelist",
            "query": f"state__in={ContactState.NEW},{ContactState.TAKEN}",
        }

    def has_add_permission(self, request):
        return False

    def get_urls(self):
        move = self.admin_site.admin_view(self.move)
        return [path("<int:pk>/move/<slug:act>/", move, name="outreach_contactmessage_move"), *super().get_urls()]

    def change_view(self, request, object_id, form_url="", extra_context=None):
        message = self.get_object(request, object_id)
        possible = [act for act, (sources, _to) in contact.MOVES.items() if message and message.state in sources]
        return super().change_view(request, object_id, form_url, {"possible": possible, **(extra_context or {})})

    def move(self, request: HttpRequest, pk: int, act: str) -> HttpResponse:
        """One act on a message. What was written is shown again where it could not be done."""
        message = get_object_or_404(ContactMessage, pk=pk)
        if act not in contact.MOVES or request.method != "POST":
            raise Http404
        try:
            contact.move(message, act, by=request.user, text=request.POST.get("text", ""))
        except ValidationError as error:
            self.message_user(request, " ".join(error.messages), messages.ERROR)
            request.method = "GET"  # the page as it is, with what was written
            return self.change_view(request, str(pk), extra_context={"written": request.POST.get("text", "")})
        said = {
            "take": _("It is in your hands."), "answer": _("The answer is on its way by mail."), "close": _("Closed."),
            "spam": _("Marked as unwanted: it is erased in 30 days."), "reopen": _("It is in your hands again."),
        }  # fmt: skip
        self.message_user(request, said[act], messages.SUCCESS)
        return redirect("admin:outreach_contactmessage_change", pk)
