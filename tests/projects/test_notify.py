"""Who is told of what: recipients, languages, wishes, digests, failures; never of what was rolled back."""

import datetime as dt
import smtplib

import pytest
from django.core import mail
from django.db import transaction
from django.utils import timezone
from django.utils.translation import override
from procrastinate.contrib.django.models import ProcrastinateJob

from ground.templatetags.portal import day
from partners.models import User
from projects import actions, drafting, lifecycle, notify, tasks
from projects.choices import Delivery, Frequency, NeedState, NoticeKind
from projects.lifecycle import transition
from projects.lifecycle.need import MOVES
from projects.models import Event, Follow, MailPreference, Need, Notice
from projects.notify import CONCERNS, RESPONSE_CONCERNS
from projects.timeline import RESPONSE_SAYS, SAYS
from tests.factories import NeedFactory, ResponseFactory

pytestmark = [pytest.mark.sql, pytest.mark.django_db]


def told(event: Event) -> dict[str, str]:
    return {t.user.email: t.kind for t in notify.recipients(event)}


def work_off() -> None:
    """Does the mail that is queued, as the worker would."""
    for job in ProcrastinateJob.objects.filter(task_name="projects.tell_of_event").order_by("pk"):
        tasks.tell_of_event(**job.args)
    for job in ProcrastinateJob.objects.filter(task_name="projects.send_notice").order_by("pk"):
        tasks.send_notice(**job.args)


def test_every_act_says_whom_it_concerns():
    acts = set(SAYS) - {"import", "begin", "screen", "add_document", "remove_document"}
    assert set(CONCERNS) == acts
    assert set(MOVES) <= set(CONCERNS)
    assert set(RESPONSE_CONCERNS) >= {act.removesuffix("_suggested") for act in RESPONSE_SAYS}


# (state, action, who does it) -> who is told, and why
@pytest.mark.parametrize(
    ("state", "action", "by", "want"),
    [
        ("draft", "submit", "focal_point", {"desk": "your_move"}),
        ("submitted", "return", "desk", {"focal_point": "your_move", "contributor": "your_move"}),
        ("submitted", "find_eligible", "desk", {"focal_point": "your_move", "publisher": "yours"}),
        ("eligible", "publish", "publisher", {"focal_point": "yours", "desk": "yours"}),
        (
            "in_dialogue",
            "reopen",
            "focal_point",
            {"partner_member": "your_move", "partner_lead": "your_move", "desk": "yours"},
        ),
        ("open", "withdraw", "focal_point", {"desk": "yours"}),
        ("expired", "renew", "focal_point", {"desk": "yours"}),
    ],
)
def test_a_move_reaches_those_it_concerns(state, action, by, want, people):
    need = NeedFactory(in_state=state)
    event = transition(need, action, by=people[by], note="because")
    expected = {people[name].email: kind for name, kind in want.items()}
    got = told(event)
    assert {k: v for k, v in got.items() if k in {p.email for p in people.values() if p}} == expected
    assert people["stranger"].email not in got and people["former"].email not in got


def test_a_response_reaches_the_focal_point_and_its_answer_the_partner(people):
    response = ResponseFactory()
    event = lifecycle.write_down(response, "express", by=people["partner_lead"], is_public=True)
    assert told(event)[people["focal_point"].email] == NoticeKind.YOUR_MOVE
    actions.accept_response(response, by=people["focal_point"])
    accepted = response.events.get(action="accept")
    assert {people["partner_lead"].email, people["partner_member"].email} <= set(told(accepted))


def test_a_message_says_what_happened_what_is_next_by_when_and_where(people):
    User.objects.filter(pk=people["focal_point"].pk).update(language="fr")
    need = NeedFactory(in_state=NeedState.SUBMITTED)
    transition(need, "return", by=people["desk"], note="Who pays for power?")
    work_off()
    message = next(m for m in mail.outbox if m.to == [people["focal_point"].email])
    assert need.reference in message.subject and "à vous d’agir" in message.subject
    for part in ("PNUE le renvoie avec des questions.", "Who pays for power?", "Ce qui vient ensuite", "Au plus tard le ",
                 "sont traduits par une machine",
                 f"/fr/needs/{need.reference}/"):  # fmt: skip
        assert part in message.body, part
    with override("fr"):
        assert day(Need.objects.get().due_on) in message.body  # as the person writes dates
    html, kind = message.alternatives[0]
    assert kind == "text/html" and f'href="http://127.0.0.1:8000/fr/needs/{need.reference}/"' in html
    notice = Notice.objects.get(user=people["focal_point"])
    assert (notice.status, notice.attempts) == (Delivery.SENT, 1)
    assert message.extra_headers["Message-ID"] == notice.message_id
    assert message.extra_headers["Auto-Submitted"] == "auto-generated"


