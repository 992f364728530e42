"""Addresses of projects, needs, themes and the search."""

from django.urls import path

from projects import views

urlpatterns = [
    path("", views.home, name="home"),
    path("search/", views.search_everything, name="search"),
    path("projects/", views.project_list, name="project-list"),
    path("projects/<str:reference>/", views.project_detail, name="project"),
    path("dashboard/", views.my_dashboard, name="dashboard"),
    path("dashboard/seen/", views.news_seen, name="news-seen"),
    path("dashboard/calendar/", views.desk_calendar, name="calendar"),
    path("account/mail/", views.my_mail, name="my-mail"),
    path("needs/", views.need_list, name="need-list"),
    path("needs/new/", views.need_new, name="need-new"),
    path("needs/unanswered/", views.unanswered, name="need-unanswered"),
    path("needs/<str:reference>/", views.need_detail, name="need"),
    path("needs/<str:reference>/draft/", views.need_draft, name="need-draft"),
    path("needs/<str:reference>/draft/similar/", views.need_similar, name="need-similar"),
    path("needs/<str:reference>/draft/documents/", views.need_documents, name="need-documents"),
    path("needs/<str:reference>/draft/sheet.xlsx", views.need_sheet_download, name="need-sheet"),
    path("needs/<str:reference>/draft/upload/", views.need_sheet_upload, name="need-sheet-upload"),
    path("needs/<str:reference>/draft/ask/", views.need_ask, name="need-ask"),
    path("needs/<str:reference>/draft/delete/", views.need_delete, name="need-delete"),
    path("needs/<str:reference>/draft/<slug:slug>/", views.need_part, name="need-part"),
    path("documents/<int:key>/", views.document_download, name="document"),
    path("documents/<int:key>/remove/", views.document_remove, name="document-remove"),
    path("needs/<str:reference>/follow/", views.need_follow, name="need-follow"),
    path("needs/<str:reference>/plan/", views.need_plan, name="need-plan"),
    path("needs/<str:reference>/confirm/<slug:step>/", views.need_confirm, name="need-confirm"),
    path("needs/<str:reference>/delivered/", views.need_delivered, name="need-delivered"),
    path("needs/<str:reference>/progress/", views.need_progress, name="need-progress"),
    path("needs/<str:reference>/screen/", views.need_screen, name="need-screen"),
    path("needs/<str:reference>/approve/", views.need_approve, name="need-approve"),
    path("needs/<str:reference>/respond/", views.need_respond, name="need-respond"),
    path("needs/<str:reference>/move/<slug:action>/", views.need_move, name="need-move"),
    path("responses/<str:reference>/<slug:action>/", views.response_answer, name="response-answer"),
    path("offers/", views.offer_list, name="offer-list"),
    path("offers/<str:reference>/", views.offer_detail, name="offer"),
    path("themes/", views.theme_list, name="theme-list"),
    path("themes/<slug:code>/", views.theme_detail, name="theme"),
]
