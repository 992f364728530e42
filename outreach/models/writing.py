"""What staff write in several languages: the text that a reader gets, and what every text has."""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from outreach import markup
from outreach.models.picture import Picture
from partners.rules import is_unep


class PublicQuerySet(models.QuerySet):
    def visible_to(self, user):
        """What is public; UNEP's staff sees the rest, too."""
        return self if is_unep(user) else self.filter(is_public=True)


class WrittenQuerySet(PublicQuerySet):
    def with_texts(self):
        return self.prefetch_related("texts")


class Written(models.Model):
    """Base of records with `texts`, one for each language."""

    is_public = models.BooleanField(_("public"), default=False)

    objects = WrittenQuerySet.as_manager()

    class Meta:
        abstract = True

    @property
    def text(self):
        """Its text in the reader's language, else in English, else in any; None where there is none."""
        texts = {text.language: text for text in self.texts.all()}
        return texts.get(get_language() or "en") or texts.get("en") or next(iter(texts.values()), None)


class TextInLanguage(models.Model):
    """Base of a text in one language."""

    language = models.CharField(_("language"), max_length=10, choices=settings.LANGUAGES, default="en")
    title = models.CharField(_("title"), max_length=150)
    lede = models.CharField(
        _("first sentence"), max_length=300, blank=True, help_text=_("Also what search engines show.")
    )
    body = models.TextField(_("text"), max_length=40_000, blank=True, help_text=markup.HELP)

    class Meta:
        abstract = True

    def __str__(self):
        return self.title

    def clean(self):
        missing = markup.pictures_in(self.body) - set(Picture.objects.values_list("name", flat=True))
        if missing:
            raise ValidationError(
                {"body": _("There is no picture “%(name)s”. Add it under Pictures first.") % {"name": min(missing)}}
            )
