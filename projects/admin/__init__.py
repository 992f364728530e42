"""Admin of vocabularies, projects, needs, offers, matching, mail and imports."""

from projects.admin.duplicate import DuplicatePairAdmin
from projects.admin.importing import ImportRunAdmin
from projects.admin.matching import ConceptAdmin, MatchWeightsAdmin, NearTermAdmin
from projects.admin.need import NeedAdmin, NoticeAdmin
from projects.admin.offer import OfferAdmin
from projects.admin.project import ProjectAdmin
from projects.admin.response import ResponseAdmin
from projects.admin.term import TermAdmin
from projects.admin.webhook import WebhookAdmin, WebhookCallAdmin

__all__ = [
    "ConceptAdmin",
    "DuplicatePairAdmin",
    "ImportRunAdmin",
    "MatchWeightsAdmin",
    "NearTermAdmin",
    "NeedAdmin",
    "NoticeAdmin",
    "OfferAdmin",
    "ProjectAdmin",
    "ResponseAdmin",
    "TermAdmin",
    "WebhookAdmin",
    "WebhookCallAdmin",
]
