"""An offer: what a country or partner can share (expertise, training, technology, experience or good practice, funding).

The provider writes it, UNEP verifies it, and it stays active for twelve months unless it is renewed. Its state is moved
by `lifecycle.transition` alone. Which texts are for whom is declared once, in `AUDIENCE`.
"""

from decimal import Decimal

import pghistory
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Prefetch, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from partners.models import Country, CountryGroup, Partner, Region, Traceable
from partners.models.constraints import CheckedTogether, in_order, known, together
from partners.rules import is_unep, memberships
from projects.choices import Audience, CostTerms, Maturity, OfferKind, OfferState, Source, Unit, Vocabulary
from projects.models.project import LANGUAGE_CODE, ReferenceCounter
from projects.models.search import FacetKind, keeps_search_fresh
from projects.models.term import Term

LISTED = (OfferState.ACTIVE, OfferState.PAUSED)
SHOWN = (*LISTED, OfferState.EXPIRED, OfferState.WITHDRAWN)  # keeps its page, once it was active

# What not everybody reads. A field that is not named here is public from the day the offer is active.
AUDIENCE = {
    "contact_name": Audience.MEMBER,
    "contact_email": Audience.MEMBER,
    "contact_phone": Audience.MEMBER,
    "conditions": Audience.PARTNER,
    "intellectual_property": Audience.PARTNER,
}


class OfferQuerySet(models.QuerySet):
    def visible_to(self, user):
        """Offers this person may see: the public ones; the provider's own; what was handed to UNEP, for UNEP."""
        return self.filter(self._public() | self._concerning(user))

    def concerning(self, user):
        """Those that this person sees in whatever state: the provider's own; what was handed to UNEP, for UNEP."""
        return self.filter(self._concerning(user))

    def _concerning(self, user) -> Q:
        found = self._of(user)
        if is_unep(user):
            found |= ~Q(state=OfferState.DRAFT) | Q(is_on_behalf=True) | Q(source=Source.IMPORTED)
        return found

    def of(self, user):
        """Offers in the name of a partner or country of this person."""
        return self.filter(self._of(user))

    @staticmethod
    def _public() -> Q:
        return Q(published_at__isnull=False, state__in=SHOWN)

    @staticmethod
    def _of(user) -> Q:
        held = memberships(user)
        return Q(partner__in=[m.partner_id for m in held if m.partner_id]) | Q(
            country__in=[m.country_id for m in held if m.country_id]
        )

    def public(self):
        """Those that were active and are not being rewritten."""
        return self.filter(self._public())

    def active(self):
        return self.filter(state=OfferState.ACTIVE)

    def can_serve(self, need):
        """Offers that the need's country can have now: the hard conditions of matching."""
        today = timezone.localdate()
        return (
            self.active()
            .filter(entry__facets__overlap=[FacetKind.RECIPIENT.of(0), FacetKind.RECIPIENT.of(need.country_id)])
            .exclude(country=need.country_id)
            .exclude(set_aside__need=need)
            .exclude(pk__in=need.responses.declined().filter(offer__isnull=False).values("offer"))
            .exclude(deadline__lt=today)
            .exclude(available_until__lt=today)
        )

    # -- what is loaded
    def for_listing(self):
        return self.select_related("country", "partner", "import_run").prefetch_related(
            Prefetch(
                "term_links",
                OfferTerm.objects.filter(term__vocabulary=Vocabulary.BSP_THEME).select_related("term"),
                to_attr="theme_links",
            ),
            "lines__assistance",
        )

    def for_draft(self):
        """What the task list of a draft asks about."""
        return self.select_related("country", "partner").prefetch_related("lines")

    def for_page(self):
        return self.select_related("country__region", "partner", "project", "import_run").prefetch_related(
            "term_links__term__parent",
            "lines__assistance",
            "eligible__country",
            "eligible__group",
            "eligible__region",
            "events__by__memberships__partner",
            "events__by__memberships__country",
        )


