"""Staff writes pages in admin: preview, versions, pictures made small."""

import io

import pgtrigger
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from PIL import Image

from outreach.models import Milestone, Page, PageText, Picture
from tests import THOROUGH
from tests.admin_form import shown

pytestmark = [pytest.mark.django_db, pytest.mark.ignore_template_errors]  # Django's own admin templates
STAFF = {"desk", "publisher", "administrator"}


@pytest.fixture
def glossary():
    """A page that was never written in another language than English."""
    page = Page.objects.get(path="about/glossary")
    page.texts.exclude(language="en").delete()
    with pgtrigger.ignore("outreach.PageTextEvent:append_only"):
        PageText.pgh_event_model.objects.filter(page=page).exclude(language="en").delete()
    return page


@pytest.fixture
def at_desk(sign_in, people):
    return sign_in(people["desk"])


def form(page: Page, client=None, **values) -> dict:
    """The page's form as a browser would send it; with `client` as it is shown now."""
    texts = list(page.texts.all())
    data = {"path": page.path, "menu": page.menu, "position": page.position, "shows": page.shows, "is_public": "on"}
    more = any(name.startswith(f"texts-{len(texts)}-") for name in values)
    data |= {"texts-TOTAL_FORMS": len(texts) + more, "texts-INITIAL_FORMS": len(texts)}
    for number, text in enumerate(texts):
        for name in ("id", "language", "title", "lede", "body"):
            data[f"texts-{number}-{name}"] = getattr(text, name)
    if client:
        data |= {"_as_shown": shown(client.get(reverse("admin:outreach_page_change", args=[page.pk])))["_as_shown"]}
    return data | values


def drawn(size, kind="PNG", mode="RGB") -> SimpleUploadedFile:
    out = io.BytesIO()
    Image.radial_gradient("L").resize(size).convert(mode).save(out, kind)
    return SimpleUploadedFile(f"x.{kind.lower()}", out.getvalue())


def test_staff_alone_writes_pages(people, sign_in, glossary):
    views = [("page_change", [glossary.pk]), ("page_versions", [glossary.pk]), ("page_add", []), ("milestone_add", []),
             ("channel_add", []), ("picture_add", [])]  # fmt: skip
    for name, person in people.items():
        client = sign_in(person)
        # Each opens to one of those who may, or to all of them; and to nobody else.
        turn = sorted(STAFF).index(name) if name in STAFF and not THOROUGH else None
        for view, args in views if turn is None else views[turn :: len(STAFF)]:
            status = client.get(reverse(f"admin:outreach_{view}", args=args)).status_code
            assert (status == 200) == (name in STAFF), (name, view, status)
        status = client.post(reverse("admin:outreach_page_delete", args=[glossary.pk])).status_code
        assert (status == 200) == (name == "administrator"), (name, status)  # who may is asked first


def test_a_text_is_written_and_read(at_desk, glossary, client):
    address = reverse("admin:outreach_page_change", args=[glossary.pk])
    sent = at_desk.post(
        address,
        form(
            glossary,
            at_desk,
            **{"texts-1-language": "fr", "texts-1-title": "Titre", "texts-1-body": "## Quoi\n\nCeci."},
        ),
    )
    assert sent.status_code == 302
    client.logout()
    assert "<h1>Titre</h1>" in client.get("/fr/about/glossary/").content.decode()


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_preview_shows_everything_and_keeps_nothing(language, at_desk, glossary):
    before = PageText.pgh_event_model.objects.count()
    page = at_desk.get(reverse("admin:outreach_page_change", args=[glossary.pk])).content.decode()
    assert f'<button name="_preview" value="{language}"' in page
    said = form(
        glossary, _preview=language, **{"texts-0-title": "Tried", "texts-1-language": "fr", "texts-1-title": "Essai"}
    )
    answer = at_desk.post(reverse("admin:outreach_page_change", args=[glossary.pk]), said)
    shown = answer.content.decode()
    assert answer.status_code == 200 and f"<h1>{'Tried' if language == 'en' else 'Essai'}</h1>" in shown
    assert f'<html lang="{language}"' in shown
    glossary.refresh_from_db()
    assert [text.title for text in glossary.texts.all()] == ["Glossary"]
    assert PageText.pgh_event_model.objects.count() == before
    from django.contrib.admin.models import LogEntry

    assert not LogEntry.objects.exists()


def test_a_preview_of_a_new_page_keeps_nothing(at_desk):
    page = Page(path="about/new", menu="about")
    said = form(Page.objects.get(path="about/glossary"), path="about/new", _preview="en")
    said |= {"texts-INITIAL_FORMS": 0, "texts-TOTAL_FORMS": 1, "texts-0-id": "", "texts-0-title": "New"}
    answer = at_desk.post(reverse("admin:outreach_page_add"), said)
    assert "<h1>New</h1>" in answer.content.decode() and "A preview" in answer.content.decode()
    assert not Page.objects.filter(path=page.path).exists()


def test_what_is_wrong_is_told_in_a_preview_too(at_desk, glossary):
    said = form(glossary, _preview="en", **{"texts-0-body": "![x](picture:none)"})
    assert (
        "There is no picture"
        in at_desk.post(reverse("admin:outreach_page_change", args=[glossary.pk]), said).content.decode()
    )


def test_unknown_language_of_a_preview_is_refused(at_desk, glossary):
    answer = at_desk.post(reverse("admin:outreach_page_change", args=[glossary.pk]), form(glossary, _preview="<x>"))
    assert answer.status_code == 400


