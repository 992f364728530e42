"""IATI 2.03 files, written as a stream: memory stays constant in the number of records."""

from collections.abc import Iterable, Iterator
from itertools import chain, islice

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, override
from lxml import etree

from partners.choices import PartnerKind
from partners.models import Partner
from projects import quality
from projects.interchange.iati_needs import pipeline_activity_of
from projects.interchange.iati_own import NAMESPACE
from projects.interchange.iati_project import activity_of
from projects.interchange.iati_texts import LANG
from projects.interchange.iati_writing import Publisher, moment, named, narrate, put, state_provenance
from projects.models import Need, Project

VERSION = "2.03"
CONTENT_TYPE = "application/xml; charset=utf-8"
ORGANISATION_PAGE = "B16"  # codelist DocumentCategory
BATCH = 500


NO_RECORDS = gettext_noop(
    "No record of this list can stand in an IATI file, which can’t be empty: it has no projects, and no needs whose delivery was agreed or "
    "has begun."
)


class NothingToWrite(Exception):
    """No record could be written, or there is none, and IATI knows no empty file; the message says why."""


def activities(projects, needs=None) -> Iterator[bytes]:
    """An activity file, piece by piece: of projects, and of needs in delivery. Raises NothingToWrite.

    What lacks something that IATI asks for is left out, and counted at the end.
    """
    return _file("iati-activities", _activities(projects, needs), NO_RECORDS)


def organisations(partners: Iterable[Partner]) -> Iterator[bytes]:
    """An organisation file: the partners whose IATI identifier is confirmed. Raises NothingToWrite."""
    publisher = Publisher()
    return _file("iati-organisations", (piece(organisation_of(partner, publisher)) for partner in partners))


def one(record) -> bytes:
    """The file of one project or need. Raises NothingToWrite with what it lacks."""
    if missing := quality.lacks_for_iati(record):
        raise NothingToWrite(" ".join(str(one.advice) for one in missing))
    publisher = Publisher()
    write = activity_of if isinstance(record, Project) else pipeline_activity_of
    return b"".join(_file("iati-activities", iter([piece(write(record, publisher))])))


def _activities(projects, needs) -> Iterator[bytes]:
    left_out = 0
    for _record, written in written_records(projects, needs):
        if written is None:
            left_out += 1
        else:
            yield written
    if left_out:
        yield f"<!-- {left_out} left out: their pages say what they lack. -->\n".encode()


def written_records(projects, needs=None) -> Iterator[tuple[Project | Need, bytes | None]]:
    """Each record with its activity; None for one that lacks something that IATI asks for."""
    publisher = Publisher()
    for write, records in ((activity_of, projects), (pipeline_activity_of, needs)):
        for record in in_batches(records) if records is not None else ():
            yield record, None if quality.lacks_for_iati(record) else piece(write(record, publisher))


def opening(tag: str = "iati-activities") -> bytes:
    return (
        f"<?xml version='1.0' encoding='UTF-8'?>\n"
        f'<{tag} version="{VERSION}" generated-datetime="{moment(timezone.now())}" xmlns:ssc="{NAMESPACE}">\n'
    ).encode()


def closing(tag: str = "iati-activities") -> bytes:
    return f"</{tag}>\n".encode()


def _file(tag: str, pieces: Iterator[bytes], nothing: str = "") -> Iterator[bytes]:
    """`nothing`: what to say where there are no records at all."""
    first = next(pieces, None)
    if first is None and nothing:
        raise NothingToWrite(_(nothing))
    if first is None or first.startswith(b"<!--"):
        raise NothingToWrite(_("None of these records holds all that IATI asks for. Their pages say what they lack."))
    return chain([opening(tag), first], pieces, [closing(tag)])


def in_batches(records) -> Iterator:
    """Records in the order of their keys, each batch with all that belongs to it."""
    keys = records.order_by("pk").values_list("pk", flat=True).iterator(chunk_size=BATCH)
    while batch := list(islice(keys, BATCH)):
        loaded = records.for_iati().in_bulk(batch)
        yield from (loaded[key] for key in batch if key in loaded)


def piece(element) -> bytes:
    # Inside the file's root the prefix is known already; each piece declares it anew, which XML allows.
    return etree.tostring(element, encoding="utf-8", pretty_print=True)


# --- an organisation -------------------------------------------------------------------------------------------------------
def organisation_of(partner: Partner, publisher: Publisher):
    """One partner as <iati-organisation>. Budgets are the organisation's own to report; the portal knows none."""
    with override("en"):
        root = etree.Element("iati-organisation", nsmap={"ssc": NAMESPACE})
        root.set(LANG, "en")
        state_provenance(root, partner)
        put(root, "organisation-identifier", partner.iati_identifier)
        named(put(root, "name"), partner)
        reporting = put(
            root, "reporting-org", ref=publisher.ref, type=PartnerKind.MULTILATERAL.iati_code,
            secondary_reporter="0" if partner == publisher.partner else "1",
        )  # fmt: skip
        named(reporting, publisher.partner)
        pages = [(settings.PORTAL_URL + partner.get_absolute_url(), "What it does in South-South cooperation", "en")]
        if partner.website:
            pages.append((partner.website, "Website", ""))  # in which language nobody said
        for url, title, language in pages:
            element = put(root, "document-link", format="text/html", url=url)
            narrate(put(element, "title"), title)
            put(element, "category", code=ORGANISATION_PAGE)
            if language:
                put(element, "language", code=language)
        return root
