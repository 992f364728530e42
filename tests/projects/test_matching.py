"""Matching: what is read of texts, who may be found, how well and why; the pages, the API and setting aside."""

import datetime as dt

import pytest
from django.test import Client
from django.utils import timezone, translation
from procrastinate.contrib.django.models import ProcrastinateJob

from partners.models import Country, Partner
from projects import lifecycle, matches, matching, tasks
from projects.choices import Matched, OfferState, SetAsideReason, Signal
from projects.matching import finding, keeping, meaning, reading, texts, words
from projects.models import Concept, FoundMatch, MatchWeights, Posting, ReadText, SetAside, TermCount
from tests.factories import MembershipFactory, NeedFactory, OfferFactory, ProjectFactory

pytestmark = [pytest.mark.sql, pytest.mark.django_db]
OPEN, ACTIVE = "open", OfferState.ACTIVE


@pytest.fixture
def changed_thesaurus():
    """For tests that change it: what they leave in memory is forgotten."""
    yield
    words.forget()


def need_of(title, **more):
    return NeedFactory(title=title, public_summary="", lines=[], in_state=OPEN, **more)


def offer_of(title, **more):
    return OfferFactory(title=title, summary="", lines=more.pop("lines", []), in_state=ACTIVE, **more)


def read_all():
    for kind in Matched:
        reading.refresh(kind)


def references(found, records):
    return [records[match.record] for match in found]


# --- words -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "language", "concept"),
    [
        ("Restoring mangroves", "en", "mangrove"),
        ("La restauration des mangroves", "fr", "mangrove"),
        ("Los manglares del norte", "es", "mangrove"),
        ("Recuperação de manguezais", "pt", "mangrove"),
        ("استعادة المانغروف", "ar", "mangrove"),
        ("Мангровые леса", "ru", "mangrove"),
        ("红树林的恢复", "zh-hans", "mangrove"),
        ("Reports under the MRV rules", "en", "mrv"),
        ("Système REDD et MRV", "fr", "mrv"),
    ],
)
def test_a_concept_is_found_in_every_language(text, language, concept):
    assert concept in words.content(text, language).named


def test_a_phrase_brings_its_broader_concepts_and_may_overlap_another():
    read = words.content("Sorting electronic waste collection", "en")
    assert {"e-waste", "waste-separation"} <= set(read.named)
    assert 0 < words.content("drip irrigation", "en").concepts["irrigation"] < 1


def test_words_of_another_sense_count_for_nothing():
    climate = words.content("A better investment climate", "en")
    assert not climate.named
    assert "climat" not in climate.words
    assert "climate-word" in words.content("A better climate", "en").named


def test_what_staff_write_into_the_thesaurus_counts(changed_thesaurus):
    concept = Concept.objects.create(code="biochar")
    concept.wordings.create(language="fr", words=["charbon végétal actif", "biocharbon"])
    words.forget()
    assert "biochar" in words.content("Du biocharbon pour les sols", "fr").named


@pytest.mark.parametrize("text", ["", "   ", "\u200f\u200e", "de la", "😀", "x" * 50_000, "\x07", "'; DROP TABLE"])
def test_any_text_can_be_read(text):
    words.content(text, "xx")
    reading.part_of(None, words.content(text, "en"))


# --- what is found ---------------------------------------------------------------------------------------------------
def test_the_offer_on_the_same_subject_comes_first_in_whatever_language():
    need = need_of("Restoring the mangroves of our coast", terms=[])
    offers = {
        offer_of(title, language=language, terms=[]).pk: title
        for title, language in [
            ("Cursos para técnicos de riego por goteo", "es"),
            ("Viveros y restauración de manglares", "es"),
            ("Air stations on school roofs", "en"),
        ]
    }
    read_all()
    assert references(matching.offers_for(need), offers)[0] == "Viveros y restauración de manglares"


