"""A page whose form is filled again with what was typed."""

import pytest

from partners.refilling import Page

pytestmark = [pytest.mark.django_db, pytest.mark.ignore_template_errors]


def filled(form: str, fields: list) -> tuple[str, list]:
    page = Page(f"<!doctype html><html><body><main><form method='post'>{form}</form></main></body></html>".encode())
    found = page.form_for(lambda action: True, set())
    left = page.fill(found, fields)
    return str(page), left


@pytest.mark.parametrize(
    ("form", "fields", "want"),
    [
        ('<input name="a" value="old">', [("a", 'n"<')], '<input name="a" value=\'n"&lt;\'>'),
        ('<input type="hidden" name="a" value="1">', [("a", "2")], '<input type="hidden" name="a" value="2">'),
        ('<input type="checkbox" name="a" checked>', [("b", "")], '<input type="checkbox" name="a">'),
        ('<input type="radio" name="a" value="1"><input type="radio" name="a" value="2" checked>', [("a", "1")], '<input type="radio" name="a" value="1" checked><input type="radio" name="a" value="2">'),
        ('<select name="a" multiple><option value="1" selected><option value="2"></select>', [("a", "2")], '<select name="a" multiple><option value="1"></option><option value="2" selected></option></select>'),
        ('<textarea name="a">\nold</textarea>', [("a", "\r\nx\r\ny</textarea>")], '<textarea name="a">\n\nx\ny&lt;/textarea&gt;</textarea>'),
        ('<input name="a"><input name="a">', [("a", "1"), ("a", "2")], '<input name="a" value="1"><input name="a" value="2">'),
        ('<input type="password" name="a"><input type="file" name="b">', [("a", "1"), ("b", "2")], '<input type="password" name="a"><input type="file" name="b">'),
        ('<input name="a" value="1" disabled>', [("b", "")], '<input name="a" value="1" disabled>'),
        ('<input name="csrfmiddlewaretoken" value="new">', [("csrfmiddlewaretoken", "")], '<input name="csrfmiddlewaretoken" value="new">'),
    ],
)  # fmt: skip
def test_controls_are_filled(form, fields, want):
    text, left = filled(form, fields)
    assert want in text and left == []


def test_numbers_of_rows_that_nobody_can_count_make_no_rows():
    page = Page(b"<form method=post><input name=l-TOTAL_FORMS><p><input name=l-0-a></p></form>")
    many = "1" * 5000
    [form] = page.root.forms
    left = page.fill(form, [("l-TOTAL_FORMS", many), (f"l-{many}-a", "Typed"), ("l-TOTAL_FORMS", "3")])
    assert (f"l-{many}-a", "Typed") in left and len(form.findall(".//p")) == 1


def test_what_has_no_place_is_named():
    text, left = filled('<input name="a"><select name="c"><option value="1">1</option></select><button name="save" value="1">', [("a", "1"), ("b", "words"), ("c", "9"), ("d", " "), ("save", "1")])  # fmt: skip
    assert left == [("b", "words"), ("c", "9")] and "words" not in text
