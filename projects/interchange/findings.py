"""The findings of imports as a table."""

from ssc_portal.tables import harmless


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
