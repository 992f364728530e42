"""Offers: who sees and moves them, what each state requires, who reads what, what the search entry holds."""

import datetime as dt
from functools import cache
from itertools import product
from operator import attrgetter
from typing import NamedTuple

import pytest
import rules
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from partners.choices import Role
from partners.models import Country, CountryGroup, Partner, Region, User
from projects.choices import OfferKind, OfferState, ResponseState
from projects.lifecycle import transition
from projects.lifecycle.offer import HOLDER, MOVES, NEXT, REQUIRED, missing_for
from projects.models import Eligible, Event, FacetKind, FacetTally, Offer, OfferEntry, Term
from projects.models.offer import AUDIENCE, LISTED, SHOWN
from tests.factories import OfferFactory, ResponseFactory
from tests.one_of_each import one_of_each

pytestmark = pytest.mark.django_db
LEAD, DESK, ADMIN = "partner_lead", "desk", "administrator"
# Who may make a move of an offer of UNDP, entered by somebody else.
MAY = {
    "submit": {LEAD},
    "return": {DESK, ADMIN},
    "verify": {DESK, ADMIN},
    "activate": {LEAD},
    "pause": {LEAD, DESK, ADMIN},
    "resume": {LEAD},
    "expire": {"system"},
    "renew": {LEAD},
    "revise": {LEAD},
    "withdraw": {LEAD},
}
OWN = {"partner_member", LEAD}
UNEP = {DESK, "publisher", ADMIN}
NAMES = ("nobody", "stranger", "former", *Role.values)


def may_see(name: str, state: str) -> bool:
    return state in SHOWN or name in OWN or (name in UNEP and state != OfferState.DRAFT)


def attempt(offer, action, by) -> str:
    try:
        with transaction.atomic():
            transition(offer, action, by=by or AnonymousUser(), note="because")
            events = list(Event.objects.filter(offer=offer).values_list("action", "to_state", "note"))
            transaction.set_rollback(True)
    except PermissionDenied:
        return "forbidden"
    except ValidationError as error:
        return error.error_list[0].code
    assert events == [(action, MOVES[action].to_state, "because")]
    return "moved"


def test_every_move_has_a_rule_and_every_state_is_reachable_and_can_end():
    assert set(MAY) == set(MOVES)
    assert all(rules.perm_exists(move.permission) for move in MOVES.values())
    assert {OfferState.DRAFT} | {move.to_state for move in MOVES.values()} == set(OfferState)
    for state in set(OfferState) - {OfferState.WITHDRAWN}:
        assert any(move.action == "withdraw" and state in move.from_states for move in MOVES.values()), state
        assert state in HOLDER
    assert set(NEXT) == set(OfferState)


@cache
def presses() -> list[tuple[str, str, str]]:
    """(state, action, name): each move in each state by somebody who may; and by all who may, and refused to each role."""
    return one_of_each(
        product(OfferState.values, MOVES, (*NAMES, "system")),
        lambda case: case[2] not in MAY[case[1]] or case[:2],
        lambda case: case[1:] if case[2] in MAY[case[1]] else case[1],
        lambda case: (case[2], case[2] in MAY[case[1]]),
    )


@pytest.mark.parametrize("state", OfferState.values)
def test_every_move_from_every_state_and_for_every_role(state, people):
    offer = OfferFactory(in_state=state)
    everybody = {**people, "nobody": AnonymousUser(), "system": User.objects.system()}
    assert set(everybody) == {*NAMES, "system"}
    for action, move in MOVES.items():
        holders = {name for name, person in everybody.items() if person.has_perm(move.permission, offer)}
        assert holders == MAY[action], action
    for _state, action, name in (case for case in presses() if case[0] == state):
        want = "forbidden" if name not in MAY[action] else "moved" if state in MOVES[action].from_states else "state"
        assert attempt(Offer.objects.get(pk=offer.pk), action, everybody[name]) == want, (name, action)
    assert Offer.objects.get(pk=offer.pk).state == state


@pytest.mark.parametrize("state", OfferState.values)
def test_who_sees_it_is_who_may_see_it(state, people):
    offer = OfferFactory(in_state=state)
    for name, person in people.items():
        user = person or AnonymousUser()
        sees = Offer.objects.visible_to(user).filter(pk=offer.pk).exists()
        assert sees == user.has_perm("projects.view_offer", offer), name
        assert sees == may_see(name, state), name
        listed = state in LISTED or (sees and name in OWN | UNEP)
        assert OfferEntry.objects.visible_to(user).filter(pk=offer.pk).exists() == listed, name


