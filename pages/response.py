"""Pages of responses: mine and those to my country, one with its questions, offering, asking somebody to offer, answering."""

import uuid

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import BadRequest, PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from ground.bodies import takes_files
from ground.parameters import leave_foreign, one_value
from ground.tables import in_format
from ground.templatetags.portal import day as format_date
from pages.acting import acted_on, answer_form, given
from pages.listing import page_of
from partners.rules import memberships, require
from partners.sent_once import once, refused
from projects import actions, lifecycle, uploads
from projects.choices import ResponseState
from projects.coverage import coverage_of
from projects.filters import ResponseFilter
from projects.forms import NoteForm, ResponseDocumentForm, ResponseForm, SuggestForm, WordForm, responders
from projects.lifecycle.response import ENDED
from projects.models import Need, Offer, Response
from projects.timeline import response_timeline, thread

ANSWERS = ("accept", "decline", "take_back")


def _response(request: HttpRequest, reference: str) -> Response:
    return acted_on(request, Response.objects.visible_to(request.user).for_page(), reference)


@login_required
@require_safe
def response_list(request: HttpRequest) -> HttpResponse:
    """Responses that this person reads in full, the newest first; narrowed to a state."""
    if elsewhere := in_format(request, reverse("api-response-list")):
        return elsewhere
    leave_foreign(request, ResponseFilter)
    filterset = ResponseFilter(request.GET, queryset=Response.objects.visible_to(request.user))
    if not filterset.is_valid():
        raise BadRequest(" ".join(filterset.errors["state"]))
    rows, state = filterset.qs, filterset.form.cleaned_data["state"]
    loaded = rows.select_related("need__country", "partner", "country").prefetch_related("answers__line")
    page = page_of(request, loaded.order_by("-created_at", "-pk"), rows.count())
    context = {"page": page, "states": ResponseState, "state": state, "has_role": bool(memberships(request.user))}
    return render(request, "projects/response_list.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@once(is_message=True)
def response_detail(request: HttpRequest, reference: str) -> HttpResponse:
    """One response, for those between whom it is: what is offered, its documents, questions and answers."""
    response, user = _response(request, reference), request.user
    word = WordForm(given(request))
    if request.method == "POST":
        require(user, "projects.ask_response", response)
        if word.is_valid():
            try:
                actions.ask(response, word.cleaned_data["text"], by=user)
            except ValidationError as error:
                word.add_error(None, error)
            else:
                messages.success(request, _("It is sent to the other side."))
                return redirect(response)
    return _detail(request, response, word, ResponseDocumentForm())


def _detail(request: HttpRequest, response: Response, word: WordForm, document: ResponseDocumentForm) -> HttpResponse:
    user, is_refused = request.user, bool(word.errors or document.errors)
    may_write = user.has_perm("projects.ask_response", response) and response.state not in ENDED
    open_now = {row.line.pk: row for row in coverage_of(response.need)}
    context = {
        "response": response,
        "need": response.need,
        "rows": [(answer, open_now[answer.line_id]) for answer in response.answers.all()],
        "thread": thread(response),
        "log": response_timeline(response),
        "form": word,
        "document": document,
        "may_write": may_write,
        "may_add": _takes_documents(response, user),
        "moves": [m for m in lifecycle.moves_of(response).values() if _may(m, response, user)],
        "may_take_up": response.state == ResponseState.SUGGESTED
        and user.has_perm("projects.express_response", response),
    }
    return render(request, "projects/response_detail.html", context, status=400 if is_refused else 200)


def _takes_documents(response: Response, user) -> bool:
    return user.has_perm("projects.document_response", response) and response.state in uploads.RESPONSE_TAKES_DOCUMENTS


def _may(move, response: Response, user) -> bool:
    return move.action in ANSWERS and response.state in move.from_states and user.has_perm(move.permission, response)


@login_required
@once
def need_respond(request: HttpRequest, reference: str) -> HttpResponse:
    """A partner or another country offers to cover lines."""
    need = acted_on(request, Need.objects.visible_to(request.user), reference)
    if not responders(request.user, need):
        raise PermissionDenied(_("Members and leads of partners, and focal points of other countries, can respond."))
    initial = {"key": uuid.uuid4().hex, "offer": one_value(request.GET, "offer") or None}
    form = ResponseForm(given(request), need=need, user=request.user, initial=initial)
    return _offer(request, need, form, _("Respond to this need"))


@login_required
@once
def response_express(request: HttpRequest, reference: str) -> HttpResponse:
    """Takes up what was suggested: with one's own quantities and terms."""
    response = _response(request, reference)
    require(request.user, "projects.express_response", response)
    asked = response.text
    form = ResponseForm(given(request), need=response.need, user=request.user, instance=response, initial={"key": uuid.uuid4().hex})  # fmt: skip
    return _offer(request, response.need, form, _("Offer what was asked for"), quote=asked)


def _offer(request: HttpRequest, need: Need, form: ResponseForm, title: str, quote: str = "") -> HttpResponse:
    def act() -> str:
        key = "" if getattr(request, "is_sent_before", False) else form.cleaned_data["key"]  # with other words
        response = actions.respond(form.instance, form.answers, by=request.user, key=key)
        return _("Your response %(reference)s is with the country. It answers by %(date)s.") % {
            "reference": response.reference, "date": format_date(response.due_on),
        }  # fmt: skip

    return answer_form(request, need, form, act, {"title": title, "missing": [], "quote": quote})


@login_required
@once
def need_suggest(request: HttpRequest, reference: str) -> HttpResponse:
    """The country or the desk asks a provider to help, for one of its offers."""
    need = acted_on(request, Need.objects.visible_to(request.user), reference)
    require(request.user, "projects.suggest_response", Response(need=need))
    form = SuggestForm(given(request), need=need, initial={"offer": one_value(request.GET, "offer") or None})

    def act() -> str:
        response = actions.suggest(form.instance, form.answers, by=request.user)
        return _("%(who)s is asked to answer by %(date)s.") % {
            "who": response.responder, "date": format_date(response.due_on),
        }  # fmt: skip

    offer = Offer.objects.can_serve(need).filter(reference=one_value(request.GET, "offer")).first()
    title = _("Ask for this offer") if offer else _("Ask for an offer")
    return answer_form(request, need, form, act, {"title": title, "missing": [], "quote": offer.title if offer else ""})


@login_required
@once
def response_answer(request: HttpRequest, reference: str, action: str) -> HttpResponse:
    """The country accepts or declines a response; the responder takes it back."""
    response = _response(request, reference)
    move = lifecycle.moves_of(response).get(action)
    if move is None or action not in ANSWERS:
        raise Http404
    require(request.user, move.permission, response)
    form = NoteForm(given(request), is_required=move.requires_note, is_public=move.is_note_public)

    def act() -> str:
        actions.answer_response(response, action, by=request.user, note=form.cleaned_data["note"])
        return _("%(reference)s: %(state)s.") % {"reference": response.reference, "state": response.get_state_display()}

    context = {"title": f"{move.label}: {response.responder}", "missing": [], "quote": response.text}
    return answer_form(request, response.need, form, act, context)


@takes_files(uploads.LARGEST)
@login_required
@require_http_methods(["POST"])
@once
def response_document(request: HttpRequest, reference: str) -> HttpResponse:
    """Adds a document to a response; one that is refused leaves its title in the form."""
    response = _response(request, reference)
    require(request.user, "projects.document_response", response)
    form = ResponseDocumentForm(request.POST, request.FILES)
    if form.is_valid():
        try:
            uploads.add_to_response(
                response, form.cleaned_data["file"], by=request.user, title=form.cleaned_data["title"]
            )
        except ValidationError as error:
            if error.code == "state":
                messages.error(request, " ".join(error.messages))
                return refused(response)
            form.add_error("file", error)
        else:
            messages.success(request, _("The document is kept."))
            return redirect(response)
    if not _takes_documents(response, request.user):
        return refused(response)
    return _detail(request, response, WordForm(), form)
