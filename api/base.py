"""How every address of the API behaves: problem documents, pages with Link headers, told limits, strict parameters.

Named in settings.REST_FRAMEWORK. The bases of views and serializers are in api_records.py, its description in
api_description.py.
"""

import datetime as dt
import json
import math
from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator
from http import HTTPStatus

from django.core.exceptions import NON_FIELD_ERRORS, PermissionDenied, ValidationError
from django.db.models import OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404
from django.utils.dateparse import parse_datetime
from django.utils.http import parse_header_parameters
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework import authentication, exceptions, pagination, permissions, status, throttling
from rest_framework.fields import IntegerField
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import JSONParser
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from ground import parameters
from ground.bodies import is_utf_8
from ground.sent_json import DEEPEST, depth_is_over, has_half_sign, has_nul, places_of, writable
from ground.signs import IS_HIDDEN, with_plain_line_ends, without_empty_ends, without_needless
from partners import callers
from partners.accounts import SET_UP_FIRST, lacks_second_factor
from partners.models import ApiToken, PublicRecord, kind_of

PROBLEM = "application/problem+json"
SHAPES = ("fields", "omit", "expand")  # parameters by which a caller chooses what of a record is answered


class Changed(exceptions.APIException):
    """The record is another one by now than the caller saw (RFC 9110, If-Match)."""

    status_code = status.HTTP_412_PRECONDITION_FAILED
    default_detail = gettext_lazy(
        "It was changed since you read it. Read it again, compare, and send your change once more."
    )
    default_code = "changed"


class OutOfPlace(exceptions.APIException):
    """The record is in a state in which this is not possible."""

    status_code = status.HTTP_409_CONFLICT
    default_detail = gettext_lazy("The state of the record does not allow this.")
    default_code = "state"


class Unseen(exceptions.APIException):
    """A change was sent without saying which state of the record it is a change of (RFC 6585)."""

    status_code = status.HTTP_428_PRECONDITION_REQUIRED
    default_detail = gettext_lazy(
        "Send the ETag of the record as you read it in If-Match, or * to write whatever it is by now."
    )
    default_code = "unseen"


class KeyReused(exceptions.APIException):
    """One Idempotency-Key for two different calls."""

    status_code = status.HTTP_409_CONFLICT
    default_detail = gettext_lazy(
        "This Idempotency-Key was sent with another call within 24 hours. Make a new one for each call."
    )
    default_code = "key"


class OtherContent(exceptions.APIException):
    """The `key` of a body came with other content before."""

    status_code = status.HTTP_409_CONFLICT
    default_detail = gettext_lazy("This key was sent with other content before. Make a new one for each.")
    default_code = "key"


class SecondFactorMissing(exceptions.PermissionDenied):
    """The role of the person for whom the token stands needs a second factor, and there is none."""

    default_detail = gettext_lazy("Second factor missing")


class TokenAuthentication(authentication.BaseAuthentication):
    """A personal token in the header `Authorization: Bearer ...` (RFC 6750)."""

    def authenticate(self, request):
        kind, _space, secret = request.headers.get("Authorization", "").strip().partition(" ")
        if not kind:
            return None
        if kind.lower() != "bearer":  # as nobody, a caller would take the public part for all that the token may read
            raise exceptions.AuthenticationFailed(
                _("Send the token as “Authorization: Bearer TOKEN”. No other scheme is taken.")
            )
        token = ApiToken.objects.opened_by(secret.strip())
        if token is None or not token.user.is_active:
            raise exceptions.AuthenticationFailed(_("This token is unknown, has ended or was revoked."))
        if lacks_second_factor(token.user):
            raise SecondFactorMissing(SET_UP_FIRST)
        return token.user, token

    def authenticate_header(self, request):
        return 'Bearer realm="api"'


class TokenScheme(OpenApiAuthenticationExtension):
    """How the description of the API tells it."""

    target_class = TokenAuthentication
    name = "token"

    def get_security_definition(self, auto_schema):
        return {"type": "http", "scheme": "bearer", "description": "A personal token, made at /account/tokens/."}


LONGEST_NUMBER = 1000  # digits
LONGEST = 1000  # of a list in a body: each item is checked, and what is wrong with it told


