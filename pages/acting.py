"""What the pages share on which something is done to a record: a form, and back to the record when it is done."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from projects import drafting, lifecycle


def acted_on(request: HttpRequest, records, reference: str):
    """The record that a page is about. Where a form is refused, the answer says how it stands now (partners/unsent.py)."""
    request.acts_on = get_object_or_404(records, reference=reference.upper())
    return request.acts_on


def given(request: HttpRequest):
    return request.POST if request.method == "POST" else None


def answer_form(request, record, form, act, context) -> HttpResponse:
    """Shows a form, or carries out `act` and leads back to the record; what is refused stands in the form.

    The form says which version of the record its reader saw, from the page that led here on: of another nothing is approved.
    """
    seen = request.POST.get("seen") or request.GET.get("seen") or lifecycle.mark_of(record)
    lifecycle.as_seen(record, seen if request.method == "POST" else None)
    status = 400
    if request.method == "POST" and form.is_valid():
        try:
            message = act()
        except drafting.Conflict:
            raise
        except ValidationError as error:
            if getattr(error, "code", "") == "conflict":
                record.refresh_from_db()
                seen, status = lifecycle.mark_of(record), 409
            for one in error.error_list if hasattr(error, "error_list") else [error]:
                field = "note" if one.code == "note" and "note" in form.fields else None
                form.add_error(field, one)
        else:
            messages.success(request, message)
            return redirect(record)
    status = status if form.errors else 200
    context = {"seen": seen, "record": record, "side": getattr(record, "side", None), "form": form, **context}
    return render(request, "projects/act.html", context, status=status)
