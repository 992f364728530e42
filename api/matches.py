"""The API of matches: what fits a need or an offer, taken apart, with the sentences; and setting one aside."""

from collections.abc import Sequence

from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import exceptions, permissions, serializers, status, viewsets
from rest_framework.response import Response as Answered

from api.base import refuse_unknown
from api.records import Answers, columns_of, made_of
from api.writing import read
from ground.languages import language_of_contents
from ground.parameters import GIVE_ONCE, given_twice
from ground.tables import FORMATS
from projects import matches
from projects.choices import SetAsideReason
from projects.filters import MatchFilter
from projects.interchange import match_table
from projects.matches import Candidate
from projects.models import Need, Offer

MOST_OF_ONES_SIDE = 200


class SignalSerializer(serializers.Serializer):
    """What one signal gave, of what it could give."""

    signal = serializers.CharField(help_text="Its name in the published weights")
    points = serializers.FloatField()
    most = serializers.IntegerField(help_text="Points that it can give")
    sentence = serializers.CharField(allow_blank=True, help_text="Why, in English")
    speaks_against = serializers.BooleanField()


class LineFitSerializer(serializers.Serializer):
    """A line of the need of which something is open that the offer could cover."""

    line = serializers.IntegerField(source="row.line.pk", help_text="id of the line")
    could_cover = serializers.DecimalField(
        source="figure", max_digits=12, decimal_places=2, allow_null=True,
        help_text="In the line's unit; null where the line has no quantity",
    )  # fmt: skip
    open = serializers.DecimalField(source="row.figures.open", max_digits=12, decimal_places=2, allow_null=True)


class MatchSerializer(serializers.Serializer):
    """A need and an offer, or a project that has done the like, and how well they fit."""

    need = serializers.CharField(source="need.reference")
    offer = serializers.SerializerMethodField(help_text="Reference, where an offer fits")
    project = serializers.SerializerMethodField(help_text="Reference, where a project has done this before")
    score = serializers.FloatField(source="match.score", help_text="0 to 100")
    signals = serializers.SerializerMethodField()
    lines = LineFitSerializer(source="covers", many=True)
    url = serializers.SerializerMethodField(help_text="Page of the offer, project or need that was found")

    def get_offer(self, candidate: Candidate) -> str | None:
        return candidate.given.reference if candidate.is_offer else None

    def get_project(self, candidate: Candidate) -> str | None:
        return None if candidate.is_offer else candidate.given.reference

    def get_signals(self, candidate: Candidate) -> SignalSerializer(many=True):
        found = []
        for signal, (got, most) in candidate.match.points.items():
            told = candidate.match.told[signal]
            found.append(
                {
                    "signal": signal, "points": round(got, 2), "most": most,
                    "sentence": told.reason() if told.reason else "", "speaks_against": told.speaks_against,
                }
            )  # fmt: skip
        return SignalSerializer(found, many=True).data

    def get_url(self, candidate: Candidate) -> str:
        record = candidate.need if self.context["by_offer"] else candidate.given
        return self.context["request"].build_absolute_uri(record.get_absolute_url())


class SetAsideSerializer(serializers.Serializer):
    """A word of one side that a match is not for it."""

    need = serializers.CharField()
    offer = serializers.CharField()
    reason = serializers.ChoiceField(choices=SetAsideReason.choices)
    note = serializers.CharField(required=False, allow_blank=True, max_length=500)


