"""Bases of the API's views and serializers. Its description is in api_description.py."""

import datetime as dt
import hashlib
import json
from dataclasses import dataclass, replace
from functools import partial
from http import HTTPStatus

import pghistory
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.http import Http404, HttpResponse
from django.utils.cache import patch_vary_headers
from django.utils.http import http_date
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field, inline_serializer
from rest_framework import exceptions, permissions, serializers, viewsets
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response

from api.base import SHAPES, Changed, KeyReused, refuse_unknown
from ground.languages import language_of_contents, language_of_problems, say_language
from ground.parameters import GIVE_ONCE, given_twice
from ground.tables import FORMATS, MOST_IN_A_WORKBOOK, Column, Format, Table, TooLong, TooMany, answer
from partners.choices import Scope
from partners.models import ApiToken, KeptAnswer, last_change

LONGEST_KEY = 200  # signs of an Idempotency-Key
SORT = "sort"  # the parameter that orders a list


@dataclass(frozen=True)
class Leaving:
    """That an address of the API will go: since when it is known, until when it answers, what comes in its place."""

    since: dt.date
    until: dt.date
    successor: str

    def headers(self) -> dict[str, str]:
        """Deprecation (RFC 9745), Sunset (RFC 8594) and the link to what comes in its place."""
        since, until = (dt.datetime.combine(day, dt.time(), dt.UTC) for day in (self.since, self.until))
        return {
            "Deprecation": f"@{int(since.timestamp())}",
            "Sunset": http_date(until.timestamp()),
            "Link": f'<{self.successor}>; rel="successor-version"',
        }


