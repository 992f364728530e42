"""What ties a project to countries, regions, partners and terms.

What an import could not resolve is kept as it came, in `reported_code` and `reported_name`, until staff say what it is.
"""

from decimal import Decimal

import pghistory
import pgtrigger
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from ground.numbers import plainly
from partners.models import Country, Partner, Region
from partners.models.constraints import CheckedTogether, known
from partners.models.partner import IATI_IDENTIFIER
from projects.choices import CountryRole, Modality, OrganisationRole, ProviderOrder, Vocabulary
from projects.models.project import Project
from projects.models.search import keeps_search_fresh
from projects.models.term import Term

# Codelist Region: ex-Yugoslavia, West Indies, Middle East, South and Central Asia, developing countries (unspecified)
DAC_ONLY = ("88", "380", "589", "689", "998")


class PartQuerySet(models.QuerySet):
    def unresolved(self):
        """Kept as reported; waits for staff to say what it is."""
        return self.filter(**{f"{self.model.RESOLVES_TO}__isnull": True})


class Part(CheckedTogether):
    """Base: a project's tie to something that an import may not have recognised."""

    RESOLVES_TO = ""

    reported_code = models.CharField(_("code as reported"), max_length=200, blank=True)
    reported_name = models.CharField(_("name as reported"), max_length=500, blank=True)

    objects = PartQuerySet.as_manager()

    class Meta:
        abstract = True

    @property
    def target(self):
        return getattr(self, self.RESOLVES_TO)

    @property
    def is_resolved(self) -> bool:
        return getattr(self, f"{self.RESOLVES_TO}_id") is not None

    @property
    def label(self) -> str:
        """The name to show: of the record, else as reported."""
        return str(self.target) if self.is_resolved else self.reported_name or self.reported_code

    @property
    def as_reported(self) -> str:
        """What an import brought, for whoever resolves it."""
        return " ".join(
            filter(None, [getattr(self, "reported_vocabulary", ""), self.reported_code, self.reported_name])
        )

    def clean_fields(self, exclude=None):
        if isinstance(getattr(self, "share", None), Decimal):
            self.share = without_rounding(self.share)
        super().clean_fields(exclude)

    def clean(self):
        if not self.is_resolved and not (self.reported_name or self.reported_code):
            raise ValidationError({self.RESOLVES_TO: _("Choose one.")})


def named_or_reported(field: str) -> models.CheckConstraint:
    return models.CheckConstraint(
        name="%(app_label)s_%(class)s_named_or_reported",
        condition=Q(**{f"{field}__isnull": False}) | ~Q(reported_code="") | ~Q(reported_name=""),
        violation_error_message=_("Choose one, or keep what was reported."),
    )


ROUNDING = Decimal("0.1")  # by which shares that were rounded one by one may miss 100; also in projects_check_countries


def without_rounding(share: Decimal) -> Decimal:
    """A share in per cent: one that only rounding brought above 100 is 100."""
    return Decimal(100) if 100 < share <= 100 + ROUNDING else share


def sum_of_shares(parts) -> Decimal:
    """Of countries, regions or terms, of a project or as a file names them; what has no share adds none."""
    return sum((part.share for part in parts if part.share is not None), Decimal(0))


def are_too_much(shares: Decimal) -> bool:
    """Whether shares add up to more than 100, but for rounding: then they can't all be right."""
    return shares > 100 + ROUNDING


def share_field():
    return models.DecimalField(
        _("share in %"), max_digits=7, decimal_places=4, null=True, blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(100)],
        help_text=_("Of the project's money; countries and regions together at most 100."),
    )  # fmt: skip


def checks_countries():
    """Shares of countries and regions add up to 100 at most, but for rounding; providers fit the modality. Checked at the end of a transaction."""
    return pgtrigger.Trigger(
        name="countries_add_up",
        operation=pgtrigger.Insert | pgtrigger.Update,
        when=pgtrigger.After,
        timing=pgtrigger.Deferred,
        func="PERFORM projects_check_countries(NEW.project_id); RETURN NULL;",
    )


@keeps_search_fresh("project_id")
@pghistory.track()
class ProjectCountry(Part):
    """A country in a project: it provides, receives, or both; in triangular cooperation as first or second provider."""

    RESOLVES_TO = "country"

    project = models.ForeignKey(Project, models.CASCADE, related_name="country_links", verbose_name=_("project"))
    country = models.ForeignKey(
        Country, models.PROTECT, related_name="project_links", verbose_name=_("country"), null=True, blank=True
    )
    role = models.CharField(_("role"), max_length=10, choices=CountryRole, default=CountryRole.RECIPIENT)
    provider_order = models.PositiveSmallIntegerField(
        _("order"), choices=ProviderOrder, null=True, blank=True, help_text=_("Only in triangular cooperation.")
    )
    share = share_field()
    note = models.CharField(_("what it does"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("country in the project")
        verbose_name_plural = _("countries in the project")
        ordering = ["project", "provider_order", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["project", "country"],
                name="country_once_per_project",
                violation_error_message=_(
                    "This country is in the project already. Use the role “provider and recipient”."
                ),
            ),
            named_or_reported("country"),
            known("role", CountryRole),
            models.CheckConstraint(
                name="share_of_country_to_100", condition=Q(share__isnull=True) | Q(share__gte=0, share__lte=100)
            ),
            models.CheckConstraint(
                name="only_providers_have_an_order",
                condition=Q(provider_order__isnull=True) | ~Q(role=CountryRole.RECIPIENT),
                violation_error_message=_("A recipient that provides nothing can't be first or second provider."),
            ),
            models.CheckConstraint(
                name="provider_order_known", condition=Q(provider_order__isnull=True) | Q(provider_order__in=[1, 2])
            ),
        ]
        triggers = [checks_countries()]

    def __str__(self):
        return f"{self.label} ({self.get_role_display()})"


@keeps_search_fresh("project_id")
@pghistory.track()
class ProjectRegion(Part):
    """A region that a project is for as a whole, where its countries are not named."""

    RESOLVES_TO = "region"

    project = models.ForeignKey(Project, models.CASCADE, related_name="region_links", verbose_name=_("project"))
    region = models.ForeignKey(
        Region, models.PROTECT, related_name="project_links", verbose_name=_("region"), null=True, blank=True
    )
    share = share_field()

    class Meta:
        verbose_name = _("region in the project")
        verbose_name_plural = _("regions in the project")
        ordering = ["project", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["project", "region"], name="region_once_per_project"),
            named_or_reported("region"),
        ]
        triggers = [checks_countries()]

    def __str__(self):
        return self.label

    @property
    def is_dac_region(self) -> bool:
        """Kept as reported, with a code of OECD DAC for an area that UN M49 does not have."""
        return self.region_id is None and self.reported_code in DAC_ONLY


