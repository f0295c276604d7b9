"""What a refusal of a model endpoint means.

Every server words it differently and few send the published codes, so the words are read as well.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

_UNKNOWN_MODEL = re.compile(
    r"\bmodel\b.{0,120}?"
    r"(?:not found|does ?n[o']t exist|do not exist|unknown|not supported|no such|not available)"
    r"|(?:unknown|invalid|no such|unsupported|not a valid) model|failed to (?:find|load) model",
    re.IGNORECASE | re.DOTALL,
)
_MAX_TEXT = 1000  # characters of a server's words that reach the user
# A parameter that is refused for its value is known to the server.
_ABOUT_A_VALUE = re.compile(
    r"must be|should be|range|between|greater|less than|too (?:large|small|high|low)|at (?:most|least)|[<>]=?"
    r"|maximum|minimum|invalid value",
    re.IGNORECASE,
)


def code(body: object) -> str:
    """The machine-readable code or type of an error body, in lower case; empty where it has none."""
    error = _error(body)
    return " ".join(str(error.get(key) or "") for key in ("code", "type")).lower()


def text(body: object, fallback: str) -> str:
    """What the endpoint said, for people."""
    error = _error(body)
    for key in ("message", "detail", "error"):
        if isinstance(message := error.get(key), str) and message.strip():
            return message.strip()[:_MAX_TEXT]
    if isinstance(body, str) and body.strip():
        return body.strip()[:_MAX_TEXT]
    return fallback[:_MAX_TEXT]


def stated_context(body: object) -> int | None:
    """The model's context in tokens, where an error body has a field for it."""
    stated = _error(body).get("n_ctx")  # llama.cpp
    return stated if isinstance(stated, int) else None


def in_chunk(value: object) -> object:
    """The error in a JSON value that came where a chunk of the answer was due; None if it is no error."""
    if isinstance(value, list) and value:  # Gemini wraps its refusals
        value = value[0]
    if not isinstance(value, Mapping):
        return None
    if value.get("error"):
        return value
    choices = value.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    if isinstance(choice, Mapping):
        return {"error": choice["error"]} if choice.get("error") else None
    told = any(isinstance(value.get(key), str) for key in ("message", "detail"))
    return value if value.get("object") == "error" or (told and "choices" not in value) else None


def is_unknown_model(status: int, body: object, message: str) -> bool:
    """Whether the endpoint does not have the model that was named."""
    if "model_not_found" in code(body) or "invalid_model" in code(body):
        return True
    return status in {400, 404, 422} and bool(_UNKNOWN_MODEL.search(message))


def refused_parameter(message: str, sent: Iterable[str]) -> str | None:
    """The one of the sent parameters that a refusal names, if it names one.

    A refusal that suggests another parameter names that one as well, so the one named first is meant.
    """
    places = {name: found.start() for name in sent if (found := re.search(rf"\b{name}\b", message))}
    return min(places, key=lambda name: places[name]) if places else None


def is_about_a_value(message: str) -> bool:
    """Whether a parameter is refused for its value. Then another request may well have it."""
    return bool(_ABOUT_A_VALUE.search(message))


def _error(body: object) -> Mapping[str, Any]:
    if isinstance(body, list) and body:
        body = body[0]
    if not isinstance(body, Mapping):
        return {}
    inner = body.get("error")
    return inner if isinstance(inner, Mapping) else body
