"""The API of responses: offering for lines of a need, asking a provider, answering, questions. The rules are in actions."""

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from rest_framework import exceptions, permissions, serializers
from rest_framework.decorators import action

from api.writing import SEEN_FIRST, Writes
from ground.languages import language_of_contents
from partners.models import Country, Partner
from partners.rules import require
from projects import actions, lifecycle
from projects.choices import Side
from projects.filters import ResponseFilter
from projects.interchange.datasets import RESPONSES
from projects.models import Answer, Need, Offer, Project, Response
from projects.timeline import thread


class OptionalNoteSerializer(serializers.Serializer):
    note = serializers.CharField(required=False, allow_blank=True, max_length=2000)


class AnswerWriteSerializer(serializers.Serializer):
    line = serializers.IntegerField(help_text="id of the line")
    quantity = serializers.DecimalField(max_digits=12, decimal_places=2)


def answers_of(need: Need, rows: list[dict]) -> list[Answer]:
    """Rows of AnswerWriteSerializer as answers to lines of a need. Raises ValidationError for a line of another, and for one
    that is answered twice."""
    lines = {line.pk: line for line in need.lines.all()}
    wrong, answered = {}, set()
    for place, row in enumerate(rows):
        if row["line"] not in lines:
            wrong[f"answers.{place}.line"] = [_("This need has no line %(id)s.") % {"id": row["line"]}]
        elif row["line"] in answered:
            wrong[f"answers.{place}.line"] = [_("This line was answered in a row before. Answer each once.")]
        answered.add(row["line"])
    if wrong:
        raise exceptions.ValidationError(wrong)
    return [Answer(line=lines[row["line"]], quantity=row["quantity"]) for row in rows]


class TermsSerializer(serializers.ModelSerializer):
    """What is offered, for which lines, on which terms."""

    second_partner = serializers.SlugRelatedField(
        slug_field="slug", queryset=Partner.objects.all(), required=False, allow_null=True
    )
    second_country = serializers.SlugRelatedField(
        slug_field="iso3", queryset=Country.objects.all(), required=False, allow_null=True
    )
    project = serializers.SlugRelatedField(
        slug_field="reference", queryset=Project.objects.published(), required=False, allow_null=True,
        help_text="Reference of the project of which it is a part, where that runs already",
    )  # fmt: skip
    answers = AnswerWriteSerializer(many=True)

    class Meta:
        model = Response
        fields = ["second_partner", "second_country", "project", "text", "terms_text", "cost", "starts_on", "ends_on", "answers"]  # fmt: skip


class ResponseWriteSerializer(TermsSerializer):
    """A response in the name of one's partner or country."""

    partner = serializers.SlugRelatedField(
        slug_field="slug", queryset=Partner.objects.all(), required=False, allow_null=True
    )
    country = serializers.SlugRelatedField(
        slug_field="iso3", queryset=Country.objects.all(), required=False, allow_null=True
    )
    offer = serializers.SlugRelatedField(
        slug_field="reference", queryset=Offer.objects.active(), required=False, allow_null=True,
        help_text="Reference of the responder's offer that it comes from",
    )  # fmt: skip
    key = serializers.CharField(
        required=False,
        max_length=60,
        help_text="Like the header Idempotency-Key, but for good: sent twice, it is one response",
    )

    class Meta(TermsSerializer.Meta):
        fields = ["partner", "country", "offer", "key", *TermsSerializer.Meta.fields]


class SuggestionSerializer(serializers.Serializer):
    """Asks a provider, for one of its offers, to help with lines of a need."""

    offer = serializers.SlugRelatedField(slug_field="reference", queryset=Offer.objects.active())
    text = serializers.CharField(max_length=4000, help_text="What you ask for")
    answers = AnswerWriteSerializer(many=True)


class WordSerializer(serializers.Serializer):
    text = serializers.CharField(max_length=2000)


class SaidSerializer(serializers.Serializer):
    """One question, or the answer to one."""

    at = serializers.DateTimeField()
    who = serializers.CharField()
    text = serializers.CharField(source="note")


