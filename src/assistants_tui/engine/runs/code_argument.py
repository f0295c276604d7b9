"""Reads the Python code out of a tool call's arguments while the model is still writing them.

The arguments are meant to be `{"code": "…"}`. Models also name the field otherwise, write several lines as a
list, encode the object twice, or forget it or all of the JSON; the code is found in each case.
"""

import json
import re

from assistants_tui.engine.runs import call_arguments
from assistants_tui.protocol import bounded_json

_VALUE_START = re.compile(r'^\s*(?:\{\s*"(?:[^"\\]|\\.)*"\s*:\s*"|"(?=\s*[^"\s{]))')
_PLAIN = re.compile(r'^\s*(?:[^\s{"]|"")')
# Whole units of a JSON string: plain characters, a surrogate pair, a code unit, another escape.
_UNITS = re.compile(
    r'(?:[^"\\]+|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}'
    r"|\\u(?![dD][89abAB])[0-9a-fA-F]{4}"
    r"|\\u[dD][89abAB][0-9a-fA-F]{2}(?=[^\\]|\\[^u]|\\u[0-9a-fA-F]{4})"
    r'|\\["\\/bfnrt])*'
)


class CodeArgument:
    """Feed it the arguments piece by piece; it gives the code piece by piece."""

    def __init__(self) -> None:
        self._raw: list[str] = []
        self._pending = ""  # what has not been read yet
        self._state = "start"
        self.code = ""

    def feed(self, piece: str) -> str:
        """The code that this piece of the arguments adds."""
        self._raw.append(piece)
        self._pending += piece
        added = ""
        if self._state == "start":
            if start := _VALUE_START.match(self._pending):
                self._pending = self._pending[start.end() :]
                self._state = "string"
            elif _PLAIN.match(self._pending):
                self._state = "plain"
        if self._state == "string":
            units = _UNITS.match(self._pending)
            end = units.end() if units else 0
            added = _decode(self._pending[:end])
            self._pending = self._pending[end:]
            if self._pending.startswith('"'):
                self._state = "end"
        elif self._state == "plain":
            added, self._pending = self._pending, ""
        self.code += added
        return added

    def finish(self) -> str:
        """The arguments are complete: the rest of the code, which is all of it for an unusual shape."""
        rest = ""
        if self._state == "start":
            rest = _from_unusual("".join(self._raw))
        self.code += rest
        return rest


def _decode(units: str) -> str:
    # Control characters are not allowed in JSON strings, but models write line breaks as they are.
    decoded: str = json.loads(f'"{units}"', strict=False)
    return decoded.encode("utf-8", "replace").decode() if "\\u" in units else decoded


def _from_unusual(arguments: str) -> str:
    try:
        value = bounded_json.parse(call_arguments.sound(arguments) or arguments)
    except (ValueError, RecursionError):  # RecursionError: nested too deeply
        return arguments if arguments.strip() not in {"", "{", "{}"} else ""
    values = list(value.values()) if isinstance(value, dict) else [value]
    for value in values:
        if isinstance(value, str):
            return value
        if isinstance(value, list) and all(isinstance(line, str) for line in value):
            return "\n".join(line.rstrip("\n") for line in value)
    return ""
