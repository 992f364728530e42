"""What of an IATI activity the portal reads, and the count of what it does not: nothing in a file is dropped silently.

A path is that of an element below <iati-activity>; `@` stands before an attribute. What is neither read here nor read
elsewhere becomes one finding for each kind and record. When the reader learns an element, its paths are added here.
"""

from collections import Counter
from itertools import chain

from lxml import etree

from projects.interchange.iati_activity import Activity
from projects.interchange.iati_codes import WORDS
from projects.interchange.iati_own import ASSUMED_AS_A_WHOLE, NAMESPACE, assumed, own, unit_of
from projects.interchange.iati_texts import LANG, path_of, shown
from projects.models.project import IN_TRANSACTIONS as BY_WHAT_IT_TELLS

TEXT = "narrative narrative/@lang @lang"  # what iati_texts reads of an element; of versions before 2.01 its own text
_MONEY = "value value/@currency value/@value-date"
_TARGET = "@value dimension dimension/@name dimension/@value"

READ_BY_ELEMENT = {
    "": "@lang @default-currency",
    "iati-identifier": "",
    "other-identifier": "@ref @owner-name @owner-ref",
    "reporting-org": f"@ref @type {TEXT}",
    "participating-org": f"@ref @type @role {TEXT}",
    "title": TEXT,
    "description": f"@type {TEXT}",
    "activity-status": "@code",
    "activity-date": "@type @iso-date @iso_date",
    "activity-scope": "@code",
    "collaboration-type": "@code",
    "recipient-country": f"@code @ref @percentage {TEXT}",
    "recipient-region": f"@code @ref @percentage @vocabulary {TEXT}",
    "sector": f"@code @ref @percentage @vocabulary {TEXT}",
    "tag": f"@code @ref @vocabulary {TEXT}",
    **dict.fromkeys(("budget", "budget-planned"), f"@type @status period-start period-start/@iso-date period-end period-end/@iso-date {_MONEY}"),
    "transaction": f"@type transaction-type transaction-type/@code transaction-date transaction-date/@iso-date {_MONEY} "
                   "description description/narrative description/narrative/@lang description/@lang",
    "location": "name name/narrative name/narrative/@lang name/@lang point point/pos",
    "document-link": "@url title title/narrative title/narrative/@lang title/@lang language language/@code "
                     "document-date document-date/@iso-date",
    "result": "@type title title/narrative title/narrative/@lang title/@lang indicator indicator/@measure "
              "indicator/title indicator/title/narrative indicator/title/narrative/@lang indicator/title/@lang "
              "indicator/description indicator/description/narrative indicator/description/narrative/@lang "
              "indicator/description/@lang indicator/baseline indicator/baseline/@value indicator/baseline/@year "
              "indicator/period indicator/period/period-end indicator/period/period-end/@iso-date "
              + " ".join(f"indicator/period/{name} " + " ".join(f"indicator/period/{name}/{part}" for part in _TARGET.split())
                         for name in ("target", "actual")),
    "related-activity": "@ref @type",
}  # fmt: skip
READ = {
    "/".join(filter(None, (element, part)))
    for element, parts in READ_BY_ELEMENT.items()
    for part in ("", *parts.split())
} - {""}
# Of these the record holds one; the first is read.
READ_ONCE = {
    "iati-identifier", "reporting-org", "activity-status", "activity-scope", "collaboration-type", "budget/period-start",
    "budget/period-end", "budget/value", "budget-planned/period-start", "budget-planned/period-end", "budget-planned/value", "transaction/value", "transaction/transaction-type", "transaction/transaction-date", "transaction/description",
    "location/name", "location/point", "location/point/pos", "document-link/title", "document-link/language", "document-link/document-date", "result/title",
    "result/indicator/title", "result/indicator/description", "result/indicator/baseline", "result/indicator/period/period-end",
}  # fmt: skip
# Whose text is read beside or instead of an attribute, in some version.
READ_AS_TEXT = {
    "iati-identifier", "other-identifier", "activity-status", "activity-date", "title", "description", "reporting-org",
    "participating-org", "recipient-country", "recipient-region", "sector", "tag", "location/name", "location/point/pos",
    "document-link/title", "result/title", "result/indicator/title", "result/indicator/description",
    "transaction/description", "transaction/transaction-type", "transaction/transaction-date", "transaction/value",
    *(f"{name}/{part}" for name in ("budget", "budget-planned") for part in ("period-start", "period-end", "value")),
}  # fmt: skip
# Of these the text is read only where the attribute is missing.
READ_INSTEAD = ("other-identifier", "activity-status", "activity-date", "transaction/transaction-type", "transaction/transaction-date",
                *(f"{name}/{part}" for name in ("budget", "budget-planned") for part in ("period-start", "period-end")))  # fmt: skip
IN_TRANSACTIONS = tuple(chain.from_iterable(BY_WHAT_IT_TELLS.values()))
# --- of the portal's own files
OWN = {
    "reference", "need", "illustrative", "only-in-transactions", "as", "note", "reports", "contribution", "by", "amount", "spent",
    "currency", "assumed", "licence", "licence-uri", "taken-as", "share", "level", "partner", "ref", "baseline-year", "target-on",
    "actual-on",
}  # fmt: skip
OWN_ELEMENTS = {"parent", "reported"}
OWN_FOR_OTHERS = {"source-publisher", "source-uri", "source-retrieved-on"}  # written, and read back by nobody
# What the portal writes into them for others, and what follows from the rest of the record.
DERIVED = {
    "@last-updated-datetime", "@linked-data-uri", "@hierarchy", "reporting-org/@secondary-reporter", "tag/@vocabulary-uri",
    "location/point/@srsName",
}  # fmt: skip


