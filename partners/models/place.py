"""Places: UN M49 regions, countries and areas, and the groups that countries belong to."""

from functools import reduce
from operator import or_

import pghistory
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from partners.choices import GroupKind, Standing
from partners.models.constraints import known, together
from partners.models.naming import NamedQuerySet, translated_name
from partners.models.provenance import Traceable

M49_CODE = RegexValidator(r"^\d{3}$", _("An M49 code has three digits, such as 404."))


@pghistory.track()
class Region(models.Model):
    """A geographical region of UN M49, in a tree: world, region, sub-region, intermediate region."""

    code = models.CharField(_("M49 code"), max_length=3, unique=True, validators=[M49_CODE])
    name = translated_name(_("name"))
    parent = models.ForeignKey(
        "self", models.PROTECT, verbose_name=_("part of"), null=True, blank=True, related_name="parts"
    )

    objects = NamedQuerySet.as_manager()

    class Meta:
        verbose_name = _("region")
        verbose_name_plural = _("regions")
        ordering = ["code"]

    def __str__(self):
        return self.name


class CountryQuerySet(NamedQuerySet):
    def for_listing(self):
        """What a list of countries shows."""
        return self.select_related("region").prefetch_related("groups")

    def within(self, regions):
        """Countries of these regions, or of parts of them."""
        levels = ("region", "region__parent", "region__parent__parent", "region__parent__parent__parent")
        return self.filter(reduce(or_, (models.Q(**{f"{level}__in": regions}) for level in levels)))

    def for_page(self):
        """What the page of one country shows."""
        return self.select_related("region__parent__parent", "import_run").prefetch_related(
            "memberships_in_groups__group"
        )


@pghistory.track()
class Country(Traceable):
    """A country or area of UN M49. Names are those of the United Nations Statistics Division."""

    m49 = models.CharField(_("M49 code"), max_length=3, unique=True, validators=[M49_CODE])
    iso2 = models.CharField("ISO 3166-1 alpha-2", max_length=2, unique=True, validators=[RegexValidator(r"^[A-Z]{2}$")])
    iso3 = models.CharField("ISO 3166-1 alpha-3", max_length=3, unique=True, validators=[RegexValidator(r"^[A-Z]{3}$")])
    name = translated_name(_("name"), help_text=_("As in UN M49."))
    formal_name = models.CharField(
        _("formal name"), max_length=250, blank=True, help_text=_("In English, as in UNTERM.")
    )
    aliases = ArrayField(
        models.CharField(max_length=120),
        verbose_name=_("other names"),
        default=list,
        blank=True,
        help_text=_("Names people search by, separated by commas. Never shown as the country's name."),
    )
    region = models.ForeignKey(
        Region,
        models.PROTECT,
        verbose_name=_("region"),
        null=True,
        blank=True,
        related_name="countries",
        help_text=_("The smallest M49 region that holds it; empty for Antarctica only."),
    )
    is_un_member = models.BooleanField(_("Member State of the United Nations"), default=False)
    latitude = models.DecimalField(
        _("latitude"), max_digits=6, decimal_places=3, null=True, blank=True,
        validators=[MinValueValidator(-90), MaxValueValidator(90)],
        help_text=_("Of a point inside the largest area, in degrees north; for drawing only."),
    )  # fmt: skip
    longitude = models.DecimalField(
        _("longitude"), max_digits=6, decimal_places=3, null=True, blank=True,
        validators=[MinValueValidator(-180), MaxValueValidator(180)],
        help_text=_("Of the same point, in degrees east."),
    )  # fmt: skip
    groups = models.ManyToManyField(
        "CountryGroup", through="GroupMember", related_name="countries", verbose_name=_("groups")
    )

    objects = CountryQuerySet.as_manager()

    class Meta:
        verbose_name = _("country or area")
        verbose_name_plural = _("countries and areas")
        ordering = ["iso3"]
        constraints = [
            together("latitude", "longitude", _("Give both latitude and longitude, or neither.")),
        ]

    def __str__(self):
        return self.name

    def get_absolute_url(self):
        return reverse("country", args=[self.iso3])

    @property
    def priority_groups(self) -> list["CountryGroup"]:
        """The groups that lists name beside a country."""
        return [group for group in self.groups.all() if group.is_priority]


@pghistory.track()
class CountryGroup(models.Model):
    """A group that countries belong to: a UN classification, a forum or a regional organisation."""

    code = models.SlugField(_("code"), max_length=30, unique=True, help_text=_("Stable and short, such as ldc."))
    acronym = models.CharField(_("acronym"), max_length=30, blank=True)
    name = translated_name(_("name"))
    short = translated_name(
        _("in a few words"), max_length=80, required=False, help_text=_("Said of a member, such as: least developed.")
    )
    kind = models.CharField(_("kind"), max_length=20, choices=GroupKind)
    source = models.CharField(_("source"), max_length=300, help_text=_("Where the list of members comes from."))
    as_of = models.DateField(_("as of"), help_text=_("The date of that list."))
    is_verified = models.BooleanField(
        _("verified"), default=False, help_text=_("Compared with the group's own list by the desk.")
    )
    note = models.CharField(_("note"), max_length=300, blank=True)
    is_priority = models.BooleanField(
        _("priority group"), default=False, help_text=_("Shown first, such as least developed countries.")
    )

    objects = NamedQuerySet.as_manager()

    class Meta:
        verbose_name = _("group of countries")
        verbose_name_plural = _("groups of countries")
        ordering = ["code"]
        constraints = [known("kind", GroupKind)]

    def __str__(self):
        return self.acronym or self.name


@pghistory.track()
class GroupMember(models.Model):
    """A country in a group, as a full member or otherwise. Only full members count in filters."""

    group = models.ForeignKey(CountryGroup, models.CASCADE, related_name="members", verbose_name=_("group"))
    country = models.ForeignKey(
        Country, models.CASCADE, related_name="memberships_in_groups", verbose_name=_("country")
    )
    standing = models.CharField(_("standing"), max_length=10, choices=Standing, default=Standing.MEMBER)

    class Meta:
        verbose_name = _("member of a group")
        verbose_name_plural = _("members of groups")
        ordering = ["group", "country"]
        constraints = [
            models.UniqueConstraint(
                fields=["group", "country"],
                name="country_once_per_group",
                violation_error_message=_("This country is in the group already."),
            ),
            known("standing", Standing),
        ]

    def __str__(self):
        return f"{self.country} – {self.group}"
