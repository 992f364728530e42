"""One IATI activity, element by element: what it says in the portal's own terms, and what could not be taken as it stands.

Versions 1.01 to 2.03 and the drafts before them. Nothing is looked up here and nothing is dropped silently: every repair
and every omission is a finding.
"""

import re
from decimal import Decimal

from django.utils.translation import gettext as _

from ground.dates import read_xml_day
from ground.numbers import plainly
from projects.choices import OrganisationRole, Relation
from projects.currencies import CURRENCIES
from projects.interchange.iati_activity import Activity, Tie
from projects.interchange.iati_codes import DATE_TYPES, ROLE_WORDS, STATUS_WORDS
from projects.interchange.iati_money import number_in, share_as_kept, take_budget, take_transaction
from projects.interchange.iati_own import (
    DESCRIPTION,
    LANGUAGE,
    REFERENCE,
    SCOPE,
    assumed,
    is_own_vocabulary,
    own,
    role_of,
)
from projects.interchange.iati_results import take_result
from projects.interchange.iati_settling import TEXT_LIMITS, settle
from projects.interchange.iati_texts import (
    LANG,
    code_of,
    day_of,
    language_in,
    leave_out,
    name_of,
    narratives,
    shown,
    take_out_hidden,
    within,
)
from projects.interchange.iati_understood import IN_TRANSACTIONS, READ_ONCE, count_unread, leave_out_additions
from projects.models.parts import without_rounding


# --- one activity ----------------------------------------------------------------------------------------------------
def parse_activity(element) -> Activity:
    """One <iati-activity> element in the portal's own terms. What has no place in the record is counted."""
    reference = REFERENCE.fullmatch(element.get(own("reference")) or "")
    activity = Activity(line=element.sourceline or 0, reference=reference[0] if reference else "")
    take_out_hidden(element, activity)
    if not activity.is_own:
        leave_out_additions(element, activity)
    activity.is_need = element.get(own("need")) == "1"
    activity.is_illustrative = element.get(own("illustrative")) == "1"
    activity.language = language_in(element.get(LANG), "@lang", activity)
    if not activity.language:
        activity.language = "en"
        text = _("No language is stated that can be used; texts without one of their own were taken as English.")
        activity.find("@lang", element.get(LANG), "repaired", text)
        activity.taken_as.append(f"{LANGUAGE}:en")
    activity.licence = element.get(own("licence"), "")
    currency = (element.get("default-currency") or "").strip().upper()
    if currency and currency not in CURRENCIES:
        text = _("No currency that ISO 4217 knows.")
        activity.find("@default-currency", element.get("default-currency"), "left_out", text)
        currency = ""
    activity.currency = currency
    seen: set[str] = set()
    for child in element:
        if not isinstance(child.tag, str) or "*" in assumed(child):
            continue
        if child.tag in READ_ONCE and child.tag in seen:
            continue  # told with what is not read
        seen.add(child.tag)
        if take := _TAKE.get(child.tag):
            take(child, activity)
    count_unread(element, activity)
    if activity.is_own:
        activity.taken_as = element.get(own("taken-as"), "").split()
        said = element.get(own("only-in-transactions"), "").split()
        activity.only_in_transactions = [kind for kind in IN_TRANSACTIONS if kind in said]
    else:
        activity.only_in_transactions = _named_only_in_transactions(element)
    settle(activity)
    return activity


def _named_only_in_transactions(element) -> list[str]:
    """What the transactions name and the activity does not. Countries and regions stand for each other, as in IATI."""
    named = {kind for kind in IN_TRANSACTIONS if element.find(f"transaction/{kind}") is not None}
    places = {"recipient-country", "recipient-region"}
    above = {child.tag for child in element}
    if above & places:
        named -= places
    return [kind for kind in IN_TRANSACTIONS if kind in named - above]


def _take_identifier(element, activity):
    raw = element.text or ""
    value = re.sub(r"\s+", "", raw)
    if value and value != raw.strip():
        activity.find("iati-identifier", raw, "repaired", _("Spaces removed from the identifier."))
    if bad := re.search(r"[/&|?]", value):
        activity.find(
            "iati-identifier", raw, "kept",
            _("Holds “%(sign)s”, which IATI does not allow; used to find the record again, not as its IATI identifier.") % {"sign": bad[0]},
        )  # fmt: skip
        activity.key = value[:200]
        within(value, 200, "iati-identifier", activity)
    elif len(value) > 200:
        activity.find("iati-identifier", raw, "left_out", _("Longer than 200 characters."))
    else:
        activity.identifier = value


