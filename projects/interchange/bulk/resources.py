"""Countries, partners, projects, needs and offers as rows that people fill in: which columns there are, which record a
row is about, and how it is written (by the same functions as every other door). A record may take several rows: each
further one adds a line, or one more entry to a cell that holds several."""

from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from import_export import fields, resources

from partners.choices import Standing
from partners.models import Country, CountryGroup, GroupMember, Partner, PartnerCountry, Region
from partners.rules import require
from projects import drafting, recording
from projects.choices import (
    ContributionKind,
    CostTerms,
    CountryRole,
    OrganisationRole,
    ProviderOrder,
    Source,
    Unit,
    Vocabulary,
)
from projects.interchange.bulk.cells import Cell, Choice, Key, Month, Number, Record, Several, Tie, Whole, cell_for
from projects.models import Contribution, ImportRun, LineItem, Need, Offer, OfferLine, Project, Term
from ssc_portal.numbers import LONGEST, clearly, decimal_mark_of, to_be_read

NAMES = ("name_en", "name_ar", "name_zh_hans", "name_fr", "name_ru", "name_es")


# --- what holds several entries ----------------------------------------------------------------------------------------
class Entries(fields.Field):
    """A column with several entries, or the lines of a record. What a row says of them is kept until the record is written."""

    def __init__(self, name: str, stored, widget):
        super().__init__(attribute=name, column_name=name, widget=widget)
        self.stored = stored

    def save(self, instance, row, is_m2m=False, **kwargs):
        instance.__dict__.setdefault("_entered", {})[self.column_name] = self.clean(row)

    def get_value(self, instance):
        entered = instance.__dict__.get("_entered", {})
        if self.column_name in entered:
            return entered[self.column_name]
        return self.stored(instance) if instance.pk else []


@dataclass(frozen=True)
class LineColumn:
    """A column of a line: the field that it fills, and what a cell of it holds."""

    field: str
    cell: Cell


class Lines(Cell):
    """The lines of a record: in a table one row each, here a list of (row, {column: text})."""

    several = True

    def __init__(self, columns: dict[str, LineColumn]):
        super().__init__()
        self.columns = columns

    def clean(self, value, row=None, **kwargs):
        found, wrong = [], []
        for number, texts in value or []:
            line = {}
            for name, column in self.columns.items():
                try:
                    line |= self.values_of(name, column.cell.clean(texts.get(name)))
                except ValueError as error:
                    wrong.append(_("Row %(n)s, %(column)s: %(error)s") % {"n": number, "column": name, "error": error})
            found.append(line)
        if wrong:
            raise ValueError(" ".join(wrong))
        return found

    def values_of(self, name: str, value) -> dict:
        return {self.columns[name].field: value}

    def render(self, value, obj=None, **kwargs) -> list[dict]:
        return [
            {
                name: text
                for name, column in self.columns.items()
                if (text := column.cell.render(line.get(column.field)))
            }
            for line in value or []
        ]


def _numbers_told(cell: Cell, text: str) -> list[str]:
    """What each number of a cell is read as, where that is not how it is written."""
    return [
        _("“%(text)s” is read as %(number)s.") % {"text": written[:LONGEST], "number": clearly(read)}
        for number, written in cell.numbers_in(text) if (read := _read_otherwise(number, written)) is not None
    ]  # fmt: skip


def _read_otherwise(cell: Number, text: str) -> Decimal | None:
    with suppress(ValueError):
        read = Decimal(cell.read(to_be_read(text)))
        try:
            return None if Decimal(text.strip()) == read else read
        except InvalidOperation:
            return read
    return None  # what is no number is told as that


