"""Admin of vocabularies, projects, needs, offers, mail and imports."""

from projects.admin.importing import ImportRunAdmin
from projects.admin.need import NeedAdmin, NoticeAdmin
from projects.admin.offer import OfferAdmin
from projects.admin.project import ProjectAdmin
from projects.admin.term import TermAdmin

__all__ = ["ImportRunAdmin", "NeedAdmin", "NoticeAdmin", "OfferAdmin", "ProjectAdmin", "TermAdmin"]
