"""A form that was sent after the session had ended, or after it had expired, comes back with what was typed."""

import re
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.contrib.sessions.models import Session
from django.core.files import uploadhandler
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver, reverse
from django.urls.resolvers import URLResolver
from django.utils import timezone
from lxml import html

from outreach import contact
from outreach.models import ContactMessage
from partners import tasks, unsent
from partners.models import UnsentForm
from partners.refilling import Page
from projects.models import Need, Project
from tests.admin_form import shown, text_field
from tests.factories import NeedFactory, OfferFactory, ProjectFactory, ResponseFactory
from tests.test_admin_writing import records

pytestmark = [pytest.mark.django_db, pytest.mark.ignore_template_errors]
PASSWORD = "a long enough password"
TYPED = "Typed: ä “quoted” <b>\r\nسطر آخر"
OWN = {"csrfmiddlewaretoken", unsent.KEY}  # of each page that is shown


def send(client, address: str, data: dict, page: str | None = None, **more):
    """As a browser would: with the page that it comes from."""
    return client.post(address, data, HTTP_REFERER=f"http://testserver{page or address}", HTTP_ORIGIN="http://testserver", **more)  # fmt: skip


def end_sessions() -> None:
    Session.objects.all().delete()


def sign_in_again(client, person, answer):
    """Through the page that the answer leads to; gives the page that is shown then."""
    assert answer.status_code == 302 and "/accounts/login/" in answer["Location"], (answer.status_code, answer.headers)
    page = client.get(answer["Location"], follow=True)
    EmailAddress.objects.get_or_create(user=person, email=person.email, verified=True, primary=True)
    values = {"login": person.email, "password": PASSWORD, "next": page.context["redirect_field_value"]}
    return client.post("/accounts/login/", values, follow=True)


def root_of(page):
    return html.fromstring(page.content, parser=html.HTMLParser(encoding="utf-8"))


def said(page) -> str:
    return root_of(page).text_content()


def form_to(page, address: str) -> dict:
    """What the form of a page carries that is sent to that address."""
    form = next(
        f
        for f in root_of(page).forms
        if f.get("method") == "post" and (f.get("action", "").partition("#")[0] or address) == address
    )
    data: dict = {}
    for name, value in form.form_values():
        data.setdefault(name, []).append(value.removeprefix("\n"))
    return data


def errors(page) -> list[str]:
    found = root_of(page).xpath("//*[contains(@class, 'errorlist') or contains(@class, 'summary')]")
    return [" ".join(one.text_content().split()) for one in found]


def same(sent: dict, found: dict) -> dict:
    """Where two forms differ."""

    def plain(data):
        texts = {n: [str(one).replace("\r\n", "\n") for one in (v if isinstance(v, list) else [v])] for n, v in data.items()}  # fmt: skip
        return {n: v for n, v in texts.items() if n not in OWN and any(v)}

    sent, found = plain(sent), plain(found)
    return {n: (sent.get(n), found.get(n)) for n in sent | found if sent.get(n) != found.get(n)}


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


def test_every_page_that_takes_forms_leads_to_the_sign_in():
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
        answer = send(Client(), address, {"text": "Typed"}, "/about/")
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


def test_every_form_of_admin_leads_to_the_sign_in_and_back_to_its_page(settings):
    settings.ACCOUNT_RATE_LIMITS = {}  # all of them from one address
    led = []
    for route in routes():
        if not route.startswith("admin/") or "(?P" in route or f"/{route}".startswith(unsent.SIGNING):
            continue
        address = "/" + re.sub(r"<(?:\w+:)?(\w+)>", "1", route)
        answer = send(Client(), address, {"text": "Typed"}, "/admin/some/page/")
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
    seen = set()
    for model, record in records(people):
        name = f"{model._meta.app_label}_{model._meta.model_name}"
        for address in (reverse(f"admin:{name}_change", args=[record.pk]), reverse(f"admin:{name}_add")):
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
    assert {(Project, False), (Project, True)} <= seen and len(seen) >= 20, seen


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
    name = next((n for n in data if n.startswith("form-0-") and not n.endswith("-id")), None)
    if name is None:
        pytest.skip("this list has no field to be changed")
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
    client, need = Client(enforce_csrf_checks=True), NeedFactory()
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


