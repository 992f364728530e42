"""Law 6 and the repo's habits: migrations, contracts, settings, templates, texts, what may not be in a commit."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import models

from projects import choices as project_choices
from tests import APPS

ROOT = Path(__file__).resolve().parent.parent
SOURCES = [p for folder in APPS for p in (ROOT / folder).rglob("*.py")]
OUR_APPS = ("partners", "projects", "outreach")
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))


@pytest.mark.django_db
def test_migrations_are_complete():
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


def test_import_contracts_hold():
    result = subprocess.run(
        [Path(sys.executable).parent / "lint-imports"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout


def test_every_setting_is_told_and_every_told_setting_is_read():
    told = set(re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.M))
    read = set(re.findall(r'env(?:\.\w+)?\(\s*"([A-Z_]+)"', (ROOT / "ssc_portal" / "settings.py").read_text()))
    assert told == read


def test_every_template_is_used():
    text = "\n".join(p.read_text() for p in [*SOURCES, *TEMPLATES])
    # Packages look for theirs by name, and mail is found by the name of what it tells.
    used_by_name = {"admin/base_site.html", "admin/import_export/export.html"}  # Django and the package look for these
    unused = [
        str(p.relative_to(ROOT / "templates"))
        for p in TEMPLATES
        if f'"{p.relative_to(ROOT / "templates")}"' not in text
        and p.relative_to(ROOT / "templates").parts[0] not in ("account", "allauth", "mail", "mfa", "usersessions")
    ]
    assert set(unused) <= used_by_name


def test_templates_hold_no_inline_script_or_style():
    for template in TEMPLATES:
        text = template.read_text()
        assert not re.search(r"<style|<script(?![^>]*src)|\sstyle=|\son[a-z]+=", text), template


def test_styles_use_logical_properties_only():
    for sheet in (ROOT / "static" / "css").glob("*.css"):
        assert not re.search(
            r"(margin|padding|border)-(left|right)\b|\b(left|right):|text-align: (left|right)", sheet.read_text()
        ), sheet


def test_files_are_short_enough_to_find_ones_way():
    long = {str(p): n for p in SOURCES if "migrations" not in p.parts and (n := len(p.read_text().splitlines())) > 640}
    assert long == {}


def test_no_host_or_path_of_a_machine():
    names = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    for name in names:
        path = ROOT / name
        if path.suffix in (".py", ".md", ".txt", ".toml", ".html", ".css", ".js", ".yaml", "") and path.is_file():
            assert not re.search(r"py[p]i\.org|python[h]osted|npm[j]s|/[h]ome/\w|/[r]oot/", path.read_text()), name


def test_constraints_hold_exactly_the_choices():
    """Law 3: a field with choices has a constraint with the same values."""
    for model in (model for app in OUR_APPS for model in apps.get_app_config(app).get_models()):
        if "Event" in model.__name__:
            continue
        constraints = {c.name: c for c in model._meta.constraints}
        for field in model._meta.concrete_fields:
            enum = getattr(field, "choices", None)
            if not enum or field.name in ("language", "progress", "outcome", "unit", "provider_order", "suggested_by"):
                continue
            name = f"{model._meta.app_label}_{model._meta.model_name}_{field.name}_known"
            values = dict(constraints[name].condition.children)[f"{field.name}__in"]
            assert set(values) == {value for value, _label in field.choices if value is not None}, name


def test_every_record_keeps_its_history():
    untracked = {
        "ReferenceValue", "ReferenceCounter", "SearchEntry", "NeedEntry", "OfferEntry", "FacetTally", "SearchWord",
        "ReadText", "Posting", "TermCount", "FoundMatch", "KeptAnswer", "UnsentForm", "QualityDay",
        "CallCount", "Change", "PublicRecord", "Touched", "FeedPosition", "ListedRecord",  # derived or bookkeeping
        "Event", "ImportRun", "ImportIssue", "ImportRow",  # are history themselves
        "Subscriber", "Subscription", "Mailing", "Copy",  # erased with whoever stops; what was sent to how many
        "Follow", "MailPreference", "Notice", "SavedMatch", "WebhookCall",  # people's own settings, and messages that say what became of them
    }  # fmt: skip
    for app in OUR_APPS:
        for model in apps.get_app_config(app).get_models():
            if (
                model.__name__ not in untracked
                and not hasattr(model, "pgh_event_model")
                and not model._meta.auto_created
                and "pgh_id" not in {f.name for f in model._meta.fields}
            ):
                assert model in _tracked(), model


def _tracked() -> set[type[models.Model]]:
    return {m.pgh_tracked_model for m in apps.get_models() if getattr(m, "pgh_tracked_model", None)}


def test_readme_names_its_two_commands():
    text = (ROOT / "README.md").read_text()
    assert "make demo" in text
    assert "make test" in text


def test_what_documents_name_is_there():
    """Files, commands and names in `code` of the documents, as far as they look like such."""
    files = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    tests = (ROOT / "tests").rglob("*.py")
    words = {word for path in [*SOURCES, *tests] for word in re.findall(r"\w+", path.read_text())}
    commands = {path.stem for path in SOURCES if path.parent.name == "commands"}
    commands |= {"migrate", "collectstatic", "createsuperuser", "check", "shell"}  # Django's
    gone = {"import_offers"}  # the changelog tells of it, and what came in its place
    missing = []
    for path in [ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")]:
        for name in re.findall(
            r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", path.read_text(), flags=re.DOTALL | re.MULTILINE)
        ):
            if re.fullmatch(r"[\w/.-]+\.(py|toml|md|js|css|yaml|typ)", name):
                is_there = any(file == name or file.endswith(f"/{name}") for file in files)
            elif command := re.search(r"manage\.py (\w+)", name):
                is_there = command[1] in commands | gone
            elif re.fullmatch(r"[A-Z][A-Z_]+|[a-z]+(_[a-z]+)+|[A-Z][a-z]+([A-Z][a-z]+)+", name):
                is_there = name in words | gone or name in OTHERS
            else:
                continue
            if not is_there:
                missing.append(f"{path.name}: {name}")
    assert missing == []


OTHERS = {"error_page"}  # of nginx


def test_data_dictionary_is_true():
    """docs/data-dictionary.md is made from the records; `python -m docs.dictionary` writes it."""
    from docs.dictionary import text

    assert (ROOT / "docs" / "data-dictionary.md").read_text() == text()


def test_choices_have_words():
    for name in dir(project_choices):
        enum = getattr(project_choices, name)
        if (
            isinstance(enum, type)
            and issubclass(enum, models.Choices)
            and enum not in (models.TextChoices, models.IntegerChoices)
        ):
            assert all(str(label) for label in enum.labels), name


def test_every_member_of_the_united_nations_is_on_the_map():
    import csv

    from partners.maps import world

    with (ROOT / "fixtures" / "reference" / "countries.csv").open(encoding="utf-8") as file:
        members = {row["iso2"] for row in csv.DictReader(file) if row["is_un_member"] == "1"}
    assert len(members) == 193
    assert members <= {area.iso2 for area in world()}


def test_dictionary_names_fields_that_exist():
    from docs.dictionary import STANDARDS

    known = {
        f"{model._meta.model_name}.{field.name}"
        for app in OUR_APPS
        for model in apps.get_app_config(app).get_models()
        for field in model._meta.concrete_fields
    }
    assert set(STANDARDS) <= known


@pytest.mark.parametrize(
    ("path", "code", "want"),
    [
        ("/needs/?q=x", "fr", "/fr/needs/?q=x"), ("/fr/needs/", "en", "/needs/"), ("/zh-hans/needs/", "ar", "/ar/needs/"),
        ("/", "fr", "/fr/"), ("/fr/", "en", "/"), ("/api/v1/docs/", "fr", "/api/v1/docs/"), ("/frogs/", "fr", "/fr/frogs/"),
    ],
)  # fmt: skip
def test_addresses_in_other_languages(path, code, want):
    from ground.context import address_in

    assert address_in(path, code) == want
