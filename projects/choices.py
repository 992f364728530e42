"""Enumerations of this app. Imported by records, rules and doors; imports none of them."""

from enum import IntEnum

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import npgettext_lazy, pgettext_lazy


class Vocabulary(models.TextChoices):
    BSP_THEME = "bsp-theme", _("Bali Strategic Plan: thematic areas")
    BSP_ISSUE = "bsp-issue", _("Bali Strategic Plan: cross-cutting issues")
    BSP_MODALITY = "bsp-modality", _("Bali Strategic Plan: regional modalities")
    SUBPROGRAMME = "subprogramme", _("UNEP subprogrammes")
    PROGRAMME_OF_WORK = "pow", _("UNEP programmes of work")
    ASSISTANCE = "assistance", _("Assistance types")
    CAPACITY = "capacity", _("Capacity levels")
    SDG = "sdg", _("Sustainable Development Goals and targets")
    CRS = "crs", _("CRS purpose codes")


class State(models.TextChoices):
    """Publishing state. Moves between them are in lifecycle.TRANSITIONS."""

    DRAFT = "draft", _("draft")
    REVIEW = "review", _("in review")
    PUBLISHED = "published", _("published")
    WITHDRAWN = "withdrawn", _("withdrawn from the public")
    MERGED = "merged", _("merged into another")


class Status(models.TextChoices):
    """IATI 2.03 codelist ActivityStatus."""

    PIPELINE = "1", _("pipeline or identification")
    IMPLEMENTATION = "2", _("in delivery")
    FINALISATION = "3", _("finalisation")
    CLOSED = "4", _("closed")
    CANCELLED = "5", _("cancelled")
    SUSPENDED = "6", _("suspended")
    UNSTATED = "", _("not stated")


class Instrument(models.TextChoices):
    PROGRAMME = "programme", _("programme or regional initiative")
    PROJECT = "project", pgettext_lazy("instrument", "project")
    ACTION = "action", pgettext_lazy("instrument", "single action")
    UNSTATED = "", _("not stated")


class Modality(models.TextChoices):
    BILATERAL = "bilateral", _("bilateral South-South")
    TRIANGULAR = "triangular", _("triangular")
    REGIONAL = "regional", _("regional South-South")
    MULTILATERAL = "multilateral", _("multilateral support for South-South")
    UNSTATED = "", _("not stated")


class DeliveryLevel(models.TextChoices):
    NATIONAL = "national", _("national")
    SUBREGIONAL = "subregional", _("subregional")
    REGIONAL = "regional", pgettext_lazy("delivery level", "regional")
    GLOBAL = "global", _("global")
    UNSTATED = "", _("not stated")


class CountryRole(models.TextChoices):
    PROVIDER = "provider", _("provider")
    RECIPIENT = "recipient", _("recipient")
    BOTH = "both", _("provider and recipient")


class ProviderOrder(models.IntegerChoices):
    FIRST = 1, _("first provider")
    SECOND = 2, _("second provider")


class OrganisationRole(models.TextChoices):
    """IATI 2.03 codelist OrganisationRole; the last two are the portal's: whoever reports need not take part, and a file need not say how."""

    FUNDING = "1", _("funding")
    ACCOUNTABLE = "2", _("accountable")
    EXTENDING = "3", _("extending")
    IMPLEMENTING = "4", _("implementing")
    REPORTS_ONLY = "0", _("reports it; no role stated")
    UNSTATED = "9", _("not stated")


class ContributionKind(models.TextChoices):
    """TOSSD modalities of cooperation (TOSSD Reporting Instructions, annex)."""

    PROJECT = "C01", _("project-type intervention")
    EXPERT_COSTS = "D011", _("experts")
    EXPERT_TRAVEL = "D012", _("travel of experts")
    SERVICES = "D013", _("services and materials")
    TRAINING = "D021", _("training")
    SCHOLARSHIP = "E01", _("scholarships and study places")
    IN_KIND = "J01", _("equipment and goods in kind")
    RESEARCH = "K01", _("research and development")
    RESEARCH_BASIC = "K011", _("basic research")
    RESEARCH_APPLIED = "K012", _("applied research")


