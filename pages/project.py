"""Pages of projects, themes and the search. Each makes one domain call and hands its answer to a template."""

from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from pages.discovery import linked_data
from pages.listing import list_page
from partners.filters import CountryFilter, PartnerFilter
from partners.maps import map_of_roles
from partners.models import Country, Partner, last_change, with_last_change
from projects import charts, duplicates, lifecycle, quality, search
from projects.choices import OrganisationRole, Status, TransactionKind, Vocabulary
from projects.filters import NeedFilter, OfferFilter, ProjectFilter, facets_of
from projects.models import Need, Offer, Project, Term


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    figures = Project.objects.figures()
    columns = charts.loom(figures.by_year(), most=14)
    return render(
        request,
        "projects/home.html",
        {
            "linked_data": linked_data.site(),
            "columns": columns,
            "totals": {
                name: sum(getattr(c, name) for c in columns) for name in ("delivered", "agreed", "open", "total")
            },
            "newest": Project.objects.newest(4),
            "themes": figures.themes()[:8],
            "figures": {
                "projects": figures.total,
                "countries": len(figures.by_country),
                "partners": len(figures.by_partner),
            },
        },
    )


@require_safe
def project_list(request: HttpRequest) -> HttpResponse:
    filterset = ProjectFilter(request.GET, queryset=Project.objects.all(), request=request)
    more = {
        "list_name": _("Projects"),
        "told": "projects",
        "list_url": reverse("project-list"),
        "api_url": reverse("api-project-list"),
        "is_iati": True,
        "not_counted": Project.objects.notes_on_transactions(*_narrowed_by(request)),
    }
    return list_page(request, filterset, "projects/project_list.html", more)


NARROWED_BY = {"places": ("country", "region", "group"), "sectors": ("term",)}


def _narrowed_by(request: HttpRequest) -> list[str]:
    """By what of that which may stand in transactions only a list is narrowed."""
    return [kind for kind, names in NARROWED_BY.items() if any(request.GET.get(name) for name in names)]


@require_safe
def project_detail(request: HttpRequest, reference: str) -> HttpResponse:
    readable = with_last_change(Project.objects.visible_to(request.user))
    project = readable.for_page().filter(reference=reference.upper()).first()
    if project is None or project.merged_into_id:
        if other := duplicates.successor(reference.upper(), request.user):
            return redirect(other, permanent=True)
        raise Http404
    if reference != project.reference:
        return redirect(project, permanent=True)
    links = list(project.country_links.all())
    reports = [link for link in project.partner_links.all() if link.is_reporting]
    related = project.related_links.select_related("other")
    parts = Project.objects.visible_to(request.user).filter(parent=project).for_listing()
    return render(
        request,
        "projects/project_detail.html",
        {
            "project": project,
            "last_change": last_change(project),
            "linked_data": linked_data.project(project),
            "countries": links,
            "map": map_of_roles((link.country, link.role) for link in links),
            "partners": _by_role(project),
            "reports": reports,
            "contributions": [(line, charts.contribution_strip(line)) for line in project.contributions.all()],
            "results": [(result, charts.result_strip(result)) for result in project.results.all()],
            "money": money_of(project),
            "terms": _by_vocabulary(project),
            "findings": quality.assess(project),
            "lacks_for_iati": quality.lacks_for_iati(project),
            "parent": project.parent
            if project.parent and request.user.has_perm("projects.view_project", project.parent)
            else None,
            "parts": parts[:20],
            "related": [
                r for r in related if r.other is None or request.user.has_perm("projects.view_project", r.other)
            ],
            "events": [
                e
                for e in project.events.select_related("by")
                if e.is_public and e.action in lifecycle.moves_of(project)
            ],
            "checks": project.checks.all(),
            "may_share": project.status in (Status.FINALISATION, Status.CLOSED)
            and request.user.has_perm("projects.check_project", project),
            "may_check": request.user.has_perm("projects.check_project", project),
            "needs": [need for need in project.needs.all() if request.user.has_perm("projects.view_need", need)],
            "moves": lifecycle.moves_open_to(request.user, project) if request.user.is_staff else [],
            "seen": lifecycle.mark_of(project),
            "languages_written": [project.language, *(t.language for t in project.translations.all())],
        },
    )


def _by_role(project: Project) -> list[tuple[str, list]]:
    links = list(project.partner_links.all())
    roles = [
        (OrganisationRole(code).label, [link for link in links if link.role == code])
        for code in OrganisationRole.values
    ]
    return [(label, found) for label, found in roles if found]


def _by_vocabulary(project: Project) -> list[tuple[str, list]]:
    links = list(project.term_links.all())
    order = (
        Vocabulary.BSP_THEME,
        Vocabulary.ASSISTANCE,
        Vocabulary.BSP_MODALITY,
        Vocabulary.BSP_ISSUE,
        Vocabulary.SDG,
        Vocabulary.CRS,
    )
    found = [(v.label, [li for li in links if li.term_id and li.term.vocabulary == v]) for v in order]
    found.append((_("As reported"), [li for li in links if not li.term_id]))
    return [(label, items) for label, items in found if items]


