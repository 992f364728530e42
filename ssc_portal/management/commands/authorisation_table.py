"""Every address for every role, with the answer that the rules give: for bench tools, and for people who want to see it."""

import json

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.management.base import BaseCommand, CommandError
from django.db.models import Q
from django.urls import reverse

from outreach.models import Announcement, Issue, Page
from outreach.seeing import PICTURES
from outreach.subjects import SUBJECTS
from partners.models import User
from projects import agreement
from projects.choices import OfferState
from projects.demonstration import load_accounts
from projects.interchange import briefs
from projects.interchange.bulk.kinds import KINDS
from projects.lifecycle.need import MOVES, WRITING
from projects.models import Need, Offer, Project, Response


class Command(BaseCommand):
    help = (
        "Prints a table of addresses x roles over the demonstration as JSON. In development only: it holds passwords."
    )

    def add_arguments(self, parser):
        parser.add_argument("--base", default="http://127.0.0.1:8000")

    def handle(self, *args, base, **options):
        if not settings.DEBUG:
            raise CommandError("The accounts of the demonstration exist in development only (DJANGO_DEBUG=1).")
        login = base + reverse("login")
        roles, people = {"anonymous": {}}, {"anonymous": AnonymousUser()}
        for _label, email, password in load_accounts():
            name = email.partition("@")[0]
            roles[name] = {"login": login, "user": email, "password": password}
            people[name] = User.objects.get(email=email)
        routes = [
            {"path": path, "method": method, "expect": {name: answer(user) for name, user in people.items()}}
            for path, method, answer in [
                *self.pages(),
                *self.needs(),
                *self.offers(),
                *self.responses(),
                *self.projects(),
            ]
        ]
        self.stdout.write(json.dumps({"roles": roles, "routes": routes}, indent=1))

    def pages(self):
        for name in (
            "home",
            "need-list",
            "need-unanswered",
            "offer-list",
            "match-list",
            "demand",
            "project-list",
            "country-list",
            "partner-list",
            "theme-list",
            "login",
        ):
            yield (
                reverse(name),
                "GET",
                lambda user, name=name: 200 if name != "login" or not user.is_authenticated else 302,
            )
        for name in (
            "dashboard",
            "response-list",
            "account",
            "tokens",
            "webhooks",
            "join",
            "my-mail",
            "my-data",
            "mfa_index",
            "usersessions_list",
            "account_email",
        ):
            yield reverse(name), "GET", lambda user: 200 if user.is_authenticated else "login"
        yield reverse("people"), "GET", self._if("partners.grant_membership")
        yield reverse("need-new"), "GET", self._if("projects.add_need")
        yield reverse("calendar"), "GET", self._if("partners.view_user")
        for name in (
            "data",
            "vocabulary",
            "contact",
            "subscribe",
            "subscribe-sent",
            "subscribe-reminder",
            "issue-list",
            "story-list",
            "see",
            "news-list",
            "news-list-feed",
            "public-calendar",
            "calendar-file",
            "api-tossd-list",
            "api-quantities-list",
            "api-project-list",
            "api-need-list",
        ):
            yield reverse(name), "GET", lambda user: 200
        yield reverse("api-offer-list"), "GET", lambda user: 200
        yield reverse("api-response-list"), "GET", lambda user: 200 if user.is_authenticated else 401
        for name in (
            "projects_need",
            "projects_notice",
            "projects_response",
            "projects_project",
            "partners_user",
            "partners_membership",
            "partners_partner",
            "outreach_page",
            "outreach_picture",
            "outreach_contactmessage",
            "outreach_topic",
            "outreach_announcement",
            "outreach_issue",
            "outreach_story",
            "outreach_mailing",
        ):
            yield (
                reverse(f"admin:{name}_changelist"),
                "GET",
                lambda user: 200 if getattr(user, "is_staff", False) else "login",
            )

        for name, code in (("country-brief", "KEN"), ("country-brief-pdf", "KEN"), ("year-report", briefs.years()[0]), ("year-report-pdf", briefs.years()[0])):  # fmt: skip
            yield reverse(name, args=[code]), "GET", lambda user: 200
        yield (
            reverse("admin:outreach_subscriber_changelist"),
            "GET",
            lambda user: (
                (200 if user.has_perm("outreach.view_subscriber") else 403)
                if getattr(user, "is_staff", False)
                else "login"
            ),
        )
        for picture in PICTURES.values():
            for told in picture.of:
                yield reverse("picture-of", args=[told, picture.slug]), "GET", lambda user: 200
                yield reverse("picture-frame", args=[told, picture.slug]), "GET", lambda user: 200
        for told in SUBJECTS:
            yield reverse("subscribe-search", args=[told]), "GET", lambda user: 200
        for issue in Issue.objects.all():
            yield (
                issue.get_absolute_url(),
                "GET",
                lambda user, issue=issue: 200 if user.has_perm("outreach.view_issue", issue) else 404,
            )
        for one in Announcement.objects.all():
            yield (
                one.get_absolute_url(),
                "GET",
                lambda user, one=one: 200 if user.has_perm("outreach.view_announcement", one) else 404,
            )
        for page in Page.objects.all():
            yield (
                page.get_absolute_url(),
                "GET",
                lambda user, page=page: 200 if user.has_perm("outreach.view_page", page) else 404,
            )
        for kind, resource in KINDS.items():
            yield (
                reverse("admin:projects_importrun_template", args=[kind, "csv"]),
                "GET",
                lambda user, resource=resource: (
                    (200 if user.has_perm(resource.permission) else 403)
                    if getattr(user, "is_staff", False)
                    else "login"
                ),
            )

    def offers(self):
        for offer in self._some(Offer.objects.all(), Q(partner__slug="undp") | Q(country__iso3="KEN")):
            for name in ("offer", "offer-matches", "api-offer-detail"):
                yield (
                    reverse(name, args=[offer.reference]),
                    "GET",
                    lambda user, offer=offer: 200 if user.has_perm("projects.view_offer", offer) else 404,
                )
            for name in ("offer-draft", "offer-delete"):
                yield reverse(name, args=[offer.reference]), "GET", self._writer(offer, name)

    def needs(self):
        for need in self._some(Need.objects.all(), Q(country__iso3="KEN")):
            ref = need.reference
            yield reverse("need", args=[ref]), "GET", lambda user, need=need: 200 if self._sees(user, need) else 404
            for name in ("need-matches", "api-need-detail"):
                yield reverse(name, args=[ref]), "GET", lambda user, need=need: 200 if self._sees(user, need) else 404
            yield (
                reverse("card", args=["needs", ref]),
                "GET",
                lambda user, need=need: 200 if self._sees(AnonymousUser(), need) else 404,
            )
            for name in ("need-draft", "need-documents", "need-sheet-upload", "need-delete"):
                yield reverse(name, args=[ref]), "GET", self._writer(need, name)
            for name, permission in (("need-screen", "screen"), ("need-approve", "approve_summary"), ("need-progress", "deliver"), ("need-delivered", "deliver")):  # fmt: skip
                yield reverse(name, args=[ref]), "GET", self._if(f"projects.{permission}_need", need)
            writes = self._if("projects.confirm_need", need)
            yield (
                reverse("need-plan", args=[ref]),
                "GET",
                lambda user, need=need, writes=writes: (
                    403 if (found := writes(user)) == 200 and need.state not in agreement.WRITABLE else found
                ),
            )
            yield reverse("need-confirm", args=[ref, "plan"]), "GET", self._if("projects.confirm_need", need)
            asks = Response(need=need)
            yield reverse("need-suggest", args=[ref]), "GET", self._if("projects.suggest_response", asks, seen=need)
            for action, move in MOVES.items():
                if move.is_for_forms:
                    yield reverse("need-move", args=[ref, action]), "GET", self._if(move.permission, need)
                    yield (
                        reverse("admin:projects_need_move", args=[need.pk, action]),
                        "GET",
                        self._in_admin(move.permission, need),
                    )

    def responses(self):
        for response in self._some(
            Response.objects.select_related("need"), Q(need__country__iso3="KEN") | Q(partner__slug="undp")
        ):
            ref = response.reference
            yield reverse("response", args=[ref]), "GET", self._if("projects.view_response", response)
            yield reverse("response-express", args=[ref]), "GET", self._if("projects.express_response", response)
            for action in ("accept", "decline", "take_back"):
                yield (
                    reverse("response-answer", args=[ref, action]),
                    "GET",
                    self._if(f"projects.{action}_response", response),
                )
            yield (
                reverse("api-response-detail", args=[ref]),
                "GET",
                lambda user, response=response: (
                    401 if not user.is_authenticated else 200 if self._sees(user, response) else 404
                ),
            )

    def projects(self):
        for project in Project.objects.published().exclude(needs=None).order_by("pk")[:6]:
            yield reverse("project", args=[project.reference]), "GET", lambda user: 200
            yield reverse("project-check", args=[project.reference]), "GET", self._if("projects.check_project", project)

    @staticmethod
    def _some(rows, own: Q) -> list:
        """One record of each state, and those of the sides that the accounts belong to."""
        found = {record.state: record for record in rows.order_by("-pk")}
        mine = list(rows.filter(own).order_by("pk"))
        return [*mine, *(record for record in found.values() if record not in mine)]

    @staticmethod
    def _sees(user, record) -> bool:
        return type(record).objects.visible_to(user).filter(pk=record.pk).exists()

    def _if(self, permission: str, record: Need | Offer | Response | Project | None = None, seen: Need | None = None):
        """`seen`: the record that has to be visible, where it is another than the one that is asked about."""

        def answer(user):
            if not user.is_authenticated:
                return "login"
            if record is not None and not self._sees(user, seen or record):
                return 404
            return 200 if user.has_perm(permission, record) else 403

        return answer

    def _in_admin(self, permission: str, need: Need):
        def answer(user):
            if not getattr(user, "is_staff", False):
                return "login"
            return self._if(permission, need)(user)

        return answer

    def _writer(self, record: Need | Offer, name: str):
        kind = record._meta.model_name

        def answer(user):
            found = self._if(f"projects.change_{kind}", record)(user)
            if found == 200 and name == f"{kind}-draft" and record.state not in (*WRITING, OfferState.DRAFT):
                return 302
            if found == 200 and name == f"{kind}-delete" and not user.has_perm(f"projects.delete_{kind}", record):
                return 403
            return found

        return answer
