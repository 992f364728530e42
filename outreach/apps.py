"""How we talk about it: pages, milestones, channels."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OutreachConfig(AppConfig):
    name = "outreach"
    verbose_name = _("How we talk about it: pages and milestones")
