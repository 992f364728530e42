"""Matches as people see them: who can help a need, which needs fit an offer or one's side, what the desk could broker.

What fits, and why, is found by `matching`; here the records are loaded and the lines that a match could cover are told.
"""

from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations

from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.db.models import Avg, Count, Exists, F, FloatField, Max, OuterRef, Prefetch, Q, QuerySet
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast
from django.utils.translation import gettext as _

from partners.models import Region
from partners.rules import memberships, require
from projects import charts, matching
from projects.choices import Matched, ResponseState, Signal
from projects.coverage import Coverage, coverage_of
from projects.matching import keeping
from projects.matching.finding import Match
from projects.models import (
    FacetKind,
    FoundMatch,
    Need,
    NeedEntry,
    Offer,
    OfferEntry,
    OfferLine,
    Project,
    Response,
    SavedMatch,
    SetAside,
    Term,
)
from projects.models.response import ACCEPTED

SHOWN = 10


@dataclass
class LineFit:
    """One line of a need, and how much of what is open an offer could cover (None: it does not meet the line)."""

    row: Coverage
    could: Decimal | None = None

    @property
    def parts(self) -> list[charts.Part]:
        return charts.strip(*self.row.drawn)

    @property
    def figure(self) -> Decimal | None:
        """How much that is, where the line has a quantity."""
        return self.could if self.row.is_counted else None

    @property
    def frame(self) -> tuple[str, str] | None:
        """Where on the line's strip that is: begin and width, in per cent."""
        if not self.figure or not self.row.wanted:
            return None
        start = (self.row.wanted - self.row.open) / self.row.wanted * 100
        return f"{start:.2f}", f"{self.could / self.row.wanted * 100:.2f}"


@dataclass
class Candidate:
    """A match with its records and, of the need, line by line what it could cover."""

    match: Match
    need: Need
    given: Offer | Project
    lines: list[LineFit]
    may_set_aside: bool = False  # by whoever looks at it
    is_kept: bool = False  # by whoever looks at it

    @property
    def score(self) -> int:
        return round(self.match.score)

    @property
    def is_offer(self) -> bool:
        return self.match.kind == Matched.OFFER

    @property
    def covers(self) -> list[LineFit]:
        """Lines of which something is open that it could cover."""
        return [line for line in self.lines if line.could]

    def points(self, against: bool) -> list[tuple[Signal, str, int, int, str]]:
        """(signal, sentence, points, most, per cent) of what speaks for or against it, the weightiest first."""
        found = []
        for signal, told in self.match.told.items():
            if signal not in self.match.points or told.reason is None or told.speaks_against != against:
                continue
            got, most = self.match.points[signal]
            if most and (said := told.reason()):
                found.append((signal, said, round(got), most, f"{100 * got / most:.0f}"))
        return sorted(found, key=lambda one: (-one[2] if not against else one[2] - one[3], str(one[0])))

    @property
    def speaks_for(self):
        return self.points(False)

    @property
    def speaks_against(self):
        return self.points(True)

    @property
    def apart(self) -> list[tuple[Signal, float, int]]:
        """The score taken apart: every signal that counted, also those without a sentence."""
        return [(signal, round(got, 1), most) for signal, (got, most) in self.match.points.items()]


def _needs() -> QuerySet:
    return Need.objects.select_related("country").prefetch_related("lines__answers__response", "lines__assistance")


def _offers() -> QuerySet:
    return Offer.objects.select_related("partner", "country").prefetch_related(
        Prefetch("lines", OfferLine.objects.select_related("assistance"))
    )


def _candidates(found: list[Match], needs: dict[int, Need], given: dict[int, Offer | Project]) -> list[Candidate]:
    return [
        Candidate(match, needs[match.need], given[match.record], _lines(match, needs[match.need], given[match.record]))
        for match in found
        if match.need in needs and match.record in given
    ]


