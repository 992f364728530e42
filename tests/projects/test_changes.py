"""The change feed: it tells every change of what the public reads, nothing else, and nothing behind a reader's back."""

import datetime as dt
import json
import re
from base64 import b64encode
from decimal import Decimal
from importlib import import_module
from urllib.parse import urlencode

import pytest
from django.apps import apps
from django.contrib.auth.models import AnonymousUser
from django.core.cache import caches
from django.db import connection, models, transaction
from django.db.utils import DatabaseError
from django.test import Client
from django.utils import timezone, translation
from rest_framework.renderers import JSONRenderer
from rest_framework.test import APIRequestFactory

from api.need import NeedDetailSerializer
from api.offer import OfferDetailSerializer
from api.partners import PartnerSerializer
from api.project import ProjectDetailSerializer
from partners.models import (
    Change,
    Country,
    CountryGroup,
    Membership,
    Partner,
    PublicRecord,
    ReferenceValue,
    Region,
    Touched,
)
from projects import actions, duplicates
from projects.choices import NeedState
from projects.lifecycle import transition
from projects.models import (
    SHOWN_IN,
    Answer,
    Budget,
    Confirmation,
    Document,
    DuplicatePair,
    Eligible,
    Event,
    ImportRun,
    Location,
    Need,
    NeedTerm,
    Offer,
    Project,
    ProjectRegion,
    ProjectTranslation,
    RecordCheck,
    RelatedProject,
    Response,
    Term,
    Transaction,
    Update,
)
from projects.models.telling import LINKS, Linked, linked_at_commit
from tests import THOROUGH
from tests.factories import (
    ContributionFactory,
    NeedFactory,
    OfferFactory,
    ProjectFactory,
    ResponseFactory,
    ResultFactory,
    commit,
)

pytestmark = [pytest.mark.sql, pytest.mark.django_db]
LISTS = {
    "project": "projects",
    "need": "needs",
    "offer": "offers",
    "country": "countries",
    "partner": "partners",
    "term": "terms",
    "region": "regions",
    "group": "groups",
}
RECORDS = ("project", "need", "offer")
NAMED_BY = {"country": "iso3", "partner": "slug", "term": "id", "region": "code", "group": "code"}


def read(address: str, client=None):
    answer = (client or Client()).get(address)
    assert answer.status_code == 200, (address, answer.content[:300])
    return answer.json()


def feed(after: int = 0, **query) -> list[dict]:
    """All changes after a number, page by page."""
    found, address = [], "/api/v1/changes/?" + "&".join(f"{k}={v}" for k, v in {"after": after, **query}.items())
    while address:
        page = read(address)
        found += page["results"]
        address = page["next"]
    return found


def last() -> int:
    return Change.objects.last_number()


def public(*kinds: str) -> dict[tuple[str, str], dict]:
    """What everybody reads: each record in its list and, where that says more, by its own address."""
    caches["local"].clear()  # so many calls are not allowed in a minute
    client, found = Client(), {}
    for kind in kinds or RECORDS:
        address = f"/api/v1/{LISTS[kind]}/?page_size=200"
        while address:
            page = read(address, client)
            for row in page["results"]:
                found[kind, row[NAMED_BY.get(kind, "reference")]] = {"list": row, "detail": None}
            address = page["next"]
        if kind in RECORDS:
            for reference in PublicRecord.objects.filter(kind=kind).values_list("reference", flat=True):
                answer = client.get(f"/api/v1/{LISTS[kind]}/{reference}/")
                if answer.status_code == 200:
                    found.setdefault((kind, reference), {"list": None})["detail"] = answer.json()
    return found


def answers(language: str, *kinds: str, partners: set[int] | None = None) -> dict[tuple[str, str], dict]:
    """The same of the records of the test, without a server between: what is answered of each alone, and whether it is listed.
    Of these partners, or of all."""
    request = APIRequestFactory().get("/")
    request.user = AnonymousUser()
    wanted = {
        "project": (Project.objects.visible_to(request.user).for_page(), ProjectDetailSerializer),
        "need": (Need.objects.visible_to(request.user).for_page(), NeedDetailSerializer),
        "offer": (Offer.objects.visible_to(request.user).for_page(), OfferDetailSerializer),
        "partner": (
            Partner.objects.select_related("country", "parent", "import_run").prefetch_related("member_countries"),
            PartnerSerializer,
        ),
    }
    if partners is not None:
        wanted["partner"] = (wanted["partner"][0].filter(pk__in=partners), PartnerSerializer)
    found = {}
    with translation.override(language):
        for kind in kinds or wanted:
            records, serializer = wanted[kind]
            for record in records:
                told = json.loads(JSONRenderer().render(serializer(record, context={"request": request}).data))
                listed = getattr(getattr(record, "entry", None), "is_public", True)
                found[kind, told.get("reference") or told["slug"]] = {"list": {"listed": listed}, "detail": told}
    return found


