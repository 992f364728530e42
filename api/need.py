"""The API of needs: what is read. Who reads which field is declared in models/need.py; writing is in need_write.py."""

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from api.partners import ProvenanceSerializer
from api.records import LastChange
from partners.models import Country, Partner
from projects.coverage import coverage_of
from projects.lifecycle import moves_open_to
from projects.models import Confirmation, Need, PlanActivity, PlanIndicator, PlanRole
from projects.models.need import AUDIENCE
from projects.timeline import timeline

WITH_PLAN = ("roles", "activities", "indicators")  # read by whoever reads the plan


class FigureField(serializers.DecimalField):
    """One of `Coverage.figures`; null where nobody stated it."""

    def __init__(self, **kwargs):
        super().__init__(**{"max_digits": 12, "decimal_places": 2, "allow_null": True, **kwargs})

    def bind(self, field_name, parent):
        self.source = f"figures.{field_name}"
        super().bind(field_name, parent)


class LineSerializer(serializers.Serializer):
    """One line of a need and how far it is covered, in its own unit. Of a line without a quantity only what was stated is told."""

    id = serializers.IntegerField(source="line.pk", help_text="Stable; names the line in writes and responses")
    letter = serializers.CharField()
    text = serializers.CharField(source="line.text")
    assistance = serializers.CharField(
        source="line.assistance.code", default=None, allow_null=True, help_text="Code of the kind of help"
    )
    quantity = serializers.DecimalField(source="line.quantity", max_digits=12, decimal_places=2, allow_null=True)
    unit = serializers.CharField(source="line.unit", allow_blank=True)
    by_when = serializers.DateField(source="line.by_when", allow_null=True)
    delivered = FigureField(help_text="As reported; null where nobody has reported it yet, which is not zero")
    agreed = FigureField()
    offered = FigureField()
    not_delivered = FigureField(
        help_text="Agreed, and not delivered when the need ended; a need that continues this one asks for it too"
    )
    carried_over = FigureField(help_text="Offered by nobody; asked for by the need that continues this one")
    open = FigureField()
    not_reported = FigureField(
        help_text="The part of agreed, or of not_delivered once the need has ended, of which nobody has said whether it was delivered"
    )
    over = FigureField(help_text="Offered or agreed beyond what is asked for")


class HappenedSerializer(serializers.Serializer):
    """One thing that happened to a need, as far as the reader may know it."""

    at = serializers.DateTimeField()
    who = serializers.CharField(allow_blank=True)
    what = serializers.CharField()
    note = serializers.CharField(allow_blank=True)


class PartySerializer(serializers.ModelSerializer):
    # Base: of one country or of one partner. (A comment, since a docstring would be told as what its heirs are.)

    country = serializers.SlugRelatedField(
        slug_field="iso3", queryset=Country.objects.all(), required=False, allow_null=True
    )
    partner = serializers.SlugRelatedField(
        slug_field="slug", queryset=Partner.objects.all(), required=False, allow_null=True
    )


class PlanRoleSerializer(PartySerializer):
    class Meta:
        model = PlanRole
        fields = ["country", "partner", "role"]


class ActivitySerializer(PartySerializer):
    id = serializers.IntegerField(required=False, help_text="Of an activity that stands already")
    line = serializers.IntegerField(
        source="line_id", required=False, allow_null=True, help_text="id of the line it is for"
    )

    class Meta:
        model = PlanActivity
        fields = ["id", "text", "country", "partner", "line", "kind", "quantity", "unit", "starts_on", "ends_on"]


class IndicatorSerializer(serializers.ModelSerializer):
    id = serializers.IntegerField(required=False, help_text="Of an indicator that stands already")

    class Meta:
        model = PlanIndicator
        fields = ["id", "text", "unit", "baseline", "target", "target_on"]


class ConfirmationSerializer(PartySerializer):
    class Meta:
        model = Confirmation
        fields = ["step", "side", "country", "partner", "at"]


