"""Reference data: complete, loaded once, staff's edits kept."""

import io

import pytest
from django.core.management import call_command

from partners.models import Country, CountryGroup, GroupMember, Membership, Partner, Region, User
from partners.reference import merge
from projects.models import Term
from tests.factories import MembershipFactory

pytestmark = [pytest.mark.sql, pytest.mark.django_db]


def load() -> str:
    out = io.StringIO()
    call_command("load_reference", stdout=out)
    return out.getvalue()


def test_all_of_it_is_there():
    assert Country.objects.count() == 248
    assert Country.objects.filter(is_un_member=True).count() == 193
    assert Partner.objects.count() == 76
    assert CountryGroup.objects.count() == 47
    assert Region.objects.count() == 30
    counts = {
        v: Term.objects.filter(vocabulary=v).count()
        for v in ("bsp-theme", "bsp-issue", "bsp-modality", "subprogramme", "assistance", "capacity")
    }
    assert counts == {
        "bsp-theme": 22,
        "bsp-issue": 10,
        "bsp-modality": 8,
        "subprogramme": 7,
        "assistance": 15,
        "capacity": 3,
    }
    assert Term.objects.filter(vocabulary="sdg", parent=None).count() == 17
    assert Term.objects.filter(vocabulary="sdg").exclude(parent=None).count() == 169
    assert {m.group.code for m in Country.objects.get(iso3="KEN").memberships_in_groups.filter(standing="member")} >= {
        "amcen",
        "au",
        "g77",
        "eac",
    }
    assert GroupMember.objects.filter(group__code="sids", standing="member").exists()


def test_every_country_but_antarctica_has_a_region_and_six_names():
    assert list(Country.objects.filter(region=None).values_list("iso3", flat=True)) == ["ATA"]
    for code in ("ar", "zh_hans", "en", "fr", "ru", "es"):
        assert not Country.objects.filter(**{f"name_{code}": ""}).exists()


def test_names_sort_without_accents():
    names = [c.name for c in Country.objects.by_name()]
    assert names.index("Åland Islands") < names.index("Albania")
    assert names.index("Côte d’Ivoire") < names.index("Croatia")


def test_second_load_changes_nothing():
    assert " new, 0 updated" in load()
    assert "0 new, 0 updated, 248 unchanged" in load()


def test_edits_stay_and_are_said_where_the_source_moved_on():
    from partners.models import ReferenceValue

    kenya = Country.objects.get(iso3="KEN")
    kenya.name_fr = "Le Kenya"
    kenya.save()
    assert "kept" not in load()  # the source says what it said before: no conflict
    note = ReferenceValue.objects.get(model="partners.country", key="KEN")
    note.values["name_fr"] = "Old name in the source"
    note.save()
    assert "kept: country or area KEN: name_fr is “Le Kenya”, edited here" in load()
    kenya.refresh_from_db()
    assert kenya.name_fr == "Le Kenya"


def test_deleted_records_do_not_come_back():
    GroupMember.objects.filter(country__iso3="KEN", group__code="nam").delete()
    assert "member of a group nam:KEN: deleted here" in load()
    assert not GroupMember.objects.filter(country__iso3="KEN", group__code="nam").exists()


@pytest.mark.parametrize(
    ("present", "last", "incoming", "updates", "conflicts"),
    [
        ({"a": 1}, {"a": 1}, {"a": 2}, {"a": 2}, {}),
        ({"a": 9}, {"a": 1}, {"a": 1}, {}, {}),
        ({"a": 9}, {"a": 1}, {"a": 2}, {}, {"a": (9, 2)}),
        ({"a": 2}, {"a": 1}, {"a": 2}, {}, {}),
        ({"a": 1}, {}, {"a": 2}, {"a": 2}, {}),
    ],
)
def test_merge(present, last, incoming, updates, conflicts):
    decided = merge(present, last, incoming)
    assert (decided.updates, decided.conflicts) == (updates, conflicts)


def test_membership_ends_at_once(people):
    person = people["publisher"]
    assert person.is_staff
    Membership.objects.filter(user=person).update(ends_on="2020-01-01", starts_on="2019-01-01")
    assert not User.objects.get(pk=person.pk).is_staff


@pytest.mark.parametrize("fields", [{"role": "desk", "partner": None}, {"role": "focal_point", "country": None}])
def test_role_needs_its_place(fields):
    from django.db import IntegrityError, transaction

    with pytest.raises(IntegrityError), transaction.atomic():
        MembershipFactory(**fields)


def test_sign_in_ignores_case(client):
    User.objects.create_user("Ana@Example.org", "a long enough password")
    wrong = client.post("/accounts/login/", {"username": "ana@example.org", "password": "wrong"})
    right = client.post("/accounts/login/", {"username": "ANA@example.org", "password": "a long enough password"})
    assert (wrong.status_code, right.status_code) == (200, 302)


def test_sign_in_leads_on_in_the_persons_language(client):
    User.objects.create_user("awa@example.org", "a long enough password", language="fr").vouch_for_address()
    data = {"username": "awa@example.org", "password": "a long enough password", "next": "/countries/SEN/"}
    assert client.post("/accounts/login/", data)["Location"] == "/fr/countries/SEN/"
    client.logout()
    assert (
        client.post("/accounts/login/", data | {"next": "https://elsewhere.example/"})["Location"] == "/fr/dashboard/"
    )


@pytest.mark.django_db
@pytest.mark.ignore_template_errors
def test_unep_keeps_its_address_and_is_found_where_that_was_changed(people, sign_in):
    unep, client = Partner.objects.unep(), sign_in(people["administrator"])
    address = f"/admin/partners/partner/{unep.pk}/change/"
    context = client.get(address).context
    forms = [
        context["adminform"].form,
        *(inline.formset.management_form for inline in context["inline_admin_formsets"]),
    ]
    fields = {box.html_name: box.value() for form in forms for box in form}
    fields = {name: value for name, value in fields.items() if value is not None} | {"_as_shown": context["as_shown"]}
    refused = client.post(address, fields | {"slug": "un-environment"})
    assert refused.status_code == 200 and "The portal itself leads to “unep”" in refused.content.decode()
    assert client.post(address, fields | {"acronym": "UN Environment"}).status_code == 302
    Partner.objects.filter(pk=unep.pk).update(slug="un-environment")  # before that was refused
    assert Partner.objects.unep() == unep and unep not in Partner.objects.without_unep()
