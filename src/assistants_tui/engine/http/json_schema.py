"""Whether something is a JSON Schema (https://json-schema.org/draft/2020-12)."""

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import jsonschema_rs

_SHOWN = 200  # characters of what is said


def schema_fault(schema: dict[str, Any]) -> str | None:
    """What is wrong with it, as a sentence; None if nothing is.

    Patterns are left to the model's endpoint to judge. What references name is not looked at.
    """
    error = next(iter(_of_schemas().iter_errors(schema)), None)
    if error is None:
        return None
    place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.instance_path)
    return f"At ${place[:_SHOWN]}: {error.message[:_SHOWN]}."


@cache
def _of_schemas() -> "jsonschema_rs.Draft202012Validator":
    import jsonschema_rs  # only schemas need it

    # checking a schema of a thousand values takes `jsonschema` a tenth of a second, and this a millisecond
    return jsonschema_rs.Draft202012Validator(
        {"$ref": "https://json-schema.org/draft/2020-12/schema"}, validate_formats=False
    )