# --- the record moved on meanwhile -----------------------------------------------------------------------------------
def typed_answers(page) -> dict:
    """What the page shows to be copied: {label: text}."""
    found = root_of(page).xpath("//section[@aria-labelledby='h-typed']//dl")[0]
    labels = [one.text_content() for one in found.xpath("dt")]
    return dict(zip(labels, [one.text_content() for one in found.xpath("dd")], strict=True))


def test_what_was_typed_in_a_draft_that_was_submitted_meanwhile_is_shown(client, people):
    need = NeedFactory()
    client.force_login(people["contributor"])
    page = f"/needs/{need.reference}/draft/problem/"
    data = form_to(client.get(page), page) | {"problem": TYPED, "gap": ["<script>x</script>"]}
    Need.objects.filter(pk=need.pk).update(state="submitted")
    answer = send(client, page, data)
    assert answer.status_code == 403 and "It is “submitted” now, so this part cannot be changed." in said(answer)
    assert f"{need.reference} is “submitted” now." in said(answer)
    assert f'href="{need.get_absolute_url()}"' in answer.content.decode()
    found = typed_answers(answer)
    assert found["Problem"].replace("\n", "") == TYPED.replace("\r\n", "").replace("\n", "")
    assert found["What is missing"] == "<script>x</script>" and "Seen" not in found
    assert answer["Cache-Control"] == "private, no-store" and not UnsentForm.objects.exists()
    Need.objects.filter(pk=need.pk).update(state="withdrawn")
    assert "It is “withdrawn” now, so this part cannot be changed." in said(send(client, page, data))


def test_lines_typed_in_a_draft_that_was_submitted_meanwhile_are_shown(client, people):
    need = NeedFactory()
    client.force_login(people["contributor"])
    page = f"/needs/{need.reference}/draft/lines/"
    data = form_to(client.get(page), page)
    spare = int(data["lines-TOTAL_FORMS"][0]) - 1
    data |= {f"lines-{spare}-text": ["A line of mine"], f"lines-{spare}-unit": ["visits"]}
    Need.objects.filter(pk=need.pk).update(state="submitted")
    found = typed_answers(send(client, page, data))
    assert "A line of mine" in found.values() and "visits" in found.values()
    assert not [label for label in found if "FORMS" in label or label.lower().endswith(" id")]
    in_background = send(client, page, data, HTTP_X_BACKGROUND="save")
    assert in_background.status_code == 403 and "Not saved." in in_background.json()["said"]


def test_what_was_typed_for_a_record_that_is_gone_is_shown(client, people):
    need = NeedFactory()
    client.force_login(people["contributor"])
    page = f"/needs/{need.reference}/draft/problem/"
    data = form_to(client.get(page), page) | {"problem": "Typed for nothing"}
    need.delete()
    answer = send(client, page, data)
    assert answer.status_code == 404 and "it was deleted, has moved, or is visible to fewer people" in said(answer)
    assert typed_answers(answer)["Problem"] == "Typed for nothing"


@pytest.mark.parametrize(
    ("role", "state", "address", "data"),
    [
        ("focal_point", "closed", "/needs/{need}/plan/", {"plan": "A plan of mine"}),
        ("contributor", "open", "/needs/{need}/move/submit/", {"note": "A note of mine"}),
        ("partner_member", "open", "/needs/{need}/progress/", {"note": "A note of mine"}),
        ("partner_member", "open", "/responses/{response}/accept/", {"note": "A note of mine"}),
        ("contributor", "open", "/offers/{offer}/draft/about/", {"summary": "Words of mine"}),
    ],
)
def test_what_was_typed_on_any_page_that_is_refused_is_shown(client, people, role, state, address, data):
    need, offer = NeedFactory(in_state=state), OfferFactory(in_state="active")
    response = ResponseFactory(need=NeedFactory(in_state="open"))
    client.force_login(people[role])
    address = address.format(need=need.reference, offer=offer.reference, response=response.reference)
    answer = send(client, address, data | {"seen": "1", "password": "p1"})
    assert answer.status_code in (403, 404), answer.status_code
    assert list(typed_answers(answer).values()) == list(data.values()) and "p1" not in said(answer)


