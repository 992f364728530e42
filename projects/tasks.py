"""Background and scheduled work. The queue is in PostgreSQL; `manage.py procrastinate worker` runs it."""

from pathlib import Path

from procrastinate.contrib.django import app

from partners.models import User
from projects import quality, search
from projects.interchange.iati_import import import_file
from projects.models import FacetTally, ImportRun, Project


@app.task(name="projects.import_iati", queue="imports", retry=False)
def import_iati(run_id: int, publish: bool = True) -> None:
    """Carries out an import that was confirmed in admin. Its progress is on the run."""
    run = ImportRun.objects.get(pk=run_id)
    by = run.started_by or User.objects.system()
    import_file(Path(run.file.path), by=by, publish=publish, run=run)


@app.periodic(cron="17 2 * * *")
@app.task(name="projects.nightly", queue="nightly", pass_context=False)
def nightly(timestamp: int) -> None:
    """Each night: what derives from other records is made anew, so that changed names are found and scores are right."""
    search.rebuild()
    search.rebuild_words()
    quality.rescore(Project.objects.all())


@app.periodic(cron="*/5 * * * *")
@app.task(name="projects.fold_tallies", queue="nightly", pass_context=False)
def fold_tallies(timestamp: int) -> None:
    """Keeps the counts of facets short, so that reading them stays quick."""
    FacetTally.objects.fold()
