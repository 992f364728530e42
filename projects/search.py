"""Search over projects: words in any language of the portal, names recognised as filters, “did you mean”, marked hits.

PostgreSQL's full text does the matching, with a dictionary per language. Words are folded first (SQL `fold`), so that
accents and case never matter. Each word of a query is looked for in the stemmed form of every language in use, because
a reader may write in another language than the record.
"""

import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from time import monotonic

from django.contrib.postgres.search import SearchQuery, SearchRank
from django.db import connection, transaction
from django.db.models import F, Q, QuerySet, Value
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from rapidfuzz import fuzz, process

from partners.models import Country, CountryGroup, Partner, Region
from projects.models import Need, Project, SearchWord, Term

CONFIGURATIONS = ("english", "french", "spanish", "portuguese", "russian", "arabic", "german", "simple")
READERS = {"en": "english", "fr": "french", "es": "spanish", "ru": "russian", "ar": "arabic", "zh": "simple"}
WEIGHTS = [0.05, 0.2, 0.5, 1.0]  # of text, description, summary and names, title (D, C, B, A)
RANKED = 5000  # of more matches than this, the newest are ranked; narrowing the search brings the others in
LONGEST = 300  # characters of a query that are looked at
MOST_WORDS = 20


# --- understanding a query -------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Word:
    """One part of a query: a word, a quoted phrase, or either to be left out."""

    text: str
    is_phrase: bool = False
    is_excluded: bool = False
    is_prefix: bool = False


def parse(text: str) -> list[Word]:
    """Takes a query apart: words, "quoted phrases", -excluded ones, and pre* for beginnings of words."""
    found = []
    for match in re.finditer(r'(-?)"([^"]*)"?|(\S+)', text[:LONGEST].replace("“", '"').replace("”", '"')):
        minus, phrase, word = match.groups()
        if phrase is not None:
            if phrase.strip():
                found.append(Word(phrase.strip(), is_phrase=True, is_excluded=bool(minus)))
            continue
        excluded = word.startswith("-") and len(word) > 1
        bare = word.lstrip("-") if excluded else word
        prefix = bare.endswith("*")
        bare = bare.strip("*\"'()!&|:<>,;.?")
        if bare:
            found.append(Word(bare, is_excluded=excluded, is_prefix=prefix))
    return found[:MOST_WORDS]


@dataclass(frozen=True)
class Compiled:
    """A query as PostgreSQL takes it, and the word stems to mark in what it finds."""

    text: str
    tsquery: str = ""
    stems: frozenset[str] = frozenset()
    prefixes: frozenset[str] = frozenset()

    def __bool__(self):
        return bool(self.tsquery)


def compile_query(text: str) -> Compiled:
    """One query for all languages. Empty (false) when nothing searchable is left, such as for `the` or `?`.

    Costs one small round trip: the dictionaries are PostgreSQL's.
    """
    words = parse(text)
    if not words:
        return Compiled(text)
    reader = READERS.get((get_language() or "en").split("-")[0], "english")
    read = _read([word.text for word in words])
    wanted, unwanted, stems, prefixes = [], [], set(), set()
    last = len(words) - 1
    for number, (word, (variants, beginning)) in enumerate(zip(words, read, strict=True)):
        if not variants.get(reader) and len(words) > 1:
            continue  # a stop word in the reader's language, such as “of”
        options = list(dict.fromkeys(q for q in variants.values() if q))
        as_prefix = word.is_prefix or (
            number == last and not word.is_phrase and not word.is_excluded and len(beginning) >= 4
        )
        if as_prefix and re.fullmatch(r"\w+", beginning):
            options.append(f"'{beginning}':*")
            prefixes.add(beginning)
        if not options:
            continue
        joined = _any_of(options)
        if word.is_excluded:
            unwanted.append(f"!{joined}")
        else:
            wanted.append(joined)
            stems.update(stem for option in options for stem in re.findall(r"'([^']+)'", option))
    if not wanted and not unwanted:
        return Compiled(text)
    return Compiled(text, " & ".join([*wanted, *unwanted]), frozenset(stems - prefixes), frozenset(prefixes))


def _read(words: list[str]) -> list[tuple[dict[str, str], str]]:
    """({configuration: query}, the word folded) of each word, by PostgreSQL's dictionaries, in one round trip."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT w.number, c.name, phraseto_tsquery(c.name::regconfig, fold(w.word))::text, fold(w.word)
            FROM unnest(%s::text[]) WITH ORDINALITY AS w(word, number), unnest(%s::text[]) WITH ORDINALITY AS c(name, place)
            ORDER BY w.number, c.place
            """,
            [words, list(CONFIGURATIONS)],
        )
        rows = cursor.fetchall()
    read: list[tuple[dict[str, str], str]] = [({}, "")] * len(words)
    for number, configuration, query, folded in rows:
        read[number - 1] = ({**read[number - 1][0], configuration: query}, folded.strip())
    return read


def _any_of(options: list[str]) -> str:
    return "(" + " | ".join(f"({option})" for option in options) + ")"


