"""Who a person is, as predicates. Asked as `user.has_perm("partners.change_partner", partner)`.

Says who, never from which state. Imports no model, only the names of roles.
"""

import rules
from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext as _

CONTRIBUTOR, FOCAL_POINT = "contributor", "focal_point"
PARTNER_MEMBER, PARTNER_LEAD = "partner_member", "partner_lead"
DESK, PUBLISHER, ADMINISTRATOR = "desk", "publisher", "administrator"
SYSTEM = "system@portal.invalid"  # the address of the user that scheduled work acts as


def memberships(user) -> list:
    """Active memberships of a person; none for somebody who is not signed in."""
    return getattr(user, "active_memberships", [])


def refuse() -> None:
    """Raises PermissionDenied with the sentence that pages, API and admin show."""
    raise PermissionDenied(_("Your role does not allow this."))


def require(user, permission: str, record=None) -> None:
    """Refuses whoever may not do this, to that record."""
    if not user.has_perm(permission, record):
        refuse()


def holds(*names: str):
    """Predicate: the person holds one of these roles, anywhere."""
    label = "holds_" + "_or_".join(names)
    return rules.predicate(lambda user: any(m.role in names for m in memberships(user)), name=label)


is_desk = holds(DESK)
is_publisher = holds(PUBLISHER)
is_administrator = holds(ADMINISTRATOR)
is_unep = holds(DESK, PUBLISHER, ADMINISTRATOR)


@rules.predicate
def is_system(user) -> bool:
    """Scheduled work, which acts under a name of its own."""
    return getattr(user, "email", "") == SYSTEM


@rules.predicate
def is_own_grant_of_unep_role(user, membership=None) -> bool:
    """A grant of one of UNEP's own roles, which only an administrator gives or changes."""
    return membership is not None and membership.role in (DESK, PUBLISHER, ADMINISTRATOR)


@rules.predicate
def is_self(user, person=None) -> bool:
    return person is not None and person.pk == user.pk


rules.add_rule("partners.is_unep", is_unep)

# Vocabularies of places: everybody in admin looks them up, administrators keep them.
for record in ("region", "country", "countrygroup", "groupmember"):
    rules.add_perm(f"partners.view_{record}", is_unep)
    for action in ("add", "change", "delete"):
        rules.add_perm(f"partners.{action}_{record}", is_administrator)

for record in ("partner", "partnercountry"):
    rules.add_perm(f"partners.view_{record}", is_unep)
    rules.add_perm(f"partners.add_{record}", is_unep)
    rules.add_perm(f"partners.change_{record}", is_unep)
    rules.add_perm(f"partners.delete_{record}", is_unep if record == "partnercountry" else is_administrator)
rules.add_perm("partners.verify_partner", is_unep)

rules.add_perm("partners.view_user", is_unep)
rules.add_perm("partners.add_user", is_administrator)
rules.add_perm("partners.change_user", is_administrator)
rules.add_perm("partners.delete_user", is_administrator & ~is_self)
rules.add_perm("partners.erase_user", is_self | is_administrator)


@rules.predicate
def gives_it(user, wanted=None) -> bool:
    """The focal point gives the contributor's role of the country, the lead those of the partner."""
    held = memberships(user)
    if wanted is None:
        return any(m.role in (FOCAL_POINT, PARTNER_LEAD) for m in held)
    if wanted.country_id:
        return wanted.role == CONTRIBUTOR and any(
            m.role == FOCAL_POINT and m.country_id == wanted.country_id for m in held
        )
    return wanted.role in (PARTNER_MEMBER, PARTNER_LEAD) and any(
        m.role == PARTNER_LEAD and m.partner_id == wanted.partner_id for m in held
    )


rules.add_perm("partners.grant_membership", is_administrator | (is_desk & ~is_own_grant_of_unep_role) | gives_it)
rules.add_perm("partners.view_joinrequest", is_unep)
rules.add_perm("partners.view_invitation", is_unep)
rules.add_perm("partners.view_membership", is_unep)
rules.add_perm("partners.add_membership", is_administrator | (is_desk & ~is_own_grant_of_unep_role))
rules.add_perm("partners.change_membership", is_administrator | (is_desk & ~is_own_grant_of_unep_role))
rules.add_perm("partners.delete_membership", is_administrator)
for action in ("view", "add", "change", "delete"):  # without a text of their own the portal's goes out
    rules.add_perm(f"partners.{action}_mailtext", is_unep)
rules.add_perm("partners.view_apitoken", is_administrator)
rules.add_perm("partners.revoke_apitoken", is_administrator)
