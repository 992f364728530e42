"""The brief of a country: what it asks, what it offers, what came of it, with whom, in quantities."""

from django.db.models import Count
from django.urls import reverse
from django.utils.translation import gettext as _

from ground.templatetags.portal import number
from partners.models import Country, Partner
from projects.choices import CountryRole, NeedState, Status
from projects.coverage import coverage_of
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
    titled,
    unreported,
)
from projects.models import Need, Project, ProjectCountry
from projects.models.need import ENDED
from projects.models.project import RECEIVING


def brief_of(country: Country) -> Brief:
    needs = country.needs.public()
    offers = country.offer_records.public()
    projects = Project.objects.published().filter(country_links__country=country).distinct()
    roles = Project.objects.figures(country=country).roles_of(country)
    listed = f"{reverse('project-list')}?country={country.iso3}"
    asked = f"{reverse('need-list')}?country={country.iso3}"
    figures = [
        Figure(number(needs.count()), _("needs stated"), asked),
        Figure(number(needs.exclude(state__in=(*ENDED, NeedState.EXPIRED)).count()), _("of them under way"), asked),
        Figure(number(needs.filter(state__in=(NeedState.CLOSED, NeedState.PARTIALLY_MET)).count()), _("of them met, whole or in part"), asked),
        Figure(number(country.offer_records.active().count()), _("offers that can be had"), f"{reverse('offer-list')}?country={country.iso3}"),
        Figure(number(roles["provides"]), _("projects as provider"), f"{listed}&role=provider"),
        Figure(number(roles["receives"]), _("projects as recipient"), f"{listed}&role=recipient"),
    ]  # fmt: skip
    return Brief(
        _("%(country)s: South-South cooperation on the environment") % {"country": country.name},
        _("What %(country)s asks, what it offers, what was delivered, and with whom.") % {"country": country.name},
        figures,
        [_asked(country, needs), _offered(country, offers), *_quantities(country), _with_whom(country), _carried_out(country, projects)],
        reverse("country-brief", args=[country.iso3]),
        sources(_("Names of countries: UN Statistics Division, M49.")),
        any_illustrative(needs, offers, projects),
    )  # fmt: skip


def _asked(country: Country, needs) -> Section:
    total = needs.count()
    by_state = dict(needs.order_by().values_list("state").annotate(n=Count("pk")))
    most = max(by_state.values(), default=1)
    states = [
        Row([Cell(str(state.label)), count(by_state[state])], bars(most, ("delivered" if state in ENDED else "open", by_state[state])))
        for state in NeedState
        if state in by_state
    ]  # fmt: skip
    newest = needs.for_listing().order_by("-published_at", "-pk")[:LISTED]

    def row(need: Need) -> list[Cell]:
        lines = coverage_of(need)
        covered = _("%(covered)s of %(n)s") % {"covered": sum(1 for line in lines if line.is_answered), "n": len(lines)}
        return [Cell(need.reference, need.get_absolute_url()), titled(need), Cell(str(need.get_state_display())), on(need.published_at), Cell(covered)]  # fmt: skip

    tables = [
        Table(_("Needs by state"), [_("State"), _("Needs")], states, [("open", _("under way")), ("delivered", _("ended"))]),
        Table(
            _("Needs, the newest first"),
            [_("Reference"), _("Need"), _("State"), _("Open since"), _("Lines answered")],
            rows_of(newest, row), more=more_of(LISTED, total),
        ),
    ]  # fmt: skip
    nothing = _("%(country)s has stated no need here. That is not the same as having none.") % {"country": country.name}
    return Section("asked", _("What it asks"), "", tables if total else [], nothing)


def _offered(country: Country, offers) -> Section:
    total = offers.count()
    rows = rows_of(
        offers.for_listing().order_by("-published_at", "-pk")[:LISTED],
        lambda offer: [
            Cell(offer.reference, offer.get_absolute_url()), titled(offer), Cell(str(offer.get_kind_display())), Cell(str(offer.get_state_display())),
        ],
    )  # fmt: skip
    table = Table(
        _("Offers, the newest first"),
        [_("Reference"), _("Offer"), _("Kind"), _("State")],
        rows,
        more=more_of(LISTED, total),
    )
    nothing = _("%(country)s has made no offer here. That is not the same as having nothing to share.") % {"country": country.name}  # fmt: skip
    return Section("offered", _("What it offers"), "", [table] if rows else [], nothing)