class Unit(models.TextChoices):
    EXPERT_DAYS = "expert-days", _("expert-days")
    PERSON_DAYS = "person-days", _("person-days")
    PEOPLE = "people", _("people")
    PLACES = "places", _("places")
    ITEMS = "items", _("items")
    DOCUMENTS = "documents", _("documents")
    VISITS = "visits", _("visits")
    EVENTS = "events", _("events")
    HECTARES = "hectares", _("hectares")
    VILLAGES = "villages", _("villages")
    INSTITUTIONS = "institutions", _("institutions")
    PERCENT = "percent", _("per cent")
    TONNES = "tonnes", _("tonnes")
    OTHER = "other", _("other, named in the text")


# As they stand after a number, of which many languages decide the form.
COUNTED = {
    Unit.EXPERT_DAYS: npgettext_lazy("after a number", "expert-day", "expert-days"),
    Unit.PERSON_DAYS: npgettext_lazy("after a number", "person-day", "person-days"),
    Unit.PEOPLE: npgettext_lazy("after a number", "person", "people"),
    Unit.PLACES: npgettext_lazy("after a number", "place", "places"),
    Unit.ITEMS: npgettext_lazy("after a number", "item", "items"),
    Unit.DOCUMENTS: npgettext_lazy("after a number", "document", "documents"),
    Unit.VISITS: npgettext_lazy("after a number", "visit", "visits"),
    Unit.EVENTS: npgettext_lazy("after a number", "event", "events"),
    Unit.HECTARES: npgettext_lazy("after a number", "hectare", "hectares"),
    Unit.VILLAGES: npgettext_lazy("after a number", "village", "villages"),
    Unit.INSTITUTIONS: npgettext_lazy("after a number", "institution", "institutions"),
    Unit.PERCENT: npgettext_lazy("after a number", "per cent", "per cent"),
    Unit.TONNES: npgettext_lazy("after a number", "tonne", "tonnes"),
}
LIKE_A_FRACTION = 102  # 2.5 takes the form of 102: Arabic and Russian have others for 2, 5 and 100


def counted(unit: str, quantity) -> str:
    """The word for a unit after this many of it."""
    if unit not in COUNTED or quantity is None:
        return str(Unit(unit).label) if unit else ""
    return COUNTED[unit] % (int(quantity) if quantity == int(quantity) else LIKE_A_FRACTION)


class ResultKind(models.TextChoices):
    """IATI 2.03 codelist ResultType."""

    OUTPUT = "1", _("output")
    OUTCOME = "2", _("outcome")
    IMPACT = "3", _("impact")
    OTHER = "9", pgettext_lazy("result", "other")
    UNSTATED = "0", _("not stated")  # the portal's own


class BudgetKind(models.TextChoices):
    """IATI 2.03 codelist BudgetType."""

    ORIGINAL = "1", _("original")
    REVISED = "2", _("revised")


class BudgetStatus(models.TextChoices):
    """IATI 2.03 codelist BudgetStatus."""

    UNSTATED = "", _("not stated")
    INDICATIVE = "1", _("indicative")
    COMMITTED = "2", _("committed")


class TransactionKind(models.TextChoices):
    """IATI 2.03 codelist TransactionType."""

    INCOMING_FUNDS = "1", _("incoming funds")
    OUTGOING_COMMITMENT = "2", _("commitment")
    DISBURSEMENT = "3", _("disbursement")
    EXPENDITURE = "4", _("expenditure")
    INTEREST = "5", _("interest payment")
    LOAN_REPAYMENT = "6", _("loan repayment")
    REIMBURSEMENT = "7", _("reimbursement")
    PURCHASE_OF_EQUITY = "8", _("purchase of equity")
    SALE_OF_EQUITY = "9", _("sale of equity")
    CREDIT_GUARANTEE = "10", _("credit guarantee")
    INCOMING_COMMITMENT = "11", _("incoming commitment")
    OUTGOING_PLEDGE = "12", _("outgoing pledge")
    INCOMING_PLEDGE = "13", _("incoming pledge")


