"""Loading the terms of the vocabularies from fixtures/reference."""

from datetime import date

from partners.reference import Report, names, read, write_rows
from projects.models import Term


def load_terms(report: Report) -> None:
    """Terms of every vocabulary; parents and CRS codes by default are set once all terms exist."""
    rows = read("terms")

    def values(row: dict, known: dict[tuple[str, str], Term]) -> dict:
        return {
            **{k: row[k] for k in ("vocabulary", "code", "source")},
            **names(row, "name"),
            "is_verified": row["is_verified"] == "1",
            "is_withdrawn": row["is_withdrawn"] == "1",
            "position": int(row["position"]),
            "starts_on": date.fromisoformat(row["starts_on"]) if row["starts_on"] else None,
            "ends_on": date.fromisoformat(row["ends_on"]) if row["ends_on"] else None,
            "parent": known.get((row["vocabulary"], row["parent"])),
            "default_crs": known.get(("crs", row["default_crs"])),
        }

    def existing() -> dict:
        return {(t.vocabulary, t.code): t for t in Term.objects.all()}

    # Terms that others point to come first in the file's order: CRS codes and goals, then what refers to them.
    referring = [r for r in rows if r["parent"] or r["default_crs"]]
    for part in ([r for r in rows if r not in referring], referring):
        known = existing()
        write_rows(
            Term,
            lambda t: f"{t.vocabulary}:{t.code}",
            [values(r, known) for r in part],
            "fixtures/reference/terms.csv",
            report,
        )
