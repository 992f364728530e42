"""Results of an IATI activity, each indicator a row; and contributions, which the portal writes as results."""

import re
from datetime import date
from decimal import Decimal

from django.utils.translation import gettext as _

from projects.choices import ContributionKind, ResultKind
from projects.currencies import CURRENCIES
from projects.interchange.cleaning import number_of
from projects.interchange.iati_money import in_two_decimals, number_in
from projects.interchange.iati_own import assumed, own, unit_of
from projects.interchange.iati_texts import day_of, leave_out, name_of, shown


def take_result(element, activity):
    title = element.find("title")
    if element.get(own("contribution")):
        _take_contribution(element, activity)
        return
    label = name_of(title, activity, 300) if title is not None else ""
    if element.find("indicator") is None:
        leave_out(element, activity, _("It has no indicator; the record keeps results by their indicators."))
    kind = element.get("type")
    if kind not in ("1", "2", "3", "9"):
        activity.find("result/@type", kind, "left_out", _("Unknown type; the record says “not stated”."))
        kind = ResultKind.UNSTATED
    elif "type" in assumed(element):
        kind = ResultKind.UNSTATED
    for indicator in element.findall("indicator"):
        _tell_measure(indicator, activity)
        row = {
            "kind": kind,
            **_indicator(indicator, activity),
        }
        row["title"] = label or row["indicator"]
        if row["indicator"] == row["title"]:
            row["indicator"] = ""  # it says the same
        if row["title"]:
            activity.results.append(row)
        else:
            leave_out(indicator, activity, _("Neither the result nor its indicator has a title."))


def _indicator(indicator, activity, by_sex: str = "actual") -> dict:
    """One indicator: its unit, where it starts, what is aimed at, what is reached. `by_sex`: which of the two is told of
    women and men."""
    name, comment = indicator.find("title"), indicator.find("description")
    row = dict.fromkeys(("baseline", "baseline_year", "target", "target_on", "actual", "actual_on", "women", "men"))
    row["indicator"] = name_of(name, activity, 300) if name is not None else ""
    row["unit"] = _unit(indicator) or ("percent" if indicator.get("measure") == "2" else "other")
    row["comment"] = name_of(comment, activity, 300) if comment is not None else ""
    base = indicator.find("baseline")
    if base is not None:
        row["baseline"] = _amount(base.get("value"), activity, "result/indicator/baseline")
        year = base.get("year") or ""
        if "year" in assumed(base):
            pass
        elif re.fullmatch(r"(19|20)\d\d", year):
            row["baseline_year"] = int(year)
        elif year:
            activity.find("result/indicator/baseline/@year", year, "left_out", _("Not a year between 1900 and 2099."))
    elif year := indicator.get(own("baseline-year")):
        if year.isdecimal():
            row["baseline_year"] = int(year)
        else:
            text = _("Not a year between 1900 and 2099.")
            activity.find("result/indicator/@ssc:baseline-year", year, "left_out", text)
    for attribute in ("target_on", "actual_on"):
        name = attribute.replace("_", "-")
        row[attribute] = day_of(indicator.get(own(name)), f"result/indicator/@{name}", activity)
    for end, period in _in_order(indicator.findall("period"), activity):
        _take_period(period, end, row, by_sex, activity)
    for sex in ("women", "men"):
        row[sex] = int(row[sex]) if row[sex] is not None else None
    return row


def _tell_measure(indicator, activity) -> None:
    """The record holds numbers and percentages; how else it is measured it does not say."""
    measure = indicator.get("measure") or ""
    if _unit(indicator) or measure in ("1", "2"):
        return
    if measure:
        activity.unread.add("result/indicator/@measure", measure)
    else:
        activity.find_once("result/indicator/@measure", "", "repaired", _("Missing; taken as a number."))


def _in_order(periods: list, activity) -> list[tuple[date | None, object]]:
    """Periods with their last day, the earliest first; those that do not say it stay before the others."""
    found = []
    for period in periods:
        end = period.find("period-end")
        raw = (end.get("iso-date") or "").strip() if end is not None and "period-end" not in assumed(period) else ""
        found.append((day_of(raw, "result/indicator/period/period-end/@iso-date", activity), period))
    return sorted(found, key=lambda one: one[0] or date.min)


def _take_period(period, end: date | None, row: dict, by_sex: str, activity) -> None:
    """The figures of a period into the row, which has one of each: what an earlier period says is told as left out."""
    figures: dict[str, dict] = {"target": {}, "actual": {}}
    for name, found in figures.items():
        for part in period.findall(name):
            path = f"result/indicator/period/{name}"
            where = _counted(part)
            is_known = where == "" or (where and name == by_sex and _counts_people(row["unit"], part.get("value")))
            if not is_known or (where or name) in found:
                activity.unread.add(path, shown(part))
            elif part.get("value"):
                found[where or name] = _amount(part.get("value"), activity, path)
    for name, found in figures.items():
        if not found:
            continue
        kept = (name, "women", "men") if name == by_sex else (name,)
        for one in kept:
            if row[one] is not None:
                activity.unread.add(f"result/indicator/period/{name}", f"{row[f'{name}_on'] or ''} {one} {row[one]}")
            row[one] = found.get(one)
        row[f"{name}_on"] = end
    if not any(figures.values()):
        activity.unread.add("result/indicator/period", shown(period))


def _counts_people(unit: str, value: str | None) -> bool:
    """Whether a figure by sex can be a number of women or men: whole, and no percentage."""
    number, _repaired = number_of(value)
    return unit != "percent" and number is not None and number == int(number)


def _unit(indicator) -> str:
    """The unit, where it is a code of the portal's vocabulary."""
    return next(filter(None, map(unit_of, indicator.findall("reference"))), "")


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
        leave_out(element, activity, _("No usable contribution."))
        return
    row = _indicator(indicator, activity, by_sex="target")
    currency = element.get(own("currency"))
    if currency and currency not in CURRENCIES:
        activity.find("result/@currency", currency, "left_out", _("No currency that ISO 4217 knows."))
        currency = None
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
            "currency": currency,
            **{name: _amount(element.get(own(name)), activity, f"result/@{name}") for name in ("amount", "spent")},
        }
    )


def _amount(text, activity, what) -> Decimal | None:
    value = number_in(text, what, activity)
    if text and (value is None or value < 0 or value >= Decimal(10) ** 13):
        activity.find(what, text, "left_out", _("Not a usable number."))
        return None
    return in_two_decimals(value, what, activity) if value is not None else None
