"""What the countries and partners of a project say of its record: that it is right, or what is wrong with it."""

import pghistory
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from projects.choices import Checked, CountryRole
from projects.models.plan import OfOne, of_one
from projects.models.project import Project
from projects.models.search import keeps_search_fresh


@keeps_search_fresh("project_id")
@pghistory.track()
class RecordCheck(OfOne):
    """The latest word of one country or partner on the record of a project. A dispute is shown, never hidden."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="checks", verbose_name=_("project"))
    is_right = models.BooleanField(_("the record is right"))
    text = models.TextField(
        _("what is wrong"), blank=True, max_length=2000, help_text=_("Everybody reads it beside the record.")
    )
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("by"))
    at = models.DateTimeField(_("at"), default=timezone.now)

    class Meta:
        verbose_name = _("word on the record")
        verbose_name_plural = _("words on the record")
        ordering = ["project", "at", "pk"]
        constraints = [
            of_one("check_of_one"),
            models.UniqueConstraint(
                fields=["project", "country", "partner"], name="one_word_of_each_on_a_record", nulls_distinct=False
            ),
            models.CheckConstraint(
                name="dispute_says_what",
                condition=models.Q(is_right=True) | ~models.Q(text=""),
                violation_error_message=_("Say what is wrong, so that it can be mended."),
            ),
        ]

    def __str__(self):
        return f"{self.who}: {'✓' if self.is_right else '✗'}"

    def clean(self):
        self.text = self.text.strip()
        if not self.is_right and not self.text:
            raise ValidationError({"text": _("Say what is wrong, so that it can be mended.")})


def sides_of(check: RecordCheck, roles: dict[int, str]) -> tuple[bool, bool]:
    """(speaks for the providers, speaks for the recipients). `roles`: of the project's countries, by key.

    A country speaks as its role says; a partner for the recipients when its own country only receives, else for the
    providers.
    """
    if check.country_id:
        role = roles.get(check.country_id)
        return role in (CountryRole.PROVIDER, CountryRole.BOTH), role in (CountryRole.RECIPIENT, CountryRole.BOTH)
    receives = roles.get(check.partner.country_id) == CountryRole.RECIPIENT
    return not receives, receives


def checked(project: Project) -> str:
    """How far a record is confirmed: by both sides (two different ones), by one, by none.

    The same rule as in the SQL function `projects_checked`; a test compares the two.
    """
    roles = {link.country_id: link.role for link in project.country_links.all() if link.country_id}
    said = [sides_of(check, roles) for check in project.checks.all() if check.is_right]
    said = [sides for sides in said if any(sides)]
    pairs = ((one, other) for n, one in enumerate(said) for m, other in enumerate(said) if n != m)
    if any(one[0] and other[1] for one, other in pairs):
        return Checked.BOTH
    return Checked.ONE if said else Checked.NONE
