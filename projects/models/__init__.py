"""What is done: vocabularies, projects and everything that belongs to one, their history and search."""

from projects.models.event import Event
from projects.models.importing import ImportIssue, ImportRun
from projects.models.money import Budget, Contribution, Transaction
from projects.models.parts import ProjectCountry, ProjectPartner, ProjectRegion, ProjectTerm
from projects.models.project import Project, ProjectTranslation, ReferenceCounter
from projects.models.result import Result
from projects.models.search import FacetKind, FacetTally, SearchEntry, SearchWord
from projects.models.story import Document, Location, RelatedProject, Update
from projects.models.term import Term

__all__ = [
    "Budget",
    "Contribution",
    "Document",
    "Event",
    "FacetKind",
    "FacetTally",
    "ImportIssue",
    "ImportRun",
    "Location",
    "Project",
    "ProjectCountry",
    "ProjectPartner",
    "ProjectRegion",
    "ProjectTerm",
    "ProjectTranslation",
    "ReferenceCounter",
    "RelatedProject",
    "Result",
    "SearchEntry",
    "SearchWord",
    "Term",
    "Transaction",
    "Update",
]
