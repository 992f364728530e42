"""Numbers that people and other programs write: read without guessing, written so that they mean one thing only.

Half of the world writes 1,234.5, the other half 1.234,5. A text is read where it can mean one number only, whatever the
convention; `1,200` alone can mean two, and is refused unless its file shows elsewhere what its comma means. Read are
digits of any script, with the separators of Unicode's locale data (spaces, apostrophes, the Arabic ones), + and both
minus signs. Refused is what a spreadsheet shortened (1.2E+05), what is no finite number, and groups that are not of three.
"""

import re
import unicodedata
from collections.abc import Iterable
from decimal import Decimal

from django.utils.translation import gettext as _

MARKS = ".,"  # either may stand before the decimals, or between thousands
LONGEST = 40  # characters of a number
GROUPERS = " \u00a0\u202f\u2009\u2007'\u2019\u066c"  # stand between thousands only
ARABIC_MARK = "\u066b"  # stands before decimals only
UNSEEN = re.compile("[\u200e\u200f\u061c\ufeff]")  # marks of direction, which Arabic and Hebrew keyboards add
GROUPED = r"(?P<groups>[1-9]\d{0,2}(?:(?P<by>%s)\d{3})(?:(?P=by)\d{3})*)"
SPACED = re.compile(GROUPED % f"[{GROUPERS}]" + rf"(?:[{MARKS}{ARABIC_MARK}](?P<rest>\d+))?")
POINTED = re.compile(GROUPED % f"[{MARKS}]" + rf"(?:(?!(?P=by))[{MARKS}{ARABIC_MARK}](?P<rest>\d+))?")
BARE = re.compile(rf"(?P<groups>\d*)(?:[{MARKS}{ARABIC_MARK}](?P<rest>\d+))?")
# With zeros in front too: programs that fill a number up to a width write 12345 as 012,345. A single zero stands before decimals.
AMBIGUOUS = re.compile(rf"([1-9]\d{{0,2}}|0\d{{1,2}})([{MARKS}])(\d{{3}})")


class NotANumber(ValueError):
    """A text that is no number; says so, and how to write one."""

    def __init__(self, text: str):
        super().__init__(_("“%(text)s” is no number. Write it as 12.5.") % {"text": text[:20]})


class Ambiguous(NotANumber):
    """A text that can be two numbers; names both, each as it would be read."""

    def __init__(self, text: str, whole: Decimal, broken: Decimal):
        ValueError.__init__(
            self,
            _("“%(text)s” can mean %(whole)s or %(broken)s. Write the one that is meant, in this way.")
            % {"text": text[:20], "whole": clearly(whole), "broken": clearly(broken)},
        )


def read_number(text: str, decimal_mark: str | None = None) -> Decimal:
    """The one number that a text means. Raises NotANumber.

    `decimal_mark`: what stands before decimals in the place that it comes from, where that is certain; it decides of
    texts that can mean two numbers, and of no others.
    """
    sign, digits = _sign_and_digits(text)
    if either := AMBIGUOUS.fullmatch(digits):
        first, mark, last = either.groups()
        whole, broken = _made(sign, first + last), _made(sign, first, last)
        if decimal_mark is None and whole != broken:  # both are zero in 00,000
            raise Ambiguous(text, whole, broken)
        return broken if mark == decimal_mark else whole
    found = SPACED.fullmatch(digits) or POINTED.fullmatch(digits) or BARE.fullmatch(digits)
    if not found or not (found["groups"] or found["rest"]):
        raise NotANumber(text)
    return _made(sign, re.sub("[^0-9]", "", found["groups"]), found["rest"] or "")


def _made(sign: str, whole: str, rest: str = "") -> Decimal:
    """Without zeros at its end, which would count as decimals where only some are taken."""
    rest = rest.rstrip("0")
    return Decimal(f"{sign}{whole or 0}.{rest}" if rest else f"{sign}{whole or 0}")


def decimal_mark_of(texts: Iterable[str]) -> str | None:
    """What stands before decimals in these texts of one origin, where some of them leave no doubt and all agree."""
    marks = {mark for text in texts if (mark := _mark_of(text))}
    return marks.pop() if len(marks) == 1 else None


def plainly(value: Decimal | int | float) -> str:
    """The number without needless zeros, never as 6E+1."""
    number = value if isinstance(value, Decimal) else Decimal(f"{value:.15g}")  # as precise as spreadsheets are
    return f"{number.normalize():f}" if number else "0"


class Written(str):
    """What a person reads of a number that a spreadsheet keeps as one: 254.712, which as a text can mean two numbers.

    Where a text is asked it is that text; where a number is asked, `clear` is to be read."""

    clear: str

    def __new__(cls, value: float):
        written = super().__new__(cls, plainly(value))
        written.clear = clearly(value)
        return written


def to_be_read(text: str) -> str:
    """A text for `read_number`: of a number that was kept as one, so that it means that one."""
    return getattr(text, "clear", text)


def clearly(value: Decimal | int | float) -> str:
    """The number as `read_number` takes it from anywhere: 1.234 as 1.2340."""
    written = plainly(value)
    return f"{written}0" if AMBIGUOUS.fullmatch(written.lstrip("-")) else written


def _sign_and_digits(text: str) -> tuple[str, str]:
    """The sign, and the rest with digits of any one script as 0 to 9."""
    bare = UNSEEN.sub("", text).strip()
    if len(bare) > LONGEST:
        raise NotANumber(text)
    sign = "-" if bare[:1] in ("-", "\u2212", "\uff0d") else ""
    digits = bare[1:].lstrip() if bare[:1] in ("-", "\u2212", "\uff0d", "+") else bare
    scripts = {ord(c) - unicodedata.decimal(c) for c in digits if c.isdecimal()}
    if len(scripts) != 1:
        raise NotANumber(text)
    return sign, "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in digits)


def _mark_of(text: str) -> str | None:
    """What stands before decimals in whoever's writing this is; nothing where the text does not tell."""
    try:
        _sign, digits = _sign_and_digits(text)
        read_number(text)
    except NotANumber:
        return None
    signs = [c for c in digits if c in MARKS]
    if not signs or AMBIGUOUS.fullmatch(digits):
        return None
    if len(signs) > 1 and len(set(signs)) == 1:  # 1,234,567: the other one
        return MARKS.replace(signs[0], "")
    return signs[-1]
