"""Pages of the site's own: what staff write, news and calendar, messages to the desks."""

from outreach.views.contact import contact_form, contact_message
from outreach.views.news import NewsFeed, calendar, calendar_file, news_as_read, news_detail, news_list
from outreach.views.pages import page_as_read, page_detail, picture

__all__ = [
    "NewsFeed",
    "calendar",
    "calendar_file",
    "contact_form",
    "contact_message",
    "news_as_read",
    "news_detail",
    "news_list",
    "page_as_read",
    "page_detail",
    "picture",
]
