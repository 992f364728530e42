"""What the filters of all lists share: one set for the page, the API, admin's export and later alerts and feeds.

Every filter takes stable codes (ISO 3, slugs, official codes), may be repeated (any of them) and combines with the
others (all of them). A value that does not exist is an error, never ignored.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

import django_filters
from django import forms
from django.db import models
from django.db.models import Q, QuerySet
from django.http import QueryDict
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field

from ground.parameters import FilterSet
from ground.templatetags.portal import entitled, named
from partners.filters import MomentFilter
from partners.models import Country, CountryGroup, PublicRecord, Region
from partners.rules import memberships
from projects import search
from projects.choices import Vocabulary
from projects.models import FacetKind, Term
from projects.models.search import Entry

MOST_VALUES = 50


class CodesInput(forms.MultipleHiddenInput):
    """One parameter per value: ?country=KEN&country=UGA."""


@extend_schema_field({"type": "array", "items": {"type": "string"}})
class CodesField(forms.Field):
    """Codes of one kind, resolved to the keys that facets are made of. {code: key} in `cleaned_data`."""

    widget = CodesInput

    def __init__(self, resolve, unknown, **kwargs):
        self.resolve, self.unknown = resolve, unknown
        super().__init__(**kwargs)

    def clean(self, value):
        given = [str(v).strip() for v in value or []]
        codes = list(dict.fromkeys(code for code in given if code))
        if not codes and len(given) <= MOST_VALUES:
            return {}
        if len(given) > MOST_VALUES:
            raise forms.ValidationError(_("At most %(most)s values at once.") % {"most": MOST_VALUES})
        usable = [code for code in codes if len(code) <= 100 and "\x00" not in code]
        keys = self.resolve(usable)
        if missing := [code for code in codes if code not in keys]:
            raise forms.ValidationError(self.unknown % {"value": missing[0][:60]})
        return {code: keys[code] for code in codes}


class Codes:
    """Codes of one kind: what each stands for, and which there are (for the description of the API)."""

    def __init__(self, resolve: Callable[[list[str]], dict], known: Callable[[], list[str]]):
        self.resolve, self.known = resolve, known

    def __call__(self, codes: list[str]) -> dict:
        return self.resolve(codes)


def by(model, column) -> Codes:
    """Codes in `column` of `model`."""
    return Codes(
        lambda codes: dict(model.objects.filter(**{f"{column}__in": codes}).values_list(column, "pk")),
        lambda: list(model.objects.order_by(column).values_list(column, flat=True)),
    )


def _countries(codes):
    found = {}
    for pk, iso3, iso2 in Country.objects.filter(
        Q(iso3__in=[c.upper() for c in codes]) | Q(iso2__in=[c.upper() for c in codes])
    ).values_list("pk", "iso3", "iso2"):
        found |= {code: pk for code in codes if code.upper() in (iso3, iso2)}
    return found


countries = Codes(_countries, lambda: list(Country.objects.order_by("iso3").values_list("iso3", flat=True)))


def _terms(codes):
    """Terms as `vocabulary:code`, such as bsp-theme:wetlands or sdg:14.2."""
    pairs = [code.split(":", 1) for code in codes if ":" in code]
    wanted = Q(pk__in=[])
    for vocabulary, code in pairs:
        wanted |= Q(vocabulary=vocabulary, code=code)
    return {f"{v}:{c}": pk for v, c, pk in Term.objects.filter(wanted).values_list("vocabulary", "code", "pk")}


terms = Codes(_terms, lambda: [f"{v}:{c}" for v, c in Term.objects.values_list("vocabulary", "code")])


def choices_of(choices) -> Codes:
    """The position of a choice; `unstated` stands for the empty one."""
    known = {value or "unstated": place for place, value in enumerate(choices.values)}
    return Codes(lambda codes: {code: known[code] for code in codes if code in known}, lambda: list(known))


@extend_schema_field(OpenApiTypes.STR)
class FacetFilter(django_filters.Filter):
    """Any of the given codes, as facets of one kind."""

    field_class = CodesField

    def __init__(self, kind: FacetKind, resolve: Codes, label, help_text=""):
        self.kind, self.codes = kind, resolve
        super().__init__(
            label=label, help_text=help_text, resolve=resolve, unknown=_("There is no such value here: %(value)s.")
        )

    def api_schema(self) -> dict:
        """How the description of the API tells it: the codes that there are, any number of them; empty is none."""
        items = {"type": "string", "enum": [*self.codes.known(), ""]}
        return {"type": "array", "items": items, "maxItems": MOST_VALUES}

    def filter(self, qs, value):
        return qs  # combined by RecordFilter.entries: the kind may depend on another filter


class RecordFilter(FilterSet):
    """Base: the filters that every list of records has. Made with the request, whose user decides what is visible."""

    ENTRY: type[Entry]
    ONE_EACH: FacetKind  # of this kind every entry has exactly one, so that all can be counted by it
    SORTS: dict[str, list[str]] = {}  # further orders of the entries, by name

    q = django_filters.CharFilter(
        label=_("Words"), method="keep", max_length=search.LONGEST,
        help_text=_('Words, "quoted phrases", -words to leave out, beginn* of words; in any language.'),
    )  # fmt: skip
    term = FacetFilter(
        FacetKind.TERM, terms, _("Terms"), _("As vocabulary:code, such as bsp-theme:wetlands or sdg:14.2.")
    )
    country = FacetFilter(FacetKind.COUNTRY, countries, _("Countries"), _("ISO 3166-1 alpha-3, such as KEN."))
    region = FacetFilter(FacetKind.REGION, by(Region, "code"), _("Regions"), _("UN M49 code, such as 014."))
    group = FacetFilter(
        FacetKind.GROUP, by(CountryGroup, "code"), _("Country groups"), _("Such as ldc, sids or amcen.")
    )

    modified_since = MomentFilter(
        label=_("Changed since"), method="keep", help_text=_("A moment of ISO 8601, such as 2026-01-31T00:00:00Z.")
    )

    def keep(self, queryset, name, value: str):
        return queryset

    @property
    def values(self) -> dict:
        return self.form.cleaned_data

    @property
    def facet_filters(self) -> dict[str, FacetFilter]:
        return {name: f for name, f in self.filters.items() if isinstance(f, FacetFilter)}

    def kind_of(self, name: str) -> FacetKind:
        """The kind of facet that a filter means."""
        return self.filters[name].kind

    def chosen(self, without: str = "") -> list[list[int]]:
        """Facets to be met, one list of alternatives per filter."""
        found = []
        for name in self.facet_filters:
            keys = self.values.get(name) or {}
            if keys and name != without:
                found.append([self.kind_of(name).of(key) for key in keys.values()])
        return found

    @property
    def compiled(self) -> search.Compiled | None:
        """The query in `q`, compiled once."""
        if not hasattr(self, "_compiled"):
            words = self.values.get("q")
            self._compiled = search.compile_query(words) if words else None
        return self._compiled

    def narrowed(self, entries: QuerySet) -> QuerySet:
        """Entries that pass the filters that are no facets."""
        return entries

    @property
    def is_narrowed(self) -> bool:
        return False

    def entries(self, without: str = "") -> QuerySet:
        """Search entries of the records that pass, in no order. `without`: a filter to leave out, for its facet's counts."""
        entries = self.narrowed(self.ENTRY.objects.visible_to(self.request.user))
        for facets in self.chosen(without):
            entries = (
                entries.filter(facets__overlap=facets) if len(facets) > 1 else entries.filter(facets__contains=facets)
            )
        if since := self.values.get("modified_since"):
            entries = entries.filter(self._changed_since(since))
        if self.compiled is not None:
            entries = search.entries_matching(entries, self.compiled)
        return entries

    def _changed_since(self, moment) -> Q:
        """As the change feed tells it; for those who read more than the public, also what changed for them alone."""
        found = Q(pk__in=PublicRecord.objects.changed_since(self.ENTRY._meta.pk.related_model, moment))
        if memberships(self.request.user):
            found |= Q(**{f"{self.ENTRY.RECORD}__modified_at__gte": moment})
        return found

    def _is_everything(self, without: str = "") -> bool:
        narrowed = self.is_narrowed or self.values.get("modified_since")
        return not self.chosen(without) and self.compiled is None and not narrowed

    def counts(self, without: str = "") -> Counter:
        """How many of the entries carry each facet. Where nothing narrows the list no public entry is read."""
        if self._is_everything(without):
            return self.ENTRY.objects.counts_for(self.request.user)
        return self.entries(without).counts()

    def count(self) -> int:
        """How many records pass."""
        if self._is_everything():
            return sum(self.ONE_EACH.among(self.counts()).values())
        return self.entries().count()

    @property
    def order(self) -> str:
        return self.values.get("sort") or ("best" if self.compiled else "newest")

    def ordered(self, entries: QuerySet) -> QuerySet:
        """The entries in the chosen order, always total."""
        if self.order == "best" and self.compiled:
            return search.ranked(entries, self.compiled)
        if self.order in self.SORTS:
            return entries.order_by(*self.SORTS[self.order])
        return entries.newest()

    def ordered_queryset(self, queryset):
        """Records that pass, in the chosen order, for the API and exports. Pages read `entries` themselves."""
        return EntryOrder(queryset, self.ordered(self.entries()), self.count, self.entries)

    # -- the facets of the list page
    def facets(self, own: dict[str, Counter]) -> list["Facet"]:
        """Every facet with its counts; `own`: the counts for each filter."""
        raise NotImplementedError

    @property
    def choices_in_use(self) -> dict[str, str]:
        """Filters that are no facets and are in use: {name: label}."""
        return {}


