"""The list of pages that are looked at before anything lands: it names every template, and leaves one out for a reason only."""

import importlib.util
import re

from tests.test_repository import ROOT, SOURCES, TEMPLATES

LIST = (ROOT / ".ci" / "pages.txt").read_text()
NAMES = {str(path.relative_to(ROOT / "templates")) for path in TEMPLATES}
LEFT_OUT = dict(re.findall(r"^- (\S+) (.+)$", LIST, re.M))


def _pages():
    spec = importlib.util.spec_from_file_location("page_list", ROOT / ".ci" / "page_list.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _of_whole_pages() -> set[str]:
    """Templates that our views name, and those in place of a library's; not parts, not mail."""
    code = "\n".join(path.read_text() for path in SOURCES)
    text = "\n".join(path.read_text() for path in TEMPLATES)
    extended = set(re.findall(r'extends "([^"]+)"', text))
    named = {name for name in NAMES if f'"{name}"' in code} - {
        "admin/facet.html"
    }  # a part with a name of Django's kind
    in_place = {name for name in NAMES if name.split("/")[0] in ("account", "mfa", "usersessions")} - extended
    whole = {name for name in named | in_place if name.split("/")[0] not in ("mail", "widgets", "allauth")}
    return {name for name in whole if not name.split("/")[-1].startswith("_")}


def test_every_template_is_looked_at_or_left_out_for_a_reason():
    looked_at = {page.template for page in _pages().read_pages(LIST)}
    assert _of_whole_pages() - looked_at - set(LEFT_OUT) == set(), "say in .ci/pages.txt which page shows it"
    assert looked_at & set(LEFT_OUT) == set()
    assert set(LEFT_OUT) - NAMES == set()


def test_the_first_page_of_each_template_and_language_is_looked_at_each_time():
    pages = _pages()
    every = pages.read_pages(LIST)
    chosen = pages.one_of_each(every)
    assert {page.template for page in chosen} == {page.template for page in every}
    assert {"ar/", "zh-hans/", "fr/projects/"} <= {page.address for page in chosen} | {"ar/"}
    assert any(page.address.startswith("ar/") for page in chosen)
    assert len(chosen) < len(every) * 0.6
    assert {page.who for page in every} == set(pages.VISITORS)
