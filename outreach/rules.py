"""Who writes the site's own pages. What is public, everybody reads."""

import rules
from django.utils import timezone

from partners.rules import is_administrator, is_unep


@rules.predicate
def is_public(user, record=None) -> bool:
    return record is None or record.is_public


@rules.predicate
def is_told(user, announcement=None) -> bool:
    """Public, and its day has come."""
    return announcement is None or (announcement.is_public and announcement.published_on <= timezone.localdate())


rules.add_perm("outreach.view_announcement", is_told | is_unep)
rules.add_perm("outreach.view_issue", is_public | is_unep)
rules.add_perm("outreach.send_issue", is_unep)


for record in ("page", "milestone", "channel"):
    rules.add_perm(f"outreach.view_{record}", is_public | is_unep)
for record in ("pagetext", "announcementtext", "issuetext", "picture", "topic", "contactmessage", "mailing"):
    rules.add_perm(f"outreach.view_{record}", is_unep)
rules.add_perm("outreach.change_contactmessage", is_unep)  # nobody adds one but by writing to us
rules.add_perm("outreach.delete_contactmessage", is_administrator)
for record in (
    "page",
    "pagetext",
    "announcement",
    "announcementtext",
    "issue",
    "issuetext",
    "milestone",
    "channel",
    "picture",
    "topic",
):
    rules.add_perm(f"outreach.add_{record}", is_unep)
    rules.add_perm(f"outreach.change_{record}", is_unep)
    rules.add_perm(f"outreach.delete_{record}", is_administrator)
for record in ("subscriber", "subscription", "copy"):  # addresses of people: numbers are enough for everybody else
    rules.add_perm(f"outreach.view_{record}", is_administrator)
rules.add_perm("outreach.delete_subscriber", is_administrator)
rules.add_perm("outreach.delete_subscription", is_administrator)  # with its subscriber
rules.add_perm("outreach.delete_copy", is_administrator)
