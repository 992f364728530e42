"""How fast IATI activities and tables are imported, imported again unchanged, tables undone; how much memory the reader takes."""

import io
import resource
import tempfile
import time
from pathlib import Path

from django.core.files.base import ContentFile
from django.core.management import call_command
from django.test import override_settings

from benchmarks.database import throw_away
from partners.choices import Role
from partners.models import Membership, Partner, User
from projects.interchange.bulk import running
from projects.interchange.iati_import import import_file
from projects.interchange.iati_reader import read_activities
from projects.models import ImportRun
from projects.models.importing import ImportKind

ACTIVITY = """<iati-activity xml:lang="en" default-currency="USD"><iati-identifier>XX-{n}</iati-identifier>
<reporting-org ref="XM-DAC-41114" type="40"><narrative>UNDP</narrative></reporting-org><title><narrative>Wells and forests {n}</narrative></title>
<description><narrative>{text}</narrative></description><participating-org ref="XM-DAC-41301" role="4"/><activity-status code="2"/>
<activity-date type="1" iso-date="2024-01-01"/><recipient-country code="KE" percentage="60"/><recipient-country code="UG" percentage="40"/>
<sector code="41030" percentage="100"/>{money}</iati-activity>"""
MONEY = '<transaction><transaction-type code="3"/><transaction-date iso-date="2024-0{m}-01"/><value>1000</value></transaction>'


def _file(folder: Path, count: int) -> Path:
    path = folder / f"{count}.xml"
    money = "".join(MONEY.format(m=m) for m in range(1, 9))
    with path.open("w", encoding="utf-8") as file:
        file.write('<iati-activities version="2.03">')
        for n in range(count):
            file.write(ACTIVITY.format(n=n, text="Plain words about water. " * 40, money=money))
        file.write("</iati-activities>")
    return path


def _tables(count: int) -> None:
    """A table of projects: tried, carried out, brought in again unchanged, undone."""
    by = User.objects.system()
    Membership.objects.create(user=by, role=Role.DESK, partner=Partner.objects.unep())
    head = "iati_identifier,title,summary,status,countries,partners,terms"
    rows = [f"T-{n},Wells {n},Two towns.,2,BRA:provider; KEN,undp:1,bsp-theme:freshwater" for n in range(count)]
    content = "\n".join([head, *rows]).encode()
    with tempfile.TemporaryDirectory() as media, override_settings(MEDIA_ROOT=media):

        def brought() -> ImportRun:
            run = ImportRun(kind=ImportKind.PROJECTS, file_name="t.csv", started_by=by)
            run.file.save("t.csv", ContentFile(content), save=False)
            run.save()
            return run

        def timed(what: str, act) -> None:
            start = time.perf_counter()
            act()
            print(
                f"table of {count:,} projects, {what}: {count / (time.perf_counter() - start):.0f} a second", flush=True
            )

        first, second = brought(), brought()
        timed("tried", lambda: running.carry_out(first, dry_run=True))
        timed("carried out", lambda: running.carry_out(first, dry_run=False))
        if first.created != count:
            raise SystemExit(f"{first.created} of {count} came in: {first.message}")
        timed("unchanged", lambda: running.carry_out(second, dry_run=True))
        timed("undone", lambda: running.undo(first, by=by))


def measure(count: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        path = _file(Path(name), count)
        with throw_away():
            call_command("load_reference", stdout=io.StringIO())
            by = User.objects.system()
            for what in ("new", "unchanged"):
                start = time.perf_counter()
                run = import_file(path, by=by)
                seconds = time.perf_counter() - start
                print(f"import {run.done:,} {what} activities: {run.done / seconds:.0f} a second", flush=True)
            _tables(count)
        large = _file(Path(name), 50_000)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        start = time.perf_counter()
        read = sum(1 for _activity in read_activities(large))
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
        size = large.stat().st_size / 1024**2
        print(
            f"read {read:,} activities ({size:.0f} MB): {read / (time.perf_counter() - start):.0f} a second, {grown:.1f} MB more memory at the peak",
            flush=True,
        )
