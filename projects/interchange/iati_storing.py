"""Writes one activity as a project: a new one, or what the source changed since the last import and staff did not."""

from django.utils.translation import gettext as _

from ground.texts import as_kept
from partners.models import ReferenceValue
from partners.reference import merge, plain
from projects import lifecycle
from projects.choices import Instrument, Source, State
from projects.interchange.iati_activity import Activity
from projects.interchange.iati_directory import Directory
from projects.interchange.iati_record import parts_of, values_of
from projects.interchange.iati_settling import tell_assumed
from projects.models import ImportIssue, ImportRun, Project

Outcome = ImportIssue.Outcome
LEDGER = "projects.project"
ROWS_AT_ONCE = 1000  # one activity may hold tens of thousands of payments


def write_activity(activity: Activity, name: str, run: ImportRun, directory: Directory, by) -> tuple[str, Project]:
    """Creates or updates one project. Returns ("created" | "updated" | "unchanged", project)."""
    note = ReferenceValue.objects.filter(model=LEDGER, key=name).first()
    project = Project.objects.filter(reference=note.values.get("reference")).first() if note else None
    if project is None and activity.identifier:
        project = directory.project(activity.identifier)
    if project is None or project.reference != activity.reference:
        tell_assumed(activity)
    if project is not None and project.merged_into is not None:
        text = _("This record was merged into %(reference)s, which stays as it is.") % {
            "reference": project.merged_into.reference
        }
        activity.find("iati-activity", "", Outcome.KEPT, text)
        return "unchanged", project
    values = as_kept(Project, values_of(activity, name))
    if project is not None and project.iati_identifier is None and activity.is_own:
        del values["iati_identifier"]  # the portal made it of the reference
    parts = {part: _as_kept(part, rows) for part, rows in parts_of(activity, directory).items()}
    if project is not None and activity.is_own:  # the file does not tell of records that are not public
        hidden = project.related_links.filter(other__isnull=False).exclude(other__state=State.PUBLISHED)
        parts["related_links"] += list(hidden.values("other_id", "relation", "reported_identifier"))
    written = {k: plain(v) for k, v in values.items()} | {
        part: [_plain_row(r) for r in rows] for part, rows in parts.items()
    }

    if project is None:
        project = Project(
            source=Source.IMPORTED, import_run=run if not run.is_dry_run else None, created_by=by,
            **{"instrument": Instrument.UNSTATED} | values,  # files of others do not say it
        )  # fmt: skip
        _check(project)
        project.save()
        for part, rows in parts.items():
            _add(project, part, rows)
        outcome = "created"
    else:
        last = as_kept(Project, note.values) if note else {}
        decided = merge(as_kept(Project, {k: getattr(project, k) for k in values}), last, values)
        for k, (now, said) in decided.conflicts.items():
            activity.find(
                k,
                said,
                Outcome.STAFF,
                _("Edited here since the last import: “%(now)s” stays.") % {"now": str(now)[:200]},
            )
        for k, v in decided.updates.items():
            activity.find(k, v, Outcome.CHANGED, _("Was “%(was)s”.") % {"was": str(getattr(project, k))[:200]})
            setattr(project, k, v)
        changed = bool(decided.updates)
        if changed:
            _check(project)
            project.save()
        for part, rows in parts.items():
            changed |= _update_part(project, part, rows, _as_kept(part, last[part]) if part in last else None, activity)
        outcome = "updated" if changed else "unchanged"
        _note_source(project, run, activity, has_changed=changed)
    if outcome != "unchanged" and activity.licence and activity.licence != run.provenance.licence:
        text = _(
            "The file states this licence for the activity alone, in the portal’s own attribute ssc:licence, which IATI does not have. "
            "It was not taken over: the record has the licence stated for the whole import (%s)."
        )
        activity.find("iati-activity/@ssc:licence", activity.licence, Outcome.LEFT_OUT, text % run.provenance.licence)

    if outcome != "unchanged" or (note is None and not activity.is_own):
        ReferenceValue.objects.update_or_create(
            model=LEDGER,
            key=name,
            defaults={"source": run.file_name, "values": written | {"reference": project.reference}},
        )
    if outcome == "created" and run.publishes and by.has_perm("projects.publish_project", project):
        if missing := lifecycle.missing_for_publication(project):
            activity.find(
                "iati-activity",
                "",
                Outcome.KEPT,
                _("Kept as a draft: %(why)s") % {"why": " ".join(str(m) for m in missing)},
            )
        else:
            with lifecycle.quietly():  # it may be thousands
                lifecycle.transition(project, "publish", by=by)
    return outcome, project


