"""Numbers as people and programs write them: the number that is meant or a refusal, never another number."""

import re
from decimal import Decimal

import pytest
from babel.numbers import format_decimal
from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.utils.translation import override
from hypothesis import example, given
from hypothesis import strategies as st
from rest_framework import serializers

from desk.base import RuledAdmin
from ground.numbers import Ambiguous, NotANumber, clearly, decimal_mark_of, plainly, read_number
from ground.widgets import NumberField, WholeNumberField
from projects.forms.draft import lines_form
from tests.factories import NeedFactory

LOCALES = ("en", "fr", "es", "ru", "ar", "ar_EG", "zh", "de_CH", "en_IN", "pt", "sv")
MARKS = {"en": ".", "zh": ".", "en_IN": ".", "de_CH": ".", "fr": ",", "es": ",", "ru": ",", "pt": ",", "sv": ","}
numbers = st.decimals(min_value=-(10**15), max_value=10**15, places=4) | st.decimals(
    min_value=-(10**6), max_value=10**6, places=2
) | st.integers(-(10**9), 10**9).map(Decimal)  # fmt: skip


@given(numbers, st.sampled_from(LOCALES), st.booleans())
@example(Decimal("1.2"), "fr", True)
@example(Decimal("1200"), "en", True)
@example(Decimal("1.234"), "es", True)
def test_a_number_of_any_convention_is_read_as_itself_or_refused(number, locale, is_grouped):
    text = format_decimal(
        number, locale=locale, numbering_system="default", decimal_quantization=False, group_separator=is_grouped
    )
    try:
        assert read_number(text) == number
    except Ambiguous as refusal:
        assert clearly(number) in str(refusal)
    except NotANumber:
        assert locale == "en_IN"  # its groups of two are refused
    if locale in MARKS:
        try:
            assert read_number(text, MARKS[locale]) == number
        except NotANumber:
            assert locale == "en_IN"
        assert decimal_mark_of([text]) in (None, MARKS[locale])


@given(st.text(max_size=30) | st.from_regex(r"[-+0-9.,' \u00a0\u066b\u066c\u0661-\u0669eE_]{1,12}", fullmatch=True))
def test_whatever_else_is_written_is_refused_or_a_finite_number(text):
    try:
        assert read_number(text).is_finite()
    except NotANumber as refusal:
        assert str(refusal)


@given(numbers)
def test_what_is_written_clearly_is_read_back_whatever_the_convention(number):
    for mark in (None, ".", ","):
        assert read_number(clearly(number), mark) == number
    assert "E" not in plainly(number)
    assert Decimal(plainly(number)) == number


READ = [
    ("12,5", "12.5"), ("0,5", "0.5"), ("1 234,56", "1234.56"), ("1\u00a0234,56", "1234.56"), ("1\u202f234", "1234"), ("1,234.56", "1234.56"),
    ("1.234,56", "1234.56"), ("1'234.50", "1234.50"), ("1’234", "1234"), ("+5", "5"), ("\u22125,5", "-5.5"), ("٣٫٥", "3.5"), ("１２", "12"),
    ("0,250", "0.250"), ("1234,567", "1234.567"), ("1,234,567", "1234567"), (".5", "0.5"),
]  # fmt: skip
REFUSED = [
    "", "-", "1E3", "1.2E+05", "NaN", "Infinity", "inf", "1_000", "1,23,456", "12 5", "1..5", "1,234,", "12-", "(12)", "10²", "1٢", "12 %",
    "12 or 13", "1\n234", "9" * 41,
]  # fmt: skip


@pytest.mark.parametrize(("text", "number"), READ)
def test_what_means_one_number_is_read(text, number):
    assert read_number(text) == Decimal(number)


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_no_number_is_refused(text):
    with pytest.raises(NotANumber):
        read_number(text)


@pytest.mark.parametrize("text", ["1,200", "1.200", "-33,333", "012,345", "00.345", "-001,200"])
def test_what_can_mean_two_numbers_is_refused_with_both(text):
    with pytest.raises(Ambiguous, match=r"can mean -?\d+ or -?\d+\.\d+"):
        read_number(text)
    assert read_number(text, ",") != read_number(text, ".")


