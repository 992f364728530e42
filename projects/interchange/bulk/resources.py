"""A kind of record as rows that people fill in: which columns there are, which record a row is about, and how it is written
(by the same functions as every other door). A record may take several rows: each further one adds a line, or one more
entry to a cell that holds several. The kinds themselves: kinds.py."""

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from import_export import fields, resources

from ground.numbers import decimal_mark_of
from projects.interchange.bulk.cells import Cell, cell_for
from projects.interchange.bulk.lines import numbers_told
from projects.models import ImportRun

NAMES = ("name_en", "name_ar", "name_zh_hans", "name_fr", "name_ru", "name_es")


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
                found += [[name, said] for said in numbers_told(columns[name], text)]
                continue
            for number, texts in text:
                told = {column: numbers_told(columns[column], each) for column, each in texts.items()}
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

    def about_filled(self) -> str:
        """What the filled table holds."""
        return _("All that you may read: %(n)s.") % {"n": self.writable().count()}

    def get_instance(self, instance_loader, row):
        for name in self.known_by:
            if code := self._read(name, row.get(name)):
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
    def _read(self, name: str, text):
        """What a cell holds that is asked for before the row is read as a whole."""
        try:
            return self.fields[name].widget.clean(text)
        except ValueError as error:
            raise ValidationError({name: str(error)}) from None

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
                name for name in self.fixed
                if row.get(name) and self.fields[name].widget.render(self._read(name, row[name])) != self.before[name]
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
        place, field = error.params["n"], error.params.get("field")
        if name != self.line_column:
            said = _("Entry %(n)s of the cell: %(error)s")
            return ValidationError(said, params={"n": place, "error": error.params["error"]})
        row_of_line = row[name][place - 1][0]
        if not field:
            return ValidationError(_("Row %(n)s: %(error)s"), params={"n": row_of_line, "error": error.params["error"]})
        columns = self.fields[name].widget.columns.items()
        column = next((column for column, one in columns if one.field == field), field)
        said = _("Row %(n)s, %(column)s: %(error)s")
        return ValidationError(said, params={"n": row_of_line, "column": column, "error": error.params["text"]})

    def write(self, record: models.Model, values: dict, is_new: bool) -> models.Model:
        raise NotImplementedError
