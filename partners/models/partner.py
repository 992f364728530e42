"""Partners, and the roles people hold in a country or a partner."""

import pghistory
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from partners.choices import COUNTRY_ROLES, PARTNER_ROLES, STAFF_ROLES, PartnerKind, Role
from partners.models.constraints import CheckedTogether, in_order, keeps_address, known, together
from partners.models.naming import NamedQuerySet, translated_name
from partners.models.place import Country
from partners.models.provenance import Traceable

# IATI 2.03, organisation identifier: no spaces, none of / & | ? (Ruleset, rule 1.8.1)
IATI_IDENTIFIER = RegexValidator(
    r"^[^\s/&|?]+$", _("An IATI identifier holds no spaces and none of / & | ?. Leave it empty when it is not known.")
)


UNEP = "unep"  # its address, which stays (Partner.clean)
UNEP_IN_IATI = "XM-DAC-41116"


class PartnerQuerySet(NamedQuerySet):
    def for_listing(self):
        """What a list of partners shows."""
        return self.select_related("country", "parent")

    def unep(self):
        """UNEP itself, made when it is missing: its staff's roles hang on it. By its address; where that was changed, by its identifier."""
        return (
            self.filter(slug=UNEP).first()
            or self.get_or_create(
                iati_identifier=UNEP_IN_IATI,
                defaults={
                    "name_en": "United Nations Environment Programme",
                    "acronym": "UNEP",
                    "kind": PartnerKind.MULTILATERAL,
                    "slug": UNEP,
                },
            )[0]
        )

    def without_unep(self):
        return self.exclude(Q(slug=UNEP) | Q(iati_identifier=UNEP_IN_IATI))

    def of_country(self, country, name: str):
        """The public body of a country with this name, made (not verified yet) where there is none."""
        found = self.filter(country=country, name_en__iexact=name.strip()).first()
        if found:
            return found
        base = slugify(f"{country.iso3}-{name}")[:70] or country.iso3.lower()
        taken = set(self.filter(slug__startswith=base).values_list("slug", flat=True))
        slug = next(s for n in range(1, len(taken) + 2) if (s := base if n == 1 else f"{base}-{n}") not in taken)
        return self.create(slug=slug, name_en=name.strip()[:300], kind=PartnerKind.GOVERNMENT, country=country)


@pghistory.track()
class Partner(Traceable, CheckedTogether):
    """An organisation that takes part: a ministry, a UN body, a regional forum, a university, a company."""

    slug = models.SlugField(
        _("address"), max_length=80, unique=True, help_text=_("Part of its address; keep it stable.")
    )
    name = translated_name(_("name"))
    acronym = models.CharField(_("acronym"), max_length=30, blank=True)
    kind = models.CharField(_("kind"), max_length=6, choices=PartnerKind)
    iati_identifier = models.CharField(
        _("IATI identifier"), max_length=100, unique=True, null=True, blank=True, validators=[IATI_IDENTIFIER],
        help_text=_("Only when confirmed in the IATI Registry; otherwise leave empty."),
    )  # fmt: skip
    country = models.ForeignKey(
        Country, models.PROTECT, verbose_name=_("country"), null=True, blank=True, related_name="partners",
        help_text=_("For a national body."),
    )  # fmt: skip
    member_countries = models.ManyToManyField(
        Country,
        through="PartnerCountry",
        related_name="regional_partners",
        blank=True,
        verbose_name=_("member countries"),
    )
    parent = models.ForeignKey(
        "self", models.PROTECT, verbose_name=_("part of"), null=True, blank=True, related_name="parts"
    )
    website = models.URLField(_("website"), blank=True)
    offers = models.TextField(_("what it offers"), blank=True, max_length=4000)
    is_from_import = models.BooleanField(_("made by an import"), default=False, editable=False)
    is_illustrative = models.BooleanField(
        _("illustrative"), default=False, help_text=_("Made up for the demonstration.")
    )
    verified_at = models.DateTimeField(_("verified at"), null=True, blank=True)
    verified_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, verbose_name=_("verified by"), null=True, blank=True, related_name="+"
    )

    objects = PartnerQuerySet.as_manager()
    marked_imported = ("is_from_import", True)

    class Meta:
        verbose_name = _("partner")
        verbose_name_plural = _("partners")
        ordering = ["slug"]
        constraints = [
            together(
                "verified_at", "verified_by", _("Say both when the partner was verified and by whom, or neither.")
            ),
            models.CheckConstraint(
                name="partner_iati_identifier_not_blank",
                condition=Q(iati_identifier__isnull=True) | ~Q(iati_identifier=""),
            ),
            models.CheckConstraint(
                name="partner_not_part_of_itself",
                condition=Q(parent__isnull=True) | ~Q(parent=models.F("pk")),
                violation_error_message=_("A partner can't be part of itself."),
            ),
            known("kind", PartnerKind),
        ]

    def __str__(self):
        return f"{self.name} ({self.acronym})" if self.acronym and self.acronym != self.name else self.name

    def get_absolute_url(self):
        return reverse("partner", args=[self.slug])

    def clean(self):
        keeps_address(self, "slug", {UNEP})
        self.iati_identifier = (self.iati_identifier or "").strip() or None
        ancestor = self.parent
        while ancestor is not None:
            if ancestor.pk == self.pk:
                raise ValidationError({"parent": _("This would make the partner part of itself.")})
            ancestor = ancestor.parent


