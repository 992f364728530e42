"""Who writes the site's own pages. What is public, everybody reads."""

import rules
from django.utils import timezone

from partners.rules import is_administrator, is_publisher, is_unep


@rules.predicate
def is_public(user, record=None) -> bool:
    return record is None or record.is_public


@rules.predicate
def is_told(user, announcement=None) -> bool:
    """Public, and its day has come."""
    return announcement is None or (announcement.is_public and announcement.published_on <= timezone.localdate())


PUBLIC = ("page", "milestone", "channel", "issue", "story")  # everybody reads them once they are public
TEXTS = ("pagetext", "announcementtext", "issuetext", "storytext", "picture", "topic")
ADDRESSES = ("subscriber", "subscription", "copy")  # of people: for everybody else numbers are enough

for record in PUBLIC:
    rules.add_perm(f"outreach.view_{record}", is_public | is_unep)
rules.add_perm("outreach.view_announcement", is_told | is_unep)
for record in (*TEXTS, "contactmessage", "mailing"):
    rules.add_perm(f"outreach.view_{record}", is_unep)
for record in (*PUBLIC, *TEXTS, "announcement"):
    rules.add_perm(f"outreach.add_{record}", is_unep)
    rules.add_perm(f"outreach.change_{record}", is_unep)
    rules.add_perm(f"outreach.delete_{record}", is_administrator)
rules.add_perm("outreach.change_contactmessage", is_unep)  # nobody adds one but by writing to us
rules.add_perm("outreach.delete_contactmessage", is_administrator)
for record in ADDRESSES:  # a subscriber is deleted with all that belongs to it
    rules.add_perm(f"outreach.view_{record}", is_administrator)
    rules.add_perm(f"outreach.delete_{record}", is_administrator)
rules.add_perm("outreach.send_issue", is_unep)
rules.add_perm("outreach.publish_story", is_publisher | is_administrator)
