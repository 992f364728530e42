"""The guide to the API: every block of it runs as it stands, against a running portal."""

import datetime as dt
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.utils import timezone

from partners.models import ApiToken, Country
from projects.choices import NeedState
from projects.models import Need
from tests.factories import ContributionFactory, MembershipFactory, NeedFactory, ProjectFactory, UserFactory

GUIDE = Path(__file__).resolve().parent.parent / "docs" / "api-guide.md"
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", GUIDE.read_text(), re.DOTALL | re.MULTILINE)
PROGRAMS = {
    "sh": ("curl", ["bash", "-euo", "pipefail", "-c"]),
    "python": (sys.executable, [sys.executable, "-W", "error", "-c"]),
    "r": ("Rscript", ["Rscript", "-e"]),
}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("language", "code"), BLOCKS, ids=[f"{n}-{language}" for n, (language, _code) in enumerate(BLOCKS)]
)
def test_every_block_of_the_guide_runs(language, code, live_server, reference_again, tmp_path):
    program, command = PROGRAMS[language]
    if shutil.which(program) is None and os.environ.get("BROWSER_TESTS") != "required":  # in CI nothing is left out
        pytest.skip(f"needs {program}")
    ContributionFactory(project=ProjectFactory(published=True))
    NeedFactory(in_state=NeedState.OPEN)
    person = UserFactory()
    MembershipFactory(user=person, role="contributor", country=Country.objects.get(iso3="KEN"), partner=None)
    until = timezone.localdate() + dt.timedelta(days=1)
    _token, secret = ApiToken.objects.make(person, name="guide", scope="write", expires_on=until)
    before = Need.objects.count()
    done = subprocess.run(
        [*command, code], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
        env={"PATH": os.environ["PATH"], "PORTAL": live_server.url, "TOKEN": secret, "LANG": "C.UTF-8"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.strip(), "a block shows something"
    if "TOKEN" in code:
        assert Need.objects.count() == before + 1


def test_the_guide_speaks_to_everybody():
    assert {language for language, _code in BLOCKS} == set(PROGRAMS)
