"""Copies kept from the change feed: whatever people do, in whatever order transactions commit, they end as the portal is."""

import random
import re
import threading
from pathlib import Path

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, connection, transaction
from django.utils.http import http_date
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from api.base import ToldRate
from partners.choices import Role
from partners.models import Change, Country, Partner, PublicRecord
from projects import actions, agreement, deliveries, duplicates, recording
from projects.choices import NeedState
from projects.lifecycle import transition
from projects.models import (
    Answer,
    DuplicatePair,
    Event,
    ImportRun,
    Location,
    Need,
    NeedDocument,
    Offer,
    Project,
    RelatedProject,
    Response,
    Term,
)
from tests import THOROUGH
from tests.factories import (
    MembershipFactory,
    NeedFactory,
    OfferFactory,
    ProjectFactory,
    ResponseFactory,
    commit,
    people,
)
from tests.projects.test_changes import answers, differing, feed, last, public, told

pytestmark = pytest.mark.sql

GUIDE = (Path(__file__).parents[2] / "docs" / "api-guide.md").read_text()


# --- whatever people do ------------------------------------------------------------------------------------------------
def _respond(need, n, who):
    side = who["partner_lead"].memberships.get().partner
    actions.respond(Response(need=need, partner=side, text="x"), [Answer(line=need.lines.all()[n % 2], quantity=n + 1)], by=who["partner_lead"])  # fmt: skip


def _of_response(act):
    def do(need, n, who):
        response = need.responses.order_by("pk")[n % 2 : n % 2 + 1].get()
        by = who["focal_point"] if act in ("accept", "decline") else who["partner_lead"]
        if act == "accept":
            actions.accept_response(response, by=by)
        elif act == "ask":
            actions.ask(response, "?", by=by)
        else:
            transition(response, act, by=by, note="x")

    return do


def _plan(need, n, who):
    agreement.write_plan(need, agreement.proposed(need) | {"indicators": [{"text": "i", "unit": "items", "target": n}]}, by=who["desk"])  # fmt: skip


def _confirm(step):
    def do(need, n, who):
        for name in ("focal_point", "partner_lead", "desk"):
            agreement.confirm(Need.objects.get(pk=need.pk), step, by=who[name])

    return do


def _deliver(need, n, who):
    given = {a.pk: min(a.quantity, n + 1) for r in need.responses.all() for a in r.answers.all()}
    deliveries.record_delivered(need, given, by=who["partner_lead"])


def _move(act):
    def do(need, n, who):
        by = who["focal_point"] if act in ("withdraw", "close", "renew") else who["administrator"]
        actions.move(need, act, by=by, note="because")

    return do


def _project(act):
    def do(need, n, who):
        project = Project.objects.order_by("pk")[n % 2]
        if act == "change":
            recording.change(project, {"summary": f"Summary {n}"}, by=who["desk"])
        elif act == "rows":
            recording.change(
                project, {"locations": [{"name": f"Place {n}", "latitude": n, "longitude": 1}]}, by=who["desk"]
            )
        elif act == "same":
            recording.change(project, {"summary": project.summary}, by=who["desk"])
        elif act == "merge":
            pair = DuplicatePair.objects.create(first=Project.objects.order_by("pk")[0], second=Project.objects.order_by("pk")[1], score=9, reasons={"title": 9})  # fmt: skip
            duplicates.merge(pair, keep=project, by=who["desk"], note="The same")
        else:
            transition(project, act, by=who["publisher"], note="x")

    return do


def _rename(model, n, **found):
    record = model.objects.get(**found)
    record.name_en = f"Name {n}"
    record.save()


ACTS = {
    "respond": _respond,
    **{act: _of_response(act) for act in ("accept", "decline", "take_back", "ask")},
    "plan": _plan,
    "confirm": _confirm("plan"),
    "start": lambda need, n, who: agreement.start(need, None, by=who["desk"]),
    "deliver": _deliver,
    "confirm_delivery": _confirm("delivery"),
    **{act: _move(act) for act in ("withdraw", "close", "hold", "resume", "expire", "renew")},
    "close_partly": lambda need, n, who: actions.close_partly(need, by=who["focal_point"], note="x", outcome="o", rating=3),
    **{f"project_{act}": _project(act) for act in ("change", "rows", "same", "merge", "unpublish", "publish")},
    "rename_country": lambda need, n, who: _rename(Country, n, iso3="KEN"),
    "rename_partner": lambda need, n, who: _rename(Partner, n, slug="undp"),
    "rename_term": lambda need, n, who: _rename(Term, n, pk=need.term_links.first().term_id),
    "private": lambda need, n, who: Need.objects.filter(pk=need.pk).update(contact_name=f"P{n}", problem=f"Secret {n}"),
    "member": lambda need, n, who: MembershipFactory(user=who["stranger"], role=Role.FOCAL_POINT),
    "delete": lambda need, n, who: Location.objects.all().delete(),
}  # fmt: skip


def records() -> dict:
    """What everybody reads of projects, needs and offers."""
    return answers("en", "project", "need", "offer")


