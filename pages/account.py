"""One's own account, and the roles of one's country or partner: ask, grant, invite, end."""

import datetime as dt

from allauth.account.decorators import reauthentication_required
from allauth.account.views import LoginView, PasswordSetView, SignupView
from allauth.core.ratelimit import consume
from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from partners import joining, personal, unsent
from partners.accounts import (
    has_second_factor,
    known_lately,
    known_lately_to_write,
    make_token,
    needs_second_factor,
    was_known_lately,
)
from partners.forms import AccountForm, DecisionForm, EraseForm, InvitationForm, JoinForm, TokenForm
from partners.models import ApiToken, Invitation, JoinRequest, Membership
from partners.sent_once import once, refused

MOST = 200
MADE_ALREADY = gettext_lazy(
    "This form was sent twice. The token was made once; if you didn’t see its secret, revoke it and make another."
)


class SignIn(LoginView):
    """Sign-in by e-mail. The field may be called username as well, as in other Django sites' forms."""

    def get_form_kwargs(self):
        kwargs = super().get_form_kwargs()
        if "data" in kwargs and "username" in kwargs["data"] and "login" not in kwargs["data"]:
            kwargs["data"] = kwargs["data"].copy()
            kwargs["data"]["login"] = kwargs["data"]["username"]
        return kwargs

    def get_context_data(self, **kwargs):
        query = self.request.GET.copy()
        query["passkey"] = "1"
        return super().get_context_data(
            with_passkey="passkey" in self.request.GET, passkey_query=query.urlencode(), **kwargs
        )


@method_decorator(transaction.atomic, name="post")
class SignUp(SignupView):
    """A new account, stored in one step together with its mail: so often is written for a known address too."""


class PasswordSet(PasswordSetView):
    """A first password for one who has only passkeys."""

    def post(self, request, *args, **kwargs):
        """Known no longer: once more from the page, which asks; a request that is kept meanwhile would keep the password."""
        if not was_known_lately(request):
            return redirect("account_set_password")
        return super().post(request, *args, **kwargs)

    @method_decorator(reauthentication_required(enabled=lambda request: request.method != "POST"))
    def dispatch(self, request, *args, **kwargs):
        return super().dispatch(request, *args, **kwargs)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def account(request: HttpRequest) -> HttpResponse:
    """Name, language, time zone; and the way to password, second factor, sessions, mail."""
    form = AccountForm(request.POST or None, instance=request.user)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Your account is kept."))
        return redirect("account")
    context = {
        "form": form,
        "second_factor": has_second_factor(request.user),
        "needs_second_factor": needs_second_factor(request.user),
        "roles": request.user.memberships.select_related("country", "partner", "granted_by"),
    }
    return render(request, "partners/account.html", context, status=400 if form.errors else 200)


def _erases_without_password(request: HttpRequest) -> bool:
    """The form asks for the password itself, where there is one."""
    return request.method == "POST" and not request.user.has_usable_password()


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@reauthentication_required(enabled=_erases_without_password)
def my_data(request: HttpRequest) -> HttpResponse:
    """What is stored about oneself, to take along; and the end of one's account."""
    form = EraseForm(request.POST if request.method == "POST" else None, user=request.user)
    if request.method == "POST" and form.is_valid():
        if not consume(request, action="reauthenticate", user=request.user):
            form.add_error(None, _("Too many attempts. Try again in an hour."))
        else:
            try:
                personal.erase(request.user, by=request.user)
            except ValidationError as error:
                form.add_error(None, error.messages)
            else:
                logout(request)
                messages.success(request, _("Your account was erased. What you entered stays, without your name."))
                return redirect("home")
    return render(request, "partners/my_data.html", {"form": form}, status=400 if form.errors else 200)


@login_required
@never_cache
@require_safe
@known_lately
def my_data_file(request: HttpRequest) -> HttpResponse:
    """All of it as one JSON file."""
    answer = JsonResponse(personal.export(request.user), json_dumps_params={"indent": 1, "ensure_ascii": False})
    answer["Content-Disposition"] = 'attachment; filename="my-data.json"'
    return answer


@login_required
@require_POST
@once
def session_end(request: HttpRequest, key: int) -> HttpResponse:
    """Ends one of one's own sessions."""
    get_object_or_404(UserSession, pk=key, user=request.user).end()
    messages.success(request, _("That session has ended."))
    return redirect("usersessions_list")


@require_POST
def unsent_drop(request: HttpRequest, key: int) -> HttpResponse:
    """Throws away what this browser typed and did not send."""
    page = unsent.drop(request, key)
    messages.success(request, _("What you entered is discarded."))
    return redirect(page)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@once
def join(request: HttpRequest) -> HttpResponse:
    """Asks for a role."""
    form = JoinForm(request.POST or None)
    form.instance.user = request.user
    if request.method == "POST" and form.is_valid():
        try:
            joining.ask(form.instance, by=request.user)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, _("Asked. The answer comes by mail; you can read everything public meanwhile."))
            return redirect("dashboard")
    return render(request, "partners/join.html", {"form": form}, status=400 if form.errors else 200)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@once