def test_restricted_notes_reach_the_parties_only(people):
    need = NeedFactory(in_state=NeedState.OPEN)
    Follow.objects.create(user=people["stranger"], need=need)
    MailPreference.objects.create(user=people["stranger"], kind="followed", frequency="immediate")
    event = lifecycle.write_down(need, "publish", by=people["publisher"], note="SECRET-NOTE", is_public=True)
    for notice in notify.note(event):
        notify.send(notice.pk)
    texts = {m.to[0]: m.body + m.alternatives[0][0] for m in mail.outbox}
    assert "SECRET-NOTE" in texts[people["focal_point"].email]
    assert "SECRET-NOTE" not in texts[people["stranger"].email]
    assert "RESTRICTED" not in texts[people["stranger"].email]


def test_drafts_are_told_to_nobody_outside(people):
    need = NeedFactory()
    Follow.objects.create(user=people["desk"], need=need)
    drafting.ask_for_endorsement(need, by=people["contributor"])
    assert told(need.events.get()) == {people["focal_point"].email: "your_move"}


def test_what_is_rolled_back_is_never_told(people):
    need = NeedFactory()
    before = ProcrastinateJob.objects.count()
    with pytest.raises(RuntimeError), transaction.atomic():
        transition(need, "submit", by=people["focal_point"])
        raise RuntimeError
    assert ProcrastinateJob.objects.count() == before
    work_off()
    assert mail.outbox == []


def test_telling_twice_sends_once(people):
    transition(NeedFactory(), "submit", by=people["focal_point"])
    work_off()
    work_off()
    assert len(mail.outbox) == Notice.objects.count() == 1


def test_wishes_are_kept_for_each_kind(people, sign_in):
    desk = people["desk"]
    client = sign_in(desk)
    chosen = {"your_move": "none", "yours": "daily", "followed": "immediate", "matched": "none"}
    assert client.post("/account/mail/", chosen).status_code == 302
    transition(NeedFactory(), "submit", by=people["focal_point"])
    transition(NeedFactory(in_state=NeedState.OPEN), "withdraw", by=people["focal_point"], note="x")
    work_off()
    assert mail.outbox == []
    assert dict(Notice.objects.filter(user=desk).values_list("kind", "status")) == {
        "your_move": "unwanted",
        "yours": "waiting",
    }
    assert client.post("/account/mail/", chosen | {"yours": "hourly"}).status_code == 400
    assert MailPreference.of([desk])[desk.pk] == chosen


def test_the_daily_message_comes_once_at_seven_in_the_persons_zone(people, monkeypatch):
    desk = people["desk"]
    User.objects.filter(pk=desk.pk).update(time_zone="Asia/Tokyo")
    MailPreference.objects.create(user=desk, kind=NoticeKind.YOUR_MOVE, frequency=Frequency.DAILY)
    for _n in range(2):
        transition(NeedFactory(), "submit", by=people["focal_point"])
    work_off()
    Notice.objects.update(created_at=dt.datetime(2026, 7, 1, 6, 0, tzinfo=dt.UTC))
    at = {"now": dt.datetime(2026, 7, 1, 7, 2, tzinfo=dt.UTC)}
    monkeypatch.setattr(timezone, "now", lambda: at["now"])
    tasks.send_digests(timestamp=0)
    assert mail.outbox == []  # 16 o'clock in Tokyo
    at["now"] = dt.datetime(2026, 7, 1, 22, 2, tzinfo=dt.UTC)
    tasks.send_digests(timestamp=0)
    tasks.send_digests(timestamp=0)
    (message,) = mail.outbox
    assert message.body.count("endorses and submits it.") == 2
    assert set(Notice.objects.values_list("status", flat=True)) == {Delivery.SENT}


