"""Words of the page's language around what people entered: lists, counts, months, quotes."""

from decimal import Decimal

import pytest
from django.test import Client
from django.utils import translation

from projects.choices import COUNTED, NeedState, Unit, counted
from projects.lifecycle import write_down
from projects.models import Response
from tests.factories import NeedFactory, ResponseFactory

ARABIC = {
    ("between two words of a list", ", "): "، ",
    ("between two entries of a list", "; "): "؛ ",
    ("of an offer", "Terms"): "الشروط",
    ("of an offer", "terms"): "الشروط",
    ("a month", "Wanted by %(date)s."): "مطلوب قبل نهاية %(date)s.",
}


@pytest.fixture
def arabic(monkeypatch):
    """These words of the catalogue, as they are meant."""
    translation.gettext("")  # Django takes up its functions when the first is called
    real = translation._trans.pgettext
    monkeypatch.setattr(
        translation._trans, "pgettext", lambda about, text: ARABIC.get((about, text)) or real(about, text)
    )


@pytest.mark.django_db
def test_lists_terms_and_months_of_a_need_stand_in_the_words_of_the_page(arabic, people, sign_in):
    need = NeedFactory(in_state=NeedState.OPEN, languages=["en", "fr"])
    need.lines.update(by_when="2026-12-01")
    response = ResponseFactory(need=need, answers={0: 1})
    Response.objects.update(terms_text="Half each.")
    page, own = f"/ar{need.get_absolute_url()}", f"/ar{response.get_absolute_url()}"
    said = Client().get(page).content.decode()
    assert "الإنكليزية، الفرنسية" in said or "الإنجليزية، الفرنسية" in said
    assert "مطلوب قبل نهاية" in said and "؛ " in said
    client = sign_in(people["administrator"])
    assert "الشروط" in client.get(own).content.decode()
    with translation.override("ar"):
        assert str(Response._meta.get_field("terms_text").verbose_name) == "الشروط"


@pytest.mark.django_db
def test_a_quoted_remark_keeps_its_own_direction(people):
    need = NeedFactory(in_state=NeedState.OPEN)
    write_down(need, "extend", by=people["focal_point"], note="Two more towns.", is_public=True, is_note_public=True)
    said = Client().get(f"/ar{need.get_absolute_url()}").content.decode()
    assert "<bdi>“Two more towns.”</bdi>" in said


def test_every_unit_has_its_form_after_a_number():
    assert set(Unit) - set(COUNTED) == {Unit.OTHER}
    with translation.override("en"):
        assert [counted("people", n) for n in (1, 2, 60, Decimal("1.00"), Decimal("2.50"))] == ["person", "people", "people", "person", "people"]  # fmt: skip
        for unit in COUNTED:
            assert counted(unit, 2) == unit.label
        assert (counted("other", 3), counted("", 3)) == (Unit.OTHER.label, "")
