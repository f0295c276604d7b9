"""The blocks of Markdown while they are read, and who is told of them."""

import re
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

MAX_PARAGRAPH = 4000
"""Characters after which a paragraph stays one: no later line makes it a heading or the head of a table."""

References: TypeAlias = MutableMapping[str, dict[str, object]]
"""Link reference definitions by normalized label, in the shape that markdown-it's inline parser reads."""


@dataclass(slots=True)
class Quote:
    """A block quote."""


@dataclass(slots=True)
class ListBlock:
    """A list; its children are items."""

    delimiter: str
    """The bullet character, or what follows the number: another one begins another list."""
    number: int
    """The number of the next item."""


@dataclass(slots=True)
class Item:
    """A list item."""

    indent: int
    """Columns that a line needs to belong to the item."""
    empty: bool = True
    """No block in it yet."""


@dataclass(slots=True)
class Paragraph:
    """A paragraph as far as it is known."""

    lines: list[str] = field(default_factory=list)
    """Once it is sure to stay a paragraph, whoever draws it may take those away that are drawn."""
    lazy: bool = False
    """Its last line does not carry the markers of the containers."""
    size: int = 0
    """Characters of all its lines."""

    @property
    def sure(self) -> bool:
        """Whether no later line can make it a heading or the head of a table."""
        return self.size > MAX_PARAGRAPH


@dataclass(slots=True)
class Fence:
    """A fenced code block."""

    char: str
    length: int
    indent: int


@dataclass(slots=True)
class Indented:
    """An indented code block."""

    blanks: list[str] = field(default_factory=list)
    """Blank lines that only count if code follows."""


@dataclass(slots=True)
class Html:
    """Raw HTML up to the line that matches `end`."""

    end: re.Pattern[str]


@dataclass(slots=True)
class Table:
    """A table whose head and delimiter row have been read."""


Container: TypeAlias = Quote | ListBlock | Item
Leaf: TypeAlias = Paragraph | Fence | Indented | Html | Table


class Sink(Protocol):
    """Receives the structure. `gap` tells that a blank line stands before the block in the source."""

    def open_quote(self, *, gap: bool) -> None: ...
    def open_list(self, *, gap: bool) -> None: ...
    def open_item(self, marker: str, *, gap: bool) -> None:
        """`marker` is what to draw: a bullet `•`, or the number with its delimiter."""

    def close(self) -> None:
        """End the innermost quote, list or item."""

    def open_paragraph(self, paragraph: Paragraph, *, gap: bool) -> None:
        """A paragraph begins; its lines arrive in `paragraph.lines` until it ends in one of the next four
        ways."""

    def close_paragraph(self, lines: list[str]) -> None:
        """It stays a paragraph of these lines (none: they all were link reference definitions)."""

    def paragraph_to_heading(self, lines: list[str], level: int) -> None: ...
    def paragraph_to_table(self, before: list[str], head: str, alignments: list[str]) -> None:
        """Its last line is the head of a table; the lines before it stay a paragraph."""

    def table_row(self, source: str) -> None: ...
    def heading(self, text: str, level: int, *, gap: bool) -> None: ...
    def rule(self, *, gap: bool) -> None: ...
    def open_code(self, language: str, *, fenced: bool, gap: bool) -> None: ...
    def code_line(self, text: str) -> None: ...
    def html_line(self, text: str, *, first: bool, gap: bool) -> None: ...
    def close_leaf(self) -> None:
        """End the open table, code block or HTML."""
