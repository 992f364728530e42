"""Where it happens, what documents it, what it belongs with, and what was reported along the way."""

import pghistory
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, URLValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from partners.models.constraints import CheckedTogether, known
from projects.choices import Relation
from projects.models.project import LANGUAGE_CODE, Project


@pghistory.track()
class Location(models.Model):
    """A place where the project works (IATI 2.03 location; WGS 84)."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="locations", verbose_name=_("project"))
    name = models.CharField(_("place"), max_length=200, blank=True)
    latitude = models.DecimalField(
        _("latitude"), max_digits=8, decimal_places=5, validators=[MinValueValidator(-90), MaxValueValidator(90)]
    )
    longitude = models.DecimalField(
        _("longitude"), max_digits=8, decimal_places=5, validators=[MinValueValidator(-180), MaxValueValidator(180)]
    )

    class Meta:
        verbose_name = _("place")
        verbose_name_plural = _("places")
        ordering = ["project", "name", "pk"]
        constraints = [
            models.CheckConstraint(
                name="location_on_earth",
                condition=models.Q(latitude__gte=-90, latitude__lte=90, longitude__gte=-180, longitude__lte=180),
            )
        ]

    def __str__(self):
        return self.name or f"{self.latitude}, {self.longitude}"


@pghistory.track()
class Document(models.Model):
    """A document or page about the project, by its address (IATI 2.03 document-link)."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="documents", verbose_name=_("project"))
    title = models.CharField(_("title"), max_length=300)
    url = models.URLField(_("address"), max_length=1000, validators=[URLValidator(schemes=["http", "https"])])
    language = models.CharField(_("language"), max_length=8, blank=True, validators=[LANGUAGE_CODE])
    published_on = models.DateField(_("date"), null=True, blank=True)

    class Meta:
        verbose_name = _("document or link")
        verbose_name_plural = _("documents and links")
        ordering = ["project", "-published_on", "pk"]

    def __str__(self):
        return self.title


@pghistory.track()
class RelatedProject(CheckedTogether):
    """Another project that this one belongs with (IATI 2.03 related-activity)."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="related_links", verbose_name=_("project"))
    other = models.ForeignKey(
        Project, models.CASCADE, related_name="+", verbose_name=_("other project"), null=True, blank=True
    )
    relation = models.CharField(_("relation"), max_length=1, choices=Relation, default=Relation.SIBLING)
    reported_identifier = models.CharField(_("identifier as reported"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("related project")
        verbose_name_plural = _("related projects")
        ordering = ["project", "relation", "pk"]
        constraints = [
            known("relation", Relation),
            models.CheckConstraint(
                name="related_to_another",
                condition=~models.Q(project=models.F("other")),
                violation_error_message=_("A project can't be related to itself."),
            ),
            models.CheckConstraint(
                name="related_named_or_reported",
                condition=models.Q(other__isnull=False) | ~models.Q(reported_identifier=""),
            ),
        ]

    def __str__(self):
        return f"{self.get_relation_display()} {self.other or self.reported_identifier}"

    def clean(self):
        if self.other_id is None and not self.reported_identifier:
            raise ValidationError({"other": _("Choose a project.")})


@pghistory.track()
class Update(models.Model):
    """News of a project, with its date."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="updates", verbose_name=_("project"))
    made_on = models.DateField(_("date"), default=timezone.localdate)
    text = models.TextField(_("what happened"), max_length=2000)
    entered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
        verbose_name=_("entered by"),
    )

    class Meta:
        verbose_name = _("update")
        verbose_name_plural = _("updates")
        ordering = ["project", "-made_on", "-pk"]

    def __str__(self):
        return f"{self.made_on}: {self.text[:60]}"
