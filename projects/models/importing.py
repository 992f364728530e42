"""What was imported, from which file, by whom; what an import could not take as it came; what a table changed, row by row."""

from contextlib import contextmanager

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db import connection, models
from django.db.models.expressions import RawSQL
from django.utils import timezone
from django.utils.translation import gettext as say
from django.utils.translation import gettext_lazy as _

from ground.licences import FOR_US, LICENCES, OTHER, OWN, UNKNOWN
from partners.models import Provenance
from partners.models.constraints import CheckedTogether, known, together


class ImportKind(models.TextChoices):
    IATI = "iati", _("IATI activities")
    COUNTRIES = "countries", _("table of countries")
    PARTNERS = "partners", _("table of partners")
    PROJECTS = "projects", _("table of projects")
    NEEDS = "needs", _("table of needs")
    OFFERS = "offers", _("table of offers")
    STATEMENTS = "statements", _("needs of national contributions")


class RowOutcome(models.TextChoices):
    NEW = "new", _("new")
    CHANGED = "changed", _("changed")
    UNCHANGED = "unchanged", _("unchanged")
    WRONG = "wrong", _("to be mended")


class RowUndo(models.TextChoices):
    NOT = "", _("not undone")
    WHOLE = "whole", _("undone")
    PART = "part", _("undone but for what was changed since")
    LEFT = "left", _("left as it is")


LICENCE_CHOICES = [
    (UNKNOWN, _("not known")),
    *((one.code, one.title) for one in LICENCES.values()),
    (OTHER, _("another licence")),
    (FOR_US, _("written for this portal, under its own licence")),
]
STATED = (
    "publisher",
    "source_url",
    "licence",
    "licence_text",
    "retrieved_on",
)  # what is said of the source of an import
AT_WORK = 1_769_173_613  # of the advisory locks: "an import with this key is being carried out"


QUEUE = "imports"


class ImportRunQuerySet(models.QuerySet):
    def with_at_work(self):
        """Each with `at_work`: whether a connection is carrying it out now (a process that was killed holds none), and
        `has_job`: whether a worker will, or has begun."""
        held = RawSQL(
            "EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted AND classid = %s AND objid = projects_importrun.id::oid "
            "AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))",
            [AT_WORK], output_field=models.BooleanField(),
        )  # fmt: skip
        queued = RawSQL(
            "EXISTS (SELECT FROM procrastinate_jobs j WHERE j.queue_name = %s AND j.status IN ('todo', 'doing') "
            "AND (j.args ->> 'run_id')::bigint = projects_importrun.id)",
            [QUEUE], output_field=models.BooleanField(),
        )  # fmt: skip
        return self.annotate(at_work=held, has_job=queued)

    def broken_off(self):
        """Those that say they run and that nobody carries out any more, those that wait for a worker in no queue, and those that
        a fault of the portal ended: it may be mended by now."""
        running = models.Q(progress=ImportRun.Progress.RUNNING)
        running |= models.Q(progress=ImportRun.Progress.FAILED, has_broken=True)
        return self.with_at_work().filter(
            running | models.Q(progress=ImportRun.Progress.QUEUED, has_job=False), at_work=False
        )


