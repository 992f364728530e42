"""The pages, milestones and topics that the portal comes with, from fixtures/reference. Staff's edits are kept."""

from datetime import date
from pathlib import Path

from outreach.models import Milestone, Page, PageText, Topic
from partners.models import Country, CountryGroup, Partner
from partners.reference import FOLDER, Report, names, read, write_rows

PAGES = FOLDER / "pages"
TEXTS = ("title", "lede", "video_title", "video_url", "transcript")


def parsed(path: Path) -> dict[str, str]:
    """A text of a page: `name: value` lines, an empty line, the body. The file is called <last part of the address>.<language>.md."""
    head, _, body = path.read_text(encoding="utf-8").partition("\n\n")
    values = dict(line.split(": ", 1) for line in head.splitlines())
    if unknown := set(values) - {*TEXTS}:
        raise ValueError(f"{path.name}: {', '.join(sorted(unknown))} is not known")
    return {**values, "body": body.strip() + "\n"}


def load_pages(report: Report) -> None:
    groups, partners = CountryGroup.objects.in_bulk(field_name="code"), Partner.objects.in_bulk(field_name="slug")
    rows = read("pages")
    write_rows(
        Page,
        lambda page: page.path,
        [
            {
                "path": row["path"], "menu": row["menu"], "position": int(row["position"]), "shows": row["shows"],
                "partner": partners[row["partner"]] if row["partner"] else None,
                "group": groups[row["group"]] if row["group"] else None,
                "is_public": True,
            }
            for row in rows
        ],
        "fixtures/reference/pages.csv",
        report,
    )  # fmt: skip
    pages = Page.objects.in_bulk(field_name="path")
    texts = []
    for path in sorted(PAGES.glob("*.md")):
        stem, language = path.stem.rsplit(".", 1)
        page = pages.get(stem.replace("--", "/"))
        if page is not None:  # staff may have deleted it
            texts.append({"page": page, "language": language, **parsed(path)})
    write_rows(PageText, lambda text: f"{text.page.path}:{text.language}", texts, "fixtures/reference/pages", report)


def load_milestones(report: Report) -> None:
    countries = Country.objects.in_bulk(field_name="iso3")
    write_rows(
        Milestone,
        lambda one: one.code,
        [
            {
                "code": row["code"],
                "happened_on": date.fromisoformat(row["happened_on"]),
                "country": countries[row["country"]] if row["country"] else None,
                **{k: row[k] for k in ("precision", "kind", "place", "document_title", "document_url")},
                **names(row, "name", "text"),
                "is_verified": row["is_verified"] == "1",
            }
            for row in read("milestones")
        ],
        "fixtures/reference/milestones.csv",
        report,
    )


def load_topics(report: Report) -> None:
    write_rows(
        Topic,
        lambda topic: topic.code,
        [
            {
                "code": row["code"], "email": row["email"], **names(row, "name"),
                "answer_days": int(row["answer_days"]), "position": int(row["position"]),
            }
            for row in read("topics")
        ],
        "fixtures/reference/topics.csv",
        report,
    )  # fmt: skip