def test_a_press_that_is_refused_and_what_other_sites_send_is_answered_as_before(client, people):
    need = NeedFactory(in_state="open")
    client.force_login(people["contributor"])
    address = f"/needs/{need.reference}/plan/"
    assert not root_of(send(client, address, {})).xpath("//*[@id='h-typed']")
    planted = client.post(address, {"plan": "Planted"}, HTTP_ORIGIN="https://evil.example")
    assert planted.status_code == 403 and b"Planted" not in planted.content


# --- who sees it, how long -------------------------------------------------------------------------------------------
@pytest.fixture
def kept(client, people):
    """A text of the contributor that waits in this browser: (its page, what was typed)."""
    person, need = people["contributor"], NeedFactory()
    EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)
    client.post("/accounts/login/", {"login": person.email, "password": PASSWORD})
    page = f"/needs/{need.reference}/draft/problem/"
    data = form_to(client.get(page), page) | {"problem": "Secret words"}
    end_sessions()
    send(client, page, data)
    assert UnsentForm.objects.get().user == person
    return page, data


def test_nobody_else_who_signs_in_sees_it(client, people, kept):
    page, _data = kept
    assert b"Secret words" not in client.get(page, follow=True).content
    for other in ("focal_point", "administrator"):
        client.force_login(people[other])
        assert b"Secret words" not in client.get(page).content
        assert page not in client.get("/dashboard/").content.decode()
    elsewhere = Client()
    elsewhere.force_login(people["contributor"])
    assert b"Secret words" not in elsewhere.get(page).content
    client.force_login(people["contributor"])
    assert b"Secret words" in client.get(page).content


def test_the_author_is_known_from_the_session_that_ended(client, people, settings):
    client.force_login(people["contributor"])
    Session.objects.update(expire_date=timezone.now() - timedelta(minutes=1))
    send(client, "/needs/new/", {"title": "Expired"})
    assert UnsentForm.objects.get().user == people["contributor"]
    UnsentForm.objects.all().delete()
    client.force_login(people["desk"])
    session = client.session
    session["used_at"] -= int(timedelta(hours=3).total_seconds())
    session.save()
    send(client, "/admin/projects/project/add/", {"title": "Idle"})
    assert UnsentForm.objects.get().user == people["desk"]


def test_what_is_kept_cannot_be_read_in_the_database(client, kept):
    row = UnsentForm.objects.get()
    secret = client.cookies[unsent.COOKIE]
    assert "Secret" not in str(vars(row)) and secret.value not in str(vars(row))
    assert (secret["httponly"], secret["samesite"], secret["max-age"]) == (True, "Lax", 3600)


def test_passwords_and_tokens_are_never_kept(client):
    given = {
        "title": "x",
        "password": "p1",
        "new_password2": "p2",
        "api_token": "p3",
        "otp": "p4",
        "carbon_footprint": "5",
    }
    send(client, "/needs/new/", given | {"csrfmiddlewaretoken": "p5"})
    [form] = unsent.waiting(_request(client))
    assert dict(form.fields) == {"title": "x", "carbon_footprint": "5"}
    UnsentForm.objects.all().delete()
    for address in (
        "/accounts/password/change/",
        "/accounts/email/",
        "/accounts/login/",
        "/accounts/2fa/totp/activate/",
        "/admin/login/",
        "/admin/password_change/",
    ):
        send(client, address, {"code": "123456", "email": "a@example.org"})
    assert not UnsentForm.objects.exists()


