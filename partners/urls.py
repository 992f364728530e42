"""Addresses of accounts, roles, countries and partners."""

from allauth.account.views import LogoutView
from django.urls import include, path

from partners import views

urlpatterns = [
    path("accounts/login/", views.SignIn.as_view(), name="login"),
    path("accounts/signup/", views.SignUp.as_view(), name="account_signup"),
    path("accounts/logout/", LogoutView.as_view(), name="logout"),
    path("accounts/sessions/<int:key>/end/", views.session_end, name="session-end"),
    path("accounts/password/set/", views.PasswordSet.as_view(), name="account_set_password"),
    path("accounts/", include("allauth.urls")),  # sign-up, password, e-mail address, second factor, sessions
    path("account/", views.account, name="account"),
    path("account/data/", views.my_data, name="my-data"),
    path("account/unsent/<int:key>/discard/", views.unsent_drop, name="unsent-drop"),
    path("account/data/file/", views.my_data_file, name="my-data-file"),
    path("account/join/", views.join, name="join"),
    path("account/tokens/", views.tokens, name="tokens"),
    path("account/tokens/<int:key>/revoke/", views.token_revoke, name="token-revoke"),
    path("account/people/", views.people, name="people"),
    path("account/people/requests/<int:key>/", views.request_decide, name="request-decide"),
    path("account/people/<int:key>/end/", views.membership_end, name="membership-end"),
    path("account/people/invitations/<int:key>/withdraw/", views.invitation_withdraw, name="invitation-withdraw"),
    path("invitations/<str:token>/", views.invitation, name="invitation"),
    path("countries/", views.country_list, name="country-list"),
    path("countries/<str:iso3>/", views.country_detail, name="country"),
    path("partners/", views.partner_list, name="partner-list"),
    path("partners/<slug:slug>/", views.partner_detail, name="partner"),
]
