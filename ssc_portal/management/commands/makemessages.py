"""Django's `makemessages` with this portal's choices: every language at once, and only what readers of pages and mail see.

What only staff read has one address and stays in English, as does the description of the API; what is wrong with a call
is told in the caller's language (docs/decisions/0015-translations.md).
"""

from django.core.management.commands import makemessages

ONLY_IN_ENGLISH = [
    "tests/*",
    "*/management/*",
    # admin
    "desk/*",
    "templates/admin/*",
    "*/apps.py",
    "projects/lifecycle/project.py",
    "projects/models/importing.py",
    "outreach/models/*",
    "outreach/markup.py",
    "outreach/pictures.py",
    "projects/models/story.py",
    "projects/models/search.py",
    "projects/models/matching.py",
    "projects/models/money.py",
    "projects/models/parts.py",
    "projects/models/project.py",
    "projects/models/result.py",
    "projects/models/event.py",
    "projects/models/term.py",
    "partners/models/mail_text.py",
    "partners/models/partner.py",
    "partners/models/place.py",
    "partners/models/reference.py",
    "partners/models/constraints.py",
    "projects/interchange/iati*",
    "projects/interchange/bulk/*",
    "projects/interchange/needs_import.py",
    "projects/interchange/cleaning.py",
    # description of the API
    "templates/api_docs.html",
]


class Command(makemessages.Command):
    # A guess from a similar sentence would be shown as if somebody had translated it.
    msgmerge_options = [*makemessages.Command.msgmerge_options, "--no-fuzzy-matching"]

    def add_arguments(self, parser):
        super().add_arguments(parser)
        parser.set_defaults(
            all=True, no_wrap=True, no_obsolete=True, add_location="file", ignore_patterns=list(ONLY_IN_ENGLISH)
        )
