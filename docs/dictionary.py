"""Makes docs/data-dictionary.md from the records: each field, its meaning and where standards have it.

    python -m docs.dictionary

A test compares the file with what this makes, so it can't fall behind.
"""

import os
from pathlib import Path

# Where IATI 2.03 and TOSSD have a field. What is not here has no place in them.
STANDARDS = {
    "project.iati_identifier": "IATI iati-identifier",
    "project.language": "IATI iati-activity/@xml:lang",
    "project.title": "IATI title/narrative; TOSSD project title",
    "project.summary": "IATI description[@type=4] with ssc:as; TOSSD description",
    "project.description": "IATI description[@type=1]",
    "project.objectives": "IATI description[@type=2]",
    "project.lessons": "IATI description[@type=4] with ssc:as",
    "project.instrument": "IATI iati-activity/@hierarchy, tag (own vocabulary)",
    "project.status": "IATI activity-status",
    "project.modality": "IATI collaboration-type (8 triangular only); TOSSD framework FC01, FC02, FC03",
    "project.delivery_level": "IATI activity-scope",
    "project.planned_start": "IATI activity-date[@type=1]",
    "project.actual_start": "IATI activity-date[@type=2]",
    "project.planned_end": "IATI activity-date[@type=3]",
    "project.actual_end": "IATI activity-date[@type=4]",
    "project.default_currency": "IATI iati-activity/@default-currency",
    "project.parent": "IATI related-activity[@type=1]",
    "projecttranslation.language": "IATI narrative/@xml:lang",
    "projectcountry.country": "IATI recipient-country/@code; TOSSD recipient",
    "projectcountry.role": "IATI tag (own vocabulary); TOSSD provider, recipient",
    "projectcountry.provider_order": "IATI tag (own vocabulary)",
    "projectcountry.share": "IATI recipient-country/@percentage",
    "projectregion.region": "IATI recipient-region/@code",
    "projectregion.share": "IATI recipient-region/@percentage",
    "projectpartner.partner": "IATI participating-org/@ref",
    "projectpartner.role": "IATI participating-org/@role",
    "projectpartner.is_reporting": "IATI reporting-org",
    "projectterm.term": "IATI sector/@code, tag/@code; TOSSD sector",
    "projectterm.share": "IATI sector/@percentage",
    "contribution.kind": "TOSSD modality",
    "contribution.quantity": "SDG 17.3.1 category B or C; IATI indicator/period/target/@value",
    "contribution.delivered": "IATI indicator/period/actual/@value",
    "contribution.unit": "IATI indicator/reference (own vocabulary)",
    "contribution.women": "IATI indicator/period/target/dimension[@name=sex]",
    "contribution.men": "IATI indicator/period/target/dimension[@name=sex]",
    "contribution.amount": "SDG 17.3.1 category A or B; TOSSD amount committed",
    "contribution.spent": "SDG 17.3.1 category A or B; TOSSD amount disbursed",
    "contribution.currency": "TOSSD currency",
    "budget.kind": "IATI budget/@type",
    "budget.status": "IATI budget/@status",
    "budget.starts_on": "IATI budget/period-start",
    "budget.ends_on": "IATI budget/period-end",
    "budget.amount": "IATI budget/value",
    "budget.currency": "IATI budget/value/@currency",
    "budget.valued_on": "IATI budget/value/@value-date",
    "transaction.kind": "IATI transaction-type",
    "transaction.made_on": "IATI transaction-date",
    "transaction.amount": "IATI transaction/value",
    "transaction.currency": "IATI transaction/value/@currency",
    "transaction.valued_on": "IATI transaction/value/@value-date",
    "transaction.text": "IATI transaction/description",
    "result.kind": "IATI result/@type",
    "result.title": "IATI result/title",
    "result.indicator": "IATI result/indicator/title",
    "result.baseline": "IATI indicator/baseline/@value",
    "result.baseline_year": "IATI indicator/baseline/@year",
    "result.target": "IATI indicator/period/target/@value",
    "result.target_on": "IATI indicator/period/period-end",
    "result.actual": "IATI indicator/period/actual/@value",
    "result.actual_on": "IATI indicator/period/period-end",
    "result.women": "IATI indicator/period/actual/dimension[@name=sex]",
    "result.men": "IATI indicator/period/actual/dimension[@name=sex]",
    "result.unit": "IATI indicator/reference (own vocabulary)",
    "result.comment": "IATI indicator/description",
    "location.name": "IATI location/name",
    "location.latitude": "IATI location/point/pos",
    "location.longitude": "IATI location/point/pos",
    "document.url": "IATI document-link/@url",
    "document.title": "IATI document-link/title",
    "document.language": "IATI document-link/language",
    "document.published_on": "IATI document-link/document-date",
    "relatedproject.relation": "IATI related-activity/@type",
    "relatedproject.reported_identifier": "IATI related-activity/@ref",
    "partner.iati_identifier": "IATI organisation identifier",
    "partner.kind": "IATI OrganisationType",
    "term.code": "code of the vocabulary (IATI SectorVocabulary 1 CRS, 7 and 8 SDG)",
    "country.iso2": "IATI Country; ISO 3166-1 alpha-2",
    "country.iso3": "ISO 3166-1 alpha-3",
    "country.m49": "UN M49",
    "region.code": "UN M49; IATI RegionVocabulary 2",
}
TARGET = Path(__file__).parent / "data-dictionary.md"


def text() -> str:
    """The whole dictionary as Markdown."""
    from django.apps import apps
    from django.utils.translation import override

    lines = ["# Data dictionary", "", "Made from the records by `python -m docs.dictionary`; a test keeps it true.", ""]
    with override("en"):
        for app in ("partners", "projects", "outreach"):
            config = apps.get_app_config(app)
            lines += [f"## {config.verbose_name}", ""]
            for model in sorted(config.get_models(), key=lambda m: m.__name__):
                if hasattr(model, "pgh_tracked_model") or model._meta.auto_created:
                    continue  # history tables mirror their record
                lines += [f"### {model.__name__}", "", " ".join((model.__doc__ or "").split()), ""]
                lines += ["| field | meaning | type | standard |", "| --- | --- | --- | --- |"]
                lines += [_row(model, field) for field in model._meta.concrete_fields if field.name != "id"]
                lines.append("")
    return "\n".join(lines)


def _row(model, field) -> str:
    meaning = str(field.verbose_name)
    if field.help_text:
        meaning += f": {field.help_text}"
    kind = field.get_internal_type().removesuffix("Field")
    if field.related_model:
        kind = f"→ {field.related_model.__name__}"
    elif field.choices:
        kind = "one of " + ", ".join(str(value) or "(empty)" for value, _label in field.choices if value is not None)
    if field.null:
        kind += ", may be empty"
    cells = [field.name, meaning, kind, STANDARDS.get(f"{model._meta.model_name}.{field.name}", "")]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


if __name__ == "__main__":
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ssc_portal.settings")
    django.setup()
    TARGET.write_text(text(), encoding="utf-8")