@keeps_search_fresh("project_id")
@pghistory.track()
class ProjectPartner(Part):
    """A partner in a project, in one of the four roles of IATI; or it reports only, or its role was not stated."""

    RESOLVES_TO = "partner"

    project = models.ForeignKey(Project, models.CASCADE, related_name="partner_links", verbose_name=_("project"))
    partner = models.ForeignKey(
        Partner, models.PROTECT, related_name="project_links", verbose_name=_("partner"), null=True, blank=True
    )
    role = models.CharField(_("role"), max_length=1, choices=OrganisationRole, default=OrganisationRole.IMPLEMENTING)
    is_reporting = models.BooleanField(
        _("reports it"), default=False, help_text=_("Publishes this record (IATI reporting-org).")
    )
    reported_type = models.CharField(
        _("type as reported"), max_length=2, blank=True, default="", db_default="", editable=False
    )

    class Meta:
        verbose_name = _("partner in the project")
        verbose_name_plural = _("partners in the project")
        ordering = ["project", "role", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["project", "partner", "role"],
                name="partner_once_per_role",
                violation_error_message=_("This partner has this role already."),
            ),
            named_or_reported("partner"),
            known("role", OrganisationRole),
        ]

    def __str__(self):
        return f"{self.label} ({self.get_role_display()})"

    @property
    def iati_identifier(self) -> str:
        """The identifier of the organisation: of its record, else as reported; empty where there is none that IATI allows."""
        found = (self.partner.iati_identifier if self.partner else self.reported_code) or ""
        return found if IATI_IDENTIFIER.regex.fullmatch(found) else ""


@keeps_search_fresh("project_id")
@pghistory.track()
class ProjectTerm(Part):
    """A term that describes a project; sectors may have a share of it."""

    RESOLVES_TO = "term"

    project = models.ForeignKey(Project, models.CASCADE, related_name="term_links", verbose_name=_("project"))
    term = models.ForeignKey(
        Term, models.PROTECT, related_name="project_links", verbose_name=_("term"), null=True, blank=True
    )
    reported_vocabulary = models.CharField(_("vocabulary as reported"), max_length=200, blank=True)
    share = models.DecimalField(
        _("share in %"), max_digits=7, decimal_places=4, null=True, blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(100)],
        help_text=_("Of the project, within the vocabulary; IATI asks for it where a project names several sectors."),
    )  # fmt: skip

    class Meta:
        verbose_name = _("term of the project")
        verbose_name_plural = _("terms of the project")
        ordering = ["project", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["project", "term"],
                name="term_once_per_project",
                violation_error_message=_("The project has this term already."),
            ),
            named_or_reported("term"),
            models.CheckConstraint(
                name="share_of_term_to_100", condition=Q(share__isnull=True) | Q(share__gte=0, share__lte=100)
            ),
        ]

    def __str__(self):
        return self.label


def misfit_of_countries(modality: str, links: list[ProjectCountry | ProjectRegion]) -> str | None:
    """Why the roles or shares of these countries (and regions) don't fit the modality, in words for the person entering them;
    None when they do.

    The same rule as the SQL function `projects_check_countries`; a test compares the two.
    """
    orders = [link.provider_order for link in links if getattr(link, "provider_order", None)]
    if orders and modality != Modality.TRIANGULAR:
        return _(
            "First and second provider exist in triangular cooperation only. Change the modality or leave the order empty."
        )
    if orders.count(ProviderOrder.FIRST) > 1:
        return _("Only one country can be the first provider.")
    if ProviderOrder.SECOND in orders and ProviderOrder.FIRST not in orders:
        return _("There is a second provider but no first one.")
    if are_too_much(sum_of_shares(links)):
        return _("The shares of the countries add up to more than 100 %.")
    return None


def misfit_of_terms(links: list[ProjectTerm]) -> str | None:
    """Why the shares of these terms can't all be right, in words for the person entering them; None when they can: those of
    a vocabulary add up to 100 at most, but for rounding. Goals and their targets each have shares of their own, as in IATI.
    """
    kinds: dict[tuple[str, bool], list[ProjectTerm]] = {}
    for link in links:
        name = link.term.get_vocabulary_display() if link.term_id else link.reported_vocabulary
        is_target = bool(link.term_id) and link.term.vocabulary == Vocabulary.SDG and "." in link.term.code
        kinds.setdefault((name, is_target), []).append(link)
    for (name, _is_target), ties in kinds.items():
        if are_too_much(total := sum_of_shares(ties)):
            text = _("The shares of “%(vocabulary)s” add up to %(sum)s, more than 100.")
            return text % {"vocabulary": name, "sum": plainly(total)}
    return None
