"""Results of an IATI activity, each indicator a row; and contributions, which the portal writes as results."""

import re
from decimal import Decimal

from django.utils.translation import gettext as _

from projects.choices import ContributionKind, Unit
from projects.interchange.cleaning import day_of, number_of
from projects.interchange.iati_own import OWN_VOCABULARY, assumed, own
from projects.interchange.iati_texts import name_of


def take_result(element, activity):
    title = element.find("title")
    label = (name_of(title, activity) if title is not None else "")[:300]
    if activity.is_own and element.get(own("contribution")):
        _take_contribution(element, activity)
        return
    if element.find("indicator") is None:
        activity.find(
            "result", label, "left_out", _("It has no indicator; the record keeps results by their indicators.")
        )
    if element.get("type") not in ("1", "2", "3", "9"):
        activity.find("result/@type", element.get("type"), "repaired", _("Unknown type; taken as “other”."))
    for indicator in element.findall("indicator"):
        row = {
            "kind": element.get("type") if element.get("type") in ("1", "2", "3", "9") else "9",
            **_indicator(indicator, activity),
        }
        row["title"] = label or row["indicator"]
        if row["indicator"] == row["title"]:
            row["indicator"] = ""  # it says the same
        if row["title"]:
            activity.results.append(row)
        else:
            activity.find("result/indicator", "", "left_out", _("Neither the result nor its indicator has a title."))


def _indicator(indicator, activity) -> dict:
    """One indicator: its unit, where it starts, what is aimed at, what is reached."""
    name, comment = indicator.find("title"), indicator.find("description")
    row = dict.fromkeys(("baseline", "baseline_year", "target", "target_on", "actual", "actual_on", "women", "men"))
    row["indicator"] = (name_of(name, activity) if name is not None else "")[:300]
    row["unit"] = _unit(indicator) or ("percent" if indicator.get("measure") == "2" else "other")
    row["comment"] = (name_of(comment, activity) if comment is not None else "")[:300]
    if not activity.is_own and (indicator.get("measure") or "") not in ("1", "2"):
        activity.unread["result/indicator/@measure"] += "measure" in indicator.attrib
    base = indicator.find("baseline")
    if base is not None:
        row["baseline"] = _amount(base.get("value"), activity, "result/indicator/baseline")
        year = base.get("year") or ""
        if re.fullmatch(r"(19|20)\d\d", year) and "year" not in assumed(base):
            row["baseline_year"] = int(year)
        elif year and not activity.is_own:
            activity.find("result/indicator/baseline/@year", year, "left_out", _("Not a year between 1900 and 2099."))
    elif year := indicator.get(own("baseline-year")):
        row["baseline_year"] = int(year) if year.isdigit() else None
    for attribute in ("target_on", "actual_on"):
        row[attribute] = day_of(indicator.get(own(attribute.replace("_", "-"))))
    for period in indicator.findall("period"):
        end = period.find("period-end")
        day = day_of(end.get("iso-date")) if end is not None and "period-end" not in assumed(period) else None
        for name_, when in (("target", "target_on"), ("actual", "actual_on")):
            for part in period.findall(name_):
                where = _counted(part)
                if where is None or (where and row[where] is not None):
                    activity.unread[f"result/indicator/period/{name_}"] += 1
                elif part.get("value"):
                    row[where or name_] = _amount(part.get("value"), activity, f"result/indicator/period/{name_}")
                    row[when] = day
    for sex in ("women", "men"):
        row[sex] = int(row[sex]) if row[sex] is not None else None
    return row


def _unit(indicator) -> str:
    """The unit, where it is a code of the portal's vocabulary."""
    for reference in indicator.findall("reference"):
        kind, _colon, unit = (reference.get("code") or "").partition(":")
        if reference.get("vocabulary") == OWN_VOCABULARY and kind == "unit" and unit in Unit.values:
            return unit
    return ""


def _counted(part) -> str | None:
    """Of a target or actual figure: "" for all, `women` or `men` where it is of one sex, None for another part of all."""
    dimensions = part.findall("dimension")
    if not dimensions:
        return ""
    if len(dimensions) == 1 and (dimensions[0].get("name") or "").strip().lower() in ("sex", "gender"):
        return {"female": "women", "women": "women", "male": "men", "men": "men"}.get(
            (dimensions[0].get("value") or "").strip().lower()
        )
    return None


def _take_contribution(element, activity):
    """What one side brings, as the portal wrote it."""
    indicator = element.find("indicator")
    if indicator is None or element.get(own("contribution")) not in ContributionKind.values:
        activity.find("result", element.get(own("contribution")), "left_out", _("No usable contribution."))
        return
    row = _indicator(indicator, activity)
    kind, _colon, who = (element.get(own("by")) or "").partition(":")
    activity.contributions.append(
        {
            "by": (kind, who),
            "kind": element.get(own("contribution")),
            "text": row["indicator"],
            "unit": _unit(indicator) or None,
            "quantity": row["target"],
            "delivered": row["actual"],
            "women": row["women"],
            "men": row["men"],
            "currency": element.get(own("currency")),
            **{name: _amount(element.get(own(name)), activity, f"result/@{name}") for name in ("amount", "spent")},
        }
    )


def _amount(text, activity, what) -> Decimal | None:
    value, _repaired = number_of(text)
    if text and (value is None or value < 0 or value >= Decimal(10) ** 13):
        activity.find(what, text, "left_out", _("Not a usable number."))
        return None
    return value.quantize(Decimal("0.01")) if value is not None else None
