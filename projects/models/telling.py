"""Which table belongs to which public record: what has to be looked at when a row of it is written.

One place for all tables, since one row may show in several records: whether a project is public shows in the need that it
carries out, a country's name in what has happened to its needs. Listing a record too many costs a comparison at the end of the
transaction; what is told are real differences alone (SQL function `projects_tell_changes`).

Records that a row itself names are noted when it is written. Those that are linked to it by other rows are looked for when the
transaction commits: another one may have made a link meanwhile. Links that were there before and are no more need no look: the row
that made the link names its record, whoever took it away.
"""

from dataclasses import dataclass

import pgtrigger

from partners.models import Country, CountryGroup, GroupMember, Membership, Partner, PartnerCountry, Region
from projects.models.event import Event
from projects.models.importing import STATED, ImportRun
from projects.models.money import Budget, Contribution, Transaction
from projects.models.need import Need
from projects.models.need_parts import LineItem, NeedTerm
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
    """The record of this kind that a row `r` is, or names."""

    kind: str
    key: str
    what: str = "'changed'"
    where: str = "true"
    columns = ()

    def noted(self, rows: str) -> str:
        return f"SELECT '{self.kind}', r.{self.key}, {self.what}, '' FROM ({rows}) AS r WHERE {self.where}"  # noqa: S608


@dataclass(frozen=True)
class Linked:
    """Records that are linked, in the ways that `LINKS` has, to the row of `table` that a row `r` is, or names. With `columns` only
    rows count in which one of these was changed: rows that come or go then show nowhere yet, or nowhere any more."""

    table: str
    key: str = "id"
    columns: tuple[str, ...] = ()
    where: str = "true"

    def noted(self, rows: str) -> str:
        return f"SELECT '', r.{self.key}, 'changed', '{self.table}' FROM ({rows}) AS r WHERE {self.where}"  # noqa: S608


def own(kind: str) -> Shows:
    """The row is the record."""
    return Shows(kind, "id")


def part_of(kind: str) -> Shows:
    """The row belongs to a record of this kind."""
    return Shows(kind, f"{kind}_id")


# (kind, record, joins from the row `r` of the table whose key is `r.record`)
Link = tuple[str, str, str]


def via(kind: str, table: str, key: str, column: str) -> Link:
    """Records that name the row in a row of `table`: there `key` is the record, `column` names the row."""
    return kind, f"l.{key}", f"JOIN {table} l ON l.{column} = r.record"


def acts_of(person: str, joins: str = "") -> list[Link]:
    """Needs and offers in whose history a person stands, under the name of a country or partner that they belong to."""
    joins += f"JOIN projects_event e ON e.by_id = {person}"
    return [
        ("need", "e.need_id", joins),
        ("need", "a.need_id", f"{joins} JOIN projects_response a ON a.id = e.response_id"),
        ("offer", "e.offer_id", joins),
    ]


LINKS: dict[str, list[Link]] = {
    "projects_project": [
        via("project", "projects_project", "id", "parent_id"),
        via("project", "projects_relatedproject", "project_id", "other_id"),
        via("need", "projects_need", "id", "project_id"),
        via("offer", "projects_offer", "id", "project_id"),
    ],
    "projects_response": [("need", "a.need_id", "JOIN projects_response a ON a.id = r.record")],
    "projects_term": [
        via("term", "projects_term", "id", "parent_id"),
        via("term", "projects_term", "id", "default_crs_id"),
        via("project", "projects_projectterm", "project_id", "term_id"),
        via("need", "projects_needterm", "need_id", "term_id"),
        via("need", "projects_lineitem", "need_id", "assistance_id"),
        via("offer", "projects_offerterm", "offer_id", "term_id"),
        via("offer", "projects_offerline", "offer_id", "assistance_id"),
    ],
    "projects_importrun": [
        via("project", "projects_project", "id", "import_run_id"),
        via("need", "projects_need", "id", "import_run_id"),
        via("offer", "projects_offer", "id", "import_run_id"),
        via("country", "partners_country", "id", "import_run_id"),
        via("partner", "partners_partner", "id", "import_run_id"),
    ],
    "partners_country": [
        via("project", "projects_projectcountry", "project_id", "country_id"),
        via("project", "projects_contribution", "project_id", "country_id"),
        via("project", "projects_recordcheck", "project_id", "country_id"),
        via("need", "projects_need", "id", "country_id"),
        via("need", "projects_response", "need_id", "country_id"),
        via("need", "projects_confirmation", "need_id", "country_id"),
        via("offer", "projects_offer", "id", "country_id"),
        via("offer", "projects_eligible", "offer_id", "country_id"),
        via("partner", "partners_partner", "id", "country_id"),
        via("partner", "partners_partnercountry", "partner_id", "country_id"),
        via("group", "partners_groupmember", "group_id", "country_id"),
        *acts_of("m.user_id", "JOIN partners_membership m ON m.country_id = r.record "),
    ],
    "partners_partner": [
        via("partner", "partners_partner", "id", "parent_id"),
        via("project", "projects_projectpartner", "project_id", "partner_id"),
        via("project", "projects_contribution", "project_id", "partner_id"),
        via("project", "projects_recordcheck", "project_id", "partner_id"),
        via("need", "projects_response", "need_id", "partner_id"),
        via("need", "projects_confirmation", "need_id", "partner_id"),
        via("offer", "projects_offer", "id", "partner_id"),
        *acts_of("m.user_id", "JOIN partners_membership m ON m.partner_id = r.record "),
    ],
    "partners_region": [
        via("region", "partners_region", "id", "parent_id"),
        via("country", "partners_country", "id", "region_id"),
        via("project", "projects_projectregion", "project_id", "region_id"),
        via("offer", "projects_eligible", "offer_id", "region_id"),
    ],
    "partners_countrygroup": [
        via("country", "partners_groupmember", "country_id", "group_id"),
        via("offer", "projects_eligible", "offer_id", "group_id"),
    ],
    "partners_user": acts_of("r.record"),
}


