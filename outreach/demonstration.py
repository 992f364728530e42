"""News, events and calls of the demonstration: made up, and marked so."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from outreach.models import Announcement, AnnouncementText
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
