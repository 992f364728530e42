"""News, events, calls and the newsletter of the demonstration: made up, and marked so."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from outreach.choices import MailingKind
from outreach.models import Announcement, AnnouncementText, Issue, IssueText, Mailing
from partners.models import Country, Partner
from projects.models import Term

NEWS = [  # slug, what it is, days from today, themes, partners, texts
    (
        "needs-can-be-drafted", {"kind": "news"}, {"published_on": -10}, [], [],
        {
            "en": ("Needs can be drafted", "Every country can state what it lacks, line by line.", "Ask for a role for your country, then begin: [how it works](/about/how-it-works/countries/). A draft is kept for twelve months."),
            "fr": ("Les besoins peuvent être rédigés", "Chaque pays peut dire ce qui lui manque, ligne par ligne.", "Demandez un rôle pour votre pays, puis commencez : [comment ça marche](/about/how-it-works/countries/). Un brouillon est conservé douze mois."),
        },
    ),
    (
        "course-river-gauges", {"kind": "event", "place": "Nairobi", "country": "KEN"}, {"published_on": -5, "starts_on": 24, "ends_on": 27},
        ["freshwater"], ["undp"],
        {"en": ("Four days on river gauges", "Technicians of six countries learn to read, mend and calibrate gauges.", "## Who can come\n\nTechnicians who look after gauges already. Bring one that is broken.\n\n## What it costs\n\nNothing; the host pays for rooms and meals.")},
    ),
    (
        "call-waste-inspectors", {"kind": "call", "url": "https://apply.example.org/inspectors"}, {"published_on": -2, "deadline": 35},
        ["waste"], [],
        {"en": ("Places for inspectors of waste", "Two weeks beside colleagues in another country of the South.", "Twelve places, travel paid. Say in one page what your inspectorate would do differently afterwards.")},
    ),
    (
        "exchange-wetlands", {"kind": "event", "place": "Kampala", "country": "UGA"}, {"published_on": -90, "starts_on": -60, "ends_on": -58},
        ["wetlands"], [],
        {"en": ("Wetland managers visit each other", "What three countries learned from the papyrus at the edge of a city.", "The visit is over; its notes are among the documents of the project.")},
    ),
]  # fmt: skip


@transaction.atomic
def load_news() -> int:
    """Makes what is not there yet. Returns how many."""
    today, made = timezone.localdate(), 0
    for slug, values, days, themes, partners, texts in NEWS:
        values = dict(values)
        if country := values.pop("country", None):
            values["country"] = Country.objects.get(iso3=country)
        values |= {name: today + timedelta(days=n) for name, n in days.items()}
        one, is_new = Announcement.objects.get_or_create(
            slug=slug, defaults={**values, "is_public": True, "is_illustrative": True}
        )
        if is_new:
            made += 1
            one.themes.set(Term.objects.themes().filter(code__in=themes))
            one.partners.set(Partner.objects.filter(slug__in=partners))
            for language, (title, lede, body) in texts.items():
                AnnouncementText.objects.create(announcement=one, language=language, title=title, lede=lede, body=body)
    return made


ISSUES = [  # slug, days since it was sent (None: not yet), texts
    (
        "2026-10", 30,
        {
            "en": ("October in short (illustrative)", "Three needs found their partner; two still wait.", "## Answered\n\nRiver gauges, mangroves and a course on waste: see [what was agreed](/needs/?state=agreed).\n\n## Still waiting\n\nWho can help with [what nobody has answered yet](/needs/unanswered/)?"),
            "fr": ("Octobre en bref (exemple)", "Trois besoins ont trouvé leur partenaire ; deux attendent encore.", "## Répondus\n\nStations fluviales, mangroves et un cours sur les déchets : voir [ce qui a été convenu](/needs/?state=agreed).\n\n## En attente\n\nQui peut aider pour [ce à quoi personne n’a répondu](/needs/unanswered/) ?"),
        },
    ),
    ("2026-11", None, {"en": ("November in short (illustrative)", "What came in, what went out.", "## New\n\nTo be written.")}),
]  # fmt: skip


@transaction.atomic
def load_issues() -> int:
    """One issue that was sent, to nobody, and one that is being written. Returns how many are new."""
    made = 0
    for slug, days, texts in ISSUES:
        issue, is_new = Issue.objects.get_or_create(slug=slug, defaults={"is_public": days is not None})
        if is_new:
            made += 1
            for language, (title, lede, body) in texts.items():
                IssueText.objects.create(issue=issue, language=language, title=title, lede=lede, body=body)
            if days is not None:
                then = timezone.now() - timedelta(days=days)
                Mailing.objects.create(kind=MailingKind.ISSUE, issue=issue, until=then, started_at=then, ended_at=then)
    return made
