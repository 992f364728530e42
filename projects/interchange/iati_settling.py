"""An IATI activity as a whole, once all its elements are taken: what contradicts itself is repaired or left out, and told."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from ground.numbers import plainly
from projects.interchange.iati_activity import Activity, Tie, Unread
from projects.interchange.iati_understood import is_known_addition, is_of_the_portal
from projects.models import Project
from projects.models.parts import ROUNDING, are_too_much, sum_of_shares

NO_PLACE = gettext_noop("The record has no place for it yet. Found in this activity: %(n)s.")
NOT_BY_US = gettext_noop(
    "It is one of the portal’s own additions to IATI, and the portal did not write this file: it was left out, and only what the file "
    "says in the terms of IATI is read. Found in this activity: %(n)s."
)
NOT_KNOWN = gettext_noop(
    "It stands in the portal’s own namespace, and is not known to the portal: it was left out. Found in this activity: %(n)s."
)
TEXTS = ("title", "summary", "description", "objectives", "lessons")
TEXT_LIMITS = {name: Project._meta.get_field(name).max_length for name in TEXTS}


def settle(activity: Activity) -> None:
    """Identity, texts, dates and shares, each against the others; also of a file that says it is the portal's own."""
    _settle_identity(activity)
    _settle_texts(activity)
    _settle_dates(activity)
    _settle_shares(activity)
    _settle_unread(activity)


def _settle_unread(activity: Activity) -> None:
    """One finding for each kind of what is not read."""
    for path, times, values in activity.unread.rows():
        activity.find(path, values, "left_out", _(_why_unread(path, activity)) % {"n": times})
    _tell_marked(activity.marked, activity)


def _why_unread(path: str, activity: Activity) -> str:
    if not is_of_the_portal(path):
        return NO_PLACE
    if not is_known_addition(path):
        return NOT_KNOWN
    return NO_PLACE if activity.is_own else NOT_BY_US


def tell_assumed(activity: Activity) -> None:
    """What a file of the portal's marks as put in by itself: told where the record is not the one that the file was made of."""
    _tell_marked(activity.assumed, activity)


def _tell_marked(marked: Unread, activity: Activity) -> None:
    for path, times, values in marked.rows():
        text = _("The file marks it as assumed, so it was not taken as stated. Found in this activity: %(n)s.")
        activity.find(path, values, "left_out", text % {"n": times})


def _settle_identity(activity: Activity) -> None:
    activity.key = activity.identifier or activity.key
    if activity.key and activity.other_key:
        activity.unread.add("other-identifier", activity.other_key)
    reporting = next((t for t in activity.organisations if t.is_reporting), None)
    if not activity.key and activity.other_key:
        activity.find(
            "iati-identifier", "", "repaired",
            _("Missing; the record is known by %(key)s, which the file gives instead.") % {"key": activity.other_key},
        )  # fmt: skip
    if reporting is None and activity.is_own:
        return  # the portal reports what names no publisher, and marks it as assumed
    if reporting is None:
        activity.find("reporting-org", "", "left_out", _("Missing: nobody is named as the publisher."))


def _settle_texts(activity: Activity) -> None:
    titled = [language for language, texts in activity.texts.items() if texts.get("title")]
    if titled and activity.language not in titled:
        activity.find(
            "title",
            titled[0],
            "repaired",
            _("Not in the activity's own language; taken from “%(lang)s”.") % {"lang": titled[0]},
        )
        activity.language = titled[0]
    for language, texts in activity.texts.items():
        for name, limit in TEXT_LIMITS.items():
            if len(texts.get(name, "")) > limit:
                activity.find(
                    name,
                    texts[name][limit - 1 :],
                    "repaired",
                    _("Cut after %(limit)s characters (%(lang)s).") % {"limit": limit, "lang": language},
                )
                texts[name] = texts[name][: limit - 1] + "…"


def _settle_dates(activity: Activity) -> None:
    for start, end in (("planned_start", "planned_end"), ("actual_start", "actual_end")):
        if start in activity.dates and end in activity.dates and activity.dates[end] < activity.dates[start]:
            activity.find(
                "activity-date",
                f"{activity.dates[start]} – {activity.dates[end]}",
                "left_out",
                _("The end comes before the start; the end was left out."),
            )
            del activity.dates[end]


def _regions_that_count(activity: Activity) -> list[Tie]:
    """The regions whose shares add up with those of the countries. A file may say the same in several lists of regions, each of which
    makes 100 with the countries; the record keeps the shares of one."""
    lists: dict[str, list[Tie]] = {}
    for tie in activity.regions:
        lists.setdefault(tie.vocabulary, []).append(tie)
    told = {vocabulary for vocabulary, ties in lists.items() if any(tie.share is not None for tie in ties)}
    total = sum_of_shares([*activity.countries, *activity.regions])
    if activity.is_own or len(told) < 2 or not are_too_much(total):
        return activity.regions
    kept = next((vocabulary for vocabulary in ("2", "1") if vocabulary in told), next(v for v in lists if v in told))
    for vocabulary in told - {kept}:
        said = _shares_said(lists[vocabulary])
        text = _("The record keeps the shares of one list of regions, here of vocabulary %(v)s; the regions stay.")
        path = f"recipient-region (vocabulary {vocabulary})/@percentage"
        activity.find(path, said, "left_out", text % {"v": kept})
        for tie in lists[vocabulary]:
            tie.share = None
    return lists[kept]


def _shares_said(ties: list[Tie]) -> str:
    return "; ".join(f"{tie.code or tie.name} {plainly(tie.share)}" for tie in ties if tie.share is not None)


def _settle_shares(activity: Activity) -> None:
    """Percentages that add up to more than 100, but for rounding, can't all be right: they are left out, the places and
    sectors stay."""
    groups = {"recipient-country": [*activity.countries, *_regions_that_count(activity)]}
    for tie in activity.sectors:
        groups.setdefault(f"sector (vocabulary {tie.vocabulary})", []).append(tie)
    for what, ties in groups.items():
        total = sum_of_shares(ties)
        if are_too_much(total):
            activity.find(
                f"{what}/@percentage",
                _shares_said(ties),
                "left_out",
                _("They add up to %(sum)s, more than 100; the shares were left out.") % {"sum": plainly(total)},
            )
            for tie in ties:
                tie.share = None
        elif total and total < 100 - ROUNDING and not activity.is_own:
            activity.find(
                f"{what}/@percentage",
                total,
                "kept",
                _("They add up to %(sum)s, not to 100.") % {"sum": plainly(total)},
            )
