"""Writing a project: its own fields, and the rows that belong to it, by API or table. Admin writes the same through its forms.

Rows are given as a whole list. Those already there that say the same keep their place (and with it their history and their
tie to a need's plan); what an import kept as reported stays for staff to resolve. Each door names all that it can say of a row,
also what is empty: a field that is not named stays as it is (a table has no column for it).
"""

from collections.abc import Callable
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Model, ProtectedError
from django.utils.translation import gettext as _

from ground.field_errors import by_field
from ground.texts import as_kept
from partners.rules import require
from projects import deliveries, quality
from projects.choices import Instrument, Status
from projects.lifecycle import tell_outside
from projects.models import Project
from projects.models.parts import misfit_of_countries, misfit_of_terms

FIELDS = (
    "title", "language", "summary", "description", "objectives", "lessons", "status", "instrument", "parent", "modality",
    "delivery_level", "planned_start", "planned_end", "actual_start", "actual_end", "default_currency", "iati_identifier",
    "is_illustrative",
)  # fmt: skip
NOT_STATED = {
    "status": Status.UNSTATED,
    "instrument": Instrument.UNSTATED,
}  # where forms begin with a choice that a person sees
MOST_ROWS = 500


@dataclass(frozen=True)
class Rows:
    """Rows of one kind: the reverse manager they are under, and the fields by which a row is known again."""

    manager: str
    known_by: tuple[str, ...]
    resolves: str = ""  # without it a row was kept as an import reported it
    objections: Callable | None = None  # why a row can't be written so, or left out: {field: sentence}


ROWS = {
    "countries": Rows("country_links", ("country_id",), "country_id"),
    "regions": Rows("region_links", ("region_id",), "region_id"),
    "partners": Rows("partner_links", ("partner_id", "role"), "partner_id"),
    "terms": Rows("term_links", ("term_id",), "term_id"),
    "translations": Rows("translations", ("language",)),
    "contributions": Rows(
        "contributions", ("country_id", "partner_id", "kind", "text"), objections=deliveries.objections
    ),
    "results": Rows("results", ("kind", "title", "indicator")),
    "budgets": Rows("budgets", ("kind", "starts_on", "ends_on")),
    "transactions": Rows("transactions", ("kind", "made_on", "amount", "currency", "text")),
    "locations": Rows("locations", ("name",)),
    "documents": Rows("documents", ("url",)),
    "related": Rows("related_links", ("other_id", "relation"), "other_id"),
    "updates": Rows("updates", ("made_on", "text")),
}


@transaction.atomic
def enter(values: dict, *, by) -> Project:
    """A new draft of a project. `values`: fields (FIELDS) and lists of rows (ROWS), each row {field: value}.

    Raises PermissionDenied, and ValidationError with the fields at fault.
    """
    require(by, "projects.add_project")
    project = Project(created_by=by, **NOT_STATED)
    _write(project, values, by)
    quality.rescore(Project.objects.filter(pk=project.pk))
    return project


@transaction.atomic
def change(project: Project, values: dict, *, by, seen=None) -> Project:
    """Writes some fields and lists of rows of a project; lists that are not named stay as they are.

    `seen` is the time of the last change that the writer saw. What says only what stands there already writes nothing. Raises PermissionDenied, and ValidationError, with the code
    `conflict` where somebody else changed it meanwhile.
    """
    locked = Project.objects.select_for_update(of=("self",)).get(pk=project.pk)
    require(by, "projects.change_project", locked)
    if seen is not None and locked.modified_at != seen:
        raise ValidationError(_("Somebody changed this project meanwhile. Read it again."), code="conflict")
    if _write(locked, values, by):
        after_change(locked)
    return locked


def after_change(project: Project) -> None:
    """What follows a change of a project that was written: its score, the needs it carries out, systems that follow it."""
    quality.rescore(Project.objects.filter(pk=project.pk))
    deliveries.follow(project)
    if project.is_published:
        tell_outside()


