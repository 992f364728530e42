"""What of an IATI activity the portal reads, and the count of what it does not: nothing in a file is dropped silently.

A path is that of an element below <iati-activity>; `@` stands before an attribute. What is neither read here nor read
elsewhere becomes one finding for each kind and record. When the reader learns an element, its paths are added here.
"""

from collections import Counter

from projects.interchange.iati_own import NAMESPACE, assumed
from projects.interchange.iati_texts import LANG

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
# Of these the record holds one; the first is read (of periods: the figures of all, the later over the earlier).
READ_ONCE = {
    "iati-identifier", "reporting-org", "activity-status", "activity-scope", "collaboration-type", "budget/value",
    "transaction/value", "transaction/transaction-type", "transaction/transaction-date", "transaction/description",
    "location/name", "location/point", "document-link/title", "document-link/language", "result/title",
    "result/indicator/title", "result/indicator/description", "result/indicator/baseline", "result/indicator/period",
}  # fmt: skip
# Whose text is read beside or instead of an attribute, in some version.
READ_AS_TEXT = {
    "iati-identifier", "other-identifier", "activity-status", "activity-date", "title", "description", "reporting-org",
    "participating-org", "recipient-country", "recipient-region", "sector", "tag", "location/name", "location/point/pos",
    "document-link/title", "result/title", "result/indicator/title", "result/indicator/description",
    "transaction/description", "transaction/transaction-type", "transaction/transaction-date", "transaction/value",
    *(f"{name}/{part}" for name in ("budget", "budget-planned") for part in ("period-start", "period-end", "value")),
}  # fmt: skip
IN_TRANSACTIONS = ("recipient-country", "recipient-region", "sector", "provider-org", "receiver-org")


def name_in_path(name: str) -> str:
    """A tag or attribute as people write it: `lang` for `xml:lang`, `ssc:...` for the portal's own."""
    if name == LANG:
        return "lang"
    return name.replace(f"{{{NAMESPACE}}}", "ssc:")


def count_unread(activity_element) -> Counter:
    """What of an activity nobody reads: how often each path occurs. Of an element that is not read, one path is given."""
    unread: Counter = Counter()
    _count(activity_element, "", unread)
    return unread


def _count(element, path: str, unread: Counter) -> None:
    for name in element.attrib:
        attribute = f"{path}/@{name_in_path(name)}".lstrip("/")
        if attribute not in READ and not attribute.split("@")[-1].startswith("ssc:"):
            unread[attribute] += 1
    is_text = path in READ_AS_TEXT or path.endswith("narrative")
    if path and not is_text and (element.text or "").strip():
        unread[f"{path}/text()"] += 1
    seen: Counter = Counter()
    for child in element:
        if not isinstance(child.tag, str) or "*" in assumed(child):
            continue
        below = f"{path}/{name_in_path(child.tag)}".lstrip("/")
        seen[below] += 1
        is_own = below.split("/")[-1].startswith("ssc:")
        if is_own and path:
            continue
        if (below not in READ and not is_own) or (below in READ_ONCE and seen[below] > 1):
            unread[below] += 1
        elif not is_own:
            _count(child, below, unread)
