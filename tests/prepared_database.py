"""The database that tests run on: migrated and filled with reference data once, then copied for each worker.

Making it takes ten seconds, a copy half of one. It is made anew when a file that it was made from has changed, and so are
the copies, which stay from run to run.
"""

import fcntl
import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import OperationalError, connection, transaction

from tests.quick_migrations import quick_migrations

ROOT = Path(__file__).resolve().parent.parent
PREFIX = "prepared_"
MADE_FROM = (
    "requirements.txt",
    "fixtures/reference/**/*",
    "ssc_portal/settings.py",
    "ssc_portal/management/commands/load_reference.py",
    "tests/prepared_database.py",
    "tests/quick_migrations.py",
    *(
        f"{app}/{pattern}"
        for app in ("partners", "projects", "outreach")
        for pattern in ("apps.py", "choices.py", "reference.py", "vocabularies.py", "models/*.py", "migrations/*.py")
    ),
    "projects/matching/*.py",  # the thesaurus
)


def use_copy() -> str:
    """Gives the connection a database of its own, a copy of the prepared one: that of the run before, put back, where it is
    of the same files. Returns the name that it had before."""
    before, name = connection.settings_dict["NAME"], connection.creation._get_test_db_name()
    with _alone():
        template = _prepared()
        with connection._nodb_cursor() as cursor:
            cursor.execute("SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s", [name])
            found = cursor.fetchone()
            if is_new := found != (template,):
                cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
                cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
                # Nobody misses what a crash of the machine takes from a test. Programs that tests start are told so too.
                cursor.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = off')
                cursor.execute(f"COMMENT ON DATABASE \"{name}\" IS '{template}'")
            else:
                cursor.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
    _connect_to(name)
    if not is_new:
        put_back()
    return before


def leave_copy(before: str) -> None:
    """Points the connection back to where it was. The copy stays for the next run: dropping it waits for the disk."""
    _connect_to(before)


def _prepared() -> str:
    """The name of the prepared database, which is made where it is not there. Older ones go."""
    wanted = PREFIX + _mark_of_files()
    with connection._nodb_cursor() as cursor:
        cursor.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [PREFIX])
        there = {name for (name,) in cursor.fetchall()}
        if wanted in there:
            return wanted
        cursor.execute(
            "SELECT datname FROM pg_database WHERE starts_with(shobj_description(oid, 'pg_database'), %s)", [PREFIX]
        )
        for name in there | {name for (name,) in cursor.fetchall()}:
            cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        making = PREFIX + "in_making"
        cursor.execute(f'CREATE DATABASE "{making}" TEMPLATE template0')
        cursor.execute(f'ALTER DATABASE "{making}" SET synchronous_commit = off')
    before = connection.settings_dict["NAME"]
    _connect_to(making)
    with quick_migrations():
        call_command("migrate", verbosity=0, interactive=False)
    call_command("load_reference", verbosity=0, stdout=io.StringIO())
    _keep_a_copy()
    _connect_to(before)
    with connection._nodb_cursor() as cursor:
        cursor.execute(f'ALTER DATABASE "{making}" RENAME TO "{wanted}"')
    return wanted


def _connect_to(name: str) -> None:
    connection.close()
    connection.close_pool()
    connection.settings_dict["NAME"] = settings.DATABASES["default"]["NAME"] = name


@contextmanager
def _alone() -> Iterator[None]:
    """One worker at a time: the first makes it, the others wait; a database is copied while nobody else looks at it."""
    settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
    with (settings.DATA_DIR / "tests.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _mark_of_files() -> str:
    found = hashlib.sha256()
    for path in sorted({path for pattern in MADE_FROM for path in ROOT.glob(pattern) if path.is_file()}):
        found.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    return found.hexdigest()[:16]


def _keep_a_copy() -> None:
    """Copies every filled table aside: putting them back takes a moment, loading the reference data anew takes seconds."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA kept")
        cursor.execute("CREATE TABLE kept.tables (name text, rows bigint)")
        for table in connection.introspection.table_names(cursor):
            if table == "django_migrations":
                continue
            cursor.execute(f'SELECT count(*) FROM public."{table}"')  # noqa: S608
            [rows] = cursor.fetchone()
            cursor.execute("INSERT INTO kept.tables VALUES (%s, %s)", [table, rows])
            if rows:
                cursor.execute(f'CREATE TABLE kept."{table}" AS TABLE public."{table}"')
        cursor.execute("CREATE TABLE kept.since (transaction bigint)")
        _remember_moment(cursor)


def put_back() -> None:
    """Makes every table what it was when it was prepared, the queue too."""
    for _attempt in range(3):
        connection.close()  # as a test left it
        # A server that still answers may hold what is to be removed, and wait for what was.
        with suppress(OperationalError):
            _put_back()
            return
    raise AssertionError("The database could not be put back: somebody goes on writing.")


def _put_back() -> None:
    """Only those tables are touched that were written to since: they have other rows than then or one of a later transaction."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT transaction FROM kept.since")
        [since] = cursor.fetchone()
        cursor.execute("SELECT name, rows FROM kept.tables")
        kept = dict(cursor.fetchall())
        cursor.execute(
            " UNION ALL ".join(
                f"SELECT '{table}' FROM public.\"{table}\" HAVING count(*) <> {rows} OR max(xmin::text::bigint) >= {since}"  # noqa: S608
                for table, rows in kept.items()
            )
        )
        written = [table for (table,) in cursor.fetchall()]
        if not written:
            return
        # Without triggers and checks, since all of it was right when it was copied.
        steps = ["SET LOCAL session_replication_role = replica"]
        for table in written:
            steps.append(f'DELETE FROM public."{table}"')  # noqa: S608
            if kept[table]:
                steps.append(f'INSERT INTO public."{table}" OVERRIDING SYSTEM VALUE TABLE kept."{table}"')
        cursor.execute("; ".join(steps))
    with connection.cursor() as cursor:
        _remember_moment(cursor)


def _remember_moment(cursor) -> None:
    """Whatever is written from now on is written by this transaction or a later one. Those count that are still under way."""
    cursor.execute("DELETE FROM kept.since")
    cursor.execute(
        "INSERT INTO kept.since SELECT (pg_snapshot_xmin(pg_current_snapshot())::text::bigint % (2 ^ 32)::bigint)"
    )
