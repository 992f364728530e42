"""What the description of the API says of webhooks: the call that the other side takes (OpenAPI 3.1, `webhooks`)."""

from drf_spectacular.utils import OpenApiWebhook

from projects.webhooks import CALL_SECONDS, WAITS, kinds_of_change

EXAMPLE = {
    "type": "need.publish",
    "timestamp": "2026-11-25T09:30:00+00:00",
    "data": {
        "kind": "need",
        "reference": "N-KEN-2026-0001",
        "state": "open",
        "url": "https://portal.example.org/api/v1/needs/N-KEN-2026-0001/",
        "page": "https://portal.example.org/needs/N-KEN-2026-0001/",
    },
}
GONE = [f"{kind}.gone" for kind in ("project", "need", "offer")]
BODY = {
    "type": "object",
    "required": ["type", "timestamp", "data"],
    "properties": {
        "type": {"type": "string", "enum": [*kinds_of_change(), *GONE, "ping"]},
        "timestamp": {"type": "string", "format": "date-time"},
        "data": {
            "type": "object",
            "description": "Empty in `ping`; where a record is gone, only what it was.",
            "properties": {
                "kind": {"type": "string", "enum": ["project", "need", "offer"]},
                "reference": {"type": "string"},
                "state": {"type": "string"},
                "url": {"type": "string", "format": "uri"},
                "page": {"type": "string", "format": "uri"},
            },
        },
    },
    "examples": [EXAMPLE],
}


def _header(name: str, text: str) -> dict:
    return {"name": name, "in": "header", "required": True, "description": text, "schema": {"type": "string"}}


changed = OpenApiWebhook(
    "changed",
    {
        "post": {
            "operationId": "webhook_changed",
            "summary": "A record that you follow changed",
            "description": "Sent to the address that you gave at /account/webhooks/, signed as the Standard Webhooks specification says. "
            f"Anything but 2xx within {CALL_SECONDS} seconds is tried again: {len(WAITS) + 1} attempts in nearly two days; later where "
            "`Retry-After` of a 429 or 503 asks for it.",
            "parameters": [
                _header("webhook-id", "The same at each attempt: by it you know what you had already"),
                _header(
                    "webhook-timestamp", "Seconds since 1970, of this attempt: refuse what is older than five minutes"
                ),
                _header(
                    "webhook-signature", "v1, and the base64 of HMAC-SHA256 over id.timestamp.body with your secret"
                ),
            ],
            "requestBody": {"required": True, "content": {"application/json": {"schema": BODY}}},
            "responses": {"2XX": {"description": "Taken."}},
        }
    },
)