def _take_other_identifier(element, activity):
    value = (element.get("ref") or element.text or "").strip().strip("'")
    if activity.is_own and element.get("type") in ("A9", "B1"):
        return  # the portal's own reference, and those of records that were merged
    if value and not activity.other_key:
        owner = element.get("owner-name") or element.get("owner-ref") or ""
        activity.other_key = f"{owner}:{value}"[:200].removeprefix(":")
        within(f"{owner}:{value}", 200, "other-identifier", activity)
        if element.get("owner-name") and element.get("owner-ref"):
            activity.unread.add("other-identifier/@owner-ref", element.get("owner-ref"))
    else:
        activity.unread.add("other-identifier", shown(element))


def _take_reporting(element, activity):
    tie = Tie(
        code=_org_ref(element, activity),
        name=name_of(element, activity),
        kind=_org_type(element, activity),
        is_reporting=True,
    )
    if tie.code or tie.name:
        activity.organisations.append(tie)
    else:
        leave_out(element, activity, _("Neither a name nor a reference."))


def _org_ref(element, activity) -> str:
    raw = element.get("ref") or ""
    value = re.sub(r"\s+", "", raw).strip("'")
    if value != raw.strip() and value:
        activity.find(f"{element.tag}/@ref", raw, "repaired", _("Spaces or quotes removed from the reference."))
    return within(value, 200, f"{element.tag}/@ref", activity)


def _org_type(element, activity) -> str:
    raw = (element.get("type") or "").strip()
    if not raw or "type" in assumed(element):
        return ""
    if not re.fullmatch(r"\d\d", raw):
        activity.find(f"{element.tag}/@type", raw, "left_out", _("Not a code of IATI's types of organisations."))
        return ""
    return raw


def _take_participating(element, activity):
    tie = Tie(
        code=_org_ref(element, activity) or element.get(own("ref"), ""),
        name=name_of(element, activity),
        kind=_org_type(element, activity),
        slug=element.get(own("partner"), ""),
        reports=element.get(own("reports")) == "1" if activity.is_own else None,
    )
    if not tie.code and not tie.name:
        leave_out(element, activity, _("Neither a name nor a reference."))
        return
    raw = (element.get("role") or "").strip()
    role = raw if raw in "1234" and len(raw) == 1 else ROLE_WORDS.get(raw.lower(), "")
    if raw.lower() == "beneficiary":
        text = _("%(name)s: no such role; it is named by its country.") % {"name": tie.name or tie.code}
        leave_out(element, activity, text, "participating-org/@role")
        return
    if not role:
        activity.find(
            "participating-org/@role",
            raw,
            "left_out",
            _("Unknown role of %(name)s; the record says “not stated”.") % {"name": tie.name or tie.code},
        )
        role = OrganisationRole.UNSTATED
    if "role" in assumed(element):  # two of the portal's own stand for each other nowhere
        role = OrganisationRole.REPORTS_ONLY if role == OrganisationRole.EXTENDING else OrganisationRole.UNSTATED
    tie.role = role
    if same := activity.named_before(element.tag, (tie.code, tie.name, tie.slug, tie.role), tie):
        same.kind = same.kind or tie.kind
        leave_out(element, activity, _("Named twice in the same role; kept once."), outcome="repaired")
        return
    activity.organisations.append(tie)


def _texts_into(field_name: str):
    def take(element, activity):
        for language, text in narratives(element, activity):
            texts = activity.texts.setdefault(language, {})
            if field_name in texts:
                if texts[field_name] == text:
                    continue
                if field_name == "title":
                    activity.find(
                        "title", text, "left_out",
                        _("A second title in the same language (%(lang)s); the first was taken.") % {"lang": language},
                    )  # fmt: skip
                elif len(texts[field_name]) <= TEXT_LIMITS.get(field_name, len(texts[field_name])):
                    texts[field_name] += "\n\n" + text  # what is too long already is cut, and told, in the end
                else:
                    activity.unread.add(element.tag, text)
            else:
                texts[field_name] = text

    return take


