"""What the words of a draft point to: terms of the vocabularies, with the words that led to them. A person decides.

The words are data (fixtures/reference/term_words.csv, by language); a word ending in * stands for all its endings.
"""

import csv
import re
from dataclasses import dataclass, field
from functools import cache

from django.conf import settings
from django.db.models import Q

from projects.models import Need, Offer, Project, Term
from projects.search import Similar, plain, similar

WORDS = settings.BASE_DIR / "fixtures" / "reference" / "term_words.csv"
FIELDS = {
    "need": ("title", "problem", "gap", "technology_sought", "technology_purpose"),
    "offer": ("title", "summary", "description"),
}


@dataclass
class Suggestion:
    term: Term
    words: list[str] = field(default_factory=list)  # as they stand in the text


@cache
def _patterns() -> list[tuple[str, str, re.Pattern]]:
    """(vocabulary, code, pattern) of every term that has words, over all languages."""
    by_term: dict[tuple[str, str], list[str]] = {}
    with WORDS.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            by_term.setdefault((row["vocabulary"], row["code"]), []).extend(row["words"].split(";"))
    return [(*term, re.compile("|".join(_pattern(word.strip()) for word in words))) for term, words in by_term.items()]


def _pattern(word: str) -> str:
    core = re.escape(plain(word.rstrip("*"))).replace(r"\ ", " ")
    if re.search(r"[\u4e00-\u9fff]", word):  # Chinese is written without spaces
        return core
    return rf"(?<!\w){core}\w*" if word.endswith("*") else rf"(?<!\w){core}(?!\w)"


def suggest(text: str, *, most: int = 4) -> dict[str, list[Suggestion]]:
    """{vocabulary: suggestions}, those with the most different words first. Finds words in any of the portal's languages."""
    folded = plain(text[:20_000])
    hits = {}
    for vocabulary, code, pattern in _patterns():
        words = list(dict.fromkeys(pattern.findall(folded)))
        if words:
            hits[vocabulary, code] = words
    if not hits:
        return {}
    asked = Q()
    for vocabulary, code in hits:
        asked |= Q(vocabulary=vocabulary, code=code)
    terms = {(t.vocabulary, t.code): t for t in Term.objects.in_use().filter(asked)}
    found: dict[str, list[Suggestion]] = {}
    for key, words in sorted(hits.items(), key=lambda item: (-len(item[1]), item[0])):
        if key in terms and len(found.setdefault(key[0], [])) < most:
            found[key[0]].append(Suggestion(terms[key], words[:4]))
    return found


def suggest_for(record: Need | Offer) -> dict[str, list[Suggestion]]:
    """Suggestions from what the draft says, lines included."""
    lines = " ".join(line.text for line in record.lines.all()) if record.pk else ""
    return suggest(" \n ".join([*(getattr(record, name) for name in FIELDS[record._meta.model_name]), lines]))


def similar_to(title: str, need: Need, user) -> list[Similar]:
    """Needs and projects of the same country that resemble what is being written, as far as the person may see them."""
    needs = Need.objects.visible_to(user).filter(country=need.country)
    projects = Project.objects.visible_to(user).filter(country_links__country=need.country).distinct()
    found = similar(title, visible=needs, without=need.pk, limit=4) + similar(title, visible=projects, limit=4)
    return sorted(found, key=lambda one: (-one.likeness, one.record.reference))[:6]


def offers_like(words: str, need: Need) -> list[Similar]:
    """Offers that the need's country can have already, whose titles resemble what is being written."""
    return similar(words, visible=Offer.objects.can_serve(need), limit=3)
