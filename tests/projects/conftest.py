"""What several tests of projects need."""

from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from partners.models import User
from projects.interchange.bulk import running
from projects.interchange.iati_import import import_file
from projects.models import ImportRun
from tests.projects.plans import triangular_need


@pytest.fixture
def desk(people):
    return people["desk"]


@pytest.fixture
def bring(media, people):
    """Tries a table, as text of CSV or as bytes of a workbook; `write` carries it out."""

    def bring(kind, content, *, by="desk", write=True, only_good=False, name=None):
        data = content.encode() if isinstance(content, str) else content
        name = name or ("t.csv" if isinstance(content, str) else "t.xlsx")
        run = ImportRun(kind=kind, file_name=name, started_by=people[by], only_good=only_good)
        run.file.save(name, SimpleUploadedFile(name, data), save=False)
        running.carry_out(run, dry_run=True)
        if write and run.progress == "waiting":
            running.carry_out(run, dry_run=False)
        return run

    return bring


@pytest.fixture
def triangular(people):
    return triangular_need(people)


@pytest.fixture
def system(db):
    """Who imports where nobody presses a button."""
    return User.objects.system()


@pytest.fixture
def write(tmp_path):
    """Puts a file on the disk; gives its path."""

    def do(content: bytes, name="file.xml") -> Path:
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return do


@pytest.fixture
def read(write, system):
    """Imports a file; gives its run."""

    def do(content: bytes, name="file.xml", **kwargs) -> ImportRun:
        return import_file(write(content, name), by=system, **kwargs)

    return do
