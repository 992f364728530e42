"""What `load_reference` and imports last wrote, so that staff's edits since then can be told apart and kept."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class ReferenceValue(models.Model):
    """The values that a source last wrote to one record.

    A field whose present value differs from the one stored here was edited by a person since. `merge` in
    partners/reference.py decides by it; this is bookkeeping and has no history of its own.
    """

    model = models.CharField(_("record type"), max_length=100)
    key = models.CharField(_("key of the record"), max_length=200)
    source = models.CharField(_("source"), max_length=200)
    values = models.JSONField(_("values as written"))
    written_at = models.DateTimeField(_("written at"), auto_now=True)

    class Meta:
        verbose_name = _("value written by a source")
        verbose_name_plural = _("values written by sources")
        ordering = ["model", "key"]
        constraints = [models.UniqueConstraint(fields=["model", "key"], name="reference_value_once")]

    def __str__(self):
        return f"{self.model} {self.key}"
