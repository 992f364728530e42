"""Examples in the description of the API: bodies to send (requests.yaml, by hand) and answers (answers.json, taken from the
demonstration by `manage.py write_api_answers`). Both by the name of the schema, so that each stands wherever it is used."""

import json
from pathlib import Path

import yaml

HERE = Path(__file__).parent
ANSWERS = HERE / "answers.json"
REQUESTS = HERE / "requests.yaml"


def examples() -> dict[str, object]:
    return json.loads(ANSWERS.read_text("utf-8")) | yaml.safe_load(REQUESTS.read_text("utf-8"))


def with_examples(result: dict, **_rest) -> dict:
    """Step of the description: each schema that is sent or answered whole carries its example (JSON Schema `examples`)."""
    schemas = result["components"]["schemas"]
    for name, example in examples().items():
        if name in schemas:
            schemas[name]["examples"] = [example]
    return result


def used_whole(result: dict) -> set[str]:
    """Names of the schemas that a call sends or is answered with."""
    found = set()
    for methods in result["paths"].values():
        for operation in methods.values():
            bodies = [operation.get("requestBody", {}), *(r for s, r in operation["responses"].items() if s < "300")]
            for body in bodies:
                schema = body.get("content", {}).get("application/json", {}).get("schema", {})
                found.add((schema.get("$ref") or schema.get("items", {}).get("$ref", "")).rsplit("/", 1)[-1])
    return found - {""}
