"""What every page needs: the site's name, the languages and this page's address in each."""

from django.conf import settings
from django.urls import translate_url
from django.utils.translation import get_language, get_language_bidi


def site(request) -> dict:
    path = request.get_full_path()
    return {
        "site_name": settings.SITE_NAME,
        "languages": [
            {"code": code, "name": name, "url": translate_url(path, code), "is_current": code == get_language()}
            for code, name in settings.LANGUAGES
        ],
        "is_untranslated": get_language() not in settings.TRANSLATED_LANGUAGES,
        "direction": "rtl" if get_language_bidi() else "ltr",
        "canonical": request.build_absolute_uri(request.path),
    }