class Answers:
    """Mixin of every view of the API: what tokens open, calls sent twice, strict parameters at records, headers.

    `leaving` is set on a view a year before it goes (docs/api-guide.md, what you can rely on).
    """

    leaving: Leaving | None = None
    shapes: tuple[str, ...] = ()  # parameters by which a caller chooses what of a record is answered
    unused: tuple[str, ...] = ()  # of the parameters of its filters, those that have no effect here
    is_one_transaction = False  # all of this call, its answer too
    state_shown = ""  # of the record that is answered, where it can be written (see `_tag`)

    def dispatch(self, request, *args, **kwargs):
        with language_of_problems(request):
            return super().dispatch(request, *args, **kwargs)

    def initial(self, request, *args, **kwargs):
        if not hasattr(self, request.method.lower()):  # before anything else is found wrong
            raise exceptions.MethodNotAllowed(request.method)
        super().initial(request, *args, **kwargs)
        if request.method not in permissions.SAFE_METHODS:
            self._before_writing(request)
            refuse_unknown(request.query_params, ["format"])
        elif kwargs:
            refuse_unknown(request.query_params, ["format", *self.shapes], self.idle_parameters())
        if kwargs and given_twice(request.query_params, ["format"]):
            raise exceptions.ValidationError({"format": [GIVE_ONCE]})

    def idle_parameters(self) -> set[str]:
        """Those that this address knows and that have no effect in this call."""
        return {*self.unused, *(("page", SORT) if "cursor" in self.request.query_params else ())}

    def _before_writing(self, request) -> None:
        """Refuses tokens that only read; with an Idempotency-Key the call is done once."""
        if isinstance(request.auth, ApiToken) and request.auth.scope != Scope.WRITE:
            raise exceptions.PermissionDenied(_("This token only reads. Make one that writes, under your account."))
        if request.auth:
            pghistory.context(user=request.user.pk, token=request.auth.pk)  # who it was, for the history
        if not self.kwargs and request.headers.get("If-Match", "").strip() not in ("", "*"):
            raise Changed(_("If-Match names the state of one record. Leave it out where a new one is made."))
        key = request.headers.get("Idempotency-Key", "")
        if len(key) > LONGEST_KEY:
            text = _("The Idempotency-Key is longer than %(most)s signs.") % {"most": LONGEST_KEY}
            raise exceptions.ValidationError({"Idempotency-Key": [text]})
        method = request.method.lower()
        if key and request.user.is_authenticated and hasattr(self, method):
            setattr(self, method, partial(self._once, getattr(self, method), key))

    @transaction.atomic
    def _once(self, handler, key: str, request, *args, **kwargs):
        """The answer of the handler, or the one that the same call had before. What is refused is not kept."""
        self.is_one_transaction = True
        said = "\n".join((request.method, request.path)).encode() + b"\n" + request._request.body
        fingerprint = hashlib.sha256(said).hexdigest()
        kept, is_new = KeptAnswer.objects.claim(request.user, key, fingerprint)
        if kept.fingerprint != fingerprint:
            raise KeyReused
        rights = _rights_of(request.user)
        if not is_new and kept.rights != rights:
            _may_still(handler, request, *args, **kwargs)
            self.state_shown = ""
        if is_new:
            answered = handler(request, *args, **kwargs)
            kept.rights, kept.status, kept.location = rights, answered.status_code, answered.headers.get("Location", "")
            kept.body = JSONRenderer().render(answered.data).decode()
            kept.save()
            return answered
        headers = {"Idempotent-Replayed": "true", **({"Location": kept.location} if kept.location else {})}
        return Response(json.loads(kept.body or "null"), status=kept.status, headers=headers)

    def finalize_response(self, request, response, *args, **kwargs):
        response = super().finalize_response(request, response, *args, **kwargs)
        for name, value in self.leaving.headers().items() if self.leaving else ():
            response[name] = f"{response[name]}, {value}" if name in response else value
        if limit := getattr(request._request, "rate_limit", None):
            response["RateLimit-Limit"], response["RateLimit-Remaining"], response["RateLimit-Reset"] = map(str, limit)
        response["Cache-Control"] = (
            "private, no-cache" if _is_somebody(request) else "public, max-age=0, must-revalidate"
        )
        patch_vary_headers(response, ["Accept", "Accept-Language", "Authorization", "Cookie"])
        is_read = request.method in ("GET", "HEAD") and response.status_code == HTTPStatus.OK
        if (is_read or self.state_shown) and isinstance(response, Response):
            response.add_post_render_callback(partial(_tag, state=self.state_shown))
        return say_language(response) if response.status_code >= HTTPStatus.BAD_REQUEST else response


def _tag(response: Response, state: str) -> None:
    """The ETag: of these bytes, so that `If-None-Match` is right for each way to answer; and of the state of the record, so that
    `If-Match` may come with any of them. The whole record as it is usually laid out is its own state."""
    bytes_mark = hashlib.md5(response.content, usedforsecurity=False).hexdigest()
    response["ETag"] = f'"{bytes_mark}.{state}"' if state and state != bytes_mark else f'"{bytes_mark}"'


def _rights_of(user) -> str:
    """A mark of the roles that a person has now."""
    held = sorted((m.role, m.country_id or 0, m.partner_id or 0) for m in user.active_memberships)
    return hashlib.sha256(json.dumps(held).encode()).hexdigest()


class _Undone(Exception):
    """What was tried is taken back."""


def _may_still(handler, *args, **kwargs) -> None:
    """Asks the rules of a call that was done before whether the person may make it still: the call is tried and taken back. That
    it can't be done twice is no refusal."""
    try:
        with transaction.atomic():
            handler(*args, **kwargs)
            raise _Undone
    except (PermissionDenied, Http404, exceptions.PermissionDenied, exceptions.NotFound):
        raise
    except (_Undone, exceptions.APIException, ValidationError, IntegrityError):
        return


def _is_somebody(request) -> bool:
    """Whether the answer is for one person, or for who would have been one: a refusal of credentials is nobody else's."""
    return bool(request.headers.get("Authorization")) or request.user.is_authenticated


