"""One calendar of what has a day: events, deadlines of calls, of open needs and of offers. As records and as iCalendar."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from icalendar import Calendar, Event

from outreach.choices import AnnouncementKind
from outreach.models import Announcement
from projects.choices import NeedState
from projects.models import Need, Offer

MOST = 300  # of one kind


@dataclass(frozen=True)
class Entry:
    """A day, or days, on which something happens or ends."""

    starts_on: date
    ends_on: date
    kind: str  # event, call, need or offer
    what: str
    title: str
    language: str
    url: str


def entries(user, first: date, last: date) -> list[Entry]:
    """What this person may see and has a day from `first` to `last`, in the order of its days."""
    found = []
    for one in Announcement.objects.visible_to(user).between(first, last).with_texts()[:MOST]:
        text = one.text
        if text is not None and one.kind == AnnouncementKind.EVENT:
            days, what = (one.starts_on, one.ends_on or one.starts_on), _("Event")
        elif text is not None:
            days, what = (one.deadline, one.deadline), _("Last day of the call")
        else:
            continue
        found.append(Entry(*days, one.kind, what, text.title, text.language, one.get_absolute_url()))
    needs = Need.objects.visible_to(user).public().filter(state=NeedState.OPEN, due_on__range=(first, last))
    for need in needs.select_related("country")[:MOST]:
        what, text = _("Responses to the need are due"), need.text("title")
        found.append(Entry(need.due_on, need.due_on, "need", what, *text, need.get_absolute_url()))
    for offer in Offer.objects.visible_to(user).active().filter(deadline__range=(first, last))[:MOST]:
        what, text = _("Last day of the offer"), offer.text("title")
        found.append(Entry(offer.deadline, offer.deadline, "offer", what, *text, offer.get_absolute_url()))
    return sorted(found, key=lambda entry: (entry.starts_on, entry.url))


def as_file(found: Iterable[Entry], name: str) -> bytes:
    """Entries as iCalendar (RFC 5545), each a whole day or several."""
    calendar = Calendar()
    calendar.add("prodid", "-//UNEP//South-South cooperation portal//EN")
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", name)
    for entry in found:
        event = Event()
        event.add("uid", f"{entry.kind}{entry.url}@{settings.PORTAL_URL.partition('//')[2]}")
        event.add("dtstamp", timezone.now())
        event.add("dtstart", entry.starts_on)
        event.add("dtend", entry.ends_on + timedelta(days=1))  # the day after the last
        event.add("summary", f"{entry.what}: {entry.title}", parameters={"LANGUAGE": entry.language})
        event.add("url", settings.PORTAL_URL + entry.url)
        event.add("transp", "TRANSPARENT")
        calendar.add_component(event)
    return calendar.to_ical()
