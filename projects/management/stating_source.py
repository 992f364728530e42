"""What the commands that import ask of the source of a file, as the form in admin does."""

from argparse import ArgumentParser
from datetime import date

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError

from ground.licences import OTHER, UNKNOWN
from projects.models import ImportRun
from projects.models.importing import LICENCE_CHOICES, STATED

CODES = [code for code, _name in LICENCE_CHOICES if code != OTHER]
OTHER_PREFIX = f"{OTHER}:"


def add_source_options(parser: ArgumentParser, address: str = "--source") -> None:
    group = parser.add_argument_group("where the file comes from, shown with each record; left out: not stated")
    group.add_argument("--publisher", default="", help="who publishes it")
    group.add_argument(address, dest="source_url", default="", metavar="URL", help="address of the source")
    group.add_argument(
        "--licence", default=UNKNOWN, metavar="CODE",
        help=f"as the source states it: {', '.join(CODES)}, or “{OTHER}: ” and its name (default: {UNKNOWN})",
    )  # fmt: skip
    group.add_argument(
        "--retrieved", default="", metavar="YYYY-MM-DD", help="date on which it was taken from its source"
    )


def stated_source(options: dict) -> dict:
    """The fields of an import that these options state. Raises CommandError with what to write instead."""
    code, text = _licence(options["licence"].strip())
    stated = {
        "publisher": options["publisher"].strip(), "source_url": options["source_url"].strip(), "licence": code, "licence_text": text,
        "retrieved_on": _day(options["retrieved"].strip()),
    }  # fmt: skip
    run = ImportRun(**stated)
    try:
        run.clean_fields(exclude={field.name for field in run._meta.fields} - set(STATED))
        run.clean()
    except ValidationError as error:
        wrong = (f"{run._meta.get_field(name).verbose_name}: {' '.join(texts)}" for name, texts in error)
        raise CommandError(" ".join(wrong)) from None
    return stated


def _licence(given: str) -> tuple[str, str]:
    if given.lower().startswith(OTHER_PREFIX):
        return OTHER, given[len(OTHER_PREFIX) :].strip()
    known = {code.lower(): code for code in CODES}
    if (code := known.get(given.lower().replace(" ", "-"))) is None:
        raise CommandError(
            f"--licence: “{given}” is not in the list. Use one of {', '.join(CODES)}, or “{OTHER}: ” and its name."
        )
    return code, ""


def _day(given: str) -> date | None:
    try:
        return date.fromisoformat(given) if given else None
    except ValueError:
        raise CommandError(f"--retrieved: “{given}” is no date. Write it as 2026-11-30.") from None
