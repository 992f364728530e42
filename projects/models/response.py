"""A response: what a partner, or a country, offers for lines of a need. The country answers it."""

from decimal import Decimal

import pghistory
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Prefetch, Q
from django.db.models.functions import Greatest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from partners.models import Country, Partner
from partners.models.constraints import CheckedTogether, in_order, known
from partners.rules import is_unep, memberships
from projects.choices import CostTerms, ResponseState, Side
from projects.models.need import Need
from projects.models.need_parts import LineItem
from projects.models.project import ReferenceCounter
from projects.models.search import keeps_search_fresh

ACCEPTED = (ResponseState.ACCEPTED, ResponseState.AGREED, ResponseState.CONVERTED)
PUBLIC = (ResponseState.EXPRESSED, *ACCEPTED)


class ResponseQuerySet(models.QuerySet):
    def visible_to(self, user):
        """Responses that this person reads in full: the responder's own, those to the country's needs, all for UNEP."""
        if is_unep(user):
            return self
        countries = [m.country_id for m in memberships(user) if m.country_id]
        return self.of(user) | self.filter(need__country__in=countries)

    def of(self, user):
        """Responses in which a partner or country of this person provides, as the first or the second."""
        held = memberships(user)
        partners = [m.partner_id for m in held if m.partner_id]
        countries = [m.country_id for m in held if m.country_id]
        return self.filter(
            Q(partner__in=partners)
            | Q(second_partner__in=partners)
            | Q(country__in=countries)
            | Q(second_country__in=countries)
        )

    def for_page(self):
        return self.select_related(
            "need__country",
            "partner",
            "country",
            "second_partner",
            "second_country",
            "offer",
            "project",
        ).prefetch_related(
            Prefetch("answers", Answer.objects.select_related("line").order_by("line__position", "pk")),
            "documents",
            "need__lines__answers__response",
            "events__by__memberships__partner",
            "events__by__memberships__country",
        )

    def declined(self):
        return self.filter(state=ResponseState.DECLINED)

    def accepted(self):
        return self.filter(state__in=ACCEPTED)

    def led_to_cooperation(self):
        """Those that were agreed in a plan or carried out, the newest first: the public ledger."""
        agreed = (ResponseState.AGREED, ResponseState.CONVERTED)
        return self.filter(state__in=agreed, need__published_at__isnull=False).order_by("-created_at", "-pk")

    def waiting(self):
        return self.filter(state=ResponseState.EXPRESSED)


