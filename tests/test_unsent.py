"""A form that was sent after the session had ended, or after it had expired, comes back with what was typed."""

import re

import pytest
from django.test import Client
from django.urls import get_resolver, reverse
from django.urls.resolvers import URLResolver

from outreach import contact
from outreach.models import ContactMessage
from partners import unsent
from partners.models import UnsentForm
from projects.models import Need, Project
from tests import THOROUGH
from tests.admin_form import shown, text_field
from tests.factories import NeedFactory, OfferFactory, ProjectFactory, ResponseFactory
from tests.forms_typed import (
    PASSWORD,
    TYPED,
    browser_of,
    end_sessions,
    errors,
    form_to,
    said,
    same,
    send,
    sign_in_again,
)
from tests.test_admin_writing import records

pytestmark = [pytest.mark.django_db, pytest.mark.ignore_template_errors]


# --- pages -----------------------------------------------------------------------------------------------------------
def pages_with_forms():
    """(role, page, address of the form, what is typed, how it is seen that it was saved)."""
    need, offer, draft = NeedFactory(in_state="open"), OfferFactory(), NeedFactory()
    response = ResponseFactory(need=need)
    begun, talking = NeedFactory(in_state="submitted"), NeedFactory(in_state="in_dialogue")

    def stored(record, name):
        return lambda: getattr(type(record).objects.get(pk=record.pk), name)

    part = f"/needs/{draft.reference}/draft/problem/"
    yield "contributor", part, part, {"problem": TYPED, "title": "Typed title"}, stored(draft, "title")
    lines = f"/needs/{draft.reference}/draft/lines/"
    yield (
        "contributor",
        lines,
        lines,
        {"lines-2-text": "Typed line", "lines-3-text": "Typed too"},
        (lambda: [line.text for line in draft.lines.all()]),
    )
    part = f"/offers/{offer.reference}/draft/what/"
    yield "partner_lead", part, part, {"title": "Typed title"}, stored(offer, "title")
    yield (
        "contributor",
        "/needs/new/",
        "/needs/new/",
        {"title": "Typed title"},
        (lambda: list(Need.objects.values_list("title", flat=True))),
    )
    yield "contributor", "/account/", "/account/", {"full_name": "Typed Name"}, None
    page = f"/responses/{response.reference}/"
    yield "focal_point", page, page, {"text": "Typed question"}, None
    page = f"/needs/{begun.reference}/move/return/"
    yield "desk", page, page, {"note": "Typed question"}, None
    page = f"/needs/{talking.reference}/plan/"
    yield "desk", page, page, {"plan": "Typed plan"}, stored(talking, "plan")


def test_what_was_typed_on_pages_comes_back_after_signing_in(client, people):
    for role, page, address, text, stored in pages_with_forms():
        client.cookies.clear()
        client.force_login(people[role])
        shown_page = client.get(page)
        assert shown_page.status_code == 200, (role, page)
        data = form_to(shown_page, address) | text
        end_sessions()
        again = sign_in_again(client, people[role], send(client, address, data, page))
        assert again.request["PATH_INFO"] == page and "had been signed out" in said(again), page
        found = form_to(again, address)
        assert same(data, found) == {}, page
        answer = send(client, address, found, page)
        assert answer.status_code == 302, (page, errors(answer))
        if stored:
            assert "Typed" in str(stored()), page
        assert not UnsentForm.objects.exists(), page
        assert "had been signed out" not in said(client.get(page)), page


def test_it_comes_back_in_the_language_of_the_person(client, people):
    person, need = people["contributor"], NeedFactory()
    person.language = "ar"
    person.save()
    client.force_login(person)
    page = f"/needs/{need.reference}/draft/problem/"
    data = form_to(client.get(page), page) | {"problem": TYPED}
    end_sessions()
    again = sign_in_again(client, person, send(client, page, data))
    assert again.request["PATH_INFO"] == f"/ar{page}"
    assert same(data, form_to(again, page)) == {}


def test_a_button_alone_leads_back_to_its_page(client, people):
    need = NeedFactory(in_state="open")
    client.force_login(people["desk"])
    end_sessions()
    page = f"/needs/{need.reference}/"
    again = sign_in_again(client, people["desk"], send(client, f"{page}follow/", {}, page))
    assert again.request["PATH_INFO"] == page and "Press the button again." in said(again)


