"""BM25 over words as they stand, without empty ones (k1 1.2, b 0.75): the floor that matching is measured against."""

import re
from collections import Counter
from math import log

from projects.matching.words import EMPTY


class BM25:
    def __init__(self, texts: dict[str, str]):
        self.held = {key: Counter(_words(text)) for key, text in texts.items()}
        self.among = Counter(word for held in self.held.values() for word in held)
        self.mean = sum(held.total() for held in self.held.values()) / max(len(self.held), 1)

    def rank(self, query: str) -> list[str]:
        """Keys of the texts that share a word with the query, best first."""
        scores = {}
        for key, held in self.held.items():
            damped = 1.2 * (0.25 + 0.75 * held.total() / self.mean)
            score = sum(
                log(1 + (len(self.held) - self.among[word] + 0.5) / (self.among[word] + 0.5))
                * held[word] * 2.2 / (held[word] + damped)
                for word in set(_words(query)) if word in held
            )  # fmt: skip
            if score:
                scores[key] = score
        return sorted(scores, key=lambda key: (-scores[key], key))


def _words(text: str) -> list[str]:
    return [word for word in re.findall(r"\w+", text.lower()) if word not in EMPTY]
