"""What follows a match: alerts as each person chose, keeping it, how good matches are, demand against supply; private terms
stay private on the way."""

import csv
import io
import json

import pytest
from django.core import mail
from django.test import Client
from openpyxl import load_workbook

from partners.choices import Role
from partners.models import Country, Partner
from projects import actions, agreement, dashboard, drafting, matches, notify, search
from projects.choices import ConfirmedStep, Frequency, Matched, NeedState, NoticeKind, OfferState, Status
from projects.lifecycle import transition
from projects.matching import keeping
from projects.models import FoundMatch, MailPreference, Need, Notice, Offer, Project, Response, SavedMatch, SetAside
from projects.suggestions import offers_like
from tests.factories import MembershipFactory, NeedFactory, OfferFactory, ProjectFactory, ResponseFactory

pytestmark = [pytest.mark.sql, pytest.mark.django_db]


@pytest.fixture
def pair():
    """A need and an offer that fit, found."""
    need, offer = NeedFactory(in_state=NeedState.OPEN), OfferFactory(in_state=OfferState.ACTIVE)
    for kind in Matched:
        keeping.refresh(kind)
    return need, offer


def work_off():
    for notice in Notice.objects.filter(status="waiting", frequency="immediate"):
        notify.send(notice.pk)


# --- alerts ---------------------------------------------------------------------------------------------------------------
def test_both_sides_hear_of_a_match_once_as_each_chose(people, pair):
    need, offer = pair
    MailPreference.objects.create(user=people["partner_lead"], kind=NoticeKind.MATCHED, frequency=Frequency.IMMEDIATE)
    MailPreference.objects.create(user=people["partner_member"], kind=NoticeKind.MATCHED, frequency=Frequency.NONE)
    now = notify.note_matches()
    assert [n.user for n in now] == [people["partner_lead"]]
    told = dict(Notice.objects.filter(kind=NoticeKind.MATCHED).values_list("user", "status"))
    assert set(told) == {people[n].pk for n in ("partner_lead", "partner_member", "focal_point")}
    assert told[people["partner_member"].pk] == "unwanted"
    work_off()
    (message,) = mail.outbox
    assert message.to == [people["partner_lead"].email]
    assert offer.reference in message.body and f"/needs/{need.reference}/matches/" in message.body
    for secret in ("PRIVATE-CONDITIONS", "PRIVATE-RIGHTS", "RESTRICTED-PROBLEM", "MEMBERS-ONLY"):
        assert secret not in message.body
    keeping.refresh(Matched.NEED)
    assert notify.note_matches() == [] and Notice.objects.count() == 3
    notify.send_digest(people["focal_point"])
    assert need.reference in mail.outbox[-1].body and len(mail.outbox) == 2


def test_nobody_hears_of_a_match_that_was_set_aside_meanwhile(people, pair):
    need, offer = pair
    SetAside.objects.create(need=need, offer=offer, partner=offer.partner, reason="capacity", by=people["partner_lead"])
    assert notify.note_matches() == [] and not Notice.objects.exists()


@pytest.mark.parametrize(
    ("action", "by", "want"),
    [
        ("submit", "partner_lead", {"desk": "your_move"}),
        ("verify", "desk", {"partner_lead": "your_move", "partner_member": "your_move"}),
        ("return", "desk", {"partner_lead": "your_move", "partner_member": "your_move"}),
        ("withdraw", "partner_lead", {"desk": "yours"}),
    ],
)
def test_moves_of_an_offer_reach_whom_they_concern(people, action, by, want):
    offer = OfferFactory(in_state=OfferState.DRAFT if action == "submit" else OfferState.SUBMITTED)
    event = transition(offer, action, by=people[by], note="because")
    notify.note(event)
    names = {p.pk: n for n, p in people.items() if p}
    assert {names[n.user_id]: n.kind for n in Notice.objects.all()} == want
    person = Notice.objects.first().user
    MailPreference.objects.all().delete()
    for notice in Notice.objects.all():
        notify.send(notice.pk)
    assert all(offer.reference in m.subject + m.body for m in mail.outbox) and person


