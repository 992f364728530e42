"""Documents of a need and of the responses to it: the country's letter, the plan it serves. Kept apart from what the web server serves."""

import pghistory
from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from partners.models.constraints import known
from partners.rules import is_unep, memberships
from projects.choices import DocumentKind
from projects.models.need import Need
from projects.models.response import Response


class NeedDocumentQuerySet(models.QuerySet):
    def visible_to(self, user):
        """Documents that this person may download: public ones of needs they see, restricted ones of their own, those
        of responses that they read in full."""
        needs = Need.objects.visible_to(user)
        if is_unep(user):
            return self.filter(need__in=needs)
        countries = [m.country_id for m in memberships(user) if m.country_id]
        found = models.Q(is_restricted=False, response=None, need__in=needs) | models.Q(need__country__in=countries)
        return (
            self.filter(found | models.Q(response__in=Response.objects.of(user)))
            if memberships(user)
            else self.filter(found)
        )


@pghistory.track()
class NeedDocument(models.Model):
    """A file that belongs to a need. Its type is what its content says, not its name."""

    need = models.ForeignKey(Need, models.CASCADE, related_name="documents", verbose_name=_("need"))
    response = models.ForeignKey(  # of a response to the need, else of the need itself
        Response, models.CASCADE, null=True, blank=True, related_name="documents", verbose_name=_("response")
    )
    kind = models.CharField(_("kind"), max_length=8, choices=DocumentKind, default=DocumentKind.OTHER)
    title = models.CharField(_("title"), max_length=200)
    file = models.FileField(_("file"), upload_to="needs/%Y/%m/", max_length=300)
    media_type = models.CharField(_("type"), max_length=100, editable=False)
    size = models.PositiveIntegerField(_("size in bytes"), editable=False)
    is_restricted = models.BooleanField(_("restricted"), default=True, help_text=_("Only for the country and UNEP."))
    added_at = models.DateTimeField(_("added at"), default=timezone.now, editable=False)
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
        verbose_name=_("added by"),
    )

    objects = NeedDocumentQuerySet.as_manager()

    class Meta:
        verbose_name = _("document of the need")
        verbose_name_plural = _("documents of the need")
        ordering = ["need", "pk"]
        constraints = [known("kind", DocumentKind)]

    def __str__(self):
        return self.title
