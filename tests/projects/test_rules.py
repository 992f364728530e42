"""Who sees and does what: the whole table, and the agreement of has_perm with visible_to (law 2)."""

import pytest
from django.contrib.auth.models import AnonymousUser

from projects.choices import State
from projects.models import Project, SearchEntry
from tests.factories import ProjectFactory

pytestmark = pytest.mark.django_db

EVERYONE = {
    "nobody",
    "stranger",
    "former",
    "contributor",
    "focal_point",
    "partner_member",
    "partner_lead",
    "desk",
    "publisher",
    "administrator",
}
UNEP = {"desk", "publisher", "administrator"}
OWN = {"contributor", "focal_point", "partner_member", "partner_lead"}  # of Kenya and of UNDP, which are in the project

# permission -> who holds it about a draft in which Kenya and UNDP take part, entered by somebody else
DRAFT = {
    "projects.view_project": UNEP | OWN,
    "projects.add_project": UNEP,
    "projects.change_project": UNEP,
    "projects.delete_project": {"administrator"},
    "projects.submit_project": UNEP,
    "projects.return_project": {"publisher", "administrator"},
    "projects.publish_project": {"publisher", "administrator"},
    "projects.unpublish_project": {"publisher", "administrator"},
    "projects.merge_project": UNEP,
    "projects.import_projects": UNEP,
    "projects.change_term": {"administrator"},
    "partners.change_partner": UNEP,
    "partners.change_country": {"administrator"},
    "partners.add_membership": {"desk", "administrator"},
    "partners.change_user": {"administrator"},
}


@pytest.mark.parametrize("permission", sorted(DRAFT))
def test_permission_is_held_by_these_roles_only(permission, people):
    about = ProjectFactory() if permission.endswith("_project") else None
    holders = {name for name, person in people.items() if (person or AnonymousUser()).has_perm(permission, about)}
    assert holders == DRAFT[permission]


@pytest.mark.parametrize("state", State.values)
def test_visible_to_agrees_with_view_permission(state, people):
    traits = {
        "published": {"published": True},
        "review": {"in_review": True},
        "withdrawn": {"withdrawn": True},
        "merged": {"merged": True},
        "draft": {},
    }[state]
    mine = ProjectFactory(**traits)
    foreign = ProjectFactory(**traits, countries={"FJI": "both"}, partners=["fao"])
    for name, person in people.items():
        person = person or AnonymousUser()
        for project in (mine, foreign):
            allowed = person.has_perm("projects.view_project", project)
            assert Project.objects.visible_to(person).filter(pk=project.pk).exists() == allowed, (name, project)
            assert SearchEntry.objects.visible_to(person).filter(pk=project.pk).exists() == allowed, (name, project)


def test_desk_deletes_own_draft_until_it_was_public(people):
    project = ProjectFactory(created_by=people["desk"])
    assert people["desk"].has_perm("projects.delete_project", project)
    public = ProjectFactory(created_by=people["desk"], published=True)
    assert not people["desk"].has_perm("projects.delete_project", public)


def test_inactive_person_may_nothing(people):
    person = people["administrator"]
    person.is_active = False
    assert not person.has_perm("projects.view_project", ProjectFactory())
    assert not person.is_staff