def test_a_dispute_reaches_the_desk_and_those_who_take_part(people):
    from projects.models import RecordCheck

    project = ProjectFactory(published=True)
    brazil = MembershipFactory(role=Role.FOCAL_POINT, country=Country.objects.get(iso3="BRA")).user
    wrong = RecordCheck(
        project=project, country=Country.objects.get(iso3="KEN"), is_right=False, text="Twelve, not ten."
    )
    actions.check_record(wrong, by=people["focal_point"])
    notify.note(project.events.get(action="check_wrong"))
    assert {n.user for n in Notice.objects.all()} == {brazil, people["partner_lead"], people["desk"]}
    for notice in Notice.objects.all():
        notify.send(notice.pk)
    assert all("Twelve, not ten." in m.body for m in mail.outbox)


def test_a_need_closed_well_is_proposed_as_a_story(people):
    for rating, told in ((5, 1), (3, 0)):
        need = NeedFactory(in_state=NeedState.DELIVERED, lines=[("Course", 40, "people")])
        need.responses.get().answers.update(delivered=40)
        actions.move(need, "close", by=people["focal_point"], outcome="x", rating=rating, lessons="y")
        assert need.events.filter(action="propose_story").count() == told
    event = Need.objects.get(rating=5).events.get(action="propose_story")
    assert [t.user for t in notify.recipients(event)] == [people["publisher"]]
    client = Client()
    client.force_login(people["publisher"])
    assert "story=proposed" in client.get("/admin/").content.decode()
    assert client.get("/admin/projects/need/?story=proposed").context["cl"].result_count == 1


# --- keeping, counting, narrowing -----------------------------------------------------------------------------------------
def test_a_match_is_kept_and_let_go(people, pair):
    need, offer = pair
    address = f"/matches/{need.reference}/{offer.reference}/keep/"
    assert Client().post(address).status_code == 302 and not SavedMatch.objects.exists()  # to the sign-in page
    client = Client()
    client.force_login(people["partner_member"])
    assert client.get(address).status_code == 405
    for _n in range(2):
        assert client.post(address).status_code == 302
    assert SavedMatch.objects.count() == 1
    for page in ("/matches/", "/dashboard/"):
        assert "Matches that you keep" in client.get(page).content.decode()
    OfferFactory(in_state=OfferState.ACTIVE)
    Offer.objects.filter(pk=offer.pk).update(state=OfferState.WITHDRAWN, published_at=None)
    client.force_login(people["stranger"])
    assert client.post(address).status_code == 404
    client.force_login(people["partner_member"])
    client.post(address, {"stop": "1"})
    assert not SavedMatch.objects.exists()


def test_what_became_of_matches_is_told_to_staff(people, pair):
    need, offer = pair
    client = Client()
    assert client.post("/matches/seen/", {"pairs": f"{need.pk}:{offer.pk}"}).status_code == 302
    client.force_login(people["partner_lead"])
    for more in ({}, {"opened": "1"}):
        assert client.post("/matches/seen/", {"pairs": f"{need.pk}:{offer.pk},x:1,1:2:3,,9", **more}).status_code == 204
    found = FoundMatch.objects.get()
    assert (found.shown, found.opened) == (1, 1)
    ResponseFactory(need=need, offer=offer, partner=offer.partner, state="accepted")
    counts, table = matches.quality()
    assert counts == {"shown": 1, "opened": 1, "answered": 1, "accepted": 1, "set_aside": 0}
    themes = dict(table)["themes"]
    assert themes["accepted"] == 100 and themes["set_aside"] is None
    assert "How good the matches are" not in client.get("/matches/").content.decode()
    client.force_login(people["desk"])
    page = client.get("/matches/").content.decode()
    assert "How good the matches are" in page
    before = FoundMatch.objects.values_list("shown", "opened").get()
    client.get(f"/needs/{need.reference}/matches/")  # a GET counts nothing
    assert FoundMatch.objects.values_list("shown", "opened").get() == before


def test_what_a_country_declined_is_not_matched_again(people, pair):
    need, offer = pair
    response = ResponseFactory(need=need, offer=offer, partner=offer.partner)
    assert matches.offers_for(need) and matches.needs_for(offer) and FoundMatch.objects.standing().exists()
    transition(response, "decline", by=people["focal_point"], note="We want people who speak Swahili.")
    assert not matches.offers_for(need) and not matches.needs_for(offer) and not FoundMatch.objects.standing().exists()


def test_own_fits_are_narrowed(people, pair):
    need, _offer = pair
    client = Client()
    client.force_login(people["partner_lead"])
    for query, there in (
        ("", True), ("?country=KEN", True), ("?theme=air", True), ("?help=training", True), ("?help=equipment", False),
    ):  # fmt: skip
        page = client.get(f"/matches/{query}")
        assert page.status_code == 200 and (need.title in page.content.decode()) is there, query
    wrong = client.get("/matches/?country=XXX")
    assert wrong.status_code == 400 and b"Choose one from the list" in wrong.content