def _take_description(element, activity):
    kind = element.get("type") or "1"
    name = element.get(own("as"))
    if name not in ("summary", "lessons"):
        name = "objectives" if kind == "2" else "description"
        if kind not in ("1", "2"):
            text = _("Taken into the description: the record has one kind.")
            activity.find("description/@type", kind, "repaired", text)
            if DESCRIPTION not in activity.taken_as:
                activity.taken_as.append(DESCRIPTION)
    _texts_into(name)(element, activity)


def _take_status(element, activity):
    raw = (code_of(element) or element.text or "").strip()
    if raw in ("1", "2", "3", "4", "5", "6"):
        activity.status = raw
    elif word := STATUS_WORDS.get(raw.lower()):
        activity.status = word
        activity.find(
            "activity-status",
            raw,
            "repaired",
            _("A word of an old version, taken as its code %(code)s.") % {"code": word},
        )
    else:
        activity.find("activity-status", raw, "left_out", _("Unknown status; the record says “not stated”."))


def _take_date(element, activity):
    raw = element.get("iso-date") or element.get("iso_date") or element.text
    name = DATE_TYPES.get((element.get("type") or "").strip().lower())
    value, repaired = read_xml_day(raw or "")
    if not (raw or "").strip():
        return
    if name is None or value is None:
        leave_out(element, activity, _("No usable type or date."))
        return
    if repaired:
        activity.find("activity-date", raw, "repaired", _("Read as %(number)s.") % {"number": value})
    if (element.get("type") or "") in ("start", "end"):
        activity.find(
            "activity-date",
            element.get("type"),
            "repaired",
            _("An old type that does not say planned or actual; taken as planned."),
        )
    if activity.dates.setdefault(name, value) != value:
        leave_out(element, activity, _("A second date of this type; the first was taken."))


def _share(element, activity) -> Decimal | None:
    is_made_up = "percentage" in assumed(element)
    raw = element.get(own("share"), None if is_made_up else element.get("percentage"))
    if raw in (None, ""):
        return None
    path = f"{element.tag}/@percentage".replace(f"{own('reported')}/", "ssc:reported/")
    value = number_in(raw.replace("%", ""), path, activity)
    if value is not None and (whole := without_rounding(value)) != value:
        activity.find(path, raw, "repaired", _("Taken as 100, but for rounding."))
        value = whole
    if value is None or not 0 <= value <= 100:
        activity.find(path, raw, "left_out", _("Not a percentage between 0 and 100."))
        return None
    return share_as_kept(value, path, activity)


def _take_place(target: str):
    def take(element, activity):
        tie = Tie(
            code=_short_code(element, activity),
            name=name_of(element, activity),
            vocabulary=(element.get("vocabulary") or "1"),
            share=_share(element, activity),
        )
        ties = getattr(activity, target)
        if not tie.code and not tie.name:
            leave_out(element, activity, _("Neither a code nor a name."))
        elif same := activity.named_before(element.tag, _known_by(tie), tie):
            _add_share(same, tie, element, activity)
        else:
            ties.append(tie)

    return take


WITHOUT_A_LIST = (
    "98",
    "99",
    "tag 98",
    "tag 99",
)  # vocabularies of whoever reports: a code says nothing without its name


def _known_by(tie: Tie) -> tuple[str, str, str]:
    return tie.vocabulary, tie.code, "" if tie.code and tie.vocabulary not in WITHOUT_A_LIST else tie.name


def _add_share(tie: Tie, again: Tie, element, activity) -> None:
    """Of what is named a second time its share counts, too."""
    text = _("Named twice; kept once.")
    if again.share is not None:
        tie.share = without_rounding((tie.share or 0) + again.share)
        text = _("Named twice; kept once, its shares added up to %(sum)s.") % {"sum": plainly(tie.share)}
    leave_out(element, activity, text, outcome="repaired")


def _short_code(element, activity) -> str:
    return within(code_of(element), 200, f"{element.tag}/@code", activity)


