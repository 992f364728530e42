"""Bases of the API's views and serializers, and its description in words."""

import datetime as dt
import gzip
import hashlib
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache, partial, wraps
from http import HTTPStatus

import django_filters
import pghistory
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError, IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.cache import patch_vary_headers
from django.utils.http import http_date
from django.utils.safestring import mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import get_doc
from drf_spectacular.renderers import OpenApiJsonRenderer
from drf_spectacular.utils import OpenApiParameter, extend_schema_field, inline_serializer
from rest_framework import exceptions, permissions, serializers, viewsets
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response

from partners.choices import Scope
from partners.models import ApiToken, KeptAnswer, last_change
from ssc_portal.api import PROBLEM, SHAPES, Changed, KeyReused, problem, refuse_unknown
from ssc_portal.languages import language_of_contents, language_of_problems, say_language, told_to_programs
from ssc_portal.parameters import GIVE_ONCE, given_twice
from ssc_portal.signs import ALLOWED
from ssc_portal.tables import FORMATS, MOST_IN_A_WORKBOOK, Column, Format, Table, TooMany, answer

SCHEMA_SECONDS = 60 * 60  # for which a copy of the description is good
LONGEST_KEY = 200  # signs of an Idempotency-Key
KEY = OpenApiParameter(
    "Idempotency-Key", {"type": "string", "maxLength": LONGEST_KEY}, OpenApiParameter.HEADER,
    description="Of your own: sent twice within 24 hours, it is done once and answered the same",
)  # fmt: skip


class DescribedOperations(AutoSchema):
    """Every operation tells the problem documents that it may answer with."""

    def _get_response_bodies(self, direction="response"):
        bodies = super()._get_response_bodies(direction)
        for renderer in self.view.get_renderers():
            if isinstance(renderer, Format) and "200" in bodies:
                kind = "object" if renderer.media_type.endswith("json") else "string"
                bodies["200"]["content"][renderer.media_type] = {"schema": {"type": kind}}
        found = {"type": "object", "required": ["type", "title", "status"], "properties": _PROBLEM_PROPERTIES}
        for status, text in self._problems():
            content = {"schema": found, "example": _example_of_problem(int(status), text)}
            bodies.setdefault(status, {"description": text, "content": {PROBLEM: content}})
        return bodies

    def get_description(self):
        """Of the operation itself. What our classes say of themselves is for who reads the code."""
        return get_doc(getattr(self.view, getattr(self.view, "action", None) or self.method.lower(), None))

    def is_deprecated(self):
        return super().is_deprecated() or getattr(self.view, "leaving", None) is not None

    def _get_filter_parameters(self):
        """The parameters of the filters, each with the codes that it takes."""
        found = super()._get_filter_parameters()
        filters = getattr(getattr(self.view, "filterset_class", None), "base_filters", {})
        for parameter in found:
            known = filters.get(parameter["name"])
            with suppress(DatabaseError):  # it can also be described before there are any codes
                if hasattr(known, "api_schema"):
                    parameter["schema"] = known.api_schema()
                elif "enum" in parameter.get("schema", {}):
                    parameter["schema"]["enum"] = [*parameter["schema"]["enum"], ""]
                elif isinstance(known, django_filters.ModelChoiceFilter):
                    codes = known.queryset.order_by(name := known.extra["to_field_name"]).values_list(name, flat=True)
                    parameter["schema"] = {"type": "string", "enum": [*codes, ""]}
        return found

    def get_override_parameters(self):
        """How a caller chooses what is answered, at every record and list."""
        if self.method != "GET":
            return [KEY]
        if not isinstance(self.view, Records):
            return []
        is_list = self.view.action == "list"
        names = [*self.view.get_serializer_class().Meta.fields]
        words = {"fields": "Only these", "omit": "All but these"}
        given = [(name, text, names) for name, text in words.items()]
        if is_list and self.view.expandable:
            given.append(("expand", "Also these parts of the whole record", self.view.expandable))
        return [
            OpenApiParameter(
                name,
                {"type": "array", "items": {"type": "string", "enum": [*known, ""]}},
                description=text,
                explode=False,
                style="form",
            )
            for name, text, known in given
        ]

    def get_auth(self):
        """What everybody may read needs nobody to be signed in."""
        found = super().get_auth()
        is_closed = any(isinstance(p, permissions.IsAuthenticated) for p in self.view.get_permissions())
        return found if self.method != "GET" or is_closed or {} in found else [*found, {}]

    def _problems(self):
        yield "400", "A parameter, or a field of the body, can't be used; `errors` names it."
        yield (
            "401",
            "The token is unknown, has ended or was revoked, or came by another scheme than Bearer; or this needs you to be signed in.",
        )
        yield "404", "There is no such record or page, or it is not public."
        allowed = "" if self.method == "GET" else "Your role or your token does not allow this. Or: "
        yield "403", f"{allowed}Your role needs a second factor, and your account has none."
        if self.method != "GET":
            yield (
                "409",
                "The record is in a state in which this is not possible or lacks something (also since somebody else was quicker), or the Idempotency-Key or `key` was sent with something else; `code` tells which.",
            )
            yield "413", "The body is larger than 2.5 MB."
            yield "415", "The body is not JSON, or is compressed."
        seen = next((one for one in self.get_override_parameters() if one.name == "If-Match"), None)
        if seen:
            yield "412", "It was changed since you read it (If-Match)."
        if seen and seen.required:
            yield "428", "If-Match is missing."
        yield "406", "None of the accepted formats exists."
        yield "429", "Too many requests; Retry-After says when to go on."


