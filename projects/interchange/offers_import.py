"""Offers of countries and partners from a table: each arrives as a draft of its provider, entered by UNEP, with its source.

One row is one line of an offer; rows with the same offer_id are one offer, whose other columns the first row fills in.
What a person has to add before it can be submitted is reported row by row.
"""

from decimal import Decimal, InvalidOperation

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from partners.models import Country, Partner
from projects.choices import CostTerms, OfferKind, Source, Unit, Vocabulary
from projects.interchange.cleaning import clean
from projects.interchange.needs_import import Report
from projects.lifecycle import quietly, write_down
from projects.lifecycle.offer import missing_for
from projects.models import Offer, OfferLine, OfferTerm, Term

COLUMNS = (
    "offer_id", "provider", "kind", "title", "language", "summary", "description", "themes", "languages", "line",
    "assistance", "cost", "quantity", "unit", "contact_name", "contact_email",
)  # fmt: skip
TEXTS = ("title", "summary", "description", "contact_name", "contact_email")


class Wrong(Exception):
    """A row can't be used; the message says why."""


def import_offers(rows: list[dict], *, by, source: str, dry_run: bool = False) -> Report:
    """Makes a draft of each offer that is not here yet; those that are stay as somebody may have edited them.

    `provider` is an ISO 3166-1 alpha-3 code or the address of a partner; `themes` and `languages` are codes separated by
    semicolons; `assistance`, `cost` and `unit` are codes. An offer with a row that can't be used is left out as a whole.
    """
    report = Report()
    terms = {(t.vocabulary, t.code): t for t in Term.objects.in_use()}
    present = set(Offer.objects.exclude(source_key=None).values_list("source_key", flat=True))
    grouped: dict[str, list[tuple[int, dict]]] = {}
    for number, row in enumerate(rows, start=2):  # as in a spreadsheet, where row 1 has the names
        key = _text(row, "offer_id")[:100]
        if not key:
            report.rejected += 1
            report.findings.append((number, "", _("It has no offer_id.")))
            continue
        grouped.setdefault(key, []).append((number, row))
    for key, own in grouped.items():
        if key in present:
            report.present += 1
            continue
        first = own[0][0]
        try:
            with transaction.atomic():
                offer = _make(key, own, terms, by, source)
                report.findings += [(first, key, str(one.message)) for one in missing_for(offer, "submitted")]
                report.created += 1
                if dry_run:
                    transaction.set_rollback(True)
        except Wrong as error:
            report.rejected += 1
            report.findings.append((first, key, str(error)))
        except ValidationError as error:
            report.rejected += 1
            report.findings.append((first, key, " ".join(error.messages)))
    return report


def _text(row: dict, name: str) -> str:
    return clean(row.get(name) or "")[0].strip()


def _codes(row: dict, name: str) -> list[str]:
    return [code.strip().lower() for code in _text(row, name).split(";") if code.strip()]


def _make(key: str, own: list[tuple[int, dict]], terms: dict, by, source: str) -> Offer:
    _number, row = own[0]
    kind = _text(row, "kind").lower()
    if kind not in OfferKind.values:
        raise Wrong(_("Its kind is none of %(kinds)s.") % {"kinds": ", ".join(OfferKind.values)})
    offer = Offer(
        **_provider(_text(row, "provider")), kind=kind, **{name: _text(row, name) for name in TEXTS},
        language=_text(row, "language") or "en", languages=_codes(row, "languages"), is_on_behalf=True, created_by=by,
        source=Source.IMPORTED, source_note=source[:300], source_key=key,
    )  # fmt: skip
    offer.full_clean(exclude=["reference"])
    offer.save()
    for code in dict.fromkeys(_codes(row, "themes")):
        if (Vocabulary.BSP_THEME, code) not in terms:
            raise Wrong(_("There is no thematic area “%(code)s”.") % {"code": code[:40]})
        OfferTerm.objects.create(offer=offer, term=terms[Vocabulary.BSP_THEME, code])
    for place, (number, one) in enumerate(own):
        if _text(one, "line"):
            _line(offer, place, number, one, terms)
    with quietly():
        write_down(offer, "begin", by=by, note=key)
    return offer


def _provider(code: str) -> dict:
    if found := Country.objects.filter(iso3=code.upper()).first():
        return {"country": found}
    if found := Partner.objects.filter(slug=code.lower()).first():
        return {"partner": found}
    raise Wrong(_("There is no country or partner “%(code)s”.") % {"code": code[:40]})


def _line(offer: Offer, place: int, number: int, row: dict, terms: dict) -> None:
    help_, cost, unit = (_text(row, name).lower() for name in ("assistance", "cost", "unit"))
    if help_ and (Vocabulary.ASSISTANCE, help_) not in terms:
        raise Wrong(_("Row %(n)s: there is no kind of help “%(code)s”.") % {"n": number, "code": help_[:40]})
    if cost and cost not in CostTerms.values:
        raise Wrong(_("Row %(n)s: the cost is free or cost.") % {"n": number})
    if unit and unit not in Unit.values:
        raise Wrong(_("Row %(n)s: there is no unit “%(code)s”.") % {"n": number, "code": unit[:40]})
    try:
        quantity = Decimal(_text(row, "quantity")) if _text(row, "quantity") else None
    except InvalidOperation:
        raise Wrong(_("Row %(n)s: the quantity is no number.") % {"n": number}) from None
    line = OfferLine(
        offer=offer, position=place, text=_text(row, "line")[:300], assistance=terms.get((Vocabulary.ASSISTANCE, help_)),
        cost=cost or CostTerms.FREE, quantity=quantity, unit=unit,
    )  # fmt: skip
    line.full_clean(exclude=["offer"])
    line.save()
