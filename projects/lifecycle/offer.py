"""The life of an offer: what each state requires, and the moves between the states."""

import datetime as dt

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from projects.choices import OfferKind, Side, Vocabulary
from projects.choices import OfferState as S
from projects.lifecycle.moves import Transition, table, today
from projects.lifecycle.need import Requirement, working_days
from projects.models import Offer

ACTIVE_FOR = dt.timedelta(days=365)
WRITING = (S.DRAFT,)  # the provider writes
DRAFT_FIELDS = frozenset({
    "kind", "language", "title", "summary", "description", "languages", "available_from", "available_until", "deadline",
    "how_to_apply", "website", "maturity", "past_cooperation", "evidence", "project", "conditions", "intellectual_property",
    "contact_name", "contact_email", "contact_phone", "terms", "lines", "eligible",
})  # fmt: skip
WRITABLE: dict[str, frozenset[str]] = dict.fromkeys(WRITING, DRAFT_FIELDS)  # by the provider, or by UNEP on its behalf


def _has(name: str):
    return lambda offer: bool(str(getattr(offer, name) or "").strip())


REQUIRED: dict[str, tuple[Requirement, ...]] = {
    S.SUBMITTED: (
        Requirement("title", _("Give it a title."), _has("title")),
        Requirement("summary", _("Say what others get from it."), _has("summary")),
        Requirement(
            "terms", _("Choose at least one thematic area of the Bali Strategic Plan."),
            lambda o: any(link.term.vocabulary == Vocabulary.BSP_THEME for link in o.term_links.select_related("term")),
        ),
        Requirement("lines", _("Add at least one line: what exactly you can share."), lambda o: o.lines.exists()),
        Requirement("lines", _("Choose a kind of help for each line."), lambda o: all(line.assistance_id for line in o.lines.all())),
        Requirement("languages", _("Name the languages in which you work."), lambda o: bool(o.languages)),
        Requirement("contact_name", _("Name a contact."), _has("contact_name")),
        Requirement("contact_email", _("Give the contact's e-mail address."), _has("contact_email")),
        Requirement("maturity", _("Say how far the technology is."), _has("maturity"), OfferKind.TECHNOLOGY),
        Requirement("evidence", _("Say what shows that it works."), lambda o: bool(o.evidence.strip() or o.project_id), OfferKind.EXPERIENCE),
        Requirement("available_until", _("The days on which it can be had have passed."), lambda o: not has_ended(o)),
    ),
    S.ACTIVE: (
        Requirement("available_until", _("The days on which it can be had have passed."), lambda o: not has_ended(o)),
    ),
}  # fmt: skip


def has_ended(offer: Offer) -> bool:
    """Its own last day, or the last day to ask for it, has passed."""
    return any(day is not None and day < today() for day in (offer.available_until, offer.deadline))


def missing_for(offer: Offer, state: str) -> list[Requirement]:
    """What an offer lacks before it may enter a state."""
    return [r for r in REQUIRED.get(state, ()) if r.only_for in ("", offer.kind) and not r.is_met(offer)]


def _requires(state: str):
    return lambda offer: list(dict.fromkeys(r.message for r in missing_for(offer, state)))


def _verified(offer: Offer, by) -> dict:
    return {"verified_at": timezone.now(), "verified_by": by}


def _activated(offer: Offer, by) -> dict:
    """Active until its own last day, at most for a year; then it can be renewed."""
    ends = [day for day in (offer.available_until, offer.deadline) if day is not None]
    return {"published_at": offer.published_at or timezone.now(), "expires_on": min([*ends, today() + ACTIVE_FOR])}


def _unverified(offer: Offer, by) -> dict:
    return {"verified_at": None, "verified_by": None}


DUE = {S.SUBMITTED: working_days(15)}

MOVES = table(
    "offer",
    Transition("submit", _("Submit to UNEP"), (S.DRAFT,), S.SUBMITTED, requires=_requires(S.SUBMITTED), due=DUE[S.SUBMITTED]),
    Transition("return", _("Return with questions"), (S.SUBMITTED,), S.DRAFT, requires_note=True),
    Transition("verify", _("Verify"), (S.SUBMITTED,), S.VERIFIED, then=_verified),
    Transition(
        "activate", pgettext_lazy("offer", "Make it active"), (S.VERIFIED,), S.ACTIVE, requires=_requires(S.ACTIVE), is_public=True,
        then=_activated,
    ),
    Transition("pause", _("Pause"), (S.ACTIVE,), S.PAUSED, is_public=True),
    Transition(
        "resume", pgettext_lazy("offer", "Go on"), (S.PAUSED,), S.ACTIVE, requires=_requires(S.ACTIVE), is_public=True
    ),
    Transition("expire", _("Let expire"), (S.ACTIVE, S.PAUSED), S.EXPIRED, is_public=True),
    Transition(
        "renew", _("Renew for 12 months"), (S.ACTIVE, S.EXPIRED), S.ACTIVE, requires=_requires(S.ACTIVE), is_public=True,
        then=_activated,
    ),
    Transition(
        "revise", pgettext_lazy("offer", "Rewrite it"), (S.VERIFIED, S.PAUSED, S.EXPIRED), S.DRAFT, is_public=True, then=_unverified
    ),
    Transition(
        "withdraw", _("Withdraw"), (S.DRAFT, S.SUBMITTED, S.VERIFIED, S.ACTIVE, S.PAUSED, S.EXPIRED), S.WITHDRAWN,
        requires_note=True, is_public=True, is_note_public=True,
    ),
)  # fmt: skip

# Who holds an offer in each state.
HOLDER: dict[str, str] = {
    S.DRAFT: Side.PARTNER, S.SUBMITTED: Side.UNEP, S.VERIFIED: Side.PARTNER, S.ACTIVE: Side.PARTNER,
    S.PAUSED: Side.PARTNER, S.EXPIRED: Side.PARTNER,
}  # fmt: skip

# What comes after each state.
NEXT: dict[str, str] = {
    S.DRAFT: _("The provider completes it and submits it to UNEP."),
    S.SUBMITTED: _("UNEP verifies it, or returns it with questions."),
    S.VERIFIED: _("The provider makes it active."),
    S.ACTIVE: _("Countries ask for it; it is shown beside the needs that it fits."),
    S.PAUSED: _("The provider goes on with it when it can be had again."),
    S.EXPIRED: _("The provider renews it, or lets it rest."),
    S.WITHDRAWN: _("Nothing more: the provider withdrew it."),
}
