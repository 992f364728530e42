"""Which passwords are too easy to guess, beside those of Django's list. Asked when a password is set, never at sign-in."""

import re
import unicodedata

from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

ENOUGH = 8  # characters that a guesser has to find one by one
LONGEST_PIECE = 24
READ = 128  # characters; whatever is longer than this is judged by its beginning
ROWS = (
    "1234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm", "azertyuiop", "qsdfghjklm", "qwertzuiop", "йцукенгшщзхъ",
    "1q2w3e4r5t6y7u8i9o0p", "1qaz2wsx3edc4rfv5tgb6yhn7ujm", "qazwsxedcrfvtgbyhnujm", "!@#$%^&*()",
)  # fmt: skip
IN_A_ROW = [half for row in ROWS for half in (row * 2, row[::-1] * 2)]
OF_THE_SITE = frozenset(
    [
        "south",
        "north",
        "unep",
        "pnue",
        "pnuma",
        "united",
        "nations",
        "portal",
        "cooperation",
        "southsouth",
        "triangular",
        "environment",
        "environmental",
        "programme",
        "program",
        "nairobi",
        "kenya",
        "partner",
        "partners",
        "project",
        "projects",
        "country",
        "countries",
        "need",
        "needs",
        "offer",
        "offers",
    ]
)
LOOKALIKES = str.maketrans("@4831!05$7", "aabeiiosst")


class EasyToGuess:
    """Refuses sequences, repetitions and a few common words in a row.

    Not zxcvbn: its advice is in English only and its word lists are English; what is needed here is one sum.
    """

    def __init__(self):
        self.common = CommonPasswordValidator().passwords

    def validate(self, password: str, user=None) -> None:
        text = unicodedata.normalize("NFKC", password).casefold()[:READ]
        if min(self._characters_to_find(text), self._characters_to_find(_without_doubles(text))) < ENOUGH:
            raise ValidationError(
                _(
                    "This password is easy to guess: it is made of a sequence, a repetition or common words. Enter four or more "
                    "words that do not belong together, or use a password made by a password manager."
                ),
                code="password_easy_to_guess",
            )

    def get_help_text(self) -> str:
        return _("Your password cannot be a sequence, a repetition or made of only a few common words.")

    def _characters_to_find(self, text: str) -> int:
        """The cheapest way to say the password in pieces: a guesser tries whole pieces, not characters."""
        cheapest = [0]
        for end in range(1, len(text) + 1):
            starts = range(max(0, end - LONGEST_PIECE), end)
            cheapest.append(min(cheapest[start] + self._price(text, start, end) for start in starts))
        return cheapest[-1]

    def _price(self, text: str, start: int, end: int) -> int:
        piece, length = text[start:end], end - start
        if length < 3:
            return length
        if text.find(piece) < start or piece.translate(LOOKALIKES) in OF_THE_SITE:
            return 1
        if _is_sequence(piece) or re.fullmatch(r"(19|20)\d\d", piece):
            return 2
        is_common = length > 3 and (piece in self.common or piece.translate(LOOKALIKES) in self.common)
        return 3 if is_common else length


def _is_sequence(piece: str) -> bool:
    """Whether it counts up or down, stays the same, or runs along a keyboard."""
    steps = {ord(after) - ord(before) for before, after in zip(piece, piece[1:], strict=False)}
    return (len(steps) == 1 and steps <= {-1, 0, 1}) or any(piece in row for row in IN_A_ROW)


def _without_doubles(text: str) -> str:
    return re.sub(r"(.)\1+", r"\1", text)
