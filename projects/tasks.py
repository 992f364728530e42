"""Background and scheduled work. The queue is in PostgreSQL; `manage.py run_workers` works it off."""

import contextlib
import datetime as dt
import logging
from pathlib import Path

from django.db import transaction
from django.utils import timezone
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from partners.models import Change, KeptAnswer, User
from partners.tasks import PATIENCE, do_each
from projects import clocks, deliveries, duplicates, notify, quality, search, webhooks
from projects.choices import Matched
from projects.interchange import open_data
from projects.interchange.bulk import running
from projects.interchange.iati_import import import_file
from projects.matching import keeping, reading
from projects.models import Event, FacetTally, ImportRun, Notice, Project

logger = logging.getLogger(__name__)


@app.task(name="projects.import_iati", queue="imports", retry=False)
def import_iati(run_id: int, dry_run: bool = False, publish: bool | None = None) -> None:
    """Carries out an import that was confirmed in admin, or tries it. Its progress is on the run. `publish`: of a job that was
    queued before the run itself said it."""
    run = ImportRun.objects.get(pk=run_id)
    run.publishes = run.publishes if publish is None else publish
    by = run.started_by or User.objects.system()
    with run.being_carried_out():
        if not run.claim():
            return
        import_file(Path(run.file.path), by=by, dry_run=dry_run, run=run)
        if dry_run and run.progress == ImportRun.Progress.DONE:
            run.progress = ImportRun.Progress.WAITING
            run.save(update_fields=["progress"])


@app.task(name="projects.import_table", queue="imports", retry=False)
def import_table(run_id: int, dry_run: bool) -> None:
    """Tries or carries out a table that is too long for somebody to wait for."""
    run = ImportRun.objects.get(pk=run_id)
    with run.being_carried_out():
        if run.claim():
            running.carry_out(run, dry_run=dry_run)


FEED_KEPT_FOR = dt.timedelta(days=30)  # what has changed again since; the last change of each record stays for good


@app.periodic(cron="17 2 * * *")
@app.task(name="projects.nightly", queue="nightly", pass_context=False)
def nightly(timestamp: int) -> None:
    """Each night: what derives from other records is made anew, so that changed names are found and scores are right."""
    do_each(lambda step: step(), NIGHTLY)


def renew_all_matches() -> None:
    """In small jobs that let everything else go first, so that what just changed does not wait for them."""
    for kind in Matched:
        reading.refresh(kind)
    for kind in (Matched.NEED, Matched.OFFER):
        for keys in batched(reading.kept(kind).order_by("pk").values_list("pk", flat=True), RENEWED_AT_ONCE):
            renew_matches.configure(priority=-10).defer(kind=kind.name, keys=list(keys))


def measure_quality() -> None:
    quality.measure(timezone.localdate())


def forget_old_answers() -> None:
    KeptAnswer.objects.outdated().delete()


def forget_superseded_changes() -> None:
    Change.objects.superseded().filter(at__lt=timezone.now() - FEED_KEPT_FOR).delete()


NIGHTLY = (
    search.rebuild, search.rebuild_words, forget_old_answers, webhooks.forget_old, forget_superseded_changes, measure_quality, duplicates.refresh,
    renew_all_matches,
)  # fmt: skip


@app.periodic(cron="47 2 * * *")
@app.task(name="projects.write_open_data", queue="nightly", pass_context=False)
def write_open_data(timestamp: int) -> None:
    """Each night: the whole data sets, ready to be fetched."""
    open_data.write()


@app.periodic(cron="*/5 * * * *")
@app.task(name="projects.fold_tallies", queue="clocks", pass_context=False)
def fold_tallies(timestamp: int) -> None:
    """Keeps the counts of facets short, so that reading them stays quick."""
    FacetTally.objects.fold()


# --- matching ----------------------------------------------------------------------------------------------------------
RENEWED_AT_ONCE = 200  # some twenty seconds of work


def batched(keys, size: int):
    """The keys in lists of at most this size."""
    keys = list(keys)
    return (keys[start : start + size] for start in range(0, len(keys), size))


@app.task(name="projects.renew_matches", queue="matching")
def renew_matches(kind: str, keys: list[int]) -> None:
    """Finds anew what fits these needs or offers."""
    keeping.renew(Matched[kind], keys)