def test_the_same_input_gives_the_same_result_and_both_sides_the_same_points():
    need, offer = NeedFactory(in_state=OPEN), OfferFactory(in_state=ACTIVE)
    read_all()
    first, again = matching.offers_for(need), matching.offers_for(need)
    assert [(m.record, m.score, m.reasons) for m in first] == [(m.record, m.score, m.reasons) for m in again]
    (other,) = matching.needs_for(offer)
    assert (other.need, round(other.score, 6)) == (need.pk, round(first[0].score, 6))
    (pair,) = matching.pairs([(need, offer.pk)])
    assert round(pair.score, 6) == round(first[0].score, 6)


@pytest.mark.parametrize(
    "more",
    [
        {"in_state": OfferState.PAUSED},
        {"in_state": OfferState.DRAFT},
        {"eligible": ["UGA"], "in_state": ACTIVE},
        {"deadline": dt.date(2020, 1, 1), "in_state": ACTIVE},
        {"available_until": dt.date(2020, 1, 1), "in_state": ACTIVE},
        {"partner": None, "country": "KEN", "in_state": ACTIVE},
    ],
)
def test_an_offer_that_the_country_cannot_have_is_never_found(more):
    if "country" in more:
        more["country"] = Country.objects.get(iso3=more["country"])
    need, offer = NeedFactory(in_state=OPEN), OfferFactory(**more)
    read_all()
    assert matching.offers_for(need) == []
    assert matching.needs_for(offer) == []


@pytest.mark.parametrize("eligible", [["KEN"], ["au"], ["014"], []])
def test_an_offer_for_the_country_its_group_or_region_is_found(eligible):
    need = NeedFactory(in_state=OPEN)
    OfferFactory(in_state=ACTIVE, eligible=eligible)
    read_all()
    assert len(matching.offers_for(need)) == 1


def test_private_and_restricted_texts_are_not_read():
    need = NeedFactory(in_state=OPEN, problem="Mangroves die", gap="Peatland maps")
    offer = OfferFactory(in_state=ACTIVE, conditions="Only for mangroves", intellectual_property="Peatland patents")
    read_all()
    for kind, record in ((Matched.NEED, need), (Matched.OFFER, offer)):
        held = texts.held_by(kind, [record.pk])[0].terms
        assert words.number(words.of_concept("mangrove")) not in held
        assert words.number(words.of_concept("peatland")) not in held
    (match,) = matching.offers_for(need)
    assert "mangrove" not in " ".join(match.reasons + match.objections).lower()


def test_every_point_has_its_signal_and_reasons_are_sentences_in_the_readers_language():
    need = NeedFactory(in_state=OPEN, terms=["bsp-theme:air", "sdg:11.6"])
    uganda = Partner.objects.create(
        slug="u-lab", name_en="Laboratory", kind="80", country=Country.objects.get(iso3="UGA")
    )
    OfferFactory(
        in_state=ACTIVE, partner=uganda, terms=["bsp-theme:air", "sdg:11.6"], available_from=dt.date(2027, 1, 1)
    )
    ProjectFactory(published=True)
    read_all()
    (match,) = matching.offers_for(need)
    assert round(match.score, 6) == round(
        100 * sum(g for g, _m in match.points.values()) / sum(m for _g, m in match.points.values()), 6
    )
    said = " ".join(match.reasons + match.objections)
    for part in ("Same theme: Air pollution", "They offer what is asked for: Training", "11.6", "Both work in English", "From the South: Uganda",
                 "Kenya and Uganda share a group", "Part of it is at cost", "It can begin before"):  # fmt: skip
        assert part in said, part
    with translation.override("fr"):
        assert "Pollution de l’air" in " ".join(match.reasons)


