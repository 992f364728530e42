"""A real browser over the whole site: nothing scrolls sideways, nothing breaks the content security policy, keys suffice."""

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override
from lxml import html

from ground import listing
from outreach.models import Page
from partners.choices import Role
from partners.models import Partner
from projects.choices import NeedState
from projects.forms import PARTS
from projects.models import Follow, Need, Project, QualityDay
from tests import THOROUGH
from tests.browser.conftest import BROWSER, page_of, violations_on
from tests.factories import (
    ContributionFactory,
    MembershipFactory,
    NeedFactory,
    ProjectFactory,
    ResponseFactory,
    ResultFactory,
)

pytestmark = [*BROWSER, pytest.mark.xdist_group("site")]


@pytest.fixture
def filled(chromium):
    project = ProjectFactory(published=True, triangular=True)
    ContributionFactory(project=project)
    ResultFactory(project=project)
    return project


def test_every_page_fits_360_pixels_and_keeps_the_policy(chromium, live_server, filled):
    paths = ["/", "/projects/", "/projects/?q=wetlands&country=KEN", filled.get_absolute_url(), "/countries/", "/countries/KEN/", "/partners/",
             "/partners/undp/", "/themes/", "/themes/wetlands/", "/search/?q=wetlands", "/accounts/login/", "/api/v1/docs/", "/none/", "/about/", "/about/history/", "/about/bali-strategic-plan/", "/about/privacy/", "/ar/about/history/", "/contact/", "/news/", "/calendar/",
             f"/ar{filled.get_absolute_url()}"]  # fmt: skip
    page = page_of(chromium, live_server.url, None)
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    for path in paths:
        page.goto(live_server.url + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, path
        assert page.evaluate("window.__refused") == [], path
    assert errors == []


LISTS = ("/partners/", "/countries/", "/data/quality/")
HIDDEN_COLUMNS = """() => [...document.querySelectorAll('.scroll')].filter(e => e.checkVisibility() && e.scrollWidth > e.clientWidth + 1).map(e => [e.getAttribute('aria-label'), e.scrollWidth])"""
TOUCHED = """() => [...document.querySelectorAll('.beam')].filter(e => e.previousElementSibling?.matches('form, .row') && e.getBoundingClientRect().top - e.previousElementSibling.getBoundingClientRect().bottom < 12).map(e => e.textContent.slice(0, 40))"""


def test_every_column_of_a_list_is_seen_at_360_pixels(chromium, live_server, filled):
    partner = Partner.objects.get(slug="undp")
    QualityDay.objects.create(day=timezone.localdate(), publisher=partner, records=1, points=55)
    QualityDay.objects.create(day=timezone.localdate(), is_whole=True, records=1, points=55)
    page = page_of(chromium, live_server.url, None)
    for path in (language + path for language in ("", "/fr", "/ar") for path in LISTS):
        page.goto(live_server.url + path)
        page.evaluate("document.querySelectorAll('details').forEach(e => { e.open = true })")
        assert page.locator("table").count(), path
        assert page.evaluate(HIDDEN_COLUMNS) == [], path
        assert page.evaluate(TOUCHED) == [], path


def test_the_groups_of_a_country_are_told_apart(chromium, live_server, filled):
    page = page_of(chromium, live_server.url, None)
    for language, beginning in (("en", ""), ("ar", "/ar")):
        with override(language):
            comma = listing.comma()
        page.goto(f"{live_server.url}{beginning}/countries/")
        row = page.locator("tr", has=page.locator("a[href$='/countries/RWA/']"))
        assert comma in row.locator(".under").inner_text() and row.locator("td").first.is_hidden()
        page.set_viewport_size({"width": 1280, "height": 800})
        assert comma in row.locator("td").nth(1).inner_text() and row.locator(".under").is_hidden()
        page.set_viewport_size({"width": 360, "height": 800})


def test_ones_own_pages_fit_360_pixels_and_keep_the_policy(chromium, live_server, filled):
    lead = MembershipFactory(role=Role.PARTNER_LEAD).user
    MembershipFactory(user=lead, role=Role.FOCAL_POINT)
    MembershipFactory(user=lead, role=Role.DESK)
    draft = NeedFactory(kind="technology", created_by=lead)
    for state in NeedState.values:
        need = NeedFactory(
            in_state=state, title="Measuring the air that the people of our two largest towns breathe every day"
        )
        Need.objects.filter(pk=need.pk).update(due_on=timezone.localdate() + dt.timedelta(days=9))
        Follow.objects.create(user=lead, need=need)
        ResponseFactory(need=need, due_on=timezone.localdate(), answers={0: 1})
    page = page_of(chromium, live_server.url, lead)
    parts = [f"/needs/{draft.reference}/draft/{p.slug}/" for p in PARTS] + [
        f"/needs/{draft.reference}/draft/documents/"
    ]
    for path in ("/dashboard/", "/ar/dashboard/", "/dashboard/calendar/", "/account/", "/account/people/", "/account/join/", "/account/mail/", "/account/data/",
                 "/accounts/2fa/", "/accounts/sessions/", "/accounts/email/", f"/needs/{draft.reference}/draft/", *parts):  # fmt: skip
        assert page.goto(live_server.url + path).status == 200, path
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, path
        assert page.evaluate("window.__refused") == [], path


def admin_pages(project, person) -> tuple[list[str], list[str]]:
    """(a page of each template and of each widget of its own, the lists and forms that are as these)."""
    need, about = NeedFactory(in_state=NeedState.SUBMITTED), Page.objects.get(path="about")
    change = reverse("admin:projects_project_change", args=[project.pk])
    each = [
        "/admin/", "/admin/password_change/", "/admin/projects/project/?country=KEN&q=wetlands", change, f"{change}../history/", f"{change}../delete/",
        reverse("admin:projects_project_add"), reverse("admin:projects_project_move", args=[project.pk, "unpublish"]), reverse("admin:projects_importrun_table"),
        reverse("admin:projects_need_change", args=[need.pk]), reverse("admin:projects_need_move", args=[need.pk, "merge"]),
        *(reverse(f"admin:outreach_page_{view}", args=[about.pk]) for view in ("change", "versions", "history")),
        *(reverse(f"admin:{name}") for name in ("partners_country_changelist", "partners_membership_add", "outreach_picture_add", "outreach_announcement_add")),
        reverse("admin:partners_user_change", args=[person.pk]),
    ]  # fmt: skip
    names = ["projects_project", "projects_term", "projects_importrun", "partners_country", "partners_countrygroup", "partners_region",
             "partners_partner", "partners_membership", "partners_user", "outreach_page", "outreach_milestone", "outreach_picture",
             "outreach_channel", "outreach_topic", "outreach_announcement", "outreach_issue", "outreach_story"]  # fmt: skip
    alike = [reverse(f"admin:{name}_{view}") for name in names for view in ("changelist", "add")]
    alike += [reverse("admin:projects_need_changelist"), reverse("admin:projects_notice_changelist")]
    return each, [path for path in alike if path not in each]


def test_every_admin_page_keeps_the_policy(chromium, live_server, filled):
    person = MembershipFactory(role=Role.ADMINISTRATOR).user
    page = page_of(chromium, live_server.url, person, width=1280)
    each, alike = admin_pages(filled, person)
    for path in each + (alike if THOROUGH else []):
        answer = page.goto(live_server.url + path)
        assert answer.status == 200, path
        assert page.evaluate("window.__refused") == [], path


# What the policy refuses of a page without running it: a script or a style that stands in the page itself.
IN_THE_PAGE = (
    "//script[not(@src) and not(@type='application/json')] | //style | //@style | //@*[starts-with(name(), 'on')]"
)


def test_no_admin_page_holds_a_script_or_a_style(client, db):
    """Of the pages that `make thorough` alone opens in a browser."""
    person, project = MembershipFactory(role=Role.ADMINISTRATOR).user, ProjectFactory(published=True)
    client.force_login(person)
    for path in admin_pages(project, person)[1]:
        answer = client.get(path)
        assert answer.status_code == 200, path
        found = html.fromstring(answer.content).xpath(IN_THE_PAGE)
        assert [str(one) for one in found] == [], path


def test_similar_projects_appear_while_a_title_is_typed(chromium, live_server, filled):
    desk = MembershipFactory(role=Role.DESK).user
    page = page_of(chromium, live_server.url, desk, reverse("admin:projects_project_add"), width=1280)
    page.fill("[data-similar]", f"Restoring the {filled.title}")
    page.wait_for_selector(".similar")
    assert filled.title in page.inner_text(".similar")


@pytest.mark.parametrize("script", [True, False])
def test_a_project_is_found_and_opened_by_keyboard(chromium, live_server, filled, script):
    page = page_of(chromium, live_server.url, None, "/", java_script_enabled=script)
    page.focus("main input[type=search]")
    page.keyboard.type("wetlands")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search/?q=wetlands")
    link = page.locator("ul.recs h3 a").first
    link.focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{filled.get_absolute_url()}")
    assert page.inner_text("h1") == filled.title


def test_signing_in_and_publishing(chromium, live_server):
    person = MembershipFactory(role=Role.PUBLISHER).user
    person.vouch_for_address()
    project = ProjectFactory(in_review=True)
    change = reverse("admin:projects_project_change", args=[project.pk])
    page = page_of(chromium, live_server.url, None, f"/accounts/login/?next={change}", width=1280)
    page.fill("#id_login", person.email.upper())
    page.fill("#id_password", "a long enough password")
    page.keyboard.press("Enter")
    page.wait_for_url("**/change/")
    page.click("text=Publish")
    page.click("input[type=submit]")
    page.wait_for_url("**/change/")
    assert Project.objects.get().state == "published"


def test_a_table_is_tried_carried_out_and_undone(chromium, live_server, filled, media, tmp_path):
    """The desk's way through an import, every page of it looked at by axe and by the policy."""
    page = page_of(chromium, live_server.url, MembershipFactory(role=Role.DESK).user)
    table = tmp_path / "projects.csv"
    table.write_text(f"reference,title,status\n{filled.reference},Better,2\n,Fresh,2\n,Wrong,9\n")

    def looked_at() -> None:
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, page.url
        assert page.evaluate("window.__refused") == [], page.url
        assert [one["id"] for one in violations_on(page)] == [], page.url

    def follow(selector: str) -> None:
        with page.expect_navigation(wait_until="load"):
            page.click(selector)

    page.goto(live_server.url + reverse("admin:projects_importrun_table"))
    looked_at()
    page.select_option("select[name=kind]", "projects")
    page.set_input_files("input[type=file]", str(table))
    follow("input[type=submit]")
    assert page.locator("ins", has_text="Better").is_visible() and Project.objects.count() == 1
    looked_at()
    follow("text=Write the 2 records that are right")
    page.wait_for_selector("text=Undo the import")
    assert set(Project.objects.values_list("title", flat=True)) == {"Better", "Fresh"}
    follow("text=Undo the import")
    looked_at()
    follow("input[type=submit]")
    page.wait_for_selector("text=everything is as it was before")
    looked_at()
    assert list(Project.objects.values_list("title", flat=True)) == [filled.title]