def test_what_has_no_form_any_more_is_shown_and_can_be_sent(client, people):
    """A part of a draft that was submitted meanwhile; an address that takes only what is sent."""
    need = NeedFactory(in_state="open")
    client.force_login(people["desk"])
    end_sessions()
    address = f"/needs/{need.reference}/follow/"
    again = sign_in_again(client, people["desk"], send(client, address, {"text": TYPED, "many": ["1", "2"]}))
    assert again.status_code == 200 and "سطر آخر" in said(again) and "Send it now" in said(again)
    found = form_to(again, address)
    assert (found["many"], found["text"][0].replace("\r\n", "\n")) == (["1", "2"], TYPED.replace("\r\n", "\n"))
    assert send(client, address, found).status_code == 302 and not UnsentForm.objects.exists()


def test_every_page_that_takes_forms_leads_to_the_sign_in(people):
    """Or is open to everybody."""
    need, offer, response, project = NeedFactory(in_state="open"), OfferFactory(in_state="active"), ResponseFactory(), ProjectFactory(published=True)  # fmt: skip
    values = {"reference": need.reference, "offer": offer.reference, "slug": "x", "action": "x", "step": "x", "key": "1", "call": "1", "token": "x", "told": "x"}  # fmt: skip
    for_path = {"offers/": offer.reference, "responses/": response.reference, "projects/": project.reference}
    led, others = [], {}
    for route in routes():
        if route.startswith(("api/", "admin/", "accounts/")) or "(?P" in route:
            continue
        reference = next((r for begins, r in for_path.items() if route.startswith(begins)), need.reference)
        address = "/" + re.sub(r"<(?:\w+:)?(\w+)>", lambda m, r=reference: (values | {"reference": r}).get(m[1], "x"), route)  # fmt: skip
        answer = send(browser_of(people["contributor"]), address, {"text": "Typed"}, "/about/")
        if answer.status_code == 302 and answer["Location"].startswith("/accounts/login/"):
            assert answer["Location"] == "/accounts/login/?next=/about/", address
            led.append(route)
        elif answer.status_code not in (404, 405):
            others[route] = answer.status_code
    assert len(led) > 40
    takes_everybody = {route for route in others if not route.endswith((".atom", ".xml"))}
    assert takes_everybody <= OPEN_FORMS, others


OPEN_FORMS = {
    "contact/", "subscribe/", "subscribe/reminder/", "subscribe/to/<slug:told>/", "subscribe/confirm/<str:token>/",
    "subscribe/choices/<str:token>/", "subscribe/stop/<str:token>/", "invitations/<str:token>/", "account/unsent/<int:key>/discard/",
}  # fmt: skip


def test_every_form_of_admin_leads_to_the_sign_in_and_back_to_its_page(people, settings):
    settings.ACCOUNT_RATE_LIMITS = {}  # all of them from one address
    led = []
    for route in routes():
        if not route.startswith("admin/") or "(?P" in route or f"/{route}".startswith(unsent.SIGNING):
            continue
        address = "/" + re.sub(r"<(?:\w+:)?(\w+)>", "1", route)
        answer = send(browser_of(people["desk"]), address, {"text": "Typed"}, "/admin/some/page/")
        if answer.status_code == 302 and answer["Location"] == "/accounts/login/?next=/admin/some/page/":
            led.append(address)
        else:
            assert address in ("/admin/jsi18n/", "/admin/autocomplete/"), (address, answer.headers)
    assert len(led) > 100


def routes(patterns=None, before: str = "") -> list[str]:
    found = []
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        route = before + str(pattern.pattern)
        found += routes(pattern.url_patterns, route) if isinstance(pattern, URLResolver) else [route]
    return found


