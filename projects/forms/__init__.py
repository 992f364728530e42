"""Forms of needs and responses. They take input and show errors; what may be done is asked of lifecycle and actions."""

from projects.forms.draft import PARTS, BeginForm, Part, parts_of
from projects.forms.moves import (
    DeliveredForm,
    NoteForm,
    PlanForm,
    ResponseForm,
    ScreeningForm,
    SetAsideForm,
    form_of,
    responders,
)

__all__ = [
    "PARTS",
    "BeginForm",
    "DeliveredForm",
    "NoteForm",
    "Part",
    "PlanForm",
    "ResponseForm",
    "ScreeningForm",
    "SetAsideForm",
    "form_of",
    "parts_of",
    "responders",
]
