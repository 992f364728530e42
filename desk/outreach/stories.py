"""Admin of stories: written by the desk, looked over and published by somebody else."""

from django.contrib import admin, messages
from django.contrib.admin.widgets import AdminTextareaWidget
from django.core.exceptions import ValidationError
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import path
from django.utils.translation import gettext_lazy as _

from desk.base import KeptHistory, RuledAdmin
from desk.moving import ActingAsSeen
from desk.outreach.texts import Previewed, TextInline, Titled
from outreach import stories
from outreach.models import Story, StoryText
from pages.outreach.stories import story_as_read
from partners.sent_once import once, refused
from projects import lifecycle

LABELS = {
    "ask": _("Ask for a review"), "publish": _("Publish it"), "send_back": _("Send it back"),
    "take_back": _("Take it back from the public"),
}  # fmt: skip
SAID = {
    "ask": _("Somebody else looks it over now."), "publish": _("It is public."),
    "send_back": _("It is with its writer again."), "take_back": _("It is not public any more."),
}  # fmt: skip


class StoryTextInline(TextInline):
    model = StoryText
    formfield_overrides = {models.TextField: {"widget": AdminTextareaWidget(attrs={"rows": 10})}}
    fieldsets = [(None, {"fields": ["language", "title", "lede", "problem", "body", "lessons", "quote", "quoted"]})]


@admin.register(Story)
class StoryAdmin(ActingAsSeen, Previewed, Titled, KeptHistory, RuledAdmin, admin.ModelAdmin):
    change_form_template = "admin/outreach/story_form.html"
    list_display = ["slug", "title", "project", "state", "modified_at"]
    list_filter = ["is_public", ("asked_at", admin.EmptyFieldListFilter), "is_illustrative"]
    list_select_related = ["project"]
    search_fields = ["slug", "texts__title", "texts__body", "project__reference"]
    autocomplete_fields = ["project", "need"]
    fields = ["slug", "project", "need", "picture", "consent_by", "consent_on", "is_illustrative"]
    inlines = [StoryTextInline]

    def queues(self):
        yield {
            "label": _("Stories that wait for a second person"),
            "permission": "outreach.publish_story",
            "rows": lambda user: Story.objects.in_review(),
            "view": "outreach_story_changelist",
            "query": "is_public__exact=0&asked_at__isempty=0",
        }

    def show(self, request, story):
        return story_as_read(request, story, is_preview=True)

    def get_urls(self):
        move = self.admin_site.admin_view(once(self.move))
        return [path("<int:pk>/move/<slug:act>/", move, name="outreach_story_move"), *super().get_urls()]

    def change_view(self, request, object_id, form_url="", extra_context=None):
        story = self.get_object(request, object_id)
        more = {}
        if story:
            possible, missing = stories.possible(story, request.user), stories.lacks(story)
            more = {"possible": possible, "missing": missing, "seen": lifecycle.mark_of(story)}
            more["acts"] = [(act, LABELS[act]) for act in possible]
            more["written"] = request.POST.get("send_back_note", "")
        return super().change_view(request, object_id, form_url, {**more, **(extra_context or {})})

    def move(self, request: HttpRequest, pk: int, act: str) -> HttpResponse:
        """One step of a story."""
        story = get_object_or_404(Story, pk=pk)
        if act not in stories.MOVES or request.method != "POST":
            raise Http404
        try:
            lifecycle.as_seen(story, request.POST.get("seen"))
            stories.move(story, act, by=request.user, note=request.POST.get("note", ""))
        except ValidationError as error:
            self.message_user(request, " ".join(error.messages), messages.ERROR)
            return refused("admin:outreach_story_change", pk)
        return self._done(request, story, act)

    def act(self, request, record, act):
        if act not in stories.MOVES:
            raise Http404
        stories.move(record, act, by=request.user, note=request.POST.get("send_back_note", ""))
        return self._done(request, record, act)

    def _done(self, request, story, act: str) -> HttpResponse:
        self.message_user(request, SAID[act], messages.SUCCESS)
        return redirect("admin:outreach_story_change", story.pk)
