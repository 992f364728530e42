"""Needs of countries from a table, one statement a row: they arrive as drafts of the country, with their source.

Columns: need_id, iso3, kind (capacity or technology), sector, subsector, question, text. A text with "|" between its
parts becomes one line item for each. What a person has to add before the country can endorse it is reported row by row.
"""

import csv
import io
from dataclasses import dataclass, field
from pathlib import Path

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from ground.incoming import check_value
from ground.signs import NUL
from partners.models import Country
from projects.choices import NeedKind, Source
from projects.interchange.cleaning import clean
from projects.lifecycle import quietly, write_down
from projects.models import ImportRun, LineItem, Need, NeedTerm, Term

COLUMNS = ("need_id", "iso3", "kind", "sector", "subsector", "question", "text")
LONGEST_KEY, LONGEST_LINE, MOST_LINES = 100, 300, 40
LONGEST = {"title": 200, "gap": 8000, "source_note": 300}

# Sectors of the contributions (Climate Watch) -> thematic areas of the Bali Strategic Plan. Others: a person chooses.
THEMES = {
    "Water": "freshwater", "Agriculture": "food-security", "Energy": "energy", "Waste": "waste", "Urban": "urban",
    "LULUCF/Forestry": "forests", "Disaster Risk Management (DRM)": "emergencies", "Coastal Zone": "oceans",
    "Health": "environmental-health", "Social Development": "poverty", "Tourism": "ecotourism",
}  # fmt: skip


class Unreadable(Exception):
    """The table can't be read; the message says why and what to do."""


@dataclass
class Report:
    """What came of a table: counts, and findings as (row, key, what to do)."""

    created: int = 0
    present: int = 0
    rejected: int = 0
    findings: list[tuple[int, str, str]] = field(default_factory=list)


