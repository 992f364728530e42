"""Addresses of the site's own pages."""

from django.urls import path, re_path

from outreach import views
from outreach.models.page import PATH

urlpatterns = [
    path("about/pictures/<slug:name>.jpg", views.picture, name="picture"),
    path("news/", views.news_list, name="news-list"),
    path("news/feed.atom", views.NewsFeed(), name="news-list-feed"),
    path("news/<slug:slug>/", views.news_detail, name="news"),
    path("calendar/", views.calendar, name="public-calendar"),
    path("calendar/calendar.ics", views.calendar_file, name="calendar-file"),
    path("contact/", views.contact_form, name="contact"),
    path("contact/<str:token>/", views.contact_message, name="contact-message"),
    path("see/", views.see_index, name="see"),
    path("see/<slug:told>/<slug:slug>/", views.see_picture, name="picture-of"),
    path("see/<slug:told>/<slug:slug>/frame/", views.see_frame, name="picture-frame"),
    path("see/<slug:told>/<slug:slug>.<slug:format>", views.see_file, name="picture-file"),
    path("cards/<slug:kind>/<str:code>.png", views.card_picture, name="card-picture"),
    path("cards/<slug:kind>/<str:code>/", views.card_frame, name="card"),
    path("oembed/", views.oembed, name="oembed"),
    path("stories/", views.story_list, name="story-list"),
    path("stories/feed.atom", views.StoryFeed(), name="story-list-feed"),
    path("stories/<slug:slug>/", views.story_detail, name="story"),
    path("newsletter/", views.issue_list, name="issue-list"),
    path("newsletter/feed.atom", views.IssueFeed(), name="issue-list-feed"),
    path("newsletter/<slug:slug>/", views.issue_detail, name="issue"),
    path("subscribe/", views.subscribe, name="subscribe"),
    path("subscribe/sent/", views.subscribe_sent, name="subscribe-sent"),
    path("subscribe/reminder/", views.subscribe_reminder, name="subscribe-reminder"),
    path("subscribe/to/<slug:told>/", views.subscribe_search, name="subscribe-search"),
    path("subscribe/confirm/<str:token>/", views.confirm, name="confirm"),
    path("subscribe/choices/<str:token>/", views.choices, name="choices"),
    path("subscribe/stop/<str:token>/", views.stop, name="stop"),
    re_path(rf"^(?P<path>{PATH})/$", views.page_detail, name="page"),
]
