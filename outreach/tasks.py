"""Scheduled work of what the site tells and is told."""

from procrastinate.contrib.django import app

from outreach import contact


@app.periodic(cron="37 2 * * *")
@app.task(name="outreach.nightly", queue="nightly", pass_context=False)
def nightly(timestamp: int) -> None:
    """Each night: messages that are done with for long are erased, as the privacy page says."""
    contact.forget_old()
