"""What is compared beside the texts: facts of needs and of what is offered, loaded for many records at once."""

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal

from django.db.models import Q

from partners.models import Country
from projects.choices import Matched, SetAsideReason, Vocabulary
from projects.models import (
    FacetKind,
    LineItem,
    NearTerm,
    Need,
    NeedEntry,
    Offer,
    OfferEntry,
    OfferLine,
    ProjectCountry,
    SearchEntry,
    SetAside,
    Term,
)  # fmt: skip
from projects.models.project import RECEIVING

# Groups whose members are countries of the South: developing countries in any of the United Nations' senses.
COMPARED = ("kind", "partner", "country", "languages", "maturity", "available_from")  # of an offer
SOUTH = ("g77", "ldc", "lldc", "sids", "au", "celac")


@dataclass
class Places:
    """Where a record is at home: keys of countries, of their regions with all above, of the groups they are in."""

    countries: set[int] = field(default_factory=set)
    regions: set[int] = field(default_factory=set)
    groups: set[int] = field(default_factory=set)


@dataclass
class Asked:
    """Of a need."""

    need: Need
    places: Places
    themes: dict[int, Term]
    near: dict[int, Term]  # themes near to its own
    assistance: dict[int, Term]
    goals: dict[int, Term]  # SDGs and CRS codes
    lines: list[LineItem]

    @property
    def latest(self) -> dt.date | None:
        """The day by which the last of it is wanted, where all lines name one."""
        days = [line.by_when for line in self.lines]
        return max(days) if days and all(days) else None


@dataclass
class Given:
    """Of an offer, or of a project that shows who has done this before."""

    kind: Matched
    record: int
    terms: set[int]
    places: Places  # of its provider
    partners: set[int]
    served: set[int] = field(default_factory=set)  # of a project: its recipient countries
    offer: Offer | None = None
    lines: list[OfferLine] = field(default_factory=list)
    past: dict[int, int] = field(default_factory=dict)  # recipient country -> projects of its provider there
    unwanted: list[set[int]] = field(
        default_factory=list
    )  # terms of each need that its provider set aside as outside its work

    @property
    def amounts(self) -> dict[tuple[int | None, str], Decimal]:
        """{(kind of help, unit): how much there is in all}. An item of equipment is no answer to another kind of item."""
        found: dict[tuple[int | None, str], Decimal] = defaultdict(Decimal)
        for line in self.lines:
            if line.quantity:
                found[line.assistance_id, line.unit] += line.quantity
        return found


