"""Whole data sets as ready-made files, written each night: tables, IATI files, and what describes them.

Each night's files are a folder of their own under `settings.OPEN_DATA`; the link `current` points to the newest, and
the one before stays for whoever is in the middle of it. Sources: Frictionless Data Package 1.0, W3C DCAT 3.
"""

import datetime as dt
import gzip
import hashlib
import json
import shutil
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.utils import timezone
from django.utils.translation import override

from partners import tables as of_partners
from partners.models import Country, Partner
from projects.interchange import datasets, iati_export
from projects.interchange.statistics import QUANTITIES, TOSSD, contributions, quantities
from projects.models import Need, Project, Term
from ssc_portal.tables import FORMATS, LICENCE, csv_of, jsonl_of, workbook

KEPT = 2  # nights
TITLE = "South-South cooperation on the environment"
ABOUT = "Needs, offers, projects, countries and partners of South-South cooperation on the environment, as published."
BLOCK = 1024 * 1024
DESCRIPTION = "datapackage.json"


def folder() -> Path:
    return Path(settings.OPEN_DATA)


def current() -> dict | None:
    """The description of the newest files; None before the first night."""
    path = folder() / "current" / DESCRIPTION
    return json.loads(path.read_text()) if path.is_file() else None


def file_of(name: str) -> Path | None:
    """A file of the newest set by its name in the description; None for any other name."""
    description = current()
    known = {DESCRIPTION, *(resource["path"] for resource in description["resources"])} if description else set()
    return (folder() / "current").resolve() / name if name in known else None


# --- writing -------------------------------------------------------------------------------------------------------------
def write() -> dict:
    """Writes all files anew and makes them the current ones. Returns their description."""
    now = timezone.now()
    target = folder() / now.strftime("%Y%m%dT%H%M%S%f")
    target.mkdir(parents=True)
    with override("en"):
        resources = [_written(target, *one) for one in _tables()] + list(_iati(target))
        description = {
            "name": "south-south-cooperation-environment",
            "title": TITLE,
            "description": ABOUT,
            "homepage": settings.PORTAL_URL,
            "created": now.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "licenses": [LICENCE],
            "resources": resources,
        }
    (target / DESCRIPTION).write_text(json.dumps(description, indent=1, ensure_ascii=False))
    link = folder() / "next"
    link.unlink(missing_ok=True)
    link.symlink_to(target.name)
    link.replace(folder() / "current")
    for old in sorted(path for path in folder().iterdir() if path.is_dir() and not path.is_symlink())[:-KEPT]:
        shutil.rmtree(old)
    return description


def _tables() -> Iterator[tuple]:
    """(name, format, pieces, columns, title) of every table in every format that it has, as the public sees it."""
    public = AnonymousUser()
    projects = Project.objects.visible_to(public)
    sets = [
        (table, model.objects.visible_to(public) if hasattr(model.objects, "visible_to") else model.objects.all())
        for table, model in (*of_partners.TABLES.values(), *datasets.TABLES.values())
    ]
    for table, records in (*sets, (TOSSD, contributions(projects))):
        for one in table.formats:
            pieces = table.pieces(one, records) or _workbook(table.title, table.columns, table.rows(records))
            yield table.name, one, pieces, table.columns, table.title
    title = "Cooperation in quantities (SDG 17.3.1)"
    for one, write in (("csv", csv_of), ("jsonl", jsonl_of)):
        yield "quantities", one, write(QUANTITIES, quantities(projects)), QUANTITIES, title
    yield "quantities", "xlsx", _workbook(title, QUANTITIES, quantities(projects)), QUANTITIES, title


def _workbook(title: str, columns: list, rows: Iterable) -> Iterator[bytes]:
    with workbook(title, columns, rows) as made:
        yield from iter(lambda: made.read(BLOCK), b"")


