"""Needs through pages and API: who reads what, the moves through their forms, the figures."""

import datetime as dt
import io
from functools import cache
from itertools import product

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.management import call_command
from django.utils import timezone

from partners.choices import Role
from partners.models import Country, Partner
from projects import demonstration_needs, demonstration_offers, lifecycle
from projects.choices import Criterion, NeedState, OfferState, ResponseState
from projects.demonstration import read
from projects.interchange import need_sheet
from projects.lifecycle.offer import missing_for
from projects.models import Follow, Need, NeedEntry, Offer, Project, Response
from projects.models.need import AUDIENCE, Audience
from projects.models.record_check import checked
from tests import THOROUGH
from tests.factories import OPENED, MembershipFactory, NeedFactory, ResponseFactory
from tests.one_of_each import one_of_each

pytestmark = pytest.mark.django_db


# --- who reads what --------------------------------------------------------------------------------------------------
NAMES = ("nobody", "stranger", "former", *Role.values)
OWN, UNEP = {"contributor", "focal_point"}, {"desk", "publisher", "administrator"}
PARTNERS = {"partner_member", "partner_lead"}
LISTS = ("/needs/", "/needs/?q=restricted", "/search/?q=restricted", "/api/v1/needs/", "/api/v1/needs/?q=restricted",
         "/countries/KEN/", "/dashboard/", "/")  # fmt: skip
SHOWN = (*OPENED, NeedState.WITHDRAWN)


def kind_of(name: str) -> str:
    """People of one kind read the same."""
    kinds = {"its country": OWN, "UNEP": UNEP, "a partner": PARTNERS}
    return next((kind for kind, names in kinds.items() if name in names), "nobody" if name == "nobody" else "outsider")


def audiences(name: str, state: str) -> set:
    """Of which restricted texts this person reads a need that was open: those of parties, and of partners that help."""
    if name in OWN | UNEP:
        return set(AUDIENCE.values())
    return {Audience.PARTNER} if name in PARTNERS and state in OPENED[1:-1] else set()


@pytest.fixture
def shown(people):
    """A need in each state that the public sees, with a response of somebody else, followed by all."""
    needs = {}
    for state in SHOWN:
        need = NeedFactory(in_state=state, published_at=timezone.now(), published_by=people["publisher"])
        ResponseFactory(need=need, partner=Partner.objects.get(slug="fao"), state=ResponseState.EXPRESSED)
        Follow.objects.bulk_create(Follow(user=p, need=need) for p in people.values() if p)
        needs[state] = need
    return needs


def test_restricted_texts_by_reader_and_state(people, shown):
    assert set(people) == set(NAMES)
    for state, need in shown.items():
        for name, person in people.items():
            want = {field for field, audience in AUDIENCE.items() if audience in audiences(name, state)}
            assert need.readable_by(person or AnonymousUser()) == want, (name, state)


def test_restricted_words_reach_nobody_else(people, shown, sign_in):
    """In page source, API, list, search, log and one's own page; whoever looks, in whatever state."""
    lists = one_of_each(product(NAMES, LISTS), lambda case: (kind_of(case[0]), case[1]), lambda case: case[0])
    for name, address in lists:
        assert b"RESTRICTED-" not in sign_in(people[name]).get(address).content, (name, address)
    reads = one_of_each(
        product(NAMES, SHOWN, ("", "/api/v1")),
        lambda case: (kind_of(case[0]), case[1]),
        lambda case: (kind_of(case[0]), case[2]),
        lambda case: case[0],
    )
    for name, state, at in reads:
        read = sign_in(people[name]).get(f"{at}/needs/{shown[state].reference}/").content.decode()
        seen = audiences(name, state)
        assert ("RESTRICTED-PROBLEM" in read) is (Audience.PARTNER in seen), (name, state, at)
        assert ("restricted-contact@example.org" in read) is (Audience.PARTNER in seen), (name, state, at)
        assert ("RESTRICTED-ENDORSER" in read) is (Audience.PARTY in seen), (name, state, at)
        waits = name == "focal_point" and "Responses that wait" in read
        assert ("RESTRICTED-TERMS" in read) is waits, (name, state, at)


