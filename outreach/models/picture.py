"""Pictures of pages and news."""

import pghistory
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from partners.models.naming import translated_name


@pghistory.track()
class Picture(models.Model):
    """A picture for pages, kept small, with what it shows in words."""

    name = models.SlugField(_("name"), max_length=60, unique=True, help_text=_("In a text: ![caption](picture:name)"))
    file = models.FileField(_("file"), upload_to="pictures/", help_text=_("PNG or JPEG. It is made small."))
    alt = translated_name(_("what it shows"), help_text=_("For those who can't see it. Not the caption."))
    credit = models.CharField(_("by whom, under which licence"), max_length=200)
    width = models.PositiveSmallIntegerField(_("width"), editable=False, default=0)
    height = models.PositiveSmallIntegerField(_("height"), editable=False, default=0)

    class Meta:
        verbose_name = _("picture")
        verbose_name_plural = _("pictures")
        ordering = ["name"]

    def __str__(self):
        return self.name

    def get_absolute_url(self):
        return reverse("picture", args=[self.name])
