"""The site's own pages, and what they tell of."""

from outreach.models.milestone import Channel, Milestone
from outreach.models.page import Page, PageText, Picture

__all__ = ["Channel", "Milestone", "Page", "PageText", "Picture"]
