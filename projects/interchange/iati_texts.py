"""Texts of IATI elements: narratives in several languages, cleaned; from the portal's own files to the letter."""

from django.utils.translation import gettext as _

from projects.interchange.cleaning import DIRECTION, clean, language_code
from projects.interchange.iati_activity import Activity
from projects.interchange.iati_own import assumed

LANG = "{http://www.w3.org/XML/1998/namespace}lang"


def path_of(element) -> str:
    """The path of an element below its activity."""
    above = [part.tag for part in element.iterancestors() if part.tag not in ("iati-activity", "iati-activities")]
    return "/".join([*reversed(above), element.tag])


def narratives(element, activity: Activity) -> list[tuple[str, str]]:
    """(language, text) of an element: its narratives (2.x) or its own text (1.x)."""
    found = []
    default = language_code(element.get(LANG), activity.language)
    for part in element.findall("narrative") or [element]:
        if activity.is_own:
            if part is not element and part.text and "narrative" not in assumed(element):
                found.append((language_code(part.get(LANG), default), DIRECTION.sub("", part.text)))
                if DIRECTION.search(part.text):
                    activity.find(element.tag, "", "repaired", _("Signs that turn the direction of writing removed."))
            continue
        text, done = clean("".join(part.itertext()) if part is not element else element.text)
        if done:
            activity.find(element.tag, text[:200], "repaired", _("Text %(done)s.") % {"done": done})
        if text:
            found.append((language_code(part.get(LANG), default), text))
    return found


def name_of(element, activity: Activity) -> str:
    """One name for an element: in the activity's language where there is one."""
    texts = narratives(element, activity)
    if len(texts) > 1 and not activity.is_own:
        activity.unread[f"{path_of(element)}/narrative"] += len(texts) - 1
    return next((t for lang, t in texts if lang == activity.language), texts[0][1] if texts else "")[:500]
