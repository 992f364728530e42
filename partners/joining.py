"""How a role comes and goes: asking to join, granting, inviting, revoking. Each is one transaction and mails both sides.

A grant has a first and a last day, and who gave it; a revoked one stays as history and counts no more from that moment.
"""

import datetime as dt

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from partners.choices import Role
from partners.letters import send_later, tell
from partners.models import Invitation, JoinRequest, Membership, User

USUAL_PERIOD = dt.timedelta(days=2 * 365)


def usual_end() -> dt.date:
    return timezone.localdate() + USUAL_PERIOD


# --- asking --------------------------------------------------------------------------------------------------------------
@transaction.atomic
def ask(request: JoinRequest, *, by: User) -> JoinRequest:
    """A person asks for a role. Those who may grant it are told."""
    if request.role not in (Role.CONTRIBUTOR, Role.FOCAL_POINT, Role.PARTNER_MEMBER, Role.PARTNER_LEAD):
        raise ValidationError({"role": _("Roles at UNEP are given by its administrators.")})
    request.user = by
    request.full_clean()
    if holds_already(by, request):
        raise ValidationError(_("You hold this role there already."))
    try:
        with transaction.atomic():
            request.save()
    except IntegrityError:
        raise ValidationError(_("You asked for this already; the answer comes by mail.")) from None
    for person in granters(request):
        tell(person, "asked", {"request": request}, reverse("people"))
    return request


def holds_already(user: User, wanted) -> bool:
    return Membership.objects.active().filter(
        user=user, role=wanted.role, country=wanted.country, partner=wanted.partner
    ).exists()  # fmt: skip


def granters(wanted) -> list[User]:
    """Who may say yes: the focal point of the country or the leads of the partner; where there is none, the UNEP desk."""
    active = Membership.objects.active().filter(user__is_active=True).select_related("user")
    near = active.none()
    if wanted.country_id and wanted.role == Role.CONTRIBUTOR:
        near = active.filter(role=Role.FOCAL_POINT, country=wanted.country)
    elif wanted.partner_id:
        near = active.filter(role=Role.PARTNER_LEAD, partner=wanted.partner)
    found = [m.user for m in near] or [m.user for m in active.filter(role=Role.DESK)]
    return list({user.pk: user for user in found}.values())


def waiting_for(user) -> list[JoinRequest]:
    """Requests that this person may decide, oldest first."""
    if not user.is_authenticated or not user.active_memberships:
        return []
    waiting = JoinRequest.objects.filter(decided_at=None).select_related("user", "country", "partner")
    return [r for r in waiting.order_by("asked_at", "pk") if user.has_perm("partners.grant_membership", r)]


# --- deciding ------------------------------------------------------------------------------------------------------------
@transaction.atomic
def decide(request: JoinRequest, *, by: User, grant: bool, ends_on: dt.date | None = None, answer: str = "") -> None:
    """Grants a request until a day, or refuses it with a reason. The person is told."""
    locked = JoinRequest.objects.select_for_update().get(pk=request.pk)
    if not by.has_perm("partners.grant_membership", locked):
        raise PermissionDenied(_("The focal point, the lead of the partner, or the UNEP desk decides this."))
    if locked.decided_at:
        raise ValidationError(_("Somebody has decided this already."), code="state")
    if not grant and not answer.strip():
        raise ValidationError({"answer": _("Say why not.")})
    locked.decided_at, locked.decided_by, locked.is_granted, locked.answer = timezone.now(), by, grant, answer.strip()
    locked.save()
    if grant:
        _grant(locked.user, locked, by=by, ends_on=ends_on)
    tell(locked.user, "decided", {"request": locked, "ends_on": ends_on}, reverse("dashboard"))


def _grant(user: User, wanted, *, by: User, ends_on: dt.date | None) -> Membership:
    if ends_on and ends_on < timezone.localdate():
        raise ValidationError({"ends_on": _("This day has passed.")})
    if holds_already(user, wanted):
        raise ValidationError(_("This person holds this role there already."))
    membership = Membership(
        user=user, role=wanted.role, country=wanted.country, partner=wanted.partner, granted_by=by, ends_on=ends_on
    )
    membership.full_clean()
    membership.save()
    return membership


@transaction.atomic
def revoke(membership: Membership, *, by: User) -> None:
    """Ends a role at once. What the person did stays; both are told."""
    locked = Membership.objects.select_for_update(of=("self",)).get(pk=membership.pk)
    if not by.has_perm("partners.grant_membership", locked) or locked.user_id == by.pk:
        raise PermissionDenied(
            _("The focal point, the lead of the partner, or the UNEP desk ends a role; nobody their own.")
        )
    if locked.revoked_at:
        raise ValidationError(_("This role has ended already."), code="state")
    locked.revoked_at, locked.revoked_by = timezone.now(), by
    locked.save(update_fields=["revoked_at", "revoked_by"])
    for person in (locked.user, by):
        tell(person, "revoked", {"membership": locked}, reverse("dashboard"))


# --- inviting ------------------------------------------------------------------------------------------------------------
@transaction.atomic
def invite(invitation: Invitation, *, by: User) -> Invitation:
    """Invites somebody by e-mail to a role; the link in the mail works once, for two weeks."""
    invitation.invited_by = by
    invitation.email = invitation.email.strip().lower()
    if not by.has_perm("partners.grant_membership", invitation):
        raise PermissionDenied(_("You may not give this role there."))
    invitation.full_clean(exclude=["token"])
    invitation.save()
    send_later(
        invitation.email, "en", "invited", {"invitation": invitation}, reverse("invitation", args=[invitation.token])
    )
    return invitation


@transaction.atomic
def withdraw(invitation: Invitation, *, by: User) -> None:
    """Takes an invitation back; its link no longer works."""
    if not by.has_perm("partners.grant_membership", invitation):
        raise PermissionDenied(_("You may not take this invitation back."))
    Invitation.objects.filter(pk=invitation.pk, accepted_at=None, withdrawn_at=None).update(withdrawn_at=timezone.now())


@transaction.atomic
def accept(invitation: Invitation, *, by: User) -> Membership:
    """The invited person takes the role. It belongs to the address that was invited."""
    locked = Invitation.objects.select_for_update(of=("self",)).get(pk=invitation.pk)
    if not locked.is_open:
        raise ValidationError(_("This invitation was used, taken back, or is older than two weeks. Ask for a new one."))
    if by.email.lower() != locked.email:
        raise PermissionDenied(
            _("This invitation is for %(email)s. Sign in with that address.") % {"email": locked.email}
        )
    membership = _grant(by, locked, by=locked.invited_by, ends_on=locked.ends_on)
    locked.accepted_at, locked.accepted_by = timezone.now(), by
    locked.save(update_fields=["accepted_at", "accepted_by"])
    tell(locked.invited_by, "accepted", {"invitation": locked}, reverse("people"))
    return membership