def _request(client):
    from django.test import RequestFactory

    request = RequestFactory().get("/")
    request.COOKIES[unsent.COOKIE] = client.cookies[unsent.COOKIE].value
    return request


def test_files_are_named_to_be_chosen_again(client, people):
    need = NeedFactory()
    client.force_login(people["contributor"])
    end_sessions()
    page = f"/needs/{need.reference}/draft/documents/"
    file = SimpleUploadedFile("letter of the ministry.pdf", b"%PDF-SECRET")
    answer = send(client, page, {"kind": "other", "title": "Typed", "file": file})
    again = sign_in_again(client, people["contributor"], answer)
    assert "Choose these files again: letter of the ministry.pdf" in said(again)
    assert form_to(again, page)["title"] == ["Typed"]


@pytest.mark.parametrize("publisher", ["UNDP Open Data", ""])
@pytest.mark.parametrize("name", ["add", "table"])
def test_a_file_of_an_import_is_named_to_be_chosen_again(name, publisher, client, people):
    client.force_login(people["desk"])
    page = reverse(f"admin:projects_importrun_{name}")
    data = shown(client.get(page)) | {"publisher": publisher, "file": SimpleUploadedFile("wells.csv", b"title")}
    end_sessions()
    again = sign_in_again(client, people["desk"], send(client, page, data))
    assert "Choose these files again: wells.csv" in said(again)
    assert form_to(again, page)["publisher"] == [publisher]


@pytest.fixture
def files_begun(monkeypatch):
    """The names of files that were begun to be kept, in memory or on disk."""
    begun = []
    for handler in ("MemoryFileUploadHandler", "TemporaryFileUploadHandler"):
        cls = getattr(uploadhandler, handler)

        def new_file(self, field_name, file_name, *args, _kept=cls.new_file, **kwargs):
            begun.append(file_name)
            return _kept(self, field_name, file_name, *args, **kwargs)

        monkeypatch.setattr(cls, "new_file", new_file)
    return begun


def test_what_is_refused_before_its_limits_are_known_is_not_read(client, settings, files_begun):
    settings.RATES = {**settings.RATES, "page": "1/day"}
    client.cookies[unsent.COOKIE] = "x"
    client.get("/about/")
    file = SimpleUploadedFile("big.pdf", b"0" * 3_000_000)
    assert send(client, "/contact/", {"file": file}).status_code == 429
    assert files_begun == []


def test_who_lacks_a_second_factor_sends_no_more_than_the_address_takes(client, people, settings, files_begun):
    settings.SECOND_FACTOR_REQUIRED = True
    client.force_login(people["focal_point"])
    answer = send(client, "/account/", {"full_name": "x", "file": SimpleUploadedFile("big.pdf", b"0" * 3_000_000)})
    assert answer.status_code == 413 and files_begun == []
    answer = send(client, "/account/", {"full_name": "x", "file": SimpleUploadedFile("small.pdf", b"0")})
    assert answer["Location"] == "/accounts/2fa/" and files_begun == []


@pytest.mark.parametrize("header", ["HTTP_REFERER", "HTTP_ORIGIN"])
@pytest.mark.parametrize("address", ["http://[", "http://testserver//[", "http://testserver/needs/?q=%00"])
def test_an_address_that_is_none_does_no_harm(people, header, address):
    for checks in (True, False):
        client = Client(enforce_csrf_checks=checks)
        assert client.post("/account/", {"full_name": "x"}, **{header: address}).status_code in (302, 403)
        client.force_login(people["contributor"])
        assert client.post("/account/", {"full_name": ""}, **{header: address}).status_code in (400, 403)
    client.cookies[unsent.COOKIE] = "x"
    environ = client._base_environ(PATH_INFO="//[x")
    assert client.request(**environ).status_code == 404


