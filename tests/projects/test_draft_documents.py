"""Documents of a draft: what is taken, who reads them, when they go."""

import io
import zipfile

import pytest
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile

from projects import uploads
from projects.choices import NeedState
from projects.models import Need, NeedDocument
from tests.drafts import PDF
from tests.factories import NeedFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def need():
    return NeedFactory()


def office(*names: str, mimetype: str = "") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        if mimetype:
            archive.writestr("mimetype", mimetype)
        for name in names:
            archive.writestr(name, "x")
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "extension"),
    [
        (PDF, ".pdf"),
        (office("[Content_Types].xml", "word/document.xml"), ".docx"),
        (office("[Content_Types].xml", "xl/workbook.xml"), ".xlsx"),
        (office("content.xml", mimetype="application/vnd.oasis.opendocument.text"), ".odt"),
        (b"\x89PNG\r\n\x1a\n" + b"\x00" * 40, ".png"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + b"\x00" * 40, ".jpg"),
    ],
)
def test_the_type_is_what_the_content_says(content, extension):
    assert uploads.media_type(content)[1] == extension


@pytest.mark.parametrize(
    "content",
    [b"MZ\x90\x00" + b"\x00" * 60, b"<html><script>alert(1)</script></html>", b"<svg xmlns='http://www.w3.org/2000/svg'/>",
     b"#!/bin/sh\nrm -rf /", office("a.txt"), office("[Content_Types].xml", "word/document.xml", "word/vbaProject.bin"),
     b"PK\x03\x04broken", b"plain text", b"\x00" * 10],
)  # fmt: skip
def test_other_content_is_refused_whatever_its_name(content, need, people, sign_in, media):
    client = sign_in(people["contributor"])
    file = SimpleUploadedFile("letter.pdf", content, "application/pdf")
    answer = client.post(f"/needs/{need.reference}/draft/documents/", {"kind": "letter", "title": "", "file": file})
    assert answer.status_code == 400
    assert not NeedDocument.objects.exists() and not list(media.rglob("*.*"))


def test_an_empty_and_a_large_file_are_refused_with_a_reason(need, people, media, monkeypatch):
    with pytest.raises(ValidationError, match="empty"):
        uploads.add_document(need, ContentFile(b"", "a.pdf"), by=people["contributor"], kind="other")
    monkeypatch.setattr(uploads, "LARGEST", 10)
    with pytest.raises(ValidationError, match="larger"):
        uploads.add_document(need, ContentFile(PDF, "a.pdf"), by=people["contributor"], kind="other")


def test_the_scanner_decides(need, people, media, settings):
    for command, refusal in (("false", "virus scanner refused"), ("no-such-scanner", "can't be checked")):
        settings.UPLOAD_SCANNER = command
        with pytest.raises(ValidationError, match=refusal):
            uploads.add_document(need, ContentFile(PDF, "a.pdf"), by=people["contributor"], kind="other")
    settings.UPLOAD_SCANNER = "true"
    assert uploads.add_document(need, ContentFile(PDF, "a.pdf"), by=people["contributor"], kind="other").pk


def close(answer) -> None:
    """Closes the file of an answer; `answer.close()` would end the test's transaction as well."""
    for closer in answer._resource_closers:
        closer()


def test_who_downloads_what(people, sign_in, media):
    need = NeedFactory(in_state=NeedState.SUBMITTED)
    secret = uploads.add_document(need, ContentFile(PDF, "../../etc/<plan>.pdf"), by=people["contributor"], kind="letter", is_restricted=False)  # fmt: skip
    public = uploads.add_document(
        need, ContentFile(PDF, "b.pdf"), by=people["contributor"], kind="plan", is_restricted=False
    )
    assert secret.is_restricted  # letters never are public
    Need.objects.filter(pk=need.pk).update(
        state="open", published_at=need.state_since, published_by=people["publisher"], screened_at=None
    )
    own = {"contributor", "focal_point", "desk", "publisher", "administrator"}
    for document, want in ((secret, own), (public, set(people))):
        got = set()
        for name, person in people.items():
            answer = sign_in(person).get(f"/documents/{document.pk}/")
            got |= {name} if answer.status_code == 200 else set()
            close(answer)
        assert got == want
    answer = sign_in(people["contributor"]).get(f"/documents/{secret.pk}/")
    assert b"".join(answer.streaming_content) == PDF
    close(answer)
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in answer["Cache-Control"] and "sandbox" in answer["Content-Security-Policy"]
    assert str(media) in secret.file.path and "<" not in secret.file.name and ".." not in secret.file.name
    assert "restricted" not in sign_in(None).get(f"/needs/{need.reference}/").content.decode().lower()


def test_a_document_is_removed_until_submission(need, people, sign_in, media, django_capture_on_commit_callbacks):
    document = uploads.add_document(need, ContentFile(PDF, "a.pdf"), by=people["contributor"], kind="other")
    with django_capture_on_commit_callbacks(execute=True):
        assert sign_in(people["contributor"]).post(f"/documents/{document.pk}/remove/").status_code == 302
    assert not NeedDocument.objects.exists() and not list(media.rglob("*.pdf"))
