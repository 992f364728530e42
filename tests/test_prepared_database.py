"""The database that tests run on is after each test that commits what it was before the first."""

import threading

import pytest
from django.core.management import call_command
from django.db import connection, transaction

from partners import tasks
from partners.models import Country, Partner, Region
from tests import factories, prepared_database


def differing() -> set[str]:
    """The tables whose rows are others than when the database was prepared."""
    found = set()
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, rows FROM kept.tables")
        for table, rows in cursor.fetchall():
            cursor.execute(f'SELECT count(*) FROM public."{table}"')  # noqa: S608
            [[now]] = cursor.fetchall()
            if rows:
                cursor.execute(f'SELECT count(*) FROM (TABLE public."{table}" INTERSECT TABLE kept."{table}") AS same')  # noqa: S608
                now = now if cursor.fetchone() == (rows,) else -1
            if now != rows:
                found.add(table)
    return found


def test_whatever_a_test_commits_is_put_back(reference_again):
    assert differing() == set()
    factories.people()
    factories.NeedFactory(in_state="open")
    tasks.send_mail.defer(email="a@example.org", subject="S", text="T", html="")
    Partner.objects.filter(slug="undp").update(website="https://example.org/")  # as many rows as before
    Region.objects.create(code="999", name_en="Nowhere")
    Country.objects.filter(iso3="NRU").delete()
    written = {"partners_partner", "partners_region", "partners_country", "projects_need", "procrastinate_jobs"}
    assert written <= differing()
    prepared_database.put_back()
    assert differing() == set()


def test_what_is_committed_during_the_clean_up_is_put_back_by_the_next(reference_again):
    written, is_over = threading.Event(), threading.Event()

    def writes():
        with transaction.atomic():
            Partner.objects.filter(slug="undp").update(website="https://example.org/")
            written.set()
            is_over.wait(20)
        connection.close()

    thread = threading.Thread(target=writes)
    thread.start()
    assert written.wait(20)
    factories.UserFactory()
    prepared_database.put_back()
    is_over.set()
    thread.join()
    assert "partners_partner" in differing()
    prepared_database.put_back()
    assert differing() == set()


DESCRIBED = (
    "SELECT table_name, column_name, data_type, is_nullable, column_default, is_identity, character_maximum_length, collation_name FROM "
    "information_schema.columns WHERE table_schema = 'public' ORDER BY 1, ordinal_position",
    "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2",
    "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1",
    "SELECT tgrelid::regclass::text, tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1, 2",
    "SELECT proname, pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prokind = 'f' ORDER BY 1, 2",
    "SELECT app, name FROM django_migrations ORDER BY 1, 2",
)


def described() -> list:
    found = []
    with connection.cursor() as cursor:
        for question in DESCRIBED:
            cursor.execute(question)
            found.append(cursor.fetchall())
    return found


@pytest.mark.thorough
def test_the_quick_way_through_the_migrations_leads_where_the_usual_one_does(reference_again):
    quick, name, usual = described(), connection.settings_dict["NAME"], "test_usual_migrations"
    with connection._nodb_cursor() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{usual}" WITH (FORCE)')
        cursor.execute(f'CREATE DATABASE "{usual}" TEMPLATE template0')
    prepared_database._connect_to(usual)
    try:
        call_command("migrate", verbosity=0, interactive=False)
        assert described() == quick
    finally:
        prepared_database._connect_to(name)
        with connection._nodb_cursor() as cursor:
            cursor.execute(f'DROP DATABASE IF EXISTS "{usual}" WITH (FORCE)')
