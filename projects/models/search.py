"""The search entry of a record: its words and its facets, kept by the database itself.

Triggers on every table that a project's entry is made from refresh it (SQL function `projects_refresh_search`), so
bulk edits and raw SQL can't leave it stale. The list pages, the facets and the search read this one narrow table.
How many entries carry each facet is kept as well (`FacetTally`), so that counting everything costs no more with a
million projects than with a thousand.
"""

from collections import Counter
from enum import IntEnum

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import connection, models
from django.db.models import F, Func, IntegerField, Q, Sum
from django.utils.translation import gettext_lazy as _

from partners.rules import is_unep, memberships


class FacetKind(IntEnum):
    """The kinds of facet. A facet is one integer, `key * 16 + kind`; the SQL function writes the same numbers."""

    COUNTRY = 0  # key: Country.pk, in any role; of an offer: where its provider is
    PROVIDER = 1  # key: Country.pk
    RECIPIENT = 2  # key: Country.pk; of an offer: a country that can have it, 0 where all can
    REGION = 3  # key: Region.pk, with all regions above
    GROUP = 4  # key: CountryGroup.pk, full members only
    TERM = 5  # key: Term.pk, with all terms above
    PARTNER = 6  # key: Partner.pk
    MODALITY = 7  # key: position in choices.Modality.values
    STATUS = 8  # key: IATI code, 0 where none is stated
    YEAR = 9  # key: each year from start to end
    INSTRUMENT = 10  # key: position in choices.Instrument.values
    LEVEL = 11  # key: position in choices.DeliveryLevel.values
    STARTED = 12  # key: year of start * 10 + IATI status; only counted, not a filter
    KIND = 13  # of a need or offer; key: position in choices.NeedKind.values or OfferKind.values
    LIFE = 14  # of a need or offer; key: position in choices.NeedState.values or OfferState.values
    CHECKED = 14  # of a project, which has no LIFE; key: position in choices.Checked.values
    COST = 15  # of an offer; key: position in choices.CostTerms.values

    def of(self, key: int) -> int:
        return key * 16 + self

    def among(self, counts: Counter) -> dict[int, int]:
        """The counts of this kind alone: {key: count}."""
        return {facet // 16: n for facet, n in counts.items() if facet % 16 == self}


def tallies(record: str) -> list[pgtrigger.Trigger]:
    """Triggers on the search entries of a kind of record that add to `FacetTally` what a statement changed."""

    def counted(rows: str, sign: str) -> str:
        return f"SELECT facet, {sign}1 AS n FROM {rows}, unnest({rows}.facets) AS facet WHERE {rows}.is_public"  # noqa: S608

    def trigger(operation, tables: dict[str, str], *rows: str):
        return pgtrigger.Trigger(
            name=f"tally_on_{str(operation).lower()}",
            level=pgtrigger.Statement,
            when=pgtrigger.After,
            operation=operation,
            referencing=pgtrigger.Referencing(**tables),
            func=f"""
                INSERT INTO projects_facettally (record, facet, n)
                SELECT '{record}', facet, sum(n) FROM ({" UNION ALL ".join(rows)}) AS changed
                GROUP BY facet HAVING sum(n) <> 0;
                RETURN NULL;
            """,  # noqa: S608
        )

    came, went = counted("new_rows", "+"), counted("old_rows", "-")
    return [
        trigger(pgtrigger.Insert, {"new": "new_rows"}, came),
        trigger(pgtrigger.Update, {"old": "old_rows", "new": "new_rows"}, came, went),
        trigger(pgtrigger.Delete, {"old": "old_rows"}, went),
    ]


class EntryQuerySet(models.QuerySet):
    def visible_to(self, user):
        """Entries of the records that this person may see."""
        if not memberships(user):
            return self.filter(is_public=True)
        records = self.model._meta.pk.related_model.objects
        return self.filter(Q(is_public=True) | Q(pk__in=records.visible_to(user).order_by().values("pk")))

    def public(self, *facets: int):
        """Entries of records that the public sees and that carry all of these facets."""
        entries = self.filter(is_public=True)
        return entries.filter(facets__contains=facets) if facets else entries

    def newest(self):
        return self.order_by("-published_at", "-pk")

    def counts(self) -> Counter:
        """How many of these entries carry each facet: {facet: count}. Reads every one of them."""
        unnested = Func(F("facets"), function="unnest", output_field=IntegerField())
        carried, parameters = self.order_by().values_list(unnested).query.sql_with_params()
        # Counted outside a subquery because PostgreSQL then shares the counting out among its workers: twice as fast.
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT facet, count(*) FROM ({carried}) AS carried(facet) GROUP BY facet", parameters)  # noqa: S608
            return Counter(dict(cursor.fetchall()))

    def pairs(self, rows: list[int], columns: list[int]) -> dict[tuple[int, int], int]:
        """How many of these entries carry both of two facets: {(row, column): count}."""
        entries, parameters = self.order_by().values_list("facets").query.sql_with_params()
        with connection.cursor() as cursor:
            cursor.execute(
                f"""
                SELECT r, c, count(*) FROM ({entries}) AS entry(facets), unnest(facets) AS r, unnest(facets) AS c
                WHERE r = ANY(%s) AND c = ANY(%s) GROUP BY r, c
                """,  # noqa: S608
                [*parameters, rows, columns],
            )
            return {(row, column): n for row, column, n in cursor.fetchall()}

    def counts_for(self, user) -> Counter:
        """How many of the entries that this person sees carry each facet. Reads only those that are not public."""
        public = FacetTally.objects.counts(self.model.RECORD)
        if not memberships(user):
            return public
        return public + self.visible_to(user).filter(is_public=False).counts()


class Entry(models.Model):
    """Base: what is searched, filtered and counted of one record. Derived: written by triggers only."""

    RECORD = ""

    is_public = models.BooleanField()
    vector = SearchVectorField()  # of texts that everybody may read, whoever searches
    facets = ArrayField(models.IntegerField())
    sort_title = models.CharField(max_length=80)
    published_at = models.DateTimeField(null=True)
    modified_at = models.DateTimeField()

    objects = EntryQuerySet.as_manager()

    class Meta:
        abstract = True

    def __str__(self):
        return str(self.pk)


class SearchEntryQuerySet(EntryQuerySet):
    def visible_to(self, user):
        return self if is_unep(user) else super().visible_to(user)


@pgtrigger.register(*tallies("project"))
class SearchEntry(Entry):
    """The entry of a project."""

    RECORD = "project"

    # No constraint: deleting a project's parts writes its entry once more before the project itself goes; the trigger
    # on the project then removes it.
    project = models.OneToOneField(
        "Project", models.DO_NOTHING, primary_key=True, related_name="entry", db_constraint=False
    )
    quality = models.PositiveSmallIntegerField()
    starts_on = models.DateField(null=True)

    objects = SearchEntryQuerySet.as_manager()

    class Meta:
        verbose_name = _("search entry")
        verbose_name_plural = _("search entries")
        indexes = [
            GinIndex(fields=["vector"], name="entry_words", fastupdate=False),
            GinIndex(fields=["facets"], name="entry_facets", fastupdate=False),
            models.Index(fields=["is_public", "-published_at", "-project"], name="entry_newest"),
            models.Index(fields=["is_public", "sort_title", "project"], name="entry_by_title"),
            models.Index("is_public", F("starts_on").desc(nulls_last=True), F("project").desc(), name="entry_by_start"),
        ]


class NeedEntryQuerySet(EntryQuerySet):
    def unanswered(self):
        """Entries of the needs that `Need.objects.unanswered` gives, for counting."""
        needs = self.model._meta.pk.related_model.objects
        return self.filter(pk__in=needs.unanswered().order_by().values("pk"))


@pgtrigger.register(*tallies("need"))
class NeedEntry(Entry):
    """The entry of a need."""

    RECORD = "need"

    need = models.OneToOneField("Need", models.DO_NOTHING, primary_key=True, related_name="entry", db_constraint=False)
    due_on = models.DateField(null=True)
    is_answered = models.BooleanField()  # has had a response

    objects = NeedEntryQuerySet.as_manager()

    class Meta:
        verbose_name = _("search entry of a need")
        verbose_name_plural = _("search entries of needs")
        indexes = [
            GinIndex(fields=["vector"], name="need_entry_words", fastupdate=False),
            GinIndex(fields=["facets"], name="need_entry_facets", fastupdate=False),
            models.Index(fields=["is_public", "-published_at", "-need"], name="need_entry_newest"),
            models.Index(fields=["is_public", "sort_title", "need"], name="need_entry_by_title"),
            models.Index(fields=["is_public", "due_on", "need"], name="need_entry_by_deadline"),
        ]


class OfferEntryQuerySet(EntryQuerySet):
    def visible_to(self, user):
        """Entries of the offers that are active or paused, and of those that concern this person."""
        if not memberships(user):
            return self.filter(is_public=True)
        offers = self.model._meta.pk.related_model.objects
        return self.filter(Q(is_public=True) | Q(pk__in=offers.concerning(user).order_by().values("pk")))


@pgtrigger.register(*tallies("offer"))
class OfferEntry(Entry):
    """The entry of an offer. Public while the offer is active or paused; its page stays after that."""

    RECORD = "offer"

    offer = models.OneToOneField(
        "Offer", models.DO_NOTHING, primary_key=True, related_name="entry", db_constraint=False
    )
    ends_on = models.DateField(null=True)  # the last day on which it can be asked for

    objects = OfferEntryQuerySet.as_manager()

    class Meta:
        verbose_name = _("search entry of an offer")
        verbose_name_plural = _("search entries of offers")
        indexes = [
            GinIndex(fields=["vector"], name="offer_entry_words", fastupdate=False),
            GinIndex(fields=["facets"], name="offer_entry_facets", fastupdate=False),
            models.Index(fields=["is_public", "-published_at", "-offer"], name="offer_entry_newest"),
            models.Index(fields=["is_public", "sort_title", "offer"], name="offer_entry_by_title"),
            models.Index(fields=["is_public", "ends_on", "offer"], name="offer_entry_by_end"),
        ]


class FacetTallyQuerySet(models.QuerySet):
    def counts(self, record: str) -> Counter:
        """{facet: count} of the public records of a kind, exact."""
        return Counter(
            dict(self.filter(record=record).values_list("facet").annotate(total=Sum("n")).filter(total__gt=0))
        )

    def fold(self) -> None:
        """Replaces the rows of each facet by their sum, in one statement. Run every few minutes by the worker."""
        with connection.cursor() as cursor:
            cursor.execute("""
                WITH gone AS (DELETE FROM projects_facettally RETURNING record, facet, n)
                INSERT INTO projects_facettally (record, facet, n)
                SELECT record, facet, sum(n) FROM gone GROUP BY record, facet HAVING sum(n) <> 0
            """)


class FacetTally(models.Model):
    """How many public records of a kind carry a facet: the sum of `n` over the rows of that facet.

    Triggers add a row for what each statement changed and change none, so that writers never wait for each other.
    """

    record = models.CharField(max_length=10)
    facet = models.IntegerField()
    n = models.IntegerField()

    objects = FacetTallyQuerySet.as_manager()

    class Meta:
        verbose_name = _("count of a facet")
        verbose_name_plural = _("counts of facets")

    def __str__(self):
        return f"{self.record} {self.facet}: {self.n:+}"


class SearchWord(models.Model):
    """A word that occurs in titles, summaries or names, for “did you mean”. Rebuilt by `search.rebuild_words`."""

    word = models.CharField(max_length=60, primary_key=True)
    records = models.PositiveIntegerField()

    class Meta:
        verbose_name = _("word of the search")
        verbose_name_plural = _("words of the search")

    def __str__(self):
        return self.word


def keeps_search_fresh(column: str, record: str = "project"):
    """Class decorator: every insert, update or delete refreshes the search entries of the records named by `column`."""
    refresh, entries = {
        "project": ("projects_refresh_search", "projects_searchentry"),
        "need": ("projects_refresh_needs", "projects_needentry"),
        "offer": ("projects_refresh_offers", "projects_offerentry"),
    }[record]

    def decorate(model):
        for operation, tables in (
            (pgtrigger.Insert, {"new": "new_rows"}),
            (pgtrigger.Update, {"old": "old_rows", "new": "new_rows"}),
            (pgtrigger.Delete, {"old": "old_rows"}),
        ):
            ids = " UNION ".join(f"SELECT {column} FROM {rows}" for rows in tables.values())  # noqa: S608
            func = f"PERFORM {refresh}(ARRAY({ids})); RETURN NULL;"
            if operation is pgtrigger.Delete and column == "id":
                func = f"DELETE FROM {entries} WHERE {record}_id IN (SELECT id FROM old_rows); RETURN NULL;"  # noqa: S608
            pgtrigger.register(
                pgtrigger.Trigger(
                    name=f"refresh_search_on_{str(operation).lower()}",
                    level=pgtrigger.Statement,
                    when=pgtrigger.After,
                    operation=operation,
                    referencing=pgtrigger.Referencing(**tables),
                    func=func,
                )
            )(model)
        return model

    return decorate
