"""Accounts and roles: signing up and in, the second factor, limits, asking, granting, inviting, ending."""

import datetime as dt
import re

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from allauth.usersessions.models import UserSession
from django.core import mail
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from partners import joining, letters
from partners.accounts import SecondFactorAdapter
from partners.choices import COUNTRY_ROLES, Role
from partners.models import Country, Invitation, JoinRequest, Membership, Partner, User
from tests.factories import MembershipFactory, UserFactory

pytestmark = pytest.mark.django_db
PASSWORD = "a long enough password"


@pytest.fixture(autouse=True)
def no_limits_of_other_tests():
    from django.core.cache import cache

    cache.clear()


def queued() -> list[dict]:
    return [job.args for job in ProcrastinateJob.objects.filter(task_name="partners.send_mail").order_by("pk")]


def someone(email="awa@example.org", **fields) -> User:
    user = User.objects.create_user(email, PASSWORD, **fields)
    user.vouch_for_address()
    return user


def sign_in_by_form(client, email="awa@example.org", password=PASSWORD, **extra):
    return client.post("/accounts/login/", {"login": email, "password": password}, **extra)


# --- signing up and in -----------------------------------------------------------------------------------------------------
def test_sign_up_confirm_sign_in(client):
    answer = client.post("/accounts/signup/", {"email": "New@Example.org", "password1": PASSWORD})
    assert answer.status_code == 302
    assert mail.outbox == []  # it waits in the queue
    (message,) = queued()
    assert message["email"] == "new@example.org"
    link = re.search(r"http://testserver(/\S+)", message["text"])[1]
    assert client.get(link).status_code == 200
    assert not EmailAddress.objects.get().verified  # opening a link writes nothing
    assert client.post(link).status_code == 302
    user = User.objects.get(email="new@example.org")
    assert not user.active_memberships
    assert sign_in_by_form(client, "new@example.org")["Location"] in ("/dashboard/", "/account/join/")


def test_no_page_tells_whether_an_address_has_an_account(client):
    someone()
    known = client.post("/accounts/signup/", {"email": "awa@example.org", "password1": PASSWORD})
    unknown = client.post("/accounts/signup/", {"email": "nobody@example.org", "password1": PASSWORD})
    assert (known.status_code, known["Location"]) == (unknown.status_code, unknown["Location"])
    reset = [
        client.post("/accounts/password/reset/", {"email": e})["Location"] for e in ("awa@example.org", "x@example.org")
    ]
    assert reset[0] == reset[1]
    wrong = [sign_in_by_form(client, e, "wrong password!!").content for e in ("awa@example.org", "x@example.org")]
    texts = [re.findall(rb"<li><a href=\"#id_login\">(.*?)</a>", w) for w in wrong]
    assert texts[0] == texts[1] != []


def inserted(client, email) -> list[str]:
    """Into which tables sign-up writes for an address, whether that is kept or taken back."""
    with CaptureQueriesContext(connection) as done:
        client.post("/accounts/signup/", {"email": email, "password1": PASSWORD})
    found = [re.search(r'INSERT INTO "(\w+)"', q["sql"]) for q in done.captured_queries]
    return sorted(one[1] for one in found if one and one[1] != "portal_cache")


def test_sign_up_writes_as_much_for_a_known_address_and_keeps_nothing_of_it():
    someone()
    before = User.objects.count(), EmailAddress.objects.count()
    known, unknown = inserted(Client(), "awa@example.org"), inserted(Client(), "nobody@example.org")
    assert known == [one for one in unknown if one != "account_emailconfirmation"] and "partners_user" in known
    assert (User.objects.count(), EmailAddress.objects.count()) == (before[0] + 1, before[1] + 1)
    mails = queued()
    assert [one["email"] for one in mails] == ["awa@example.org", "nobody@example.org"]
    assert "/accounts/password/reset/" in mails[0]["text"]


