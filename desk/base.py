"""Our admin site: Django's own, with a start page that says what waits for whom, and object permissions from rules.py."""

import copy
import re

from django.contrib import admin
from django.contrib.admin import actions
from django.contrib.admin.utils import flatten_fieldsets, unquote
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import URLField
from django.forms.utils import pretty_name
from django.http import HttpResponse, QueryDict
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from desk import merging, removing
from ground import listing
from ground.widgets import name_of, options_as_written
from partners import sent_once

DELETE_SELECTED = actions.delete_selected.short_description


@admin.action(permissions=["delete"], description=DELETE_SELECTED)
def delete_selected(model_admin, request, queryset) -> HttpResponse | None:
    """Django's own, which removes what its page showed."""
    with transaction.atomic():
        told = removing.asked(list(queryset), request, model_admin.opts, is_confirmed=bool(request.POST.get("post")))
        if told["refusal"]:
            request.POST = request.POST.copy()
            del request.POST["post"]  # not confirmed
        response = actions.delete_selected(model_admin, request, queryset)
    if response is not None:
        response.context_data |= told
        response.status_code = 409 if told["refusal"] else response.status_code
    return response


class PortalAdminSite(admin.AdminSite):
    site_title = site_header = _("South-South cooperation: desk")
    index_title = _("What waits for you")
    index_template = "admin/desk.html"

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.disable_action("delete_selected")
        self.add_action(delete_selected)

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


NOT_TYPED = re.compile(
    r"^_|csrfmiddlewaretoken|_FORMS$|__prefix__|password|^(initial|key|seen|post|action)$"
)  # of a form
THEN = "_then"  # in a form: what is done with the record once it is saved
CHOOSE_AGAIN = _("Nothing is saved yet, and the file is not kept meanwhile: choose it again.")


class Refusing:
    """A form that says, beside its own findings, why it is not saved now; and that a chosen file has to be chosen again,
    which is all that a browser does not send back."""

    refusal = None

    def full_clean(self):
        super().full_clean()
        if refusal := self.refusal or getattr(self, "refusals", {}).get(str(self.instance.pk)):
            self.add_error(None, refusal)
        for name in self.fields if self._errors else ():
            if self.add_prefix(name) in self.files and name not in self._errors:
                self.add_error(name, CHOOSE_AGAIN)


def is_untouched(request) -> bool:
    """Whether a form was sent as it was shown."""
    return getattr(request, "is_untouched", False)


