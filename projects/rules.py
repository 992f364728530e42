"""Who may do what to a project, as predicates. Says who, never from which state (that is lifecycle.TRANSITIONS).

Asked as `user.has_perm("projects.publish_project", project)`. The full table, by role, is in tests/projects/test_rules.py.
"""

import rules

from partners.rules import holds, is_administrator, is_unep, memberships
from projects.choices import State

is_desk = holds("desk", "administrator")
is_publisher = holds("publisher", "administrator")


@rules.predicate
def is_public(user, project=None) -> bool:
    return project is not None and project.state == State.PUBLISHED


@rules.predicate
def takes_part(user, project=None) -> bool:
    """The person belongs to a country or partner that is in the project."""
    held = memberships(user)
    if project is None or not held:
        return False
    countries = {m.country_id for m in held if m.country_id}
    partners = {m.partner_id for m in held if m.partner_id}
    return any(link.country_id in countries for link in project.country_links.all() if link.country_id) or any(
        link.partner_id in partners for link in project.partner_links.all() if link.partner_id
    )


@rules.predicate
def is_own_unpublished(user, project=None) -> bool:
    """Entered by this person and never public."""
    return project is not None and project.created_by_id == user.pk and project.published_at is None


# Lists ask without a record: then the question is whether the person may see or do it to any.
@rules.predicate
def no_record(user, project=None) -> bool:
    return project is None


rules.add_perm("projects.view_project", is_public | is_unep | takes_part)
rules.add_perm("projects.add_project", is_unep)
rules.add_perm("projects.change_project", is_unep)
rules.add_perm("projects.delete_project", is_administrator | (is_desk & is_own_unpublished))
rules.add_perm("projects.submit_project", is_unep)
rules.add_perm("projects.return_project", is_publisher)
rules.add_perm("projects.publish_project", is_publisher)
rules.add_perm("projects.unpublish_project", is_publisher)
rules.add_perm("projects.import_projects", is_unep)
rules.add_perm("projects.export_projects", is_unep)

# What belongs to a project is entered with it.
for part in (
    "projecttranslation", "projectcountry", "projectregion", "projectpartner", "projectterm", "contribution", "budget",
    "transaction", "result", "location", "document", "relatedproject", "update",
):  # fmt: skip
    for action in ("view", "add", "change", "delete"):
        rules.add_perm(f"projects.{action}_{part}", is_unep)

rules.add_perm("projects.view_term", is_unep)
for action in ("add", "change", "delete"):
    rules.add_perm(f"projects.{action}_term", is_administrator)

rules.add_perm("projects.view_importrun", is_unep)
rules.add_perm("projects.view_importissue", is_unep)
rules.add_perm("projects.view_event", is_unep)
