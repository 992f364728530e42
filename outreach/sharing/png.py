"""A card as a picture of 1200 x 630 pixels (Open Graph), set by Typst from `card.typ` beside this file."""

import json
from pathlib import Path

import typst
from django.utils.translation import get_language, get_language_bidi
from django.utils.translation import gettext as _

from ground.templatetags.portal import RIGHT_TO_LEFT
from outreach.sharing.cards import Card
from projects.interchange.briefs.pdf import fonts

TEMPLATE = Path(__file__).with_name("card.typ")
WIDTH, HEIGHT = 1200, 630


def draw(card: Card) -> bytes:
    """PNG. Texts reach it as data, never as markup."""
    told = {
        "title": card.title,
        "text": card.text,
        "kind": card.kind,
        "facts": [fact for fact in card.facts if fact],
        "strips": [[[pattern, float(start), float(width)] for pattern, start, width in parts] for parts in card.strips],
        "drawing": card.drawing,
        "portal": [_("South-South cooperation"), _("on the environment")],
        "illustrative": _("Illustrative") if card.is_illustrative else "",
        "lang": (get_language() or "en").split("-")[0],
        "title_lang": card.language.split("-")[0],
        "title_dir": "rtl" if card.language.split("-")[0] in RIGHT_TO_LEFT else "ltr",
        "dir": "rtl" if get_language_bidi() else "ltr",
    }
    made = typst.compile(
        str(TEMPLATE),
        format="png",
        ppi=72,
        font_paths=fonts(),
        ignore_system_fonts=True,
        sys_inputs={"card": json.dumps(told)},
    )
    return made if isinstance(made, bytes) else made[0]  # what is too long for one card runs on to a second
