"""The database that tests run on: migrated and filled with reference data once, then copied for each worker.

Making it takes twenty seconds, a copy half of one. It is made anew when a file that it was made from has changed.
"""

import fcntl
import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import connection

ROOT = Path(__file__).resolve().parent.parent
PREFIX = "prepared_"
MADE_FROM = (
    "requirements.txt",
    "fixtures/reference/**/*",
    "ssc_portal/settings.py",
    "ssc_portal/management/commands/load_reference.py",
    "tests/prepared_database.py",
    *(
        f"{app}/{pattern}"
        for app in ("partners", "projects", "outreach")
        for pattern in ("apps.py", "choices.py", "reference.py", "vocabularies.py", "models/*.py", "migrations/*.py")
    ),
    "projects/matching/*.py",  # the thesaurus
)


def copy_prepared() -> str:
    """Gives the connection a database of its own, a copy of the prepared one. Returns the name that it had before."""
    before, name = connection.settings_dict["NAME"], connection.creation._get_test_db_name()
    with _alone():
        template = _prepared()
        with connection._nodb_cursor() as cursor:
            cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    _connect_to(name)
    return before


def drop_copy(before: str) -> None:
    """Drops the copy and points the connection back to where it was."""
    name = connection.settings_dict["NAME"]
    _connect_to(before)
    with connection._nodb_cursor() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _prepared() -> str:
    """The name of the prepared database, which is made where it is not there. Older ones go."""
    wanted = PREFIX + _mark_of_files()
    with connection._nodb_cursor() as cursor:
        cursor.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [PREFIX])
        there = {name for (name,) in cursor.fetchall()}
        if wanted in there:
            return wanted
        for name in there:
            cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        making = PREFIX + "in_making"
        cursor.execute(f'CREATE DATABASE "{making}" TEMPLATE template0')
    before = connection.settings_dict["NAME"]
    _connect_to(making)
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
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT EXISTS (SELECT FROM public."{table}")')  # noqa: S608
            if cursor.fetchone()[0] and table != "django_migrations":
                cursor.execute(f'CREATE TABLE kept."{table}" AS TABLE public."{table}"')


def put_back() -> None:
    """Fills the tables from the copy, without triggers and checks, since all of it was right when it was copied."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'kept'")
        tables = [table for (table,) in cursor.fetchall()]
        # Django's clean-up leaves what it does not manage: jobs that another test queued would be done in this one.
        cursor.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename LIKE 'procrastinate%'"
        )
        emptied = tables + [table for (table,) in cursor.fetchall()]
        cursor.execute("TRUNCATE {} CASCADE".format(", ".join(f'public."{table}"' for table in emptied)))
        for table in tables:
            cursor.execute(f'INSERT INTO public."{table}" OVERRIDING SYSTEM VALUE TABLE kept."{table}"')
        cursor.execute("SET session_replication_role = origin")
