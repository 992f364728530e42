"""Texts of pages: Markdown (CommonMark with tables) to HTML that is safe under the strict policy.

What looks like HTML stays text. Links lead to https, http and
mailto addresses, or to pages here in the reader's language; pictures are those of the
portal, by name. Headings begin at the second level, because a page has its title already.
"""

from dataclasses import dataclass

from django.conf import settings
from django.utils.html import format_html, mark_safe
from django.utils.text import slugify
from django.utils.translation import get_language, gettext, gettext_lazy
from markdown_it import MarkdownIt
from markdown_it.token import Token

from ground.context import address_in

HELP = gettext_lazy(
    "Markdown: ## heading, **strong**, [words](/needs/), - list, | table |, ![caption](picture:name). HTML is shown as it is."
)
PICTURE = "picture:"
LOWEST, HIGHEST = 2, 4


@dataclass(frozen=True)
class Rendered:
    """A text as HTML, and its headings of the second level as (id, words)."""

    html: str
    headings: list[tuple[str, str]]


def _reader() -> MarkdownIt:
    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    usual = reader.validateLink
    reader.validateLink = lambda url: (
        url.startswith(PICTURE)
        or (usual(url) and url.startswith(("/", "#", "https:", "http:", "mailto:")) and not url.startswith("//"))
    )
    return reader


READER = _reader()


def _pieces(tokens):
    for token in tokens:
        yield token
        yield from _pieces(token.children or [])


def pictures_in(text: str) -> set[str]:
    """Names of the pictures that a text shows."""
    return {token.attrs["src"].removeprefix(PICTURE) for token in _pieces(READER.parse(text)) if token.type == "image"}


def render(text: str, pictures=None, base: str = "") -> Rendered:
    """The text as HTML. `pictures`: records by name; one that is not there is left out, its caption stays.
    `base`: of links to pages here, for mail.
    """
    tokens, headings, seen = READER.parse(text), [], set()
    for place, token in enumerate(tokens):
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(max(int(token.tag[1:]), LOWEST), HIGHEST)}"
            if token.type == "heading_open":
                words = "".join(t.content for t in _pieces([tokens[place + 1]]) if t.type in ("text", "code_inline"))
                name = slugify(words, allow_unicode=True) or f"part-{place}"
                while name in seen:
                    name += "-"
                seen.add(name)
                token.attrs["id"] = name
                if token.tag == "h2":
                    headings.append((name, words))
        elif token.type == "th_open":
            token.attrs["scope"] = "col"
    for token in _pieces(tokens):
        if token.type == "link_open":
            address = str(token.attrs.get("href", ""))
            if address.startswith("/"):
                token.attrs["href"] = base + address_in(address, get_language() or settings.LANGUAGE_CODE)
            elif address.startswith(("http:", "https:")):
                token.attrs["rel"] = "external noopener"
    html = READER.renderer.render(_with_frames(tokens, pictures or {}), READER.options, {})  # HTML in texts is escaped
    return Rendered(mark_safe(html), headings)  # noqa: S308


def _with_frames(tokens: list[Token], pictures) -> list[Token]:
    """Tables scroll within a frame of their own; a picture that stands alone becomes a figure with its caption."""
    made: list[Token] = []
    for token in tokens:
        if token.type == "table_open":
            label = gettext("Table, scrolls sideways")
            made.append(_raw(format_html('<div class="scroll" role="region" tabindex="0" aria-label="{}">', label)))
        made.append(token)
        if token.type == "table_close":
            made.append(_raw("</div>"))
        elif token.type == "paragraph_close" and _is_picture(made[-2]):
            made[-3:] = [_raw(_figure(made[-2].children[0], pictures))]
        elif token.type == "inline":
            for one in token.children or []:
                if one.type == "image" and len(token.children) > 1:  # in the midst of words its caption stands for it
                    one.type = "text"
    return made


def _is_picture(token: Token) -> bool:
    return token.type == "inline" and [one.type for one in token.children or []] == ["image"]


def _raw(html: str) -> Token:
    return Token("html_block", "", 0, content=f"{html}\n", block=True)


def _figure(token: Token, pictures) -> str:
    picture, caption = pictures.get(token.attrs["src"].removeprefix(PICTURE)), token.content
    if picture is None:
        return format_html("<p>{}</p>", caption) if caption else ""
    return format_html(
        '<figure><img src="{}" alt="{}" width="{}" height="{}" loading="lazy"><figcaption>{} <span class="small">{}</span>'
        "</figcaption></figure>",
        picture.get_absolute_url(), picture.alt, picture.width, picture.height, caption, picture.credit,
    )  # fmt: skip
