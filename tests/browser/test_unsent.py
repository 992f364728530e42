"""A session that ends while somebody types: signing in again leads back to the form with what was typed, at 360 px."""

import pytest
from allauth.account.models import EmailAddress
from django.urls import reverse

from partners.choices import Role
from partners.models import Country, UnsentForm
from projects.models import Need, Project
from tests.browser.conftest import BROWSER, page_of, until
from tests.browser.person import PASSWORD, Person, check_with_axe
from tests.factories import MembershipFactory, NeedFactory, ProjectFactory, ResponseFactory
from tests.forms_typed import end_sessions

pytestmark = [*BROWSER, pytest.mark.xdist_group("unsent")]
CHOOSE = "([id, key]) => document.querySelector(id).append(new Option(key, key, true, true))"  # as the search does
WORDS = "Which spare parts do the sensors need?"


def person_with(role: str):
    person = MembershipFactory(role=role).user
    EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)
    return person


def sign_in(page, person) -> None:
    page.fill("#id_login", person.email)
    page.fill("#id_password", PASSWORD)
    with page.expect_navigation():
        page.click("main button.btn")


def test_a_question_survives_the_end_of_the_session(chromium, live_server):
    response, met = ResponseFactory(need=NeedFactory(in_state="open")), {}
    asking = Person(chromium, live_server.url, person_with(Role.FOCAL_POINT), met)
    address = f"/responses/{response.reference}/"
    asking.go(address)
    asking.write("Your question or answer", WORDS)
    end_sessions()
    asking.press("Send")
    asking.says("What you entered is kept for an hour.")
    asking.write("E-mail address", asking.user.email)
    asking.write("Password", PASSWORD)
    asking.press("Sign in")
    assert asking.page.url == live_server.url + address
    asking.says("You had been signed out, so this was not sent.", "What you entered is back in the form.")
    assert asking.page.input_value("#id_text") == WORDS
    asking.press("Send")
    asking.says(WORDS)
    assert not UnsentForm.objects.exists()
    check_with_axe(chromium, live_server.url, met, {None: None})


def test_a_draft_survives_in_arabic_with_its_scripts(chromium, live_server):
    person, need = person_with(Role.CONTRIBUTOR), NeedFactory(problem="")
    person.language = "ar"
    person.save()
    page = page_of(chromium, live_server.url, person)
    address = f"{live_server.url}/ar/needs/{need.reference}/draft/problem/"
    page.goto(address)
    page.fill("#id_problem", WORDS)
    end_sessions()
    page.click("#part .acts .btn >> nth=0")
    page.wait_for_url("**/accounts/login/**")
    sign_in(page, person)
    page.wait_for_url(address)
    assert page.input_value("#id_problem") == WORDS and page.locator(".unsent").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.fill("#id_problem", f"{WORDS} Soon.")
    until(page, lambda: Need.objects.get(pk=need.pk).problem == f"{WORDS} Soon.")  # saved in the background
    until(page, lambda: not UnsentForm.objects.exists())
    assert page.evaluate("window.__refused") == []


def test_a_form_of_admin_survives_with_the_rows_that_were_added(chromium, live_server):
    person, project = person_with(Role.ADMINISTRATOR), ProjectFactory(title="Before")
    page = page_of(chromium, live_server.url, person)
    address = live_server.url + reverse("admin:projects_project_change", args=[project.pk])
    page.goto(address)
    before = int(page.input_value("#id_country_links-TOTAL_FORMS"))
    page.locator("#country_links-group .add-row a").click()
    page.fill(f"#id_country_links-{before}-note", "A new row")
    uganda = Country.objects.get(iso3="UGA")
    page.evaluate(CHOOSE, [f"#id_country_links-{before}-country", str(uganda.pk)])
    end_sessions()
    with page.expect_response("**/similar/**"):  # a script finds the session over first: its cookie is gone then
        page.fill("#id_title", WORDS)
    page.click("[name=_continue]")
    page.wait_for_url("**/accounts/login/**")
    sign_in(page, person)
    page.wait_for_url(address)
    assert page.input_value("#id_title") == WORDS
    assert page.input_value(f"#id_country_links-{before}-note") == "A new row"
    assert "Uganda" in page.inner_text(f"#country_links-{before}")
    page.locator("#country_links-group .add-row a").click()
    assert page.input_value("#id_country_links-TOTAL_FORMS") == str(before + 2)
    page.click("[name=_continue]")
    page.wait_for_load_state()
    assert page.locator(".errornote").count() == 0, page.inner_text("main")[:2000]
    assert Project.objects.get(pk=project.pk).title == WORDS
    assert project.country_links.get(country=uganda).note == "A new row"
    assert page.evaluate("window.__refused") == []
