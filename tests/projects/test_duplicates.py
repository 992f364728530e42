"""Possible duplicates: what is found, and a merge that keeps identifiers, history and links."""

import datetime as dt

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse

from outreach.models import Story
from partners.models import Country, Partner
from projects import duplicates, recording
from projects.choices import PairState, State
from projects.models import (
    Contribution,
    DuplicatePair,
    ImportIssue,
    Need,
    Project,
    ProjectCountry,
    ProjectPartner,
    RecordCheck,
    RelatedProject,
)
from tests.factories import ContributionFactory, NeedFactory, OfferFactory, ProjectFactory, ResultFactory

pytestmark = [pytest.mark.sql, pytest.mark.django_db]
TITLE = "Clean cookstoves for coastal towns of East Africa"


def pair_of(**second) -> tuple[Project, Project]:
    one = ProjectFactory(published=True, title=TITLE)
    return one, ProjectFactory(
        published=True, **{"title": "Clean cook-stoves for coastal towns of East Africa", **second}
    )


# --- finding ---------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("second", "is_found"),
    [
        ({}, True),
        ({"title": f"{TITLE} (phase II)"}, False),  # another phase is another project
        ({"title": TITLE.replace("East", "West")}, True),  # short words may be errors of typing; staff decides
        ({"title": TITLE.replace("East Africa", "Polynesia")}, False),  # another place
        ({"title": "Dirty harbours of coastal towns in West Africa"}, False),
        ({"countries": {"BRA": "provider", "FJI": "recipient"}, "planned_start": dt.date(2019, 5, 1)}, False),
        ({"title": TITLE.upper(), "planned_start": dt.date(2024, 6, 1)}, True),
        ({"title": "Foyers propres pour les villes côtières", "countries": {}}, False),
    ],
)
def test_what_is_alike_is_found_and_what_is_not_is_left(second, is_found):
    one, other = pair_of(**second)
    assert duplicates.refresh() == int(is_found)
    if is_found:
        pair = DuplicatePair.objects.get()
        assert (pair.first, pair.second, pair.state) == (one, other, PairState.OPEN)
        assert pair.score >= duplicates.ENOUGH
        assert set(pair.reasons["countries"]) == {"BRA", "KEN"}


def test_a_part_is_no_duplicate_of_its_programme():
    one, _other = pair_of()
    Project.objects.exclude(pk=one.pk).update(parent=one)
    assert duplicates.refresh() == 0


def test_the_queue_follows_the_records_and_remembers_decisions(people):
    one, other = pair_of()
    duplicates.refresh()
    assert duplicates.refresh() == 1  # the same pair, once
    Project.objects.filter(pk=other.pk).update(title="Something else altogether")
    assert duplicates.refresh() == 0
    Project.objects.filter(pk=other.pk).update(title=TITLE)
    duplicates.refresh()
    duplicates.keep_apart(DuplicatePair.objects.get(), by=people["desk"], note="Two districts.")
    assert duplicates.refresh() == 0
    assert DuplicatePair.objects.get().state == PairState.DISTINCT


def test_large_blocks_are_compared_with_neighbours(monkeypatch):
    monkeypatch.setattr(duplicates, "MOST_IN_BLOCK", 5)
    for place in ("Accra", "Beira", "Conakry", "Dakar", "Eldoret", "Freetown"):
        ProjectFactory(title=f"Mangroves near {place} restored by fishers and schools")
    pair_of()
    assert duplicates.refresh() == 1


# --- merging ---------------------------------------------------------------------------------------------------------------
@pytest.fixture
def twins(people):
    """A full second record, to be merged into a thin first one."""
    one, other = pair_of(iati_identifier="XM-DAC-1-twin", objectives="Less smoke.")
    fiji = ProjectCountry.objects.create(
        project=other, country=Country.objects.get(iso3="FJI"), role="recipient", share=40
    )
    ProjectPartner.objects.create(project=other, reported_name="An institute nobody knows", role="4")
    ContributionFactory(project=other, text="Trainers")
    ResultFactory(project=other, title="People trained")
    third = ProjectFactory(published=True, title="Another")
    RelatedProject.objects.create(project=third, other=other, relation="3")
    RelatedProject.objects.create(project=one, other=other, relation="3")
    part = ProjectFactory(title="A part", parent=other)
    need = NeedFactory(in_state="in_delivery")
    Need.objects.filter(pk=need.pk).update(project=other)
    offer = OfferFactory(in_state="active")
    type(offer).objects.filter(pk=offer.pk).update(project=other)
    kenya = Country.objects.get(iso3="KEN")
    RecordCheck.objects.create(project=other, country=kenya, is_right=True, by=people["focal_point"])
    duplicates.refresh()
    return {"one": one, "other": other, "third": third, "part": part, "need": need, "offer": offer, "fiji": fiji}


