"""Strips of projects and needs in lists."""

from django import template
from django.utils.translation import gettext as _

from ground.templatetags.portal import number
from projects import charts, glyphs, search
from projects.choices import Checked, counted
from projects.coverage import letter_of
from projects.models import record_check

register = template.Library()


@register.filter
def swatch(record):
    """One strip per contribution of a project or line of a need, or None where there are none."""
    return charts.swatch(record) if record._meta.model_name == "project" else charts.need_swatch(record)


@register.filter
def unit_of(record, quantity) -> str:
    """The unit of a line or a result after this many of it: 1 person, 2 people."""
    return counted(record.unit, quantity)


@register.simple_tag
def marked(project, name: str, compiled=None, length: int = 0):
    """A text of a project with the searched words marked; with `length`, a piece of it around the first hit."""
    text, language = project.text(name)
    if length and len(text) > length:
        text = search.excerpt(text, compiled, length)
    return {"text": search.mark(text, compiled), "language": language}


@register.filter
def women_and_men(record) -> str:
    """How many people of each sex; what nobody counted is said, never zero."""
    women, men = number(record.women), number(record.men)
    if women and men:
        return _("%(women)s women, %(men)s men") % {"women": women, "men": men}
    if women:
        return _("%(women)s women, men not counted") % {"women": women}
    return _("%(men)s men, women not counted") % {"men": men} if men else ""


@register.filter
def glyph(theme) -> str:
    """The path of a theme's glyph."""
    return glyphs.path(theme.code)


@register.filter
def letter(place: int) -> str:
    """How the line at this place is called: A, B, ..."""
    return letter_of(place)


@register.filter
def checked(project) -> Checked:
    """How far the record of a project is confirmed by those who take part."""
    return Checked(record_check.checked(project))
