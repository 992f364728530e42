"""Forms that wait for their sender to sign in: who sees them, how much is kept and how long."""

from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.contrib.sessions.models import Session
from django.core.files import uploadhandler
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from partners import sent_once, tasks, unsent
from partners.models import UnsentForm
from tests.admin_form import shown
from tests.factories import NeedFactory, ResponseFactory
from tests.forms_typed import (
    PASSWORD,
    TYPED,
    browser_of,
    end_sessions,
    form_to,
    said,
    send,
    sign_in_again,
)

pytestmark = [pytest.mark.django_db, pytest.mark.ignore_template_errors]


@pytest.fixture
def was_here(client, people):
    """The contributor, who was signed in in this browser a while ago."""
    client.cookies.update(browser_of(people["contributor"]).cookies)
    return people["contributor"]


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


def test_what_nobody_is_known_to_have_typed_is_shown_and_not_kept(client, people):
    """Of two people at one computer, the second must not see what the first typed."""
    need = NeedFactory()
    page = f"/needs/{need.reference}/draft/problem/"
    client.force_login(people["contributor"])
    data = form_to(client.get(page), page) | {"problem": TYPED}
    client.cookies.clear()
    answer = send(client, page, data)
    assert answer.status_code == 403 and "سطر آخر" in said(answer) and "we do not know who entered it" in said(answer)
    assert f'href="/accounts/login/?next={page}"' in answer.content.decode()
    assert answer["Cache-Control"] == "private, no-store" and unsent.COOKIE not in client.cookies
    assert not UnsentForm.objects.exists()
    client.force_login(people["focal_point"])
    assert "سطر آخر" not in said(client.get(page))
    client.force_login(people["contributor"])  # in another tab
    assert send(client, page, form_to(answer, page)).status_code == 302
    need.refresh_from_db()
    assert need.problem.replace("\r\n", "\n") == TYPED.replace("\r\n", "\n")


def test_the_author_is_known_when_the_browser_was_closed_meanwhile(client, people, kept):
    page, data = kept
    UnsentForm.objects.all().delete()
    del client.cookies["sessionid"]  # and nothing is left of the session but that this person was signed in here
    again = sign_in_again(client, people["contributor"], send(client, page, data))
    assert form_to(again, page)["problem"] == ["Secret words"]


def test_a_press_of_nobody_known_leads_to_the_sign_in_and_keeps_nothing(client, people):
    need = NeedFactory(in_state="open")
    answer = send(client, f"/needs/{need.reference}/follow/", {}, need.get_absolute_url())
    assert answer["Location"] == f"/accounts/login/?next={need.get_absolute_url()}"
    assert not UnsentForm.objects.exists() and unsent.COOKIE not in client.cookies


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


def test_passwords_and_tokens_are_never_kept(client, was_here):
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
        assert client.post("/account/", {"full_name": "x"}, **{header: address}).status_code in (302, 400, 403)
        client.force_login(people["contributor"])
        assert client.post("/account/", {"full_name": ""}, **{header: address}).status_code in (400, 403)
    client.cookies[unsent.COOKIE] = "x"
    environ = client._base_environ(PATH_INFO="//[x")
    assert client.request(**environ).status_code == 404


def test_what_is_kept_costs_the_pages_of_nobody_else(client, was_here, monkeypatch):
    monkeypatch.setattr(unsent, "MOST_BYTES", 4000)
    answers = [send(client, "/needs/new/", {"title": f"{number}" * 900}) for number in range(4)]
    assert [answer.status_code for answer in answers] == [302, 302, 302, 400]
    assert "3" * 900 in said(answers[-1])
    monkeypatch.setattr(unsent, "waiting", None)  # nothing of it is read
    assert client.get("/about/").status_code == 200
    assert "kept for an hour" in said(client.get("/accounts/login/"))
    UnsentForm.objects.all().delete()
    assert "kept for an hour" not in said(client.get("/accounts/login/"))


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
    sent = {"title": "Typed title", sent_once.BACK: UnsentForm.objects.get().pk}
    type(response).objects.filter(pk=response.pk).update(state="declined")
    refused = send(client, address, sent | {"file": SimpleUploadedFile("a.pdf", b"%PDF-1.4")}, page)
    assert refused.status_code == 409 and "Typed title" in said(refused)
    assert "Typed title" in client.get(page).content.decode()


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


def test_what_is_too_much_to_be_kept_is_shown_to_be_sent_later(client, was_here, monkeypatch):
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


def test_one_address_keeps_only_so_many(client, was_here, settings):
    settings.ACCOUNT_RATE_LIMITS = settings.ACCOUNT_RATE_LIMITS | {"unsent": "3/h/ip"}
    for number in range(5):
        send(client, "/needs/new/", {"title": f"x{number}"})
    assert UnsentForm.objects.count() == 3


def test_pressed_twice_it_is_kept_once(client, was_here):
    for _press in range(2):
        send(client, "/needs/new/", {"title": "x"})
    assert UnsentForm.objects.count() == 1


def test_the_same_words_of_two_people_at_one_browser_are_both_kept(client, people):
    for name in ("contributor", "focal_point"):
        client.force_login(people[name])
        Session.objects.update(expire_date=timezone.now() - timedelta(minutes=1))
        send(client, "/needs/new/", {"title": "x"})
    assert {form.user for form in UnsentForm.objects.all()} == {people["contributor"], people["focal_point"]}


def test_two_texts_of_one_page_are_both_kept(client, people, was_here):
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


def test_signs_that_no_page_can_show_do_no_harm(client, people, was_here):
    send(client, "/needs/new/", {"title": "a\x00b\x0bc\ufffed"})
    client.force_login(people["contributor"])
    assert form_to(client.get("/needs/new/"), "/needs/new/")["title"] == ["abcd"]