# --- admin -----------------------------------------------------------------------------------------------------------
def test_what_was_typed_in_admin_comes_back_after_signing_in(people, client):
    """Of each record in the form of it or in the form of a new one, by turns; or in both."""
    seen = set()
    for place, (model, record) in enumerate(records()):
        name = f"{model._meta.app_label}_{model._meta.model_name}"
        forms = [reverse(f"admin:{name}_change", args=[record.pk]), reverse(f"admin:{name}_add")]
        for address in forms if THOROUGH or model is Project else forms[place % 2 :][:1]:
            client.force_login(people["administrator"])
            page = client.get(address)
            if page.status_code != 200 or "adminform" not in (page.context or {}):
                continue
            field = text_field(data := shown(page), page.context["adminform"].form)
            if not field:
                continue
            typed = data[field][0][:15] + "-typed-here"
            data |= {field: [typed], "_continue": ["1"]} | ({"reason": ["Why"]} if "reason" in data else {})
            end_sessions()
            answer = send(client, address, data)
            assert answer["Location"].startswith("/admin/login/?next=") or answer["Location"].startswith(
                "/accounts/login/"
            )
            client.force_login(people["administrator"])
            again = client.get(address)
            assert "had been signed out" in said(again), address
            assert same(data, shown(again) | {"_continue": ["1"]}) == {}, address
            if address.endswith("/change/"):
                sent = send(client, address, shown(again))
                assert sent.status_code == 302, (model, errors(sent))
                assert getattr(model._base_manager.get(pk=record.pk), field) == typed, model
            seen.add((model, address.endswith("/add/")))
            UnsentForm.objects.all().delete()
    assert {(Project, False), (Project, True)} <= seen and len(seen) >= (20 if THOROUGH else 10), seen


def test_rows_that_a_script_added_in_admin_come_back(people, client):
    project, other = ProjectFactory(), ProjectFactory()
    client.force_login(people["administrator"])
    address = reverse("admin:projects_project_change", args=[project.pk])
    data = shown(client.get(address))
    country = project.country_links.first().country
    first = int(data["country_links-TOTAL_FORMS"][0])
    for number in range(first, first + 3):
        row = {
            "id": "",
            "project": str(project.pk),
            "country": str(country.pk),
            "role": "recipient",
            "note": f"Row {number}",
        }
        data |= {f"country_links-{number}-{name}": [value] for name, value in row.items()}
    data["country_links-TOTAL_FORMS"] = [str(first + 3)]
    end_sessions()
    send(client, address, data)
    project.country_links.order_by("pk").first().delete()  # by others, meanwhile: the rows of the page are fewer
    client.force_login(people["administrator"])
    again = client.get(address)
    assert same(data, shown(again)) == {}
    assert str(country) in said(again) and other.pk


def test_a_newer_version_is_noticed_after_signing_in(people, client):
    project = ProjectFactory(title="Before")
    client.force_login(people["administrator"])
    address = reverse("admin:projects_project_change", args=[project.pk])
    data = shown(client.get(address)) | {"title": "Typed"}
    end_sessions()
    send(client, address, data)
    Project.objects.filter(pk=project.pk).update(title="By others")
    client.force_login(people["administrator"])
    answer = send(client, address, shown(client.get(address)))
    assert answer.status_code == 200 and "now “By others”" in said(answer), errors(answer)
    assert Project.objects.get(pk=project.pk).title == "By others"


def test_a_list_of_admin_keeps_what_was_changed_in_its_rows(people, client):
    project = ProjectFactory()
    client.force_login(people["administrator"])
    address = reverse("admin:projects_project_changelist")
    data = shown(client.get(address), "changelist-form")
    name = next(n for n in data if n.startswith("form-0-") and not n.endswith("-id"))
    data |= {name: ["2"], "_save": ["1"]}
    end_sessions()
    send(client, address, data)
    client.force_login(people["administrator"])
    again = client.get(address)
    assert shown(again, "changelist-form")[name] == ["2"] and project.title in said(again)


