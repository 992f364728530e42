"""Moves of a project: the table, the function, and roles x states x moves through every door (laws 2 and 3)."""

import json
import threading
from functools import cache
from operator import attrgetter
from typing import NamedTuple

import pytest
import rules
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection, transaction
from django.urls import reverse
from procrastinate.contrib.django.models import ProcrastinateJob

from partners.choices import Role
from projects import lifecycle
from projects.choices import State
from projects.lifecycle import transition
from projects.lifecycle.project import MOVES
from projects.models import Event, Project
from tests.factories import MembershipFactory, ProjectFactory
from tests.one_of_each import one_of_each

pytestmark = pytest.mark.sql

TRAITS = {
    "published": {"published": True},
    "review": {"in_review": True},
    "withdrawn": {"withdrawn": True},
    "merged": {"merged": True},
    "draft": {},
}


FORMS = sorted(action for action, move in MOVES.items() if move.is_for_forms)
UNEP, PUBLISHES = {"desk", "publisher", "administrator"}, {"publisher", "administrator"}
MAY = {"submit": UNEP, "return": PUBLISHES, "publish": PUBLISHES, "unpublish": PUBLISHES, "merge": UNEP}
NAMES = ("nobody", "stranger", "former", *Role.values)


class Case(NamedTuple):
    door: str
    state: str
    name: str
    action: str

    @property
    def want(self) -> str:
        """What must come of it: moved, forbidden or refused."""
        if self.name not in MAY[self.action]:
            return "forbidden"
        return "moved" if self.state in MOVES[self.action].from_states else "refused"


@pytest.mark.django_db
def test_every_move_has_a_rule_and_every_state_is_reachable():
    assert all(rules.perm_exists(move.permission) for move in MOVES.values())
    reached = {State.DRAFT} | {move.to_state for move in MOVES.values()}
    assert reached == set(State)


@pytest.mark.django_db
@pytest.mark.parametrize("state", State.values)
def test_each_move_is_allowed_to_these_roles_and_nobody_else(state, people):
    project = ProjectFactory(**TRAITS[state])
    assert set(people) == set(NAMES) and set(MAY) == set(MOVES)
    for action, move in MOVES.items():
        holders = {n for n, person in people.items() if (person or AnonymousUser()).has_perm(move.permission, project)}
        assert holders == MAY[action], action


@cache
def cases() -> list[Case]:
    """By the function each move from each state; at each door each move and each role with all that can come of it, in each state."""
    doors = ("function", "page of admin", "api")
    table = (Case(d, s, n, a) for d in doors for s in State.values for n in NAMES for a in FORMS)
    kinds = (("door", "action", "want"), ("door", "state", "want"), ("door", "name", "want"))
    function = lambda case: case.door == "function" and (case.state, case.action, case.want)  # noqa: E731
    return one_of_each(table, function, *(attrgetter(*kind) for kind in kinds))


def outcome(case: Case, project: Project, person, client) -> str:
    """What comes of it through one door."""
    if case.door == "function":
        try:
            transition(project, case.action, by=person or AnonymousUser(), note="because")
        except PermissionDenied:
            return "forbidden"
        except ValidationError:
            return "refused"
        return "moved"
    if case.door == "api":
        address = f"/api/v1/projects/{project.reference}/moves/{case.action}/"
        answer = client.post(address, json.dumps({"note": "because"}), content_type="application/json")
        return {200: "moved", 400: "refused", 409: "refused"}.get(answer.status_code, "forbidden")
    address = reverse("admin:projects_project_move", args=[project.pk, case.action])
    answer = client.post(address, {"note": "because"})
    went_in = answer.status_code == 302 and "/login/" not in answer["Location"]
    return "moved" if went_in else "refused" if answer.status_code == 400 else "forbidden"


@pytest.mark.django_db
@pytest.mark.ignore_template_errors  # Django's own admin templates
@pytest.mark.parametrize("state", State.values)
def test_every_door_moves_a_project_as_the_table_says(state, people, sign_in):
    pk = ProjectFactory(**TRAITS[state]).pk
    for case in cases():
        if case.state != state:
            continue
        person, project = people[case.name], Project.objects.get(pk=pk)
        client = case.door != "function" and sign_in(person)
        with transaction.atomic():
            assert outcome(case, project, person, client) == case.want, case
            project.refresh_from_db()
            events = list(project.events.values_list("action", "from_state", "to_state", "by", "note"))
            if case.want == "moved":
                to_state = MOVES[case.action].to_state
                assert project.state == to_state
                assert events == [(case.action, state, to_state, person.pk, "because")]
            else:
                assert (project.state, events) == (state, [])
            transaction.set_rollback(True)


@pytest.mark.django_db
def test_note_is_required_where_the_table_says_so(people):
    project = ProjectFactory(published=True)
    with pytest.raises(ValidationError, match="Say why"):
        transition(project, "unpublish", by=people["publisher"], note="  ")


@pytest.mark.django_db
def test_incomplete_record_is_not_published_and_says_what_is_missing(people):
    project = ProjectFactory(summary="", countries={}, partners=[])
    with pytest.raises(ValidationError) as error:
        transition(project, "publish", by=people["publisher"])
    assert error.value.messages == [
        "Write a summary or a description.",
        "Name at least one country, region or partner.",
    ]
    assert Event.objects.count() == 0


@pytest.mark.django_db
def test_first_publication_is_kept_through_withdrawal(people):
    project = ProjectFactory()
    transition(project, "publish", by=people["publisher"])
    first = project.published_at
    transition(project, "unpublish", by=people["publisher"], note="An error in the figures.")
    transition(project, "publish", by=people["administrator"])
    project.refresh_from_db()
    assert (project.published_at, project.published_by) == (first, people["publisher"])


@pytest.mark.django_db
def test_moves_open_to_are_those_that_work(people):
    project = ProjectFactory(in_review=True)
    assert [m.action for m in lifecycle.moves_open_to(people["publisher"], project)] == ["return", "publish"]
    assert lifecycle.moves_open_to(people["desk"], project) == []


@pytest.mark.django_db(transaction=True, serialized_rollback=False)
def test_of_ten_people_pressing_at_once_one_wins(reference_again):
    publishers = [MembershipFactory(role=Role.PUBLISHER).user for _n in range(5)]
    project = ProjectFactory(in_review=True)
    outcomes, start = [], threading.Barrier(10, timeout=20)

    def press(n):
        try:
            start.wait()
            mine = Project.objects.get(pk=project.pk)
            transition(mine, "publish", by=publishers[n % 5])
            outcomes.append("won")
        except ValidationError as error:
            outcomes.append(error.messages[0][:20])
        finally:
            connection.close()

    threads = [threading.Thread(target=press, args=[n]) for n in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count("won") == 1
    assert Event.objects.count() == 1
    assert set(outcomes) == {"won", "It is “published” by"}


def test_moves_of_projects_queue_no_mail(people):
    """An import publishes thousands; what somebody says of a record is told."""
    project = ProjectFactory()
    before = ProcrastinateJob.objects.filter(task_name="projects.tell_of_event").count()
    lifecycle.transition(project, "publish", by=people["publisher"])
    assert ProcrastinateJob.objects.filter(task_name="projects.tell_of_event").count() == before
    lifecycle.write_down(project, "check_right", by=people["focal_point"])
    assert ProcrastinateJob.objects.filter(task_name="projects.tell_of_event").count() == before + 1
