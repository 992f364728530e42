"""The project: what is done, by whom it was recorded, and whether the public sees it."""

import re

import pghistory
import pgtrigger
from django.conf import settings
from django.core.cache import caches
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, RegexValidator
from django.db import models
from django.db.models import Count, F, Prefetch, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext_lazy as _

from partners.maps import Flow
from partners.models import Country, Partner, Traceable, with_last_change
from partners.models.constraints import CheckedTogether, in_order, known, together
from partners.models.partner import IATI_IDENTIFIER
from partners.rules import is_unep, memberships
from projects.choices import CountryRole, DeliveryLevel, Instrument, Modality, Source, State, Status, Vocabulary
from projects.currencies import CURRENCIES
from projects.models.figures import Figures, facets_of
from projects.models.search import SearchEntry, keeps_search_fresh

CURRENCY = RegexValidator(r"^[A-Z]{3}$", _("Use the three letters of ISO 4217, such as USD or KES."))
LANGUAGE_CODE = RegexValidator(r"^[a-z]{2,3}(-[a-z]{2,4})?$", _("Use an ISO 639 code such as en, fr or pt."))
PROVIDING, RECEIVING = [CountryRole.PROVIDER, CountryRole.BOTH], [CountryRole.RECIPIENT, CountryRole.BOTH]
# What IATI lets stand at each transaction instead of the activity, by what it tells.
IN_TRANSACTIONS = {
    "places": ("recipient-country", "recipient-region"), "sectors": ("sector",), "parties": ("provider-org", "receiver-org"),
}  # fmt: skip
SAID_OF_TRANSACTIONS = {
    "places": lambda n: ngettext(
        "%(n)s project names its countries or regions only in its transactions. It is counted for none of them yet.",
        "%(n)s projects name their countries or regions only in their transactions. They are counted for none of them yet.",
        n,
    ) % {"n": n},
    "sectors": lambda n: ngettext(
        "%(n)s project names its sectors only in its transactions. It is counted for none of them yet.",
        "%(n)s projects name their sectors only in their transactions. They are counted for none of them yet.",
        n,
    ) % {"n": n},
    "parties": lambda n: ngettext(
        "%(n)s project names its payers or payees only in its transactions. It is counted for none of them yet.",
        "%(n)s projects name their payers or payees only in their transactions. They are counted for none of them yet.",
        n,
    ) % {"n": n},
}  # fmt: skip
TEXTS = ("title", "summary", "description", "objectives", "lessons")


def check_currency(code: str) -> None:
    """Three letters that stand for a currency; what isn't three letters is told by `CURRENCY`."""
    if re.fullmatch("[A-Z]{3}", code) and code not in CURRENCIES:
        raise ValidationError(_("ISO 4217 has no currency “%(code)s”. Look its three letters up.") % {"code": code})


def currency_field(verbose_name=None, **kwargs):
    """Of whatever has a currency: one rule."""
    return models.CharField(
        verbose_name or _("currency"), max_length=3, validators=[CURRENCY, check_currency], **kwargs
    )


class ReferenceCounter(models.Model):
    """The last number given out for a prefix, such as P-2026. Locked while a number is taken."""

    prefix = models.CharField(max_length=20, primary_key=True)
    last = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("reference counter")
        verbose_name_plural = _("reference counters")

    def __str__(self):
        return f"{self.prefix}-{self.last:04d}"

    @classmethod
    def take(cls, prefix: str) -> str:
        """The next reference, such as P-2026-0012. Each is given out once, also to writers at the same time."""
        row, new = cls.objects.get_or_create(prefix=prefix, defaults={"last": 1})
        if not new:
            cls.objects.filter(pk=prefix).update(last=F("last") + 1)
            row.refresh_from_db()
        return str(row)