def test_signals_speak_against_too():
    need = NeedFactory(
        in_state=OPEN, languages=["fr"], kind="technology", maturity="proven", technology_sought="Sensors"
    )
    OfferFactory(in_state=ACTIVE, kind="technology", maturity="research", languages=["en"], terms=["bsp-theme:waste"],
                 lines=[("Sensors", 2, "items", "cost")], available_from=dt.date(2030, 1, 1))  # fmt: skip
    read_all()
    (match,) = matching.offers_for(need)
    said = " ".join(match.objections)
    for part in ("none of the need's themes", "No language of work in common", "less mature", "It is at cost", "later than it is needed",
                 "2 items are on offer, 10 are asked for"):  # fmt: skip
        assert part in said, part


def test_near_themes_count_less_than_the_same():
    need = need_of("Air", terms=["bsp-theme:air"])
    same, near, far = (offer_of("Something", terms=[f"bsp-theme:{code}"]) for code in ("air", "energy", "ecotourism"))
    read_all()
    value = {m.record: m.told[Signal.THEMES].value for m in matching.offers_for(need)}
    assert value[same.pk] > value[near.pk] > value[far.pk] == 0


def test_projects_tell_who_has_done_it_before():
    need = need_of("Restoring mangroves", terms=[])
    done = ProjectFactory(published=True, title="Mangroves restored by villages")
    ProjectFactory(published=True, title="Roads")
    ProjectFactory(title="Mangroves, not published")
    read_all()
    found = matching.projects_for(need)
    assert found[0].record == done.pk
    assert len(found) == 2


# --- weights ---------------------------------------------------------------------------------------------------------
def test_staff_change_the_weights_by_a_new_version(sign_in, people):
    client = sign_in(people["desk"])
    form = {"note": "Themes alone", **{f"points_{s}": 0 for s in Signal}, "points_themes": 7}
    assert client.post("/admin/projects/matchweights/add/", form).status_code == 302
    assert matching.weights()[Signal.THEMES] == 7
    assert MatchWeights.objects.get().created_by == people["desk"]
    assert sign_in(people["publisher"]).get("/admin/projects/matchweights/add/").status_code == 403
    assert "7" in Client().get("/matches/").content.decode()


def test_weights_of_nothing_are_refused(sign_in, people):
    client = sign_in(people["desk"])
    page = client.post("/admin/projects/matchweights/add/", {"note": "none", **{f"points_{s}": 0 for s in Signal}})
    assert "At least one signal gives points" in page.content.decode()
    page = client.post("/admin/projects/matchweights/add/", {"note": "", **{f"points_{s}": 101 for s in Signal}})
    assert not MatchWeights.objects.exists()


# --- keeping fresh ---------------------------------------------------------------------------------------------------
def test_what_changed_by_any_door_is_found_stale_and_read_once():
    offer = OfferFactory(in_state=ACTIVE)
    assert reading.stale(Matched.OFFER) == [offer.pk]
    assert keeping.refresh(Matched.OFFER, [offer.pk]) == 1
    assert reading.stale(Matched.OFFER) == []
    type(offer).objects.filter(pk=offer.pk).update(title="Peat", modified_at=timezone.now())
    assert reading.stale(Matched.OFFER) == [offer.pk]
    keeping.refresh(Matched.OFFER, [offer.pk])
    assert words.number(words.of_concept("peatland")) in texts.held_by(Matched.OFFER, [offer.pk])[0].terms
    type(offer).objects.filter(pk=offer.pk).update(state=OfferState.WITHDRAWN)
    keeping.refresh(Matched.OFFER, reading.stale(Matched.OFFER))
    assert not ReadText.objects.exists()
    assert not Posting.objects.exists()
    assert not TermCount.objects.exclude(n=0).exists()


def test_matches_are_kept_for_both_sides_and_go_when_they_no_longer_stand():
    need, offer = NeedFactory(in_state=OPEN), OfferFactory(in_state=ACTIVE)
    read_all()
    keeping.renew(Matched.OFFER, [offer.pk])
    kept = FoundMatch.objects.get()
    assert (kept.is_of_need, kept.is_of_offer) == (False, True)
    keeping.renew(Matched.NEED, [need.pk])
    assert FoundMatch.objects.get().is_of_need
    type(offer).objects.filter(pk=offer.pk).update(state=OfferState.PAUSED)
    assert not FoundMatch.objects.standing().exists()
    keeping.renew(Matched.NEED, [need.pk])
    keeping.renew(Matched.OFFER, [offer.pk])
    assert not FoundMatch.objects.exists()


