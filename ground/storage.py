"""Files that were sent to us: kept whole or not at all, also on a disk that is full."""

import errno
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

import psycopg
from django.core.files.storage import FileSystemStorage
from django.db import transaction
from django.db.models.fields.files import FieldFile

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # no room, none left to us, none for a file of this size
log = logging.getLogger(__name__)


class Media(FileSystemStorage):
    """A file gets its name when all of it is written: whoever finds it finds all of it."""

    def _save(self, name, content):
        part = str(Path(name).with_name(f".{uuid4().hex}.part"))
        try:
            super()._save(part, content)
            name = self._reserve(name)
            Path(self.path(part)).replace(self.path(name))
        except BaseException:
            self.delete(part)
            raise
        return name

    def _reserve(self, name: str) -> str:
        """This name, or another one where it was taken a moment ago."""
        while True:
            try:
                os.close(os.open(self.path(name), os.O_CREAT | os.O_EXCL, 0o600))
                return name
            except FileExistsError:
                name = self.get_available_name(name)


@contextmanager
def kept_with_its_row(record, name: str = "file") -> Iterator[None]:
    """Removes the file again where the row that names it is not written in the end."""
    before = getattr(record, name).name if record.pk else None
    try:
        yield
    except BaseException:
        file = getattr(record, name)
        if file and file._committed and file.name != before:
            with suppress(OSError):
                file.storage.delete(file.name)
        raise


def remove_with_its_row(file: FieldFile) -> None:
    """Removes a file once it is certain that the row that names it is gone."""
    storage, name = file.storage, file.name
    if name:
        transaction.on_commit(lambda: storage.delete(name))


def led_up_to(error: BaseException | None) -> Iterator[BaseException]:
    """The error and those that it came from: libraries raise errors of their own over those of disk and database."""
    seen = set()  # an error can lead back to itself
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def is_full(error: BaseException | None) -> bool:
    """Whether a disk had no room left: for a file, or for PostgreSQL."""
    return any(
        isinstance(one, psycopg.errors.DiskFull) or (isinstance(one, OSError) and one.errno in FULL)
        for one in led_up_to(error)
    )


def tell_keepers(error: BaseException) -> None:
    log.error("No room is left on a disk: %s", error, exc_info=error)
