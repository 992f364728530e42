"""Who writes the site's own pages. What is public, everybody reads."""

import rules

from partners.rules import is_administrator, is_unep


@rules.predicate
def is_public(user, record=None) -> bool:
    return record is None or record.is_public


for record in ("page", "milestone", "channel"):
    rules.add_perm(f"outreach.view_{record}", is_public | is_unep)
for record in ("pagetext", "picture"):
    rules.add_perm(f"outreach.view_{record}", is_unep)
for record in ("page", "pagetext", "milestone", "channel", "picture"):
    rules.add_perm(f"outreach.add_{record}", is_unep)
    rules.add_perm(f"outreach.change_{record}", is_unep)
    rules.add_perm(f"outreach.delete_{record}", is_administrator)