def without_moment(record):
    return json.dumps(
        {place: value and {n: v for n, v in value.items() if n != "modified_at"} for place, value in record.items()}
    )


def differing(before: dict, after: dict) -> set[tuple[str, str]]:
    gone = {"list": None, "detail": None}
    return {
        key
        for key in before.keys() | after.keys()
        if without_moment(before.get(key, gone)) != without_moment(after.get(key, gone))
    }


def told(after: int) -> set[tuple[str, str]]:
    return set(Change.objects.filter(sequence__gt=after).values_list("kind", "reference"))


# --- what it tells -----------------------------------------------------------------------------------------------------
def test_a_response_is_in_the_feed_in_the_lists_and_in_the_atom_feed(people):
    need, other = NeedFactory(in_state=NeedState.OPEN), NeedFactory(in_state=NeedState.OPEN)
    commit()
    before, number, lead = read(f"/api/v1/needs/{need.reference}/"), last(), people["partner_lead"]
    cursor = "/api/v1/needs/?cursor="
    while following := read(cursor + "&page_size=1")["next"]:
        cursor = re.search(r"/api.*cursor=[^&]+", following)[0]
    response = Response(need=need, partner=lead.memberships.get().partner, text="Twenty days")
    actions.respond(response, [Answer(line=need.lines.first(), quantity=40)], by=lead)
    commit()
    row = read(f"/api/v1/needs/{need.reference}/")
    assert row["lines_open"] == before["lines_open"] - 1
    assert row["modified_at"] > before["modified_at"]
    assert [(c["kind"], c["reference"], c["gone"]) for c in feed(number)] == [("need", need.reference, False)]
    since = f"/api/v1/needs/?modified_since={row['modified_at'].replace('+', '%2B')}"
    assert [r["reference"] for r in read(since)["results"]] == [need.reference]
    assert read(since)["results"][0]["modified_at"] == row["modified_at"]
    assert [r["reference"] for r in read(cursor)["results"]][-1] == need.reference
    assert [r["reference"] for r in read("/api/v1/needs/?cursor=")["results"]] == [other.reference, need.reference]
    atom = Client().get("/needs/feed.atom").content.decode()
    assert atom.index(need.reference) < atom.index(other.reference)


def test_what_leaves_the_public_is_gone_and_says_where_it_goes_on(people):
    stays, merged, wrong, deleted = (ProjectFactory(published=True) for _n in range(4))
    commit()
    number = last()
    pair = DuplicatePair.objects.create(first=stays, second=merged, score=90, reasons={"title": 90})
    duplicates.merge(pair, keep=stays, by=people["desk"], note="The same")
    transition(wrong, "unpublish", by=people["publisher"], note="Wrong")
    reference = deleted.reference
    deleted.delete()
    commit()
    found = {one["reference"]: (one["what"], one["gone"], one["merged_into"], one["url"]) for one in feed(number)}
    assert found[merged.reference] == ("merge", True, stays.reference, None)
    assert found[wrong.reference] == ("unpublish", True, "", None)
    assert found[reference] == ("deleted", True, "", None)
    transition(wrong, "publish", by=people["publisher"])
    commit()
    [again] = [one for one in feed(number, kind="project") if one["reference"] == wrong.reference and not one["gone"]]
    assert again["what"] == "publish"
    assert read(again["url"].removeprefix("http://testserver"))["reference"] == wrong.reference


def test_what_was_never_public_appears_nowhere(people):
    number = last()
    hidden = [ProjectFactory(), NeedFactory(), OfferFactory(), NeedFactory(in_state=NeedState.SUBMITTED)]
    commit()
    for one in hidden:
        one.title = "Another"
        one.save()
    Project.objects.filter(pk=hidden[0].pk).update(parent=ProjectFactory())
    commit()
    hidden[0].delete()
    hidden[1].delete()
    commit()
    assert feed(number) == []
    assert not PublicRecord.objects.filter(kind__in=["project", "need", "offer"]).exists()
    assert not Touched.objects.exists()