# --- all of them -------------------------------------------------------------------------------------------------------
class TableResource(resources.ModelResource):
    """Base. `known_by`: the columns by which a record is found, the first filled one counts; `only_present`: those of them
    that never name a new record. `fixed`: columns that only a new record takes. `line_column`: the column that stands for lines."""

    known_by: tuple[str, ...] = ()
    only_present: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()
    named_by = "title"  # without which a row is no record of its own
    required: tuple[str, ...] = ()
    line_column = ""
    permission = ""

    class Meta:
        import_id_fields: list[str] = []
        skip_unchanged = True
        skip_html_diff = True
        store_instance = False

    def __init__(self, by=None, run: ImportRun | None = None, **kwargs):
        """`run`: the import that what is written comes from."""
        super().__init__(**kwargs)
        self.by, self.run = by, run
        self.before: dict = {}
        self.earlier_run_id: int | None = None  # of the record, before this row
        self.record: models.Model | None = None  # as the last row left it

    @classmethod
    def field_from_django_field(cls, field_name, django_field, readonly):
        return fields.Field(field_name, field_name, cell_for(django_field), readonly=readonly)

    # -- columns
    def columns(self) -> dict[str, Cell]:
        """Each column that people fill in, with what its cells hold, in order."""
        found = {}
        for name in self._meta.fields:
            cell = self.fields[name].widget
            found |= (
                {n: column.cell for n, column in cell.columns.items()} if name == self.line_column else {name: cell}
            )
        return found

    def use_decimal_mark(self, texts: list[tuple[str, str]]) -> None:
        """Reads numbers as the table writes them, where these texts of its cells, as (column, text), prove how."""
        columns = self.columns()
        found = [number for name, text in texts for number in columns[name].numbers_in(text)]
        mark = decimal_mark_of(text for _cell, text in found)
        for cell, _text in found:
            cell.decimal_mark = mark

    def read_otherwise(self, cells: dict) -> list[list[str]]:
        """Numbers that were not read as they stand, as [column, sentence]: whoever wrote them sees what they became."""
        columns, found = self.columns(), []
        for name, text in cells.items():
            if name != self.line_column:
                found += [[name, said] for said in _numbers_told(columns[name], text)]
                continue
            for number, texts in text:
                told = {column: _numbers_told(columns[column], each) for column, each in texts.items()}
                row = _("Row %(n)s: %(error)s")
                found += [[column, row % {"n": number, "error": said}] for column in told for said in told[column]]
        return found

    def line_names(self) -> list[str]:
        """Those of the columns that fill lines."""
        return list(self.fields[self.line_column].widget.columns) if self.line_column else []

    def about(self, name: str) -> str:
        """What a column is for, in the reader's language."""
        model, field_name = self._meta.model, self.says.get(name, name)
        if name in self.line_names():
            column = self.fields[self.line_column].widget.columns[name]
            model, field_name = self.line_model, column.field.removesuffix("_id")
        field = next((f for f in model._meta.get_fields() if f.name == field_name), None)
        label = capfirst(str(getattr(field, "verbose_name", name)))
        if name in NAMES:
            label += f" ({name.removeprefix('name_').replace('_', '-')})"
        return ". ".join(
            filter(None, (label, str(self.texts.get(name) or getattr(field, "help_text", "")).rstrip(".")))
        )

    says: dict[str, str] = {}
    texts: dict[str, str] = {}
    line_model: type[models.Model] | None = None

    def cells(self, record: models.Model) -> dict:
        """What the table says of a record: {column: text, or a list of lines}."""
        return {name: self.fields[name].export(record) for name in self._meta.fields}

    # -- which record
    def records(self):
        """Those that this person may know of."""
        return self._meta.model.objects.all()

    def writable(self):
        """Those that may be taken along to be changed."""
        return self.records()

    def get_instance(self, instance_loader, row):
        for name in self.known_by:
            if code := self.fields[name].widget.clean(row.get(name)):
                code = str(code).upper() if name in ("reference", "iso3") else code
                found = self.records().filter(**{self.says.get(name, name): code}).first()
                if found is None and name in self.only_present:
                    raise ValidationError(
                        {
                            name: _("There is no %(ref)s. Leave the cell empty for a new record.")
                            % {"ref": str(code)[:40]}
                        }
                    )
                return found
        return None

    # -- reading a row
    def before_import_row(self, row, **kwargs):
        self.before, self.record, self.earlier_run_id = {}, None, None
        if unknown := [name for name in row if name not in self.fields]:
            raise ValidationError(
                _("There is no column %(name)s; the columns are: %(known)s.")
                % {"name": str(unknown[0])[:40], "known": ", ".join(self.columns())}
            )

    def after_init_instance(self, instance, new, row, **kwargs):
        if not new:
            self.before, self.earlier_run_id = self.cells(instance), instance.import_run_id
            changed = [
                name for name in self.fixed if row.get(name) and self.fields[name].widget.render(self.fields[name].clean(row)) != self.before[name]
            ]  # fmt: skip
            if changed:
                raise ValidationError({name: _("This can't be changed once the record is there.") for name in changed})
            return
        if missing := [name for name in self.required if not row.get(name)]:
            raise ValidationError({name: _("A new record needs this.") for name in missing})
        for name in [
            name for name, cell in row.items() if cell in ("", None)
        ]:  # what is left empty is as in a new form
            del row[name]

    def validate_instance(self, instance, import_validation_errors=None, validate_unique=True):
        """Everything that is wrong with a row, at once. Constraints are asked about by those who write the record."""
        errors = dict(import_validation_errors or {})
        try:
            instance.full_clean(exclude=[*errors, "reference"], validate_unique=False, validate_constraints=False)
        except ValidationError as error:
            errors = error.update_error_dict(errors)
        if errors:
            raise ValidationError(errors)

    # -- writing it
    def save_instance(self, instance, is_create, row, **kwargs):
        entered = instance.__dict__.pop("_entered", {})
        values = {
            name: getattr(instance, name) for name in row if name in self.fields and name not in entered
            and not self.fields[name].readonly and name not in self.fixed
        }  # fmt: skip
        try:
            self.record = self.write(instance, values | entered, is_create)
            self._note_source(is_create)
        except PermissionDenied as error:
            raise ValidationError(str(error)) from None
        except ValidationError as error:
            raise self._said(error, row) from None

    def _note_source(self, is_new: bool) -> None:
        """The record comes from the import that wrote it last."""
        if self.run is not None and self.run.is_source_of(is_new=is_new):
            self._meta.model.objects.filter(pk=self.record.pk).update(import_run=self.run)

    def _said(self, error: ValidationError, row: dict) -> ValidationError:
        """The same, by the table's own columns and rows."""
        if not hasattr(error, "error_dict"):
            return error
        names = {field: name for name, field in self.says.items()}
        found = {names.get(field, field): texts for field, texts in error.error_dict.items()}
        return ValidationError({name: [self._placed(one, name, row) for one in texts] for name, texts in found.items()})

    def _placed(self, error: ValidationError, name: str, row: dict) -> ValidationError:
        """What is wrong with one of several: a line has a row of the table, the others are entries of one cell."""
        if not error.params or "n" not in error.params or "error" not in error.params:
            return error
        place, said = error.params["n"], _("Entry %(n)s of the cell: %(error)s")
        if name == self.line_column:
            place, said = row[name][place - 1][0], _("Row %(n)s: %(error)s")
        return ValidationError(said, params={"n": place, "error": error.params["error"]})

    def write(self, record: models.Model, values: dict, is_new: bool) -> models.Model:
        raise NotImplementedError