class NeedSerializer(serializers.ModelSerializer):
    """A need in a list."""

    country = serializers.CharField(source="country.iso3", help_text="ISO 3166-1 alpha-3")
    themes = serializers.SerializerMethodField(help_text="Codes of thematic areas of the Bali Strategic Plan")
    lines_asked = serializers.SerializerMethodField(help_text="How many lines it has")
    lines_open = serializers.SerializerMethodField(help_text="How many of them are open, in full or in part")
    modified_at = LastChange(help_text="When this answer last changed")
    provenance = ProvenanceSerializer(read_only=True)
    url = serializers.SerializerMethodField(help_text="Its page")

    class Meta:
        model = Need
        fields = [
            "reference", "kind", "country", "title", "language", "public_summary", "state", "state_since", "due_on", "themes",
            "lines_asked", "lines_open",
            "is_illustrative", "published_at", "modified_at", "provenance", "url",
        ]  # fmt: skip

    def get_themes(self, need) -> list[str]:
        return [link.term.code for link in need.theme_links]

    def get_lines_asked(self, need) -> int:
        return len(need.lines.all())

    def get_lines_open(self, need) -> int:
        return sum(1 for row in coverage_of(need) if row.open > 0)

    def get_url(self, need) -> str:
        return self.context["request"].build_absolute_uri(need.get_absolute_url())


class NeedDetailSerializer(NeedSerializer):
    """One need: what is public for everybody, the restricted detail for those who may read it."""

    lines = serializers.SerializerMethodField()
    terms = serializers.SerializerMethodField(help_text="As vocabulary:code")
    history = serializers.SerializerMethodField()
    merged_into = serializers.SlugRelatedField(slug_field="reference", read_only=True, allow_null=True)
    moves = serializers.SerializerMethodField(help_text="What you may do now: names for /moves/{action}/")
    roles = PlanRoleSerializer(source="plan_roles", many=True, read_only=True)
    activities = ActivitySerializer(many=True, read_only=True)
    indicators = IndicatorSerializer(many=True, read_only=True)
    confirmations = ConfirmationSerializer(many=True, read_only=True)
    endorsed_on = serializers.DateField(
        read_only=True,
        allow_null=True,
        help_text="Day of the endorsement. Until the need is submitted: as the draft has it, not endorsed yet",
    )
    project = serializers.SerializerMethodField(
        help_text="Reference of the project that carries it out, where that is public"
    )

    class Meta:
        model = Need
        fields = [
            *NeedSerializer.Meta.fields, "technology_sought", "technology_purpose", "maturity", "national_plan", "institution",
            "scope", "place", "beneficiaries", "women", "men", "is_for_women", "is_for_youth", "is_for_indigenous", "languages",
            "endorsed_on", "expires_on", "outcome", "rating", "lessons", "merged_into", "project", "terms", "lines", "history", "moves",
            *AUDIENCE, *WITH_PLAN, "confirmations",
        ]  # fmt: skip

    def to_representation(self, need):
        found = super().to_representation(need)
        if not found.keys() & {*AUDIENCE, *WITH_PLAN}:
            return found  # in lists, and where other fields were asked for
        readable = need.readable_by(self.context["request"].user)
        readable |= set(WITH_PLAN) if "plan" in readable else set()
        return {n: value for n, value in found.items() if n not in (*AUDIENCE, *WITH_PLAN) or n in readable}

    def get_project(self, need) -> str | None:
        return need.project.reference if need.project and need.project.is_published else None

    def get_moves(self, need) -> list[str]:
        user = self.context["request"].user
        return [move.action for move in moves_open_to(user, need)] if user.is_authenticated else []

    def get_themes(self, need) -> list[str]:
        return [term.code for term in need.themes]

    def get_terms(self, need) -> list[str]:
        return [f"{link.term.vocabulary}:{link.term.code}" for link in need.term_links.all()]

    @extend_schema_field(LineSerializer(many=True))
    def get_lines(self, need):
        return LineSerializer(coverage_of(need), many=True).data

    @extend_schema_field(HappenedSerializer(many=True))
    def get_history(self, need):
        return HappenedSerializer(timeline(need, self.context["request"].user, html=False), many=True).data
