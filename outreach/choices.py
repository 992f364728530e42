"""Fixed lists of the site's own pages."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Menu(TextChoices):
    """Where a page is listed, in this order."""

    ABOUT = "about", _("About")
    USING = "using", _("How it works")
    FORUMS = "forums", _("Regional forums and initiatives")
    SMALL_PRINT = "small_print", _("About this site")


class Shows(TextChoices):
    """What of the records a page shows below its text."""

    NOTHING = "", _("nothing")
    MILESTONES = "milestones", _("the milestones")
    AREAS = "areas", _("the areas of the Bali Strategic Plan, with what was recorded")
    PLACES = "places", _("the countries of its group or partner, with what was recorded")


class MilestoneKind(TextChoices):
    CONFERENCE = "conference", _("conference")
    RESOLUTION = "resolution", _("resolution or decision")
    PLAN = "plan", _("plan or agreement")
    INSTITUTION = "institution", _("institution")
    REPORT = "report", _("report or commitment")


class Precision(TextChoices):
    """How exactly the day of a milestone is known."""

    YEAR = "year", _("the year")
    MONTH = "month", _("the month")
    DAY = "day", _("the day")


class ChannelKind(TextChoices):
    X = "x", "X"
    YOUTUBE = "youtube", "YouTube"
    FACEBOOK = "facebook", "Facebook"
    LINKEDIN = "linkedin", "LinkedIn"
    OTHER = "other", _("other")


class ContactState(TextChoices):
    NEW = "new", _("received")
    TAKEN = "taken", _("in hand")
    ANSWERED = "answered", _("answered")
    CLOSED = "closed", _("closed")
    SPAM = "spam", _("unwanted")


class AnnouncementKind(TextChoices):
    NEWS = "news", _("news")
    EVENT = "event", _("event")
    CALL = "call", _("call")


class Told(TextChoices):
    """What one can ask to be told of."""

    NEEDS = "needs", _("new needs")
    OFFERS = "offers", _("new offers")
    PROJECTS = "projects", _("new projects")
    NEWS = "news", _("news, events and calls")
    NEWSLETTER = "newsletter", _("the newsletter")


class Rhythm(TextChoices):
    """How often one is told."""

    DAILY = "daily", _("each day")
    WEEKLY = "weekly", _("each week")
    MONTHLY = "monthly", _("each month")


class MailingKind(TextChoices):
    DAILY = "daily", _("daily digest")
    WEEKLY = "weekly", _("weekly digest")
    MONTHLY = "monthly", _("monthly digest")
    ISSUE = "issue", _("newsletter")