def _quantities(country: Country) -> list[Section]:
    own = public_contributions().filter(country=country)
    received_in = ProjectCountry.objects.filter(country=country, role__in=RECEIVING).values("project")
    others = public_contributions().filter(project__in=received_in).exclude(country=country)
    nothing = _("No quantity and no money is reported.")
    return [
        Section(
            "brought", _("What it brought to others, and to its own projects"), unreported(own),
            in_quantities(own, _("Brought by %(country)s") % {"country": country.name}), nothing,
        ),
        Section(
            "received", _("What others brought to projects in which it receives"),
            " ".join(filter(None, (
                _("Where several countries receive together, the whole is counted: nobody reported shares."), unreported(others),
            ))),
            in_quantities(others, _("Brought by others")), nothing,
        ),
    ]  # fmt: skip


def _with_whom(country: Country) -> Section:
    flows = Project.objects.flows_of(country)
    most = max((max(flow.shares, flow.draws) for flow in flows), default=1)
    rows = [
        Row(
            [named(flow.country), count(flow.shares), count(flow.draws)],
            bars(most, ("open", flow.shares), ("offered", flow.draws)),
        )
        for flow in flows[:LISTED]
    ]
    gives = _("Shares with %(country)s") % {"country": country.name}
    gets = _("%(country)s shares with it") % {"country": country.name}
    countries = Table(
        _("Countries, by projects together"), [_("Country"), gives, gets], rows, [("open", gives), ("offered", gets)],
        more_of(LISTED, len(flows)),
    )  # fmt: skip
    partners = Partner.objects.counted(Project.objects.figures(country=country).by_partner)[: LISTED // 2]
    bodies = Table(
        _("Partners, by projects in which the country takes part"), [_("Partner"), _("Projects")],
        [Row([named(partner), count(partner.n)]) for partner in partners],
    )  # fmt: skip
    tables = [table for table in (countries, bodies) if table.rows]
    return Section(
        "with-whom",
        _("With whom"),
        not_counted("places", "parties"),
        tables,
        _("No published project names another country or a partner."),
    )


def _carried_out(country: Country, projects) -> Section:
    by_status = dict(projects.order_by().values_list("status").annotate(n=Count("pk", distinct=True)))
    most, total = max(by_status.values(), default=1), sum(by_status.values())
    patterns = {Status.IMPLEMENTATION: "agreed", Status.FINALISATION: "delivered", Status.CLOSED: "delivered"}
    statuses = [
        Row([Cell(str(status.label)), count(by_status[status])], bars(most, (patterns.get(status, "open"), by_status[status])))
        for status in Status
        if status in by_status
    ]  # fmt: skip
    newest = Project.objects.newest(LISTED, country=country)
    roles = dict(ProjectCountry.objects.filter(country=country, project__in=newest).values_list("project", "role"))
    rows = rows_of(
        newest,
        lambda project: [
            Cell(project.reference, project.get_absolute_url()), titled(project), Cell(str(CountryRole(roles[project.pk]).label)),
            Cell(str(project.get_status_display())), on(project.actual_start or project.planned_start),
        ],
    )  # fmt: skip
    key = [
        ("open", _("planned, suspended, cancelled or not stated")),
        ("agreed", _("in delivery")),
        ("delivered", _("finished")),
    ]
    tables = [
        Table(_("Projects by status"), [_("Status"), _("Projects")], statuses, key),
        Table(
            _("Projects, the newest records first"), [_("Reference"), _("Project"), _("Role"), _("Status"), _("Begun")], rows,
            more=more_of(LISTED, total),
        ),
    ]  # fmt: skip
    nothing = _("No published project names it yet. That is not the same as no cooperation.")
    return Section("carried-out", _("What is carried out"), not_counted("places"), tables if total else [], nothing)
