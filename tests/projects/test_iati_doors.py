"""The ways by which a file of IATI comes in: admin, the worker, the command."""

import gzip
import io
import zipfile
from pathlib import Path

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from procrastinate.contrib.django.models import ProcrastinateJob

from desk import importing
from projects import tasks
from projects.choices import State
from projects.interchange.iati_import import import_file
from projects.models import ImportIssue, ImportRun, Project
from tests.factories import UserFactory
from tests.projects.activities import activity, document


def test_the_trial_and_the_command_say_that_an_import_cannot_be_undone(write, people, sign_in, system):
    said = "An IATI import can’t be undone: to correct it, import a corrected file, which updates the same activities"
    for options, times in (({"dry_run": True}, 1), ({}, 1)):
        out = io.StringIO()
        call_command("import_iati", str(write(document(activity()))), stdout=out, **options)
        assert out.getvalue().count(said) == times
    client = sign_in(people["administrator"])
    page = client.post(
        "/admin/projects/importrun/add/", {"file": SimpleUploadedFile("a.xml", document(activity())), "licence": "unknown"},
        follow=True,
    ).content.decode()  # fmt: skip
    assert said in page and page.index(said) < page.index("Carry it out")


def test_a_trial_can_be_discarded_with_its_file(people, sign_in, django_capture_on_commit_callbacks):
    client = sign_in(people["administrator"])
    given = {"file": SimpleUploadedFile("a.xml", document(activity())), "licence": "unknown"}
    page = client.post("/admin/projects/importrun/add/", given, follow=True).content.decode()
    run = ImportRun.objects.get()
    address, kept = f"/admin/projects/importrun/{run.pk}/discard/", Path(run.file.path)
    assert f'action="{address}"' in page and "Leave it" not in page and kept.exists()
    assert client.get(address).status_code == 405
    assert sign_in(people["stranger"]).post(address).status_code in (302, 403) and ImportRun.objects.exists()
    sign_in(people["administrator"])
    with django_capture_on_commit_callbacks(execute=True):
        done = client.post(address, follow=True).content.decode()
    assert "Discarded: the trial is gone, and nothing was written." in done
    assert not ImportRun.objects.exists() and not ImportIssue.objects.exists() and not kept.exists()
    assert "carried out already, or discarded" in client.post(address, follow=True).content.decode()


def test_what_was_carried_out_cannot_be_discarded(write, people, sign_in, system):
    run = import_file(write(document(activity())), by=system)
    sign_in(people["administrator"]).post(f"/admin/projects/importrun/{run.pk}/discard/")
    assert ImportRun.objects.filter(pk=run.pk).exists() and Project.objects.exists()


def test_a_file_that_is_too_large_to_wait_for_is_tried_by_the_worker(people, sign_in, media, monkeypatch):
    monkeypatch.setattr(importing, "MOST_AT_ONCE", 10)
    given = {"file": SimpleUploadedFile("a.xml", document(activity())), "licence": "unknown"}  # not to be published
    page = sign_in(people["administrator"]).post("/admin/projects/importrun/add/", given, follow=True).content.decode()
    run = ImportRun.objects.get()
    assert (run.progress, run.is_dry_run, run.publishes) == ("queued", True, False)
    assert "Carry it out" not in page and "Discard the trial" not in page  # nothing is known of it yet
    [job] = ProcrastinateJob.objects.filter(task_name="projects.import_iati")
    tasks.import_iati(**job.args)
    run.refresh_from_db()
    assert (run.progress, run.created, Project.objects.count()) == ("waiting", 1, 0)
    page = sign_in(people["administrator"]).get(f"/admin/projects/importrun/{run.pk}/change/").content.decode()
    assert "Carry it out" in page
    ImportRun.objects.update(progress="running", is_dry_run=False)  # carried out, and killed
    for publishes in (False, True):
        ImportRun.objects.update(publishes=publishes)
        page = sign_in(people["administrator"]).get(f"/admin/projects/importrun/{run.pk}/change/").content.decode()
        assert ('name="publish" value="1" checked' in page) == publishes


def test_an_archive_that_unfolds_to_much_is_left_to_the_worker(client, people, media):
    """Nobody waits while it is tried."""
    client.force_login(people["administrator"])
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.xml", document(activity()) + b" " * 6 * 1024**2)
    for name, content in (
        ("a.zip", packed.getvalue()),
        ("a.xml.gz", gzip.compress(document(activity()) + b" " * 6 * 1024**2)),
    ):
        client.post("/admin/projects/importrun/add/", {"file": SimpleUploadedFile(name, content), "publish": "on"})
        assert (ImportRun.objects.latest("pk").done, ImportRun.objects.latest("pk").progress) == (0, "queued")
    client.post(
        "/admin/projects/importrun/add/", {"file": SimpleUploadedFile("a.xml", document(activity())), "publish": "on"}
    )
    assert ImportRun.objects.latest("pk").done == 1


def test_import_needs_the_right(write, db):
    with pytest.raises(PermissionDenied):
        import_file(write(document(activity())), by=UserFactory())


def test_desk_imports_drafts(write, people):
    import_file(write(document(activity())), by=people["desk"])
    assert Project.objects.get().state == State.DRAFT


def test_an_import_says_itself_whether_it_publishes(write, people, media):
    call_command("import_iati", str(write(document(activity()))), drafts=True, stdout=io.StringIO())
    assert not ImportRun.objects.get().publishes
    run = ImportRun(file_name="b.xml", started_by=people["administrator"], progress="queued")
    run.file.save("b.xml", SimpleUploadedFile("b.xml", document(activity(identifier="XX-2"))))
    tasks.import_iati(run_id=run.pk, publish=False)  # a job that was queued before the import said it
    run.refresh_from_db()
    assert (run.progress, run.publishes) == ("done", False)
    assert set(Project.objects.values_list("state", flat=True)) == {"draft"}


def test_command_reports_and_fails_when_nothing_could_be_read(write, db, tmp_path):
    out, report = io.StringIO(), tmp_path / "report.csv"
    call_command(
        "import_iati", str(write(document(activity('<recipient-country code="=1+1"/>')))), report=report, stdout=out
    )
    assert "1 new" in out.getvalue()
    assert "'=1+1" in report.read_text(encoding="utf-8")
    with pytest.raises(CommandError, match="Nothing could be read"):
        call_command("import_iati", str(write(b"<html/>")), stdout=out)
    with pytest.raises(CommandError):
        call_command("import_iati", str(tmp_path / "missing.xml"), stdout=out)
