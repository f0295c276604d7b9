"""Arguments of a call as models write them: a JSON object, or what can only mean one."""

from assistants_tui.protocol import bounded_json


def sound(arguments: str) -> str | None:
    """The JSON object that the arguments are or can only mean; None if they mean none.

    Nothing and `null` are the empty object. Some models encode the object twice, and some servers send it
    twice.
    """
    text = arguments.strip()
    if text in {"", "null"}:
        return "{}"
    value = _parsed(text)
    if isinstance(value, dict):
        return arguments
    if isinstance(value, str):
        return value if isinstance(_parsed(value), dict) else None
    half = text[: len(text) // 2]
    return half if text == half * 2 and isinstance(_parsed(half), dict) else None


def _parsed(text: str) -> object:
    try:
        return bounded_json.parse(text)
    except (ValueError, RecursionError):
        return None