@keeps_search_fresh("id", "offer")
@pghistory.track(exclude=["modified_at"])
class Offer(Traceable, CheckedTogether):
    """What a country or partner can share, with whom and on which terms. Texts are in `language`."""

    reference = models.CharField(_("reference"), max_length=20, unique=True, editable=False)
    kind = models.CharField(_("kind"), max_length=12, choices=OfferKind, default=OfferKind.EXPERTISE)
    partner = models.ForeignKey(
        Partner, models.PROTECT, null=True, blank=True, related_name="offer_records", verbose_name=_("partner")
    )
    country = models.ForeignKey(
        Country, models.PROTECT, null=True, blank=True, related_name="offer_records", verbose_name=_("country")
    )
    language = models.CharField(
        _("language of the texts"), max_length=8, default="en", validators=[LANGUAGE_CODE],
        help_text=_("In which you write, such as en or fr."),
    )  # fmt: skip
    title = models.CharField(_("title"), max_length=200, help_text=_("What you can share, in one line."))
    summary = models.TextField(
        _("summary"), blank=True, max_length=2000, help_text=_("What others get from it, in a few plain sentences.")
    )
    description = models.TextField(
        _("description"),
        blank=True,
        max_length=8000,
        help_text=_("How you do it, and what it takes on the other side."),
    )
    terms = models.ManyToManyField(Term, through="OfferTerm", related_name="offers", verbose_name=_("terms"))

    # Who can have it: `eligible`, below; nothing there means all countries
    languages = ArrayField(
        models.CharField(max_length=8, validators=[LANGUAGE_CODE]), verbose_name=_("languages of work"), default=list, blank=True,
        help_text=_("Codes such as en, fr, sw."),
    )  # fmt: skip

    # When and how
    available_from = models.DateField(_("available from"), null=True, blank=True)
    available_until = models.DateField(_("available until"), null=True, blank=True)
    deadline = models.DateField(_("apply by"), null=True, blank=True, help_text=_("Empty: at any time."))
    how_to_apply = models.TextField(
        _("how to ask for it"),
        blank=True,
        max_length=2000,
        help_text=_("Beside a word through this portal, if anything."),
    )
    website = models.URLField(_("website"), blank=True, max_length=500)

    # What it rests on
    maturity = models.CharField(
        _("maturity"), max_length=12, choices=Maturity, blank=True, default=Maturity.UNSTATED,
        help_text=_("Of the technology: how far it is."),
    )  # fmt: skip
    past_cooperation = models.TextField(
        _("past cooperation"),
        blank=True,
        max_length=4000,
        help_text=_("With whom you have done it before, and what came of it."),
    )
    evidence = models.TextField(
        _("evidence"),
        blank=True,
        max_length=4000,
        help_text=_("What shows that it works: evaluations, figures, links."),
    )
    project = models.ForeignKey(
        "Project", models.PROTECT, null=True, blank=True, related_name="offers",
        verbose_name=_("project it comes from"),
    )  # fmt: skip

    # Private until a response is accepted
    conditions = models.TextField(
        _("conditions"),
        blank=True,
        max_length=4000,
        help_text=_("Private until a country has accepted a response with it."),
    )
    intellectual_property = models.TextField(
        _("intellectual property"), blank=True, max_length=4000,
        help_text=_("Rights, licences and who may use what. Private, as above."),
    )  # fmt: skip
    contact_name = models.CharField(_("contact"), max_length=200, blank=True)
    contact_email = models.EmailField(_("e-mail address"), blank=True)
    contact_phone = models.CharField(_("telephone"), max_length=50, blank=True)

    # Where it is in its life
    state = models.CharField(_("state"), max_length=10, choices=OfferState, default=OfferState.DRAFT, editable=False)
    state_since = models.DateTimeField(_("in this state since"), default=timezone.now, editable=False)
    due_on = models.DateField(_("due on"), null=True, blank=True, editable=False)
    expires_on = models.DateField(_("expires on"), null=True, blank=True, editable=False)
    verified_at = models.DateTimeField(_("verified at"), null=True, blank=True, editable=False)
    verified_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, editable=False, related_name="+",
        verbose_name=_("verified by"),
    )  # fmt: skip
    published_at = models.DateTimeField(_("first active at"), null=True, editable=False)

    is_on_behalf = models.BooleanField(_("entered by UNEP on the provider's behalf"), default=False)
    source = models.CharField(_("source"), max_length=10, choices=Source, default=Source.ENTERED, editable=False)
    source_note = models.CharField(_("where it comes from"), max_length=300, blank=True)
    source_key = models.CharField(
        _("key in the source"), max_length=100, unique=True, null=True, blank=True, editable=False
    )
    is_illustrative = models.BooleanField(_("illustrative"), default=False)
    version = models.PositiveIntegerField(default=1, editable=False)  # raised by every save of its texts
    submission_key = models.CharField(max_length=100, unique=True, null=True, blank=True, editable=False)
    submission_mark = models.CharField(
        max_length=24, blank=True, default="", db_default="", editable=False
    )  # of what was sent with it
    created_at = models.DateTimeField(_("begun at"), default=timezone.now, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
        verbose_name=_("begun by"),
    )
    modified_at = models.DateTimeField(_("changed at"), auto_now=True)

    objects = OfferQuerySet.as_manager()
    marked_imported = ("source", Source.IMPORTED)

    class Meta:
        verbose_name = _("offer")
        verbose_name_plural = _("offers")
        ordering = ["-modified_at", "-pk"]
        indexes = [
            models.Index(fields=["-modified_at", "-id"], name="offer_newest_change"),
            models.Index(fields=["state", "expires_on"], name="offer_state_expires"),
            models.Index(fields=["state", "due_on"], name="offer_state_due"),
        ]
        constraints = [
            known("kind", OfferKind),
            known("state", OfferState),
            known("maturity", Maturity),
            known("source", Source),
            together("verified_at", "verified_by"),
            in_order("available_from", "available_until", _("The last day comes before the first.")),
            models.CheckConstraint(
                name="offer_by_one",
                condition=Q(partner__isnull=True) ^ Q(country__isnull=True),
                violation_error_message=_("An offer comes from a partner or from a country."),
            ),
            models.CheckConstraint(
                name="offer_public_since",
                condition=Q(published_at__isnull=False) | ~Q(state__in=("active", "paused", "expired")),
            ),
        ]

    def __str__(self):
        return f"{self.reference} {self.title}"

    def save(self, *args, **kwargs):
        if not self.reference:
            self.reference = ReferenceCounter.take(f"O-{(self.created_at or timezone.now()).year}")
        super().save(*args, **kwargs)

    def get_absolute_url(self):
        return reverse("offer", args=[self.reference])

    def clean(self):
        self.languages = list(dict.fromkeys(code.strip().lower() for code in self.languages or [] if code.strip()))
        if self.maturity and self.kind != OfferKind.TECHNOLOGY:
            raise ValidationError({"maturity": _("Only a technology has a maturity.")})

    @property
    def provider(self) -> Partner | Country:
        return self.partner or self.country

    @property
    def side(self) -> Partner | Country:
        """Whose record it is."""
        return self.provider

    @property
    def can_be_had(self) -> bool:
        return self.state == OfferState.ACTIVE

    @property
    def is_published(self) -> bool:
        return self.published_at is not None and self.state in SHOWN

    def terms_of(self, vocabulary: str) -> list[Term]:
        return [link.term for link in self.term_links.all() if link.term.vocabulary == vocabulary]

    def text(self, name: str) -> tuple[str, str]:
        """A text and the language it is in."""
        return getattr(self, name), self.language

    # -- who reads what
    def audience_of(self, user) -> Audience:
        """As whom this person reads the offer; whether they may see it at all is `visible_to`."""
        held = memberships(user)
        if is_unep(user) or any(
            (m.partner_id and m.partner_id == self.partner_id) or (m.country_id and m.country_id == self.country_id)
            for m in held
        ):
            return Audience.PARTY
        countries = [m.country_id for m in held if m.country_id]
        if countries and self.responses.accepted().filter(need__country__in=countries).exists():
            return Audience.PARTNER
        return Audience.MEMBER if held else Audience.PUBLIC

    def readable_by(self, user) -> set[str]:
        """Names of the restricted fields that this person may read."""
        audience = self.audience_of(user)
        return {name for name, least in AUDIENCE.items() if audience >= least}