def _lines(match: Match, need: Need, given: Offer | Project) -> list[LineFit]:
    """Of a line that is met: as much as the offer has of that kind of help in that unit, else, where it does not say, all
    that is open."""
    there: dict[tuple[int | None, str], Decimal] = {}
    if isinstance(given, Offer):
        for line in given.lines.all():
            if line.quantity:
                what = (line.assistance_id, line.unit)
                there[what] = there.get(what, Decimal(0)) + line.quantity
    found = []
    for row in coverage_of(need):
        could = min(row.open, there.get((row.line.assistance_id, row.line.unit), row.open))
        found.append(LineFit(row, could if row.line.pk in match.lines else None))
    return found


def offers_for(need: Need, limit: int = SHOWN) -> list[Candidate]:
    """Who can help a need, best first."""
    found = (
        [match for match in matching.offers_for(need, limit=limit) if match.score >= keeping.LEAST]
        if need.takes_responses
        else []
    )
    loaded = _offers().in_bulk([match.record for match in found])
    return _candidates(found, _needs().in_bulk([need.pk]), loaded)


def projects_for(need: Need, limit: int = 5) -> list[Candidate]:
    """Who has done before what a need asks for."""
    found = [match for match in matching.projects_for(need, limit=limit) if match.score >= keeping.LEAST]
    return _candidates(
        found, _needs().in_bulk([need.pk]), Project.objects.for_listing().in_bulk([m.record for m in found])
    )


def needs_for(offer: Offer, limit: int = SHOWN) -> list[Candidate]:
    """Needs that an offer can meet, best first."""
    found = [match for match in matching.needs_for(offer, limit=limit) if match.score >= keeping.LEAST]
    return _candidates(found, _needs().in_bulk([match.need for match in found]), _offers().in_bulk([offer.pk]))


def together(candidates: list[Candidate], most: int = 2) -> list[tuple[Candidate, Candidate]]:
    """Two providers, one of them from the South, that could cover all open lines where neither could alone:
    triangular cooperation, the South's provider first."""
    found = []
    for one, other in combinations(candidates, 2):
        wanted = {line.row.line.pk for line in one.lines if line.row.open}
        mine, theirs = ({line.row.line.pk for line in c.covers} for c in (one, other))
        if one.given.provider == other.given.provider or not wanted or not mine | theirs >= wanted:
            continue
        if mine >= wanted or theirs >= wanted:
            continue
        south = [c for c in (one, other) if (told := c.match.told.get(Signal.SOUTH)) and told.value == 1]
        if south:
            first = south[0]
            found.append((first, other if first is one else one))
    return sorted(found, key=lambda two: -(two[0].match.score + two[1].match.score))[:most]


# --- for one's side ----------------------------------------------------------------------------------------------------
def found_for(user) -> QuerySet:
    """The matches of the offers of this person's sides, as last found."""
    return FoundMatch.objects.standing().filter(offer__in=Offer.objects.of(user))


def fitting(found: QuerySet) -> QuerySet:
    """The needs of these matches: rows with `need` and `best`, best first."""
    return found.order_by().values("need").annotate(best=Max("score")).order_by("-best", "need_id")


def shown_of(user, needs: list[int], offer: Offer | None = None) -> list[Candidate]:
    """These needs, each with the best of this person's offers, or with this one."""
    rows = (
        FoundMatch.objects.standing()
        .filter(offer__in=[offer.pk] if offer else Offer.objects.of(user), need__in=needs)
        .order_by("-score", "offer_id")
    )
    best: dict[int, int] = {}
    for need, offer in rows.values_list("need", "offer"):
        best.setdefault(need, offer)
    loaded = _needs().in_bulk(needs)
    found = matching.pairs([(loaded[key], best[key]) for key in needs if key in best])
    return _candidates(found, loaded, _offers().in_bulk(set(best.values())))


def to_broker(most: int = SHOWN) -> list[FoundMatch]:
    """Pairs worth a word from the desk: needs that nobody has answered, each with its best offer."""
    rows = FoundMatch.objects.standing().filter(need__responses__isnull=True).order_by("need_id", "-score", "offer_id")
    best = rows.distinct("need_id").values("pk")
    return list(
        FoundMatch.objects.filter(pk__in=best)
        .select_related("need__country", "offer__partner", "offer__country")
        .order_by("-score", "pk")[:most]
    )


