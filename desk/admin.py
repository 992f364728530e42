"""Loads every page of admin: Django looks for this file."""

from desk import duplicate, importing, matching, need, offer, partners, project, response, term, webhook
from desk.outreach import contact, mail, pages, stories

__all__ = [
    "contact", "duplicate", "importing", "mail", "matching", "need", "offer", "pages", "partners", "project", "response",
    "stories", "term", "webhook",
]  # fmt: skip
