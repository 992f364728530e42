"""What the portal adds to IATI, in IATI's own ways: a vocabulary of tags, and a namespace for what has no element.

Both are written by iati_export and read back by iati_elements, so that a file comes back as the record it was.
Source: IATI 2.03, tag/@vocabulary 99 and the rule on additional elements (any attribute or element of another namespace).
"""

import re
import zlib
from decimal import ROUND_HALF_UP, Decimal

from django.conf import settings
from django.urls import reverse
from django.utils.translation import override

from projects.choices import CountryRole, DeliveryLevel, ProviderOrder, Unit, Vocabulary

NAMESPACE = "urn:x-ssc-portal:iati:1"
REFERENCE = re.compile(r"(P|N-[A-Z]{3})-\d{4}-\d{4,}", re.ASCII)  # of a project or a need, as the portal gives them
OWN_VOCABULARY = "99"
STANDARD = (Vocabulary.CRS, Vocabulary.SDG)  # vocabularies that have a code in IATI
TERMS = [v for v in Vocabulary if v not in STANDARD]
HUNDRED, STEP = Decimal(100), Decimal("0.0001")


def own(name: str) -> str:
    """The name of an attribute or element in the portal's namespace, as lxml takes it."""
    return f"{{{NAMESPACE}}}{name}"


ASSUMED = own("assumed")  # names what IATI asks for and the record does not hold: no record takes it over


def assumed(element) -> set[str]:
    """What of an element was put in only because IATI asks for it. `*`: the whole element."""
    return set(element.get(ASSUMED, "").split())


# What the portal marks so as a whole: it names itself as who reports, countries as governments, sectors by themes, and more.
ASSUMED_AS_A_WHOLE = {"reporting-org", "participating-org", "sector", "activity-date", "document-link/category"}


def mark_assumed(element, *names: str) -> None:
    """Says that these attributes or elements in it are not of the record, beside what is marked so already."""
    if names:
        element.set(ASSUMED, " ".join(dict.fromkeys([*element.get(ASSUMED, "").split(), *names])))


# --- what an import put in where a file did not say it, or said something finer: words of Project.taken_as -----------------
LANGUAGE, TITLE, SCOPE, DESCRIPTION = "lang", "title", "scope", "description"


def stands_for(text: str) -> str:
    """A word that tells whether the text is still the one that was put in."""
    return f"{zlib.crc32(text.encode()):08x}"


def taken(project) -> dict[str, str]:
    """What an import put in by itself, by what it is: as long as nobody wrote something else since."""
    found = dict(word.partition(":")[::2] for word in project.taken_as.split())
    is_still = {
        LANGUAGE: lambda said: said == project.language,
        TITLE: lambda said: said == stands_for(project.title),
        SCOPE: lambda _said: project.delivery_level == DeliveryLevel.NATIONAL,
        DESCRIPTION: lambda _said: True,
    }
    return {what: said for what, said in found.items() if what in is_still and is_still[what](said)}


def vocabulary_uri() -> str:
    """Where the codes of the own vocabulary are explained."""
    with override("en"):
        return settings.PORTAL_URL + reverse("vocabulary")


def is_own_vocabulary(element) -> bool:
    """Also of another copy of the portal: the address ends the same."""
    with override("en"):
        return element.get("vocabulary") == OWN_VOCABULARY and (element.get("vocabulary-uri") or "").endswith(
            reverse("vocabulary")
        )


def unit_of(reference) -> str:
    """The unit that the reference of an indicator tells, a code of the portal's vocabulary; empty for any other."""
    kind, _colon, unit = (reference.get("code") or "").partition(":")
    is_unit = reference.get("vocabulary") == OWN_VOCABULARY and kind == "unit" and unit in Unit.values
    return unit if is_unit else ""


def role_code(role: str, order: int | None) -> str:
    """The role of a country as part of a code: provider, recipient, both, first-provider, second-both ..."""
    return f"{ProviderOrder(order).name.lower()}-{role}" if order else role


def role_of(code: str) -> tuple[str, int | None] | None:
    """The reverse of `role_code`; None for what is no role."""
    order, dash, rest = code.partition("-")
    if dash and order.upper() in ProviderOrder.names and rest in (CountryRole.PROVIDER, CountryRole.BOTH):
        return rest, ProviderOrder[order.upper()].value
    return (code, None) if code in CountryRole.values else None


def percentages(shares: list[Decimal | None], elsewhere: Decimal = Decimal(0)) -> list[Decimal | None]:
    """Shares as IATI takes them: none for a single one of which nothing is said, else each given and adding up to exactly 100.

    What is missing divides what is left, without what is reported of others that can't stand beside them (`elsewhere`); what
    does not add up so keeps its proportion; none at all are equal. Whoever writes one that differs from what was reported marks it.
    """
    if not shares or (shares == [None] and not elsewhere):
        return list(shares)
    known = sum((share for share in shares if share is not None), Decimal(0))
    missing = shares.count(None)
    if not missing and known == HUNDRED:
        return list(shares)
    each = max(HUNDRED - known - elsewhere, Decimal(0)) / missing if missing else None
    found = [each if share is None else share for share in shares]
    total = sum(found)
    found = [share * HUNDRED / total if total else HUNDRED / len(found) for share in found]
    found = [Decimal(share).quantize(STEP, rounding=ROUND_HALF_UP) for share in found]
    largest = max(range(len(found)), key=found.__getitem__)
    found[largest] += HUNDRED - sum(found)
    return found
