"""Which passwords are too easy to guess, beside those of Django's list. Asked when a password is set, never at sign-in."""

import re
import unicodedata

from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from partners.common_words import DATES, OF_THE_SITE, PASSWORDS, PHRASES, SMALL

ENOUGH = 8  # characters that a guesser has to find one by one
READ = 128  # characters; whatever is longer than this is judged by its beginning
LONGEST_PIECE = 40
ROWS = (
    "1234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm", "azertyuiop", "qsdfghjklm", "qwertzuiop", "йцукенгшщзхъ",
    "一二三四五六七八九十", "31415926535897932384", "27182818284590452353", "1q2w3e4r5t6y7u8i9o0p", "1qaz2wsx3edc4rfv5tgb6yhn7ujm", "qazwsxedcrfvtgbyhnujm", "!@#$%^&*()",
)  # fmt: skip
LOOKALIKES = str.maketrans("@4831!05$7", "aabeiiosst")
SIGNS = str.maketrans("@!$", "ais")  # those of them that are no figures


class EasyToGuess:
    """Refuses sequences, repetitions, dates and a few common words in a row, however they are spelled.

    Not zxcvbn: its advice is in English only and its word lists are English; what is needed here is one sum.
    """

    def __init__(self):
        self.common = CommonPasswordValidator().passwords

    def validate(self, password: str, user=None) -> None:
        text = unicodedata.normalize("NFKC", password).casefold()[:READ]
        between = len({sign for sign in text if _is_seen_between(sign)})
        ways = [(text, 0), (plain(text), between), (plain(text.translate(SIGNS)), between)]
        ways += [(_without_doubles(way), more) for way, more in ways]
        if min(self._characters_to_find(way) + more for way, more in ways) < ENOUGH:
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
        if piece in WORDS or piece.translate(LOOKALIKES) in WORDS:
            return 1
        if length < 3:
            return length
        if text.find(piece) < start:
            return 1
        if _is_sequence(piece) or DAY.fullmatch(piece):
            return 2
        is_common = length > 3 and (piece in self.common or piece.translate(LOOKALIKES) in self.common)
        return 3 if is_common else length


def plain(text: str) -> str:
    """Letters and figures alone, as a guesser compares them: without accents, signs between them and signs that nobody sees."""
    parts = unicodedata.normalize("NFKD", text.casefold())
    return "".join(str(unicodedata.digit(sign, sign)) for sign in parts if sign.isalnum() and sign != TATWEEL)


def _is_seen_between(sign: str) -> bool:
    """Whether it stands between letters and figures and can be seen there: Cf are signs of format, Cc of control."""
    is_letter = sign.isalnum() or sign.isspace() or unicodedata.combining(sign)
    return not is_letter and unicodedata.category(sign) not in ("Cf", "Cc")


TATWEEL = "\u0640"  # lengthens a letter of Arabic
WORDS = frozenset(plain(word) for group in (OF_THE_SITE, PASSWORDS, DATES, SMALL, PHRASES) for word in group.split())
IN_A_ROW = [half for row in (*ROWS, *map(plain, ROWS)) if row for half in (row * 2, row[::-1] * 2)]
_YEAR, _MONTH, _DAY = r"(19|20)\d\d", r"(0[1-9]|1[0-2])", r"(0[1-9]|[12]\d|3[01])"
DAY = re.compile(
    "|".join([_YEAR, _MONTH + _DAY, _DAY + _MONTH, _YEAR + _MONTH + _DAY, _DAY + _MONTH + _YEAR, _MONTH + _DAY + _YEAR])
)


def _is_sequence(piece: str) -> bool:
    """Whether it counts up or down, stays the same, or runs along a keyboard."""
    steps = {ord(after) - ord(before) for before, after in zip(piece, piece[1:], strict=False)}
    return (len(steps) == 1 and steps <= {-1, 0, 1}) or any(piece in row for row in IN_A_ROW)


def _without_doubles(text: str) -> str:
    return re.sub(r"(.)\1+", r"\1", text)