def test_a_mail_server_that_is_away_holds_up_no_account(client, settings):
    someone()
    settings.EMAIL_BACKEND = "tests.partners.test_joining.NoServer"
    for address, values in (
        ("/accounts/signup/", {"email": "awa@example.org", "password1": PASSWORD}),
        ("/accounts/signup/", {"email": "new@example.org", "password1": PASSWORD}),
        ("/accounts/password/reset/", {"email": "awa@example.org"}),
        ("/accounts/password/reset/", {"email": "x@example.org"}),
    ):
        assert client.post(address, values).status_code == 302
    assert len(queued()) == 4
    sign_in_by_form(client)
    client.post(
        "/accounts/password/change/",
        {"oldpassword": PASSWORD, "password1": "four cows graze quietly", "password2": "four cows graze quietly"},
    )
    assert (
        "password" in queued()[-1]["subject"].lower() and queued()[-1]["email"] == "awa@example.org"
    )  # its owner is told


class NoServer:
    def __init__(self, **kwargs):
        raise OSError("No mail server answers")


def test_a_message_without_html_is_sent_as_text():
    letters.send("a@example.org", "S", "T", "")
    assert mail.outbox[0].alternatives == [] and mail.outbox[0].body == "T"


def test_password_reset_by_mail(client):
    someone()
    client.post("/accounts/password/reset/", {"email": "awa@example.org"})
    link = re.search(r"http://testserver(/\S+)", queued()[0]["text"])[1]
    page = client.get(link, follow=True)
    new = "four cows graze quietly"
    assert client.post(page.request["PATH_INFO"], {"password1": new, "password2": new}).status_code == 302
    assert sign_in_by_form(client).status_code == 200
    assert sign_in_by_form(client, password=new).status_code == 302


def test_limits_lock_the_guesser_out_and_not_the_office_or_the_owner(client):
    someone()
    someone("ben@example.org")
    office, home = {"REMOTE_ADDR": "192.0.2.1"}, {"REMOTE_ADDR": "192.0.2.99"}
    for _n in range(6):
        locked = sign_in_by_form(client, password="wrong password!!", **office)
    assert b"too many failed attempts" in locked.content
    assert sign_in_by_form(client, **office).status_code == 200  # locked out, even with the right one
    assert sign_in_by_form(client, "ben@example.org", **office).status_code == 302  # a colleague is not
    client.logout()
    assert sign_in_by_form(client, **home).status_code == 302  # nor the owner from elsewhere


def test_former_form_field_still_works(client):
    someone()
    answer = client.post("/accounts/login/", {"username": "AWA@example.org", "password": PASSWORD})
    assert answer.status_code == 302


def test_sessions_are_listed_and_ended(client, django_user_model):
    from django.test import Client

    someone()
    other = Client(headers={"user-agent": "Phone"})
    sign_in_by_form(client)
    sign_in_by_form(other)
    assert other.get("/dashboard/").status_code == 200
    page = client.get("/accounts/sessions/")
    assert b"Phone" in page.content
    stranger = Client()
    someone("ben@example.org")
    sign_in_by_form(stranger, "ben@example.org")
    key = UserSession.objects.get(user_agent="Phone").pk
    assert stranger.post(f"/accounts/sessions/{key}/end/").status_code == 404
    assert client.post(f"/accounts/sessions/{key}/end/").status_code == 302
    assert other.get("/dashboard/").status_code == 302
    assert client.get("/dashboard/").status_code == 200


# --- second factor -----------------------------------------------------------------------------------------------------------
def code_of(secret: str) -> str:
    from allauth.mfa.totp.internal import auth

    return auth.format_hotp_value(auth.hotp_value(secret, next(iter(auth.yield_hotp_counters_from_time()))))


