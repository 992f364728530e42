"""Moves of a project: the table, the function, and every role x state x move through every door (laws 2 and 3)."""

import json
import threading

import pytest
import rules
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.urls import reverse
from procrastinate.contrib.django.models import ProcrastinateJob

from partners.choices import Role
from projects import lifecycle
from projects.choices import State
from projects.lifecycle import transition
from projects.lifecycle.project import MOVES
from projects.models import Event, Project
from tests.factories import MembershipFactory, ProjectFactory

TRAITS = {
    "published": {"published": True},
    "review": {"in_review": True},
    "withdrawn": {"withdrawn": True},
    "merged": {"merged": True},
    "draft": {},
}


def expected(person, project, move) -> str:
    """What must come of a move: moved, forbidden or refused."""
    if not (person or AnonymousUser()).has_perm(move.permission, project):
        return "forbidden"
    return "moved" if project.state in move.from_states else "refused"


@pytest.mark.django_db
def test_every_move_has_a_rule_and_every_state_is_reachable():
    assert all(rules.perm_exists(move.permission) for move in MOVES.values())
    reached = {State.DRAFT} | {move.to_state for move in MOVES.values()}
    assert reached == set(State)


@pytest.mark.django_db
@pytest.mark.ignore_template_errors  # Django's own admin templates
@pytest.mark.parametrize("action", sorted(action for action, move in MOVES.items() if move.is_for_forms))
@pytest.mark.parametrize("state", State.values)
def test_every_role_through_every_door(state, action, people, sign_in):
    move = MOVES[action]
    for name, person in people.items():
        outcomes = {}
        for door in ("function", "admin", "api"):
            project = ProjectFactory(**TRAITS[state])
            want = expected(person, project, move)
            if door == "function":
                try:
                    transition(project, action, by=person or AnonymousUser(), note="because")
                    outcomes[door] = "moved"
                except PermissionDenied:
                    outcomes[door] = "forbidden"
                except ValidationError:
                    outcomes[door] = "refused"
            elif door == "api":
                address = f"/api/v1/projects/{project.reference}/moves/{action}/"
                body = json.dumps({"note": "because"})
                answer = sign_in(person).post(address, body, content_type="application/json")
                came_of_it = {200: "moved", 400: "refused", 409: "refused"}
                outcomes[door] = came_of_it.get(answer.status_code, "forbidden")
            else:
                response = sign_in(person).post(
                    reverse("admin:projects_project_move", args=[project.pk, action]), {"note": "because"}
                )
                went_in = response.status_code == 302 and "/login/" not in response["Location"]
                outcomes[door] = "moved" if went_in else "refused" if response.status_code == 400 else "forbidden"
            project.refresh_from_db()
            events = list(project.events.values_list("action", "from_state", "to_state", "by", "note"))
            if want == "moved":
                assert project.state == move.to_state
                assert events == [(action, state, move.to_state, person.pk, "because")]
            else:
                assert (project.state, events) == (state, [])
        assert outcomes == {"function": want, "admin": want, "api": want}, name


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
