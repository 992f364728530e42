"""The ways by which a table comes in: admin, the worker, lists of records, the command."""

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.urls import reverse
from lxml import html
from openpyxl import load_workbook

from projects.interchange.bulk import running
from projects.models import ImportRun, Offer, Project
from tests.factories import NeedFactory, OfferFactory, ProjectFactory
from tests.projects.tables import NEW, counts

pytestmark = pytest.mark.django_db


def test_the_whole_way_in_admin(client, desk, media):
    client.force_login(desk)
    page = client.get(reverse("admin:projects_importrun_table") + "?kind=projects")
    assert page.status_code == 200 and "Take a template" in page.content.decode()
    file = SimpleUploadedFile("projects.csv", b"title,status\nGood,2\nBad,9\n")
    page = client.post(reverse("admin:projects_importrun_table"), {"kind": "projects", "file": file}, follow=True)
    text = page.content.decode()
    assert (
        "Write the 1 record that is right" in text and "“9” is not known here" in text and not Project.objects.exists()
    )
    run = ImportRun.objects.get()
    page = client.post(reverse("admin:projects_importrun_confirm", args=[run.pk]), {"only_good": "1"}, follow=True)
    assert "Undo the import" in page.content.decode() and Project.objects.get().title == "Good"
    page = client.post(reverse("admin:projects_importrun_confirm", args=[run.pk]), {"only_good": "1"}, follow=True)
    assert "carried out already" in page.content.decode() and Project.objects.count() == 1
    findings = client.get(reverse("admin:projects_importrun_findings", args=[run.pk])).content.decode()
    assert "Bad" in findings and "title,,Good" in findings
    undo = reverse("admin:projects_importrun_undo", args=[run.pk])
    assert "is deleted" in client.get(undo).content.decode() and Project.objects.exists()
    page = client.post(undo, follow=True)
    assert "as it was before" in page.content.decode() and not Project.objects.exists()
    assert client.post(undo, follow=True).status_code == 200
    bad = client.post(
        reverse("admin:projects_importrun_table"), {"kind": "projects", "file": SimpleUploadedFile("x.csv", b"a\n")}
    )
    assert bad.status_code == 400 and "names none of the columns" in bad.content.decode()
    assert client.get("/admin/projects/importrun/table/nothing.csv").status_code == 404


def test_a_long_table_is_left_to_the_worker(client, desk, media, monkeypatch):
    from procrastinate.contrib.django.models import ProcrastinateJob

    from projects.tasks import import_table

    monkeypatch.setattr(running, "AT_ONCE", 1)
    client.force_login(desk)
    file = SimpleUploadedFile("projects.csv", b"title\nA\nB\n")
    page = client.post(reverse("admin:projects_importrun_table"), {"kind": "projects", "file": file}, follow=True)
    assert "2 records are being read" in page.content.decode()
    import_table.func(**ProcrastinateJob.objects.filter(task_name="projects.import_table").latest("pk").args)
    run = ImportRun.objects.get()
    assert (run.progress, counts(run)) == ("waiting", (2, 0, 0, 0))
    client.post(reverse("admin:projects_importrun_confirm", args=[run.pk]))
    import_table.func(**ProcrastinateJob.objects.filter(task_name="projects.import_table").latest("pk").args)
    assert Project.objects.count() == 2


def test_records_are_taken_along_from_their_list(client, people):
    client.force_login(people["desk"])
    project = ProjectFactory(title="Taken")
    ProjectFactory(title="Not taken")
    answer = client.post(
        reverse("admin:projects_project_changelist"), {"action": "take_csv", "_selected_action": [project.pk]}
    )
    assert b"Taken" in answer.content and b"Not taken" not in answer.content
    answer = client.post(
        reverse("admin:projects_project_changelist"), {"action": "take_workbook", "_selected_action": [project.pk]}
    )
    assert load_workbook(io.BytesIO(answer.content))["Data"].cell(2, 1).value == project.reference
    assert "Bring in a table" in client.get(reverse("admin:projects_project_changelist")).content.decode()


def test_no_record_is_left_out_of_a_table_in_silence(client, people, monkeypatch):
    monkeypatch.setattr("projects.interchange.bulk.sheets.MOST_RECORDS", 2)
    client.force_login(people["desk"])
    template, chosen = "/admin/projects/importrun/table/projects", [ProjectFactory().pk for _n in range(2)]
    assert client.get(f"{template}.csv?filled").content.count(b"\r\nP-") == 2
    chosen.append(ProjectFactory().pk)
    taken = {"action": "take_csv", "_selected_action": chosen}
    for answer in (
        client.get(f"{template}.csv?filled", follow=True),
        client.get(f"{template}.xlsx?filled", follow=True),
        client.post(reverse("admin:projects_project_changelist"), taken, follow=True),
    ):
        assert "These are 3 records, and one file holds at most 2." in answer.content.decode()


