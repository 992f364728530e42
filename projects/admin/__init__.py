"""Admin of vocabularies, projects and imports."""

from projects.admin.importing import ImportRunAdmin
from projects.admin.project import ProjectAdmin
from projects.admin.term import TermAdmin

__all__ = ["ImportRunAdmin", "ProjectAdmin", "TermAdmin"]