def test_a_move_has_the_record_read_at_once(undp):
    lead = MembershipFactory(role="partner_lead", partner=undp, country=None).user
    NeedFactory(in_state=OPEN)
    offer = OfferFactory(in_state=OfferState.PAUSED, created_by=lead)
    tasks.keep_matching_fresh(0)
    assert not FoundMatch.objects.exists()
    lifecycle.transition(offer, "resume", by=lead)
    job = ProcrastinateJob.objects.get(task_name="projects.read_for_matching")
    tasks.read_for_matching(**job.args)
    assert FoundMatch.objects.get().offer == offer


def test_each_night_all_is_found_anew_in_jobs_that_let_others_go_first():
    NeedFactory(in_state=OPEN)
    OfferFactory(in_state=ACTIVE)
    tasks.nightly(0)
    jobs = ProcrastinateJob.objects.filter(task_name="projects.renew_matches")
    assert [job.priority for job in jobs] == [-10, -10]
    for job in jobs:
        tasks.renew_matches(**job.args)
    kept = FoundMatch.objects.get()
    assert (kept.is_of_need, kept.is_of_offer) == (True, True)


# --- pages and API ---------------------------------------------------------------------------------------------------
def test_pages_load_in_a_number_of_queries_that_does_not_grow(count_queries, sign_in, undp):
    lead = MembershipFactory(role="partner_lead", partner=undp, country=None).user
    client, found = sign_in(lead), []
    for more in (1, 2):
        needs = [NeedFactory(in_state=OPEN) for _ in range(more)]
        offers = [OfferFactory(in_state=ACTIVE) for _ in range(more)]
        for kind in Matched:
            keeping.refresh(kind)
        addresses = (f"/needs/{needs[0].reference}/matches/", f"/offers/{offers[0].reference}/matches/", "/matches/", f"/api/v1/matches/?need={needs[0].reference}")  # fmt: skip
        counts = []
        for address in addresses:
            client.get(address)
            with count_queries() as n:
                assert client.get(address).status_code == 200
            counts.append(n())
        found.append(counts)
    assert found[0] == found[1]
    assert found[0] == [45, 31, 37, 41]


def test_pages_say_who_can_help_and_what_came_of_it(client):
    need, offer = NeedFactory(in_state=OPEN), OfferFactory(in_state=ACTIVE)
    for kind in Matched:
        keeping.refresh(kind)
    page = client.get(f"/needs/{need.reference}/matches/").content.decode()
    assert offer.title in page
    assert "Speaks for it" in page
    assert "The score taken apart" not in page
    assert need.title in client.get(f"/offers/{offer.reference}/matches/").content.decode()
    assert "What matches have led to" in client.get("/matches/").content.decode()
    hidden = NeedFactory()
    assert client.get(f"/needs/{hidden.reference}/matches/").status_code == 404
    assert client.get(f"/offers/{OfferFactory().reference}/matches/").status_code == 404


def test_the_desk_sees_pairs_to_broker_needs_without_match_and_scores_apart(sign_in, people):
    need, offer = NeedFactory(in_state=OPEN), OfferFactory(in_state=ACTIVE)
    alone = NeedFactory(in_state=OPEN, title="Bells", terms=["bsp-theme:mountains"], lines=[("Bells", 1, "items")], country=Country.objects.get(iso3="NPL"), languages=["ne"])  # fmt: skip
    for kind in Matched:
        keeping.refresh(kind)
    client = sign_in(people["desk"])
    page = client.get("/matches/").content.decode()
    broker, lonely = page.split("h-broker")[-1].split("h-lonely")[0], page.split("h-lonely")[-1].split("h-ledger")[0]
    assert need.reference in broker
    assert offer.reference in broker
    assert alone.reference in lonely
    assert "The score taken apart" in client.get(f"/needs/{need.reference}/matches/").content.decode()


