"""The moves of a response: suggested by the country or UNEP or offered by a partner, answered by the country."""

from django.utils.translation import gettext_lazy as _

from projects.choices import ResponseState as R
from projects.lifecycle.moves import Transition, table

ENDED = (R.DECLINED, R.LAPSED, R.TAKEN_BACK)

MOVES = table(
    "response",
    Transition("express", _("Offer"), (R.SUGGESTED,), R.EXPRESSED, is_public=True, is_for_forms=False),
    Transition("accept", _("Accept"), (R.EXPRESSED,), R.ACCEPTED, is_public=True, is_for_forms=False),
    Transition(
        "decline", _("Decline"), (R.EXPRESSED, R.SUGGESTED), R.DECLINED, requires_note=True, is_public=True, is_note_public=True
    ),
    Transition("take_back", _("Take back"), (R.SUGGESTED, R.EXPRESSED, R.ACCEPTED), R.TAKEN_BACK, requires_note=True, is_public=True),
    Transition("agree", _("Agree in the plan"), (R.ACCEPTED,), R.AGREED, is_for_forms=False),
    Transition("reconsider", _("Take up the dialogue again"), (R.AGREED,), R.ACCEPTED, is_for_forms=False),
    Transition("convert", _("Carry out in the project"), (R.AGREED,), R.CONVERTED, is_for_forms=False),
    Transition("lapse", _("Let lapse"), (R.SUGGESTED, R.EXPRESSED), R.LAPSED, is_for_forms=False),
)  # fmt: skip
