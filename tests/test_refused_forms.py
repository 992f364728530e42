"""What was typed for a record that moved on, or went, meanwhile is shown to be copied."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from partners import joining
from partners.models import Country, JoinRequest, UnsentForm
from projects import duplicates, uploads
from projects.models import DuplicatePair, Need
from tests.factories import NeedFactory, OfferFactory, ProjectFactory, ResponseFactory
from tests.forms_typed import TYPED, form_to, root_of, said, send

pytestmark = [pytest.mark.django_db, pytest.mark.ignore_template_errors]


def typed_answers(page) -> dict:
    """What the page shows to be copied: {label: text}."""
    found = root_of(page).xpath("//section[@aria-labelledby='h-typed']//dl")[0]
    labels = [one.text_content() for one in found.xpath("dt")]
    return dict(zip(labels, [one.text_content() for one in found.xpath("dd")], strict=True))


def test_what_was_typed_in_a_draft_that_was_submitted_meanwhile_is_shown(client, people):
    need = NeedFactory()
    client.force_login(people["contributor"])
    page = f"/needs/{need.reference}/draft/problem/"
    data = form_to(client.get(page), page) | {"problem": TYPED, "gap": ["<script>x</script>"]}
    Need.objects.filter(pk=need.pk).update(state="submitted")
    answer = send(client, page, data)
    assert answer.status_code == 403 and "It is “submitted” now, so this part cannot be changed." in said(answer)
    assert f"{need.reference} is “submitted” now." in said(answer)
    assert f'href="{need.get_absolute_url()}"' in answer.content.decode()
    found = typed_answers(answer)
    assert found["Problem"].replace("\n", "") == TYPED.replace("\r\n", "").replace("\n", "")
    assert found["What is missing"] == "<script>x</script>" and "Seen" not in found
    assert answer["Cache-Control"] == "private, no-store" and not UnsentForm.objects.exists()
    Need.objects.filter(pk=need.pk).update(state="withdrawn")
    assert "It is “withdrawn” now, so this part cannot be changed." in said(send(client, page, data))


def test_lines_typed_in_a_draft_that_was_submitted_meanwhile_are_shown(client, people):
    need = NeedFactory()
    client.force_login(people["contributor"])
    page = f"/needs/{need.reference}/draft/lines/"
    data = form_to(client.get(page), page)
    spare = int(data["lines-TOTAL_FORMS"][0]) - 1
    data |= {f"lines-{spare}-text": ["A line of mine"], f"lines-{spare}-unit": ["visits"]}
    Need.objects.filter(pk=need.pk).update(state="submitted")
    found = typed_answers(send(client, page, data))
    assert "A line of mine" in found.values() and "visits" in found.values()
    assert not [label for label in found if "FORMS" in label or label.lower().endswith(" id")]
    in_background = send(client, page, data, HTTP_X_BACKGROUND="save")
    assert in_background.status_code == 403 and "Not saved." in in_background.json()["said"]


def test_what_was_typed_for_a_record_that_is_gone_is_shown(client, people):
    need = NeedFactory()
    client.force_login(people["contributor"])
    page = f"/needs/{need.reference}/draft/problem/"
    data = form_to(client.get(page), page) | {"problem": "Typed for nothing"}
    need.delete()
    answer = send(client, page, data)
    assert answer.status_code == 404 and "it was deleted, has moved, or is visible to fewer people" in said(answer)
    assert typed_answers(answer)["Problem"] == "Typed for nothing"


@pytest.mark.parametrize(
    ("role", "state", "address", "data"),
    [
        ("focal_point", "closed", "/needs/{need}/plan/", {"plan": "A plan of mine"}),
        ("contributor", "open", "/needs/{need}/move/submit/", {"note": "A note of mine"}),
        ("partner_member", "open", "/needs/{need}/progress/", {"note": "A note of mine"}),
        ("partner_member", "open", "/responses/{response}/accept/", {"note": "A note of mine"}),
        ("contributor", "open", "/offers/{offer}/draft/about/", {"summary": "Words of mine"}),
    ],
)
def test_what_was_typed_on_any_page_that_is_refused_is_shown(client, people, role, state, address, data):
    need, offer = NeedFactory(in_state=state), OfferFactory(in_state="active")
    response = ResponseFactory(need=NeedFactory(in_state="open"))
    client.force_login(people[role])
    address = address.format(need=need.reference, offer=offer.reference, response=response.reference)
    answer = send(client, address, data | {"seen": "1", "password": "p1"})
    assert answer.status_code in (403, 404), answer.status_code
    assert list(typed_answers(answer).values()) == list(data.values()) and "p1" not in said(answer)


def test_a_press_that_is_refused_and_what_other_sites_send_is_answered_as_before(client, people):
    need = NeedFactory(in_state="open")
    client.force_login(people["contributor"])
    address = f"/needs/{need.reference}/plan/"
    assert not root_of(send(client, address, {})).xpath("//*[@id='h-typed']")
    planted = client.post(address, {"plan": "Planted"}, HTTP_ORIGIN="https://evil.example")
    assert planted.status_code == 403 and b"Planted" not in planted.content


# --- refused on the way back to a page ---------------------------------------------------------------------------------
def test_a_note_on_duplicates_that_somebody_else_decided_meanwhile_is_shown(client, people):
    one, other = ProjectFactory(), ProjectFactory()
    pair = DuplicatePair.objects.create(first=one, second=other, score=90, reasons={"title": 90})
    client.force_login(people["desk"])
    page = reverse("admin:projects_duplicatepair_change", args=[pair.pk])
    data = form_to(client.get(page), page) | {"keep": "apart", "note": TYPED}
    duplicates.keep_apart(pair, by=people["administrator"], note="Two of them.")
    answer = send(client, page, data)
    assert answer.status_code == 409 and "Somebody has decided this already." in said(answer)
    assert "سطر آخر" in typed_answers(answer)["Note"] and f'href="{page}"' in answer.content.decode()
    pair.delete()
    answer = send(client, page, data)
    assert answer.status_code == 404 and "سطر آخر" in typed_answers(answer)["Note"]


def test_a_note_on_a_request_that_somebody_else_decided_meanwhile_is_shown(client, people):
    kenya = Country.objects.get(iso3="KEN")
    asked = JoinRequest.objects.create(user=people["stranger"], role="contributor", country=kenya, note="Office")
    client.force_login(people["focal_point"])
    data = form_to(client.get("/account/people/"), address := reverse("request-decide", args=[asked.pk]))
    note = next(name for name in data if name.endswith("answer"))
    joining.decide(asked, by=people["administrator"], grant=False, answer="Not now.")
    answer = send(client, address, data | {note: [TYPED], "grant": ["1"]}, "/account/people/")
    assert answer.status_code == 409 and "decided" in said(answer)
    assert any("سطر آخر" in text for text in typed_answers(answer).values())


@pytest.mark.parametrize("how", ["moved on", "hidden", "gone", "role"])
def test_a_note_on_a_move_in_admin_that_is_refused_is_shown(client, people, how):
    need = NeedFactory(in_state="submitted")
    client.force_login(people["desk"])
    page = reverse("admin:projects_need_move", args=[need.pk, "return"])
    data = form_to(client.get(page), page) | {"note": TYPED}
    if how == "gone":
        need.delete()
    elif how == "role":
        people["desk"].memberships.all().delete()
    else:
        Need.objects.filter(pk=need.pk).update(state="withdrawn" if how == "moved on" else "draft")
    answer = send(client, page, data)
    assert answer.status_code in (400, 403, 404), answer.status_code
    assert "سطر آخر" in (said(answer) if how == "moved on" else typed_answers(answer)["Note"])


# --- files -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "content", [b"MZ\x90", b"", b"%PDF-1.4\n" + b"0" * uploads.LARGEST, None], ids=["program", "empty", "large", "none"]
)
def test_the_title_of_a_document_that_is_refused_is_still_in_the_form(client, people, media, content):
    response, need = ResponseFactory(), NeedFactory()
    page = response.get_absolute_url()
    documents = reverse("need-documents", args=[need.reference])
    for person, place, address in (
        ("partner_lead", page, reverse("response-document", args=[response.reference])),
        ("contributor", documents, documents),
    ):
        client.force_login(people[person])
        data = form_to(client.get(place), address) | {"title": "Plan of the wells"}
        file = {} if content is None else {"file": SimpleUploadedFile("plan.pdf", content)}
        answer = send(client, address, data | file, place)
        assert answer.status_code == 400, address
        assert form_to(answer, address)["title"] == ["Plan of the wells"], address
        assert root_of(answer).xpath("//form//*[contains(@class, 'err')]"), address
        if place == page:  # the question beside it goes where it went
            assert "text" in form_to(answer, page)


def test_the_title_of_a_document_that_comes_too_late_is_shown(client, people, media):
    response, need = ResponseFactory(), NeedFactory()
    documents = reverse("need-documents", args=[need.reference])
    for person, record, page, address in (
        (
            "partner_lead",
            response,
            response.get_absolute_url(),
            reverse("response-document", args=[response.reference]),
        ),
        ("contributor", need, documents, documents),
    ):
        client.force_login(people[person])
        data = form_to(client.get(page), address) | {"title": "Plan of the wells"}
        type(record).objects.filter(pk=record.pk).update(state="withdrawn" if record is need else "declined")
        answer = send(client, address, data | {"file": SimpleUploadedFile("plan.pdf", b"%PDF-1.4")}, page)
        assert answer.status_code == 409, address
        assert "Plan of the wells" in typed_answers(answer).values() and "plan.pdf" in said(answer)
