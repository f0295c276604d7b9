"""Whether something is a JSON Schema (https://json-schema.org/draft/2020-12)."""

from typing import Any

# Checking takes time for each node. Structured outputs of OpenAI take 5,000 properties in 10 levels.
_MAX_NODES = 20_000
_MAX_DEPTH = 64


def schema_fault(schema: dict[str, Any]) -> str | None:
    """What is wrong with it, as a sentence; None if it is one. What its references name is not looked at."""
    import jsonschema  # a tenth of a second that only schemas need

    if _is_too_large(schema):
        return f"It has more than {_MAX_NODES} values or more than {_MAX_DEPTH} levels."
    try:
        jsonschema.Draft202012Validator.check_schema(schema)
    except jsonschema.SchemaError as error:
        return f"At {error.json_path}: {error.message[:200]}."
    return None


def _is_too_large(value: object) -> bool:
    level, nodes = [value], 0
    for _ in range(_MAX_DEPTH):
        level = [
            child
            for node in level
            if isinstance(node, dict | list)
            for child in (node.values() if isinstance(node, dict) else node)
        ]
        nodes += len(level)
        if not level or nodes > _MAX_NODES:
            break
    return bool(level) or nodes > _MAX_NODES