def test_what_is_private_of_a_public_record_is_not_told(people):
    project, need, offer = ProjectFactory(published=True), NeedFactory(in_state="open"), OfferFactory(in_state="active")
    commit()
    number, before = last(), public()
    project.parent = ProjectFactory(title="A programme that is not public")
    need.contact_name, need.problem, offer.conditions = "P. Person", "Secret", "None"
    for one in (project, need, offer):
        one.save()
    actions.ask(ResponseFactory(need=NeedFactory(in_state="open")), "?", by=people["desk"])
    commit()
    after = public()
    assert {kind for kind, _reference in told(number)} == {"need"}  # the one that was opened
    assert after | before == after


def test_a_new_name_changes_whatever_shows_it(people):
    kenya, undp = Country.objects.get(iso3="KEN"), Partner.objects.get(slug="undp")
    need = NeedFactory(in_state=NeedState.OPEN)
    lead = people["partner_lead"]
    response = Response(need=need, partner=undp, text="Twenty days")
    actions.respond(response, [Answer(line=need.lines.first(), quantity=40)], by=lead)
    commit()
    number = last()
    undp.name_en, undp.acronym = "Development Programme", "UNDPX"
    undp.save()
    commit()
    assert told(number) == {("partner", "undp"), ("need", need.reference)}
    number = last()
    kenya.aliases = ["Kenia"]  # shown nowhere in the API
    kenya.save()
    undp.website = "https://example.org/"
    undp.save()
    commit()
    assert told(number) == {("partner", "undp")}
    number = last()
    undp.slug = "undp-new"
    undp.save()
    commit()
    own = [(c["reference"], c["what"], c["gone"], c["merged_into"]) for c in feed(number, kind="partner")]
    assert own == [("undp", "renamed", True, "undp-new"), ("undp-new", "changed", False, "")]


@pytest.fixture
def one_of_everything(people):
    """A row of each table that shows somewhere, in public records."""
    project, other, third = (ProjectFactory(published=True) for _n in range(3))
    kenya, ghana = Country.objects.get(iso3="KEN"), Country.objects.get(iso3="GHA")
    ProjectTranslation.objects.create(project=project, language="fr", title="Mangroves", summary="Des mangroves")
    ProjectRegion.objects.create(project=project, region=Region.objects.get(code="014"))
    contribution = ContributionFactory(project=project)
    ResultFactory(project=project)
    today = timezone.localdate()
    Budget.objects.create(project=project, starts_on=today, ends_on=today, amount=5, currency="USD")
    Transaction.objects.create(project=project, kind="3", made_on=today, amount=5, currency="USD")
    Location.objects.create(project=project, name="Lamu", latitude=1, longitude=2)
    Document.objects.create(project=project, title="Report", url="https://example.org/r")
    RelatedProject.objects.create(project=project, other=other)
    Update.objects.create(project=project, text="News")
    RecordCheck.objects.create(project=project, country=kenya, is_right=True, by=people["focal_point"])
    Project.objects.filter(pk=project.pk).update(parent=third)
    need = NeedFactory(in_state=NeedState.OPEN)
    Need.objects.filter(pk=need.pk).update(project=project)
    response = Response(need=need, partner=Partner.objects.get(slug="undp"), text="Days")
    actions.respond(response, [Answer(line=need.lines.first(), quantity=20)], by=people["partner_lead"])
    actions.accept_response(response, by=people["focal_point"])
    undp = Partner.objects.get(slug="undp")
    Confirmation.objects.create(need=need, step="plan", side="partner", partner=undp, by=people["partner_lead"])
    transition(need.__class__.objects.get(pk=need.pk), "hold", by=people["desk"], note="x")
    offer = OfferFactory(in_state="active")
    Offer.objects.filter(pk=offer.pk).update(project=project)
    Eligible.objects.create(offer=offer, country=ghana)
    write_event(offer, people["partner_lead"])
    run = ImportRun.objects.create(
        file_name="a.xml", licence="ODbL-1.0", publisher="UNDP", source_url="https://example.org/", retrieved_on=today
    )
    for record in (project, need, offer, Partner.objects.get(slug="undp")):
        type(record).objects.filter(pk=record.pk).update(import_run=run)
    assert contribution.pk
    commit()
    return {"project": project, "need": need, "offer": offer}


def write_event(record, by):
    Event.objects.create(offer=record, action="activate", from_state="draft", to_state="active", by=by, is_public=True)


