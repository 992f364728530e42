"""Texts, languages, dates and numbers of other people's files, made fit for use."""

import html
import re
from decimal import Decimal

from babel.core import get_global
from django.utils.translation import gettext as _

from ground.numbers import NotANumber, read_number
from ground.signs import without_empty_ends, without_hidden

DECIMAL = r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)"  # as XML Schema has decimals: a dot, and nothing between thousands
MOST = Decimal(10) ** 18
LANGUAGE_TAG = re.compile(r"[a-z]{2,3}(-[a-z0-9]{1,8})*")
HTML = (
    "a abbr acronym address article aside b bdi bdo big blockquote body br button caption center cite code col colgroup dd del dfn dir div "
    "dl dt em embed figcaption figure font footer form h1 h2 h3 h4 h5 h6 head header hr html i iframe img input ins kbd label legend li "
    "link main map mark meta nav noscript object ol option p param pre q s samp script section select small span strike strong style sub "
    "summary sup table tbody td textarea tfoot th thead time title tr tt u ul var video wbr"
)  # fmt: skip
# A tag as HTML knows it, with attributes that have a value or none but a few; of word processors those with their prefixes.
# What else stands in angle brackets is what somebody wrote: "a<b, c>d", "<john@example.org>".
MARKUP = re.compile(
    rf"</?(?:{'|'.join(sorted(HTML.split(), key=len, reverse=True))}|(?:o|w|v|m|st1):[a-z0-9]{{1,30}})"
    r"(?:\s{1,9}(?:[a-z][a-z0-9:_-]{0,40}\s{0,3}=\s{0,3}(?:\"[^\"<>]{0,500}\"|'[^'<>]{0,500}'|[^\s<>\"']{1,200})"
    r"|nowrap|noshade|compact|checked|disabled|hidden|open|reversed|selected)){0,30}\s{0,9}/?>",
    re.IGNORECASE,
)
NEW_LINE = re.compile(r"<br\s{0,9}/?>|</p>|</li>|</div>", re.IGNORECASE)
UNPRINTED = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")  # control characters, and halves of signs
MOJIBAKE = re.compile(r"[ÃÂ][\x80-\xbf¡-¿]|â€|Ð[\x80-\xbf°-¿]")


def clean(text: str | None) -> tuple[str, str]:
    """A text fit for people, and what had to be done to it ("" when nothing but spaces changed)."""
    value, done = text or "", []
    for _again in range(3):
        if not re.search(r"&([a-zA-Z]{2,8}|#x?[0-9a-fA-F]{1,6});", value):
            break
        value = html.unescape(value)
        done = [_("unescaped")]
    if MOJIBAKE.search(value):
        for encoding in ("cp1252", "latin-1"):
            try:
                repaired = value.encode(encoding).decode("utf-8")
            except (UnicodeEncodeError, UnicodeDecodeError):
                continue
            value = repaired
            done.append(_("its encoding repaired"))
            break
    if MARKUP.search(value):
        value = MARKUP.sub("", NEW_LINE.sub("\n", value))
        done.append(_("markup removed"))
    if (seen := without_empty_ends(without_hidden(value))) != value:
        value = seen
        done.append(_("signs that nobody sees removed"))
    value = "\n".join(" ".join(line.split()) for line in UNPRINTED.sub("", value).splitlines())
    return re.sub(r"\n{3,}", "\n\n", value).strip(), ", ".join(str(d) for d in done)


def language_code(tag: str | None) -> str:
    """The language of a BCP 47 tag as records keep it, empty where the text is no tag: its first part, in two letters where ISO 639
    has them. `zh` is what readers of Chinese here get; the other script is `zh-hant`."""
    found = LANGUAGE_TAG.fullmatch((tag or "").strip().lower().replace("_", "-"))
    if not found:
        return ""
    code, *rest = found[0].split("-")
    alias = get_global("language_aliases").get(code, "")
    code = alias if (len(code), len(alias)) == (3, 2) else code
    return "zh-hant" if code == "zh" and _is_traditional(rest) else code


def _is_traditional(subtags: list[str]) -> bool:
    """Whether Chinese is written in traditional characters: by its script, else by its region."""
    script = next((part for part in subtags if len(part) == 4 and part.isalpha()), "")
    likely = get_global("likely_subtags")
    return script == "hant" or (not script and any("_Hant_" in likely.get(f"zh_{p.upper()}", "") for p in subtags))


def number_of(text: str | None) -> tuple[Decimal | None, bool]:
    """A number and whether its writing had to be repaired."""
    raw = (text or "").strip()
    is_decimal = re.fullmatch(DECIMAL, raw) is not None
    try:
        value = Decimal(raw) if is_decimal else read_number(raw)
    except NotANumber:
        return None, False
    return (value, not is_decimal) if abs(value) < MOST else (None, False)
