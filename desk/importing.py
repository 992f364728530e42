"""Admin of imports: upload an IATI file or a table, see what would happen, confirm, follow the worker, read what came of
it, undo a table. Templates of the tables."""

import csv
from functools import partial
from pathlib import Path

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db import models, transaction
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from desk.base import RuledAdmin
from ground import incoming
from ground.bodies import takes_files
from ground.licences import UNKNOWN
from ground.signs import without_hidden
from ground.storage import kept_with_its_row, remove_with_its_row
from ground.tables import TooLong, TooMany
from partners.sent_once import carry_out_once
from projects.interchange.bulk import running, sheets
from projects.interchange.bulk.kinds import KINDS
from projects.interchange.findings import write_findings, write_rows
from projects.interchange.iati_import import import_file
from projects.models import ImportIssue, ImportRun
from projects.models.importing import LICENCE_CHOICES, STATED, ImportKind, RowOutcome, RowUndo
from projects.tasks import import_iati, import_table

MOST_UPLOAD = 200 * 1024**2  # bytes
MOST_AT_ONCE = 512 * 1024  # bytes, unpacked; larger files are tried by the worker
LISTED = 500
ROWS_LISTED = 100


def _field(field, **kwargs):
    """A field of the form; an address without its beginning is one of https."""
    more = {"assume_scheme": "https"} if isinstance(field, models.URLField) else {}
    return field.formfield(**kwargs, **more)


class SourceForm(forms.ModelForm):
    """What is said of the source of an import; of what nobody says nothing is assumed."""

    class Meta:
        model = ImportRun
        fields = STATED
        formfield_callback = _field
        widgets = {"retrieved_on": forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["licence"].required = False  # left out is not known
        self.fields["licence"].choices = [(code, capfirst(name)) for code, name in LICENCE_CHOICES]

    def clean_licence(self):
        return self.cleaned_data["licence"] or UNKNOWN

    def source_fields(self) -> list:
        return [self[name] for name in STATED]

    def own_fields(self) -> list:
        return [field for field in self if field.name not in STATED]


class StatedForm(SourceForm):
    """The same of an import that was made; refused once where somebody else has stated it meanwhile."""

    seen = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args, instance: ImportRun, **kwargs):
        self.now = " | ".join(str(getattr(instance, name) or "–") for name in STATED)
        super().__init__(*args, instance=instance, initial={"seen": self.now}, **kwargs)

    def clean(self):
        if self.cleaned_data.get("seen") != self.now:
            self.data = self.data.copy()
            self.data["seen"] = self.now
            text = _(
                "Somebody has changed the source since you opened this page. Now it is: %(now)s. Save again to replace it."
            )
            self.add_error(None, text % {"now": self.now})
        return super().clean()


class UploadForm(SourceForm):
    file = forms.FileField(
        label=gettext_lazy("IATI activity file"),
        help_text=gettext_lazy("Versions 1.01 to 2.03; plain XML, gzip, or a ZIP archive; up to 200 MB."),
    )
    publish = forms.BooleanField(
        label=gettext_lazy("Publish new records at once"), required=False, initial=True,
        help_text=gettext_lazy("Where your role may publish; otherwise they stay drafts."),
    )  # fmt: skip

    def clean_file(self):
        file = self.cleaned_data["file"]
        if file.size > MOST_UPLOAD:
            raise forms.ValidationError(
                _("The file is larger than 200 MB. Divide it, or use manage.py import_iati on the server.")
            )
        return file


