"""Admin of possible duplicates: a queue, and one page that compares two records and takes the decision."""

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from desk.base import KeptHistory, RuledAdmin
from desk.partners import OnlyLooked
from ground import listing
from partners.rules import require
from partners.sent_once import refused
from projects import duplicates, recording
from projects.choices import PairState
from projects.models import DuplicatePair, Project


class DecisionForm(forms.Form):
    keep = forms.ChoiceField(label=gettext_lazy("Decision"), widget=forms.RadioSelect)
    note = forms.CharField(
        label=gettext_lazy("Note"), required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("Needed for a merge; it is kept with both records."),
    )  # fmt: skip

    def __init__(self, *args, pair: DuplicatePair, **kwargs):
        super().__init__(*args, **kwargs)
        one, other = pair.first, pair.second
        self.fields["keep"].choices = [
            (str(one.pk), _("Keep %(stays)s and merge %(goes)s into it") % {"stays": one.reference, "goes": other.reference}),
            (str(other.pk), _("Keep %(stays)s and merge %(goes)s into it") % {"stays": other.reference, "goes": one.reference}),
            ("apart", _("They are two projects: do not show them again")),
        ]  # fmt: skip


def compared(one: Project, other: Project) -> list[tuple[str, str, str]]:
    """What the two records say differently: (what, here, there); rows as how many there are, and which."""
    fields = ((name, one._meta.get_field(name)) for name in recording.FIELDS)
    found = [(field.verbose_name, _shown(one, name), _shown(other, name)) for name, field in fields]
    for kind in recording.ROWS.values():
        managers = [getattr(p, kind.manager) for p in (one, other)]
        label = managers[0].model._meta.verbose_name_plural
        found.append((label, *(listing.with_semicolons(manager.all()[:20]) for manager in managers)))
    return [row for row in found if row[1] != row[2]]


def _shown(project: Project, name: str) -> str:
    display = getattr(project, f"get_{name}_display", None)
    return str(display() if display else getattr(project, name) or "")


@admin.register(DuplicatePair)
class DuplicatePairAdmin(OnlyLooked, KeptHistory, RuledAdmin, admin.ModelAdmin):
    list_display = ["__str__", "titles", "score", "state", "decided_by", "decided_at"]
    list_select_related = ["first", "second", "decided_by"]
    list_filter = ["state"]
    search_fields = ["first__title", "first__reference", "second__title", "second__reference"]

    @admin.display(description=gettext_lazy("titles"))
    def titles(self, pair):
        return f"{pair.first.title} / {pair.second.title}"

    def has_delete_permission(self, request, obj=None):
        return False

    def queues(self) -> list[dict]:
        """What waits, for the start page of admin."""
        return [
            {
                "label": _("Possible duplicates"), "permission": "projects.merge_project", "view": "projects_duplicatepair_changelist",
                "query": f"state__exact={PairState.OPEN}", "rows": lambda user: DuplicatePair.objects.open(),
                "text": _("Found at night; merge them or say that they are two projects."),
            }
        ]  # fmt: skip

    def change_view(self, request, object_id, form_url="", extra_context=None):
        """Two records side by side, and the decision."""
        pairs = DuplicatePair.objects.select_related("first", "second", "decided_by")
        pair = pairs.filter(pk=object_id).first() if str(object_id).isdigit() else None
        if pair is None:
            raise Http404
        require(request.user, "projects.view_duplicatepair", pair)
        form = DecisionForm(request.POST if request.method == "POST" else None, pair=pair)
        if request.method == "POST" and form.is_valid() and self._decided(request, pair, form):
            return redirect("admin:projects_duplicatepair_changelist")
        if request.method == "POST" and not DuplicatePair.objects.open().filter(pk=pair.pk).exists():
            # There is no form any more.
            self.message_user(request, _("Somebody has decided this already."), messages.ERROR)
            return refused("admin:projects_duplicatepair_change", pair.pk)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Possible duplicates"),
            "opts": self.opts,
            "pair": pair,
            "rows": compared(pair.first, pair.second),
            "form": form if pair.state == PairState.OPEN else None,
        }
        return render(request, "admin/projects/duplicatepair/decide.html", context, status=400 if form.errors else 200)

    def _decided(self, request, pair: DuplicatePair, form: DecisionForm) -> bool:
        choice, note = form.cleaned_data["keep"], form.cleaned_data["note"]
        try:
            if choice == "apart":
                duplicates.keep_apart(pair, by=request.user, note=note)
                self.message_user(request, _("They are not shown again."))
            else:
                keep = pair.first if choice == str(pair.first_id) else pair.second
                stays = duplicates.merge(pair, keep=keep, by=request.user, note=note)
                self.message_user(request, _("%(record)s holds both records now; the address of the other leads to it.") % {"record": stays.reference})  # fmt: skip
        except ValidationError as error:
            form.add_error(None, ValidationError(error.messages))
            return False
        return True
