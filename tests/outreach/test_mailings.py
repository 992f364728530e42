"""Digests and newsletters: what is new and nothing else, once, whatever happens to workers and mail servers."""

import contextlib
import datetime as dt
import email
import email.policy
import io
import re
import socket

import feedparser
import psycopg
import pytest
from aiosmtpd.controller import Controller
from django.core import mail
from django.core.exceptions import PermissionDenied
from django.core.mail import get_connection
from django.core.management import call_command
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from ground.committing import commit_ahead
from outreach import mailings, subscribing, tasks
from outreach.choices import MailingKind, Told
from outreach.models import Announcement, AnnouncementText, Copy, Issue, IssueText, Mailing, Subscriber
from partners.models import Country
from projects.choices import Delivery, NeedState, OfferState
from projects.models import Need
from tests.admin_form import shown
from tests.factories import NeedFactory, OfferFactory, ProjectFactory
from tests.outreach.test_subscribing import reader

pytestmark = [pytest.mark.sql, pytest.mark.django_db]
NOW = dt.datetime(2026, 6, 1, 6, tzinfo=dt.UTC)  # a Monday, and the first of its month
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)


class Post:
    """A mail server that keeps what it gets. `answers`: what it says to a recipient or to a message, in turn."""

    def __init__(self):
        self.got, self.to_recipients, self.to_messages, self.hangs_up_on = [], [], [], None

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address == self.hangs_up_on:
            server.transport.abort()
        said = self.to_recipients.pop(0) if self.to_recipients else ""
        if said:
            return said
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        said = self.to_messages.pop(0) if self.to_messages else ""
        if said:
            return said
        self.got.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        return "250 OK"

    @property
    def receivers(self) -> list[str]:
        return [one["To"] for one in self.got]


