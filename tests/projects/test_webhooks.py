"""Webhooks: whom a change concerns, the signed call to a real server, attempts, the log; and what must never be called."""

import datetime as dt
import http.server
import json
import re
import socket
import threading
from base64 import b64decode
from pathlib import Path

import pytest
import urllib3
from django.core import mail
from django.db import connection
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from partners.models import Change, User
from projects import actions, recording, webhooks
from projects.choices import CallState
from projects.lifecycle import quietly, transition
from projects.models import Answer, Need, Project, Response, Webhook, WebhookCall
from projects.tasks import retry_webhooks, send_webhooks, tell_webhooks
from tests.factories import NeedFactory, ProjectFactory, commit

pytestmark = [pytest.mark.sql, pytest.mark.django_db]
GIVEN = {"url": "https://example.org/in", "subject": "need", "query": "?country=KEN&state=open"}


@pytest.fixture
def receiver(settings):
    """A server that keeps what it is sent; `answers` are the statuses it gives (or with headers), in turn, then 204."""
    settings.WEBHOOKS_TO_PRIVATE = True

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            length = int(self.headers["Content-Length"])
            server.got.append((self.path, self.headers, self.rfile.read(length).decode()))
            answer = server.answers.pop(0) if server.answers else 204
            status, headers = answer if isinstance(answer, tuple) else (answer, {})
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if status == 302:
                self.send_header("Location", "http://127.0.0.1:1/elsewhere")
            self.end_headers()

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.got, server.answers = [], []
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    server.url = f"http://127.0.0.1:{server.server_port}/in?a=b"
    yield server
    server.shutdown()
    server.server_close()


def made(user, url="https://example.org/in", subject="project", query="") -> Webhook:
    return Webhook.objects.create(user=user, url=url, subject=subject, query=query)


def noted() -> list[WebhookCall]:
    """The calls for what has changed since this was asked last."""
    commit()
    return webhooks.note_changes()


def told() -> list[str]:
    """What these calls say."""
    return [call.what for call in noted()]


# --- what is told, to whom -----------------------------------------------------------------------------------------------
def test_a_public_move_and_a_change_are_told_and_nothing_else(people):
    made(people["stranger"])
    project = ProjectFactory()
    recording.change(project, {"summary": "A"}, by=people["desk"])
    transition(project, "submit", by=people["desk"])
    assert told() == []
    transition(project, "publish", by=people["publisher"])
    assert told() == ["project.publish"]
    recording.change(project, {"summary": "B"}, by=people["desk"])
    assert told() == ["project.changed"]
    recording.change(project, {"parent": ProjectFactory()}, by=people["desk"])  # which is not public
    assert told() == []
    recording.change(project, {"default_currency": "KES"}, by=people["desk"])
    assert told() == ["project.changed"]
    Project.objects.filter(pk=project.pk).update(title="By raw SQL")
    assert told() == ["project.changed"]
    transition(project, "unpublish", by=people["publisher"], note="Wrong")
    assert told() == ["project.gone"]
    assert told() == []
    assert set(WebhookCall.objects.values_list("record", flat=True)) == {project.reference}


def test_a_response_is_told_to_those_who_follow_needs(people):
    """It changes what everybody reads of the need: how many of its lines are open, what has happened."""
    need = NeedFactory(in_state="open")
    webhook = made(people["stranger"], subject="need")
    noted()
    lead = people["partner_lead"]
    response = Response(need=need, partner=lead.memberships.get().partner, text="Twenty days")
    actions.respond(response, [Answer(line=need.lines.first(), quantity=20)], by=lead)
    [call] = noted()
    assert (call.webhook, call.what, call.record) == (webhook, "need.changed", need.reference)


def test_what_an_import_brings_calls_nobody(people):
    made(people["stranger"])
    with quietly():
        project = ProjectFactory(published=True)
    assert told() == []
    assert Change.objects.get(reference=project.reference).is_quiet
    Project.objects.filter(pk=project.pk).update(title="Another")
    assert told() == ["project.changed"]


def test_public_moves_ask_for_the_calls_at_once(people):
    project = ProjectFactory()
    transition(project, "submit", by=people["desk"])
    jobs = ProcrastinateJob.objects.filter(task_name="projects.tell_webhooks")
    assert not jobs.exists()
    transition(project, "publish", by=people["publisher"])
    assert jobs.count() == 1


