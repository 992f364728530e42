"""What may be uploaded with a need: the type is what the content says, whatever the file is called.

A file is checked, then handed to the virus scanner that the installation names (`UPLOAD_SCANNER`, a command that reads
the file from standard input and ends with 0 when it is clean, such as `clamdscan --fdpass -`), then stored.
"""

import io
import shlex
import subprocess
import unicodedata
import zipfile
from pathlib import Path

import puremagic
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.base import File
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from projects.choices import DocumentKind, ResponseState
from projects.lifecycle import locked, only_in, write_down
from projects.lifecycle.need import TAKES_DOCUMENTS, WRITING
from projects.models import Need, NeedDocument, Response

LARGEST = 10 * 1024 * 1024  # bytes
MOST = 20  # files of one need or response
RESPONSE_TAKES_DOCUMENTS = (
    ResponseState.SUGGESTED,
    ResponseState.EXPRESSED,
    ResponseState.ACCEPTED,
)  # they go in the first two
SCAN_SECONDS = 60
OFFICE = {
    "word/": ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", ".docx"),
    "xl/": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", ".xlsx"),
    "ppt/": ("application/vnd.openxmlformats-officedocument.presentationml.presentation", ".pptx"),
}
OPEN_DOCUMENT = {
    "application/vnd.oasis.opendocument.text": ".odt",
    "application/vnd.oasis.opendocument.spreadsheet": ".ods",
}
SIMPLE = {
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".jfif": "image/jpeg",
}
KNOWN = gettext_lazy("PDF, Word, Excel, PowerPoint, OpenDocument, PNG or JPEG")


def media_type(content: bytes, *, unpacked: int = 40 * LARGEST) -> tuple[str, str]:
    """(media type, extension) of a file by its content. Raises ValidationError for what is not taken.

    `unpacked`: the most bytes that an archive may unfold to.
    """
    refused = ValidationError(
        _("This file is not taken: by its content it is none of %(known)s.") % {"known": KNOWN}, code="type"
    )
    if content[:4] == b"PK\x03\x04":
        return _inside_archive(content, unpacked, refused)
    try:
        extension = puremagic.from_string(content)
    except (puremagic.PureError, ValueError):
        raise refused from None
    if extension not in SIMPLE or (extension == ".pdf" and not content.startswith(b"%PDF-")):
        raise refused
    return SIMPLE[extension], {".jpeg": ".jpg", ".jfif": ".jpg"}.get(extension, extension)


def _inside_archive(content: bytes, unpacked: int, refused: ValidationError) -> tuple[str, str]:
    """Office files are archives: what they are stands inside. Those with macros are refused."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = archive.namelist()
            if any(name.lower().endswith("vbaproject.bin") for name in names):
                raise ValidationError(_("This file holds macros. Save it without them."), code="macros")
            if sum(entry.file_size for entry in archive.infolist()) > unpacked:
                raise refused
            if "mimetype" in names:
                kind = archive.read("mimetype")[:100].decode("ascii", "replace").strip()
                if kind in OPEN_DOCUMENT:
                    return kind, OPEN_DOCUMENT[kind]
            if "[Content_Types].xml" in names:
                for folder, found in OFFICE.items():
                    if any(name.startswith(folder) for name in names):
                        return found
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError):
        raise refused from None
    raise refused


def scan(content: bytes) -> None:
    """Hands the file to the installation's virus scanner. Raises ValidationError when it is not clean or can't be told."""
    command = settings.UPLOAD_SCANNER
    if not command:
        return
    try:
        result = subprocess.run(  # noqa: S603
            shlex.split(command), input=content, capture_output=True, timeout=SCAN_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        raise ValidationError(
            _("Files can't be checked for viruses at the moment, so none is taken. Try again later."), code="scanner"
        ) from None
    if result.returncode:
        raise ValidationError(_("The virus scanner refused this file. Nothing of it was kept."), code="virus")


@transaction.atomic
def add_document(need: Need, file: File, *, by, kind: str, title: str = "", is_restricted: bool = True) -> NeedDocument:
    """Checks and stores a file of a need. Raises PermissionDenied and ValidationError."""
    now = locked(need, by, "change")
    if now.state not in TAKES_DOCUMENTS:
        raise ValidationError(
            _("It is “%(state)s” by now, so no document can be added.") % {"state": now.get_state_display()},
            code="state",
        )
    document = NeedDocument(need=now, kind=kind or DocumentKind.OTHER, is_restricted=is_restricted or kind == DocumentKind.LETTER, added_by=by)  # fmt: skip
    _keep(document, file, title, have=now.documents.filter(response=None).count())
    write_down(now, "add_document", by=by)
    return document


@transaction.atomic
def add_to_response(response: Response, file: File, *, by, title: str = "") -> NeedDocument:
    """Checks and stores a file of a response. Raises PermissionDenied and ValidationError."""
    now = locked(response, by, "document")
    only_in(now, *RESPONSE_TAKES_DOCUMENTS)
    document = NeedDocument(need=now.need, response=now, kind=DocumentKind.OTHER, is_restricted=True, added_by=by)
    _keep(document, file, title, have=now.documents.count())
    write_down(now, "add_document", by=by)
    return document


def _keep(document: NeedDocument, file: File, title: str, *, have: int) -> None:
    """Checks a file by its content and stores it as this document."""
    if have >= MOST:
        raise ValidationError(_("It takes %(n)s documents at most.") % {"n": MOST})
    if not file.size:
        raise ValidationError(_("This file is empty."))
    if file.size > LARGEST:
        raise ValidationError(_("This file is larger than %(n)s MB. Send a smaller one.") % {"n": LARGEST // 1024**2})
    content = file.read()
    found, extension = media_type(content)
    scan(content)
    file.seek(0)
    stem = "".join(c for c in unicodedata.normalize("NFC", Path(file.name).stem) if c.isalnum() or c in " -_.")
    document.title = (title.strip() or stem.strip() or _("Document"))[:200]
    document.media_type, document.size = found, file.size
    document.full_clean(exclude=["file"])
    owner = document.response or document.need
    document.file.save(f"{owner.reference}{extension}", file, save=False)  # Django makes the stored name unique
    document.save()


@transaction.atomic
def remove_document(document: NeedDocument, *, by) -> None:
    """Removes a document while the need, or the response, can still be written. The file goes once that is certain."""
    if document.response_id:
        now = locked(document.response, by, "document")
        stays = now.state not in RESPONSE_TAKES_DOCUMENTS[:2]
    else:
        now = locked(document.need, by, "change")
        stays = now.state not in WRITING
    if stays:
        raise ValidationError(_("It was submitted with this document, so it stays."), code="state")
    stored, name = document.file.storage, document.file.name
    document.delete()
    write_down(now, "remove_document", by=by)
    transaction.on_commit(lambda: stored.delete(name))
