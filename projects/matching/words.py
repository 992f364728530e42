"""What a text is about, as terms: stems of its words, and the concepts of the thesaurus that it names in any language.

A phrase of the thesaurus is one concept; the broader concepts come with it, each step by half. Where a phrase is marked
as another sense (“investment climate”), neither it nor its words count.
"""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import blake2b
from time import monotonic

import snowballstemmer

from projects.choices import ConceptUse
from projects.models import Concept

STEMMERS = {"en": "english", "fr": "french", "es": "spanish", "pt": "portuguese", "ar": "arabic", "ru": "russian", "de": "german", "it": "italian", "id": "indonesian"}  # fmt: skip
BROADER = 0.5  # what a step to the broader concept keeps
SAYS = {ConceptUse.TOPIC: 1.0, ConceptUse.GENERAL: 0.35, ConceptUse.HELP: 0.12, ConceptUse.BLOCKED: 0.0}
KEPT_FOR = 60  # seconds that the thesaurus stays in memory before its changes are looked for
LONGEST = 30_000  # characters of a text that are read

# Words that say nothing in the portal's languages and those that many projects are written in.
_EMPTY = """
a an and are as at be by for from in into is it its of on or that the this to with their through will which
has have was were more other also such these those they them not can may should would all any between within
been being our we under over about than de la le les des du et en un une dans pour par sur au aux ce ces cette
qui que d l est sont plus avec el los las del y para con por una se al su sus lo como es son da do dos das e o
os em no na uma um com ao aos nas nos der die das und von im zur zu den dem mit fur ein eine в и на с по для о
от из к за
"""
EMPTY = frozenset(_EMPTY.split())
_TOKEN = re.compile(r"[^\W_]+")
_HAN = re.compile(r"[\u4e00-\u9fff]+")


def base(language: str) -> str:
    """`zh` of `zh-hans`: stemming and thesaurus know no variants."""
    return language.split("-")[0].lower() or "en"


def fold(text: str) -> str:
    """Lower case, no accents."""
    return "".join(c for c in unicodedata.normalize("NFD", text.casefold()) if not unicodedata.combining(c))


@lru_cache(maxsize=16)
def _stemmer(language: str):
    return snowballstemmer.stemmer(STEMMERS[language]) if language in STEMMERS else None


@lru_cache(maxsize=200_000)
def stem(word: str, language: str) -> str:
    stemmer = _stemmer(language)
    return fold(stemmer.stemWord(word.casefold())) if stemmer else fold(word)


def tokens(text: str, language: str) -> list[str]:
    """The words of a text that say something. Chinese, written without spaces, by single characters."""
    found = []
    for token in _TOKEN.findall(unicodedata.normalize("NFC", text[:LONGEST]).replace("\u2019", "'")):
        if _HAN.search(token):
            found += token
        elif len(token) > 1 and fold(token) not in EMPTY:
            found.append(token)
    return found


@lru_cache(maxsize=400_000)
def number(term: str) -> int:
    """A term as the 63-bit number by which it is stored; never 0."""
    return int.from_bytes(blake2b(term.encode(), digest_size=8).digest()) >> 1 or 1


def of_word(stemmed: str, language: str) -> str:
    """Words count within their language: the same letters often mean another thing in another."""
    return f"{language}:{stemmed}"


def of_concept(code: str) -> str:
    return f"#{code}"


