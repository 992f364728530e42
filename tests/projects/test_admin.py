"""Admin as staff use it: one page for a project, no silent overwrite, lists, tables in and out, imports, history."""

import io

import pytest
from django.urls import reverse

from partners.models import Country, Partner, Region
from projects.models import ImportRun, Project, ProjectCountry, ProjectRegion, SearchEntry, Term
from tests.admin_form import shown
from tests.factories import ProjectFactory, UserFactory

# Django's own admin templates rely on undefined variables being empty.
pytestmark = [pytest.mark.django_db, pytest.mark.ignore_template_errors]

PREFIXES = ["country_links", "partner_links", "term_links", "contributions", "results", "budgets", "transactions", "translations",
            "region_links", "locations", "documents", "related_links", "updates", "checks"]  # fmt: skip


def form(**values) -> dict:
    """The project page as a browser would send it: everything empty but these."""
    data = {f"{prefix}-{name}": 0 for prefix in PREFIXES for name in ("TOTAL_FORMS", "INITIAL_FORMS")}
    data |= {
        "title": "Wells that stay full",
        "language": "en",
        "status": "2",
        "modality": "bilateral",
        "instrument": "project",
        "delivery_level": "national",
    }
    return data | values


def row(prefix: str, number: int, **values) -> dict:
    return {f"{prefix}-TOTAL_FORMS": number + 1} | {
        f"{prefix}-{number}-{name}": value for name, value in values.items()
    }


@pytest.fixture
def desk(people, sign_in):
    return sign_in(people["desk"])


def test_project_is_entered_on_one_page(desk, people):
    kenya, brazil = Country.objects.get(iso3="KEN"), Country.objects.get(iso3="BRA")
    data = form(summary="Two towns.")
    data |= row("country_links", 0, country=brazil.pk, role="provider") | row(
        "country_links", 1, country=kenya.pk, role="recipient", share="100"
    )
    data |= row("partner_links", 0, partner=Partner.objects.get(slug="undp").pk, role="4")
    data |= row("term_links", 0, term=Term.objects.get(vocabulary="bsp-theme", code="freshwater").pk)
    data |= row(
        "contributions",
        0,
        country=brazil.pk,
        kind="D011",
        text="engineers",
        quantity="40",
        unit="expert-days",
        delivered="10",
    )
    data |= row("results", 0, kind="1", title="Wells", unit="items", target="12", actual="3")
    response = desk.post(reverse("admin:projects_project_add"), data)
    assert response.status_code == 302, response.context["errors"]
    project = Project.objects.get()
    assert (project.created_by, project.state, project.country_links.count()) == (people["desk"], "draft", 2)
    assert project.contributions.get().quantity == 40
    assert project.quality_score > 50


@pytest.mark.parametrize(
    ("links", "message"),
    [
        ([("BRA", "provider", "", "60"), ("KEN", "recipient", "", "50")], "add up to more than 100"),
        ([("BRA", "provider", "2", ""), ("KEN", "recipient", "", "")], "triangular cooperation only"),
        ([("BRA", "recipient", "1", "")], "recipient that provides nothing"),
        ([("BRA", "provider", "", ""), ("BRA", "recipient", "", "")], "duplicate"),
    ],
)
def test_wrong_roles_are_refused_with_words_and_nothing_is_lost(desk, links, message):
    data = form(summary="A long summary that must not be lost.")
    for number, (iso3, role, order, share) in enumerate(links):
        data |= row(
            "country_links",
            number,
            country=Country.objects.get(iso3=iso3).pk,
            role=role,
            provider_order=order,
            share=share,
        )
    page = desk.post(reverse("admin:projects_project_add"), data)
    assert page.status_code == 200
    assert message in page.content.decode()
    assert "must not be lost" in page.content.decode()
    assert Project.objects.count() == 0