def test_a_partner_sees_what_fits_sets_it_aside_and_puts_it_back(sign_in, undp):
    lead = MembershipFactory(role="partner_lead", partner=undp, country=None).user
    need, offer = NeedFactory(in_state=OPEN), OfferFactory(in_state=ACTIVE)
    for kind in Matched:
        keeping.refresh(kind)
    client = sign_in(lead)
    assert need.title in client.get("/matches/").content.decode()
    address = f"/matches/{need.reference}/{offer.reference}/aside/"
    assert "Not for us" in client.get(address).content.decode()
    assert client.post(address, {"reason": ""}).status_code == 400
    assert client.post(address, {"reason": "outside", "note": "not our field"}).status_code == 302
    assert client.post(address, {"reason": "cost"}).status_code == 400  # set aside already
    page = client.get("/matches/").content.decode()
    assert need.title not in page
    assert "Put back" in page
    assert matching.offers_for(need) == []
    assert client.post(address, {"back": "1"}).status_code == 302
    assert len(matching.offers_for(need)) == 1


def test_only_the_two_sides_set_a_match_aside_in_page_and_api(sign_in, undp, kenya):
    need, offer = NeedFactory(in_state=OPEN), OfferFactory(in_state=ACTIVE)
    stranger = MembershipFactory(role="partner_lead", partner=Partner.objects.get(slug="fao"), country=None).user
    address = f"/matches/{need.reference}/{offer.reference}/aside/"
    body = {"need": need.reference, "offer": offer.reference, "reason": "language"}
    client = sign_in(stranger)
    assert client.post(address, {"reason": "outside"}).status_code == 403
    assert client.post("/api/v1/matches/", body, content_type="application/json").status_code == 403
    assert Client().post(address, {"reason": "outside"}).status_code == 302  # to sign in
    assert Client().post("/api/v1/matches/", body, content_type="application/json").status_code == 401
    client = sign_in(MembershipFactory(role="focal_point", country=kenya, partner=None).user)
    assert (
        client.post("/api/v1/matches/", {**body, "reason": "nonsense"}, content_type="application/json").status_code
        == 400
    )
    assert client.post("/api/v1/matches/", body, content_type="application/json").status_code == 201
    assert SetAside.objects.get().side == kenya
    again = client.post("/api/v1/matches/", body, content_type="application/json")
    assert (again.status_code, again["Content-Type"]) == (409, "application/problem+json")
    assert sign_in(stranger).post(address, {"back": "1"}).status_code == 403


def test_what_is_like_something_set_aside_counts_less(undp, people):
    first, second = NeedFactory(in_state=OPEN), NeedFactory(in_state=OPEN)
    offer = OfferFactory(in_state=ACTIVE)
    read_all()
    before = matching.offers_for(second)[0].score
    SetAside.objects.create(need=first, offer=offer, partner=undp, reason=SetAsideReason.OUTSIDE, by=people["desk"])
    match = matching.offers_for(second)[0]
    assert match.score < before
    assert "set aside a similar need" in " ".join(match.objections)


def test_two_that_together_cover_all_lines_are_proposed():
    need = NeedFactory(in_state=OPEN, title="Coast", public_summary="", terms=[], lines=[("Restoring mangroves", 10, "hectares"), ("Solar pumps for drip irrigation", 4, "items")])  # fmt: skip
    lab = Partner.objects.create(slug="lab", name_en="Laboratory", kind="80", country=Country.objects.get(iso3="UGA"))
    OfferFactory(in_state=ACTIVE, title="Restoring mangroves", summary="Mangroves restored", partner=lab, terms=[], lines=[("Mangroves", 20, "hectares", "free")])  # fmt: skip
    OfferFactory(in_state=ACTIVE, title="Solar pumps, drip irrigation", summary="Drip irrigation by solar pumps", terms=[], lines=[("Solar pumps", 20, "items", "free")])  # fmt: skip
    read_all()
    ((first, second),) = matches.together(matches.offers_for(need))
    assert (first.given.partner.slug, second.given.partner.slug) == ("lab", "undp")


