"""What the admin of every record with a life shares: corrections with a reason, its moves as
buttons, one page to confirm each, moves of many.
"""

from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from desk.base import THEN, Acting
from desk.partners import RuledInline
from partners.rules import require
from partners.sent_once import once
from projects import actions, drafting, lifecycle
from projects.forms import form_of


class ReadOnlyInline(RuledInline):
    """Rows to look at; what changes them is an act of its own."""

    can_delete = False
    max_num = 0
    classes = ["collapse"]

    def has_change_permission(self, request, obj=None):
        return False

    def has_add_permission(self, request, obj=None):
        return False


class Correction(forms.ModelForm):
    """A correction: needs its reason."""

    reason = forms.CharField(
        label=gettext_lazy("Reason of the correction"), widget=forms.Textarea(attrs={"rows": 2}), max_length=2000,
        help_text=gettext_lazy("Those whose record it is read it."),
    )  # fmt: skip

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if not self.instance.pk:  # a new record corrects nothing
            self.fields["reason"].required = False
            self.fields["reason"].widget = forms.HiddenInput()


class Corrected:
    """Mixin: what a Correction changed is written down with its reason; a reason alone corrects nothing."""

    typed_beside = frozenset({"reason"})

    def leave_as_it_is(self, request, record):
        if getattr(request, "refusal", None):
            return None
        if THEN not in request.POST:
            return self.response_change(request, record)
        if request.POST.get("reason", "").strip():
            self.message_user(request, self.nothing_changed(request, record))
        return super().leave_as_it_is(request, record)

    def nothing_changed(self, request, record):
        if not (reason := request.POST.get("reason", "").strip()):
            return super().nothing_changed(request, record)
        text = _("Nothing was changed, so nothing was saved, and no correction was written down: “%(reason)s”.")
        return text % {"reason": reason}

    def save_related(self, request, form, formsets, change):
        super().save_related(request, form, formsets, change)
        if change:
            drafting.correct(form.instance, by=request.user, note=form.cleaned_data["reason"])


class ActingAsSeen(Acting):
    """Mixin: what is done with a record is done with the one that stood beside the button."""

    def as_seen(self, request, record):
        lifecycle.only_as_seen(lifecycle.as_seen(record, request.POST.get("seen")), record)


class Moving(ActingAsSeen):
    """Mixin: the state of a record is moved by the moves alone, with the same form and function as on the pages."""

    def get_urls(self):
        view = self.admin_site.admin_view(once(self.move_view))
        name = f"{self.opts.app_label}_{self.opts.model_name}_move"
        return [path("<int:pk>/move/<slug:action>/", view, name=name), *super().get_urls()]

    def change_view(self, request, object_id, form_url="", extra_context=None):
        record = self.get_object(request, object_id)
        moves = lifecycle.moves_open_to(request.user, record) if record is not None else []
        seen = lifecycle.mark_of(record) if record is not None else ""
        more = {"moves": moves, "acts": [(move.action, move.label) for move in moves], "seen": seen}
        return super().change_view(request, object_id, form_url, {**more, **(extra_context or {})})

    def act(self, request, record, act):
        """On to the page of the move."""
        if act not in lifecycle.moves_of(record):
            raise Http404
        mark = lifecycle.mark_of(self.model._base_manager.get(pk=record.pk))
        return redirect(f"{self._address_of(record, act)}?{urlencode({'seen': mark})}")

    def move_view(self, request, pk, action):
        """Confirms a move, takes what it needs, and makes it."""
        record = request.acts_on = self.model.objects.visible_to(request.user).filter(pk=pk).first()
        move = lifecycle.TRANSITIONS[self.opts.model_name].get(action)
        if record is None or move is None or not move.is_for_forms:
            raise Http404
        require(request.user, move.permission, record)
        form, code = form_of(move, record, user=request.user, data=request.POST or None), 400
        seen = request.POST.get("seen") or request.GET.get("seen") or lifecycle.mark_of(record)
        lifecycle.as_seen(record, seen)
        if request.method == "POST" and form.is_valid():
            try:
                actions.move(record, action, by=request.user, **form.cleaned_data)
            except ValidationError as error:
                if getattr(error, "code", "") == "conflict":
                    record.refresh_from_db()
                    seen, code = lifecycle.mark_of(record), 409
                form.add_error(None, error)
            else:
                self.message_user(
                    request,
                    _("%(record)s is “%(state)s” now.")
                    % {"record": record.reference, "state": record.get_state_display()},
                )
                return redirect(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", record.pk)
        context = {**self.admin_site.each_context(request), "title": move.label, "record": record, "move": move, "form": form,
                   "opts": self.opts, "seen": seen, "instead": self._instead(record, move)}  # fmt: skip
        return render(request, "admin/projects/move.html", context, status=code if form.errors else 200)

    def _instead(self, record, move) -> tuple[str, str] | None:
        """(address, label) of the move that can succeed, to which what was typed goes on."""
        other = lifecycle.in_place_of(move, record)
        return other and (self._address_of(record, other.action), other.label)

    def _address_of(self, record, action: str) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_move", args=[record.pk, action])

    def move_selected(self, request, queryset, action, note=""):
        """Moves many records, each by itself; says which could not be moved and why."""
        done = 0
        for record in queryset:
            try:
                actions.move(record, action, by=request.user, note=note)
                done += 1
            except (PermissionDenied, ValidationError) as error:
                why = " ".join(error.messages) if isinstance(error, ValidationError) else str(error)
                self.message_user(request, f"{record.reference}: {why}", messages.WARNING)
        if done:
            self.message_user(request, ngettext("%(n)s record moved.", "%(n)s records moved.", done) % {"n": done})