class Parser(JSONParser):
    """JSON that is not too deep to be read, in which no name stands twice in an object, without NUL signs and halves of signs,
    which PostgreSQL can't store, and without signs that nobody sees (signs.py): a program can take them out, and is told where."""

    def parse(self, stream, media_type=None, parser_context=None):
        try:
            text = stream.read().decode()
            found = json.loads(
                text, object_pairs_hook=_named_once, parse_int=_whole, parse_float=_broken, parse_constant=_broken
            )
        except UnicodeDecodeError as error:
            raise exceptions.ParseError(_("The body is not in UTF-8.")) from error
        except json.JSONDecodeError as error:
            place = {"line": error.lineno, "column": error.colno}
            raise exceptions.ParseError(
                _("This is not JSON. Look at line %(line)s, column %(column)s.") % place
            ) from error
        except RecursionError as error:
            raise exceptions.ParseError(_too_deep()) from error
        if depth_is_over(found):
            raise exceptions.ParseError(_too_deep())
        if _has_long_list(found):
            raise exceptions.ParseError(_("A list has more than %(most)s items. Send fewer.") % {"most": LONGEST})
        if path := next(places_of(found, has_nul, NON_FIELD_ERRORS), None):
            raise exceptions.ValidationError({path: [_("There is a NUL sign in it. Take it out.")]})
        if path := next(places_of(found, IS_HIDDEN.search, NON_FIELD_ERRORS), None):
            raise exceptions.ValidationError({path: [_("There is a sign in it that nobody sees and that turns the direction of writing or steers a terminal. Take it out.")]})  # fmt: skip
        if path := next(places_of(found, has_half_sign, NON_FIELD_ERRORS), None):
            raise exceptions.ValidationError({path: [_("There is half a sign in it (a lone surrogate). Take it out.")]})
        return _without_unseen(found)


def _named_once(pairs: list[tuple[str, object]]) -> dict:
    """An object of JSON. Of two values under one name one would be dropped without a word."""
    found = dict(pairs)
    if len(found) < len(pairs):
        twice, _times = Counter(name for name, _value in pairs).most_common(1)[0]
        raise exceptions.ValidationError({writable(twice): [_("This name stands twice in one object. Give it once.")]})
    return found


def _whole(digits: str) -> int:
    if len(digits) > LONGEST_NUMBER:
        raise exceptions.ParseError(
            _("A number has more than %(most)s digits. Send a shorter one.") % {"most": LONGEST_NUMBER}
        )
    return int(digits)


def _broken(text: str) -> float:
    """A number with a fraction or an exponent. Python reads some that JSON has not (NaN) or that nobody can store (1e999)."""
    if not math.isfinite(found := float(text)):
        raise exceptions.ParseError(_("“%(text)s” is no number that can be stored.") % {"text": text[:20]})
    return found