def test_what_was_active_is_hidden_while_it_is_rewritten(people):
    offer = OfferFactory(in_state=OfferState.PAUSED)
    transition(offer, "revise", by=people[LEAD])
    assert not Offer.objects.public().exists() and not OfferEntry.objects.public().exists()
    assert offer.verified_at is None


def test_restricted_texts_by_reader(people):
    offer = OfferFactory(in_state=OfferState.ACTIVE)
    private, contact = {"conditions", "intellectual_property"}, {"contact_name", "contact_email", "contact_phone"}
    assert private | contact == set(AUDIENCE)
    for name, person in people.items():
        want = private | contact if name in OWN | UNEP else contact if name in ("contributor", "focal_point") else set()
        assert offer.readable_by(person or AnonymousUser()) == want, name
    ResponseFactory(offer=offer, state=ResponseState.ACCEPTED)
    assert offer.readable_by(people["focal_point"]) == private | contact


def test_what_each_kind_requires(people):
    offer = OfferFactory(title="x", terms=[], lines=[], languages=[], contact_email="", summary="")
    missing = {r.field for r in missing_for(offer, OfferState.SUBMITTED)}
    assert missing == {"summary", "terms", "lines", "languages", "contact_email"}
    with pytest.raises(ValidationError) as refusal:
        transition(offer, "submit", by=people[LEAD])
    assert len(refusal.value.messages) == 5 and refusal.value.error_list[0].code == "incomplete"
    assert {r.field for r in missing_for(OfferFactory(kind=OfferKind.TECHNOLOGY), OfferState.SUBMITTED)} == {"maturity"}
    assert {r.field for r in missing_for(OfferFactory(kind=OfferKind.EXPERIENCE), OfferState.SUBMITTED)} == {"evidence"}
    assert all(hasattr(Offer, r.field) or r.field in ("lines", "terms") for rs in REQUIRED.values() for r in rs)


def test_a_whole_life(people):
    offer = OfferFactory(deadline=timezone.localdate() + dt.timedelta(days=30))
    transition(offer, "submit", by=people[LEAD])
    assert offer.due_on is not None
    transition(offer, "return", by=people[DESK], note="In which languages?")
    transition(offer, "submit", by=people[LEAD])
    transition(offer, "verify", by=people[DESK])
    transition(offer, "activate", by=people[LEAD])
    ends = offer.deadline
    assert offer.expires_on == ends  # its own last day comes before the twelve months
    Offer.objects.filter(pk=offer.pk).update(deadline=None)
    transition(offer, "pause", by=people[DESK])
    transition(offer, "resume", by=people[LEAD])
    offer.refresh_from_db()
    assert offer.expires_on == ends  # a pause does not make it last longer
    transition(offer, "renew", by=people[LEAD])
    assert (offer.expires_on - timezone.localdate()).days >= 364
    Offer.objects.filter(pk=offer.pk).update(available_until=timezone.localdate() - dt.timedelta(days=2))
    with pytest.raises(ValidationError, match="have passed"):
        transition(offer, "renew", by=people[LEAD])
    transition(offer, "withdraw", by=people[LEAD], note="Our experts have gone.")
    assert offer.is_published  # its fate stays visible


def test_an_author_does_not_verify_the_own_offer(people):
    offer = OfferFactory(in_state=OfferState.SUBMITTED, created_by=people[DESK])
    with pytest.raises(PermissionDenied):
        transition(offer, "verify", by=people[DESK])


@pytest.mark.parametrize("provider", [{}, {"partner": "undp", "country": "KEN"}])
def test_an_offer_comes_from_one_provider(provider):
    values = {
        "partner": Partner.objects.get(slug=provider["partner"]) if provider else None,
        "country": Country.objects.get(iso3=provider["country"]) if provider else None,
    }
    with pytest.raises(IntegrityError), transaction.atomic():
        OfferFactory(**values)


def test_only_a_technology_has_a_maturity():
    offer = Offer(title="x", maturity="proven")
    with pytest.raises(ValidationError, match="Only a technology"):
        offer.clean()


# --- the search entry ----------------------------------------------------------------------------------------------------
def recipients(offer) -> set[int]:
    return set(FacetKind.RECIPIENT.among(dict.fromkeys(OfferEntry.objects.get(pk=offer.pk).facets, 1)))


