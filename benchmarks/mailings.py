"""How fast a digest is prepared and sent, and that it reaches everybody once though its workers are killed.

python -m benchmarks.mailings --subscribers 100000     # the figures
python -m benchmarks.mailings --subscribers 3000 --kill 30   # kill -9, thirty times; fails if anybody gets two or none
"""

import argparse
import collections
import datetime as dt
import io
import multiprocessing
import os
import random
import resource
import signal
import socket
import tempfile
import time
from pathlib import Path

from aiosmtpd.controller import Controller
from django.core.management import call_command
from django.db import connection
from django.db.models import Sum
from django.test import override_settings
from django.utils import timezone

from benchmarks.database import throw_away
from outreach import mailings
from outreach.choices import MailingKind, Rhythm, Told
from outreach.models import Mailing, Subscriber, Subscription
from partners.models import Country
from projects.models import Need, Term

FORK = multiprocessing.get_context("fork")
SEARCHES = 500
WORKERS = 2


class Sink:
    """A mail server that writes down who got what before it says so."""

    def __init__(self, path: Path, delay: float):
        self.file, self.delay = path.open("a", buffering=1), delay

    async def handle_DATA(self, server, session, envelope):
        self.file.write(f"{envelope.rcpt_tos[0]}\n")
        if self.delay:  # so that workers are often killed between what they say and the answer
            time.sleep(random.random() * self.delay)
        return "250 OK"


def _serve(port: int, path: Path, delay: float) -> None:
    controller = Controller(Sink(path, delay), hostname="127.0.0.1", port=port)
    controller.start()
    signal.pause()


def _fill(count: int, new: int) -> Mailing:
    call_command("load_reference", stdout=io.StringIO())
    call_command("generate_needs", needs=new, stdout=io.StringIO())
    now = timezone.now()
    ago = now - dt.timedelta(hours=2)
    Need.objects.filter(published_at__isnull=False).update(published_at=ago)
    countries = list(Country.objects.order_by("iso3").values_list("iso3", flat=True))
    themes = list(Term.objects.themes().order_by("code").values_list("code", flat=True))
    chosen = random.Random(1)
    searches = [""] + [
        f"country={chosen.choice(countries)}&term=bsp-theme%3A{chosen.choice(themes)}"
        if n % 3
        else f"term=bsp-theme%3A{chosen.choice(themes)}"
        for n in range(SEARCHES)
    ]
    languages = ["en", "fr", "es", "ar", "ru", "zh-hans"]
    long_ago = now - dt.timedelta(days=9)
    people = Subscriber.objects.bulk_create(
        [
            Subscriber(
                email=f"reader{n}@example.org", language=languages[n % 6], rhythm=Rhythm.DAILY, created_at=long_ago
            )
            for n in range(count)
        ],
        batch_size=5000,
    )
    Subscription.objects.bulk_create(
        [
            Subscription(subscriber=one, told=Told.NEEDS, query=chosen.choice(searches), created_at=long_ago)
            for one in people
        ],
        batch_size=5000,
    )
    return Mailing.objects.create(kind=MailingKind.DAILY, until=now - dt.timedelta(hours=1))


def _work(mailing: Mailing) -> None:
    """What the worker's jobs do, one after another."""
    while not mailings.carry_on(mailing, seconds=20):
        time.sleep(0.05)


def _measured(mailing: Mailing, count: int) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    finder = mailings.finder_of(mailing)
    while mailings.prepare(mailing, finder):
        pass
    seconds = time.perf_counter() - start
    copies = mailing.copies.count()
    print(
        f"digest of {count:,}: prepared {count / seconds:,.0f} subscribers a second, {seconds:.0f} s; {copies:,} get one",
        flush=True,
    )
    start = time.perf_counter()
    _work(mailing)
    seconds = time.perf_counter() - start
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(
        f"digest of {count:,}: sent {copies / seconds:,.0f} copies a second by one worker, {seconds:.0f} s; {grown:.0f} MB more memory at the peak",
        flush=True,
    )


def _killed(mailing: Mailing, kills: int) -> None:
    """Two workers at a time, each killed after a moment, until all is sent."""
    mailings.LEASE, mailings.TAKEN = dt.timedelta(seconds=1), 20

    def begun():
        connection.close()
        if getattr(connection, "pool", None):
            connection.close_pool()
        worker = FORK.Process(target=_work, args=(mailing,))
        worker.start()
        return worker

    workers, done = [begun() for _n in range(WORKERS)], 0
    while done < kills and any(worker.is_alive() for worker in workers):
        time.sleep(random.uniform(0.3, 0.9))
        place = done % WORKERS
        if workers[place].is_alive():
            os.kill(workers[place].pid, signal.SIGKILL)
            done += 1
        workers[place].join()
        workers[place] = begun()
    for worker in workers:
        worker.join()
    print(f"{done} workers killed", flush=True)


def measure(count: int, new: int = 200, kills: int = 0) -> None:
    with tempfile.TemporaryDirectory() as name, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port, path = free.getsockname()[1], Path(name) / "got"
        free.close()
        server = FORK.Process(target=_serve, args=(port, path, 0.004 if kills else 0), daemon=True)
        server.start()
        with (
            throw_away(),
            override_settings(EMAIL_BACKEND="ground.smtp.Backend", EMAIL_HOST="127.0.0.1", EMAIL_PORT=port),
        ):
            mailing = _fill(count, new)
            if kills:
                _killed(mailing, kills)
            else:
                _measured(mailing, count)
            wanted = set(mailing.copies.values_list("subscriber__email", flat=True))
            got = collections.Counter(path.read_text().split())
            two, none = sum(n > 1 for n in got.values()), len(wanted - set(got))
            noted = Mailing.objects.aggregate(n=Sum("sent"))["n"]
            print(
                f"{len(got):,} of {len(wanted):,} got it; two: {two}, none: {none}; noted as sent: {noted:,}",
                flush=True,
            )
        server.terminate()
        if two or none or not wanted:
            raise SystemExit(1)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--subscribers", type=int, default=10_000)
    parser.add_argument("--needs", type=int, default=200, help="new needs to tell of (default %(default)s)")
    parser.add_argument("--kill", type=int, default=0, help="workers to kill on the way")
    arguments = parser.parse_args()
    measure(arguments.subscribers, arguments.needs, arguments.kill)