def test_the_other_side_reads_why_a_match_was_set_aside(people, pair):
    need, offer = pair
    SetAside.objects.create(need=need, offer=offer, partner=offer.partner, reason="capacity", note="No people until May.", by=people["partner_lead"])  # fmt: skip
    client = Client()
    for name, person in people.items():
        client.logout()
        if person:
            client.force_login(person)
        for address, readers in ((f"/needs/{need.reference}/matches/", {"contributor", "focal_point"}), (f"/offers/{offer.reference}/matches/", {"partner_member", "partner_lead"})):  # fmt: skip
            reads = name in readers | {"desk", "publisher", "administrator"}
            assert ("No people until May." in client.get(address).content.decode()) is reads, (name, address)


def test_demand_and_supply_are_counted_by_theme_and_region():
    NeedFactory(in_state=NeedState.OPEN)
    NeedFactory(in_state=NeedState.OPEN, terms=["bsp-theme:mountains"], lines=[("Maps of avalanches", 2, "items")])
    NeedFactory(in_state=NeedState.CLOSED, terms=["bsp-theme:mountains"])
    OfferFactory(in_state=OfferState.ACTIVE)
    OfferFactory(in_state=OfferState.PAUSED, terms=["bsp-theme:mountains"])
    for kind in Matched:
        keeping.refresh(kind)
    themes, regions = matches.demand_and_supply()
    by_code = {row.place.code: (row.needs, row.offers) for row in themes}
    assert by_code["air"] == (1, 1) and by_code["mountains"] == (1, 0) and by_code["waste"] == (0, 0)
    assert sum(row.needs for row in regions) == 2
    page = Client().get("/matches/demand/")
    assert page.status_code == 200 and b"Demand and supply" in page.content


def test_the_desk_sees_what_is_missing_for_a_match(people, count_queries):
    need = NeedFactory(
        in_state=NeedState.OPEN, terms=["bsp-theme:mountains"], lines=[("Maps of avalanches", 2, "items")]
    )
    OfferFactory(in_state=OfferState.ACTIVE)  # of training, on air, for all
    OfferFactory(in_state=OfferState.ACTIVE, terms=["bsp-theme:mountains"], eligible=["UGA"])  # not for Kenya
    OfferFactory(in_state=OfferState.PAUSED, terms=["bsp-theme:mountains"])
    assert [term.code for term in matches.lacking([need])[need.pk]] == ["mountains"]
    client = Client()
    client.force_login(people["desk"])
    assert "Nobody offers it: Mountains." in client.get("/matches/").content.decode()
    needs = [need, *(NeedFactory(in_state=NeedState.OPEN, terms=["bsp-theme:mountains"]) for _n in range(3))]
    for some in (needs[:1], needs):
        with count_queries() as n:
            matches.lacking(some)
        assert n() == 2
    assert matches.lacking([]) == {}


def test_an_empty_portal_has_a_picture_of_demand_too(client):
    assert client.get("/matches/demand/").status_code == 200


# --- copies -----------------------------------------------------------------------------------------------------------
def test_a_copy_takes_over_all_but_dates_and_endorsement(people):
    offer = OfferFactory(in_state=OfferState.ACTIVE, eligible=["KEN", "ldc"], deadline="2099-01-01")
    client = Client()
    client.force_login(people["partner_member"])
    address = f"/offers/new/?copy={offer.reference}"
    page = client.get(address)
    assert page.status_code == 200 and offer.title.encode() in page.content
    begun = client.post(
        address, {"who": f"partner:{offer.partner_id}", "kind": offer.kind, "title": "Again", "key": "k"}
    )
    assert begun.status_code == 302
    copy = Offer.objects.get(title="Again")
    assert (copy.state, copy.summary, copy.conditions, copy.deadline) == (
        "draft",
        offer.summary,
        offer.conditions,
        None,
    )
    assert drafting.stored(copy, ["eligible", "terms"]) == drafting.stored(offer, ["eligible", "terms"])
    assert [line.text for line in copy.lines.all()] == [line.text for line in offer.lines.all()]
    client.post(address, {"who": f"partner:{offer.partner_id}", "kind": offer.kind, "title": "Again", "key": "k"})
    assert Offer.objects.filter(title="Again").count() == 1
    client.force_login(people["focal_point"])  # private terms are not copied by others
    assert client.get(address).status_code == 403
    need = NeedFactory(in_state=NeedState.CLOSED)
    begun = client.post(f"/needs/new/?copy={need.reference}", {"country": need.country_id, "kind": need.kind, "title": "Again", "key": "n"})  # fmt: skip
    copy = Need.objects.get(title="Again")
    assert begun.status_code == 302 and (copy.problem, copy.endorsed_on) == (need.problem, None)
    assert [(line.text, line.by_when) for line in copy.lines.all()] == [(line.text, None) for line in need.lines.all()]
    client.force_login(people["partner_lead"])
    assert client.get(f"/needs/new/?copy={need.reference}").status_code == 403