def test_search_reads_only_what_everybody_may_read():
    NeedFactory(in_state=NeedState.OPEN)
    from projects import search

    for words, found in (("breathe", 1), ("restricted", 0), ("network design", 1), ("Kenya", 1)):
        entries = search.entries_matching(NeedEntry.objects.all(), search.compile_query(words))
        assert entries.count() == found, words


def test_every_restricted_field_is_a_field():
    assert set(AUDIENCE) <= {field.name for field in Need._meta.get_fields()}


NEVER_OPEN = [state for state in NeedState.values if state not in OPENED]


@cache
def looks() -> list[tuple[str, str, str]]:
    """(state, name, start of the address); that the rule agrees with what is found, for all of them, is in test_need_life."""
    table = product(NEVER_OPEN, NAMES, ("", "/api/v1"))
    return one_of_each(table, lambda case: (case[0], kind_of(case[1]), case[2]), lambda case: case[1:])


@pytest.mark.parametrize("state", NEVER_OPEN)
def test_what_was_never_open_is_hidden(state, people, sign_in):
    need = NeedFactory(in_state=state)
    sees = OWN if state in (NeedState.DRAFT, NeedState.ARCHIVED) else OWN | UNEP
    for _state, name, at in (case for case in looks() if case[0] == state):
        code = sign_in(people[name]).get(f"{at}/needs/{need.reference}/").status_code
        assert (code == 200) is (name in sees), (name, at)


# --- moves through their pages -----------------------------------------------------------------------------------------
def test_a_refused_form_keeps_what_was_entered(people, sign_in):
    need = NeedFactory(in_state=NeedState.SUBMITTED)
    client = sign_in(people["desk"])
    answer = client.post(f"/needs/{need.reference}/move/return/", {"note": " "})
    assert answer.status_code == 400
    screen = client.post(f"/needs/{need.reference}/screen/", {"benefit": "yes", "benefit_note": "It says whom."})
    assert screen.status_code == 400
    assert b"It says whom." in screen.content
    assert not need.criteria.filter(note="It says whom.").exists()


def test_screening_approval_response_and_answer_through_pages(people, sign_in):
    need = NeedFactory(in_state=NeedState.DRAFT)
    address = f"/needs/{need.reference}/"
    sign_in(people["focal_point"]).post(f"{address}move/submit/", {"note": ""})
    answers = dict.fromkeys(Criterion.values, "yes") | {f"{c}_note": "Said." for c in Criterion.values}
    assert sign_in(people["desk"]).post(f"{address}screen/", answers).status_code == 302
    sign_in(people["desk"]).post(f"{address}move/find_eligible/", {"note": ""})
    assert sign_in(people["focal_point"]).post(f"{address}approve/", {}).status_code == 302
    sign_in(people["publisher"]).post(f"{address}move/publish/", {"note": ""})
    need.refresh_from_db()
    assert need.state == NeedState.OPEN

    lead = sign_in(people["partner_lead"])
    undp, line = Partner.objects.get(slug="undp"), need.lines.first()
    form = {
        "who": f"partner:{undp.pk}",
        "text": "Two experts",
        "terms_text": "",
        "cost": "free",
        "starts_on": "",
        "ends_on": "",
    }
    nothing = lead.post(f"{address}respond/", form)
    assert nothing.status_code == 400 and b"Choose at least one line" in nothing.content
    assert lead.post(f"{address}respond/", {**form, f"line_{line.pk}": "40"}).status_code == 302
    response = Response.objects.get()
    assert (response.partner, response.created_by, response.due_on) == (
        undp, people["partner_lead"], lifecycle.today() + dt.timedelta(days=30),
    )  # fmt: skip
    other = {**form, "who": f"partner:{Partner.objects.get(slug='fao').pk}", f"line_{line.pk}": "4"}
    assert lead.post(f"{address}respond/", other).status_code == 400  # in another's name

    assert sign_in(people["stranger"]).post(f"/responses/{response.reference}/accept/", {"note": ""}).status_code == 404
    assert lead.post(f"/responses/{response.reference}/accept/", {"note": ""}).status_code in (403, 404)
    page = sign_in(people["focal_point"]).get(address)
    assert b"Responses that wait for your answer" in page.content
    assert (
        sign_in(people["focal_point"]).post(f"/responses/{response.reference}/accept/", {"note": ""}).status_code == 302
    )
    need.refresh_from_db()
    assert need.state == NeedState.IN_DIALOGUE