@pghistory.track()
class PartnerCountry(models.Model):
    """A country that is a member of a regional forum or organisation."""

    partner = models.ForeignKey(Partner, models.CASCADE, related_name="+", verbose_name=_("partner"))
    country = models.ForeignKey(Country, models.CASCADE, related_name="+", verbose_name=_("country"))

    class Meta:
        verbose_name = _("member country")
        verbose_name_plural = _("member countries")
        ordering = ["partner", "country"]
        constraints = [models.UniqueConstraint(fields=["partner", "country"], name="country_once_per_partner")]

    def __str__(self):
        return f"{self.country} – {self.partner}"


class MembershipQuerySet(models.QuerySet):
    def active(self, on=None):
        """Memberships that hold on a day (today)."""
        day = on or timezone.localdate()
        return self.filter(
            Q(starts_on__lte=day), Q(ends_on__isnull=True) | Q(ends_on__gte=day), revoked_at__isnull=True
        )

    def granted_by(self, user):
        """Memberships that this person may end: of their own country or partner as focal point or lead; the desk's all."""
        return [
            m
            for m in self.select_related("user", "country", "partner")
            if user.has_perm("partners.grant_membership", m)
        ]


@pghistory.track()
class Membership(CheckedTogether):
    """The role a person holds in a country or a partner, for a period, and who granted it."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships", verbose_name=_("person")
    )
    role = models.CharField(_("role"), max_length=20, choices=Role)
    country = models.ForeignKey(
        Country, models.PROTECT, verbose_name=_("country"), null=True, blank=True, related_name="memberships",
        help_text=_("For contributors and national focal points."),
    )  # fmt: skip
    partner = models.ForeignKey(
        Partner, models.PROTECT, verbose_name=_("partner"), null=True, blank=True, related_name="memberships",
        help_text=_("For partner members and leads; UNEP for UNEP's own roles."),
    )  # fmt: skip
    granted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, verbose_name=_("granted by"), null=True, blank=True, related_name="+",
        help_text=_("Empty only for the first administrator."),
    )  # fmt: skip
    granted_at = models.DateTimeField(_("granted at"), default=timezone.now)
    starts_on = models.DateField(_("from"), default=timezone.localdate)
    ends_on = models.DateField(_("until"), null=True, blank=True, help_text=_("The last day. Empty: until revoked."))
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True, editable=False)
    revoked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, editable=False, related_name="+",
        verbose_name=_("revoked by"),
    )  # fmt: skip

    objects = MembershipQuerySet.as_manager()

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        ordering = ["user", "role", "pk"]
        constraints = [
            models.CheckConstraint(
                name="membership_in_one_place",
                condition=Q(role__in=COUNTRY_ROLES, country__isnull=False, partner__isnull=True)
                | Q(role__in=[*PARTNER_ROLES, *STAFF_ROLES], country__isnull=True, partner__isnull=False),
                violation_error_message=_("A country's role needs a country; every other role needs a partner."),
            ),
            in_order("starts_on", "ends_on", _("The last day comes before the first.")),
            known("role", Role),
            together("revoked_at", "revoked_by"),
            models.UniqueConstraint(
                fields=["user", "role", "country", "partner", "starts_on"],
                nulls_distinct=False,
                condition=Q(revoked_at__isnull=True),
                name="membership_once",
                violation_error_message=_("This person holds this role there from that day already."),
            ),
        ]

    def __str__(self):
        return f"{self.user}: {self.get_role_display()}, {self.place}"

    @property
    def place(self):
        return self.country or self.partner
