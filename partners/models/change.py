"""What changed in public: one feed, which deltas, feeds, webhooks and copies read (docs/decisions/0032-change-feed.md).

Nothing here is written by Python. Triggers note which records a statement may have changed (`Touched`); when the transaction
commits, `projects_tell_changes()` compares what the public reads of them with what it read before (`PublicRecord`) and tells
the difference (`Change`). Which table belongs to which record: projects/models/telling.py.
"""

import datetime as dt

import pgtrigger
from django.db import connection, models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from partners.choices import PublicKind
from partners.models.constraints import known


@pgtrigger.register(
    # The numbers have to be given in the order of commits: under a lock that is held until the commit is done. It is the last
    # lock that a transaction takes, or two could wait for each other; so the first round only queues a second one, behind
    # all the other checks that wait for the end of the transaction.
    pgtrigger.Trigger(
        name="tell_at_commit",
        operation=pgtrigger.Insert,
        when=pgtrigger.After,
        timing=pgtrigger.Deferred,
        func="""
            IF NEW.is_last THEN
              PERFORM projects_tell_changes();
            ELSIF coalesce(current_setting('portal.is_told_last', true), '') <> 'on' THEN  -- in this transaction
              PERFORM set_config('portal.is_told_last', 'on', true);
              INSERT INTO partners_touched (kind, record, what, is_quiet, is_last) VALUES ('', 0, '', true, true);
            END IF;
            RETURN NULL;
        """,
    )
)
class Touched(models.Model):
    """A record that the running transaction may have changed in public, or a row of `source`, a table, whose linked records it may
    have changed. Gone when it commits, so never seen by another."""

    kind = models.CharField(max_length=10)
    record = models.BigIntegerField()
    what = models.CharField(max_length=20)
    source = models.CharField(max_length=40, blank=True, db_default="")
    is_quiet = models.BooleanField()
    is_last = models.BooleanField()

    class Meta:
        verbose_name = _("touched record")
        verbose_name_plural = _("touched records")
        indexes = [models.Index(fields=["is_last"], name="touched_last", condition=models.Q(is_last=True))]

    def __str__(self):
        return f"{self.kind} {self.record}"


class PublicRecordQuerySet(models.QuerySet):
    def of(self, records: models.QuerySet):
        """Those of these records."""
        return self.filter(kind=kind_of(records.model), record__in=records.order_by().values("pk"))

    def changed_since(self, model: type[models.Model], moment):
        """Keys of the records of a model whose public answer changed at a moment or later."""
        return self.filter(kind=kind_of(model), changed_at__gte=moment).values("record")


class PublicRecord(models.Model):
    """A record that the public reads, or has read, and its last change."""

    kind = models.CharField(_("kind"), max_length=10, choices=PublicKind)
    record = models.BigIntegerField()
    reference = models.CharField(_("reference"), max_length=100)
    digest = models.BinaryField()  # of what the public reads, but for words of the portal and addresses
    is_gone = models.BooleanField(_("gone"))
    sequence = models.BigIntegerField(_("number"), unique=True)
    changed_at = models.DateTimeField(_("at"))

    objects = PublicRecordQuerySet.as_manager()

    class Meta:
        verbose_name = _("public record")
        verbose_name_plural = _("public records")
        constraints = [
            known("kind", PublicKind),
            models.UniqueConstraint(fields=["kind", "record"], name="public_record_once"),
        ]
        indexes = [
            models.Index(fields=["kind", "sequence"], name="public_record_order"),
            models.Index(fields=["kind", "changed_at"], name="public_record_since"),
        ]

    def __str__(self):
        return self.reference


class ChangeQuerySet(models.QuerySet):
    def last_number(self) -> int:
        """The number of the last change; 0 before the first."""
        return self.order_by("-sequence").values_list("sequence", flat=True).first() or 0

    def superseded(self):
        """Those after which the same reference has changed again: a copy needs the last one only."""
        later = self.model.objects.filter(
            kind=models.OuterRef("kind"),
            reference=models.OuterRef("reference"),
            sequence__gt=models.OuterRef("sequence"),
        )
        return self.filter(models.Exists(later))


class Change(models.Model):
    """One change of what the public reads of a record. In the order of commits: none can appear behind a reader."""

    sequence = models.BigAutoField(_("number"), primary_key=True)
    kind = models.CharField(_("kind"), max_length=10, choices=PublicKind)
    record = models.BigIntegerField()
    reference = models.CharField(_("reference"), max_length=100)
    what = models.CharField(_("what"), max_length=20)
    is_gone = models.BooleanField(_("gone"))
    merged_into = models.CharField(_("merged into"), max_length=100, blank=True)
    is_quiet = models.BooleanField()  # one of many of an import: no webhook is called
    at = models.DateTimeField(_("at"), default=timezone.now)

    objects = ChangeQuerySet.as_manager()

    class Meta:
        verbose_name = _("change")
        verbose_name_plural = _("changes")
        ordering = ["sequence"]
        constraints = [known("kind", PublicKind)]
        indexes = [
            models.Index(fields=["kind", "sequence"], name="change_kind_order"),
            models.Index(fields=["kind", "reference", "sequence"], name="change_of_reference"),
        ]

    def __str__(self):
        return f"{self.sequence} {self.kind} {self.reference}: {self.what}"


def last_change_of(model: type[models.Model]) -> models.Subquery:
    """When what the public reads of a record last changed; null where it reads nothing."""
    told = PublicRecord.objects.filter(kind=kind_of(model), record=models.OuterRef("pk"), is_gone=False)
    return models.Subquery(told.values("changed_at"))


def newest_change_of(model: type[models.Model]) -> models.Subquery:
    """When what the public reads of any record of a model last changed."""
    told = PublicRecord.objects.filter(kind=kind_of(model)).order_by("-changed_at")
    return models.Subquery(told.values("changed_at")[:1])


def with_last_change(records: models.QuerySet) -> models.QuerySet:
    """The records, each with that moment as `told_at`."""
    return records.annotate(told_at=last_change_of(records.model))


def last_change(record) -> dt.datetime:
    """That moment of a record, loaded by `with_last_change`; of one that the public does not read, when anything did."""
    return getattr(record, "told_at", None) or record.modified_at


def tell_now() -> None:
    """Tells what this transaction changed as its end will, for who answers with that moment before the end. Others that end
    meanwhile wait, so little but reading may follow."""
    connection.check_constraints()


def kind_of(model: type[models.Model]) -> str:
    """The public kind of a model's records, empty where it has none."""
    name = {"countrygroup": PublicKind.GROUP}.get(model._meta.model_name, model._meta.model_name)
    return name if name in PublicKind.values else ""