# --- a form that has expired -----------------------------------------------------------------------------------------
def test_an_expired_contact_form_is_shown_with_what_was_typed(monkeypatch):
    client = Client(enforce_csrf_checks=True)
    data = form_to(client.get("/contact/"), "/contact/") | {"name": "A. Person", "email": "a@example.org", "text": TYPED, "topic": "other"}  # fmt: skip
    client.cookies["csrftoken"] = "x" * 32  # signed in and out in another tab
    answer = send(client, "/contact/", data)
    assert answer.status_code == 400 and "This form had expired" in said(answer)
    assert "eload" not in said(answer) and "no-store" in answer["Cache-Control"]
    assert not UnsentForm.objects.exists() and unsent.COOKIE not in answer.cookies
    found = form_to(answer, "/contact/")
    assert same(data, found) == {}
    assert found["csrfmiddlewaretoken"] != data["csrfmiddlewaretoken"]
    monkeypatch.setattr(contact, "TOO_QUICK", -1)
    assert send(client, "/contact/", found).status_code == 302 and ContactMessage.objects.get().text.startswith("Typed")


def test_an_expired_form_without_any_cookie_is_shown_with_what_was_typed():
    client = Client(enforce_csrf_checks=True)
    answer = send(client, "/subscribe/", {"email": "typed@example.org", "csrfmiddlewaretoken": "x" * 64})
    assert answer.status_code == 400 and b"typed@example.org" in answer.content and "allow cookies" in said(answer)


def test_an_expired_form_of_somebody_who_is_signed_in_is_shown_with_what_was_typed(people):
    client = Client(enforce_csrf_checks=True)
    client.force_login(people["contributor"])
    need = NeedFactory()
    page = f"/needs/{need.reference}/draft/problem/"
    data = form_to(client.get(page), page) | {"problem": TYPED}
    client.cookies["csrftoken"] = "y" * 32
    answer = send(client, page, data)
    assert answer.status_code == 400 and same(data, form_to(answer, page)) == {}
    assert send(client, page, form_to(answer, page)).status_code == 302
    need.refresh_from_db()
    assert need.problem.replace("\r\n", "\n") == TYPED.replace("\r\n", "\n")


def test_an_expired_form_that_needs_a_sign_in_leads_there_first(people):
    client, need = browser_of(people["contributor"], enforce_csrf_checks=True), NeedFactory()
    page = f"/needs/{need.reference}/draft/problem/"
    answer = send(client, page, {"problem": TYPED, "csrfmiddlewaretoken": "x" * 64})
    assert answer["Location"] == f"/accounts/login/?next={page}" and UnsentForm.objects.count() == 1
    client.force_login(people["contributor"])
    assert form_to(client.get(page), page)["problem"][0] == TYPED.replace("\r\n", "\n")


def test_an_expired_sign_in_says_so_and_keeps_nothing(people):
    client = Client(enforce_csrf_checks=True)
    values = {"login": people["desk"].email, "password": PASSWORD, "csrfmiddlewaretoken": "x" * 64}
    answer = send(client, "/accounts/login/", values)
    assert answer.status_code == 400 and "Fill in the form again." in said(answer)
    assert PASSWORD not in answer.content.decode() and people["desk"].email not in answer.content.decode()
    client.force_login(people["desk"])  # in another tab
    assert send(client, "/accounts/login/?next=/needs/", values)["Location"] == "/needs/"


def test_what_other_sites_send_is_not_kept_and_not_shown(people):
    client, checked = Client(), Client(enforce_csrf_checks=True)
    for headers in ({"HTTP_ORIGIN": "https://evil.example"}, {"HTTP_REFERER": "https://evil.example/x"}, {"HTTP_SEC_FETCH_SITE": "cross-site"}, {"HTTP_ORIGIN": "null"}):  # fmt: skip
        client.post("/needs/new/", {"title": "Planted"}, **headers)
        answer = checked.post("/contact/", {"text": "Planted"}, **headers)
        assert answer.status_code == 403 and b"Planted" not in answer.content
    assert not UnsentForm.objects.exists()


def test_scripts_are_told_as_before(people):
    client, checked, need = Client(), Client(enforce_csrf_checks=True), NeedFactory()
    page = f"/needs/{need.reference}/draft/problem/"
    assert send(client, page, {"problem": "x"}, HTTP_X_BACKGROUND="save").status_code == 401
    assert send(checked, page, {"problem": "x"}, HTTP_X_BACKGROUND="save").status_code == 403
    assert send(client, "/matches/seen/", {"pairs": "x"}, HTTP_SEC_FETCH_MODE="no-cors").status_code == 302
    assert not UnsentForm.objects.exists()
