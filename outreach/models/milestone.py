"""What happened on the way, as records; and where else one can follow us."""

import pghistory
from django.core.validators import URLValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from outreach.choices import ChannelKind, MilestoneKind, Precision
from outreach.models.writing import PublicQuerySet
from partners.models import Country
from partners.models.constraints import known
from partners.models.naming import translated_name

HTTPS = URLValidator(schemes=["https"])


@pghistory.track()
class Milestone(models.Model):
    """An event in the history of South-South cooperation on the environment."""

    code = models.SlugField(_("code"), max_length=60, unique=True, help_text=_("Stable and short, such as bapa."))
    happened_on = models.DateField(_("date"), help_text=_("The first day."))
    precision = models.CharField(_("known is"), max_length=5, choices=Precision, default=Precision.DAY)
    kind = models.CharField(_("kind"), max_length=11, choices=MilestoneKind)
    name = translated_name(_("title"))
    text = translated_name(_("what happened"), max_length=600, required=False)
    place = models.CharField(_("place"), max_length=100, blank=True, help_text=_("A city, in English."))
    country = models.ForeignKey(
        Country, models.PROTECT, related_name="+", verbose_name=_("country"), null=True, blank=True
    )
    document_title = models.CharField(_("document"), max_length=200, blank=True)
    document_url = models.URLField(_("address of the document"), max_length=500, blank=True, validators=[HTTPS])
    is_verified = models.BooleanField(_("checked against the document"), default=False)
    is_public = models.BooleanField(_("public"), default=True)

    objects = PublicQuerySet.as_manager()

    class Meta:
        verbose_name = _("milestone")
        verbose_name_plural = _("milestones")
        ordering = ["-happened_on", "code"]
        constraints = [
            known("kind", MilestoneKind),
            known("precision", Precision),
            models.CheckConstraint(
                name="milestone_document_whole",
                condition=models.Q(document_url="", document_title="")
                | (~models.Q(document_url="") & ~models.Q(document_title="")),
                violation_error_message=_("Give a document its title and its address."),
            ),
        ]

    def __str__(self):
        return self.name


@pghistory.track()
class Channel(models.Model):
    """A place elsewhere where one can follow what UNEP tells. A plain link: nothing of it is loaded here."""

    kind = models.CharField(_("kind"), max_length=8, choices=ChannelKind)
    title = models.CharField(_("name"), max_length=60)
    url = models.URLField(_("address"), max_length=300, unique=True, validators=[HTTPS])
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    is_public = models.BooleanField(_("public"), default=True)

    objects = PublicQuerySet.as_manager()

    class Meta:
        verbose_name = _("channel")
        verbose_name_plural = _("channels")
        ordering = ["position", "title"]
        constraints = [known("kind", ChannelKind)]

    def __str__(self):
        return self.title
