"""What a refusal of a model endpoint means.

Every server words it differently and few send the published codes, so the words are read as well.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

_OVERFLOW = re.compile(
    r"context[ _-]?(?:length|window|size)|maximum context|prompt is too long|too many (?:input )?tokens"
    r"|exceeds? the (?:available|model's|maximum)[^.]{0,40}(?:context|tokens)|input (?:length|is too long)",
    re.IGNORECASE,
)
_UNKNOWN_MODEL = re.compile(
    r"\bmodel\b.{0,120}?"
    r"(?:not found|does ?n[o']t exist|do not exist|unknown|not supported|no such|not available)"
    r"|(?:unknown|invalid|no such|unsupported|not a valid) model|failed to (?:find|load) model",
    re.IGNORECASE | re.DOTALL,
)
_MAX_TEXT = 1000  # characters of a server's words that reach the user
_LIMITS = (
    re.compile(
        r"(?:maximum context length|context (?:length|window|size))[^\d]{0,40}(\d[\d,]{2,})", re.IGNORECASE
    ),
    re.compile(r"(\d[\d,]{2,})[^\d]{0,40}(?:token )?(?:maximum|limit|context)", re.IGNORECASE),
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


def is_overflow(body: object, message: str) -> bool:
    """Whether the prompt was too long for the model."""
    return "context_length" in code(body) or "context_size" in code(body) or bool(_OVERFLOW.search(message))


def context_limit(body: object, message: str) -> int | None:
    """The model's context in tokens, where the refusal names it."""
    stated = _error(body).get("n_ctx")  # llama.cpp
    if isinstance(stated, int):
        return stated
    for pattern in _LIMITS:
        if found := pattern.search(message):
            return int(found[1].replace(",", ""))
    return None


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


def _error(body: object) -> Mapping[str, Any]:
    if not isinstance(body, Mapping):
        return {}
    inner = body.get("error")
    return inner if isinstance(inner, Mapping) else body
