"""One's webhooks: making one, its log, pausing, trying, removing."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from ground.parameters import leave_foreign, one_value
from partners.accounts import known_lately, known_lately_to_write, was_known_lately
from partners.rules import require
from partners.sent_once import once
from projects import webhooks
from projects.forms.webhook import WebhookForm
from projects.models import Webhook
from projects.tasks import send_webhooks_later

PER_PAGE = 50


def _own(request: HttpRequest, key: int, act: str = "change") -> Webhook:
    found = get_object_or_404(Webhook.objects.filter(user=request.user), pk=key)
    require(request.user, f"projects.{act}_webhook", found)
    return found


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@known_lately_to_write
@once
def webhook_list(request: HttpRequest) -> HttpResponse:
    """Those one has; makes a new one."""
    require(request.user, "projects.add_webhook")
    form = WebhookForm(request.POST if request.method == "POST" else None, user=request.user)
    if request.method == "POST" and form.is_valid():
        try:
            webhooks.check_query(form.instance)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            made = form.save(commit=False)
            webhooks.make(made)
            messages.success(
                request, _("The webhook is made. Enter its secret at the receiving end, then send a test.")
            )
            return redirect(made)
    context = {"form": form, "webhooks": request.user.webhooks.all(), "kinds": webhooks.kinds_of_change()}
    return render(request, "projects/webhook_list.html", context, status=400 if form.errors else 200)


@login_required
@never_cache
@require_http_methods(["GET", "HEAD"])
def webhook_detail(request: HttpRequest, key: int) -> HttpResponse:
    """One webhook and the log of its calls; its secret for who was known lately."""
    webhook = _own(request, key)
    shows_secret = was_known_lately(request)
    leave_foreign(request)
    page = Paginator(webhook.calls.all(), PER_PAGE).get_page(one_value(request.GET, "page"))
    context = {"webhook": webhook, "page": page, "days": webhooks.KEPT_FOR.days, "shows_secret": shows_secret}
    return render(request, "projects/webhook_detail.html", context)


@login_required
@never_cache
@require_http_methods(["GET", "HEAD"])
@known_lately
def webhook_secret(request: HttpRequest, key: int) -> HttpResponse:
    """Asks who it is, then shows the webhook with its secret."""
    return redirect(_own(request, key))


@login_required
@require_POST
@known_lately
@once
def webhook_act(request: HttpRequest, key: int, act: str) -> HttpResponse:
    """Tests, pauses, goes on, or removes."""
    webhook = _own(request, key, "delete" if act == "remove" else "change")
    if act == "test":
        webhooks.ping(webhook)
        send_webhooks_later(webhooks.host_of(webhook))
        messages.success(request, _("A test is on its way. Reload the page to see what came of it."))
    elif act == "pause":
        webhooks.pause(webhook)
        messages.success(request, _("Paused. What happens meanwhile is not told to it; the change feed keeps it."))
    elif act == "resume":
        webhooks.resume(webhook)
        messages.success(request, _("It goes on."))
    else:
        webhook.delete()
        messages.success(request, _("The webhook and its log are removed."))
        return redirect("webhooks")
    return redirect(webhook)


@login_required
@require_POST
@known_lately
@once
def webhook_again(request: HttpRequest, key: int, call: int) -> HttpResponse:
    """One more attempt of a call."""
    webhook = _own(request, key)
    found = get_object_or_404(webhook.calls, pk=call)
    webhooks.again(found)
    send_webhooks_later(webhooks.host_of(found.webhook))
    messages.success(request, _("It is sent again. Reload the page to see what came of it."))
    return redirect(webhook)
