"""In which language a program is told what is wrong with its call. What is answered otherwise has the language of its
address, which the API has none of: one text for every caller, so that copies and ETags stay the same for all."""

from collections.abc import Callable
from functools import wraps

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers
from django.utils.translation import get_language, get_language_from_request, override


def language_of_problems(request: HttpRequest) -> override:
    """While this lasts, sentences are in the language that the caller asks for (Accept-Language)."""
    return override(get_language_from_request(request))


def language_of_contents() -> override:
    """While this lasts, contents are made, whoever asks."""
    return override(settings.LANGUAGE_CODE)


def say_language(response: HttpResponse) -> HttpResponse:
    """A problem says in which language it is, and that others ask for it in another."""
    response["Content-Language"] = get_language()
    patch_vary_headers(response, ["Accept-Language"])
    return response


def told_to_programs(view: Callable) -> Callable:
    """Decorator of a view of the whole site that says what went wrong: under /api/ in the caller's language."""

    @wraps(view)
    def told(request: HttpRequest, *args, **kwargs) -> HttpResponse:
        if not request.path.startswith("/api/"):
            return view(request, *args, **kwargs)
        with language_of_problems(request):
            return say_language(view(request, *args, **kwargs))

    return told
