"""Forms of needs, offers and responses. They take input and show errors; what may be done is asked of lifecycle and actions."""

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
from projects.forms.offer_draft import OFFER_PARTS, BeginOfferForm

__all__ = [
    "OFFER_PARTS",
    "PARTS",
    "BeginForm",
    "BeginOfferForm",
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
