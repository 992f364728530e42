"""How much may be sent to each address, decided before anything of it is read or kept (docs/decisions/0036-limits.md).

Every address takes as much as a form or a JSON body needs. Those whose form has a file say so at their view
(`takes_files`), for people who are signed in; from everybody else no file is kept anywhere, not even for a moment.
"""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.core.handlers.wsgi import LimitedStream
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.utils.http import parse_header_parameters

from ground import error_pages, storage

FORM = settings.DATA_UPLOAD_MAX_MEMORY_SIZE  # bytes of a form without files, and of a JSON body
PIECE = 64 * 1024
HEARD_SECONDS = 5  # how long a sender whose body is refused may go on, so that it gets to read the answer
FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")
TOO_MUCH = (RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent)


@dataclass(frozen=True)
class Files:
    """What a view takes beside the fields of its form."""

    largest: int  # bytes of one file
    permission: str  # whoever is signed in where it is empty

    def are_taken_from(self, user) -> bool:
        return user.is_authenticated and (not self.permission or user.has_perm(self.permission))


def takes_files(largest: int, permission: str = "") -> Callable:
    """Decorator of a view whose form has a file of at most `largest` bytes. The form says so itself for one that is a
    little larger: the body may be larger by as much as a form."""

    def declare(view):
        view.files = Files(largest, permission)
        return view

    return declare


class NoFiles(FileUploadHandler):
    """For forms without files: nothing of a file is kept but its name, the other fields arrive."""

    def new_file(self, field_name, file_name, *args, **kwargs):
        self.request.files_left_out = [*files_left_out(self.request), file_name]
        raise SkipFile

    def receive_data_chunk(self, raw_data, start):
        return None

    def file_complete(self, file_size):
        return None


def files_left_out(request: HttpRequest) -> list[str]:
    """The names of files that came and were not kept."""
    return getattr(request, "files_left_out", [])


def may_be_read(request: HttpRequest) -> bool:
    """Whether what was sent is within the limits of its address. What is refused or led elsewhere before that was found out
    stays unread."""
    return getattr(request, "is_within_limits", False)


def were_words_read(request: HttpRequest) -> bool:
    """Whether what was typed beside files that are not taken is known all the same, to be shown with the refusal."""
    return getattr(request, "are_words_read", False)


class BodyLimits:
    """Refuses what is larger than its address takes, before the first part of it is read (and so before CSRF's middleware,
    which reads forms). What has no room on a disk is told as such, wherever it was to be kept."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request: HttpRequest):
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view, args, kwargs) -> HttpResponse | None:
        answer = self._refuse(request, view)
        request.is_within_limits = answer is None
        return answer

    def _refuse(self, request: HttpRequest, view) -> HttpResponse | None:
        is_chunked = "HTTP_TRANSFER_ENCODING" in request.META
        length = _length(request)
        if not (length or is_chunked):
            return None
        if request.headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
            return _heard_out(request, error_pages.compressed(request))
        if request.method == "POST" and request.content_type in FORMS and not hasattr(view, "cls"):
            charset = request.content_params.get("charset")
            if charset and not is_utf_8(charset):
                return _heard_out(request, error_pages.not_in_utf_8(request))
        files: Files | None = getattr(view, "files", None)
        takes = files is not None and files.are_taken_from(request.user)
        limit = FORM + files.largest if takes else FORM
        if length > limit:
            if is_from_a_page(request) and request.content_type == FORMS[0] and not hasattr(view, "cls"):
                _read_words(
                    request, length if request.user.is_authenticated else FORM + (files.largest if files else 0)
                )
            return _refused(request, files, limit)
        try:
            if is_chunked and not _gather(request, limit):
                return _refused(request, files, limit)
            if not takes:
                request.upload_handlers = [NoFiles(request)]
            if request.method == "POST" and request.content_type in FORMS and not hasattr(view, "cls"):
                request.POST  # noqa: B018  read here, where each way in which it fails has its answer
        except TOO_MUCH as error:
            request._mark_post_parse_error()
            return _refused(request, files, limit, error)
        except UnreadablePostError:  # the sender broke off
            return error_pages.bad_request(request)
        except OSError as error:
            _forget_uploads(request)
            return self.process_exception(request, error)
        return None

    def process_exception(self, request: HttpRequest, exception: BaseException) -> HttpResponse | None:
        if not storage.is_full(exception):
            return None
        storage.tell_keepers(exception)
        return error_pages.no_room(request)


def read_utf_8_only() -> None:
    """Before the first request is made: Django reads an address and a form in any codec of Python that the caller names as
    charset, in which a page may be unable to write the address again. The portal speaks UTF-8: no name of a charset changes
    how an address is read, and forms and JSON in others are refused (`_refuse`, `api.base.Negotiation`)."""

    def name_kind(self: HttpRequest, meta: dict) -> None:
        header = meta.get("CONTENT_TYPE", "")
        try:
            self.content_type, self.content_params = parse_header_parameters(header)
        except ValueError:  # of parameters in a charset that is none; for all who read it, it is one that is refused
            self.content_type, self.content_params = header.partition(";")[0].strip().lower(), {"charset": "unknown"}
            meta["CONTENT_TYPE"] = f"{self.content_type}; charset=unknown"

    HttpRequest._set_content_type_params = name_kind


def is_utf_8(charset: str) -> bool:
    """By the ways in which it is written. No codec is asked for: Python remembers each name that it was asked for."""
    return charset.strip().lower().replace("_", "-") in ("utf-8", "utf8")


def is_from_a_page(request: HttpRequest) -> bool:
    """Browsers name the page from which they send a form, programs don't."""
    return "Origin" in request.headers or "Referer" in request.headers


