"""Pages of the site's own: what staff write, news and calendar, messages to the desks."""

from outreach.views.contact import contact_form, contact_message
from outreach.views.news import NewsFeed, calendar, calendar_file, news_as_read, news_detail, news_list
from outreach.views.newsletter import IssueFeed, issue_as_read, issue_detail, issue_list
from outreach.views.pages import page_as_read, page_detail, picture
from outreach.views.see import see_file, see_frame, see_index, see_picture
from outreach.views.share import card_frame, card_picture, oembed
from outreach.views.stories import StoryFeed, story_as_read, story_detail, story_list
from outreach.views.subscribe import (
    choices,
    confirm,
    stop,
    subscribe,
    subscribe_reminder,
    subscribe_search,
    subscribe_sent,
)

__all__ = [
    "IssueFeed",
    "NewsFeed",
    "StoryFeed",
    "calendar",
    "calendar_file",
    "card_frame",
    "card_picture",
    "choices",
    "confirm",
    "contact_form",
    "contact_message",
    "issue_as_read",
    "issue_detail",
    "issue_list",
    "news_as_read",
    "news_detail",
    "news_list",
    "oembed",
    "page_as_read",
    "page_detail",
    "picture",
    "see_file",
    "see_frame",
    "see_index",
    "see_picture",
    "stop",
    "story_as_read",
    "story_detail",
    "story_list",
    "subscribe",
    "subscribe_reminder",
    "subscribe_search",
    "subscribe_sent",
]
