"""Admin of places, partners and people."""

import re

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.core.exceptions import ValidationError
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from desk.base import KeptHistory, RuledAdmin
from partners import personal
from partners.models import (
    ApiToken,
    Country,
    CountryGroup,
    GroupMember,
    MailText,
    Membership,
    Partner,
    PartnerCountry,
    Region,
    User,
)
from partners.models.mail_text import ALWAYS, PLACES
from partners.rules import require

NAMES = ["name_en", "name_ar", "name_zh_hans", "name_fr", "name_ru", "name_es"]


class RuledInline(RuledAdmin, admin.TabularInline):
    """Rows of what belongs to a record. New partners and so on are made from inside the row; nothing else distracts."""

    extra = 0

    def formfield_for_dbfield(self, db_field, request, **kwargs):
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        for name in ("can_change_related", "can_delete_related", "can_view_related"):
            if hasattr(getattr(field, "widget", None), name):
                setattr(field.widget, name, False)
        return field


class GroupMemberInline(RuledInline):
    model = GroupMember
    autocomplete_fields = ["country", "group"]


@admin.register(Region)
class RegionAdmin(KeptHistory, RuledAdmin, admin.ModelAdmin):
    list_display = ["code", "name_en", "parent"]
    list_select_related = ["parent"]
    search_fields = ["code", *NAMES]
    autocomplete_fields = ["parent"]


@admin.register(Country)
class CountryAdmin(KeptHistory, RuledAdmin, admin.ModelAdmin):
    change_list_template, table_kind = "admin/tabled_list.html", "countries"
    list_display = ["iso3", "name_en", "region", "is_un_member"]
    list_select_related = ["region"]
    list_filter = ["is_un_member", "region"]
    search_fields = ["iso3", "iso2", "m49", "formal_name", *NAMES]
    autocomplete_fields = ["region"]
    inlines = [GroupMemberInline]


@admin.register(CountryGroup)
class CountryGroupAdmin(KeptHistory, RuledAdmin, admin.ModelAdmin):
    list_display = ["code", "acronym", "name_en", "kind", "as_of", "is_verified"]
    list_filter = ["kind", "is_verified", "is_priority"]
    search_fields = ["code", "acronym", *NAMES]
    inlines = [GroupMemberInline]


class PartnerCountryInline(RuledInline):
    model = PartnerCountry
    autocomplete_fields = ["country"]


@admin.register(Partner)
class PartnerAdmin(KeptHistory, RuledAdmin, admin.ModelAdmin):
    change_list_template, table_kind = "admin/tabled_list.html", "partners"
    list_display = ["name_en", "acronym", "kind", "country", "iati_identifier", "verified_at"]
    list_select_related = ["country"]
    list_filter = ["kind", ("verified_at", admin.EmptyFieldListFilter), "is_illustrative"]
    search_fields = ["slug", "acronym", "iati_identifier", *NAMES]
    autocomplete_fields = ["country", "parent"]
    readonly_fields = ["verified_at", "verified_by"]
    prepopulated_fields = {"slug": ["name_en"]}
    inlines = [PartnerCountryInline]
    actions = ["mark_verified"]

    @admin.action(description=_("Mark as verified by me today"), permissions=["verify"])
    def mark_verified(self, request, queryset):
        for partner in queryset:
            partner.verified_at, partner.verified_by = timezone.now(), request.user
            partner.save(update_fields=["verified_at", "verified_by"])
        self.message_user(request, _("Marked as verified: %(n)s.") % {"n": queryset.count()})

    def has_verify_permission(self, request):
        return request.user.has_perm("partners.verify_partner")


class MembershipForm(forms.ModelForm):
    def clean_role(self):
        role = self.cleaned_data["role"]
        probe = Membership(role=role)
        if not self.granting.has_perm("partners.change_membership", probe):
            raise forms.ValidationError(_("Only an administrator gives UNEP's own roles."))
        return role


@admin.register(Membership)
class MembershipAdmin(KeptHistory, RuledAdmin, admin.ModelAdmin):
    form = MembershipForm
    list_display = ["user", "role", "country", "partner", "starts_on", "ends_on", "granted_by"]
    list_select_related = ["user", "country", "partner", "granted_by"]
    list_filter = ["role", ("ends_on", admin.EmptyFieldListFilter)]
    search_fields = ["user__email", "user__full_name", "country__name_en", "partner__name_en"]
    autocomplete_fields = ["user", "country", "partner"]
    readonly_fields = ["granted_by", "granted_at"]

    def get_form(self, request, obj=None, **kwargs):
        form = super().get_form(request, obj, **kwargs)
        return type("MembershipForm", (form,), {"granting": request.user})

    def save_model(self, request, obj, form, change):
        if not change:
            obj.granted_by = request.user
        super().save_model(request, obj, form, change)


class PersonCreationForm(AdminUserCreationForm):
    class Meta:
        model = User
        fields = ["email", "full_name"]


