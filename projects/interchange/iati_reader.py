"""Reads IATI activity files as a stream: memory stays constant in the size of the file.

Nothing is fetched, no entity is expanded, archives may not unpack to more than they should. iati_elements.py says what
an activity holds.
"""

import gzip
import lzma
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from django.utils.translation import gettext as _
from lxml import etree

from projects.interchange.iati_activity import Activity
from projects.interchange.iati_elements import parse_activity
from projects.interchange.iati_texts import shown

MOST_BYTES = 2 * 1024**3  # of XML, unpacked
MOST_RATIO = 200  # of an archive: real IATI files pack 10 to 30 times
FREE_BYTES = 20 * 1024**2  # small archives may pack better


# What reading on in an archive raises that broke off or is damaged inside.
CUT = (EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, gzip.BadGzipFile)
# What unpacking raises: RuntimeError also for a password, NotImplementedError for a packing that is not known.
DAMAGED = (*CUT, NotImplementedError, RuntimeError)
MOST_ATTRIBUTES = 100  # of one element; IATI knows eight. Whoever looks at each of n goes over them n times
MOST_DEPTH = 256  # of elements in elements; the parser reads no further
# What the parser stops at though the XML is well-formed: depth, texts of more than 10 MB, names and comments without end.
LIMITS = (etree.ErrorTypes.ERR_RESOURCE_LIMIT, etree.ErrorTypes.ERR_NAME_TOO_LONG)
MOST_ELEMENTS = 1_000_000  # of one activity, which is held as a whole; 40 000 payments have 400 000


class Unreadable(Exception):
    """The file as a whole can't be read; the message says why and what to do."""


# --- the file --------------------------------------------------------------------------------------------------------
class _Bounded:
    """A stream that refuses to give more than it should: an archive that unpacks without end stops here."""

    def __init__(self, stream, packed_bytes: int | None, given: int = 0):
        self.stream, self.given, self.has_ended = stream, given, False
        self.lines = self.column = 0  # where what was given so far ends
        self.most = _most_of(packed_bytes)

    def read(self, size=-1):
        chunk = self.stream.read(size if size and size > 0 else 65536)
        self.given, self.has_ended = self.given + len(chunk), not chunk
        _before, line_end, rest = chunk.rpartition(b"\n")
        self.lines += chunk.count(b"\n")
        self.column = len(rest) + (0 if line_end else self.column)
        if self.given > self.most:
            raise _unpacks_to_more(self.most)
        return chunk

    def ends_at(self, line: int, column: int) -> bool:
        """Whether that is where it ends, but for what was begun (<![CDATA[): of an error there the rest is missing."""
        return self.has_ended and line == self.lines + 1 and column > self.column - 9


def _most_of(packed_bytes: int | None) -> int:
    return MOST_BYTES if packed_bytes is None else min(MOST_BYTES, max(FREE_BYTES, packed_bytes * MOST_RATIO))


