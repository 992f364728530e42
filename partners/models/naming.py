"""Names kept in the six languages of the United Nations, one column each."""

from django.db import models
from django.db.models.functions import Coalesce, NullIf
from django.utils.translation import get_language
from translated_fields import TranslatedField, to_attribute

FALLBACK = "en"


def _in_readers_language(name, field):
    """The name in the reader's language, else in English. `named` in templates marks the language of a fallback."""

    def getter(self):
        return getattr(self, to_attribute(name, get_language() or FALLBACK)) or getattr(
            self, to_attribute(name, FALLBACK)
        )

    return getter


def translated_name(verbose_name, *, max_length: int = 250, required: bool = True, help_text="") -> TranslatedField:
    """A name in six languages; at most English is required."""
    return TranslatedField(
        models.CharField(verbose_name, max_length=max_length, blank=True, help_text=help_text),
        {FALLBACK: {"blank": not required}},
        attrgetter=_in_readers_language,
    )


class Fold(models.Func):
    """Lower case without accents (SQL function `fold`, migration partners 0002): sorts Åland beside Albania."""

    function = "fold"
    output_field = models.TextField()


class NamedQuerySet(models.QuerySet):
    """Rows with a `name` in six languages."""

    def by_name(self):
        """In the alphabetical order of the reader's language; ties by key."""
        local = Coalesce(NullIf(to_attribute("name", get_language() or FALLBACK), models.Value("")), f"name_{FALLBACK}")
        return self.order_by(Fold(local), "pk")

    def counted(self, counts: dict[int, int]) -> list:
        """The rows that have a count, each with it as `n`: the most first, ties in their own order."""
        rows = list(self.filter(pk__in=counts))
        for row in rows:
            row.n = counts[row.pk]
        return sorted(rows, key=lambda row: -row.n)
