"""News, events and calls: short items with their dates."""

import pghistory
from django.core.validators import URLValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Cast, Greatest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from outreach.choices import AnnouncementKind
from outreach.models.writing import TextInLanguage, Written, WrittenQuerySet
from partners.models import Country, Partner
from partners.models.constraints import CheckedTogether, in_order, known
from projects.choices import Vocabulary
from projects.models import Term


class AnnouncementQuerySet(WrittenQuerySet):
    def visible_to(self, user):
        """What is public and not of a later day; UNEP's staff sees the rest, too."""
        found = super().visible_to(user)
        return found if found is self else found.filter(published_on__lte=timezone.localdate())

    def for_listing(self):
        return self.with_texts().select_related("country").prefetch_related("themes")

    def shown_between(self, since, until):
        """What came to be public after one moment and until another, as `shown_at`, the newest first."""
        shown = Greatest("public_since", Cast("published_on", models.DateTimeField()))
        return (
            self.annotate(shown_at=shown).filter(shown_at__gt=since, shown_at__lte=until).order_by("-shown_at", "-pk")
        )

    def between(self, first, last):
        """Events that take place, and calls that end, from one day to another."""
        return self.filter(
            Q(kind=AnnouncementKind.EVENT, starts_on__lte=last)
            & (Q(ends_on__gte=first) | Q(ends_on=None, starts_on__gte=first))
            | Q(kind=AnnouncementKind.CALL, deadline__range=(first, last))
        )


@pghistory.track()
class Announcement(Written, CheckedTogether):
    """Something to tell, for a time."""

    slug = models.SlugField(_("address"), max_length=80, unique=True, help_text=_("Such as training-on-wetlands-2027."))
    kind = models.CharField(_("kind"), max_length=5, choices=AnnouncementKind, default=AnnouncementKind.NEWS)
    published_on = models.DateField(
        _("published on"), default=timezone.localdate, help_text=_("A later day: it appears then.")
    )
    public_since = models.DateTimeField(_("public since"), null=True, editable=False)
    starts_on = models.DateField(_("from"), null=True, blank=True)
    ends_on = models.DateField(_("until"), null=True, blank=True)
    deadline = models.DateField(_("deadline"), null=True, blank=True)
    place = models.CharField(_("place"), max_length=120, blank=True, help_text=_("A city, or: online."))
    country = models.ForeignKey(
        Country, models.PROTECT, related_name="announcements", verbose_name=_("country"), null=True, blank=True
    )
    url = models.URLField(
        _("more about it, or where to apply"), max_length=500, blank=True, validators=[URLValidator(schemes=["https"])]
    )
    themes = models.ManyToManyField(
        Term, verbose_name=_("themes"), blank=True, limit_choices_to={"vocabulary": Vocabulary.BSP_THEME}, related_name="+"
    )  # fmt: skip
    partners = models.ManyToManyField(Partner, verbose_name=_("partners"), blank=True, related_name="announcements")
    is_illustrative = models.BooleanField(_("made up for a demonstration"), default=False)
    modified_at = models.DateTimeField(_("changed"), auto_now=True)

    objects = AnnouncementQuerySet.as_manager()

    class Meta:
        verbose_name = _("news, event or call")
        verbose_name_plural = _("news, events and calls")
        ordering = ["-published_on", "-pk"]
        constraints = [
            known("kind", AnnouncementKind),
            in_order("starts_on", "ends_on", _("The last day comes before the first.")),
            models.CheckConstraint(
                name="event_has_its_day",
                condition=~Q(kind=AnnouncementKind.EVENT) | Q(starts_on__isnull=False),
                violation_error_message=_("Say on which day the event begins."),
            ),
            models.CheckConstraint(
                name="call_has_its_deadline",
                condition=~Q(kind=AnnouncementKind.CALL) | Q(deadline__isnull=False),
                violation_error_message=_("Say until when one can apply."),
            ),
        ]

    def __str__(self):
        return self.slug

    def save(self, *args, **kwargs):
        if self.is_public and self.public_since is None:
            self.public_since = timezone.now()
        super().save(*args, **kwargs)

    def get_absolute_url(self):
        return reverse("news", args=[self.slug])

    @property
    def is_over(self) -> bool:
        last = self.deadline if self.kind == AnnouncementKind.CALL else self.ends_on or self.starts_on
        return last is not None and last < timezone.localdate()


@pghistory.track()
class AnnouncementText(TextInLanguage):
    """What is told in one language."""

    announcement = models.ForeignKey(
        Announcement, models.CASCADE, related_name="texts", verbose_name=_("news, event or call")
    )

    class Meta:
        verbose_name = _("text of news")
        verbose_name_plural = _("texts of news")
        ordering = ["announcement", "language"]
        constraints = [
            models.UniqueConstraint(
                fields=["announcement", "language"],
                name="news_text_once_per_language",
                violation_error_message=_("There is a text in this language already."),
            )
        ]