@lru_cache(maxsize=256)
def any_beginning(words: tuple[str, ...]) -> str:
    """A query for any of these plain words, each also as the beginning of a word. One round trip for all of them, and
    none when the next list is compared with the same words."""
    options = []
    for variants, beginning in _read(list(words)):
        options += [q for q in variants.values() if q]
        options += [f"'{beginning}':*"] if re.fullmatch(r"\w{4,}", beginning) else []
    return _any_of(list(dict.fromkeys(options))) if options else ""


class Lexemes(SearchQuery):
    """A query whose words are lexemes already, so that no dictionary takes them apart again."""

    def as_sql(self, compiler, connection, **kwargs):
        return "%s::tsquery", [self.source_expressions[-1].value]


def as_query(compiled: Compiled) -> SearchQuery:
    """The compiled query as an expression."""
    return Lexemes(compiled.tsquery)


# --- finding ---------------------------------------------------------------------------------------------------------
def entries_matching(entries: QuerySet, compiled: Compiled) -> QuerySet:
    """Search entries that hold the words, or whose reference or IATI identifier is the whole query."""
    record, words = entries.model.RECORD, compiled.text.strip()
    exact = Q(**{f"{record}__reference__iexact": words})
    if record == "project":
        exact |= Q(project__iati_identifier=words)
    if not compiled:
        return entries.filter(exact)
    if re.fullmatch(r"\S*\d\S*", compiled.text.strip()):
        return entries.filter(Q(vector=as_query(compiled)) | exact)
    return entries.filter(vector=as_query(compiled))


def ranked(entries: QuerySet, compiled: Compiled) -> QuerySet:
    """Matches in the order of relevance: field weights, then the newest, then by key so that ties are stable.

    Of more than RANKED matches only the newest are ranked; scoring has to read every one of them.
    """
    newest = entries.order_by("-published_at", "-pk")[:RANKED]
    rank = SearchRank(F("vector"), as_query(compiled), weights=WEIGHTS, normalization=Value(1))
    return (
        entries.model.objects.filter(pk__in=newest.values("pk"))
        .annotate(rank=rank)
        .order_by("-rank", "-published_at", "-pk")
    )


# --- names in the query ----------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Recognised:
    """A country, group, region, partner or term named in the query, offered as a filter."""

    parameter: str
    value: str
    label: str
    rest: str  # the query without the name


def plain(text: str) -> str:
    """Text for comparing names: lower case, no accents, words apart by one space."""
    stripped = "".join(c for c in unicodedata.normalize("NFKD", text.lower()) if not unicodedata.combining(c))
    return " ".join(re.findall(r"\w+", stripped))


_names: tuple[float, dict[str, tuple[str, str, str]]] = (0.0, {})


def _known_names() -> dict[str, tuple[str, str, str]]:
    """{plain name: (parameter, value, label in English)} of everything that can be filtered by; kept for five minutes."""
    global _names
    if _names[1] and monotonic() - _names[0] < 300:
        return _names[1]
    found: dict[str, tuple[str, str, str]] = {}

    def add(text, parameter, value):
        key = plain(text or "")
        if len(key) > 2:
            found.setdefault(key, (parameter, value))

    languages = ("ar", "zh_hans", "en", "fr", "ru", "es")
    for country in Country.objects.all():
        for name in (*(getattr(country, f"name_{code}") for code in languages), *country.aliases):
            add(name, "country", country.iso3)
            add(re.sub(r"\(.*?\)", "", name), "country", country.iso3)
    for term in Term.objects.filter(vocabulary__in=("bsp-theme", "assistance")):
        for code in languages:
            add(getattr(term, f"name_{code}"), "term", f"{term.vocabulary}:{term.code}")
    for region in Region.objects.exclude(code="001"):
        for code in languages:
            add(getattr(region, f"name_{code}"), "region", region.code)
    for group in CountryGroup.objects.all():
        for name in (group.acronym, *(getattr(group, f"name_{code}") for code in languages)):
            add(name, "group", group.code)
    for partner in Partner.objects.filter(is_from_import=False):
        for name in (partner.acronym, partner.name_en):
            add(name, "partner", partner.slug)
    _names = (monotonic(), found)
    return found


def recognise(text: str) -> list[Recognised]:
    """Names in the query, the longest first; each with what is left of the query without it."""
    if not text.strip():
        return []
    known, tokens, found = _known_names(), re.findall(r"\w+", text[:LONGEST]), []
    taken: set[int] = set()
    for length in range(min(8, len(tokens)), 0, -1):
        for start in range(len(tokens) - length + 1):
            span = set(range(start, start + length))
            key = plain(" ".join(tokens[start : start + length]))
            if key in known and not span & taken:
                taken |= span
                parameter, value = known[key]
                rest = " ".join(token for place, token in enumerate(tokens) if place not in span)
                found.append(Recognised(parameter, value, " ".join(tokens[start : start + length]), rest))
    return found[:4]