def _note_source(project: Project, run: ImportRun, activity: Activity, *, has_changed: bool) -> None:
    """The record comes from the import that wrote it last, be it a part of it only; or from one that says under which licence the same
    came, where that was not known."""
    if run.is_dry_run or not run.is_source_of(is_new=False):
        return
    if has_changed or run.says_more_than(project.import_run):
        if not has_changed:
            activity.find("licence", run.provenance.licence, Outcome.CHANGED, _("Was not known."))
        Project.objects.filter(pk=project.pk).update(import_run=run)
        project.import_run = run


def _as_kept(part: str, rows: list[dict]) -> list[dict]:
    model = Project._meta.get_field(part).related_model
    return [as_kept(model, row) for row in rows]


def _plain_row(row: dict) -> dict:
    return {k: plain(v) for k, v in row.items()}


def _present_rows(project: Project, part: str, names: list[str]) -> list[dict]:
    rows = getattr(project, part).order_by("pk").values(*names)
    return _as_kept(part, [_plain_row(row) for row in rows])


def _check(project: Project) -> None:
    """Raises ValidationError. Constraints are left to the database, which checks them on writing without extra queries."""
    project.clean_fields(exclude=["reference", "import_run", "parent"])
    project.clean()


def _replace(project: Project, part: str, rows: list[dict]) -> None:
    getattr(project, part).all().delete()
    _add(project, part, rows)


def _add(project: Project, part: str, rows: list[dict]) -> None:
    manager = getattr(project, part)
    records = [manager.model(project=project, **row) for row in rows]
    # What a row is tied to was found by the directory: to ask of each row again whether it is there takes a third of an import.
    tied = [f.name for f in manager.model._meta.concrete_fields if f.is_relation]
    for record in records:
        record.clean_fields(exclude=tied)
    manager.bulk_create(records, batch_size=ROWS_AT_ONCE)


def _update_part(project: Project, part: str, rows: list[dict], last: list[dict] | None, activity: Activity) -> bool:
    """Replaces the rows of one part where the source changed them and staff did not. Returns whether anything changed."""
    incoming = [_plain_row(row) for row in rows]
    names = list(rows[0] if rows else (last[0] if last else []))
    present = _present_rows(project, part, names) if names else [{} for _row in getattr(project, part).all()]
    if _sorted(present) == _sorted(incoming):
        return False
    if part == "contributions" and project.contributions.filter(activity__isnull=False).exists():
        text = _("They carry out the agreed plan of a need, so those here stay; UNEP and the providers change them.")
        activity.find(part, f"{len(incoming)} rows", Outcome.STAFF, text)
        return False
    if last is not None and _sorted(present) != _sorted(last):
        if _sorted(incoming) != _sorted(last):
            activity.find(
                part,
                f"{len(incoming)} rows",
                Outcome.STAFF,
                _("Edited here since the last import: the %(n)s rows here stay.") % {"n": len(present)},
            )
        return False
    activity.find(part, f"{len(incoming)} rows", Outcome.CHANGED, _("Were %(n)s rows.") % {"n": len(present)})
    _replace(project, part, rows)
    return True


def _sorted(rows: list[dict]) -> list[str]:
    return sorted(str(sorted((k, v if v not in (None, "") else "") for k, v in row.items())) for row in rows)