def test_what_a_stranger_keeps_costs_the_pages_of_nobody(monkeypatch):
    monkeypatch.setattr(unsent, "MOST_BYTES", 4000)
    client = Client()
    answers = [send(client, "/needs/new/", {"title": f"{number}" * 900}) for number in range(4)]
    assert [answer.status_code for answer in answers] == [302, 302, 302, 400]
    assert "3" * 900 in said(answers[-1])
    monkeypatch.setattr(unsent, "waiting", None)  # nothing of it is read
    assert client.get("/about/").status_code == 200
    assert "kept for an hour" in said(client.get("/accounts/login/"))
    UnsentForm.objects.all().delete()
    assert "kept for an hour" not in said(client.get("/accounts/login/"))


def test_strangers_leave_room_for_people(client, people, monkeypatch):
    monkeypatch.setattr(unsent, "MOST_OF_STRANGERS", 2)
    answers = [send(Client(), "/needs/new/", {"title": "Typed by a stranger"}) for _n in range(3)]
    assert [answer.status_code for answer in answers] == [302, 302, 400]
    assert "Typed by a stranger" in said(answers[-1])
    client.force_login(people["contributor"])
    Session.objects.update(expire_date=timezone.now() - timedelta(minutes=1))
    assert send(client, "/needs/new/", {"title": "Typed"}).status_code == 302


def test_nobody_discards_what_another_typed(client, people, kept):
    client.force_login(people["focal_point"])
    answer = client.post(f"/account/unsent/{UnsentForm.objects.get().pk}/discard/")
    assert answer["Location"] == "/" and UnsentForm.objects.count() == 1


def test_what_came_back_and_was_refused_on_the_way_to_its_page_is_still_kept(client, people):
    response = ResponseFactory()
    page, address = f"/responses/{response.reference}/", f"/responses/{response.reference}/document/"
    client.force_login(people["partner_lead"])
    end_sessions()
    answer = send(client, address, {"title": "Typed title"}, page)
    again = sign_in_again(client, people["partner_lead"], answer)
    assert 'value="Typed title"' in again.content.decode()
    refused = send(client, address, {"title": "Typed title", unsent.KEY: UnsentForm.objects.get().pk}, page)
    assert refused["Location"] == page  # a file was missing
    assert 'value="Typed title"' in client.get(page).content.decode()


def test_after_an_hour_it_is_gone(client, people, kept):
    page, _data = kept
    UnsentForm.objects.update(created_at=timezone.now() - timedelta(minutes=61))
    client.force_login(people["contributor"])
    again = client.get(page)
    assert b"Secret words" not in again.content
    tasks.clear_sessions(timestamp=0)
    assert not UnsentForm.objects.exists()


def test_it_can_be_discarded(client, people, kept):
    page, _data = kept
    client.force_login(people["contributor"])
    address = reverse("unsent-drop", args=[UnsentForm.objects.get().pk])
    assert Client().post(address).status_code == 302 and UnsentForm.objects.exists()  # in another browser
    assert address in client.get(page).content.decode()
    assert send(client, address, {}, page)["Location"] == page
    assert not UnsentForm.objects.exists() and b"Secret words" not in client.get(page).content
    assert client.cookies[unsent.COOKIE].value == ""


def test_other_pages_lead_back_to_the_form(client, people, kept):
    """Where the way through the sign-in was lost, as after setting up a second factor."""
    page, _data = kept
    assert "kept for an hour" in said(client.get("/accounts/login/"))
    client.force_login(people["contributor"])
    for elsewhere in ("/dashboard/", "/accounts/2fa/", "/needs/"):
        answer = client.get(elsewhere)
        assert f'href="{page}"' in answer.content.decode() and b"Secret words" not in answer.content, elsewhere


def test_a_missing_second_factor_loses_nothing(client, people, settings):
    settings.SECOND_FACTOR_REQUIRED = True
    need = NeedFactory()
    page = f"/needs/{need.reference}/draft/problem/"
    client.force_login(people["focal_point"])
    answer = send(client, page, {"problem": TYPED})
    assert answer["Location"] == "/accounts/2fa/"
    settings.SECOND_FACTOR_REQUIRED = False  # it is set up
    again = client.get(page)
    assert form_to(again, page)["problem"] == [TYPED.replace("\r\n", "\n")] and "second factor" in said(again)