class ProjectQuerySet(models.QuerySet):
    # -- who sees what
    def visible_to(self, user):
        """Projects this person may see: the public ones; UNEP sees all; a cooperating country or partner its own drafts."""
        if is_unep(user):
            return self
        public = Q(state=State.PUBLISHED)
        return self.filter(public | Q(pk__in=self.model.objects.of(user)) if memberships(user) else public)

    def of(self, user):
        """Keys of the projects in which a country or partner of this person takes part."""
        held = memberships(user)
        in_country = self.model.countries.through.objects.filter(
            country__in=[m.country_id for m in held if m.country_id]
        )
        in_partner = self.model.partners.through.objects.filter(
            partner__in=[m.partner_id for m in held if m.partner_id]
        )
        return in_country.values("project").union(in_partner.values("project"))

    # -- states
    def published(self):
        return self.filter(state=State.PUBLISHED)

    def waiting_for_publisher(self):
        return self.filter(state=State.REVIEW)

    # -- what the source of a record names only in its transactions: it is not missing, and counted nowhere yet
    def naming_in_transactions(self, *kinds: str):
        """Those whose source names `places`, `sectors` or `parties` only in its transactions."""
        named = Q(pk__in=[])
        for element in (element for kind in kinds for element in IN_TRANSACTIONS[kind]):
            named |= Q(only_in_transactions__contains=element)
        return self.filter(named)

    def notes_on_transactions(self, *kinds: str, is_kept: bool = True) -> list[str]:
        """Said beside figures by place, sector or partner: how many published records are in none of them for that reason."""
        if not kinds:
            return []
        count = self._count_in_transactions
        counts = caches["local"].get_or_set("named-in-transactions", count, 60) if is_kept else count()
        return [SAID_OF_TRANSACTIONS[kind](counts[kind]) for kind in kinds if counts[kind]]

    def _count_in_transactions(self) -> dict[str, int]:
        published = self.model.objects.published().exclude(only_in_transactions="")
        return published.aggregate(
            **{
                kind: Count("pk", filter=Q(pk__in=self.model.objects.naming_in_transactions(kind)))
                for kind in IN_TRANSACTIONS
            }
        )

    # -- figures
    def figures(self, **of) -> Figures:
        """Figures of the published projects: all, or those of one `country`, `partner` or `term`."""
        return Figures(**of)

    def newest(self, most: int, **of) -> list:
        """The published projects that came last, for a list: of all or of one `country`, `partner` or `term`."""
        keys = list(SearchEntry.objects.public(*facets_of(of)).newest().values_list("pk", flat=True)[:most])
        loaded = self.for_listing().in_bulk(keys)
        return [loaded[key] for key in keys if key in loaded]

    def flows_of(self, country) -> list[Flow]:
        """Whom a country works with in published projects, the most projects first."""
        links = self.model.countries.through.objects.filter(
            project__entry__is_public=True, project__country_links__country=country
        )
        own_role = "project__country_links__role"
        rows = (
            links.exclude(country=country)
            .order_by()
            .values("country")
            .annotate(
                shares=Count("pk", filter=Q(role__in=PROVIDING, **{f"{own_role}__in": RECEIVING})),
                draws=Count("pk", filter=Q(role__in=RECEIVING, **{f"{own_role}__in": PROVIDING})),
            )
        )
        counts = {row["country"]: row for row in rows if row["shares"] or row["draws"]}
        others = Country.objects.filter(pk__in=counts)
        flows = [Flow(c, counts[c.pk]["shares"], counts[c.pk]["draws"]) for c in others]
        return sorted(flows, key=lambda f: (-(f.shares + f.draws), f.country.iso3))

    def finished(self):
        """Those whose delivery is over (IATI status 3 or 4)."""
        return self.filter(status__in=(Status.FINALISATION, Status.CLOSED))

    def carrying_needs(self):
        """Projects that needs in delivery (or on hold) wait for."""
        return self.filter(needs__state__in=("in_delivery", "on_hold")).distinct()

    # -- what is loaded
    def with_text(self):
        """Translations into the reader's language, so that `text` needs no query."""
        wanted = ProjectTranslation.objects.filter(language=(get_language() or "en").split("-")[0])
        return self.prefetch_related(Prefetch("translations", wanted, to_attr="readers_translation"))

    def for_listing(self):
        """What a list shows of a project, in a number of queries that does not grow with the rows."""
        from projects.models.parts import ProjectCountry, ProjectTerm

        return (
            self.with_text()
            .select_related("import_run")
            .prefetch_related(
                Prefetch("country_links", ProjectCountry.objects.select_related("country")),
                Prefetch(
                    "term_links",
                    ProjectTerm.objects.filter(term__vocabulary=Vocabulary.BSP_THEME).select_related("term"),
                    to_attr="theme_links",
                ),
                "contributions",
                "checks__partner",
            )
        )

    def for_iati(self):
        """Everything that an IATI file tells of a project."""
        return (
            with_last_change(self)
            .select_related("parent", "import_run")
            .prefetch_related(
                "translations",
                "country_links__country",
                "region_links__region",
                "partner_links__partner",
                "term_links__term__default_crs",
                "locations",
                "budgets",
                "transactions",
                "documents",
                "related_links__other",
                "results",
                "contributions__country",
                "contributions__partner",
                "merged",
            )
        )

    def for_page(self):
        """Everything the page of one project shows."""
        return (
            self.with_text()
            .select_related("parent", "import_run")
            .prefetch_related(
                "country_links__country",
                "region_links__region",
                "partner_links__partner",
                "term_links__term__parent",
                "term_links__term__default_crs",
                "contributions__country",
                "contributions__partner",
                "budgets",
                "transactions",
                "results",
                "locations",
                "documents",
                "updates",
                "checks__country",
                "checks__partner",
                "needs__country",
                "merged",
            )
        )