def test_a_line_is_only_met_by_the_kind_of_help_that_it_asks_for(monkeypatch):
    monkeypatch.setattr(finding, "LINE_MET", 0.01)  # among two texts no word is rare
    need, offer = NeedFactory(in_state=OPEN), OfferFactory(in_state=ACTIVE)
    read_all()
    assert len(matching.offers_for(need)[0].lines) == 2
    offer.lines.update(assistance=offer.terms.model.objects.get(vocabulary="assistance", code="expert"))
    type(offer).objects.filter(pk=offer.pk).update(title="Air")  # refreshes its entry
    assert matching.offers_for(need)[0].lines == set()


def test_the_api_tells_matches_apart_and_refuses_what_it_cannot_use(client):
    need, offer = NeedFactory(in_state=OPEN), OfferFactory(in_state=ACTIVE)
    read_all()
    (found,) = client.get(f"/api/v1/matches/?need={need.reference}").json()
    assert (found["offer"], found["project"]) == (offer.reference, None)
    assert {s["signal"] for s in found["signals"]} <= set(Signal.values)
    assert found["url"].endswith(f"/offers/{offer.reference}/")
    (other,) = client.get(f"/api/v1/matches/?offer={offer.reference}").json()
    assert round(other["score"], 6) == round(found["score"], 6)
    for query, status in (("", 404), (f"?need={need.reference}&offer={offer.reference}", 404), ("?need=N-XXX-1", 404), ("?nonsense=1", 400),
                          (f"?need={NeedFactory().reference}", 404)):  # fmt: skip
        answer = client.get(f"/api/v1/matches/{query}")
        assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json"), query


def test_a_response_names_only_an_offer_of_its_own_side(sign_in, undp):
    lead = MembershipFactory(role="partner_lead", partner=undp, country=None).user
    need, own = NeedFactory(in_state=OPEN), OfferFactory(in_state=ACTIVE)
    other = OfferFactory(in_state=ACTIVE, partner=Partner.objects.get(slug="fao"))
    client, line = sign_in(lead), need.lines.first()
    page = client.get(f"/needs/{need.reference}/respond/?offer={own.reference}").content.decode()
    assert f'value="{own.reference}" selected' in page
    assert other.reference not in page
    body = {"partner": "undp", "text": "Two experts.", "answers": [{"line": line.pk, "quantity": 4}]}
    address = f"/api/v1/needs/{need.reference}/responses/"
    assert client.post(address, {**body, "offer": other.reference}, content_type="application/json").status_code == 400
    assert client.post(address, {**body, "offer": own.reference}, content_type="application/json").status_code == 201
    assert need.responses.get().offer == own


# --- meaning ---------------------------------------------------------------------------------------------------------
def test_meaning_tells_texts_alike_without_a_word_in_common(with_meaning):
    fire, alike, other = meaning.vectors(
        ["Fighting forest fires", "Woods in flames are put out", "School meals for children"]
    )
    near, far = meaning.likeness(fire, [alike, other])
    assert near > far + 0.2
    assert meaning.likeness(fire, [fire])[0] == pytest.approx(1)


def test_meaning_of_another_language_is_read_by_its_concepts(with_meaning):
    need = need_of("Restoring peatlands", terms=[])
    offers = {
        offer_of(title, language="es", terms=[]).pk: title
        for title in ("Turberas recuperadas", "Alumbrado público eficiente")
    }
    read_all()
    found = matching.offers_for(need)
    assert references(found, offers)[0] == "Turberas recuperadas"
    assert Signal.MEANING in found[0].told