def test_an_expired_form_of_somebody_without_second_factor_is_kept(people, settings):
    settings.SECOND_FACTOR_REQUIRED = True
    client, page = Client(enforce_csrf_checks=True), "/needs/new/"
    client.force_login(people["focal_point"])
    answer = send(client, page, {"title": TYPED, "csrfmiddlewaretoken": "x" * 64})
    assert answer["Location"] == "/accounts/2fa/"
    settings.SECOND_FACTOR_REQUIRED = False
    assert form_to(client.get(page), page)["title"] == [TYPED.replace("\r\n", "\n")]


def test_what_is_too_much_to_be_kept_is_shown_to_be_sent_later(client, monkeypatch):
    monkeypatch.setattr(unsent, "MOST_FORMS", 3)
    need, long = NeedFactory(), "words " * 200_000
    page = f"/needs/{need.reference}/draft/problem/"
    answer = send(client, page, {"problem": long})
    assert answer.status_code == 400 and not UnsentForm.objects.exists()
    assert "sign in in another tab" in said(answer) and form_to(answer, page)["problem"] == [long]
    for number in range(unsent.MOST_FORMS):
        assert send(client, page, {"problem": f"Text {number}"}).status_code == 302
    answer = send(client, page, {"problem": "One more"})
    assert answer.status_code == 400 and form_to(answer, page)["problem"] == ["One more"]


def test_one_address_keeps_only_so_many(settings):
    settings.ACCOUNT_RATE_LIMITS = settings.ACCOUNT_RATE_LIMITS | {"unsent": "3/h/ip"}
    for _browser in range(5):
        send(Client(), "/needs/new/", {"title": "x"})
    assert UnsentForm.objects.count() == 3


def test_pressed_twice_it_is_kept_once(client):
    for _press in range(2):
        send(client, "/needs/new/", {"title": "x"})
    assert UnsentForm.objects.count() == 1


def test_the_same_words_of_two_people_at_one_browser_are_both_kept(client, people):
    for name in ("contributor", "focal_point"):
        client.force_login(people[name])
        Session.objects.update(expire_date=timezone.now() - timedelta(minutes=1))
        send(client, "/needs/new/", {"title": "x"})
    assert {form.user for form in UnsentForm.objects.all()} == {people["contributor"], people["focal_point"]}


def test_two_texts_of_one_page_are_both_kept(client, people):
    for title in ("First", "Second"):
        send(client, "/needs/new/", {"title": title, "key": title, "kind": "capacity"})
    client.force_login(people["contributor"])
    again = client.get("/needs/new/")
    assert form_to(again, "/needs/new/")["title"] == ["Second"]
    assert send(client, "/needs/new/", form_to(again, "/needs/new/")).status_code == 302
    assert form_to(client.get("/needs/new/"), "/needs/new/")["title"] == ["First"]


def test_the_same_sent_from_the_old_page_is_no_longer_kept(client, people, kept):
    page, data = kept
    client.force_login(people["contributor"])
    assert send(client, page, data).status_code == 302  # pressed Back, and sent it from there
    assert not UnsentForm.objects.exists()


def test_ordinary_requests_ask_for_nothing_of_it(client, people):
    client.force_login(people["contributor"])
    with CaptureQueriesContext(connection) as asked:
        client.get("/account/")
        client.get("/contact/")
        client.post("/account/", {"full_name": ""})
    assert asked.captured_queries and "unsentform" not in str(asked.captured_queries)


def test_a_form_that_came_back_and_was_refused_is_not_called_unsent_later(client, people, kept):
    page, _data = kept
    client.force_login(people["contributor"])
    answer = send(client, page, form_to(client.get(page), page) | {"title": ""})
    assert answer.status_code == 400 and b"Secret words" in answer.content
    assert send(client, page, form_to(answer, page) | {"title": "A title"}).status_code == 302
    assert "was not sent" not in said(client.get(page)) and not UnsentForm.objects.exists()


