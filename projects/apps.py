"""What: vocabularies, projects, their search and exchange."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ProjectsConfig(AppConfig):
    name = "projects"
    verbose_name = _("What: projects and vocabularies")
