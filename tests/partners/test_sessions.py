"""How long a session holds: shorter for UNEP's staff, ended by idleness for all, and gone from the tables in the end."""

from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.urls import reverse
from django.utils import timezone

from partners import tasks

pytestmark = pytest.mark.django_db
PAGE = "/dashboard/"


@pytest.fixture
def later(monkeypatch):
    """`later(hours=3)`: the clock of everything goes on by that much."""
    real, passed = timezone.now, [timedelta(0)]
    monkeypatch.setattr(timezone, "now", lambda: real() + passed[0])

    def go(**time):
        passed[0] += timedelta(**time)

    return go


def is_in(client) -> bool:
    return client.get(PAGE).status_code == 200


@pytest.mark.parametrize("name", ["desk", "publisher", "administrator"])
def test_staff_are_signed_out_after_two_idle_hours(client, people, later, name):
    client.force_login(people[name])
    later(hours=1)
    assert is_in(client)
    later(hours=2, minutes=1)
    assert not is_in(client)


def test_staff_sign_in_anew_after_twelve_hours_of_work(client, people, later):
    client.force_login(people["desk"])
    for _hour in range(11):
        later(hours=1)
        assert is_in(client)
    later(hours=1, minutes=1)
    assert not is_in(client)


def test_others_stay_while_they_come_within_two_weeks(client, people, later):
    client.force_login(people["contributor"])
    for _visit in range(3):
        later(days=13)
        assert is_in(client)
    later(days=14, minutes=1)
    assert not is_in(client)


def test_background_saves_are_use(client, people, later):
    client.force_login(people["desk"])
    for _save in range(3):
        later(hours=1)
        client.post("/needs/none/draft/", {"title": "x"})
    assert is_in(client)


def test_a_new_role_shortens_a_session_that_is_open(client, people, later):
    client.force_login(people["stranger"])
    people["desk"].memberships.update(user=people["stranger"])
    later(hours=3)
    assert not is_in(client)


def test_use_is_written_at_most_every_few_minutes(client, people, later, count_queries):
    client.force_login(people["contributor"])
    is_in(client)
    with count_queries() as usual:
        is_in(client)
    later(minutes=6)
    is_in(client)
    with count_queries() as after_noting:
        is_in(client)
    assert after_noting() == usual()


def test_a_session_of_before_the_limits_begins_to_count(client, people, later):
    client.force_login(people["desk"])
    session = client.session
    for key in ("signed_in_at", "used_at"):
        session.pop(key, None)
    session.save()
    assert is_in(client)
    later(hours=3)
    assert not is_in(client)


def test_ended_sessions_are_cleared_each_night(client, people):
    person = people["contributor"]
    client.force_login(person)
    client.get(reverse("usersessions_list"))
    UserSession.objects.get_or_create(
        session_key=client.session.session_key, defaults={"user": person, "ip": "127.0.0.1"}
    )
    tasks.clear_sessions(timestamp=0)
    assert Session.objects.count() == UserSession.objects.count() == 1
    Session.objects.update(expire_date=timezone.now() - timedelta(days=1))
    tasks.clear_sessions(timestamp=0)
    assert Session.objects.count() == UserSession.objects.count() == 0
