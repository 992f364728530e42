"""Reads IATI activity files as a stream: memory stays constant in the size of the file.

Nothing is fetched, no entity is expanded, archives may not unpack to more than they should. iati_elements.py says what
an activity holds.
"""

import gzip
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.utils.translation import gettext as _
from lxml import etree

from projects.interchange.iati_activity import Activity
from projects.interchange.iati_elements import parse_activity

MOST_BYTES = 2 * 1024**3  # of XML, unpacked
MOST_RATIO = 200  # of an archive: real IATI files pack 10 to 30 times
FREE_BYTES = 20 * 1024**2  # small archives may pack better


MOST_ELEMENTS = 1_000_000  # of one activity, which is held as a whole; 40 000 payments have 400 000


class Unreadable(Exception):
    """The file as a whole can't be read; the message says why and what to do."""


# --- the file --------------------------------------------------------------------------------------------------------
class _Bounded:
    """A stream that refuses to give more than it should: an archive that unpacks without end stops here."""

    def __init__(self, stream, packed_bytes: int | None):
        self.stream, self.given = stream, 0
        self.most = MOST_BYTES if packed_bytes is None else min(MOST_BYTES, max(FREE_BYTES, packed_bytes * MOST_RATIO))

    def read(self, size=-1):
        chunk = self.stream.read(size if size and size > 0 else 65536)
        self.given += len(chunk)
        if self.given > self.most:
            raise Unreadable(
                _("The file unpacks to more than %(most)s MB; it was not read further.")
                % {"most": self.most // 1024**2}
            )
        return chunk


@contextmanager
def opened(path: Path) -> Iterator[_Bounded]:
    """The XML in a file: plain, gzip, or a ZIP archive that holds one XML file. Raises Unreadable."""
    try:
        with path.open("rb") as file:
            start = file.read(4)
            file.seek(0)
            if start.startswith(b"PK"):
                with zipfile.ZipFile(file) as archive:
                    members = [m for m in archive.infolist() if m.filename.lower().endswith(".xml")]
                    if len(members) != 1:
                        raise Unreadable(
                            _("The archive holds %(n)s XML files; give one at a time.") % {"n": len(members)}
                        )
                    with archive.open(members[0]) as member:
                        yield _Bounded(member, path.stat().st_size)
            elif start.startswith(b"\x1f\x8b"):
                with gzip.open(file) as member:
                    yield _Bounded(member, path.stat().st_size)
            else:
                yield _Bounded(file, None)
    except FileNotFoundError as error:
        raise Unreadable(_("There is no such file: %(path)s") % {"path": path}) from error
    except IsADirectoryError as error:
        raise Unreadable(_("This is a folder, not a file: %(path)s") % {"path": path}) from error
    except (zipfile.BadZipFile, gzip.BadGzipFile, EOFError) as error:
        raise Unreadable(_("The archive is damaged: %(why)s") % {"why": error}) from error


@dataclass
class Source:
    """What is known of a file while it is read."""

    version: str = ""
    bytes_read: int = 0


def read_activities(path: Path, source: Source | None = None) -> Iterator[Activity]:
    """The activities of a file, one at a time.

    Raises Unreadable when the file is no IATI activity file, or breaks; what came before the break has been given by then.
    """
    source = source if source is not None else Source()
    with opened(path) as stream:
        events = etree.iterparse(
            stream, events=("start", "end"), resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False,
            remove_comments=True, remove_pis=True,
        )  # fmt: skip
        depth = elements = 0
        try:
            for event, element in events:
                if event == "start":
                    depth, elements = depth + 1, elements + 1 if depth > 1 else 0
                    if elements > MOST_ELEMENTS:
                        raise Unreadable(_("An activity has more than %(n)s elements; the file was not read further.") % {"n": MOST_ELEMENTS})  # fmt: skip
                    if depth == 1:
                        _check_root(element)
                        source.version = (element.get("version") or "")[:10]
                    continue
                depth -= 1
                if depth == 1:
                    source.bytes_read = stream.given
                    if element.tag == "iati-activity":
                        yield parse_activity(element)
                    # Free what was read: the element and everything before it.
                    element.clear()
                    while element.getprevious() is not None:
                        del element.getparent()[0]
        except etree.XMLSyntaxError as error:
            raise Unreadable(_("The XML breaks off: %(why)s") % {"why": str(error)[:200]}) from error


def _check_root(root) -> None:
    if root.getroottree().docinfo.internalDTD is not None:
        raise Unreadable(_("The file declares a document type or entities. IATI files have none; it was not read."))
    if root.tag != "iati-activities":
        raise Unreadable(
            _("This is no IATI activity file: it begins with <%(tag)s> where <iati-activities> is expected.")
            % {"tag": str(root.tag)[:60]}
        )
