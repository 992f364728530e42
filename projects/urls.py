"""Addresses of projects, needs, themes and the search."""

from django.urls import path

from projects import views

urlpatterns = [
    path("", views.home, name="home"),
    path("search/", views.search_everything, name="search"),
    path("projects/", views.project_list, name="project-list"),
    path("projects/<str:reference>/", views.project_detail, name="project"),
    path("needs/", views.need_list, name="need-list"),
    path("needs/unanswered/", views.unanswered, name="need-unanswered"),
    path("needs/<str:reference>/", views.need_detail, name="need"),
    path("needs/<str:reference>/screen/", views.need_screen, name="need-screen"),
    path("needs/<str:reference>/approve/", views.need_approve, name="need-approve"),
    path("needs/<str:reference>/respond/", views.need_respond, name="need-respond"),
    path("needs/<str:reference>/move/<slug:action>/", views.need_move, name="need-move"),
    path("responses/<str:reference>/<slug:action>/", views.response_answer, name="response-answer"),
    path("themes/", views.theme_list, name="theme-list"),
    path("themes/<slug:code>/", views.theme_detail, name="theme"),
]
