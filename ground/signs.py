"""Signs in texts that nobody sees and no language needs. Some turn the direction of what stands around them, so that a name
reads as another (U+202E), or steer a terminal: what a person types loses them without a word, since nobody could find them; a
program is refused with the place (api/base.py); what a file holds is told as a finding.

Others only join, part or divide what stands beside them (word joiner, space without width, soft hyphen), or are not drawn at all
(what Unicode lists as Default_Ignorable_Code_Point, such as tags, fillers and repeated selectors of variants): two titles that look
the same are not, and neither is found by the other's words. They go wherever a text comes in, from a program too; ends of lines
and paragraphs of their own kind (also those of office programs, U+000B) become plain ones, and blanks that are no spaces become
spaces.

Kept: marks of direction (U+061C, U+200E, U+200F); joiners (U+200C, U+200D) beside letters of scripts that join, such as Arabic
and those of India, and inside one emoji made of several; selectors behind the sign of which they choose a variant; fillers between
the letters of old Korean, blanks between those of Braille; spaces without width between letters of scripts that write none between
words, such as Khmer. NUL is not among them: it is refused everywhere, since no text can hold it.

Ends of lines, of which browsers send other ones than files and programs, are one sign wherever a text comes in.
"""

import re
from collections import Counter

# C0 and C1 without tab and line ends; embeddings and overrides; isolates and deprecated controls; notes between lines.
HIDDEN = "\x01-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u206f\ufff9-\ufffb\ufffe\uffff"
IS_HIDDEN = re.compile(f"[{HIDDEN}]")
ALLOWED = (
    "^[^" + "".join(c if c == "-" else f"\\u{ord(c):04x}" for c in "\x00" + HIDDEN) + "]*$"
)  # as JSON Schema takes it

# Letters and marks of scripts whose letters take another form beside each other: Arabic, Syriac, N'Ko, Mandaic; those of India
# and its neighbours from Devanagari to Sinhala; Tibetan, Myanmar, Khmer, Mongolian, Balinese, Javanese, and their supplements.
JOINED = (
    "\u0600-\u08ff\u0900-\u0dff\u0f00-\u109f\u1780-\u18af\u1900-\u1aff\u1b00-\u1bff\u1cd0-\u1cff\ua800-\ua82f\ua840-\ua87f"
    "\ua880-\ua8ff\ua980-\ua9ff\uaa00-\uaaff\uabc0-\uabff\ufb50-\ufdff\ufe70-\ufefc\U00010a00-\U00011fff\U0001e900-\U0001e95f"
)
UNSPACED = "\u0e00-\u0eff\u0f00-\u109f\u1780-\u17ff\u19e0-\u19ff\u1a20-\u1aaf\uaa60-\uaa7f"  # Thai, Lao, Tibetan, Myanmar, Khmer
PICTURE = "\u00a9\u00ae\u203c-\u3299\ufe0f\U0001f000-\U0001faff"
NUL = "\x00"
# Word joiners, controls of shorthand and of music, signs that may yet be given out as such, tags (with which emoji of the flags of
# parts of a country are written: the black flag stays).
NEVER_SEEN = "\u00ad\u17b4\u17b5\u2060-\u2065\ufeff\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e00ff\U000e01f0-\U000e0fff"
FILLERS = "\u115f\u1160"
HANGUL, POINTS = "\u1100-\u115e\u1161-\u11ff\ua960-\ua97f\ud7b0-\ud7fb", "\u0300-\u036f\u0591-\u05c7"
VARIANTS, IDEOGRAPHS = "\ufe00-\ufe0f\U000e0100-\U000e01ef", "\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
BLANK = re.compile("[\u3164\uffa0]|(?<![\u2800-\u28ff])\u2800|\u2800(?![\u2800-\u28ff])")
LINE_ENDS = re.compile("[\x0b\x0c\x85\u2028\u2029]")
NEEDLESS = re.compile(
    f"[{NEVER_SEEN}]|(?<![\u1800-\u180d\u180f-\u18af])[\u180b-\u180f]"
    f"|(?<![{HANGUL}{FILLERS}])[{FILLERS}]+(?![{HANGUL}{FILLERS}])|(?<![{POINTS}])\u034f|\u034f(?![{POINTS}])"
    f"|(?:^|(?<=[\\s{VARIANTS}]))[{VARIANTS}]|(?<![{IDEOGRAPHS}])[\U000e0100-\U000e01ef]"
    f"|(?<![{UNSPACED}])\u200b(?![{UNSPACED}])"
    f"|(?<![{JOINED}])\u200c(?![{JOINED}])|(?<![\\w{JOINED}])\u200c|\u200c(?![\\w{JOINED}])"
    f"|(?<![{JOINED}{PICTURE}])\u200d(?![{JOINED}])|(?<=[{PICTURE}])\u200d(?![{PICTURE}])"
)