# --- typing errors ---------------------------------------------------------------------------------------------------
def rebuild_words() -> int:
    """Collects the words of titles and summaries, for `did_you_mean`. Run nightly and after imports."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")  # reads every text
        cursor.execute("TRUNCATE projects_searchword")
        cursor.execute(
            """
            INSERT INTO projects_searchword (word, records)
            SELECT word, ndoc FROM ts_stat($q$
              SELECT to_tsvector('simple', fold(title || ' ' || summary)) FROM projects_project WHERE state = 'published'
            $q$) WHERE length(word) BETWEEN 4 AND 60 AND word ~ '^[[:alpha:]]+$'
            ON CONFLICT DO NOTHING
            """
        )
        count = cursor.rowcount
    _vocabulary.cache_clear()
    return count


@lru_cache(maxsize=1)
def _vocabulary(minute: int) -> dict[str, int]:
    words = dict(SearchWord.objects.order_by("-records").values_list("word", "records")[:100_000])
    for name in _known_names():
        for part in name.split():
            if len(part) > 3:
                words.setdefault(part, 1)
    return words


def did_you_mean(text: str) -> str | None:
    """The query with unknown words replaced by the nearest known ones, or None when there is nothing better."""
    words = _vocabulary(int(monotonic() // 300))
    changed, result = False, []
    for token in re.findall(r"\w+|\W+", text[:LONGEST]):
        key = plain(token)
        if len(key) < 4 or not key.isalpha() or key in words:
            result.append(token)
            continue
        near = process.extract(key, words.keys(), scorer=fuzz.ratio, score_cutoff=75, limit=5)
        if near:
            best = max(near, key=lambda hit: (round(hit[1]), words[hit[0]]))
            result.append(best[0])
            changed = True
        else:
            result.append(token)
    return "".join(result).strip() if changed else None


# --- showing hits ----------------------------------------------------------------------------------------------------
def _is_hit(word: str, compiled: Compiled) -> bool:
    key = plain(word)
    if any(key.startswith(beginning) for beginning in compiled.prefixes):
        return True
    return any(
        key == stem or (len(stem) > 3 and key.startswith(stem) and len(key) - len(stem) <= 4) for stem in compiled.stems
    )


def mark(text: str, compiled: Compiled | None) -> SafeString:
    """The text, escaped, with the words that were searched for in <mark>."""
    if not compiled:
        return format_html("{}", text)
    parts = re.findall(r"\w+|\W+", text)
    return format_html_join(
        "",
        "{}",
        (
            (format_html("<mark>{}</mark>", part) if part[0].isalnum() and _is_hit(part, compiled) else part,)
            for part in parts
        ),
    )


def excerpt(text: str, compiled: Compiled | None, length: int) -> str:
    """A piece of a long text: around the first hit, else its beginning; cut between words."""
    start = 0
    if compiled:
        hit = next((m.start() for m in re.finditer(r"\w+", text) if _is_hit(m[0], compiled)), 0)
        start = max(0, hit - length // 3)
    piece = text[start : start + length]
    if start:
        piece = "… " + piece.partition(" ")[2]
    if start + length < len(text):
        piece = piece.rpartition(" ")[0] + " …"
    return piece


# --- likeness --------------------------------------------------------------------------------------------------------
@dataclass
class Similar:
    record: Project | Need
    likeness: int
    words: list[str] = field(default_factory=list)


def similar(words: str, *, visible: QuerySet, without: int | None = None, limit: int = 5) -> list[Similar]:
    """Projects or needs whose titles resemble these words, best first, with the words they share. For whoever enters one."""
    words = [w for w in dict.fromkeys(plain(words).split()) if len(w) > 3][:12]
    if not words:
        return []
    any_word = any_beginning(tuple(words))
    if not any_word:
        return []
    query = Lexemes(any_word)
    rank = SearchRank(F("entry__vector"), query, weights=[0.0, 0.0, 0.1, 1.0])
    candidates = (
        visible.filter(entry__vector=query).exclude(pk=without).annotate(rank=rank).order_by("-rank", "-pk")[:50]
    )
    found = []
    for record in candidates:
        title = plain(record.title)
        likeness = fuzz.token_set_ratio(" ".join(words), title)
        shared = [w for w in words if w in title.split()]
        if likeness >= 60 or len(shared) >= 3:
            found.append(Similar(record, round(likeness), shared))
    return sorted(found, key=lambda s: (-s.likeness, -s.record.pk))[:limit]


@contextmanager
def deferred(ids: list[int]) -> Iterator[None]:
    """Inside, triggers leave the search alone; at the end the entries of the projects in `ids` are written once.

    For a writer that makes one record in many statements. Needs a transaction; the list may be filled inside.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL portal.search_deferred = 'on'")
        yield
        cursor.execute("SET LOCAL portal.search_deferred = 'off'")
    rebuild(ids)


def rebuild(ids: list[int] | None = None) -> None:
    """Writes search entries anew: all of them, or those of these projects. For changed names and as a repair."""
    with connection.cursor() as cursor:
        if ids is None:
            ids = list(Project.objects.values_list("pk", flat=True))
        for start in range(0, len(ids), 2000):
            cursor.execute("SELECT projects_refresh_search(%s)", [ids[start : start + 2000]])
