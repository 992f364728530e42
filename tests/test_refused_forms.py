"""What was typed for a record that moved on, or went, meanwhile is shown to be copied."""

import pytest

from partners.models import UnsentForm
from projects.models import Need
from tests.factories import NeedFactory, OfferFactory, ResponseFactory
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
