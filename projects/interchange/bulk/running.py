"""Carrying out a table: tried first with a difference for each record, then all or nothing or the good records only;
undone as one act.

A trial does everything and takes it back, so what it tells is what will come, by the same rules.
"""

from contextlib import contextmanager

import pghistory
from django.core.exceptions import NON_FIELD_ERRORS, PermissionDenied, ValidationError
from django.db import IntegrityError, models, transaction
from django.db.models import ProtectedError
from django.utils import timezone
from django.utils.translation import gettext as _
from pghistory.models import Events

from ground.incoming import MOST_TOLD, comments_sentence, more_sentence
from partners.rules import require
from projects.interchange.bulk import sheets
from projects.interchange.bulk.kinds import KINDS
from projects.interchange.bulk.resources import TableResource
from projects.lifecycle import quietly
from projects.models import ImportRow, ImportRun
from projects.models.importing import RowOutcome, RowUndo

AT_ONCE = 100  # records tried while somebody waits; more is left to the worker


class _TakenBack(Exception):
    """Ends a block whose writes are not to stay."""


def kinds_for(user) -> list[str]:
    """The kinds of tables that this person may bring in."""
    return [kind for kind, resource in KINDS.items() if user.has_perm(resource.permission)]


def resource_of(run: ImportRun, by) -> TableResource:
    return KINDS[run.kind](by=by, run=run)


def read(run: ImportRun, resource: TableResource) -> list[sheets.Given]:
    """The records of its file. Raises ValidationError."""
    with run.file.open("rb") as file:
        return sheets.read(file, run.file_name, resource)


def carry_out(run: ImportRun, *, dry_run: bool) -> None:
    """Tries the table of a run, or writes it. What came of it is on the run and its rows; nothing half-written."""
    by, resource = run.started_by, resource_of(run, run.started_by)
    seen = {} if dry_run else {row.number: row for row in run.rows.exclude(outcome=RowOutcome.WRONG)}
    run.is_dry_run, run.progress, run.message, run.finished_at = dry_run, ImportRun.Progress.RUNNING, "", None
    run.has_broken = False
    run.save()
    with run.being_carried_out():
        _try_out(run, resource, by, seen, dry_run)


def _try_out(run: ImportRun, resource: TableResource, by, seen: dict, dry_run: bool) -> None:
    try:
        require(by, resource.permission)
        given = read(run, resource)
        with transaction.atomic():  # the records, and what is kept of them
            _carry_out(run, resource, given, seen, dry_run)
    except (ValidationError, PermissionDenied) as error:
        _end(run, ImportRun.Progress.FAILED, " ".join(getattr(error, "messages", [str(error)])))
    except Exception:
        run.has_broken = True
        _end(run, ImportRun.Progress.FAILED, _("Something went wrong on our side. Nothing was written."))
        raise


def _carry_out(run: ImportRun, resource: TableResource, given: list[sheets.Given], seen: dict, dry_run: bool) -> None:
    rows, is_kept = [], False
    try:
        with transaction.atomic(), _known_as(run, run.started_by):
            for one in given:
                rows.append(_row(run, resource, one, rows, seen.get(one.row)))
            is_right = all(row.outcome != RowOutcome.WRONG for row in rows)
            is_kept = not dry_run and (is_right or run.only_good)
            if not is_kept:
                raise _TakenBack
    except _TakenBack:
        pass
    if not is_kept:  # the references that they had are given to others
        for row in rows:
            row.key = _name(resource, row.after) if row.outcome == RowOutcome.NEW else row.key
    run.rows.all().delete()
    ImportRow.objects.bulk_create(rows)
    run.done = len(rows)
    run.created, run.updated, run.unchanged, run.rejected = (
        sum(row.outcome == outcome for row in rows) for outcome in RowOutcome
    )
    run.is_dry_run = not is_kept  # where it was not to be written in part, it stays to be decided
    _end(
        run,
        ImportRun.Progress.DONE if is_kept else ImportRun.Progress.WAITING,
        " ".join(filter(None, [
            "" if dry_run or is_kept else _("Nothing was written, because not every record is right any more."),
            *(comments_sentence(one.commented) for one in given if one.commented),
            _say_taken_out([text for one in given for text in one.taken_out]),
        ])),
    )  # fmt: skip


def _say_taken_out(places: list[str]) -> str:
    """Which cells lost signs that nobody sees."""
    if not places:
        return ""
    shown = "; ".join(places[:10]) + ("; …" if len(places) > 10 else "")
    return _("Signs that nobody sees were taken out of these cells (row, column, sign): %(places)s.") % {
        "places": shown
    }


@contextmanager
def _known_as(run: ImportRun, by):
    """Nobody is told of what is done inside, and the history says by which import it was done."""
    with quietly(), pghistory.context(user=by.pk, table=run.pk):
        yield


def _end(run: ImportRun, progress: str, message: str = "") -> None:
    run.progress, run.message, run.percent, run.finished_at = progress, message[:500], 100, timezone.now()
    run.save()


# --- one record --------------------------------------------------------------------------------------------------------
def _row(run, resource: TableResource, one: sheets.Given, rows: list[ImportRow], seen: ImportRow | None) -> ImportRow:
    """Writes one record of a table; where it can't be, nothing of it stays."""
    row = ImportRow(run=run, number=one.row, key=_name(resource, one.cells), notes=_notes(resource, one))
    try:
        with transaction.atomic():
            row.problems = _shown([list(pair) for pair in one.wrong] + _write(resource, one.cells))
            if row.problems:
                raise _TakenBack
            _difference(row, resource)
            if row.record in {other.record for other in rows if other.record}:
                row.problems = [["", _("Another row of this table is about the same record.")]]
            elif seen and (seen.outcome != row.outcome or seen.before != row.before):
                row.problems = [["", _("It was changed since the trial. Look at the difference again.")]]
            if row.problems:
                raise _TakenBack
    except _TakenBack:
        row.outcome, row.record = RowOutcome.WRONG, None
    return row


