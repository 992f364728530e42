"""Our admin site: Django's own, with a start page that says what waits for whom, and object permissions from rules.py."""

from django.contrib import admin
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import URLField
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from ssc_portal.widgets import options_as_written


class PortalAdminSite(admin.AdminSite):
    site_title = site_header = _("South-South cooperation: desk")
    index_title = _("What waits for you")
    index_template = "admin/desk.html"

    def login(self, request, extra_context=None):
        """One way in for everybody, with its limits and its second factor."""
        if request.user.is_authenticated:
            raise PermissionDenied(_("Admin is for UNEP's staff."))
        return redirect_to_login(request.GET.get("next") or reverse("admin:index"))

    def each_context(self, request):
        return {**super().each_context(request), "site_name": self.site_header}

    def index(self, request, extra_context=None):
        return super().index(request, {"waiting": self.waiting_for(request.user), **(extra_context or {})})

    def waiting_for(self, user) -> list[dict]:
        """Every queue of every record type that has one, as (label, count, address). See `queues` of the model admins."""
        found = []
        for model_admin in self._registry.values():
            for queue in getattr(model_admin, "queues", list)() if user.is_staff else []:
                if queue["permission"] is None or user.has_perm(queue["permission"]):
                    count = queue["rows"](user).count()
                    address = reverse(f"admin:{queue['view']}") + (f"?{queue['query']}" if queue.get("query") else "")
                    found.append(
                        {"label": queue["label"], "count": count, "url": address, "text": queue.get("text", "")}
                    )
        return found


class RuledAdmin:
    """Mixin: what a person may do is asked of rules.py, about the very record."""

    def _may(self, action: str, request, obj=None) -> bool:
        return request.user.has_perm(f"{self.opts.app_label}.{action}_{self.opts.model_name}", obj)

    def formfield_for_dbfield(self, db_field, request, **kwargs):
        if isinstance(db_field, URLField):
            kwargs.setdefault("assume_scheme", "https")
        field = super().formfield_for_dbfield(db_field, request, **{**options_as_written(db_field), **kwargs})
        if field is not None:
            # Fields in rows and in lists have a column heading but no label of their own.
            widget = getattr(field.widget, "widget", field.widget)
            widget.attrs.setdefault("aria-label", str(capfirst(field.label or db_field.verbose_name)))
        return field

    def has_view_permission(self, request, obj=None):
        return self._may("view", request, obj) or self.has_change_permission(request, obj)

    def has_add_permission(self, request, obj=None):
        return self._may("add", request)

    def has_change_permission(self, request, obj=None):
        return self._may("change", request, obj)

    def has_delete_permission(self, request, obj=None):
        return self._may("delete", request, obj)

    def has_module_permission(self, request):
        return request.user.is_staff


class KeptHistory:
    """Mixin: the history page shows what the triggers kept, also of bulk edits and raw SQL, with differences."""

    object_history_template = "admin/kept_history.html"

    def history_view(self, request, object_id, extra_context=None):
        from pghistory.models import Events

        record = self.get_object(request, object_id)
        entries = []
        if record is not None and self.has_view_permission(request, record):
            events = Events.objects.references(record) | Events.objects.tracks(record)
            entries = [_entry(event) for event in events.order_by("-pgh_created_at", "-pgh_id")[:200]]
        return super().history_view(request, object_id, {"entries": entries, **(extra_context or {})})


LABELS = {"insert": _("added"), "update": _("changed"), "delete": _("removed")}


def _entry(event) -> dict:
    """One kept change: when, who, of what record, and each field before and after."""
    from django.apps import apps

    model = apps.get_model(event.pgh_obj_model)
    context = event.pgh_context or {}
    if event.pgh_label == "update":
        changes = [(name, pair[0], pair[1]) for name, pair in (event.pgh_diff or {}).items()]
    else:
        changes = [
            (n, "", v)
            for n, v in event.pgh_data.items()
            if v not in (None, "", []) and not n.endswith("_id") and n != "id"
        ]
        if event.pgh_label == "delete":
            changes = [(n, v, "") for n, _old, v in changes]
    names = {f.attname: f.verbose_name for f in model._meta.concrete_fields}
    return {
        "at": event.pgh_created_at,
        "by": context.get("user"),
        "what": model._meta.verbose_name,
        "action": LABELS.get(event.pgh_label, event.pgh_label),
        "changes": [(names.get(n, n), _short(a), _short(b)) for n, a, b in changes],
    }


def _short(value) -> str:
    text = "" if value is None else str(value)
    return text if len(text) <= 300 else text[:300] + "…"
