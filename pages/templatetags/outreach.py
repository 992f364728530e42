"""Tags of the site's own pages: the language of a text, the day of a milestone; how a page is shared."""

from urllib.parse import quote, urlsplit

from django import template
from django.conf import settings
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import get_language
from translated_fields import to_attribute

from ground.templatetags.portal import RIGHT_TO_LEFT, day, in_language, month
from outreach import finding, sharing
from outreach.choices import Precision

register = template.Library()


@register.simple_tag
def language_of(language: str):
    """Attributes that mark a part of the page in another language than the page's."""
    if language == get_language():
        return ""
    return format_html(' lang="{}" dir="{}"', language, "rtl" if language in RIGHT_TO_LEFT else "ltr")


@register.filter
def moment(milestone) -> str:
    """When it happened, as exactly as it is known."""
    if milestone.precision == Precision.YEAR:
        return str(milestone.happened_on.year)
    return (month if milestone.precision == Precision.MONTH else day)(milestone.happened_on)


@register.filter
def datetime(milestone) -> str:
    """The same for machines (HTML: valid date, month or year string)."""
    length = {Precision.YEAR: 4, Precision.MONTH: 7}.get(milestone.precision, 10)
    return milestone.happened_on.isoformat()[:length]


@register.filter
def told(milestone):
    """What happened, in the reader's language, else marked as English."""
    reader = get_language() or "en"
    return in_language(milestone.text, reader if getattr(milestone, to_attribute("text", reader), "") else "en")


@register.filter
def host(address: str) -> str:
    return urlsplit(address).hostname or ""


@register.simple_tag(takes_context=True)
def texts_with(context, words: str) -> list[finding.Hit]:
    """Pages, news and stories with these words."""
    return finding.texts_with(words, context["user"])


SITES = (  # name, address with a place for the page's own; plain links, which ask them nothing before they are followed
    ("X", "https://x.com/intent/post?url={}"),
    ("LinkedIn", "https://www.linkedin.com/sharing/share-offsite/?url={}"),
    ("Facebook", "https://www.facebook.com/sharer/sharer.php?u={}"),
    ("WhatsApp", "https://wa.me/?text={}"),
)


RECORDS = ("need", "offer", "project", "announcement", "issue", "story", "page")  # as what a page has its record


def _is_public(record) -> bool:
    return getattr(record, "is_published", getattr(record, "is_public", True))


@register.simple_tag(takes_context=True)
def shared(context) -> dict:
    """How a page is shown elsewhere: its picture, and where it has a card the addresses of card, oEmbed and other sites."""
    request = context.get("request")
    card = sharing.of_page(getattr(request, "resolver_match", None))
    if card and not all(_is_public(context[name]) for name in RECORDS if name in context):
        card = None
    kind, code = card or ("site", "site")
    image = settings.PORTAL_URL + reverse("card-picture", args=[kind, code])
    if card is None:
        return {"image": image}
    # Of a picture the filters belong to the address; a record is the same without them.
    address = request.build_absolute_uri(request.get_full_path() if kind == "see" else request.path)
    quoted = quote(address, safe="")
    return {
        "image": image,
        "address": address,
        "name": code,
        "oembed": f"{reverse('oembed')}?url={quoted}",
        "frame": request.build_absolute_uri(reverse("card", args=card)) if kind != "see" else "",
        "mail": f"mailto:?body={quoted}",
        "sites": [(name, place.format(quoted)) for name, place in SITES],
        "about": quote(request.path),
    }
