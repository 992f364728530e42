"""Names and texts that people enter hold words of any length: no page scrolls sideways for them, in either direction of writing."""

import datetime as dt

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from outreach.models import Announcement, AnnouncementText, Story, StoryText
from partners.choices import Role
from partners.models import ApiToken, Partner
from projects import actions, uploads
from projects.choices import NeedState
from projects.forms import OFFER_PARTS, PARTS
from projects.models import Follow, Need, NeedDocument, Response
from tests import THOROUGH
from tests.api_calls import token_of
from tests.browser.conftest import BROWSER, page_of
from tests.drafts import PDF
from tests.factories import (
    ContributionFactory,
    MembershipFactory,
    NeedFactory,
    OfferFactory,
    ProjectFactory,
    ResponseFactory,
    ResultFactory,
)

pytestmark = [*BROWSER, pytest.mark.xdist_group("long words")]
WORD = "Wasserqualitaetsueberwachungsverordnung" * 4 + "x" * 24
assert len(WORD) == 180


@pytest.fixture
def person(chromium, media):
    """Somebody with every role, whose own pages hold long words too."""
    lead = MembershipFactory(role=Role.PARTNER_LEAD).user
    for role in (Role.FOCAL_POINT, Role.DESK, Role.ADMINISTRATOR):
        MembershipFactory(user=lead, role=role)
    lead.full_name = WORD[:120]
    lead.save()
    return lead


def long_records(person) -> list[str]:
    """Records of every kind with a long word in each of their texts. Gives the addresses of pages that show them."""
    project = ProjectFactory(published=True, title=WORD, summary=WORD, description=WORD, objectives=WORD, lessons=WORD)
    ContributionFactory(project=project, text=WORD)
    ResultFactory(project=project, title=WORD, indicator=WORD)
    texts = {
        "title": WORD,
        "problem": WORD,
        "gap": WORD,
        "public_summary": WORD,
        "institution": WORD,
        "place": WORD,
        "national_plan": WORD,
        "beneficiaries": WORD,
    }
    draft = NeedFactory(created_by=person, **texts)
    need = NeedFactory(in_state=NeedState.OPEN, **texts)
    dialogue = NeedFactory(in_state=NeedState.IN_DIALOGUE, **texts)
    for one in (draft, need, dialogue):
        one.lines.update(text=WORD, note=WORD)
    Need.objects.update(due_on=timezone.localdate() + dt.timedelta(days=9))
    Follow.objects.create(user=person, need=need)
    offer = OfferFactory(
        in_state="active", title=WORD, summary=WORD, description=WORD, how_to_apply=WORD, created_by=person
    )
    offer.lines.update(text=WORD, note=WORD)
    offer_draft = OfferFactory(created_by=person, title=WORD, summary=WORD)
    response = ResponseFactory(need=need, due_on=timezone.localdate(), answers={0: 1})
    Response.objects.update(text=WORD, terms_text=WORD)
    actions.ask(response, WORD, by=person)
    for name in (f"{WORD}.pdf", f"{WORD[:150]}_{WORD[:20]}.pdf"):
        uploads.add_document(draft, SimpleUploadedFile(name, PDF), by=person, kind="plan")
    for kept in ({"need": need}, {"need": need, "response": response}):
        NeedDocument.objects.create(kind="letter", title=WORD[:115], file="needs/a.pdf", media_type="application/pdf", size=303, **kept)  # fmt: skip
    Partner.objects.filter(slug="undp").update(name_en=WORD, acronym=WORD[:30])
    token_of(person)
    ApiToken.objects.update(name=WORD[:60])
    news = Announcement.objects.create(slug="long", is_public=True)
    AnnouncementText.objects.create(announcement=news, title=WORD[:150], lede=WORD)
    story = Story.objects.create(slug="long", project=project, is_public=True, published_at=timezone.now())
    StoryText.objects.create(story=story, title=WORD[:150], lede=WORD, problem=WORD, quote=WORD, quoted=WORD[:150])
    parts = ["", "documents/", *(f"{part.slug}/" for part in PARTS if part.slug != "technology")]
    offer_parts = ["", *(f"{part.slug}/" for part in OFFER_PARTS)]
    about = need.get_absolute_url()
    again = [  # of the same templates as pages below
        f"/needs/?q={WORD}", "/matches/demand/", f"{offer.get_absolute_url()}matches/",
        *(f"/needs/{draft.reference}/draft/{part}" for part in parts), *(f"/offers/{offer_draft.reference}/draft/{part}" for part in offer_parts),
    ]  # fmt: skip
    return [
        "/", "/needs/", "/offers/", "/projects/", f"/search/?q={WORD}", "/partners/", "/partners/undp/", "/countries/KEN/",
        "/themes/wetlands/", "/needs/unanswered/", "/news/", "/news/long/", "/stories/", "/stories/long/", "/calendar/", "/matches/", "/responses/",
        project.get_absolute_url(), about, f"/ar{about}", offer.get_absolute_url(), response.get_absolute_url(), dialogue.get_absolute_url(), f"{dialogue.get_absolute_url()}plan/", f"{about}matches/", f"{about}respond/", f"{about}move/withdraw/",
        "/dashboard/", "/dashboard/calendar/", "/account/", "/account/people/", "/account/tokens/", "/account/data/", "/account/mail/",
        *(f"/needs/{draft.reference}/draft/{part}" for part in ("", "documents/", "problem/", "lines/")), f"/offers/{offer_draft.reference}/draft/lines/",
        reverse("admin:projects_need_changelist"), reverse("admin:projects_need_change", args=[need.pk]), reverse("admin:projects_project_change", args=[project.pk]),
        reverse("admin:projects_project_changelist"), reverse("admin:projects_importrun_table"), *(again if THOROUGH else []),
    ]  # fmt: skip


