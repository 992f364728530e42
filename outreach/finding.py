"""Words looked for in the site's own texts: pages, news and stories, in any language."""

from dataclasses import dataclass

from django.db.models import Q, Value

from outreach.models import Announcement, Page, Story
from partners.models.naming import Fold

MOST = 5  # of each kind
KINDS = ((Page, "page"), (Announcement, "news"), (Story, "story"))


@dataclass(frozen=True)
class Hit:
    kind: str
    title: str
    language: str
    address: str


def texts_with(words: str, user) -> list[Hit]:
    """What this person may read and has all of the words, whatever accents and case; in the reader's language where there is one."""
    wanted = [Value(word) for word in words.split()[:10] if len(word) > 1]
    if not wanted:
        return []
    found = []
    for model, kind in KINDS:
        texts = model._meta.get_field("texts").related_model.objects.alias(
            title_folded=Fold("title"), lede_folded=Fold("lede"), body_folded=Fold("body")
        )
        for word in wanted:
            folded = Fold(word)
            texts = texts.filter(
                Q(title_folded__contains=folded) | Q(lede_folded__contains=folded) | Q(body_folded__contains=folded)
            )
        of = model._meta.get_field("texts").field.name
        records = model.objects.visible_to(user).with_texts().filter(pk__in=texts.values(of))[:MOST]
        read = [(one, one.text) for one in records]
        found += [Hit(kind, text.title, text.language, one.get_absolute_url()) for one, text in read if text]
    return found
