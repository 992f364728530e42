"""Everything that `make demo` needs after the environment: database, data, accounts, web server and worker."""

import os
import signal
import socket
import subprocess
import sys
import time

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from ground import database


class Command(BaseCommand):
    help = "Migrates, loads reference data and the demonstration set, then serves the site and the worker until Ctrl-C."

    def add_arguments(self, parser):
        parser.add_argument("--port", type=int, default=8000)

    def handle(self, *args, port, **options):
        self._check_port(port)
        self.stdout.write("Preparing the database ...")
        call_command("migrate", verbosity=0, interactive=False)
        call_command("load_reference", if_changed=True, stdout=self.stdout)
        call_command("load_demonstration", stdout=self.stdout)
        call_command("write_open_data", if_missing=True, stdout=self.stdout)
        self.stdout.flush()
        self._close_connections()
        self._serve(port)

    def _check_port(self, port: int) -> None:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except (OSError, OverflowError) as error:
                raise CommandError(
                    f"Port {port} can't be used ({error}). Choose another one: make demo PORT=8001"
                ) from error

    def _close_connections(self) -> None:
        from django.db import connections

        for connection in connections.all():
            connection.close()
            if getattr(connection, "pool", None):
                connection.close_pool()

    def _serve(self, port: int) -> None:
        commands = {
            "web": [
                sys.executable,
                "-m",
                "gunicorn",
                "ssc_portal.wsgi",
                "--bind",
                f"127.0.0.1:{port}",
                "--workers",
                "2",
            ]
            + ["--threads", "4", "--log-level", "warning", "--limit-request-line", "8190"],
            "worker": [sys.executable, "manage.py", "run_workers"],
        }
        os.environ.setdefault("PORTAL_URL", f"http://127.0.0.1:{port}")  # for the links in mail
        # Children are in groups of their own: Ctrl-C reaches this process, which ends them in order.
        running = {
            name: subprocess.Popen(command, cwd=settings.BASE_DIR, start_new_session=True)  # noqa: S603
            for name, command in commands.items()
        }
        stop = []
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: stop.append(True))
        self.stdout.write(self.style.SUCCESS(f"\nThe portal is at http://127.0.0.1:{port}/   (Ctrl-C ends it)"))
        self.stdout.flush()
        failed = None
        while not stop and not failed:
            time.sleep(0.2)
            failed = next((name for name, process in running.items() if process.poll() is not None), None)
        self._end(running)
        if not os.environ.get("DATABASE_URL"):
            database.release(settings.EMBEDDED_DATABASE)
        if failed:
            raise CommandError(
                f"The {failed} process ended with status {running[failed].returncode}; the lines above say why."
            )
        self.stdout.write("Ended. What you entered is kept.")

    def _end(self, running: dict[str, subprocess.Popen]) -> None:
        for process in running.values():
            if process.poll() is None:
                process.terminate()
        for process in running.values():
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