@pytest.fixture
def post(settings):
    """A real mail server, and the portal's way of talking to it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    handler = Post()
    server = Controller(handler, hostname="127.0.0.1", port=port)
    server.start()
    settings.EMAIL_BACKEND, settings.EMAIL_HOST, settings.EMAIL_PORT = "ground.smtp.Backend", "127.0.0.1", port
    yield handler
    server.stop()


def need(title: str, published: dt.datetime, **values) -> Need:
    made = NeedFactory(in_state=NeedState.OPEN, title=title, **values)
    Need.objects.filter(pk=made.pk).update(published_at=published)
    return made


def early(*wanted, **values) -> Subscriber:
    """Somebody who has followed for long."""
    one = reader(*wanted, **{"rhythm": "daily", "created_at": NOW - 40 * DAY, **values})
    one.subscriptions.update(created_at=NOW - 40 * DAY)
    return one


def daily() -> Mailing:
    """The daily digest of NOW, begun."""
    mailings.begin(NOW)
    return Mailing.objects.get(kind=MailingKind.DAILY, until=NOW.replace(hour=0))


def carried_out(mailing: Mailing) -> Mailing:
    assert mailings.carry_on(mailing, seconds=60)
    mailing.refresh_from_db()
    return mailing


def text_of(message) -> str:
    return message.get_body(("plain",)).get_content().replace("\r\n", "\n")


def test_a_digest_tells_what_is_new(post):
    one = early((Told.NEEDS, ""), (Told.NEEDS, "country=UGA"))
    need("Gauges for rivers", NOW - 8 * HOUR)
    need("Older than the reader's mail", NOW - 41 * DAY)
    need("Of the next day", NOW - 2 * HOUR)
    NeedFactory(title="A draft")
    done = carried_out(daily())
    assert (done.sent, done.bounced, done.failed) == (1, 0, 0) and done.ended_at
    (message,) = post.got
    assert message["To"] == one.email and message["Subject"] == "1 new: Gauges for rivers"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click" and message["List-Id"]
    assert message["Auto-Submitted"] == "auto-generated" and message["Message-ID"] == Copy.objects.get().message_id
    text = text_of(message)
    assert "Gauges for rivers" in text and "Older" not in text and "next day" not in text and "draft" not in text
    assert "country=UGA" not in text  # a search without anything new is not spoken of
    for part in ("plain", "html"):
        body = message.get_body((part,)).get_content()
        for path in (
            one.get_absolute_url(),
            f"/subscribe/stop/{one.token}/",
            Need.objects.order_by("pk")[0].get_absolute_url(),
        ):
            assert f"http://127.0.0.1:8000{path}" in body, (part, path)
        assert ".invalid" not in body
    stop = re.fullmatch(r"<http://127.0.0.1:8000(\S+)>", message["List-Unsubscribe"].strip())[1]
    assert Client().get(stop).status_code == 200 and Subscriber.objects.exists()
    assert Client(enforce_csrf_checks=True).post(stop, {"List-Unsubscribe": "One-Click"}).status_code == 200
    assert not Subscriber.objects.exists()


def test_each_thing_is_told_once(post):
    early()
    need("First", NOW - 8 * HOUR)
    carried_out(daily())
    carried_out(daily())
    assert len(post.got) == 1
    need("Second", NOW + 8 * HOUR)
    (mailing,) = [one for one in mailings.begin(NOW + DAY) if one.kind == MailingKind.DAILY]
    carried_out(mailing)
    assert [one["Subject"] for one in post.got] == ["1 new: First", "1 new: Second"]


def test_nothing_new_nothing_sent(post):
    early()
    done = carried_out(daily())
    assert done.ended_at and done.sent == 0 and not post.got and not Copy.objects.exists()
    assert Subscriber.objects.get().told_until == done.until


def test_what_was_public_before_one_asked_is_not_new(post):
    one = reader(rhythm="daily", created_at=NOW - 7 * HOUR)
    one.subscriptions.update(created_at=NOW - 7 * HOUR)
    need("Before", NOW - 8 * HOUR)
    need("After", NOW - 6.5 * HOUR)
    carried_out(daily())
    assert [m["Subject"] for m in post.got] == ["1 new: After"]


def test_every_kind_of_record_and_every_rhythm(post):
    need("A need", NOW - 8 * HOUR)
    offer, project = (
        OfferFactory(in_state=OfferState.ACTIVE, title="An offer"),
        ProjectFactory(published=True, title="A project"),
    )
    for record in (offer, project):
        type(record).objects.filter(pk=record.pk).update(published_at=NOW - 8 * HOUR)
    told = Announcement.objects.create(slug="n", kind="news", published_on=(NOW - DAY).date(), is_public=True)
    Announcement.objects.update(public_since=NOW - 8 * HOUR)
    AnnouncementText.objects.create(announcement=told, title="A piece of news", lede="It happened.")
    for rhythm in ("daily", "weekly", "monthly"):
        everything = [(name, "") for name in Told.values]
        early(*everything, email=f"{rhythm}@example.org", rhythm=rhythm)
    for mailing in mailings.begin(NOW):
        carried_out(mailing)
    assert sorted(post.receivers) == ["daily@example.org", "monthly@example.org", "weekly@example.org"]
    for message in post.got:
        assert all(
            title in text_of(message)
            for title in ("A need", "An offer", "A project", "A piece of news", "It happened.")
        )
        assert message["Subject"].startswith("4 new: ")


def test_boundaries():
    at = dt.datetime(2026, 11, 26, 17, 8, tzinfo=dt.UTC)  # a Thursday
    assert [mailings.boundary(kind, at).date().isoformat() for kind in mailings.DIGESTS] == [
        "2026-11-26",
        "2026-11-23",
        "2026-11-01",
    ]
    assert not any(mailings.boundary(kind, NOW).hour for kind in mailings.DIGESTS)


def test_news_shown_late_is_not_lost():
    told = Announcement.objects.create(slug="n", published_on=(NOW - 9 * DAY).date())
    find = Announcement.objects.visible_to(None).shown_between
    told.is_public = True
    told.save()
    Announcement.objects.update(public_since=NOW - HOUR)
    assert find(NOW - DAY, NOW).exists() and not find(NOW - 10 * DAY, NOW - 8 * DAY).exists()
    Announcement.objects.update(published_on=NOW.date(), public_since=NOW - 9 * DAY)
    assert find(NOW - DAY, NOW).get().shown_at == NOW.replace(hour=0)


def test_a_digest_is_in_the_readers_language(post):
    early(language="fr")
    early(email="ar@example.org", language="ar")
    need("Gauges", NOW - 8 * HOUR)
    carried_out(daily())
    french, arabic = sorted(post.got, key=lambda m: m["To"], reverse=True)
    assert "/fr/needs/" in text_of(french) and "/ar/needs/" in text_of(arabic)
    assert (
        'lang="fr"' in french.get_body(("html",)).get_content()
        and 'dir="rtl"' in arabic.get_body(("html",)).get_content()
    )


def test_many_new_things_are_counted_and_the_list_is_linked(post):
    early((Told.NEEDS, ""), (Told.NEEDS, "country=KEN"))
    for n in range(12):
        need(f"Need {n}", NOW - 8 * HOUR, country=Country.objects.get(iso3="KEN"))
    carried_out(daily())
    text = text_of(post.got[0])
    assert text.count("And 2 more") == 2 and "http://127.0.0.1:8000/needs/?country=KEN\n" in text
    assert len(re.findall(r"^Need \d+$", text, re.M)) == 20


def test_what_is_not_public_any_more_when_it_is_sent_is_left_out(post):
    early()
    gone = need("Taken back", NOW - 8 * HOUR)
    mailing = daily()
    assert mailings.prepare(mailing, mailings.finder_of(mailing)) == 1
    Need.objects.filter(pk=gone.pk).update(state="draft", published_at=None, published_by=None)
    carried_out(mailing)
    assert not post.got and not Copy.objects.exists()


def test_searches_are_made_once_for_all_who_follow_them(post, django_assert_max_num_queries):
    need("Gauges", NOW - 8 * HOUR)
    for n in range(40):
        early((Told.NEEDS, "country=KEN" if n % 2 else ""), email=f"r{n}@example.org")
    mailing = daily()
    with django_assert_max_num_queries(20):
        assert mailings.prepare(mailing, mailings.finder_of(mailing)) == 40


# --- nobody gets two, nobody none ----------------------------------------------------------------------------------------
class Killed(BaseException):
    """As good as kill -9 for the code that it goes through."""


@pytest.fixture
def three(post):
    for n in range(3):
        early(email=f"r{n}@example.org")
    need("Gauges", NOW - 8 * HOUR)
    return daily()


@pytest.mark.django_db(transaction=True)  # the note is a real commit
@pytest.mark.parametrize("moment", ["before the note", "after the note"])
def test_a_worker_that_dies_while_it_sends(moment, reference_again, three, post, monkeypatch):
    real, died = mailings.deliver, []

    def deliver(connection, message, note):
        @contextlib.contextmanager
        def dying():
            is_this = message.to == ["r1@example.org"] and not died
            if is_this and moment == "before the note":
                died.append(1)
                raise Killed
            with note():
                if is_this:
                    died.append(1)
                    raise Killed
                yield

        real(connection, message, dying)

    monkeypatch.setattr(mailings, "deliver", deliver)
    with pytest.raises(Killed):
        mailings.carry_on(three, seconds=60)
    assert post.receivers == ["r0@example.org"]
    Copy.objects.update(taken_until=None)  # its time is over
    carried_out(three)
    # Dying before the note: all three. After it and before three octets are handed to the system: the price of never two.
    left = ["r1@example.org"] if moment == "before the note" else []
    assert post.receivers == ["r0@example.org", *left, "r2@example.org"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_told", [False, True])
def test_a_database_that_goes_away_over_the_full_stop(is_told, reference_again, three, post, monkeypatch):
    """Whether the commit still reached it or not: the message is out, and nobody gets it again."""
    gone = []

    @contextlib.contextmanager
    def ahead():
        if gone:
            with commit_ahead():
                yield
            return
        gone.append(1)
        with psycopg.connect(**connection.get_connection_params()) as other:
            end = ["SELECT pg_terminate_backend(%s, 5000)", [connection.connection.info.backend_pid]]
            if not is_told:
                other.execute(*end)
            with commit_ahead():
                if is_told:
                    other.execute(*end)
                yield

    monkeypatch.setattr(mailings, "commit_ahead", ahead)
    with contextlib.suppress(OperationalError):  # the job ends where the next copy finds no database, and is taken up
        mailings.carry_on(three, seconds=60)
    connection.close()
    Copy.objects.update(taken_until=None)
    assert carried_out(three).sent == 3 and gone
    assert post.receivers == ["r0@example.org", "r1@example.org", "r2@example.org"]


def test_two_workers_at_one_copy_send_one(three, post):
    mailings.prepare(three, mailings.finder_of(three))
    first, second = mailings.take(three), list(Copy.objects.select_related("subscriber").order_by("pk"))
    assert len(first) == 3 and not mailings.take(three)  # what one holds, no other takes
    writer = mailings.Writer(three)
    for copies in (first, second):  # and if its time ran out all the same
        with get_connection() as connection:
            for copy in copies:
                mailings.post(copy, writer.letter(copy), connection)
    assert sorted(post.receivers) == ["r0@example.org", "r1@example.org", "r2@example.org"]


def test_a_copy_that_another_worker_sent_meanwhile_stays(three, post, monkeypatch):
    """What it said is emptied by then; that is no reason to think that there was nothing to say."""
    mailings.prepare(three, mailings.finder_of(three))
    (first, *_others), writer = mailings.take(three), mailings.Writer(three)
    Copy.objects.exclude(pk=first.pk).delete()
    with get_connection() as server:
        mailings.post(first, writer.letter(first), server)
        first.refresh_from_db()
        mailings._send_all([first], writer, server, mailings.monotonic() + 60, lambda: False)
    assert Copy.objects.get().status == Delivery.SENT and len(post.got) == 1


def test_whoever_stops_while_it_is_sent_gets_nothing(three, post):
    mailings.prepare(three, mailings.finder_of(three))
    copies, writer = mailings.take(three), mailings.Writer(three)
    subscribing.stop(copies[0].subscriber)
    with get_connection() as connection:
        for copy in copies:
            mailings.post(copy, writer.letter(copy), connection)
    assert post.receivers == ["r1@example.org", "r2@example.org"]


def test_what_the_server_refuses_for_now_goes_later(three, post):
    post.to_messages = ["451 later", ""]
    assert not mailings.carry_on(three, seconds=60)
    three.refresh_from_db()
    assert three.ended_at is None and post.receivers == ["r1@example.org", "r2@example.org"]
    copy = Copy.objects.waiting().get()
    assert (
        copy.attempts == 1
        and "451" in copy.error
        and copy.content
        and copy.taken_until > timezone.now() + 3 * dt.timedelta(minutes=1)
    )
    Copy.objects.update(taken_until=None)
    assert carried_out(three).sent == 3
    assert post.receivers[-1] == "r0@example.org" and Copy.objects.get(pk=copy.pk).content == []


def test_after_six_refusals_it_is_given_up(three, post):
    for _n in range(mailings.MOST_ATTEMPTS):
        post.to_recipients = ["451 greylisted"]
        Copy.objects.update(taken_until=None)
        mailings.carry_on(three, seconds=60)
    three.refresh_from_db()
    assert (three.sent, three.failed) == (2, 1) and three.ended_at
    assert Subscriber.objects.reachable().count() == 3


def test_a_copy_at_which_the_server_hangs_up_does_not_stop_the_others(three, post):
    post.hangs_up_on = "r0@example.org"
    assert not mailings.carry_on(three, seconds=60)
    assert post.receivers == ["r1@example.org", "r2@example.org"]
    copy = Copy.objects.waiting().get()
    assert copy.attempts == 1 and "Disconnected" in copy.error and copy.taken_until > timezone.now()


def test_an_address_that_does_not_exist_gets_no_more_mail(three, post):
    post.to_recipients = ["550 no such user"]
    assert (carried_out(three).sent, three.bounced) == (2, 1)
    gone = Subscriber.objects.get(email="r0@example.org")
    assert gone.bounced_at and "550" in gone.bounce
    need("Another", NOW + HOUR)
    (mailing,) = [one for one in mailings.begin(NOW + DAY) if one.kind == MailingKind.DAILY]
    assert carried_out(mailing).sent == 2


def test_a_server_that_is_away_costs_nobody_an_attempt(three, post, settings):
    port, settings.EMAIL_PORT = settings.EMAIL_PORT, 9
    assert not mailings.carry_on(three, seconds=60)
    assert set(Copy.objects.values_list("attempts", "taken_until", "status")) == {(0, None, "waiting")}
    settings.EMAIL_PORT = port
    assert carried_out(three).sent == 3


def test_a_message_that_comes_back_later_is_counted(three, post, tmp_path):
    carried_out(three)
    copy = Copy.objects.get(subscriber__email="r1@example.org")
    report = (
        "Subject: Undelivered\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n"
        "Content-Type: message/delivery-status\n\nReporting-MTA: dns; x\n\nAction: {action}\nDiagnostic-Code: smtp; 550 gone\n\n--b\n"
        f"Content-Type: text/rfc822-headers\n\nMessage-ID: {copy.message_id}\n\n--b--\n"
    )
    path = tmp_path / "bounce.eml"
    for action, is_reached in (("delayed", True), ("failed", False), ("failed", False)):
        path.write_text(report.replace("{action}", action))
        call_command("read_bounce", str(path), stdout=io.StringIO())
        assert Subscriber.objects.reachable().filter(email="r1@example.org").exists() is is_reached
    three.refresh_from_db()
    assert (three.sent, three.bounced) == (2, 1)


def test_the_worker_takes_up_what_was_left(three, post):
    tasks.begin_mailings.func(0)
    tasks.begin_mailings.func(0)
    jobs = ProcrastinateJob.objects.filter(task_name="outreach.carry_on")
    assert jobs.filter(args__mailing_id=three.pk).count() == 1  # one waits, however often it is asked for
    for job in jobs:
        tasks.carry_on.func(**job.args)
    assert len(post.got) == 3 and not Mailing.objects.open().filter(pk=three.pk).exists()


def test_copies_are_forgotten_and_numbers_stay(three, post):
    carried_out(three)
    assert mailings.forget_old() == 0
    Mailing.objects.update(ended_at=timezone.now() - 91 * DAY)
    assert mailings.forget_old() == 3
    three.refresh_from_db()
    assert three.sent == 3 and Subscriber.objects.count() == 3


# --- the newsletter ------------------------------------------------------------------------------------------------------
@pytest.fixture
def issue():
    made = Issue.objects.create(slug="2027-03")
    body = "## What moved\n\nSee [the needs](/needs/) and **more**.\n\n<script>alert(1)</script>"
    IssueText.objects.create(issue=made, language="en", title="The month in short", lede="Ten needs.", body=body)
    IssueText.objects.create(issue=made, language="fr", title="Le mois en bref", body="Voir [les besoins](/needs/).")
    return made


def test_an_issue_goes_to_all_who_asked_for_it_once(issue, post, people):
    early((Told.NEWSLETTER, ""), (Told.NEEDS, ""), email="en@example.org")
    early((Told.NEWSLETTER, ""), email="fr@example.org", language="fr")
    early((Told.NEWSLETTER, ""), email="ru@example.org", language="ru")
    early(email="no@example.org")
    gone = early((Told.NEWSLETTER, ""), email="gone@example.org")
    subscribing.bounced(gone, "550")
    with pytest.raises(PermissionDenied):
        mailings.send_issue(issue, by=people["focal_point"])
    mailing = mailings.send_issue(issue, by=people["desk"])
    assert mailings.send_issue(issue, by=people["desk"]) == mailing and Copy.objects.count() == 3
    carried_out(mailing)
    got = {m["To"]: m for m in post.got}
    assert set(got) == {"en@example.org", "fr@example.org", "ru@example.org"}
    assert (
        got["fr@example.org"]["Subject"] == "Le mois en bref"
        and got["ru@example.org"]["Subject"] == "The month in short"
    )
    html = got["en@example.org"].get_body(("html",)).get_content()
    assert '<a href="http://127.0.0.1:8000/needs/">the needs</a>' in html and "<script>" not in html
    assert "http://127.0.0.1:8000/fr/needs/" in got["fr@example.org"].get_body(("html",)).get_content()
    for message in post.got:
        assert (
            "/newsletter/2027-03/" in text_of(message)
            and message["List-Unsubscribe"]
            and ".invalid" not in message.as_string()
        )
    issue.refresh_from_db()
    assert issue.is_public and Client().get("/newsletter/2027-03/").status_code == 200


def test_staff_write_look_test_and_send(issue, post, people, client):
    early((Told.NEWSLETTER, ""))
    client.force_login(people["desk"])
    change, test, send = (f"/admin/outreach/issue/{issue.pk}/{act}/" for act in ("change", "test", "send"))
    assert Client().get("/newsletter/2027-03/").status_code == 404  # nobody else sees it yet
    assert "Send a test mail to myself" in client.get(change).content.decode()
    assert "2 test mails go to" in client.post(test, follow=True).content.decode()
    jobs = ProcrastinateJob.objects.filter(task_name="partners.send_mail")
    assert {job.args["email"] for job in jobs} == {people["desk"].email} and jobs.count() == 2
    page = client.get(send).content.decode()
    assert "1 reader gets it" in page and not Mailing.objects.exists()
    assert "It is on its way" in client.post(send, follow=True).content.decode()
    carried_out(Mailing.objects.get())
    assert len(post.got) == 1
    assert "It was sent already" in client.post(send, follow=True).content.decode()
    sent_page = client.get(change).content.decode()
    assert "not changed any more" in sent_page and 'name="slug"' not in sent_page
    listed = client.get("/admin/outreach/mailing/").content.decode()
    assert "newsletter" in listed and "Who gets updates" in listed and "reader@example.org" not in listed


def test_an_issue_without_words_is_not_sent(people, client):
    empty = Issue.objects.create(slug="empty")
    client.force_login(people["desk"])
    assert "Write a text first" in client.post(f"/admin/outreach/issue/{empty.pk}/send/", follow=True).content.decode()
    assert not Mailing.objects.exists()


@pytest.mark.parametrize(("who", "sees"), [("desk", False), ("publisher", False), ("administrator", True)])
def test_addresses_are_for_administrators(who, sees, people, client):
    one = reader()
    client.force_login(people[who])
    assert (client.get("/admin/outreach/subscriber/").status_code == 200) is sees
    assert (client.get(f"/admin/outreach/subscriber/{one.pk}/change/").status_code == 200) is sees
    assert client.get("/admin/outreach/mailing/").status_code == 200
    if sees:
        remove = f"/admin/outreach/subscriber/{one.pk}/delete/"
        client.post(remove, shown(client.get(remove)))
        assert not Subscriber.objects.exists()


def test_the_list_of_issues(client, issue, people):
    assert "No issue has been sent yet" in client.get("/newsletter/").content.decode()
    mailings.send_issue(issue, by=people["desk"])
    assert "The month in short" in client.get("/newsletter/").content.decode()
    feed = feedparser.parse(client.get("/newsletter/feed.atom").content)
    assert not feed.bozo and [one.title for one in feed.entries] == ["The month in short"]


def test_delivery_without_smtp_notes_first(three, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    mail.outbox.clear()
    carried_out(three)
    assert [m.to for m in mail.outbox] == [["r0@example.org"], ["r1@example.org"], ["r2@example.org"]]
    assert set(Copy.objects.values_list("status", flat=True)) == {Delivery.SENT}