def test_a_finished_project_proposes_its_experience(people):
    project = ProjectFactory(published=True, status=Status.CLOSED)
    ProjectFactory(published=True, status=Status.IMPLEMENTATION)
    assert dashboard.to_share(people["partner_lead"]) == [project]
    assert dashboard.to_share(people["partner_member"]) == dashboard.to_share(people["focal_point"]) == []
    client = Client()
    client.force_login(people["partner_lead"])
    assert "Offer the experience" in client.get("/dashboard/").content.decode()
    address = f"/offers/new/?project={project.reference}"
    assert client.get(address).status_code == 200
    undp = Partner.objects.get(slug="undp")
    client.post(address, {"who": f"partner:{undp.pk}", "kind": "experience", "title": "What we learned", "key": "k"})
    offer = Offer.objects.get()
    assert (offer.project, offer.summary) == (project, project.summary)
    assert {t.code for t in offer.terms.all()} == {"wetlands"}
    assert dashboard.to_share(people["partner_lead"]) == []


def test_offers_are_shown_while_a_need_is_typed_and_found_by_the_search(people):
    offer = OfferFactory(in_state=OfferState.ACTIVE, title="Air networks that towns run themselves")
    closed_to = OfferFactory(in_state=OfferState.ACTIVE, title="Air networks that towns run", eligible=["UGA"])
    need = NeedFactory()
    assert [one.record for one in offers_like("Air networks for our towns", need)] == [offer]
    client = Client()
    client.force_login(people["contributor"])
    page = client.get(f"/needs/{need.reference}/draft/similar/", {"title": "Air networks for our towns"})
    assert offer.reference in page.content.decode() and closed_to.reference not in page.content.decode()
    search.rebuild_words()
    found = Client().get("/search/?q=networks").content.decode()
    assert offer.reference in found and "PRIVATE" not in found


# --- private terms ----------------------------------------------------------------------------------------------------------
def test_private_terms_reach_nobody_before_acceptance_through_any_door(people, pair):
    """Page, API, search, export, match, mail: for everybody but the provider, UNEP and, of a response, the country."""
    need, offer = pair
    response = ResponseFactory(need=need, offer=offer, partner=offer.partner, created_by=people["partner_lead"])
    asks_other = MembershipFactory(role=Role.FOCAL_POINT, country=Country.objects.get(iso3="UGA")).user
    secrets = ("PRIVATE-CONDITIONS", "PRIVATE-RIGHTS", "RESTRICTED-TERMS")
    addresses = [
        "/", "/offers/", "/offers/?q=travel", "/offers/?q=licence", "/search/?q=travel+licence+rates", "/matches/", "/matches/demand/",
        f"/offers/{offer.reference}/", f"/offers/{offer.reference}/matches/", f"/needs/{need.reference}/", f"/needs/{need.reference}/matches/",
        "/needs/", "/responses/", f"/responses/{response.reference}/", "/dashboard/",
        "/api/v1/offers/", f"/api/v1/offers/{offer.reference}/", "/api/v1/offers/?q=licence", "/api/v1/needs/", f"/api/v1/needs/{need.reference}/",
        "/api/v1/responses/", f"/api/v1/responses/{response.reference}/", f"/api/v1/matches/?need={need.reference}", f"/api/v1/matches/?offer={offer.reference}",
    ]  # fmt: skip
    outsiders = {"nobody": None, "stranger": people["stranger"], "former": people["former"], "uganda": asks_other}
    for name, person in {**outsiders, "kenya": people["focal_point"]}.items():
        client = Client()
        if person:
            client.force_login(person)
        for address in addresses:
            content = client.get(address, follow=False).content.decode()
            for secret in secrets if name != "kenya" else secrets[:2]:
                assert secret not in content, (name, address, secret)
    client = Client()
    client.force_login(people["focal_point"])
    actions.accept_response(response, by=people["focal_point"])
    assert (
        "PRIVATE-CONDITIONS" in client.get(f"/offers/{offer.reference}/").content.decode()
    )  # now it is theirs to read
    client.force_login(asks_other)
    assert "PRIVATE" not in client.get(f"/offers/{offer.reference}/").content.decode()
    for event in [*need.events.all(), *response.events.all()]:
        notify.note(event)
    for notice in Notice.objects.filter(status="waiting"):
        notify.send(notice.pk)
    assert mail.outbox and not any(secret in m.body for m in mail.outbox for secret in secrets)


