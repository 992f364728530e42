"""What is stored about a person, all of it: to take along, and to erase.

The rows that name somebody are found by the relations of the records, so that a new kind of row is never forgotten:
rows that go with the account (they are deleted with it) are given in full and erased; rows of the public record, which
name who acted, are listed and stay, with a name that says no more. Other apps add what they know by address alone.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pgtrigger
from allauth.usersessions.models import UserSession
from django.contrib.admin.models import LogEntry
from django.core.exceptions import ValidationError
from django.core.serializers.python import Serializer
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from procrastinate.contrib.django.models import ProcrastinateJob

from partners.choices import Role
from partners.models import Invitation, Membership, User
from partners.models.user import ERASED
from partners.rules import require

SECRETS = {
    "password",
    "digest",
    "secret",
    "data",
    "session_key",
    "token",
    "key",
    "fingerprint",
}  # of accounts: nobody's to read
STAY = (Membership,)  # who held which role is part of the record of what governments and partners did


@dataclass(frozen=True)
class ByAddress:
    """What an app stores under an e-mail address, without an account."""

    name: str
    export: Callable[[str], list[dict]]
    erase: Callable[[str], None]


BY_ADDRESS: list[ByAddress] = []  # other apps add theirs (apps.py)


def _relations() -> Iterator[tuple[type[models.Model], str, bool]]:
    """Every column that names a person: its model, its name, and whether its rows go with the account."""
    for relation in User._meta.get_fields(include_hidden=True):
        if relation.auto_created and (relation.one_to_many or relation.one_to_one) and not relation.concrete:
            model = relation.related_model
            if model._meta.app_label != "pghistory" and not hasattr(
                model, "pgh_tracked_model"
            ):  # what triggers keep goes with its row
                yield model, relation.field.name, relation.on_delete is models.CASCADE


def _plain(rows) -> list[dict]:
    """Rows with all their columns but secrets."""
    found = []
    for row in Serializer().serialize(rows):
        fields = {name: value for name, value in row["fields"].items() if name not in SECRETS}
        found.append({"id": row["pk"], **fields})
    return found


def export(user: User) -> dict:
    """All that is stored about a person, ready for JSON."""
    own, named = {}, {}
    for model, column, is_own in sorted(_relations(), key=lambda one: (one[0]._meta.label, one[1])):
        rows = model._base_manager.filter(**{column: user}).order_by("pk")
        if is_own:
            if found := _plain(rows):
                own.setdefault(model._meta.label_lower, []).extend(found)
        elif found := [{"id": row.pk, "record": str(row)} for row in rows.iterator()]:
            named[f"{model._meta.label_lower}.{column}"] = found
    return {
        "written_at": timezone.now().isoformat(),
        "account": _plain([user])[0],
        "rows_of_the_account": own,
        "by_e_mail_address": {one.name: found for one in BY_ADDRESS if (found := one.export(user.email))},
        "records_that_name_you": named,
    }


@transaction.atomic
def erase(user: User, *, by: User) -> None:
    """Ends an account and takes out of it whatever says who it was. What the person did stays, without a name.

    Raises PermissionDenied, and ValidationError for the last administrator.
    """
    locked = User.objects.select_for_update().get(pk=user.pk)
    require(by, "partners.erase_user", locked)
    others = Membership.objects.active().filter(role=Role.ADMINISTRATOR, user__is_active=True).exclude(user=locked)
    if locked.memberships.active().filter(role=Role.ADMINISTRATOR).exists() and not others.exists():
        raise ValidationError(_("You are the last administrator. Give the role to somebody else first."))
    email, name = locked.email, locked.full_name.strip()
    for one in BY_ADDRESS:
        one.erase(email)
    for session in UserSession.objects.filter(user=locked):
        session.end()
    for model, column, is_own in _relations():
        if is_own and model not in STAY:
            erase_rows(model._base_manager.filter(**{column: locked}))
    locked.memberships.active().update(revoked_at=timezone.now(), revoked_by=by)
    ProcrastinateJob.objects.filter(args__email=email).exclude(status="doing").delete()
    for words in filter(None, (email, name)):  # what admin notes of its records, whoever changed them
        noted = LogEntry.objects.filter(Q(object_repr__icontains=words) | Q(change_message__icontains=words))
        noted.update(object_repr="", change_message="")
    locked.email, locked.full_name, locked.is_active = f"{locked.pk}{ERASED}", "", False
    locked.set_unusable_password()
    locked.save()
    Invitation.objects.filter(email=email).update(email=locked.email)
    _forget(User, [locked.pk])
    _forget(Invitation, list(Invitation.objects.filter(email=locked.email).values_list("pk", flat=True)))


def erase_rows(rows: models.QuerySet) -> int:
    """Deletes rows, and what the triggers kept of them. Returns how many there were."""
    keys = list(rows.values_list("pk", flat=True))
    rows.model._base_manager.filter(pk__in=keys).delete()
    _forget(rows.model, keys)
    return len(keys)


def _forget(model: type[models.Model], keys: list) -> None:
    """Erases what the triggers kept of these rows."""
    kept = getattr(model, "pgh_event_model", None)
    if kept is not None and keys:
        with pgtrigger.ignore(f"{kept._meta.app_label}.{kept._meta.object_name}:append_only"):
            kept.objects.filter(pgh_obj_id__in=keys).delete()
