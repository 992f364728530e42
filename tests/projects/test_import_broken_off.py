"""Imports whose process is killed, for real: shown as broken off, gone on with, and nothing is there twice."""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlencode

import psycopg
import pytest
from django.core.files.base import ContentFile
from django.core.management import call_command
from django.db import connection
from procrastinate.contrib.django.models import ProcrastinateJob

from partners.models import User
from projects.models import ImportRun, Project
from projects.tasks import import_iati, import_table
from tests.projects.activities import activity, document
from tests.test_background import ROOT, until

MANY, HELD = 12, 8


@pytest.fixture
def start(tmp_path, settings):
    """Starts a command of manage.py on the database of this test, in a process of its own."""
    settings.MEDIA_ROOT = tmp_path / "media"
    own = connection.settings_dict
    place = urlencode({"host": own["HOST"], "port": own["PORT"] or 5432, "user": own["USER"]})
    url = f"postgres:///{own['NAME']}?{place}"
    environment = {**os.environ, "DATABASE_URL": url, "PORTAL_DATA_DIR": str(tmp_path), "DJANGO_DEBUG": "1"}
    running = []

    def do(*command) -> subprocess.Popen:
        with (tmp_path / "log").open("ab") as log:
            running.append(subprocess.Popen(
                [sys.executable, "manage.py", *map(str, command), "--skip-checks"], cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True,
            ))  # fmt: skip
        return running[-1]

    yield do
    for process in running:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextlib.contextmanager
def held():
    """One activity can't be written: another transaction has begun to write it."""
    with psycopg.connect(**connection.get_connection_params()) as other:
        other.execute(
            "INSERT INTO partners_referencevalue (model, key, source, values, written_at) VALUES ('projects.project', %s, '', '{}', now())",
            [f"XX-{HELD}"],
        )
        yield
        other.rollback()


def kill_in_the_middle(process: subprocess.Popen, log: Path) -> None:
    """kill -9, once some of the activities are written, and the next is begun."""
    assert until(lambda: Project.objects.count() == HELD or process.poll() is not None), log.read_text()
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert Project.objects.count() == HELD, log.read_text()


def has_broken_off() -> None:
    assert until(lambda: ImportRun.objects.latest("pk").is_broken_off)


def whole() -> bytes:
    more = "<description><narrative>More of it.</narrative></description>" * 20
    return document(*[activity(more, identifier=f"XX-{n}") for n in range(MANY)])


def each_once() -> bool:
    found = list(Project.objects.values_list("iati_identifier", flat=True))
    return sorted(found) == sorted(f"XX-{n}" for n in range(MANY))


def test_a_command_that_is_killed_has_broken_off_and_its_file_can_be_read_again(
    reference_again, start, tmp_path, client, people
):
    path: Path = tmp_path / "many.xml"
    path.write_bytes(whole())
    with held():
        kill_in_the_middle(start("import_iati", path), tmp_path / "log")
    has_broken_off()
    client.force_login(people["administrator"])
    page = client.get(f"/admin/projects/importrun/{ImportRun.objects.get().pk}/change/").content.decode()
    assert "Broken off" in page
    assert "run the command again with the same file" in page
    call_command("import_iati", str(path))
    assert each_once()
    assert ImportRun.objects.latest("pk").progress == "done"


def test_an_import_of_a_worker_that_is_killed_goes_on_by_a_press(reference_again, start, tmp_path, client, people):
    client.force_login(people["administrator"])
    run = ImportRun(file_name="many.xml", started_by=people["administrator"], progress="queued")
    run.file.save("many.xml", ContentFile(whole()))
    import_iati.defer(run_id=run.pk)
    assert not run.is_broken_off  # it waits in the queue
    with held():
        kill_in_the_middle(start("run_workers", "imports"), tmp_path / "log")
    has_broken_off()
    address = f"/admin/projects/importrun/{run.pk}/"
    page = client.get(f"{address}change/").content.decode()
    assert "Broken off" in page
    assert f'action="{address}go-on/"' in page
    assert "broken off" in client.get("/admin/projects/importrun/").content.decode()
    client.post(f"{address}go-on/", {"publish": "1"})
    client.post(f"{address}go-on/", {"publish": "1"})  # pressed twice
    assert ProcrastinateJob.objects.filter(task_name=import_iati.name, status="todo").count() == 1
    import_iati(**ProcrastinateJob.objects.get(task_name=import_iati.name, status="todo").args)
    run.refresh_from_db()
    assert run.progress == "done"
    assert each_once()
    assert (run.created + run.unchanged, run.rejected) == (MANY, 0)
    assert 0 < run.unchanged < MANY


