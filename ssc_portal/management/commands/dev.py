"""What `make dev` runs: the site, which starts anew with each change of code, and its workers; catalogues are compiled when they change."""

import os
import subprocess
import sys
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from django.conf import settings
from django.core.management import call_command
from django.core.management.commands import runserver
from django.utils import autoreload

from ground import database


class Command(runserver.Command):
    help = "Serves the demonstration to somebody who changes the code: what is changed is there at the next request."

    def handle(self, *args, **options):
        if os.environ.get(autoreload.DJANGO_AUTORELOAD_ENV):  # the process that starts anew with each change
            self._start_workers()
            autoreload.autoreload_started.connect(watch_catalogues)
            autoreload.file_changed.connect(compile_catalogue)
            super().handle(*args, **options)
            return
        call_command("migrate", verbosity=0, interactive=False)
        call_command("load_reference", if_changed=True, stdout=self.stdout)
        call_command("load_demonstration", stdout=self.stdout)
        self.stdout.flush()
        try:
            super().handle(*args, **options)
        finally:
            if not os.environ.get("DATABASE_URL"):
                database.release(settings.EMBEDDED_DATABASE)

    def _start_workers(self) -> None:
        """They end with this process and start with the next, so that they too know the code as it is."""
        command = [sys.executable, "manage.py", "run_workers", "--below", str(os.getpid())]
        subprocess.Popen(command, cwd=settings.BASE_DIR)  # noqa: S603


def watch_catalogues(sender, **kwargs) -> None:
    for folder in settings.LOCALE_PATHS:
        sender.watch_dir(folder, "**/*.po")


def compile_catalogue(sender, file_path: Path, **kwargs) -> bool:
    """True where a change is done with: Django reads the compiled catalogue anew by itself."""
    if file_path.suffix != ".po":
        return False
    with file_path.open("rb") as source, file_path.with_suffix(".mo").open("wb") as compiled:
        write_mo(compiled, read_po(source))
    return True
