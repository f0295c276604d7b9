"""What names of assistants, vector stores and files may hold: a rule of ours, the API reference has none."""

import re

CONTROL = r"\u0000-\u001f\u007f-\u009f"
"""Control characters as a range within the brackets of a regular expression, in Python and in JSON Schema."""

_CONTROL = re.compile(f"[{CONTROL}]")


def has_control_characters(name: str) -> bool:
    return _CONTROL.search(name) is not None


def without_control_characters(name: str) -> str:
    """The name with `_` in place of each."""
    return _CONTROL.sub("_", name)
