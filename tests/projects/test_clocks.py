"""What time does by itself: each clock on its day and not before, once, also after a missed night or two at once."""

import datetime as dt
import io

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.utils import timezone

from partners.models import User
from projects import clocks
from projects.choices import NeedState as S
from projects.choices import ResponseState
from projects.lifecycle import today, transition
from projects.lifecycle.need import DUE, working_days
from projects.models import Need, NeedEntry, Notice
from tests.factories import NeedFactory, ResponseFactory

pytestmark = [pytest.mark.sql, pytest.mark.django_db]


def days_ago(n: int) -> dt.datetime:
    return timezone.now() - dt.timedelta(days=n)


def need_in(state, *, since=0, due=None, **fields) -> Need:
    need = NeedFactory(in_state=state)
    changes = {"state_since": days_ago(since), "modified_at": days_ago(since), **fields}
    changes["due_on"] = today() + dt.timedelta(days=due) if due is not None else None
    Need.objects.filter(pk=need.pk).update(**changes)
    return Need.objects.get(pk=need.pk)


# name -> (a need that is due, the same a little earlier)
CASES = {
    "remind_draft": ({"state": S.DRAFT, "since": 340}, {"state": S.DRAFT, "since": 330}),
    "archive": ({"state": S.DRAFT, "since": 367}, {"state": S.DRAFT, "since": 330}),
    "remind_screening": ({"state": S.SUBMITTED, "due": -1}, {"state": S.SUBMITTED, "due": 0}),
    "remind_publish": ({"state": S.ELIGIBLE, "due": -1}, {"state": S.ELIGIBLE, "due": 0}),
    "remind_summary": (
        {"state": S.ELIGIBLE, "since": 9, "summary_approved_at": None, "summary_approved_by": None},
        {"state": S.ELIGIBLE, "since": 3, "summary_approved_at": None, "summary_approved_by": None},
    ),
    "remind_30": ({"state": S.RETURNED, "since": 31, "due": 29}, {"state": S.RETURNED, "since": 28, "due": 32}),
    "remind_50": ({"state": S.RETURNED, "since": 52, "due": 8}, {"state": S.RETURNED, "since": 28, "due": 32}),
    "hold_returned": ({"state": S.RETURNED, "since": 61, "due": -1}, {"state": S.RETURNED, "since": 28, "due": 32}),
    "remind_unanswered": ({"state": S.OPEN, "since": 61, "due": -1}, {"state": S.OPEN, "due": 0}),
    "remind_expiry": ({"state": S.OPEN, "expires_on": today() + dt.timedelta(days=20)}, {"state": S.OPEN, "expires_on": today() + dt.timedelta(days=40)}),
    "expire": ({"state": S.OPEN, "expires_on": today() - dt.timedelta(days=1)}, {"state": S.OPEN, "expires_on": today() + dt.timedelta(days=40)}),
    "remind_dialogue": ({"state": S.IN_DIALOGUE, "due": 10}, {"state": S.IN_DIALOGUE, "due": 20}),
    "reopen": ({"state": S.IN_DIALOGUE, "due": -1}, {"state": S.IN_DIALOGUE, "due": 20}),
    "remind_progress": ({"state": S.IN_DELIVERY, "due": -1}, {"state": S.IN_DELIVERY, "due": 1}),
    "remind_closing": ({"state": S.DELIVERED, "due": -1}, {"state": S.DELIVERED, "due": 1}),
    "unlist": ({"state": S.EXPIRED, "since": 95}, {"state": S.EXPIRED, "since": 80}),
}  # fmt: skip
BECOMES = {"archive": S.ARCHIVED, "hold_returned": S.ON_HOLD, "expire": S.EXPIRED, "reopen": S.OPEN}


def test_days_are_those_of_the_desk():
    """Half past one in the night there is still the day before in UTC."""
    day = dt.date(2026, 11, 30)
    for hour, is_due in ((20, True), (22, False)):  # 23:30 of the 335th day before in Nairobi; 01:30 of the next
        written = dt.datetime.combine(day - dt.timedelta(days=335), dt.time(hour, 30), tzinfo=dt.UTC)
        need = need_in(S.DRAFT, modified_at=written)
        assert (clocks.run(day, dry_run=True)["remind_draft"] > 0) is is_due, hour
        need.delete()


def test_every_clock_has_its_case():
    assert {c.name for c in clocks.CLOCKS} == set(CASES) | {
        "remind_answer",
        "lapse",
        "expire_offer",
        "remind_offer",
    }  # of offers: test_offers