class ResponseSerializer(serializers.ModelSerializer):
    """A response as its providers, the country and UNEP read it."""

    need = serializers.SlugRelatedField(slug_field="reference", read_only=True)
    partner = serializers.SlugRelatedField(slug_field="slug", read_only=True, allow_null=True)
    country = serializers.SlugRelatedField(slug_field="iso3", read_only=True, allow_null=True)
    second_partner = serializers.SlugRelatedField(slug_field="slug", read_only=True, allow_null=True)
    second_country = serializers.SlugRelatedField(slug_field="iso3", read_only=True, allow_null=True)
    offer = serializers.SlugRelatedField(slug_field="reference", read_only=True, allow_null=True)
    project = serializers.SlugRelatedField(slug_field="reference", read_only=True, allow_null=True)
    suggested_by = serializers.ChoiceField(
        choices=Side.choices, allow_blank=True, read_only=True, help_text="Whose idea it was, where not the responder's"
    )
    answers = serializers.SerializerMethodField(
        help_text="Lines and quantities: offered, agreed by the confirmed plan, delivered (null: not reported yet)"
    )
    questions = serializers.SerializerMethodField()

    class Meta:
        model = Response
        fields = [
            "reference", "need", "partner", "country", "second_partner", "second_country", "offer", "project", "state",
            "suggested_by", "text", "terms_text", "cost", "starts_on", "ends_on", "due_on", "answers", "questions",
        ]  # fmt: skip

    def get_answers(self, response) -> list[dict]:
        return [
            {
                "line": a.line_id,
                "quantity": str(a.quantity),
                "agreed": None if a.agreed is None else str(a.agreed),
                "delivered": None if a.delivered is None else str(a.delivered),
            }
            for a in response.answers.all()
        ]

    @extend_schema_field(SaidSerializer(many=True))
    def get_questions(self, response):
        return SaidSerializer(thread(response), many=True).data


@extend_schema_view(
    list=extend_schema(
        summary="List responses",
        description="Responses that you read in full: your own, those to your country, for UNEP all.",
    ),
    retrieve=extend_schema(summary="One response", description="One response, by its reference."),
)
class ResponseViewSet(Writes):
    serializer_class = ResponseSerializer
    permission_classes = [permissions.IsAuthenticated]
    filterset_class = ResponseFilter
    table = RESPONSES
    lookup_field = "reference"
    lookup_value_regex = r"R-[0-9]{4}-[0-9]{4,}"

    def get_queryset(self):
        if getattr(self, "swagger_fake_view", False):
            return Response.objects.none()
        return Response.objects.visible_to(self.request.user).for_page().order_by("-created_at", "-pk")

    def _as_shown(self, record: Response):
        fresh = self.get_queryset().get(pk=record.pk)
        with language_of_contents():
            return fresh, self.get_serializer(fresh).data

    @extend_schema(
        summary="Accept, decline or take back a response",
        parameters=[SEEN_FIRST],
        request=OptionalNoteSerializer,
        responses={200: ResponseSerializer},
    )
    @action(methods=["post"], detail=True, url_path=r"(?P<move>accept|decline|take_back)")
    def answer(self, request, reference, move):
        response = self.get_object()
        require(request.user, lifecycle.moves_of(response)[move].permission, response)
        note = self.read(OptionalNoteSerializer).get("note", "")
        actions.answer_response(self.as_seen(response), move, by=request.user, note=note)
        return self.shown(response)

    @extend_schema(
        summary="Offer what was asked for",
        parameters=[SEEN_FIRST],
        request=TermsSerializer,
        responses={200: ResponseSerializer},
    )
    @action(methods=["post"], detail=True)
    def express(self, request, reference):
        response = self.get_object()
        require(request.user, "projects.express_response", response)
        given = dict(self.read(TermsSerializer))
        answers = answers_of(response.need, given.pop("answers"))
        self.as_seen(response)
        for name, value in given.items():
            setattr(response, name, value)
        actions.respond(response, answers, by=request.user)
        return self.shown(response)

    @extend_schema(
        summary="Ask a question, or answer one",
        parameters=[SEEN_FIRST],
        request=WordSerializer,
        responses={200: ResponseSerializer},
    )
    @action(methods=["post"], detail=True)
    def questions(self, request, reference):
        response = self.get_object()
        require(request.user, "projects.ask_response", response)
        text = self.read(WordSerializer)["text"]
        actions.ask(self.as_seen(response), text, by=request.user)
        return self.shown(response)