class Relation(models.TextChoices):
    """IATI 2.03 codelist RelatedActivityType, as seen from the project."""

    PARENT = "1", _("part of")
    CHILD = "2", _("has the part")
    SIBLING = "3", _("beside")
    CO_FUNDED = "4", _("co-funded with")
    THIRD_PARTY = "5", _("reported elsewhere as")
    UNSTATED = "0", _("not stated")  # the portal's own


class Source(models.TextChoices):
    ENTERED = "entered", _("entered here")
    IMPORTED = "imported", _("imported")


# --- needs -----------------------------------------------------------------------------------------------------------
class NeedKind(models.TextChoices):
    CAPACITY = "capacity", _("capacity-building need")
    TECHNOLOGY = "technology", _("technology-transfer request")


class NeedState(models.TextChoices):
    """The life of a need. Moves between the states are in lifecycle.TRANSITIONS."""

    DRAFT = "draft", pgettext_lazy("need", "draft")
    SUBMITTED = "submitted", pgettext_lazy("need", "submitted")
    RETURNED = "returned", pgettext_lazy("need", "returned with questions")
    ELIGIBLE = "eligible", pgettext_lazy("need", "eligible")
    NOT_ELIGIBLE = "not_eligible", pgettext_lazy("need", "not eligible")
    OPEN = "open", pgettext_lazy("need", "open")
    IN_DIALOGUE = "in_dialogue", pgettext_lazy("need", "in dialogue")
    PLAN_AGREED = "plan_agreed", pgettext_lazy("need", "plan agreed")
    IN_DELIVERY = "in_delivery", pgettext_lazy("need", "in delivery")
    DELIVERED = "delivered", pgettext_lazy("need", "delivered")
    CLOSED = "closed", pgettext_lazy("need", "closed")
    PARTIALLY_MET = "partially_met", pgettext_lazy("need", "closed, met in part")
    WITHDRAWN = "withdrawn", pgettext_lazy("need", "withdrawn")
    ON_HOLD = "on_hold", pgettext_lazy("need", "on hold")
    EXPIRED = "expired", pgettext_lazy("need", "expired")
    MERGED = "merged", pgettext_lazy("need", "merged into another")
    ARCHIVED = "archived", pgettext_lazy("need", "archived draft")


class Maturity(models.TextChoices):
    """How far a technology is, in words that a ministry uses: technology readiness levels of ISO 16290:2013, grouped.

    Levels 1 to 5; 6 and 7; 8 and 9; the last is level 9 with many users.
    """

    RESEARCH = "research", _("still in research")
    DEMONSTRATED = "demonstrated", _("demonstrated once")
    PROVEN = "proven", _("proven in daily use")
    WIDESPREAD = "widespread", _("in use in many countries")
    UNSTATED = "", _("not stated")


class SameRequest(models.TextChoices):
    """Whether the same was asked for elsewhere, and what came of it."""

    NO = "no", _("no, only here")
    WAITING = "waiting", _("yes, no answer yet")
    DECLINED = "declined", _("yes, and it was declined")
    PART = "part", _("yes, and part of it was granted")
    UNSTATED = "", _("not stated")


class Cofinancing(models.TextChoices):
    YES = "yes", _("available")
    SOUGHT = "sought", _("being sought")
    NO = "no", _("none")
    UNSTATED = "", _("not stated")


class Criterion(models.TextChoices):
    """What a screener answers with yes or no and a note."""

    BENEFIT = "benefit", _("It benefits people or the environment, and says whom and how.")
    ALIGNMENT = "alignment", _("It serves a national plan or obligation.")
    CAPACITY = "capacity", _("It builds capacity that stays in the country.")
    MONITORING = "monitoring", _("It says how progress will be seen.")
    REQUESTER = "requester", _("The requester may ask: a public body or one it stands behind.")


