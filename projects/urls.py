"""Addresses of projects, themes and the search."""

from django.urls import path

from projects import views

urlpatterns = [
    path("", views.home, name="home"),
    path("search/", views.search_everything, name="search"),
    path("projects/", views.project_list, name="project-list"),
    path("projects/<str:reference>/", views.project_detail, name="project"),
    path("themes/", views.theme_list, name="theme-list"),
    path("themes/<slug:code>/", views.theme_detail, name="theme"),
]
