"""Metadata of objects as lines of text: `key = value`, in quotes where that would be unclear."""

import json

from assistants_tui.protocol import limits
from assistants_tui.protocol.objects import Metadata

_DECODER = json.JSONDecoder()


def as_lines(metadata: Metadata | None) -> str:
    """One line per pair, in their order. `from_lines` gives the same pairs again."""
    return "\n".join(
        f"{_quoted(key, key=True)} = {_quoted(value)}" for key, value in (metadata or {}).items()
    )


def from_lines(text: str) -> Metadata:
    """The pairs of a text. Blank lines count for nothing. Raises `ValueError` with a sentence."""
    metadata: Metadata = {}
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            key, value = _pair(line)
            if key in metadata:
                raise ValueError(f"the key “{key}” is there twice")
            if len(key) > limits.MAX_KEY:
                raise ValueError(f"the key has {len(key)} characters; {limits.MAX_KEY} are allowed")
            if len(value) > limits.MAX_VALUE:
                raise ValueError(f"the value has {len(value)} characters; {limits.MAX_VALUE} are allowed")
        except ValueError as error:
            raise ValueError(f"Line {number}: {error}.") from None
        metadata[key] = value
    if len(metadata) > limits.MAX_PAIRS:
        raise ValueError(f"There are {len(metadata)} pairs; {limits.MAX_PAIRS} are allowed.")
    return metadata


def _quoted(text: str, *, key: bool = False) -> str:
    plain = text == text.strip() and text.isprintable() and not text.startswith('"')
    return text if plain and not (key and ("=" in text or not text)) else json.dumps(text)


def _pair(line: str) -> tuple[str, str]:
    line = line.strip()
    if line.startswith('"'):
        key, rest = _string(line)
    else:
        key, sign, after = line.partition("=")
        key, rest = key.strip(), sign + after
    if not rest.lstrip().startswith("=") or (not key and not line.startswith('"')):
        raise ValueError("write it as key = value")
    value = rest.lstrip()[1:].strip()
    if value.startswith('"'):
        value, rest = _string(value)
        if rest.strip():
            raise ValueError("there is something after the closing quote")
    return key, value


def _string(text: str) -> tuple[str, str]:
    """The quoted string at the start of a text, and what follows it."""
    try:
        value, end = _DECODER.raw_decode(text)
    except ValueError:
        raise ValueError("a quote is not closed") from None
    return str(value), text[end:]
