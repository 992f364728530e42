"""Admin of the newsletter, and of who gets updates: numbers for all staff, addresses for administrators."""

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.utils.translation import gettext_lazy as _

from desk.base import KeptHistory, RuledAdmin
from desk.moving import ActingAsSeen
from desk.outreach.texts import Previewed, TextInline, Titled
from desk.partners import OnlyLooked
from outreach import mailings, subscribing
from outreach.choices import Told
from outreach.models import Issue, IssueText, Mailing, Subscriber, Subscription
from pages.outreach.newsletter import issue_as_read
from partners.sent_once import once, refused
from projects import lifecycle

TEST, SEND = _("Send a test mail to myself"), _("Send it to all who asked for it")


class IssueTextInline(TextInline):
    model = IssueText


@admin.register(Issue)
class IssueAdmin(ActingAsSeen, Previewed, Titled, KeptHistory, RuledAdmin, admin.ModelAdmin):
    """An issue is written, looked at, sent to oneself as a test, then sent to all. What was sent is not changed any more."""

    change_form_template = "admin/outreach/issue_form.html"
    list_display = ["slug", "title", "is_public", "modified_at"]
    search_fields = ["slug", "texts__title", "texts__body"]
    fields = ["slug"]
    inlines = [IssueTextInline]

    def has_change_permission(self, request, obj=None):
        return super().has_change_permission(request, obj) and not (obj and obj.is_sent)

    def has_delete_permission(self, request, obj=None):
        return super().has_delete_permission(request, obj) and not (obj and obj.is_sent)

    def show(self, request, issue):
        return issue_as_read(request, issue, is_preview=True)

    def get_urls(self):
        test, send = (self.admin_site.admin_view(once(view)) for view in (self.test, self.send))
        return [
            path("<int:pk>/test/", test, name="outreach_issue_test"),
            path("<int:pk>/send/", send, name="outreach_issue_send"),
            *super().get_urls(),
        ]

    def change_view(self, request, object_id, form_url="", extra_context=None):
        issue = self.get_object(request, object_id)
        more = {"acts": [("test", TEST), ("send", SEND)], "seen": lifecycle.mark_of(issue)} if issue else {}
        return super().change_view(request, object_id, form_url, {**more, **(extra_context or {})})

    def act(self, request, record, act):
        if act not in ("test", "send"):
            raise Http404
        return self.test(request, record.pk) if act == "test" else redirect("admin:outreach_issue_send", record.pk)

    def _issue(self, request: HttpRequest, pk: int) -> Issue:
        issue = get_object_or_404(Issue.objects.for_listing(), pk=pk)
        if not request.user.has_perm("outreach.send_issue", issue):
            raise PermissionDenied
        return issue

    def test(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Sends the issue to whoever asks, in every language that it is written in."""
        issue = self._issue(request, pk)
        if request.method == "POST":
            n = mailings.test_issue(issue, to=request.user)
            self.message_user(
                request,
                _("%(n)s test mails go to %(email)s.") % {"n": n, "email": request.user.email},
                messages.SUCCESS,
            )
        return redirect("admin:outreach_issue_change", pk)

    def send(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Asks once more, with how many get it; the button sends it."""
        issue = self._issue(request, pk)
        if issue.is_sent or issue.text is None:
            said = _("It was sent already.") if issue.is_sent else _("Write a text first.")
            self.message_user(request, said, messages.ERROR)
            return refused("admin:outreach_issue_change", pk)
        if request.method == "POST":
            try:
                mailings.send_issue(lifecycle.as_seen(issue, request.POST.get("seen")), by=request.user)
            except ValidationError as error:
                self.message_user(request, " ".join(error.messages), messages.ERROR)
                return redirect("admin:outreach_issue_change", pk)
            self.message_user(request, _("It is on its way. Its numbers are under Mailings."), messages.SUCCESS)
            return redirect("admin:outreach_issue_change", pk)
        readers = Subscriber.objects.reachable().filter(subscriptions__told=Told.NEWSLETTER)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Send “%(title)s”") % {"title": issue.text.title},
            "opts": self.opts,
            "issue": issue,
            "seen": lifecycle.mark_of(issue),
            "n": readers.count(),
            "languages": [text.get_language_display() for text in issue.texts.all()],
        }
        return render(request, "admin/outreach/issue_send.html", context)


@admin.register(Mailing)
class MailingAdmin(OnlyLooked, RuledAdmin, admin.ModelAdmin):
    """What was sent, to how many; and how many are told of what."""

    change_list_template = "admin/outreach/mailings.html"
    list_display = ["__str__", "kind", "until", "started_at", "ended_at", "sent", "bounced", "failed"]
    list_filter = ["kind"]
    list_select_related = ["issue"]
    date_hierarchy = "until"
    readonly_fields = ["kind", "issue", "until", "started_at", "ended_at", "sent", "bounced", "failed"]

    def has_delete_permission(self, request, obj=None):
        return False

    def changelist_view(self, request, extra_context=None):
        return super().changelist_view(request, {"numbers": subscribing.numbers(), **(extra_context or {})})


class SubscriptionInline(RuledAdmin, admin.TabularInline):
    model = Subscription
    extra = 0
    readonly_fields = fields = ["told", "query", "created_at"]

    def has_add_permission(self, request, obj=None):
        return False

    def has_change_permission(self, request, obj=None):
        return False


@admin.register(Subscriber)
class SubscriberAdmin(OnlyLooked, RuledAdmin, admin.ModelAdmin):
    """Who gets updates. Nobody is entered here: people ask for it themselves."""

    list_display = ["email", "language", "rhythm", "created_at", "told_until", "bounced_at"]
    list_filter = ["rhythm", "language", ("bounced_at", admin.EmptyFieldListFilter)]
    search_fields = ["email"]
    readonly_fields = fields = ["email", "language", "rhythm", "created_at", "told_until", "bounced_at", "bounce"]
    inlines = [SubscriptionInline]
