"""What has happened to a need, in words: who did what and when, as far as the reader may know it.

Names sides, never persons. Read by the page, the API and mail.
"""

import datetime as dt
from dataclasses import dataclass

from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ground import listing
from ground.templatetags.portal import entitled, in_language
from partners.models import Country, Partner
from partners.rules import is_system
from projects.choices import Audience, ResponseState
from projects.models import Event, Need, Offer, Response

SAYS = {
    "submit": gettext_lazy("endorses and submits it."),
    "return": gettext_lazy("returns it with questions."),
    "screen": gettext_lazy("notes the answers of the screening."),
    "find_eligible": gettext_lazy("finds it eligible on all criteria."),
    "find_not_eligible": gettext_lazy("finds it not eligible."),
    "approve_summary": gettext_lazy("approves the public summary."),
    "publish": gettext_lazy("opens it to responses."),
    "begin_dialogue": gettext_lazy("begins the dialogue."),
    "reopen": gettext_lazy("opens it again: the dialogue led to no plan."),
    "confirm_plan": gettext_lazy("confirms the plan."),
    "agree": gettext_lazy("sees the plan agreed by all sides."),
    "start": gettext_lazy("starts the delivery with a project."),
    "confirm_delivery": gettext_lazy("confirms the delivery."),
    "deliver": gettext_lazy("marks it as delivered."),
    "close": gettext_lazy("closes it."),
    "close_partly": gettext_lazy("closes it as met in part."),
    "withdraw": gettext_lazy("withdraws it."),
    "hold": gettext_lazy("puts it on hold."),
    "resume": gettext_lazy("takes it off hold."),
    "expire": gettext_lazy("lets it expire after 12 months."),
    "renew": gettext_lazy("renews it for 12 months."),
    "merge": gettext_lazy("merges it into another need."),
    "archive": gettext_lazy("archives the draft."),
    "restore": gettext_lazy("takes the draft up again."),
    "begin": gettext_lazy("begins the draft."),
    "ask_endorsement": gettext_lazy("asks the focal point to endorse it."),
    "add_document": gettext_lazy("adds a document."),
    "remove_document": gettext_lazy("removes a document."),
    "plan": gettext_lazy("writes the plan."),
    "record_delivered": gettext_lazy("enters what was delivered."),
    "progress": gettext_lazy("reports progress."),
    "unlist": gettext_lazy("leaves it out of the lists until somebody reports on it."),
    "correct": gettext_lazy("corrects it."),
    "remind_draft": gettext_lazy("reminds the country: the draft is archived when nobody writes on it."),
    "remind_screening": gettext_lazy("reminds UNEP: the screening is late."),
    "remind_publish": gettext_lazy("reminds UNEP: it waits to be opened."),
    "remind_summary": gettext_lazy("reminds the country: UNEP waits for the approved public summary."),
    "remind_30": gettext_lazy("reminds the country of UNEP's questions."),
    "remind_50": gettext_lazy("reminds the country again: without an answer it goes on hold."),
    "remind_unanswered": gettext_lazy("notes that nobody has responded within 60 days."),
    "remind_expiry": gettext_lazy("reminds the country: it expires soon and can be renewed."),
    "remind_dialogue": gettext_lazy("reminds all sides: without a plan it goes back to open."),
    "remind_progress": gettext_lazy("reminds the partners: the six-monthly update is due."),
    "remind_closing": gettext_lazy("reminds the country to say what came of it."),
    "revise": gettext_lazy("takes up the plan again: it was changed after it had been agreed."),
    "propose_story": gettext_lazy("proposes it as a story to tell: it was rated well."),
    "project_ended": gettext_lazy("notes that the project has ended: what was delivered has to be confirmed."),
    "import": gettext_lazy("brings it in from another source."),
}
OFFER_SAYS = {
    "begin": gettext_lazy("begins the draft."),
    "correct": gettext_lazy("corrects it."),
    "submit": gettext_lazy("submits it to UNEP."),
    "return": gettext_lazy("returns it with questions."),
    "verify": gettext_lazy("verifies it."),
    "activate": gettext_lazy("makes it active."),
    "pause": gettext_lazy("pauses it."),
    "resume": gettext_lazy("goes on with it."),
    "expire": gettext_lazy("lets it expire."),
    "renew": gettext_lazy("renews it for 12 months."),
    "revise": gettext_lazy("rewrites it."),
    "withdraw": gettext_lazy("withdraws it."),
    "remind_offer": gettext_lazy("reminds its provider: it expires soon and can be renewed."),
}
PROJECT_SAYS = {
    "take_in": gettext_lazy("takes in another record of the same project."),
    "check_right": gettext_lazy("confirms that the record is right."),
    "check_wrong": gettext_lazy("disputes the record."),
}
RESPONSE_SAYS = {
    "suggest": gettext_lazy("asks %(who)s to help with: %(lines)s."),
    "ask": gettext_lazy("writes about what %(who)s offers for: %(lines)s."),
    "decline_suggested": gettext_lazy("can't help with: %(lines)s."),
    "take_back_suggested": gettext_lazy("no longer asks %(who)s for: %(lines)s."),
    "express": gettext_lazy("offers help with: %(lines)s."),
    "accept": gettext_lazy("accepts what %(who)s offers for: %(lines)s."),
    "decline": gettext_lazy("declines what %(who)s offers for: %(lines)s."),
    "take_back": gettext_lazy("takes back its offer for: %(lines)s."),
    "remind_answer": gettext_lazy("reminds the country to answer %(who)s: %(lines)s."),
    "lapse": gettext_lazy("lets the offer of %(who)s lapse: nobody answered it in time."),
}


