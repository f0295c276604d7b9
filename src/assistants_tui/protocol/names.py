"""Names with a meaning of their own, and what names of assistants, vector stores and files may hold.

Both are rules of ours; the API reference has none.
"""

import re

OFFLINE_TUTOR = "offline-tutor"
"""The model name of the embedded engine's stand-in for a language model."""

DEFAULT_MODEL = "default"
"""The model name that stands for the default model of the embedded engine, whichever that is at the time."""

CONTROL = r"\u0000-\u001f\u007f-\u009f"
"""Control characters as a range within the brackets of a regular expression, in Python and in JSON Schema."""

_CONTROL = re.compile(f"[{CONTROL}]")


def has_control_characters(name: str) -> bool:
    return _CONTROL.search(name) is not None


def without_control_characters(name: str) -> str:
    """The name with `_` in place of each."""
    return _CONTROL.sub("_", name)
