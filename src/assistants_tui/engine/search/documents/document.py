"""The text of a file, whatever the file was, and how the readers build it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from assistants_tui.engine.search.errors import IngestError

MAX_CHARACTERS = 64_000_000
"""More text than five million tokens can have, the limit of a file. Where a reader stops."""

# Control characters say nothing in a document, and databases and terminals choke on them.
_CONTROLS = {code: " " for code in (*range(32), *range(127, 160)) if chr(code) not in "\t\n\f"}
_CONTROLS |= dict.fromkeys(range(0xD800, 0xE000), "\N{REPLACEMENT CHARACTER}")  # halves of UTF-16 pairs
_SPACES = re.compile(r"\s+")


class Attachment(NamedTuple):
    """A file inside the document, with the name that the document gives it."""

    name: str
    data: bytes | None
    """None: it was too large to be taken out."""


class Heading(NamedTuple):
    """A heading: where in the text it begins, its level from 1 (the highest), and its words."""

    offset: int
    level: int
    title: str


@dataclass(frozen=True, slots=True)
class Document:
    """What a reader found. Offsets count characters of `text` from 0, in ascending order."""

    text: str
    headings: tuple[Heading, ...] = ()
    pages: tuple[int, ...] = ()
    """Where each page, or slide, begins; empty for files without pages."""
    after_pages: int | None = None
    """Where the last page ends, if there is text after it."""
    lined: bool = False
    """Whether the lines of the text are those of the file, so that a line number means something."""
    note: str | None = None
    """What its user should know of how it was read."""
    attachments: tuple[Attachment, ...] = ()
    """Files inside it, whose text is not yet in `text`."""


def clean(text: str) -> str:
    """The text without control characters, its line ends all `\\n`. No other line is joined or split."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text if text.isascii() and text.isprintable() else text.translate(_CONTROLS)


def one_line(text: str) -> str:
    """The words of a text with single spaces between them."""
    return _SPACES.sub(" ", text).strip()


class TextBuilder:
    """Collects a document piece by piece. Raises `IngestError` when it becomes too long to be searched."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._length = 0
        self._headings: list[Heading] = []
        self._pages: list[int] = []

    def add(self, text: str) -> None:
        """Append text as it is."""
        self._append(clean(text).replace("\f", " "))

    def _append(self, text: str) -> None:
        self._length += len(text)
        if self._length > MAX_CHARACTERS:
            raise IngestError("invalid_file", "The file has more text than the 5,000,000 tokens allowed.")
        self._parts.append(text)

    def paragraph(self, text: str) -> None:
        """Append a paragraph, unless it is blank."""
        if text := one_line(text):
            self.add(f"{text}\n\n")

    def line(self, text: str) -> None:
        """Append a line of something longer, such as a list or a table, unless it is blank."""
        if text := one_line(text):
            self.add(f"{text}\n")

    def heading(self, level: int, title: str) -> None:
        """Append a heading, written as in Markdown."""
        if title := one_line(clean(title)):
            self.mark_heading(level, title)
            self.add(f"{'#' * min(level, 6)} {title}\n\n")

    def mark_heading(self, level: int, title: str) -> None:
        """Remember that what follows stands under this heading, without writing it."""
        if title := one_line(clean(title)):
            self._headings.append(Heading(self._length, level, title))

    def properties(self, found: Iterable[tuple[str, str]]) -> None:
        """Append what the file says about itself, such as its title and author: a line for each."""
        lines = [f"{name}: {one_line(value)}\n" for name, value in found if value.strip()]
        if lines:
            self.add("".join([*lines, "\n"]))

    def page(self) -> None:
        """A page begins here: a form feed divides it from the one before, as in plain text."""
        if self._pages:
            self._append("\f")
        self._pages.append(self._length)

    def build(self, note: str | None = None, attachments: Iterable[Attachment] = ()) -> Document:
        return Document(
            "".join(self._parts),
            tuple(self._headings),
            tuple(self._pages),
            note=note,
            attachments=tuple(attachments),
        )
