"""A brief as PDF: set by Typst from `brief.typ` beside this file, with its fonts from packages, so that nothing depends on
the machine. Texts reach it as data, never as markup. Tagged, so that screen readers read it (docs/decisions/0023)."""

import json
from functools import cache
from importlib.resources import files
from pathlib import Path

import typst
from django.conf import settings
from django.utils.translation import get_language, get_language_bidi
from django.utils.translation import gettext as _

from ground.templatetags.portal import translation_notice
from projects.interchange.briefs.parts import Brief

TEMPLATE = Path(__file__).with_name("brief.typ")
FONTS = ("fontpkg_noto_sans", "fontpkg_almarai", "pylopdf_fonts_zh_cn")


@cache
def fonts() -> list[Path]:
    return [Path(str(files(package))) for package in FONTS]


def as_pdf(brief: Brief) -> bytes:
    """The brief in the reader's language."""
    words = {
        "sources": _("Sources and method"), "picture": _("Picture"), "nothing": _("nothing reported"),
        "illustrative": _("Contains illustrative records, made up for a demonstration.") if brief.has_illustrative else "",
        "notice": translation_notice(), "page": _("page"), "portal": _("South-South cooperation on the environment"),
    }  # fmt: skip
    language = (get_language() or "en").split("-")[0]
    told = {
        **brief.plain(),
        "base": settings.PORTAL_URL,
        "words": words,
        "lang": language,
        "dir": "rtl" if get_language_bidi() else "ltr",
    }
    return typst.compile(
        str(TEMPLATE),
        font_paths=fonts(),
        ignore_system_fonts=True,
        sys_inputs={"brief": json.dumps(told, default=str)},
    )
