"""Admin of imports: upload an IATI file, see what would happen, confirm, follow the worker, read the findings."""

import csv
from pathlib import Path

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from projects.interchange.findings import write_findings
from projects.interchange.iati_import import import_file
from projects.models import ImportIssue, ImportRun
from projects.tasks import import_iati
from ssc_portal.admin import RuledAdmin

MOST_UPLOAD = 200 * 1024**2  # bytes
MOST_PREVIEW = 5 * 1024**2  # bytes; larger files are read by the worker, without a preview first
LISTED = 500


class UploadForm(forms.Form):
    file = forms.FileField(
        label=gettext_lazy("IATI activity file"),
        help_text=gettext_lazy("Versions 1.01 to 2.03; plain XML, gzip, or a ZIP archive with one file; up to 200 MB."),
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


@admin.register(ImportRun)
class ImportRunAdmin(RuledAdmin, admin.ModelAdmin):
    list_display = [
        "file_name",
        "started_at",
        "started_by",
        "progress",
        "done",
        "created",
        "updated",
        "unchanged",
        "rejected",
    ]
    list_filter = ["progress", "is_dry_run"]
    list_select_related = ["started_by"]
    search_fields = ["file_name", "sha256"]

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
            path("<int:pk>/findings.csv", view(self.findings_view), name="projects_importrun_findings"),
            *super().get_urls(),
        ]

    def queues(self) -> list[dict]:
        """Queues for the start page of admin."""
        waiting = ImportRun.Progress.WAITING
        return [
            {"label": _("Imports to confirm"), "permission": "projects.import_projects", "view": "projects_importrun_changelist",
             "query": f"progress__exact={waiting}", "rows": lambda user: ImportRun.objects.filter(progress=waiting, started_by=user)},
        ]  # fmt: skip

    def add_view(self, request, form_url="", extra_context=None):
        """Upload: keeps the file, tries it without writing, and shows what would happen."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = UploadForm(request.POST, request.FILES) if request.method == "POST" else UploadForm()
        if request.method == "POST" and form.is_valid():
            upload = form.cleaned_data["file"]
            run = ImportRun.objects.create(
                file_name=Path(upload.name).name[:200],
                file=upload,
                started_by=request.user,
                is_dry_run=True,
                progress=ImportRun.Progress.WAITING,
            )
            if upload.size <= MOST_PREVIEW:
                import_file(
                    Path(run.file.path), by=request.user, dry_run=True, publish=form.cleaned_data["publish"], run=run
                )
            if run.progress != ImportRun.Progress.FAILED:
                run.progress = ImportRun.Progress.WAITING
                run.save(update_fields=["progress"])
            request.session[f"publish-import-{run.pk}"] = form.cleaned_data["publish"]
            return redirect("admin:projects_importrun_change", run.pk)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Import an IATI file"),
            "form": form,
            "opts": self.opts,
        }
        return render(request, "admin/projects/importrun/upload.html", context, status=400 if form.errors else 200)

    def confirm_view(self, request, pk):
        """Hands a tried file to the worker."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        run = get_object_or_404(ImportRun, pk=pk, progress=ImportRun.Progress.WAITING)
        run.issues.all().delete()
        for name in ("done", "created", "updated", "unchanged", "rejected", "percent"):
            setattr(run, name, 0)
        run.is_dry_run, run.progress, run.message, run.finished_at = False, ImportRun.Progress.QUEUED, "", None
        run.save()
        import_iati.defer(run_id=run.pk, publish=request.session.pop(f"publish-import-{run.pk}", True))
        self.message_user(request, _("The import was handed to the worker. This page shows how far it is."))
        return redirect("admin:projects_importrun_change", run.pk)

    def change_view(self, request, object_id, form_url="", extra_context=None):
        run = (
            get_object_or_404(ImportRun.objects.select_related("started_by"), pk=object_id)
            if str(object_id).isdigit()
            else None
        )
        if run is None or not self.has_view_permission(request, run):
            raise PermissionDenied
        issues = run.issues.all()
        counts: dict[str, int] = {}
        for outcome in issues.order_by().values_list("outcome", flat=True):
            counts[ImportIssue.Outcome(outcome).label] = counts.get(ImportIssue.Outcome(outcome).label, 0) + 1
        context = {
            **self.admin_site.each_context(request), "title": str(run), "run": run, "opts": self.opts, "issues": issues[:LISTED],
            "counts": counts, "more": max(0, sum(counts.values()) - LISTED),
            "is_waiting": run.progress == ImportRun.Progress.WAITING and self.has_add_permission(request),
            "is_moving": run.progress in (ImportRun.Progress.QUEUED, ImportRun.Progress.RUNNING),
        }  # fmt: skip
        return render(request, "admin/projects/importrun/run.html", context)

    def findings_view(self, request, pk):
        """Every finding of a run as CSV."""
        run = get_object_or_404(ImportRun, pk=pk)
        if not self.has_view_permission(request, run):
            raise PermissionDenied
        response = HttpResponse(
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="findings-{pk}.csv"'},
        )
        write_findings(csv.writer(response), [run])
        return response