class Careful:
    """Mixin: a form sent over a newer record is refused and loses nothing (merging.py); one sent twice makes one record."""

    # -- one record, two people
    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        if request.method != "POST" or "_preview" in request.POST:  # a preview keeps nothing
            return super().changeform_view(request, object_id, form_url, extra_context)
        with transaction.atomic():
            if object_id is None:
                return self._add_once(request, form_url, extra_context)
            pk = unquote(object_id)
            if self.get_object(request, pk) is None and request.user.is_staff:
                return self._show_typed(request, pk)
            return self._change_once(
                request, pk, lambda: super(Careful, self).changeform_view(request, object_id, form_url, extra_context)
            )

    def _change_once(self, request, pk: str, change) -> HttpResponse:
        """Locks the record, adds what stands in blank rows once, and compares what was sent with how it stands now."""
        record = self.get_object(request, pk)
        if not self.has_change_permission(request, record):
            return change()
        self.model._base_manager.select_for_update().get(pk=record.pk)  # the next one waits until this one is saved
        record = self.get_object(request, pk)
        form, formsets = self._as_it_stands(request, record)
        new = {each.prefix: merging.new_rows(each, request.POST, request.FILES) for each, _inline in formsets}
        new = {prefix: rows for prefix, rows in new.items() if rows}

        def compared() -> HttpResponse:
            is_typed = self._compare(request, record, form, formsets) or bool(new or request.FILES)
            request.is_untouched = not is_typed
            return change() if is_typed else self.leave_as_it_is(request, record) or change()

        def without_rows() -> None:
            request.POST, request._files = request.POST.copy(), request.FILES.copy()
            for prefix, rows in new.items():
                merging.leave_out_rows(prefix, rows, request.POST, request.FILES)

        rows = {prefix: list(found.values()) for prefix, found in new.items()}
        return sent_once.add_rows_once(request, rows, compared, without_rows=without_rows)

    def leave_as_it_is(self, request, record) -> HttpResponse | None:
        """The answer to a form in which nothing was typed, where it needs no saving."""
        return None

    typed_beside: frozenset[str] = (
        frozenset()
    )  # fields of the form that are no part of the record: alone they change nothing

    def nothing_changed(self, request, record) -> str:
        """What to say of a save by which nothing changed."""
        return _("Nothing was changed, so nothing was saved: %(record)s.") % {"record": record}

    def response_change(self, request, obj):
        """Django says of each save that something was changed."""
        if not is_untouched(request):
            return super().response_change(request, obj)
        quiet = copy.copy(self)
        quiet.message_user = lambda *_args, **_kwargs: None
        self.message_user(request, self.nothing_changed(request, obj))
        return super(Careful, quiet).response_change(request, obj)

    def save_model(self, request, obj, form, change):
        """Writes nothing where nothing was typed, neither in the form nor in its rows: not even when it was saved."""
        if not change or form.has_changed() or not is_untouched(request):
            super().save_model(request, obj, form, change)

    def log_change(self, request, obj, message):
        return None if is_untouched(request) else super().log_change(request, obj, message)

    def _compare(self, request, record, form, formsets) -> bool:
        """Brings what was sent together with how the record stands now. Returns whether anything is to be saved or told."""
        request.POST, request._files = request.POST.copy(), request.FILES.copy()
        base = merging.read(request.POST.get(merging.AS_SHOWN, ""), self._about(record))
        request.shown = self._snapshot(form, formsets)
        present = {name: said for name, said in request.shown["form"].items() if name not in self.typed_beside}
        found = [merging.merge(form, base and base["form"], present, request.POST, request.FILES, "")]
        for formset, inline in formsets:
            takes_new = inline.has_change_permission(request, record)
            rows = base["rows"].get(formset.prefix, {}) if base else None
            found += merging.merge_rows(formset, rows, request.POST, request.FILES, takes_new=takes_new).values()
        if any(one.is_newer for one in found):
            request.refusal = _refusal(found)
        is_removed = any(name.endswith("-DELETE") for name in request.POST)
        return is_removed or any(one.is_newer or one.is_mine for one in found)

    def _as_it_stands(self, request, record):
        """The form and the formsets as they would be shown now."""
        fresh = copy.copy(request)
        fresh.method = "GET"
        fields = flatten_fieldsets(self.get_fieldsets(fresh, record))
        form = self.get_form(fresh, record, change=True, fields=fields)(instance=record)
        return form, list(zip(*self._create_formsets(fresh, record, change=True), strict=True))

    @staticmethod
    def _snapshot(form, formsets) -> dict:
        rows = {formset.prefix: merging.shown_rows(formset) for formset, _inline in formsets}
        return {"form": merging.shown(form), "rows": rows}

    def _about(self, record) -> str:
        return f"{self.opts.label_lower}:{record.pk}"

    def get_form(self, request, obj=None, change=False, **kwargs):
        form = super().get_form(request, obj, change=change, **kwargs)
        if request.method != "POST":
            return form
        return type(form.__name__, (Refusing, form), {"refusal": getattr(request, "refusal", None)})

    def render_change_form(self, request, context, add=False, change=False, form_url="", obj=None):
        if change and obj is not None and self.has_change_permission(request, obj):
            content = getattr(request, "shown", None)
            if content is None:
                formsets = [(each.formset, each.opts) for each in context["inline_admin_formsets"]]
                content = self._snapshot(context["adminform"].form, formsets)
            context["as_shown"] = merging.sign(content, self._about(obj))
        return super().render_change_form(request, context, add, change, form_url, obj)

    # -- what is gone
    def _show_typed(self, request, pk: str) -> HttpResponse:
        """What somebody typed for a record that is not there any more, to be copied, and who removed it."""
        was_shown = merging.read(request.POST.get(merging.AS_SHOWN, ""), f"{self.opts.label_lower}:{pk}") is not None
        who, at = removing.last_change(self.model, pk, label="delete") if was_shown else ("", None)
        context = {
            **self.admin_site.each_context(request), "title": _("This record is not there any more"), "opts": self.opts,
            "typed": self._typed(request), "who": who, "at": at,
        }  # fmt: skip
        return TemplateResponse(request, "admin/gone.html", context, status=410 if was_shown else 404)

    def _typed(self, request) -> list[tuple[str, str]]:
        """(label, text) of each field that somebody filled in, by the order of the form."""
        rows = {inline.get_formset(request).get_default_prefix(): inline for inline in self._inlines_of(request)}
        found = []
        for name, values in [*request.POST.lists(), *((n, [file.name]) for n, file in request.FILES.items())]:
            prefix, number, rest = (*re.split(r"-(\d+)-", name, maxsplit=1), "", "")[:3]
            inline = rows.get(prefix) if rest else None
            if (
                not any(values)
                or NOT_TYPED.search(name)
                or (inline and rest in (inline.model._meta.pk.name, inline.fk))
            ):
                continue
            label, text = _in_words(inline or self, rest if inline else name, values, request)
            row = f"{capfirst(inline.opts.verbose_name)} {int(number) + 1}" if inline else ""
            found.append((merging.in_row(row, label), text))
        return found

    def _inlines_of(self, request) -> list:
        found = [inline(self.model, self.admin_site) for inline in self.inlines]
        for inline in found:
            formset = inline.get_formset(request)
            inline.fk = getattr(getattr(formset, "fk", None), "name", "")
        return found

    # -- the same form, sent twice
    def _add_once(self, request, form_url, extra_context):
        """Makes a record of a form once: sent again, the same form leads to the record that it made."""

        def add():
            return super(Careful, self).changeform_view(request, None, form_url, extra_context)

        return sent_once.carry_out_once(request, add, with_other_words=lambda kept: self._refuse_second(request, kept))

    @staticmethod
    def _refuse_second(request, kept) -> None:
        request.refusal = format_html(
            _("This form was saved already: {}. To add one more with what you typed now, save again."),
            format_html('<a href="{}">{}</a>', kept.body or kept.location, _("see what was saved")),
        )

    def response_add(self, request, obj, post_url_continue=None):
        request.made = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[obj.pk])
        return super().response_add(request, obj, post_url_continue)

    def log_deletions(self, request, queryset):
        sent_once.forget(request.user)
        return super().log_deletions(request, queryset)

    # -- what is removed
    def delete_view(self, request, object_id, extra_context=None):
        """Removes what the page showed: a record that is another one by now is shown again, as it is."""
        with transaction.atomic():
            record = self.get_object(request, unquote(object_id))
            if record is None or not self.has_delete_permission(request, record):
                return super().delete_view(request, object_id, extra_context)
            told = removing.asked([record], request, self.opts, is_confirmed=bool(request.POST))
            if told["refusal"]:
                request.POST = QueryDict()  # not confirmed
            response = super().delete_view(request, object_id, {**told, **(extra_context or {})})
        response.status_code = 409 if told["refusal"] and response.status_code == 200 else response.status_code
        return response

    # -- lists
    def changelist_view(self, request, extra_context=None):
        if request.method != "POST" or "_save" not in request.POST or not self.list_editable:
            return self._with_shown(request, super().changelist_view(request, extra_context))
        with transaction.atomic():
            self._compare_list(request)
            return self._with_shown(request, super().changelist_view(request, extra_context))

    def _compare_list(self, request) -> None:
        if not self.has_change_permission(request):
            return
        request.POST, request._files = request.POST.copy(), request.FILES.copy()
        formset_class = self.get_changelist_formset(request)
        sent = self._get_list_editable_queryset(request, formset_class.get_default_prefix())
        pks = list(self.model._base_manager.filter(pk__in=sent.values("pk")).order_by("pk").select_for_update())
        formset = formset_class(queryset=self.model._base_manager.filter(pk__in=[row.pk for row in pks]).order_by("pk"))
        request.shown = merging.shown_rows(formset)
        base = merging.read(request.POST.get(merging.AS_SHOWN, ""), self.opts.label_lower)
        found = merging.merge_rows(formset, base, request.POST, request.FILES, takes_new=False)
        request.refusals = {pk: _refusal([one]) for pk, one in found.items() if one.is_newer and one.is_mine}

    def get_changelist_form(self, request, **kwargs):
        form = super().get_changelist_form(request, **kwargs)
        return type(form.__name__, (Refusing, form), {"refusals": getattr(request, "refusals", {})})

    def _with_shown(self, request, response):
        """Adds what the list showed of each row that can be changed in it."""
        formset = getattr((getattr(response, "context_data", None) or {}).get("cl"), "formset", None)
        if formset is not None:
            content = getattr(request, "shown", None)
            content = content if content is not None else merging.shown_rows(formset)
            response.context_data["as_shown"] = merging.sign(content, self.opts.label_lower)
        return response