@keeps_search_fresh("need_id", "need")
@pghistory.track()
class Response(CheckedTogether):
    """What one responder offers for some lines of a need. Terms stay private until the country accepts."""

    reference = models.CharField(_("reference"), max_length=20, unique=True, editable=False)
    need = models.ForeignKey(Need, models.PROTECT, related_name="responses", verbose_name=_("need"))
    partner = models.ForeignKey(
        Partner, models.PROTECT, null=True, blank=True, related_name="responses", verbose_name=_("partner")
    )
    country = models.ForeignKey(
        Country, models.PROTECT, null=True, blank=True, related_name="responses", verbose_name=_("country")
    )
    second_partner = models.ForeignKey(
        Partner, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("second provider, a partner")
    )
    second_country = models.ForeignKey(
        Country, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("second provider, a country")
    )
    offer = models.ForeignKey(
        "Offer", models.PROTECT, null=True, blank=True, related_name="responses", verbose_name=_("offer it comes from")
    )
    text = models.TextField(_("what you offer"), max_length=4000)
    terms_text = models.TextField(
        pgettext_lazy("of an offer", "terms"),
        max_length=4000,
        blank=True,
        help_text=_("Private until the country accepts."),
    )
    cost = models.CharField(_("cost"), max_length=6, choices=CostTerms, default=CostTerms.FREE)
    project = models.ForeignKey(
        "Project",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="responses",
        verbose_name=_("project that runs already"),
        help_text=_("Its reference, where this is part of an existing activity. Empty: a new one."),
    )
    starts_on = models.DateField(_("from"), null=True, blank=True)
    ends_on = models.DateField(_("until"), null=True, blank=True)
    state = models.CharField(
        _("state"), max_length=12, choices=ResponseState, default=ResponseState.EXPRESSED, editable=False
    )
    due_on = models.DateField(_("answer due on"), null=True, blank=True, editable=False)
    suggested_by = models.CharField(  # whose idea it was, where it was not the responder's own
        _("suggested by"), max_length=8, choices=Side, blank=True, default="", editable=False
    )
    submission_key = models.CharField(max_length=100, unique=True, null=True, blank=True, editable=False)
    submission_mark = models.CharField(
        max_length=24, blank=True, default="", db_default="", editable=False
    )  # of what was sent with it
    created_at = models.DateTimeField(_("at"), default=timezone.now, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, editable=False, related_name="+", verbose_name=_("by")
    )

    objects = ResponseQuerySet.as_manager()

    class Meta:
        verbose_name = _("response")
        verbose_name_plural = _("responses")
        ordering = ["-created_at", "-pk"]
        indexes = [models.Index(fields=["state", "due_on"], name="response_state_due")]
        constraints = [
            known("state", ResponseState),
            known("cost", CostTerms),
            known("suggested_by", Side, blank=True),
            in_order("starts_on", "ends_on", _("The last day comes before the first.")),
            models.CheckConstraint(
                name="response_by_one",
                condition=Q(partner__isnull=True) ^ Q(country__isnull=True),
                violation_error_message=_("A response comes from a partner or from a country."),
            ),
            models.CheckConstraint(
                name="response_one_second",
                condition=Q(second_partner__isnull=True) | Q(second_country__isnull=True),
                violation_error_message=_("Name one second provider at most."),
            ),
            models.CheckConstraint(
                name="response_second_is_another",
                condition=(
                    Q(second_partner__isnull=True) | Q(partner__isnull=True) | ~Q(second_partner=models.F("partner"))
                )
                & (Q(second_country__isnull=True) | Q(country__isnull=True) | ~Q(second_country=models.F("country"))),
                violation_error_message=_("The second provider is another than the first."),
            ),
            models.UniqueConstraint(
                fields=["need", "partner", "country"],
                name="suggested_once",
                nulls_distinct=False,
                condition=Q(state=ResponseState.SUGGESTED),
                violation_error_message=_("They have been asked already."),
            ),
        ]

    def __str__(self):
        return f"{self.reference} {self.responder}"

    def save(self, *args, **kwargs):
        if not self.reference:
            self.reference = ReferenceCounter.take(f"R-{self.created_at.year}")
        super().save(*args, **kwargs)

    def get_absolute_url(self):
        return reverse("response", args=[self.reference])

    @property
    def responder(self):
        return self.partner or self.country

    @property
    def second(self) -> Partner | Country | None:
        """Who provides together with the responder, in triangular cooperation."""
        return self.second_partner or self.second_country

    @property
    def parties(self) -> list[Partner | Country]:
        """Who provides: the responder, and the second provider if there is one."""
        return [who for who in (self.responder, self.second) if who is not None]

    @property
    def side(self) -> Partner | Country:
        """Whose record it is."""
        return self.responder

    @property
    def is_accepted(self) -> bool:
        return self.state in ACCEPTED

    def clean(self):
        if self.country_id and self.need_id and self.country_id == self.need.country_id:
            raise ValidationError(_("A country does not respond to its own need."))
        if self.second_country_id and self.need_id and self.second_country_id == self.need.country_id:
            raise ValidationError({"second_country": _("The country that asks is no provider.")})
        if self.offer and (self.offer.partner_id, self.offer.country_id) != (self.partner_id, self.country_id):
            raise ValidationError({"offer": _("Choose an offer of the one who responds.")})


@pghistory.track()
class Answer(CheckedTogether):
    """How much of one line a response offers, how much of it the confirmed plan keeps, and how much has been delivered.

    `agreed` is what the plan says that all sides confirmed. It is empty before that, and where the plan doesn't say how much of
    the line is done: then what was accepted counts. `delivered` is empty until somebody reports it, which is not zero.
    """

    response = models.ForeignKey(Response, models.CASCADE, related_name="answers", verbose_name=_("response"))
    line = models.ForeignKey(LineItem, models.PROTECT, related_name="answers", verbose_name=_("line"))
    quantity = models.DecimalField(
        _("how much"), max_digits=12, decimal_places=2, validators=[MinValueValidator(Decimal("0.01"))]
    )
    agreed = models.DecimalField(
        _("agreed in the plan"), max_digits=12, decimal_places=2, null=True, blank=True, editable=False,
        validators=[MinValueValidator(Decimal(0))],
    )  # fmt: skip
    delivered = models.DecimalField(
        _("delivered"),
        max_digits=12,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal(0))],
    )

    class Meta:
        verbose_name = _("answer to a line")
        verbose_name_plural = _("answers to lines")
        ordering = ["response", "line", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["response", "line"], name="line_once_per_response"),
            models.CheckConstraint(name="answer_quantity_positive", condition=Q(quantity__gt=0)),
            models.CheckConstraint(
                name="answer_agreed_not_negative", condition=Q(agreed__isnull=True) | Q(agreed__gte=0)
            ),
            models.CheckConstraint(
                name="answer_delivered_in_range",
                condition=Q(delivered__isnull=True)
                | (Q(delivered__gte=0) & Q(delivered__lte=Greatest(F("quantity"), F("agreed")))),
                violation_error_message=_("More is delivered than was offered."),
            ),
        ]

    def __str__(self):
        return f"{self.line}: {self.quantity}"

    @property
    def promised(self) -> Decimal:
        """What counts as agreed once the response is accepted: the confirmed plan decides, before it what was offered."""
        return self.quantity if self.agreed is None else self.agreed

    @property
    def most(self) -> Decimal:
        """As much as can be stated as delivered: whoever offered more than was agreed may have given it too."""
        return max(self.quantity, self.promised)

    def clean(self):
        if self.line_id and self.response_id and self.line.need_id != self.response.need_id:
            raise ValidationError(_("This line belongs to another need."))
