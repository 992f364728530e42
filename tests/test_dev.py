"""`make dev`: for who changes the code, and for nobody else."""

import gettext
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from ssc_portal.management.commands.dev import compile_catalogue
from tests.test_repository import ROOT

PRODUCTION = {"DJANGO_SECRET_KEY": "x" * 50, "DJANGO_ALLOWED_HOSTS": "example.org"}


@pytest.mark.parametrize(("debug", "asked", "is_there"), [("1", "1", True), ("1", "0", False), ("0", "1", False)])
def test_the_toolbar_is_there_only_where_it_was_asked_for_and_never_in_production(debug, asked, is_there):
    code = "from django.conf import settings as s; print('debug_toolbar' in s.INSTALLED_APPS, any('debug_toolbar' in m for m in s.MIDDLEWARE))"
    environment = {**os.environ, **PRODUCTION, "DJANGO_DEBUG": debug, "DEBUG_TOOLBAR": asked}
    environment |= {
        "DJANGO_SETTINGS_MODULE": "ssc_portal.settings",
        "DATABASE_URL": "postgres://nobody@127.0.0.1:1/none",
    }
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert ran.stdout.split() == [str(is_there)] * 2


def test_tests_run_without_the_toolbar():
    assert not settings.TOOLBAR


def test_a_catalogue_that_changed_is_compiled_and_nothing_starts_anew(tmp_path):
    path = tmp_path / "django.po"
    path.write_text('msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\nmsgid "Need"\nmsgstr "Besoin"\n')
    assert compile_catalogue(None, file_path=path)
    with path.with_suffix(".mo").open("rb") as compiled:
        assert gettext.GNUTranslations(compiled).gettext("Need") == "Besoin"
    assert not compile_catalogue(None, file_path=Path("projects/views.py"))