class ConfirmedStep(models.TextChoices):
    PLAN = "plan", _("the plan")
    DELIVERY = "delivery", _("the delivery")


class Side(models.TextChoices):
    COUNTRY = "country", pgettext_lazy("side", "the country")
    PARTNER = "partner", pgettext_lazy("side", "the partners")
    UNEP = "unep", _("UNEP")


class PlannedRole(models.TextChoices):
    """The role of a country (first five) or a partner (IATI 2.03 OrganisationRole) in an agreed plan."""

    RECIPIENT = "recipient", _("recipient")
    PROVIDER = "provider", _("provider")
    FIRST = "first", _("first provider")
    SECOND = "second", _("second provider")
    BOTH = "both", _("provider and recipient")
    IMPLEMENTING = "implementing", _("implementing")
    EXTENDING = "extending", _("extending")
    FUNDING = "funding", _("funding")
    ACCOUNTABLE = "accountable", _("accountable")


class Checked(models.TextChoices):
    """How far the record of a project is confirmed by those who take part in it."""

    BOTH = "both", _("confirmed by provider and recipient")
    ONE = "one", _("confirmed by one side")
    NONE = "none", _("not confirmed yet")
    DISPUTED = "disputed", _("disputed")  # beside one of the three


class DocumentKind(models.TextChoices):
    LETTER = "letter", _("endorsement letter")
    PLAN = "plan", _("national plan or strategy")
    OTHER = "other", pgettext_lazy("document", "other")


class ResponseState(models.TextChoices):
    SUGGESTED = "suggested", pgettext_lazy("response", "suggested")
    EXPRESSED = "expressed", pgettext_lazy("response", "waits for the country's answer")
    ACCEPTED = "accepted", pgettext_lazy("response", "accepted")
    DECLINED = "declined", pgettext_lazy("response", "declined")
    AGREED = "agreed", pgettext_lazy("response", "agreed in the plan")
    CONVERTED = "converted", pgettext_lazy("response", "carried out in a project")
    LAPSED = "lapsed", pgettext_lazy("response", "lapsed")
    TAKEN_BACK = "taken_back", pgettext_lazy("response", "taken back")


class CostTerms(models.TextChoices):
    FREE = "free", _("free of charge")
    COST = "cost", _("at cost")


class Audience(IntEnum):
    """Who reads a text of a need or an offer. Each audience reads what those before it read."""

    PUBLIC = 0  # everybody, once it was opened
    MEMBER = 1  # whoever holds a role in a country or partner
    PARTNER = 2  # the other side of an accepted response
    PARTY = 3  # the side whose record it is, and UNEP


# --- offers ------------------------------------------------------------------------------------------------------------
class OfferKind(models.TextChoices):
    """What is shared."""

    EXPERTISE = "expertise", pgettext_lazy("offer", "expertise")
    TRAINING = "training", pgettext_lazy("offer", "training")
    TECHNOLOGY = "technology", pgettext_lazy("offer", "technology")
    EXPERIENCE = "experience", pgettext_lazy("offer", "experience or good practice")
    FUNDING = "funding", pgettext_lazy("offer", "funding")


class OfferState(models.TextChoices):
    DRAFT = "draft", pgettext_lazy("offer", "draft")
    SUBMITTED = "submitted", pgettext_lazy("offer", "waits to be verified")
    VERIFIED = "verified", pgettext_lazy("offer", "verified by UNEP")
    ACTIVE = "active", pgettext_lazy("offer", "active")
    PAUSED = "paused", pgettext_lazy("offer", "paused")
    EXPIRED = "expired", pgettext_lazy("offer", "expired")
    WITHDRAWN = "withdrawn", pgettext_lazy("offer", "withdrawn")


# --- matching ----------------------------------------------------------------------------------------------------------
class ConceptUse(models.TextChoices):
    """What it tells about a text that a concept of the thesaurus occurs in it."""

    TOPIC = "topic", _("what it is about")
    GENERAL = "general", _("a broad word, says little")
    HELP = "help", _("a kind of help, not a subject")
    BLOCKED = "blocked", _("another sense: its words don't count")