def test_the_entry_says_which_countries_can_have_it():
    kenya = Country.objects.get(iso3="KEN")
    assert recipients(OfferFactory()) == {0}
    assert recipients(OfferFactory(eligible=["KEN"])) == {kenya.pk}
    eastern = set(Country.objects.filter(region__code="014").values_list("pk", flat=True))
    africa = OfferFactory(eligible=["002"])
    assert eastern and eastern < recipients(africa) and kenya.pk in eastern
    group = CountryGroup.objects.get(code="ldc")
    members = set(group.members.filter(standing="member").values_list("country_id", flat=True))
    least = OfferFactory(eligible=["ldc"])
    assert recipients(least) == members and kenya.pk not in members
    Eligible.objects.create(offer=least, country=kenya)
    assert recipients(least) == members | {kenya.pk}
    least.eligible.all().delete()
    assert recipients(least) == {0}


def test_the_entry_follows_its_parts_and_is_counted():
    offer = OfferFactory(in_state=OfferState.ACTIVE, country=Country.objects.get(iso3="BRA"), partner=None)
    entry = OfferEntry.objects.get(pk=offer.pk)
    brazil = Country.objects.get(iso3="BRA")
    assert {FacetKind.COUNTRY.of(brazil.pk), FacetKind.COST.of(0), FacetKind.COST.of(1)} <= set(entry.facets)
    assert FacetKind.LIFE.of(OfferState.values.index("active")) in entry.facets
    assert FacetTally.objects.counts("offer")[FacetKind.COUNTRY.of(brazil.pk)] == 1
    offer.lines.filter(cost="cost").delete()
    entry.refresh_from_db()
    assert FacetKind.COST.of(1) not in entry.facets
    there = Region.objects.get(code="014")
    Country.objects.filter(pk=brazil.pk).update(region=there)
    entry.refresh_from_db()
    assert FacetKind.REGION.of(there.pk) in entry.facets
    Offer.objects.all().delete()
    assert not OfferEntry.objects.exists() and not FacetTally.objects.counts("offer")


def test_a_search_tells_nothing_that_a_page_hides():
    OfferFactory(in_state=OfferState.ACTIVE)
    from projects import search

    for words, found in (("networks", 1), ("sensors", 1), ("conditions", 0), ("firmware", 0), ("members-only", 0)):
        entries = search.entries_matching(OfferEntry.objects.all(), search.compile_query(words))
        assert entries.count() == found, words


# --- pages and API -------------------------------------------------------------------------------------------------------
def references(answer) -> list[str]:
    return sorted(row["reference"] for row in answer.json()["results"])


def test_the_list_is_filtered_by_what_an_offer_is_and_for_whom(client):
    all_of_it = OfferFactory(in_state=OfferState.ACTIVE, kind=OfferKind.TRAINING)
    kenya = OfferFactory(in_state=OfferState.ACTIVE, eligible=["KEN"], lines=[("Course", 12, "people", "cost")])
    islands = OfferFactory(in_state=OfferState.PAUSED, eligible=["sids"], partner=Partner.objects.get(slug="fao"))
    for state in ("draft", "expired", "withdrawn"):
        OfferFactory(in_state=state)
    for query, want in {
        "": [all_of_it, kenya, islands],
        "open_to=KEN": [all_of_it, kenya],
        "open_to=FJI": [all_of_it, islands],
        "kind=training": [all_of_it],
        "cost=cost&open_to=KEN": [all_of_it, kenya],
        "cost=free&partner=fao": [islands],
        "state=paused": [islands],
        "term=bsp-theme:air&q=networks": [all_of_it, kenya, islands],
    }.items():
        assert references(client.get(f"/api/v1/offers/?{query}")) == sorted(o.reference for o in want), query
        page = client.get(f"/offers/?{query}").content.decode()
        assert all(offer.reference in page for offer in want), query
    assert client.get("/offers/?kind=nonsense").status_code == 400
    assert client.get("/api/v1/offers/?open_to=XXX").status_code == 400
    assert "Nothing passes" in client.get("/offers/?kind=funding").content.decode()


def test_lists_cost_the_same_at_any_length(client, django_assert_num_queries):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    costs = []
    for more in (1, 2, 12):
        for _n in range(more):
            OfferFactory(in_state=OfferState.ACTIVE, eligible=["KEN", "ldc"])
        for address in ("/offers/", "/api/v1/offers/"):
            client.get(address)
            with CaptureQueriesContext(
                connection,
            ) as queries:
                client.get(address)
            costs.append((address, len(queries)))
    assert len(set(costs)) == 2, costs


