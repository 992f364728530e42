"""Days and months that people and other programs write, read to their end: “2027-06-30 or later” is no date."""

import re
from datetime import date

from django.utils.translation import gettext as _

MIDNIGHT = re.compile(r"[T ]00:00(:00(\.0+)?)?")  # as spreadsheets and programs write a day
# The month behind a dot has two digits: as a number of a spreadsheet 2027.10 is 2027.1.
YEAR_FIRST = re.compile(r"(\d{4})(?:([-/])(\d{1,2})(?:\2(\d{1,2}))?|(\.)(\d\d)(?:\.(\d{1,2}))?)", re.ASCII)
YEAR_LAST = re.compile(r"(\d{1,2})[-/.](\d{4})", re.ASCII)
XML_DATE = re.compile(r"(\d{4}-\d\d-\d\d)(Z|[+-]\d\d:\d\d)?", re.ASCII)
XML_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?", re.ASCII)
LONGEST = 40  # characters that a sentence repeats


def read_day(text: str) -> date:
    """The day that the whole text is, as in ISO 8601. Raises ValueError with a sentence."""
    try:
        return date.fromisoformat(_without_midnight(text))
    except ValueError:
        raise ValueError(_("“%(text)s” is no day. Write it as 2027-06-30.") % {"text": text[:LONGEST]}) from None


def read_month(text: str) -> date:
    """The first day of the month that the whole text is: 2027-06, 06/2027, or a day in it. Raises ValueError with a sentence."""
    bare = _without_midnight(text)
    try:
        if found := YEAR_LAST.fullmatch(bare):
            return date(int(found[2]), int(found[1]), 1)
        if found := YEAR_FIRST.fullmatch(bare):
            year, month, day = int(found[1]), int(found[3] or found[6]), int(found[4] or found[7] or 1)
            return date(year, month, day).replace(day=1)
    except ValueError:
        pass
    raise ValueError(_("“%(text)s” is no month. Write it as 2027-06.") % {"text": text[:LONGEST]})


def _without_midnight(text: str) -> str:
    bare = text.strip()
    return bare[: found.start()] if (found := MIDNIGHT.search(bare)) and found.end() == len(bare) else bare


def read_xml_day(text: str) -> tuple[date | None, bool]:
    """A day as XML Schema has it, with its time zone if any, and whether its writing had to be repaired: a moment is
    taken as its day. No day where the text is none to its end."""
    bare = text.strip()
    as_date = XML_DATE.fullmatch(bare)
    found = as_date or XML_MOMENT.fullmatch(bare)
    try:
        return date.fromisoformat(found[1] if found else bare), not as_date
    except ValueError:
        return None, False
