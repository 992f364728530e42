"""Mail of the accounts, roles and desks, sent in the background and tried again when the mail server is away."""

from datetime import timedelta

from django.utils import timezone
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from partners import letters

PATIENCE = RetryStrategy(max_attempts=8, exponential_wait=4)  # 4, 16, 64 s ... about a day in all
KEPT_DAYS = {"succeeded": 7, "cancelled": 7, "aborted": 7, "failed": 30}  # jobs that have ended


@app.task(name="partners.send_mail", queue="mail", retry=PATIENCE)
def send_mail(email: str, subject: str, text: str, html: str, headers: dict | None = None) -> None:
    letters.send(email, subject, text, html, headers)


@app.periodic(cron="57 2 * * *")
@app.task(name="partners.forget_jobs", queue="nightly", pass_context=False)
def forget_jobs(timestamp: int) -> None:
    """Each night: jobs that ended long ago are forgotten, and with them the words of the mail that they carried."""
    for status, days in KEPT_DAYS.items():
        since = timezone.now() - timedelta(days=days)
        ProcrastinateJob.objects.filter(status=status).exclude(procrastinateevent__at__gt=since).delete()
