"""Whether an answer is the JSON that its run asks for."""

from assistants_tui.engine.runs.schema_deviation import deviation
from assistants_tui.protocol import bounded_json
from assistants_tui.protocol.objects import Json


def fault(text: str, response_format: Json) -> str | None:
    """What is wrong with an answer in a JSON format, as a sentence; None if nothing is.

    A schema binds the answer only where it is `strict`; else it is advice to the model, as the guide to
    structured outputs has it. May take a while.
    """
    try:
        answer = bounded_json.parse(text)
    except bounded_json.TooManyValuesError:
        return None
    except (ValueError, RecursionError):  # RecursionError: nested too deeply
        return (
            "The run asks for JSON, but the model's answer is not valid JSON. "
            "The model may not support this response format."
        )
    wanted = response_format.get("json_schema") or {}
    if not wanted.get("strict") or not wanted.get("schema"):
        return None
    found = deviation(answer, wanted["schema"])
    if found is None:
        return None
    return (
        f"The run asks for JSON after the schema '{wanted['name']}', but the model's answer does not follow "
        f"it: {found}. The model may not support this response format."
    )
