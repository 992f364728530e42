"""Wiring: checks that concern the whole installation, and our admin site in Django's place."""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class PortalConfig(AppConfig):
    name = "ssc_portal"
    verbose_name = "Portal"

    def import_models(self):
        from ground.field_errors import say_what_to_do
        from ground.texts import hold_to_rules

        say_what_to_do()  # this app is the first, so no record has fields yet
        hold_to_rules()
        super().import_models()

    def ready(self):
        from django.core import checks

        from ground.bodies import read_utf_8_only
        from ground.database import check_version
        from ground.sent_json import guard_forms
        from ground.signs import take_out_of_forms

        checks.register(check_version, checks.Tags.database)
        take_out_of_forms()
        guard_forms()
        read_utf_8_only()


class PortalAdminConfig(AdminConfig):
    default_site = "desk.base.PortalAdminSite"
