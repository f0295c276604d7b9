"""Values as a person would write them in TOML."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any


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