@pytest.mark.parametrize("is_new", [True, False])
def test_shares_of_countries_and_regions_are_judged_together(desk, is_new):
    """The database adds them up; whoever enters them is told before, and loses nothing."""
    kenya, africa = Country.objects.get(iso3="KEN"), Region.objects.get(code="002")
    address, data = reverse("admin:projects_project_add"), form()
    if not is_new:
        project = ProjectFactory(countries={}, terms=[], partners=[])
        ProjectCountry.objects.create(project=project, country=kenya, role="recipient", share=60)
        address = reverse("admin:projects_project_change", args=[project.pk])
        data = shown(desk.get(address))
    else:
        data |= row("country_links", 0, country=kenya.pk, role="recipient", share="60")
    data |= row("region_links", 0, region=africa.pk, share="50") | {"summary": "A summary that must not be lost."}
    page = desk.post(address, data)
    assert page.status_code == 200
    assert "add up to more than 100" in page.content.decode() and "must not be lost" in page.content.decode()
    assert not ProjectRegion.objects.exists()
    assert desk.post(address, data | {"region_links-0-share": "40"}).status_code == 302
    assert ProjectRegion.objects.get().share == 40


def test_second_editor_sees_that_somebody_was_faster(desk):
    project = ProjectFactory(countries={}, terms=[], partners=[], summary="As it was.")
    address = reverse("admin:projects_project_change", args=[project.pk])
    data = shown(desk.get(address))
    project.title, project.summary = "Changed meanwhile", "Changed by others alone."
    project.save()
    page = desk.post(address, data | {"title": "My title"})
    said = page.content.decode()
    assert page.status_code == 200
    assert "Somebody changed this record after you opened it" in said
    assert "now “Changed meanwhile”" in said and "you typed “My title”" in said
    project.refresh_from_db()
    assert project.title == "Changed meanwhile"
    again = shown(page)
    assert (again["title"], again["summary"]) == (["My title"], ["Changed by others alone."])
    assert desk.post(address, again).status_code == 302
    project.refresh_from_db()
    assert (project.title, project.summary) == ("My title", "Changed by others alone.")


def test_lists_filter_search_and_cost_the_same(desk, count_queries):
    person = UserFactory()
    counts = []
    for more in (1, 2, 17):
        for _n in range(more):
            ProjectFactory(published=True, created_by=person, published_by=person)
        desk.get("/admin/projects/project/")  # the sidebar's counts are kept for some minutes
        with count_queries() as n:
            page = desk.get(
                "/admin/projects/project/", {"country": "KEN", "q": "wetlands", "year": "2025", "quality": "middle"}
            )
        counts.append(n())
        assert page.status_code == 200
    assert counts == [14] * 3
    for query, found in [("country=FJI", 0), ("theme=wetlands", 20), ("group=g77", 20), ("region=014", 20), ("partner=undp", 20),
                         ("unresolved=partner", 0), ("year=x", 0), ("country=zz", 0), ("q=nothing", 0), ("state__exact=published", 20)]:  # fmt: skip
        assert desk.get(f"/admin/projects/project/?{query}").context["cl"].result_count == found, query


def test_safe_fields_are_edited_in_the_list(desk):
    project = ProjectFactory()
    data = shown(desk.get("/admin/projects/project/"), "changelist-form")
    data |= {"form-0-status": "3", "form-0-modality": "regional", "_save": "Save"}
    assert desk.post("/admin/projects/project/", data).status_code == 302
    project.refresh_from_db()
    assert (project.status, project.modality) == ("3", "regional")


def test_a_row_of_the_list_that_does_not_fit_is_told_at_the_row_and_no_edit_is_lost(desk):
    misfit, other = ProjectFactory(modality="triangular"), ProjectFactory(modality="bilateral", status="2")
    link = misfit.country_links.first()
    link.provider_order = 1
    link.role = "provider"
    link.save()
    data = shown(desk.get("/admin/projects/project/"), "changelist-form") | {"_save": "Save"}
    number = {data[f"form-{n}-id"][0]: n for n in (0, 1)}
    data[f"form-{number[str(misfit.pk)]}-modality"] = "regional"
    data[f"form-{number[str(other.pk)]}-status"] = "3"
    page = desk.post("/admin/projects/project/", data)
    assert page.status_code == 200
    assert "triangular cooperation only" in page.content.decode()
    again = shown(page, "changelist-form")
    assert again[f"form-{number[str(misfit.pk)]}-modality"] == ["regional"]
    assert again[f"form-{number[str(other.pk)]}-status"] == ["3"]
    again[f"form-{number[str(misfit.pk)]}-modality"] = "triangular"
    assert desk.post("/admin/projects/project/", again | {"_save": "Save"}).status_code == 302
    other.refresh_from_db()
    assert other.status == "3"


