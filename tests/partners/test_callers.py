"""Limits of calls: which address calls, counted over all processes, with room that no person uses up."""

import pytest
from django.core.cache import cache
from django.db import OperationalError, connection
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from partners import callers
from partners.models import CallCount
from partners.tasks import clear_sessions
from projects.choices import NeedState
from tests.factories import NeedFactory

pytestmark = [pytest.mark.sql, pytest.mark.django_db]
FEW = {"page": "3/day", "search": "2/day", "file": "2/day", "pdf": "1/day", "api": "1200/min"}


@pytest.fixture
def few(settings):
    settings.RATES = FEW


def forget_what_this_process_knows():
    """As another process begins: only the table is known to it."""
    callers._known.clear()


def test_a_stranger_is_told_to_wait_and_when_to_go_on(client, few):
    assert [client.get("/about/").status_code for _n in range(4)][-1] == 429
    answer = client.get("/fr/data/")
    assert answer.status_code == 429
    assert 0 < int(answer["Retry-After"]) <= 86_400 and answer["Cache-Control"] == "no-store"
    assert "</html>" in answer.content.decode()


@pytest.mark.parametrize(
    ("address", "times"),
    [("/countries/KEN/brief.pdf", 1), ("/countries/KEN/brief/", 1), ("/search/?q=water", 2), ("/needs/?q=water", 2),
     ("/see/", 2), ("/cards/countries/KEN.png", 2)],
)  # fmt: skip
def test_costly_answers_have_a_tighter_limit_of_their_own(client, few, address, times):
    statuses = [client.get(address).status_code for _n in range(times + 1)]
    assert statuses == [200] * times + [429]
    assert client.get("/").status_code == 200


