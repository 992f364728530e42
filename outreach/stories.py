"""How a story comes to be published: written, looked over by a second person, sent back or published, taken back."""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from ground import listing
from outreach.choices import Told
from outreach.models import Story
from outreach.subjects import SUBJECTS, Row
from partners.rules import require
from projects import lifecycle
from projects.choices import NeedState, OfferState, Status, Vocabulary

MOVES = {  # act: (permission, whether it is public, whether its review was asked for)
    "ask": ("change_story", False, False),
    "publish": ("publish_story", False, True),
    "send_back": ("publish_story", False, True),
    "take_back": ("publish_story", True, True),
}
RELATED = 3  # needs and offers beside a story


def possible(story: Story, user) -> list[str]:
    """What this person can do with the story now."""
    return [
        act
        for act, (permission, is_public, is_asked) in MOVES.items()
        if story.is_public is is_public
        and bool(story.asked_at) is is_asked
        and user.has_perm(f"outreach.{permission}", story)
    ]


def lacks(story: Story) -> list[str]:
    """What a story needs before a second person looks at it."""
    missing = []
    if story.project.status not in (Status.FINALISATION, Status.CLOSED) or not story.project.is_published:
        missing.append(_("The project has to be finished and public: stories tell what came of it."))
    english = next((text for text in story.texts.all() if text.language == "en"), None)
    if english is None:
        missing.append(_("Write the text in English."))
    else:
        names = ("lede", "problem", "body", "lessons")
        fields = [english._meta.get_field(name).verbose_name for name in names if not getattr(english, name).strip()]
        if fields:
            missing.append(_("The English text lacks: %(fields)s.") % {"fields": listing.with_commas(fields)})
    if any(text.quote for text in story.texts.all()) and not story.consent_on:
        missing.append(_("Say who agreed to be quoted, and when; or leave the quote out."))
    return missing


@transaction.atomic
def move(story: Story, act: str, *, by, note: str = "") -> Story:
    """One step of a story. Raises PermissionDenied, and ValidationError where it is out of place or lacks something."""
    now = Story.objects.select_for_update(of=("self",)).select_related("project").get(pk=story.pk)
    permission, is_public, is_asked = MOVES[act]
    require(by, f"outreach.{permission}", now)
    lifecycle.only_as_seen(story, now)
    if now.is_public is not is_public or bool(now.asked_at) is not is_asked:
        raise ValidationError(_("It is “%(state)s” by now.") % {"state": now.state}, code="state")
    note = note.strip()
    if act == "send_back" and not note:
        raise ValidationError(_("Say what to change."), code="required")
    if act in ("ask", "publish") and (missing := lacks(now)):
        raise ValidationError(missing)
    if act == "publish" and now.asked_by_id == by.pk:
        raise ValidationError(_("Somebody else has to look it over: you asked for it."), code="second")
    if act == "ask":
        now.asked_at, now.asked_by, now.note = timezone.now(), by, ""
    elif act == "publish":
        now.is_public, now.published_at, now.published_by = True, now.published_at or timezone.now(), by
    else:
        now.is_public, now.asked_at, now.asked_by, now.note = False, None, None, note
    now.full_clean()
    now.save()
    return now


def related(story: Story) -> list[tuple[str, list[Row], str]]:
    """Needs that wait and offers that can be had in the themes of a story: (of what, the newest, the list)."""
    codes = story.project.terms.filter(vocabulary=Vocabulary.BSP_THEME).values_list("code", flat=True)
    themes = sorted(f"bsp-theme:{code}" for code in codes)
    if not themes:
        return []
    found = []
    for told, states in ((Told.NEEDS, (NeedState.OPEN, NeedState.IN_DIALOGUE)), (Told.OFFERS, (OfferState.ACTIVE,))):
        subject = SUBJECTS[told]
        query = "&".join([*(f"term={theme}" for theme in themes), *(f"state={state}" for state in states)])
        filterset = subject.filterset(query)
        if filterset.is_valid():
            newest = filterset.entries().filter(is_public=True).newest().values_list("pk", flat=True)[:RELATED]
            if rows := subject.rows(list(newest)):
                found.append((told, rows, subject.address(query)))
    return found
