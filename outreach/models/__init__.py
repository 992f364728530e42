"""The site's own pages, and what they tell of."""

from outreach.models.contact import ContactMessage, Topic
from outreach.models.milestone import Channel, Milestone
from outreach.models.page import Page, PageText, Picture

__all__ = ["Channel", "ContactMessage", "Milestone", "Page", "PageText", "Picture", "Topic"]
