"""The report of a year: what was asked, offered, agreed and delivered in it, with whom, in quantities."""

from statistics import median

from django.db.models import Count, F, Min, Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ground.templatetags.portal import day, number
from partners.models import Country, Partner, Region
from projects import charts
from projects.choices import NeedState, ResponseState, Vocabulary
from projects.interchange.briefs.parts import (
    LISTED,
    Brief,
    Cell,
    Figure,
    Row,
    Section,
    Table,
    any_illustrative,
    bars,
    count,
    in_quantities,
    more_of,
    named,
    not_counted,
    on,
    public_contributions,
    rows_of,
    sources,
    stacked,
    titled,
    unreported,
)
from projects.interchange.statistics import YEAR
from projects.models import Event, Need, Offer, Project, Response, Term
from projects.models.project import PROVIDING, RECEIVING

YEARS_SHOWN = 12


def years() -> list[int]:
    """The years of which there is something to report, the newest first; always the present one."""
    now = timezone.localdate().year
    opened = Need.objects.public().aggregate(first=Min("published_at__year"))["first"]
    projects = [year for year in Project.objects.figures().by_year() if year <= now]
    first = min([now, *filter(None, [opened]), *projects])
    return list(range(now, max(first, now - 30) - 1, -1))


def report_of(year: int) -> Brief:
    today = timezone.localdate()
    needs = Need.objects.public().filter(published_at__year=year)
    offers = Offer.objects.public().filter(published_at__year=year)
    responses = _responses().filter(created_at__year=year)
    begun, ended = _projects(year)
    so_far = _("So far: until %(day)s.") % {"day": day(today)} if year == today.year else ""
    return Brief(
        _("South-South cooperation on the environment in %(year)s") % {"year": year},
        " ".join(filter(None, (_("What was asked, offered, agreed and delivered, and with whom."), so_far))),
        _figures(year, needs, offers, responses, begun, ended),
        [
            _asked(needs, offers),
            _offered(offers, responses),
            _agreed(year),
            *_delivered(year),
            _with_whom(begun),
            _projects_section(begun, ended),
        ],
        reverse("year-report", args=[year]),
        sources(
            _("A need counts in the year in which it was opened to all, an offer in that in which it became active, a project in that in which it began or ended, a contribution in that in which its activity, else its project, begins."),
        ),
        any_illustrative(needs, offers, begun),
    )  # fmt: skip


def _responses() -> QuerySet:
    """Responses that were made to public needs; what was only suggested is none."""
    return Response.objects.exclude(state=ResponseState.SUGGESTED).filter(need__published_at__isnull=False)


def _projects(year: int) -> tuple[QuerySet, QuerySet]:
    """Published projects that began in a year (else were planned to), and those that ended in it."""
    published = Project.objects.published()
    begun = published.filter(Q(actual_start__year=year) | Q(actual_start=None, planned_start__year=year))
    return begun, published.filter(actual_end__year=year)


def _reached(year: int, *states: str) -> QuerySet:
    """Public needs that came to one of these states in a year."""
    moved = Event.objects.filter(need__isnull=False, to_state__in=states, at__year=year).exclude(
        from_state=F("to_state")
    )
    return Need.objects.public().filter(pk__in=moved.values("need"))


def _figures(year, needs, offers, responses, begun, ended) -> list[Figure]:
    answered = (
        _responses()
        .filter(need__in=needs)
        .order_by()
        .values("need", "need__published_at")
        .annotate(at=Min("created_at"))
    )
    waited = [max((row["at"] - row["need__published_at"]).days, 0) for row in answered]
    found = [
        Figure(number(needs.count()), _("needs opened")),
        Figure(number(len(waited)), _("of them with a response")),
        Figure(number(offers.count()), _("offers that became active")),
        Figure(number(responses.count()), _("responses")),
        Figure(number(_reached(year, NeedState.PLAN_AGREED, NeedState.IN_DELIVERY).count()), _("needs with a plan agreed or begun")),
        Figure(number(_reached(year, NeedState.CLOSED, NeedState.PARTIALLY_MET).count()), _("needs met, whole or in part")),
        Figure(number(begun.count()), _("projects begun")),
        Figure(number(ended.count()), _("projects ended")),
    ]  # fmt: skip
    if waited:
        days = round(median(waited))
        found.insert(2, Figure(number(days), ngettext("day to the first response, at the median", "days to the first response, at the median", days)))  # fmt: skip
    return found


