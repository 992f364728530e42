"""Mail: a message in somebody's language as text and HTML, queued with the transaction that it tells of."""

import smtplib
from dataclasses import dataclass

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils.translation import override
from procrastinate.contrib.django import app

from ground.templatetags.portal import translation_notice
from partners.models import MailText, User


@dataclass(frozen=True)
class Letter:
    subject: str
    text: str
    html: str


def compose(name: str, language: str, context: dict, address: str) -> Letter:
    """A message in somebody's language, as plain text and HTML, with the link to what is to be done."""
    with override(language):
        whole = {**context, "link": settings.PORTAL_URL + address, "site_name": settings.SITE_NAME}
        text = render_to_string(f"mail/{name}.txt", whole)
        subject, _rest, body = text.strip().partition("\n")
        subject, body = _in_own_words(name, language, subject.strip(), body.strip(), whole)
        body = "\n\n".join(filter(None, [body, translation_notice()]))
        html = render_to_string("mail/frame.html", {**whole, "subject": subject, "body": body, "language": language})
        return Letter(subject.strip(), body + "\n", html)


def _in_own_words(name: str, language: str, subject: str, body: str, context: dict) -> tuple[str, str]:
    """Subject and text as staff wrote them for this mail, where they did."""
    own = MailText.objects.filter(name=name, language=language).first()
    if own is None:
        return subject, body
    values = {**context, "subject": subject, "text": body, "site": context["site_name"]}
    return " ".join(own.filled("subject", values).split()) or subject, own.filled("body", values).strip()


def tell(person: User, name: str, context: dict, address: str) -> None:
    if not person.email.endswith(".invalid"):
        send_later(person.email, person.language, name, context, address)


def send_later(
    email: str, language: str, name: str, context: dict, address: str, *, headers: dict | None = None
) -> None:
    """Queues a message with the transaction: what is rolled back is never sent."""
    letter = compose(name, language, context, address)
    app.configure_task("partners.send_mail").defer(
        email=email, subject=letter.subject, text=letter.text, html=letter.html, headers=headers
    )


def send_written(email: str, subject: str, text: str) -> None:
    """Queues a message that is written already, as plain text."""
    app.configure_task("partners.send_mail").defer(email=email, subject=subject, text=text, html="")


def send(email: str, subject: str, text: str, html: str, headers: dict | None = None) -> None:
    message(email, Letter(subject, text, html), headers).send()


def message(email: str, letter: Letter, headers: dict | None = None) -> EmailMultiAlternatives:
    """What the mail server gets: its parts, marked as written by a machine (RFC 3834)."""
    subject = " ".join(letter.subject.split())  # a title may have an end of line, a header can't
    made = EmailMultiAlternatives(
        subject, letter.text, to=[email], headers={"Auto-Submitted": "auto-generated", **(headers or {})}
    )
    if letter.html:
        made.attach_alternative(letter.html, "text/html")
    return made


def refusal(error: smtplib.SMTPException | OSError) -> tuple[str, bool]:
    """What a mail server said, and whether trying again changes nothing: there is no such address (RFC 5321, 4.2.1)."""
    if not isinstance(error, smtplib.SMTPRecipientsRefused):
        return f"{type(error).__name__}: {error}"[:500], False
    code, text = next(iter(error.recipients.values()), (550, b""))
    said = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return f"{code} {said}"[:500], 500 <= code < 600