def test_publishing_many_tells_which_could_not_be(people, sign_in):
    good, bad = ProjectFactory(in_review=True), ProjectFactory(in_review=True, summary="")
    page = sign_in(people["publisher"]).post(
        "/admin/projects/project/", {"action": "publish_selected", "_selected_action": [good.pk, bad.pk]}, follow=True
    )
    assert "1 record moved." in page.content.decode()
    assert f"{bad.reference}: Write a summary or a description." in page.content.decode()


def test_history_shows_who_and_the_difference(desk, people):
    project = ProjectFactory(countries={}, terms=[], partners=[])
    address = reverse("admin:projects_project_change", args=[project.pk])
    desk.post(address, shown(desk.get(address)) | {"title": "After"})
    page = desk.get(reverse("admin:projects_project_history", args=[project.pk])).content.decode()
    assert "<ins>After</ins>" in page
    assert str(people["desk"]) in page


def test_similar_records_are_shown_while_a_title_is_typed(desk):
    ProjectFactory(title="Mangrove restoration by villages")
    page = desk.get(
        reverse("admin:projects_project_similar"), {"title": "Restoration of mangrove by the villages"}
    ).content.decode()
    assert "Mangrove restoration by villages" in page
    assert desk.get(reverse("admin:projects_project_similar"), {"title": "", "without": "x"}).status_code == 200


def test_start_page_says_what_waits(desk, people, sign_in):
    ProjectFactory(in_review=True)
    assert {q["label"]: q["count"] for q in desk.get("/admin/").context["waiting"]}["My drafts"] == 0
    waiting = {q["label"]: q["count"] for q in sign_in(people["publisher"]).get("/admin/").context["waiting"]}
    assert waiting["Projects to publish"] == 1


@pytest.mark.parametrize(
    "name", ["nobody", "stranger", "former", "contributor", "focal_point", "partner_member", "partner_lead"]
)
def test_admin_is_closed_to_all_but_unep(name, people, sign_in):
    for address in ("/admin/", "/admin/projects/project/", "/admin/projects/importrun/add/", "/admin/partners/user/"):
        response = sign_in(people[name]).get(address)
        assert (response.status_code, response["Location"].split("?")[0]) == (302, "/admin/login/")


def test_desk_gives_no_role_of_unep(desk, people):
    data = {
        "user": people["stranger"].pk,
        "role": "administrator",
        "partner": Partner.objects.unep().pk,
        "starts_on": "2026-01-01",
    }
    page = desk.post(reverse("admin:partners_membership_add"), data)
    assert "Only an administrator gives" in page.content.decode()
    granted = desk.post(reverse("admin:partners_membership_add"), data | {"role": "partner_lead"})
    assert granted.status_code == 302
    assert people["stranger"].memberships.get().granted_by == people["desk"]


# --- IATI ------------------------------------------------------------------------------------------------------------
FILE = b"""<iati-activities version="2.03"><iati-activity><iati-identifier>XX-1</iati-identifier><title><narrative>Wells</narrative></title>
<recipient-country code="KE"/></iati-activity></iati-activities>"""


