"""JSON that people write, paste and import: read with an error that says where."""

import json
from typing import Any

MAX_CHARS = 16 * 1024 * 1024
"""Longer texts are refused; the API takes none that comes near."""


class JsonTextError(ValueError):
    """A text is not JSON. `str` is the sentence to show."""


def read_json(text: str) -> Any:
    """The value of a JSON text. Raises `JsonTextError`.

    Stricter than the standard library where servers are: no `NaN`, no `Infinity`.
    """
    if len(text) > MAX_CHARS:
        raise JsonTextError(f"The text is longer than {MAX_CHARS:,} characters.")
    if not text.strip():
        raise JsonTextError("There is no JSON yet.")
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise JsonTextError(f"Not JSON at line {error.lineno}, column {error.colno}: {error.msg}.") from None
    except RecursionError:
        raise JsonTextError("Not usable: it nests too deep.") from None
    except ValueError as error:  # a constant, or a number with more digits than Python converts
        raise JsonTextError(f"Not JSON: {error}.") from None


def write_json(value: object) -> str:
    """JSON as people read it: indented, with every character as itself."""
    return json.dumps(value, indent=2, ensure_ascii=False)


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")
