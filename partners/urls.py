"""Addresses of countries and partners."""

from django.urls import path

from partners import views

urlpatterns = [
    path("countries/", views.country_list, name="country-list"),
    path("countries/<str:iso3>/", views.country_detail, name="country"),
    path("partners/", views.partner_list, name="partner-list"),
    path("partners/<slug:slug>/", views.partner_detail, name="partner"),
]
