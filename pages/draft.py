"""Writing a need or an offer: begin, the task list, its parts; of a need its documents, and the spreadsheet both ways."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import time_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from ground import listing
from ground.bodies import takes_files
from ground.parameters import one_value
from ground.tables import TooLong
from ground.templatetags.portal import day
from pages.acting import acted_on
from partners.sent_once import once, refused
from projects import charts, drafting, uploads
from projects.choices import DocumentKind, NeedState, OfferKind, OfferState, counted
from projects.forms import OFFER_PARTS, PARTS, BeginForm, BeginOfferForm, Part, parts_of
from projects.forms.draft import Lines
from projects.interchange import need_sheet
from projects.lifecycle import missing_for
from projects.lifecycle import offer as life_of_offer
from projects.lifecycle.need import TAKES_DOCUMENTS, WRITING
from projects.models import Need, NeedDocument, Offer, Project
from projects.suggestions import offers_like, similar_to, suggest_for


@dataclass(frozen=True)
class Written:
    """How a kind of record is written on pages."""

    model: type
    parts: tuple[Part, ...]
    begin: type  # the form of the first page
    to_state: str  # in which it is handed in
    missing_for: Callable
    refusal: str  # to those who may not write it
    ask: str  # where to send those who may not begin one

    def parts_of(self, record) -> list[Part]:
        """The parts that a record of this kind has."""
        return parts_of(record, self.parts)


MAX_ERRORS_SAID = 3  # beside the field; a press shows all of them
WRITTEN = {
    "need": Written(
        Need, PARTS, BeginForm, NeedState.SUBMITTED, missing_for,
        gettext_lazy("Only contributors and focal points of the country write this need."),
        gettext_lazy("Contributors and focal points write the needs of their country. Ask to join yours."),
    ),
    "offer": Written(
        Offer, OFFER_PARTS, BeginOfferForm, OfferState.SUBMITTED, life_of_offer.missing_for,
        gettext_lazy("Only people of the partner or country that offers it write this offer."),
        gettext_lazy("People of a partner or country write its offers. Ask to join yours."),
    ),
}  # fmt: skip


def _mine(request: HttpRequest, reference: str, kind: str = "need") -> Need | Offer:
    """The record, for somebody who may write it."""
    model = WRITTEN[kind].model
    joined = ("country",) if model is Need else ("country", "partner")
    record = acted_on(request, model.objects.visible_to(request.user).select_related(*joined), reference)
    if not request.user.has_perm(f"projects.change_{kind}", record):
        raise PermissionDenied(WRITTEN[kind].refusal)
    return record


def _progress(record: Need | Offer) -> dict:
    """The task list, as stored: each part with how far it is, and what is missing before it can be handed in."""
    kind = record._meta.model_name
    record = type(record).objects.for_draft().get(pk=record.pk)
    missing = WRITTEN[kind].missing_for(record, WRITTEN[kind].to_state)
    rows = [(part, len(part.requirements(missing)), _is_begun(record, part)) for part in WRITTEN[kind].parts_of(record)]
    done = sum(1 for _part, left, begun in rows if not left and begun)
    names = {f"{name}_url": f"{kind}-{name}" for name in ("draft", "part", "move", "delete")}
    return {
        "record": record,
        "kind": kind,
        **names,
        "rows": rows,
        "missing": missing,
        "done": done,
        "strip": charts.strip(("delivered", done), ("open", len(rows) - done)),
        "letter_missing": any(requirement.field == "documents" for requirement in missing),
        "documents_count": record.documents.filter(response=None).count() if kind == "need" else 0,
    }


def _is_begun(record: Need | Offer, part) -> bool:
    if part.slug == "lines":
        return record.lines.exists()
    if part.slug == "themes":
        return record.term_links.exists()
    if part.slug == "summary":  # languages come with a draft that continues another; its summary has to be written
        return bool(record.public_summary.strip())
    names = part.fields - {"kind", "language", "title", "eligible"}
    return any(getattr(record, name) not in (None, "", [], False) for name in names)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@once
def draft_new(request: HttpRequest, kind: str) -> HttpResponse:
    """Begins a draft. The same form sent twice begins one."""
    written = WRITTEN[kind]
    if not request.user.has_perm(f"projects.add_{kind}"):
        raise PermissionDenied(written.ask)
    source, taken = _source(request, kind)
    initial = {"key": uuid.uuid4().hex, **taken}
    form = written.begin(request.POST or None, user=request.user, initial=initial)
    if request.method == "POST" and form.is_valid():
        values = (
            drafting.experience_of(source) if isinstance(source, Project) else drafting.copied(source) if source else {}
        )
        try:
            key = "" if getattr(request, "is_sent_before", False) else form.cleaned_data["key"]  # with other words
            record = drafting.begin_with(form.instance, values, by=request.user, key=key)
            return redirect(f"{kind}-part", record.reference, written.parts[0].slug)
        except ValidationError as error:
            form.add_error(None, error.messages)
    context = {"form": form, "kind": kind, "source": source}
    return render(request, "projects/draft_new.html", context, status=400 if form.errors else 200)


def _source(request: HttpRequest, kind: str) -> tuple[Need | Offer | Project | None, dict]:
    """From what a draft is begun (`?copy=` a record of one's own side, `?project=` for its experience), and what the first
    page takes over of it."""
    if reference := one_value(request.GET, "copy"):
        source = _mine(request, reference, kind)
        who = (
            f"partner:{source.partner_id}" if kind == "offer" and source.partner_id else f"country:{source.country_id}"
        )
        return source, {"kind": source.kind, "title": source.title, "country": source.country_id, "who": who}
    if (reference := one_value(request.GET, "project")) and kind == "offer":
        project = get_object_or_404(Project.objects.visible_to(request.user), reference=reference.upper())
        return project, {"kind": OfferKind.EXPERIENCE, "title": project.title[:200]}
    return None, {}


@login_required
@require_safe
def draft_tasks(request: HttpRequest, reference: str, kind: str) -> HttpResponse:
    """The task list of a draft."""
    record = _mine(request, reference, kind)
    if not drafting.writable(record) or record.state not in (*WRITING, *life_of_offer.WRITING):
        return redirect(record)
    returned = record.events.filter(action="return").order_by("-pk").values_list("note", flat=True).first()
    context = {
        **_progress(record),
        "may_submit": request.user.has_perm(f"projects.submit_{kind}", record),
        "questions": returned if kind == "offer" or record.state == NeedState.RETURNED else "",
    }
    return render(request, "projects/draft.html", context)


def answered_in_background(view: Callable) -> Callable:
    """A save in the background gets JSON whatever happens: the page shows `said` beside the field that is written."""

    @wraps(view)
    def answered(request: HttpRequest, *args, **kwargs) -> HttpResponse:
        if not _is_background(request):
            return view(request, *args, **kwargs)
        if not request.user.is_authenticated:
            said = _("Not saved: your session has ended. Sign in again in another tab; your text is still here.")
            return JsonResponse({"said": said}, status=401)
        try:
            return view(request, *args, **kwargs)
        except PermissionDenied as error:
            return JsonResponse({"said": _("Not saved. %(why)s") % {"why": error}}, status=403)

    return answered


def _is_background(request: HttpRequest) -> bool:
    return request.headers.get("X-Background") == "save"


@answered_in_background
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def draft_part(request: HttpRequest, reference: str, slug: str, kind: str) -> HttpResponse:
    """One part of the draft. Saves, by a press or in the background; never over what somebody else saved meanwhile."""
    record, written = _mine(request, reference, kind), WRITTEN[kind]
    part = next((p for p in written.parts_of(record) if p.slug == slug), None)
    if part is None:
        raise Http404
    form = part.form(request.POST or None, instance=record, user=request.user)
    background = form.is_background = _is_background(request)
    seen, conflict = request.POST.get("seen") or None, None
    names = sorted(form.names)
    was_approved = bool(getattr(record, "summary_approved_at", None))
    if request.method == "POST":
        if not names:
            state = record.get_state_display()
            raise PermissionDenied(_("It is “%(state)s” now, so this part cannot be changed.") % {"state": state})
        if form.is_valid():
            try:
                with transaction.atomic():
                    drafting.save(record, form.values, by=request.user, seen=seen)
                    note = _approval_ended(record, part, was_approved)
                    saved = _saved(record, form, names, note) if background else {}  # before anybody else can write
            except drafting.Conflict as error:
                conflict = error
            except ValidationError as error:
                _add_errors(form, error)
            else:
                if background:
                    return JsonResponse(saved)
                if note:
                    messages.warning(request, note)
                return _go_on(request, record, part)
        if background:
            said = (
                _("Somebody else changed this part. Press Save to compare.")
                if conflict
                else _("Not saved yet. %(errors)s") % {"errors": " ".join(_errors(form))}
            )
            return JsonResponse({"said": said}, status=409 if conflict else 400)
    parts = written.parts_of(record)
    context = {
        "part": part,
        "form": form,
        "place": parts.index(part) + 1 if part in parts else 1,
        "count": len(parts),
        "seen": conflict.seen if conflict else seen or drafting.fingerprint(record, names),
        "conflict": _differences(record, conflict.stored) if conflict else None,
        "is_open": bool(names),
        "suggested": suggest_for(record) if slug in ("themes", "lines") else {},
        "similar": similar_to(f"{record.title} {record.problem[:300]}", record, request.user)
        if slug == "problem"
        else [],
        "offers": offers_like(f"{record.title} {record.problem[:300]}", record) if slug == "problem" else [],
        "has_errors": form.total_error_count() if slug == "lines" and form.is_bound else bool(form.errors),
        **_progress(record),
    }
    status = 409 if conflict else 400 if request.method == "POST" else 200
    return render(request, "projects/draft_part.html", context, status=status)


def _add_errors(form, error: ValidationError) -> None:
    """What the record itself refuses, beside its field where the form has it."""
    found = error.message_dict if hasattr(error, "error_dict") else {"": error.messages}
    for name, texts in found.items():
        for text in texts:
            if hasattr(form, "add_error"):
                form.add_error(name if name in form.fields else None, text)
            else:
                form._non_form_errors = form.error_class([*form.non_form_errors(), text])


def _approval_ended(record: Need | Offer, part, was_approved: bool) -> str:
    """What whoever changes an approved summary has to know; said until it is approved anew."""
    if not isinstance(record, Need) or part.slug != "summary" or record.summary_approved_at:
        return ""
    if not was_approved and not record.events.filter(action="approve_summary").exists():
        return ""
    return _(
        "The public summary was changed after its approval, so the approval no longer holds. The national focal point has to "
        "approve it again."
    )


def _saved(record: Need | Offer, form, names: list[str], note: str) -> dict:
    """The answer to a save in the background: when, the mark for the next one, and the keys of lines."""
    rows = {"rows": form.keys()} if isinstance(form, Lines) else {}
    return {"said": f"{_saved_at()} {note}".strip(), "seen": drafting.fingerprint(record, names), **rows}


def _errors(form) -> list[str]:
    """What keeps a part from being saved, each with the label of its field."""
    if not isinstance(form, Lines):
        return _labelled(form)[:MAX_ERRORS_SAID]
    found = [str(text) for text in form.non_form_errors()]
    for number, row in enumerate(form.forms, start=1):
        found += [_("Line %(n)s: %(error)s") % {"n": number, "error": text} for text in _labelled(row)]
    return found[:MAX_ERRORS_SAID]


def _labelled(form) -> list[str]:
    return [
        f"{capfirst(form.fields[name].label)}: {text}" if name in form.fields else str(text)
        for name, texts in form.errors.items() for text in texts
    ]  # fmt: skip


def _saved_at() -> str:
    now = timezone.localtime()
    return _("Saved at %(time)s.") % {"time": time_format(now, "H:i")}


def _go_on(request: HttpRequest, record: Need | Offer, part) -> HttpResponse:
    kind = record._meta.model_name
    if "add" in request.POST:
        return redirect(f"{reverse(f'{kind}-part', args=[record.reference, part.slug])}#spare")
    parts = WRITTEN[kind].parts_of(type(record).objects.get(pk=record.pk))
    place = next((n for n, p in enumerate(parts) if p.slug == part.slug), len(parts))
    if "later" in request.POST or place + 1 >= len(parts):
        messages.success(request, _saved_at() + " " + _("You can leave it for weeks; it waits here."))
        return redirect(f"{kind}-draft", record.reference)
    return redirect(f"{kind}-part", record.reference, parts[place + 1].slug)


def _differences(record: Need | Offer, stored: dict) -> list[tuple[str, str]]:
    """What stands there now, in words, for whoever comes second."""
    found, fresh = [], type(record).objects.get(pk=record.pk)
    for name, value in stored.items():
        if name == "terms":
            label, text = (
                _("Themes and goals"),
                listing.with_semicolons(link.term for link in record.term_links.select_related("term")),
            )
        elif name == "lines":
            label = _("Lines")
            text = "\n".join(
                f"{line.text}: {line.quantity or ''} {counted(line.unit, line.quantity)} {getattr(line, 'by_when', '') or ''}"
                for line in fresh.lines.all()
            )
        elif name == "eligible":
            label, text = _("Who can have it"), listing.with_semicolons(row.place for row in fresh.eligible.all())
        elif name == "project":
            label, text = _("Project it comes from"), fresh.project.reference if fresh.project else ""
        else:
            label = str(record._meta.get_field(name).verbose_name)
            display = getattr(fresh, f"get_{name}_display", None)
            text = display() if display else (listing.with_commas(value) if isinstance(value, list) else value)
        found.append((label, "–" if text in (None, "") else str(text)))
    return found


@login_required
@require_safe
def need_similar(request: HttpRequest, reference: str) -> HttpResponse:
    """While the title and the problem are typed: what resembles them. A piece of a page."""
    need = _mine(request, reference)
    words = f"{request.GET.get('title', '')[:300]} {request.GET.get('problem', '')[:300]}"
    found = {"similar": similar_to(words, need, request.user), "offers": offers_like(words, need), "need": need}
    return render(request, "components/_similar.html", found)


@login_required
@require_POST
@once
def need_ask(request: HttpRequest, reference: str) -> HttpResponse:
    """Tells the focal point that the draft is ready."""
    need = _mine(request, reference)
    try:
        drafting.ask_for_endorsement(need, by=request.user)
    except ValidationError as error:
        messages.warning(request, " ".join(error.messages))
        return refused("need-draft", need.reference)
    messages.success(request, _("Your country's national focal point is told that it is ready."))
    return redirect("need-draft", need.reference)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@once
def draft_delete(request: HttpRequest, reference: str, kind: str) -> HttpResponse:
    """Deletes a draft that was never submitted, after a question."""
    record = _mine(request, reference, kind)
    if not request.user.has_perm(f"projects.delete_{kind}", record):
        raise PermissionDenied(
            _("Who began a draft, or the focal point, deletes it, until it is submitted.") if kind == "need"
            else _("Who began a draft, or the lead, deletes it, until it is submitted.")
        )  # fmt: skip
    if request.method == "POST":
        reference = record.reference
        drafting.discard(record, by=request.user)
        messages.success(request, _("The draft %(reference)s is deleted.") % {"reference": reference})
        return redirect("dashboard")
    return render(request, "projects/draft_delete.html", {"record": record, "draft_url": f"{kind}-draft"})


# --- documents ---------------------------------------------------------------------------------------------------------
class DocumentForm(forms.Form):
    kind = forms.ChoiceField(label=gettext_lazy("What it is"), choices=DocumentKind, initial=DocumentKind.OTHER)
    title = forms.CharField(label=gettext_lazy("Title"), max_length=200, required=False,
                            help_text=gettext_lazy("Empty: the name of the file."))  # fmt: skip
    file = forms.FileField(label=gettext_lazy("File"), help_text=uploads.KNOWN, allow_empty_file=True)
    is_public = forms.BooleanField(
        label=gettext_lazy("Everybody may read it once the need is open"), required=False,
        help_text=gettext_lazy("Otherwise only your country and UNEP. Endorsement letters are never public."),
    )  # fmt: skip


@takes_files(uploads.LARGEST)
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@once
def need_documents(request: HttpRequest, reference: str) -> HttpResponse:
    """The documents of a draft: what is there, add one, remove one."""
    need = _mine(request, reference)
    form = DocumentForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            document = uploads.add_document(
                need, given["file"], by=request.user, kind=given["kind"], title=given["title"], is_restricted=not given["is_public"],
            )  # fmt: skip
        except ValidationError as error:
            if error.code == "state":  # the form is no longer there
                messages.warning(request, " ".join(error.messages))
                return refused("need-documents", need.reference)
            form.add_error("file", error)
        else:
            messages.success(request, _("“%(title)s” is added.") % {"title": document.title})
            return redirect("need-documents", need.reference)
    context = {
        "need": need, "form": form, "documents": need.documents.filter(response=None), "largest": uploads.LARGEST // 1024**2,
        "part": {"slug": "documents"}, "takes": need.state in TAKES_DOCUMENTS, "may_remove": need.state in WRITING, **_progress(need),
    }  # fmt: skip
    return render(request, "projects/draft_documents.html", context, status=400 if form.errors else 200)


@login_required
@require_POST
@once
def document_remove(request: HttpRequest, key: int) -> HttpResponse:
    document = get_object_or_404(NeedDocument.objects.visible_to(request.user), pk=key)
    back = [document.response] if document.response else ["need-documents", document.need.reference]
    try:
        uploads.remove_document(document, by=request.user)
    except ValidationError as error:
        messages.warning(request, " ".join(error.messages))
        return refused(*back)
    messages.success(request, _("“%(title)s” is removed.") % {"title": document.title})
    return redirect(*back)


@require_safe
def document_download(request: HttpRequest, key: int) -> HttpResponse:
    """A document, asked for permission at every download. Never shown inside our pages, never run."""
    document = get_object_or_404(NeedDocument.objects.visible_to(request.user), pk=key)
    extension = document.file.name.rpartition(".")[2]
    try:
        content = document.file.open("rb")
    except FileNotFoundError:
        raise Http404(_("The file of this document is missing. Tell the UNEP desk.")) from None
    answer = FileResponse(
        content, as_attachment=True, filename=f"{document.title}.{extension}", content_type=document.media_type
    )
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Cache-Control"] = "private, no-store"
    answer._csp_replace = {"default-src": ["'none'"], "sandbox": ""}
    return answer


# --- the spreadsheet ---------------------------------------------------------------------------------------------------
@login_required
@require_safe
def need_sheet_download(request: HttpRequest, reference: str) -> HttpResponse:
    """The draft as one file to fill in offline."""
    need = _mine(request, reference)
    try:
        written = need_sheet.write(need)
    except TooLong as error:
        messages.error(
            request,
            _("The text that begins with “%(start)s” is longer than a cell of a spreadsheet holds. Shorten it here, then take the file.")
            % {"start": error.start},
        )  # fmt: skip
        return redirect("need-draft", need.reference)
    return HttpResponse(
        written,
        content_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        headers={
            "Content-Disposition": f'attachment; filename="{need.reference}.xlsx"',
            "Cache-Control": "private, no-store",
        },
    )


class SheetForm(forms.Form):
    file = forms.FileField(
        label=gettext_lazy("The filled-in file"), help_text=gettext_lazy("The one you took from here (XLSX).")
    )


@takes_files(need_sheet.LARGEST)
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@once
def need_sheet_upload(request: HttpRequest, reference: str) -> HttpResponse:
    """Takes the filled-in file: all of it, or nothing and a list of what to mend, cell by cell."""
    need = _mine(request, reference)
    form, findings, count = SheetForm(request.POST or None, request.FILES or None), [], 0
    if request.method == "POST" and form.is_valid():
        try:
            changed = need_sheet.take(need, form.cleaned_data["file"], by=request.user)
        except need_sheet.SheetErrors as error:
            findings, count = error.findings, error.count
        except ValidationError as error:
            form.add_error("file" if error.code != "state" else None, error)
        else:
            messages.success(
                request,
                _("Taken over: %(parts)s.") % {"parts": listing.with_commas(changed)} if changed
                else _("The file says what the draft says already; nothing was changed."),
            )  # fmt: skip
            return redirect("need-draft", need.reference)
    context = {
        "need": need, "form": form, "findings": findings, "count": count, "today": day(timezone.localdate()), **_progress(need),
    }  # fmt: skip
    status = 400 if form.errors or findings else 200
    return render(request, "projects/draft_sheet.html", context, status=status)
