"""What fields say when a value can't be used: sentences that tell what to do, at every door, none for programmers."""

import json
import re

import pytest
from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from rest_framework import serializers
from rest_framework.fields import Field as ApiField

from api.need_write import NeedBeginSerializer, PlanSerializer, ScreeningSerializer
from api.offer import OfferBeginSerializer
from api.project_write import ProjectWriteSerializer
from api.response import ResponseWriteSerializer
from partners.models import Partner
from tests import APPS
from tests.api_calls import call, token_of
from tests.factories import NeedFactory

FOR_PROGRAMMERS = re.compile(
    r"Ensure |may not be|cannot be (null|blank)|Invalid (pk|data|value|hyperlink)|valid (choice|string|boolean|integer|number|value)"
    r"|Expected |wrong format|must be unique|instance with|\bslug\b|too large|is violated|received|value must|value has|ManagementForm|\bNone\b"
)


def kinds(base: type):
    for one in base.__subclasses__():
        yield one
        yield from kinds(one)


def of_ours(kind: type) -> bool:
    """Kinds that forms, records and calls of this portal can hold."""
    return kind.__module__.split(".")[0] in APPS


def forms_of_the_portal():
    """Every form that is declared, also those of admin and of libraries as they are used here."""
    return {kind for kind in kinds(forms.BaseForm) if of_ours(kind) and hasattr(kind, "base_fields")}


def test_no_form_speaks_to_programmers():
    import projects.forms.draft  # noqa: F401

    found = {
        (kind.__name__, name, code, str(text))
        for kind in forms_of_the_portal() for name, field in kind.base_fields.items()
        for code, text in field.error_messages.items() if FOR_PROGRAMMERS.search(str(text))
    }  # fmt: skip
    assert found == set()
    assert len(forms_of_the_portal()) > 20


@pytest.mark.parametrize("app", ["partners", "projects", "outreach"])
def test_no_record_speaks_to_programmers(app):
    from django.apps import apps

    found = {
        (model.__name__, field.name, code, str(text))
        for model in apps.get_app_config(app).get_models() if "Event" not in model.__name__
        for field in model._meta.concrete_fields for code, text in field.error_messages.items()
        if code in ("invalid", "invalid_choice", "null", "blank", "unique") and FOR_PROGRAMMERS.search(str(text))
        and not isinstance(field, models.JSONField | models.UUIDField)  # in no form
    }  # fmt: skip
    assert found == set()


def fields_of(serializer):
    for field in serializer.fields.values():
        yield field
        child = getattr(field, "child", field)
        if isinstance(child, serializers.BaseSerializer):
            yield child
            yield from fields_of(child)
        elif child is not field:
            yield child


@pytest.mark.parametrize(
    "kind", [NeedBeginSerializer, OfferBeginSerializer, ProjectWriteSerializer, ResponseWriteSerializer, PlanSerializer, ScreeningSerializer],
)  # fmt: skip
def test_no_field_of_the_api_speaks_to_programmers(kind, db):
    found = {
        (field.field_name, code, str(text))
        for field in fields_of(kind()) if isinstance(field, ApiField) and not field.read_only
        for code, text in field.error_messages.items() if FOR_PROGRAMMERS.search(str(text))
    }  # fmt: skip
    assert found == set()


class Everything(forms.Form):
    whole = forms.IntegerField(max_value=5, min_value=1)
    number = forms.DecimalField(max_digits=4, decimal_places=1)
    text = forms.CharField(max_length=3, min_length=2)
    choice = forms.ChoiceField(choices=[("a", "A")])
    several = forms.MultipleChoiceField(choices=[("a", "A")])
    partner = forms.ModelChoiceField(Partner.objects.all(), to_field_name="slug")
    address = forms.URLField(assume_scheme="https")
    day = forms.DateField()
    name = forms.SlugField()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("whole", "9", "This must be 5 or less."), ("whole", "0", "This must be 1 or more."),
        ("whole", "x", "Enter a whole number, for example 12."), ("number", "x", "Enter a number, for example 12.5."),
        ("number", "12345", "Digits: at most 4."), ("number", "1.234", "Digits after the decimal point: at most 1."),
        ("text", "abcd", "Use at most 3 characters; there are 4."), ("text", "a", "Use at least 2 characters; there are 1."),
        ("text", "a\x00", "There is a NUL sign in it. Take it out."), ("choice", "z", "Choose one from the list; “z” is not there."),
        ("several", ["z"], "Choose one from the list; “z” is not there."), ("partner", "z", "Choose one from the list."),
        ("address", "a b", "Enter a full web address, for example https://www.example.org/."),
        ("day", "soon", "Enter a date, for example 2027-06-30."), ("name", "a b", "Use only letters, digits, hyphens and underscores."),
    ],
)  # fmt: skip
def test_a_form_says_what_to_do(field, value, said):
    assert said in Everything({field: value}).errors[field]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("line", "said"),
    [
        ({"note": None}, "Enter a value."), ({"text": ""}, "Enter a value."), ({"text": "x" * 400}, "Use at most 300 characters; there are 400."),
        ({"text": []}, "Write it as a text, in quotation marks."), ({"quantity": -1}, "This must be 0.01 or more."),
        ({"quantity": "1.234"}, "Digits after the decimal point: at most 2."), ({"assistance": "nothing"}, "There is no record “nothing” that can be named here. Look up its code in the list."),
        ({"by_when": 5}, "Enter a date, for example 2027-06-30."), ({"unit": "miles"}, "“miles” cannot be chosen here. The description at /api/v1/docs/ says what can."),
        ({"by_when": "soon"}, "Enter a date, for example 2027-06-30."), ("x", "Write named fields, in braces."),
    ],
)  # fmt: skip
def test_the_api_says_what_to_do(line, said, people):
    need = NeedFactory(created_by=people["contributor"])
    _token, secret = token_of(people["contributor"])
    line = {"text": "Train"} | line if isinstance(line, dict) else line
    answer = call("patch", f"needs/{need.reference}/", secret, {"lines": [line]}, **{"If-Match": "*"})
    assert answer.status_code == 400, answer.content
    assert said in [one["detail"] for one in json.loads(answer.content)["errors"]], answer.content


@pytest.mark.django_db
def test_a_record_says_what_to_do():
    with pytest.raises(ValidationError) as refused:
        Partner(slug="undp", name_en="", kind="nothing").full_clean()
    said = refused.value.message_dict
    assert said["slug"] == ["Another record has this already. Enter a different one."]
    assert said["name_en"] == ["Enter a value."]
    assert said["kind"] == ["Choose one from the list; “nothing” is not there."]
