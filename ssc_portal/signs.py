"""Signs in texts that nobody sees and no language needs: they turn the direction of what stands around them, so that a name reads
as another (U+202E), or steer a terminal. What a person types loses them without a word, since nobody could find them; a program
is refused with the place (ssc_portal/api.py); what a file holds is told as a finding.

Kept: marks of direction and joiners, which Arabic, Persian and the languages of India need (U+061C, U+200B to U+200F), soft hyphens,
and the signs that make one emoji of several. NUL is not among them: it is refused everywhere, since no text can hold it.
"""

import re

# C0 and C1 without tab and line ends; embeddings and overrides; isolates and deprecated controls; byte order marks; notes between lines.
HIDDEN = "\x01-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff"
IS_HIDDEN = re.compile(f"[{HIDDEN}]")
ALLOWED = (
    "^[^" + "".join(c if c == "-" else f"\\u{ord(c):04x}" for c in "\x00" + HIDDEN) + "]*$"
)  # as JSON Schema takes it


# Signs without width that mean something between others only, and signs that make no text where nothing else stands.
WIDTHLESS = "\u00ad\u180e\u200b\u2060\u2061\u2062\u2063\u2064\ufeff"
UNSEEN = re.compile(
    rf"[\s{WIDTHLESS}{HIDDEN}\u034f\u061c\u115f\u1160\u17b4\u17b5\u200c-\u200f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]*"
)
ENDS = WIDTHLESS + "".join(sign for sign in map(chr, range(0x3001)) if sign.isspace())


def without_empty_ends(text: str) -> str:
    """Without signs that have no width at both ends. A text of nothing but such signs is empty."""
    if not text or text.isspace():
        return text
    if UNSEEN.fullmatch(text):
        return ""
    begun = text.lstrip(ENDS)
    text = text if text[: len(text) - len(begun)].strip() == "" else begun
    ended = text.rstrip(ENDS)
    return text if text[len(ended) :].strip() == "" else ended


def without_hidden(text: str) -> str:
    return IS_HIDDEN.sub("", text)


def hidden_in(text: str) -> list[str]:
    """The hidden signs of a text, as people name them: U+202E."""
    return [f"U+{ord(sign):04X}" for sign in dict.fromkeys(IS_HIDDEN.findall(text))]


def take_out_of_forms() -> None:
    """Every field of a form that takes a text, also in the forms of libraries, but for passwords, which stay as they are typed."""
    from django.forms import CharField

    to_python = CharField.to_python

    def visible(self, value):
        return to_python(
            self, without_empty_ends(without_hidden(value)) if isinstance(value, str) and self.strip else value
        )

    CharField.to_python = visible
