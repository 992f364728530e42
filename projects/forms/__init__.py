"""Forms of needs, offers and responses. They take input and show errors; what may be done is asked of lifecycle and actions."""

from projects.forms.draft import PARTS, BeginForm, Part, parts_of
from projects.forms.moves import CheckForm, DeliveredForm, NoteForm, ScreeningForm, SetAsideForm, form_of
from projects.forms.offer_draft import OFFER_PARTS, BeginOfferForm
from projects.forms.plan import PlanForm
from projects.forms.response import ResponseDocumentForm, ResponseForm, SuggestForm, WordForm, responders

__all__ = [
    "OFFER_PARTS",
    "PARTS",
    "BeginForm",
    "BeginOfferForm",
    "CheckForm",
    "DeliveredForm",
    "NoteForm",
    "Part",
    "PlanForm",
    "ResponseDocumentForm",
    "ResponseForm",
    "ScreeningForm",
    "SetAsideForm",
    "SuggestForm",
    "WordForm",
    "form_of",
    "parts_of",
    "responders",
]
