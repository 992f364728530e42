"""Which table belongs to which public record: what has to be looked at when a row of it is written.

One place for all tables, since one row may show in several records: whether a project is public shows in the need that it
carries out, a country's name in what has happened to its needs. Listing a record too many costs a comparison at the end of the
transaction; what is told are real differences alone (migration projects 0003).
"""

from dataclasses import dataclass

import pgtrigger

from partners.models import Country, CountryGroup, GroupMember, Membership, Partner, PartnerCountry, Region
from projects.models.event import Event
from projects.models.importing import STATED, ImportRun
from projects.models.money import Budget, Contribution, Transaction
from projects.models.need import LineItem, Need, NeedTerm
from projects.models.offer import Eligible, Offer, OfferLine, OfferTerm
from projects.models.parts import ProjectCountry, ProjectPartner, ProjectRegion, ProjectTerm
from projects.models.plan import Confirmation
from projects.models.project import Project, ProjectTranslation
from projects.models.record_check import RecordCheck
from projects.models.response import Answer, Response
from projects.models.result import Result
from projects.models.story import Document, Location, RelatedProject, Update
from projects.models.term import Term


@dataclass(frozen=True)
class Shows:
    """Records that show something of a row: `key`, by way of `joins` to the row `r`. With `columns` only rows count in which one
    of these was changed: rows that come or go then show nowhere yet, or nowhere any more."""

    kind: str
    key: str
    joins: str = ""
    columns: tuple[str, ...] = ()
    what: str = "'changed'"

    def of(self, operation) -> str:
        """SQL that gives (kind, record, what); empty where this operation changes nothing that shows."""
        if self.columns and operation is not pgtrigger.Update:
            return ""
        listed = ", ".join(("id", *self.columns)) if self.columns else "*"
        old, new = (f"SELECT {listed} FROM {rows}" for rows in ("old_rows", "new_rows"))  # noqa: S608
        rows = {
            pgtrigger.Insert: new,
            pgtrigger.Delete: old,
            pgtrigger.Update: f"({old} EXCEPT {new}) UNION ALL ({new} EXCEPT {old})",
        }[operation]
        return f"SELECT '{self.kind}', {self.key}, {self.what} FROM ({rows}) AS r {self.joins}"  # noqa: S608


def own(kind: str) -> Shows:
    """The row is the record."""
    return Shows(kind, "r.id")


def part_of(kind: str) -> Shows:
    """The row belongs to a record of this kind."""
    return Shows(kind, f"r.{kind}_id")


def via(kind: str, table: str, key: str, column: str, *columns: str) -> Shows:
    """Records that name the row in a row of `table`: there `key` is the record, `column` names the row."""
    return Shows(kind, f"l.{key}", f"JOIN {table} l ON l.{column} = r.id", columns)


OF_A_RESPONSE = "JOIN projects_response a ON a.id = {}.response_id"


def acts_of(person: str, joins: str = "", columns: tuple[str, ...] = ()) -> list[Shows]:
    """Needs and offers in whose history a person stands, under the name of a country or partner that they belong to."""
    joins += f" JOIN projects_event e ON e.by_id = {person}"
    return [
        Shows("need", "e.need_id", joins, columns),
        Shows("need", "a.need_id", f"{joins} {OF_A_RESPONSE.format('e')}", columns),
        Shows("offer", "e.offer_id", joins, columns),
    ]


NAMES = tuple(f"name_{code}" for code in ("ar", "zh_hans", "en", "fr", "ru", "es"))
COUNTRY, PARTNER, TERM, PROJECT = ("iso3", *NAMES), ("slug", "acronym", *NAMES), ("vocabulary", "code"), ("state", "reference")  # fmt: skip