def _without_unseen(value):
    """As a form takes texts (signs.py)."""
    if isinstance(value, dict):
        return {name: _without_unseen(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_without_unseen(inner) for inner in value]
    return with_plain_line_ends(without_empty_ends(without_needless(value))) if isinstance(value, str) else value


def _too_deep() -> str:
    return _("More than %(most)s lists or objects stand inside each other. Send a flatter body.") % {"most": DEEPEST}


def _has_long_list(value) -> bool:
    if isinstance(value, dict):
        return any(map(_has_long_list, value.values()))
    return isinstance(value, list) and (len(value) > LONGEST or any(map(_has_long_list, value)))


class ReadOnly(permissions.BasePermission):
    """Everybody reads what is public; what can be written says so itself."""

    def has_permission(self, request, view):
        return request.method in permissions.SAFE_METHODS


def problem(error, context) -> Response | None:
    """Any refusal as a problem document (RFC 9457), with the fields at fault in `errors`."""
    from rest_framework.views import exception_handler  # that module reads the settings, which name this one

    if isinstance(error, Http404):
        error = exceptions.NotFound()
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied(str(error) or None)
    elif isinstance(error, ValidationError) and getattr(error, "code", "") in ("state", "conflict"):
        error = OutOfPlace(error.messages[0]) if error.code == "state" else Changed()
    elif isinstance(error, ValidationError) and getattr(error, "code", "") == "key":
        error = OtherContent()
    elif isinstance(error, ValidationError) and _is_incomplete(error):
        error = OutOfPlace(error.messages)
    elif isinstance(error, ValidationError):
        error = exceptions.ValidationError(error.message_dict if hasattr(error, "error_dict") else error.messages)
    response = exception_handler(error, context)
    if response is None:
        return None
    detail = getattr(error, "detail", None)
    is_incomplete = isinstance(error, OutOfPlace) and isinstance(detail, list)
    body = {
        "type": "about:blank",
        "code": "incomplete" if is_incomplete else error.default_code,
        "title": _title(error),
        "status": response.status_code,
    }
    if isinstance(detail, dict):
        body["title"] = _("Some values can't be used.")
        body["errors"] = [{"field": field, "detail": text} for field, text in _told(detail)]
    elif isinstance(detail, list):
        body["errors"] = [{"field": NON_FIELD_ERRORS, "detail": str(text)} for text in detail]
    elif detail is not None:
        body["detail"] = str(detail)
    response.data = body
    response.content_type = PROBLEM
    return response


def _title(error: exceptions.APIException) -> str:
    """Of the kind of problem, the same for each of them (RFC 9457, 3.1.4)."""
    title = str(error.default_detail)
    return HTTPStatus(error.status_code).phrase if "{" in title or not title else title


def _is_incomplete(error: ValidationError) -> bool:
    """Nothing is wrong with what was sent: the record lacks something first."""
    listed = getattr(error, "error_list", [])  # none where fields are at fault
    return bool(listed) and all(one.code == "incomplete" for one in listed)


def _told(detail, path: str = "") -> Iterator[tuple[str, str]]:
    """(field, sentence) of errors that may be nested; a field of a row as `lines.0.unit`."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            yield from _told(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(detail, list):
        for place, inner in enumerate(detail):
            yield from _told(inner, f"{path}.{place}" if isinstance(inner, dict) else path)
    else:
        yield path, str(detail)


PARTS_OF_UTF_8 = ("us-ascii", "ascii")  # as they are named in Content-Type


class Negotiation(DefaultContentNegotiation):
    """An unknown ?format= is an error that says what there is, not a 404. A browser gets JSON: that it takes XML, too, is
    said of pages (XHTML), and asks for no IATI file."""

    def get_accept_list(self, request):
        accepted = super().get_accept_list(request)
        return ["*/*"] if any(one.partition(";")[0].strip() == "text/html" for one in accepted) else accepted

    def select_parser(self, request, parsers):
        """For bodies that say what they are, and that in UTF-8, which JSON always is (RFC 8259, 8.1)."""
        kind, parameters = parse_header_parameters(request.content_type)
        found = super().select_parser(request, parsers)
        charset = parameters.get("charset", "utf-8")
        if found is None or "*" in kind or not (is_utf_8(charset) or charset.lower() in PARTS_OF_UTF_8):
            text = _("Send JSON in UTF-8, with “Content-Type: application/json”.")
            raise exceptions.UnsupportedMediaType(request.content_type, text)
        return found

    def select_renderer(self, request, renderers, format_suffix=None):
        if request.query_params.get("format") == "":
            return self.filter_renderers(renderers, "")
        return super().select_renderer(request, renderers, format_suffix)

    def filter_renderers(self, renderers, format):
        found = [renderer for renderer in renderers if renderer.format == format]
        if not found:
            raise exceptions.NotAcceptable(no_format(renderer.format for renderer in renderers))
        return found


def no_format(known: Iterable[str]) -> str:
    """What to say of a format that an address does not have."""
    return _("There is no format of this name; there are: %(known)s.") % {"known": ", ".join(known)}


def lists_of(filters: type | None) -> set[str]:
    """Parameters that take several values, repeated or separated by commas: those of a FilterSet, and what is answered."""
    return {*SHAPES, *(parameters.lists_of(filters) if filters else ())}


def refuse_unknown(given: Iterable[str], known: Iterable[str], idle: Iterable[str] = ()) -> None:
    """A misspelt parameter, or one that has no effect in this call (`idle`), must not be dropped without a word."""
    asked = set(given)
    wrong = dict.fromkeys(asked - set(known), _("There is no such parameter."))
    wrong |= dict.fromkeys(
        asked & set(known) & set(idle), _("This parameter has no effect in this call. Leave it out.")
    )
    if wrong:
        raise exceptions.ValidationError({name[:60]: [wrong[name]] for name in sorted(wrong)[:5]})


class StrictFilters(DjangoFilterBackend):
    """Refuses parameters that no filter knows: a misspelt filter must not answer with everything."""

    def get_filterset_kwargs(self, request, queryset, view):
        """Values separated by commas mean the same as the parameter repeated, as clients send it who do not know better."""
        found = super().get_filterset_kwargs(request, queryset, view)
        lists = lists_of(self.get_filterset_class(view, queryset))
        data = found["data"].copy()
        for name in lists & set(data):
            data.setlist(name, [value for given in data.getlist(name) for value in given.split(",")])
        return {**found, "data": data}

    def filter_queryset(self, request, queryset, view):
        filterset = self.get_filterset(request, queryset, view)
        known = {"format", *view.shapes, *view.paginator.parameters, *(filterset.filters if filterset else ())}
        single = set(request.query_params) - lists_of(filterset and type(filterset))
        if twice := parameters.given_twice(request.query_params, single):
            raise exceptions.ValidationError({name[:60]: [parameters.GIVE_ONCE] for name in twice[:5]})
        refuse_unknown(request.query_params, known, view.idle_parameters())
        if filterset is None:
            return queryset
        if not filterset.is_valid():
            raise exceptions.ValidationError(filterset.errors)
        if hasattr(filterset, "ordered_queryset"):
            return filterset.ordered_queryset(queryset)
        return filterset.filter_queryset(queryset)


class Harvest(pagination.CursorPagination):
    """All records in the order of the change feed, the one that changed longest ago first, from where the cursor stands: nothing
    is missed or comes twice while others write; what is changed meanwhile comes again at the end."""

    ordering = "sequence"
    page_size = 100
    page_size_query_param = "page_size"
    max_page_size = 200
    invalid_cursor_message = gettext_lazy("This cursor can't be used. Begin with an empty one: ?cursor=")

    def decode_cursor(self, request):
        """Cursors of before the feed name a moment instead of a number of it."""
        cursor = super().decode_cursor(request)
        if cursor is None or cursor.position is None or cursor.position.isdecimal():
            return cursor
        moment = _moment(cursor.position)
        if moment is None:
            raise exceptions.NotFound(self.invalid_cursor_message)
        before = PublicRecord.objects.filter(kind=self.kind, changed_at__lt=moment).order_by("-sequence")
        return pagination.Cursor(0, cursor.reverse, str(before.values_list("sequence", flat=True).first() or 0))

    def records_of(self, records, request, view) -> list:
        """A page of these records."""
        self.kind = kind_of(records.model)
        if (
            request.user.is_authenticated
        ):  # who may see what was never public: that comes first, since no change told of it
            told = PublicRecord.objects.filter(kind=self.kind, record=OuterRef("pk"))
            ordered = records.annotate(sequence=Coalesce(Subquery(told.values("sequence")), 0))
            return self.paginate_queryset(ordered, request, view)
        page = self.paginate_queryset(PublicRecord.objects.of(records), request, view)
        loaded = records.in_bulk([told.record for told in page])
        return [loaded[told.record] for told in page if told.record in loaded]

    def get_paginated_response(self, data):
        following, previous = self.get_next_link(), self.get_previous_link()
        return Response(
            OrderedDict(next=following, previous=previous, results=data), headers={"Link": _links(following, previous)}
        )


def _moment(text: str) -> dt.datetime | None:
    """A moment of ISO 8601 with its offset, in the years that a database counts."""
    try:
        found = parse_datetime(text)
        return found.astimezone(dt.UTC) if found and found.tzinfo else None
    except (ValueError, OverflowError):  # the 99th month
        return None


def _links(following: str | None, previous: str | None) -> str:
    links = [f'<{url}>; rel="{rel}"' for url, rel in ((following, "next"), (previous, "prev")) if url]
    return ", ".join([*links, '</api/v1/schema/>; rel="service-desc"'])


class LinkedPages(pagination.PageNumberPagination):
    """`count`, `next`, `previous`, `results`, and the same links in a Link header (RFC 8288)."""

    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200
    parameters = ("page", "page_size", "cursor")
    invalid_page_message = gettext_lazy("This list has no such page. Begin with the first, or follow the links.")

    def get_page_size(self, request):
        raw = request.query_params.get(self.page_size_query_param)
        if raw is None:
            return self.page_size
        if not (raw.isascii() and raw.isdigit() and 1 <= int(raw[:6]) <= self.max_page_size):
            raise exceptions.ValidationError(
                {"page_size": [_("Between 1 and %(most)s.") % {"most": self.max_page_size}]}
            )
        return int(raw)

    def paginate_queryset(self, queryset, request, view=None):
        self.harvest = None
        if "cursor" in request.query_params:
            return self._harvested(queryset, request, view)
        if request.query_params.get(self.page_query_param) == "":
            raise exceptions.NotFound(self.invalid_page_message)
        return super().paginate_queryset(queryset, request, view)

    def _harvested(self, queryset, request, view):
        records = getattr(queryset, "everything", queryset)
        if not hasattr(records, "model") or not kind_of(records.model):
            raise exceptions.ValidationError({"cursor": [_("This list has no cursor. Use page.")]})
        self.get_page_size(request)  # refuses what is no size
        self.harvest = Harvest()
        return self.harvest.records_of(records, request, view)

    def get_paginated_response(self, data):
        if self.harvest:
            return self.harvest.get_paginated_response(data)
        following, previous = self.get_next_link(), self.get_previous_link()
        body = OrderedDict(count=self.page.paginator.count, next=following, previous=previous, results=data)
        return Response(body, headers={"Link": _links(following, previous)})

    def get_schema_operation_parameters(self, view):
        harvested = {
            "name": "cursor", "in": "query", "required": False, "schema": {"type": "string", "pattern": "^[A-Za-z0-9+/=_-]*$"},
            "description": "Instead of page and sort, which are refused beside it: empty at first, then as in `next`. All records by their last change, for copies.",
        }  # fmt: skip
        found = super().get_schema_operation_parameters(view)
        for parameter in found:
            parameter["schema"] |= {"minimum": 1} | (
                {"maximum": self.max_page_size} if parameter["name"] == "page_size" else {}
            )
        model = getattr(getattr(view, "serializer_class", None), "Meta", None)
        has_cursor = model is not None and hasattr(model, "model") and kind_of(model.model)
        return [*found, harvested] if has_cursor else found

    def get_paginated_response_schema(self, schema):
        found = super().get_paginated_response_schema(schema)
        found["required"] = ["results"]  # with a cursor nothing is counted
        for name in ("next", "previous"):  # as OpenAPI 3.1 says null
            found["properties"][name] = {"type": ["string", "null"], "format": "uri"}
        return found


class FollowedPages(pagination.BasePagination):
    """The change feed: pages without number or count, each with `last`, from which one goes on whenever one likes."""

    page_size = LinkedPages.page_size * 2
    parameters = ("page_size",)

    def paginate_queryset(self, queryset, request, view=None):
        sizes = LinkedPages()
        sizes.page_size = self.page_size
        size = sizes.get_page_size(request)
        found = list(queryset.order_by("sequence")[: size + 1])
        page, self.request = found[:size], request
        self.last = (
            page[-1].sequence if page else IntegerField().to_internal_value(request.query_params.get("after") or 0)
        )
        self.has_more = len(found) > size
        return page

    def get_paginated_response(self, data):
        following = (
            replace_query_param(self.request.build_absolute_uri(), "after", self.last) if self.has_more else None
        )
        return Response(
            OrderedDict(next=following, last=self.last, results=data), headers={"Link": _links(following, None)}
        )

    def get_schema_operation_parameters(self, view):
        schema = {"type": "integer", "minimum": 1, "maximum": LinkedPages.max_page_size}
        return [
            {
                "name": "page_size",
                "in": "query",
                "required": False,
                "schema": schema,
                "description": "How many at most.",
            }
        ]

    def get_paginated_response_schema(self, schema):
        return {
            "type": "object",
            "required": ["next", "last", "results"],
            "properties": {
                "next": {"type": ["string", "null"], "format": "uri"},
                "last": {"type": "integer", "description": "Number of the last change read: go on with after = this"},
                "results": schema,
            },
        }


class ToldRate(throttling.BaseThrottle):
    """A generous limit per address or person, told in RateLimit headers; for strangers a tighter one of whole lists as files."""

    def allow_request(self, request, view):
        user = request.user
        caller = f"user-{user.pk}" if user.is_authenticated else callers.address_of(request._request)
        self.taken = callers.take("api", caller)
        if self.taken:
            request._request.rate_limit = (self.taken.limit, self.taken.left, self.taken.wait)
        if self._is_file(request, view) and not user.is_authenticated and (not self.taken or self.taken.is_allowed):
            self.taken = callers.take("file", caller)
        return self.taken is None or self.taken.is_allowed

    def wait(self):
        return self.taken.wait

    @staticmethod
    def _is_file(request, view) -> bool:
        return getattr(view, "action", "") == "list" and request.accepted_renderer.format != "json"
