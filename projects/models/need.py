"""A need: what a country says it lacks, from its draft to its public fate (a capacity-building need or a
technology-transfer request).

The country writes it, its national focal point endorses it, UNEP screens and opens it, partners respond line by line.
Its state is moved by `lifecycle.transition` alone. Which texts are for whom is declared once, in `AUDIENCE`.
"""

import datetime as dt
from functools import cached_property

import pghistory
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Prefetch, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from partners.models import Country, Partner, Traceable, with_last_change
from partners.models.constraints import CheckedTogether, known, together
from partners.rules import is_unep, memberships
from projects.choices import (
    Audience,
    Cofinancing,
    DeliveryLevel,
    Maturity,
    NeedKind,
    NeedState,
    SameRequest,
    Source,
    Vocabulary,
)
from projects.models.need_parts import NeedTerm
from projects.models.project import LANGUAGE_CODE, ReferenceCounter
from projects.models.search import FacetKind, keeps_search_fresh
from projects.models.term import Term

ENDED = (NeedState.NOT_ELIGIBLE, NeedState.CLOSED, NeedState.PARTIALLY_MET, NeedState.WITHDRAWN, NeedState.MERGED)
TAKES_RESPONSES = (NeedState.OPEN, NeedState.IN_DIALOGUE)
UNDER_WAY = (NeedState.PLAN_AGREED, NeedState.IN_DELIVERY)
UNANSWERED_AFTER = dt.timedelta(days=30)  # open for longer without a response: shown among the unanswered


# The restricted detail. A field that is not named here is public from the day the need opens.
AUDIENCE = {
    "problem": Audience.PARTNER,
    "gap": Audience.PARTNER,
    "monitoring": Audience.PARTNER,
    "existing_initiatives": Audience.PARTNER,
    "conditions_of_use": Audience.PARTNER,
    "existing_equipment": Audience.PARTNER,
    "operation_and_maintenance": Audience.PARTNER,
    "cofinancing": Audience.PARTNER,
    "cofinancing_text": Audience.PARTNER,
    "contact_name": Audience.PARTNER,
    "contact_email": Audience.PARTNER,
    "contact_phone": Audience.PARTNER,
    "plan": Audience.PARTNER,
    "same_request": Audience.PARTY,
    "same_request_text": Audience.PARTY,
    "endorsed_by_name": Audience.PARTY,
    "referral": Audience.PARTY,
}


