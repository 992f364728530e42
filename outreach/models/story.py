"""Stories: what a finished project did well, told so that others can do it too. Looked over by a second person."""

import pghistory
from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from outreach import markup
from outreach.models.picture import Picture
from outreach.models.writing import TextInLanguage, Written, WrittenQuerySet
from partners.models.constraints import CheckedTogether
from projects.models import Need, Project


class StoryQuerySet(WrittenQuerySet):
    def published(self):
        return self.filter(is_public=True)

    def in_review(self):
        """Those that a second person still has to look over."""
        return self.filter(is_public=False, asked_at__isnull=False)

    def for_listing(self):
        return self.with_texts().select_related("project").prefetch_related("project__country_links__country")


@pghistory.track()
class Story(Written, CheckedTogether):
    """One story. Who helped whom, quantities and results are the project's own and not written again."""

    slug = models.SlugField(
        _("address"), max_length=80, unique=True, help_text=_("Such as mangroves-counted-by-villages.")
    )
    project = models.ForeignKey(Project, models.PROTECT, related_name="stories", verbose_name=_("project"))
    need = models.ForeignKey(
        Need,
        models.SET_NULL,
        related_name="stories",
        verbose_name=_("the need that it began with"),
        null=True,
        blank=True,
    )
    picture = models.ForeignKey(
        Picture, models.PROTECT, related_name="+", verbose_name=_("picture"), null=True, blank=True
    )
    consent_by = models.CharField(
        _("who agreed to be quoted"), max_length=200, blank=True,
        help_text=_("Name, and where the agreement is kept. Not shown."),
    )  # fmt: skip
    consent_on = models.DateField(_("agreed on"), null=True, blank=True)
    asked_at = models.DateTimeField(_("review asked for"), null=True, editable=False)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        related_name="+",
        verbose_name=_("asked by"),
        null=True,
        editable=False,
    )
    published_at = models.DateTimeField(_("published"), null=True, editable=False)
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, related_name="+", verbose_name=_("looked over by"), null=True, editable=False
    )  # fmt: skip
    note = models.CharField(_("what to change"), max_length=500, blank=True, editable=False)
    is_illustrative = models.BooleanField(_("made up for a demonstration"), default=False)
    created_at = models.DateTimeField(_("begun"), default=timezone.now, editable=False)
    modified_at = models.DateTimeField(_("changed"), auto_now=True)

    objects = StoryQuerySet.as_manager()

    class Meta:
        verbose_name = _("story")
        verbose_name_plural = _("stories")
        ordering = ["-published_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                name="consent_says_who_and_when",
                condition=models.Q(consent_by="", consent_on__isnull=True)
                | ~models.Q(consent_by="") & models.Q(consent_on__isnull=False),
                violation_error_message=_("Say who agreed, and when."),
            ),
            models.CheckConstraint(
                name="published_story_has_its_day",
                condition=models.Q(is_public=False) | models.Q(published_at__isnull=False),
            ),
        ]

    def __str__(self):
        return self.slug

    def get_absolute_url(self):
        return reverse("story", args=[self.slug])

    @property
    def state(self) -> str:
        return _("published") if self.is_public else _("in review") if self.asked_at else _("draft")


@pghistory.track()
class StoryText(TextInLanguage):
    """What a story says in one language. `body`: what was done."""

    story = models.ForeignKey(Story, models.CASCADE, related_name="texts", verbose_name=_("story"))
    problem = models.TextField(_("the problem"), max_length=5000, blank=True, help_text=markup.HELP)
    lessons = models.TextField(
        _("what others can learn"), max_length=5000, blank=True, help_text=_("Also what went wrong, and what you would do otherwise.")
    )  # fmt: skip
    quote = models.CharField(_("in somebody's words"), max_length=500, blank=True)
    quoted = models.CharField(
        _("whose words"), max_length=200, blank=True, help_text=_("As shown: name, what they do, where.")
    )

    class Meta:
        verbose_name = _("text of a story")
        verbose_name_plural = _("texts of stories")
        ordering = ["story", "language"]
        constraints = [
            models.UniqueConstraint(
                fields=["story", "language"],
                name="story_text_once_per_language",
                violation_error_message=_("There is a text in this language already."),
            ),
            models.CheckConstraint(
                name="a_quote_says_whose_it_is",
                condition=models.Q(quote="") | ~models.Q(quoted=""),
                violation_error_message=_("Say whose words these are."),
            ),
        ]