_PROBLEM_PROPERTIES = {
    "type": {"type": "string"},
    "code": {"type": "string", "description": "By which a program tells one kind of refusal from another"},
    "title": {"type": "string"},
    "status": {"type": "integer"},
    "detail": {"type": "string"},
    "errors": {
        "type": "array",
        "items": {"type": "object", "properties": {"field": {"type": "string"}, "detail": {"type": "string"}}},
    },
}


def _example_of_problem(status: int, text: str) -> dict:
    """What a refusal looks like (RFC 9457)."""
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status}
    if status == HTTPStatus.BAD_REQUEST:
        return body | {
            "title": "Some values can't be used.",
            "errors": [{"field": "country", "detail": "There is no country “XYZ”."}],
        }
    return body | {"detail": text}


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
            refuse_unknown(request.query_params, ["format", *self.shapes])
        if kwargs and given_twice(request.query_params, ["format"]):
            raise exceptions.ValidationError({"format": [GIVE_ONCE]})

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
        return self._named("expand", self.expandable) if self.action == "list" else self._named("expand", [])

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
        columns_of(request, [])
        return request.accepted_renderer.answer(self.get_object())

    def state_read(self, record, shown: dict) -> str:
        """A mark of the state of a record, for the ETag of what is written by `If-Match`."""
        return ""

    def as_file(self, renderer) -> HttpResponse:
        """The whole list in another format; or the page of it that is asked for."""
        found = self.filter_queryset(self.get_queryset())
        records, link = paged(self, found)
        if hasattr(renderer, "answer"):
            columns_of(self.request, [])
            response = renderer.answer(records)
        else:
            name = renderer.format
            table = replace(self.table, columns=columns_of(self.request, self.table.columns))
            response = made_of(table.name, name, table.columns, table.rows(records), table.pieces(name, records))
        if link:
            response["Link"] = link
        return response


def names_in(request, parameter: str, known) -> tuple[list[str], str]:
    """(names in a parameter, separated by commas; what to say of the first that does not exist)"""
    given = [n.strip() for n in ",".join(request.query_params.getlist(parameter)).split(",") if n.strip()]
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

    chosen, omitted, _more = named("fields"), named("omit"), named("expand")
    left = [c for c in columns if (not chosen or c.name in chosen) and c.name not in omitted]
    if columns and not left:
        raise exceptions.ValidationError({"omit": [_("Nothing is left to be answered. Omit fewer.")]})
    return left


def paged(view, found) -> tuple:
    """(all records of a list, or those of the page that is asked for; the links to its neighbours)"""
    if not {"page", "page_size", "cursor"} & set(view.request.query_params):
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


def optional_parts(result: dict, **_rest) -> dict:
    """Step of the description: callers choose the fields of a record, and some are for some readers only, so none is sure."""
    schemas = result["components"]["schemas"]
    for methods in result["paths"].values():
        answer = (
            methods.get("get", {}).get("responses", {}).get("200", {}).get("content", {}).get("application/json", {})
        )
        name = answer.get("schema", {}).get("$ref", "").rsplit("/", 1)[-1]
        items = schemas.get(name, {}).get("properties", {}).get("results", {}).get("items", {})
        for one in (name, items.get("$ref", "").rsplit("/", 1)[-1]):
            if one in schemas and not one.startswith("Paginated"):
                schemas[one].pop("required", None)
    for schema in schemas.values():  # an empty text may be of both kinds that the generator tells apart
        for part in schema.get("properties", {}).values():
            if {"type": "string", "maxLength": 0} in part.get("oneOf", []):
                part["anyOf"] = part.pop("oneOf")
    return result


FIELDS = {"integer": serializers.IntegerField, "number": serializers.FloatField, "boolean": serializers.BooleanField}


