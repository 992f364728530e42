"""Template tags and filters of every page: names, texts, dates and numbers as the reader writes them."""

import json

from babel import Locale
from babel.dates import format_date
from django import template
from django.conf import settings
from django.contrib.auth import get_user_model
from django.forms import CheckboxSelectMultiple, MultiWidget
from django.template.loader_tags import BLOCK_CONTEXT_KEY
from django.utils.html import format_html, strip_tags
from django.utils.safestring import mark_safe
from django.utils.translation import get_language, gettext
from translated_fields import to_attribute

from ground import listing

register = template.Library()
_DIGITS = str.maketrans("٠١٢٣٤٥٦٧٨٩", "0123456789")
RIGHT_TO_LEFT = {"ar", "he", "fa", "ur"}


def _locale() -> str:
    return {"en": "en_GB", "zh-hans": "zh_Hans"}.get(get_language() or "en", get_language() or "en")


@register.filter
def day(value) -> str:
    """A date in words: 1 July 2026."""
    return format_date(value, "long", locale=_locale()).translate(_DIGITS) if value else ""


@register.filter
def month(value) -> str:
    """A month in words: July 2026."""
    return format_date(value, "LLLL y", locale=_locale()).translate(_DIGITS) if value else ""


@register.filter
def number(value) -> str:
    """A number with narrow spaces between thousands and no idle zeros: 12 400; 3.5."""
    if value is None:
        return ""
    text = f"{value:,}" if isinstance(value, int) else f"{value:,.2f}".rstrip("0").rstrip(".")
    return text.replace(",", "\u202f")


@register.simple_tag
def comma() -> str:
    """Between two words of one list, in the writing of the page: Arabic and Chinese have commas of their own."""
    return listing.comma()


@register.simple_tag
def semicolon() -> str:
    """Between two entries that may hold commas themselves."""
    return listing.semicolon()


@register.filter
def listed(values) -> str:
    """Words of one list, with commas between them."""
    return listing.with_commas(values)


@register.simple_tag
def money(amount, currency) -> str:
    """An amount with its currency: EUR 180 000."""
    return f"{currency}\u00a0{number(amount)}" if amount is not None else ""


@register.filter
def in_language(text: str, language: str):
    """Text marked with its language and direction where that is not the page's."""
    code = (language or "").split("-")[0]
    if not code or code == (get_language() or "en").split("-")[0]:
        return format_html("{}", text)
    direction = "rtl" if code in RIGHT_TO_LEFT else "ltr"
    return format_html('<span lang="{}" dir="{}">{}</span>', language, direction, text)


@register.simple_tag
def translation_notice() -> str:
    """What pages and mail say of their own words until a translator has checked them (docs/decisions/0015-translations.md)."""
    if get_language() in settings.REVIEWED_LANGUAGES:
        return ""
    return gettext("The portal’s words are translated by machine and not checked yet; the English holds.")


def language_of_name(record) -> str:
    """The language of a record's name as the reader sees it: theirs, or English where there is none in theirs."""
    reader = get_language() or "en"
    return reader if getattr(record, to_attribute("name", reader), True) else "en"


@register.filter
def named(record):
    """The name of a record in the reader's language; in English, and marked so, where there is none."""
    return in_language(record.name, language_of_name(record))


@register.filter
def entitled(record):
    """A record as it calls itself, such as a goal with its number; marked as English where it has no other name."""
    return in_language(str(record), language_of_name(record))


@register.filter
def text(record, name: str):
    """A text of a project in the reader's language, marked where it is in another."""
    return in_language(*record.text(name))


@register.filter
def paragraphs(value: str) -> list[str]:
    """The paragraphs of a plain text."""
    return [part.strip() for part in value.split("\n") if part.strip()]


@register.filter
def in_words(code: str) -> str:
    """The name of a language in the reader's language (Unicode CLDR); the code where it has none there."""
    known = Locale.parse(_locale()).languages
    return known.get(code.replace("-", "_")) or known.get(code.partition("-")[0]) or code


@register.filter
def person(key):
    """The person that a kept change names by key."""
    return get_user_model().objects.filter(pk=key).first() if key else None


@register.filter
def words(value) -> int:
    """How many words a text has."""
    return len(str(value or "").split())


@register.filter
def length_of(value) -> int:
    return len(str(value or ""))


@register.filter
def get(mapping, key: str):
    """A value by its key; nothing where it is not there."""
    return mapping.get(key, "")


@register.filter
def is_many(field) -> bool:
    """Whether a form field is a group of boxes to tick."""
    return isinstance(field.field.widget, CheckboxSelectMultiple)


@register.filter
def is_split(field) -> bool:
    """Whether a form field has several inputs, such as month and year."""
    return isinstance(field.field.widget, MultiWidget)


@register.filter
def box_of(form, term) -> str:
    """The id of the box that stands for a term in a form of vocabularies."""
    for field in form:
        for option in field if is_many(field) else ():
            if str(option.data["value"]) == str(term.pk):
                return option.id_for_label
    return ""


@register.simple_tag(takes_context=True)
def block_again(context, name: str):
    """What a block of this page says, once more, as one line for an attribute."""
    block = context.render_context[BLOCK_CONTEXT_KEY].get_block(name)
    return mark_safe(" ".join(strip_tags(block.render(context)).split()).replace('"', "&quot;"))  # noqa: S308  as escaped as before


@register.simple_tag
def json_ld(data: dict):
    """Linked data inside a page (JSON-LD 1.1): a block of data, no script, so the strict policy allows it."""
    text = json.dumps(data, ensure_ascii=False)
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04X}")
    return mark_safe(f'<script type="application/ld+json">{text}</script>')  # noqa: S308  nothing in it can end the block


@register.filter
def carrying_mark(page, mark: str):
    """Django's page that asks whether to delete, whose form also says which version it showed (desk/removing.py)."""
    field = '<input type="hidden" name="post" value="yes">'
    carried = format_html('<input type="hidden" name="_as_shown" value="{}">', mark)
    return mark_safe(page.replace(field, field + carried))  # noqa: S308  a page as it was rendered