class PersonChangeForm(UserChangeForm):
    class Meta:
        model = User
        fields = ["email", "full_name", "language", "time_zone", "is_active", "password"]


@admin.register(User)
class UserAdmin(KeptHistory, RuledAdmin, DjangoUserAdmin):
    form, add_form = PersonChangeForm, PersonCreationForm
    list_display = ["email", "full_name", "is_active", "date_joined"]
    list_filter = ["is_active", "memberships__role"]
    search_fields = ["email", "full_name"]
    ordering = ["email"]
    filter_horizontal = []
    readonly_fields = ["date_joined", "last_login"]
    fieldsets = [
        (None, {"fields": ["email", "password", "full_name", "is_active"]}),
        (_("Their settings"), {"fields": ["language", "time_zone", "date_joined", "last_login"]}),
    ]
    add_fieldsets = [
        (None, {"classes": ["wide"], "fields": ["email", "full_name", "usable_password", "password1", "password2"]})
    ]
    change_form_template = "admin/partners/user_form.html"

    def get_urls(self):
        erase = self.admin_site.admin_view(self.erase)
        return [path("<int:pk>/erase/", erase, name="partners_user_erase"), *super().get_urls()]

    def change_view(self, request, object_id, form_url="", extra_context=None):
        person = self.get_object(request, object_id)
        may_erase = bool(person) and request.user.has_perm("partners.erase_user", person)
        return super().change_view(request, object_id, form_url, {"may_erase": may_erase, **(extra_context or {})})

    def erase(self, request, pk: int):
        """Erases an account whose owner asked for it in another way; asks once more before."""
        person = get_object_or_404(User, pk=pk)
        require(request.user, "partners.erase_user", person)
        if request.method == "POST":
            try:
                personal.erase(person, by=request.user)
            except ValidationError as error:
                self.message_user(request, " ".join(error.messages), messages.ERROR)
            else:
                self.message_user(request, _("The account was erased."), messages.SUCCESS)
            return redirect("admin:partners_user_changelist")
        context = {
            **self.admin_site.each_context(request),
            "title": _("Erase an account"),
            "opts": self.opts,
            "person": person,
        }
        return render(request, "admin/partners/user_erase.html", context)


@admin.register(MailText)
class MailTextAdmin(KeptHistory, RuledAdmin, admin.ModelAdmin):
    """Mail in one's own words. Beside the form: what the portal writes, and the places that can be filled."""

    list_display = ["name", "language", "subject"]
    list_filter = ["language", "name"]
    fields = ["name", "language", "subject", "body", "places", "standard"]
    readonly_fields = ["places", "standard"]

    @admin.display(description=_("Places to fill"))
    def places(self, text):
        if not text.name:
            return _("Save it once to see them.")
        return ", ".join(f"{{{place}}}" for place in (*ALWAYS, *PLACES.get(text.name, ())))

    @admin.display(description=_("What the portal writes"))
    def standard(self, text):
        """The template as words: what is translated stands there, what is filled in braces, conditions are left out."""
        if not text.name:
            return ""
        source = (settings.BASE_DIR / "templates" / "mail" / f"{text.name}.txt").read_text()
        source = re.sub(r"{% translate \"([^\"]*)\"[^%]*%}", r"\1", source)
        return format_html(
            '<pre class="standard">{}</pre>',
            re.sub(r"{{ ([\w.]+)[^}]*}}", r"{\1}", re.sub(r"{%[^%]*%}", "", source)).strip(),
        )


class OnlyLooked:
    """Mixin: records that people make for themselves elsewhere; here they are looked at."""

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False


@admin.register(ApiToken)
class ApiTokenAdmin(OnlyLooked, KeptHistory, RuledAdmin, admin.ModelAdmin):
    """Tokens of everybody, so that a leaked one can be ended by its beginning. Their secrets are nowhere."""

    list_display = ["beginning", "user", "name", "scope", "expires_on", "last_used_at", "revoked_at"]
    list_select_related = ["user"]
    list_filter = ["scope", ("revoked_at", admin.EmptyFieldListFilter)]
    search_fields = ["beginning", "name", "user__email"]
    fields = readonly_fields = [
        "user", "name", "scope", "beginning", "created_at", "expires_on", "last_used_at", "revoked_at",
    ]  # fmt: skip
    actions = ["revoke_selected"]

    @admin.action(description=_("Revoke the selected tokens at once"), permissions=["revoke"])
    def revoke_selected(self, request, queryset):
        for token in queryset:
            token.revoke()
        done = len(queryset)
        self.message_user(request, ngettext("%(n)s token is revoked.", "%(n)s tokens are revoked.", done) % {"n": done})

    def has_revoke_permission(self, request):
        return request.user.has_perm("partners.revoke_apitoken")

    def has_delete_permission(self, request, obj=None):
        return False
