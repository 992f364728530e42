"""Who writes the site's own pages. What is public, everybody reads."""

import rules

from partners.rules import is_administrator, is_unep


@rules.predicate
def is_public(user, record=None) -> bool:
    return record is None or record.is_public


for record in ("page", "milestone", "channel"):
    rules.add_perm(f"outreach.view_{record}", is_public | is_unep)
for record in ("pagetext", "picture", "topic", "contactmessage"):
    rules.add_perm(f"outreach.view_{record}", is_unep)
rules.add_perm("outreach.change_contactmessage", is_unep)  # nobody adds one but by writing to us
rules.add_perm("outreach.delete_contactmessage", is_administrator)
for record in ("page", "pagetext", "milestone", "channel", "picture", "topic"):
    rules.add_perm(f"outreach.add_{record}", is_unep)
    rules.add_perm(f"outreach.change_{record}", is_unep)
    rules.add_perm(f"outreach.delete_{record}", is_administrator)
