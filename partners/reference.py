"""Writing what a source says without losing what people edited since.

Used by `load_reference` for vocabularies and by the IATI import for projects: both remember what they last wrote to a
record, and change a field only where it still holds that.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path

from django.core.exceptions import ValidationError
from django.db import models, transaction

from partners.models import Country, CountryGroup, GroupMember, Partner, PartnerCountry, ReferenceValue, Region

FOLDER = Path(__file__).resolve().parent.parent / "fixtures" / "reference"


@dataclass
class Merge:
    """What to do with one record's fields: the values to write, and those that people hold against the source."""

    updates: dict = field(default_factory=dict)
    conflicts: dict = field(default_factory=dict)  # field -> (present value, value of the source)


def merge(present: dict, last_written: dict, incoming: dict) -> Merge:
    """Three-way comparison, field by field.

    A field that still holds what the source wrote last follows the source. One that a person changed since stays, and is
    a conflict where the source now says something else than before.
    """
    result = Merge()
    for name, new in incoming.items():
        now = present.get(name)
        if _same(now, new):
            continue
        if name in last_written and not _same(now, last_written[name]):
            if not _same(last_written[name], new):
                result.conflicts[name] = (now, new)
        else:
            result.updates[name] = new
    return result


def plain(value):
    """A value as JSON keeps it, so that what was written can be compared with what is there."""
    if isinstance(value, models.Model):
        return value.pk
    if isinstance(value, str):
        return str(value)  # of a choice: its value
    if value is None or isinstance(value, bool | int | list):
        return value
    return str(value.normalize()) if hasattr(value, "normalize") else str(value)


def _same(one, other) -> bool:
    return plain(one) == plain(other)


@dataclass
class Report:
    """What a load did, per record type."""

    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    kept: list[str] = field(default_factory=list)

    def count(self, model, what: str, by: int = 1) -> None:
        row = self.counts.setdefault(str(model._meta.verbose_name_plural), {"new": 0, "updated": 0, "unchanged": 0})
        row[what] += by


def write_rows(model: type[models.Model], key: Callable, rows: Iterable[dict], source: str, report: Report) -> None:
    """Creates or updates records of `model`; `key` gives the natural key of a row or record as text.

    Records that people deleted stay deleted, fields they edited stay edited; both are said in the report. Raises
    ValidationError for a row that the record's own rules refuse.
    """
    label = model._meta.label_lower
    present = {key(record): record for record in model._default_manager.select_related()}
    ledger = {value.key: value for value in ReferenceValue.objects.filter(model=label)}
    new, notes = [], []
    for row in rows:
        record = model(**row)
        name = key(record)
        written = {k: plain(v) for k, v in row.items()}
        note = ledger.get(name)
        if name in present:
            record = present[name]
            decided = merge({k: getattr(record, k) for k in row}, note.values if note else {}, row)
            if decided.updates:
                for k, v in decided.updates.items():
                    setattr(record, k, v)
                record.save(update_fields=list(decided.updates))
            report.count(model, "updated" if decided.updates else "unchanged")
            report.kept += [
                f"{model._meta.verbose_name} {name}: {k} is “{now}”, edited here; the source says “{said}”"
                for k, (now, said) in decided.conflicts.items()
            ]
        elif note:
            report.count(model, "unchanged")
            report.kept.append(f"{model._meta.verbose_name} {name}: deleted here, not brought back")
        else:
            try:
                record.clean_fields(exclude=_in_hand(model, row))
            except ValidationError as error:
                raise ValidationError(f"{model._meta.verbose_name} {name}: {error}") from error
            new.append(record)
        if note is None or note.values != written:
            notes.append(ReferenceValue(model=label, key=name, source=source[:200], values=written))
    model._default_manager.bulk_create(new)
    if new:
        report.count(model, "new", len(new))
    ReferenceValue.objects.bulk_create(
        notes, update_conflicts=True, unique_fields=["model", "key"], update_fields=["source", "values", "written_at"]
    )


