"""The filters of projects: one set for the pages, the API, admin's export and later alerts and feeds.

Every filter takes stable codes (ISO 3, slugs, official codes), may be repeated (any of them) and combines with the
others (all of them). A value that does not exist is an error, never ignored.
"""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import django_filters
from django import forms
from django.db.models import F, Q, QuerySet
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field

from partners.models import Country, CountryGroup, Partner, Region
from projects import search
from projects.choices import CountryRole, DeliveryLevel, Instrument, Modality, Status, Vocabulary
from projects.models import FacetKind, Project, SearchEntry, Term

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
        codes = list(dict.fromkeys(str(v).strip() for v in value or [] if str(v).strip()))
        if not codes:
            return {}
        if len(codes) > MOST_VALUES:
            raise forms.ValidationError(_("At most %(most)s values at once.") % {"most": MOST_VALUES})
        usable = [code for code in codes if len(code) <= 100 and "\x00" not in code]
        keys = self.resolve(usable)
        if missing := [code for code in codes if code not in keys]:
            raise forms.ValidationError(self.unknown % {"value": missing[0][:60]})
        return {code: keys[code] for code in codes}


def _by(model, column):
    """Resolver: codes in `column` of `model`."""
    return lambda codes: dict(model.objects.filter(**{f"{column}__in": codes}).values_list(column, "pk"))


def _countries(codes):
    found = {}
    for pk, iso3, iso2 in Country.objects.filter(
        Q(iso3__in=[c.upper() for c in codes]) | Q(iso2__in=[c.upper() for c in codes])
    ).values_list("pk", "iso3", "iso2"):
        found |= {code: pk for code in codes if code.upper() in (iso3, iso2)}
    return found


def _terms(codes):
    """Terms as `vocabulary:code`, such as bsp-theme:wetlands or sdg:14.2."""
    pairs = [code.split(":", 1) for code in codes if ":" in code]
    wanted = Q(pk__in=[])
    for vocabulary, code in pairs:
        wanted |= Q(vocabulary=vocabulary, code=code)
    return {f"{v}:{c}": pk for v, c, pk in Term.objects.filter(wanted).values_list("vocabulary", "code", "pk")}


def _choices(choices):
    """Resolver: the position of a choice; `unstated` stands for the empty one."""
    known = {value or "unstated": place for place, value in enumerate(choices.values)}
    return lambda codes: {code: known[code] for code in codes if code in known}


def _statuses(codes):
    return {
        code: int(code) if code != "unstated" else 0 for code in codes if code == "unstated" or code in Status.values
    }


def _years(codes):
    return {code: int(code) for code in codes if code.isascii() and code.isdigit() and 1900 <= int(code[:5]) <= 2200}


@extend_schema_field(OpenApiTypes.STR)
class FacetFilter(django_filters.Filter):
    """Any of the given codes, as facets of one kind."""

    field_class = CodesField

    def __init__(self, kind: FacetKind, resolve, label, help_text=""):
        self.kind = kind
        super().__init__(
            label=label, help_text=help_text, resolve=resolve, unknown=_("There is no such value here: %(value)s.")
        )

    def filter(self, qs, value):
        return qs  # combined by ProjectFilter.filter_queryset: the kind may depend on the role