def _of_the_goals(code: str, vocabulary: str, element, activity) -> str:
    """The vocabulary of a code of the Goals: 7, or 8 for their targets, which have a dot. Taken from the code where the two differ."""
    found = {"7": "8", "8": "7"}.get(vocabulary, "") if code and vocabulary == ("7" if "." in code else "8") else ""
    if found:
        text = _("“%(code)s” is of the other list of the Goals and their targets, and was taken so.") % {"code": code}
        activity.find(f"{element.tag}/@vocabulary", element.get("vocabulary"), "repaired", text)
    return found or vocabulary


def _take_sector(element, activity):
    code, vocabulary = _short_code(element, activity), (element.get("vocabulary") or "1").strip()
    vocabulary = {"DAC": "1", "DAC-3": "2"}.get(vocabulary, vocabulary)
    tie = Tie(
        code=code,
        name=name_of(element, activity),
        vocabulary=within(
            _of_the_goals(code, vocabulary, element, activity), 200, f"{element.tag}/@vocabulary", activity
        ),
    )
    tie.share = _share(element, activity)
    if not tie.code and not tie.name:
        leave_out(element, activity, _("Neither a code nor a name."))
    elif same := activity.named_before("term", _known_by(tie), tie):
        _add_share(same, tie, element, activity)
    else:
        activity.sectors.append(tie)


def _take_tag(element, activity):
    if is_own_vocabulary(element) and ":" in code_of(element):
        _take_own_tag(element, activity)
        return
    # Tag vocabularies 2 and 3 are the Goals and their targets, which sectors call 7 and 8.
    vocabulary = {"2": "7", "3": "8"}.get(
        element.get("vocabulary") or "", f"tag {element.get('vocabulary') or ''}".strip()
    )
    code = _short_code(element, activity)
    vocabulary = within(_of_the_goals(code, vocabulary, element, activity), 200, "tag/@vocabulary", activity)
    tie = Tie(code=code, name=name_of(element, activity), vocabulary=vocabulary)
    if not tie.code and not tie.name:
        leave_out(element, activity, _("Neither a code nor a name."))
    elif activity.named_before("term", _known_by(tie), tie):
        leave_out(element, activity, _("Named twice; kept once."), outcome="repaired")
    else:
        activity.sectors.append(tie)


def _take_own_tag(element, activity):
    """A tag of the portal's vocabulary: how it is carried out, the role of a country, or a term."""
    kind, code = code_of(element).split(":", 1)
    if kind in ("instrument", "role") and not activity.is_own:
        activity.unread.add("tag", shown(element))  # of files of others neither is taken over
    elif kind == "instrument":
        activity.instrument = code[:10]
    elif kind == "modality":
        activity.modality = code[:12]
    elif kind == "role" and role_of(code.partition(":")[0]):
        activity.roles.append(
            Tie(code=within(code.partition(":")[2], 200, "tag/@code", activity), role=code.partition(":")[0],
                share=_share(element, activity), note=within(element.get(own("note"), ""), 300, "tag/@ssc:note", activity))
        )  # fmt: skip
    elif kind == "need":
        if not activity.is_need:
            activity.unread.add("tag", shown(element))
    else:
        activity.sectors.append(
            Tie(
                code=within(code, 200, "tag/@code", activity),
                name=name_of(element, activity),
                vocabulary=within(kind, 200, "tag/@code", activity),
                share=_share(element, activity),
            )
        )


def _take_reported(element, activity):
    """What an earlier import had brought and nobody has resolved: it stays as it was."""
    kind, role = element.get("element"), element.get("role", "")
    limits = {"code": 200, "name": 500, "vocabulary": 200, "note": 300}
    said = {name: within(element.get(name, ""), limits[name], f"ssc:reported/@{name}", activity) for name in limits}
    if role and not role_of(role):
        activity.unread.add("ssc:reported/@role", role)
    tie = Tie(**said, role=role if role_of(role) else "recipient", share=_share(element, activity))
    ties = {"recipient-country": activity.roles, "recipient-region": activity.regions, "sector": activity.sectors}
    if kind in ties and (tie.code or tie.name):
        ties[kind].append(tie)
    else:
        activity.unread.add("ssc:reported", shown(element))