def _unpacks_to_more(most: int) -> Unreadable:
    return Unreadable(
        _("The file unpacks to more than %(most)s MB; it was not read further.") % {"most": most // 1024**2}
    )


def _refuse_endless(files: Iterable[Callable], packed_bytes: int) -> None:
    """Unpacks once without reading, up to the limit: what is in an archive without end takes far longer to read than to unpack."""
    left = most = _most_of(packed_bytes)
    for open_file in files:
        with suppress(*DAMAGED), open_file() as file:  # whoever reads it says what is wrong with it
            while chunk := file.read(1024**2):
                left -= len(chunk)
                if left < 0:
                    raise _unpacks_to_more(most)


PACKED = (".gz", ".zip", ".7z", ".bz2", ".xz", ".tar", ".tgz", ".rar")


def _members(archive: zipfile.ZipFile) -> tuple[list[zipfile.ZipInfo], list[str]]:
    """The XML files of an archive, and the names of its other files; without what macOS puts beside them (__MACOSX, ._name,
    .DS_Store)."""
    found, others = [], []
    for member in archive.infolist():
        parts = Path(member.filename).parts
        if (
            member.is_dir()
            or not parts
            or "__MACOSX" in parts
            or parts[-1].startswith("._")
            or parts[-1] == ".DS_Store"
        ):
            continue
        if parts[-1].lower().endswith(".xml"):
            found.append(member)
        else:
            others.append(member.filename)
    return found, others


@contextmanager
def opened(path: Path, source: "Source") -> Iterator[Iterator[tuple[str, _Bounded]]]:
    """The XML files in a file, one after the other, each with its name in the archive: plain, gzip, or ZIP. Raises Unreadable."""
    try:
        with path.open("rb") as file:
            start = file.read(4)
            file.seek(0)
            if start.startswith(b"PK"):
                with zipfile.ZipFile(file) as archive:
                    members, others = _members(archive)
                    _tell_others(others, source)
                    if not members:
                        raise Unreadable(_("The archive holds no XML file."))
                    _refuse_endless((partial(archive.open, one) for one in members), path.stat().st_size)
                    yield _unpacked(archive, members, path.stat().st_size)
            elif start.startswith(b"\x1f\x8b"):
                _refuse_endless([partial(gzip.open, path)], path.stat().st_size)
                with gzip.open(file) as member:
                    yield iter([("", _Bounded(member, path.stat().st_size))])
            else:
                yield iter([("", _Bounded(file, None))])
    except FileNotFoundError as error:
        raise Unreadable(_("There is no such file: %(path)s") % {"path": path}) from error
    except IsADirectoryError as error:
        raise Unreadable(_("This is a folder, not a file: %(path)s") % {"path": path}) from error
    except DAMAGED as error:
        raise Unreadable(_damaged()) from error


def _damaged() -> str:
    return _(
        "The archive is damaged or locked with a password, so it can’t be unpacked: get it again, or unpack it and import the XML file."
    )


def _tell_others(names: list[str], source: "Source") -> None:
    """What of an archive is not read. What is packed once more may hold activities, so that the archive counts as not read
    to its end."""
    packed = [name for name in names if name.lower().endswith(PACKED)]
    source.problems += [
        _("%(name)s: an archive in the archive is not read. Unpack it first.") % {"name": name[:200]} for name in packed
    ]
    source.passed_over += [name for name in names if name not in packed]


def _unpacked(archive, members: list, packed_bytes: int) -> Iterator[tuple[str, _Bounded]]:
    given = 0  # the bound is one for the whole archive
    for member in members:
        bounded = _Bounded(_Member(archive, member), packed_bytes, given)
        yield member.filename if len(members) > 1 else "", bounded
        given = bounded.given


class _Member:
    """A file of an archive, opened when it is read: one that can't be opened doesn't hold up the others."""

    def __init__(self, archive: zipfile.ZipFile, member: zipfile.ZipInfo):
        self.open = partial(archive.open, member)
        self.file = None

    def read(self, size: int) -> bytes:
        self.file = self.file or self.open()
        return self.file.read(size)


@dataclass
class Source:
    """What is known of a file while it is read."""

    version: str = ""
    bytes_read: int = 0
    files: dict[str, int] = field(default_factory=dict)  # of an archive with several: how many activities each gave
    problems: list[str] = field(default_factory=list)  # of those of them that could not be read to their end
    passed_over: list[str] = field(default_factory=list)  # files of an archive that are no XML
    strangers: dict[str, "Stranger"] = field(default_factory=dict)  # what stands beside the activities, by its name

    def note_stranger(self, name: str, line: int, said: str) -> None:
        self.strangers.setdefault(name, Stranger(line, said)).times += 1


@dataclass
class Stranger:
    """Something that stands where only activities may: where it stood first, what it said, how often there is such."""

    line: int
    said: str
    times: int = 0


def read_activities(path: Path, source: Source | None = None) -> Iterator[Activity]:
    """The activities of a file, one at a time.

    Raises Unreadable when the file is no IATI activity file, or breaks; what came before the break has been given by then.
    """
    source = source if source is not None else Source()
    with opened(path, source) as streams:
        for name, stream in streams:
            if not name:
                yield from _read(stream, source)
                continue
            source.files[name] = 0
            try:
                for activity in _read(stream, source):
                    source.files[name] += 1
                    yield activity
            except Unreadable as error:
                source.problems.append(f"{name}: {error}")
            except DAMAGED:
                source.problems.append(f"{name}: {_damaged()}")


def _read(stream: _Bounded, source: Source) -> Iterator[Activity]:
    events = etree.iterparse(
        stream, events=("start", "end"), resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False,
        remove_comments=True, remove_pis=True,
    )  # fmt: skip
    depth = elements = done = 0
    current, identifier = None, ""  # of the activity that is being read
    try:
        for event, element in events:
            if event == "start":
                depth, elements = depth + 1, elements + 1 if depth > 1 else 0
                if elements > MOST_ELEMENTS:
                    raise Unreadable(_("An activity has more than %(n)s elements; the file was not read further.") % {"n": MOST_ELEMENTS})  # fmt: skip
                if depth == 2 and element.tag == "iati-activity":
                    current, identifier = element, ""
                if len(element.attrib) > MOST_ATTRIBUTES:
                    raise Unreadable(_("An element has more than %(n)s attributes; the file was not read further.") % {"n": MOST_ATTRIBUTES})  # fmt: skip
                if depth == 1:
                    _check_root(element)
                    source.version = (element.get("version") or "")[:10]
                continue
            depth -= 1
            if depth == 2 and element.tag == "iati-identifier":
                identifier = (element.text or "").strip()[:100]
            if depth == 1:
                source.bytes_read = stream.given
                if element.tag == "iati-activity":
                    done, current = done + 1, None
                    yield parse_activity(element)
                else:
                    source.note_stranger(str(element.tag)[:100], element.sourceline or 0, shown(element)[:500])
                # Free what was read: the element and everything before it.
                element.clear(keep_tail=True)
                while (before := element.getprevious()) is not None:
                    _note_text(before.tail, before, source)
                    del element.getparent()[0]
            elif depth == 0:
                _note_text(element.text, element, source)
                for last in element:
                    _note_text(last.tail, last, source)
    except etree.XMLSyntaxError as error:
        if error.code in LIMITS:
            raise Unreadable(_too_much(current, identifier, done, error.lineno, is_deep=depth >= MOST_DEPTH)) from error
        line = None if stream.ends_at(*error.position) else error.lineno
        raise Unreadable(_end_of_reading(current, identifier, done, line)) from error
    except CUT as error:
        text = _("The archive is damaged or incomplete.")
        raise Unreadable(f"{text} {_end_of_reading(current, identifier, done, None)}") from error


def _end_of_reading(current, identifier: str, done: int, line: int | None) -> str:
    """Where a file could not be read further, what was read, and what to do; `line`: of an error in the XML, none where it broke off.
    An activity that was not read to its end is named by its identifier, else by the line in which it begins."""
    where = identifier or (_("line %(n)s") % {"n": current.sourceline} if current is not None else "")
    about = {"n": done + 1, "done": done, "where": where, "line": line}
    if current is None and not done:
        text = _(
            "The file breaks off before its first activity, or is no XML: nothing was read. Get the whole file and import it again."
        )
    elif current is None and line is None:
        text = _(
            "The file breaks off after activity %(done)s; up to there all was read: get the whole file and import it again."
        )
    elif current is None:
        text = _(
            "The XML has an error in line %(line)s, after activity %(done)s; up to there all was read: have the publisher mend the file and import it again."
        )
    elif line is None:
        text = _(
            "The file breaks off in activity %(n)s (%(where)s): %(done)s were read in full before it; get the whole file and import it again."
        )
    else:
        text = _(
            "The XML has an error in line %(line)s, in activity %(n)s (%(where)s): %(done)s were read in full before it; have the publisher mend the file and import it again."
        )
    return text % about


def _too_much(current, identifier: str, done: int, line: int, *, is_deep: bool) -> str:
    """What the parser does not read on from, though the file is no bad XML: where, what was read, and what to do."""
    text = (
        _(
            "%(where)s: elements are nested deeper than %(limit)s, so the file was not read further. Activities read in full before it: %(done)s. Take this one out of the file, or have the publisher mend it, and import the file again."
        )
        if is_deep
        else _(
            "%(where)s: a text or name is too long to be read, so the file was not read further. Activities read in full before it: %(done)s. Take this one out of the file, or have the publisher mend it, and import the file again."
        )
    )
    line = line if current is None else current.sourceline
    return text % {"where": identifier or _("line %(n)s") % {"n": line}, "limit": MOST_DEPTH, "done": done}


def _note_text(text: str | None, beside, source: Source) -> None:
    if text and text.strip():
        source.note_stranger("text()", beside.sourceline or 0, " ".join(text.split())[:500])


def _check_root(root) -> None:
    if root.getroottree().docinfo.internalDTD is not None:
        raise Unreadable(_("The file declares a document type or entities. IATI files have none; it was not read."))
    if root.tag != "iati-activities":
        raise Unreadable(
            _("This is no IATI activity file: it begins with <%(tag)s> where <iati-activities> is expected.")
            % {"tag": str(root.tag)[:60]}
        )
