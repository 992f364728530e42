"""What matching keeps of each record's public texts, and how that is kept fresh.

Only texts that everybody may read once the record is public are read, so that no match can tell what a page hides.
Offers that can be had, published projects and published needs are kept; a need that is not public yet is read on the
spot (`of_need`).
"""

import json
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b

from django.db import connection, transaction
from django.utils import timezone

from projects.choices import Matched
from projects.matching import meaning, words
from projects.matching.words import Content, content, number, of_concept, of_word
from projects.models import LineItem, Need, Offer, OfferLine, Posting, Project, ReadText, TermCount
from projects.models.offer import LISTED

# BM25 (Robertson and Zaragoza 2009) with its usual saturation. A concept is named once or twice however long a text is,
# so length counts less there. The mean lengths are those of project descriptions of about 150 words.
SATURATION = 1.2
MEAN_WORDS, LENGTH_OF_WORDS = 90, 0.75
MEAN_CONCEPTS, LENGTH_OF_CONCEPTS = 20, 0.4
READER = "1"  # raised when texts are read differently, so that all are read again
BATCH = 200


@dataclass
class Part:
    """One thing that a need looks for: all of it (`line` None) or one line. {term: how much it says}."""

    line: int | None
    words: dict[int, float]
    concepts: dict[int, float]
    meaning: bytes = b""


@dataclass
class Text:
    """A record's texts, before they are read: each with how often it counts."""

    record: int
    language: str
    texts: list[tuple[str, int]]
    lines: list[tuple[int, str]] = field(default_factory=list)

    @property
    def plain(self) -> str:
        return ". ".join(text for text, _times in self.texts if text)

    def fingerprint(self) -> str:
        known = f"{READER}|{words.thesaurus().stamp}|{meaning.is_installed()}|{self.language}|"
        return blake2b((known + repr(self.texts) + repr(self.lines)).encode(), digest_size=24).hexdigest()


# --- the texts -------------------------------------------------------------------------------------------------------
def kept(kind: Matched):
    """The records of a kind that matching keeps."""
    if kind == Matched.OFFER:
        return Offer.objects.public().filter(state__in=LISTED)
    if kind == Matched.PROJECT:
        return Project.objects.published()
    return Need.objects.public()


def texts(kind: Matched, ids: list[int]) -> Iterator[Text]:
    """The public texts of these records, of those that are kept."""
    rows = kept(kind).filter(pk__in=ids)
    if kind == Matched.PROJECT:
        for pk, language, title, *rest in rows.values_list(
            "pk", "language", "title", "summary", "objectives", "description"
        ):
            yield Text(pk, language, [(title, 2), *((text[:6000], 1) for text in rest if text)])
        return
    lines = _lines(LineItem if kind == Matched.NEED else OfferLine, kind.name.lower(), ids)
    if kind == Matched.OFFER:
        for pk, language, title, *rest in rows.values_list("pk", "language", "title", "summary", "description"):
            said = [(text, 1) for text in rest if text]
            yield Text(pk, language, [(title, 2), *said, *((text, 1) for _pk, text in lines.get(pk, []))])
    else:
        for need in rows:
            yield text_of(need, lines.get(need.pk, []))


def _lines(model, owner: str, ids: list[int]) -> dict[int, list[tuple[int, str]]]:
    found: dict[int, list[tuple[int, str]]] = {}
    for pk, of, text in model.objects.filter(**{f"{owner}__in": ids}).values_list("pk", owner, "text"):
        found.setdefault(of, []).append((pk, text))
    return found


def text_of(need: Need, lines: list[tuple[int, str]]) -> Text:
    said = [
        need.title,
        need.public_summary,
        need.technology_sought,
        need.technology_purpose,
        *(text for _pk, text in lines),
    ]
    once = [
        text for n, text in enumerate(said) if text and not any(text in other for other in said[:n] + said[n + 1 :])
    ]
    return Text(need.pk, need.language, [(text, 1) for text in once or [need.title]], lines)


