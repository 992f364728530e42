"""The pages that are looked at: who looks, what a page may weigh, which are looked at each time (the list is pages.txt)."""

import re
from typing import NamedTuple


class Budget(NamedTuple):
    """Most that a page may weigh: KB over the wire, of them scripts, requests, KB on the second visit."""

    kb: float
    js_kb: float
    requests: int
    warm_kb: float


class Visitor(NamedTuple):
    """Who looks. Django's own pages, those of the desk, are looked at for accessibility alone: they have no budget."""

    user: str
    budget: Budget | None


VISITORS = {
    "anyone": Visitor("", Budget(40, 10, 5, 10)),
    "focal": Visitor("focal-point@example.org", Budget(45, 10, 6, 12)),
    "desk": Visitor("desk@example.org", None),
}


class Page(NamedTuple):
    who: str
    template: str
    address: str


def read_pages(text: str) -> list[Page]:
    """The lines `who template address` of the list. Others say which template is left out, or nothing."""
    lines = (line.split() for line in text.splitlines() if line.strip() and line[0] not in "#-")
    return [Page(who, template, address.lstrip("/")) for who, template, address in lines]


def one_of_each(pages: list[Page]) -> list[Page]:
    """The first page of each template, and the first in each language."""
    seen, chosen = set(), []
    for page in pages:
        language = re.match(r"(ar|zh-hans|fr|ru|es)/", page.address)
        kinds = {page.template, language and language[1]} - {None}
        if kinds - seen:
            chosen.append(page)
        seen |= kinds
    return chosen
