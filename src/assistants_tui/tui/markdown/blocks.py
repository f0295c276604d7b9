"""The block structure of Markdown, found line by line.

This is the parsing strategy of the CommonMark specification (appendix "A parsing strategy", phase 1): every
line is matched against the containers that are open, may open new ones, and what is left goes to the open
leaf. A line is looked at once and never again, which is what makes an answer cheap to show while it streams;
the parsers of the usual libraries want the whole text. Tables follow the GitHub Flavored Markdown
specification.

What is found is told to a `Sink` in document order. Paragraphs are the one thing that can change after the
fact: the next line may turn one into a heading, or its last line into the head of a table.
"""

from .block_syntax import FENCE_END, MAYBE_SPECIAL, TEXT_START, without_definitions
from .block_types import Fence, Html, Indented, Item, Leaf, Paragraph, Quote, Sink, Table
from .container_starts import ContainerStarts
from .leaf_starts import LeafStarts
from .line_cursor import LineCursor
from .open_blocks import OpenBlocks

MAX_DEPTH = 20
"""Containers within containers; deeper markers are read as text, as markdown-it does."""


class BlockParser:
    """Reads lines and tells a sink what they are."""

    __slots__ = ("_container_starts", "_leaf_starts", "_line", "_open", "_text_at")

    def __init__(self, blocks: OpenBlocks) -> None:
        """Goes on from these blocks; for a new text there are none in them."""
        self._open = blocks
        self._line = LineCursor()
        self._leaf_starts = LeafStarts(self._line, blocks)
        self._container_starts = ContainerStarts(self._line, blocks)
        self._text_at = -1

    @property
    def leaf(self) -> Leaf | None:
        """The open leaf."""
        return self._open.leaf

    def fork(self, sink: Sink) -> "BlockParser":
        """A parser in the same state that tells another sink; the two do not influence each other."""
        return BlockParser(self._open.fork(sink))

    def extend(self, text: str) -> None:
        """Add to the last line, which must have `settled`."""
        leaf = self._open.leaf
        assert isinstance(leaf, Paragraph)
        leaf.lines[-1] += text
        leaf.size += len(text)

    @property
    def settled(self) -> bool:
        """Whether the last line is text of a paragraph whatever else the same line brings."""
        return (
            self._text_at >= 0
            and isinstance(self._open.leaf, Paragraph)
            and TEXT_START.match(self._line.source, self._text_at) is not None
        )

    def close(self) -> None:
        """The end of the text."""
        self._open.close_leaf()
        self._open.close_to(0)

    def line(self, source: str) -> None:
        """Read one line (without its line break)."""
        blocks = self._open
        self._line.start(source)
        self._text_at = -1
        depth = self._match_containers()
        in_leaf = depth == len(blocks.containers) and blocks.leaf is not None
        if in_leaf and self._continue_leaf():
            return
        # a paragraph or a table goes on unless something else begins
        self._begin(depth, in_leaf and isinstance(blocks.leaf, Paragraph | Table))

    # -- what is open

    def _match_containers(self) -> int:
        """How many of the open containers the line belongs to; the position is behind their markers."""
        line, containers = self._line, self._open.containers
        for index, container in enumerate(containers):
            line.look()
            if isinstance(container, Quote):
                if line.indent > 3 or line.blank or line.source[line.next] != ">":
                    return index
                line.skip_marker(1)
                if line.at_space():
                    line.advance(1)
            elif isinstance(container, Item):
                if line.blank:
                    if container.empty:
                        return index
                    line.skip_blank()
                elif line.indent >= container.indent:
                    line.advance(container.indent)
                else:
                    return index
        line.look()
        return len(containers)

    def _continue_leaf(self) -> bool:
        """Give the line to the open leaf if that takes it for sure."""
        line, blocks = self._line, self._open
        leaf = blocks.leaf
        if isinstance(leaf, Fence):
            self._fence_line(leaf)
            return True
        if isinstance(leaf, Html):
            if leaf.end.pattern == "^$" and line.blank:
                return False
            blocks.sink.html_line(line.rest(), first=False, gap=False)
            self._leaf_starts.end_html(leaf)
            return True
        if isinstance(leaf, Indented) and (line.blank or line.indent >= 4):
            line.advance(4)
            if line.blank:
                leaf.blanks.append(line.rest())
                return True
            for blank in leaf.blanks:
                blocks.sink.code_line(blank)
            leaf.blanks.clear()
            blocks.sink.code_line(line.rest())
            return True
        return False

    def _fence_line(self, fence: Fence) -> None:
        line = self._line
        end = FENCE_END.match(line.source, line.next) if line.indent <= 3 else None
        if end and end[1][0] == fence.char and len(end[1]) >= fence.length:
            self._open.close_leaf()
            return
        line.advance(min(line.indent, fence.indent))
        self._open.sink.code_line(line.rest())

    # -- what begins

    def _begin(self, depth: int, in_leaf: bool) -> None:
        """Open what the rest of the line begins, inside the first `depth` containers; what is left is text.

        `in_leaf` tells that the line belongs to the open paragraph or table as well.
        """
        line, blocks = self._line, self._open
        new_item = False
        while not line.blank:
            if line.indent > 3:
                if isinstance(blocks.leaf, Paragraph):
                    break
                self._leaf_starts.open_indented(depth)
                return
            if not MAYBE_SPECIAL.match(line.source, line.next):
                break
            if self._leaf_starts.begin(depth, in_leaf):
                return
            if len(blocks.containers) >= MAX_DEPTH:
                break
            new_item = self._container_starts.open_item(depth, in_leaf)
            if not new_item and not self._container_starts.open_quote(depth):
                break
            depth, in_leaf = len(blocks.containers), False
            line.look()
        if line.blank:
            blocks.close_leaf()
            blocks.close_to(depth)
            blocks.gap = not new_item
        else:
            self._add_text(depth, in_leaf)

    def _add_text(self, depth: int, in_leaf: bool) -> None:
        line, blocks = self._line, self._open
        leaf = blocks.leaf
        line.skip_blank()
        if isinstance(leaf, Table) and in_leaf:
            blocks.sink.table_row(line.rest())
            return
        if isinstance(leaf, Paragraph):
            # also one in containers that the line does not match: a lazy continuation
            self._take_definitions(leaf)
            leaf.lines.append(line.rest())
            leaf.lazy = not in_leaf
        else:
            blocks.make_room(depth)
            blocks.leaf = leaf = Paragraph([line.rest()])
            blocks.sink.open_paragraph(leaf, gap=blocks.take_gap())
        leaf.size += len(leaf.lines[-1])
        self._text_at = line.position

    def _take_definitions(self, paragraph: Paragraph) -> None:
        """Note the link reference definitions at the start of a paragraph as soon as the next may begin, so
        that thousands of them are not read together."""
        lines = paragraph.lines
        may_begin = self._line.source.startswith("[", self._line.position)
        if may_begin and not without_definitions(paragraph, lines, self._open.references):
            lines.clear()
            paragraph.size = 0