def _iati(target: Path) -> Iterator[dict]:
    """IATI files: everything, each publisher's, each country's, each theme's, and the organisations."""
    projects, needs = Project.objects.published(), Need.objects.under_way()
    cuts = [("activities", "All activities", projects, needs)]
    cuts += [
        (f"publisher-{partner.slug}", f"Activities reported by {partner.name_en}", projects.reported_by(partner), None)
        for partner in Partner.objects.filter(
            project_links__is_reporting=True, iati_identifier__isnull=False
        ).distinct()
    ]
    cuts.append(
        ("publisher-portal", "Activities that no publisher reports itself", projects.reported_by_nobody(), needs)
    )
    cuts += [
        (
            f"country-{country.iso3}", f"Activities with {country.name_en}",
            projects.filter(country_links__country=country), needs.filter(country=country),
        )
        for country in Country.objects.filter(project_links__project__in=projects).distinct().order_by("iso3")
    ]  # fmt: skip
    cuts += [
        (
            f"theme-{theme.code}", f"Activities on {theme.name_en}",
            projects.filter(term_links__term=theme), needs.filter(term_links__term=theme),
        )
        for theme in Term.objects.themes().filter(project_links__project__in=projects).distinct()
    ]  # fmt: skip
    for name, title, found, asked in cuts:
        try:
            yield _written(target, f"iati-{name}", "xml", iati_export.activities(found, asked), [], title)
        except iati_export.NothingToWrite:
            continue
    with_identifier = Partner.objects.exclude(iati_identifier=None)
    yield _written(target, "iati-organisations", "xml", iati_export.organisations(with_identifier), [], "Organisations")


def _written(target: Path, name: str, format: str, pieces: Iterable[bytes], columns: list, title: str) -> dict:
    """Writes one file, and beside it the same compressed; describes it."""
    path, checksum, size = target / f"{name}.{format}", hashlib.sha256(), 0
    with ExitStack() as open_files:
        files = [open_files.enter_context(path.open("wb"))]
        if format != "xlsx":  # which is compressed itself
            files.append(open_files.enter_context(gzip.open(f"{path}.gz", "wb", compresslevel=6)))
        for piece in pieces:
            checksum.update(piece)
            size += len(piece)
            for file in files:
                file.write(piece)
    return {
        "name": f"{name}-{format}".lower(),
        "path": path.name,
        "title": title,
        "format": format,
        "mediatype": "application/xml" if format == "xml" else FORMATS[format].media_type,
        "encoding": "utf-8",
        "bytes": size,
        "hash": f"sha256:{checksum.hexdigest()}",
        **({"profile": "tabular-data-resource"} if format == "csv" else {}),
        **({"schema": {"fields": [column.schema for column in columns]}} if columns else {}),
    }


# --- describing ----------------------------------------------------------------------------------------------------------
def catalogue(description: dict, base: str) -> dict:
    """The data sets as a DCAT catalogue in JSON-LD; `base`: address before the names of files."""
    sets: dict[str, list[dict]] = {}
    for resource in description["resources"]:
        sets.setdefault(resource["title"], []).append(resource)
    return {
        "@context": {
            "dcat": "http://www.w3.org/ns/dcat#", "dct": "http://purl.org/dc/terms/", "spdx": "http://spdx.org/rdf/terms#",
            "xsd": "http://www.w3.org/2001/XMLSchema#",
        },
        "@id": base,
        "@type": "dcat:Catalog",
        "dct:title": description["title"],
        "dct:description": description["description"],
        "dct:license": {"@id": LICENCE["path"]},
        "dct:modified": {"@value": description["created"], "@type": "xsd:dateTime"},
        "dcat:dataset": [
            {
                "@id": f"{base}#{resources[0]['path'].partition('.')[0]}",
                "@type": "dcat:Dataset",
                "dct:title": title,
                "dct:license": {"@id": LICENCE["path"]},
                "dct:modified": {"@value": description["created"], "@type": "xsd:dateTime"},
                "dct:accrualPeriodicity": {"@id": "http://publications.europa.eu/resource/authority/frequency/DAILY"},
                "dcat:distribution": [
                    {
                        "@id": base + resource["path"],
                        "@type": "dcat:Distribution",
                        "dcat:downloadURL": {"@id": base + resource["path"]},
                        "dcat:mediaType": {"@id": f"https://www.iana.org/assignments/media-types/{resource['mediatype']}"},
                        "dcat:byteSize": {"@value": resource["bytes"], "@type": "xsd:nonNegativeInteger"},
                        "spdx:checksum": {
                            "@type": "spdx:Checksum",
                            "spdx:algorithm": {"@id": "spdx:checksumAlgorithm_sha256"},
                            "spdx:checksumValue": resource["hash"].removeprefix("sha256:"),
                        },
                    }
                    for resource in resources
                ],
            }
            for title, resources in sets.items()
        ],
    }  # fmt: skip