@pytest.mark.parametrize("name", CASES)
def test_a_clock_acts_when_it_is_due_once_and_as_the_system(name):
    due, early = (need_in(**case) for case in CASES[name])
    clocks.run()
    action = {"hold_returned": "hold"}.get(name, name)
    event = due.events.get(action=action)
    assert event.by == User.objects.system()
    assert not early.events.exists()
    state = Need.objects.get(pk=due.pk).state
    assert state == BECOMES.get(name, due.state)
    before = due.events.count()
    clocks.run()
    assert due.events.count() == before, "twice"


def test_a_missed_fortnight_is_caught_up_once():
    """Nobody ran the clocks while both reminders and the hold came due: only what holds now is done."""
    need = need_in(S.RETURNED, since=70, due=-10)
    done = clocks.run()
    assert done == {"hold_returned": 1}
    assert [e.action for e in need.events.all()] == ["hold"]


def test_answers_to_responses_are_reminded_of_then_lapse():
    soon, late = ResponseFactory(), ResponseFactory()
    type(soon).objects.filter(pk=soon.pk).update(due_on=today() + dt.timedelta(days=5))
    type(late).objects.filter(pk=late.pk).update(due_on=today() - dt.timedelta(days=1))
    assert clocks.run() == {"remind_answer": 1, "lapse": 1}
    assert clocks.run() == {}
    late.refresh_from_db()
    assert late.state == ResponseState.LAPSED
    assert soon.events.get().action == "remind_answer"


def test_the_same_stay_is_reminded_once_and_the_next_stay_again(people):
    need = need_in(S.SUBMITTED, due=-1)
    clocks.run()
    transition(need, "return", by=people["desk"], note="?")
    transition(need, "submit", by=people["focal_point"])
    Need.objects.filter(pk=need.pk).update(due_on=today() - dt.timedelta(days=1))
    clocks.run()
    assert need.events.filter(action="remind_screening").count() == 2


def test_unlisted_needs_keep_their_page_and_come_back(client, people):
    need = need_in(S.EXPIRED, since=95)
    assert client.get("/needs/").context["total"] == 1
    clocks.run()
    assert client.get("/needs/").context["total"] == 0
    assert client.get(f"/needs/?q={need.reference}").context["total"] == 0
    assert client.get(f"/needs/{need.reference}/").status_code == 200
    transition(Need.objects.get(pk=need.pk), "renew", by=people["focal_point"])
    assert NeedEntry.objects.get(pk=need.pk).is_public


def test_a_need_without_its_update_is_marked_as_stale(client):
    need = need_in(S.IN_DELIVERY, due=-3)
    assert need.is_stale
    assert b"No news" in client.get(f"/needs/{need.reference}/").content


@pytest.mark.parametrize("error", [ValidationError("no"), ZeroDivisionError()], ids=["refused", "broken"])
def test_one_failure_stops_nobody_else(monkeypatch, caplog, error):
    first, second = need_in(S.SUBMITTED, due=-1), need_in(S.SUBMITTED, due=-1)
    real = clocks.write_down

    def fails_once(record, *args, **kwargs):
        if record.pk == first.pk:
            raise error
        return real(record, *args, **kwargs)

    monkeypatch.setattr(clocks, "write_down", fails_once)
    assert clocks.run() == {"remind_screening": 1}
    assert second.events.exists() and not first.events.exists()
    assert f"Need {first.pk}" in caplog.text


def test_dry_run_and_another_day():
    need = need_in(S.OPEN, expires_on=today() + dt.timedelta(days=60))
    out = io.StringIO()
    call_command("run_clocks", "--dry-run", "--on", (today() + dt.timedelta(days=61)).isoformat(), stdout=out)
    assert "expire" in out.getvalue() and not need.events.exists()
    with pytest.raises(CommandError, match="no day"):
        call_command("run_clocks", "--on", "someday")


def test_the_deadline_is_counted_at_the_desk(people, settings, monkeypatch):
    """Just after midnight in Nairobi it is still yesterday in Lima and in UTC."""
    monkeypatch.setattr(timezone, "now", lambda: dt.datetime(2127, 7, 3, 21, 30, tzinfo=dt.UTC))
    with timezone.override("America/Lima"):
        need = NeedFactory()
        transition(need, "submit", by=people["focal_point"])
    assert need.due_on == DUE[S.SUBMITTED](dt.date(2127, 7, 4))
    settings.DESK_HOLIDAYS = ["2026-07-03"]  # a Friday
    assert working_days(1)(dt.date(2026, 7, 2)) == dt.date(2026, 7, 6)
    assert not Notice.objects.exists()