def other_values(row, field):
    """Values that a column could have instead."""
    now = getattr(row, field.attname)
    if field.choices:
        return [value for value in dict(field.flatchoices) if value != now]
    if isinstance(field, models.ForeignKey):
        found = field.related_model._base_manager.exclude(pk__in=[now or 0]).order_by("pk")
        return [None, *found.values_list("pk", flat=True)[:3]]
    if isinstance(field, models.BooleanField):
        return [not now]
    if isinstance(field, models.DateTimeField):
        return [timezone.now() - dt.timedelta(days=3), None]
    if isinstance(field, models.DateField):
        return [timezone.localdate() - dt.timedelta(days=3), timezone.localdate() + dt.timedelta(days=900), None]
    if isinstance(field, models.DecimalField):
        return [Decimal(3), Decimal(1)]
    if isinstance(field, models.IntegerField):
        return [2, 1]
    if isinstance(field, (models.CharField, models.TextField)):
        return ["Zz" if not field.max_length or field.max_length > 3 else "ZZZ"[: field.max_length], "900", ""]
    return [["zz"]]


def changed(row, field, value) -> bool:
    """Changes a column by raw SQL. False where there is a rule against it."""
    try:
        with transaction.atomic():
            type(row)._base_manager.filter(pk=row.pk).update(**{field.attname: value})
            commit()
    except DatabaseError:
        return False
    return True


def told_by_column(row) -> dict[tuple[str, frozenset], list]:
    """By the language in which it shows and what the feed tells of it: each column with a value that it could have."""
    found, far = {}, set(Partner.objects.exclude(pk__in=near_partners()).values_list("slug", flat=True))
    for field in row._meta.concrete_fields:
        if field.primary_key or field.name == "reference":  # which is given once
            continue
        language = field.name.removeprefix("name_").replace("_", "-") if field.name.startswith("name_") else "en"
        for value in other_values(row, field):
            number = last()
            with transaction.atomic():
                is_changed = changed(row, field, value)
                of = frozenset(
                    one for one in told(number) if one[0] in SHOWN and not (one[0] == "partner" and one[1] in far)
                )
                transaction.set_rollback(True)
            if is_changed:
                found.setdefault((language, of), []).append((field, value))
                break
    return found


def near_partners() -> set[int]:
    """Those with which the records of the test have to do, and those that another value may name."""
    kenyan = Partner.objects.filter(models.Q(country__iso3="KEN") | models.Q(member_countries__iso3="KEN"))
    return {*Partner.objects.filter(slug="undp").values_list("pk", flat=True), *kenyan.order_by("pk").values_list("pk", flat=True)[:2], *Partner.objects.order_by("pk").values_list("pk", flat=True)[:3]}  # fmt: skip


SHOWN = ("project", "need", "offer", "partner")
TABLES = list(SHOWN_IN)
OTHERS = ("ar", "zh-hans", "fr", "ru", "es")


@pytest.mark.parametrize(
    "some", [TABLES[n : n + 5] for n in range(0, len(TABLES), 5)], ids=lambda some: some[0].__name__
)
def test_each_column_is_told_exactly_where_the_public_answer_changes(some, one_of_everything):
    """Every column of every table that shows in a public record, changed by raw SQL: what the feed tells is what differs.

    That nothing differs which is not told is asked of all columns of one table together of which the same is told; that what
    is told differs, of each alone (in `make test` of every fourth, and of a name in two languages).
    """
    partners, before = near_partners(), {}

    def as_answered(language, *kinds):
        return answers(language, *(kinds or SHOWN), partners=partners)

    # The row with which the public records of this test have most to do
    rows = {Country: {"iso3": "KEN"}, Partner: {"slug": "undp"}, Region: {"code": "014"}, CountryGroup: {"code": "ldc"},
            Term: {"pk": NeedTerm.objects.first().term_id}, Project: {"pk": one_of_everything["project"].pk},
            Membership: {"partner__slug": "undp"}, Event: {"is_public": True}}  # fmt: skip
    for model in some:
        row = model._base_manager.filter(**rows.get(model, {})).order_by("pk").first()
        assert row is not None, "a row of this table stands in the fixture"
        columns = told_by_column(row)
        assert columns
        languages = {"en", OTHERS[TABLES.index(model) % len(OTHERS)], *(OTHERS if THOROUGH else ())}
        for (language, of), tried in columns.items():
            if language not in languages:
                continue
            if language not in before:
                before[language] = as_answered(language)
            with transaction.atomic():
                alone = [one for one in tried if not changed(row, *one)]  # which the others leave no room for
                differs = differing(before[language], as_answered(language))
                transaction.set_rollback(True)
            if not differs <= of:  # by one of them, or as together they say something else
                alone = tried
            for n, (field, value) in enumerate(tried):
                if (field, value) in alone or (of and (THOROUGH or n % 4 == 0)):
                    kinds = {kind for kind, _reference in of} or set(SHOWN)
                    with transaction.atomic():
                        assert changed(row, field, value)
                        after = as_answered(language, *kinds)
                        transaction.set_rollback(True)
                    seen = {key: record for key, record in before[language].items() if key[0] in kinds}
                    assert differing(seen, after) == of, (model, field.attname, value)


