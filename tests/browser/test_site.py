"""A real browser over the whole site: nothing scrolls sideways, nothing breaks the content security policy, keys suffice."""

import pytest
from django.urls import reverse

from partners.choices import Role
from projects.models import Project
from tests.browser.conftest import BROWSER, cookies_of
from tests.factories import ContributionFactory, MembershipFactory, ProjectFactory, ResultFactory

pytestmark = [*BROWSER, pytest.mark.xdist_group("site")]
WATCH = "window.__refused = []; addEventListener('securitypolicyviolation', e => __refused.push(e.effectiveDirective + ' ' + e.blockedURI))"


@pytest.fixture
def filled(reference_again):
    project = ProjectFactory(published=True, triangular=True)
    ContributionFactory(project=project)
    ResultFactory(project=project)
    return project


def test_every_page_fits_360_pixels_and_keeps_the_policy(chromium, live_server, filled):
    paths = ["/", "/projects/", "/projects/?q=wetlands&country=KEN", filled.get_absolute_url(), "/countries/", "/countries/KEN/", "/partners/",
             "/partners/undp/", "/themes/", "/themes/wetlands/", "/search/?q=wetlands", "/accounts/login/", "/api/v1/docs/", "/none/",
             f"/ar{filled.get_absolute_url()}"]  # fmt: skip
    page = chromium.new_context(viewport={"width": 360, "height": 800}).new_page()
    page.add_init_script(WATCH)
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    for path in paths:
        page.goto(live_server.url + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, path
        assert page.evaluate("window.__refused") == [], path
    assert errors == []


def test_every_admin_page_keeps_the_policy(chromium, live_server, filled):
    person = MembershipFactory(role=Role.ADMINISTRATOR).user
    context = chromium.new_context()
    context.add_cookies(cookies_of(person, live_server.url))
    page = context.new_page()
    page.add_init_script(WATCH)
    names = ["projects_project", "projects_term", "projects_importrun", "partners_country", "partners_countrygroup", "partners_region",
             "partners_partner", "partners_membership", "partners_user"]  # needs and mail have no page to add one  # fmt: skip
    paths = ["/admin/", "/admin/password_change/"]
    for name in names:
        paths += [reverse(f"admin:{name}_changelist"), reverse(f"admin:{name}_add")]
    change = reverse("admin:projects_project_change", args=[filled.pk])
    paths += [change, f"{change}../history/", f"{change}../delete/", reverse("admin:projects_project_move", args=[filled.pk, "unpublish"]),
              reverse("admin:projects_project_import"), reverse("admin:projects_project_export"),
              reverse("admin:partners_user_change", args=[person.pk]), "/admin/projects/project/?country=KEN&q=wetlands"]  # fmt: skip
    for path in paths:
        answer = page.goto(live_server.url + path)
        assert answer.status == 200, path
        assert page.evaluate("window.__refused") == [], path


def test_similar_projects_appear_while_a_title_is_typed(chromium, live_server, filled):
    context = chromium.new_context()
    context.add_cookies(cookies_of(MembershipFactory(role=Role.DESK).user, live_server.url))
    page = context.new_page()
    page.goto(live_server.url + reverse("admin:projects_project_add"))
    page.fill("[data-similar]", f"Restoring the {filled.title}")
    page.wait_for_selector(".similar")
    assert filled.title in page.inner_text(".similar")


@pytest.mark.parametrize("script", [True, False])
def test_a_project_is_found_and_opened_by_keyboard(chromium, live_server, filled, script):
    page = chromium.new_context(viewport={"width": 360, "height": 800}, java_script_enabled=script).new_page()
    page.goto(live_server.url + "/")
    page.focus("main input[type=search]")
    page.keyboard.type("wetlands")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search/?q=wetlands")
    link = page.locator("ul.recs h3 a").first
    link.focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{filled.get_absolute_url()}")
    assert page.inner_text("h1") == filled.title


def test_signing_in_and_publishing(chromium, live_server, reference_again):
    person = MembershipFactory(role=Role.PUBLISHER).user
    person.vouch_for_address()
    project = ProjectFactory(in_review=True)
    page = chromium.new_page()
    page.goto(live_server.url + "/accounts/login/?next=" + reverse("admin:projects_project_change", args=[project.pk]))
    page.fill("#id_login", person.email.upper())
    page.fill("#id_password", "a long enough password")
    page.keyboard.press("Enter")
    page.wait_for_url("**/change/")
    page.click("text=Publish")
    page.click("input[type=submit]")
    page.wait_for_url("**/change/")
    assert Project.objects.get().state == "published"