def test_a_merge_keeps_everything_and_everything_leads_to_what_stays(twins, people, client):
    one, other = twins["one"], twins["other"]
    before = {p.pk: set(p.events.values_list("pk", flat=True)) for p in (one, other)}
    story = Story.objects.create(slug="a-story", project=other)
    duplicates.merge(DuplicatePair.objects.get(), keep=one, by=people["desk"], note="The same project.")
    one.refresh_from_db()
    other.refresh_from_db()
    # fields and rows
    assert (one.title, one.objectives, one.iati_identifier) == (TITLE, "Less smoke.", "XM-DAC-1-twin")
    roles = {link.country.iso3: (link.role, link.share) for link in one.country_links.all()}
    assert roles == {"BRA": ("provider", None), "KEN": ("recipient", None), "FJI": ("recipient", None)}
    assert one.partner_links.filter(reported_name="An institute nobody knows").exists()
    assert one.contributions.get().text == "Trainers"
    assert one.results.get().title == "People trained"
    # what points to it
    assert set(one.needs.all()) == {twins["need"]}
    assert set(one.offers.all()) == {twins["offer"]}
    assert set(one.stories.all()) == {story}
    assert one.checks.get().country.iso3 == "KEN"
    assert twins["third"].related_links.get().other == one
    assert not one.related_links.filter(other=one).exists()
    assert not one.related_links.exists()
    assert Project.objects.get(pk=twins["part"].pk).parent == one
    # the record that goes
    assert (other.state, other.merged_into, other.reference) == (State.MERGED, one, twins["other"].reference)
    assert before[other.pk] < set(other.events.values_list("pk", flat=True))
    assert other.events.latest("pk").note == "The same project."
    assert one.events.latest("pk").action == "take_in"
    assert other.reference in one.events.latest("pk").note
    # addresses
    page = client.get(f"/projects/{other.reference}/")
    assert (page.status_code, page["Location"]) == (301, f"/projects/{one.reference}/")
    told = client.get(f"/api/v1/projects/{other.reference}/")
    assert (told.status_code, told["Location"]) == (301, f"/api/v1/projects/{one.reference}/")
    client.force_login(people["desk"])
    assert client.get(f"/api/v1/projects/{other.reference}/").status_code == 301
    client.logout()
    assert "formerly also" in client.get(f"/projects/{one.reference}/").content.decode()
    listed = client.get("/api/v1/projects/").json()["results"]
    assert other.reference not in {row["reference"] for row in listed}
    pair = DuplicatePair.objects.get()
    assert (pair.state, pair.decided_by) == (PairState.MERGED, people["desk"])
    assert duplicates.refresh() == 0
    one.full_clean()


def test_what_both_say_stays_as_the_one_that_stays_says_it(twins, people):
    one, other = twins["one"], twins["other"]
    ContributionFactory(
        project=one, country=None, partner=Partner.objects.get(slug="undp"), text="Trainers", kind="D011"
    )
    duplicates.merge(DuplicatePair.objects.get(), keep=other, by=people["publisher"], note="The other is fuller.")
    other.refresh_from_db()
    assert other.title != TITLE
    assert other.objectives == "Less smoke."
    assert Project.objects.get(pk=one.pk).merged_into == other
    assert other.state == State.PUBLISHED


def test_merged_into_what_was_merged_leads_to_the_end(people, client):
    one, other = pair_of()
    third = ProjectFactory(published=True, title=TITLE)
    duplicates.refresh()
    pair = DuplicatePair.objects.get(first=one, second=other)
    duplicates.merge(pair, keep=other, by=people["desk"], note="x")
    pair = DuplicatePair.objects.get(first=other, second=third)
    duplicates.merge(pair, keep=third, by=people["desk"], note="x")
    assert set(third.merged.all()) == {one, other}
    assert client.get(f"/projects/{one.reference}/")["Location"] == f"/projects/{third.reference}/"


def test_a_merged_record_leads_nowhere_that_its_reader_may_not_see(people, sign_in):
    one, other = ProjectFactory(title=TITLE), ProjectFactory(title=TITLE, published=True)
    duplicates.refresh()
    duplicates.merge(DuplicatePair.objects.get(), keep=one, by=people["desk"], note="The draft is better.")
    for name, person in people.items():
        answer = sign_in(person).get(f"/projects/{other.reference}/")
        may = person is not None and person.has_perm("projects.view_project", one)
        assert answer.status_code == (301 if may else 404), name