def _in_hand(model, row: dict) -> set[str]:
    """What names a record that was just read: the database need not be asked, for each row, whether it is there."""
    return {
        name
        for name, value in row.items()
        if isinstance(value, models.Model) and not model._meta.get_field(name).get_limit_choices_to()
    }


def read(name: str) -> list[dict[str, str]]:
    """Rows of one file of fixtures/reference."""
    with (FOLDER / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _fingerprint() -> str:
    return hashlib.sha256(b"".join(path.read_bytes() for path in sorted(FOLDER.rglob("*.*")))).hexdigest()


def files_changed() -> bool:
    """Whether the files of fixtures/reference differ from those that were loaded last."""
    note = ReferenceValue.objects.filter(model="fixtures", key="reference").first()
    return note is None or note.values != {"sha256": _fingerprint()}


def remember_files() -> None:
    ReferenceValue.objects.update_or_create(
        model="fixtures",
        key="reference",
        defaults={"source": "fixtures/reference", "values": {"sha256": _fingerprint()}},
    )


def names(row: dict, *prefixes: str) -> dict:
    return {column: value for column, value in row.items() if column.startswith(tuple(f"{p}_" for p in prefixes))}


@transaction.atomic
def load_places_and_partners(report: Report) -> None:
    """Regions, countries, groups and their members, and partners."""
    regions: dict[str, Region] = {}
    rows = read("regions")
    while rows:  # parents first
        ready = [r for r in rows if not r["parent"] or r["parent"] in regions]
        write_rows(
            Region,
            lambda r: r.code,
            [{"code": r["code"], **names(r, "name"), "parent": regions.get(r["parent"])} for r in ready],
            "UN M49; names in CLDR",
            report,
        )
        regions = {r.code: r for r in Region.objects.all()}
        rows = [r for r in rows if r not in ready]
    write_rows(
        Country,
        lambda c: c.iso3,
        [
            {
                **{k: r[k] for k in ("m49", "iso2", "iso3", "formal_name")},
                **names(r, "name"),
                "aliases": r["aliases"].split("|") if r["aliases"] else [],
                "region": regions.get(r["region"]),
                "is_un_member": r["is_un_member"] == "1",
                "latitude": _decimal(r["latitude"]),
                "longitude": _decimal(r["longitude"]),
            }
            for r in read("countries")
        ],
        "UN M49 (UNSD, September 2024); positions from Natural Earth",
        report,
    )
    countries = {c.iso3: c for c in Country.objects.all()}
    write_rows(
        CountryGroup,
        lambda g: g.code,
        [
            {
                **{k: r[k] for k in ("code", "acronym", "kind", "source", "note")},
                **names(r, "name", "short"),
                "as_of": _date(r["as_of"]),
                "is_priority": r["is_priority"] == "1",
            }
            for r in read("groups")
        ],
        "fixtures/reference/groups.csv",
        report,
    )
    groups = {g.code: g for g in CountryGroup.objects.all()}
    write_rows(
        GroupMember,
        lambda m: f"{m.group.code}:{m.country.iso3}",
        [
            {"group": groups[r["group"]], "country": countries[r["iso3"]], "standing": r["standing"]}
            for r in read("group_members")
        ],
        "fixtures/reference/group_members.csv",
        report,
    )
    write_rows(
        Partner,
        lambda p: p.slug,
        [{**r, "iati_identifier": r["iati_identifier"] or None} for r in read("partners")],
        "IATI Registry publisher list; CRS channel codes",
        report,
    )
    partners = {p.slug: p for p in Partner.objects.all()}
    write_rows(
        PartnerCountry,
        lambda m: f"{m.partner.slug}:{m.country.iso3}",
        [{"partner": partners[r["partner"]], "country": countries[r["iso3"]]} for r in read("partner_countries")],
        "fixtures/reference/partner_countries.csv",
        report,
    )


def _decimal(text: str) -> Decimal | None:
    return Decimal(text) if text else None


def _date(text: str) -> date | None:
    return date.fromisoformat(text) if text else None
