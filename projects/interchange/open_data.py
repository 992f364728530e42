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
from functools import partial
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import override

from ground.licences import OWN
from ground.tables import FORMATS, TooLong, csv_of, jsonl_of, workbook
from partners import tables as of_partners
from partners.models import Partner, Provenance
from projects import quality
from projects.interchange import datasets, iati_export
from projects.interchange.provenance import is_mixed, licences_of, occurring, sources_of, statement_of
from projects.interchange.reference_sources import reference_sources
from projects.interchange.statistics import QUANTITIES, TOSSD, contributions, payments, quantities
from projects.models import Need, Project

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
    try:
        description = _write_into(target, now)
    except BaseException:  # a set that is not whole only takes the room that was lacking
        shutil.rmtree(target, ignore_errors=True)
        raise
    link = folder() / "next"
    link.unlink(missing_ok=True)
    link.symlink_to(target.name)
    link.replace(folder() / "current")
    for old in sorted(path for path in folder().iterdir() if path.is_dir() and not path.is_symlink())[:-KEPT]:
        shutil.rmtree(old)
    return description


def _write_into(target: Path, now: dt.datetime) -> dict:
    with override("en"):
        left_out: list[str] = []
        resources = [*_written_tables(target, left_out), *_iati(target)]
        description = {
            "name": "south-south-cooperation-environment",
            "title": TITLE,
            "description": ABOUT,
            "homepage": settings.PORTAL_URL,
            "created": now.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "licenses": _once(one for resource in resources for one in resource["licenses"]),
            "sources": _once(one for resource in resources for one in resource.get("sources", ())),
            "resources": resources,
        }
        if is_mixed(description["licenses"]):
            description["description"] += " " + statement_of(description["licenses"])
        description["description"] = " ".join([description["description"], *left_out])
    (target / DESCRIPTION).write_text(json.dumps(description, indent=1, ensure_ascii=False))
    return description


def _once(found: Iterable[dict]) -> list[dict]:
    return list({json.dumps(one, sort_keys=True): one for one in found}.values())


def _tables() -> Iterator[tuple]:
    """(name, format, pieces, columns, title, where its records came from) of every table in every format that it has, as the public sees it."""
    public = AnonymousUser()
    projects = Project.objects.visible_to(public)
    sets = [
        (table, model.objects.visible_to(public) if hasattr(model.objects, "visible_to") else model.objects.all())
        for table, model in (*of_partners.TABLES.values(), *datasets.TABLES.values())
    ]
    brought = occurring(contributions(projects), Project, "project__")
    for table, records in (*sets, (TOSSD, contributions(projects))):
        found = brought if table is TOSSD else occurring(records)
        for one in table.formats:
            pieces = table.pieces(one, records) or _workbook(table.title, table.columns, table.rows(records))
            yield table.name, one, pieces, table.columns, table.title, found
    title = "Cooperation in quantities (SDG 17.3.1)"
    brought |= occurring(payments(projects), Project, "project__")
    for one, write in (("csv", csv_of), ("jsonl", jsonl_of), ("xlsx", partial(_workbook, title))):
        rows = quantities(projects).iterator(chunk_size=2000)
        yield "quantities", one, write(QUANTITIES, rows), QUANTITIES, title, brought


def _written_tables(target: Path, left_out: list[str]) -> Iterator[dict]:
    """The tables, but for workbooks that can't hold a text of theirs: it is whole in the other formats. `left_out`: which."""
    for name, one, *more in _tables():
        try:
            resource = _written(target, name, one, *more)
        except TooLong as error:
            (target / f"{name}.{one}").unlink()
            left_out.append(f"There is no {name}.{one}: {error}")
        else:
            yield resource


def _workbook(title: str, columns: list, rows: Iterable) -> Iterator[bytes]:
    with workbook(title, columns, rows) as made:
        yield from iter(lambda: made.read(BLOCK), b"")


def _iati(target: Path) -> Iterator[dict]:
    """IATI files: everything, each publisher's, each country's, each theme's, and the organisations.

    Each activity is made once and put into every file that it belongs to.
    """
    files: dict[str, _File] = {}
    with ExitStack() as open_files:
        for record, written in iati_export.written_records(Project.objects.published(), Need.objects.under_way()):
            for name, title in _files_of(record) if written else ():
                if name not in files:
                    files[name] = open_files.enter_context(_File(target, f"iati-{name}", "xml", title))
                    files[name].write(iati_export.opening())
                files[name].write(written)
                files[name].found.add(record.provenance)
        for file in files.values():
            file.write(iati_export.closing())
    yield from (files[name].described() for name in sorted(files))
    with_identifier = Partner.objects.exclude(iati_identifier=None)
    pieces = iati_export.organisations(with_identifier.select_related("import_run"))
    yield _written(target, "iati-organisations", "xml", pieces, [], "Organisations", occurring(with_identifier))