def test_who_may_no_longer_enter_admin_still_reads_what_was_typed(client, people):
    client.force_login(people["desk"])
    address = reverse("admin:projects_project_add")
    session = client.session
    session["used_at"] -= int(timedelta(hours=3).total_seconds())
    session.save()
    send(client, address, {"title": "Typed words"})
    people["desk"].memberships.update(revoked_at=timezone.now(), revoked_by=people["administrator"])
    client.force_login(people["desk"])
    answer = client.get(address)
    assert answer.status_code == 200 and "Typed words" in said(answer) and "Not sent yet" in said(answer)


def test_signs_that_no_page_can_show_do_no_harm(client, people):
    send(client, "/needs/new/", {"title": "a\x00b\x0bc\ufffed"})
    client.force_login(people["contributor"])
    assert form_to(client.get("/needs/new/"), "/needs/new/")["title"] == ["abcd"]


# --- filling a page --------------------------------------------------------------------------------------------------
def filled(form: str, fields: list) -> tuple[str, list]:
    page = Page(f"<!doctype html><html><body><main><form method='post'>{form}</form></main></body></html>".encode())
    found = page.form_for(lambda action: True, set())
    left = page.fill(found, fields)
    return str(page), left


@pytest.mark.parametrize(
    ("form", "fields", "want"),
    [
        ('<input name="a" value="old">', [("a", 'n"<')], '<input name="a" value=\'n"&lt;\'>'),
        ('<input type="hidden" name="a" value="1">', [("a", "2")], '<input type="hidden" name="a" value="2">'),
        ('<input type="checkbox" name="a" checked>', [("b", "")], '<input type="checkbox" name="a">'),
        ('<input type="radio" name="a" value="1"><input type="radio" name="a" value="2" checked>', [("a", "1")], '<input type="radio" name="a" value="1" checked><input type="radio" name="a" value="2">'),
        ('<select name="a" multiple><option value="1" selected><option value="2"></select>', [("a", "2")], '<select name="a" multiple><option value="1"></option><option value="2" selected></option></select>'),
        ('<textarea name="a">\nold</textarea>', [("a", "\r\nx\r\ny</textarea>")], '<textarea name="a">\n\nx\ny&lt;/textarea&gt;</textarea>'),
        ('<input name="a"><input name="a">', [("a", "1"), ("a", "2")], '<input name="a" value="1"><input name="a" value="2">'),
        ('<input type="password" name="a"><input type="file" name="b">', [("a", "1"), ("b", "2")], '<input type="password" name="a"><input type="file" name="b">'),
        ('<input name="a" value="1" disabled>', [("b", "")], '<input name="a" value="1" disabled>'),
        ('<input name="csrfmiddlewaretoken" value="new">', [("csrfmiddlewaretoken", "")], '<input name="csrfmiddlewaretoken" value="new">'),
    ],
)  # fmt: skip
def test_controls_are_filled(form, fields, want):
    text, left = filled(form, fields)
    assert want in text and left == []


def test_numbers_of_rows_that_nobody_can_count_make_no_rows():
    page = Page(b"<form method=post><input name=l-TOTAL_FORMS><p><input name=l-0-a></p></form>")
    many = "1" * 5000
    [form] = page.root.forms
    left = page.fill(form, [("l-TOTAL_FORMS", many), (f"l-{many}-a", "Typed"), ("l-TOTAL_FORMS", "3")])
    assert (f"l-{many}-a", "Typed") in left and len(form.findall(".//p")) == 1


def test_what_has_no_place_is_named():
    text, left = filled('<input name="a"><select name="c"><option value="1">1</option></select><button name="save" value="1">', [("a", "1"), ("b", "words"), ("c", "9"), ("d", " "), ("save", "1")])  # fmt: skip
    assert left == [("b", "words"), ("c", "9")] and "words" not in text
