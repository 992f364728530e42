"""Translations of the portal's own words: complete, with the same places to fill, told to be unchecked, and in use."""

import re
import shutil
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from django.conf import settings
from django.core import mail
from django.core.management import call_command
from django.utils.translation import override

from partners import letters
from projects.choices import NeedState
from projects.lifecycle import transition
from tests import APPS, THOROUGH
from tests.factories import NeedFactory
from tests.projects.test_notify import work_off

ROOT = Path(__file__).resolve().parent.parent
LOCALE = ROOT / "ssc_portal" / "locale"
CATALOGUES = sorted(LOCALE.glob("*/LC_MESSAGES/django.po"))
TO_FILL = re.compile(r"%\(\w+\)[sd]|%[sd]|</?[a-z][^>]*>|https?://\S+|/accounts/\S+/")
TRANSLATED = [code for code, _name in settings.LANGUAGES if code != "en"]


def messages(path: Path) -> list:
    with path.open("rb") as file:
        return [message for message in read_po(file) if message.id]


def forms_of(text) -> list[str]:
    return [text] if isinstance(text, str) else list(text)


def test_there_is_a_catalogue_for_every_language_but_english():
    assert {path.parts[-3].lower().replace("_", "-") for path in CATALOGUES} == set(TRANSLATED)


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parts[-3])
def test_every_sentence_is_translated_with_the_same_places_to_fill(path):
    for message in messages(path):
        assert not message.fuzzy, message.id
        wanted = set(TO_FILL.findall(forms_of(message.id)[-1]))
        for text in forms_of(message.string):
            assert text.strip(), f"not translated: {message.id}"
            assert set(TO_FILL.findall(text)) == wanted, f"{message.id} -> {text}"
            assert "\t" not in text and "\n" not in text


def test_no_sentence_hides_in_an_f_string():
    """xgettext does not look there."""
    sources = [p for folder in APPS for p in (ROOT / folder).rglob("*.py")]
    hidden = re.compile(r"""\bf(["']).*\{(_|gettext|pgettext)\(""")
    assert [p.name for p in sources if hidden.search(p.read_text())] == []


def test_no_sentence_hides_behind_a_name_of_our_own():
    """xgettext knows the functions by their names, and `_`."""
    alias = re.compile(r"import n?p?gettext(?:_lazy)? as (?!_\n)\w+\n")
    sources = [p for app in APPS for p in (ROOT / app).rglob("*.py")]
    found = {p.relative_to(ROOT).as_posix() for p in sources if alias.search(p.read_text())}
    assert found <= {"projects/models/importing.py"}  # in English only (ONLY_IN_ENGLISH)


def test_the_catalogues_hold_every_sentence_of_pages_and_mail_and_no_other(tmp_path, monkeypatch, settings):
    """As `manage.py makemessages` finds them now."""
    if not shutil.which("xgettext"):
        pytest.skip("needs GNU gettext")
    for folder in (*APPS, "templates"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("*.pyc", "*.mo"))
    monkeypatch.chdir(tmp_path)
    settings.LOCALE_PATHS = [tmp_path / "ssc_portal" / "locale"]
    call_command("makemessages", verbosity=0)
    for path in CATALOGUES:
        found = {(m.context, m.id) for m in messages(tmp_path / path.relative_to(ROOT))}
        assert found == {(m.context, m.id) for m in messages(path)}, "run manage.py makemessages, then translate"


@pytest.mark.django_db
@pytest.mark.parametrize("code", TRANSLATED)
def test_pages_speak_the_language_and_say_who_translated(code, client, people):
    need = NeedFactory(in_state=NeedState.OPEN)
    client.force_login(people["desk"])
    pages = ["/", "/needs/", f"/needs/{need.reference}/", "/dashboard/", "/countries/", "/account/", "/nothing/"]
    # Each page in two of the languages or more, or in all.
    for address in pages if THOROUGH else pages[TRANSLATED.index(code) % 2 :: 2]:
        page = client.get(f"/{code}{address}").content.decode()
        with override(code):
            assert letters.translation_notice() in page or address == "/nothing/", address
        assert "Skip to the main part" not in page
        assert f'<html lang="{code}" dir="{"rtl" if code == "ar" else "ltr"}">' in page


@pytest.mark.django_db
def test_english_pages_say_nothing_of_translation(client):
    assert "translated by machine" not in client.get("/").content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("code", TRANSLATED)
def test_mail_speaks_the_language_of_its_reader(code, people):
    people["focal_point"].language = code
    people["focal_point"].save()
    need = NeedFactory(in_state=NeedState.SUBMITTED)
    transition(need, "return", by=people["desk"], note="Who pays for power?")
    work_off()
    message = next(m for m in mail.outbox if m.to == [people["focal_point"].email])
    html = message.alternatives[0][0]
    with override(code):
        notice = letters.translation_notice()
    assert notice and message.body.rstrip().endswith(notice) and notice in html
    assert f'<html lang="{code}"{" dir=" if code == "ar" else ""}' in html
    for english in ("returned with questions", "returns it", "What happened", "What comes next"):
        assert english not in message.subject + message.body
