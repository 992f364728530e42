"""What the texts of records hold to in every door: their length, and one line where they have one."""

import pytest
from django.apps import apps
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.validators import MaxLengthValidator
from django.db import models

from partners.models import Country, User
from projects.interchange.bulk import running
from projects.interchange.iati_import import import_file
from projects.models import ImportRun, LineItem, Need, Project
from tests.api_calls import call, is_problem, token_of
from tests.factories import NeedFactory, ProjectFactory
from tests.projects.activities import activity, document

OWN = [model for model in apps.get_models() if model.__module__.startswith(("partners.", "projects.", "outreach."))]
LIMITED = [
    field for model in OWN for field in model._meta.concrete_fields
    if isinstance(field, models.TextField) and field.max_length is not None
]  # fmt: skip
OF_ONE_LINE = [  # that take any words
    field for model in OWN for field in model._meta.concrete_fields
    if type(field) is models.CharField and field.max_length > 20 and not field.choices
    and all(isinstance(one, MaxLengthValidator) for one in field.validators)
]  # fmt: skip
TWO_LINES = pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\u2028"])


def test_a_text_that_is_longer_than_its_field_is_refused_by_the_record():
    assert len(LIMITED) > 40
    for field in LIMITED:
        most = field.max_length
        assert field.clean("x" * most, None) == "x" * most
        with pytest.raises(ValidationError) as refused:
            field.clean("x" * (most + 1), None)
        assert refused.value.messages == [f"Use at most {most} characters; there are {most + 1}."], field


def test_a_text_of_one_line_has_one_line_in_the_record():
    assert len(OF_ONE_LINE) > 40
    for field in OF_ONE_LINE:
        assert field.clean("Two\r\ntowns\nor\rmore", None) == "Two towns or more", field


def test_entries_of_one_line_have_one_line():
    field = Country._meta.get_field("aliases")
    assert isinstance(field, ArrayField) and field.clean(["Two\ntowns", "One"], None) == ["Two towns", "One"]


@pytest.mark.django_db
def test_a_table_with_too_long_a_text_is_told_which_column_and_how_long(bring_text, people):
    run = bring_text(
        "projects", f"title,description,summary\nWells,{'x' * 30_001},{'y' * 1001}\nLakes,{'x' * 30_000},\n"
    )
    assert sorted(run.rows.get(number=2).problems) == [
        ["description", "Use at most 30000 characters; there are 30001."],
        ["summary", "Use at most 1000 characters; there are 1001."],
    ]
    assert run.rows.get(number=3).outcome == "new" and not Project.objects.exists()


@pytest.fixture
def bring_text(media, people):
    def do(kind: str, text: str) -> ImportRun:
        run = ImportRun(kind=kind, file_name="t.csv", started_by=people["desk"])
        run.file.save("t.csv", SimpleUploadedFile("t.csv", text.encode()), save=False)
        running.carry_out(run, dry_run=True)
        if run.rejected == 0:
            running.carry_out(run, dry_run=False)
        return run

    return do


@pytest.fixture
def read_text(tmp_path, db):
    def do(content: bytes) -> ImportRun:
        path = tmp_path / "file.xml"
        path.write_bytes(content)
        return import_file(path, by=User.objects.system())

    return do


def lessons_of_the_portal(text: str) -> bytes:
    own = 'xmlns:ssc="urn:x-ssc-portal:iati:1" ssc:reference="P-2024-0001" '
    more = f'<description ssc:as="lessons"><narrative>{text}</narrative></description>'
    return document(activity(more).replace("<iati-activity ", f"<iati-activity {own}", 1))


def test_too_long_a_text_of_an_iati_file_is_cut_and_told_also_in_a_file_of_the_portal(read_text):
    run = read_text(lessons_of_the_portal("x" * 30_001))
    lessons = Project.objects.get().lessons
    assert (len(lessons), lessons[-2:]) == (30_000, "x…")
    assert run.issues.get(element="lessons").text == "Cut after 30000 characters (en)."


@TWO_LINES
def test_a_title_in_two_lines_of_an_iati_file_is_one_line_and_stays_so(end, read_text):
    first = activity(title=f"Two{end}towns".replace("\r", "&#13;"))
    run = read_text(document(first))
    assert (Project.objects.get().title, run.created) == ("Two towns", 1)
    assert not run.issues.filter(element="title", outcome="left_out").exists()
    assert (again := read_text(document(first))).unchanged == 1, list(again.issues.values_list("element", "text"))
    changed = read_text(document(activity(title="Two&#10;cities")))
    assert (Project.objects.get().title, changed.updated) == ("Two cities", 1)
    assert not changed.issues.filter(outcome="staff").exists()


def test_a_name_in_two_lines_of_a_row_of_an_iati_file_is_one_line_and_stays_so(read_text):
    org = '<participating-org ref="YY" role="1"><narrative>Two&#10;{}</narrative></participating-org>'
    read_text(document(activity(org.format("towns"))))
    link = Project.objects.get().partner_links.get(reported_code="YY")
    assert link.reported_name == "Two towns"
    assert read_text(document(activity(org.format("towns")))).unchanged == 1
    changed = read_text(document(activity(org.format("cities"))))
    assert changed.updated == 1 and not changed.issues.filter(outcome="staff").exists()
    assert Project.objects.get().partner_links.get(reported_code="YY").reported_name == "Two cities"


@TWO_LINES
@pytest.mark.django_db
def test_a_title_in_two_lines_of_a_table_is_one_line_and_no_change(end, bring_text):
    bring_text("projects", f'title,summary\n"Two{end}towns","One{end}two"\n')
    project = Project.objects.get()
    assert (project.title, project.summary) == ("Two towns", "One\ntwo")
    again = bring_text("projects", f'reference,title\n{project.reference},"Two{end}towns"\n')
    assert (again.unchanged, again.updated) == (1, 0)


@TWO_LINES
@pytest.mark.django_db
def test_a_title_in_two_lines_of_a_program_is_one_line_and_no_change(end, people):
    secret = token_of(people["desk"])[1]
    made = call("post", "projects/", secret, {"title": f"Two{end}towns", "summary": f"One{end}two", "language": "en"})
    assert made.status_code == 201, made.content
    assert (made.json()["title"], made.json()["summary"]) == ("Two towns", "One\ntwo")
    need = NeedFactory(country=people["focal_point"].memberships.get().country)
    LineItem.objects.create(need=need, text="Three wells")
    secret, address = token_of(people["focal_point"])[1], f"needs/{need.reference}/"
    values = {"title": f"Two{end}towns", "lines": [{"text": f"Three{end}pumps"}]}
    assert call("patch", address, secret, values, **{"If-Match": "*"}).status_code == 200
    version = Need.objects.get(pk=need.pk).version
    assert call("patch", address, secret, {"title": f"Two{end}towns"}, **{"If-Match": "*"}).status_code == 200
    assert Need.objects.get(pk=need.pk).version == version
    assert (Need.objects.get(pk=need.pk).title, need.lines.get().text) == ("Two towns", "Three pumps")


@pytest.mark.django_db
def test_a_program_is_refused_with_the_same_sentence(people):
    project = ProjectFactory()
    answer = call(
        "patch",
        f"projects/{project.reference}/",
        token_of(people["desk"])[1],
        {"summary": "x" * 1001},
        **{"If-Match": "*"},
    )
    assert is_problem(answer, 400)
    assert answer.json()["errors"] == [{"field": "summary", "detail": "Use at most 1000 characters; there are 1001."}]