class Matched(IntEnum):
    """Kinds of record that matching has read."""

    NEED = 0
    OFFER = 1
    PROJECT = 2


class Signal(models.TextChoices):
    """What a match is judged by. How many points each can give is in `MatchWeights`."""

    WORDS = "words", pgettext_lazy("signal", "words in common")
    MEANING = "meaning", pgettext_lazy("signal", "meaning of the texts")
    THEMES = "themes", pgettext_lazy("signal", "themes")
    ASSISTANCE = "assistance", pgettext_lazy("signal", "kinds of help")
    GOALS = "goals", pgettext_lazy("signal", "goals and sectors")
    LANGUAGES = "languages", pgettext_lazy("signal", "languages of work")
    PLACES = "places", pgettext_lazy("signal", "region and groups of countries")
    COST = "cost", pgettext_lazy("signal", "cost")
    MATURITY = "maturity", pgettext_lazy("signal", "maturity of the technology")
    CAPACITY = "capacity", pgettext_lazy("signal", "how much there is")
    DATES = "dates", pgettext_lazy("signal", "dates")
    EXPERIENCE = "experience", pgettext_lazy("signal", "past cooperation")
    SOUTH = "south", pgettext_lazy("signal", "from the South")
    SET_ASIDE = "set_aside", pgettext_lazy("signal", "similar ones were not set aside")


class SetAsideReason(models.TextChoices):
    """Why a match is not for one of its sides."""

    OUTSIDE = "outside", _("outside what we do, or another thing than we need")
    CAPACITY = "capacity", _("no capacity in these months")
    COST = "cost", _("cost terms")
    LANGUAGE = "language", pgettext_lazy("reason", "language")
    DONE = "done", _("we work on this together already")
    OTHER = "other", pgettext_lazy("reason", "another reason")


# --- mail --------------------------------------------------------------------------------------------------------------
class NoticeKind(models.TextChoices):
    """Why somebody is told of something. Each person chooses how often, for each."""

    YOUR_MOVE = "your_move", _("Something waits for you or your side")
    YOURS = "yours", _("Something happened to a need, response, offer or project of yours")
    FOLLOWED = "followed", _("Something happened to a need that you follow")
    MATCHED = "matched", _("A need fits an offer of yours, or an offer a need of yours")


class Frequency(models.TextChoices):
    IMMEDIATE = "immediate", _("at once")
    DAILY = "daily", _("once a day, in one message")
    NONE = "none", _("never")


class Delivery(models.TextChoices):
    """What became of a message."""

    WAITING = "waiting", pgettext_lazy("message", "waits to be sent")
    SENT = "sent", pgettext_lazy("message", "sent")
    FAILED = "failed", pgettext_lazy("message", "failed, given up")
    BOUNCED = "bounced", pgettext_lazy("message", "came back")
    UNWANTED = "unwanted", pgettext_lazy("message", "not wanted")


# --- webhooks ----------------------------------------------------------------------------------------------------------
class Followed(models.TextChoices):
    """Lists whose changes a webhook tells of."""

    PROJECT = "project", _("projects")
    NEED = "need", _("needs")
    OFFER = "offer", _("offers")


class PauseReason(models.TextChoices):
    NOBODY = "", "–"
    OWNER = "owner", _("its owner")
    FAILURES = "failures", _("the portal, because nobody answered")


class CallState(models.TextChoices):
    """What became of a call."""

    WAITING = "waiting", pgettext_lazy("call", "waits for its next attempt")
    DONE = "done", pgettext_lazy("call", "taken")
    FAILED = "failed", pgettext_lazy("call", "failed, given up")


# --- duplicates --------------------------------------------------------------------------------------------------------
class PairState(models.TextChoices):
    """What staff decided about two records that may be one project."""

    OPEN = "open", pgettext_lazy("pair", "to be decided")
    MERGED = "merged", pgettext_lazy("pair", "merged")
    DISTINCT = "distinct", pgettext_lazy("pair", "two projects")
