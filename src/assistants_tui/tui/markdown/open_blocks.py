"""The containers and the leaf that the lines of Markdown read so far have left open."""

from collections import ChainMap
from dataclasses import replace

from .block_syntax import without_definitions
from .block_types import Container, Indented, Item, Leaf, ListBlock, Paragraph, References, Sink


class OpenBlocks:
    """What is open, from the outermost container to the leaf; tells the sink what is closed.

    `references` is filled with the link reference definitions as they are found, the first of a label wins.
    """

    __slots__ = ("containers", "gap", "leaf", "references", "sink")

    def __init__(self, sink: Sink, references: References) -> None:
        self.sink = sink
        self.references = references
        self.containers: list[Container] = []
        self.leaf: Leaf | None = None
        self.gap = False  # the last line was blank

    def fork(self, sink: Sink) -> "OpenBlocks":
        """The same blocks for another sink; the two do not influence each other."""
        other = OpenBlocks(sink, ChainMap({}, self.references))
        other.containers = [replace(container) for container in self.containers]
        leaf = self.leaf
        if isinstance(leaf, Paragraph):
            leaf = Paragraph(list(leaf.lines), leaf.lazy, leaf.size)
        elif isinstance(leaf, Indented):
            leaf = Indented(list(leaf.blanks))
        other.leaf = leaf
        other.gap = self.gap
        return other

    def close_leaf(self) -> None:
        """End the open leaf."""
        leaf, self.leaf = self.leaf, None
        if isinstance(leaf, Paragraph):
            self.sink.close_paragraph(without_definitions(leaf, leaf.lines, self.references))
        elif leaf is not None:
            self.sink.close_leaf()
            if isinstance(leaf, Indented) and leaf.blanks:
                self.gap = True

    def close_to(self, depth: int) -> None:
        """End all but the first `depth` containers."""
        while len(self.containers) > depth:
            self.containers.pop()
            self.sink.close()

    def make_room(self, depth: int) -> None:
        """Close what the line does not belong to, because a block begins in the first `depth` containers."""
        self.close_leaf()
        self.close_to(depth)
        if self.containers and isinstance(self.containers[-1], ListBlock):
            self.close_to(depth - 1)  # only items stand in a list
        self.note_content()

    def note_content(self) -> None:
        """A block begins in the innermost container."""
        if self.containers and isinstance(parent := self.containers[-1], Item):
            parent.empty = False

    def take_gap(self) -> bool:
        """Whether a blank line stands before the block that begins now."""
        gap, self.gap = self.gap, False
        return gap