def _shown(problems: list[list[str]]) -> list[list[str]]:
    """As many as a person mends at once; a record of many rows may have thousands."""
    more = len(problems) - MOST_TOLD
    return problems if more <= 0 else [*problems[:MOST_TOLD], ["", more_sentence(more)]]


def _notes(resource: TableResource, one: sheets.Given) -> list[list[str]]:
    """How the rows of a record were read, where they do not say it themselves."""
    return resource.read_otherwise(one.cells) + [["", text] for text in one.joined()]


def _write(resource: TableResource, cells: dict) -> list[list[str]]:
    """Writes the cells to their record. Gives what is wrong, as [column or nothing, sentence]."""
    result = resource.import_row(dict(cells), None, row_number=0, use_transactions=True)
    for failure in result.errors:
        if not isinstance(failure.error, IntegrityError):
            raise failure.error
        return [["", _("It clashes with another record.")]]
    error = result.validation_error
    if error is None:
        if resource.record is None:  # unchanged
            resource.record = resource.get_instance(None, cells)
        return []
    if not hasattr(error, "error_dict"):
        return [["", text] for text in error.messages]
    return [["" if name == NON_FIELD_ERRORS else name, text] for name, texts in error for text in texts]


def _difference(row: ImportRow, resource: TableResource) -> None:
    """What the record was and what it has become, column by column."""
    record = type(resource.record).objects.get(pk=resource.record.pk)
    after = resource.cells(record)
    row.record, row.key, row.earlier_run_id = record.pk, _name(resource, after), resource.earlier_run_id
    if not resource.before:
        read_only = [name for name, field in resource.fields.items() if field.readonly]
        row.outcome = RowOutcome.NEW
        row.after = {name: cell for name, cell in after.items() if cell and name not in read_only}
        return
    changed = [name for name, cell in after.items() if cell != resource.before[name]]
    row.outcome = RowOutcome.CHANGED if changed else RowOutcome.UNCHANGED
    row.before, row.after = ({name: cells[name] for name in changed} for cells in (resource.before, after))


def _name(resource: TableResource, cells: dict) -> str:
    return next((str(cells[name]) for name in (*resource.known_by, resource.named_by) if cells.get(name)), "")[:250]


# --- taking it back ----------------------------------------------------------------------------------------------------
def undo(run: ImportRun, *, by) -> None:
    """Takes back what a table wrote, as one act: new records go, changed cells are as before. What somebody changed since
    stays, and is named. Raises PermissionDenied and ValidationError."""
    with transaction.atomic():
        locked = ImportRun.objects.select_for_update(of=("self",)).get(pk=run.pk)
        require(by, "projects.undo_importrun", locked)
        if not locked.can_be_undone:
            raise ValidationError(_("This import can't be undone, or was undone already."))
        resource = KINDS[locked.kind](by=by)
        require(by, resource.permission)
        rows = list(locked.rows.filter(outcome__in=(RowOutcome.NEW, RowOutcome.CHANGED)).order_by("-number"))
        with _known_as(locked, by):
            for row in rows:  # from the end, since later rows may rest on earlier ones
                _undo_row(row, resource)
        ImportRow.objects.bulk_update(rows, ["undo", "undo_note"])
        locked.undone_at, locked.undone_by = timezone.now(), by
        locked.save(update_fields=["undone_at", "undone_by"])


def _undo_row(row: ImportRow, resource: TableResource) -> None:
    record = resource._meta.model.objects.filter(pk=row.record).first()
    row.undo, row.undo_note = RowUndo.LEFT, ""
    if record is None:
        row.undo_note = _("It was deleted since.")
    elif row.outcome == RowOutcome.NEW:
        _delete(row, record)
    else:
        _bring_back(row, record, resource)


def _delete(row: ImportRow, record: models.Model) -> None:
    kept = Events.objects.references(record) | Events.objects.tracks(record)
    if any((event.pgh_context or {}).get("table") != row.run_id for event in kept):
        row.undo_note = _("Somebody worked on it since.")
        return
    try:
        with transaction.atomic():
            record.delete()
        row.undo = RowUndo.WHOLE
    except ProtectedError:
        row.undo_note = _("Other records refer to it.")


def _bring_back(row: ImportRow, record: models.Model, resource: TableResource) -> None:
    now = resource.cells(record)
    back = {name: cell for name, cell in row.before.items() if now[name] == row.after[name]}
    changed = [name for name in row.before if name not in back]
    if back:
        key = next(name for name in resource.known_by if now[name] and name not in back)
        lines = back.get(resource.line_column)
        cells = back if lines is None else back | {resource.line_column: [(0, line) for line in lines]}
        try:
            with transaction.atomic():
                if wrong := _write(resource, {key: now[key], **cells}):
                    row.undo_note = " ".join(text for _name, text in wrong)[:300]
                    raise _TakenBack
        except _TakenBack:
            return
        row.undo = RowUndo.PART if changed else RowUndo.WHOLE
        if not changed:
            type(record).objects.filter(pk=record.pk, import_run=row.run_id).update(import_run=row.earlier_run_id)
    if changed:
        row.undo_note = (_("Changed since: %(names)s.") % {"names": ", ".join(changed)})[:300]