def test_private_words_reach_nobody_else(people, sign_in):
    offer = OfferFactory(in_state=OfferState.ACTIVE)
    ResponseFactory(offer=offer)
    for name, person in people.items():
        client = sign_in(person)
        for address in (
            "/offers/",
            "/offers/?q=conditions",
            "/search/?q=private",
            "/api/v1/offers/",
            "/partners/undp/",
        ):
            assert b"PRIVATE-" not in client.get(address).content, (name, address)
        read = b"".join(
            client.get(f"{at}{offer.reference}/").content for at in ("/offers/", "/api/v1/offers/")
        ).decode()
        assert ("PRIVATE-RIGHTS" in read) is (name in OWN | UNEP), name
        assert ("members-only@example.org" in read) is (name not in ("nobody", "stranger", "former")), name
    offer.responses.update(state=ResponseState.ACCEPTED)
    assert "PRIVATE-RIGHTS" in sign_in(people["focal_point"]).get(f"/offers/{offer.reference}/").content.decode()


@cache
def looks() -> list[tuple[str, str, str]]:
    """(state, name, where): each role in each place, seen and hidden, in each state in each place."""
    return one_of_each(
        product(OfferState.values, NAMES, ("/offers/", "/api/v1/offers/")),
        lambda case: (case[0], case[2], may_see(case[1], case[0])),
        lambda case: (case[1], case[2], may_see(case[1], case[0])),
    )


@pytest.mark.parametrize("state", OfferState.values)
def test_the_page_is_for_those_who_may_see_it(state, people, sign_in):
    offer = OfferFactory(in_state=state)
    for _state, name, at in (case for case in looks() if case[0] == state):
        want = 200 if may_see(name, state) else 404
        assert sign_in(people[name]).get(f"{at}{offer.reference}/").status_code == want, (name, at)
    page = sign_in(people[LEAD]).get(f"/offers/{offer.reference}/").content.decode()
    assert ("Not public" in page) is (state not in SHOWN)
    assert ("It can’t be had" in page or "can't be had" in page or "can&#x27;t be had" in page) is (state in SHOWN[1:])


def test_the_log_names_whoever_acted(people, client):
    offer = OfferFactory()
    transition(offer, "submit", by=people[LEAD])
    transition(offer, "return", by=people[DESK], note="SECRET-NOTE")
    transition(offer, "submit", by=people[LEAD])
    transition(offer, "verify", by=people[DESK])
    transition(offer, "activate", by=people[LEAD])
    page = client.get(f"/offers/{offer.reference}/").content.decode()
    assert "makes it active." in page and "SECRET-NOTE" not in page
    client.force_login(people[LEAD])
    page = client.get(f"/offers/{offer.reference}/").content.decode()
    assert "SECRET-NOTE" in page and "<b>UNEP</b>" in page


# --- admin -----------------------------------------------------------------------------------------------------------------
def admin_form(page) -> dict:
    """What a browser would send back of an admin form."""
    import lxml.html

    form = lxml.html.fromstring(page.content).get_element_by_id("offer_form")
    return dict(form.form_values())


def test_unep_enters_an_offer_on_a_providers_behalf_and_carries_it_through(people):
    desk, other = Client(), Client()
    desk.force_login(people[DESK])
    other.force_login(people[ADMIN])
    data = admin_form(desk.get("/admin/projects/offer/add/")) | {
        "kind": "training", "partner": Partner.objects.get(slug="fao").pk, "language": "en", "title": "Seeds that keep",
        "summary": "A course on seed stores.", "languages": "en", "contact_name": "D. Person", "contact_email": "d@example.org",
        "lines-TOTAL_FORMS": 1, "lines-0-position": 0, "lines-0-text": "Places", "lines-0-cost": "free", "lines-0-quantity": 12,
        "lines-0-unit": "places", "lines-0-assistance": Term.objects.get(vocabulary="assistance", code="training").pk,
        "term_links-TOTAL_FORMS": 1, "term_links-0-term": Term.objects.get(vocabulary="bsp-theme", code="land").pk,
    }  # fmt: skip
    assert desk.post("/admin/projects/offer/add/", data).status_code == 302
    offer = Offer.objects.get()
    assert (offer.is_on_behalf, offer.created_by, offer.events.get().action) == (True, people[DESK], "begin")
    change = f"/admin/projects/offer/{offer.pk}/change/"
    assert "Submit to UNEP" in desk.get(change).content.decode()
    steps = ((desk, "submit", 302), (desk, "verify", 403), (other, "verify", 302), (desk, "activate", 302))
    for client, action, code in steps:
        assert client.post(f"/admin/projects/offer/{offer.pk}/move/{action}/", {"note": ""}).status_code == code, action
    offer.refresh_from_db()
    assert offer.state == OfferState.ACTIVE
    data = admin_form(desk.get(change)) | {"title": "Seeds that keep for years"}
    assert desk.post(change, data).status_code == 200  # without a reason
    stale = data | {"title": "Another title", "reason": "Mine"}
    assert desk.post(change, data | {"reason": "A better title"}).status_code == 302
    refused = other.post(change, stale)
    assert refused.status_code == 200 and "Somebody changed this record" in refused.content.decode()
    offer.refresh_from_db()
    assert (offer.title, offer.version, offer.events.first().note) == ("Seeds that keep for years", 2, "A better title")


