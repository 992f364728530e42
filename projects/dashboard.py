"""What one person has to do, what they follow, and what has changed since they last looked."""

import datetime as dt
from dataclasses import dataclass

from django.db.models import Q
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ground.templatetags.portal import entitled, in_language
from partners.choices import COUNTRY_ROLES, Role
from partners.joining import waiting_for
from partners.rules import memberships
from projects.choices import ConfirmedStep, OfferState, OrganisationRole, Side
from projects.choices import NeedState as S
from projects.choices import ResponseState as R
from projects.lifecycle import today
from projects.lifecycle.need import NEXT
from projects.models import Confirmation, Event, Need, Offer, Project, Response
from projects.models.project import PROVIDING
from projects.models.response import ACCEPTED
from projects.timeline import said, who_did

MOST = 50

# What a state asks of whoever holds it, and what happens otherwise.
TO_DO = {
    S.DRAFT: (gettext_lazy("Complete the draft and endorse it."), gettext_lazy("After 12 months without a change it is archived.")),
    S.RETURNED: (gettext_lazy("Answer UNEP's questions."), gettext_lazy("After 60 days it goes on hold.")),
    S.SUBMITTED: (gettext_lazy("Screen it, or return it with questions."), gettext_lazy("The page shows that the screening is late.")),
    S.ELIGIBLE: (gettext_lazy("Open it to responses."), gettext_lazy("The page shows that it waits for UNEP.")),
    S.IN_DIALOGUE: (gettext_lazy("Agree on a plan and confirm it."), gettext_lazy("After 90 days it goes back to open.")),
    S.PLAN_AGREED: (gettext_lazy("Link the project and start the delivery."), ""),
    S.IN_DELIVERY: (gettext_lazy("Report progress or what was delivered."), gettext_lazy("Without an update it is marked as stale.")),
    S.DELIVERED: (gettext_lazy("Say what came of it and close it."), gettext_lazy("The page shows that the country's word is missing.")),
    S.ON_HOLD: (gettext_lazy("Take it off hold when the reason has passed."), ""),
    S.EXPIRED: (gettext_lazy("Renew it for 12 months, or let it rest."), gettext_lazy("After 90 days it is left out of lists.")),
}  # fmt: skip


# The same of an offer, for its provider; what waits for UNEP is last.
OFFER_TO_DO = {
    OfferState.DRAFT: gettext_lazy("Complete the offer and submit it."),
    OfferState.VERIFIED: gettext_lazy("Make the offer active, so that countries see it."),
    OfferState.EXPIRED: gettext_lazy("Renew the offer for 12 months, or let it rest."),
    OfferState.SUBMITTED: gettext_lazy("Verify the offer, or return it with questions."),
}


@dataclass(frozen=True)
class Task:
    """One thing that waits for this person: what, until when, what happens otherwise."""

    what: str
    url: str
    title: str
    reference: str
    due_on: dt.date | None = None
    otherwise: str = ""

    @property
    def days_left(self) -> int | None:
        return (self.due_on - today()).days if self.due_on else None


def _mine(user) -> Q:
    """Needs whose present step is this person's, or their side's."""
    held = memberships(user)
    countries = {m.country_id for m in held if m.role == Role.FOCAL_POINT}
    writes = {m.country_id for m in held if m.role in COUNTRY_ROLES}
    roles = {m.role for m in held}
    found = Q(pk__in=[])
    if countries:
        states = (S.DRAFT, S.RETURNED, S.IN_DIALOGUE, S.DELIVERED, S.EXPIRED)
        found |= Q(country__in=countries, state__in=states) | Q(
            country__in=countries, state=S.ELIGIBLE, summary_approved_at=None
        )
    if writes:
        found |= Q(country__in=writes, state=S.RETURNED) | Q(country__in=writes, state=S.DRAFT, created_by=user)
    if roles & {Role.DESK, Role.ADMINISTRATOR}:
        found |= Q(state__in=(S.SUBMITTED, S.PLAN_AGREED, S.ON_HOLD)) & ~Q(state=S.SUBMITTED, created_by=user)
        found |= Q(is_on_behalf=True, state__in=(S.DRAFT, S.RETURNED, S.DELIVERED))
        confirmed = Confirmation.objects.filter(step=ConfirmedStep.PLAN)  # by others, so that the plan stands
        found |= Q(pk__in=confirmed.exclude(side=Side.UNEP).values("need"), state=S.IN_DIALOGUE) & ~Q(
            pk__in=confirmed.filter(side=Side.UNEP).values("need")
        )
    if roles & {Role.PUBLISHER, Role.ADMINISTRATOR}:
        found |= Q(state=S.ELIGIBLE, summary_approved_at__isnull=False) & ~Q(screened_by=user)
    if responded := _accepted(user):
        found |= Q(pk__in=responded, state__in=(S.IN_DIALOGUE, S.IN_DELIVERY))
    return found


