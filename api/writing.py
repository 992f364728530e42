"""What the API of needs, offers and projects shares: fields of a draft, idempotency keys, If-Match, moves."""

import hashlib
import re
from collections.abc import Iterator
from itertools import islice

from django.core.validators import MinValueValidator
from django.db import transaction
from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext as _
from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.utils import OpenApiParameter
from rest_framework import exceptions, permissions, serializers, status
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response as Answered

from api.base import SHAPES, Changed, Unseen
from api.records import Records
from ground.languages import language_of_contents
from ground.numbers import NotANumber
from partners.models import tell_now, with_last_change
from partners.rules import require
from projects import actions, drafting, lifecycle
from projects.choices import Unit, Vocabulary
from projects.forms import form_of
from projects.models import Need, Offer, Project, Response, Term

SEEN = OpenApiParameter(
    "If-Match",
    {"type": "string", "minLength": 1},
    OpenApiParameter.HEADER,
    required=True,
    description="ETag of the record as you read it: nothing is written when it is another by now; or * for whatever it is",
)
SEEN_FIRST = OpenApiParameter(
    "If-Match",
    {"type": "string", "minLength": 1},
    OpenApiParameter.HEADER,
    description="ETag of the record as you read it: nothing is done where it is another by now. Without it the call is about whatever it is",
)
Written = Need | Offer | Project | Response


WHOLE, BROKEN = (
    re.compile(r"-?[0-9]*"),
    re.compile(r"(-?[0-9]+(\.[0-9]+)?)?"),
)  # numbers in texts; nothing is told elsewhere


class LineFields(serializers.Serializer):
    """Mixin: one line to be written. With its `id` it changes that line; lines that are left out go."""

    id = serializers.IntegerField(required=False)
    assistance = serializers.SlugRelatedField(
        slug_field="code",
        queryset=Term.objects.filter(vocabulary=Vocabulary.ASSISTANCE),
        required=False,
        allow_null=True,
    )
    unit = serializers.ChoiceField(choices=Unit.choices, required=False, allow_blank=True)


class WholeRow(serializers.ModelSerializer):
    """One row as it shall be. What is left out of it is empty or has its default, whatever stood there before."""

    def to_internal_value(self, data):
        found, model = super().to_internal_value(data), self.Meta.model
        left_out = [field for field in self._writable_fields if field.source not in found]
        # of a record that is changed in part, a row is a whole still
        if missing := {f.field_name: [f.error_messages["required"]] for f in left_out if f.required}:
            raise serializers.ValidationError(missing)
        return {f.source: model._meta.get_field(f.source).get_default() for f in left_out} | found


def _misfits(field, data, path: str = "") -> Iterator[tuple[str, str]]:
    """What DRF would let pass: unknown names, so that a misspelt one is not silently left out, numbers for texts, and numbers
    in texts that it reads as others (1.000 as 1). Each with where it is, such as `lines.0.colour`."""
    if isinstance(field, serializers.ListSerializer):
        for place, one in enumerate(data if isinstance(data, list) else ()):
            yield from _misfits(field.child, one, f"{path}{place}.")
    elif isinstance(field, serializers.Serializer) and isinstance(data, dict):
        for name, inner in data.items():
            if name not in field.fields:
                yield f"{path}{str(name)[:60]}", _("There is no such field to write.")
            else:
                yield from _misfits(field.fields[name], inner, f"{path}{name}.")
    elif isinstance(field, serializers.CharField) and isinstance(data, int | float):
        yield path.rstrip("."), _("Write it as a text, in quotation marks.")
    elif isinstance(field, serializers.IntegerField) and isinstance(data, str) and not WHOLE.fullmatch(data.strip()):
        yield path.rstrip("."), _("“%(text)s” is no whole number.") % {"text": data[:20]}
    elif isinstance(field, serializers.DecimalField) and isinstance(data, str) and not BROKEN.fullmatch(data.strip()):
        yield path.rstrip("."), str(NotANumber(data))


