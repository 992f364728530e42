"""What the change feed costs whoever writes: the same moves and saves with its triggers and without, by turns, in one run."""

import io
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout

from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction

from benchmarks.database import throw_away
from partners.models import Change, Country, User
from projects.demonstration import load_accounts
from projects.lifecycle import transition
from projects.models import Need, Project, Update

TRIGGERS = """
SELECT c.relname, t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
WHERE NOT t.tgisinternal AND (t.tgname LIKE 'pgtrigger\\_touch\\_on\\_%' OR t.tgname LIKE 'pgtrigger\\_tell\\_at\\_commit\\_%')
"""


def measure(size: int, runs: int) -> None:
    """One line for each kind of write: median ms without the feed, with it, the difference."""
    settings.DEBUG = True  # demonstration accounts exist in development only
    with throw_away():
        with redirect_stdout(io.StringIO()):
            call_command("load_reference")
            load_accounts()
            call_command("generate_records", projects=size, verbosity=0)
            call_command("generate_needs", needs=size, verbosity=0)
        settings.DEBUG = False
        for name, write in _writes():
            without, told = _by_turns(write, runs)
            print(f"{size:>9,} {name:<44} {without:>8.1f} ms without the feed, {told:>8.1f} ms with it ({told - without:+.1f})", flush=True)  # fmt: skip


def _writes() -> list[tuple[str, Callable]]:
    by = User.objects.get(email="publisher@example.org")
    desk = User.objects.get(email="desk@example.org")
    project = Project.objects.published().order_by("pk").first()
    need = Need.objects.filter(state="open").order_by("pk").first()
    kenya = Country.objects.get(iso3="KEN")
    many = list(Project.objects.published().order_by("pk").values_list("pk", flat=True)[:100])

    def save(record, field: str) -> None:
        setattr(record, field, f"{time.perf_counter_ns()}")
        record.save()

    def unpublish_and_publish() -> None:
        transition(project, "unpublish", by=by, note="Measured")
        transition(project, "publish", by=by)

    def hold_and_resume() -> None:
        transition(need, "hold", by=desk, note="Measured")
        transition(need, "resume", by=desk)

    return [
        ("a public text of a project is saved", lambda: save(project, "title")),
        ("a private text of a need is saved", lambda: save(need, "problem")),
        ("a project gets news", lambda: Update.objects.create(project=project, text="News")),
        ("a project is unpublished and published", unpublish_and_publish),
        ("a need is put on hold and goes on", hold_and_resume),
        ("100 projects get a title in one statement", lambda: Project.objects.filter(pk__in=many).update(title=f"{time.perf_counter_ns()}")),
        ("a country that many records name is renamed", lambda: save(kenya, "name_en")),
    ]  # fmt: skip


def _by_turns(write: Callable, runs: int) -> tuple[float, float]:
    """Median ms without the feed and with it, each write in a transaction of its own."""
    times: dict[bool, list[float]] = {False: [], True: []}
    for n in range(2 * (runs + 1)):
        is_told = n % 2 == 1
        with _feed(is_on=is_told):
            before = Change.objects.last_number()
            start = time.perf_counter()
            with transaction.atomic():
                write()
            if n > 1:  # the first of each kind makes plans
                times[is_told].append((time.perf_counter() - start) * 1000)
            if not is_told and Change.objects.last_number() != before:
                raise SystemExit("The feed was not off.")
    return statistics.median(times[False]), statistics.median(times[True])


@contextmanager
def _feed(*, is_on: bool) -> Iterator[None]:
    if not is_on:
        _turn("DISABLE")
    try:
        yield
    finally:
        if not is_on:
            _turn("ENABLE")


def _turn(verb: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(TRIGGERS)
        for table, trigger in cursor.fetchall():
            cursor.execute(f'ALTER TABLE {table} {verb} TRIGGER "{trigger}"')