def test_second_factor_by_app_with_recovery_codes(client):
    user = someone()
    sign_in_by_form(client)
    page = client.get("/accounts/2fa/totp/activate/")
    if page.status_code == 302:  # asks for the password again
        client.post(page["Location"], {"password": PASSWORD})
        page = client.get("/accounts/2fa/totp/activate/")
    secret = page.context["form"].secret
    assert client.post("/accounts/2fa/totp/activate/", {"code": code_of(secret)}).status_code == 302
    kept = Authenticator.objects.get(user=user, type="totp").data["secret"]
    assert kept != secret and SecondFactorAdapter().decrypt(kept) == secret
    assert Authenticator.objects.filter(user=user, type="recovery_codes").exists()
    codes = Authenticator.objects.get(user=user, type="recovery_codes").wrap().get_unused_codes()
    client.logout()
    assert "/2fa/authenticate/" in sign_in_by_form(client)["Location"]
    assert client.get("/dashboard/").status_code == 302  # not in yet
    assert client.post("/accounts/2fa/authenticate/", {"code": "000000"}).status_code == 200
    assert client.post("/accounts/2fa/authenticate/", {"code": codes[0]}).status_code == 302
    assert client.get("/dashboard/").status_code == 200


@pytest.mark.parametrize("role", Role.values)
def test_roles_that_need_a_second_factor_get_nowhere_without(role, client, settings):
    settings.SECOND_FACTOR_REQUIRED = True
    user = MembershipFactory(role=role).user
    client.force_login(user)
    needs = role in ("focal_point", "desk", "publisher", "administrator")
    assert (client.get("/needs/").status_code == 302) is needs
    answer = client.get("/api/v1/needs/")
    assert answer.status_code == (403 if needs else 200)
    assert client.get("/accounts/2fa/").status_code == 200
    if needs:
        assert answer["Content-Type"] == "application/problem+json"
        assert client.get("/admin/")["Location"].endswith("/accounts/2fa/")
        TOTP.activate(user, "JBSWY3DPEHPK3PXP")
        assert client.get("/needs/").status_code == 200


@pytest.mark.parametrize(
    "address", ["/partners/static/", "/fr/partners/accounts/", "/invitations/accounts/", "/fr/countries/static/",
                "/admin/accounts/"],
)  # fmt: skip
def test_an_address_that_only_contains_an_open_one_needs_the_second_factor(address, client, settings):
    settings.SECOND_FACTOR_REQUIRED = True
    client.force_login(MembershipFactory(role=Role.DESK).user)
    answer = client.get(address)
    assert answer.status_code == 302 and answer["Location"].endswith("/accounts/2fa/")
    assert client.get("/api/v1/partners/static/").status_code == 403
    assert client.get("/fr/fr/accounts/2fa/").status_code == 404  # no page, so nothing to open


@pytest.mark.parametrize("language", ["", "/fr", "/ar", "/zh-hans"])
def test_the_second_factor_is_set_up_in_every_language(language, client, settings):
    settings.SECOND_FACTOR_REQUIRED = True
    client.force_login(MembershipFactory(role=Role.DESK).user)
    assert client.get(f"{language}/accounts/2fa/").status_code == 200
    assert client.get(f"{language}/needs/")["Location"].endswith("/accounts/2fa/")


def test_admin_has_no_door_of_its_own(client):
    assert client.get("/admin/login/")["Location"].startswith("/accounts/login/?next=")
    assert client.post("/admin/login/", {"username": "x", "password": "y"}).status_code == 302


def test_pages_of_the_account_work(client):
    someone()
    sign_in_by_form(client)
    for address in ("/account/", "/account/join/", "/account/mail/", "/accounts/2fa/", "/accounts/email/",
                    "/accounts/password/change/", "/accounts/sessions/", "/ar/account/"):  # fmt: skip
        assert client.get(address).status_code == 200, address
    saved = client.post("/account/", {"full_name": "Awa Diop", "language": "fr", "time_zone": "Africa/Dakar"})
    assert saved.status_code == 302
    assert User.objects.get().time_zone == "Africa/Dakar"
    assert client.post("/account/", {"full_name": "Awa", "language": "xx", "time_zone": "Moon/Base"}).status_code == 400


# --- asking and granting -------------------------------------------------------------------------------------------------------
def wish(role=Role.CONTRIBUTOR, **place) -> JoinRequest:
    default = (
        {"country": Country.objects.get(iso3="KEN")}
        if role in COUNTRY_ROLES
        else {"partner": Partner.objects.get(slug="undp")}
    )
    return JoinRequest(role=role, note="I work there", **(place or default))


