"""Forms of needs and responses. They take input and show errors; what may be done is asked of lifecycle and actions."""

from projects.forms.draft import PARTS, BeginForm, Part, parts_of
from projects.forms.moves import (
    ClosingForm,
    DeliveredForm,
    MergeForm,
    NoteForm,
    PlanForm,
    ProjectForm,
    ResponseForm,
    ScreeningForm,
    responders,
)

__all__ = [
    "PARTS",
    "BeginForm",
    "ClosingForm",
    "DeliveredForm",
    "MergeForm",
    "NoteForm",
    "Part",
    "PlanForm",
    "ProjectForm",
    "ResponseForm",
    "ScreeningForm",
    "parts_of",
    "responders",
]