class NeedQuerySet(models.QuerySet):
    # -- who sees what
    def visible_to(self, user):
        """Needs this person may see: those that were ever open; a country's own; what was handed to UNEP, for UNEP."""
        seen = Q(published_at__isnull=False)
        held = memberships(user)
        if is_unep(user):
            seen |= (
                ~Q(state__in=(NeedState.DRAFT, NeedState.ARCHIVED)) | Q(is_on_behalf=True) | Q(source=Source.IMPORTED)
            )
        if countries := [m.country_id for m in held if m.country_id]:
            seen |= Q(country__in=countries)
        return self.filter(seen)

    # -- states
    def public(self):
        return self.filter(published_at__isnull=False)

    def under_way(self):
        """Those whose delivery was agreed or has begun: in the pipeline, as IATI calls it."""
        return self.public().filter(state__in=UNDER_WAY)

    def taking_responses(self):
        return self.filter(state__in=TAKES_RESPONSES)

    def unanswered(self, now=None):
        """Open for longer than UNANSWERED_AFTER and nobody has responded."""
        since = (now or timezone.now()) - UNANSWERED_AFTER
        return self.filter(state=NeedState.OPEN, published_at__lte=since, responses__isnull=True)

    def proposed_as_stories(self):
        """Closed with a good rating in the last 90 days: worth telling."""
        since = timezone.now() - dt.timedelta(days=90)
        return self.filter(events__action="propose_story", events__at__gte=since)

    def can_be_served_by(self, offer):
        """Needs that can have the offer now, as `Offer.objects.can_serve` has it."""
        today = timezone.localdate()
        ended = any(day and day < today for day in (offer.deadline, offer.available_until))
        if not offer.can_be_had or ended:
            return self.none()
        found = self.taking_responses().exclude(country=offer.country_id).exclude(set_aside__offer=offer)
        found = found.exclude(pk__in=offer.responses.declined().values("need"))
        countries = {facet // 16 for facet in offer.entry.facets if facet % 16 == FacetKind.RECIPIENT}
        return found if 0 in countries else found.filter(country__in=countries)

    # -- what is loaded
    def for_iati(self):
        """Everything that an IATI file tells of a need whose delivery was agreed."""
        return (
            with_last_change(self)
            .select_related("country", "project", "import_run")
            .prefetch_related(
                "term_links__term__default_crs",
                "lines",
                "events",
                "responses__partner",
                "responses__country",
                "responses__second_partner",
                "responses__second_country",
            )
        )

    def for_listing(self):
        return self.select_related("country", "import_run").prefetch_related(
            Prefetch(
                "term_links",
                NeedTerm.objects.filter(term__vocabulary=Vocabulary.BSP_THEME).select_related("term"),
                to_attr="theme_links",
            ),
            "lines__answers__response",
        )

    def for_draft(self):
        """What the task list of a draft asks about."""
        return self.select_related("country").prefetch_related("lines")

    def for_page(self):
        return self.select_related(
            "country__region", "institution_partner", "parent", "merged_into", "project", "import_run"
        ).prefetch_related(
            "term_links__term__parent",
            "lines__assistance",
            "lines__answers__response__partner",
            "lines__answers__response__country",
            "events__by__memberships__country",
            "events__by__memberships__partner",
            "responses__events__by__memberships__country",
            "responses__events__by__memberships__partner",
            "responses__answers__line",
            "responses__partner",
            "responses__country",
            "responses__second_partner",
            "responses__second_country",
            "confirmations__partner",
            "confirmations__country",
            "plan_roles__country",
            "plan_roles__partner",
            "activities__country",
            "activities__partner",
            "indicators",
            "criteria",
            "children",
            "country__memberships_in_groups__group",
        )


@keeps_search_fresh("id", "need")
@pghistory.track(exclude=["modified_at"])
class Need(Traceable, CheckedTogether):
    """What a country lacks and asks for. Texts are in `language`."""

    reference = models.CharField(_("reference"), max_length=20, unique=True, editable=False)
    kind = models.CharField(_("kind"), max_length=10, choices=NeedKind, default=NeedKind.CAPACITY)
    country = models.ForeignKey(Country, models.PROTECT, related_name="needs", verbose_name=_("country"))
    language = models.CharField(
        _("language of the texts"), max_length=8, default="en", validators=[LANGUAGE_CODE],
        help_text=_("In which you write, such as en or fr."),
    )  # fmt: skip
    title = models.CharField(
        _("title"), max_length=200, help_text=_("What your country wants to be able to do, in one line.")
    )

    # What is wrong and what is missing
    problem = models.TextField(
        _("problem"), blank=True, max_length=8000, help_text=_("What happens now, to whom, and since when.")
    )
    gap = models.TextField(
        _("what is missing"),
        blank=True,
        max_length=8000,
        help_text=_("Which knowledge, people, rules or technology you lack."),
    )
    public_summary = models.TextField(
        _("public summary"), blank=True, max_length=2000,
        help_text=_("What everybody may read once the need is open. No names of persons."),
    )  # fmt: skip
    summary_approved_at = models.DateTimeField(_("summary approved at"), null=True, blank=True, editable=False)
    summary_approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, editable=False, related_name="+",
        verbose_name=_("summary approved by"),
    )  # fmt: skip

    # Only for technology-transfer requests
    technology_sought = models.TextField(_("technology sought"), blank=True, max_length=3000)
    technology_purpose = models.TextField(_("what it is for"), blank=True, max_length=3000)
    conditions_of_use = models.TextField(
        _("conditions of use"), blank=True, max_length=3000, help_text=_("Climate, power, water, skills, law.")
    )
    existing_equipment = models.TextField(_("existing equipment"), blank=True, max_length=3000)
    operation_and_maintenance = models.TextField(
        _("operation and maintenance"),
        blank=True,
        max_length=3000,
        help_text=_("Who will run and mend it, and with what money."),
    )
    maturity = models.CharField(
        _("acceptable maturity"), max_length=12, choices=Maturity, blank=True, default=Maturity.UNSTATED,
        help_text=_("The least that you would accept."),
    )  # fmt: skip

    # Who asks and for whom
    national_plan = models.CharField(
        _("national plan it serves"), max_length=500, blank=True, help_text=_("Name, year and action or target.")
    )
    institution = models.CharField(
        _("institution"), max_length=300, blank=True, help_text=_("Which would carry it out.")
    )
    institution_partner = models.ForeignKey(
        Partner,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="needs",
        verbose_name=_("its record among the partners"),
    )
    contact_name = models.CharField(_("contact"), max_length=200, blank=True)
    contact_email = models.EmailField(_("e-mail address"), blank=True)
    contact_phone = models.CharField(_("telephone"), max_length=50, blank=True)
    scope = models.CharField(
        _("scope"), max_length=12, choices=DeliveryLevel, blank=True, default=DeliveryLevel.UNSTATED
    )
    place = models.CharField(_("where"), max_length=300, blank=True)
    beneficiaries = models.TextField(
        _("who benefits"),
        blank=True,
        max_length=2000,
        help_text=_("Which people or what part of the environment, and how."),
    )
    women = models.PositiveIntegerField(_("women"), null=True, blank=True)
    men = models.PositiveIntegerField(_("men"), null=True, blank=True)
    is_for_women = models.BooleanField(_("advances gender equality"), default=False)
    is_for_youth = models.BooleanField(_("for young people"), default=False)
    is_for_indigenous = models.BooleanField(_("for indigenous peoples"), default=False)
    monitoring = models.TextField(
        _("how progress will be seen"), blank=True, max_length=2000,
        help_text=_("What you will count or check, and when. Example: ten stations report every day by June 2027."),
    )  # fmt: skip

    # What exists beside it
    existing_initiatives = models.TextField(
        _("existing initiatives"), blank=True, max_length=4000,
        help_text=_("What runs already, by whom, and how this adds to it. Write “none” if there is none."),
    )  # fmt: skip
    same_request = models.CharField(
        _("same request elsewhere?"), max_length=10, choices=SameRequest, blank=True, default=SameRequest.UNSTATED
    )
    same_request_text = models.CharField(_("where, and when"), max_length=500, blank=True)
    cofinancing = models.CharField(
        _("co-financing"), max_length=10, choices=Cofinancing, blank=True, default=Cofinancing.UNSTATED
    )
    cofinancing_text = models.CharField(_("from whom, for what"), max_length=500, blank=True)
    languages = ArrayField(
        models.CharField(max_length=8, validators=[LANGUAGE_CODE]), verbose_name=_("languages of work"), default=list, blank=True,
        help_text=_("Codes such as en, fr, sw."),
    )  # fmt: skip
    terms = models.ManyToManyField(Term, through="NeedTerm", related_name="needs", verbose_name=_("terms"))

    # Endorsement, screening, end
    endorsed_by_name = models.CharField(
        _("endorsed by"), max_length=200, blank=True, help_text=_("Name and office of the national focal point.")
    )
    endorsed_on = models.DateField(_("endorsed on"), null=True, blank=True)
    is_on_behalf = models.BooleanField(
        _("entered by UNEP on the country's behalf"),
        default=False,
        help_text=_("Needs the country's letter to be endorsed."),
    )
    screened_at = models.DateTimeField(_("screened at"), null=True, blank=True, editable=False)
    screened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, editable=False, related_name="+",
        verbose_name=_("screened by"),
    )  # fmt: skip
    referral = models.TextField(
        _("referral"), blank=True, max_length=2000, help_text=_("If it is not eligible: who else could help.")
    )
    plan = models.TextField(
        _("plan"),
        blank=True,
        max_length=8000,
        help_text=_("Who does what, by which indicators, with which contributions, when."),
    )
    project = models.ForeignKey(
        "Project",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="needs",
        verbose_name=_("project that carries it out"),
    )
    outcome = models.TextField(_("outcome"), blank=True, max_length=8000)
    rating = models.PositiveSmallIntegerField(
        _("rating"), null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(5)],
        help_text=_("1 (little came of it) to 5 (all that was hoped for)."),
    )  # fmt: skip
    lessons = models.TextField(_("what was learned"), blank=True, max_length=8000)
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="children", editable=False,
        verbose_name=_("continues"), help_text=_("The need whose uncovered lines it takes on."),
    )  # fmt: skip
    merged_into = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="merged",
        editable=False,
        verbose_name=_("merged into"),
    )

    # Where it is in its life
    state = models.CharField(_("state"), max_length=14, choices=NeedState, default=NeedState.DRAFT, editable=False)
    state_since = models.DateTimeField(_("in this state since"), default=timezone.now, editable=False)
    due_on = models.DateField(_("due on"), null=True, blank=True, editable=False)
    held_from = models.CharField(_("on hold from"), max_length=14, blank=True, default="", editable=False)
    expires_on = models.DateField(_("expires on"), null=True, blank=True, editable=False)
    unlisted_at = models.DateTimeField(  # long without a word: its page stays, the lists leave it out
        _("left out of lists since"), null=True, blank=True, editable=False
    )
    published_at = models.DateTimeField(_("opened at"), null=True, editable=False)
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
        verbose_name=_("opened by"),
    )

    source = models.CharField(_("source"), max_length=10, choices=Source, default=Source.ENTERED, editable=False)
    source_note = models.CharField(_("where it comes from"), max_length=300, blank=True)
    source_key = models.CharField(
        _("key in the source"), max_length=100, unique=True, null=True, blank=True, editable=False
    )
    is_illustrative = models.BooleanField(_("illustrative"), default=False)
    # Raised by every save of its texts or plan, by its screening and by what is reported as delivered (decision 0038).
    version = models.PositiveIntegerField(default=1, editable=False)
    submission_key = models.CharField(  # of the form or call that began it: sent twice, it is one need
        max_length=100, unique=True, null=True, blank=True, editable=False
    )
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

    objects = NeedQuerySet.as_manager()
    marked_imported = ("source", Source.IMPORTED)

    class Meta:
        verbose_name = _("need")
        verbose_name_plural = _("needs")
        ordering = ["-modified_at", "-pk"]
        indexes = [
            models.Index(fields=["-modified_at", "-id"], name="need_newest_change"),
            models.Index(fields=["state", "due_on"], name="need_state_due"),
            models.Index(fields=["country", "-modified_at"], name="need_country_change"),
            models.Index(fields=["due_on", "id"], name="need_due", condition=Q(due_on__isnull=False)),
            models.Index(fields=["state", "expires_on"], name="need_state_expires"),
        ]
        constraints = [
            known("kind", NeedKind),
            known("state", NeedState),
            known("scope", DeliveryLevel),
            known("maturity", Maturity),
            known("same_request", SameRequest),
            known("cofinancing", Cofinancing),
            known("source", Source),
            together("summary_approved_at", "summary_approved_by"),
            together("screened_at", "screened_by"),
            together("published_at", "published_by"),
            models.CheckConstraint(
                name="need_public_since",
                condition=Q(published_at__isnull=False)
                | ~Q(
                    state__in=(
                        "open",
                        "in_dialogue",
                        "plan_agreed",
                        "in_delivery",
                        "delivered",
                        "closed",
                        "partially_met",
                        "expired",
                    )
                ),
            ),
            models.CheckConstraint(name="need_held_from", condition=Q(state="on_hold") ^ Q(held_from="")),
            models.CheckConstraint(name="need_merged", condition=~(Q(state="merged") ^ Q(merged_into__isnull=False))),
            models.CheckConstraint(
                name="need_not_merged_into_itself", condition=Q(merged_into__isnull=True) | ~Q(merged_into=F("pk"))
            ),
            models.CheckConstraint(
                name="need_rating_1_to_5", condition=Q(rating__isnull=True) | Q(rating__range=(1, 5))
            ),
        ]

    def __str__(self):
        return f"{self.reference} {self.title}"

    def save(self, *args, **kwargs):
        if not self.reference:
            year = (self.created_at or timezone.now()).year
            self.reference = ReferenceCounter.take(f"N-{self.country.iso3}-{year}")
        super().save(*args, **kwargs)

    def get_absolute_url(self):
        return reverse("need", args=[self.reference])

    def clean(self):
        self.languages = list(dict.fromkeys(code.strip().lower() for code in self.languages or [] if code.strip()))
        if self.merged_into_id and self.merged_into_id == self.pk:
            raise ValidationError(_("A need can't be merged into itself."))

    @property
    def side(self) -> Country:
        """Whose record it is."""
        return self.country

    @property
    def is_published(self) -> bool:
        return self.published_at is not None

    @property
    def is_endorsed(self) -> bool:
        """Handed in by the focal point. Before that, a name and a date in the draft are what a contributor wrote."""
        unsaid = (NeedState.DRAFT, NeedState.RETURNED, NeedState.ARCHIVED, NeedState.WITHDRAWN)
        return self.endorsed_on is not None and (self.state not in unsaid or self.is_published)

    @property
    def is_technology(self) -> bool:
        return self.kind == NeedKind.TECHNOLOGY

    @property
    def is_under_way(self) -> bool:
        return self.is_published and self.state in UNDER_WAY

    @property
    def takes_responses(self) -> bool:
        return self.state in TAKES_RESPONSES

    @property
    def days_left(self) -> int | None:
        """Days until it is due; negative when it is late."""
        return (self.due_on - timezone.localdate()).days if self.due_on else None

    @property
    def is_stale(self) -> bool:
        """Nobody has said anything for longer than the record promises."""
        return self.state == NeedState.IN_DELIVERY and self.due_on is not None and self.days_left < 0

    def terms_of(self, vocabulary: str) -> list[Term]:
        return [link.term for link in self.term_links.all() if link.term.vocabulary == vocabulary]

    def text(self, name: str) -> tuple[str, str]:
        """A text and the language it is in."""
        return getattr(self, name), self.language

    @cached_property
    def themes(self) -> list[Term]:
        return self.terms_of(Vocabulary.BSP_THEME)

    @property
    def providers(self) -> list[Country | Partner]:
        """Who provides, of the accepted responses: each responder and the second provider it names."""
        found = {}
        for response in sorted(self.responses.all(), key=lambda one: one.pk):
            if response.is_accepted:
                for who in response.parties:
                    found.setdefault((who._meta.model_name, who.pk), who)
        return list(found.values())

    # -- who reads what
    def audience_of(self, user) -> Audience:
        """As whom this person reads the need; whether they may see it at all is `visible_to`."""
        held = memberships(user)
        if is_unep(user) or any(m.country_id == self.country_id for m in held if m.country_id):
            return Audience.PARTY
        if held and self.responses.accepted().of(user).exists():
            return Audience.PARTNER
        return Audience.PUBLIC

    def readable_by(self, user) -> set[str]:
        """Names of the restricted fields that this person may read."""
        audience = self.audience_of(user)
        return {name for name, least in AUDIENCE.items() if audience >= least}
