"""The newsletter: its issues, written in admin, sent once, and to be read here afterwards."""

import pghistory
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from outreach.models.writing import TextInLanguage, Written, WrittenQuerySet


class IssueQuerySet(WrittenQuerySet):
    def for_listing(self):
        return self.with_texts().select_related("mailing")


@pghistory.track()
class Issue(Written):
    """One issue. It can be read on the site from the moment on which it is sent."""

    slug = models.SlugField(_("address"), max_length=80, unique=True, help_text=_("Such as 2027-01."))
    created_at = models.DateTimeField(_("begun"), auto_now_add=True)
    modified_at = models.DateTimeField(_("changed"), auto_now=True)

    objects = IssueQuerySet.as_manager()

    class Meta:
        verbose_name = _("issue of the newsletter")
        verbose_name_plural = _("issues of the newsletter")
        ordering = ["-created_at", "-pk"]

    def __str__(self):
        return self.slug

    def get_absolute_url(self):
        return reverse("issue", args=[self.slug])

    @property
    def is_sent(self) -> bool:
        return getattr(self, "mailing", None) is not None


@pghistory.track()
class IssueText(TextInLanguage):
    """What an issue says in one language."""

    issue = models.ForeignKey(Issue, models.CASCADE, related_name="texts", verbose_name=_("issue"))

    class Meta:
        verbose_name = _("text of an issue")
        verbose_name_plural = _("texts of issues")
        ordering = ["issue", "language"]
        constraints = [
            models.UniqueConstraint(
                fields=["issue", "language"],
                name="issue_text_once_per_language",
                violation_error_message=_("There is a text in this language already."),
            )
        ]
