"""Tags of the site's own pages: the language of a text, the day of a milestone."""

from urllib.parse import urlsplit

from django import template
from django.utils.html import format_html
from django.utils.translation import get_language
from translated_fields import to_attribute

from outreach.choices import Precision
from ssc_portal.templatetags.portal import RIGHT_TO_LEFT, day, in_language, month

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
