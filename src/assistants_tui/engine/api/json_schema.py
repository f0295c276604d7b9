"""Whether something is a JSON Schema (https://json-schema.org/draft/2020-12)."""

from typing import Any

# Checking takes a tenth of a millisecond and more for each value, in which no other request is answered.
_MAX_VALUES = 2_000


def schema_fault(schema: dict[str, Any]) -> str | None:
    """What is wrong with it, as a sentence; None if nothing is.

    Large schemas are left to the model's endpoint to judge, and so are patterns, which Python reads otherwise
    than JavaScript. What references name is not looked at.
    """
    import jsonschema  # a tenth of a second that only schemas need

    if _is_large(schema):
        return None
    try:
        jsonschema.Draft202012Validator.check_schema(schema, format_checker=jsonschema.FormatChecker(()))
    except jsonschema.SchemaError as error:
        return f"At {error.json_path}: {error.message[:200]}."
    return None


def _is_large(schema: object) -> bool:
    waiting, values = [schema], 0
    while waiting and values <= _MAX_VALUES:
        value = waiting.pop()
        values += 1
        if isinstance(value, dict):
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
    return values > _MAX_VALUES
