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
    re_path(rf"^(?P<path>{PATH})/$", views.page_detail, name="page"),
]
