"""Mail of the accounts and roles, sent in the background and tried again when the mail server is away."""

from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from partners import joining

PATIENCE = RetryStrategy(max_attempts=8, exponential_wait=4)  # 4, 16, 64 s ... about a day in all


@app.task(name="partners.send_mail", queue="mail", retry=PATIENCE)
def send_mail(email: str, subject: str, text: str, html: str, headers: dict | None = None) -> None:
    joining.send(email, subject, text, html, headers)