def without_match() -> QuerySet:
    """Needs that take responses and that no offer fits."""
    standing = FoundMatch.objects.standing().values("need")
    return (
        Need.objects.taking_responses()
        .exclude(pk__in=standing)
        .select_related("country")
        .order_by("published_at", "pk")
    )


def lacking(needs: list[Need]) -> dict[int, list[Term]]:
    """{key of the need: its themes and kinds of help for which its country can have no offer now}."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT asked.need_id, asked.term_id FROM (
              SELECT l.need_id, l.term_id FROM projects_needterm l JOIN projects_term t ON t.id = l.term_id
                WHERE t.vocabulary = 'bsp-theme'
              UNION SELECT i.need_id, i.assistance_id FROM projects_lineitem i WHERE i.assistance_id IS NOT NULL
            ) asked JOIN projects_need n ON n.id = asked.need_id
            WHERE n.id = ANY(%s) AND NOT EXISTS (
              SELECT FROM projects_offerentry e JOIN projects_offer o ON o.id = e.offer_id
              WHERE o.state = 'active' AND e.facets @> ARRAY[(asked.term_id * 16 + %s)::int]
                AND e.facets && ARRAY[%s, (n.country_id * 16 + %s)::int])
            """,
            [[need.pk for need in needs], FacetKind.TERM, FacetKind.RECIPIENT.of(0), FacetKind.RECIPIENT],
        )
        rows = cursor.fetchall()
    terms = Term.objects.in_bulk([term for _need, term in rows])
    found: dict[int, list[Term]] = {need.pk: [] for need in needs}
    for need, term in rows:
        found[need].append(terms[term])
    return {
        need: sorted(own, key=lambda term: (term.vocabulary, term.position, term.pk)) for need, own in found.items()
    }


# --- not for us ----------------------------------------------------------------------------------------------------------
def aside_of(need: Need, offer: Offer, user) -> SetAside | None:
    """A word of this person's side that the match is not for it, not written yet; None for those of neither side."""
    for held in memberships(user):
        aside = SetAside(need=need, offer=offer, partner=held.partner, country=held.country, by=user)
        if user.has_perm("projects.add_setaside", aside):
            return aside
    return None


@transaction.atomic
def set_aside(aside: SetAside) -> None:
    """Writes it down. The two are not matched again until it is taken back."""
    require(aside.by, "projects.add_setaside", aside)
    aside.full_clean(validate_unique=False, validate_constraints=False)
    try:
        with transaction.atomic():
            aside.save()
    except IntegrityError as error:
        raise ValidationError(_("This match was set aside already."), code="state") from error


@transaction.atomic
def put_back(aside: SetAside, *, by) -> None:
    """Takes it back: the two can be matched again."""
    require(by, "projects.delete_setaside", aside)
    aside.delete()


def set_aside_by(user) -> QuerySet:
    """What the sides of this person have set aside."""
    held = memberships(user)
    rows = SetAside.objects.filter(partner__in=[m.partner_id for m in held if m.partner_id]) | SetAside.objects.filter(
        country__in=[m.country_id for m in held if m.country_id]
    )
    return rows.select_related("need__country", "offer__partner", "offer__country", "partner", "country").order_by(
        "-at", "-pk"
    )


# --- kept for later ------------------------------------------------------------------------------------------------------
def keep(need: Need, offer: Offer, user) -> None:
    """Keeps a match on this person's own page."""
    SavedMatch.objects.get_or_create(user=user, need=need, offer=offer)


def saved_by(user) -> list[SavedMatch]:
    """The matches that this person keeps, of needs and offers that they may still see."""
    rows = user.saved_matches.select_related("need__country", "offer__partner", "offer__country")
    return [
        row for row in rows[:50]
        if user.has_perm("projects.view_need", row.need) and user.has_perm("projects.view_offer", row.offer)
    ]  # fmt: skip