class Case(NamedTuple):
    door: str
    state: str
    name: str
    action: str

    @property
    def want(self) -> int:
        if self.name == "nobody" or (self.door == "admin" and self.name not in UNEP):
            return 302 if self.name == "nobody" else 403
        if not may_see(self.name, self.state):
            return 404
        if self.name not in MAY[self.action]:
            return 403
        return 302 if self.state in MOVES[self.action].from_states else 400


@cache
def cases() -> list[Case]:
    """At each door each move is made, refused by the rule, by the state, and hidden; so it is in each state, and for each role."""
    kinds = (("door", "action", "want"), ("door", "state", "want"), ("door", "name", "want"))
    table = (Case(*each) for each in product(("page", "admin"), OfferState.values, NAMES, MOVES))
    return one_of_each(table, *(attrgetter(*kind) for kind in kinds))


@pytest.mark.ignore_template_errors  # Django's own admin templates
@pytest.mark.parametrize("state", OfferState.values)
def test_every_door_moves_an_offer_as_the_table_says(state, people, sign_in):
    offer = OfferFactory(in_state=state)
    for case in (case for case in cases() if case.state == state):
        client, person = sign_in(people[case.name]), people[case.name]
        at = f"/offers/{offer.reference}" if case.door == "page" else f"/admin/projects/offer/{offer.pk}"
        with transaction.atomic():
            answer = client.post(f"{at}/move/{case.action}/", {"note": "because"})
            events = list(Event.objects.filter(offer=offer).values_list("action", "by", "note"))
            transaction.set_rollback(True)
        asks_to_sign_in = "/login/" in answer.get("Location", "")
        if case.door == "admin" and case.name not in UNEP:
            assert asks_to_sign_in or answer.status_code == 403, case
        else:
            assert (answer.status_code, asks_to_sign_in) == (case.want, person is None), case
        is_made = case.want == 302 and not asks_to_sign_in
        assert events == ([(case.action, person.pk, "because")] if is_made else []), case


def test_what_is_missing_is_said_before_the_button_is_pressed(people, sign_in):
    offer = OfferFactory(terms=[])
    client = sign_in(people[LEAD])
    assert "Submit to UNEP" in client.get(f"/offers/{offer.reference}/").content.decode()
    asked = client.get(f"/offers/{offer.reference}/move/submit/").content.decode()
    assert "Still missing" in asked and "thematic area" in asked and "Only the provider and UNEP read it." in asked
    refused = client.post(f"/offers/{offer.reference}/move/submit/", {"note": "KEPT-WORDS"})
    assert refused.status_code == 400 and "KEPT-WORDS" in refused.content.decode()


def test_the_clock_lets_offers_expire_and_a_renewal_brings_them_back(people):
    from projects import clocks

    late, paused, running = (OfferFactory(in_state=s) for s in ("active", "paused", "active"))
    yesterday = timezone.localdate() - dt.timedelta(days=1)
    Offer.objects.filter(pk__in=[late.pk, paused.pk]).update(expires_on=yesterday)
    assert clocks.run(dry_run=True)["expire_offer"] == 2
    assert clocks.run()["expire_offer"] == 2
    assert clocks.run()["expire_offer"] == 0
    assert dict(Offer.objects.values_list("pk", "state")) == {
        late.pk: "expired",
        paused.pk: "expired",
        running.pk: "active",
    }
    late.refresh_from_db()
    transition(late, "renew", by=people[LEAD])
    assert late.state == OfferState.ACTIVE and late.expires_on > timezone.localdate()


@pytest.mark.parametrize(("path", "name"), [("", "Amharic"), ("/fr", "amharique"), ("/zh-hans", "阿姆哈拉语")])
def test_languages_are_named_to_the_reader_also_those_that_django_does_not_know(client, path, name):
    offer = OfferFactory(in_state=OfferState.ACTIVE, languages=["am", "gn", "xx"])
    page = client.get(f"{path}/offers/{offer.reference}/")
    assert page.status_code == 200 and name in page.content.decode()
