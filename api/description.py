"""The API as it is described: for programs as OpenAPI, for people as a page made from that."""

import gzip
import json
from collections.abc import Callable
from contextlib import suppress
from functools import cache, wraps
from http import HTTPStatus

import django_filters
from django.core.exceptions import NON_FIELD_ERRORS
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.cache import patch_vary_headers
from django.utils.safestring import mark_safe
from django.utils.translation import get_language
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import get_doc
from drf_spectacular.renderers import OpenApiJsonRenderer
from drf_spectacular.utils import OpenApiParameter
from rest_framework import exceptions, permissions

from api.base import PROBLEM, no_format, problem, refuse_unknown
from api.records import LONGEST_KEY, Records
from ground.languages import language_of_problems, told_to_programs
from ground.signs import ALLOWED
from ground.tables import Format
from partners.sessions import is_signed_in

SCHEMA_SECONDS = 60 * 60  # for which a copy of the description is good
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
        unused = getattr(self.view, "unused", ())
        found = [one for one in super()._get_filter_parameters() if one["name"] not in unused]
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
                {"type": "array", "minItems": 1, "items": {"type": "string", "enum": list(known)}},
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


_ERROR_PROPERTIES = {
    "field": {
        "type": "string",
        "description": f"As `lines.0.unit`; `{NON_FIELD_ERRORS}` where it is about no single field",
    },
    "detail": {"type": "string"},
}
_PROBLEM_PROPERTIES = {
    "type": {"type": "string"},
    "code": {"type": "string", "description": "By which a program tells one kind of refusal from another"},
    "title": {"type": "string"},
    "status": {"type": "integer"},
    "detail": {"type": "string"},
    "errors": {
        "type": "array",
        "items": {"type": "object", "required": ["field", "detail"], "properties": _ERROR_PROPERTIES},
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


@cache
def _schema(language: str) -> bytes:
    """The OpenAPI description, made once for each language and process: nothing in it changes while a release runs."""
    found = SchemaGenerator().get_schema(request=None, public=True)
    return OpenApiJsonRenderer().render(found, renderer_context={})


@cache
def _packed_schema(language: str) -> bytes:
    return gzip.compress(_schema(language), mtime=0)


def only_read(*formats: str) -> Callable:
    """Decorator of an address of the API that is none of its views: as there, another method is refused as such, and a parameter
    other than `format`, where it has `formats`."""

    def decorated(view: Callable) -> Callable:
        @wraps(view)
        def answered(request: HttpRequest) -> HttpResponse:
            error = _refusal(request, formats)
            return view(request) if error is None else _told(request, error)

        return csrf_exempt(answered)

    return decorated


def _refusal(request: HttpRequest, formats: tuple[str, ...]) -> exceptions.APIException | None:
    with language_of_problems(request):
        try:
            if request.method not in ("GET", "HEAD"):
                raise exceptions.MethodNotAllowed(request.method)
            refuse_unknown(request.GET, ["format"] if formats else [])
            if set(request.GET.getlist("format")) - set(formats):
                raise exceptions.NotAcceptable(no_format(formats))
        except exceptions.APIException as error:
            return error
    return None


@told_to_programs
def _told(request: HttpRequest, error: exceptions.APIException) -> HttpResponse:
    refused = problem(error, {})
    headers = {"Allow": "GET, HEAD"} if refused.status_code == HTTPStatus.METHOD_NOT_ALLOWED else {}
    return JsonResponse(refused.data, status=refused.status_code, content_type=PROBLEM, headers=headers)


@only_read("json")
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


@only_read()
def api_docs(request: HttpRequest) -> HttpResponse:
    """The API in words, made from its own OpenAPI description, so that the two can't differ. Works without script."""
    answer = render(request, "api_docs.html", _docs(get_language() or "en"))
    # What is shown to somebody has their name and their token against forgery.
    answer["Cache-Control"] = "private, no-store" if is_signed_in(request) else f"public, max-age={SCHEMA_SECONDS}"
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
