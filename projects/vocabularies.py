"""Loading the terms of the vocabularies, and the thesaurus of matching, from fixtures/reference."""

from datetime import date

from partners.reference import Report, names, read, write_rows
from projects.models import Concept, NearTerm, Term, Wording

THESAURUS_LANGUAGES = ("en", "fr", "es", "pt", "ar", "ru", "zh")


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


def load_near_themes(report: Report) -> None:
    """Pairs of themes that matching counts as near."""
    themes = {term.code: term for term in Term.objects.themes()}
    write_rows(
        NearTerm,
        lambda pair: f"{pair.one.code}:{pair.other.code}",
        [{"one": themes[row["one"]], "other": themes[row["other"]]} for row in read("near_themes")],
        "fixtures/reference/near_themes.csv",
        report,
    )


def load_thesaurus(report: Report) -> None:
    """Concepts with their words in each language; the broader ones first."""
    rows, source = read("thesaurus"), "fixtures/reference/thesaurus.csv"
    waiting, known = rows, {}
    while waiting:
        ready = [r for r in waiting if not r["broader"] or r["broader"] in known]
        write_rows(
            Concept,
            lambda c: c.code,
            [{"code": r["code"], "use": r["use"], "broader": known.get(r["broader"])} for r in ready],
            source,
            report,
        )
        known = {c.code: c for c in Concept.objects.all()}
        waiting = [r for r in waiting if r not in ready]
    write_rows(
        Wording,
        lambda w: f"{w.concept.code}:{w.language}",
        [
            {"concept": known[r["code"]], "language": language, "words": r[language].split(";")}
            for r in rows
            for language in THESAURUS_LANGUAGES
            if r[language] and r["code"] in known
        ],
        source,
        report,
    )