class ProjectFilter(django_filters.FilterSet):
    """Filters of the list of projects. Made with the request, whose user decides what is visible."""

    q = django_filters.CharFilter(
        label=_("Words"), method="keep", max_length=search.LONGEST,
        help_text=_('Words, "quoted phrases", -words to leave out, beginn* of words; in any language.'),
    )  # fmt: skip
    term = FacetFilter(
        FacetKind.TERM, _terms, _("Terms"), _("As vocabulary:code, such as bsp-theme:wetlands or sdg:14.2.")
    )
    country = FacetFilter(FacetKind.COUNTRY, _countries, _("Countries"), _("ISO 3166-1 alpha-3, such as KEN."))
    region = FacetFilter(FacetKind.REGION, _by(Region, "code"), _("Regions"), _("UN M49 code, such as 014."))
    group = FacetFilter(
        FacetKind.GROUP, _by(CountryGroup, "code"), _("Country groups"), _("Such as ldc, sids or amcen.")
    )
    role = django_filters.ChoiceFilter(
        label=_("Role of the country"), method="keep",
        choices=[(CountryRole.PROVIDER, _("provides")), (CountryRole.RECIPIENT, _("receives"))],
        help_text=_("Narrows the filter by country: provider or recipient."),
    )  # fmt: skip
    partner = FacetFilter(FacetKind.PARTNER, _by(Partner, "slug"), _("Partners"), _("As in the partner's address."))
    modality = FacetFilter(
        FacetKind.MODALITY, _choices(Modality), _("Modality"), ", ".join(v or "unstated" for v in Modality.values)
    )
    status = FacetFilter(FacetKind.STATUS, _statuses, _("Status"), _("IATI activity status, 1 to 6, or unstated."))
    year = FacetFilter(FacetKind.YEAR, _years, _("Years"), _("A year in which it ran."))
    instrument = FacetFilter(FacetKind.INSTRUMENT, _choices(Instrument), _("Instrument"), ", ".join(Instrument.values))
    level = FacetFilter(
        FacetKind.LEVEL,
        _choices(DeliveryLevel),
        _("Delivery level"),
        ", ".join(v or "unstated" for v in DeliveryLevel.values),
    )
    sort = django_filters.ChoiceFilter(
        label=_("Order"), method="keep",
        choices=[
            ("best", _("best match")), ("newest", _("newest here")), ("start", _("latest start")), ("title", _("title")),
        ],
        help_text=_("Best match by default where words are given, else newest."),
    )  # fmt: skip

    class Meta:
        model = Project
        fields: list[str] = []

    def keep(self, queryset, name, value: str):
        return queryset

    @property
    def values(self) -> dict:
        return self.form.cleaned_data

    @property
    def facet_filters(self) -> dict[str, FacetFilter]:
        return {name: f for name, f in self.filters.items() if isinstance(f, FacetFilter)}

    def chosen(self, without: str = "") -> list[list[int]]:
        """Facets to be met, one list of alternatives per filter."""
        role = self.values.get("role")
        kinds = {CountryRole.PROVIDER.value: FacetKind.PROVIDER, CountryRole.RECIPIENT.value: FacetKind.RECIPIENT}
        found = []
        for name, one in self.facet_filters.items():
            keys = self.values.get(name) or {}
            if keys and name != without:
                kind = kinds.get(role, one.kind) if name == "country" else one.kind
                found.append([kind.of(key) for key in keys.values()])
        return found

    @property
    def compiled(self) -> search.Compiled | None:
        """The query in `q`, compiled once."""
        if not hasattr(self, "_compiled"):
            words = self.values.get("q")
            self._compiled = search.compile_query(words) if words else None
        return self._compiled

    def entries(self, without: str = "") -> QuerySet:
        """Search entries of the projects that pass, in no order. `without`: a filter to leave out, for its facet's counts."""
        entries = SearchEntry.objects.visible_to(self.request.user)
        for facets in self.chosen(without):
            entries = (
                entries.filter(facets__overlap=facets) if len(facets) > 1 else entries.filter(facets__contains=facets)
            )
        if self.compiled is not None:
            entries = search.entries_matching(entries, self.compiled)
        return entries

    def counts(self, without: str = "") -> Counter:
        """How many of the entries carry each facet. Where nothing narrows the list no entry is read."""
        if not self.chosen(without) and self.compiled is None:
            return SearchEntry.objects.counts_for(self.request.user)
        return self.entries(without).counts()

    def count(self) -> int:
        """How many projects pass."""
        if not self.chosen() and self.compiled is None:
            return sum(FacetKind.STATUS.among(self.counts()).values())
        return self.entries().count()

    def ordered(self, entries: QuerySet) -> QuerySet:
        """The entries in the chosen order, always total."""
        sort = self.values.get("sort") or ("best" if self.compiled else "newest")
        if sort == "best" and self.compiled:
            return search.ranked(entries, self.compiled)
        if sort == "title":
            return entries.order_by("sort_title", "pk")
        if sort == "start":
            return entries.order_by(F("starts_on").desc(nulls_last=True), "-pk")
        return entries.newest()

    def ordered_queryset(self, queryset):
        """Projects that pass, in the chosen order, for the API and exports. Pages read `entries` themselves."""
        return EntryOrder(queryset, self.ordered(self.entries()), self.count)


