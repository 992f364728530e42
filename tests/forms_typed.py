"""Forms as browsers send them, and what of them stands on the page that comes back."""

from datetime import timedelta

from allauth.account.models import EmailAddress
from django.contrib.sessions.models import Session
from django.core import signing
from django.test import Client
from django.utils import timezone
from lxml import html

from partners import guessing, sent_once

PASSWORD = "a long enough password"
TYPED = "Typed: ä “quoted” <b>\r\nسطر آخر"
OWN = {"csrfmiddlewaretoken", sent_once.BACK}  # of each page that is shown


def send(client, address: str, data: dict, page: str | None = None, **more):
    """As a browser would: with the page that it comes from."""
    return client.post(address, data, HTTP_REFERER=f"http://testserver{page or address}", HTTP_ORIGIN="http://testserver", **more)  # fmt: skip


def end_sessions() -> None:
    Session.objects.update(expire_date=timezone.now() - timedelta(minutes=1))


def known_to(person) -> str:
    """What the cookie `guessing.COOKIE` says in a browser in which this person signed in: it outlasts the session."""
    return signing.dumps({"browser": "x", "accounts": [person.pk]}, salt=guessing.SALT)


def browser_of(person, **more) -> Client:
    """A browser in which this person was signed in a while ago."""
    client = Client(**more)
    client.cookies[guessing.COOKIE] = known_to(person)
    return client


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