# role that is asked for -> who may grant it (of Kenya and of UNDP)
GRANTS = {
    Role.CONTRIBUTOR: {"focal_point", "desk", "administrator"},
    Role.FOCAL_POINT: {"desk", "administrator"},
    Role.PARTNER_MEMBER: {"partner_lead", "desk", "administrator"},
    Role.PARTNER_LEAD: {"partner_lead", "desk", "administrator"},
}


@pytest.mark.parametrize("role", GRANTS)
def test_who_grants_what(role, people):
    asked = joining.ask(wish(role), by=UserFactory())
    may = {n for n, p in people.items() if p and p.has_perm("partners.grant_membership", asked)}
    assert may == GRANTS[role]
    for name, person in people.items():
        if person:
            assert (asked in joining.waiting_for(person)) is (name in may)
            if name not in may:
                with pytest.raises(PermissionDenied):
                    joining.decide(asked, by=person, grant=True)
    elsewhere = wish(role, **({"country": Country.objects.get(iso3="UGA")} if role in COUNTRY_ROLES else {"partner": Partner.objects.get(slug="fao")}))  # fmt: skip
    assert {n for n, p in people.items() if p and p.has_perm("partners.grant_membership", elsewhere)} <= {
        "desk",
        "administrator",
    }


def test_asking_tells_those_who_decide_and_granting_tells_the_person(people, sign_in):
    stranger = people["stranger"]
    User.objects.filter(pk=stranger.pk).update(language="fr")
    client = sign_in(stranger)
    kenya = Country.objects.get(iso3="KEN")
    form = {"role": "contributor", "country": kenya.pk, "partner": Partner.objects.first().pk, "note": "Climate office"}
    assert client.post("/account/join/", form).status_code == 302
    assert client.post("/account/join/", form | {"note": "Once more"}).status_code == 400  # asked already
    assert {m["email"] for m in queued()} == {people["focal_point"].email}
    asked = JoinRequest.objects.get()
    page = sign_in(people["focal_point"]).get("/account/people/")
    assert "Climate office" in page.content.decode()
    answer = sign_in(people["focal_point"]).post(
        f"/account/people/requests/{asked.pk}/",
        {f"{asked.pk}-ends_on": "2099-01-01", f"{asked.pk}-answer": "", "grant": "1"},
    )
    assert answer.status_code == 302
    held = Membership.objects.get(user=stranger)
    assert (held.role, held.country, held.granted_by, held.ends_on) == (
        "contributor",
        kenya,
        people["focal_point"],
        dt.date(2099, 1, 1),
    )
    told = queued()[-1]
    assert told["email"] == stranger.email
    assert "2099" in told["text"] and "/dashboard/" in told["text"] and "<p>" in told["html"]
    with pytest.raises(ValidationError):
        joining.decide(asked, by=people["desk"], grant=False, answer="late")


def test_refusing_needs_a_reason(people):
    asked = joining.ask(wish(), by=people["stranger"])
    with pytest.raises(ValidationError):
        joining.decide(asked, by=people["focal_point"], grant=False)
    joining.decide(asked, by=people["focal_point"], grant=False, answer="I do not know you.")
    assert not Membership.objects.filter(user=people["stranger"]).exists()
    assert "I do not know you." in queued()[-1]["text"]
    assert joining.ask(wish(), by=people["stranger"]).pk != asked.pk  # may ask again


def test_roles_at_unep_are_not_asked_for(people):
    with pytest.raises(ValidationError):
        joining.ask(JoinRequest(role=Role.DESK, partner=Partner.objects.unep(), note="x"), by=people["stranger"])


