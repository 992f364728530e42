"""What a brief is made of, said once for the page and for the PDF: figures, and sections with tables and pictures.

Texts are in the reader's language when it is made. A picture is a strip for each row of its table, so that every figure
that is drawn is also written. Quantities are summed within one unit, money within one currency, nothing across.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from decimal import Decimal

from django.conf import settings
from django.db.models import Count, F, Q, QuerySet, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from ground.licences import OWN
from ground.templatetags.portal import day, language_of_name, money, number
from projects.charts import Part, strip
from projects.choices import Unit
from projects.models import Contribution, Project

LISTED = 40  # rows of a list of records


@dataclass(frozen=True)
class Cell:
    """A text, where it leads, its language where that is not the reader's."""

    text: str
    url: str = ""
    lang: str = ""
    is_number: bool = False
    is_title: bool = False


@dataclass(frozen=True)
class Row:
    cells: list[Cell]
    strips: list[list[Part]] = field(default_factory=list)  # the picture of its figures


@dataclass(frozen=True)
class Table:
    """`key`: what the patterns of its pictures stand for."""

    caption: str
    head: list[str]
    rows: list[Row]
    key: list[tuple[str, str]] = field(default_factory=list)
    more: str = ""  # what the table leaves out, in words

    @property
    def numeric(self) -> list[bool]:
        return [cell.is_number for cell in self.rows[0].cells] if self.rows else [False] * len(self.head)

    @property
    def wide(self) -> list[bool]:
        """The columns that take what room there is: titles, else the first."""
        cells = self.rows[0].cells if self.rows else []
        has_title = any(cell.is_title for cell in cells)
        return [cell.is_title if has_title else place == 0 for place, cell in enumerate(cells)]

    @property
    def heads(self) -> list[tuple[str, bool]]:
        return list(zip(self.head, self.numeric, strict=True))

    @property
    def has_picture(self) -> bool:
        return any(row.strips for row in self.rows)


@dataclass(frozen=True)
class Section:
    slug: str
    title: str
    lede: str = ""
    tables: list[Table] = field(default_factory=list)
    nothing: str = ""  # said where there is no table: what that means, and what it does not


@dataclass(frozen=True)
class Figure:
    value: str
    label: str
    url: str = ""


@dataclass(frozen=True)
class Brief:
    """`address`: where its page is."""

    title: str
    lede: str
    figures: list[Figure]
    sections: list[Section]
    address: str
    sources: list[str]
    has_illustrative: bool = False

    def plain(self) -> dict:
        """As JSON takes it, with full addresses."""
        return {
            **asdict(self),
            "address": settings.PORTAL_URL + self.address,
            "sections": [
                {
                    **asdict(section),
                    "tables": [
                        {
                            **asdict(table),
                            "numeric": table.numeric,
                            "wide": table.wide,
                            "has_picture": table.has_picture,
                        }
                        for table in section.tables
                    ],
                }
                for section in self.sections
            ],
        }


# --- cells -------------------------------------------------------------------------------------------------------------
def count(value: int, url: str = "") -> Cell:
    return Cell(number(value), url, is_number=True)


def named(record, url: str | None = None) -> Cell:
    """A country, partner, theme or region by its name."""
    return Cell(record.name, record.get_absolute_url() if url is None else url, language_of_name(record))


def titled(record) -> Cell:
    """A project, need or offer by its title."""
    title, language = record.text("title")
    return Cell(title, record.get_absolute_url(), language, is_title=True)


def on(value) -> Cell:
    return Cell(day(value) if value else _("not stated"))


def bars(most: int, *values: tuple[str, int]) -> list[list[Part]]:
    """A strip for each figure, to the scale of the largest of the table."""
    return [[Part(pattern, "0.00", f"{100 * n / most:.2f}", n)] if n else [] for pattern, n in values]


def stacked(most: int, *values: tuple[str, int]) -> list[list[Part]]:
    """One strip of several figures, to the scale of the largest sum of the table."""
    parts = strip(*values, ("none", most - sum(n for _pattern, n in values)))
    return [[part for part in parts if part.pattern != "none"]]


def not_counted(*kinds: str) -> str:
    """What figures by place or partner leave out, since the source names it only in its transactions."""
    return " ".join(Project.objects.notes_on_transactions(*kinds))


