"""docs/openapi.json against what the admin API says."""
import json
import re
from pathlib import Path

API = json.loads((Path(__file__).parents[3] / "docs" / "openapi.json").read_text())

TYPES = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def is_of_type(value, name):
    if isinstance(value, bool):
        return name == "boolean"
    return isinstance(value, TYPES[name])


def violations(value, schema, path="$"):
    """Where `value` is not as its schema has it: every field documented, there, and of its type."""
    if "$ref" in schema:
        return violations(value, API["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]], path)
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    if not any(is_of_type(value, name) for name in types):
        return [f"{path}: {value!r} is no {types}"]
    found = []
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{path}: {value!r} is none of {schema['enum']}")
    if schema.get("format") == "date-time" and value is not None and not TIME.fullmatch(value):
        found.append(f"{path}: {value!r} is no time")
    if "minimum" in schema and isinstance(value, (int, float)) and value < schema["minimum"]:
        found.append(f"{path}: {value} < {schema['minimum']}")
    if isinstance(value, dict):
        found += object_violations(value, schema, path)
    if isinstance(value, list):
        for number, item in enumerate(value):
            found += violations(item, schema["items"], f"{path}[{number}]")
    return found


def object_violations(value, schema, path):
    properties = schema.get("properties", {})
    found = [f"{path}.{name} is missing" for name in schema.get("required", []) if name not in value]
    names = schema.get("propertyNames", {}).get("enum")
    for name, member in value.items():
        others = schema.get("additionalProperties", True)
        if name in properties:
            found += violations(member, properties[name], f"{path}.{name}")
        elif others is False or (names is not None and name not in names):
            found.append(f"{path}.{name} is not documented")
        elif isinstance(others, dict):
            found += violations(member, others, f"{path}.{name}")
    return found


def documented(method, path, answer):
    """What the API's page says against this answer."""
    responses = API["paths"][path][method.lower()]["responses"]
    assert str(answer.status) in responses, f"{method} {path}: {answer.status} is not documented"
    response = responses[str(answer.status)]
    if "$ref" in response:
        response = API["components"]["responses"][response["$ref"].rsplit("/", 1)[1]]
    content = response["content"]["application/json"]
    return violations(answer.json, content["schema"])
