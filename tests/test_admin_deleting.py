"""What somebody changed since the page was opened is not deleted in admin."""

import contextlib

import pghistory
import pytest
from django.db import DatabaseError, transaction
from django.urls import reverse

from outreach.models import Channel, Page
from partners.models import Membership
from tests.admin_form import shown
from tests.factories import (
    MembershipFactory,
)
from tests.test_admin_writing import BY_LABEL, address_of_list, record_of, records, two_texts

pytestmark = [pytest.mark.django_db, pytest.mark.ignore_template_errors]


def removable(boss, record):
    """The page that asks whether to delete a record, and what it carries; None where it can't be deleted."""
    meta = record._meta
    address = reverse(f"admin:{meta.app_label}_{meta.model_name}_delete", args=[record.pk])
    page = boss.get(address)
    return (address, shown(page)) if page.status_code == 200 and shown(page).get("post") else None


def to_delete(model):
    return MembershipFactory() if model is Membership else record_of(model)  # not that of who tries


def change_by_others(record) -> bool:
    """Somebody changes a field of a record; whether there was one to be changed."""
    for field in record._meta.concrete_fields:
        kind, value = field.get_internal_type(), getattr(record, field.attname)
        if not field.editable or field.primary_key or field.name == "password":  # which no page shows
            continue
        if kind in ("CharField", "TextField", "SlugField") and not field.choices and value:
            other = [f"{value}x"[-(field.max_length or 100) :]]
        elif kind == "ForeignKey":
            other = field.related_model._default_manager.exclude(pk=value).values_list("pk", flat=True)[:3]
        else:
            other = {
                "PositiveSmallIntegerField": [(value or 0) + 1] if not isinstance(value, str) else [],
                "BooleanField": [not value],
                "DateField": ["2026-01-02"],
            }.get(kind, [])
        for each in other:
            with contextlib.suppress(DatabaseError), transaction.atomic():
                if type(record)._base_manager.filter(pk=record.pk).update(**{field.attname: each}):
                    return True
    return False


@pytest.mark.parametrize("model", **BY_LABEL)
def test_nothing_is_deleted_that_somebody_changed_after_the_page_was_opened(model, people, boss, media):
    if (record := to_delete(model)) is None or (found := removable(boss, record)) is None:
        return
    address, data = found
    assert change_by_others(record), f"Nothing of {model} can be changed."
    answer = boss.post(address, data)
    assert answer.status_code == 409 and "so nothing is deleted" in answer.content.decode()
    assert model._base_manager.filter(pk=record.pk).exists()
    for unseen in (
        {"post": "yes"},
        {"anything": "1"},
        {"post": "yes", "action": "delete_selected", "_selected_action": record.pk},
    ):
        assert boss.post(address, unseen).status_code == 409  # by who saw nothing
    assert boss.post(address, shown(answer)).status_code == 302
    assert not model._base_manager.filter(pk=record.pk).exists()


@pytest.mark.parametrize("model", **BY_LABEL)
def test_nothing_is_deleted_from_a_list_that_somebody_changed_since(model, people, boss, media):
    if (record := to_delete(model)) is None or removable(boss, record) is None:
        return
    address = address_of_list(model)
    page = boss.post(address, {"action": "delete_selected", "_selected_action": [record.pk]})
    if page.status_code != 200 or "delete-selected-confirmation" not in page.content.decode():
        return  # its list has no such act
    data = shown(page)
    assert change_by_others(record)
    answer = boss.post(address, data)
    assert answer.status_code == 409 and "so nothing is deleted" in answer.content.decode()
    assert model._base_manager.filter(pk=record.pk).exists()
    assert boss.post(address, shown(answer)).status_code == 302
    assert not model._base_manager.filter(pk=record.pk).exists()


def test_enough_records_can_be_deleted_for_this_to_say_something(people, boss, media):
    found = {model._meta.label for model, record in records() if removable(boss, record)}
    assert {"partners.Partner", "outreach.Page", "outreach.Channel"} <= found, found


def test_a_row_that_somebody_added_is_not_deleted_unseen_and_who_it_was_is_told(boss, people):
    _address, _data, page = two_texts(boss)
    address = reverse("admin:outreach_page_delete", args=[page.pk])
    data = shown(boss.get(address))
    with pghistory.context(user=people["publisher"].pk):
        page.texts.filter(language="fr").update(body="Une heure de travail")
    answer = boss.post(address, data)
    assert answer.status_code == 409 and Page.objects.filter(pk=page.pk).exists()
    page.texts.create(language="es", title="Historia", body="Otra hora")
    assert boss.post(address, shown(answer)).status_code == 409
    with pghistory.context(user=people["publisher"].pk):
        Page.objects.filter(pk=page.pk).update(position=77)
    answer = boss.post(address, shown(boss.get(address)) | {"_as_shown": data["_as_shown"]})
    assert answer.status_code == 409 and f"({people['publisher']}, " in answer.content.decode()
    assert boss.post(address, shown(answer)).status_code == 302 and not Page.objects.filter(pk=page.pk).exists()


def test_when_somebody_else_wrote_is_told_in_ones_own_time_zone(people, sign_in):
    person = people["administrator"]
    person.time_zone = "Pacific/Kiritimati"  # 14 hours ahead
    person.save()
    boss = sign_in(person)
    address, data, page = two_texts(boss)
    away = reverse("admin:outreach_page_delete", args=[page.pk])
    asked = shown(boss.get(away))
    with pghistory.context(user=people["publisher"].pk):
        Page.objects.filter(pk=page.pk).update(position=77)
    at = Page.pgh_event_model.objects.filter(pgh_obj_id=page.pk).latest("pgh_id").pgh_created_at
    moment = f"({people['publisher']}, {at.astimezone(person.zone):%Y-%m-%d %H:%M})"
    assert moment in boss.post(address, data | {"position": "78"}).content.decode()
    assert moment in boss.post(away, asked).content.decode()


def test_asking_whether_to_delete_costs_the_same_for_many_records(boss, count_queries):
    address, costs = reverse("admin:outreach_channel_changelist"), []
    for more in (2, 9):
        for number in range(more):
            Channel.objects.create(kind="other", title=f"{more} {number}", url=f"https://example.org/{more}/{number}")
        chosen = list(Channel.objects.values_list("pk", flat=True))
        with count_queries() as n:
            boss.post(address, {"action": "delete_selected", "_selected_action": chosen})
        costs.append(n())
    assert costs[0] == costs[1]