def more_of(shown: int, total: int) -> str:
    return _("The first %(n)s of %(all)s.") % {"n": number(shown), "all": number(total)} if total > shown else ""


# --- quantities --------------------------------------------------------------------------------------------------------
def in_quantities(contributions: QuerySet, caption: str) -> list[Table]:
    """What was brought, in quantities by unit and in money by currency: two tables, each only where something is reported."""
    units = list(
        contributions.filter(quantity__isnull=False)
        .order_by()
        .values("unit")
        .annotate(
            entries=Count("pk"),
            agreed=Sum("quantity"),
            done=Sum("delivered"),
            silent=Count("pk", filter=Q(delivered=None)),
            unknown=Sum("quantity", filter=Q(delivered=None), default=Decimal(0)),
        )
        .order_by(F("entries").desc(), "unit")
    )
    currencies = list(
        contributions.filter(currency__isnull=False)
        .order_by()
        .values("currency")
        .annotate(
            entries=Count("pk"), agreed=Sum("amount"), done=Sum("spent"), silent=Count("pk", filter=Q(spent=None))
        )
        .order_by(F("entries").desc(), "currency")
    )
    found = []
    if units:
        rows = [
            Row(
                [Cell(str(Unit(row["unit"]).label)), _figure(row["agreed"]), _figure(row["done"]), count(row["silent"]), count(row["entries"])],
                [_delivery_strip(row["agreed"], row["done"] or Decimal(0), row["unknown"])],
            )
            for row in units
        ]  # fmt: skip
        head = [_("Unit"), _("Agreed"), _("Delivered so far"), _("Without a word on delivery"), _("Entries")]
        found.append(
            Table(
                caption,
                head,
                rows,
                [
                    ("delivered", _("delivered")),
                    ("agreed", _("agreed, not delivered yet")),
                    ("open", _("agreed, delivery not reported")),
                ],
            )
        )
    if currencies:
        rows = [
            Row([
                Cell(row["currency"]), _amount(row["agreed"], row["currency"]), _amount(row["done"], row["currency"]),
                count(row["silent"]), count(row["entries"]),
            ])
            for row in currencies
        ]  # fmt: skip
        head = [_("Currency"), _("Money agreed"), _("Money spent"), _("Without a word on spending"), _("Entries")]
        found.append(Table(_("%(what)s: money, as reported") % {"what": caption}, head, rows))
    return found


def _delivery_strip(agreed: Decimal, done: Decimal, unknown: Decimal) -> list:
    """Of what was agreed: delivered, not delivered yet, and what nobody has said a word on, which is not the same."""
    return strip(
        ("delivered", min(done, agreed)), ("agreed", max(agreed - done - unknown, Decimal(0))), ("open", unknown)
    )


def unreported(contributions: QuerySet) -> str:
    """How many entries name neither a quantity nor money; nothing where there are none."""
    silent = contributions.filter(quantity=None, amount=None, spent=None).count()
    return (
        _("%(n)s more entries give neither a quantity nor money: not reported, not zero.") % {"n": number(silent)}
        if silent
        else ""
    )


def _figure(value) -> Cell:
    return Cell(number(value) if value is not None else _("not reported"), is_number=True)


def _amount(value, currency: str) -> Cell:
    return Cell(money(value, currency) if value is not None else _("not reported"), is_number=True)


def public_contributions() -> QuerySet:
    return Contribution.objects.filter(project__state="published")


def sources(*more: str) -> list[str]:
    """Where the figures come from, for the end of every brief."""
    return [
        _("South-South cooperation portal, records published on %(day)s: %(address)s")
        % {"day": day(timezone.localdate()), "address": settings.PORTAL_URL},
        _(
            "Licence of what was entered in the portal: %(licence)s. Records from other sources have the licence of their source, named with "
            "each. The whole data sets: %(address)s"
        )
        % {"licence": OWN.title, "address": f"{settings.PORTAL_URL}/data/"},
        _(
            "Quantities follow the UN framework for measuring South-South cooperation (SDG indicator 17.3.1): each in its own "
            "unit, never added up across units, never turned into money."
        ),
        *more,
        _("What nobody has reported is left out and said so; it is never counted as zero."),
    ]


def any_illustrative(*records: QuerySet) -> bool:
    return any(rows.filter(is_illustrative=True).exists() for rows in records)


def rows_of(records: Iterable, make) -> list[Row]:
    return [Row(make(record)) for record in records]
