"""Bases of the API's views and serializers, and its description in words."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import extend_schema_field, inline_serializer
from rest_framework import exceptions, serializers, viewsets

from ssc_portal.api import PROBLEM
from ssc_portal.tables import FORMATS, MOST_IN_A_WORKBOOK, Column, Format, Table, TooMany, answer, geojson_pieces


class DescribedOperations(AutoSchema):
    """Every operation tells the problem documents that it may answer with."""

    def _get_response_bodies(self, direction="response"):
        bodies = super()._get_response_bodies(direction)
        found = {"type": "object", "required": ["type", "title", "status"], "properties": _PROBLEM_PROPERTIES}
        for status, text in self._problems():
            bodies.setdefault(status, {"description": text, "content": {PROBLEM: {"schema": found}}})
        return bodies

    def _problems(self):
        yield "400", "A parameter can't be used; `errors` names it."
        if "{" in self.path:
            yield "404", "There is no such record, or it is not public."
        if self.method != "GET":
            yield "403", "Your role does not allow this, or you are not signed in."
            yield "409", "The record is in a state in which this is not possible, or somebody else was quicker."
        if self.method == "PATCH":
            yield "412", "It was changed since you read it (If-Match)."
        yield "406", "None of the accepted formats exists."
        yield "429", "Too many requests; Retry-After says when to go on."


_PROBLEM_PROPERTIES = {
    "type": {"type": "string"},
    "title": {"type": "string"},
    "status": {"type": "integer"},
    "detail": {"type": "string"},
    "errors": {
        "type": "array",
        "items": {"type": "object", "properties": {"field": {"type": "string"}, "detail": {"type": "string"}}},
    },
}


class Answers:
    """Mixin of every view of the API: strict parameters at records, headers for caches, other sites and limits."""

    def initial(self, request, *args, **kwargs):
        super().initial(request, *args, **kwargs)
        if kwargs and (unknown := sorted(set(request.query_params) - {"format"})):
            raise exceptions.ValidationError({name[:60]: [_("There is no such parameter.")] for name in unknown[:5]})

    def finalize_response(self, request, response, *args, **kwargs):
        response = super().finalize_response(request, response, *args, **kwargs)
        response["Access-Control-Allow-Origin"] = "*"  # public reads, without credentials
        response["Access-Control-Expose-Headers"] = "Link, ETag, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset"
        if limit := getattr(request._request, "rate_limit", None):
            response["RateLimit-Limit"], response["RateLimit-Remaining"], response["RateLimit-Reset"] = map(str, limit)
        private = request.user.is_authenticated
        response["Cache-Control"] = "private, no-cache" if private else "public, max-age=0, must-revalidate"
        patch_vary_headers(response, ["Accept", "Accept-Language", "Cookie"])
        return response


class Records(Answers, viewsets.ReadOnlyModelViewSet):
    """Base of the lists and records of the API. `table`: the list in further formats, whole and with its filters."""

    table: Table | None = None
    standards: dict[str, type[Format]] = {}  # further formats, by action: classes with `answer(view, records)`

    def get_renderers(self):
        renderers = super().get_renderers()
        if self.action == "list" and self.table:
            renderers += [FORMATS[name]() for name in self.table.formats]
        return renderers + [one() for one in self.standards.get(self.action, ())]

    def filter_queryset(self, queryset):
        return super().filter_queryset(queryset) if self.action == "list" else queryset

    def list(self, request, *args, **kwargs):
        if request.accepted_renderer.format == "json":
            return super().list(request, *args, **kwargs)
        return self.as_file(request.accepted_renderer)

    def retrieve(self, request, *args, **kwargs):
        if request.accepted_renderer.format == "json":
            return super().retrieve(request, *args, **kwargs)
        return request.accepted_renderer.answer(self.get_object())

    def as_file(self, renderer) -> HttpResponse:
        """The whole list in another format."""
        unpaged(self.request)
        found = self.filter_queryset(self.get_queryset())
        records = getattr(found, "everything", found)
        if hasattr(renderer, "answer"):
            return renderer.answer(records)
        features = geojson_pieces(self.table, records) if renderer.format == "geojson" else None
        return made_of(self.table.name, renderer.format, self.table.columns, self.table.rows(records), features)


def unpaged(request) -> None:
    """Files hold all rows: refuses the parameters of pages."""
    if paged := sorted({"page", "page_size"} & set(request.query_params)):
        raise exceptions.ValidationError({paged[0]: [_("A file holds all rows. Leave this out, or take JSON.")]})


def made_of(*args) -> HttpResponse:
    """A file of rows, or the refusal to make one that is too large to wait for."""
    try:
        return answer(*args)
    except TooMany as error:
        text = _("More than %(most)s rows: take CSV, or the ready-made file at /data/.") % {"most": MOST_IN_A_WORKBOOK}
        raise exceptions.ValidationError({"format": [text]}) from error


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


@require_safe
def api_docs(request: HttpRequest) -> HttpResponse:
    """The API in words, made from its own OpenAPI description, so that the two can't differ. Works without script."""
    schema = SchemaGenerator().get_schema(request=None, public=True)
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
    return render(request, "api_docs.html", {"info": schema["info"], "operations": operations})


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
