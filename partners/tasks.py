"""Mail of the accounts, roles and desks, sent in the background and tried again when the mail server is away; and what
keeps background work going when a worker dies."""

import logging
from collections.abc import Callable, Iterable
from datetime import timedelta

from django.utils import timezone
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob
from procrastinate.exceptions import UniqueViolation
from procrastinate.jobs import Status

from partners import letters, sessions, unsent
from partners.models import CallCount

logger = logging.getLogger(__name__)
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


@app.periodic(cron="47 2 * * *")
@app.task(name="partners.clear_sessions", queue="nightly", pass_context=False)
def clear_sessions(timestamp: int) -> None:
    """Each night: what is left of sessions that are over is deleted, of forms that waited for somebody to sign in, and of
    counted calls."""
    sessions.clear_ended()
    unsent.clear_outdated()
    CallCount.objects.forget_ended()


STALLED_SECONDS = 120  # without a sign of life from its worker, a job counts as left behind
MAX_ATTEMPTS = 5  # a job that ends its worker each time must not do so for ever
NOT_AGAIN = ("imports",)  # queues whose jobs are not begun anew by themselves: staff decide


@app.periodic(cron="* * * * *")
@app.task(name="partners.take_up_stalled", queue="clocks", pass_context=False)
async def take_up_stalled(timestamp: int) -> None:
    """Every minute: jobs whose worker died (kill -9, a machine that went away) are done anew. Left as “doing” they would
    hold their lock, and with it every later job of their kind, for ever."""
    for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_SECONDS):
        logger.warning("Job %s (%s) was left behind by its worker", job.id, job.task_name)
        is_given_up = job.queue in NOT_AGAIN or job.attempts >= MAX_ATTEMPTS
        try:
            if not is_given_up:
                await app.job_manager.retry_job(job, retry_at=timezone.now())
        except UniqueViolation:  # the same work has been queued anew meanwhile
            is_given_up = True
        if is_given_up:
            await app.job_manager.finish_job(job, Status.FAILED, delete_job=False)


def do_each(act: Callable, things: Iterable) -> None:
    """Does something with each. Whatever fails with one is logged and the others go on; in the end all failures are raised
    together, so that the job counts as failed."""
    failures = []
    for thing in things:
        try:
            act(thing)
        except Exception as error:
            logger.exception("%s failed with %s", getattr(act, "__qualname__", act), thing)
            failures.append(error)
    if failures:
        raise ExceptionGroup("Some of it failed; the others are done", failures)