def sorts(*more: tuple[str, str]):
    """The parameter `sort` with the orders that every list has and some more."""
    return django_filters.ChoiceFilter(
        label=_("Order"), method="keep",
        choices=[("best", _("best match")), ("newest", _("newest here")), *more, ("title", _("title"))],
        help_text=_("Best match by default where words are given, else newest."),
    )  # fmt: skip


class EntryOrder:
    """Records in the order of their search entries: counted and cut on the narrow table, then loaded by key."""

    ordered = True

    def __init__(self, records: QuerySet, entries: QuerySet, count: Callable[[], int], passing: Callable[[], QuerySet]):
        self.records, self.entries, self.count, self.passing = records, entries, count, passing

    @property
    def everything(self) -> QuerySet:
        """All records that pass, in no order: for tables, which are not cut into pages."""
        return self.records.filter(pk__in=self.passing().order_by().values("pk"))

    def __len__(self) -> int:
        return self.count()

    def __getitem__(self, part: slice) -> list[models.Model]:
        keys = list(self.entries.values_list("pk", flat=True)[part])
        loaded = self.records.in_bulk(keys)
        return [loaded[key] for key in keys if key in loaded]


# --- facets of the list page -----------------------------------------------------------------------------------------
@dataclass
class Option:
    """One value of a facet: its code in the address, its label, how many projects have it."""

    code: str
    label: str
    count: int
    is_chosen: bool

    @property
    def key(self) -> str:
        """The code as part of an HTML id."""
        return re.sub(r"[^A-Za-z0-9]", "-", self.code)


