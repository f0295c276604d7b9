"""Puts an answer into the JSON that a run asks for."""

import json
from typing import Any

from assistants_tui.protocol.objects import Json

_MAX_DEPTH = 12


def as_json(text: str, response_format: Json) -> str:
    """The answer as JSON: one object, or what the schema describes with the answer as its first text."""
    if response_format["type"] == "json_object":
        return json.dumps({"answer": text}, ensure_ascii=False)
    schema = response_format["json_schema"].get("schema") or {}
    return json.dumps(_Instance(schema, text).make(schema, 0), ensure_ascii=False)


class _Instance:
    """The smallest value that a schema allows, by the rules of JSON Schema that are named here."""

    def __init__(self, root: Json, text: str) -> None:
        self._root = root
        self._text: str | None = text

    def make(self, schema: Any, depth: int) -> Any:  # noqa: PLR0911 - one case for each type
        if not isinstance(schema, dict) or depth > _MAX_DEPTH:
            return None
        schema = self._resolved(schema)
        for key in ("const", "default"):
            if key in schema:
                return schema[key]
        if schema.get("enum"):
            return schema["enum"][0]
        for key in ("anyOf", "oneOf", "allOf"):
            if schema.get(key):
                return self.make(schema[key][0], depth + 1)
        kind = schema.get("type", "object" if "properties" in schema else "string")
        kind = kind[0] if isinstance(kind, list) else kind
        match kind:
            case "object":
                properties = schema.get("properties") or {}
                wanted = schema.get("required", list(properties))
                return {name: self.make(properties.get(name, {}), depth + 1) for name in wanted}
            case "array":
                return [
                    self.make(schema.get("items", {}), depth + 1) for _ in range(schema.get("minItems", 0))
                ]
            case "integer" | "number":
                return schema.get("minimum", 0)
            case "boolean":
                return False
            case "null":
                return None
            case _:
                text, self._text = self._text, None
                return (text or "")[: schema.get("maxLength")].ljust(schema.get("minLength", 0))

    def _resolved(self, schema: Json) -> Json:
        reference = schema.get("$ref")
        if not isinstance(reference, str) or not reference.startswith("#/"):
            return schema
        found: Any = self._root
        for part in reference[2:].split("/"):
            found = found.get(part, {}) if isinstance(found, dict) else {}
        return found if isinstance(found, dict) else {}
