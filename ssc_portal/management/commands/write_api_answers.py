"""Takes the examples of answers in the API's description from the demonstration."""

import json

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from api.examples import ANSWERS
from partners.models import User
from projects.models import Project, Response

PARAMETERS = {"iso3": "KEN", "slug": "undp", "id": "bsp-theme:wetlands"}
CODES = {"regions": "002", "groups": "ldc"}
RECORDS = {"projects": "P-2026-0001", "needs": "N-MWI-2026-0001", "offers": "O-2026-0001"}
QUERIES = {"matches": {"need": RECORDS["needs"]}, "changes": {"kind": "need", "page_size": "1"}}


class Command(BaseCommand):
    help = "Writes api/answers.json from the demonstration. In development only."

    def handle(self, *args, **options):
        if not settings.DEBUG or not Project.objects.filter(is_illustrative=True).exists():
            raise CommandError("The examples come from the demonstration (make demo, DJANGO_DEBUG=1).")
        client = Client(headers={"host": "localhost"})
        client.force_login(User.objects.get(email="focal-point@example.org"))
        schema = SchemaGenerator().get_schema(request=None, public=True)
        found = {}
        for path, methods in schema["paths"].items():
            if "get" in methods:
                name, answer = self._answer(client, path, methods["get"])
                found[name] = answer
        ANSWERS.write_text(json.dumps(dict(sorted(found.items())), indent=1, ensure_ascii=False) + "\n", "utf-8")
        self.stdout.write(f"{len(found)} examples")

    def _answer(self, client, path: str, operation: dict):
        schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
        name = (schema.get("$ref") or schema["items"]["$ref"]).rsplit("/", 1)[-1]
        kind = path.split("/")[3]
        record = RECORDS.get(kind) or (kind == "responses" and Response.objects.latest("pk").reference) or ""
        values = {**PARAMETERS, "code": CODES.get(kind, ""), "reference": record}
        query = QUERIES.get(kind) or ({} if "{" in path else {"page_size": "1"})
        answered = client.get(path.format(**values), query)
        if answered.status_code != 200:
            raise CommandError(f"{path}: {answered.status_code} {answered.content[:300]!r}")
        body = json.loads(answered.content.replace(b"http://localhost/", b"https://portal.example.org/"))
        return name, body[0] if schema.get("type") == "array" else body
