"""Who: people, countries and partners."""

import pgtrigger
from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PartnersConfig(AppConfig):
    name = "partners"
    verbose_name = _("Who: people, countries and partners")

    def ready(self):
        from allauth.mfa.models import Authenticator

        from partners.models.program import ends_tokens

        removed = ends_tokens(pgtrigger.Delete, "OLD.user_id", condition="OLD.type <> 'recovery_codes'")
        pgtrigger.register(removed)(Authenticator)
