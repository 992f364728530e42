"""Money of an IATI activity: budgets and transactions, each with its currency and days; what is in doubt is left out and told."""

import re
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal

from django.utils.translation import gettext as _

from ground.numbers import plainly
from projects.currencies import CURRENCIES
from projects.interchange.cleaning import number_of
from projects.interchange.iati_codes import TRANSACTION_WORDS
from projects.interchange.iati_own import assumed
from projects.interchange.iati_texts import code_of, day_of, leave_out, name_of, shown

STEP = Decimal("0.01")  # what amounts and quantities of the record are kept in
SHARE_STEP = Decimal("0.0001")


def number_in(raw: str | None, path: str, activity) -> Decimal | None:
    """The one number that a text means; one that is written otherwise than IATI has it is told."""
    number, repaired = number_of(raw)
    if repaired:
        activity.find(path, raw, "repaired", _("Read as %(number)s.") % {"number": plainly(number)})
    return number


def in_two_decimals(number: Decimal, path: str, activity, lost=None) -> Decimal | None:
    """A number as the record keeps it. What is rounded is told; what would become zero is none. `lost`: the element that is dropped with it."""
    kept = number.quantize(STEP, rounding=ROUND_HALF_UP)
    if kept == number:
        return kept
    if not kept:
        text = _("The record keeps two decimals; this would become zero.")
        activity.find(path, plainly(number) if lost is None else shown(lost), "left_out", text)
        return None
    text = _("The record keeps two decimals; rounded to %(number)s.") % {"number": plainly(kept)}
    activity.find(path, plainly(number), "repaired", text)
    return kept


def share_as_kept(share: Decimal, path: str, activity) -> Decimal | None:
    """A share as the record keeps it: what is rounded is told, and none becomes zero."""
    kept = share.quantize(SHARE_STEP, rounding=ROUND_HALF_EVEN)
    if kept == share:
        return kept
    if not kept:
        text = _("The record keeps four decimals of a share; this one would become zero.")
        activity.find(path, plainly(share), "left_out", text)
        return None
    text = _("The record keeps four decimals of a share; rounded to %(number)s.") % {"number": plainly(kept)}
    activity.find(path, plainly(share), "repaired", text)
    return kept


def _money(element, activity) -> tuple[Decimal, str] | None:
    value, path = element.find("value"), f"{element.tag}/value"
    raw = value.text if value is not None else None
    number = number_in(raw, path, activity)
    if number is None:
        text = (
            _("Not one number without doubt, so it was left out.")
            if (raw or "").strip()
            else _("No amount, so it was left out.")
        )
        leave_out(element, activity, text, path)
        return None
    currency = (value.get("currency") or activity.currency or "").strip().upper()
    if currency not in CURRENCIES:
        said = _("%(amount)s has no currency that ISO 4217 knows, so it was left out.")
        leave_out(element, activity, said % {"amount": plainly(number)}, f"{path}/@currency")
        return None
    amount = in_two_decimals(number, path, activity, element)
    return None if amount is None else (amount, currency)


def _value_date(value, activity):
    """The day of the exchange rate as it came; one that the portal had put in is none."""
    raw = (value.get("value-date") or "").strip()
    if "value-date" in assumed(value) or not raw:
        return None
    return day_of(raw, f"{value.getparent().tag}/value/@value-date", activity)


def take_budget(element, activity):
    starts, ends = (
        day_of(p.get("iso-date") or p.text, f"{element.tag}/{name}", activity)
        if (p := element.find(name)) is not None
        else None
        for name in ("period-start", "period-end")
    )
    money = _money(element, activity)
    if money is None:
        return
    if starts is None or ends is None or ends < starts:
        leave_out(element, activity, _("The period has no usable start and end."))
        return
    if (ends - starts).days > 366:
        text = _("A period of more than one year (IATI allows one); %(money)s was left out.")
        leave_out(element, activity, text % {"money": f"{money[1]} {money[0]}"})
        return
    value = element.find("value")
    kind, status = ((element.get(name) or "").strip() for name in ("type", "status"))
    if kind not in ("", "1", "2"):
        activity.find("budget/@type", kind, "left_out", _("Unknown type; taken as an original budget."))
    if status not in ("", "1", "2"):
        activity.find("budget/@status", status, "left_out", _("Unknown status; the record says “not stated”."))
    activity.budgets.append(
        {
            "kind": kind if kind in ("1", "2") else "1",
            "status": status if status in ("1", "2") else "",
            "starts_on": starts,
            "ends_on": ends,
            "amount": money[0],
            "currency": money[1],
            "valued_on": _value_date(value, activity),
        }  # fmt: skip
    )


def take_transaction(element, activity):
    if len(element) == 0:
        leave_out(element, activity, _("It is empty."))
        return
    kind_element = element.find("transaction-type")
    raw = (code_of(kind_element) or kind_element.text or "") if kind_element is not None else element.get("type") or ""
    kind = raw if re.fullmatch(r"[1-9]|1[0-3]", raw) else TRANSACTION_WORDS.get(raw.strip().lower())
    money = _money(element, activity)
    if money is None:
        return
    if kind is None:
        text = _("Unknown kind; %(money)s was left out.") % {"money": f"{money[1]} {money[0]}"}
        leave_out(element, activity, text, "transaction/transaction-type")
        return
    when = element.find("transaction-date")
    value = element.find("value")
    stated = (when.get("iso-date") or when.text) if when is not None else None
    made_on = day_of(stated, "transaction/transaction-date", activity)
    valued_on = _value_date(value, activity)
    if made_on is None and valued_on:
        activity.find("transaction/transaction-date", "", "repaired", _("No date; the value date was taken."))
        made_on = valued_on
    if made_on is None:
        text = _("No date; %(money)s was left out.") % {"money": f"{money[1]} {money[0]}"}
        leave_out(element, activity, text, "transaction/transaction-date")
        return
    if money[0] < 0:
        activity.find(
            "transaction/value", money[0], "kept", _("Negative: a correction or a return. Kept and counted as such.")
        )
    text = element.find("description")
    activity.transactions.append(
        {
            "kind": kind,
            "made_on": made_on,
            "valued_on": valued_on,
            "amount": money[0],
            "currency": money[1],
            "text": name_of(text, activity, 300) if text is not None else "",
        }
    )
