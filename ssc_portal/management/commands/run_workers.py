"""Works off what is queued: mail, clocks, webhooks, imports, each in a process of its own."""

import asyncio
import multiprocessing
import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from django.core.management.base import BaseCommand
from django.db import connections
from procrastinate.contrib.django import app

from partners.tasks import STALLED_SECONDS


@dataclass(frozen=True)
class Worker:
    """One process: the queues that it works off, how many jobs at a time (most of them wait for others), and which jobs are
    gone when they have ended; the others are forgotten later (partners/tasks.py)."""

    queues: tuple[str, ...]
    at_once: int = 1
    delete_jobs: str = "never"  # or those that were "successful"


WORKERS = {
    "mail": Worker(("mail",), at_once=2, delete_jobs="successful"),
    "mailings": Worker(("mailings",)),
    "clocks": Worker(("clocks",)),
    "webhooks": Worker(("webhooks",), at_once=8),
    "imports": Worker(("imports",)),
    "matching": Worker(("matching",)),
    "nightly": Worker(("nightly",)),
}
RESTART_SECONDS = 5  # after a worker died, so that one that can't start does not keep the machine busy
STOP_SECONDS = 8  # what a running job gets to end when the workers are stopped; what does not is taken up later


class Command(BaseCommand):
    help = (
        "Works off what is queued. Without names each worker runs in a process of its own and is started again when it "
        "dies, so that a slow webhook or a long import holds up no mail; with names only those run, for one service each."
    )

    def add_arguments(self, parser):
        parser.add_argument("workers", nargs="*", choices=[[], *WORKERS], metavar="WORKER", help=", ".join(WORKERS))
        parser.add_argument("--below", type=int, metavar="PID", help="end when this is no longer the parent")

    def handle(self, *args, workers, below, **options):
        connections.close_all()  # children share no connection
        watch_over(workers or list(WORKERS), below)  # one, too: a thread that works at a job ends with its process only


def work(name: str) -> None:
    """Works off the queues of one worker until it is told to end."""
    worker = WORKERS[name]

    async def run() -> None:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(worker.at_once))
        async with app.open_async():
            await app.run_worker_async(
                queues=list(worker.queues), concurrency=worker.at_once, name=name, shutdown_graceful_timeout=STOP_SECONDS,
                stalled_worker_timeout=STALLED_SECONDS, delete_jobs=worker.delete_jobs,
            )  # fmt: skip

    with app.replace_connector(app.connector.get_worker_connector()):
        asyncio.run(run())


def watch_over(names: list[str], parent: int | None = None) -> None:
    """Keeps one process for each of these workers, until told to end, or until this parent has ended."""
    is_over = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: is_over.set())
    running = {name: _started(name) for name in names}
    while not is_over.wait(0.5) and parent in (None, os.getppid()):
        for name, process in running.items():
            if not process.is_alive() and not is_over.wait(RESTART_SECONDS):
                running[name] = _started(name)
    for process in running.values():
        if process.is_alive():
            process.terminate()
    for process in running.values():
        process.join(STOP_SECONDS + 1)
        if process.is_alive():
            process.kill()


def _started(name: str) -> multiprocessing.Process:
    # Forked, so that what is loaded is shared and a worker is there at once.
    process = multiprocessing.get_context("fork").Process(target=_work_below, args=(name, os.getpid()), name=name)
    process.start()
    return process


def _work_below(name: str, parent: int) -> None:
    """The body of a child: it ends with its parent, however that ends."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)

    def follow() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(STOP_SECONDS + 1)
        os._exit(1)  # a job that goes on would be done twice: without a sign of life it counts as left behind

    threading.Thread(target=follow, daemon=True).start()
    work(name)
