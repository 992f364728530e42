"""What is done: vocabularies, projects and everything that belongs to one, their history and search."""

from projects.models.duplicate import DuplicatePair
from projects.models.event import Event
from projects.models.importing import ImportIssue, ImportRow, ImportRun
from projects.models.matching import (
    Concept,
    FoundMatch,
    MatchWeights,
    NearTerm,
    Posting,
    ReadText,
    SavedMatch,
    SetAside,
    TermCount,
    Wording,
)
from projects.models.money import Budget, Contribution, Transaction
from projects.models.need import Need
from projects.models.need_document import NeedDocument
from projects.models.need_parts import CriterionAnswer, LineItem, NeedTerm
from projects.models.notice import Follow, MailPreference, Notice
from projects.models.offer import Eligible, Offer, OfferLine, OfferTerm
from projects.models.parts import ProjectCountry, ProjectPartner, ProjectRegion, ProjectTerm
from projects.models.plan import Confirmation, PlanActivity, PlanIndicator, PlanRole
from projects.models.project import Project, ProjectTranslation, ReferenceCounter
from projects.models.quality_day import QualityDay
from projects.models.record_check import RecordCheck
from projects.models.response import Answer, Response
from projects.models.result import Result
from projects.models.search import FacetKind, FacetTally, NeedEntry, OfferEntry, SearchEntry, SearchWord
from projects.models.story import Document, Location, RelatedProject, Update
from projects.models.telling import SHOWN_IN
from projects.models.term import Term
from projects.models.webhook import FeedPosition, ListedRecord, Webhook, WebhookCall

__all__ = [
    "SHOWN_IN",
    "FoundMatch",
    "SetAside",
    "Answer",
    "Budget",
    "Concept",
    "Confirmation",
    "Contribution",
    "CriterionAnswer",
    "Document",
    "DuplicatePair",
    "Eligible",
    "Event",
    "FacetKind",
    "FacetTally",
    "FeedPosition",
    "Follow",
    "ImportIssue",
    "ImportRow",
    "ImportRun",
    "LineItem",
    "ListedRecord",
    "Location",
    "MailPreference",
    "MatchWeights",
    "NearTerm",
    "Need",
    "NeedDocument",
    "NeedEntry",
    "NeedTerm",
    "Notice",
    "Offer",
    "OfferEntry",
    "OfferLine",
    "OfferTerm",
    "PlanActivity",
    "PlanIndicator",
    "PlanRole",
    "Posting",
    "Project",
    "ProjectCountry",
    "ProjectPartner",
    "ProjectRegion",
    "ProjectTerm",
    "ProjectTranslation",
    "ReadText",
    "QualityDay",
    "RecordCheck",
    "ReferenceCounter",
    "RelatedProject",
    "Response",
    "Result",
    "SavedMatch",
    "SearchEntry",
    "SearchWord",
    "Term",
    "TermCount",
    "Transaction",
    "Update",
    "Wording",
    "Webhook",
    "WebhookCall",
]