def test_the_filter_of_a_webhook_is_the_filter_of_the_list(people):
    kenya = made(people["stranger"], query="country=KEN&status=2")
    made(people["stranger"], query="country=FJI")
    made(people["stranger"], subject="need")
    project = ProjectFactory(published=True, status="2")
    assert [call.webhook for call in noted()] == [kenya]
    body = json.loads(WebhookCall.objects.get().body)
    assert body["type"] == "project.changed"
    assert body["data"]["reference"] == project.reference
    assert body["data"]["url"].endswith(f"/api/v1/projects/{project.reference}/")
    assert project.title not in WebhookCall.objects.get().body


@pytest.mark.parametrize("name", ["stranger", "contributor", "desk"])
def test_nobody_is_told_of_what_they_may_not_see(name, people):
    made(people[name], subject="project")
    hidden = ProjectFactory()
    assert noted() == []  # whoever may see it: the feed is public
    change = Change(
        sequence=0, kind="project", record=hidden.pk, reference=hidden.reference, is_gone=False, is_quiet=False
    )
    found = webhooks.note([change])
    assert bool(found) == people[name].has_perm("projects.view_project", hidden)


def test_what_leaves_the_list_is_told_once_by_its_reference_alone(people):
    webhook = made(people["stranger"])
    project = ProjectFactory(published=True)
    noted()
    with quietly():
        other = ProjectFactory(published=True)
    for one in (project, other):
        transition(one, "unpublish", by=people["publisher"], note="Wrong")
    [call] = noted()  # it never heard of the other one
    assert json.loads(call.body)["data"] == {"kind": "project", "reference": project.reference}
    assert json.loads(call.body)["type"] == "project.gone"
    project.delete()
    assert noted() == []
    assert webhook.calls.count() == 2


def test_what_an_import_brought_into_the_list_is_told_when_it_leaves(people):
    made(people["stranger"])
    made(people["stranger"], query="country=FJI")
    noted()
    with quietly():
        project = ProjectFactory(published=True)
    assert noted() == []
    transition(project, "unpublish", by=people["publisher"], note="Wrong")
    assert told() == ["project.gone"]


def test_what_leaves_the_list_is_told_however_long_ago_it_was_told_of(people):
    webhook, need = made(people["stranger"], subject="need", query="state=open"), NeedFactory(in_state="open")
    assert [call.record for call in noted()] == [need.reference]
    webhook.calls.update(state=CallState.DONE, created_at=timezone.now() - webhooks.KEPT_FOR - dt.timedelta(days=1))
    webhooks.forget_old()
    assert not webhook.calls.exists()
    transition(need, "hold", by=people["desk"], note="x")
    assert told() == ["need.gone"]
    transition(need, "resume", by=people["desk"])
    assert told() == ["need.resume"]


def test_what_stood_in_the_list_when_the_webhook_was_made_is_told_when_it_leaves(people, sign_in):
    """Made on the page, or there before it was kept what stands in the list."""
    need, other = NeedFactory(in_state="open"), NeedFactory(in_state="on_hold")
    noted()
    sign_in(people["stranger"]).post("/account/webhooks/", GIVEN | {"subject": "need", "query": "state=open"})
    exact = Webhook.objects.get()
    assert exact.listed.count() == 1
    Need.objects.filter(pk=other.pk).update(title="It never stood there")
    assert noted() == []
    earlier = made(people["stranger"], subject="need", query="state=open")
    transition(need, "hold", by=people["desk"], note="x")
    calls = noted()
    assert {(call.webhook, call.what, call.record) for call in calls} == {(w, "need.gone", need.reference) for w in (exact, earlier)}  # fmt: skip
    Need.objects.filter(pk=need.pk).update(title="Another")
    assert noted() == []


def test_paused_ones_and_those_of_people_who_left_are_not_called(people):
    ProjectFactory(published=True)
    webhooks.pause(made(people["stranger"]))
    made(people["former"])
    User.objects.filter(pk=people["former"].pk).update(is_active=False)
    assert noted() == []


def test_what_came_into_the_list_while_it_was_paused_is_told_when_it_leaves(people):
    """Whoever lets it go on reads the list then (docs/api-guide.md), and wants to hear of what leaves."""
    webhook = made(people["stranger"], subject="need", query="state=open")
    webhooks.remember_list(webhook)
    webhooks.pause(webhook)
    need = NeedFactory(in_state="open")
    assert noted() == []
    webhooks.resume(webhook)
    transition(need, "hold", by=people["desk"], note="x")
    assert told() == ["need.gone"]