def _keys(facets: list[int], kind: FacetKind) -> set[int]:
    return {facet // 16 for facet in facets if facet % 16 == kind}


def _places(facets: list[int], country: FacetKind = FacetKind.COUNTRY) -> Places:
    return Places(_keys(facets, country), _keys(facets, FacetKind.REGION), _keys(facets, FacetKind.GROUP))


def asked(needs: list[Need]) -> dict[int, Asked]:
    """{need's key: its facts}, in a number of queries that does not grow with the needs."""
    keys = [need.pk for need in needs]
    facets = dict(NeedEntry.objects.filter(pk__in=keys).values_list("pk", "facets"))
    lines: dict[int, list[LineItem]] = defaultdict(list)
    for line in LineItem.objects.filter(need__in=keys).order_by("need", "position", "pk"):
        lines[line.need_id].append(line)
    named = Term.objects.in_bulk({key for held in facets.values() for key in _keys(held, FacetKind.TERM)})
    themes = [key for key, term in named.items() if term.vocabulary == Vocabulary.BSP_THEME]
    near: dict[int, dict[int, Term]] = defaultdict(dict)
    for pair in NearTerm.objects.filter(one__in=themes).select_related("other"):
        near[pair.one_id][pair.other_id] = pair.other
    for pair in NearTerm.objects.filter(other__in=themes).select_related("one"):
        near[pair.other_id][pair.one_id] = pair.one
    found = {}
    for need in needs:
        held = facets.get(need.pk, [])
        own = {key: named[key] for key in _keys(held, FacetKind.TERM) if key in named}
        of = {name: {k: t for k, t in own.items() if t.vocabulary == name} for name in Vocabulary.values}
        around = {k: t for theme in of[Vocabulary.BSP_THEME] for k, t in near[theme].items() if k not in own}
        found[need.pk] = Asked(
            need, _places(held), of[Vocabulary.BSP_THEME], around, of[Vocabulary.ASSISTANCE],
            {**of[Vocabulary.SDG], **of[Vocabulary.CRS]}, lines[need.pk],
        )  # fmt: skip
    return found


def offers(keys: list[int]) -> dict[int, Given]:
    """{offer's key: its facts}."""
    facets = dict(OfferEntry.objects.filter(pk__in=keys).values_list("pk", "facets"))
    found = {
        offer.pk: Given(
            Matched.OFFER, offer.pk, _keys(facets.get(offer.pk, []), FacetKind.TERM), _places(facets.get(offer.pk, [])),
            {offer.partner_id} - {None}, offer=offer,
        )
        for offer in Offer.objects.filter(pk__in=keys).only(*COMPARED)
    }  # fmt: skip
    for line in OfferLine.objects.filter(offer__in=keys).order_by("offer", "position", "pk"):
        if line.offer_id in found:
            found[line.offer_id].lines.append(line)
    _add_past(found)
    _add_unwanted(found)
    return found


def projects(keys: list[int]) -> dict[int, Given]:
    """{project's key: its facts}."""
    return {
        pk: Given(
            Matched.PROJECT, pk, _keys(facets, FacetKind.TERM), _places(facets, FacetKind.PROVIDER),
            _keys(facets, FacetKind.PARTNER), served=_keys(facets, FacetKind.RECIPIENT),
        )
        for pk, facets in SearchEntry.objects.filter(pk__in=keys, is_public=True).values_list("pk", "facets")
    }  # fmt: skip


def _add_past(found: dict[int, Given]) -> None:
    """With which countries the providers have worked, in published projects."""
    by_partner, by_country = defaultdict(list), defaultdict(list)
    for given in found.values():
        if given.offer.partner_id:
            by_partner[given.offer.partner_id].append(given)
        else:
            by_country[given.offer.country_id].append(given)
    received = ProjectCountry.objects.filter(role__in=RECEIVING, country__isnull=False, project__entry__is_public=True)
    for among, path in (
        (by_partner, "project__partner_links__partner"),
        (by_country, "project__country_links__country"),
    ):
        if not among:
            continue
        rows = (
            received.filter(**{f"{path}__in": list(among)})
            .order_by()
            .values_list(path, "country", "project")
            .distinct()
        )
        for provider, country, _project in rows:
            for given in among[provider]:
                given.past[country] = given.past.get(country, 0) + 1


def _add_unwanted(found: dict[int, Given]) -> None:
    """What their providers have set aside as outside what they do, whichever offer it was matched with."""
    by_provider = defaultdict(list)
    for given in found.values():
        by_provider[given.offer.partner_id, given.offer.country_id].append(given)
    rows = SetAside.objects.filter(reason=SetAsideReason.OUTSIDE).filter(
        Q(partner__in=[p for p, _c in by_provider if p]) | Q(country__in=[c for _p, c in by_provider if c])
    )
    for partner, country, facets in rows.values_list("partner", "country", "need__entry__facets"):
        for given in by_provider.get((partner, country), []):
            given.unwanted.append(_keys(facets or [], FacetKind.TERM))


def south() -> set[int]:
    """Keys of the countries of the South."""
    return set(
        Country.objects.filter(
            memberships_in_groups__group__code__in=SOUTH, memberships_in_groups__standing="member"
        ).values_list("pk", flat=True)
    )