def linked_at_commit() -> str:
    """The body of the SQL function that finds the linked records; a migration has it, and a test holds the two together."""
    cases = ""
    for table, links in LINKS.items():
        found = "\n      UNION ALL ".join(
            f"SELECT '{kind}', {record}, r.is_quiet, r.id FROM partners_touched r {joins} "  # noqa: S608
            f"WHERE r.source = '{table}' AND {record} IS NOT NULL"
            for kind, record, joins in links
        )
        cases += f"    WHEN '{table}' THEN RETURN QUERY\n      {found};\n"
    return f"""
DECLARE
  source text;
BEGIN
  FOR source IN SELECT DISTINCT t.source FROM partners_touched t WHERE t.source <> '' LOOP
    CASE source
{cases}    END CASE;
  END LOOP;
END """  # noqa: S608


NAMES = tuple(f"name_{code}" for code in ("ar", "zh_hans", "en", "fr", "ru", "es"))

SHOWN_IN: dict[type, list[Shows | Linked]] = {
    Project: [own("project"), Linked("projects_project", columns=("state", "reference"))],
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
    Answer: [Linked("projects_response", "response_id")],
    Offer: [own("offer")],
    **{part: [part_of("offer")] for part in (Eligible, OfferTerm, OfferLine)},
    Event: [
        *(Shows(kind, f"{kind}_id", "r.action", "r.is_public") for kind in ("project", "need", "offer")),
        Linked("projects_response", "response_id", where="r.is_public"),
    ],
    Country: [own("country"), Linked("partners_country", columns=("iso3", *NAMES))],
    # Whether its country gives or takes decides how far a project is confirmed
    Partner: [own("partner"), Linked("partners_partner", columns=("slug", "acronym", "country_id", *NAMES))],
    PartnerCountry: [part_of("partner")],
    Term: [own("term"), Linked("projects_term", columns=("vocabulary", "code"))],
    Region: [own("region"), Linked("partners_region", columns=("code",))],
    CountryGroup: [own("group"), Linked("partners_countrygroup", columns=("code",))],
    GroupMember: [part_of("group"), part_of("country")],
    Membership: [Linked("partners_user", "user_id")],
    ImportRun: [Linked("projects_importrun", columns=STATED)],
}

TABLES = {
    pgtrigger.Insert: {"new": "new_rows"},
    pgtrigger.Update: {"old": "old_rows", "new": "new_rows"},
    pgtrigger.Delete: {"old": "old_rows"},
}


def _noted(one: Shows | Linked, operation) -> str:
    """SQL that gives (kind, record, what, source); empty where this operation changes nothing that shows."""
    if one.columns and operation is not pgtrigger.Update:
        return ""
    listed = ", ".join(("id", *one.columns)) if one.columns else "*"
    old, new = (f"SELECT {listed} FROM {rows}" for rows in ("old_rows", "new_rows"))  # noqa: S608
    rows = {
        pgtrigger.Insert: new,
        pgtrigger.Delete: old,
        pgtrigger.Update: f"({old} EXCEPT {new}) UNION ALL ({new} EXCEPT {old})",
    }
    return one.noted(rows[operation])


def _touches(shows: list[Shows | Linked], operation) -> pgtrigger.Trigger:
    found = " UNION ".join(filter(None, (_noted(one, operation) for one in shows)))
    return pgtrigger.Trigger(
        name=f"touch_on_{str(operation).lower()}",
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=operation,
        referencing=pgtrigger.Referencing(**TABLES[operation]),
        func=f"""
            INSERT INTO partners_touched (kind, record, what, source, is_quiet, is_last)
            SELECT DISTINCT kind, record, what, source, coalesce(current_setting('portal.quiet', true), '') = 'on', false
            FROM ({found}) AS shown(kind, record, what, source) WHERE record IS NOT NULL;
            RETURN NULL;
        """,  # noqa: S608
    )


for model, shows in SHOWN_IN.items():
    shown = [operation for operation in TABLES if any(_noted(one, operation) for one in shows)]
    pgtrigger.register(*(_touches(shows, operation) for operation in shown))(model)
