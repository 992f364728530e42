"""The embedded PostgreSQL: starts, is shared, stops with its last user however that ends, explains itself."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
from django.db import OperationalError, connection

from ground import database
from partners.models import Country
from partners.tables import COUNTRIES
from tests.factories import ContributionFactory, NeedFactory, ProjectFactory

pytestmark = pytest.mark.sql

ROOT = Path(__file__).resolve().parent.parent
USER = """
import sys, time
sys.path.insert(0, {root!r})
from pathlib import Path
from ground import database
print(database.embedded(Path({folder!r}))["HOST"], flush=True)
if {wait}: time.sleep(60)
database.release(Path({folder!r}))
"""


def use(folder: Path, wait: bool) -> subprocess.Popen:
    code = USER.format(root=str(ROOT), folder=str(folder), wait=wait)
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def is_running(folder: Path) -> bool:
    pid_file = folder / "cluster" / "postmaster.pid"
    if not pid_file.exists():
        return False
    try:
        os.kill(int(pid_file.read_text().split()[0]), 0)
    except (ProcessLookupError, IndexError, FileNotFoundError):
        return False
    return True


def until(condition, seconds=15) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_server_is_shared_and_stops_with_its_last_user(tmp_path, how):
    folder = tmp_path / "pg"
    first = use(folder, wait=True)
    assert first.stdout.readline().strip()
    second = use(folder, wait=False)
    assert second.communicate(timeout=30)[0].strip()
    assert is_running(folder)  # the first still uses it
    first.send_signal(how)
    first.communicate(timeout=10)
    assert until(lambda: not is_running(folder))


def test_long_folders_get_a_short_socket(tmp_path):
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    assert len(str(database._socket_folder(deep))) < 100


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (database.DatabaseUnavailable("One line."), "One line."),
        (OperationalError("connection failed: connection to server at\n x refused"), "can't be used"),
        (OperationalError("canceling statement due to statement timeout"), "longer than a minute"),
    ],
)
def test_explanation_is_one_line_that_says_what_to_do(error, words):
    line = database.explain(error)
    assert words in line
    assert "\n" not in line


def manage(*args, **env) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "manage.py", *args],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **env},
        timeout=60,
    )


def test_broken_database_url_ends_in_one_line():
    result = manage("migrate", DATABASE_URL="postgres://nobody@127.0.0.1:1/none")
    assert result.returncode == 1
    assert result.stderr.strip().splitlines()[-1].startswith("Database: DATABASE_URL can't be used")
    assert "Traceback" not in result.stderr


def settings_tell(code: str, **env) -> str:
    """What the settings say in such an environment, without the portal around them."""
    code = f"from ssc_portal.settings import DATABASES; one = DATABASES['default']; print({code})"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=os.environ | env, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_options_in_the_database_url_count():
    url = "postgres://nobody@127.0.0.1:1/none?sslmode=require"
    assert settings_tell("one['OPTIONS']['sslmode']", DATABASE_URL=url) == "require"


def test_taken_port_ends_in_one_line():
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = manage("demo", "--port", str(port))
    assert result.returncode == 1
    assert result.stderr.strip().splitlines() == [
        f"CommandError: Port {port} can't be used ([Errno 98] Address already in use). Choose another one: make demo PORT=8001"
    ]


@pytest.mark.parametrize(
    ("env", "words"),
    [
        ({"DJANGO_SECRET_KEY": ""}, "DJANGO_SECRET_KEY is missing"),
        ({"DJANGO_SECRET_KEY": "x" * 60}, "DJANGO_ALLOWED_HOSTS is missing"),
    ],
)
def test_production_refuses_to_start_incomplete(env, words):
    result = manage("check", DJANGO_DEBUG="0", **env)
    assert result.returncode == 1
    assert words in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.django_db
def test_old_server_is_refused_in_words(monkeypatch):
    monkeypatch.setattr(database, "MINIMUM_VERSION", 99)
    (error,) = database.check_version(None, databases=["default"])
    assert "needs 99 or newer" in error.msg


# --- a pooler in front ---------------------------------------------------------------------------------------------------
@pytest.fixture
def pooler(monkeypatch):
    """As PgBouncer answers a connection that brings settings of a session with it."""

    def connect(**parameters):
        raise psycopg.OperationalError("connection failed: FATAL:  unsupported startup parameter: options")

    monkeypatch.setattr(psycopg, "connect", connect)


def test_a_pooler_that_takes_no_settings_is_refused_at_start_with_a_sentence(pooler):
    with pytest.raises(database.DatabaseUnavailable, match="DATABASE_POOLER=1"):
        database.refuse_pooler()
    assert [error.id for error in database.check_version(None, databases=["default"])] == ["ground.E002"]
    assert "DATABASE_POOLER=1" in database.explain(OperationalError("couldn't get a connection after 10.00 sec"))


def test_a_database_that_is_away_does_not_end_the_start(monkeypatch):
    def connect(**parameters):
        raise psycopg.OperationalError("connection refused")

    monkeypatch.setattr(psycopg, "connect", connect)
    database.refuse_pooler()


@pytest.mark.django_db
def test_behind_a_pooler_the_role_must_have_a_limit_of_time(settings):
    settings.DATABASE_POOLER = True
    assert database.check_version(None, databases=["default"]) == []  # this connection has one
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
    assert [error.id for error in database.check_version(None, databases=["default"])] == ["ground.E003"]


@pytest.mark.parametrize(("given", "wanted"), [("1", "True False"), ("0", "False True")])
def test_behind_a_pooler_no_cursor_outlives_a_transaction_and_no_setting_a_session(given, wanted):
    """Each transaction may get another connection there: a cursor that the server keeps would be gone, or somebody else's."""
    url = "postgres://portal@127.0.0.1:6432/portal"
    code = "one['DISABLE_SERVER_SIDE_CURSORS'], 'options' in one['OPTIONS']"
    assert settings_tell(code, DATABASE_POOLER=given, DATABASE_URL=url) == wanted


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["projects", "needs", "quantities", "tossd", "countries"])
def test_exports_keep_to_that_setting(address, client, monkeypatch):
    def kept_by_the_server():
        raise AssertionError("a cursor that lasts longer than its transaction")

    ContributionFactory(project=ProjectFactory(published=True))
    NeedFactory(in_state="open")
    monkeypatch.setitem(connection.settings_dict, "DISABLE_SERVER_SIDE_CURSORS", True)
    monkeypatch.setattr(connection, "chunked_cursor", kept_by_the_server)
    formats = ["csv", "jsonl", "xlsx", *(["iati", "geojson"] if address == "projects" else [])]
    for one in formats:
        answer = client.get(f"/api/v1/{address}/?format={one}")
        assert answer.status_code == 200
        assert answer.streaming and list(answer.streaming_content)


@pytest.mark.django_db
def test_rows_of_an_export_are_read_in_one_transaction(monkeypatch):
    """Outside of one PostgreSQL would store all of them first, and a pooler lose the cursor."""
    opened = []
    chunked = connection.chunked_cursor
    monkeypatch.setattr(connection, "chunked_cursor", lambda: opened.append(len(connection.savepoint_ids)) or chunked())
    before = len(connection.savepoint_ids)
    assert next(COUNTRIES.rows(Country.objects.all()))
    assert opened == [before + 1]