class Records(Answers, viewsets.ReadOnlyModelViewSet):
    """Base of the lists and records of the API. `table`: the list in further formats, whole and with its filters."""

    shapes = SHAPES
    table: Table | None = None
    standards: dict[str, type[Format]] = {}  # further formats, by action: classes with `answer(view, records)`

    whole: type[serializers.Serializer] | None = None  # of one record: what `expand` may add in a list
    private: tuple[str, ...] = ()  # of it, what is never in a list

    @property
    def expandable(self) -> list[str]:
        """Parts of the whole record that a list may hold too."""
        listed = set(self.serializer_class.Meta.fields)
        return [n for n in self.whole.Meta.fields if n not in listed and n not in self.private] if self.whole else []

    def idle_parameters(self) -> set[str]:
        found = super().idle_parameters()
        if self.action != "list" or not self.expandable:
            found |= {"expand"}
        if self.request.accepted_renderer.format != "json":
            found |= {"expand"} | ({SORT} if is_whole(self.request) else set())
        if hasattr(self.request.accepted_renderer, "answer"):  # a format of others says what a file holds
            found |= {*SHAPES}
        return found

    def _named(self, parameter: str, known) -> list[str]:
        """Names in a parameter, separated by commas. Raises a problem for one that does not exist."""
        if self.request is None:  # while the API is described
            return []
        given, missing = names_in(self.request, parameter, known)
        if missing:
            raise exceptions.ValidationError({parameter: [missing]})
        return given

    @property
    def expanded(self) -> list[str]:
        return self._named("expand", self.expandable) if self.action == "list" else []

    def get_serializer(self, *args, **kwargs):
        """The serializer with the fields that were asked for: `fields`, `omit`, and in lists `expand`."""
        if self.action not in ("list", "retrieve"):
            return super().get_serializer(*args, **kwargs)
        more = self.expanded
        if more:
            kwargs["context"] = self.get_serializer_context()
            made = self.whole(*args, **kwargs)
        else:
            made = super().get_serializer(*args, **kwargs)
        one = getattr(made, "child", made)
        present = [n for n in one.fields if not more or n in self.serializer_class.Meta.fields or n in more]
        chosen = self._named("fields", present) or present
        omitted = self._named("omit", present)
        for name in list(one.fields):
            if name not in chosen or name in omitted:
                one.fields.pop(name)
        if not one.fields:
            raise exceptions.ValidationError({"omit": [_("Nothing is left to be answered. Omit fewer.")]})
        return made

    def get_renderers(self):
        renderers = super().get_renderers()
        if self.action == "list" and self.table:
            renderers += [FORMATS[name]() for name in self.table.formats]
        return renderers + [one() for one in self.standards.get(self.action, ())]

    def filter_queryset(self, queryset):
        return super().filter_queryset(queryset) if self.action == "list" else queryset

    def list(self, request, *args, **kwargs):
        if request.accepted_renderer.format != "json":
            return self.as_file(request.accepted_renderer)
        page = self.get_serializer(self.paginate_queryset(self.filter_queryset(self.get_queryset())), many=True)
        with language_of_contents():
            return self.get_paginated_response(page.data)

    def retrieve(self, request, *args, **kwargs):
        if request.accepted_renderer.format == "json":
            record = self.get_object()
            made = self.get_serializer(record)
            with language_of_contents():
                shown = made.data
            self.state_shown = self.state_read(record, shown)
            return Response(shown)
        return request.accepted_renderer.answer(self.get_object())

    def state_read(self, record, shown: dict) -> str:
        """A mark of the state of a record, for the ETag of what is written by `If-Match`."""
        return ""

    def as_file(self, renderer) -> HttpResponse:
        """The whole list in another format; or the page of it that is asked for."""
        found = self.filter_queryset(self.get_queryset())
        records, link = paged(self, found)
        if hasattr(renderer, "answer"):
            response = renderer.answer(records)
        else:
            name = renderer.format
            table = replace(self.table, columns=columns_of(self.request, self.table.columns))
            response = made_of(table.name, name, table.columns, table.rows(records), table.pieces(name, records))
        if link:
            response["Link"] = link
        return response