@dataclass
class Facet:
    parameter: str
    title: str
    options: list[Option]
    more: list[Option] = field(default_factory=list)

    @property
    def is_used(self) -> bool:
        return any(option.is_chosen for option in [*self.options, *self.more])


SHOWN, LISTED = 6, 40
TERM_FACETS = (Vocabulary.BSP_THEME, Vocabulary.ASSISTANCE, Vocabulary.SDG)


def facets_of(filterset: RecordFilter) -> tuple[int, list[Facet]]:
    """How many records pass, and every facet with its counts.

    A facet's own choice does not narrow its own counts, so that alternatives can be added. Costs one query for all
    facets, one more for each facet in use, and one for each kind of label.
    """
    counts = filterset.counts()
    own = {
        name: filterset.counts(without=name) if filterset.values.get(name) else counts
        for name in filterset.facet_filters
    }
    total = sum(filterset.ONE_EACH.among(counts).values())
    return total, [facet for facet in filterset.facets(own) if facet.options]


def labels(model, column):
    return lambda keys: {o.pk: (getattr(o, column), named(o)) for o in model.objects.filter(pk__in=keys)}


def region_labels(keys):
    return {r.pk: (r.code, named(r)) for r in Region.objects.filter(pk__in=keys).exclude(code="001")}