def money_of(project: Project) -> list[dict]:
    """Budgets and transactions by year and currency. Currencies are never added up, nor money with quantities."""
    rows: dict[tuple[int, str], dict] = {}

    def row(year: int, currency: str) -> dict:
        return rows.setdefault(
            (year, currency), {"year": year, "currency": currency, "budget": None, "committed": None, "spent": None}
        )

    def add(target: dict, name: str, amount) -> None:
        target[name] = (target[name] or 0) + amount

    revised = {(b.starts_on, b.ends_on, b.currency) for b in project.budgets.all() if b.kind == "2"}
    for budget in project.budgets.all():
        if budget.kind == "2" or (budget.starts_on, budget.ends_on, budget.currency) not in revised:
            add(row(budget.starts_on.year, budget.currency), "budget", budget.amount)
    for moved in project.transactions.all():
        if moved.kind == TransactionKind.OUTGOING_COMMITMENT:
            add(row(moved.made_on.year, moved.currency), "committed", moved.amount)
        elif moved.kind in (TransactionKind.DISBURSEMENT, TransactionKind.EXPENDITURE):
            add(row(moved.made_on.year, moved.currency), "spent", moved.amount)
    return [
        {**rows[key], "amounts": [rows[key][name] for name in ("budget", "committed", "spent")]} for key in sorted(rows)
    ]


@require_safe
def theme_list(request: HttpRequest) -> HttpResponse:
    counts = Project.objects.figures().by_term
    themes = list(Term.objects.themes())
    for theme in themes:
        theme.n = counts.get(theme.pk, 0)
    return render(request, "projects/theme_list.html", {"themes": themes})


@require_safe
def theme_detail(request: HttpRequest, code: str) -> HttpResponse:
    theme = get_object_or_404(Term.objects.themes(), code=code)
    figures = Project.objects.figures(term=theme)
    return render(
        request,
        "projects/theme_detail.html",
        {
            "theme": theme,
            "count": figures.total,
            "projects": Project.objects.newest(10, term=theme),
            "countries": figures.countries(most=12),
        },
    )


@require_safe
def search_everything(request: HttpRequest) -> HttpResponse:
    """One search over projects, countries, partners and themes, with the first of each kind and the counts of all."""
    words = " ".join(request.GET.getlist("q")).strip()[: search.LONGEST]
    found: dict = {"words": words, "recognised": [], "did_you_mean": None, "projects": [], "count": 0}
    if words:
        filterset = ProjectFilter({"q": words}, queryset=Project.objects.all(), request=request)
        filterset.is_valid()
        total, facets = facets_of(filterset)
        keys = list(filterset.ordered(filterset.entries()).values_list("pk", flat=True)[:10])
        loaded = {p.pk: p for p in Project.objects.filter(pk__in=keys).for_listing()}
        need_filter = NeedFilter({"q": words}, queryset=Need.objects.all(), request=request)
        need_filter.is_valid()
        need_keys = list(need_filter.ordered(need_filter.entries()).values_list("pk", flat=True)[:5])
        found_needs = Need.objects.for_listing().in_bulk(need_keys)
        needs = [found_needs[key] for key in need_keys if key in found_needs]
        offer_filter = OfferFilter({"q": words}, queryset=Offer.objects.all(), request=request)
        offer_filter.is_valid()
        offer_keys = list(offer_filter.ordered(offer_filter.entries()).values_list("pk", flat=True)[:5])
        found_offers = Offer.objects.for_listing().in_bulk(offer_keys)
        recognised = search.recognise(words)
        named = {kind: [r.value for r in recognised if r.parameter == kind] for kind in ("country", "partner", "term")}
        countries = CountryFilter({"q": words}, queryset=Country.objects.all()).qs
        countries = Country.objects.for_listing().filter(
            Q(pk__in=countries.values("pk")) | Q(iso3__in=named["country"])
        )
        partners = PartnerFilter({"q": words}, queryset=Partner.objects.all()).qs
        partners = Partner.objects.for_listing().filter(Q(pk__in=partners.values("pk")) | Q(slug__in=named["partner"]))
        plain = search.plain(words)
        themes = [
            t
            for t in Term.objects.themes()
            if plain in search.plain(f"{t.name} {t.name_en}") or f"{t.vocabulary}:{t.code}" in named["term"]
        ]
        found |= {
            "count": total,
            "facets": [f for f in facets if f.parameter in ("term", "country", "region", "modality")][:4],
            "projects": [loaded[key] for key in keys if key in loaded],
            "compiled": filterset.compiled,
            "needs": needs,
            "needs_count": need_filter.count(),
            "offers": [found_offers[key] for key in offer_keys if key in found_offers],
            "offers_count": offer_filter.count(),
            "countries": countries[:8],
            "countries_count": countries.count(),
            "partners": partners[:8],
            "partners_count": partners.count(),
            "themes": themes,
            "recognised": recognised,
            "did_you_mean": search.did_you_mean(words) if total < 3 else None,
        }
    return render(request, "search.html", found)