def test_iati_file_is_tried_confirmed_and_left_to_the_worker(desk, settings, tmp_path, people):
    from procrastinate.contrib.django.models import ProcrastinateJob

    from projects.tasks import import_iati

    settings.MEDIA_ROOT = tmp_path
    file = io.BytesIO(FILE)
    file.name = "activities.xml"
    page = desk.post(reverse("admin:projects_importrun_add"), {"file": file, "publish": "on"}, follow=True)
    run = ImportRun.objects.get()
    assert (run.progress, run.created, Project.objects.count()) == ("waiting", 1, 0)
    assert "a trial run: nothing has been written yet" in page.content.decode()
    desk.post(reverse("admin:projects_importrun_confirm", args=[run.pk]))
    job = ProcrastinateJob.objects.get(task_name="projects.import_iati")
    import_iati.func(**job.args)
    run.refresh_from_db()
    assert (run.progress, run.created, run.started_by) == ("done", 1, people["desk"])
    assert Project.objects.get().state == "draft"  # the desk imports, a publisher publishes
    assert desk.get(reverse("admin:projects_importrun_findings", args=[run.pk])).content.startswith(b"file,activity")


def test_unreadable_upload_is_refused_in_words(desk, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    file = io.BytesIO(b"<html/>")
    file.name = "x.xml"
    page = desk.post(reverse("admin:projects_importrun_add"), {"file": file}, follow=True)
    assert "This is no IATI activity file" in page.content.decode()
    assert desk.post(reverse("admin:projects_importrun_add"), {}).status_code == 400


# --- every role at every door ----------------------------------------------------------------------------------------
DOORS = {
    "list": ("view_project", "admin:projects_project_changelist"),
    "add": ("add_project", "admin:projects_project_add"),
    "change": ("change_project", "admin:projects_project_change"),
    "delete": ("delete_project", "admin:projects_project_delete"),
    "history": ("view_project", "admin:projects_project_history"),
    "table in": ("import_projects", "admin:projects_importrun_table"),
    "IATI in": ("import_projects", "admin:projects_importrun_add"),
    "similar": ("view_project", "admin:projects_project_similar"),
}


@pytest.mark.parametrize("door", DOORS)
def test_door_opens_to_whom_the_rules_say(door, people, sign_in):
    permission, view = DOORS[door]
    project = ProjectFactory()
    about_record = door in ("change", "delete", "history")
    address = reverse(view, args=[project.pk] if about_record else [])
    for name, person in people.items():
        status = sign_in(person).get(address).status_code
        if person is None or not person.is_staff:
            assert status == 302, (name, door)  # to the sign-in page
        else:
            allowed = person.has_perm(
                f"projects.{permission}", project if about_record or permission == "view_project" else None
            )
            assert status == (200 if allowed else 403), (name, door)


def test_deleting_asks_first_and_keeps_the_history(people, sign_in):
    project = ProjectFactory()
    address = reverse("admin:projects_project_delete", args=[project.pk])
    client = sign_in(people["administrator"])
    assert "Are you sure" in client.get(address).content.decode()
    assert client.post(address, shown(client.get(address))).status_code == 302
    assert not Project.objects.exists()
    assert not SearchEntry.objects.exists()
    kept = Project.history.rel.related_model.objects.filter(pgh_obj_id=project.pk).order_by("-pgh_id").first()
    assert (kept.pgh_label, kept.title) == ("delete", project.title)


def test_shares_of_a_vocabulary_that_add_up_to_more_than_100_are_refused(client, people):
    project = ProjectFactory()
    client.force_login(people["administrator"])
    address = reverse("admin:projects_project_change", args=[project.pk])
    data = shown(client.get(address))
    goals = [Term.objects.get(vocabulary="sdg", code=code).pk for code in ("13", "14")]
    for place, goal in enumerate(goals):
        data |= {f"term_links-{place}-term": [goal], f"term_links-{place}-share": ["60"]}
    refused = client.post(address, data | {"term_links-TOTAL_FORMS": ["2"]})
    assert refused.status_code == 200 and "add up to 120, more than 100" in refused.content.decode()
    data |= {"term_links-1-term": [""], "term_links-1-share": [""], "term_links-0-share": ["100.01"]}
    taken = client.post(address, data | {"term_links-TOTAL_FORMS": ["2"]})
    assert taken.status_code == 302, taken.context["errors"]
    assert project.term_links.get(term=goals[0]).share == 100
