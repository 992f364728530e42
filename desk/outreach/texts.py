"""What records with texts in several languages share in admin: a form for each text, and a preview that keeps nothing."""

from django.conf import settings
from django.contrib import admin
from django.contrib.admin.widgets import AdminTextareaWidget
from django.core.exceptions import BadRequest
from django.db import models, transaction
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from desk.base import RuledAdmin


class TextInline(RuledAdmin, admin.StackedInline):
    """A text in one language."""

    extra = 0
    formfield_overrides = {models.TextField: {"widget": AdminTextareaWidget(attrs={"rows": 25})}}
    fieldsets = [(None, {"fields": ["language", "title", "lede", "body"]})]


class Previewed:
    """Mixin: the form shows its record as readers would see it, in any language, and keeps nothing of it.

    What the form said is checked and saved like any, shown by `show`, then taken back as a whole (decision 0025).
    """

    change_form_template = "admin/outreach/previewed_form.html"

    def response_add(self, request, obj, post_url_continue=None):
        return self._preview(request, obj) or super().response_add(request, obj, post_url_continue)

    def response_change(self, request, obj):
        return self._preview(request, obj) or super().response_change(request, obj)

    def log_addition(self, request, obj, message):
        return None if "_preview" in request.POST else super().log_addition(request, obj, message)

    def log_change(self, request, obj, message):
        return None if "_preview" in request.POST else super().log_change(request, obj, message)

    def _preview(self, request: HttpRequest, obj) -> HttpResponse | None:
        if "_preview" not in request.POST:
            return None
        if request.POST["_preview"] not in dict(settings.LANGUAGES):
            raise BadRequest
        with override(request.POST["_preview"]):
            fresh = type(obj).objects.with_texts().get(pk=obj.pk)
            shown = self.show(request, fresh)
        transaction.set_rollback(True)
        return shown


class Titled:
    """Mixin: the list shows the title of the text."""

    def get_queryset(self, request):
        return super().get_queryset(request).with_texts()

    @admin.display(description=_("title"))
    def title(self, record):
        return record.text.title if record.text else ""