def _refusal(found: list[merging.Merged]) -> ValidationError:
    """Why a form is not saved now: what others changed, and where both values stand side by side."""
    said = [
        _("Somebody changed this record after you opened it, so nothing is saved yet. What you typed is still here.")
    ]
    said += dict.fromkeys(_taken_over(taken) for one in found for taken in one.taken)
    clashes = [clash for one in found for clash in one.clashes]
    for clash in clashes:
        who, at = removing.last_change(clash.model, clash.pk, of=clash.name) if clash.model else ("", None)
        now, typed = merging.differing(clash.now, clash.typed)
        values = {"field": clash.label, "now": now or "–", "typed": typed or "–"}
        if who or at:
            values |= removing.by_whom(who, at)
            said.append(_("%(field)s: now “%(now)s” (%(who)s, %(at)s), you typed “%(typed)s”.") % values)
        else:
            said.append(_("%(field)s: now “%(now)s”, you typed “%(typed)s”.") % values)
    if clashes:
        said.append(_("To keep what you typed, save again; to keep what stands now, write it into the field."))
    else:
        said.append(_("Look it over and save again."))
    return ValidationError([str(one) for one in said])


def _in_words(of, name: str, values: list[str], request) -> tuple[str, str]:
    """A field of a form of admin as a person reads it: its label, and what was filled in."""
    names = {each.name: each for each in of.model._meta.get_fields() if hasattr(each, "formfield")}
    known = names.get(name) or names.get(name.rpartition("_")[0])  # the parts of a moment
    chosen = known and of.formfield_for_dbfield(known, request)
    label = str(chosen.label if chosen else (name_of(known) if known else pretty_name(name)))
    return capfirst(label), merging.said(chosen, values) if chosen else listing.with_commas(values)


