"""Rows that are added in a form of admin which is sent twice, or again from a page opened anew."""

import pytest
from django.urls import reverse

from projects.models import Project
from tests.admin_form import shown
from tests.factories import ProjectFactory

pytestmark = [pytest.mark.django_db, pytest.mark.ignore_template_errors]


def with_a_new_row(boss) -> tuple[str, dict, Project, str]:
    project = ProjectFactory()
    address = reverse("admin:projects_project_change", args=[project.pk])
    data = shown(boss.get(address))
    number = int(data["locations-TOTAL_FORMS"][0])
    row = {f"locations-{number}-{name}": value for name, value in {"name": "Kisumu", "latitude": "-0.1", "longitude": "34.75", "id": "", "project": str(project.pk)}.items()}  # fmt: skip
    return address, data | row | {"locations-TOTAL_FORMS": str(number + 1)}, project, f"locations-{number}"


def again_on_a_new_page(boss, address: str, data: dict, row: str) -> dict:
    """Back, where the browser fetches the page anew and puts the words of the row into a blank one."""
    page = shown(boss.get(address))
    number = int(page["locations-TOTAL_FORMS"][0])
    words = {
        name.replace(row, f"locations-{number}"): value for name, value in data.items() if name.startswith(f"{row}-")
    }
    return page | words | {"locations-TOTAL_FORMS": str(number + 1)}


def test_a_new_row_sent_again_is_added_once(boss):
    address, data, project, row = with_a_new_row(boss)
    first = boss.post(address, data)
    assert first.status_code == 302 and project.locations.count() == 1
    second = boss.post(address, data)  # a double press, or the page as it was
    assert (second.status_code, second["Location"]) == (302, first["Location"])
    assert project.locations.count() == 1
    assert boss.post(address, again_on_a_new_page(boss, address, data, row)).status_code == 302
    assert project.locations.count() == 1


def test_other_words_beside_a_new_row_sent_again_are_saved(boss):
    address, data, project, row = with_a_new_row(boss)
    boss.post(address, data)
    assert (
        boss.post(address, again_on_a_new_page(boss, address, data, row) | {"title": "Typed later"}).status_code == 302
    )
    project.refresh_from_db()
    assert (project.locations.count(), project.title) == (1, "Typed later")
    answer = boss.post(address, data | {"title": "Typed on the old page"})
    assert (
        answer.status_code == 200 and shown(answer)["locations-TOTAL_FORMS"] == shown(answer)["locations-INITIAL_FORMS"]
    )


def test_another_row_and_one_added_again_after_it_was_removed_are_added(boss):
    address, data, project, row = with_a_new_row(boss)
    boss.post(address, data)
    other = again_on_a_new_page(boss, address, data, row)
    other = {
        name: "Mombasa" if value == "Kisumu" and name != "locations-0-name" else value for name, value in other.items()
    }
    assert boss.post(address, other).status_code == 302 and project.locations.count() == 2
    page = shown(boss.get(address))
    removed = page | {f"locations-{n}-DELETE": "on" for n in range(2)}
    assert boss.post(address, removed).status_code == 302 and not project.locations.exists()
    assert boss.post(address, again_on_a_new_page(boss, address, other, "locations-1")).status_code == 302
    assert project.locations.count() == 1


def test_a_refused_new_row_is_added_when_it_is_sent_again(boss):
    address, data, project, _row = with_a_new_row(boss)
    assert boss.post(address, data | {"title": ""}).status_code == 200
    assert boss.post(address, data).status_code == 302 and project.locations.count() == 1
