"""Imports of IATI files: the run with its counts and findings. What an activity becomes: iati_record.py; how it is written: iati_storing.py.

Each activity is written in a transaction of its own, so a run that stops leaves nothing half-written, and running it
again goes on: what is unchanged costs one look. What staff edited since the last import stays (partners/reference.py).
"""

import hashlib
import logging
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from django.core.exceptions import ValidationError
from django.db import DatabaseError, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from partners.rules import require
from projects import quality, search
from projects.interchange import iati_reader
from projects.interchange.iati_activity import Activity, Finding, Tie
from projects.interchange.iati_directory import Directory
from projects.interchange.iati_reader import Unreadable
from projects.interchange.iati_storing import write_activity
from projects.models import ImportIssue, ImportRun, Need, Project, RelatedProject

Outcome = ImportIssue.Outcome
LONGEST_NAME = 200  # of ReferenceValue.key

logger = logging.getLogger(__name__)


def import_file(
    path: Path,
    *,
    by,
    dry_run: bool = False,
    run: ImportRun | None = None,
    progress: Callable | None = None,
) -> ImportRun:
    """Reads a file and writes its activities. Returns the run with its counts; its issues tell the rest.

    Where the run publishes, new records go public if `by` may publish and nothing needed is missing; else they stay drafts.
    `progress(run)` is called now and then. Raises PermissionDenied; a file that can't be read ends in a failed run.
    """
    require(by, "projects.import_projects")
    run = run or ImportRun(file_name=path.name[:200], started_by=by)
    run.is_dry_run, run.progress, run.has_broken = dry_run, ImportRun.Progress.RUNNING, False
    run.save()
    before = run.counts
    with run.being_carried_out():
        try:
            return _carry_out(path, run, by, dry_run, progress)
        except Exception:
            _break_off(run, before)
            raise


def _break_off(run: ImportRun, before: dict[str, int]) -> None:
    """A fault of the program ends the run too, and says so: it isn't left as if it were at work. Where it read nothing at all, it goes
    on telling what it had read `before`."""
    for name, n in () if run.done else before.items():
        setattr(run, name, n)
    run.progress, run.finished_at, run.has_broken = ImportRun.Progress.FAILED, timezone.now(), True
    run.message = _(
        "The import broke off by a fault of the portal. What was read before it stays. Once the fault is mended, go on, or import the file again."
    )
    run.save(update_fields=["progress", "finished_at", "message", "has_broken", *before])


