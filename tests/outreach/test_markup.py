"""Texts of pages: what Markdown becomes, and what never comes through."""

from types import SimpleNamespace

import pytest
from django.utils.translation import override
from hypothesis import given
from hypothesis import strategies as st
from lxml import html as parser

from outreach import markup

PICTURE = SimpleNamespace(alt='A "lagoon"', width=90, height=60, credit="CC0", get_absolute_url=lambda: "/p.jpg")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("# One\n## Two", '<h2 id="one">One</h2>\n<h2 id="two">Two</h2>'),
        ("## Same\n## Same", '<h2 id="same">Same</h2>\n<h2 id="same-">Same</h2>'),
        ("<b onclick=x>no</b>", "<p>&lt;b onclick=x&gt;no&lt;/b&gt;</p>"),
        ("[x](https://x.org/?a=1&b)", '<p><a href="https://x.org/?a=1&amp;b" rel="external noopener">x</a></p>'),
        ("[x](javascript:alert(1))", "<p>[x](javascript:alert(1))</p>"),
        ("[x](//evil.org/)", "<p>[x](//evil.org/)</p>"),
        ("![Seen](picture:none)", "<p>Seen</p>"),
        ("before ![Seen](picture:one) after", "<p>before Seen after</p>"),
        (
            "![Seen](picture:one)",
            '<figure><img src="/p.jpg" alt="A &quot;lagoon&quot;" width="90" height="60" loading="lazy"><figcaption>Seen '
            '<span class="small">CC0</span></figcaption></figure>',
        ),
    ],
)
def test_what_a_text_becomes(text, said):
    assert markup.render(text, {"one": PICTURE}).html.strip() == said


def test_tables_scroll_by_themselves():
    found = parser.fromstring(markup.render("| a | b |\n| --- | --- |\n| 1 | 2 |").html)
    assert (found.get("role"), found.get("tabindex")) == ("region", "0")
    assert [cell.get("scope") for cell in found.iter("th")] == ["col", "col"]


def test_links_to_pages_stay_in_the_readers_language():
    with override("fr"):
        said = markup.render("[a](/needs/?q=1) [b](/api/v1/docs/) [c](#x)").html
    assert 'href="/fr/needs/?q=1"' in said and 'href="/api/v1/docs/"' in said and 'href="#x"' in said


def test_pictures_of_a_text_are_found():
    assert markup.pictures_in("![a](picture:one) and ![b](picture:two)\n\n> ![c](picture:three)") == {
        "one",
        "two",
        "three",
    }


def test_headings_are_told_for_the_list_of_contents():
    assert markup.render("## A *b*\n### C\n## D").headings == [("a-b", "A b"), ("d", "D")]


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=300))
def test_no_text_breaks_out(text):
    """Whatever is written: no script, no handler, no style, no address that runs."""
    said = markup.render(text).html
    for element in parser.fragment_fromstring(said, create_parent="div").iter():
        assert element.tag not in ("script", "style", "iframe", "object", "img", "form")
        for name, value in element.attrib.items():
            assert name in ("id", "href", "rel", "role", "tabindex", "aria-label", "class", "scope", "start", "title")
            assert name != "href" or value.startswith(("/", "#", "http", "mailto:"))