def _by_theme(records: QuerySet) -> dict[int, int]:
    links = records.filter(term_links__term__vocabulary=Vocabulary.BSP_THEME).order_by()
    return dict(links.values_list("term_links__term").annotate(n=Count("pk", distinct=True)))


def _by_region(records: QuerySet, country: str = "country") -> dict[int, int]:
    """By region of the world: the regions of M49 below it."""
    rows = records.order_by().values_list(f"{country}__region").annotate(n=Count("pk", distinct=True))
    parents = dict(Region.objects.values_list("pk", "parent"))
    tops = set(Region.objects.filter(parent__code="001").values_list("pk", flat=True))
    found: dict[int, int] = {}
    for region, n in rows:
        while region is not None and region not in tops:
            region = parents.get(region)
        if region is not None:
            found[region] = found.get(region, 0) + n
    return found


def _compared(name: str, places, asked: dict, offered: dict, address) -> Table:
    """Needs and offers side by side."""
    rows = [(place, asked.get(place.pk, 0), offered.get(place.pk, 0)) for place in places]
    rows = sorted((row for row in rows if row[1] or row[2]), key=lambda row: (-row[1], -row[2]))
    most = max((max(needs, offers) for _place, needs, offers in rows), default=1)
    return Table(
        name, [_("Area"), _("Needs opened"), _("Offers that became active")],
        [Row([named(place, address(place)), count(needs), count(offers)], bars(most, ("open", needs), ("offered", offers))) for place, needs, offers in rows],
        [("open", _("needs")), ("offered", _("offers"))],
    )  # fmt: skip


def _asked(needs, offers) -> Section:
    themes = _compared(
        _("By thematic area of the Bali Strategic Plan"), Term.objects.themes(), _by_theme(needs), _by_theme(offers),
        lambda theme: reverse("theme", args=[theme.code]),
    )  # fmt: skip
    by_region = _by_region(offers.filter(country__isnull=False))
    for region, n in _by_region(offers.filter(partner__country__isnull=False), "partner__country").items():
        by_region[region] = by_region.get(region, 0) + n
    regions = _compared(
        _("By region of the country that asks, and of the one that offers"), Region.objects.filter(parent__code="001").by_name(),
        _by_region(needs), by_region, lambda region: f"{reverse('country-list')}?region={region.code}",
    )  # fmt: skip
    total = needs.count()
    silent = needs.filter(state=NeedState.OPEN, responses__isnull=True)
    lede = (
        ngettext(
            "%(n)s of the needs opened in this year still has no response.",
            "%(n)s of the needs opened in this year still have no response.",
            silent.count(),
        )
        % {"n": number(silent.count())}
        if total
        else ""
    )
    rows = rows_of(
        needs.for_listing().order_by("-published_at", "-pk")[:LISTED],
        lambda need: [Cell(need.reference, need.get_absolute_url()), named(need.country), titled(need), Cell(str(need.get_state_display()))],
    )  # fmt: skip
    listed = Table(
        _("Needs opened, the newest first"),
        [_("Reference"), _("Country"), _("Need"), _("State")],
        rows,
        more=more_of(LISTED, total),
    )
    tables = [table for table in (themes, regions, listed) if table.rows]
    return Section("asked", _("What was asked"), lede, tables, _("No need was opened in this year."))


def _offered(offers, responses) -> Section:
    kinds = offers.order_by().values("kind").annotate(n=Count("pk")).order_by("-n", "kind")
    most = max((row["n"] for row in kinds), default=1)
    by_kind = Table(
        _("Offers by kind"), [_("Kind"), _("Offers")],
        [Row([Cell(str(dict(Offer._meta.get_field("kind").choices)[row["kind"]])), count(row["n"])], bars(most, ("offered", row["n"]))) for row in kinds],
        [("offered", _("offers"))],
    )  # fmt: skip
    became = responses.order_by().values("state").annotate(n=Count("pk")).order_by("-n", "state")
    most = max((row["n"] for row in became), default=1)
    fate = Table(
        _("What became of the responses"), [_("State"), _("Responses")],
        [Row([Cell(str(ResponseState(row["state"]).label)), count(row["n"])], bars(most, ("agreed", row["n"]))) for row in became],
        [("agreed", _("responses"))],
    )  # fmt: skip
    tables = [table for table in (by_kind, fate) if table.rows]
    return Section("offered", _("What was offered"), "", tables, _("Nothing was offered in this year."))


