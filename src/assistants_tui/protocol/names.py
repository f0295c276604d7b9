"""What names of assistants, vector stores and files may hold: a rule of ours, the API reference has none."""

import re

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def has_control_characters(name: str) -> bool:
    return _CONTROL.search(name) is not None
