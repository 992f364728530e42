"""The matches as last found, kept so that pages, alerts and the desk's overview need not search.

Each need keeps its best offers and each offer its best needs. A record that changed is searched for anew at once, all of
them each night.
"""

from django.db import transaction

from projects.choices import Matched
from projects.matching import reading
from projects.matching.finding import Match, needs_for, offers_for
from projects.models import FoundMatch, Need, Offer

KEPT = 20  # best offers of a need, best needs of an offer
LEAST = 45  # points from which on two are called a match


def renew(kind: Matched, keys: list[int]) -> None:
    """Finds anew what fits these needs or offers."""
    if kind == Matched.NEED:
        for need in Need.objects.filter(pk__in=keys):
            _keep("need", "offer", need.pk, offers_for(need, limit=KEPT) if need.takes_responses else [])
    elif kind == Matched.OFFER:
        for offer in Offer.objects.filter(pk__in=keys).select_related("entry"):
            _keep("offer", "need", offer.pk, needs_for(offer, limit=KEPT))


@transaction.atomic
def _keep(own: str, other: str, key: int, found: list[Match]) -> None:
    """Makes these the best of a record: `own` names the side that was searched for, `other` what was found."""
    pairs = [
        FoundMatch(need_id=m.need, offer_id=m.record, score=m.score, points=_shares(m), **{f"is_of_{own}": True})
        for m in found
        if m.score >= LEAST
    ]
    FoundMatch.objects.filter(**{own: key}).exclude(
        **{f"{other}__in": [getattr(p, f"{other}_id") for p in pairs]}
    ).update(**{f"is_of_{own}": False})
    FoundMatch.objects.bulk_create(
        pairs, update_conflicts=True, unique_fields=["need", "offer"], update_fields=["score", "points", f"is_of_{own}"]
    )
    gone = FoundMatch.objects.filter(**{own: key}, is_of_need=False, is_of_offer=False)
    gone.filter(is_told=False, shown=0).delete()  # the others are kept: nobody is told twice, and the counts stay


def _shares(match: Match) -> dict[str, float]:
    """{signal: the share of its points that was earned}."""
    return {signal.value: round(got / most, 2) for signal, (got, most) in match.points.items() if most}


def refresh(kind: Matched, keys: list[int] | None = None) -> int:
    """Reads records that changed and finds their matches anew; None: all of the kind. Returns how many were read."""
    read = reading.refresh(kind, keys)
    if keys is None:
        keys = list(reading.kept(kind).order_by("pk").values_list("pk", flat=True))
    renew(kind, keys)
    return read