# What has none of them, as nearly every text, is looked through once only. No language writes many of them in a row: such a run
# goes as a whole, so that few passes find all that is left.
SOME = f"{NEVER_SEEN}{VARIANTS}{FILLERS}\u034f\u180b-\u180f\u200b-\u200d\U000e0100-\U000e01ef"
PERHAPS_NEEDLESS = re.compile(f"[{SOME}\x0b\x0c\x85\u2028\u2029\u2800\u3164\uffa0]")
RUN = re.compile(f"[{SOME}]{{5,}}")

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


def without_needless(text: str) -> str:
    """Without signs that join, part or divide where no script needs it; with plain spaces and ends of lines."""
    if not PERHAPS_NEEDLESS.search(text):
        return text
    text = RUN.sub("", BLANK.sub(" ", LINE_ENDS.sub("\n", text)))
    while (left := NEEDLESS.sub("", text)) != text:  # one may have stood between another and its letter
        text = left
    return text


def without_hidden(text: str) -> str:
    return without_needless(IS_HIDDEN.sub("", LINE_ENDS.sub("\n", text)))


def with_plain_line_ends(value):
    """A text as every door has it: browsers send other ends of lines than files and programs, which changes nothing."""
    return value.replace("\r\n", "\n").replace("\r", "\n") if isinstance(value, str) else value


def one_line(value):
    """A text of one line: an end of a line is a space, as browsers make of what is pasted."""
    return with_plain_line_ends(value).replace("\n", " ") if isinstance(value, str) else value


def hidden_in(text: str) -> list[str]:
    """The signs that a text loses, as people name them: U+202E."""
    left = without_hidden(text.replace(NUL, ""))
    return [f"U+{ord(sign):04X}" for sign in Counter(text) - Counter(left)] if left != text else []


def take_out_of_forms() -> None:
    """Every field of a form that takes a text, also in the forms of libraries, but for passwords, which stay as they are typed.

    A stored text that comes back as it was shown stays as it is stored: saving a form changes, and the history records, only
    what somebody changed.
    """
    from django.forms import CharField, ValidationError

    to_python, has_changed, clean = CharField.to_python, CharField.has_changed, CharField._clean_bound_field

    def visible(self, value):
        if isinstance(value, str) and self.strip:
            value = with_plain_line_ends(without_empty_ends(without_hidden(value)))
            if getattr(self.widget, "input_type", "") == "text":
                value = one_line(value)
        return to_python(self, value)

    def is_as_shown(self, value, stored) -> bool:
        if not (self.strip and isinstance(value, str) and isinstance(stored, str)):
            return False
        try:
            return self.to_python(value) == self.to_python(stored)
        except ValidationError:
            return False

    def changed(self, initial, data):
        return has_changed(self, initial, data) and not is_as_shown(self, data, initial)

    def cleaned(self, bound):
        value, record = clean(self, bound), getattr(bound.form, "instance", None)
        return bound.initial if record is not None and record.pk and is_as_shown(self, value, bound.initial) else value

    CharField.to_python, CharField.has_changed, CharField._clean_bound_field = visible, changed, cleaned
