"""How well the texts of a need and of what is offered fit: by their words and concepts, and by what they mean.

Both are told for the need as a whole and for each of its lines; what counts is the mean of the whole and of the line that
fits best, because a text that fully meets one line is worth more than one that touches on all (docs/decisions/0016).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import log

from django.db import connection
from django.db.models import QuerySet

from projects.choices import Matched
from projects.matching import meaning, reading
from projects.matching.reading import Part

CONCEPTS = 2.0  # a concept in common says as much as so many words of the same rarity
OTHER_LANGUAGE = 2.5  # two languages have no words in common: their concepts count for them
SATURATED = 1.6  # the weight of a term that a text names twice
FLOOR = 5  # rare words that a part must have in common to be met in full, however few it has itself
LOOKED_AT = 2_000  # of the best by words, before the conditions leave some out
CANDIDATES = 200  # whose texts are compared in full
SCANNED = 60_000  # postings that one search looks at, of the rarest terms first


@dataclass
class Fit:
    """How well texts fit, each from 0 to 1: `words`, `meaning` (None without the extra); by line; concepts in common."""

    shares: list[float]  # of the words and concepts of each part, the whole first
    near: list[float]  # in meaning, of each part; empty without the extra
    sought: dict[int, float]  # concepts of the need with their worth
    terms: dict[int, float]  # of the other text
    words: float = 0.0
    meaning: float | None = None
    lines: dict[int, float] = field(default_factory=dict)

    def settle(self, parts: list[Part]) -> None:
        """Takes the whole and the line that fits best, in words and meaning together."""
        both = [(share + near) / 2 for share, near in zip(self.shares, self.near or self.shares, strict=True)]
        best = max(range(1, len(both)), key=lambda place: (both[place], -place), default=0)
        self.words = (self.shares[0] + self.shares[best]) / 2
        self.meaning = (self.near[0] + self.near[best]) / 2 if self.near else None
        self.lines = {part.line: fit for part, fit in zip(parts, both, strict=True) if part.line is not None}

    @property
    def shared(self) -> list[int]:
        """Concepts that both name, what says most first."""
        common = [term for term in self.sought.keys() & self.terms.keys() if self.sought[term]]
        return sorted(common, key=lambda term: (-self.sought[term], term))

    @property
    def text(self) -> float:
        return self.words if self.meaning is None else (self.words + self.meaning) / 2


class Rarity:
    """How much a term says by itself: inverse document frequency among the texts of a kind."""

    def __init__(self, kind: Matched, terms):
        self.texts, self._in = reading.counts(kind, terms)
        self._of: dict[int, float] = {}

    def of(self, term: int) -> float:
        if (found := self._of.get(term)) is None:
            held = min(max(self._in.get(term, 0), 0), self.texts)
            found = self._of[term] = log(1 + (self.texts - held + 0.5) / (held + 0.5))
        return found

    def held(self, term: int) -> int:
        return self._in.get(term, 0)


def terms_of(parts: list[Part]) -> dict[int, float]:
    """{term: how much it says} over all parts of a need; concepts at their worth beside words."""
    found: dict[int, float] = {}
    for part in parts:
        for term, says in part.words.items():
            found[term] = max(found.get(term, 0), says)
        for term, says in part.concepts.items():
            found[term] = max(found.get(term, 0), CONCEPTS * says)
    return found


def candidates(kind: Matched, terms: dict[int, float], rarity: Rarity, among: QuerySet) -> list[int]:
    """Records of a kind that hold what says most of these terms, best first; of the best, those that are `among` the ones
    that may be found."""
    worth = sorted(((w * rarity.of(t), t) for t, w in terms.items() if w and rarity.held(t) > 0), reverse=True)
    chosen, scanned = [], 0
    for one, term in worth:
        if chosen and scanned + rarity.held(term) > SCANNED:
            continue
        scanned += rarity.held(term)
        chosen.append((term, one))
    allowed, parameters = among.order_by().values("pk").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH best AS MATERIALIZED (
              SELECT p.record, sum(q.worth * p.weight) AS score FROM unnest(%s::bigint[], %s::float[]) AS q(term, worth)
              JOIN projects_posting p ON p.kind = %s AND p.term = q.term
              GROUP BY p.record ORDER BY score DESC, p.record LIMIT %s
            )
            SELECT record FROM best WHERE record IN ({allowed}) ORDER BY score DESC, record LIMIT %s
            """,  # noqa: S608
            [[t for t, _w in chosen], [w for _t, w in chosen], kind, LOOKED_AT, *parameters, CANDIDATES],
        )
        return [row[0] for row in cursor.fetchall()]


@dataclass
class Held:
    """What was read of one text."""

    record: int
    language: str
    terms: dict[int, float]
    meaning: bytes


def held_by(kind: Matched, records: Iterable[int]) -> list[Held]:
    """What was read of these records, in the order of their keys."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT record, language, held, meaning FROM projects_readtext WHERE kind = %s AND record = ANY(%s) ORDER BY record",
            [kind, list(records)],
        )
        return [
            Held(record, language, reading.unpack_terms(bytes(held)), bytes(meant or b""))
            for record, language, held, meant in cursor.fetchall()
        ]


def fits(language: str, parts: list[Part], rows: list[Held], rarity: Rarity) -> dict[int, Fit]:
    """{record: fit} of one need with each of these texts. The same for a pair, whichever side asked."""
    floor = FLOOR * log(max(rarity.texts, 2)) * SATURATED * (1 + CONCEPTS) / 2
    asked = []
    for part in parts:
        said = {t: w * rarity.of(t) for t, w in part.words.items()}
        about = {t: CONCEPTS * w * rarity.of(t) for t, w in part.concepts.items()}
        asked.append((said, about, max((sum(said.values()) + sum(about.values())) * SATURATED, floor)))
    found = {}
    for row in rows:
        held = row.terms
        same = row.language == language
        shares = []
        for said, about, most in asked:
            met = sum(about[t] * held[t] for t in about.keys() & held.keys()) * (1 if same else OTHER_LANGUAGE)
            if same:
                met += sum(said[t] * held[t] for t in said.keys() & held.keys())
            shares.append(min(1.0, met / most))
        found[row.record] = Fit(shares, [], asked[0][1], held)
    if parts[0].meaning and (read := [row for row in rows if row.meaning]):
        vectors = [row.meaning for row in read]
        for part in parts:
            for row, near in zip(read, meaning.likeness(part.meaning, vectors), strict=True):
                found[row.record].near.append(max(0.0, near))
    for fit in found.values():
        fit.settle(parts)
    return found