@keeps_search_fresh("id")
@pghistory.track(exclude=["quality_score", "modified_at"])
class Project(Traceable, CheckedTogether):
    """A programme, project or single action of South-South cooperation on the environment.

    Texts are in `language`; translations stand in ProjectTranslation. Standards: IATI 2.03 iati-activity.
    """

    reference = models.CharField(_("reference"), max_length=20, unique=True, editable=False)
    iati_identifier = models.CharField(
        _("IATI identifier"), max_length=200, unique=True, null=True, blank=True, validators=[IATI_IDENTIFIER],
        help_text=_("As published in the IATI Registry, if it is. Empty otherwise."),
    )  # fmt: skip
    language = models.CharField(
        _("language of the texts"), max_length=8, default="en", validators=[LANGUAGE_CODE],
        help_text=_("Language in which title, summary and so on are written below, such as en or fr."),
    )  # fmt: skip
    title = models.CharField(_("title"), max_length=400)
    summary = models.TextField(
        _("summary"), blank=True, max_length=1000, help_text=_("One or two sentences for everybody.")
    )
    description = models.TextField(_("description"), blank=True, max_length=30000)
    objectives = models.TextField(_("objectives"), blank=True, max_length=30000)
    lessons = models.TextField(_("what was learned"), blank=True, max_length=30000)
    status = models.CharField(_("status"), max_length=1, choices=Status, blank=True, default=Status.PIPELINE)
    state = models.CharField(_("publishing state"), max_length=10, choices=State, default=State.DRAFT, editable=False)
    instrument = models.CharField(
        _("instrument"), max_length=10, choices=Instrument, blank=True, default=Instrument.PROJECT
    )
    parent = models.ForeignKey(
        "self", models.PROTECT, verbose_name=_("part of"), null=True, blank=True, related_name="parts",
        help_text=_("The programme or regional initiative that it belongs to."),
    )  # fmt: skip
    modality = models.CharField(_("modality"), max_length=12, choices=Modality, blank=True, default=Modality.UNSTATED)
    delivery_level = models.CharField(
        _("delivery level"), max_length=12, choices=DeliveryLevel, blank=True, default=DeliveryLevel.UNSTATED
    )
    planned_start = models.DateField(_("planned start"), null=True, blank=True)
    planned_end = models.DateField(_("planned end"), null=True, blank=True)
    actual_start = models.DateField(_("actual start"), null=True, blank=True)
    actual_end = models.DateField(_("actual end"), null=True, blank=True)
    default_currency = currency_field(_("currency by default"), blank=True)
    is_illustrative = models.BooleanField(
        _("illustrative"), default=False, help_text=_("Made up for the demonstration; said on its page.")
    )

    countries = models.ManyToManyField(
        Country, through="ProjectCountry", related_name="projects", verbose_name=_("countries")
    )
    partners = models.ManyToManyField(
        Partner, through="ProjectPartner", related_name="projects", verbose_name=_("partners")
    )
    terms = models.ManyToManyField("Term", through="ProjectTerm", related_name="projects", verbose_name=_("terms"))

    source = models.CharField(_("source"), max_length=10, choices=Source, default=Source.ENTERED, editable=False)
    only_in_transactions = models.CharField(
        _("named only in its transactions"), max_length=120, blank=True, default="", db_default="", editable=False,
        help_text=_("Elements of IATI that the source gives for single transactions; the record has no place for them yet."),
    )  # fmt: skip
    taken_as = models.CharField(
        _("put in where the source does not say it"),
        max_length=200,
        blank=True,
        default="",
        db_default="",
        editable=False,
    )  # words as `lang:en`: projects/interchange/iati_own.py says which
    quality_score = models.PositiveSmallIntegerField(
        _("data quality"), default=0, editable=False, validators=[MaxValueValidator(100)],
        help_text=_("0 to 100; projects/quality.py says for what."),
    )  # fmt: skip
    merged_into = models.ForeignKey(
        "self", models.PROTECT, verbose_name=_("merged into"), null=True, blank=True, editable=False, related_name="merged",
    )  # fmt: skip
    published_at = models.DateTimeField(_("published at"), null=True, editable=False)
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, editable=False, related_name="+"
    )
    created_at = models.DateTimeField(_("entered at"), default=timezone.now, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, editable=False, related_name="+"
    )
    modified_at = models.DateTimeField(_("changed at"), auto_now=True)

    objects = ProjectQuerySet.as_manager()
    marked_imported = ("source", Source.IMPORTED)

    class Meta:
        verbose_name = _("project")
        verbose_name_plural = _("projects")
        ordering = ["-modified_at", "-pk"]
        indexes = [
            models.Index(fields=["-modified_at", "-id"], name="project_newest_change"),
            models.Index(fields=["state", "-modified_at", "-id"], name="project_state_change"),
            models.Index(fields=["state"], condition=~Q(only_in_transactions=""), name="project_named_in_transactions"),
        ]
        constraints = [
            known("status", Status),
            known("state", State),
            known("instrument", Instrument),
            known("modality", Modality),
            known("delivery_level", DeliveryLevel),
            known("source", Source),
            together("published_at", "published_by"),
            in_order("planned_start", "planned_end", _("The planned end comes before the planned start.")),
            in_order("actual_start", "actual_end", _("The actual end comes before the actual start.")),
            models.CheckConstraint(
                name="project_public_since_and_by",
                condition=~Q(state=State.PUBLISHED) | Q(published_at__isnull=False),
            ),
            models.CheckConstraint(
                name="project_iati_identifier_not_blank",
                condition=Q(iati_identifier__isnull=True) | ~Q(iati_identifier=""),
            ),
            models.CheckConstraint(
                name="project_not_part_of_itself",
                condition=Q(parent__isnull=True) | ~Q(parent=F("pk")),
                violation_error_message=_("A project can't be part of itself."),
            ),
            models.CheckConstraint(
                name="project_merged",
                condition=~(Q(state=State.MERGED) ^ Q(merged_into__isnull=False)) & ~Q(merged_into=F("pk")),
            ),
            models.CheckConstraint(name="project_quality_to_100", condition=Q(quality_score__lte=100)),
        ]
        triggers = [
            # Sums over several rows: the database has the last word, at the end of the transaction, whoever writes.
            pgtrigger.Trigger(
                name="roles_fit_modality",
                operation=pgtrigger.UpdateOf("modality"),
                when=pgtrigger.After,
                timing=pgtrigger.Deferred,
                func="PERFORM projects_check_countries(NEW.id); RETURN NULL;",
            ),
        ]

    def __str__(self):
        return f"{self.reference} {self.title}"

    def save(self, *args, **kwargs):
        if not self.reference:
            self.reference = ReferenceCounter.take(f"P-{(self.created_at or timezone.now()).year}")
        super().save(*args, **kwargs)

    def get_absolute_url(self):
        return reverse("project", args=[self.reference])

    @property
    def elements_only_in_transactions(self) -> list[str]:
        return self.only_in_transactions.split()

    @property
    def has_countries_only_in_transactions(self) -> bool:
        return self._names_in_transactions("places")

    @property
    def has_sectors_only_in_transactions(self) -> bool:
        return self._names_in_transactions("sectors")

    @property
    def has_parties_only_in_transactions(self) -> bool:
        return self._names_in_transactions("parties")

    def _names_in_transactions(self, kind: str) -> bool:
        return not {*IN_TRANSACTIONS[kind]}.isdisjoint(self.elements_only_in_transactions)

    def clean(self):
        self.iati_identifier = (self.iati_identifier or "").strip() or None
        ancestor, seen = self.parent, {self.pk}
        while ancestor is not None:
            if ancestor.pk in seen:
                raise ValidationError({"parent": _("This would make the project part of itself.")})
            seen.add(ancestor.pk)
            ancestor = ancestor.parent
        if self.parent is not None and self.parent.instrument == Instrument.ACTION:
            raise ValidationError({"parent": _("A single action has no parts. Choose a programme or a project.")})

    # -- texts in the reader's language
    @cached_property
    def translation(self):
        """The translation into the reader's language, if there is one (loaded by `with_text`)."""
        language = (get_language() or "en").split("-")[0]
        if self.language.split("-")[0] == language:
            return None
        if not hasattr(self, "readers_translation"):
            self.readers_translation = list(self.translations.filter(language=language))
        return next(iter(self.readers_translation), None)

    def text(self, name: str) -> tuple[str, str]:
        """A text (one of TEXTS) in the reader's language where it was translated, and the language it is in."""
        translated = getattr(self.translation, name, "") if self.translation else ""
        return (translated, self.translation.language) if translated else (getattr(self, name), self.language)

    # -- dates
    @property
    def start(self):
        """The actual start, else the planned one."""
        return self.actual_start or self.planned_start

    @property
    def end(self):
        """The actual end, else the planned one."""
        return self.actual_end or self.planned_end

    @property
    def is_published(self) -> bool:
        return self.state == State.PUBLISHED


@keeps_search_fresh("project_id")
@pghistory.track()
class ProjectTranslation(models.Model):
    """The texts of a project in another language than its own."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="translations", verbose_name=_("project"))
    language = models.CharField(_("language"), max_length=8, validators=[LANGUAGE_CODE])
    title = models.CharField(_("title"), max_length=400, blank=True)
    summary = models.TextField(_("summary"), blank=True, max_length=1000)
    description = models.TextField(_("description"), blank=True, max_length=30000)
    objectives = models.TextField(_("objectives"), blank=True, max_length=30000)
    lessons = models.TextField(_("what was learned"), blank=True, max_length=30000)

    class Meta:
        verbose_name = _("translation")
        verbose_name_plural = _("translations")
        ordering = ["project", "language"]
        constraints = [
            models.UniqueConstraint(
                fields=["project", "language"],
                name="project_translated_once",
                violation_error_message=_("There is a translation into this language already."),
            )
        ]

    def __str__(self):
        return f"{self.project_id} ({self.language})"

    def clean(self):
        if self.project_id and self.language == self.project.language:
            raise ValidationError({"language": _("The project's own texts are in this language already.")})
        if not any(getattr(self, name) for name in TEXTS):
            raise ValidationError({"title": _("Translate at least one text.")})
