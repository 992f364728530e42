"""An activity in the portal's own terms, as the reader hands it to the import. Nothing is looked up yet."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from ground.numbers import plainly


@dataclass(frozen=True)
class Finding:
    """Something in an activity that could not be taken as it came. `outcome` as in ImportIssue.Outcome."""

    element: str
    value: str
    outcome: str
    text: str

    @classmethod
    def short(cls, element: str, value, outcome: str, text: str) -> "Finding":
        """As long as there is place for."""
        said = str(value or "")
        return cls(element[:120], said if len(said) <= 500 else f"{said[:499]}…", outcome, str(text)[:500])


MAX_SHOWN = 20  # of what is not read, how many values a finding tells


class Unread:
    """What of an activity nobody reads: how often each path occurs, and what stood there."""

    def __init__(self):
        self.times: Counter = Counter()
        self.values: dict[str, list[str]] = defaultdict(list)

    def add(self, path: str, value="") -> None:
        self.times[path] += 1
        text = " ".join(str(value or "").split())
        if text and len(self.values[path]) < MAX_SHOWN:
            self.values[path].append(text)

    def rows(self) -> list[tuple[str, int, str]]:
        """(path, how often, the first values) in the order of the paths."""
        return [(path, n, "; ".join(self.values[path])) for path, n in sorted(self.times.items())]


@dataclass
class Tie:
    """A country, region, organisation, sector or tag as reported."""

    code: str = ""
    name: str = ""
    vocabulary: str = ""
    role: str = ""
    kind: str = ""  # of an organisation, as its IATI code
    share: Decimal | None = None
    is_reporting: bool = False
    # only in the portal's own files
    slug: str = ""  # of the partner
    reports: bool | None = None  # of a participating organisation: whether it publishes the record
    note: str = ""

    @property
    def said(self) -> str:
        """All that it says, for a finding."""
        share = "" if self.share is None else plainly(self.share)
        return " ".join(filter(None, (self.code, self.name, self.role, self.kind, share, self.note)))


@dataclass
class Activity:
    """One activity in the portal's own terms; nothing is looked up yet."""

    identifier: str = ""
    key: str = ""  # the identifier, or one that IATI does not allow
    other_key: str = ""  # what stands for it in files older than 2.01: known to its publisher alone
    line: int = 0
    language: str = "en"
    currency: str = ""
    texts: dict[str, dict[str, str]] = field(
        default_factory=dict
    )  # language -> {title, summary, description, objectives}
    status: str = ""
    modality: str = ""
    level: str = ""
    dates: dict[str, date] = field(default_factory=dict)
    countries: list[Tie] = field(default_factory=list)
    regions: list[Tie] = field(default_factory=list)
    organisations: list[Tie] = field(default_factory=list)
    sectors: list[Tie] = field(default_factory=list)
    budgets: list[dict] = field(default_factory=list)
    transactions: list[dict] = field(default_factory=list)
    results: list[dict] = field(default_factory=list)
    locations: list[dict] = field(default_factory=list)
    documents: list[dict] = field(default_factory=list)
    related: list[Tie] = field(default_factory=list)
    # only in the portal's own files
    reference: str = ""
    is_need: bool = False
    is_illustrative: bool = False
    licence: str = ""
    instrument: str = ""
    parent: str = ""  # its IATI identifier
    roles: list[Tie] = field(default_factory=list)  # countries with their roles
    contributions: list[dict] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    unread: Unread = field(default_factory=Unread)
    assumed: Unread = field(default_factory=Unread)  # of a file of the portal's: what it says that no record holds
    marked: Unread = field(default_factory=Unread)  # of such a file: what somebody else marked so, and nobody reads
    only_in_transactions: list[str] = field(default_factory=list)  # elements named there and not at the activity
    taken_as: list[str] = field(default_factory=list)  # words of Project.taken_as
    named: dict[tuple, Tie] = field(default_factory=dict)  # what was named already, by what it is known by
    told: set[Finding] = field(default_factory=set)  # the findings, to be looked up

    @property
    def is_own(self) -> bool:
        """Whether the portal wrote it: it is read to the letter, and holds more than IATI has places for."""
        return bool(self.reference)

    def find(self, element: str, value, outcome: str, text: str) -> None:
        self._tell(Finding.short(element, value, outcome, text))

    def find_once(self, element: str, value, outcome: str, text: str) -> None:
        """The same of many parts of an activity is told once."""
        finding = Finding.short(element, value, outcome, text)
        if finding not in self.told:
            self._tell(finding)

    def _tell(self, finding: Finding) -> None:
        self.findings.append(finding)
        self.told.add(finding)

    def named_before(self, what: str, known_by: tuple, tie: Tie) -> Tie | None:
        """What was named earlier and is the same; else this is remembered."""
        same = self.named.setdefault((what, *known_by), tie)
        return None if same is tie else same
