"""Pages that staff write: an address, a text in each language, pictures with their description, a place for a video."""

import pghistory
from django.core.validators import RegexValidator, URLValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from outreach.choices import Menu, Shows
from outreach.models.writing import TextInLanguage, Written, WrittenQuerySet
from partners.models import CountryGroup, Partner
from partners.models.constraints import keeps_address, known

PATH = r"about(?:/[a-z0-9]+(?:-[a-z0-9]+)*){0,3}"


LINKED = {"about", "about/accessibility", "about/how-it-works", "about/privacy", "about/terms"}  # from every page


class PageQuerySet(WrittenQuerySet):
    def for_menu(self) -> "PageQuerySet":
        """With no more of the texts than their titles."""
        titles = PageText.objects.only("page", "language", "title")
        return self.prefetch_related(models.Prefetch("texts", titles))


@pghistory.track()
class Page(Written):
    """A page of the site's own, under /about/."""

    path = models.CharField(
        _("address"), max_length=100, unique=True, validators=[RegexValidator(f"^{PATH}$", _("Begin with about, then small letters, digits and hyphens, such as about/history."))],
        help_text=_("Such as about/history. Links from elsewhere break when it is changed."),
    )  # fmt: skip
    menu = models.CharField(_("listed under"), max_length=12, choices=Menu, default=Menu.ABOUT)
    position = models.PositiveSmallIntegerField(_("position"), default=0, help_text=_("The smallest comes first."))
    shows = models.CharField(_("shows below the text"), max_length=10, choices=Shows, blank=True, default=Shows.NOTHING)
    partner = models.ForeignKey(
        Partner, models.PROTECT, related_name="+", verbose_name=_("about the partner"), null=True, blank=True
    )
    group = models.ForeignKey(
        CountryGroup, models.PROTECT, related_name="+", verbose_name=_("about the group"), null=True, blank=True
    )
    modified_at = models.DateTimeField(_("changed"), auto_now=True)

    objects = PageQuerySet.as_manager()

    class Meta:
        verbose_name = _("page")
        verbose_name_plural = _("pages")
        ordering = ["menu", "position", "path"]
        constraints = [known("menu", Menu), known("shows", Shows)]

    def __str__(self):
        return self.path

    def get_absolute_url(self):
        return reverse("page", args=[self.path])

    def clean(self):
        super().clean()
        keeps_address(self, "path", LINKED)


@pghistory.track()
class PageText(TextInLanguage):
    """What a page says in one language. Each version is kept (PageTextEvent)."""

    page = models.ForeignKey(Page, models.CASCADE, related_name="texts", verbose_name=_("page"))
    video_title = models.CharField(_("title of the video"), max_length=150, blank=True)
    video_url = models.URLField(
        _("address of the video"), max_length=500, blank=True, validators=[URLValidator(schemes=["https"])],
        help_text=_("A link: nothing is asked of that site before somebody follows it."),
    )  # fmt: skip
    captions_url = models.URLField(
        _("address of its captions"), max_length=500, blank=True, validators=[URLValidator(schemes=["https"])]
    )
    transcript = models.TextField(
        _("transcript"), max_length=40_000, blank=True, help_text=_("What is said and shown, for those who can't hear or see it, or whose line is slow.")
    )  # fmt: skip

    class Meta:
        verbose_name = _("text of a page")
        verbose_name_plural = _("texts of pages")
        ordering = ["page", "language"]
        constraints = [
            models.UniqueConstraint(
                fields=["page", "language"],
                name="page_text_once_per_language",
                violation_error_message=_("There is a text in this language already."),
            ),
            models.CheckConstraint(
                name="video_has_title_and_transcript",
                condition=Q(video_url="") | (~Q(video_title="") & ~Q(transcript="")),
                violation_error_message=_("Give a video its title and a transcript, so that nobody is left out."),
            ),
        ]