def test_a_whole_list_as_a_file_is_limited_and_its_pages_are_not(client, few):
    NeedFactory(in_state=NeedState.OPEN)
    answers = [client.get("/api/v1/needs/?format=csv") for _n in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[-1]["Content-Type"] == "application/problem+json" and int(answers[-1]["Retry-After"]) > 0
    assert client.get("/api/v1/needs/").status_code == 200


def test_somebody_signed_in_is_never_slowed(people, sign_in, few):
    client = sign_in(people["contributor"])
    assert {client.get("/data/").status_code for _n in range(6)} == {200}
    assert {client.get("/countries/KEN/brief/").status_code for _n in range(3)} == {200}


def test_processes_share_one_count(client, few):
    for _n in range(3):
        assert client.get("/data/").status_code == 200
        forget_what_this_process_knows()
    assert client.get("/data/").status_code == 429


def test_an_address_is_that_behind_the_proxy_and_a_network_of_ipv6(few, settings):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1

    def ask(address):
        return Client().get("/countries/KEN/brief/", headers={"X-Forwarded-For": f"10.9.8.7, {address}"}).status_code

    assert [ask("192.0.2.1"), ask("192.0.2.1"), ask("192.0.2.2")] == [200, 429, 200]
    assert [ask("2001:db8::1"), ask("2001:db8::2"), ask("2001:db8:0:1::1")] == [200, 429, 200]


def test_a_client_cannot_name_another_address_for_itself(client, few):
    asked = [client.get("/countries/KEN/brief/", headers={"X-Forwarded-For": f"192.0.2.{n}"}) for n in range(2)]
    assert [answer.status_code for answer in asked] == [200, 429]


def test_ordinary_calls_cost_no_query(client, count_queries):
    client.get("/countries/KEN/")
    with count_queries() as first:
        client.get("/countries/KEN/")
    with count_queries() as later:
        client.get("/countries/KEN/")
    assert later() == first()
    assert not CallCount.objects.exists()


def test_without_a_database_each_process_goes_by_its_own_count(rf, few, monkeypatch):
    monkeypatch.setattr(connection, "cursor", lambda *a, **k: (_ for _ in ()).throw(OperationalError))
    assert [callers.take("search", "192.0.2.1").is_allowed for _n in range(3)] == [True, True, False]


def test_the_table_names_no_address_and_is_cleared(few):
    callers.take("pdf", "192.0.2.77")
    kept = CallCount.objects.get()
    assert "192.0.2.77" not in kept.key
    CallCount.objects.update(until="2020-01-01T00:00Z")
    clear_sessions(0)
    assert not CallCount.objects.exists()


def test_an_empty_setting_is_no_limit(client, settings):
    settings.RATES = FEW | {"page": ""}
    assert {client.get("/data/").status_code for _n in range(8)} == {200}


@given(st.lists(st.integers(0, 3), max_size=80), st.integers(1, 40))
def test_no_order_of_processes_lets_more_through_than_a_tenth_each(order, limit):
    """Four processes, each with its own memory, in any order."""
    from django.conf import settings

    kept, memories, allowed = {}, [{} for _n in range(4)], 0
    patch = pytest.MonkeyPatch()
    patch.setattr(settings, "RATES", {"page": f"{limit}/day"})
    patch.setattr(
        callers, "_tell", lambda key, news, told, seconds: kept.__setitem__(key, kept.get(key, 0) + news) or kept[key]
    )
    try:
        for process in order:
            patch.setattr(callers, "_known", memories[process])
            allowed += callers.take("page", "192.0.2.1").is_allowed
    finally:
        patch.undo()
    assert min(len(order), limit) <= allowed <= limit + 4 * max(1, limit // callers.STEPS)


def test_many_addresses_of_one_kind_cost_calls_of_another_nothing(settings, monkeypatch):
    settings.RATES = FEW | {"search": "1000/day", "page": "1000/day"}
    monkeypatch.setattr(callers, "MOST_KNOWN", 10)
    monkeypatch.setattr(callers, "_known", {})
    for number in range(11):
        callers.take("search", f"192.0.2.{number}")
    left = [callers.take("page", "198.51.100.1").left for _n in range(3)]
    assert left == [999, 998, 997]


# --- one caller, however the address is written -----------------------------------------------------------------------------
FORMS_OF_IPV4 = ["{0}", "::ffff:{0}", "::ffff:0:{0}", "64:ff9b::{0}", "64:ff9b:1::{0}"]


def hexadecimal(address: str) -> str:
    return "{:02x}{:02x}:{:02x}{:02x}".format(*map(int, address.split(".")))


@pytest.mark.parametrize("form", [*FORMS_OF_IPV4, "2002:{1}::1", "2002:{1}:77::9"])
def test_an_address_of_ipv4_is_one_caller_in_each_form_and_others_are_others(form, rf):
    def caller(address: str) -> str:
        return callers.address_of(rf.get("/", REMOTE_ADDR=form.format(address, hexadecimal(address))))

    assert caller("66.7.8.9") == "66.7.8.9" != caller("66.7.8.10")


def test_of_ipv6_a_network_is_one_caller(rf):
    one, two, other = ("2001:4860:1:2::1", "2001:4860:1:2:ffff::1", "2001:4860:1:3::1")
    found = [callers.address_of(rf.get("/", REMOTE_ADDR=address)) for address in (one, two, other)]
    assert found[0] == found[1] != found[2]


@pytest.mark.parametrize("form", FORMS_OF_IPV4[1:])
def test_one_stranger_uses_up_no_other_ones_pages(form, few):
    statuses = [Client().get("/about/", REMOTE_ADDR=form.format(f"66.7.{n}.1")).status_code for n in range(6)]
    assert set(statuses) == {200}
    assert [Client().get("/about/", REMOTE_ADDR=form.format("8.8.4.4")).status_code for _n in range(4)][-1] == 429


@pytest.mark.parametrize("address", ["account_signup", "account_login", "account_reset_password"])
def test_limits_of_accounts_count_each_address_of_ipv4_alone(address, settings):
    cache.clear()
    settings.ACCOUNT_RATE_LIMITS = dict.fromkeys(("signup", "login", "reset_password"), "2/m/ip")

    def statuses(callers):
        return [Client().post(reverse(address), {"email": f"a{n}@example.org"}, REMOTE_ADDR=ip).status_code for n, ip in enumerate(callers)]  # fmt: skip

    assert 429 not in statuses(f"::ffff:66.7.{n}.1" for n in range(4))
    assert statuses(["::ffff:8.8.4.4", "8.8.4.4", "64:ff9b::8.8.4.4"])[-1] == 429
