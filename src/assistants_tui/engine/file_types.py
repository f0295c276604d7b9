"""Which files file search takes, by extension: those that it reads, and one more."""

from pathlib import PurePath

from assistants_tui.engine.tools.file_search.documents import kinds

SEARCHABLE = frozenset({*(f".{name}" for name in kinds.EXTENSIONS), ".doc"})
"""The guide's table of supported files has .doc, so it is accepted, but it cannot be read."""


def extension(filename: str) -> str:
    """The part of a file's name that says of which kind it is, such as `.txt`; empty if it has none."""
    return PurePath(filename).suffix.lower()