def _take_scope(element, activity):
    activity.level = element.get(own("level")) or {
        "1": "global",
        "2": "regional",
        "4": "national",
        "5": "national",
        "6": "national",
        "7": "national",
        "8": "national",
    }.get(code_of(element), "")
    if activity.level and code_of(element) in ("5", "6", "7", "8") and not element.get(own("level")):
        activity.find("activity-scope", code_of(element), "repaired", _("Within a country; taken as national."))
        activity.taken_as.append(f"{SCOPE}:{code_of(element)}")
    elif not activity.level:
        activity.find("activity-scope", code_of(element), "left_out", _("The record has no place for this scope."))


def _take_collaboration(element, activity):
    if code_of(element) == "8":  # the only code of IATI for triangular cooperation; plain South-South has none
        activity.modality = "triangular"
    else:
        activity.find(
            "collaboration-type",
            code_of(element),
            "left_out",
            _("The record has a place for triangular cooperation only."),
        )


# Less than a metre is lost by it, which no file knows of a place: nothing to tell.
POSITION_STEP = Decimal("0.00001")


def _take_location(element, activity):
    name, position = element.find("name"), element.find("point/pos")
    parts = (position.text or "").split() if position is not None else []
    numbers = [number_in(part, "location/point/pos", activity) for part in parts]
    if len(numbers) != 2 or None in numbers or not (-90 <= numbers[0] <= 90 and -180 <= numbers[1] <= 180):
        leave_out(element, activity, _("No usable position."))
        return
    activity.locations.append(
        {
            "name": name_of(name, activity, 200) if name is not None else "",
            **dict(zip(("latitude", "longitude"), (n.quantize(POSITION_STEP) for n in numbers), strict=True)),
        }
    )


def _take_document(element, activity):
    url = (element.get("url") or "").strip()
    if not re.fullmatch(r"https?://[^\s<>\"]{3,950}", url):
        activity.find("document-link/@url", url, "left_out", _("Not a web address."))
        activity.unread.add("document-link", shown(element))
        return
    title = element.find("title")
    activity.documents.append(
        {
            "url": url,
            "title": (name_of(title, activity, 300) if title is not None else "") or url[:300],
            "language": _language_of_document(element, activity),
            "published_on": _date_of_document(element, activity),
        }  # fmt: skip
    )


def _language_of_document(element, activity) -> str:
    raw = code_of(language) if (language := element.find("language")) is not None else ""
    found = language_in(raw, "document-link/language/@code", activity)
    if raw and not found:
        activity.find("document-link/language/@code", raw, "left_out", _("Not a code of a language."))
    return found


def _date_of_document(element, activity):
    raw = (when.get("iso-date") or "").strip() if (when := element.find("document-date")) is not None else ""
    return day_of(raw, "document-link/document-date/@iso-date", activity)


def _take_related(element, activity):
    ref = re.sub(r"\s+", "", element.get("ref") or "")
    if ref and element.find(own("parent")) is not None:
        activity.parent = within(ref, 200, "related-activity/@ref", activity)
    elif ref:
        kind = element.get("type") or ""
        if not re.fullmatch("[1-5]", kind):
            activity.find("related-activity/@type", kind, "left_out", _("Unknown type; the record says “not stated”."))
            kind = Relation.UNSTATED
        elif "type" in assumed(element):
            kind = Relation.UNSTATED
        activity.related.append(Tie(code=within(ref, 200, "related-activity/@ref", activity), role=kind))
    else:
        leave_out(element, activity, _("No reference."))


_TAKE = {
    "iati-identifier": _take_identifier,
    "other-identifier": _take_other_identifier,
    "reporting-org": _take_reporting,
    "participating-org": _take_participating,
    "title": _texts_into("title"),
    "description": _take_description,
    "activity-status": _take_status,
    "activity-date": _take_date,
    "recipient-country": _take_place("countries"),
    "recipient-region": _take_place("regions"),
    "sector": _take_sector,
    "tag": _take_tag,
    "activity-scope": _take_scope,
    "collaboration-type": _take_collaboration,
    "budget": take_budget,
    "budget-planned": take_budget,
    "transaction": take_transaction,
    "location": _take_location,
    "document-link": _take_document,
    "result": take_result,
    "related-activity": _take_related,
    own("reported"): _take_reported,
}
