"""Admin of what people write to us, and of who answers what."""

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import path
from django.utils.translation import gettext_lazy as _

from desk.base import KeptHistory, RuledAdmin
from desk.partners import NAMES
from outreach import contact
from outreach.choices import ContactState
from outreach.models import ContactMessage, Topic
from partners.sent_once import once

TWO_TEXTS = _(
    "You wrote an answer and a note. Only one of them can be used: empty the other, then press the button again."
)
WORDS = {
    "answer": "text",
    "close": "note",
    "spam": "note",
}  # which field of the form an act takes; the others take none


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
        move = self.admin_site.admin_view(once(self.move))
        return [path("<int:pk>/move/<slug:act>/", move, name="outreach_contactmessage_move"), *super().get_urls()]

    def change_view(self, request, object_id, form_url="", extra_context=None):
        message = self.get_object(request, object_id)
        possible = [act for act, (sources, _to) in contact.MOVES.items() if message and message.state in sources]
        more = {"possible": possible, "seen": contact.mark_of(message) if message else "", **(extra_context or {})}
        return super().change_view(request, object_id, form_url, more)

    def move(self, request: HttpRequest, pk: int, act: str) -> HttpResponse:
        """One act on a message. What was written is shown again where it could not be done."""
        message = get_object_or_404(ContactMessage, pk=pk)
        if act not in contact.MOVES or request.method != "POST":
            raise Http404
        written = {name: request.POST.get(name, "") for name in ("text", "note")}
        taken = WORDS.get(act)
        left = any(text.strip() for name, text in written.items() if name != taken)
        try:
            if taken and left:
                raise ValidationError(TWO_TEXTS)
            text = written.get(taken, "")
            contact.move(message, act, by=request.user, text=text, seen=request.POST.get("seen", ""))
        except ValidationError as error:
            self.message_user(request, " ".join(error.messages), messages.ERROR)
            return self._with_words(request, pk, written)
        said = {
            "take": _("It is in your hands."), "answer": _("The answer is on its way by mail."), "close": _("Closed."),
            "spam": _("Marked as unwanted: it is erased in 30 days."), "reopen": _("It is in your hands again."),
        }  # fmt: skip
        self.message_user(request, said[act], messages.SUCCESS)
        if left:
            return self._with_words(request, pk, written)
        return redirect("admin:outreach_contactmessage_change", pk)

    def _with_words(self, request: HttpRequest, pk: int, written: dict[str, str]) -> HttpResponse:
        """The page as it is now, with what was written."""
        request.method = "GET"
        return self.change_view(request, str(pk), extra_context={"written": written["text"], "note": written["note"]})