def test_a_plan_is_read_by_its_parties_only(people):
    need = NeedFactory(in_state=NeedState.OPEN)
    response = ResponseFactory(need=need)
    actions.accept_response(response, by=people["focal_point"])
    need.refresh_from_db()
    values = agreement.proposed(need) | {"plan": "SECRET-PLAN", "indicators": [{"text": "SECRET-INDICATOR", "unit": "items", "target": 1}]}  # fmt: skip
    agreement.write_plan(need, values, by=people["focal_point"])
    agreement.confirm(need, ConfirmedStep.PLAN, by=people["focal_point"])
    readers = {"contributor", "focal_point", "partner_member", "partner_lead", "desk", "publisher", "administrator"}
    for name, person in people.items():
        client = Client()
        if person:
            client.force_login(person)
        page = client.get(f"/needs/{need.reference}/").content.decode()
        api = json.dumps(client.get(f"/api/v1/needs/{need.reference}/").json())
        for text in ("SECRET-PLAN", "SECRET-INDICATOR"):
            assert (text in page) is (text in api) is (name in readers), (name, text)
    assert Response.objects.count() == 1 and not Project.objects.exists()


# --- matches as tables --------------------------------------------------------------------------------------------------
def test_matches_are_taken_away_as_tables(people, client):
    need, offer = NeedFactory(in_state=NeedState.OPEN), OfferFactory(in_state=OfferState.ACTIVE)
    keeping.refresh(Matched.OFFER)
    keeping.refresh(Matched.NEED)
    address = f"/api/v1/matches/?need={need.reference}"
    told = client.get(address).json()
    assert told[0]["offer"] == offer.reference
    assert client.get(address, headers={"Accept-Language": "fr"}).json() == told  # as in every answer of the API
    row = next(csv.DictReader(io.StringIO(b"".join(client.get(f"{address}&format=csv").streaming_content).decode())))
    assert (row["need"], row["offer"], row["need_country"], row["provider"]) == (
        need.reference, offer.reference, "KEN", offer.partner.name,
    )  # fmt: skip
    assert float(row["score"]) == pytest.approx(told[0]["score"], abs=0.1)
    points = {one["signal"]: one["points"] for one in told[0]["signals"]}
    assert float(row["points_themes"]) == pytest.approx(points["themes"], abs=0.1)
    assert all(one["sentence"] in row["reasons"] for one in told[0]["signals"] if one["sentence"])
    line = json.loads(
        b"".join(client.get(f"{address}&format=jsonl&fields=offer,score").streaming_content).splitlines()[0]
    )
    assert set(line) == {"offer", "score"}
    workbook = load_workbook(io.BytesIO(b"".join(client.get(f"{address}&format=xlsx").streaming_content)))
    assert need.reference in [cell.value for cell in next(workbook.active.iter_rows(min_row=2))]
    assert client.get("/api/v1/matches/").status_code == 404  # nobody's side


def test_ones_side_takes_its_list_with_its_filters(people, sign_in):
    need = NeedFactory(in_state=NeedState.OPEN)
    OfferFactory(in_state=OfferState.ACTIVE)
    keeping.refresh(Matched.OFFER)
    keeping.refresh(Matched.NEED)
    client = sign_in(people["partner_member"])
    moved = client.get("/matches/?country=KEN&format=csv")
    assert moved.status_code == 302
    text = b"".join(client.get(moved["Location"]).streaming_content).decode()
    assert need.reference in text
    assert [row["need"] for row in client.get("/api/v1/matches/?theme=air").json()] == [need.reference]
    assert client.get("/api/v1/matches/?country=FRA").status_code == 404
    assert "api/v1/matches/?format=csv" in client.get("/matches/").content.decode()
    other = sign_in(people["focal_point"])
    assert other.get("/api/v1/matches/").json() == []