def test_nobody_is_asked_each_minute_for_calls_of_people_who_left(people):
    webhook = made(people["former"])
    call = webhooks.ping(webhook)
    assert webhooks.hosts_due() == ["example.org"]
    User.objects.filter(pk=people["former"].pk).update(is_active=False)
    assert webhooks.hosts_due() == []
    assert not webhooks.send(call.pk)


def test_every_public_move_of_the_lists_has_its_name():
    kinds = webhooks.kinds_of_change()
    assert {"project.publish", "project.changed", "need.publish", "need.deliver", "offer.activate"} <= set(kinds)
    assert not {"project.submit", "project.return", "offer.submit"} & set(kinds)


# --- the call --------------------------------------------------------------------------------------------------------------
def test_the_signature_is_that_of_the_specification():
    """The example of the Standard Webhooks specification's own libraries."""
    secret = b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    number, second, body = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, '{"test": 2432232314}'
    assert webhooks.signature(secret, number, second, body) == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_change_arrives_signed_at_a_real_server(people, receiver):
    webhook = made(people["stranger"], receiver.url)
    ProjectFactory(published=True)
    commit()
    tell_webhooks()
    call = webhook.calls.get()
    assert webhooks.send(call.pk)
    [(path, headers, body)] = receiver.got
    call.refresh_from_db()
    assert (path, body, call.state, call.status, call.attempts) == ("/in?a=b", call.body, CallState.DONE, 204, 1)
    assert headers["Host"] == f"127.0.0.1:{receiver.server_port}"
    key = b64decode(webhook.shown_secret.removeprefix("whsec_"))
    signed = webhooks.signature(key, headers["webhook-id"], int(headers["webhook-timestamp"]), body)
    assert headers["webhook-signature"] == signed
    assert abs(int(headers["webhook-timestamp"]) - timezone.now().timestamp()) < 60
    assert not webhooks.send(call.pk)
    assert len(receiver.got) == 1  # once
    guide = (Path(__file__).parents[2] / "docs" / "api-guide.md").read_text()
    [block] = [b for b in re.findall(r"```python\n(.*?)```", guide, re.DOTALL) if "is_from_portal" in b]
    exec(block, found := {})  # noqa: S102 - what the guide tells receivers to do
    assert found["is_from_portal"](webhook.shown_secret, headers, body.encode())
    assert not found["is_from_portal"](webhook.shown_secret, headers, body.encode() + b" ")
    assert not found["is_from_portal"]("whsec_AAAA", headers, body.encode())


def test_it_is_tried_again_and_the_number_stays(people, receiver):
    receiver.answers = [500, 302, 204]
    call = webhooks.ping(made(people["stranger"], receiver.url))
    for status in (500, 302):
        assert webhooks.send(call.pk)
        call.refresh_from_db()
        assert (call.state, call.status) == (CallState.WAITING, status)
        assert call.next_at > timezone.now()
        assert not webhooks.send(call.pk)  # not before its time
        WebhookCall.objects.update(next_at=timezone.now())
    assert webhooks.send(call.pk)
    call.refresh_from_db()
    assert (call.state, call.attempts, call.next_at) == (CallState.DONE, 3, None)
    assert len({headers["webhook-id"] for _path, headers, _body in receiver.got}) == 1


def test_given_up_in_the_end_and_paused_with_a_message(people, monkeypatch):
    def knows_nobody(*args, **kwargs):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", knows_nobody)  # at once: a real one is asked eighty times
    webhook = made(people["stranger"], "https://nowhere.invalid/")
    for _call in range(webhooks.GIVEN_UP_AFTER):
        webhooks.ping(webhook)
    for _turn in range(len(webhooks.WAITS) + 1):
        WebhookCall.objects.filter(state=CallState.WAITING).update(next_at=timezone.now())
        _send_all()
    assert set(webhook.calls.values_list("state", "attempts")) == {(CallState.FAILED, len(webhooks.WAITS) + 1)}
    assert "not found" in webhook.calls.first().problem
    webhook.refresh_from_db()
    assert webhook.paused_by == "failures"
    sent = ProcrastinateJob.objects.filter(task_name="partners.send_mail").values_list("args", flat=True)
    assert [job["email"] for job in sent] == [people["stranger"].email]
    assert f"/account/webhooks/{webhook.pk}/" in sent[0]["text"]
    assert not mail.outbox