@keeps_search_fresh("offer_id", "offer")
@pghistory.track()
class Eligible(models.Model):
    """Who can have an offer: one country, the members of one group, or the countries of one region. No row: all."""

    offer = models.ForeignKey(Offer, models.CASCADE, related_name="eligible", verbose_name=_("offer"))
    country = models.ForeignKey(
        Country, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("country")
    )
    group = models.ForeignKey(
        CountryGroup, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("group of countries")
    )
    region = models.ForeignKey(
        Region, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("region")
    )

    class Meta:
        verbose_name = _("who can have the offer")
        verbose_name_plural = _("who can have the offer")
        ordering = ["offer", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["offer", "country", "group", "region"], name="eligible_once", nulls_distinct=False
            ),
            models.CheckConstraint(
                name="eligible_one_of_three",
                condition=Q(country__isnull=False, group__isnull=True, region__isnull=True)
                | Q(country__isnull=True, group__isnull=False, region__isnull=True)
                | Q(country__isnull=True, group__isnull=True, region__isnull=False),
            ),
        ]

    def __str__(self):
        return str(self.place)

    @property
    def place(self) -> Country | CountryGroup | Region:
        return self.country or self.group or self.region


@keeps_search_fresh("offer_id", "offer")
@pghistory.track()
class OfferTerm(models.Model):
    """A theme, goal, cross-cutting issue or capacity level that an offer names."""

    offer = models.ForeignKey(Offer, models.CASCADE, related_name="term_links", verbose_name=_("offer"))
    term = models.ForeignKey(Term, models.PROTECT, related_name="offer_links", verbose_name=_("term"))

    class Meta:
        verbose_name = _("term of the offer")
        verbose_name_plural = _("terms of the offer")
        ordering = ["offer", "pk"]
        constraints = [models.UniqueConstraint(fields=["offer", "term"], name="term_once_per_offer")]

    def __str__(self):
        return str(self.term)


