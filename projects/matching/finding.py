"""Finding what fits: offers and projects for a need, needs for an offer. Best first, the same for the same input.

Who may be found at all is said in SQL (`can_serve`, `can_be_served_by`); then texts are compared, and the best of them
signal by signal.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import QuerySet

from projects.choices import Matched, Signal, Vocabulary
from projects.matching import facts, meaning, reading, signals, texts
from projects.matching.signals import Told, World
from projects.matching.texts import Fit
from projects.models import FacetKind, MatchWeights, Need, Offer, Project

FEW = 1_500  # texts of a kind that are all compared; of more, only those with words or a theme in common
JUDGED = 80  # of the best by text, which are judged by every signal
BY_THEME = 50  # further ones of the same theme, the newest, whatever their words
LINE_MET = 0.25  # fit of texts from which on a line counts as met


@dataclass
class Match:
    """A need and what fits it. `score` is from 0 to 100; `told` says how it comes about."""

    need: int
    kind: Matched
    record: int
    score: float
    told: dict[Signal, Told]
    points: dict[Signal, tuple[float, float]]  # earned, and most that there was
    lines: set[int] = field(default_factory=set)  # of the need, that it can meet

    @property
    def reasons(self) -> list[str]:
        """What speaks for it, the weightiest first."""
        return self._sentences(False)

    @property
    def objections(self) -> list[str]:
        """What speaks against it."""
        return self._sentences(True)

    def _sentences(self, against: bool) -> list[str]:
        chosen = [signal for signal, one in self.told.items() if one.reason and one.speaks_against == against]
        if not against:
            chosen.sort(key=lambda signal: -self.points[signal][0])
        return [said for signal in chosen if (said := self.told[signal].reason())]


def weights() -> dict[Signal, int]:
    """How many points each signal can give, as staff last set them."""
    version = MatchWeights.objects.in_force()
    return {Signal(k): v for k, v in version.points.items()} if version else dict(signals.POINTS)


def points_in_force() -> dict[Signal, int]:
    """The weights as they work here: without the extra, the words stand in for the meaning of texts too."""
    points = weights()
    if not meaning.is_installed():
        points[Signal.WORDS] += points.pop(Signal.MEANING, 0)
    return points


def offers_for(need: Need, *, limit: int = 20) -> list[Match]:
    """Offers that a need can be met with."""
    return _for_need(need, Matched.OFFER, Offer.objects.can_serve(need), limit)


def projects_for(need: Need, *, limit: int = 10) -> list[Match]:
    """Projects that have done, or do, what a need asks for."""
    return _for_need(need, Matched.PROJECT, Project.objects.published().exclude(pk=need.project_id), limit)


def needs_for(offer: Offer, *, limit: int = 20) -> list[Match]:
    """Needs that an offer can meet."""
    row = next(iter(texts.held_by(Matched.OFFER, [offer.pk])), None)
    if row is None:
        return []
    terms = row.terms
    among, held = Need.objects.can_be_served_by(offer), texts.Rarity(Matched.NEED, terms)
    if held.texts <= texts.CANDIDATES:
        keys = list(among.order_by("pk").values_list("pk", flat=True))
    else:
        keys = texts.candidates(Matched.NEED, dict.fromkeys(terms, 1.0), held, among)
    needs = reading.parts_by(keys)
    rarity = texts.Rarity(
        Matched.OFFER, {t for _l, own in needs.values() for p in own for t in (*p.words, *p.concepts)}
    )
    fits = {key: texts.fits(language, parts, [row], rarity)[offer.pk] for key, (language, parts) in needs.items()}
    best = sorted(fits, key=lambda key: (-fits[key].text, key))[:JUDGED]
    asked = facts.asked(list(Need.objects.filter(pk__in=best)))
    given = facts.offers([offer.pk])[offer.pk]
    around, points = World(), points_in_force()
    matches = [_match(asked[key], given, fits[key], around, points) for key in best if key in asked]
    return sorted(matches, key=lambda match: (-match.score, match.need))[:limit]


def pairs(wanted: list[tuple[Need, int]]) -> list[Match]:
    """How each of these needs and offers fit, in the order given, in a number of queries that does not grow with them.
    Those whose texts were never read are left out."""
    keys = {offer for _need, offer in wanted}
    needs = reading.parts_by([need.pk for need, _offer in wanted])
    rows = {row.record: row for row in texts.held_by(Matched.OFFER, keys)}
    rarity = texts.Rarity(
        Matched.OFFER, {t for _l, own in needs.values() for p in own for t in (*p.words, *p.concepts)}
    )
    asked, given = facts.asked([need for need, _offer in wanted]), facts.offers(list(keys))
    around, points = World(), points_in_force()
    return [
        _match(
            asked[need.pk], given[offer],
            texts.fits(*needs[need.pk], [rows[offer]], rarity)[offer], around, points,
        )
        for need, offer in wanted
        if need.pk in needs and offer in rows and offer in given
    ]  # fmt: skip


def _for_need(need: Need, kind: Matched, among: QuerySet, limit: int) -> list[Match]:
    language, parts = reading.of_need(need)
    terms = texts.terms_of(parts)
    rarity = texts.Rarity(kind, terms)
    if rarity.texts <= FEW:
        keys = list(among.order_by("pk").values_list("pk", flat=True))
    else:
        keys = texts.candidates(kind, terms, rarity, among)
        keys = list(dict.fromkeys(keys + _of_its_themes(need, among)))
    return _judged(need, kind, language, parts, keys)[:limit]


def _of_its_themes(need: Need, others: QuerySet) -> list[int]:
    """The newest of the same themes, whatever their words: what has no word in common may still mean the same."""
    own = need.term_links.filter(term__vocabulary=Vocabulary.BSP_THEME).values_list("term", flat=True)
    themes = [FacetKind.TERM.of(term) for term in own]
    named = others.filter(entry__facets__overlap=themes) if themes else others.none()
    return list(named.order_by("-entry__published_at", "-pk").values_list("pk", flat=True)[:BY_THEME])


def _judged(need: Need, kind: Matched, language: str, parts: list, keys: Iterable[int]) -> list[Match]:
    rarity = texts.Rarity(kind, texts.terms_of(parts))
    fits = texts.fits(language, parts, texts.held_by(kind, keys), rarity)
    best = sorted(fits, key=lambda key: (-fits[key].text, key))[:JUDGED]
    asked = facts.asked([need])[need.pk]
    given = (facts.offers if kind == Matched.OFFER else facts.projects)(best)
    around, points = World(), points_in_force()
    matches = [_match(asked, given[key], fits[key], around, points) for key in best if key in given]
    return sorted(matches, key=lambda match: (-match.score, match.record))


def _match(asked: facts.Asked, given: facts.Given, fit: Fit, around: World, points: dict[Signal, int]) -> Match:
    told = signals.judge(asked, given, fit, around)
    earned = {signal: (points[signal] * one.value, points[signal]) for signal, one in told.items() if signal in points}
    most = sum(there for _got, there in earned.values())
    score = 100 * sum(got for got, _there in earned.values()) / most if most else 0.0
    return Match(asked.need.pk, given.kind, given.record, score, told, earned, _lines_met(asked, given, fit))


def _lines_met(asked: facts.Asked, given: facts.Given, fit: Fit) -> set[int]:
    """Lines whose text it fits. An offer of expert-days is no answer to a line of equipment, however alike the words: where
    the line names a kind of help, the offer has to have it."""
    open_to = [
        line for line in asked.lines
        if given.offer is None or line.assistance_id is None or line.assistance_id in given.terms
    ]  # fmt: skip
    if len(asked.lines) == 1:
        return {line.pk for line in open_to}
    return {
        line.pk for line in open_to
        if fit.lines.get(line.pk, 0) >= LINE_MET * (0.6 if line.assistance_id in given.terms else 1)
    }  # fmt: skip
