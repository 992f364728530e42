"""The site's own pages, and what they tell of."""

from outreach.models.announcement import Announcement, AnnouncementText
from outreach.models.contact import ContactMessage, Topic
from outreach.models.milestone import Channel, Milestone
from outreach.models.page import Page, PageText
from outreach.models.picture import Picture

__all__ = [
    "Announcement",
    "AnnouncementText",
    "Channel",
    "ContactMessage",
    "Milestone",
    "Page",
    "PageText",
    "Picture",
    "Topic",
]
