"""How we talk about it: pages, milestones, channels."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OutreachConfig(AppConfig):
    name = "outreach"
    verbose_name = _("How we talk about it: pages and milestones")

    def ready(self):
        from outreach import contact, subscribing  # need the records
        from partners.personal import BY_ADDRESS, ByAddress

        BY_ADDRESS += [
            ByAddress("messages_to_the_desks", contact.export, contact.erase),
            ByAddress("updates_by_mail", subscribing.export, subscribing.erase),
        ]
