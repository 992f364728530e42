"""Admin of what the site tells and is told."""

from outreach.admin.contact import ContactMessageAdmin, TopicAdmin
from outreach.admin.mail import IssueAdmin, MailingAdmin, SubscriberAdmin
from outreach.admin.pages import AnnouncementAdmin, ChannelAdmin, MilestoneAdmin, PageAdmin, PictureAdmin
from outreach.admin.stories import StoryAdmin

__all__ = [
    "AnnouncementAdmin",
    "ChannelAdmin",
    "ContactMessageAdmin",
    "IssueAdmin",
    "MailingAdmin",
    "MilestoneAdmin",
    "PageAdmin",
    "PictureAdmin",
    "StoryAdmin",
    "SubscriberAdmin",
    "TopicAdmin",
]
