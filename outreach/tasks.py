"""Scheduled work of what the site tells and is told."""

import contextlib

from django.db import transaction
from django.utils import timezone
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from outreach import contact, mailings
from outreach.models import Mailing
from partners.tasks import do_each

AT_ONCE = 240  # seconds that one job works at a mailing, so that other work has its turn


@app.periodic(cron="37 2 * * *")
@app.task(name="outreach.nightly", queue="nightly", pass_context=False)
def nightly(timestamp: int) -> None:
    """Each night: messages that are done with for long are erased, and copies of old mailings, as the privacy page says."""
    do_each(lambda forget: forget(), (contact.forget_old, mailings.forget_old))


@app.periodic(cron="*/5 * * * *")
@app.task(name="outreach.begin_mailings", queue="clocks", pass_context=False)
def begin_mailings(timestamp: int) -> None:
    """Every five minutes: begins the digests whose time has come, and takes up what a worker left when it died."""
    do_each(carry_on_later, mailings.begin(timezone.now()))


def carry_on_later(mailing: Mailing) -> None:
    with contextlib.suppress(AlreadyEnqueued), transaction.atomic():
        carry_on.configure(queueing_lock=f"mailing-{mailing.pk}").defer(mailing_id=mailing.pk)


@app.task(name="outreach.carry_on", queue="mailings")
def carry_on(mailing_id: int) -> None:
    """Works at a mailing for a while; the rest is another job's. Several may work at one at the same time."""
    mailing = Mailing.objects.select_related("issue").get(pk=mailing_id)
    if not mailings.carry_on(mailing, seconds=AT_ONCE) and mailing.copies.free().exists():
        carry_on_later(mailing)
