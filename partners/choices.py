"""Enumerations of this app. Imported by records, rules and doors; imports none of them."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class GroupKind(models.TextChoices):
    CLASSIFICATION = "classification", _("classification")
    REGIONAL = "regional", _("regional or subregional organisation")
    FORUM = "forum", _("forum or negotiating group")
    ELECTORAL = "electoral", _("United Nations regional group")


class Standing(models.TextChoices):
    MEMBER = "member", _("member")
    ASSOCIATE = "associate", _("associate member")
    OBSERVER = "observer", _("observer")
    PARTNER = "partner", _("partner")


class PartnerKind(models.TextChoices):
    """IATI 2.03 codelist OrganisationType, and the regional forums that it lacks."""

    GOVERNMENT = "10", _("Government")
    LOCAL_GOVERNMENT = "11", _("Local government")
    OTHER_PUBLIC = "15", _("Other public sector")
    INTERNATIONAL_NGO = "21", _("International NGO")
    NATIONAL_NGO = "22", _("National NGO")
    REGIONAL_NGO = "23", _("Regional NGO")
    COUNTRY_NGO = "24", _("NGO based in a cooperating country")
    PUBLIC_PRIVATE = "30", _("Public-private partnership")
    MULTILATERAL = "40", _("Multilateral")
    FOUNDATION = "60", _("Foundation")
    PRIVATE = "70", _("Private sector")
    PRIVATE_PROVIDER = "71", _("Private sector in a provider country")
    PRIVATE_RECIPIENT = "72", _("Private sector in a recipient country")
    PRIVATE_THIRD = "73", _("Private sector in a third country")
    ACADEMIC = "80", _("Academic, training and research")
    OTHER = "90", _("Other")
    REGIONAL_FORUM = "forum", _("Regional forum or organisation")

    @property
    def iati_code(self) -> str:
        """The code used in IATI files; a regional forum is reported as multilateral."""
        return "40" if self == PartnerKind.REGIONAL_FORUM else self.value


class Role(models.TextChoices):
    CONTRIBUTOR = "contributor", _("country contributor")
    FOCAL_POINT = "focal_point", _("national focal point")
    PARTNER_MEMBER = "partner_member", _("partner member")
    PARTNER_LEAD = "partner_lead", _("partner lead")
    DESK = "desk", _("UNEP desk officer")
    PUBLISHER = "publisher", _("UNEP publisher")
    ADMINISTRATOR = "administrator", _("UNEP administrator")


class Scope(models.TextChoices):
    """What a token opens."""

    READ = "read", _("read")
    WRITE = "write", _("read and write")


class PublicKind(models.TextChoices):
    """The kinds of record that everybody may read, as the change feed and the addresses of the API name them."""

    PROJECT = "project", _("project")
    NEED = "need", _("need")
    OFFER = "offer", _("offer")
    COUNTRY = "country", _("country")
    PARTNER = "partner", _("partner")
    TERM = "term", _("term")
    REGION = "region", _("region")
    GROUP = "group", _("group of countries")


COUNTRY_ROLES = [Role.CONTRIBUTOR, Role.FOCAL_POINT]
PARTNER_ROLES = [Role.PARTNER_MEMBER, Role.PARTNER_LEAD]
STAFF_ROLES = [Role.DESK, Role.PUBLISHER, Role.ADMINISTRATOR]
