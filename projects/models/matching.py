"""What matching knows: the thesaurus and the weights, which staff edit, and what it has read of each record, which it derives.

How they are used is in `projects/matching`.
"""

import pghistory
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from partners.models import Country, Partner
from partners.models.constraints import CheckedTogether, known
from projects.choices import ConceptUse, SetAsideReason, Signal
from projects.models.need import Need
from projects.models.offer import Offer
from projects.models.project import LANGUAGE_CODE
from projects.models.response import Response
from projects.models.term import Term


@pghistory.track()
class Concept(CheckedTogether):
    """One thing that people name with different words and in different languages, such as mangroves."""

    code = models.SlugField(_("code"), max_length=60, unique=True)
    broader = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="narrower", verbose_name=_("part of the broader"),
        help_text=_("Texts about this are also about that, to a lesser degree."),
    )  # fmt: skip
    use = models.CharField(_("use"), max_length=8, choices=ConceptUse, default=ConceptUse.TOPIC)

    class Meta:
        verbose_name = _("concept of the thesaurus")
        verbose_name_plural = _("concepts of the thesaurus")
        ordering = ["code"]
        constraints = [
            known("use", ConceptUse),
            models.CheckConstraint(
                name="concept_not_broader_than_itself", condition=Q(broader__isnull=True) | ~Q(broader=F("pk"))
            ),
        ]

    def __str__(self):
        return self.code

    def clean(self):
        above = self.broader
        while above is not None:
            if above.pk == self.pk and self.pk:
                raise ValidationError({"broader": _("This would make a circle.")})
            above = above.broader


@pghistory.track()
class Wording(models.Model):
    """The words for a concept in one language. The first is the one that people are shown."""

    concept = models.ForeignKey(Concept, models.CASCADE, related_name="wordings", verbose_name=_("concept"))
    language = models.CharField(_("language"), max_length=8, validators=[LANGUAGE_CODE])
    words = ArrayField(
        models.CharField(max_length=120), verbose_name=_("words"), help_text=_("Words or phrases, apart by commas.")
    )

    class Meta:
        verbose_name = _("words for a concept")
        verbose_name_plural = _("words for a concept")
        ordering = ["concept", "language"]
        constraints = [models.UniqueConstraint(fields=["concept", "language"], name="wording_once_per_language")]

    def __str__(self):
        return f"{self.language}: {', '.join(self.words)}"


@pghistory.track()
class NearTerm(models.Model):
    """Two themes so near that a match between them counts, though for less than the same theme."""

    one = models.ForeignKey(Term, models.CASCADE, related_name="+", verbose_name=_("theme"))
    other = models.ForeignKey(Term, models.CASCADE, related_name="+", verbose_name=_("near theme"))

    class Meta:
        verbose_name = _("pair of near themes")
        verbose_name_plural = _("near themes")
        ordering = ["one", "other"]
        constraints = [
            models.UniqueConstraint(fields=["one", "other"], name="near_term_once"),
            models.CheckConstraint(name="near_term_two_terms", condition=~Q(one=F("other"))),
        ]

    def __str__(self):
        return f"{self.one} ~ {self.other}"


class MatchWeightsQuerySet(models.QuerySet):
    def in_force(self):
        """The weights that count now: the newest."""
        return self.order_by("-pk").first()


@pghistory.track(pghistory.InsertEvent())
class MatchWeights(models.Model):
    """How many points each signal can give. A version is never changed; the newest counts."""

    points = models.JSONField(_("points"))
    note = models.CharField(_("why"), max_length=300)
    created_at = models.DateTimeField(_("since"), default=timezone.now, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, editable=False, related_name="+", verbose_name=_("by")
    )

    objects = MatchWeightsQuerySet.as_manager()

    class Meta:
        verbose_name = _("weights of matching")
        verbose_name_plural = _("weights of matching")
        ordering = ["-pk"]

    def __str__(self):
        return f"{self.pk}: {self.note}"

    def clean(self):
        given = self.points if isinstance(self.points, dict) else {}
        if set(given) != set(Signal.values) or not all(isinstance(n, int) and 0 <= n <= 100 for n in given.values()):
            raise ValidationError(_("Each signal has a whole number of points from 0 to 100."))
        if not any(given.values()):
            raise ValidationError(_("At least one signal gives points."))


@pghistory.track()
class SetAside(CheckedTogether):
    """One side's word that a match is not for it. The two are not matched again, and what is similar counts less."""

    need = models.ForeignKey(Need, models.CASCADE, related_name="set_aside", verbose_name=_("need"))
    offer = models.ForeignKey(Offer, models.CASCADE, related_name="set_aside", verbose_name=_("offer"))
    partner = models.ForeignKey(
        Partner, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("partner")
    )
    country = models.ForeignKey(
        Country, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("country")
    )
    reason = models.CharField(_("why"), max_length=10, choices=SetAsideReason)
    note = models.CharField(_("note"), max_length=500, blank=True)
    at = models.DateTimeField(_("at"), default=timezone.now, editable=False)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("by"))

    class Meta:
        verbose_name = _("match that was set aside")
        verbose_name_plural = _("matches that were set aside")
        ordering = ["-at", "-pk"]
        constraints = [
            known("reason", SetAsideReason),
            models.UniqueConstraint(fields=["need", "offer"], name="set_aside_once"),
            models.CheckConstraint(
                name="set_aside_by_one", condition=Q(partner__isnull=True) ^ Q(country__isnull=True)
            ),
        ]

    def __str__(self):
        return f"{self.need_id} / {self.offer_id}"

    @property
    def side(self) -> Partner | Country:
        """Who set it aside."""
        return self.partner or self.country