def _agreed(year: int) -> Section:
    met = (NeedState.CLOSED, NeedState.PARTIALLY_MET)
    moved = _reached(year, NeedState.PLAN_AGREED, NeedState.IN_DELIVERY, NeedState.DELIVERED, *met)
    total = moved.count()
    rows = rows_of(
        moved.for_listing().order_by("-modified_at", "-pk")[:LISTED],
        lambda need: [
            Cell(need.reference, need.get_absolute_url()), named(need.country), titled(need), Cell(str(need.get_state_display())),
            Cell(_("%(n)s of 5") % {"n": need.rating} if need.rating else "–"),
        ],
    )  # fmt: skip
    table = Table(
        _("Needs that were agreed, delivered or closed"), [_("Reference"), _("Country"), _("Need"), _("State now"), _("Rating")], rows,
        more=more_of(LISTED, total),
    )  # fmt: skip
    return Section(
        "agreed", _("What was agreed and met"), "", [table] if rows else [], _("No need got that far in this year.")
    )


def _delivered(year: int) -> list[Section]:
    brought = public_contributions().annotate(in_year=YEAR).filter(in_year=year)
    tables = in_quantities(brought, _("Contributions of the year"))
    nothing = _("No quantity and no money is reported for this year.")
    return [Section("delivered", _("What was brought, in quantities"), unreported(brought), tables, nothing)]


def _with_whom(begun) -> Section:
    links = Project.countries.through.objects.filter(project__in=begun.order_by().values("pk"), country__isnull=False)
    roles = links.order_by().values("country").annotate(
        gives=Count("pk", filter=Q(role__in=PROVIDING)), gets=Count("pk", filter=Q(role__in=RECEIVING)),
    )  # fmt: skip
    counted = {row["country"]: (row["gives"], row["gets"]) for row in roles}
    countries = sorted(
        Country.objects.filter(pk__in=counted), key=lambda one: (-sum(counted[one.pk]), one.iso3)
    )  # fmt: skip
    most = max((max(pair) for pair in counted.values()), default=1)
    table = Table(
        _("Countries, by projects begun"), [_("Country"), _("As provider"), _("As recipient")],
        [
            Row(
                [named(one), count(counted[one.pk][0]), count(counted[one.pk][1])],
                bars(most, ("offered", counted[one.pk][0]), ("open", counted[one.pk][1])),
            )
            for one in countries[: LISTED // 2]
        ],
        [("offered", _("as provider")), ("open", _("as recipient"))], more_of(LISTED // 2, len(countries)),
    )  # fmt: skip
    ties = Project.partners.through.objects.filter(project__in=begun.order_by().values("pk"), partner__isnull=False)
    by_partner = dict(ties.order_by().values_list("partner").annotate(n=Count("project", distinct=True)))
    partners = Partner.objects.counted(by_partner)
    bodies = Table(
        _("Partners, by projects begun"), [_("Partner"), _("Projects")],
        [Row([named(one), count(one.n)]) for one in partners[: LISTED // 2]], more=more_of(LISTED // 2, len(partners)),
    )  # fmt: skip
    tables = [one for one in (table, bodies) if one.rows]
    return Section(
        "with-whom",
        _("With whom"),
        not_counted("places", "parties"),
        tables,
        _("No country and no partner is named by a project begun in this year."),
    )


def _projects_section(begun, ended) -> Section:
    columns = charts.loom(Project.objects.figures().by_year(), YEARS_SHOWN)
    most = max((column.total for column in columns), default=1)
    trend = Table(
        _("Projects by year of their beginning, all years"), [_("Year"), _("Projects"), _("Finished"), _("In delivery")],
        [
            Row(
                [Cell(str(one.year)), count(one.total), count(one.delivered), count(one.agreed)],
                stacked(most, ("delivered", one.delivered), ("agreed", one.agreed), ("open", one.open)),
            )
            for one in columns
        ],
        [("delivered", _("finished")), ("agreed", _("in delivery")), ("open", _("planned, suspended, cancelled or not stated"))],
    )  # fmt: skip

    def listed(records, caption: str, date: str, at) -> Table:
        rows = rows_of(
            records.with_text().order_by(F("modified_at").desc(), "-pk")[: LISTED // 2],
            lambda project: [Cell(project.reference, project.get_absolute_url()), titled(project), on(at(project))],
        )
        return Table(caption, [_("Reference"), _("Project"), date], rows, more=more_of(LISTED // 2, records.count()))

    tables = [
        listed(begun, _("Projects begun"), _("Begun"), lambda p: p.start),
        listed(ended, _("Projects ended"), _("Ended"), lambda p: p.actual_end),
        trend,
    ]
    return Section(
        "projects", _("Projects"), "", [one for one in tables if one.rows], _("No project is published yet.")
    )