def name_in_path(name: str) -> str:
    """A tag or attribute as people write it: `lang` for `xml:lang`, `ssc:...` for the portal's own."""
    if name == LANG:
        return "lang"
    return name.replace(f"{{{NAMESPACE}}}", "ssc:")


def is_of_the_portal(path: str) -> bool:
    """Whether a path ends in an attribute or element of the portal's own."""
    return path.rpartition("/")[2].lstrip("@").startswith("ssc:")


def is_known_addition(path: str) -> bool:
    """Whether a path ends in an attribute or element that the portal itself writes into its files."""
    last = path.rpartition("/")[2]
    if last.startswith("@"):
        return last.removeprefix("@ssc:") in OWN | OWN_FOR_OTHERS
    return last.removeprefix("ssc:") in OWN_ELEMENTS


def leave_out_additions(activity_element, activity: Activity) -> None:
    """Takes all that is of the portal's namespace out of an activity that somebody else wrote, before anything is read of it, so that
    what it states in the terms of IATI is read as it stands. Each is counted, and told once."""
    ours = own("")
    for part in activity_element.iter(own("*")):
        if not any(
            above.tag.startswith(ours) for above in part.iterancestors()
        ):  # else it is told with the one around it
            activity.unread.add(name_in_path(path_of(part)), shown(part))
    etree.strip_elements(activity_element, own("*"), with_tail=False)
    for part in activity_element.iter("*"):
        for name in filter(lambda name: name.startswith(ours), part.keys()):
            path = "" if part is activity_element else path_of(part)
            activity.unread.add(f"{path}/@{name_in_path(name)}".lstrip("/"), part.attrib.pop(name))


def count_unread(activity_element, activity: Activity) -> None:
    """What of an activity nobody reads: how often each path occurs. Of an element that is not read, one path is given.

    Of the portal's own files, too: what is not of its own making in them must not go unseen. What they mark as assumed is counted
    by itself: it is told unless the record is the one that the file was made of.
    """
    _count(activity_element, "", activity)


def _count(element, path: str, activity: Activity) -> None:
    unread, made_up_there, is_own = activity.unread, activity.assumed, activity.is_own
    made_up = assumed(element)
    for name, value in element.attrib.items():
        attribute = f"{path}/@{name_in_path(name)}".lstrip("/")
        last = attribute.split("@")[-1]
        if last.startswith("ssc:"):
            is_read = last[4:] in OWN
        else:
            is_read = attribute in READ or last in made_up or (is_own and attribute in DERIVED)
        if last in made_up:
            made_up_there.add(attribute, value)
        if not is_read:
            unread.add(attribute, value)
    text = (element.text or "").strip()
    is_text = path in READ_AS_TEXT or path.endswith("narrative")
    if path and text and (not is_text or _is_passed_over(element, path, text)):
        unread.add(f"{path}/text()", text)
    for after in filter(None, ((child.tail or "").strip() for child in element)):
        unread.add(f"{path}/text()".lstrip("/"), after)
    seen: Counter = Counter()
    for child in element:
        if not isinstance(child.tag, str):
            continue
        below = f"{path}/{name_in_path(child.tag)}".lstrip("/")
        if "*" in assumed(child):
            # Only files of the portal keep their marks. Where it never marks it so, somebody else did; it is not read as if it were stated.
            is_made_up = below in ASSUMED_AS_A_WHOLE
            (made_up_there if is_made_up else activity.marked).add(below, shown(child))
            continue
        seen[below] += 1
        last = below.split("/")[-1]
        if last.startswith("ssc:"):
            if last[4:] not in OWN_ELEMENTS:
                unread.add(below, shown(child))
        elif last in made_up:
            made_up_there.add(below, shown(child))
        elif (is_own and _is_for_others(child, below)) or _is_unit(child, below):
            continue
        elif below not in READ or (below in READ_ONCE and seen[below] > 1):
            unread.add(below, shown(child))
        else:
            _count(child, below, activity)


def _is_passed_over(element, path: str, text: str) -> bool:
    """Whether something else is read in place of the text of this element: its narratives, or an attribute."""
    if element.find("narrative") is not None:
        return True
    return path in READ_INSTEAD and _says_something_else(element, text)


def _says_something_else(element, text: str) -> bool:
    """Whether a text tells more than the attribute that is read in its place; old versions name a code beside it."""
    said = next((element.get(name) for name in ("code", "ref", "iso-date", "iso_date") if element.get(name)), "")
    return bool(said) and said not in (text, WORDS.get(text.lower()))


def _is_for_others(child, path: str) -> bool:
    """Identifiers that the portal writes for others: its own reference, and those of records that were merged."""
    return path == "other-identifier" and child.get("type") in ("A9", "B1")


def _is_unit(child, path: str) -> bool:
    """A reference that tells the unit of an indicator."""
    return path == "result/indicator/reference" and unit_of(child) != ""