def read(view, serializer_class, **kwargs):
    """The validated body of a call. Raises a problem with the fields at fault; unknown ones are refused, too."""
    data = view.request.data
    serializer = serializer_class(data=data, context=view.get_serializer_context(), **kwargs)
    if misfits := list(islice(_misfits(serializer, data), 5)):
        raise serializers.ValidationError({name: [text] for name, text in misfits})
    serializer.is_valid(raise_exception=True)
    return serializer.validated_data


def _without_null(schema: dict) -> dict:
    """The caller adds null once more."""
    if isinstance(schema.get("type"), list):
        schema["type"] = next(kind for kind in schema["type"] if kind != "null")
    return schema


class CodesDescribed(OpenApiSerializerFieldExtension):
    """Where a field names another record by its code, what is told to whoever edits that code is not said of it."""

    target_class = serializers.SlugRelatedField

    def map_serializer_field(self, auto_schema, direction):
        found = auto_schema._map_serializer_field(self.target, direction, bypass_extensions=True)
        found.pop("description", None)
        return _without_null(found)


class DecimalsDescribed(OpenApiSerializerFieldExtension):
    """Decimals are texts; where they can't be negative, their pattern says so."""

    target_class = serializers.DecimalField
    match_subclasses = True

    def map_serializer_field(self, auto_schema, direction):
        found = auto_schema._map_serializer_field(self.target, direction, bypass_extensions=True)
        least = [v.limit_value for v in self.target.validators if isinstance(v, MinValueValidator)]
        if least and max(least) >= 0 and "pattern" in found:
            found["pattern"] = found["pattern"].replace("^-?", "^", 1)
        return _without_null(found)


def terms_by_code() -> dict[str, Term]:
    """The terms that may be chosen, by vocabulary:code."""
    return {f"{term.vocabulary}:{term.code}": term for term in Term.objects.in_use()}


class DraftFields(serializers.Serializer):
    """Mixin: the terms and lines of a draft, as `drafting.save` takes them."""

    terms = serializers.ListField(
        child=serializers.CharField(max_length=80),
        required=False,
        help_text="As vocabulary:code, such as bsp-theme:air",
    )

    def validate_terms(self, given: list[str]) -> list[int]:
        known = terms_by_code() if given else {}
        if wrong := [code for code in given if code not in known]:
            raise serializers.ValidationError(
                [_("There is no term “%(code)s”.") % {"code": code} for code in wrong[:5]]
            )
        return [known[code].pk for code in dict.fromkeys(given)]

    def validate_lines(self, given: list[dict]) -> list[dict]:
        rows = []
        for line in given:
            assistance = line.pop("assistance", None)
            rows.append({**line, "assistance_id": assistance.pk if assistance else None})
        return rows


class NoteMoveSerializer(serializers.Serializer):
    """What most moves take: a note."""

    note = serializers.CharField(required=False, allow_blank=True, max_length=2000)