def test_a_revoked_person_loses_access_at_once_and_the_record_stays(people, sign_in):
    contributor = people["contributor"]
    client = sign_in(contributor)
    assert client.get("/needs/new/").status_code == 200
    membership = contributor.memberships.get()
    with pytest.raises(PermissionDenied):
        joining.revoke(people["focal_point"].memberships.get(), by=people["focal_point"])  # not one's own
    joining.revoke(membership, by=people["focal_point"])
    assert client.get("/needs/new/").status_code == 403
    membership.refresh_from_db()
    assert membership.revoked_by == people["focal_point"]
    assert {m["email"] for m in queued()} == {contributor.email, people["focal_point"].email}
    with pytest.raises(ValidationError):
        joining.revoke(membership, by=people["desk"])
    again = Membership(user=contributor, role=membership.role, country=membership.country)
    again.full_clean()  # the same role may be given again the same day


def test_invitation_is_accepted_by_the_invited_address_only_once(people, sign_in, client):
    form = {
        "email": "Guest@example.org",
        "role": "contributor",
        "country": Country.objects.get(iso3="KEN").pk,
        "ends_on": "",
    }
    assert sign_in(people["focal_point"]).post("/account/people/", form).status_code == 302
    invitation = Invitation.objects.get()
    link = f"/invitations/{invitation.token}/"
    assert link in queued()[0]["text"]
    assert sign_in(None).get(link).status_code == 200
    guest = someone("guest@example.org")
    with pytest.raises(PermissionDenied):
        joining.accept(invitation, by=people["stranger"])
    assert sign_in(guest).post(link).status_code == 302
    assert guest.memberships.get().granted_by == people["focal_point"]
    assert sign_in(guest).post(link).status_code == 400
    assert Membership.objects.filter(user=guest).count() == 1


def test_old_and_withdrawn_invitations_do_not_work(people, sign_in):
    kenya = Country.objects.get(iso3="KEN")
    guest = someone("guest@example.org")
    for changes in ({"invited_at": timezone.now() - dt.timedelta(days=15)}, {"withdrawn_at": timezone.now()}):
        invitation = joining.invite(
            Invitation(email="guest@example.org", role=Role.CONTRIBUTOR, country=kenya), by=people["focal_point"]
        )
        Invitation.objects.filter(pk=invitation.pk).update(**changes)
        with pytest.raises(ValidationError):
            joining.accept(invitation, by=guest)
    with pytest.raises(PermissionDenied):
        joining.invite(
            Invitation(email="x@example.org", role=Role.FOCAL_POINT, country=kenya), by=people["focal_point"]
        )


@pytest.mark.parametrize("name", ["stranger", "contributor", "partner_member", "publisher", "former"])
def test_others_do_not_see_people(name, people, sign_in):
    assert sign_in(people[name]).get("/account/people/").status_code == 403
    membership = people["contributor"].memberships.get()
    assert sign_in(people[name]).post(f"/account/people/{membership.pk}/end/").status_code == 403
    assert Membership.objects.active().filter(pk=membership.pk).exists()


def test_mail_is_sent_by_the_worker(people):
    from partners.tasks import send_mail

    joining.ask(wish(), by=people["stranger"])
    send_mail(**queued()[0])
    assert mail.outbox[0].to == [people["focal_point"].email]
    assert mail.outbox[0].alternatives[0][1] == "text/html"


@pytest.mark.parametrize(
    ("status", "days", "stays"),
    [("succeeded", 6, True), ("succeeded", 8, False), ("failed", 29, True), ("failed", 31, False), ("todo", 99, True)],
)
def test_words_of_mail_that_was_sent_are_forgotten(status, days, stays, db):
    from procrastinate.contrib.django.models import ProcrastinateEvent, ProcrastinateJob

    from partners.tasks import forget_jobs

    job = letters.app.configure_task("partners.send_mail").defer(email="a@example.org", subject="s", text="t", html="h")
    ProcrastinateJob.objects.filter(pk=job).update(status=status)
    ProcrastinateEvent.objects.filter(job=job).update(at=timezone.now() - dt.timedelta(days=days))
    forget_jobs.func(timestamp=0)
    assert ProcrastinateJob.objects.filter(pk=job).exists() == stays
