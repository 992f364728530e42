"""Tables of needs and of offers: drafts that UNEP enters on behalf."""

from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from import_export import fields

from partners.models import Country, CountryGroup, Region
from projects import drafting
from projects.choices import (
    CostTerms,
    Source,
    Unit,
    Vocabulary,
)
from projects.interchange.bulk.cells import Cell, Choice, Key, Month, Number, Record, Several
from projects.interchange.bulk.lines import Entries, LineColumn, Lines
from projects.interchange.bulk.projects import code_of_term, terms_in_use
from projects.interchange.bulk.resources import TableResource
from projects.models import LineItem, Need, Offer, OfferLine, Term


def _kinds_of_help():
    return Term.objects.in_use().filter(vocabulary=Vocabulary.ASSISTANCE).order_by("position", "pk")


def _lines(**more: LineColumn) -> Lines:
    return Lines(
        {
            "line": LineColumn("text", Cell()),
            "assistance": LineColumn("assistance_id", Key(_kinds_of_help, lambda term: term.code)),
            "quantity": LineColumn("quantity", Number()),
            "unit": LineColumn("unit", Choice(Unit.choices)),
            **more,
            "line_note": LineColumn("note", Cell()),
        }
    )


def _stored(name: str):
    return lambda record: drafting.stored(record, [name])[name]


def _terms_of_draft() -> Entries:
    return Entries("terms", _stored("terms"), Several(Key(terms_in_use, code_of_term)))


class DraftResource(TableResource):
    """Base of needs and offers: drafts that UNEP enters on behalf. A record is found by its reference, or by `key`, the
    number that it has in the table it comes from."""

    known_by, only_present = ("reference", "key"), ("reference",)
    line_column = "lines"
    says = {"key": "source_key"}
    texts = {
        "reference": gettext_lazy("Of a record that is here already; empty for a new one"),
        "key": gettext_lazy(
            "Its number in your table, so that it is known again; rows with the same key are one record"
        ),
        "terms": gettext_lazy("Vocabulary:code, such as bsp-theme:air"),
    }

    def records(self):
        return self._meta.model.objects.visible_to(self.by)

    def writable(self):
        return self.records().filter(is_on_behalf=True, state="draft")

    def about_filled(self):
        inside = self.writable().count()
        text = _(
            "Drafts that UNEP entered on behalf: %(n)s. Not in it, of those that you may read: %(left)s, which others entered or which are "
            "no drafts any more."
        )
        return text % {"n": inside, "left": self.records().count() - inside}

    def write(self, record, values, is_new):
        if is_new:
            record.is_on_behalf, record.source, record.source_note = (
                True,
                Source.IMPORTED,
                self.run.file_name if self.run else "",
            )
            drafting.begin(record, by=self.by)
        if "lines" in values:
            self._known_again(record, values["lines"])
        drafting.save(record, values, by=self.by)
        return record

    @staticmethod
    def _known_again(record, lines: list[dict]) -> None:
        """Lines that say the same, or stand in the same place, are the same ones: so their history goes on."""
        there = list(record.lines.all())
        for line in lines:
            same = next((row for row in there if row.text == line["text"]), None)
            if same:
                line["id"] = same.pk
                there.remove(same)
        for line in lines:
            if "id" not in line and there:
                line["id"] = there.pop(0).pk


class NeedResource(DraftResource):
    """Needs of countries, as drafts."""

    fixed, required = ("key", "country"), ("country", "title")
    line_model, permission = LineItem, "projects.add_need"

    reference = fields.Field("reference", "reference", Cell(), readonly=True)
    key = fields.Field("source_key", "key", Cell(null=True))
    terms = _terms_of_draft()
    lines = Entries("lines", _stored("lines"), _lines(by_when=LineColumn("by_when", Month())))

    class Meta:
        model = Need
        fields = [
            "reference", "key", "country", "kind", "title", "language", "problem", "gap", "public_summary", "technology_sought",
            "technology_purpose", "conditions_of_use", "existing_equipment", "operation_and_maintenance", "maturity",
            "national_plan", "institution", "institution_partner", "contact_name", "contact_email", "contact_phone", "scope",
            "place", "beneficiaries", "women", "men", "is_for_women", "is_for_youth", "is_for_indigenous",
            "monitoring", "existing_initiatives", "same_request", "same_request_text", "cofinancing", "cofinancing_text", "languages",
            "endorsed_by_name", "endorsed_on", "terms", "lines",
        ]  # fmt: skip


class PlaceKey(Record):
    """A country (ISO 3166-1 alpha-3), a group (its code) or a region (UN M49), as `drafting` takes those who can have an offer."""

    def __init__(self):
        super().__init__(self._all, lambda place: place.iso3 if isinstance(place, Country) else place.code)

    @staticmethod
    def _all():
        return [place for model in (Country, CountryGroup, Region) for place in model.objects.all()]

    @staticmethod
    def key(place: models.Model) -> str:
        name = {Country: "country", CountryGroup: "group", Region: "region"}[type(place)]
        return f"{name}:{place.pk}"

    def read(self, text):
        return self.key(super().read(text))

    def show(self, value):
        return next((self.code(place) for place in self.by_code.values() if self.key(place) == value), "")


class OfferResource(DraftResource):
    """Offers of countries and partners, as drafts."""

    fixed, required = ("key", "partner", "country"), ("title",)
    line_model, permission = OfferLine, "projects.add_offer"
    texts = DraftResource.texts | {
        "eligible": gettext_lazy("Countries (ISO 3166-1 alpha-3), groups, regions (UN M49); empty for all"),
        "partner": gettext_lazy("Who offers it: a partner, by its address, or a country"),
        "country": gettext_lazy("Who offers it: a country, by ISO 3166-1 alpha-3, or a partner"),
    }

    reference = fields.Field("reference", "reference", Cell(), readonly=True)
    key = fields.Field("source_key", "key", Cell(null=True))
    terms = _terms_of_draft()
    eligible = Entries("eligible", _stored("eligible"), Several(PlaceKey()))
    lines = Entries("lines", _stored("lines"), _lines(cost=LineColumn("cost", Choice(CostTerms.choices, null=True))))

    class Meta:
        model = Offer
        fields = [
            "reference", "key", "partner", "country", "kind", "title", "language", "summary", "description", "languages",
            "available_from", "available_until", "deadline", "how_to_apply", "website", "maturity", "past_cooperation", "evidence",
            "project", "conditions", "intellectual_property", "contact_name", "contact_email", "contact_phone", "eligible",
            "terms", "lines",
        ]  # fmt: skip
