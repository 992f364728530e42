"""What may be uploaded with a need: the type is what the content says, whatever the file is called.

A file is checked, then handed to the virus scanner that the installation names (`UPLOAD_SCANNER`, a command that reads
the file from standard input and ends with 0 when it is clean, such as `clamdscan --fdpass -`), then stored.
"""

import shlex
import subprocess
import unicodedata
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.base import File
from django.db import transaction
from django.utils.translation import gettext as _

from ground import incoming
from ground.storage import kept_with_its_row, remove_with_its_row
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
UNPACKED = 40 * LARGEST  # bytes to which an archive, such as a Word file, may unfold
KNOWN = incoming.KNOWN


def media_type(content: bytes) -> tuple[str, str]:
    """(media type, extension) of a file by its content. Raises ValidationError for what is not taken."""
    return incoming.media_type(content, unpacked=UNPACKED)


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


def add_document(need: Need, file: File, *, by, kind: str, title: str = "", is_restricted: bool = True) -> NeedDocument:
    """Checks and stores a file of a need. Raises PermissionDenied and ValidationError."""
    document = NeedDocument(kind=kind or DocumentKind.OTHER, is_restricted=is_restricted or kind == DocumentKind.LETTER, added_by=by)  # fmt: skip
    with kept_with_its_row(document), transaction.atomic():
        document.need = now = locked(need, by, "change")
        if now.state not in TAKES_DOCUMENTS:
            raise ValidationError(
                _("It is “%(state)s” by now, so no document can be added.") % {"state": now.get_state_display()},
                code="state",
            )
        _keep(document, file, title, have=now.documents.filter(response=None).count())
        write_down(now, "add_document", by=by)
    return document


def add_to_response(response: Response, file: File, *, by, title: str = "") -> NeedDocument:
    """Checks and stores a file of a response. Raises PermissionDenied and ValidationError."""
    document = NeedDocument(kind=DocumentKind.OTHER, is_restricted=True, added_by=by)
    with kept_with_its_row(document), transaction.atomic():
        document.response = now = locked(response, by, "document")
        only_in(now, *RESPONSE_TAKES_DOCUMENTS)
        document.need = now.need
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
    remove_with_its_row(document.file)
    document.delete()
    write_down(now, "remove_document", by=by)
