"""The offers of the demonstration: each is carried through its life by the same moves as a real one."""

import datetime as dt
from decimal import Decimal

from django.db import transaction
from django.utils import timezone

from partners.choices import STAFF_ROLES, Role
from partners.models import Country, CountryGroup, Region, User
from projects import lifecycle
from projects.choices import OfferState
from projects.demonstration import person, read
from projects.models import Eligible, Offer, OfferLine, OfferTerm, Project, Term

TEXTS = ("kind", "language", "title", "summary", "description", "maturity", "evidence", "languages")
MOVES = {  # to each state from a draft, and by whose side
    OfferState.DRAFT: (),
    OfferState.SUBMITTED: ("submit",),
    OfferState.ACTIVE: ("submit", "verify", "activate"),
    OfferState.VERIFIED: ("submit", "verify"),
    OfferState.PAUSED: ("submit", "verify", "activate", "pause"),
    OfferState.EXPIRED: ("submit", "verify", "activate", "expire"),
    OfferState.WITHDRAWN: ("submit", "verify", "activate", "withdraw"),
}


@transaction.atomic
def load_offers() -> int:
    """Offers of the demonstration; those that are there already stay as they are. Returns how many are new."""
    terms = {f"{t.vocabulary}:{t.code}": t for t in Term.objects.all()}
    present = set(Offer.objects.filter(is_illustrative=True).values_list("title", flat=True))
    new = [row for row in read("offers") if row["title"] not in present]
    desk = person(STAFF_ROLES[0], "partner:unep")
    for row in new:
        offer = _draft(row, terms)
        with lifecycle.quietly():
            for action in MOVES[row["upto"]]:
                by = {"verify": desk, "expire": User.objects.system()}.get(action, offer.created_by)
                note = "The people who gave it have moved on." if action == "withdraw" else ""
                lifecycle.transition(offer, action, by=by, note=note)
    return len(new)


def _draft(row: dict, terms: dict) -> Offer:
    lead = person(Role.FOCAL_POINT if row["by"].startswith("country:") else Role.PARTNER_LEAD, row["by"])
    held = lead.memberships.get()
    offer = Offer(
        **{name: row[name] for name in TEXTS if name in row}, partner=held.partner, country=held.country,
        past_cooperation=row.get("past", ""), intellectual_property=row.get("rights", ""), is_illustrative=True, created_by=lead,
        contact_name="C. Person", contact_email="person@example.org",
        project=Project.objects.get(title=row["project"]) if "project" in row else None,
        deadline=timezone.localdate() + dt.timedelta(days=row["deadline"]) if "deadline" in row else None,
    )  # fmt: skip
    offer.full_clean(exclude=["reference"])
    offer.save()
    OfferTerm.objects.bulk_create(OfferTerm(offer=offer, term=terms[code]) for code in row["terms"])
    for place, entry in enumerate(row["lines"]):
        help_, cost, quantity, unit, text = entry.split(" ", 4)
        OfferLine.objects.create(
            offer=offer, position=place, text=text, cost=cost, quantity=Decimal(quantity), unit=unit,
            assistance=terms[f"assistance:{help_}"],
        )  # fmt: skip
    for code in row.get("eligible", []):
        Eligible.objects.create(offer=offer, **_place(code))
    return offer


def _place(code: str) -> dict:
    """A country by its ISO 3166-1 code, a region by its UN M49 code, a group by its own."""
    if code.isdigit():
        return {"region": Region.objects.get(code=code)}
    return (
        {"country": Country.objects.get(iso3=code)}
        if code.isupper()
        else {"group": CountryGroup.objects.get(code=code)}
    )
