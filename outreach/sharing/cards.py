"""The card of a page: what it is about in a few words. Only of what everybody may read."""

from collections.abc import Callable
from dataclasses import dataclass, field

from django.contrib.auth.models import AnonymousUser
from django.urls import ResolverMatch, reverse
from django.utils.text import capfirst
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from ground import listing
from outreach import seeing
from outreach.models import Announcement, Issue, Page, Story
from partners.models import Country, Partner
from projects import charts
from projects.models import Need, Offer, Project

NOBODY = AnonymousUser()
LONGEST = 220  # letters of the text
FLAT = ("map", "time")  # pictures that can be read in a card


@dataclass(frozen=True)
class Card:
    """What a card says. `strips`: of each line of a need or project, its parts as (pattern, start, width in per cent)."""

    title: str
    language: str
    address: str
    kind: str
    text: str = ""
    facts: tuple[str, ...] = ()
    strips: tuple[tuple[tuple[str, str, str], ...], ...] = ()
    drawing: str = field(default="", repr=False)  # SVG in place of strips
    is_illustrative: bool = False


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1].rsplit(' ', 1)[0]}…"


def _record(record, kind: str, text: str, facts: list[str], swatch=None) -> Card:
    title, language = record.text("title")
    strips = (
        tuple(tuple((p.pattern, p.start, p.width) for p in parts) for _top, parts in swatch.strips) if swatch else ()
    )
    return Card(
        title, language, record.get_absolute_url(), kind, _short(record.text(text)[0]),
        (record.reference, *facts, capfirst(record.get_state_display() if text != "summary" or kind == _("Offer") else record.get_status_display())),
        strips, is_illustrative=record.is_illustrative,
    )  # fmt: skip


def _need(code: str) -> Card | None:
    found = Need.objects.visible_to(NOBODY).for_listing().filter(reference=code).first()
    return found and _record(found, _("Need"), "public_summary", [found.country.name], charts.need_swatch(found))


def _offer(code: str) -> Card | None:
    found = Offer.objects.visible_to(NOBODY).for_listing().filter(reference=code).first()
    return found and _record(found, _("Offer"), "summary", [found.provider.name])


def _project(code: str) -> Card | None:
    found = Project.objects.visible_to(NOBODY).for_listing().filter(reference=code).first()
    if found is None:
        return None
    countries = [link.country.name for link in found.country_links.all() if link.country]
    return _record(found, _("Project"), "summary", [listing.with_commas(countries[:4])], charts.swatch(found))


def _country(code: str) -> Card | None:
    found = Country.objects.filter(iso3=code).first()
    if found is None:
        return None
    figures = Project.objects.figures(country=found)
    text = _("%(name)s: what it shares and draws on in South-South cooperation on the environment.") % {
        "name": found.name
    }
    facts = (
        (ngettext("%(n)s project", "%(n)s projects", figures.total) % {"n": figures.total},) if figures.total else ()
    )
    return Card(found.name, get_language() or "en", found.get_absolute_url(), _("Country"), text, facts)


def _partner(code: str) -> Card | None:
    found = Partner.objects.filter(slug=code).first()
    if found is None:
        return None
    text = _("%(name)s: its part in South-South cooperation on the environment.") % {"name": found.name}
    return Card(found.name, get_language() or "en", found.get_absolute_url(), _("Partner"), text, is_illustrative=found.is_illustrative)  # fmt: skip


def _written(records, kind: str, **by) -> Card | None:
    found = records.visible_to(NOBODY).with_texts().filter(**by).first()
    text = found and found.text
    if not text:
        return None
    made_up = getattr(found, "is_illustrative", False)
    return Card(text.title, text.language, found.get_absolute_url(), kind, _short(text.lede), is_illustrative=made_up)


def _news(code: str) -> Card | None:
    return _written(Announcement.objects, _("News"), slug=code)


def _page(code: str) -> Card | None:
    return _written(Page.objects, _("About"), path=code.replace("--", "/"))


def _issue(code: str) -> Card | None:
    return _written(Issue.objects, _("The newsletter"), slug=code)


def _story(code: str) -> Card | None:
    return _written(Story.objects, _("Story"), slug=code)


def _picture(code: str) -> Card | None:
    told, _dash, slug = code.partition("-")
    picture = seeing.PICTURES.get(slug)
    if picture is None or told not in picture.of:
        return None
    made = seeing.made(picture, told, "")
    address = reverse("picture-of", args=[told, slug])
    return Card(
        made.title,
        get_language() or "en",
        address,
        _("See it"),
        made.sentence,
        drawing=made.svg if made.rows and slug in FLAT else "",
    )


def _site(code: str) -> Card:
    text = _("A public record of South-South cooperation on the environment.")
    return Card(_("South-South cooperation"), get_language() or "en", reverse("home"), "", text)


CARDS: dict[str, Callable[[str], Card | None]] = {
    "needs": _need, "offers": _offer, "projects": _project, "countries": _country, "partners": _partner, "news": _news,
    "about": _page, "newsletter": _issue, "stories": _story, "see": _picture, "site": _site,
}  # fmt: skip
PAGES: dict[str, Callable[[dict], tuple[str, str]]] = {  # name of an address: (kind of card, its code)
    "need": lambda found: ("needs", found["reference"]),
    "offer": lambda found: ("offers", found["reference"]),
    "project": lambda found: ("projects", found["reference"]),
    "country": lambda found: ("countries", found["iso3"]),
    "partner": lambda found: ("partners", found["slug"]),
    "news": lambda found: ("news", found["slug"]),
    "page": lambda found: ("about", found["path"].replace("/", "--")),
    "story": lambda found: ("stories", found["slug"]),
    "issue": lambda found: ("newsletter", found["slug"]),
    "picture-of": lambda found: ("see", f"{found['told']}-{found['slug']}"),
}


def card_of(kind: str, code: str) -> Card | None:
    """The card in the reader's language; None where there is no such page for everybody."""
    return CARDS[kind](code) if kind in CARDS else None


def of_page(match: ResolverMatch | None) -> tuple[str, str] | None:
    """The kind and code of the card of an address; None where it has none of its own. Asks no database."""
    made = PAGES.get(match.url_name) if match else None
    return made(match.kwargs) if made else None