@pytest.mark.django_db
@settings(
    max_examples=25 if THOROUGH else 8,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(steps=st.lists(st.tuples(st.sampled_from(list(ACTS)), st.integers(0, 3)), min_size=3, max_size=9))
def test_whatever_is_done_the_feed_tells_what_changed_in_public_and_no_more(people, steps):
    need = NeedFactory(in_state=NeedState.OPEN)
    ProjectFactory(published=True), ProjectFactory(published=True), OfferFactory(in_state="active"), NeedFactory()
    commit()
    before = records()
    for act, n in [("respond", 1), ("accept", 0), *steps]:
        number = last()
        try:
            with transaction.atomic():
                ACTS[act](Need.objects.get(pk=need.pk), n, people)
        except (ValidationError, PermissionDenied, Response.DoesNotExist, IntegrityError):
            continue
        commit()
        after = records()
        found = {one for one in told(number) if one[0] in ("project", "need", "offer")}
        assert found == differing(before, after), (act, found ^ differing(before, after))
        gone = {(c["kind"], c["reference"]) for c in feed(number) if c["gone"]}
        assert gone == {key for key in before if key not in after}
        before = after


# --- in whatever order they commit -------------------------------------------------------------------------------------
def in_a_thread(function) -> threading.Thread:
    """Runs it beside, with a connection of its own."""

    def run():
        try:
            function()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


PATIENCE = 20  # seconds that one waits for another before a test fails


def test_a_transaction_that_commits_late_appears_after_what_was_read(reference_again):
    early, late = ProjectFactory(published=True), ProjectFactory(published=True)
    since, written, read = last(), threading.Event(), threading.Event()

    def slow():
        with transaction.atomic():
            Project.objects.filter(pk=early.pk).update(title="Written first")
            written.set()
            assert read.wait(PATIENCE)

    thread = in_a_thread(slow)
    assert written.wait(PATIENCE)
    Project.objects.filter(pk=late.pk).update(title="Written second")
    [seen] = feed(since)
    assert seen["reference"] == late.reference
    read.set()
    thread.join(PATIENCE)
    [missed] = feed(seen["sequence"])
    assert missed["reference"] == early.reference
    assert missed["at"] >= seen["at"]


def _act(need, person):
    return lambda: Event.objects.create(
        need=need, action="progress", from_state="open", to_state="open", by=person, is_public=True
    )


def _late_project(change, link):
    """A project that changes late, and another record that is linked to it meanwhile."""

    def prepared():
        project = ProjectFactory(published=True)
        Project.objects.filter(pk=project.pk).update(state="published" if change == "draft" else "draft")
        records = {"project": ProjectFactory(published=True), "need": NeedFactory(in_state=NeedState.OPEN), "offer": OfferFactory(in_state="active")}  # fmt: skip
        return (
            lambda: Project.objects.filter(pk=project.pk).update(state=change),
            lambda: link(records, project),
        )

    return prepared


def _late_partner():
    need, lead = NeedFactory(in_state=NeedState.OPEN), people()["partner_lead"]
    undp = Partner.objects.filter(slug="undp")
    return lambda: undp.update(name_en="Late"), _act(need, lead)


def _late_country():
    need, ghana = NeedFactory(in_state=NeedState.OPEN), Country.objects.filter(iso3="GHA")
    person = MembershipFactory(role=Role.FOCAL_POINT, country=ghana.get()).user
    return lambda: ghana.update(name_en="Late"), _act(need, person)


def _late_membership():
    need, lead = NeedFactory(in_state=NeedState.OPEN), people()["partner_lead"]
    other = Partner.objects.exclude(slug="undp").first()
    return lambda: lead.memberships.update(partner=other), _act(need, lead)


def _late_licence():
    run = ImportRun.objects.create(file_name="a.xml", publisher="Before")
    project = ProjectFactory(published=True)
    return (
        lambda: ImportRun.objects.filter(pk=run.pk).update(publisher="Late"),
        lambda: Project.objects.filter(pk=project.pk).update(import_run=run),
    )


LATE = {
    **{
        f"{change} {name}": _late_project(change, link)
        for change in ("draft", "published")
        for name, link in {
            "related": lambda by_kind, late: RelatedProject.objects.create(project=by_kind["project"], other=late),
            "parent": lambda by_kind, late: Project.objects.filter(pk=by_kind["project"].pk).update(parent=late),
            "project of a need": lambda by_kind, late: Need.objects.filter(pk=by_kind["need"].pk).update(project=late),
            "project of an offer": lambda by_kind, late: Offer.objects.filter(pk=by_kind["offer"].pk).update(project=late),
        }.items()
    },
    "name of a partner in a history": _late_partner,
    "name of a country in a history": _late_country,
    "membership of who acts": _late_membership,
    "source of an import": _late_licence,
}  # fmt: skip


@pytest.mark.parametrize("prepared", LATE.values(), ids=LATE)
def test_a_change_that_commits_late_is_told_of_what_was_linked_to_it_meanwhile(reference_again, prepared):
    change, link = prepared()
    written, linked = threading.Event(), threading.Event()

    def slow():
        with transaction.atomic():
            change()
            written.set()
            assert linked.wait(PATIENCE)

    thread = in_a_thread(slow)
    assert written.wait(PATIENCE)
    try:
        link()
        kept, number = answers("en"), last()
    finally:
        linked.set()
        thread.join(PATIENCE)
    now = answers("en")
    told_of = {one for one in told(number) if one[0] in ("project", "need", "offer", "partner")}
    assert told_of == differing(kept, now)
    assert {kind for kind, _reference in told_of} & {"project", "need", "offer"}


def _is_waiting() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')"
        )
        return cursor.fetchone()[0]


