"""Pages. Each makes one domain call and hands its answer to a template."""

from projects.views.need import (
    need_approve,
    need_detail,
    need_list,
    need_move,
    need_respond,
    need_screen,
    response_answer,
    unanswered,
)
from projects.views.project import (
    home,
    project_detail,
    project_list,
    search_everything,
    theme_detail,
    theme_list,
)

__all__ = [
    "need_approve",
    "need_move",
    "need_respond",
    "need_screen",
    "response_answer",
    "home",
    "need_detail",
    "need_list",
    "project_detail",
    "project_list",
    "search_everything",
    "theme_detail",
    "theme_list",
    "unanswered",
]