# --- reading ---------------------------------------------------------------------------------------------------------
def weights_of(read: Content) -> dict[int, float]:
    """{term: weight} of a text that is searched: how much a term stands out in it, saturated and for its length."""
    found = {}
    for counts, name, mean, length in (
        ({of_word(w, read.language): n for w, n in read.words.items()}, "words", MEAN_WORDS, LENGTH_OF_WORDS),
        ({of_concept(c): n for c, n in read.concepts.items()}, "concepts", MEAN_CONCEPTS, LENGTH_OF_CONCEPTS),
    ):
        damped = SATURATION * (1 - length + length * sum(getattr(read, name).values()) / mean)
        for term, n in counts.items():
            found[number(term)] = n * (SATURATION + 1) / (n + damped)
    return found


def part_of(line: int | None, read: Content) -> Part:
    """What a need looks for with a text: its words once each, its concepts by how much they say."""
    use = words.thesaurus().use
    return Part(
        line,
        {number(of_word(word, read.language)): 1.0 for word in read.words},
        {number(of_concept(code)): min(1.0, n) * words.SAYS[use[code]] for code, n in read.concepts.items()},
    )


def read_text(text: Text) -> Content:
    found = Content(words.base(text.language))
    for piece, times in text.texts:
        one = content(piece, text.language)
        for _ in range(times):
            found += one
    return found


def _in_english(text: str, language: str, gloss: str) -> str:
    return text if words.base(language) == "en" else gloss


def parts_of(text: Text) -> list[Part]:
    """What a need looks for: in all, and line by line."""
    pieces = [(None, text.plain, read_text(text))]
    if len(text.lines) > 1:
        pieces += [(pk, said, content(said, text.language)) for pk, said in text.lines]
    parts = [part_of(line, read) for line, _said, read in pieces]
    if meaning.is_installed():
        said = [_in_english(plain, text.language, read.gloss) for _line, plain, read in pieces]
        for part, vector in zip(parts, meaning.vectors(said), strict=True):
            part.meaning = vector
    return parts


def of_need(need: Need) -> tuple[str, list[Part]]:
    """(language, parts) of a need, as it was read; one that is not kept is read now."""
    if kept_parts := parts_by([need.pk]):
        return kept_parts[need.pk]
    text = text_of(need, [(line.pk, line.text) for line in need.lines.all()])
    return words.base(need.language), parts_of(text)


def pack_terms(weights: dict[int, float]) -> bytes:
    """{term: weight} as all the terms (8 bytes each), then all the weights (4 bytes each)."""
    return array("q", weights).tobytes() + array("f", weights.values()).tobytes()


def unpack_terms(held: bytes) -> dict[int, float]:
    terms, weights = array("q"), array("f")
    half = len(held) // 12 * 8
    terms.frombytes(held[:half])
    weights.frombytes(held[half:])
    return dict(zip(terms, weights, strict=True))


def pack(parts: list[Part]) -> dict:
    """The parts of a need as columns of `ReadText`."""
    return {
        "parts": [[part.line, len(part.words), len(part.concepts)] for part in parts],
        "sought": b"".join(pack_terms(terms) for part in parts for terms in (part.words, part.concepts)),
        "meaning": b"".join(part.meaning for part in parts) or None,
    }


def unpack(parts: list, sought: bytes, meant: bytes | None) -> list[Part]:
    found, place = [], 0
    for n, (line, *sizes) in enumerate(parts):
        both = []
        for size in sizes:
            both.append(unpack_terms(sought[place : place + 12 * size]))
            place += 12 * size
        vector = meant[n * meaning.DIMENSIONS : (n + 1) * meaning.DIMENSIONS] if meant else b""
        found.append(Part(line, *both, vector))
    return found