class FoundMatchQuerySet(models.QuerySet):
    def standing(self):
        """Those that can still come to something: the need takes responses, the offer can be had, nobody set it aside or
        declined it."""
        aside = SetAside.objects.filter(need=models.OuterRef("need"), offer=models.OuterRef("offer"))
        declined = Response.objects.declined().filter(need=models.OuterRef("need"), offer=models.OuterRef("offer"))
        best = self.filter(Q(is_of_need=True) | Q(is_of_offer=True))
        return best.filter(need__in=Need.objects.taking_responses(), offer__in=Offer.objects.active()).exclude(
            models.Exists(aside) | models.Exists(declined)
        )


class FoundMatch(models.Model):
    """A need and an offer that fit, as last found. Derived; `matching.keeping` writes it."""

    need = models.ForeignKey(Need, models.CASCADE, related_name="found", verbose_name=_("need"))
    offer = models.ForeignKey(Offer, models.CASCADE, related_name="found", verbose_name=_("offer"))
    score = models.FloatField(_("points of 100"))
    is_of_need = models.BooleanField(default=False)  # among the best for the need
    is_of_offer = models.BooleanField(default=False)  # among the best for the offer
    found_at = models.DateTimeField(_("found at"), default=timezone.now)
    points = models.JSONField(_("points by signal"), default=dict)  # {signal: earned of 1}, as last found
    is_told = models.BooleanField(default=False)  # those whom it concerns have been told
    shown = models.PositiveIntegerField(_("shown"), default=0)  # how often, counted without knowing to whom
    opened = models.PositiveIntegerField(_("opened"), default=0)

    objects = FoundMatchQuerySet.as_manager()

    class Meta:
        verbose_name = _("match found")
        verbose_name_plural = _("matches found")
        ordering = ["-score", "pk"]
        constraints = [models.UniqueConstraint(fields=["need", "offer"], name="match_found_once")]
        indexes = [
            models.Index(fields=["offer", "-score"], name="match_of_offer"),
            models.Index(fields=["id"], name="match_not_told", condition=Q(is_told=False)),
        ]

    def __str__(self):
        return f"{self.need_id} / {self.offer_id}: {self.score:.0f}"


class SavedMatch(models.Model):
    """A match that a person wants to come back to."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="saved_matches", verbose_name=_("person")
    )
    need = models.ForeignKey(Need, models.CASCADE, related_name="+", verbose_name=_("need"))
    offer = models.ForeignKey(Offer, models.CASCADE, related_name="+", verbose_name=_("offer"))
    at = models.DateTimeField(_("at"), default=timezone.now)

    class Meta:
        verbose_name = _("saved match")
        verbose_name_plural = _("saved matches")
        ordering = ["-at", "-pk"]
        constraints = [models.UniqueConstraint(fields=["user", "need", "offer"], name="match_saved_once")]

    def __str__(self):
        return f"{self.user}: {self.need_id} / {self.offer_id}"


class ReadText(models.Model):
    """What matching has read of the public texts of one record, as numbers. Derived; `matching.reading` writes it."""

    kind = models.SmallIntegerField()  # choices.Matched
    record = models.BigIntegerField()
    language = models.CharField(max_length=8)
    held = (
        models.BinaryField()
    )  # its terms, each with its weight: BM25 without the rarity (`matching.reading.pack_terms`)
    parts = models.JSONField()  # of a need: what is looked for, in all and line by line: [line, words, concepts]
    sought = models.BinaryField(null=True)  # their terms with what each says, one part after the other, as in `held`
    meaning = models.BinaryField(null=True)  # one vector, of a need one for each part; null without the extra
    fingerprint = models.CharField(max_length=64)  # of texts, thesaurus and reader, to tell whether it is stale
    read_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("text read for matching")
        verbose_name_plural = _("texts read for matching")
        constraints = [models.UniqueConstraint(fields=["kind", "record"], name="text_read_once")]

    def __str__(self):
        return f"{self.kind}:{self.record}"


class Posting(models.Model):
    """One term in one record, for finding the records that hold a term. Derived with `ReadText`."""

    kind = models.SmallIntegerField()
    term = models.BigIntegerField()
    record = models.BigIntegerField()
    weight = models.FloatField()

    class Meta:
        verbose_name = _("term in a text")
        verbose_name_plural = _("terms in texts")
        indexes = [
            models.Index(fields=["kind", "term"], include=["record", "weight"], name="posting_by_term"),
            models.Index(fields=["kind", "record"], name="posting_of_record"),
        ]

    def __str__(self):
        return f"{self.kind}:{self.record} {self.term}"


class TermCount(models.Model):
    """In how many texts of a kind a term occurs: how rare it is. Row 0 of a kind: how many texts there are."""

    kind = models.SmallIntegerField()
    term = models.BigIntegerField()
    n = models.IntegerField()

    class Meta:
        verbose_name = _("count of a term")
        verbose_name_plural = _("counts of terms")
        constraints = [models.UniqueConstraint(fields=["kind", "term"], name="term_counted_once")]

    def __str__(self):
        return f"{self.kind}: {self.term} {self.n}"