@pytest.mark.parametrize(("kind", "make"), [("needs", NeedFactory), ("offers", OfferFactory)])
def test_what_a_filled_table_holds_and_leaves_out_is_told(client, people, kind, make):
    client.force_login(people["desk"])
    mine = make(is_on_behalf=True)
    make(is_on_behalf=True, in_state="submitted")
    make(in_state="submitted")
    ProjectFactory()
    said = "Drafts that UNEP entered on behalf: 1. Not in it, of those that you may read: 2, which others entered"
    page = html.fromstring(client.get(reverse("admin:projects_importrun_table")).content).text_content()
    assert said in page and "All that you may read: 1." in page and "holds what is here now" not in page
    template = f"/admin/projects/importrun/table/{kind}.xlsx"
    book = load_workbook(io.BytesIO(client.get(f"{template}?filled").content))
    assert {row[0].value for row in book["Data"].iter_rows(min_row=2)} - {None} == {mine.reference}
    about = [str(cell.value) for row in book["About"] for cell in row]
    assert any(said in text for text in about)
    empty = load_workbook(io.BytesIO(client.get(template).content))
    assert not any("Which records" in str(cell.value) for row in empty["About"] for cell in row)


def test_a_workbook_is_refused_where_a_cell_would_be_cut(client, people):
    client.force_login(people["desk"])
    project = ProjectFactory(description="Wells of the delta. " + "x" * 32_748)
    template, chosen = "/admin/projects/importrun/table/projects", {"_selected_action": [project.pk]}
    for answer in (
        client.get(f"{template}.xlsx?filled", follow=True),
        client.post(reverse("admin:projects_project_changelist"), {"action": "take_workbook", **chosen}, follow=True),
    ):
        page = answer.content.decode()
        assert "“Wells of the delta. xxxxxxxxxxxxxxxxxxxx” has more than the 32767 characters" in page
        assert "Take CSV, which holds all of it." in page
    assert project.description.encode() in client.get(f"{template}.csv?filled").content
    Project.objects.update(description=project.description[:-1])
    book = load_workbook(io.BytesIO(client.get(f"{template}.xlsx?filled").content))
    assert project.description[:-1] in [cell.value for cell in book["Data"][2]]


def test_the_command_tries_writes_and_undoes(tmp_path, media, people):
    path, out = tmp_path / "t.csv", io.StringIO()
    call_command("import_table", "offers", str(tmp_path / "o.xlsx"), "--template", stdout=out)
    assert load_workbook(tmp_path / "o.xlsx")["Data"].cell(1, 1).value == "reference"
    path.write_text(NEW["offers"][0])
    by = ["--by", people["desk"].email]
    call_command("import_table", "offers", str(path), *by, stdout=out)
    assert "1 new" in out.getvalue() and "nothing was written" in out.getvalue() and not Offer.objects.exists()
    call_command("import_table", "offers", str(path), *by, "--write", stdout=out)
    assert Offer.objects.get().title == "Course"
    call_command("import_table", "--undo", str(ImportRun.objects.order_by("pk").last().pk), *by, stdout=out)
    assert not Offer.objects.exists()
    path.write_text("title\nX\nY,3\n")
    for wrong in (
        ["offers", str(path), *by, "--write"], ["offers", str(path)], ["offers", str(tmp_path / "none.csv"), *by], [*by],
        ["--undo", "0", *by], ["offers", str(path), "--by", people["focal_point"].email],
    ):  # fmt: skip
        with pytest.raises(CommandError):
            call_command("import_table", *wrong, stdout=out)


def test_the_buttons_of_an_import_are_for_whoever_may_make_such_a_one(people, sign_in):
    run = ImportRun.objects.create(file_name="c.csv", file="imports/c.csv", kind="countries", is_dry_run=True, progress="waiting")  # fmt: skip
    address = f"/admin/projects/importrun/{run.pk}/"
    for name, may in (("desk", False), ("administrator", True)):
        page = sign_in(people[name]).get(f"{address}change/").content.decode()
        assert [f'action="{address}{act}/"' in page for act in ("confirm", "discard")] == [may, may]
    assert sign_in(people["desk"]).post(f"{address}discard/").status_code == 403
    ImportRun.objects.update(progress="running")
    for name, may in (("desk", False), ("administrator", True)):
        page = sign_in(people[name]).get(f"{address}change/").content.decode()
        assert (f'action="{address}go-on/"' in page) == may
