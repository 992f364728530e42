"""Whoever approves, confirms or publishes decides about the text that they read, not about one that came a second later.

The door says which one that was (`as_seen`): a page by the mark in its form, the API by `If-Match`. The act compares it under
the lock under which it is done, so that no change can come between.
"""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _


def mark_of(record) -> str:
    """Which text of a record somebody has before them: its version, or the moment of its last change where it counts none."""
    return str(getattr(record, "version", "") or record.modified_at.isoformat())


def as_seen(record, mark: str | None):
    """The record, to be acted on only as it was when it had this mark. Without a mark: as it is by then."""
    record.seen_as = mark or ""
    return record


def only_as_seen(record, now) -> None:
    """Raises ValidationError where the record is another `now` than whoever decides about it saw."""
    seen = getattr(record, "seen_as", "")
    if seen and seen != mark_of(now):
        raise ValidationError(
            _("It was changed since you opened this page. Read it as it is now, then decide again."), code="conflict"
        )