def test_versions_are_kept_shown_and_brought_back(at_desk, glossary, people):
    address = reverse("admin:outreach_page_change", args=[glossary.pk])
    first = glossary.texts.get().body
    at_desk.post(address, form(glossary, at_desk, **{"texts-0-body": "Second words"}))
    at_desk.post(address, form(glossary, at_desk, **{"texts-0-title": "Third", "texts-0-body": "Third words"}))
    page = at_desk.get(reverse("admin:outreach_page_versions", args=[glossary.pk])).content.decode()
    assert page.count("Bring back the text of") == 3 and people["desk"].full_name in page
    kept = PageText.pgh_event_model.objects.filter(page=glossary).order_by("pgh_id")
    one = reverse("admin:outreach_page_version", args=[glossary.pk, kept[0].pk])
    assert "Glossary</h1>" in at_desk.get(one).content.decode()
    assert at_desk.post(one).status_code == 302
    assert glossary.texts.get().body == first and kept.count() == 4
    assert at_desk.get(reverse("admin:outreach_page_version", args=[glossary.pk, 10**9])).status_code == 404


def test_others_bring_nothing_back(people, sign_in, glossary):
    kept = PageText.pgh_event_model.objects.filter(page=glossary)[0]
    PageText.objects.filter(page=glossary).update(title="As it is")
    for name, person in people.items():
        if name not in STAFF:
            sign_in(person).post(reverse("admin:outreach_page_version", args=[glossary.pk, kept.pk]))
            assert glossary.texts.get().title == "As it is", name


# --- pictures --------------------------------------------------------------------------------------------------------------
def picture_form(file, **values) -> dict:
    return {"name": "lagoon", "alt_en": "A lagoon", "credit": "Own, CC0", "file": file} | values


@pytest.mark.parametrize(("kind", "mode"), [("PNG", "RGBA"), ("PNG", "P"), ("JPEG", "RGB"), ("JPEG", "CMYK")])
def test_a_picture_is_made_small_and_shown(kind, mode, at_desk, glossary, client, media):
    sent = at_desk.post(reverse("admin:outreach_picture_add"), picture_form(drawn((1600, 800), kind, mode)))
    assert sent.status_code == 302, sent.content.decode()[:2000]
    picture = Picture.objects.get()
    assert (picture.width, picture.height) == (960, 480)
    at_desk.post(
        reverse("admin:outreach_page_change", args=[glossary.pk]),
        form(glossary, at_desk, **{"texts-0-body": "![Seen](picture:lagoon)"}),
    )
    client.logout()
    said = client.get("/about/glossary/").content.decode()
    assert '<img src="/about/pictures/lagoon.jpg" alt="A lagoon" width="960" height="480" loading="lazy">' in said
    answer = client.get("/about/pictures/lagoon.jpg")
    content = b"".join(answer.streaming_content)
    answer.close()
    assert answer["Content-Type"] == "image/jpeg" and "max-age=3600" in answer["Cache-Control"]
    assert Image.open(io.BytesIO(content)).size == (960, 480)


def test_what_a_camera_adds_is_left_out(at_desk, media):
    out, exif = io.BytesIO(), Image.Exif()
    exif[0x010F], exif[0x0112] = "Maker of the camera", 6  # lies on its side
    Image.new("RGB", (300, 100)).save(out, "JPEG", exif=exif)
    at_desk.post(reverse("admin:outreach_picture_add"), picture_form(SimpleUploadedFile("x.jpg", out.getvalue())))
    picture = Picture.objects.get()
    with picture.file.open("rb") as file:
        content = file.read()
    assert (picture.width, picture.height) == (100, 300) and b"Maker" not in content


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"<svg onload='x'/>", "by its content"),
        (b"%PDF-1.4", "neither PNG nor JPEG"),
        (b"\x89PNG\r\n\x1a\n" + b"0" * 50, ""),
        (b"", "empty"),
    ],
)
def test_what_is_no_picture_is_refused(content, said, at_desk, media):
    answer = at_desk.post(reverse("admin:outreach_picture_add"), picture_form(SimpleUploadedFile("x.png", content)))
    assert answer.status_code == 200 and said in answer.content.decode() and "errorlist" in answer.content.decode()
    assert not Picture.objects.exists()


def test_the_words_of_a_picture_change_without_its_file(at_desk, media):
    at_desk.post(reverse("admin:outreach_picture_add"), picture_form(drawn((30, 20))))
    picture = Picture.objects.get()
    address = reverse("admin:outreach_picture_change", args=[picture.pk])
    sent = at_desk.post(
        address, picture_form("", alt_en="A wetland", _as_shown=shown(at_desk.get(address))["_as_shown"])
    )
    assert sent.status_code == 302
    picture.refresh_from_db()
    assert (picture.alt, picture.width) == ("A wetland", 30) and picture.file
    picture.file.storage.delete(picture.file.name)  # a restored database without its files
    assert at_desk.get("/about/pictures/lagoon.jpg").status_code == 404


def test_a_milestone_with_half_a_document_is_refused(at_desk):
    said = {
        "code": "x",
        "happened_on": "2000-01-01",
        "precision": "day",
        "kind": "plan",
        "name_en": "X",
        "document_title": "D",
    }
    answer = at_desk.post(reverse("admin:outreach_milestone_add"), said)
    assert "its title and its address" in answer.content.decode() and not Milestone.objects.filter(code="x").exists()