def test_commits_that_wait_for_each_others_rows_all_end(reference_again):
    """The feed's lock is the last one: a commit that still has to check a row which another holds does not have it yet."""
    one, other = NeedFactory(in_state=NeedState.OPEN), NeedFactory(in_state=NeedState.OPEN)
    locked, failed, since = threading.Event(), [], last()

    def first():
        try:
            with transaction.atomic():
                Need.objects.filter(pk=one.pk).update(title="One")
                NeedDocument.objects.create(need=other, title="t", file="x", media_type="x", size=1)
                assert locked.wait(PATIENCE)
        except Exception as error:
            failed.append(error)

    thread = in_a_thread(first)
    with transaction.atomic():
        Need.objects.select_for_update().get(pk=other.pk)
        locked.set()
        for _turn in range(2000):
            if _is_waiting():
                break
        Need.objects.filter(pk=other.pk).update(title="Other")
    thread.join(PATIENCE)
    assert not failed
    assert told(since) == {("need", one.reference), ("need", other.reference)}


def _writes(seed: int, who, errors: list) -> None:
    """One of several who do things at random, some of them slowly."""
    chance = random.Random(seed)
    try:
        for _turn in range(8):
            with transaction.atomic():
                projects = list(Project.objects.order_by("pk"))
                project = chance.choice(projects)
                act = chance.choice(["title", "title", "unpublish", "publish", "response", "make", "rename", "delete"])
                if act == "title":
                    Project.objects.filter(pk=project.pk).update(title=f"Title {chance.random()}")
                elif act in ("publish", "unpublish"):
                    try:
                        transition(project, act, by=who["publisher"], note="x")
                    except ValidationError:
                        continue
                elif act == "response":
                    ResponseFactory(need=Need.objects.order_by("pk").first(), answers={0: 1})
                elif act == "make":
                    ProjectFactory(published=True)
                elif act == "rename":
                    Country.objects.filter(iso3="KEN").update(name_en=f"Kenya {chance.random()}")
                else:
                    Location.objects.filter(project=project).delete()
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pg_sleep(%s)", [chance.choice([0, 0, 0.02, 0.1])])
    except Exception as error:
        errors.append(error)


def test_the_harvester_of_the_guide_ends_with_an_identical_copy(reference_again, live_server, monkeypatch):
    """While others write, publish, unpublish, rename, in transactions that commit out of order."""
    monkeypatch.setattr(ToldRate, "allow_request", lambda *args: True)
    monkeypatch.setenv("PORTAL", live_server.url)
    [block] = [b for b in re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL) if "def follow" in b]
    who, errors = people(), []
    for _n in range(4):
        ProjectFactory(published=True)
    NeedFactory(in_state=NeedState.OPEN), OfferFactory(in_state="active")
    exec(block, found := {"__name__": "guide"})  # noqa: S102 - what the guide tells harvesters to do
    follow, copy, after = found["follow"], {}, 0
    writers = [in_a_thread(lambda seed=seed: _writes(seed, who, errors)) for seed in range(2)]
    while any(writer.is_alive() for writer in writers):
        after = follow(copy, after)
    after = follow(copy, after)
    assert not errors
    assert follow(copy, after) == after
    kinds = ("project", "need", "offer")
    wanted = {key: record["detail"] for key, record in public(*kinds).items()}
    assert {key: _as_text(record) for key, record in copy.items()} == {key: _as_text(r) for key, r in wanted.items()}
    assert Change.objects.filter(is_gone=True).exists() or PublicRecord.objects.exists()


def _as_text(record) -> str:
    """Without the address of the server, which is another in each kind of call."""
    return re.sub(r"http://[^/]+", "", str(record))


@pytest.mark.django_db
@pytest.mark.parametrize("change", [{"state": "draft"}, {"title": "Changed within the same second"}])
def test_a_reader_of_an_atom_feed_that_knows_only_when_it_read_gets_what_changed(client, change):
    first, newest = ProjectFactory(published=True), ProjectFactory(published=True)
    commit()
    read = client.get("/projects/feed.atom")
    assert client.get("/projects/feed.atom", headers={"If-None-Match": read["ETag"]}).status_code == 304
    moment = read.get("Last-Modified") or http_date(
        PublicRecord.objects.get(record=newest.pk, kind="project").changed_at.timestamp()
    )
    Project.objects.filter(pk=newest.pk).update(**change)
    commit()
    again = client.get("/projects/feed.atom", headers={"If-Modified-Since": moment})
    assert again.status_code == 200
    assert again.content != read.content
    assert first.reference in again.content.decode()