def _carry_out(path: Path, run: ImportRun, by, dry_run: bool, progress: Callable | None) -> ImportRun:
    source = iati_reader.Source()
    size = path.stat().st_size if path.is_file() else 0
    unread: Counter = Counter()
    touched: list[int] = []
    seen: set[str] = set()
    parents: dict[str, str] = {}
    directory = Directory.load()
    for name in run.counts:  # of an attempt that broke off
        setattr(run, name, 0)
    try:
        for activity in iati_reader.read_activities(path, source):
            unread.update(path.partition("/")[0] for path in (*activity.unread.times, *activity.marked.times))
            if activity.parent:
                parents[activity.identifier] = activity.parent
            _import_one(activity, run, directory, by, dry_run, seen, touched)
            if run.done % 25 == 0:
                run.version = source.version
                run.percent = min(99, source.bytes_read * 100 // size) if size else 0
                run.save()
                if progress:
                    progress(run)
                touched = _finish(touched)
        run.progress, run.percent = ImportRun.Progress.DONE, 100
        if run.done == 0:
            run.progress, run.message = ImportRun.Progress.FAILED, _("The file holds no activities.")
        if source.problems:
            run.progress, run.message = ImportRun.Progress.FAILED, " ".join(source.problems)[:500]
    except Unreadable as error:
        run.progress, run.message = ImportRun.Progress.FAILED, " ".join([*source.problems, str(error)])[:500]
    _finish(touched)
    if not dry_run:
        _tie_together(run, parents, directory)
    _record_strangers(run, source)
    unread.update({name: stranger.times for name, stranger in source.strangers.items()})
    if unread:
        elements = ", ".join(f"{name} ({n})" for name, n in unread.most_common(12))
        left_out = _("Not read in full, with the number of findings: %s. The findings name each part.") % elements
        run.message = f"{run.message} {left_out}".strip()[:500]
    if source.files:
        names = _("Files in the archive: %s.") % ", ".join(f"{name} ({n})" for name, n in source.files.items())
        run.message = f"{run.message} {names}".strip()[:500]
    if source.passed_over:
        names = _("Not read, since they are no XML: %s.") % ", ".join(source.passed_over)
        run.message = f"{run.message} {names}".strip()[:500]
    run.version, run.finished_at = source.version, timezone.now()
    if path.is_file():
        run.sha256 = _checksum(path)
    run.save()
    if run.created or run.updated:
        search.rebuild_words()
    if progress:
        progress(run)
    return run


def _tie_together(run: ImportRun, parents: dict[str, str], directory: Directory) -> None:
    """Ties to records that came later, in this file or another: what belongs together, and programmes with their parts."""
    here = Project.objects.filter(iati_identifier=OuterRef("reported_identifier"))
    is_own = Q(reported_identifier__startswith=f"{directory.publisher.ref}-")
    # Also those of earlier imports: what they name may have come with this one, or before they could be tied.
    waiting = RelatedProject.objects.filter(Exists(here) | is_own, other=None)
    for link in waiting.iterator():
        if (other := directory.project(link.reported_identifier)) and other.pk != link.project_id:
            RelatedProject.objects.filter(pk=link.pk).update(other=other, reported_identifier="")
    for identifier, parent_identifier in parents.items():
        project, parent = directory.project(identifier), directory.project(parent_identifier)
        if project and parent and project.parent_id is None:
            project.parent = parent
            try:
                project.clean()
            except ValidationError:
                continue
            project.save(update_fields=["parent"])


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _finish(touched: list[int]) -> list[int]:
    if touched:
        quality.rescore(Project.objects.filter(pk__in=touched))
    return []


class _TrialRun(Exception):
    """Rolls back what a trial run wrote."""


def _name_of(activity: Activity, run: ImportRun) -> tuple[str, str]:
    """What the record of an activity is found by again, or why there is nothing. An identifier means one activity in all the world;
    anything else only one of its publisher's."""
    if activity.key:
        return activity.key, ""
    title = next(iter(t.get("title") for t in activity.texts.values() if t.get("title")), "")
    if not (within := activity.other_key or title):
        return "", _("Neither an identifier nor a title.")
    reporting = next((t for t in activity.organisations if t.is_reporting), Tie())
    publisher = reporting.code or reporting.name or run.publisher or run.source_url
    if not publisher:
        return "", _(
            "Neither an identifier nor a publisher, so it could not be found again. State who publishes the file."
        )
    name = f"{publisher} {within}"
    if len(name) > LONGEST_NAME:
        name = f"{name[: LONGEST_NAME - 33]} {hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()}"
    return name, ""


def _import_one(activity, run, directory, by, dry_run, seen, touched) -> None:
    name, why_not = _name_of(activity, run)
    if why_not:
        _count(run, "rejected", activity, [*activity.findings, Finding("iati-activity", "", Outcome.REJECTED, why_not)])
        return
    if name in seen:
        text = _("The file holds this activity twice; the first was taken.")
        _count(run, "rejected", activity, [Finding("iati-identifier", name, Outcome.REJECTED, text)])
        return
    seen.add(name)
    if activity.is_need and Need.objects.filter(reference=activity.reference).exists():
        text = _("A need of this portal, not a project; it stays as it is.")
        _count(run, "unchanged", activity, [Finding("iati-activity", activity.reference, Outcome.KEPT, text)])
        return
    before = run.counts
    try:
        with transaction.atomic():
            written: list[int] = []
            with search.deferred(written):
                outcome, project = write_activity(activity, name, run, directory, by)
                if outcome != "unchanged" and not dry_run:
                    written.append(project.pk)
            if dry_run:
                raise _TrialRun
            # In the same transaction: a run that is killed has told all it wrote.
            _count(run, outcome, activity, activity.findings)
    except _TrialRun:
        _count(run, outcome, activity, activity.findings)
    except (ValidationError, DatabaseError) as error:
        for count, n in before.items():
            setattr(run, count, n)
        text = "; ".join(error.messages) if isinstance(error, ValidationError) else _refusal()
        refusal = Finding("iati-activity", "", Outcome.REJECTED, text[:500])
        _count(run, "rejected", activity, [*activity.findings, refusal])
        logger.warning("IATI activity %s was not read: %s", name, " ".join(str(error).split())[:2000])
        return
    if not dry_run:
        touched.append(project.pk)  # also what is unchanged: a run that was killed has not scored what it wrote last


def _refusal() -> str:
    return _("The database refused it. Whoever runs the portal finds the reason in its log.")


def _count(run: ImportRun, outcome: str, activity: Activity, findings: list) -> None:
    """One activity more that was read, and what there is to tell of it."""
    run.done += 1
    setattr(run, outcome, getattr(run, outcome) + 1)
    ImportRun.objects.filter(pk=run.pk).update(**run.counts)
    _record(run, activity, findings)


def _record(run: ImportRun, activity: Activity, findings: list) -> None:
    ImportIssue.objects.bulk_create(
        ImportIssue(
            run=run,
            identifier=(activity.key or activity.other_key or "?")[:250],
            line=activity.line,
            element=f.element,
            value=f.value,
            outcome=f.outcome,
            text=f.text,
        )
        for f in findings
    )


def _record_strangers(run: ImportRun, source: iati_reader.Source) -> None:
    """What stood in the file beside its activities: one finding for each kind."""
    text = _("Only <iati-activity> may stand here; it was not read. Found in this file: %(n)s.")
    ImportIssue.objects.bulk_create(
        ImportIssue(
            run=run, identifier="?", line=found.line, element=name, value=found.said, outcome=Outcome.LEFT_OUT,
            text=text % {"n": found.times},
        )
        for name, found in source.strangers.items()
    )  # fmt: skip


def is_usable(run: ImportRun) -> bool:
    """Whether anything at all could be read: the exit status of the command."""
    return run.done > run.rejected and not (run.progress == ImportRun.Progress.FAILED and run.done == 0)