def _write(project: Project, values: dict, by) -> bool:
    """Returns whether anything changed."""
    before = _said(project, FIELDS) if project.pk else None
    for name in FIELDS:
        if name in values:
            setattr(project, name, values[name])
    project.full_clean(exclude=["reference"])
    is_changed = _said(project, FIELDS) != before
    lists = {name: values[name] for name in ROWS if name in values}
    if not lists and project.pk and (misfit := misfit_of(project, project.modality)):
        raise ValidationError({"modality": [misfit]})
    if is_changed:
        project.save()
    if write_rows(project, lists, by=by) and not is_changed:
        project.save(update_fields=["modified_at"])  # its time of change is that of its rows, too
        return True
    return is_changed


def _said(record: Model, names) -> dict:
    """What fields of a record say, as they are stored."""
    fields = [record._meta.get_field(name) for name in names]
    return as_kept(type(record), {field.attname: getattr(record, field.attname) for field in fields})


def write_rows(project: Project, lists: dict[str, list[dict]], *, by) -> bool:
    """Makes the rows of a stored project these, list by list (ROWS); those that say the same are not written. Returns whether
    anything changed. Raises ValidationError with the lists at fault."""
    errors, changed = {}, []
    for name, rows in lists.items():
        wrong, is_changed = _write_list(project, ROWS[name], rows, by)
        changed.append(is_changed)
        if wrong:
            errors[name] = wrong
    if not errors and (misfit := misfit_of(project, project.modality)):
        errors["countries"] = [misfit]
    if not errors and "terms" in lists and (misfit := misfit_of_terms(project.term_links.select_related("term"))):
        errors["terms"] = [misfit]
    if errors:
        raise ValidationError(errors)
    return any(changed)


def misfit_of(project: Project, modality: str) -> str | None:
    """Why the countries and regions that a project has don't fit a modality; None when they do."""
    return misfit_of_countries(modality, [*project.country_links.all(), *project.region_links.all()])


def _write_list(project: Project, kind: Rows, rows: list[dict], by) -> tuple[list[str | ValidationError], bool]:
    """Makes the rows of a project these. Gives what is wrong with them, as sentences, of a row with its number in `params`; and whether
    anything changed."""
    if len(rows) > MOST_ROWS:
        return [_("At most %(n)s rows.") % {"n": MOST_ROWS}], False
    manager = getattr(project, kind.manager)
    there = [row for row in manager.all() if not kind.resolves or getattr(row, kind.resolves)]
    names = [field.name for field in manager.model._meta.concrete_fields]
    before = {row.pk: _said(row, names) for row in there}
    by_key: dict[tuple, list[Model]] = {}
    for row in there:
        by_key.setdefault(key_of(row, kind), []).append(row)
    written, errors = [], []
    for values in rows:
        values = as_kept(manager.model, values)
        fresh = manager.model(project=project, **values)
        same = by_key.get(key_of(fresh, kind))
        row = same.pop(0) if same else fresh
        for name, value in values.items():
            setattr(row, name, value)
        if row.pk is None and hasattr(row, "entered_by"):
            row.entered_by = by
        written.append(row)
    left = [row for rows in by_key.values() for row in rows]
    if kind.objections and (texts := [text for row in left for text in kind.objections(row, is_removed=True).values()]):
        return texts, False
    try:
        for row in left:
            row.delete()
    except ProtectedError:
        return [_("A row is needed elsewhere, so it can't be left out.")], False
    is_changed = bool(left)
    for number, row in enumerate(written, start=1):
        try:
            if kind.objections and (found := kind.objections(row)):
                raise ValidationError(found)
            row.full_clean()
            if _said(row, names) != before.get(row.pk):
                row.save()
                is_changed = True
        except ValidationError as error:
            said = [{"n": number, **each} for each in by_field(error)]
            errors += [ValidationError(_("Row %(n)s: %(error)s"), params=each) for each in said]
    return errors, is_changed


def key_of(row: Model, kind: Rows) -> tuple:
    """By what a row is known again."""
    return tuple(getattr(row, name) for name in kind.known_by)