TOO_WIDE = """() => [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest('.scroll, svg, .vh, .skip')).slice(0, 4).map(e => e.tagName + '.' + e.className + ': ' + e.textContent.slice(0, 40))"""


# The widest line of each long word that is broken; what lies in a table that scrolls keeps whole words.
SQUEEZED = """() => {
  const found = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  for (let node; (node = walk.nextNode()); ) {
    const at = node.data.search(/\\S{60}/), one = node.parentElement
    if (at < 0 || one.closest('script, style, svg, option, textarea, .vh, .scroll') || !one.checkVisibility()) continue
    const range = document.createRange(); range.setStart(node, at); range.setEnd(node, at + 60)
    const lines = [...range.getClientRects()].map(r => r.width)
    if (lines.length > 1 && Math.max(...lines) < 100) found.push(one.tagName + '.' + one.className + ' in ' + one.parentElement.className + ': ' + Math.max(...lines))
  }
  return found.slice(0, 4)
}"""


def test_a_word_without_end_widens_no_page_and_is_not_squeezed(chromium, live_server, person):
    page, widths = page_of(chromium, live_server.url, person), [360, 1280]
    wide, missing, squeezed = {}, [], {}
    for path in long_records(person):
        answer = page.goto(live_server.url + path)
        if answer.status != 200:
            missing.append((path, answer.status))
        for width in widths:
            if page.viewport_size["width"] != width:
                page.set_viewport_size({"width": width, "height": 800})
            if (found := page.evaluate("document.documentElement.scrollWidth")) > width:
                wide[path, width] = (found, page.evaluate(TOO_WIDE))
            elif "/admin/" not in path and (found := page.evaluate(SQUEEZED)):
                squeezed[path, width] = found
        widths.reverse()  # the next page begins as wide as this one ends
    assert wide == {}, "\n".join(map(str, wide.items()))
    assert missing == []
    assert squeezed == {}, "\n".join(map(str, squeezed.items()))
