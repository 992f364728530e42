"""How much may be sent where, decided before anything is kept, with the real web server; and disks without room."""

import errno
import io
import os
import resource
import socket
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError, connection
from django.urls import get_resolver, reverse

from ground import bodies, storage, tables
from outreach.models import Picture
from projects import uploads
from projects.models import ImportRun, NeedDocument
from tests import THOROUGH
from tests.api_calls import token_of
from tests.factories import NeedFactory

MEGABYTE = 1024**2
HEARD = bodies.HEARD_SECONDS if THOROUGH else 2  # for which the server hears a refused sender out
HUGE = 400 if THOROUGH else 60  # megabytes: more than a process may hold of it, and than is taken anywhere
PROBLEM = "application/problem+json"


def file_of(size: int, name: str = "big.pdf") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, b"%PDF-1.7\n" + b"0" * size)


# --- a real server ---------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """(port, temporary folder, process id of the one web process) of the web server as it runs in production."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    temporary, own = tmp_path_factory.mktemp("uploads"), tmp_path_factory.mktemp("server") / "gunicorn.conf.py"
    own.write_text(
        f"def post_worker_init(worker):\n    from ground import bodies\n    bodies.HEARD_SECONDS = {HEARD}\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "ssc_portal.wsgi", "--config", own, "--bind", f"127.0.0.1:{port}", "--threads", "4"],
        cwd=settings.BASE_DIR, env={**os.environ, "TMPDIR": str(temporary), "DJANGO_DEBUG": "1"},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        until = time.monotonic() + 60
        while not answers(port):
            assert process.poll() is None and time.monotonic() < until
            time.sleep(0.1)
        answer = ask(port, b"GET /robots.txt HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 200")
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        yield port, temporary, int(children[0])
    finally:
        process.terminate()
        process.wait()


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def ask(port: int, head: bytes, pieces=()) -> bytes:
    """Sends all of it, as programs do that read only afterwards, then reads the answer. A busy machine may need longer to send
    than a sender is heard out: then the rest is left."""
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(head)
        try:
            for piece in pieces:
                connection.sendall(piece)
        except (BrokenPipeError, ConnectionResetError):
            if time.monotonic() - began < HEARD:
                raise
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
        return answer


def resident(process: int) -> int:
    """The most memory that a process held so far, in bytes."""
    line = next(one for one in Path(f"/proc/{process}/status").read_text().splitlines() if one.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


BOUNDARY = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n\r\n'


def head_of(path: str, *headers: str) -> bytes:
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: 127.0.0.1",
        "Connection: close",
        "Content-Type: multipart/form-data; boundary=b",
    ]
    return "\r\n".join([*lines, *headers, "", ""]).encode()


@pytest.mark.parametrize(
    "path", ["/contact/", "/fr/contact/", "/accounts/login/", "/needs/N-KEN-2020-9999/draft/documents/"]
)
def test_a_huge_file_is_refused_before_it_is_kept(server, path):
    port, temporary, process = server
    before, size = resident(process), HUGE * MEGABYTE
    answer = ask(
        port,
        head_of(path, f"Content-Length: {size}") + BOUNDARY,
        [b"0" * MEGABYTE] * (size // MEGABYTE - 1) + [b"0" * (MEGABYTE - len(BOUNDARY))],
    )
    assert answer.startswith(b"HTTP/1.1 413")
    assert b"</html>" in answer
    assert list(temporary.iterdir()) == []
    assert resident(process) - before < 20 * MEGABYTE


def test_a_body_that_does_not_say_its_length_is_cut_off(server):
    port, temporary, process = server
    before = resident(process)
    chunk = b"100000\r\n" + b"0" * MEGABYTE + b"\r\n"
    pieces = [b"%x\r\n%s\r\n" % (len(BOUNDARY), BOUNDARY)] + [chunk] * 40 + [b"0\r\n\r\n"]
    answer = ask(port, head_of("/contact/", "Transfer-Encoding: chunked"), pieces)
    assert answer.startswith(b"HTTP/1.1 413")
    assert list(temporary.iterdir()) == []
    assert resident(process) - before < 20 * MEGABYTE


def test_a_refused_sender_who_drips_is_heard_out_for_a_moment_only(server):
    port, _temporary, _process = server
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(head_of("/contact/", f"Content-Length: {400 * MEGABYTE}") + BOUNDARY)
        assert connection.recv(65536).startswith(b"HTTP/1.1 413")
        until = time.monotonic() + 30
        with pytest.raises(OSError):  # the server closed it
            while time.monotonic() < until:
                connection.sendall(b"0")
                time.sleep(0.2)


TITLE = b'--b\r\nContent-Disposition: form-data; name="title"\r\n\r\nPlan of the wells\r\n'


@pytest.mark.parametrize("size", [20, 40])
def test_words_beside_a_file_that_is_too_large_are_in_the_answer(server, size):
    port, temporary, process = server
    before, page = resident(process), "/needs/N-KEN-2020-9999/draft/documents/"
    head = head_of(page, f"Content-Length: {size * MEGABYTE}", f"Origin: http://127.0.0.1:{port}")
    head = head.replace(b"Host: 127.0.0.1\r\n", b"Host: 127.0.0.1:%d\r\n" % port) + TITLE + BOUNDARY
    rest = MEGABYTE - len(TITLE) - len(BOUNDARY)
    answer = ask(port, head, [b"0" * MEGABYTE] * (size - 1) + [b"0" * rest])
    assert answer.startswith(b"HTTP/1.1 413") and b"Plan of the wells" in answer and b"a.bin" in answer
    assert list(temporary.iterdir()) == []
    assert resident(process) - before < 30 * MEGABYTE


def test_words_of_a_sender_who_drips_are_waited_for_a_moment_only(server):
    port, _temporary, _process = server
    head = head_of("/contact/", f"Content-Length: {400 * MEGABYTE}", f"Origin: http://127.0.0.1:{port}")
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(head.replace(b"Host: 127.0.0.1\r\n", b"Host: 127.0.0.1:%d\r\n" % port) + TITLE)
        assert connection.recv(65536).startswith(b"HTTP/1.1 413")  # though nothing more was sent


def test_a_body_longer_than_it_says_is_read_no_further(server):
    port, _temporary, _process = server
    answer = ask(port, head_of("/contact/", "Content-Length: 10"), [b"0" * MEGABYTE] * 3)
    assert answer.startswith(b"HTTP/1.1 4")


def test_an_api_body_of_unknown_length_is_read_and_cut_off(server):
    port, _temporary, _process = server
    head = b"POST /api/v1/needs/ HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert ask(port, head, [b"2\r\n{}\r\n0\r\n\r\n"]).startswith(b"HTTP/1.1 401")
    answer = ask(port, head, [b"100000\r\n" + b" " * MEGABYTE + b"\r\n"] * 20 + [b"0\r\n\r\n"])
    assert answer.startswith(b"HTTP/1.1 413") and PROBLEM.encode() in answer


@pytest.mark.parametrize("body", [b"zz\r\n\r\n", b"-5\r\nabc\r\n"])
def test_a_body_in_broken_chunks_is_a_bad_request(server, body):
    port, _temporary, _process = server
    for path in ("/contact/", "/api/v1/needs/"):
        answer = ask(port, head_of(path, "Transfer-Encoding: chunked"), [body])
        assert answer.startswith(b"HTTP/1.1 400"), answer[:200]


# --- each address ------------------------------------------------------------------------------------------------------
def addresses() -> list[str]:
    """Every address without parameters, as a list of the routes."""
    found = []

    def walk(patterns, before):
        for one in patterns:
            route = before + str(one.pattern)
            if hasattr(one, "url_patterns"):
                walk(one.url_patterns, route)
            elif not any(sign in route for sign in "<(\\"):
                found.append("/" + route.replace("^", "").replace("$", ""))

    walk(get_resolver().url_patterns, "")
    return found


@pytest.mark.django_db
def test_no_address_takes_more_than_a_form_from_strangers(client):
    assert len(addresses()) > 60
    for address in addresses():
        answer = client.post(address, {"file": file_of(3 * MEGABYTE)})
        assert answer.status_code == 413, address
        assert ("application/problem+json" if address.startswith("/api/") else "text/html") in answer["Content-Type"]


@pytest.mark.django_db
def test_a_form_without_files_keeps_none_and_reads_the_rest(client, monkeypatch):
    monkeypatch.setattr("django.core.files.uploadhandler.MemoryFileUploadHandler.new_file", None)
    monkeypatch.setattr("django.core.files.uploadhandler.TemporaryFileUploadHandler.new_file", None)
    answer = client.post("/contact/", {"file": file_of(MEGABYTE), "text": "How do I begin?"})
    assert answer.status_code == 400 and "How do I begin?" in answer.content.decode()
    assert answer.wsgi_request.FILES == {}


@pytest.mark.django_db
def test_too_many_fields_are_told_as_such(client, settings):
    for debug in (False, True):
        settings.DEBUG = debug
        answer = client.post("/contact/", {str(n): "" for n in range(settings.DATA_UPLOAD_MAX_NUMBER_FIELDS + 1)})
        assert answer.status_code == 413 and "3000" in answer.content.decode()


@pytest.mark.django_db
def test_a_json_body_that_is_too_large_is_a_problem(client, people):
    bearer = {"Authorization": f"Bearer {token_of(people['contributor'])[1]}"}
    body = b'{"title": "' + b"a" * bodies.FORM + b'"}'
    answer = client.post("/api/v1/needs/", body, content_type="application/json", headers=bearer)
    assert (answer.status_code, answer["Content-Type"], answer.json()["code"]) == (413, PROBLEM, "too_large")
    assert "2.5 MB" in answer.json()["detail"]
    assert answer["Access-Control-Allow-Origin"] == "*"


@pytest.fixture
def documents(people, sign_in):
    need = NeedFactory()
    return sign_in(people["contributor"]), f"/needs/{need.reference}/draft/documents/"


@pytest.mark.django_db
def test_a_form_says_itself_of_a_file_a_little_too_large(documents):
    client, address = documents
    for size, status, said in (
        (uploads.LARGEST + MEGABYTE, 400, "larger than 10 MB"),
        (uploads.LARGEST + bodies.FORM, 413, "12.5 MB at most"),
    ):
        answer = client.post(address, {"kind": "other", "file": file_of(size)})
        assert (answer.status_code, said in answer.content.decode()) == (status, True)
    assert client.post(address, {"kind": "other", "file": file_of(3 * MEGABYTE)}).status_code == 302


@pytest.mark.django_db
@pytest.mark.parametrize("who", ["contributor", None])
def test_words_beside_a_file_that_is_refused_are_shown(documents, who, monkeypatch):
    """Too large for everybody; or not taken, since the session has ended."""
    client, address = documents
    if who is None:
        client.logout()
    monkeypatch.setattr("django.core.files.uploadhandler.MemoryFileUploadHandler.new_file", None)
    monkeypatch.setattr("django.core.files.uploadhandler.TemporaryFileUploadHandler.new_file", None)
    file = file_of(uploads.LARGEST + bodies.FORM if who else 3 * MEGABYTE, "wells.pdf")
    data = {"title": "Plan of the wells", "file": file, "is_public": "on", "password": "p1"}
    answer = client.post(address, data, HTTP_ORIGIN="http://testserver", HTTP_REFERER=f"http://testserver{address}")
    said = answer.content.decode()
    assert answer.status_code == 413 and "Plan of the wells" in said and "wells.pdf" in said and "p1" not in said
    assert ("12.5 MB at most" if who else "Sign in, then send it again.") in said
    assert (f'href="/accounts/login/?next={address}"' in said) == (who is None)
    assert answer["Cache-Control"] == "private, no-store"
    for origin in ("https://evil.example", None):
        headers = {"HTTP_ORIGIN": origin} if origin else {}
        file.seek(0)
        answer = client.post(address, data, **headers)
        assert answer.status_code == 413 and b"Plan of the wells" not in answer.content


@pytest.mark.django_db
def test_large_files_are_taken_from_those_who_may_import(client, people, sign_in):
    address = reverse("admin:projects_importrun_add")
    answer = client.post(address, {"file": file_of(3 * MEGABYTE)})
    assert answer.status_code == 413 and "signed in" in answer.content.decode()
    for person, status in (("contributor", 413), ("administrator", 200)):
        sent = io.BytesIO(b"<iati-activities/>" + b" " * (3 * MEGABYTE))
        sent.name = "many.xml"
        assert sign_in(people[person]).post(address, {"file": sent}, follow=True).status_code == status


@pytest.mark.django_db
def test_every_view_that_reads_files_says_how_large_they_may_be():
    declared = set()

    def walk(patterns):
        for one in patterns:
            if hasattr(one, "url_patterns"):
                walk(one.url_patterns)
            elif hasattr(one.callback, "files"):
                declared.add(one.name)

    walk(get_resolver().url_patterns)
    assert declared == {
        "need-documents", "need-sheet-upload", "response-document", "outreach_picture_add", "outreach_picture_change",
        "projects_importrun_add", "projects_importrun_table",
    }  # fmt: skip


# --- no room -----------------------------------------------------------------------------------------------------------
def stored() -> list[Path]:
    return [one for one in Path(settings.MEDIA_ROOT).rglob("*") if one.is_file()]


@pytest.fixture
def small_disk(tmp_path, settings):
    """Files of this process end after a megabyte, as on a disk that is full: the rest is refused by the system."""
    import signal

    settings.MEDIA_ROOT = tmp_path / "media"
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path / "temporary"
    settings.FILE_UPLOAD_TEMP_DIR.mkdir()
    before, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (MEGABYTE, before[1]))
    yield tmp_path
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.django_db
@pytest.mark.parametrize("debug", [True, False])
@pytest.mark.parametrize("size", [2, 4], ids=["from memory", "through a temporary file"])
def test_a_document_without_room_leaves_a_sentence_and_nothing_else(documents, small_disk, settings, debug, size):
    client, address = documents
    settings.DEBUG = debug
    client.raise_request_exception = False
    answer = client.post(address, {"kind": "other", "file": file_of(size * MEGABYTE)})
    assert answer.status_code == 507 and "disk is full" in answer.content.decode()
    assert [one for one in small_disk.rglob("*") if one.is_file()] == []
    assert not NeedDocument.objects.exists()


@pytest.mark.django_db
def test_an_import_and_a_picture_without_room_leave_nothing(people, sign_in, small_disk, monkeypatch):
    client = sign_in(people["administrator"])
    sent = SimpleUploadedFile("a.xml", b"<iati-activities/>" + b" " * (2 * MEGABYTE))
    assert client.post(reverse("admin:projects_importrun_add"), {"file": sent}).status_code == 507
    monkeypatch.setattr("ground.incoming.picture", lambda *a, **k: (b"0" * 2 * MEGABYTE, (10, 10)))
    picture = {"name": "one", "alt_en": "A lake", "credit": "UNEP", "file": file_of(10, "a.png")}
    assert client.post(reverse("admin:outreach_picture_add"), picture).status_code == 507
    assert not ImportRun.objects.exists() and not Picture.objects.exists()
    assert stored() == []


@pytest.mark.django_db
def test_a_file_goes_again_when_its_row_has_no_room(documents, settings, tmp_path, monkeypatch):
    settings.MEDIA_ROOT = tmp_path
    client, address = documents

    def full(self, *args, **kwargs):
        raise OperationalError from psycopg.errors.DiskFull("could not extend file")

    monkeypatch.setattr(NeedDocument, "save", full)
    answer = client.post(address, {"kind": "other", "file": file_of(100)})
    assert answer.status_code == 507
    assert stored() == []


@pytest.mark.django_db
def test_a_workbook_without_room_is_told_and_leaves_nothing(client, small_disk, monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def fails(*args):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tables, "_sheet_cell", fails)
    NeedFactory(in_state="open")
    answer = client.get("/api/v1/needs/?format=xlsx")
    assert (answer.status_code, answer["Content-Type"], answer.json()["code"]) == (507, PROBLEM, "no_room")
    assert connection.in_atomic_block and len(connection.savepoint_ids) == 0
    assert [one for one in tmp_path.rglob("*") if one.is_file()] == []


def test_two_files_of_one_name_are_both_kept(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    media = storage.Media()
    names = {media._save("needs/one.pdf", ContentFile(text)) for text in (b"1", b"2")}
    assert {Path(media.path(name)).read_bytes() for name in names} == {b"1", b"2"}
    assert len(stored()) == 2


def test_errors_that_lead_back_to_themselves_have_an_end():
    one, other = OSError(errno.EIO, "one"), OSError(errno.EIO, "other")
    one.__cause__, other.__context__ = other, one
    assert not storage.is_full(one)
