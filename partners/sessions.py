"""How long somebody stays signed in: whoever does nothing is signed out, and UNEP's staff sign in anew each day."""

from datetime import timedelta
from importlib import import_module

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth import SESSION_KEY, get_user_model, logout
from django.contrib.auth.signals import user_logged_in
from django.contrib.sessions.models import Session
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone

REFRESH = timedelta(minutes=5)  # how exactly the last use is known; each time costs a write
BEGAN, USED = "signed_in_at", "used_at"  # in the session, as seconds since 1970


@receiver(user_logged_in)
def _begin(request: HttpRequest, **kwargs) -> None:
    request.session[BEGAN] = request.session[USED] = _now()


def is_signed_in(request: HttpRequest) -> bool:
    """Whether somebody is. Where a browser brought no session nobody is asked for: the answer then depends on no cookie."""
    return bool(request.session.session_key and request.user.is_authenticated)


class SessionLimits:
    """Ends a session that is over and notes the use of one that is not. Background saves are use like any other request.

    What follows sees a person who is not signed in, just as when the cookie is gone.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request: HttpRequest):
        if is_signed_in(request):
            if _is_over(request):
                request.was_user = request.user
                logout(request)
            else:
                _note_use(request)
        return self.get_response(request)


def _is_over(request: HttpRequest) -> bool:
    """Roles are asked for only when a session is older than staff's may be: most requests cost no query."""
    used, began = request.session.get(USED), request.session.get(BEGAN)
    if used is None or began is None:  # begun before there were limits
        return False
    idle, age = _now() - used, _now() - began
    if idle > _seconds(settings.SESSION_IDLE):
        return True
    is_too_long_for_staff = idle > _seconds(settings.STAFF_SESSION_IDLE) or age > _seconds(settings.STAFF_SESSION)
    return is_too_long_for_staff and request.user.is_staff


def _note_use(request: HttpRequest) -> None:
    session = request.session
    if _now() - session.get(USED, 0) < _seconds(REFRESH):
        return
    session[USED] = _now()
    session.setdefault(BEGAN, _now())
    # The row in the database and the cookie end then, so that the nightly clearing finds them.
    session.set_expiry(_seconds(settings.STAFF_SESSION_IDLE if request.user.is_staff else settings.SESSION_IDLE))


def owner_of(request: HttpRequest):
    """Whose session a browser still names, though it has ended; None where nothing of it is left."""
    key = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
    if not key:
        return None
    row = Session.objects.filter(session_key=key).first()
    pk = row.get_decoded().get(SESSION_KEY) if row else None
    pk = pk or UserSession.objects.filter(session_key=key).values_list("user_id", flat=True).first()
    return get_user_model().objects.filter(pk=pk).first() if pk else None


def clear_ended() -> None:
    """Sessions that are over, and what the list of one's sessions told about them."""
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()
    UserSession.objects.exclude(session_key__in=Session.objects.values("session_key")).delete()


def _now() -> int:
    return int(timezone.now().timestamp())


def _seconds(length: timedelta) -> int:
    return int(length.total_seconds())