# --- how good they are ---------------------------------------------------------------------------------------------------
MOST_SEEN = 60  # matches in one message of a page


def seen(pairs: list[tuple[int, int]], *, opened: bool) -> None:
    """Counts matches as shown, or as opened; not by whom. `pairs`: keys of need and offer."""
    column = "opened" if opened else "shown"
    chosen = Q(pk__in=[])
    for need, offer in pairs[:MOST_SEEN]:
        chosen |= Q(need=need, offer=offer)
    FoundMatch.objects.filter(chosen).update(**{column: F(column) + 1})


def quality() -> tuple[dict[str, int], list[tuple[Signal, dict[str, float | None]]]]:
    """What became of matches: how many were shown, opened, answered, accepted, set aside; and, for each of these, the mean
    share of each signal's points, in per cent: a signal that is no higher among the accepted than among the shown tells
    little."""
    answered = Response.objects.filter(need=OuterRef("need"), offer=OuterRef("offer")).exclude(
        state=ResponseState.SUGGESTED
    )
    accepted = answered.filter(state__in=ACCEPTED)
    aside = SetAside.objects.filter(need=OuterRef("need"), offer=OuterRef("offer"))
    groups = {
        "shown": FoundMatch.objects.filter(shown__gt=0), "opened": FoundMatch.objects.filter(opened__gt=0),
        "answered": FoundMatch.objects.filter(Exists(answered)), "accepted": FoundMatch.objects.filter(Exists(accepted)),
        "set_aside": FoundMatch.objects.filter(Exists(aside)),
    }  # fmt: skip
    mean = {s.value: Avg(Cast(KeyTextTransform(s.value, "points"), FloatField())) for s in Signal}
    found = {name: rows.aggregate(n=Count("pk"), **mean) for name, rows in groups.items()}
    counts = {name: row["n"] for name, row in found.items()}
    table = [
        (s, {name: None if row[s.value] is None else round(100 * row[s.value]) for name, row in found.items()}) for s in Signal
    ]  # fmt: skip
    return counts, table


# --- demand and supply -----------------------------------------------------------------------------------------------------
@dataclass
class Balance:
    """Of one theme or region: needs that take responses, those of them without a match, and offers that can be had."""

    place: Term | Region
    needs: int
    lonely: int
    offers: int
    most: int  # the largest of all numbers in the table, for the picture

    @property
    def is_gap(self) -> bool:
        return self.needs > 0 and self.lonely == self.needs

    @property
    def bars(self) -> list[tuple[str, int, str]]:
        """(pattern, number, width in per cent) of the needs and of the offers."""
        return [(name, n, f"{100 * n / self.most:.1f}") for name, n in (("open", self.needs), ("offered", self.offers))]


def demand_and_supply() -> tuple[list[Balance], list[Balance]]:
    """Where needs and offers meet and where they do not: by theme, and by region (of the country that asks, of the one
    that offers)."""
    asked = NeedEntry.objects.filter(need__in=Need.objects.taking_responses().order_by().values("pk"))
    needs, lonely = asked.counts(), asked.filter(need__in=without_match().order_by().values("pk")).counts()
    offers = OfferEntry.objects.filter(offer__in=Offer.objects.active().order_by().values("pk")).counts()

    def rows(kind: FacetKind, places) -> list[Balance]:
        tables = [kind.among(counts) for counts in (needs, lonely, offers)]
        most = max(
            (n for table in (tables[0], tables[2]) for place in places if (n := table.get(place.pk, 0))), default=1
        )
        found = [Balance(place, *(table.get(place.pk, 0) for table in tables), most) for place in places]
        return sorted(found, key=lambda one: (-one.needs, one.offers))

    regions = list(Region.objects.filter(parent__code="001").by_name())
    return rows(FacetKind.TERM, list(Term.objects.themes())), rows(FacetKind.REGION, regions)