def test_only_staff_decides_and_only_once(twins, people):
    pair = DuplicatePair.objects.get()
    for name, person in people.items():
        if person is None or person.has_perm("projects.merge_project", pair.first):
            continue
        with pytest.raises(PermissionDenied):
            duplicates.merge(pair, keep=twins["one"], by=person, note="x")
        with pytest.raises(PermissionDenied):
            duplicates.keep_apart(pair, by=person)
        assert DuplicatePair.objects.get().state == PairState.OPEN, name
    with pytest.raises(ValidationError):
        duplicates.merge(pair, keep=twins["one"], by=people["desk"], note="  ")
    with pytest.raises(ValidationError):
        duplicates.merge(pair, keep=twins["third"], by=people["desk"], note="x")
    assert Contribution.objects.get().project == twins["other"]
    duplicates.merge(pair, keep=twins["one"], by=people["desk"], note="x")
    with pytest.raises(ValidationError) as late:
        duplicates.merge(pair, keep=twins["one"], by=people["desk"], note="x")
    assert late.value.code == "state"


def test_a_merged_record_is_written_no_more(twins, people):
    one, other = twins["one"], twins["other"]
    duplicates.merge(DuplicatePair.objects.get(), keep=one, by=people["desk"], note="x")
    other.refresh_from_db()
    with pytest.raises(PermissionDenied):
        recording.change(other, {"summary": "Late."}, by=people["administrator"])


def test_an_import_leaves_a_merged_record_alone(twins, people, tmp_path):
    from projects.interchange.iati_import import import_file

    one, other = twins["one"], twins["other"]
    Project.objects.filter(pk=one.pk).update(iati_identifier="XM-DAC-1-own")
    duplicates.merge(DuplicatePair.objects.get(), keep=one, by=people["desk"], note="x")
    assert Project.objects.get(pk=other.pk).iati_identifier == "XM-DAC-1-twin"  # both identifiers are kept
    file = tmp_path / "twin.xml"
    file.write_text(
        '<iati-activities version="2.03"><iati-activity><iati-identifier>XM-DAC-1-twin</iati-identifier>'
        "<title><narrative>Written anew</narrative></title></iati-activity></iati-activities>"
    )
    run = import_file(file, by=people["desk"])
    assert (run.created, run.updated, run.unchanged) == (0, 0, 1)
    assert one.reference in ImportIssue.objects.get(outcome="kept").text
    assert not Project.objects.filter(title="Written anew").exists()


def test_entered_anew_after_the_merge_the_api_still_writes_what_stays(twins, people):
    one = twins["one"]
    duplicates.merge(DuplicatePair.objects.get(), keep=one, by=people["desk"], note="x")
    one.refresh_from_db()
    recording.change(one, {"summary": "Written after the merge."}, by=people["desk"])
    assert Project.objects.get(pk=one.pk).summary == "Written after the merge."


# --- the page in admin -------------------------------------------------------------------------------------------------------
def test_the_page_compares_and_decides(twins, people, sign_in):
    pair = DuplicatePair.objects.get()
    address = reverse("admin:projects_duplicatepair_change", args=[pair.pk])
    for name, person in people.items():
        answer = sign_in(person).get(address)
        wanted = (200,) if name in ("desk", "publisher", "administrator") else (302, 403)
        assert answer.status_code in wanted, name
    client = sign_in(people["desk"])
    page = client.get(address).content.decode()
    assert "Less smoke." in page
    assert "Trainers" in page
    assert "Possible duplicates" in client.get("/admin/").content.decode()
    refused = client.post(address, {"keep": str(pair.first_id), "note": ""})
    assert refused.status_code == 400
    assert "Say why" in refused.content.decode()
    assert client.post(address, {"keep": "nonsense", "note": "x"}).status_code == 400
    done = client.post(address, {"keep": str(pair.first_id), "note": "The same."}, follow=True)
    assert "holds both records now" in done.content.decode()
    assert Project.objects.get(pk=pair.second_id).merged_into_id == pair.first_id
    after = client.get(address).content.decode()
    assert "<form method" not in after.split('id="content"')[1]
    assert client.get(reverse("admin:projects_duplicatepair_changelist")).status_code == 200
    assert client.get(reverse("admin:projects_duplicatepair_change", args=[0])).status_code == 404