class ImportRun(CheckedTogether):
    """One file, read once. Kept: it is the source of every record that came with it."""

    class Progress(models.TextChoices):
        WAITING = "waiting", _("waits to be confirmed")
        QUEUED = "queued", _("waits for the worker")
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        FAILED = "failed", _("stopped")

    kind = models.CharField(_("kind"), max_length=10, choices=ImportKind, default=ImportKind.IATI)
    only_good = models.BooleanField(
        _("good records only"), default=False, help_text=_("Of a table: what is right was taken, the rest left out.")
    )
    file_name = models.CharField(_("file"), max_length=200)
    file = models.FileField(_("uploaded file"), upload_to="imports/", blank=True)
    sha256 = models.CharField(_("checksum"), max_length=64, blank=True)
    version = models.CharField(_("IATI version"), max_length=10, blank=True)
    progress = models.CharField(_("progress"), max_length=10, choices=Progress, default=Progress.RUNNING)
    has_broken = models.BooleanField(_("broke off by a fault"), default=False, db_default=False, editable=False)
    is_dry_run = models.BooleanField(_("trial run"), default=False)
    publishes = models.BooleanField(_("publishes new records at once"), default=True, db_default=True, editable=False)
    done = models.PositiveIntegerField(_("records read"), default=0)
    percent = models.PositiveSmallIntegerField(_("read so far, in %"), default=0)
    created = models.PositiveIntegerField(_("new"), default=0)
    updated = models.PositiveIntegerField(_("changed"), default=0)
    unchanged = models.PositiveIntegerField(_("unchanged"), default=0)
    rejected = models.PositiveIntegerField(_("not readable"), default=0)
    message = models.CharField(_("message"), max_length=500, blank=True)
    publisher = models.CharField(
        _("published by"),
        max_length=200,
        blank=True,
        help_text=_("Who publishes the file. Leave it empty if you do not know."),
    )
    source_url = models.URLField(
        _("address of the source"), max_length=500, blank=True, validators=[URLValidator(["https", "http"])],
        help_text=_("Where the file came from, such as https://example.org/data/."),
    )  # fmt: skip
    licence = models.CharField(
        _("licence"), max_length=20, choices=LICENCE_CHOICES, default=UNKNOWN, db_default=UNKNOWN,
        help_text=_("As the source states it. Choose “not known” if the source states none."),
    )  # fmt: skip
    licence_text = models.CharField(
        _("name of the other licence"), max_length=200, blank=True, db_default="",
        help_text=_("Only for another licence: its name or its address."),
    )  # fmt: skip
    retrieved_on = models.DateField(
        _("retrieved on"), null=True, blank=True, help_text=_("Date on which the file was taken from its source.")
    )
    started_at = models.DateTimeField(_("started at"), default=timezone.now)
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("by")
    )
    finished_at = models.DateTimeField(_("finished at"), null=True)
    undone_at = models.DateTimeField(_("undone at"), null=True, blank=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("undone by")
    )

    objects = ImportRunQuerySet.as_manager()

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        ordering = ["-started_at", "-pk"]
        constraints = [
            known("kind", ImportKind),
            together("undone_at", "undone_by"),
            models.CheckConstraint(
                name="%(app_label)s_%(class)s_licence_known",
                condition=models.Q(licence__in=[code for code, _name in LICENCE_CHOICES]),
            ),
            models.CheckConstraint(
                name="import_other_licence_named", condition=models.Q(licence=OTHER) ^ models.Q(licence_text="")
            ),
        ]

    def __str__(self):
        return f"{self.file_name} ({self.started_at:%Y-%m-%d %H:%M})"

    def clean(self):
        self.licence_text = self.licence_text.strip()
        if self.licence == OTHER and not self.licence_text:
            raise ValidationError({"licence_text": say("Enter the name or the address of the licence.")})
        if self.licence != OTHER and self.licence_text:
            raise ValidationError({"licence_text": say("Choose “another licence”, or leave this empty.")})
        if self.licence_text.lower() in {str(text).lower() for pair in LICENCE_CHOICES for text in pair}:
            raise ValidationError({"licence_text": say("This licence is in the list. Choose it there.")})
        if self.retrieved_on and self.retrieved_on > timezone.localdate():
            raise ValidationError({"retrieved_on": say("The date must be today or earlier.")})

    @property
    def is_table(self) -> bool:
        return self.kind not in (ImportKind.IATI, ImportKind.STATEMENTS)

    @property
    def provenance(self) -> Provenance:
        """What is said of the records that it wrote."""
        code = {OTHER: self.licence_text, FOR_US: OWN.code}.get(self.licence, self.licence)
        return Provenance(code, self.publisher, self.source_url, self.retrieved_on)

    def is_source_of(self, *, is_new: bool) -> bool:
        """Whether a record that it writes counts as coming from it. What was written for this portal corrects a record as staff do at
        the page: it makes new ones, and leaves others to their source."""
        return is_new or self.licence != FOR_US

    def says_more_than(self, other: "ImportRun | None") -> bool:
        """Whether the licence is stated here and was not there, for a file that is read again."""
        return other is not None and other.licence == UNKNOWN != self.licence and self.is_source_of(is_new=False)

    @contextmanager
    def being_carried_out(self):
        """Says that it is at work as long as this connection lives: PostgreSQL lets go of the lock when a process dies."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s, %s)", [AT_WORK, self.pk])
        try:
            yield
        finally:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [AT_WORK, self.pk])

    def claim(self) -> bool:
        """Whether it waited for a worker until now: of two jobs for one import the second finds nothing to do."""
        waiting = type(self).objects.filter(pk=self.pk, progress=self.Progress.QUEUED)
        return bool(waiting.update(progress=self.Progress.RUNNING))

    @property
    def counts(self) -> dict[str, int]:
        """How many records were read, and what became of them."""
        return {name: getattr(self, name) for name in ("done", "created", "updated", "unchanged", "rejected")}

    @property
    def is_broken_off(self) -> bool:
        return type(self).objects.broken_off().filter(pk=self.pk).exists()

    @property
    def no_undo(self) -> str:
        """Of an import that can't be undone once it is carried out: that, and what to do instead. Empty for a table."""
        if self.is_table:
            return ""
        if self.kind == ImportKind.IATI:
            return say(
                "An IATI import can’t be undone: to correct it, import a corrected file, which updates the same activities, or "
                "withdraw records from the public one by one."
            )
        return say("This import can’t be undone: to correct it, archive or delete the drafts one by one.")

    @property
    def can_be_undone(self) -> bool:
        """A table that was carried out and still stands."""
        return self.is_table and self.progress == self.Progress.DONE and not self.is_dry_run and self.undone_at is None


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


class ImportRow(CheckedTogether):
    """One record of a table: what it was before, what the table makes of it, or why it can't be taken.

    Cells are texts by column, as the table writes them; lines are a list of such.
    """

    run = models.ForeignKey(ImportRun, models.CASCADE, related_name="rows", verbose_name=_("import"))
    number = models.PositiveIntegerField(_("row"))
    key = models.CharField(_("record"), max_length=250, blank=True)  # reference, ISO 3166-1 code, address, or a title
    record = models.BigIntegerField(null=True)  # its key, of the kind of the run
    outcome = models.CharField(_("what becomes of it"), max_length=10, choices=RowOutcome)
    before = models.JSONField(_("before"), default=dict)  # of the columns that change
    after = models.JSONField(_("after"), default=dict)
    problems = models.JSONField(_("problems"), default=list)  # [column or "", sentence]
    notes = models.JSONField(
        _("how it was read"), default=list
    )  # [column, sentence]: numbers that were written otherwise
    earlier_run = models.ForeignKey(
        ImportRun, models.PROTECT, null=True, related_name="+", verbose_name=_("import before this one")
    )  # from which the record came until then; an undo puts it back
    undo = models.CharField(_("undone"), max_length=5, choices=RowUndo, blank=True, default=RowUndo.NOT)
    undo_note = models.CharField(_("why it was left"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("row of an import")
        verbose_name_plural = _("rows of imports")
        ordering = ["run", "number"]
        constraints = [
            models.UniqueConstraint(fields=["run", "number"], name="row_once_per_import"),
            known("outcome", RowOutcome),
            known("undo", RowUndo),
        ]

    def __str__(self):
        return f"{self.number}: {self.key}"