def group_labels(keys):
    groups = CountryGroup.objects.filter(pk__in=keys).exclude(kind="electoral")
    return {g.pk: (g.code, named(g), g.is_priority) for g in groups}


def choice_labels(choices):
    return lambda keys: {
        k: (choices.values[k] or "unstated", choices.labels[k]) for k in keys if k < len(choices.values)
    }


def facet(filterset, parameter, title, counts: Counter, labels, newest=False) -> Facet:
    """One facet: its values in use, the most frequent first. `labels`: keys -> {key: (code, label)}."""
    kind = filterset.filters[parameter].kind
    chosen = filterset.values.get(parameter) or {}
    own = kind.among(counts)
    own |= {key: own.get(key, 0) for key in chosen.values()}
    top = sorted(own, key=(lambda k: -k) if newest else (lambda k: (-own[k], k)))[: LISTED + len(chosen)]
    known = labels(top)
    top.sort(key=lambda k: not (k in known and known[k][2:] == (True,)))  # priority groups first, else as they were
    options = [
        Option(known[k][0], known[k][1], own[k], known[k][0] in chosen or k in chosen.values())
        for k in top
        if k in known
    ]
    return _divided(parameter, title, options)


def _divided(parameter, title, options) -> Facet:
    first = [o for place, o in enumerate(options) if place < SHOWN or o.is_chosen]
    return Facet(parameter, title, first, [o for o in options if o not in first])


def term_facets(filterset, counts: Counter) -> list[Facet]:
    own = FacetKind.TERM.among(counts)
    chosen = filterset.values.get("term") or {}
    terms = Term.objects.filter(pk__in=[*own, *chosen.values()])
    groups: dict[str, list[Option]] = {}
    for term in terms:
        option = Option(
            f"{term.vocabulary}:{term.code}", entitled(term), own.get(term.pk, 0), term.pk in chosen.values()
        )
        if term.vocabulary in TERM_FACETS or option.is_chosen:
            groups.setdefault(term.vocabulary, []).append(option)
    titles = {
        Vocabulary.BSP_THEME: _("Theme"),
        Vocabulary.ASSISTANCE: _("Kind of help"),
        Vocabulary.SDG: _("Goal or target"),
    }
    return [
        _divided("term", titles.get(v, Vocabulary(v).label), sorted(groups[v], key=lambda o: (-o.count, o.code)))
        for v in [*TERM_FACETS, *(v for v in groups if v not in TERM_FACETS)]
        if v in groups
    ]


def chips(filterset: RecordFilter, facets: list[Facet], parameters: QueryDict) -> list[dict]:
    """Filters in use, each with the address of the list without it."""
    found = []
    if words := filterset.values.get("q"):
        found.append({"label": f"“{words}”", "url": _without(parameters, "q", words)})
    seen = set()
    for facet in facets:
        for option in [*facet.options, *facet.more]:
            if option.is_chosen and (facet.parameter, option.code) not in seen:
                seen.add((facet.parameter, option.code))
                found.append(
                    {
                        "label": format_html("{}: {}", facet.title, option.label),
                        "url": _without(parameters, facet.parameter, option.code),
                    }
                )
    for name, label in filterset.choices_in_use.items():
        found.append({"label": label, "url": _without(parameters, name, filterset.data.get(name, ""))})
    return found


def in_words(filterset: RecordFilter) -> list[str]:
    """The filters in use, in the reader's words. Counts nothing."""
    facets = [facet for facet in filterset.facets(defaultdict(Counter)) if facet.options]
    return [str(chip["label"]) for chip in chips(filterset, facets, filterset.data)]


def _without(parameters: QueryDict, name: str, value: str) -> str:
    left = parameters.copy()
    left.setlist(name, [v for v in left.getlist(name) if v.strip().upper() != str(value).strip().upper()])
    left.pop("page", None)
    return f"?{left.urlencode()}"