# --- countries and partners --------------------------------------------------------------------------------------------
class CountryResource(TableResource):
    """Countries, by ISO 3166-1 alpha-3; `groups` are those that it is a full member of."""

    known_by, required, named_by = ("iso3",), ("iso3", "iso2", "m49", "name_en"), "name_en"
    permission = "partners.change_country"
    texts = {"iso2": gettext_lazy("ISO 3166-1 alpha-2"), "iso3": "ISO 3166-1 alpha-3"}

    groups = Entries(
        "groups",
        lambda country: list(
            CountryGroup.objects.filter(members__country=country, members__standing=Standing.MEMBER).order_by("code")
        ),
        Several(Record(lambda: CountryGroup.objects.order_by("code"), lambda group: group.code)),
    )

    class Meta:
        model = Country
        fields = [
            "iso3", "iso2", "m49", *NAMES, "formal_name", "aliases", "region", "is_un_member", "latitude", "longitude", "groups",
        ]  # fmt: skip

    def write(self, record, values, is_new):
        require(self.by, f"partners.{'add' if is_new else 'change'}_country", None if is_new else record)
        record.full_clean()
        record.save()
        if "groups" in values:
            full = GroupMember.objects.filter(country=record, standing=Standing.MEMBER)
            full.exclude(group__in=values["groups"]).delete()
            for group in values["groups"]:
                GroupMember.objects.update_or_create(
                    country=record, group=group, defaults={"standing": Standing.MEMBER}
                )
        return record


class PartnerResource(TableResource):
    """Partners, by their address."""

    known_by, required, named_by = ("slug",), ("slug", "name_en", "kind"), "name_en"
    permission = "partners.change_partner"

    member_countries = Entries(
        "member_countries",
        lambda partner: list(partner.member_countries.order_by("iso3")),
        Several(Record(lambda: Country.objects.order_by("iso3"), lambda country: country.iso3)),
    )

    class Meta:
        model = Partner
        fields = [
            "slug", *NAMES, "acronym", "kind", "iati_identifier", "country", "member_countries", "parent", "website", "offers",
            "is_illustrative",
        ]  # fmt: skip

    def write(self, record, values, is_new):
        require(self.by, f"partners.{'add' if is_new else 'change'}_partner", None if is_new else record)
        if is_new:
            record.is_from_import = True  # waits in the queue of those that nobody has verified
        record.full_clean()
        record.save()
        if "member_countries" in values:
            ties = PartnerCountry.objects.filter(partner=record)
            ties.exclude(country__in=values["member_countries"]).delete()
            for country in values["member_countries"]:
                ties.get_or_create(partner=record, country=country)
        return record


# --- projects ----------------------------------------------------------------------------------------------------------
class ContributionLines(Lines):
    """What each brings: by a country (ISO 3) or a partner (its address)."""

    def values_of(self, name, value):
        if name == "contribution_by":
            return {kind.__name__.lower(): value if isinstance(value, kind) else None for kind in (Country, Partner)}
        return {} if name == "contribution_kind" and not value else super().values_of(name, value)

    def render(self, value, obj=None, **kwargs):
        return super().render([{**line, "by": line["country"] or line["partner"]} for line in value or []])


