"""The findings of imports as a table, and what became of each record of a table."""

import json

from ground.tables import harmless


def write_findings(writer, runs) -> None:
    """Rows of findings; cells that a spreadsheet would take for a formula get an apostrophe."""
    writer.writerow(["file", "activity", "line", "element", "value", "what was done", "explanation"])
    for run in runs:
        for issue in run.issues.all():
            cells = [
                run.file_name,
                issue.identifier,
                issue.line,
                issue.element,
                issue.value,
                issue.get_outcome_display(),
                issue.text,
            ]
            writer.writerow([harmless(cell) for cell in cells])


def write_rows(writer, run) -> None:
    """Each record of a table: what becomes of it, column by column, and what is to be mended."""
    writer.writerow(
        [
            "row",
            "record",
            "what becomes of it",
            "column",
            "before",
            "after",
            "to be mended",
            "how it was read",
            "undone",
            "why it was left",
        ]
    )
    for row in run.rows.all():
        about = [row.number, row.key, row.get_outcome_display()]
        undone = [row.get_undo_display() if row.undo else "", row.undo_note]
        changes = [(name, row.before.get(name, ""), cell, "", "") for name, cell in row.after.items()]
        changes += [(name, "", "", text, "") for name, text in row.problems]
        changes += [(name, "", "", "", text) for name, text in row.notes]
        for name, before, after, text, note in changes or [("",) * 5]:
            cells = [*about, name, _cell(before), _cell(after), text, note, *undone]
            writer.writerow([harmless(cell) for cell in cells])


def _cell(value) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
