"""Asking for updates by mail: what, the link that confirms, one's choices, and the end of it."""

from allauth.core.ratelimit import consume
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from ground.parameters import one_value
from outreach import subscribing
from outreach.choices import Told
from outreach.forms import AddressForm, ChoicesForm, ReminderForm, SubscribeForm
from outreach.models import Subscriber
from outreach.subjects import SUBJECTS

BOTH = require_http_methods(["GET", "HEAD", "POST"])


def _initial(request: HttpRequest) -> dict:
    person = request.user
    return {"language": get_language() or "en", "email": person.email if person.is_authenticated else ""}


def _may_mail(request: HttpRequest, form) -> bool:
    """Whether one more mail may go to this address; the form says so where not."""
    if consume(request, action="subscribe", key=subscribing.small(form.cleaned_data["email"])):
        return True
    form.add_error(None, _("Too many mails were asked for within an hour. Try again later."))
    return False


def _asked(request: HttpRequest, form, wanted) -> HttpResponse | None:
    """Sends the link that confirms. None where the form has something to say."""
    if not _may_mail(request, form):
        return None
    if not form.cleaned_data["website"]:  # a program learns nothing
        subscribing.ask(form.wish(wanted))
    return redirect("subscribe-sent")


@BOTH
def subscribe(request: HttpRequest) -> HttpResponse:
    """What to hear of, from where, how often."""
    if request.method != "POST":
        narrowed = {
            name: one_value(request.GET, name)[:80]
            for name in ("theme", "region", "country", "partner")
            if name in request.GET
        }
        told = [Told.OFFERS, Told.PROJECTS] if "partner" in narrowed else [Told.NEEDS, Told.OFFERS]
        form = SubscribeForm(initial=_initial(request) | narrowed | {"told": told})
        return render(request, "outreach/subscribe.html", {"form": form, "reminder": ReminderForm(auto_id="r_%s")})
    form = SubscribeForm(request.POST)
    if form.is_valid():
        try:
            if answer := _asked(request, form, form.wanted):
                return answer
        except ValidationError as error:
            form.add_error(None, error.messages)
    context = {"form": form, "reminder": ReminderForm(auto_id="r_%s")}
    return render(request, "outreach/subscribe.html", context, status=400)


@BOTH
def subscribe_search(request: HttpRequest, told: str) -> HttpResponse:
    """The search in the address, kept and told of."""
    if told not in SUBJECTS:
        raise Http404
    subject = SUBJECTS[told]
    try:
        query = subject.canonical(request.GET)
    except ValidationError as error:
        context = {"messages_of_search": error.messages, "list_url": subject.address("")}
        return render(request, "outreach/subscribe_search.html", context, status=400)
    form = AddressForm(request.POST or None, initial=_initial(request))
    if request.method == "POST" and form.is_valid() and (answer := _asked(request, form, [(told, query)])):
        return answer
    context = {
        "form": form,
        "told": Told(told).label,
        "words": subject.words(query),
        "list_url": subject.address(query),
    }
    return render(request, "outreach/subscribe_search.html", context, status=400 if form.errors else 200)


@require_safe
def subscribe_sent(request: HttpRequest) -> HttpResponse:
    return render(request, "outreach/subscribe_sent.html", {})


@BOTH
def subscribe_reminder(request: HttpRequest) -> HttpResponse:
    """The link to one's choices, by mail."""
    form = ReminderForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and _may_mail(request, form):
        subscribing.remind(form.cleaned_data["email"], get_language() or "en")
        return redirect("subscribe-sent")
    return render(request, "outreach/subscribe_reminder.html", {"form": form}, status=400 if form.errors else 200)


@never_cache
@BOTH
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """Shows what was asked for; the button confirms it."""
    try:
        wish = subscribing.asked(token)
        if request.method == "POST":
            return redirect(f"{subscribing.confirm(wish).get_absolute_url()}?new=1")
    except ValidationError as error:
        return render(request, "outreach/confirm.html", {"problem": error.messages[0]}, status=400)
    return render(request, "outreach/confirm.html", {"wish": wish})


def _subscriber(token: str) -> Subscriber:
    found = Subscriber.objects.by_token(token)
    if found is None:
        raise Http404(_("There are no choices under this address: it was stopped, or the link is not complete."))
    return found


@never_cache
@BOTH
def choices(request: HttpRequest, token: str) -> HttpResponse:
    """What somebody hears of, and how; for whoever has the address."""
    subscriber = _subscriber(token)
    form = ChoicesForm(request.POST or None, instance=subscriber)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        kept = [one.pk for one in data["kept"]]
        if subscribing.change(subscriber, language=data["language"], rhythm=data["rhythm"], kept=kept):
            return redirect(f"{subscriber.get_absolute_url()}?saved=1")
        return render(request, "outreach/stopped.html", {})
    followed = [
        (one, SUBJECTS[one.told].address(one.query)) for one in subscriber.subscriptions.all() if one.told in SUBJECTS
    ]
    context = {
        "subscriber": subscriber,
        "form": form,
        "followed": followed,
        "is_new": "new" in request.GET,
        "is_saved": "saved" in request.GET,
    }
    return render(request, "outreach/choices.html", context, status=400 if form.errors else 200)


@csrf_exempt  # mail programs send the POST of RFC 8058 without a cookie; whoever has the address may do this
@never_cache
@BOTH
def stop(request: HttpRequest, token: str) -> HttpResponse:
    """Ends all mail to an address: by POST alone, from a mail program or from the button here."""
    subscriber = Subscriber.objects.by_token(token)
    if subscriber is None:
        return render(request, "outreach/stopped.html", {})  # done is done, however often it is pressed
    if request.method == "POST":
        subscribing.stop(subscriber)
        return render(request, "outreach/stopped.html", {})
    return render(request, "outreach/stop.html", {"subscriber": subscriber})