def test_links_are_looked_for_in_the_database_as_they_are_declared():
    with connection.cursor() as cursor:
        cursor.execute("SELECT prosrc FROM pg_proc WHERE proname = 'projects_linked_at_commit'")
        [[installed]] = cursor.fetchall()
    assert installed.split() == linked_at_commit().split(), (
        "LINKS was changed: a migration has to put the function anew"
    )
    assert {one.table for shows in SHOWN_IN.values() for one in shows if isinstance(one, Linked)} == set(LINKS)


def swap(records, column, values):
    """Gives the records the values in one transaction, though no two may have the same."""
    for n, record in enumerate(records):
        type(record)._base_manager.filter(pk=record.pk).update(**{column: f"passing-{n}"})
    for record, value in zip(records, values, strict=True):
        type(record)._base_manager.filter(pk=record.pk).update(**{column: value})
    commit()


def test_a_reference_that_passes_to_another_record_is_told_last_where_it_is():
    """Two partners swap their slugs, three pass them on, terms their codes: a copy takes the last entry of each reference."""
    first, second, third, fourth = Partner.objects.order_by("pk")[:4]
    commit()
    number = last()
    swap([first, second], "slug", [second.slug, first.slug])
    own = feed(number, kind="partner")
    assert [one["gone"] for one in own] == [True, True, False, False]
    assert {one["reference"]: one["gone"] for one in own} == {first.slug: False, second.slug: False}
    number = last()
    swap([third, fourth, first], "slug", [fourth.slug, "taken-by-the-last", third.slug])
    Partner.objects.filter(pk=third.pk).update(website="https://example.org/later")
    commit()
    ends = {one["reference"]: one["gone"] for one in feed(number, kind="partner")}
    assert ends == {second.slug: True, third.slug: False, fourth.slug: False, "taken-by-the-last": False}
    terms = list(Term.objects.filter(vocabulary="assistance").order_by("pk")[:2])
    number = last()
    swap(terms, "code", [terms[1].code, terms[0].code])
    ends = {one["reference"]: one["gone"] for one in feed(number, kind="term")}
    assert ends == {f"assistance:{term.code}": False for term in terms}


def test_a_reference_that_is_given_again_in_the_same_transaction_is_there():
    gone = Partner.objects.create(slug="passed-on", name_en="First", kind="22")
    commit()
    number = last()
    after = Partner.objects.create(slug="new", name_en="Second", kind="22")
    gone.delete()
    Partner.objects.filter(pk=after.pk).update(slug="passed-on")
    commit()
    told_of = [(one["reference"], one["what"], one["gone"]) for one in feed(number, kind="partner")]
    assert told_of == [("passed-on", "deleted", True), ("passed-on", "added", False)]


# --- when something last changed, at every door ------------------------------------------------------------------------
def long_unchanged(record):
    """A record that the portal itself wrote long ago."""
    long_ago = timezone.now() - dt.timedelta(days=400)
    type(record)._base_manager.filter(pk=record.pk).update(modified_at=long_ago)
    commit()
    PublicRecord.objects.filter(kind=record._meta.model_name, record=record.pk).update(changed_at=long_ago)
    return long_ago


def in_sitemap(kind: str, record) -> str:
    """The day of the last change that search engines are told."""
    listed = Client().get(f"/sitemap-{kind}.xml").content.decode()
    return re.search(rf"<loc>[^<]*{record.reference}/</loc><lastmod>([^<]*)</lastmod>", listed)[1]


def in_iati(record) -> str:
    answer = Client().get(f"{record.get_absolute_url()}iati.xml")
    assert answer.status_code == 200, answer.content
    return re.search(r'last-updated-datetime="([^"]*)"', answer.content.decode())[1]