def _accepted(user) -> list[int]:
    if not memberships(user):
        return []
    return list(Response.objects.of(user).filter(state__in=ACCEPTED).values_list("need", flat=True))


def your_move(user) -> list[Task]:
    """What waits for this person, the earliest deadline first."""
    tasks = []
    for need in (
        Need.objects.visible_to(user).filter(_mine(user)).select_related("country").order_by("due_on", "-pk")[:MOST]
    ):
        what, otherwise = TO_DO[need.state]
        if need.state == S.ELIGIBLE and need.summary_approved_at is None:
            what = _("Approve the public summary.")
        title = in_language(*need.text("title"))
        tasks.append(Task(str(what), need.get_absolute_url(), title, need.reference, need.due_on, str(otherwise)))
    countries = [m.country_id for m in memberships(user) if m.role == Role.FOCAL_POINT]
    waiting = (
        Response.objects.waiting().filter(need__country__in=countries).select_related("need", "partner", "country")
    )
    tasks += [
        Task(_("Accept or decline what %(who)s offers.") % {"who": response.responder}, response.get_absolute_url(),
             in_language(*response.need.text("title")), response.need.reference, response.due_on, _("After that day the offer lapses."))
        for response in (waiting.order_by("due_on", "pk")[:MOST] if countries else ())
    ]  # fmt: skip
    asked = Response.objects.filter(state=R.SUGGESTED).of(user).select_related("need") if memberships(user) else ()
    tasks += [
        Task(_("Offer what was asked for, or decline."), response.get_absolute_url(), in_language(*response.need.text("title")),
             response.need.reference, response.due_on, _("After that day the question lapses."))
        for response in asked if user.has_perm("projects.express_response", response)
    ][:MOST]  # fmt: skip
    tasks += [
        Task(
            str(OFFER_TO_DO[offer.state]),
            offer.get_absolute_url(),
            in_language(*offer.text("title")),
            offer.reference,
            offer.due_on,
        )
        for offer in _offers(user).order_by("due_on", "-pk")[:MOST]
    ]
    tasks += [
        Task(_("%(who)s asks to join: say yes or no.") % {"who": asked.user}, reverse("people"), str(asked.place), "")
        for asked in waiting_for(user)[:MOST]
    ]
    return sorted(tasks, key=lambda task: (task.due_on is None, task.due_on or dt.date.max, task.reference))


def _offers(user):
    """Offers whose present step is this person's."""
    held = memberships(user)
    lead_roles = (Role.PARTNER_LEAD, Role.FOCAL_POINT)
    partners = [m.partner_id for m in held if m.partner_id and m.role in lead_roles]
    countries = [m.country_id for m in held if m.country_id and m.role in lead_roles]
    own = (OfferState.DRAFT, OfferState.VERIFIED, OfferState.EXPIRED)
    mine = Q(Q(partner__in=partners) | Q(country__in=countries), state__in=own)
    if held:
        mine |= Q(state=OfferState.DRAFT, created_by=user)
    if {m.role for m in held} & {Role.DESK, Role.ADMINISTRATOR}:
        mine |= Q(state=OfferState.SUBMITTED) & ~Q(created_by=user)
    return Offer.objects.visible_to(user).filter(mine)


