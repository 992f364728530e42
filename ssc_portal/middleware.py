"""Small steps of every request."""

import zoneinfo

from django.http import HttpRequest
from django.utils import timezone

from ssc_portal.views import bad_request


class UnusableInput:
    """Answers 400 to addresses with a NUL byte: no text column can hold one, so no record can be meant."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request: HttpRequest):
        query = request.META.get("QUERY_STRING", "")
        if "\x00" in request.path or "%00" in query or "\x00" in query:
            return bad_request(request)
        return self.get_response(request)


class PersonalSettings:
    """Shows times in the person's own zone."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request: HttpRequest):
        if request.session.session_key and request.user.is_authenticated:
            timezone.activate(zoneinfo.ZoneInfo(request.user.time_zone))
        try:
            return self.get_response(request)
        finally:
            timezone.deactivate()