def read_table(path: Path, columns: tuple[str, ...] = COLUMNS) -> list[dict]:
    """The rows of a CSV file in UTF-8 that has these columns. Raises Unreadable."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise Unreadable(_("There is no such file: %(path)s") % {"path": path}) from None
    except OSError as error:
        raise Unreadable(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise Unreadable(_("%(path)s is not a text in UTF-8. Save it as “CSV UTF-8”.") % {"path": path}) from None
    if NUL in text:
        raise Unreadable(f"{path}: " + _("There is a NUL sign in it. Take it out."))
    rows = csv.DictReader(io.StringIO(text, newline=""))
    if missing := [name for name in columns if name not in (rows.fieldnames or [])]:
        raise Unreadable(_("%(path)s has no column %(names)s.") % {"path": path, "names": ", ".join(missing)})
    try:
        return list(rows)
    except csv.Error as error:
        raise Unreadable(f"{path}: {error}") from None


@transaction.atomic
def import_needs(rows: list[dict], *, by, source: str, run: ImportRun) -> Report:
    """Makes a draft of each row that is not here yet; those that are stay as somebody may have edited them. A trial run is not kept."""
    if not run.is_dry_run:
        run.save()
    report, seen = Report(findings=_unread(rows)), {}
    countries = {country.iso3: country for country in Country.objects.all()}
    themes = {term.code: term for term in Term.objects.themes()}
    transfer = Term.objects.get(vocabulary="assistance", code="technology-transfer")
    present = set(Need.objects.exclude(source_key=None).values_list("source_key", flat=True))
    for number, row in enumerate(rows, start=2):  # as in a spreadsheet, where row 1 has the names
        key = (row["need_id"] or "").strip()
        country, kind = countries.get((row["iso3"] or "").strip().upper()), (row["kind"] or "").strip()
        lines = _lines(row["text"])
        problem = _error_in(row) or (
            _("It has no need_id.") if not key
            else _("Its need_id is longer than %(n)s characters.") % {"n": LONGEST_KEY} if len(key) > LONGEST_KEY
            else _("There is no country %(code)s.") % {"code": (row["iso3"] or "")[:20]} if country is None
            else _("Its kind is neither capacity nor technology.") if kind not in NeedKind.values
            else _("It says nothing.") if not lines
            else ""
        )  # fmt: skip
        if problem:
            report.rejected += 1
            report.findings.append((number, key[:LONGEST_KEY], problem))
            continue
        if key in present:
            report.present += 1
            if key in seen and row != rows[seen[key] - 2]:
                text = _("Row %(n)s has the same need_id, so this row was not taken. Give it a need_id of its own.")
                report.findings.append((number, key, text % {"n": seen[key]}))
            continue
        present.add(key)
        seen[key] = number
        report.created += 1
        report.findings += [(number, key, text) for text in _to_do(row, lines, source)]
        if not run.is_dry_run:
            _make(row, key, country, lines, themes, transfer, by, source, run)
    _end(run, report)
    return report


def _end(run: ImportRun, report: Report) -> None:
    run.done, run.created, run.unchanged, run.rejected = (
        report.created + report.present + report.rejected, report.created, report.present, report.rejected,
    )  # fmt: skip
    run.progress, run.percent, run.finished_at = ImportRun.Progress.DONE, 100, timezone.now()
    if not run.is_dry_run:
        run.save()


def _error_in(row: dict) -> str:
    """The first cell that holds an error of the spreadsheet instead of a value."""
    for name in COLUMNS:
        try:
            check_value((row[name] or "").strip())
        except ValueError as error:
            return f"{name}: {error}"
    return ""


def _lines(text: str | None) -> list[str]:
    parts = [clean(part)[0].strip(" ;,") for part in (text or "").split("|")]
    return list(dict.fromkeys(part for part in parts if part))


def _unread(rows: list[dict]) -> list[tuple[int, str, str]]:
    """What of the table is not read: columns that are not known here, cells beside the columns."""
    known = (*COLUMNS, None)
    names = dict.fromkeys(
        name for row in rows for name, text in row.items() if name not in known and (text or "").strip()
    )
    found = [(1, "", _("The column “%(name)s” is not read.") % {"name": name}) for name in names]
    beside = (
        (number, [text for text in row.get(None) or [] if text.strip()]) for number, row in enumerate(rows, start=2)
    )
    return found + [
        (number, "", _("It has more cells than there are columns; not read: %(texts)s") % {"texts": "; ".join(texts)[:200]})
        for number, texts in beside if texts
    ]  # fmt: skip


def _to_do(row: dict, lines: list[str], source: str) -> list[str]:
    """What a person has to add or check."""
    found = [_("Text %(done)s.") % {"done": done} for done in [clean(row["text"])[1]] if done]
    found += [_("Give each of its %(n)s lines a quantity, unit and date.") % {"n": min(len(lines), MOST_LINES)}]
    if row["kind"].strip() == NeedKind.CAPACITY:
        found.append(_("Choose the kinds of help."))
    if row["sector"] not in THEMES:
        found.append(
            _("Its sector “%(sector)s” has no thematic area; choose one beside climate change.")
            % {"sector": row["sector"]}
        )
    found += [
        _("A line of %(n)s characters was cut to 300; the whole stands under what is missing.") % {"n": len(line)}
        for line in lines[:MOST_LINES]
        if len(line) > LONGEST_LINE
    ]
    if len(lines) > MOST_LINES:
        found.append(
            _("The first %(most)s of its %(n)s lines became lines; the others stand under what is missing.")
            % {"most": MOST_LINES, "n": len(lines)}
        )
    found += [
        _("What stands in “%(name)s” was cut after %(n)s characters: “%(text)s”.")
        % {"name": Need._meta.get_field(name).verbose_name, "n": most, "text": f"…{text[most - 40 : most]}"}
        for name, most in LONGEST.items()
        if len(text := _texts(row, lines, source)[name]) > most
    ]
    return found


def _texts(row: dict, lines: list[str], source: str) -> dict[str, str]:
    """What the row says in words, whole."""
    sector = ", ".join(dict.fromkeys(filter(None, (row["sector"], row["subsector"]))))
    what = {"capacity": "Capacity", "technology": "Technology"}[row["kind"].strip()]
    return {
        "title": f"{what} for the climate contribution: {sector}",
        "gap": "\n".join(lines),
        "source_note": f"{source}; {row['question']}",
    }


@transaction.atomic
def _make(row, key, country, lines, themes, transfer, by, source, run) -> None:
    texts = {name: text[: LONGEST[name]] for name, text in _texts(row, lines, source).items()}
    need = Need(
        country=country, kind=row["kind"].strip(), national_plan="Nationally determined contribution", source=Source.IMPORTED,
        source_key=key, import_run=run, created_by=by, **texts,
    )  # fmt: skip
    need.full_clean(exclude=["reference"])
    need.save()
    codes = ["climate", *filter(None, [THEMES.get(row["sector"])])]
    NeedTerm.objects.bulk_create(NeedTerm(need=need, term=themes[code]) for code in dict.fromkeys(codes))
    for place, text in enumerate(lines[:MOST_LINES]):
        LineItem.objects.create(
            need=need, position=place, text=text[:LONGEST_LINE],
            assistance=transfer if row["kind"].strip() == NeedKind.TECHNOLOGY else None,
        )  # fmt: skip
    with quietly():
        write_down(need, "import", by=by, note=key)