@pytest.mark.django_db
def test_an_import_that_waits_in_no_queue_is_shown_so_and_can_be_started(client, people):
    client.force_login(people["administrator"])
    run = ImportRun.objects.create(
        file_name="a.xml", file="imports/a.xml", started_by=User.objects.system(), progress="queued"
    )
    address = f"/admin/projects/importrun/{run.pk}/"
    assert "in no queue any more" in client.get(f"{address}change/").content.decode()
    assert "broken off" in client.get("/admin/projects/importrun/").content.decode()
    client.post(f"{address}go-on/")
    run.refresh_from_db()
    assert (run.progress, run.is_broken_off) == ("queued", False)
    assert "Broken off" not in client.get(f"{address}change/").content.decode()


@pytest.mark.django_db
def test_a_job_whose_import_is_over_does_nothing(people):
    run = ImportRun.objects.create(file_name="a.xml", started_by=people["administrator"], progress="done", done=3)
    import_iati(run_id=run.pk)
    run.refresh_from_db()
    assert (run.progress, run.done) == ("done", 3)


@pytest.mark.django_db
def test_a_trial_that_broke_off_is_tried_again_and_writes_nothing(client, people, media):
    client.force_login(people["administrator"])
    run = ImportRun(file_name="a.xml", started_by=people["administrator"], is_dry_run=True, progress="running")
    run.file.save("a.xml", ContentFile(document(activity())))
    client.post(f"/admin/projects/importrun/{run.pk}/go-on/")
    [job] = ProcrastinateJob.objects.filter(task_name=import_iati.name)
    import_iati(**job.args)
    run.refresh_from_db()
    assert (run.progress, run.is_dry_run, run.created, Project.objects.count()) == ("waiting", True, 1, 0)


@pytest.mark.django_db
@pytest.mark.parametrize("is_at_its_beginning", [True, False])
def test_an_import_that_a_fault_ended_keeps_its_counts_and_goes_on_once_the_fault_is_mended(
    is_at_its_beginning, client, people, media, monkeypatch
):
    client.force_login(people["administrator"])
    run = ImportRun(file_name="a.xml", started_by=people["administrator"], progress="running", done=1, created=1)
    run.file.save("a.xml", ContentFile(document(activity(), activity(identifier="XX-2"))))
    address = f"/admin/projects/importrun/{run.pk}/"
    client.post(f"{address}go-on/", {"publish": "1"})  # a worker had died

    def fault(*args):
        raise LookupError("a fault of the program")

    place = "Directory.load" if is_at_its_beginning else "_import_one"
    with monkeypatch.context() as meanwhile, pytest.raises(LookupError):
        meanwhile.setattr(f"projects.interchange.iati_import.{place}", fault)
        import_iati(run_id=run.pk)
    run.refresh_from_db()
    assert (run.progress, run.done, run.created) == ("failed", 1, 1)
    page = client.get(f"{address}change/").content.decode()
    assert f'action="{address}go-on/"' in page and page.count("by a fault of the portal") == 1
    assert "broken off" in client.get("/admin/projects/importrun/").content.decode()
    client.post(f"{address}go-on/", {"publish": "1"})
    assert "broken off" not in client.get("/admin/projects/importrun/").content.decode()
    import_iati(run_id=run.pk)
    run.refresh_from_db()
    assert (run.progress, run.done, run.created, run.is_broken_off) == ("done", 2, 2, False)


@pytest.mark.django_db
def test_a_table_that_a_fault_ended_can_be_gone_on_with(client, people, bring, monkeypatch):
    client.force_login(people["administrator"])

    def fault(*args):
        raise LookupError("a fault of the program")

    with monkeypatch.context() as meanwhile, pytest.raises(LookupError):
        meanwhile.setattr("projects.interchange.bulk.running._row", fault)
        bring("partners", "slug,name_en,kind\nanother,Another,40\n", by="administrator", write=False)
    run = ImportRun.objects.get()
    address = f"/admin/projects/importrun/{run.pk}/"
    assert f'action="{address}go-on/"' in client.get(f"{address}change/").content.decode()
    client.post(f"{address}go-on/")
    [job] = ProcrastinateJob.objects.filter(task_name=import_table.name)
    import_table(**job.args)
    run.refresh_from_db()
    assert (run.progress, run.created) == ("waiting", 1)
