"""What was imported, from which file, by whom; and what an import could not take as it came."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class ImportRun(models.Model):
    """One file, read once. Kept: it is the source of every record that came with it."""

    class Progress(models.TextChoices):
        WAITING = "waiting", _("waits to be confirmed")
        QUEUED = "queued", _("waits for the worker")
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        FAILED = "failed", _("stopped")

    file_name = models.CharField(_("file"), max_length=200)
    file = models.FileField(_("uploaded file"), upload_to="imports/", blank=True)
    sha256 = models.CharField(_("checksum"), max_length=64, blank=True)
    version = models.CharField(_("IATI version"), max_length=10, blank=True)
    progress = models.CharField(_("progress"), max_length=10, choices=Progress, default=Progress.RUNNING)
    is_dry_run = models.BooleanField(_("trial run"), default=False)
    done = models.PositiveIntegerField(_("activities read"), default=0)
    percent = models.PositiveSmallIntegerField(_("read so far, in %"), default=0)
    created = models.PositiveIntegerField(_("new"), default=0)
    updated = models.PositiveIntegerField(_("changed"), default=0)
    unchanged = models.PositiveIntegerField(_("unchanged"), default=0)
    rejected = models.PositiveIntegerField(_("not readable"), default=0)
    message = models.CharField(_("message"), max_length=500, blank=True)
    started_at = models.DateTimeField(_("started at"), default=timezone.now)
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("by")
    )
    finished_at = models.DateTimeField(_("finished at"), null=True)

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        ordering = ["-started_at", "-pk"]

    def __str__(self):
        return f"{self.file_name} ({self.started_at:%Y-%m-%d %H:%M})"


class ImportIssue(models.Model):
    """What one activity held that could not be taken as it came, and what was done about it."""

    class Outcome(models.TextChoices):
        REPAIRED = "repaired", _("repaired")
        KEPT = "kept", _("kept as it came, for staff to resolve")
        LEFT_OUT = "left_out", _("left out")
        STAFF = "staff", _("kept staff's edit")
        CHANGED = "changed", _("changed")
        REJECTED = "rejected", _("activity not read")

    run = models.ForeignKey(ImportRun, models.CASCADE, related_name="issues", verbose_name=_("import"))
    identifier = models.CharField(_("activity"), max_length=250)
    line = models.PositiveIntegerField(_("line"), null=True)
    element = models.CharField(_("element"), max_length=120)
    value = models.CharField(_("value"), max_length=500, blank=True)
    outcome = models.CharField(_("what was done"), max_length=10, choices=Outcome)
    text = models.CharField(_("explanation"), max_length=500)

    class Meta:
        verbose_name = _("finding of an import")
        verbose_name_plural = _("findings of imports")
        ordering = ["run", "pk"]

    def __str__(self):
        return f"{self.identifier}: {self.element} {self.value}: {self.text}"