@dataclass(frozen=True)
class Entry:
    at: dt.datetime
    who: str
    what: str
    note: str = ""


def timeline(need: Need, user, *, html: bool = True) -> list[Entry]:
    """What has happened, newest first: for everybody the public acts; for the country and UNEP all, with all notes.

    In HTML names and quotes carry their language; without it, all is plain text.
    """
    is_party = need.audience_of(user) == Audience.PARTY
    found = []

    def add(event: Event, what: str, response: Response | None = None) -> None:
        if event.is_public or is_party:
            note = event.note if is_party or event.is_note_public else ""
            who = who_did(event, need, response)
            found.append(Entry(event.at, entitled(who) if html else str(who), what, note))

    for event in need.events.all():
        add(event, said(event))
    for response in need.responses.all():
        for event in response.events.all():
            if event.action in RESPONSE_SAYS and event.action != "ask":  # questions stand with the response
                add(event, said(event, response, html=html), response)
    found.sort(key=lambda entry: entry.at, reverse=True)
    return found


def offer_timeline(offer: Offer, user, *, html: bool = True) -> list[Entry]:
    """The same of an offer: for everybody the public acts; for its provider and UNEP all, with all notes."""
    is_party, named = offer.audience_of(user) == Audience.PARTY, entitled if html else str
    return [
        Entry(
            event.at,
            named(_side_of(event, offer.provider)),
            str(OFFER_SAYS.get(event.action, event.action)),
            event.note if is_party or event.is_note_public else "",
        )
        for event in offer.events.all()
        if event.is_public or is_party
    ]


def thread(response: Response) -> list[Entry]:
    """Questions about a response and the answers to them, the oldest first; for whoever reads the response in full."""
    events = sorted((event for event in response.events.all() if event.action == "ask"), key=lambda event: event.at)
    return [Entry(e.at, entitled(who_did(e, response.need, response)), "", e.note) for e in events]


def response_timeline(response: Response) -> list[Entry]:
    """What has happened to a response besides, the newest first; for whoever reads it in full."""
    return [
        Entry(e.at, entitled(who_did(e, response.need, response)), said(e, response, html=True), e.note)
        for e in response.events.all()
        if e.action in RESPONSE_SAYS and e.action != "ask"
    ]


def said(event: Event, response: Response | None = None, *, html: bool = False) -> str:
    """What was done, without its subject: “returns it with questions.” In HTML with the language of what it quotes."""
    if response is None:
        return str(SAYS.get(event.action, event.action))
    suggested = f"{event.action}_{event.from_state}"  # declined by whoever was asked, not by the country
    words = str(RESPONSE_SAYS.get(suggested, RESPONSE_SAYS.get(event.action, event.action)))
    lines = [answer.line.text for answer in response.answers.all()]
    if not html:
        return words % {"lines": listing.with_semicolons(lines), "who": response.responder}
    marked = format_html_join(
        listing.semicolon(), "{}", ((in_language(line, response.need.language),) for line in lines)
    )
    return format_html(
        words.replace("%(lines)s", "{0}").replace("%(who)s", "{1}"), marked, entitled(response.responder)
    )


def happened(event: Event) -> str:
    """One sentence on an event of any kind of record, for mail: who did what."""
    if event.offer:
        return f"{_side_of(event, event.offer.provider)} {OFFER_SAYS.get(event.action, event.action)}"
    if event.project:
        return f"{_side_of(event, None)} {PROJECT_SAYS.get(event.action, event.action)}"
    need = event.need or event.response.need
    return f"{who_did(event, need, event.response)} {said(event, event.response)}"


def who_did(event: Event, need: Need, response: Response | None) -> Country | Partner | str:
    """Whose act it was."""
    if response is not None:
        was_suggested = event.from_state == ResponseState.SUGGESTED
        if event.action == "express" or (event.action == ("decline" if was_suggested else "take_back")):
            return response.responder
        held = {(m.partner_id, m.country_id) for m in event.by.memberships.all()} if event.action == "ask" else ()
        for who in response.parties:
            if ((who.pk, None) if isinstance(who, Partner) else (None, who.pk)) in held:
                return who
    return _side_of(event, need.country)


def _side_of(event: Event, own: Country | Partner | None) -> Country | Partner | str:
    """For whom somebody acted: the side whose record it is, UNEP, or whoever else they belong to."""
    if is_system(event.by):
        return _("The portal")
    held = list(event.by.memberships.all())
    if own is not None and own.pk in [m.country_id if isinstance(own, Country) else m.partner_id for m in held]:
        return own
    if any(m.role in ("desk", "publisher", "administrator") for m in held):
        return _("UNEP")
    return next((m.partner or m.country for m in held), _("Somebody without a role today"))