def _files_of(record: Project | Need) -> Iterator[tuple[str, str]]:
    """(name, title) of the IATI files that a record belongs to."""
    yield "activities", "All activities"
    reporter = quality.reporter_of(record) if isinstance(record, Project) else None
    if reporter:
        link, identifier = reporter
        name = link.partner.name_en if link.partner else link.reported_name or identifier
        yield f"publisher-{slugify(identifier)}", f"Activities reported by {name}"
    else:
        yield "publisher-portal", "Activities that no publisher reports itself"
    countries = (
        [link.country for link in record.country_links.all()] if isinstance(record, Project) else [record.country]
    )
    for country in filter(None, countries):
        yield f"country-{country.iso3}", f"Activities with {country.name_en}"
    for link in record.term_links.all():
        if link.term_id and link.term.is_theme:
            yield f"theme-{link.term.code}", f"Activities on {link.term.name_en}"


class _File:
    """One file, and beside it the same compressed, with what is told of it."""

    def __init__(self, target: Path, name: str, format: str, title: str, columns: list | None = None):
        self.name, self.format, self.title, self.columns = name, format, title, columns or []
        self.path, self.checksum, self.size = target / f"{name}.{format}", hashlib.sha256(), 0
        self.found: set[Provenance] = set()  # where its records came from

    def __enter__(self):
        self.files = [self.path.open("wb")]
        if self.format != "xlsx":  # which is compressed itself
            self.files.append(gzip.open(f"{self.path}.gz", "wb", compresslevel=6))
        return self

    def __exit__(self, *_error):
        for file in self.files:
            file.close()

    def write(self, piece: bytes) -> None:
        self.checksum.update(piece)
        self.size += len(piece)
        for file in self.files:
            file.write(piece)

    def described(self) -> dict:
        """As a resource of the data package. Its sources: those that records came from, and those of the lists in it."""
        sources = [*sources_of(self.found), *reference_sources(self.name)]
        return {
            "name": f"{self.name}-{self.format}".lower(),
            "path": self.path.name,
            "title": self.title,
            "format": self.format,
            "mediatype": "application/xml" if self.format == "xml" else FORMATS[self.format].media_type,
            "encoding": "utf-8",
            "bytes": self.size,
            "hash": f"sha256:{self.checksum.hexdigest()}",
            "licenses": licences_of(self.found),
            **({"sources": sources} if sources else {}),
            **({"profile": "tabular-data-resource"} if self.format == "csv" else {}),
            **({"schema": {"fields": [column.schema for column in self.columns]}} if self.columns else {}),
        }


def _written(
    target: Path, name: str, format: str, pieces: Iterable[bytes], columns: list, title: str, found: set[Provenance]
) -> dict:
    """Writes one file and describes it."""
    with _File(target, name, format, title, columns) as file:
        file.found |= found
        for piece in pieces:
            file.write(piece)
    return file.described()


# --- describing ----------------------------------------------------------------------------------------------------------
def catalogue(description: dict, base: str) -> dict:
    """The data sets as a DCAT catalogue in JSON-LD; `base`: address before the names of files."""
    sets: dict[str, list[dict]] = {}
    for resource in description["resources"]:
        sets.setdefault(resource["title"], []).append(resource)
    return {
        "@context": {
            "dcat": "http://www.w3.org/ns/dcat#", "dct": "http://purl.org/dc/terms/", "spdx": "http://spdx.org/rdf/terms#",
            "xsd": "http://www.w3.org/2001/XMLSchema#", "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
        },
        "@id": base,
        "@type": "dcat:Catalog",
        "dct:title": description["title"],
        "dct:description": description["description"],
        "dct:license": {"@id": OWN.url},  # of the catalogue itself
        "dct:modified": {"@value": description["created"], "@type": "xsd:dateTime"},
        "dcat:dataset": [
            {
                "@id": f"{base}#{resources[0]['path'].partition('.')[0]}",
                "@type": "dcat:Dataset",
                "dct:title": title,
                **_rights(resources[0]),
                "dct:modified": {"@value": description["created"], "@type": "xsd:dateTime"},
                "dct:accrualPeriodicity": {"@id": "http://publications.europa.eu/resource/authority/frequency/DAILY"},
                "dcat:distribution": [
                    {
                        "@id": base + resource["path"],
                        "@type": "dcat:Distribution",
                        "dcat:downloadURL": {"@id": base + resource["path"]},
                        **_rights(resource),
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


def _rights(resource: dict) -> dict:
    """The licence of a file; a statement where several occur in it, or none is known."""
    licences = resource.get("licenses", [])
    if not is_mixed(licences):
        return {"dct:license": {"@id": licences[0]["path"]}}
    return {"dct:rights": {"@type": "dct:RightsStatement", "rdfs:label": statement_of(licences)}}
