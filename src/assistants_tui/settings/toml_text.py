"""TOML: a text that is read whatever stands in it, and values as a person would write them."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_DEEPEST = 100
"""How many tables and lists may stand in one another: what reads and writes them goes into each by a call."""
_TOO_DEEP = "tables or lists stand in one another too deep"


def parse_toml(text: str) -> dict[str, Any]:
    """What a text of TOML says. Raises `ValueError` for any that cannot be read."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        raise
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
    except ValueError:  # of Python, whose decimal numbers have a limit
        raise ValueError("a number has thousands of digits") from None
    level: list[Any] = [document]
    for _ in range(_DEEPEST):
        inner = (value for one in level for value in (one.values() if isinstance(one, dict) else one))
        level = [value for value in inner if isinstance(value, (dict, list))]
        if not level:
            return document
    raise ValueError(_TOO_DEEP)


def plain(value: object) -> Any:
    """A value of the program as TOML can have it: whole numbers without a fraction, lists, texts."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, tuple):
        return list(value)
    return str(value) if isinstance(value, Path) else value


def line_of(name: str, value: object) -> str:
    """The line that sets `name`; a table stands in it as a whole."""
    import tomlkit  # not for the first frame

    written = plain(value)
    if isinstance(written, Mapping):
        inline = tomlkit.inline_table()
        inline.update(written)
        written = inline
    document = tomlkit.document()
    document.add(name, tomlkit.item(written))
    return document.as_string().rstrip("\n")