def test_two_workers_make_a_call_once(reference_again, receiver):
    for _call in range(5):
        webhooks.ping(made(User.objects.create_user(f"u{_call}@example.org"), receiver.url))
    threads = [threading.Thread(target=_send_all_apart) for _turn in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(receiver.got) == 5
    assert set(WebhookCall.objects.values_list("state", "attempts")) == {(CallState.DONE, 1)}


def _send_all() -> None:
    for call in WebhookCall.objects.order_by("pk"):
        webhooks.send(call.pk)


def _send_all_apart() -> None:
    _send_all()
    connection.close()


# --- receivers that are slow, or ask to wait ------------------------------------------------------------------------------
def test_a_call_ends_however_slowly_the_answer_drips_in(people, dripping, monkeypatch):
    monkeypatch.setattr(webhooks, "CALL_SECONDS", 0.3)
    call = webhooks.ping(made(people["stranger"], dripping.url))
    assert webhooks.send(call.pk)
    call.refresh_from_db()
    assert (call.state, call.status, call.problem) == (CallState.WAITING, None, "Nobody answered in time.")


@pytest.mark.parametrize(
    ("status", "retry_after", "minutes"),
    [(429, "1800", 30), (503, "Tue, 01 Jan 2126 00:00:00 GMT", 24 * 60), (503, "soon", 1), (429, None, 1), (429, "1", 1), (500, "1800", 1)],
)  # fmt: skip
def test_the_next_attempt_waits_as_long_as_the_receiver_asks(people, receiver, status, retry_after, minutes):
    receiver.answers = [(status, {"Retry-After": retry_after} if retry_after else {})]
    call = webhooks.ping(made(people["stranger"], receiver.url))
    webhooks.send(call.pk)
    call.refresh_from_db()
    assert call.state == CallState.WAITING
    assert abs(call.next_at - timezone.now() - dt.timedelta(minutes=minutes)) < dt.timedelta(seconds=30)


def test_calls_of_one_host_wait_for_one_another_and_no_others_do(people):
    for n in range(2):
        webhooks.ping(made(people["stranger"], f"https://slow.example/{n}"))
    webhooks.ping(made(people["stranger"], "https://quick.example/"))
    WebhookCall.objects.update(next_at=timezone.now())
    for _minute in range(2):
        retry_webhooks(timestamp=0)
    queued = ProcrastinateJob.objects.filter(task_name="projects.send_webhooks").order_by("pk")
    assert [job.args["host"] for job in queued] == ["quick.example", "slow.example"]  # each once
    assert len({job.lock for job in queued}) == 2


@pytest.mark.parametrize(
    ("status", "retry_after"),
    [(503, "9" * 5000), (429, "9" * 5000), (503, "Fri, 31 Dec 99999 23:59:59 GMT"), (503, "1e9"), (503, "nan"), (503, "-5"),
     (503, "１２０"), (503, "120, 240"), (503, "Fri, 99 Foo 2026 99:99:99 GMT"), (503, "")],
)  # fmt: skip
def test_a_wait_that_cannot_be_read_is_none(people, receiver, status, retry_after):
    header = retry_after.encode().decode("latin-1")
    receiver.answers = [(status, {"Retry-After": header})]
    call = webhooks.ping(made(people["stranger"], receiver.url))
    assert webhooks.send(call.pk)
    call.refresh_from_db()
    assert (call.state, call.status, call.problem) == (CallState.WAITING, status, "")
    wait = call.next_at - timezone.now()
    longest = webhooks.WAITS[0] if not header.isdigit() else dt.timedelta(days=1)  # more than a day is a day
    assert dt.timedelta() < wait <= longest


def test_every_call_to_a_receiver_waits_as_long_as_it_asks(people, receiver):
    receiver.answers = [(503, {"Retry-After": "240"})]
    asked, same, other = (
        made(people[name], receiver.url + more, kind)
        for name, more, kind in (("stranger", "", "project"), ("desk", "", "need"), ("desk", "&c=d", "offer"))
    )
    first, waits, goes = webhooks.ping(asked), webhooks.ping(same), webhooks.ping(other)
    waiting = webhooks.ping(asked)
    webhooks.send(first.pk)
    asked.refresh_from_db()
    new = webhooks.ping(asked)
    for call in (first, waits, waiting, new):
        call.refresh_from_db()
        assert abs(call.next_at - timezone.now() - dt.timedelta(seconds=240)) < dt.timedelta(seconds=30)
        assert call.is_put_off and not webhooks.send(call.pk)
    assert webhooks.send(goes.pk)  # to another address of this host
    assert len(receiver.got) == 2
    webhooks.again(new)  # its owner says so
    assert webhooks.send(new.pk)


def test_what_waits_for_a_host_is_sent_by_one_job_in_order(people, receiver):
    one, two = made(people["stranger"], receiver.url), made(people["desk"], receiver.url.replace("/in", "/other"))
    numbers = [str(webhooks.ping(webhook).number) for _n in range(30) for webhook in (one, two)]
    elsewhere = webhooks.ping(made(people["desk"], "https://elsewhere.example/127.0.0.1"))
    send_webhooks("127.0.0.1")
    assert [headers["webhook-id"] for _path, headers, _body in receiver.got] == numbers
    assert set(WebhookCall.objects.exclude(pk=elsewhere.pk).values_list("state", "attempts")) == {(CallState.DONE, 1)}
    elsewhere.refresh_from_db()
    assert elsewhere.attempts == 0
    assert not ProcrastinateJob.objects.filter(task_name="projects.send_webhooks").exists()


@pytest.mark.parametrize("limit", ["MAX_CALLS_IN_A_RUN", "RUN_SECONDS"])
def test_a_long_backlog_gives_its_place_away_and_goes_on_later(people, receiver, monkeypatch, limit):
    monkeypatch.setattr(webhooks, limit, {"MAX_CALLS_IN_A_RUN": 3, "RUN_SECONDS": -1}[limit])
    webhook = made(people["stranger"], receiver.url)
    for _n in range(7):
        webhooks.ping(webhook)
    send_webhooks("127.0.0.1")
    assert len(receiver.got) == {"MAX_CALLS_IN_A_RUN": 3, "RUN_SECONDS": 1}[limit]
    assert ProcrastinateJob.objects.get(task_name="projects.send_webhooks").status == "todo"
    for _turn in range(7):
        send_webhooks("127.0.0.1")
    assert len(receiver.got) == 7


def test_a_host_where_nobody_answers_holds_its_place_for_one_call(people, settings):
    settings.WEBHOOKS_TO_PRIVATE = True
    webhook = made(people["stranger"], "http://127.0.0.1:1/")
    calls = [webhooks.ping(webhook) for _n in range(3)]
    send_webhooks("127.0.0.1")
    assert [WebhookCall.objects.get(pk=call.pk).attempts for call in calls] == [1, 0, 0]
    assert ProcrastinateJob.objects.filter(task_name="projects.send_webhooks").count() == 1


PRIVATE = [
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1", "::1", "fe80::1",  # noqa: S104
    "fd00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "::",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_nothing_private_is_called(address, people, monkeypatch):
    def resolve(host, port, **kwargs):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        return [(family, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    connected = []
    monkeypatch.setattr(socket.socket, "connect", connected.append)
    with pytest.raises(webhooks.NotAllowed):
        webhooks.post("https://innocent.example/", "{}", {})
    assert connected == []


def test_the_connection_goes_to_the_address_that_was_looked_at(monkeypatch):
    """A name that changes its mind between the look and the call reaches nothing private."""
    answers, connected = ["93.184.216.34", "127.0.0.1"], []

    def resolve(host, port, *args, **kwargs):
        address = host if host[0].isdigit() else answers.pop(0)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)

    def connect(self, target):
        connected.append(target[0])
        raise OSError("no network in tests")

    monkeypatch.setattr(socket.socket, "connect", connect)
    with pytest.raises(urllib3.exceptions.HTTPError):
        webhooks.post("https://changing.example/", "{}", {})
    assert set(connected) == {"93.184.216.34"}


@pytest.mark.parametrize(
    "url", ["http://example.org/", "https://example.org:8443/", "ftp://example.org/", "https:///x"]
)
def test_only_https_on_its_own_port(url):
    with pytest.raises(webhooks.NotAllowed):
        webhooks.post(url, "{}", {})


def test_the_log_ends_after_a_month(people):
    call = webhooks.ping(made(people["stranger"]))
    waiting = webhooks.ping(call.webhook)
    WebhookCall.objects.update(created_at=timezone.now() - dt.timedelta(days=40))
    WebhookCall.objects.filter(pk=call.pk).update(state=CallState.DONE)
    webhooks.forget_old()
    assert list(WebhookCall.objects.all()) == [waiting]