# --- lists and figures ---------------------------------------------------------------------------------------------------
def test_unanswered_counts_by_theme_and_region(client):
    old = timezone.now() - dt.timedelta(days=40)
    for code in ("KEN", "UGA", "FJI"):
        need = NeedFactory(in_state=NeedState.OPEN, country=Country.objects.get(iso3=code))
        Need.objects.filter(pk=need.pk).update(published_at=old)
    answered = NeedFactory(in_state=NeedState.OPEN)
    Need.objects.filter(pk=answered.pk).update(published_at=old)
    ResponseFactory(need=answered)
    NeedFactory(in_state=NeedState.OPEN)  # too new
    page = client.get("/needs/unanswered/")
    assert "3 needs have been open for more than 30 days" in page.content.decode()
    row = next(cells for theme, cells in page.context["rows"] if theme.code == "air")
    assert {region.code: n for region, n, *_rest in row} == {"002": 2, "019": 0, "142": 0, "150": 0, "009": 1}


@pytest.mark.parametrize(
    ("query", "count"),
    [("", 2), ("state=open", 1), ("answered=no", 1), ("waiting=30", 1), ("due=7", 1), ("kind=technology", 1), ("q=solar", 1),
     ("country=UGA", 1), ("region=014", 2), ("term=bsp-theme:air", 2), ("term=assistance:training", 2), ("sort=deadline", 2), ("sort=longest", 2)],
)  # fmt: skip
def test_list_filters(query, count, client):
    today = timezone.localdate()
    NeedFactory(in_state=NeedState.OPEN, title="Solar pumps", kind="technology", due_on=today + dt.timedelta(days=3),
                technology_sought="pumps", technology_purpose="water", operation_and_maintenance="us", maturity="proven")  # fmt: skip
    other = NeedFactory(in_state=NeedState.IN_DIALOGUE, country=Country.objects.get(iso3="UGA"))
    Need.objects.filter(pk=other.pk).update(published_at=timezone.now() - dt.timedelta(days=40))
    NeedFactory(in_state=NeedState.SUBMITTED)
    assert client.get(f"/needs/?{query}").context["total"] == count
    assert client.get(f"/api/v1/needs/?{query}").json()["count"] == count


def test_unknown_values_are_errors(client):
    for query in ("state=nothing", "waiting=5", "kind=x", "answered=perhaps"):
        assert client.get(f"/needs/?{query}").status_code == 400
        assert client.get(f"/api/v1/needs/?{query}").status_code == 400


def test_page_costs_the_same_however_much_has_happened(client, count_queries):
    costs = []
    for n in (1, 4, 12):
        need = NeedFactory(in_state=NeedState.IN_DIALOGUE, lines=[("line", 5, "items")] * n)
        for _n in range(n):
            ResponseFactory(need=need, answers={0: 1})
        with count_queries() as count:
            assert client.get(f"/needs/{need.reference}/").status_code == 200
        costs.append(count())
    assert costs == [costs[0]] * 3
    assert costs[0] <= 32