def what_is_sent(result: dict, **_rest) -> dict:
    """Step of the description: bodies hold no unknown fields, and no text a sign that is refused (see `Parser`)."""
    schemas, known = result["components"]["schemas"], set()

    def visit(part) -> None:
        if isinstance(part, list):
            for inner in part:
                visit(inner)
        elif isinstance(part, dict):
            name = part.get("$ref", "").rsplit("/", 1)[-1]
            if name in schemas and name not in known:
                known.add(name)
                visit(schemas[name])
            kinds = part.get("type")
            if kinds == "object" and isinstance(part.get("properties"), dict):
                part["additionalProperties"] = False
            if "string" in (kinds if isinstance(kinds, list) else [kinds]) and not {"enum", "format", "pattern"} & set(
                part
            ):
                part["pattern"] = ALLOWED
            for key, inner in part.items():
                if key not in ("example", "examples", "default"):
                    visit(inner)

    for methods in result["paths"].values():
        for operation in methods.values():
            if isinstance(operation, dict):
                visit(operation.get("requestBody", {}).get("content", {}))
                visit([one.get("schema", {}) for one in operation.get("parameters", ()) if one["in"] == "query"])
    return result


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


@cache
def _schema(language: str) -> bytes:
    """The OpenAPI description, made once for each language and process: nothing in it changes while a release runs."""
    found = SchemaGenerator().get_schema(request=None, public=True)
    return OpenApiJsonRenderer().render(found, renderer_context={})


@cache
def _packed_schema(language: str) -> bytes:
    return gzip.compress(_schema(language), mtime=0)


def only_read(view: Callable) -> Callable:
    """Decorator of an address of the API that is none of its views: as there, another method is refused as such."""

    @wraps(view)
    def answered(request: HttpRequest) -> HttpResponse:
        return view(request) if request.method in ("GET", "HEAD") else _not_allowed(request)

    return csrf_exempt(answered)


@told_to_programs
def _not_allowed(request: HttpRequest) -> HttpResponse:
    refused = problem(exceptions.MethodNotAllowed(request.method), {})
    headers = {"Allow": "GET, HEAD"}
    return JsonResponse(refused.data, status=refused.status_code, content_type=PROBLEM, headers=headers)


@only_read
def api_schema(request: HttpRequest) -> HttpResponse:
    """The API as OpenAPI 3.1, for programs."""
    language, packs = get_language() or "en", "gzip" in request.headers.get("Accept-Encoding", "")
    content = _packed_schema(language) if packs else _schema(language)
    answer = HttpResponse(content, content_type=OpenApiJsonRenderer.media_type)
    if packs:
        answer["Content-Encoding"] = "gzip"
    answer["Cache-Control"] = f"public, max-age={SCHEMA_SECONDS}"
    answer["Content-Disposition"] = 'inline; filename="schema.json"'
    patch_vary_headers(answer, ["Accept-Language", "Accept-Encoding"])
    return answer


@only_read
def api_docs(request: HttpRequest) -> HttpResponse:
    """The API in words, made from its own OpenAPI description, so that the two can't differ. Works without script."""
    answer = render(request, "api_docs.html", _docs(get_language() or "en"))
    is_somebodys = (
        request.session.session_key and request.user.is_authenticated
    )  # their name and their token against forgery
    answer["Cache-Control"] = "private, no-store" if is_somebodys else f"public, max-age={SCHEMA_SECONDS}"
    patch_vary_headers(answer, ["Accept-Language", "Cookie"])
    return answer


@cache
def _docs(language: str) -> dict:
    """The head of the page, and its operations as they are shown: made once for each language and process."""
    schema = json.loads(_schema(language))
    components = schema["components"]["schemas"]
    operations = []
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            answer = (
                operation["responses"].get("200", {}).get("content", {}).get("application/json", {}).get("schema", {})
            )
            operations.append(
                {
                    "id": operation["operationId"],
                    "method": method.upper(),
                    "path": path,
                    "summary": operation.get("summary") or operation.get("description", ""),
                    "parameters": [{"description": "", **p} for p in operation.get("parameters", [])],
                    "fields": _fields(answer, components),
                    "answers": [(status, a.get("description", "")) for status, a in operation["responses"].items()],
                    "example": path if "{" not in path else "",
                }
            )
    shown = render_to_string("components/_api_operations.html", {"operations": operations})
    return {"info": schema["info"], "operations": mark_safe(shown)}  # noqa: S308  of a template


def _fields(answer: dict, components: dict) -> list[dict]:
    """Names, types and meanings of what an operation answers; of one record where it answers a list."""
    reference = answer.get("$ref", "").rsplit("/", 1)[-1]
    found = components.get(reference, answer)
    if results := found.get("properties", {}).get("results"):
        return _fields(results.get("items", {}), components)
    return [
        {
            "name": name,
            "type": about.get("type") or about.get("$ref", "").rsplit("/", 1)[-1] or "object",
            "text": about.get("description", ""),
        }
        for name, about in found.get("properties", {}).items()
    ]
