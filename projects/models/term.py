"""Terms of the vocabularies by which projects are described and found."""

import pghistory
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from partners.models.constraints import CheckedTogether, known
from partners.models.naming import NamedQuerySet, translated_name
from projects.choices import Vocabulary


class TermQuerySet(NamedQuerySet):
    def themes(self):
        """The thematic areas of the Bali Strategic Plan: the portal's themes."""
        return self.filter(vocabulary=Vocabulary.BSP_THEME)

    def in_use(self):
        return self.filter(is_withdrawn=False)


@pghistory.track()
class Term(CheckedTogether):
    """One term of one vocabulary, with its official code where there is one."""

    vocabulary = models.CharField(_("vocabulary"), max_length=20, choices=Vocabulary)
    code = models.CharField(_("code"), max_length=40, help_text=_("Stable; official where the vocabulary has codes."))
    name = translated_name(_("name"))
    source = models.CharField(_("source"), max_length=300)
    is_verified = models.BooleanField(
        _("verified"), default=False, help_text=_("Wording and code were compared with the original document.")
    )
    is_withdrawn = models.BooleanField(
        _("withdrawn"), default=False, help_text=_("No longer given to new records; kept on old ones.")
    )
    parent = models.ForeignKey(
        "self", models.PROTECT, verbose_name=_("part of"), null=True, blank=True, related_name="parts"
    )
    default_crs = models.ForeignKey(
        "self", models.PROTECT, verbose_name=_("CRS code by default"), null=True, blank=True, related_name="+",
        limit_choices_to={"vocabulary": Vocabulary.CRS},
        help_text=_("Used in exports when a project names this term and no CRS code."),
    )  # fmt: skip
    position = models.PositiveSmallIntegerField(_("position"), default=0, help_text=_("Order within the vocabulary."))
    starts_on = models.DateField(
        _("from"), null=True, blank=True, help_text=_("For a programme of work: its first day.")
    )
    ends_on = models.DateField(_("until"), null=True, blank=True)

    objects = TermQuerySet.as_manager()

    class Meta:
        verbose_name = _("term")
        verbose_name_plural = _("terms")
        ordering = ["vocabulary", "position", "code"]
        constraints = [
            models.UniqueConstraint(
                fields=["vocabulary", "code"],
                name="term_once",
                violation_error_message=_("This vocabulary has a term with this code already."),
            ),
            models.CheckConstraint(
                name="term_not_part_of_itself", condition=Q(parent__isnull=True) | ~Q(parent=models.F("pk"))
            ),
            known("vocabulary", Vocabulary),
        ]

    def __str__(self):
        if self.vocabulary in (Vocabulary.SDG, Vocabulary.CRS):
            return f"{self.code} {self.name}"
        return self.name

    def get_absolute_url(self):
        if self.is_theme:
            return reverse("theme", args=[self.code])
        return f"{reverse('project-list')}?term={self.vocabulary}:{self.code}"

    @property
    def is_theme(self) -> bool:
        return self.vocabulary == Vocabulary.BSP_THEME
