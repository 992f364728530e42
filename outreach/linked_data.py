"""Stories as schema.org describes them. Only what everybody may read."""

from outreach.models import Story, StoryText
from partners.linked_data import CONTEXT, address


def story(record: Story, text: StoryText) -> dict:
    """An article about a project (schema.org Article)."""
    found = {
        "@context": CONTEXT, "@type": "Article", "@id": address(record), "url": address(record), "headline": text.title,
        "inLanguage": text.language, "about": {"@type": "Project", "@id": address(record.project), "name": record.project.title},
    }  # fmt: skip
    if text.lede:
        found["description"] = text.lede
    if record.published_at:
        found["datePublished"] = record.published_at.date().isoformat()
    return found
