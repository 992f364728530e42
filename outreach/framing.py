"""What other sites may show in a frame: pages of their own, with the smallest policy that does."""

from django.http import HttpResponse

NOTHING = ("script-src", "font-src", "connect-src", "manifest-src", "base-uri", "form-action")
POLICY = {name: ["'none'"] for name in NOTHING} | {
    "style-src": ["'self'"],
    "img-src": ["'self'"],
    "frame-ancestors": ["*"],
}


def framed(answer: HttpResponse) -> HttpResponse:
    """The page under the policy of frames: it loads a style sheet of ours alone, sends nothing, and anybody may frame it."""
    answer._csp_replace = POLICY
    answer["Cross-Origin-Resource-Policy"] = "cross-origin"
    return answer