class MatchViewSet(Answers, viewsets.GenericViewSet):
    """Matches are found when they are asked for; there is no single record of one."""

    serializer_class = MatchSerializer
    pagination_class = None
    filter_backends: list = []

    def get_permissions(self):
        return [permissions.AllowAny()] if self.action == "list" else [permissions.IsAuthenticated()]

    @extend_schema(
        summary="Find matches",
        description="Offers and earlier projects that fit a need, or needs that fit an offer: the best twenty, best first. "
        "Give `need` or `offer`; with neither, who is signed in gets the needs that fit the offers of their side, the best "
        f"{MOST_OF_ONES_SIDE}, narrowed by `country`, `theme` and `help`, which are refused otherwise. How many points each signal can give is published on "
        "the page of matches. Also as CSV, XLSX and JSON Lines.",
        parameters=[
            OpenApiParameter("need", str, description="Reference of a need"),
            OpenApiParameter("offer", str, description="Reference of an offer"),
            OpenApiParameter(
                "country", str, description="Of one's own side: ISO 3166-1 alpha-3 of the country that asks"
            ),
            OpenApiParameter("theme", str, description="Of one's own side: code of a thematic area"),
            OpenApiParameter("help", str, description="Of one's own side: code of a kind of help"),
        ],
    )
    def list(self, request):
        candidates = self._found(request)
        name = request.accepted_renderer.format
        if name != "json":
            columns = columns_of(request, match_table.COLUMNS)
            places = [match_table.COLUMNS.index(column) for column in columns]
            return made_of("matches", name, columns, ([row[n] for n in places] for row in match_table.rows(candidates)))
        context = {**self.get_serializer_context(), "by_offer": "need" not in request.query_params}
        with language_of_contents():
            return Answered(MatchSerializer(candidates, many=True, context=context).data)

    def get_renderers(self):
        more = (FORMATS[name]() for name in ("csv", "xlsx", "jsonl")) if self.action == "list" else ()
        return [*super().get_renderers(), *more]

    def _found(self, request) -> Sequence[Candidate]:
        given = {name: request.query_params[name] for name in ("need", "offer") if name in request.query_params}
        narrowing = {"country", "theme", "help"}  # of one's own side
        shapes = {"fields", "omit"} if request.accepted_renderer.format != "json" else set()
        if twice := given_twice(request.query_params, {"need", "offer", "format", *narrowing}):
            raise exceptions.ValidationError({name: [GIVE_ONCE] for name in twice})
        idle = narrowing if given else set()
        refuse_unknown(request.query_params, {"need", "offer", "format", *narrowing, *shapes}, idle)
        if not given and request.user.is_authenticated:
            return self._of_ones_side(request)
        if len(given) != 1:
            raise exceptions.NotFound(_("Give the reference of a need, or of an offer."))
        if "need" in given:
            need = get_object_or_404(Need.objects.visible_to(request.user), reference=given["need"].upper()[:30])
            return [*matches.offers_for(need, 20), *matches.projects_for(need)]
        offers = Offer.objects.visible_to(request.user).select_related("entry")
        return matches.needs_for(get_object_or_404(offers, reference=given["offer"].upper()[:30]), 20)

    def _of_ones_side(self, request) -> Sequence[Candidate]:
        narrowed = MatchFilter(request.query_params, queryset=matches.found_for(request.user))
        if not narrowed.is_valid():
            said = {"parameter": next(iter(narrowed.errors))}
            raise exceptions.NotFound(_("No match of your side has what you gave as %(parameter)s.") % said)
        best = matches.fitting(narrowed.qs)[:MOST_OF_ONES_SIDE]
        return matches.shown_of(request.user, [row["need"] for row in best])

    @extend_schema(summary="Set a match aside", request=SetAsideSerializer, responses={201: SetAsideSerializer})
    def create(self, request):
        values = read(self, SetAsideSerializer)
        need = get_object_or_404(Need.objects.visible_to(request.user), reference=values["need"].upper()[:30])
        offer = get_object_or_404(Offer.objects.visible_to(request.user), reference=values["offer"].upper()[:30])
        aside = matches.aside_of(need, offer, request.user)
        if aside is None:
            raise exceptions.PermissionDenied(_("Only the two sides of a match can set it aside."))
        aside.reason, aside.note = values["reason"], values.get("note", "")
        matches.set_aside(aside)
        return Answered(SetAsideSerializer(values).data, status=status.HTTP_201_CREATED)