@keeps_search_fresh("offer_id", "offer")
@pghistory.track()
class OfferLine(CheckedTogether):
    """One kind of help that is offered: what exactly, free of charge or at cost, how much of it there is."""

    offer = models.ForeignKey(Offer, models.CASCADE, related_name="lines", verbose_name=_("offer"))
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    text = models.CharField(_("what exactly"), max_length=300)
    assistance = models.ForeignKey(
        Term, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("kind of help"),
        limit_choices_to={"vocabulary": Vocabulary.ASSISTANCE},
    )  # fmt: skip
    cost = models.CharField(_("cost"), max_length=6, choices=CostTerms, default=CostTerms.FREE)
    quantity = models.DecimalField(
        _("how much"), max_digits=12, decimal_places=2, null=True, blank=True,
        validators=[MinValueValidator(Decimal("0.01"))], help_text=_("In all, such as 40 expert-days or 12 places."),
    )  # fmt: skip
    unit = models.CharField(_("unit"), max_length=12, choices=Unit, blank=True, default="")
    note = models.CharField(_("note"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("line of the offer")
        verbose_name_plural = _("lines of the offer")
        ordering = ["offer", "position", "pk"]
        constraints = [
            known("unit", Unit, blank=True),
            known("cost", CostTerms),
            models.CheckConstraint(
                name="offer_line_quantity_with_unit",
                condition=Q(quantity__isnull=True, unit="") | (Q(quantity__isnull=False, quantity__gt=0) & ~Q(unit="")),
                violation_error_message=_("Give a quantity together with its unit, or neither."),
            ),
        ]

    def __str__(self):
        return self.text
