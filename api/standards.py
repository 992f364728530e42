"""The API in the terms of standards: IATI files of what passes a filter, the TOSSD table, cooperation in quantities."""

from django.http import StreamingHttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, viewsets

from api.records import SORT, Answers, is_whole, made_of, rows_serializer
from ground.tables import FORMATS, Format, as_object
from projects.filters import ProjectFilter
from projects.interchange import iati_export
from projects.interchange.statistics import QUANTITIES, TOSSD, contributions, quantities
from projects.models import Project


class IATI(Format):
    """An IATI 2.03 activity file."""

    media_type, format = "application/xml", "iati"

    def answer(self, records):
        return iati_answer(lambda: iati_export.activities(records))


class IATINeeds(IATI):
    def answer(self, records):
        return iati_answer(lambda: iati_export.activities(Project.objects.none(), records.under_way()))


class IATIRecord(IATI):
    def answer(self, record):
        whole = type(record).objects.for_iati().get(pk=record.pk)
        return iati_answer(lambda: [iati_export.one(whole)], record.reference)


def iati_answer(write, name: str = "activities") -> StreamingHttpResponse:
    """A file as it is written. Raises NotFound, with the reason, where nothing can be."""
    try:
        pieces = write()
    except iati_export.NothingToWrite as reason:
        raise exceptions.NotFound(str(reason)) from reason
    return StreamingHttpResponse(
        pieces,
        content_type=iati_export.CONTENT_TYPE,
        headers={"Content-Disposition": f'inline; filename="{name}-{timezone.localdate():%Y-%m-%d}.xml"'},
    )


class Statistics(Answers, viewsets.GenericViewSet):
    """Base: rows about the projects that pass the filters, which are those of the list of projects. Always whole: they mean
    nothing without the columns that tell them apart."""

    filterset_class = ProjectFilter
    unused = (SORT,)  # of projects; rows have an order of their own
    file_name: str
    columns: list

    def get_queryset(self):
        return Project.objects.visible_to(self.request.user)

    def get_renderers(self):
        return [*super().get_renderers(), *(FORMATS[name]() for name in ("csv", "xlsx", "jsonl"))]

    def list(self, request):
        projects = self.filter_queryset(self.get_queryset()).everything
        name = request.accepted_renderer.format
        if name == "json":
            return self.get_paginated_response([as_object(self.columns, row) for row in self.page_of(projects)])
        if is_whole(request):
            return self.as_file(name, projects)
        response = made_of(self.file_name, name, self.columns, list(self.page_of(projects)))
        response["Link"] = self.paginator.get_paginated_response([]).headers["Link"]
        return response


class TossdViewSet(Statistics):
    file_name, columns = TOSSD.name, TOSSD.columns

    def as_file(self, format, projects):
        records = contributions(projects)
        return made_of(self.file_name, format, self.columns, TOSSD.rows(records), TOSSD.pieces(format, records))

    def page_of(self, projects):
        keys = self.paginate_queryset(contributions(projects).order_by("pk").values_list("pk", flat=True))
        return TOSSD.rows(contributions(projects).filter(pk__in=keys))

    @extend_schema(
        summary="TOSSD table",
        description="What each side brings, a row for each contribution, in the terms of TOSSD. Filters are those of projects.",
        responses=rows_serializer("TossdRow", TOSSD.columns),
    )
    def list(self, request):
        return super().list(request)


class QuantitiesViewSet(Statistics):
    file_name, columns = "quantities", QUANTITIES

    def as_file(self, format, projects):
        return made_of(self.file_name, format, self.columns, quantities(projects).iterator(chunk_size=2000))

    def page_of(self, projects):
        return self.paginate_queryset(quantities(projects))

    @extend_schema(
        summary="Cooperation in quantities",
        description="Sums of what was reported, by year, provider, recipients, category (SDG 17.3.1), unit and currency. "
        "Filters are those of projects.",
        responses=rows_serializer("QuantityRow", QUANTITIES),
    )
    def list(self, request):
        return super().list(request)