class EntryOrder:
    """Projects in the order of their search entries: counted and cut on the narrow table, then loaded by key."""

    ordered = True

    def __init__(self, projects: QuerySet, entries: QuerySet, count: Callable[[], int]):
        self.projects, self.entries, self.count = projects, entries, count

    def __len__(self) -> int:
        return self.count()

    def __getitem__(self, part: slice) -> list[Project]:
        keys = list(self.entries.values_list("pk", flat=True)[part])
        loaded = self.projects.in_bulk(keys)
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


def facets_of(filterset: ProjectFilter) -> tuple[int, list[Facet]]:
    """How many projects pass, and every facet with its counts.

    A facet's own choice does not narrow its own counts, so that alternatives can be added. Costs one query for all
    facets, one more for each facet in use, and one for each kind of label.
    """
    own: dict[str, Counter] = {}
    counts = filterset.counts()
    # Every entry has exactly one status, so the count of all needs no query of its own.
    total = sum(FacetKind.STATUS.among(counts).values())
    for name in filterset.facet_filters:
        own[name] = filterset.counts(without=name) if filterset.values.get(name) else counts
    facets = []
    facets += _term_facets(filterset, own["term"])
    facets.append(_facet(filterset, "region", _("Region"), own["region"], _region_labels))
    facets.append(_facet(filterset, "country", _("Country"), own["country"], _labels(Country, "iso3")))
    facets.append(_facet(filterset, "group", _("Country group"), own["group"], _group_labels))
    facets.append(_facet(filterset, "modality", _("Modality"), own["modality"], _choice_labels(Modality)))
    facets.append(_facet(filterset, "status", _("Status"), own["status"], _status_labels))
    facets.append(_facet(filterset, "instrument", _("Instrument"), own["instrument"], _choice_labels(Instrument)))
    facets.append(_facet(filterset, "partner", _("Partner"), own["partner"], _labels(Partner, "slug")))
    facets.append(
        _facet(filterset, "year", _("Year"), own["year"], lambda keys: {k: (str(k), str(k)) for k in keys}, newest=True)
    )
    return total, [facet for facet in facets if facet.options]


def _labels(model, column):
    return lambda keys: {o.pk: (getattr(o, column), o.name) for o in model.objects.filter(pk__in=keys)}


def _region_labels(keys):
    return {r.pk: (r.code, r.name) for r in Region.objects.filter(pk__in=keys).exclude(code="001")}


def _group_labels(keys):
    groups = CountryGroup.objects.filter(pk__in=keys).exclude(kind="electoral")
    return {g.pk: (g.code, g.name, g.is_priority) for g in groups}


def _choice_labels(choices):
    return lambda keys: {
        k: (choices.values[k] or "unstated", choices.labels[k]) for k in keys if k < len(choices.values)
    }


def _status_labels(keys):
    return {k: (str(k) if k else "unstated", Status(str(k) if k else "").label) for k in keys}


def _facet(filterset, parameter, title, counts: Counter, labels, newest=False) -> Facet:
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


def _term_facets(filterset, counts: Counter) -> list[Facet]:
    own = FacetKind.TERM.among(counts)
    chosen = filterset.values.get("term") or {}
    terms = Term.objects.filter(pk__in=[*own, *chosen.values()])
    groups: dict[str, list[Option]] = {}
    for term in terms:
        option = Option(f"{term.vocabulary}:{term.code}", str(term), own.get(term.pk, 0), term.pk in chosen.values())
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


def chips(filterset: ProjectFilter, facets: list[Facet], parameters: QueryDict) -> list[dict]:
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
                        "label": f"{facet.title}: {option.label}",
                        "url": _without(parameters, facet.parameter, option.code),
                    }
                )
    if role := filterset.values.get("role"):
        label = dict(filterset.filters["role"].extra["choices"])[role]
        found.append({"label": f"{_('Role')}: {label}", "url": _without(parameters, "role", role)})
    return found


def _without(parameters: QueryDict, name: str, value: str) -> str:
    left = parameters.copy()
    left.setlist(name, [v for v in left.getlist(name) if v.strip().upper() != str(value).strip().upper()])
    left.pop("page", None)
    return f"?{left.urlencode()}"