def test_other_numbers_of_a_file_show_what_its_comma_means():
    assert decimal_mark_of(["1,200", "12,5", "7", "Nairobi"]) == ","
    assert decimal_mark_of(["1,200", "1,200,300"]) == "."
    assert decimal_mark_of(["1,200", "12,5", "12.5"]) is None
    assert decimal_mark_of(["1,200", "012,345"]) is None  # a number filled up with zeros: either
    assert decimal_mark_of(["1,200", "00,000"]) is None and read_number("00,000") == 0
    assert decimal_mark_of(["1,200", "0,345"]) == ","
    assert (plainly(Decimal("6E+1")), clearly(33.333), plainly(0.1 + 0.2)) == ("60", "33.3330", "0.3")


# --- forms -------------------------------------------------------------------------------------------------------------
def every_form():
    from projects import forms as _all  # noqa: F401  so that each is known

    found, waiting = set(), [forms.BaseForm]
    while waiting:
        for one in waiting.pop().__subclasses__():
            if re.match(r"(partners|projects|outreach)\.(?!admin)", one.__module__):  # those of admin are asked of it
                found.add(one)
            waiting.append(one)
    return found


def every_admin_form(request):
    for model_admin in admin.site._registry.values():
        if not isinstance(model_admin, RuledAdmin):
            continue
        yield model_admin.get_form(request)
        for inline in model_admin.get_inline_instances(request):
            yield inline.get_formset(request).form


@pytest.mark.django_db
def test_every_form_reads_numbers_as_people_write_them(rf, people):
    request = rf.get("/")
    request.user = people["administrator"]
    for form in [*every_form(), *every_admin_form(request)]:
        for name, field in getattr(form, "base_fields", {}).items():
            if isinstance(field, forms.IntegerField) and not field.widget.is_hidden:  # of decimals, too
                assert isinstance(field, NumberField | WholeNumberField), (form, name)


@pytest.mark.parametrize(
    ("text", "number"), [("12,5", "12.5"), ("1 234,56", "1234.56"), ("12.5", "12.5"), ("٣٫٥", "3.5")]
)
@pytest.mark.parametrize("language", ["en", "fr", "ar"])
def test_a_field_takes_what_people_write_in_any_language_of_the_page(text, number, language):
    field = NumberField(max_digits=12, decimal_places=2, min_value=0)
    with override(language):
        assert field.clean(text) == Decimal(number)
        for wrong in ("1,200", "1.200", "NaN", "1e5"):
            with pytest.raises(ValidationError):
                field.clean(wrong)


def test_a_field_of_whole_numbers_never_makes_12_of_12_000():
    field = WholeNumberField(min_value=0)
    assert (field.clean("1 200"), field.clean("12,0"), field.clean(7)) == (1200, 12, 7)
    for wrong in ("12.000", "12,5", "1_000"):
        with pytest.raises(ValidationError):
            field.clean(wrong)


@pytest.mark.django_db
def test_a_line_of_a_draft_takes_a_decimal_comma(people):
    form = lines_form(
        {"lines-INITIAL_FORMS": "0", "lines-TOTAL_FORMS": "1", "lines-0-text": "Course", "lines-0-quantity": "12,5", "lines-0-unit": "places"},
        instance=NeedFactory(),
    )  # fmt: skip
    assert form.is_valid(), form.errors
    assert form.values["lines"][0]["quantity"] == Decimal("12.5")
    assert 'inputmode="decimal"' in str(form.forms[0]["quantity"])


@given(st.from_regex(r"[-+0-9.,' \u00a0]{1,10}", fullmatch=True))
@example("12,5")
@example("1,200")
def test_the_api_takes_numbers_with_a_dot_and_no_others(text):
    """JSON says what a dot means; nothing else is guessed."""
    try:
        found = serializers.DecimalField(max_digits=12, decimal_places=2).run_validation(text)
    except serializers.ValidationError:
        return
    assert "," not in text
    assert found == Decimal(text.strip())


@pytest.mark.parametrize("stored", ["33.924", "-65.193", "1.200", "1200", "0.5", "12", "1234567.89"])
def test_a_number_as_stored_is_taken_by_its_own_form(stored):
    class Form(forms.Form):
        number = NumberField(decimal_places=3, max_digits=12)

    form = Form(initial={"number": Decimal(stored)})
    shown = re.search(r'value="([^"]*)"', str(form["number"]))[1]
    again = Form({"number": shown}, initial={"number": Decimal(stored)})
    assert again.is_valid(), again.errors
    assert again.cleaned_data["number"] == Decimal(stored)
    assert not again.has_changed()
