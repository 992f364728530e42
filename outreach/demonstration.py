"""News, events, calls, the newsletter and a story of the demonstration: made up, and marked so."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from outreach.choices import MailingKind
from outreach.models import Announcement, AnnouncementText, Issue, IssueText, Mailing, Story, StoryText
from partners.models import Country, Partner
from projects.models import Project, Term

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


STORY = {  # of a finished project of the demonstration
    "title": "Soil tests in the village on market day",
    "lede": "Farmers waited months for an answer from the laboratory. Now they take it home with their shopping.",
    "problem": "The nearest laboratory is two days away. Samples got lost, answers came after the planting, and nobody asked again.\n\nWhat was missing was not a bigger laboratory but a **small one that travels**, and people of the district who can run it.",
    "body": "Engineers from India brought two kits that fit on a motorcycle and stayed for six market days. From the third on, the district's own people tested, with the engineers beside them.\n\n- each farmer brings a cup of soil and gets a sheet with three lines\n- the sheet says what to add, in cups, not in kilograms\n- every twentieth sample goes to the laboratory as a check",
    "lessons": "- Come on market day. Nobody makes a second journey for a sample.\n- Write the answer in the measure that people have at home.\n- **What went wrong:** the first kits needed a reagent that had to be kept cold. We lost a month before we changed it; ask about that first.",
    "quote": "I did not learn a machine, I learned what to tell my neighbour.",
    "quoted": "An extension worker (made up, as all of this)",
}  # fmt: skip


@transaction.atomic
def load_stories() -> int:
    """A published story of a finished project, and one that is being written. Returns how many are new."""
    finished = Project.objects.filter(is_illustrative=True, state="published").finished().order_by("pk")
    project = finished.filter(title=STORY["title"]).first()
    if project is None:
        return 0
    now, agreed = timezone.now(), {"consent_by": "made up", "consent_on": timezone.localdate()}
    story, is_new = Story.objects.get_or_create(
        slug="soil-tests-on-market-day",
        defaults={
            "project": project, "need": project.needs.first(), "is_public": True, "published_at": now, "asked_at": now,
            "is_illustrative": True, **agreed,
        },
    )  # fmt: skip
    if is_new:
        StoryText.objects.create(story=story, language="en", **STORY)
        other = finished.exclude(pk=project.pk).first()
        draft = Story.objects.create(slug="a-story-under-way", project=other, is_illustrative=True)
        StoryText.objects.create(story=draft, language="en", title="A story under way", lede="To be written.")
    return 2 * is_new
