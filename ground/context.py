"""What every page needs: the site's name, the languages and this page's address in each."""

from django.conf import settings
from django.utils.translation import get_language, get_language_bidi, get_language_from_path

ONE_ADDRESS = ("/admin/", "/api/")  # have one address in all languages (urls.py)


def address_in(path: str, code: str) -> str:
    """The address of the same page in another language: /fr/needs/. Nothing is looked up, since every page calls this."""
    if path.startswith(ONE_ADDRESS):
        return path
    here = get_language_from_path(path)
    bare = path[len(here) + 1 :] if here and path.startswith(f"/{here}/") else path
    return bare if code == settings.LANGUAGE_CODE else f"/{code}{bare}"


def site(request) -> dict:
    path = request.get_full_path()
    return {
        "site_name": settings.SITE_NAME,
        "languages": [
            {"code": code, "name": name, "url": address_in(path, code), "is_current": code == get_language()}
            for code, name in settings.LANGUAGES
        ],
        "section": address_in(request.path, settings.LANGUAGE_CODE).split("/")[1],  # where in the main navigation
        "direction": "rtl" if get_language_bidi() else "ltr",
        "canonical": request.build_absolute_uri(request.path),
    }
