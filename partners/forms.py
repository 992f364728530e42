"""Forms of one's account and of roles."""

import secrets
from zoneinfo import available_timezones

from allauth.account.forms import SignupForm
from django import forms
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from ground.widgets import NamedSelect
from partners.choices import COUNTRY_ROLES, PARTNER_ROLES, Role
from partners.joining import usual_end
from partners.models import ApiToken, Country, Invitation, JoinRequest, Partner, User


class SignUpForm(SignupForm):
    """A new account. For an address that has one the same is done and taken back, so that the time tells nobody which it was."""

    def try_save(self, request):
        if self.account_already_exists:
            self._save_in_vain(request)
        return super().try_save(request)

    @transaction.atomic
    def _save_in_vain(self, request) -> None:
        given = self.cleaned_data
        self.cleaned_data = {**given, "email": f"{secrets.token_hex(8)}@example.invalid"}
        self.account_already_exists = False
        try:
            super().save(request)
        finally:
            self.cleaned_data, self.account_already_exists = given, True
        transaction.set_rollback(True)


class AccountForm(forms.ModelForm):
    class Meta:
        model = User
        fields = ["full_name", "language", "time_zone"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        zones = sorted(
            z for z in available_timezones() if "/" in z and not z.startswith(("Etc/", "posix/", "right/"))
        ) + ["UTC"]
        self.fields["time_zone"].widget = forms.Select(choices=[(z, z.replace("_", " ")) for z in zones])
        self.fields["full_name"].required = True


class EraseForm(forms.Form):
    """Makes sure that it is the person, and that they know what it means."""

    password = forms.CharField(
        label=_("Your password"), widget=forms.PasswordInput(attrs={"autocomplete": "current-password"})
    )
    email = forms.CharField(label=_("Your e-mail address, once more"), max_length=254)
    is_sure = forms.BooleanField(label=_("I know that this can’t be undone"))

    def __init__(self, *args, user: User, **kwargs):
        super().__init__(*args, **kwargs)
        self.user = user
        del self.fields[
            "email" if user.has_usable_password() else "password"
        ]  # one who has only passkeys types the address

    def clean_password(self):
        if not self.user.check_password(self.cleaned_data["password"]):
            raise forms.ValidationError(_("This is not your password."))
        return self.cleaned_data["password"]

    def clean_email(self):
        if self.cleaned_data["email"].strip().lower() != self.user.email:
            raise forms.ValidationError(_("This is not the address of your account."))
        return self.cleaned_data["email"]


PLACES = {"country": NamedSelect, "partner": NamedSelect}


class PlaceForm(forms.ModelForm):
    """Base: a role and its place. Which place belongs to which role is said by the record."""

    role = forms.ChoiceField(label=_("Role"), widget=forms.RadioSelect)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        roles = [r for r in Role if r in (*COUNTRY_ROLES, *PARTNER_ROLES)]
        self.fields["role"].choices = [(r.value, r.label) for r in roles]
        self.fields["country"].queryset = Country.objects.by_name()
        self.fields["country"].help_text = _("For contributors and national focal points.")
        self.fields["partner"].queryset = Partner.objects.without_unep().by_name()
        self.fields["partner"].help_text = _("For members and leads of a partner.")
        for name in ("country", "partner"):
            self.fields[name].required = False

    def clean(self):
        """A place of the wrong kind beside the right one is left out rather than refused."""
        found = super().clean()
        if found.get("role") in COUNTRY_ROLES:
            found["partner"] = None
        elif found.get("role"):
            found["country"] = None
        return found


class JoinForm(PlaceForm):
    class Meta:
        model = JoinRequest
        fields = ["role", "country", "partner", "note"]
        widgets = {**PLACES, "note": forms.Textarea(attrs={"rows": 3})}


class DecisionForm(forms.Form):
    ends_on = forms.DateField(label=_("Role until"), required=False, initial=usual_end,
                              widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))  # fmt: skip
    answer = forms.CharField(label=_("Note to the person"), required=False, max_length=1000,
                             widget=forms.Textarea(attrs={"rows": 2}), help_text=_("Needed when you refuse."))  # fmt: skip


class InvitationForm(PlaceForm):
    class Meta:
        model = Invitation
        fields = ["email", "role", "country", "partner", "ends_on"]
        widgets = {**PLACES, "ends_on": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")}

    def __init__(self, *args, user, **kwargs):
        super().__init__(*args, **kwargs)
        self.initial.setdefault("ends_on", usual_end())
        if not user.is_staff:  # only what this person may give
            held = user.active_memberships
            countries = [m.country_id for m in held if m.role == Role.FOCAL_POINT]
            partners = [m.partner_id for m in held if m.role == Role.PARTNER_LEAD]
            roles = ([Role.CONTRIBUTOR] if countries else []) + (PARTNER_ROLES if partners else [])
            self.fields["role"].choices = [(r.value, r.label) for r in roles]
            self.fields["country"].queryset = Country.objects.filter(pk__in=countries).by_name()
            self.fields["partner"].queryset = Partner.objects.filter(pk__in=partners).by_name()
            for name, keys in (("country", countries), ("partner", partners)):
                if not keys:
                    del self.fields[name]
                elif len(keys) == 1:
                    self.initial.setdefault(name, keys[0])
            if len(roles) == 1:
                self.initial.setdefault("role", roles[0])


class TokenForm(forms.ModelForm):
    """A new API token. How long it holds is chosen, not typed."""

    days = forms.TypedChoiceField(
        label=_("How long it holds"), coerce=int, initial=90, widget=forms.RadioSelect,
        choices=[(30, _("30 days")), (90, _("90 days")), (365, _("one year"))],
    )  # fmt: skip

    class Meta:
        model = ApiToken
        fields = ["name", "scope"]
        widgets = {"scope": forms.RadioSelect}