def people(request: HttpRequest) -> HttpResponse:
    """Who holds which role where this person may give roles: requests, people, invitations."""
    if not request.user.has_perm("partners.grant_membership"):
        raise PermissionDenied(_("Focal points, leads of partners and the UNEP desk keep the roles."))
    form = InvitationForm(request.POST or None, user=request.user)
    if request.method == "POST" and form.is_valid():
        try:
            invitation = joining.invite(form.instance, by=request.user)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, _("The invitation is on its way to %(email)s.") % {"email": invitation.email})
            return redirect("people")
    invitations = Invitation.objects.filter(accepted_at=None, withdrawn_at=None).select_related("country", "partner")
    context = {
        "form": form,
        "requests": [(r, DecisionForm(prefix=str(r.pk))) for r in joining.waiting_for(request.user)],
        "held": Membership.objects.active()
        .order_by("country", "partner", "role", "user")
        .granted_by(request.user)[:MOST],
        "invitations": [i for i in invitations if i.is_open and request.user.has_perm("partners.grant_membership", i)],
    }
    return render(request, "partners/people.html", context, status=400 if form.errors else 200)


@login_required
@require_POST
@once
def request_decide(request: HttpRequest, key: int) -> HttpResponse:
    """Grants or refuses a request to join."""
    asked = get_object_or_404(JoinRequest, pk=key)
    if not request.user.has_perm("partners.grant_membership", asked):
        raise PermissionDenied(_("The focal point, the lead of the partner, or the UNEP desk decides this."))
    form = DecisionForm(request.POST, prefix=str(key))
    try:
        if not form.is_valid():
            raise ValidationError([text for texts in form.errors.values() for text in texts])
        grant = "grant" in request.POST
        joining.decide(asked, by=request.user, grant=grant, **form.cleaned_data)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return refused("people")
    messages.success(request, _("Granted; they are told by mail.") if grant else _("Refused; they are told by mail."))
    return redirect("people")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@once
def membership_end(request: HttpRequest, key: int) -> HttpResponse:
    """Ends somebody's role, after a question."""
    membership = get_object_or_404(Membership.objects.active().select_related("user", "country", "partner"), pk=key)
    if not request.user.has_perm("partners.grant_membership", membership):
        raise PermissionDenied(_("The focal point, the lead of the partner, or the UNEP desk ends a role."))
    if request.method == "POST":
        try:
            joining.revoke(membership, by=request.user)
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
            return refused("people")
        messages.success(request, _("The role has ended; both of you are told by mail."))
        return redirect("people")
    return render(request, "partners/membership_end.html", {"membership": membership})


@login_required
@require_POST
@once
def invitation_withdraw(request: HttpRequest, key: int) -> HttpResponse:
    invitation = get_object_or_404(Invitation, pk=key)
    joining.withdraw(invitation, by=request.user)
    messages.success(request, _("The invitation is taken back; its link no longer works."))
    return redirect("people")


@require_http_methods(["GET", "HEAD", "POST"])
@once
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """The link in an invitation: says what it is for; whoever is signed in with that address accepts it."""
    found = get_object_or_404(Invitation.objects.select_related("country", "partner", "invited_by"), token=token)
    problem = ""
    if request.method == "POST" and request.user.is_authenticated:
        try:
            joining.accept(found, by=request.user)
        except ValidationError as error:
            problem = " ".join(error.messages)
        else:
            messages.success(request, _("Welcome. You hold your role from now on."))
            return redirect("dashboard")
    is_theirs = request.user.is_authenticated and request.user.email.lower() == found.email
    context = {"invitation": found, "problem": problem, "is_theirs": is_theirs}
    return render(request, "partners/invitation.html", context, status=400 if problem else 200)


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@known_lately_to_write
@once(again=MADE_ALREADY)
def tokens(request: HttpRequest) -> HttpResponse:
    """One's API tokens; makes a new one, whose secret this answer shows and nothing keeps."""
    form, secret, code = TokenForm(request.POST if request.method == "POST" else None), "", 200
    if request.method == "POST":
        code = 400
        if form.is_valid():
            until = timezone.localdate() + dt.timedelta(days=form.cleaned_data["days"])
            given = {name: form.cleaned_data[name] for name in ("name", "scope")}
            try:
                _token, secret = make_token(request.user, expires_on=until, **given)
            except ValidationError as error:
                form.add_error(None, error)
            else:
                form, code = TokenForm(), 200
    context = {"form": form, "secret": secret, "tokens": request.user.api_tokens.all()[:MOST]}
    answer = render(request, "partners/tokens.html", context, status=code)
    if secret:
        answer.leads_to = reverse("tokens")  # sent again: the list, without the secret
    return answer


@login_required
@require_POST
@once
def token_revoke(request: HttpRequest, key: int) -> HttpResponse:
    """Ends one of one's own tokens at once."""
    token = get_object_or_404(ApiToken, pk=key, user=request.user)
    token.revoke()
    messages.success(
        request, _("%(token)s is revoked. Programs that use it are refused from now on.") % {"token": token}
    )
    return redirect("tokens")