@dataclass
class Thesaurus:
    """The concepts in memory. `stamp` changes with its content."""

    stamp: str = ""
    broader: dict[str, str] = field(default_factory=dict)
    use: dict[str, str] = field(default_factory=dict)
    phrases: dict[str, dict[tuple[str, ...], str]] = field(default_factory=lambda: defaultdict(dict))
    shown: dict[tuple[str, str], str] = field(default_factory=dict)  # (code, language) -> word for people
    longest: int = 1

    def chain(self, code: str) -> Iterable[tuple[str, float]]:
        """The concept and all broader ones, each with what it keeps."""
        kept, seen = 1.0, set()
        while code and code not in seen:
            yield code, kept
            seen.add(code)
            code, kept = self.broader.get(code, ""), kept * BROADER

    def label(self, code: str, language: str) -> str:
        """The word for a concept that a reader of this language is shown; English where there is none."""
        return self.shown.get((code, base(language))) or self.shown.get((code, "en")) or code.replace("-", " ")

    def at(self, stems: list[str], english: list[str], raw: list[str], language: str, start: int):
        """(concept, number of tokens) of the longest phrase that begins here, or None. English is found in any text."""
        for length in range(min(self.longest, len(stems) - start), 0, -1):
            code = self.phrases[language].get(tuple(stems[start : start + length]))
            if code is None and language != "en" and (length > 1 or raw[start].isupper()):
                code = self.phrases["en"].get(tuple(english[start : start + length]))
            if code:
                return code, length
        return None


_kept: tuple[float, Thesaurus] = (0.0, Thesaurus())


def thesaurus() -> Thesaurus:
    """The thesaurus as staff last left it; looked for anew once a minute."""
    global _kept
    since, present = _kept
    if present.stamp and monotonic() - since < KEPT_FOR:
        return present
    _kept = (monotonic(), _load())
    return _kept[1]


def forget() -> None:
    """The next use reads the thesaurus anew."""
    global _kept
    _kept = (0.0, Thesaurus())


def _load() -> Thesaurus:
    loaded, digest = Thesaurus(), blake2b(digest_size=12)
    for concept in Concept.objects.select_related("broader").prefetch_related("wordings").order_by("code"):
        loaded.use[concept.code] = concept.use
        if concept.broader:
            loaded.broader[concept.code] = concept.broader.code
        for wording in concept.wordings.all():
            language = base(wording.language)
            digest.update(f"{concept.code}|{concept.use}|{concept.broader}|{language}|{wording.words}\n".encode())
            if wording.words and concept.use != ConceptUse.BLOCKED:
                loaded.shown.setdefault((concept.code, language), wording.words[0])
            for phrase in wording.words:
                key = tuple(stem(token, language) for token in tokens(phrase, language))
                if key:
                    loaded.phrases[language].setdefault(key, concept.code)
                    loaded.longest = max(loaded.longest, len(key))
    loaded.stamp = digest.hexdigest()
    return loaded


@dataclass
class Content:
    """What a text holds: how often each stem and each concept, and its concepts in plain English, in their order."""

    language: str
    words: Counter = field(default_factory=Counter)
    concepts: Counter = field(default_factory=Counter)  # with the broader ones
    named: Counter = field(default_factory=Counter)  # as the text names them
    gloss: str = ""

    def __add__(self, other: "Content") -> "Content":
        return Content(
            self.language,
            self.words + other.words,
            self.concepts + other.concepts,
            self.named + other.named,
            f"{self.gloss} {other.gloss}".strip(),
        )


def content(text: str, language: str) -> Content:
    """Reads a text. Its language decides on stems and phrases; an unknown one is read without."""
    known, language = thesaurus(), base(language)
    raw = tokens(text, language)
    stems = [stem(token, language) for token in raw]
    english = stems if language == "en" else [stem(token, "en") for token in raw]
    found, glosses, place, read_to = Content(language), [], 0, 0
    silent: set[int] = set()  # places of words that mean something else here
    while place < len(stems):
        hit = known.at(stems, english, raw, language, place)
        # Phrases may overlap (“sort electronic waste”), but one within another is no second one.
        if hit and place + hit[1] > read_to:
            code, length = hit
            read_to = place + length
            if known.use[code] == ConceptUse.BLOCKED:
                silent.update(range(place, read_to))
                place = read_to
                continue
            found.named[code] += 1
            for one, kept in known.chain(code):
                found.concepts[one] += kept
            if not glosses or glosses[-1] != code:
                glosses.append(code)
        place += 1
    found.words.update(one for place, one in enumerate(stems) if place not in silent)
    found.gloss = " ".join(known.label(code, "en") for code in glosses)
    return found