SHOWN_IN: dict[type, list[Shows]] = {
    Project: [
        own("project"),
        via("project", "projects_project", "id", "parent_id", *PROJECT),
        via("project", "projects_relatedproject", "project_id", "other_id", *PROJECT),
        via("need", "projects_need", "id", "project_id", *PROJECT),
        via("offer", "projects_offer", "id", "project_id", *PROJECT),
    ],
    **{
        part: [part_of("project")]
        for part in (
            ProjectTranslation,
            ProjectCountry,
            ProjectRegion,
            ProjectPartner,
            ProjectTerm,
            Contribution,
            Budget,
            Transaction,
            Result,
            Location,
            Document,
            Update,
            RelatedProject,
            RecordCheck,
        )
    },  # fmt: skip
    Need: [own("need"), part_of("project")],
    **{part: [part_of("need")] for part in (NeedTerm, LineItem, Confirmation, Response)},
    Answer: [Shows("need", "a.need_id", OF_A_RESPONSE.format("r"))],
    Offer: [own("offer")],
    **{part: [part_of("offer")] for part in (Eligible, OfferTerm, OfferLine)},
    Event: [
        *(Shows(kind, f"r.{kind}_id", "WHERE r.is_public", what="r.action") for kind in ("project", "need", "offer")),
        Shows("need", "a.need_id", OF_A_RESPONSE.format("r") + " WHERE r.is_public"),
    ],
    Country: [
        own("country"),
        via("project", "projects_projectcountry", "project_id", "country_id", *COUNTRY),
        via("project", "projects_contribution", "project_id", "country_id", *COUNTRY),
        via("project", "projects_recordcheck", "project_id", "country_id", *COUNTRY),
        via("need", "projects_need", "id", "country_id", *COUNTRY),
        via("need", "projects_response", "need_id", "country_id", *COUNTRY),
        via("need", "projects_confirmation", "need_id", "country_id", *COUNTRY),
        via("offer", "projects_offer", "id", "country_id", *COUNTRY),
        via("offer", "projects_eligible", "offer_id", "country_id", *COUNTRY),
        via("partner", "partners_partner", "id", "country_id", *COUNTRY),
        via("partner", "partners_partnercountry", "partner_id", "country_id", *COUNTRY),
        via("group", "partners_groupmember", "group_id", "country_id", *COUNTRY),
        *acts_of("m.user_id", "JOIN partners_membership m ON m.country_id = r.id", COUNTRY),
    ],
    Partner: [
        own("partner"),
        via("partner", "partners_partner", "id", "parent_id", *PARTNER),
        via("project", "projects_projectpartner", "project_id", "partner_id", *PARTNER),
        via("project", "projects_contribution", "project_id", "partner_id", *PARTNER),
        via("project", "projects_recordcheck", "project_id", "partner_id", *PARTNER, "country_id"),
        via("need", "projects_response", "need_id", "partner_id", *PARTNER),
        via("need", "projects_confirmation", "need_id", "partner_id", *PARTNER),
        via("offer", "projects_offer", "id", "partner_id", *PARTNER),
        *acts_of("m.user_id", "JOIN partners_membership m ON m.partner_id = r.id", PARTNER),
    ],
    PartnerCountry: [part_of("partner")],
    Term: [
        own("term"),
        via("term", "projects_term", "id", "parent_id", *TERM),
        via("term", "projects_term", "id", "default_crs_id", *TERM),
        via("project", "projects_projectterm", "project_id", "term_id", *TERM),
        via("need", "projects_needterm", "need_id", "term_id", *TERM),
        via("need", "projects_lineitem", "need_id", "assistance_id", *TERM),
        via("offer", "projects_offerterm", "offer_id", "term_id", *TERM),
        via("offer", "projects_offerline", "offer_id", "assistance_id", *TERM),
    ],
    Region: [
        own("region"),
        via("region", "partners_region", "id", "parent_id", "code"),
        via("country", "partners_country", "id", "region_id", "code"),
        via("project", "projects_projectregion", "project_id", "region_id", "code"),
        via("offer", "projects_eligible", "offer_id", "region_id", "code"),
    ],
    CountryGroup: [
        own("group"),
        via("country", "partners_groupmember", "country_id", "group_id", "code"),
        via("offer", "projects_eligible", "offer_id", "group_id", "code"),
    ],
    GroupMember: [part_of("group"), part_of("country")],
    Membership: acts_of("r.user_id"),
    ImportRun: [
        via(kind, table, "id", "import_run_id", *STATED)
        for kind, table in (
            ("project", "projects_project"),
            ("need", "projects_need"),
            ("offer", "projects_offer"),
            ("country", "partners_country"),
            ("partner", "partners_partner"),
        )
    ],
}

TABLES = {
    pgtrigger.Insert: {"new": "new_rows"},
    pgtrigger.Update: {"old": "old_rows", "new": "new_rows"},
    pgtrigger.Delete: {"old": "old_rows"},
}


def _touches(shows: list[Shows], operation) -> pgtrigger.Trigger:
    found = " UNION ".join(filter(None, (one.of(operation) for one in shows)))
    return pgtrigger.Trigger(
        name=f"touch_on_{str(operation).lower()}",
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=operation,
        referencing=pgtrigger.Referencing(**TABLES[operation]),
        func=f"""
            INSERT INTO partners_touched (kind, record, what, is_quiet, is_last)
            SELECT DISTINCT kind, record, what, coalesce(current_setting('portal.quiet', true), '') = 'on', false
            FROM ({found}) AS shown(kind, record, what) WHERE record IS NOT NULL;
            RETURN NULL;
        """,  # noqa: S608
    )


for model, shows in SHOWN_IN.items():
    shown = [operation for operation in TABLES if any(one.of(operation) for one in shows)]
    pgtrigger.register(*(_touches(shows, operation) for operation in shown))(model)
