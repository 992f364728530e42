"""Texts of IATI elements: narratives in several languages, cleaned; from the portal's own files to the letter."""

from datetime import date

from django.utils.translation import gettext as _

from ground.dates import read_xml_day
from ground.signs import hidden_in, without_hidden
from projects.interchange.cleaning import clean, language_code
from projects.interchange.iati_activity import Activity
from projects.interchange.iati_own import assumed
from projects.models.project import LANGUAGE_CODE

LANG = "{http://www.w3.org/XML/1998/namespace}lang"


def path_of(element) -> str:
    """The path of an element below its activity."""
    above = [part.tag for part in element.iterancestors() if part.tag not in ("iati-activity", "iati-activities")]
    return "/".join([*reversed(above), element.tag])


def code_of(element) -> str:
    """The code of an element, `ref` in old versions."""
    return (element.get("code") or element.get("ref") or "").strip().strip("'")


def shown(element) -> str:
    """What an element says, for a finding: its attributes and texts, and those of the elements in it."""
    said = [text for part in element.iter() for text in (*part.attrib.values(), part.text or "")]
    return " ".join(" ".join(said).split())


def leave_out(element, activity: Activity, text: str, path: str = "", outcome: str = "left_out") -> None:
    """Tells that an element was dropped, with all that it says. What drops an element goes through here, so that nothing is lost unnamed."""
    activity.find(path or path_of(element), shown(element), outcome, text)


def day_of(raw: str | None, path: str, activity: Activity) -> date | None:
    """The day that an element states; one that had to be repaired, or can't be used, is told."""
    raw = (raw or "").strip()
    day, repaired = read_xml_day(raw)
    if repaired:
        activity.find(path, raw, "repaired", _("Read as %(number)s.") % {"number": day})
    elif raw and day is None:
        activity.find(path, raw, "left_out", _("Not a usable date."))
    return day


def within(text: str, limit: int, path: str, activity: Activity) -> str:
    """A text as long as the record has place for; what is cut is told."""
    if len(text) <= limit:
        return text
    activity.find(path, text[limit - 1 :], "repaired", _("Cut after %(limit)s characters.") % {"limit": limit})
    return text[: limit - 1] + "…"


def language_of(element, default: str, activity: Activity) -> str:
    """The language that an element states, else the default; one that can't be used is told."""
    raw, path = element.get(LANG), f"{path_of(element)}/@lang"
    found = language_in(raw, path, activity)
    if (raw or "").strip() and not found:
        text = _("Not a code of a language; taken as “%(lang)s”.") % {"lang": default}
        activity.find_once(path, raw, "repaired", text)
    return found or default


def language_in(raw: str | None, path: str, activity: Activity) -> str:
    """The language that a tag means, empty where it is none; what else the tag says is told."""
    tag = (raw or "").strip().lower()
    if activity.is_own and LANGUAGE_CODE.regex.fullmatch(tag):
        return tag
    if (found := language_code(tag)) and found != tag:
        text = _("Taken as “%(lang)s”; the record keeps the language alone.") % {"lang": found}
        activity.find_once(path, raw, "repaired", text)
    return found


def narratives(element, activity: Activity) -> list[tuple[str, str]]:
    """(language, text) of an element: its narratives (2.x) or its own text (1.x)."""
    found = []
    default = language_of(element, activity.language, activity)
    for part in element.findall("narrative") or [element]:
        if activity.is_own:
            is_made_up = "narrative" in assumed(element) and part.get(LANG) is None and path_of(element) != "title"
            if part is not element and part.text and not is_made_up:
                found.append((language_of(part, default, activity), part.text))
            continue
        text, done = clean("".join(part.itertext()) if part is not element else element.text)
        if done:
            activity.find(element.tag, text[:200], "repaired", _("Text %(done)s.") % {"done": done})
        if text:
            found.append((language_of(part, default, activity) if part is not element else default, text))
    return found


def take_out_hidden(activity_element, activity: Activity) -> None:
    """Signs that nobody sees, out of all texts and attributes of an activity before anything is read of it."""
    for element in activity_element.iter():
        for name, value in [("", element.text or ""), *element.attrib.items()]:
            if not isinstance(element.tag, str) or not (signs := hidden_in(value)):
                continue
            if name:
                element.set(name, without_hidden(value))
            else:
                element.text = without_hidden(value)
            path = path_of(element).removesuffix("/narrative") + (f"/@{name}" if name else "")
            text = _("Signs that nobody sees were taken out: %(signs)s.") % {"signs": ", ".join(signs)}
            activity.find_once(path, without_hidden(value), "repaired", text)


NAMED_BY_THE_PORTAL = ("reporting-org", "participating-org", "tag")  # in its own files, in all languages it has


def name_of(element, activity: Activity, limit: int = 500) -> str:
    """One name for an element: in the activity's language where there is one. The record keeps no other, and not its language."""
    texts = narratives(element, activity)
    if not texts:
        return ""
    chosen = next((one for one in texts if one[0] == activity.language), texts[0])
    if not (activity.is_own and element.tag in NAMED_BY_THE_PORTAL):
        path = path_of(element)
        for one in texts:
            if one is not chosen:
                activity.unread.add(f"{path}/narrative", f"{one[0]}: {one[1]}")
        if chosen[0] != activity.language:
            activity.unread.add(f"{path}/narrative/@lang", chosen[0])
    return within(chosen[1], limit, path_of(element), activity)