class TableForm(SourceForm):
    kind = forms.ChoiceField(label=gettext_lazy("What the table holds"))
    file = forms.FileField(
        label=gettext_lazy("Table"),
        help_text=gettext_lazy(
            "The template, filled in: CSV in UTF-8 or a workbook (XLSX), at most 5000 records and 10 MB."
        ),
    )
    only_good = forms.TypedChoiceField(
        label=gettext_lazy("If some records are not right"),
        choices=[("", gettext_lazy("write nothing until all are right")), ("1", gettext_lazy("write those that are right"))],
        coerce=bool, required=False, empty_value=False, widget=forms.RadioSelect, initial="",
    )  # fmt: skip

    def __init__(self, *args, kinds: list[str], **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["kind"].choices = [(kind, ImportKind(kind).label) for kind in kinds]


@admin.register(ImportRun)
class ImportRunAdmin(RuledAdmin, admin.ModelAdmin):
    change_list_template = "admin/projects/importrun/list.html"
    list_display = [
        "file_name",
        "kind",
        "started_at",
        "started_by",
        "progress_now",
        "done",
        "created",
        "updated",
        "unchanged",
        "rejected",
        "undone_at",
    ]
    list_filter = ["kind", "progress", "is_dry_run", ("undone_at", admin.EmptyFieldListFilter)]
    list_select_related = ["started_by"]
    search_fields = ["file_name", "sha256", "rows__key"]

    def has_add_permission(self, request):
        return request.user.has_perm("projects.import_projects")

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False

    def get_urls(self):
        view = self.admin_site.admin_view
        return [
            path("<int:pk>/confirm/", view(require_POST(self.confirm_view)), name="projects_importrun_confirm"),
            path("<int:pk>/discard/", view(require_POST(self.discard_view)), name="projects_importrun_discard"),
            path("<int:pk>/findings.csv", view(self.findings_view), name="projects_importrun_findings"),
            path("<int:pk>/go-on/", view(require_POST(self.go_on_view)), name="projects_importrun_go_on"),
            path("<int:pk>/source/", view(self.source_view), name="projects_importrun_source"),
            path("<int:pk>/undo/", view(self.undo_view), name="projects_importrun_undo"),
            path("table/", view(self.table_view), name="projects_importrun_table"),
            path("table/<str:kind>.<str:format>", view(self.template_view), name="projects_importrun_template"),
            *super().get_urls(),
        ]

    def queues(self) -> list[dict]:
        """Queues for the start page of admin."""
        waiting = ImportRun.Progress.WAITING
        return [
            {"label": _("Imports to confirm"), "permission": "projects.import_projects", "view": "projects_importrun_changelist",
             "query": f"progress__exact={waiting}", "rows": lambda user: ImportRun.objects.filter(progress=waiting, started_by=user)},
        ]  # fmt: skip

    @takes_files(MOST_UPLOAD, "projects.import_projects")
    def add_view(self, request, form_url="", extra_context=None):
        """Upload: keeps the file, tries it without writing, and shows what would happen."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = UploadForm(request.POST, request.FILES) if request.method == "POST" else UploadForm()
        if request.method == "POST" and form.is_valid():
            upload = form.cleaned_data["file"]
            run = form.instance
            run.file_name = without_hidden(Path(upload.name).name)[:200]
            run.file, run.started_by = upload, request.user
            run.is_dry_run, run.progress = True, ImportRun.Progress.WAITING
            run.publishes = form.cleaned_data["publish"]
            answer = self._kept_once(request, run)
            if run.pk:
                self._try_activities(run)
            return answer
        context = {
            **self.admin_site.each_context(request),
            "title": _("Import an IATI file"),
            "form": form,
            "opts": self.opts,
        }
        return render(request, "admin/projects/importrun/upload.html", context, status=400 if form.errors else 200)

    @staticmethod
    def _kept_once(request, run: ImportRun) -> HttpResponse:
        """Keeps a file, and leads to its run. Sent twice it is one run: this one stays unsaved, and it leads to the first."""

        def keep() -> HttpResponse:
            run.save()
            return redirect("admin:projects_importrun_change", run.pk)

        with kept_with_its_row(run):
            return carry_out_once(request, keep)

    @staticmethod
    def _try_activities(run: ImportRun) -> None:
        """Small files at once, larger ones by the worker."""
        if not incoming.unpacks_within(Path(run.file.path), MOST_AT_ONCE):
            with transaction.atomic():
                run.progress = ImportRun.Progress.QUEUED
                run.save(update_fields=["progress"])
                import_iati.defer(run_id=run.pk, dry_run=True)
            return
        import_file(Path(run.file.path), by=run.started_by, dry_run=True, run=run)
        if run.progress != ImportRun.Progress.FAILED:
            run.progress = ImportRun.Progress.WAITING
            run.save(update_fields=["progress"])

    @takes_files(sheets.LARGEST)
    def table_view(self, request):
        """Upload of a table: keeps the file, tries it, and shows what would become of each record. Templates to fill in."""
        if not (kinds := running.kinds_for(request.user)):
            raise PermissionDenied
        initial = {"kind": request.GET.get("kind")}
        form = TableForm(request.POST or None, request.FILES or None, kinds=kinds, initial=initial)
        if request.method == "POST" and form.is_valid():
            upload = form.cleaned_data["file"]
            run = form.instance
            run.kind, run.only_good = form.cleaned_data["kind"], form.cleaned_data["only_good"]
            run.file_name = without_hidden(Path(upload.name).name)[:200]
            run.file, run.started_by = upload, request.user
            run.is_dry_run = True
            try:
                given = sheets.read(upload, run.file_name, running.resource_of(run, request.user))
            except ValidationError as error:
                form.add_error("file", error)
            else:
                run.done = len(given)
                answer = self._kept_once(request, run)
                if run.pk:
                    self._carry_out(run, dry_run=True)
                return answer
        tables = [(kind, ImportKind(kind).label, KINDS[kind](by=request.user).about_filled()) for kind in kinds]
        context = {
            **self.admin_site.each_context(request), "title": _("Bring in a table"), "form": form, "opts": self.opts, "tables": tables,
        }  # fmt: skip
        return render(request, "admin/projects/importrun/table.html", context, status=400 if form.errors else 200)

    def template_view(self, request, kind, format):
        """The table of a kind to fill in: empty, or `?filled` with the records that this person may change."""
        if kind not in KINDS or format not in ("csv", "xlsx"):
            raise Http404
        if kind not in running.kinds_for(request.user):
            raise PermissionDenied
        resource = KINDS[kind](by=request.user)
        try:
            if "filled" not in request.GET:
                return table_response(resource, None, kind, format)
            return table_response(resource, resource.writable(), kind, format, resource.about_filled())
        except (TooLong, TooMany) as error:
            self.message_user(request, str(error), messages.ERROR)
            return redirect("admin:projects_importrun_table")

    def _carry_out(self, run: ImportRun, *, dry_run: bool) -> None:
        """Small tables at once, larger ones by the worker."""
        if run.done <= running.AT_ONCE:
            running.carry_out(run, dry_run=dry_run)
        else:
            with transaction.atomic():
                run.progress = ImportRun.Progress.QUEUED
                run.save(update_fields=["progress"])
                import_table.defer(run_id=run.pk, dry_run=dry_run)

    @transaction.atomic  # it says that it waits for the worker exactly when it does
    def confirm_view(self, request, pk):
        """Carries out what was tried: a table at once or by the worker, an IATI file by the worker."""
        run = get_object_or_404(ImportRun, pk=pk)
        if not self._may_make(request, run):
            raise PermissionDenied
        waiting = ImportRun.objects.filter(pk=pk, progress=ImportRun.Progress.WAITING)
        if not waiting.update(progress=ImportRun.Progress.QUEUED):  # pressed twice, it happens once
            self.message_user(request, _("It was carried out already, or discarded."), messages.WARNING)
        elif run.is_table:
            run.started_by, run.only_good = request.user, run.only_good or "only_good" in request.POST
            run.progress = ImportRun.Progress.QUEUED
            run.save()
            self._carry_out(run, dry_run=False)
        else:
            self._begin_again(run)
            import_iati.defer(run_id=run.pk)
            self.message_user(request, _("The import was handed to the worker. This page shows how far it is."))
        return redirect("admin:projects_importrun_change", run.pk)

    @transaction.atomic
    def discard_view(self, request, pk):
        """Takes away a trial that is not to be carried out, with its file: nothing came of it."""
        run = ImportRun.objects.select_for_update().filter(pk=pk, progress=ImportRun.Progress.WAITING).first()
        if not self.has_add_permission(request) or (run and not self._may_make(request, run)):
            raise PermissionDenied
        if run is None:
            self.message_user(request, _("It was carried out already, or discarded."), messages.WARNING)
        else:
            remove_with_its_row(run.file)
            run.delete()
            self.message_user(request, _("Discarded: the trial is gone, and nothing was written."))
        return redirect("admin:projects_importrun_changelist")

    @transaction.atomic
    def go_on_view(self, request, pk):
        """Carries out again what broke off: what is written already is found unchanged, a table was taken back whole. What
        was only tried is only tried again."""
        run = get_object_or_404(ImportRun, pk=pk)
        if not self._may_make(request, run):
            raise PermissionDenied
        taken = ImportRun.objects.broken_off().filter(pk=pk).exclude(file="").values("pk")
        if not ImportRun.objects.filter(pk__in=taken).update(progress=ImportRun.Progress.QUEUED, has_broken=False):
            self.message_user(request, _("It has not broken off, or its file is not kept here."), messages.WARNING)
        elif run.is_table:
            import_table.defer(run_id=pk, dry_run=run.is_dry_run)
        else:
            is_trial = run.is_dry_run
            if not is_trial:
                run.publishes = "publish" in request.POST
            self._begin_again(run, is_dry_run=is_trial, keeps_counts=True)
            import_iati.defer(run_id=pk, dry_run=is_trial)
        return redirect("admin:projects_importrun_change", pk)

    @staticmethod
    def _begin_again(run: ImportRun, *, is_dry_run: bool = False, keeps_counts: bool = False) -> None:
        """`keeps_counts`: of what had been read, until it is read anew."""
        run.issues.all().delete()
        for name in ("percent",) if keeps_counts else (*run.counts, "percent"):
            setattr(run, name, 0)
        run.is_dry_run, run.progress, run.message, run.finished_at = is_dry_run, ImportRun.Progress.QUEUED, "", None
        run.has_broken = False
        run.save()

    @admin.display(description=gettext_lazy("progress"), ordering="progress")
    def progress_now(self, run):
        is_left = run.progress == ImportRun.Progress.RUNNING or run.has_broken
        is_left = is_left or (run.progress == ImportRun.Progress.QUEUED and not run.has_job)
        is_gone = is_left and not run.at_work
        return _("broken off") if is_gone else run.get_progress_display()

    def get_queryset(self, request):
        return super().get_queryset(request).with_at_work()

    def _may_make(self, request, run: ImportRun) -> bool:
        """Whether this person may make such an import: carry it out or discard it, say where its records come from."""
        return self.has_add_permission(request) and (not run.is_table or run.kind in running.kinds_for(request.user))

    @method_decorator(transaction.atomic)
    def source_view(self, request, pk):
        """States the source of an import later, such as of one whose licence nobody knew."""
        run = get_object_or_404(ImportRun.objects.select_for_update(), pk=pk)
        if not self._may_make(request, run):
            raise PermissionDenied
        form = StatedForm(request.POST or None, instance=run)
        if request.method == "POST" and form.is_valid():
            run.save(update_fields=STATED)
            self.log_change(
                request, run, _("Source: %s") % " | ".join(str(getattr(run, name) or "–") for name in STATED)
            )
            self.message_user(
                request, _("The source was saved. It is shown with each record of this import."), messages.SUCCESS
            )
            return redirect("admin:projects_importrun_change", run.pk)
        context = {
            **self.admin_site.each_context(request), "title": _("Change the source"), "run": run, "form": form, "opts": self.opts,
        }  # fmt: skip
        return render(request, "admin/projects/importrun/source.html", context, status=400 if form.errors else 200)

    def undo_view(self, request, pk):
        """Asks, then takes back what a table wrote."""
        run = get_object_or_404(ImportRun, pk=pk)
        if not request.user.has_perm("projects.undo_importrun", run):
            raise PermissionDenied
        if request.method == "POST":
            try:
                running.undo(run, by=request.user)
            except ValidationError as error:
                self.message_user(request, " ".join(error.messages), messages.ERROR)
            else:
                left = run.rows.filter(undo__in=(RowUndo.PART, RowUndo.LEFT)).count()
                self.message_user(
                    request,
                    ngettext("Undone. %(n)s record was left or undone in part: see below.",
                             "Undone. %(n)s records were left or undone in part: see below.", left) % {"n": left}
                    if left else _("Undone: everything is as it was before."),
                    messages.WARNING if left else messages.SUCCESS,
                )  # fmt: skip
            return redirect("admin:projects_importrun_change", run.pk)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Undo the import"),
            "run": run,
            "opts": self.opts,
        }
        return render(request, "admin/projects/importrun/undo.html", context)

    def change_view(self, request, object_id, form_url="", extra_context=None):
        run = (
            get_object_or_404(ImportRun.objects.select_related("started_by"), pk=object_id)
            if str(object_id).isdigit()
            else None
        )
        if run is None or not self.has_view_permission(request, run):
            raise PermissionDenied
        issues, is_broken_off, may_make = run.issues.all(), run.is_broken_off, self._may_make(request, run)
        counts: dict[str, int] = {}
        for outcome in issues.order_by().values_list("outcome", flat=True):
            counts[ImportIssue.Outcome(outcome).label] = counts.get(ImportIssue.Outcome(outcome).label, 0) + 1
        context = {
            **self.admin_site.each_context(request), "title": str(run), "run": run, "opts": self.opts, "issues": issues[:LISTED],
            "counts": counts, "more": max(0, sum(counts.values()) - LISTED),
            "is_waiting": run.progress == ImportRun.Progress.WAITING and may_make,
            "may_undo": run.can_be_undone and request.user.has_perm("projects.undo_importrun", run),
            **(self._rows(request, run) if run.is_table else {}),
            "is_broken_off": is_broken_off, "may_state": may_make,
            "may_go_on": is_broken_off and bool(run.file) and may_make,
            "is_moving": not is_broken_off and run.progress in (ImportRun.Progress.QUEUED, ImportRun.Progress.RUNNING),
        }  # fmt: skip
        return render(request, "admin/projects/importrun/run.html", context)

    @staticmethod
    def _rows(request, run: ImportRun) -> dict:
        """The records of a table, a page at a time; `?outcome=` chooses some."""
        rows, outcome = run.rows.all(), request.GET.get("outcome", "")
        if outcome in RowOutcome.values:
            rows = rows.filter(outcome=outcome)
        resource = KINDS[run.kind](by=request.user)
        columns, lines = resource._meta.fields, resource.line_names()
        page = Paginator(rows, ROWS_LISTED).get_page(request.GET.get("page"))
        for row in page:
            names = [name for name in columns if name in row.after or name in row.before]
            row.difference = [(n, *(_shown(cells.get(n), lines) for cells in (row.before, row.after))) for n in names]
            row.url = _address(run, row)
        counts = dict(zip(RowOutcome, (run.created, run.updated, run.unchanged, run.rejected), strict=True))
        outcomes = [(each.value, each.label, n) for each, n in counts.items() if n]
        return {"page": page, "outcomes": outcomes, "outcome": outcome, "right": run.created + run.updated}

    def findings_view(self, request, pk):
        """Every finding of a run as CSV; of a table every record with its difference."""
        run = get_object_or_404(ImportRun, pk=pk)
        if not self.has_view_permission(request, run):
            raise PermissionDenied
        response = HttpResponse(
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="findings-{pk}.csv"'},
        )
        if run.is_table:
            write_rows(csv.writer(response), run)
        else:
            write_findings(csv.writer(response), [run])
        return response


def _shown(cell: str | list | None, names: list[str]) -> list[str]:
    """A cell as lines of text; of a line of the record its cells in one, in the order of the columns."""
    if isinstance(cell, list):
        return [" · ".join(line[name] for name in names if name in line) for line in cell]
    return [cell] if cell else []


def _address(run: ImportRun, row) -> str:
    """Where the record of a row is in admin; nothing where it is not there."""
    model = KINDS[run.kind]._meta.model
    is_gone = row.outcome == RowOutcome.NEW and (run.is_dry_run or row.undo == RowUndo.WHOLE)
    if is_gone or not row.record:
        return ""
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[row.record])


def table_response(resource, records, kind: str, format: str, holds: str = "") -> HttpResponse:
    """A table as a file: empty, or with these records; `holds`: which they are. Raises TooLong and TooMany."""
    rows = sheets.filled(resource, records) if records is not None else []
    write, media_type = {
        "csv": (sheets.as_csv, "text/csv; charset=utf-8"),
        "xlsx": (
            partial(sheets.as_workbook, holds=holds),
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        ),
    }[format]
    headers = {"Content-Disposition": f'attachment; filename="{kind}.{format}"'}
    return HttpResponse(write(resource, rows), content_type=media_type, headers=headers)


class Tabled:
    """Mixin: records that can be taken as the table in which they come back (`table_kind` of KINDS)."""

    table_kind = ""
    change_list_template = "admin/tabled_list.html"
    actions = ["take_workbook", "take_csv"]

    @admin.action(
        description=gettext_lazy("Take as a workbook (XLSX), to be changed and brought back"), permissions=["take"]
    )
    def take_workbook(self, request, queryset):
        return self._take(request, queryset, "xlsx")

    @admin.action(description=gettext_lazy("Take as CSV, to be changed and brought back"), permissions=["take"])
    def take_csv(self, request, queryset):
        return self._take(request, queryset, "csv")

    def _take(self, request, queryset, format: str):
        resource = KINDS[self.table_kind](by=request.user)
        records = resource.records().filter(pk__in=queryset.values("pk"))
        try:
            return table_response(resource, records, self.table_kind, format)
        except (TooLong, TooMany) as error:
            self.message_user(request, str(error), messages.ERROR)
            return None

    def changelist_view(self, request, extra_context=None):
        return super().changelist_view(
            request, {"may_bring_in": self.has_take_permission(request), **(extra_context or {})}
        )

    def has_take_permission(self, request):
        return request.user.has_perm(KINDS[self.table_kind].permission)