def parts_by(needs: Iterable[int]) -> dict[int, tuple[str, list[Part]]]:
    """{need: (language, parts)} of those that were read."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT record, language, parts::text, sought, meaning FROM projects_readtext WHERE kind = %s AND record = ANY(%s) ORDER BY record",
            [Matched.NEED, list(needs)],
        )
        return {
            record: (language, unpack(json.loads(parts), bytes(sought), bytes(meant) if meant else None))
            for record, language, parts, sought, meant in cursor.fetchall()
        }


# --- keeping it fresh ------------------------------------------------------------------------------------------------
def refresh(kind: Matched, ids: Iterable[int] | None = None, *, anew: bool = False) -> int:
    """Reads these records (None: all of the kind) where their texts or the thesaurus changed, and lets go of those that
    are no longer kept. Returns how many were read."""
    if ids is None:
        known = set(ReadText.objects.filter(kind=kind).values_list("record", flat=True))
        ids = known | set(kept(kind).order_by().values_list("pk", flat=True))
    todo, done = sorted(ids), 0
    for start in range(0, len(todo), BATCH):
        done += _refresh_batch(kind, todo[start : start + BATCH], anew)
    return done


@transaction.atomic
def _refresh_batch(kind: Matched, ids: list[int], anew: bool) -> int:
    present = dict(ReadText.objects.filter(kind=kind, record__in=ids).values_list("record", "fingerprint"))
    found = {text.record: text for text in texts(kind, ids)}
    changed = [t for t in found.values() if anew or present.get(t.record) != t.fingerprint()]
    gone = [pk for pk in ids if pk in present and pk not in found]
    if not changed and not gone:
        return 0
    rows = [_row(kind, text) for text in changed]
    if kind != Matched.NEED and meaning.is_installed():
        said = [_in_english(text.plain, text.language, row.gloss) for text, row in zip(changed, rows, strict=True)]
        for row, vector in zip(rows, meaning.vectors(said), strict=True):
            row.meaning = vector
    replaced = [row.record for row in rows] + gone
    _count(kind, replaced, -1)
    ReadText.objects.filter(kind=kind, record__in=replaced).delete()
    Posting.objects.filter(kind=kind, record__in=replaced).delete()
    ReadText.objects.bulk_create(rows)
    with (
        connection.cursor() as cursor,
        cursor.copy("COPY projects_posting (kind, term, record, weight) FROM STDIN") as copy,
    ):
        for row in rows:
            for term, weight in row.weights.items():
                copy.write_row((int(kind), term, row.record, weight))
    _count(kind, replaced, +1)
    return len(rows)


def _row(kind: Matched, text: Text) -> ReadText:
    read = read_text(text)
    weights = weights_of(read)
    row = ReadText(
        kind=kind, record=text.record, language=read.language, held=pack_terms(weights), fingerprint=text.fingerprint(),
        read_at=timezone.now(), **(pack(parts_of(text)) if kind == Matched.NEED else {"parts": []}),
    )  # fmt: skip
    row.gloss, row.weights = read.gloss, weights
    return row


def _count(kind: Matched, records: list[int], sign: int) -> None:
    """Adds or takes away what these records contribute to the counts; terms in one order, so that writers never lock each other."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO projects_termcount AS c (kind, term, n)
            SELECT %(kind)s, term, %(sign)s * count(*) FROM (
              SELECT term FROM projects_posting WHERE kind = %(kind)s AND record = ANY(%(records)s)
              UNION ALL SELECT 0 FROM projects_readtext WHERE kind = %(kind)s AND record = ANY(%(records)s)
            ) held GROUP BY term ORDER BY term
            ON CONFLICT (kind, term) DO UPDATE SET n = c.n + excluded.n
            """,
            {"kind": kind, "sign": sign, "records": records},
        )


def stale(kind: Matched) -> list[int]:
    """Records that changed, came or went since they were read; found without reading their texts."""
    current = kept(kind).order_by().values("id", "modified_at").query
    sql, parameters = current.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT coalesce(now_kept.id, read.record) FROM ({sql}) AS now_kept
            FULL JOIN (SELECT record, read_at FROM projects_readtext WHERE kind = %s) AS read ON read.record = now_kept.id
            WHERE read.record IS NULL OR now_kept.id IS NULL OR now_kept.modified_at > read.read_at
            """,  # noqa: S608
            [*parameters, kind],
        )
        return [row[0] for row in cursor.fetchall()]


def counts(kind: Matched, terms: Iterable[int]) -> tuple[int, dict[int, int]]:
    """(number of texts of a kind, {term: in how many of them})."""
    found = dict(TermCount.objects.filter(kind=kind, term__in=[0, *terms]).values_list("term", "n"))
    return max(found.pop(0, 0), 1), found