def is_whole(request) -> bool:
    """Whether a list is asked for as a whole, which has no order, rather than a page of it."""
    return not {"page", "page_size", "cursor"} & set(request.query_params)


def names_in(request, parameter: str, known) -> tuple[list[str], str]:
    """(names in a parameter, separated by commas; what to say of the first that does not exist, or where there is none)"""
    given = [n.strip() for n in ",".join(request.query_params.getlist(parameter)).split(",") if n.strip()]
    if parameter in request.query_params and not given:
        return given, _("Name at least one of these: %(known)s.") % {"known": ", ".join(known)}
    missing = next((n for n in given if n not in known), None)
    text = _("There is no %(name)s here. There are: %(known)s.")
    return given, "" if missing is None else text % {"name": missing[:60], "known": ", ".join(known) or "–"}


def columns_of(request, columns: list[Column]) -> list[Column]:
    """The columns of a file that were asked for (`fields`, `omit`). Raises a problem for one that it does not have."""

    def named(parameter: str) -> list[str]:
        given, missing = names_in(request, parameter, [column.name for column in columns])
        if missing:
            raise exceptions.ValidationError({parameter: [missing]})
        return given

    chosen, omitted = named("fields"), named("omit")
    left = [c for c in columns if (not chosen or c.name in chosen) and c.name not in omitted]
    if not left:
        raise exceptions.ValidationError({"omit": [_("Nothing is left to be answered. Omit fewer.")]})
    return left


def paged(view, found) -> tuple:
    """(all records of a list, or those of the page that is asked for; the links to its neighbours)"""
    if is_whole(view.request):
        return getattr(found, "everything", found), ""
    keys = [record.pk for record in view.paginate_queryset(found)]
    links = view.paginator.get_paginated_response([]).headers["Link"]
    return getattr(found, "records", found).filter(pk__in=keys), links


def made_of(*args) -> HttpResponse:
    """A file of rows, or the refusal to make one that is too large to wait for."""
    try:
        with language_of_contents():
            return answer(*args)
    except TooMany as error:
        text = _("More than %(most)s rows: take CSV, or the ready-made file at /data/.") % {"most": MOST_IN_A_WORKBOOK}
        raise exceptions.ValidationError({"format": [text]}) from error
    except TooLong as error:
        raise exceptions.ValidationError({"format": [str(error)]}) from error


FIELDS = {"integer": serializers.IntegerField, "number": serializers.FloatField, "boolean": serializers.BooleanField}


def rows_serializer(name: str, columns: list[Column]):
    """What a row of a table looks like, for the description of the API."""
    fields = {
        column.name: serializers.ListField(child=serializers.CharField(), help_text=column.text)
        if column.kind == "list"
        else FIELDS.get(column.kind, serializers.CharField)(allow_null=True, help_text=column.text)
        for column in columns
    }
    return inline_serializer(name, fields)


@extend_schema_field({"type": "object", "additionalProperties": {"type": "string"}})
class Names(serializers.Field):
    """A name in every language that it is kept in: {"en": "Kenya", "fr": "Kenya"}."""

    def __init__(self, prefix: str = "name", **kwargs):
        self.prefix = prefix
        super().__init__(source="*", read_only=True, **kwargs)

    def to_representation(self, record):
        found = {code: getattr(record, f"{self.prefix}_{code}") for code in ("ar", "zh_hans", "en", "fr", "ru", "es")}
        return {code.replace("_", "-"): text for code, text in found.items() if text}


class LastChange(serializers.DateTimeField):
    """When what the public reads of a record last changed (`with_last_change`); of what is not public, when anything did."""

    def __init__(self, **kwargs):
        super().__init__(source="*", read_only=True, **kwargs)

    def to_representation(self, record):
        return super().to_representation(last_change(record))