@app.task(name="projects.read_for_matching", queue="matching", lock="matching")
def read_for_matching(kind: str, record: int) -> None:
    """Reads one need or offer for matching: it has just moved."""
    keeping.refresh(Matched[kind.upper()], [record])


@app.periodic(cron="* * * * *")
@app.task(name="projects.keep_matching_fresh", queue="matching", lock="matching", pass_context=False)
def keep_matching_fresh(timestamp: int) -> None:
    """Every minute: reads what changed by whatever door, and lets go of what is not public any more."""
    for kind in Matched:
        if changed := reading.stale(kind):
            logger.info("Read for matching: %s of %s", keeping.refresh(kind, changed), kind.name)
    for notice in notify.note_matches():
        send_notice.defer(notice_id=notice.pk)


@app.periodic(cron="*/10 * * * *")
@app.task(name="projects.follow_projects", queue="clocks", lock="follow", pass_context=False)
def follow_projects(timestamp: int) -> None:
    """Needs follow the projects that carry them out, whoever changed these and by whatever door."""
    do_each(deliveries.follow, Project.objects.carrying_needs())


# --- clocks and mail -----------------------------------------------------------------------------------------------------
@app.periodic(cron="7 0 * * *")
@app.task(name="projects.run_clocks", queue="clocks", lock="clocks", retry=PATIENCE, pass_context=False)
def run_clocks(timestamp: int) -> None:
    """Each night, soon after the day has begun at the desk: reminders, lapse, expiry. A missed night is caught up by the next."""
    done = clocks.run()
    logger.info("Clocks: %s", dict(done))


@app.task(name="projects.tell_of_event", queue="mail", retry=PATIENCE)
def tell_of_event(event_id: int) -> None:
    """Writes the messages of an event and queues those that go at once."""
    event = Event.objects.select_related("need", "response__need", "offer", "project", "by").filter(pk=event_id).first()
    if event is None:  # its draft was deleted meanwhile
        return
    for notice in notify.note(event):
        send_notice.defer(notice_id=notice.pk)


@app.task(name="projects.send_notice", queue="mail", retry=PATIENCE)
def send_notice(notice_id: int) -> None:
    notify.send(notice_id)


@app.periodic(cron="2 * * * *")
@app.task(name="projects.send_digests", queue="mail", pass_context=False)
def send_digests(timestamp: int) -> None:
    """Every hour: the daily message for those for whom it has become seven in the morning since something waits. A missed
    hour is caught up by the next."""
    do_each(send_digest_if_due, User.objects.filter(pk__in=Notice.objects.for_digest().values("user")))


def send_digest_if_due(user: User) -> None:
    due = Notice.objects.for_digest().filter(user=user, created_at__lt=notify.last_digest_time(user))
    if due.exists() and (problem := notify.send_digest(user)):
        logger.warning("The daily message to person %s was not sent: %s", user.pk, problem)


# --- webhooks ----------------------------------------------------------------------------------------------------------
@app.periodic(cron="* * * * *")
@app.task(name="projects.tell_webhooks", queue="clocks", lock="changes", retry=PATIENCE, pass_context=False)
def tell_webhooks(timestamp: int = 0) -> None:
    """Every minute, and when a record has moved: writes down whom the newest changes have to be told, and makes these calls."""
    for host in sorted({webhooks.host_of(call.webhook) for call in webhooks.note_changes()}):
        send_webhooks_later(host)


def send_webhooks_later(host: str) -> None:
    """Queues the calls of a host, which are made one after another: a slow receiver holds up its own calls alone."""
    about = {"lock": f"webhook {host}", "queueing_lock": f"webhooks of {host}"}
    with contextlib.suppress(AlreadyEnqueued), transaction.atomic():
        send_webhooks.configure(**about).defer(host=host)


@app.task(name="projects.send_webhooks", queue="webhooks")
def send_webhooks(host: str) -> None:
    """One job for all that waits for a host: a job for each call would begin at the next look into the queue only."""
    if webhooks.send_waiting(host):
        send_webhooks_later(host)


@app.periodic(cron="* * * * *")
@app.task(name="projects.retry_webhooks", queue="clocks", pass_context=False)
def retry_webhooks(timestamp: int) -> None:
    """Every minute: calls whose next attempt is due, and those whose worker ended before they were made."""
    for host in webhooks.hosts_due():
        send_webhooks_later(host)