def digest_waits_for(person, focal_point, since: dt.datetime) -> None:
    """Something that this person reads in the daily message."""
    MailPreference.objects.create(user=person, kind=NoticeKind.YOUR_MOVE, frequency=Frequency.DAILY)
    User.objects.filter(pk=person.pk).update(time_zone="UTC")
    transition(NeedFactory(), "submit", by=focal_point)
    work_off()
    Notice.objects.update(created_at=since)


@pytest.mark.parametrize("hour", [8, 15, 23])
def test_a_daily_message_whose_hour_was_missed_is_caught_up(people, monkeypatch, hour):
    digest_waits_for(people["desk"], people["focal_point"], since=dt.datetime(2026, 7, 1, 6, 0, tzinfo=dt.UTC))
    monkeypatch.setattr(timezone, "now", lambda: dt.datetime(2026, 7, 1, hour, 2, tzinfo=dt.UTC))
    tasks.send_digests(timestamp=0)
    tasks.send_digests(timestamp=0)
    assert len(mail.outbox) == 1


def test_what_came_after_seven_waits_for_the_next_morning(people, monkeypatch):
    digest_waits_for(people["desk"], people["focal_point"], since=dt.datetime(2026, 7, 1, 7, 30, tzinfo=dt.UTC))
    for date, hour, sent in [(1, 8, 0), (2, 6, 0), (2, 7, 1)]:
        at = dt.datetime(2026, 7, date, hour, 2, tzinfo=dt.UTC)
        monkeypatch.setattr(timezone, "now", lambda at=at: at)
        tasks.send_digests(timestamp=0)
        assert len(mail.outbox) == sent


def test_a_daily_message_that_fails_holds_up_nobody_else(people, monkeypatch):
    for name in ("desk", "publisher"):
        digest_waits_for(people[name], people["focal_point"], since=dt.datetime(2026, 7, 1, 6, 0, tzinfo=dt.UTC))
    Notice.objects.bulk_create(
        Notice(user=people["publisher"], event=notice.event, kind=notice.kind, frequency=notice.frequency,
               created_at=notice.created_at)
        for notice in Notice.objects.filter(user=people["desk"])
    )  # fmt: skip
    monkeypatch.setattr(timezone, "now", lambda: dt.datetime(2026, 7, 1, 8, 2, tzinfo=dt.UTC))
    real = notify.send_digest

    def fails_for_the_desk(user):
        if user == people["desk"]:
            raise ZeroDivisionError
        return real(user)

    monkeypatch.setattr(notify, "send_digest", fails_for_the_desk)
    with pytest.raises(ExceptionGroup):
        tasks.send_digests(timestamp=0)
    assert [message.to for message in mail.outbox] == [[people["publisher"].email]]


def failing(error):
    def send(*args, **kwargs):
        raise error

    return send


def test_a_mail_server_that_is_away_is_tried_again_and_given_up_at_last(people, monkeypatch):
    transition(NeedFactory(), "submit", by=people["focal_point"])
    tasks.tell_of_event(Event.objects.get().pk)
    notice = Notice.objects.get()
    monkeypatch.setattr(notify.letters, "send", failing(ConnectionRefusedError("no one there")))
    for attempt in range(1, notify.MOST_ATTEMPTS):
        with pytest.raises(ConnectionRefusedError):  # so that the queue tries again
            notify.send(notice.pk)
        notice.refresh_from_db()
        assert (notice.status, notice.attempts) == (Delivery.WAITING, attempt)
    notify.send(notice.pk)
    notice.refresh_from_db()
    assert notice.status == Delivery.FAILED and "no one there" in notice.error
    assert list(Notice.objects.troubled()) == [notice]
    monkeypatch.undo()
    (again,) = notify.try_again(Notice.objects.all())
    notify.send(again.pk)
    assert len(mail.outbox) == 1


def test_an_address_that_does_not_exist_is_not_tried_again(people, monkeypatch):
    transition(NeedFactory(), "submit", by=people["focal_point"])
    tasks.tell_of_event(Event.objects.get().pk)
    refusal = smtplib.SMTPRecipientsRefused({people["desk"].email: (550, b"No such user")})
    monkeypatch.setattr(notify.letters, "send", failing(refusal))
    notify.send(Notice.objects.get().pk)
    notice = Notice.objects.get()
    assert notice.status == Delivery.BOUNCED and "No such user" in notice.error