def with_others(user) -> list[Need]:
    """Needs of this person's side that move on without them at present."""
    held = memberships(user)
    countries = {m.country_id for m in held if m.country_id}
    own = Q(country__in=countries) | Q(pk__in=Response.objects.of(user).exclude(state__in=(R.DECLINED, R.TAKEN_BACK, R.LAPSED)).values("need"))  # fmt: skip
    going = (S.SUBMITTED, S.RETURNED, S.ELIGIBLE, S.OPEN, S.IN_DIALOGUE, S.PLAN_AGREED, S.IN_DELIVERY, S.DELIVERED, S.ON_HOLD)  # fmt: skip
    if not held:
        return []
    rows = Need.objects.visible_to(user).filter(own, state__in=going).exclude(_mine(user))
    found = list(rows.select_related("country").order_by("due_on", "-pk")[:MOST])
    for need in found:
        need.then = NEXT[need.state]
    return found


def to_share(user, most: int = 5) -> list[Project]:
    """Finished projects in which this person's side provides and from which no offer comes yet: worth sharing."""
    held = [m for m in memberships(user) if m.role in (Role.PARTNER_LEAD, Role.FOCAL_POINT)]
    if not held:
        return []
    gives = Q(
        country_links__country__in=[m.country_id for m in held if m.country_id], country_links__role__in=PROVIDING
    )
    gives |= Q(
        partner_links__partner__in=[m.partner_id for m in held if m.partner_id],
        partner_links__role=OrganisationRole.IMPLEMENTING,
    )
    found = Project.objects.published().finished().filter(gives, offers__isnull=True)
    return list(found.with_text().distinct().order_by("-modified_at", "-pk")[:most])


def followed(user) -> list[Need]:
    rows = Need.objects.visible_to(user).filter(follows__user=user).select_related("country")
    return list(rows.order_by("-state_since", "-pk")[:MOST])


@dataclass(frozen=True)
class News:
    at: dt.datetime
    need: Need
    what: str


def news(user) -> list[News]:
    """What happened to this person's needs, responses and what they follow since they last said “seen”, newest first."""
    held = memberships(user)
    countries = [m.country_id for m in held if m.country_id]
    since = Event.objects.filter(at__gt=user.news_seen_at)
    # Each way in which an event is one's own is a query of its own: joined in one, all needs would be read.
    ways = [since.filter(need__follows__user=user), since.filter(response__need__follows__user=user)]
    if countries:
        ways += [since.filter(need__country__in=countries), since.filter(response__need__country__in=countries)]
    own = list(Response.objects.of(user).values_list("pk", "need")) if held else []
    if own:
        ways.append(since.filter(response__in=[pk for pk, _need in own]))
        ways.append(since.filter(need__in=[need for _pk, need in own], is_public=True))
    if user.is_staff:
        handed = ("submit", "withdraw", "deliver", "close", "close_partly")
        ways.append(since.filter(need__isnull=False, action__in=handed))
    mine = Q()
    for way in ways:
        mine |= Q(pk__in=way.order_by().values("pk"))
    events = since.filter(mine).exclude(by=user)
    loaded = events.select_related(
        "by", "need__country", "response__need__country", "response__partner", "response__country"
    ).prefetch_related("by__memberships__partner", "by__memberships__country", "response__answers__line")
    found, own_responses = [], {pk for pk, _need in own}
    for event in loaded.order_by("-at", "-pk")[:MOST]:
        need = event.need or event.response.need
        is_own = event.response_id in own_responses
        if event.is_public or user.is_staff or need.country_id in countries or is_own:
            who = entitled(who_did(event, need, event.response))
            found.append(News(event.at, need, format_html("{} {}", who, said(event, event.response, html=True))))
    visible = set(Need.objects.visible_to(user).filter(pk__in={n.need.pk for n in found}).values_list("pk", flat=True))
    return [entry for entry in found if entry.need.pk in visible]
