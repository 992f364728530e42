"""What every test runs under: no network, warnings are errors (pyproject.toml), undefined template variables fail."""

import gc
import os
import re
import socket
import socketserver
import threading
import time
import warnings
from contextlib import contextmanager, suppress

import pytest
from django.db import connection
from django.template import Template
from django.test import Client, TransactionTestCase
from django.test.signals import template_rendered
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from ground import incoming, reading
from outreach import contact
from partners import callers
from partners.models import Country, Partner
from projects import search
from projects.matching import meaning
from tests import THOROUGH, factories, prepared_database


def pytest_configure(config):
    from django.conf import settings
    from hypothesis import settings as of_properties

    # Speed is measured in benchmarks, never asserted with a clock.
    of_properties.register_profile("portal", deadline=None, max_examples=100 if THOROUGH else 20)
    of_properties.load_profile("portal")
    # After a test that commits. Django's own way empties every table, which takes seconds, and leaves the reference data out.
    TransactionTestCase._fixture_teardown = lambda test: prepared_database.put_back()
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # fast; real ones are slow on purpose


def pytest_collection_modifyitems(config, items):
    """Leaves out what is for `make thorough` alone."""
    left_out = [] if THOROUGH else [item for item in items if item.get_closest_marker("thorough")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not item.get_closest_marker("thorough")]


def pytest_collection_finish(session):
    """Everything imported stays; looking through it again and again for what could be freed took a fifth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)


@pytest.fixture(autouse=True, scope="session")
def contexts_of_whole_pages(django_test_environment):
    """`response.context` is that of the page; Django's own also copies that of each part, a tenth of the time of a page."""

    def rendered(template, context):
        if context.template is template:
            template_rendered.send(sender=template, template=template, context=context)
        return template.nodelist.render(context)

    Template._render = rendered


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    """Only this machine is reachable."""
    connect = socket.socket.connect

    def guarded(self, address):
        if isinstance(address, tuple) and address[0] not in ("127.0.0.1", "localhost", "::1"):
            raise AssertionError(f"A test tried to reach {address}")
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(autouse=True)
def fresh_caches():
    """What is kept in memory between requests must not leak between tests, nor the language of the last page."""
    from django.core.cache import caches

    caches["local"].clear()
    callers._known.clear()
    search._names = (0.0, {})
    search._vocabulary.cache_clear()
    translation.deactivate()


@pytest.fixture(autouse=True)
def words_alone(request, monkeypatch):
    """Matching as it is without its optional extra, which takes time for each text; tests of the extra name `with_meaning`."""
    if "with_meaning" not in request.fixturenames:
        monkeypatch.setattr(meaning, "is_installed", lambda: False)


@pytest.fixture(autouse=True)
def read_here(request, monkeypatch):
    """Files that came in are read without a process for each, which takes half a second; tests of that process name `read_apart`."""
    if "read_apart" not in request.fixturenames:
        monkeypatch.setattr(incoming, "_answer", _read_beside)


def _read_beside(kind: str, content: bytes, options: str) -> bytes:
    with warnings.catch_warnings():  # that process knows nothing of ours, which are errors
        warnings.simplefilter("ignore")
        return reading.answer(kind, content, options)


@pytest.fixture
def read_apart():
    """Files are read as in the running portal: in a process of its own, which is bounded."""


@pytest.fixture
def with_meaning():
    """The optional extra of matching; .ci/run and `make thorough` do not go without."""
    if not meaning.is_installed() and os.environ.get("MEANING_TESTS") != "required":
        pytest.skip("the optional extra is not installed: make meaning")
    assert meaning.is_installed(), "make meaning"


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment, django_db_blocker, django_db_modify_db_settings):
    """Reference data is there in every test, as in every installation."""
    with django_db_blocker.unblock():
        before = prepared_database.use_copy()
    yield
    with django_db_blocker.unblock():
        prepared_database.leave_copy(before)


@pytest.fixture
def count_queries():
    """`with count_queries() as n: ...; n()` is how many queries ran, without savepoints."""

    @contextmanager
    def counting():
        with CaptureQueriesContext(connection) as context:
            yield lambda: len([q for q in context.captured_queries if "SAVEPOINT" not in q["sql"]])

    return counting


@pytest.fixture
def kenya(db):
    return Country.objects.get(iso3="KEN")


@pytest.fixture
def undp(db):
    return Partner.objects.get(slug="undp")


@pytest.fixture
def people(db):
    """One signed-in person per role, by the role's name."""
    return factories.people()


class FreshlySignedIn(Client):
    """Whoever is signed in by force leaves in the session what signing in by the page leaves there."""

    def force_login(self, user, backend=None):
        super().force_login(user, backend)
        session = self.session
        session["account_authentication_methods"] = [{"method": "password", "at": time.time()}]
        session["account_authentication_methods_user"] = str(user.pk)
        session.save()


@pytest.fixture
def client():
    return FreshlySignedIn()


@pytest.fixture
def sign_in(client):
    """`sign_in(person)` gives the client, signed in; None stays anonymous."""

    def do(person):
        client.logout()
        if person is not None:
            client.force_login(person)
        return client

    return do


@pytest.fixture
def boss(people, sign_in):
    """A client in which an administrator is signed in."""
    return sign_in(people["administrator"])


@pytest.fixture
def reference_again(transactional_db):
    """For tests that commit, which pytest-django runs last: nothing is left of what a server or worker wrote after its test."""
    prepared_database.put_back()


@pytest.fixture
def media(settings, tmp_path):
    """Where uploaded files go in this test."""
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


@pytest.fixture
def patient(monkeypatch):
    """Somebody who took longer than a program to write to us."""
    monkeypatch.setattr(contact, "TOO_QUICK", -1)


@pytest.fixture
def filled_in(client):
    """`filled_in(text=...)` is the contact form as somebody sends it."""

    def filled_in(**values) -> dict:
        page = client.get("/contact/").content.decode()
        key = re.search(r'name="key" value="([^"]+)"', page)[1]
        return {"topic": "needs", "name": "A. Person", "email": "person@example.org", "text": "How do I begin?", "key": key} | values  # fmt: skip

    return filled_in


@pytest.fixture
def dripping(settings):
    """A server that answers one byte at a time, for as long as somebody listens."""
    settings.WEBHOOKS_TO_PRIVATE = True
    is_over = threading.Event()

    class Handler(socketserver.BaseRequestHandler):
        def handle(self):
            server.calls += 1
            with suppress(OSError):
                self.request.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
                while not is_over.wait(0.02):
                    self.request.sendall(b"a")

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads, server.calls = True, 0
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    server.url = f"http://127.0.0.1:{server.server_address[1]}/in"
    yield server
    is_over.set()
    server.shutdown()
    server.server_close()
