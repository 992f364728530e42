"""The site's own pages, and what they tell of."""

from outreach.models.announcement import Announcement, AnnouncementText
from outreach.models.contact import ContactMessage, Topic
from outreach.models.mailing import Copy, Mailing
from outreach.models.milestone import Channel, Milestone
from outreach.models.newsletter import Issue, IssueText
from outreach.models.page import Page, PageText
from outreach.models.picture import Picture
from outreach.models.story import Story, StoryText
from outreach.models.subscriber import Subscriber, Subscription

__all__ = [
    "Announcement",
    "AnnouncementText",
    "Channel",
    "ContactMessage",
    "Copy",
    "Issue",
    "IssueText",
    "Mailing",
    "Milestone",
    "Page",
    "PageText",
    "Picture",
    "Story",
    "StoryText",
    "Subscriber",
    "Subscription",
    "Topic",
]