def _read_words(request: HttpRequest, most: int) -> None:
    """What was typed beside files that are not taken; of the files nothing is kept but their names."""
    request.upload_handlers = [NoFiles(request)]
    request._stream = LimitedStream(request._stream, most)
    try:
        with _for_a_moment(request):
            request.POST  # noqa: B018
        request.are_words_read = True
    except (*TOO_MUCH, UnreadablePostError, MultiPartParserError, OSError):
        request._mark_post_parse_error()


def _length(request: HttpRequest) -> int:
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0


def _gather(request: HttpRequest, limit: int) -> bool:
    """A body of unknown length, up to the limit: Django reads none that does not say how long it is. False beyond the limit."""
    if not request.META.get("wsgi.input_terminated"):
        return True  # a server that does not tell its end: Django reads nothing of it
    body, size = SpooledTemporaryFile(FORM), 0  # noqa: SIM115  the request closes it
    while piece := _piece_of(request):
        size += len(piece)
        if size > limit:
            body.close()
            return False
        body.write(piece)
    body.seek(0)
    request._stream = body
    request.META["CONTENT_LENGTH"] = str(size)
    return True


def _piece_of(request: HttpRequest) -> bytes:
    try:
        return request.META["wsgi.input"].read(PIECE)
    except Exception as error:  # servers have errors of their own for chunks that are not as HTTP has them
        raise UnreadablePostError(*error.args) from error


def _forget_uploads(request: HttpRequest) -> None:
    """Closes, and so removes, what was begun of files; closing one writes its rest, for which there is no room either."""
    request._mark_post_parse_error()
    for handler in request.upload_handlers:
        if file := getattr(handler, "file", None):
            with suppress(OSError):
                file.close()


def _refused(request: HttpRequest, files: Files | None, limit: int, error: Exception | None = None) -> HttpResponse:
    answer = error_pages.too_large(request, _megabytes(limit), error, for_members=files is not None and limit == FORM)
    return _heard_out(request, answer)


def _heard_out(request: HttpRequest, answer: HttpResponse) -> HttpResponse:
    answer._resource_closers.append(lambda: _hear_out(request))  # the answer is out by then
    return answer


def _megabytes(size: int) -> str:
    return f"{size / 1024**2:.1f}".removesuffix(".0")


def _hear_out(request: HttpRequest) -> None:
    """Reads on for a moment and throws it away. A connection closed under somebody who is still sending is told to them as
    broken, and the answer is lost."""
    source = request.META["wsgi.input"]
    if "gunicorn.socket" not in request.META:
        return
    with _for_a_moment(request), suppress(OSError, ValueError):  # it broke off
        while source.read(PIECE):
            pass


@contextmanager
def _for_a_moment(request: HttpRequest) -> Iterator[None]:
    """Nothing more is received after it. Not a timeout of the connection: that begins anew with each byte."""
    connection = request.META.get("gunicorn.socket")

    def end() -> None:
        with suppress(OSError, AttributeError):  # it is closed already, or there is none
            connection.shutdown(socket.SHUT_RD)

    alarm = threading.Timer(HEARD_SECONDS, end)
    alarm.start()
    try:
        yield
    finally:
        alarm.cancel()