def test_what_others_change_of_a_record_is_its_last_change_at_every_door(people):
    project = ContributionFactory(project=ProjectFactory(published=True)).project
    need = NeedFactory(in_state=NeedState.OPEN)
    before = [long_unchanged(one) for one in (project, need)]
    assert in_sitemap("projects", project) == before[0].date().isoformat()
    Update.objects.create(project=project, text="News")  # saves no project
    response = Response(need=need, partner=Partner.objects.get(slug="undp"), text="Days")
    actions.respond(response, [Answer(line=need.lines.first(), quantity=20)], by=people["partner_lead"])
    Need.objects.filter(pk=need.pk).update(modified_at=before[1])
    commit()
    today = timezone.now().date().isoformat()
    assert in_sitemap("projects", project) == in_sitemap("needs", need) == today
    page = Client().get(project.get_absolute_url())
    assert page.context["last_change"] == PublicRecord.objects.get(kind="project", record=project.pk).changed_at
    assert in_iati(project).startswith(today)


def test_a_last_change_that_only_the_file_for_iati_tells_moves_its_moment():
    project = ContributionFactory(project=ProjectFactory(published=True)).project
    long_unchanged(project)
    before = in_iati(project)
    project.taken_as = "@lang:en"  # no answer of the API says it
    project.save()
    commit()
    assert in_iati(project) > before


def test_a_last_change_does_not_go_back_with_the_clock_of_a_process():
    project = ContributionFactory(project=ProjectFactory(published=True)).project
    commit()
    before = in_iati(project), in_sitemap("projects", project)
    long_ago = timezone.now() - dt.timedelta(days=3)
    Project.objects.filter(pk=project.pk).update(title="From a machine whose clock is slow", modified_at=long_ago)
    commit()
    assert (in_iati(project), in_sitemap("projects", project)) >= before


# --- cursors of before there was a feed ----------------------------------------------------------------------------------
def old_cursor(moment: dt.datetime) -> str:
    return b64encode(urlencode({"p": moment.isoformat()}).encode()).decode()


def test_a_cursor_of_before_the_feed_goes_on_where_its_moment_stands():
    first, second, third = (NeedFactory(in_state=NeedState.OPEN) for _n in range(3))
    for one in (first, second, third):
        one.title = f"{one.title} again"
        one.save()
        commit()
    moments = dict(PublicRecord.objects.filter(kind="need").values_list("reference", "changed_at"))
    between = moments[second.reference]
    assert moments[first.reference] < between < moments[third.reference]
    page = read(f"/api/v1/needs/?{urlencode({'cursor': old_cursor(between), 'page_size': 1})}")
    assert [one["reference"] for one in page["results"]] == [second.reference]
    rest = read(page["next"].removeprefix("http://testserver"))  # as a cursor of the feed from here on
    assert [one["reference"] for one in rest["results"]] == [third.reference]
    everything = read(f"/api/v1/needs/?{urlencode({'cursor': old_cursor(between - dt.timedelta(days=9))})}")
    assert len(everything["results"]) == 3


@pytest.mark.parametrize(
    "position",
    ["yesterday", "", "2026-01-31T00:00:00", "2026-99-01T00:00:00+00:00", "0001-01-01T00:00:00+14:00"],
)
def test_a_cursor_that_names_no_moment_is_refused(position):
    given = b64encode(urlencode({"p": position}).encode()).decode()
    answer = Client().get(f"/api/v1/needs/?{urlencode({'cursor': given})}")
    assert answer.status_code == 404
    assert "Begin with an empty one" in answer.json()["detail"]


def test_a_cursor_behind_all_changes_leads_nowhere(people):
    given = urlencode({"cursor": b64encode(urlencode({"p": "9" * 40}).encode()).decode()})
    signed_in = Client()
    signed_in.force_login(people["focal_point"])
    for client in (Client(), signed_in):
        assert read(f"/api/v1/needs/?{given}", client)["results"] == []


def test_an_instrument_that_a_migration_takes_back_is_told_quietly_without_triggers(db):
    migration = import_module("projects.migrations.0010_instrument_as_it_came")
    project = ProjectFactory(published=True, source="imported", instrument="project")
    ReferenceValue.objects.create(
        model="projects.project", key="XX-1", source="x.xml", values={"reference": project.reference}
    )
    commit()
    before = Change.objects.last_number()
    editor = connection.schema_editor(atomic=False)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")  # as where none is installed yet
        migration.unsay(apps, editor)
        cursor.execute("SET LOCAL session_replication_role = origin")
    told = Change.objects.filter(sequence__gt=before).values_list("kind", "reference", "what", "is_quiet")
    assert list(told) == [("project", project.reference, "changed", True)]
    assert read(f"/api/v1/projects/{project.reference}/")["instrument"] == ""