class Writes(Records):
    """Everybody reads, people who are signed in may try to write."""

    permission_classes = [permissions.IsAuthenticatedOrReadOnly]
    detail_serializer: type[serializers.Serializer] | None = None

    def read(self, serializer_class, **kwargs):
        return read(self, serializer_class, **kwargs)

    def mark_of_body(self, about: str = "") -> str:
        """A mark of what was sent, by which a `key` is known to come with the same content again."""
        return drafting.mark({"about": about, "said": {**self.request.data, "key": ""}})

    def read_only(self, serializer_class, *names: str):
        """These fields of a body, before anything else of it: they say whether the caller may send the rest, whose items cost
        time to check and answer what is known here."""
        serializer = serializer_class(data=self.request.data, context=self.get_serializer_context())
        for name in set(serializer.fields) - set(names):
            serializer.fields.pop(name)
        if not serializer.is_valid():
            self.read(serializer_class)  # tells of all that is wrong
            raise exceptions.ValidationError(serializer.errors)
        return serializer.validated_data

    def begun(self, record: Need | Offer, serializer_class, *names: str) -> Answered:
        """Begins a draft with these fields of a body and writes the rest. Whether the caller may begin it is asked before the
        rest is read."""
        drafting.require_begin(record, by=self.request.user)
        values = dict(self.read(serializer_class))
        for name in set(names) & set(values):
            setattr(record, name, values.pop(name))
        key = values.pop("key", "")
        record, is_new = drafting.begin(record, by=self.request.user, key=key, content=self.mark_of_body())
        if is_new and values:
            drafting.save(record, values, by=self.request.user)
        return self.shown(record, status.HTTP_201_CREATED if is_new else status.HTTP_200_OK)

    def _before_writing(self, request) -> None:
        """Where a call says what it is about (`If-Match`), nobody changes that between the look at it and the end of the call."""
        super()._before_writing(request)
        if not request.headers.get("If-Match", "").strip():
            return
        method = request.method.lower()
        setattr(self, method, transaction.atomic(getattr(self, method)))
        self.is_one_transaction = True

    def _as_shown(self, record: Written):
        """(the record as it stands, what everybody with this person's rights reads of it)."""
        fresh = with_last_change(type(record).objects.for_page()).get(pk=record.pk)
        with language_of_contents():
            return fresh, self.detail_serializer(fresh, context=self.get_serializer_context()).data

    def shown(self, record: Written, code: int = status.HTTP_200_OK) -> Answered:
        if self.is_one_transaction:
            tell_now()
        fresh, found = self._as_shown(record)
        self.state_shown = _state_of(found)
        headers = {"Content-Location": reverse(f"{self.basename}-detail", args=[fresh.reference])}
        if code == status.HTTP_201_CREATED:
            headers["Location"] = self.request.build_absolute_uri(fresh.get_absolute_url())
        return Answered(found, status=code, headers=headers)

    def state_read(self, record: Written, shown: dict) -> str:
        """By which a record is known again in `If-Match`, whichever fields of it and however laid out they were read: a mark of
        all that this person reads of it. Who is nobody writes nothing, and needs none."""
        if not self.request.user.is_authenticated:
            return ""
        if not set(SHAPES) & set(self.request.query_params):
            return _state_of(shown)
        serializer = self.detail_serializer or self.serializer_class
        with language_of_contents():
            return _state_of(serializer(record, context=self.get_serializer_context()).data)

    def version_seen(self, record: Written):
        """The version to be compared while saving (of a project: the time of its last change); none for `*`. Raises Unseen
        without If-Match, Changed when it names another state."""
        given = self.request.headers.get("If-Match", "").strip()
        if not given:
            raise Unseen
        if given == "*":
            return None
        _hold(record)
        fresh, found = self._as_shown(record)
        if _state_of(found) not in {_state_named(tag) for tag in given.split(",")}:
            raise Changed
        return getattr(fresh, "version", None) or getattr(fresh, "modified_at", None)

    def as_seen(self, record: Written):
        """The record, to be acted on only as the caller read it, where `If-Match` says how that was."""
        return self.as_read(record) if self.request.headers.get("If-Match", "").strip() else record

    def as_read(self, record: Written):
        """The record, to be acted on only as the caller read it; `If-Match` has to say how that was, since what stands there
        is replaced."""
        version = self.version_seen(record)
        return lifecycle.as_seen(record, version.isoformat() if hasattr(version, "isoformat") else str(version or ""))

    def move(self, record: Need | Offer | Project, name: str, serializer_class) -> Answered:
        """Makes a move that a person may press."""
        found = lifecycle.moves_of(record).get(name)
        if found is None or not found.is_for_forms:
            raise Http404
        require(self.request.user, found.permission, record)
        form = form_of(found, record, user=self.request.user, data=dict(self.read(serializer_class)))
        if not form.is_valid():
            raise exceptions.ValidationError(form.errors)
        actions.move(self.as_seen(record), name, by=self.request.user, **form.cleaned_data)
        return self.shown(record)


def _state_of(shown: dict) -> str:
    """A mark of all that somebody reads of a record."""
    return hashlib.md5(JSONRenderer().render(shown), usedforsecurity=False).hexdigest()


def _state_named(tag: str) -> str:
    """The state in an ETag (`Answers` says how it is made)."""
    return tag.strip().removeprefix("W/").strip('"').rpartition(".")[2]


def _hold(record: Written) -> None:
    """Locks what every act on the record locks first: of a response its need."""
    kind, key = (Need, record.need_id) if isinstance(record, Response) else (type(record), record.pk)
    kind.objects.select_for_update(of=("self",)).get(pk=key)