def test_a_bounce_read_later_is_kept(people, tmp_path):
    import io

    from django.core.management import call_command

    transition(NeedFactory(), "submit", by=people["focal_point"])
    work_off()
    notice = Notice.objects.get()
    report = f"""From: MAILER-DAEMON@example.org
Subject: Undelivered
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: message/delivery-status

Final-Recipient: rfc822; {people["desk"].email}
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 unknown

--b
Content-Type: message/rfc822

Message-ID: {notice.message_id}
Subject: x

x
--b--
"""
    path = tmp_path / "bounce.eml"
    path.write_text(report)
    call_command("read_bounce", str(path), stdout=io.StringIO())
    notice.refresh_from_db()
    assert (notice.status, notice.error) == (Delivery.BOUNCED, "smtp; 550 unknown")


def test_quietly_tells_nobody(people):
    before = ProcrastinateJob.objects.count()
    with lifecycle.quietly():
        transition(NeedFactory(), "submit", by=people["focal_point"])
    assert ProcrastinateJob.objects.count() == before


def test_following_and_no_longer(people, sign_in):
    need = NeedFactory(in_state=NeedState.OPEN)
    client = sign_in(people["stranger"])
    assert client.post(f"/needs/{need.reference}/follow/").status_code == 302
    assert need.reference in client.get("/dashboard/").content.decode()
    client.post(f"/needs/{need.reference}/follow/", {"stop": "1"})
    assert not Follow.objects.exists()
    draft = NeedFactory()
    assert client.post(f"/needs/{draft.reference}/follow/").status_code == 404


# --- one's own page ------------------------------------------------------------------------------------------------------
WAITS = {  # state -> whose page shows it as their move
    "draft": {"focal_point"}, "submitted": {"desk", "administrator"}, "returned": {"focal_point", "contributor"},
    "eligible": {"publisher", "administrator"}, "open": set(), "in_dialogue": {"focal_point", "partner_member", "partner_lead"},
    "plan_agreed": {"desk", "administrator"}, "in_delivery": {"partner_member", "partner_lead"},
    "delivered": {"focal_point"}, "on_hold": {"desk", "administrator"}, "expired": {"focal_point"},
}  # fmt: skip


def test_the_dashboard_shows_what_waits_for_whom(people, sign_in):
    needs = {state: NeedFactory(in_state=state) for state in NeedState.values}
    for name, person in people.items():
        if person is None:
            continue
        page = sign_in(person).get("/dashboard/")
        assert page.status_code == 200
        mine = {task.reference for task in page.context["tasks"]}
        assert {s for s, need in needs.items() if need.reference in mine} == {s for s in WAITS if name in WAITS[s]}, (
            name
        )


def test_news_are_told_until_they_are_seen(people, sign_in):
    need = NeedFactory()
    User.objects.filter(pk=people["contributor"].pk).update(news_seen_at=timezone.now() - dt.timedelta(days=1))
    transition(need, "submit", by=people["focal_point"])
    client = sign_in(people["contributor"])
    assert [n.need for n in client.get("/dashboard/").context["news"]] == [need]
    assert client.get("/dashboard/").context["news"]  # looking writes nothing
    client.post("/dashboard/seen/")
    assert client.get("/dashboard/").context["news"] == []
    assert sign_in(people["stranger"]).get("/dashboard/").context["news"] == []


def test_the_dashboard_costs_the_same_with_many_needs(people, sign_in, count_queries):
    costs = []
    for n in (1, 3, 12):
        for _n in range(n):
            NeedFactory(in_state=NeedState.IN_DIALOGUE)
            ResponseFactory(need=NeedFactory(in_state=NeedState.OPEN))
        client = sign_in(people["focal_point"])
        with count_queries() as count:
            assert client.get("/dashboard/").status_code == 200
        costs.append(count())
    assert costs == [costs[0]] * 3
    assert costs[0] <= 26


def test_the_calendar_is_for_staff(people, sign_in):
    need = NeedFactory(in_state=NeedState.SUBMITTED)
    Need.objects.filter(pk=need.pk).update(due_on=timezone.localdate() + dt.timedelta(days=3))
    got = {n for n, p in people.items() if sign_in(p).get("/dashboard/calendar/").status_code == 200}
    assert got == {"desk", "publisher", "administrator"}
    assert need.reference in sign_in(people["desk"]).get("/dashboard/calendar/").content.decode()
