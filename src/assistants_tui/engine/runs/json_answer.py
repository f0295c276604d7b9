"""Whether an answer is the JSON that its run asks for."""

import json
import re
from typing import Any

Json = dict[str, Any]


def fault(text: str, response_format: Json) -> str | None:
    """What is wrong with an answer in a JSON format, as a sentence; None if nothing is.

    A schema binds the answer only where it is `strict`; else it is advice to the model, as the guide to
    structured outputs has it.
    """
    try:
        answer = json.loads(text)
    except ValueError:
        return (
            "The run asks for JSON, but the model's answer is not valid JSON. "
            "The model may not support this response format."
        )
    wanted = response_format.get("json_schema") or {}
    if not wanted.get("strict") or not wanted.get("schema"):
        return None
    return _deviation(answer, wanted["name"], wanted["schema"])


def _deviation(answer: object, name: str, schema: Json) -> str | None:
    import jsonschema  # a tenth of a second that only strict answers need
    from referencing import Registry
    from referencing.exceptions import Unresolvable

    # With a registry of its own it looks nowhere else: no schema makes this process fetch anything.
    checker = jsonschema.Draft202012Validator(schema, registry=Registry())
    try:
        error = next(iter(checker.iter_errors(answer)), None)
    except Unresolvable as missing:
        return f"The schema '{name}' refers to {missing.ref}, which is not in it."
    except re.error:
        return None  # a pattern that JavaScript may understand
    except RecursionError:
        return f"The schema '{name}' refers to itself without end."
    if error is None:
        return None
    return (
        f"The run asks for JSON after the schema '{name}', but the model's answer does not follow it: "
        f"at {error.json_path}, '{error.validator}' does not hold. "
        "The model may not support this response format."
    )
