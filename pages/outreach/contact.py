"""Writing to us, and seeing what became of it."""

from allauth.core.ratelimit import consume
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from ground.parameters import one_value
from outreach import contact
from outreach.forms import ContactForm
from outreach.models import ContactMessage
from partners.sent_once import once


@require_http_methods(["GET", "HEAD", "POST"])
@once(is_message=True)
def contact_form(request: HttpRequest) -> HttpResponse:
    """Asks for a message; keeps it once, however often it is sent."""
    person, status = request.user, 200
    about = one_value(request.GET, "about")[:300]
    initial = {
        "topic": one_value(request.GET, "topic") or None,
        "about": about if about.startswith("/") else "",
        "key": contact.new_key(),
    }
    if person.is_authenticated:
        initial |= {"name": person.full_name, "email": person.email}
    if request.method != "POST":
        return render(request, "outreach/contact.html", {"form": ContactForm(initial=initial)})
    form = ContactForm(request.POST, instance=ContactMessage(language=get_language() or "en"))
    if form.is_valid():
        message = form.instance
        message.created_by = person if person.is_authenticated else None
        if not consume(request, action="contact", key=message.email.lower()):
            form.add_error(
                None, _("Too many messages came from you within an hour. Nothing is lost: send it again later.")
            )
            status = 429
        else:
            try:
                kept = contact.receive(message, form.cleaned_data["key"], trap=form.cleaned_data["website"])
                return redirect(kept)
            except ValidationError as error:
                form.add_error(None, error.messages)
    if form.errors and status == 200:
        status = 400
    if form.non_field_errors() and status == 400:
        form.data = form.data.copy()
        form.data["key"] = contact.new_key()
    return render(request, "outreach/contact.html", {"form": form}, status=status)


@require_safe
def contact_message(request: HttpRequest, token: str) -> HttpResponse:
    """What became of a message, for whoever has its address."""
    message = contact.by_secret(token)
    if message is None:
        raise Http404
    return render(
        request, "outreach/contact_message.html", {"message": message, "is_waiting": message.state in contact.WAITING}
    )