@pytest.mark.parametrize("state", NeedState.values)
def test_every_state_has_its_page_whatever_the_language(state, people, sign_in):
    need = NeedFactory(in_state=state, is_on_behalf=True)
    client = sign_in(people["focal_point"])
    address = f"/needs/{need.reference}/"
    for prefix in ("", "/ar", "/fr") if THOROUGH else [("", "/ar", "/fr")[NeedState.values.index(state) % 3]]:
        page = client.get(prefix + address)
        assert page.status_code == 200
        assert page.content.count(b'aria-current="step"') == 1


def test_merged_needs_lead_to_each_other(client, people):
    from projects import actions

    need, other = NeedFactory(in_state=NeedState.OPEN), NeedFactory(in_state=NeedState.OPEN)
    actions.merge(need, other, by=people["desk"], note="The same stations.")
    page = client.get(f"/needs/{need.reference}/")
    assert page.status_code == 200
    assert f"/needs/{other.reference}/".encode() in page.content
    assert client.get(f"/needs/{need.reference.lower()}/").status_code == 301


def mostly_drafts(name: str) -> list[dict]:
    """The needs or the offers of the demonstration; all stay drafts but one for each end and each kind of dialogue."""
    rows, named = read(name), {one.get("offer") for row in read("needs") for one in row.get("responses", ())}
    wanted = one_of_each(
        rows,
        lambda row: row["upto"],
        lambda row: row["upto"] == "open" and not row.get("responses") and row["days_ago"] > 30,  # unanswered
        lambda row: frozenset(
            frozenset({*one} & {"accepted", "declined", "second"}) for one in row.get("responses", ())
        ),
    )
    return [row if row in wanted or row["title"] in named else row | {"upto": "draft"} for row in rows]


def test_demonstration_needs_and_offers_go_through_their_lives(monkeypatch):
    for module in (demonstration_needs, demonstration_offers):
        monkeypatch.setattr(module, "read", mostly_drafts)
    call_command("load_demonstration", stdout=io.StringIO())
    needs, offers = Need.objects.all(), Offer.objects.all()
    assert set(needs.values_list("state", flat=True)) == set(NeedState.values) and len(needs) >= 40
    assert needs.unanswered().count() >= (2 if THOROUGH else 1)
    assert set(offers.values_list("state", flat=True)) == set(OfferState.values) and len(offers) >= 60
    assert not any(missing_for(offer, "submitted") for offer in offers)
    assert {"agreed", "converted", "accepted", "declined", "expressed"} <= set(
        Response.objects.values_list("state", flat=True)
    )
    assert set(Project.objects.exclude(needs=None).values_list("state", flat=True)) == {"published"}
    assert {checked(p) for p in Project.objects.exclude(needs=None)} >= {"both", "none"}
    assert (demonstration_needs.load_needs(), demonstration_offers.load_offers()) == (0, 0)
    for need in needs if THOROUGH else needs.order_by("state").distinct("state"):
        assert need_sheet.write(need).startswith(b"PK")
    assert MembershipFactory(role=Role.DESK).user.has_perm(
        "projects.view_need", Need.objects.filter(state="submitted").first()
    )


@pytest.mark.parametrize("state", ["draft", "returned", "withdrawn", "submitted", "open"])
def test_a_need_is_called_endorsed_only_once_it_was_submitted(people, sign_in, state):
    need = NeedFactory(endorsed_by_name="B. Person", endorsed_on=dt.date(2026, 1, 2))
    is_open = {"published_at": timezone.now(), "published_by": people["publisher"]} if state == "open" else {}
    Need.objects.filter(pk=need.pk).update(state=state, **is_open)
    page = sign_in(people["contributor"]).get(need.get_absolute_url()).content.decode()
    is_said = state in ("submitted", "open")
    assert ("Endorsed by the national focal point on" in page) == is_said
    assert ("B. Person" in page) == is_said
