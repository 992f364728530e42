"""Calls of the API as programs make them, and what their refusals look like."""

import datetime as dt
import json

from django.test import Client
from django.utils import timezone

from partners.models import ApiToken


def token_of(user, scope="write", days=30) -> tuple[ApiToken, str]:
    until = timezone.localdate() + dt.timedelta(days=days)
    return ApiToken.objects.make(user, name="test", scope=scope, expires_on=until)


def call(method: str, address: str, secret: str = "", body=None, **headers):
    client = Client(enforce_csrf_checks=True)
    if secret:
        headers["Authorization"] = f"Bearer {secret}"
    if method == "get":
        return client.get(f"/api/v1/{address}", headers=headers)
    return getattr(client, method)(
        f"/api/v1/{address}", json.dumps(body or {}), content_type="application/json", headers=headers
    )


def is_problem(answer, status: int) -> bool:
    return (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")