def _taken_over(taken: merging.Taken) -> str:
    """That somebody else wrote a field, so that it stands in the form as they left it."""
    which = {"label": "delete"} if taken.is_gone else {}
    who, at = removing.last_change(taken.model, taken.pk, of=taken.name, **which)
    if not at:
        return _("Taken over as it stands now: %(field)s.") % {"field": taken.label}
    return _("Taken over from %(who)s (%(at)s): %(field)s.") % {"field": taken.label, **removing.by_whom(who, at)}


class Acting:
    """Mixin: what is done with a record stands as buttons in its form, `acts` of the page. Pressing one saves first what was
    typed, so that nothing of it is lost. What is refused is not saved either: the form comes back as it was sent."""

    def act(self, request, record, act: str) -> HttpResponse:
        """Does it with the record as it is saved. Raises ValidationError."""
        raise NotImplementedError

    def as_seen(self, request, record) -> None:
        """Raises ValidationError where the record is another than the one that stood beside the button."""

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        def answer() -> HttpResponse:
            return super(Acting, self).changeform_view(request, object_id, form_url, extra_context)

        def do() -> HttpResponse:
            try:
                return answer()
            except ValidationError as error:
                request.refusal = ValidationError(error.messages)
                return answer()

        is_act = request.method == "POST" and THEN in request.POST and object_id is not None
        return sent_once.carry_out_once(request, do) if is_act else answer()

    def leave_as_it_is(self, request, record):
        if THEN not in request.POST or getattr(request, "refusal", None):
            return None
        self.as_seen(request, record)
        return self.act(request, record, request.POST[THEN])

    def save_model(self, request, obj, form, change):
        if THEN in request.POST and change:
            self.as_seen(request, self.model._base_manager.get(pk=obj.pk))
        super().save_model(request, obj, form, change)

    def response_change(self, request, obj):
        if THEN in request.POST:
            return self.act(request, obj, request.POST[THEN])
        return super().response_change(request, obj)


class RuledAdmin(Careful):
    """Mixin: what a person may do is asked of rules.py, about the very record."""

    def _may(self, action: str, request, obj=None) -> bool:
        return request.user.has_perm(f"{self.opts.app_label}.{action}_{self.opts.model_name}", obj)

    def formfield_for_dbfield(self, db_field, request, **kwargs):
        if isinstance(db_field, URLField):
            kwargs.setdefault("assume_scheme", "https")
        if hasattr(db_field, "_translated_field_language_code"):
            kwargs.setdefault("label", capfirst(name_of(db_field)))
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
            _name_records([change for entry in entries for change in entry["changes"]])
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
    fields = {f.attname: f for f in model._meta.concrete_fields}
    return {
        "at": event.pgh_created_at,
        "by": context.get("user"),
        "what": model._meta.verbose_name,
        "action": LABELS.get(event.pgh_label, event.pgh_label),
        "changes": [_change(fields.get(n), n, a, b) for n, a, b in changes],
    }


def _change(field, name: str, before, after) -> dict:
    """`of` is the kind of records of which the values are keys, if they are."""
    of = field.related_model if field is not None and field.is_relation else None
    return {"name": name_of(field) if field else name, "of": of, "before": _short(before), "after": _short(after)}


def _name_records(changes: list[dict]) -> None:
    """Puts what records call themselves in the place of their keys, kind by kind; of one that is gone its key stays."""
    for of in {change["of"] for change in changes} - {None}:
        own = [change for change in changes if change["of"] is of]
        keys = {change[side] for change in own for side in ("before", "after")} - {""}
        known = {str(pk): str(record) for pk, record in of._base_manager.in_bulk(keys).items()}
        for change in own:
            change |= {side: _short(known.get(change[side], change[side])) for side in ("before", "after")}


def _short(value) -> str:
    text = "" if value is None else str(value)
    return text if len(text) <= 300 else text[:300] + "…"