def _places():
    return [*Country.objects.order_by("iso3"), *Partner.objects.order_by("slug")]


def _code_of_place(place: Country | Partner) -> str:
    return place.iso3 if isinstance(place, Country) else place.slug


CONTRIBUTION = {
    "contribution": LineColumn("text", Cell()),
    "contribution_by": LineColumn("by", Record(_places, _code_of_place)),
    "contribution_kind": LineColumn("kind", Choice(ContributionKind.choices)),
    "quantity": LineColumn("quantity", Number()),
    "delivered": LineColumn("delivered", Number()),
    "unit": LineColumn("unit", Choice(Unit.choices, null=True)),
    "women": LineColumn("women", Whole()),
    "men": LineColumn("men", Whole()),
    "amount": LineColumn("amount", Number()),
    "spent": LineColumn("spent", Number()),
    "currency": LineColumn("currency", Cell(null=True)),
}


def _ties(column: str, *names: str):
    """What the links of a project say, as `recording` takes it; what an import kept as reported stays aside."""
    manager = recording.ROWS[column].manager

    def stored(project: Project) -> list[dict]:
        links = getattr(project, manager).select_related(names[0]).order_by("pk")
        return [{name: getattr(link, name) for name in names} for link in links if link.is_resolved]

    return stored


def _contributions(project: Project) -> list[dict]:
    rows = project.contributions.select_related("country", "partner").order_by("pk")
    names = [column.field for column in CONTRIBUTION.values() if column.field != "by"]
    return [{name: getattr(row, name) for name in ("country", "partner", *names)} for row in rows]


def _terms():
    return Term.objects.in_use().order_by("vocabulary", "position", "pk")


def code_of_term(term: Term) -> str:
    return f"{term.vocabulary}:{term.code}"


class ProjectResource(TableResource):
    """Projects, by reference or IATI identifier; a row with neither is a new draft."""

    known_by, only_present, required = ("reference", "iati_identifier"), ("reference",), ("title",)
    line_column, line_model, permission = "contributions", Contribution, "projects.import_projects"
    texts = {
        "reference": gettext_lazy("Of a project that is here already; empty for a new one"),
        "countries": gettext_lazy(
            "ISO 3166-1 alpha-3:role:order of the provider, such as KEN:provider:1; without a role it receives"
        ),
        "partners": gettext_lazy("Address:role in IATI, such as undp:1; without a role it implements"),
        "terms": gettext_lazy("Vocabulary:code:share in per cent, such as bsp-theme:air or sdg:13:50"),
        "contribution_by": gettext_lazy("Who brings it: a country (ISO 3166-1 alpha-3) or a partner (its address)"),
    }

    reference = fields.Field("reference", "reference", Cell(), readonly=True)
    countries = Entries(
        "countries", _ties("countries", "country", "role", "provider_order"),
        Several(
            Tie("country", lambda: Country.objects.order_by("iso3"), lambda country: country.iso3,
                {"role": Choice(CountryRole.choices), "provider_order": Choice(ProviderOrder.choices, null=True)},
                role=CountryRole.RECIPIENT)
        ),
    )  # fmt: skip
    partners = Entries(
        "partners", _ties("partners", "partner", "role"),
        Several(
            Tie("partner", lambda: Partner.objects.order_by("slug"), lambda partner: partner.slug,
                {"role": Choice(OrganisationRole.choices)}, role=OrganisationRole.IMPLEMENTING)
        ),
    )  # fmt: skip
    terms = Entries(
        "terms", _ties("terms", "term", "share"), Several(Tie("term", _terms, code_of_term, {"share": Number()}))
    )
    contributions = Entries("contributions", _contributions, ContributionLines(CONTRIBUTION))

    class Meta:
        model = Project
        fields = [
            "reference", "iati_identifier", "title", "language", "summary", "description", "objectives", "lessons", "status",
            "instrument", "modality", "delivery_level", "planned_start", "planned_end", "actual_start", "actual_end", "parent",
            "default_currency", "countries", "partners", "terms", "contributions",
        ]  # fmt: skip

    def records(self):
        return Project.objects.visible_to(self.by)

    def write(self, record, values, is_new):
        if is_new:
            return recording.enter(values, by=self.by)
        return recording.change(record, values, by=self.by)


# --- needs and offers --------------------------------------------------------------------------------------------------
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
    return Entries("terms", _stored("terms"), Several(Key(_terms, code_of_term)))


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


KINDS: dict[str, type[TableResource]] = {
    "countries": CountryResource, "partners": PartnerResource, "projects": ProjectResource, "needs": NeedResource,
    "offers": OfferResource,
}  # fmt: skip
