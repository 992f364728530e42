"""Every form of admin: two people at one record, the same form sent twice."""

import pytest
from django.contrib import admin
from django.test import RequestFactory
from django.urls import reverse

from outreach.models import Announcement, Channel, Issue, Page, Story, Topic
from partners.models import MailText
from projects.models import Project
from tests.admin_form import shown
from tests.factories import NeedFactory, OfferFactory, ProjectFactory

pytestmark = [pytest.mark.django_db, pytest.mark.ignore_template_errors]


@pytest.fixture
def boss(people, sign_in):
    return sign_in(people["administrator"])


def text_field(data: dict, form) -> str | None:
    """A field of the form in which words are typed."""
    for name, field in form.fields.items():
        is_text = type(field).__name__ in ("CharField", "SlugField") and "Text" in type(field.widget).__name__
        fits = (getattr(field, "max_length", None) or 100) >= 30
        if is_text and fits and name in data and not field.disabled and name != "reason":
            return name
    return None


def records(people):
    """A record of every registered model of which there is one."""
    NeedFactory(in_state="submitted")
    OfferFactory()
    project = ProjectFactory()
    MailText.objects.create(name="invitation" if "invitation" in dict(MailText._meta.get_field("name").choices) else MailText._meta.get_field("name").choices[0][0])  # fmt: skip
    Issue.objects.create(slug="2027-01")
    Story.objects.create(slug="a-story", project=project)
    Announcement.objects.create(slug="some-news", published_on="2026-01-01")
    for model in admin.site._registry:
        if found := model._default_manager.order_by("-pk").first():
            yield model, found


def test_no_form_of_admin_overwrites_what_somebody_else_saved(people, boss):
    seen, request = [], RequestFactory().get("/")
    request.user = people["administrator"]
    for model, record in records(people):
        if not admin.site._registry[model].has_change_permission(request, record):
            continue
        address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[record.pk])
        page = boss.get(address)
        if page.status_code != 200 or "adminform" not in (page.context or {}):
            continue
        data = shown(page)
        if not (name := text_field(data, page.context["adminform"].form)):
            continue
        model._base_manager.filter(pk=record.pk).update(**{name: "by-others"})
        answer = boss.post(address, data | {name: "typed-here"})
        said = answer.content.decode()
        assert answer.status_code == 200, (model, name)
        assert "now “by-others”" in said and "you typed “typed-here”" in said, (model, name)
        assert shown(answer)[name] == ["typed-here"], model
        assert getattr(model._base_manager.get(pk=record.pk), name) == "by-others", model
        seen.append(model)
    assert {Project, Page, Topic, Issue, Story, Announcement, MailText} - set(seen) == set()


def test_rows_that_others_changed_added_or_removed_are_taken_over(boss):
    project = ProjectFactory()
    address = reverse("admin:projects_project_change", args=[project.pk])
    data = shown(boss.get(address))
    link = project.country_links.order_by("pk").first()
    link.note = "Noted by others"
    link.save()
    project.term_links.all().delete()
    page = boss.post(address, data | {"title": "Typed"})
    again = shown(page)
    assert page.status_code == 200 and again["title"] == ["Typed"]
    assert ["Noted by others"] in [value for name, value in again.items() if name.endswith("-note")]
    assert again["term_links-INITIAL_FORMS"] == ["0"]
    assert boss.post(address, again).status_code == 302
    link.refresh_from_db()
    assert link.note == "Noted by others" and not project.term_links.exists()


def test_the_same_form_sent_twice_makes_one_record(boss):
    address = reverse("admin:outreach_channel_add")
    data = shown(boss.get(address)) | {"kind": Channel._meta.get_field("kind").choices[0][0], "title": "Ours", "url": "https://example.org/x"}  # fmt: skip
    first, second = boss.post(address, data), boss.post(address, data)
    assert (first.status_code, second.status_code) == (302, 302)
    assert first["Location"] == second["Location"] and Channel.objects.filter(title="Ours").count() == 1
    changed = boss.post(address, data | {"title": "Ours, changed"})
    assert changed.status_code == 200 and "saved already" in changed.content.decode()
    assert shown(changed)["title"] == ["Ours, changed"]


def test_the_same_project_sent_twice_is_one_project(boss):
    address = reverse("admin:projects_project_add")
    data = shown(boss.get(address)) | {"title": "Wells", "status": "2", "modality": "bilateral"}
    before = Project.objects.count()
    codes = [boss.post(address, data).status_code for _n in range(2)]
    assert codes == [302, 302] and Project.objects.count() == before + 1
