"""Background work as a whole: every queue has its worker, what a dead worker left is taken up, one failure is no other's."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlencode

import pytest
from django.db import connection
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from partners import tasks
from partners.tasks import do_each
from projects import tasks as tasks_of_projects
from projects import webhooks
from projects.models import ImportRun, WebhookCall
from ssc_portal.management.commands.run_workers import WORKERS
from tests.factories import MembershipFactory
from tests.projects.test_webhooks import made

pytestmark = pytest.mark.sql

ROOT = Path(__file__).resolve().parent.parent


def test_every_queue_has_one_worker():
    queues = sorted(queue for worker in WORKERS.values() for queue in worker.queues)
    assert queues == sorted({task.queue for task in app.tasks.values() if not task.name.startswith("builtin")})


@pytest.mark.django_db
def test_the_nightly_steps_do_not_wait_for_one_that_fails(monkeypatch):
    done = []

    def breaks():
        raise ZeroDivisionError

    monkeypatch.setattr(tasks_of_projects, "NIGHTLY", (breaks, lambda: done.append(1)))
    with pytest.raises(ExceptionGroup):
        tasks_of_projects.nightly(timestamp=0)
    assert done == [1]


def test_do_each_tells_all_that_failed(caplog):
    with pytest.raises(ExceptionGroup) as raised:
        do_each(lambda n: 1 // n, [0, 1, 0])
    assert [type(error) for error in raised.value.exceptions] == [ZeroDivisionError, ZeroDivisionError]
    assert "failed with 0" in caplog.text


def left_behind(task, **args) -> ProcrastinateJob:
    """A job as a worker leaves it that was killed: begun, and nobody works at it."""
    job = task.defer(**args)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET status = 'doing', attempts = 1 WHERE id = %s", [job])
    return ProcrastinateJob.objects.get(pk=job)


def take_up() -> None:
    with app.replace_connector(app.connector.get_worker_connector()) as worker_app:

        async def run():
            async with worker_app.open_async():
                await tasks.take_up_stalled(timestamp=0)

        # In a thread of its own: browser tests leave a running loop in the thread of the tests.
        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, run()).result()


def test_what_a_dead_worker_left_is_done_anew_but_imports_are_not(reference_again):
    clock = left_behind(tasks_of_projects.run_clocks, timestamp=0)
    run = ImportRun.objects.create(kind="iati", file="a.xml")
    imported = left_behind(tasks_of_projects.import_iati, run_id=run.pk)
    take_up()
    clock.refresh_from_db()
    imported.refresh_from_db()
    assert (clock.status, imported.status) == ("todo", "failed")


def test_a_job_whose_work_is_queued_anew_holds_up_no_other(reference_again):
    person = MembershipFactory().user
    webhooks.ping(made(person, "https://slow.example/"))
    lost = left_behind(
        tasks_of_projects.send_webhooks.configure(queueing_lock="webhooks of slow.example"), host="slow.example"
    )
    tasks_of_projects.send_webhooks_later("slow.example")
    other = left_behind(tasks_of_projects.run_clocks, timestamp=0)
    ends_its_worker = left_behind(tasks_of_projects.fold_tallies, timestamp=0)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE procrastinate_jobs SET attempts = %s WHERE id = %s", [tasks.MAX_ATTEMPTS, ends_its_worker.pk]
        )
    take_up()
    states = [ProcrastinateJob.objects.get(pk=job.pk).status for job in (lost, other, ends_its_worker)]
    assert states == ["failed", "todo", "failed"]


def test_calls_of_a_slow_host_keep_nobody_elses_from_being_tried_again(reference_again):
    person = MembershipFactory().user
    slow = made(person, "https://slow.example/")
    for webhook in (slow, slow, slow, slow, made(person, "https://fast.example/")):
        webhooks.ping(webhook)
    for _minute in range(2):
        tasks_of_projects.retry_webhooks(timestamp=0)
    queued = ProcrastinateJob.objects.filter(task_name="projects.send_webhooks").values_list("args", flat=True)
    assert sorted(args["host"] for args in queued) == ["fast.example", "slow.example"]


STOPPED_AFTER = 1  # second
IN_A_HURRY = f"""
import os, sys, django
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ssc_portal.settings")
django.setup()
from django.core.management import call_command
from ssc_portal.management.commands import run_workers
run_workers.STOP_SECONDS, run_workers.RESTART_SECONDS = {STOPPED_AFTER}, 0.2
call_command("run_workers", *sys.argv[1:])
"""


@contextlib.contextmanager
def running(tmp_path, *names, **more):
    """Workers as they run for real, on the database of this test. Gives their parent."""
    settings = connection.settings_dict
    place = urlencode({"host": settings["HOST"], "port": settings["PORT"] or 5432, "user": settings["USER"]})
    url = f"postgres:///{settings['NAME']}?{place}"
    environment = {**os.environ, "DATABASE_URL": url, "PORTAL_DATA_DIR": str(tmp_path), "WEBHOOKS_TO_PRIVATE": "1", "DJANGO_DEBUG": "1", **more}  # fmt: skip
    command = [sys.executable, "-c", IN_A_HURRY, *names]
    with (tmp_path / "log").open("wb") as log:
        parent = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True)
    yield parent
    with contextlib.suppress(ProcessLookupError):
        os.killpg(parent.pid, signal.SIGKILL)
    parent.wait()


@pytest.fixture
def workers(tmp_path):
    with running(tmp_path) as parent:
        yield parent


def until(condition, seconds=60) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and not condition():
        time.sleep(0.1)
    return condition()


def test_mail_goes_out_while_a_receiver_drips(reference_again, dripping, workers, tmp_path):
    person = MembershipFactory().user
    webhooks.ping(made(person, dripping.url))
    tasks_of_projects.send_webhooks_later("127.0.0.1")
    assert until(lambda: dripping.calls == 1), (tmp_path / "log").read_text()
    tasks.send_mail.defer(email="a@example.org", subject="S", text="T", html="<p>T</p>")
    assert until(lambda: list((tmp_path / "mail").glob("*"))), (tmp_path / "log").read_text()
    letters = ProcrastinateJob.objects.filter(task_name="partners.send_mail")
    assert until(lambda: not letters.exists())  # with the links in them
    assert WebhookCall.objects.get().problem == ""  # that call is still being answered

    family = set(_children(workers.pid))
    assert len(family) == len(WORKERS)
    one = family.pop()
    os.kill(one, signal.SIGKILL)
    assert until(lambda: len(set(_children(workers.pid)) - {one}) == len(WORKERS))  # started again
    family = _children(workers.pid)
    workers.kill()
    workers.wait()
    assert until(lambda: not any(_is_alive(child) for child in family))  # none goes on without its parent


def test_a_letter_that_cannot_be_sent_is_not_logged_and_one_in_hand_is_left_to_be_taken_up(reference_again, tmp_path):
    secret, log = "https://example.org/reset/1", tmp_path / "log"
    letter = {"email": "a@example.org", "subject": "S", "text": secret, "html": ""}
    refused = tasks.send_mail.defer(**letter)
    ProcrastinateJob.objects.filter(pk=refused).update(attempts=tasks.PATIENCE.max_attempts)
    with socket.create_server(
        ("127.0.0.1", 0)
    ) as silent:  # a mail server that hangs up once, then accepts and never says a word
        silent.settimeout(60)
        url = f"smtp://127.0.0.1:{silent.getsockname()[1]}"
        with running(tmp_path, "mail", EMAIL_URL=url) as parent:
            silent.accept()[0].close()
            assert until(lambda: "ended with status: Error" in log.read_text()), log.read_text()
            begun = tasks.send_mail.defer(**letter)
            held, _address = silent.accept()
            parent.terminate()
            assert until(lambda: parent.poll() is not None, STOPPED_AFTER + 20), log.read_text()
            held.close()
    assert f"partners.send_mail[{refused}]" in log.read_text()
    assert "example.org/reset" not in log.read_text()
    job = ProcrastinateJob.objects.get(pk=begun)
    assert job.status == "doing"
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 hour'")
    take_up()
    job.refresh_from_db()
    assert job.status == "todo"


def _children(parent: int) -> list[int]:
    listing = subprocess.run(
        ["ps", "-o", "pid=,stat=", "--ppid", str(parent)], capture_output=True, text=True, check=False
    )
    rows = [row.split() for row in listing.stdout.splitlines()]
    return [int(pid) for pid, state in rows if not state.startswith("Z")]


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
