"""What begins the blocks of Markdown that hold blocks: quotes, lists and their items."""

from .block_syntax import BULLET, NUMBER
from .block_types import Item, ListBlock, Paragraph, Quote
from .line_cursor import LineCursor
from .open_blocks import OpenBlocks


class ContainerStarts:
    """Looks what container the rest of a line begins."""

    __slots__ = ("_line", "_open")

    def __init__(self, line: LineCursor, blocks: OpenBlocks) -> None:
        self._line = line
        self._open = blocks

    def open_quote(self, depth: int) -> bool:
        """Begin a quote inside the first `depth` containers. False if the line does not."""
        if self._line.source[self._line.next] != ">":
            return False
        self._line.skip_marker(1)
        if self._line.at_space():
            self._line.advance(1)
        self._open.make_room(depth)
        self._open.sink.open_quote(gap=self._open.take_gap())
        self._open.containers.append(Quote())
        return True

    def open_item(self, depth: int, in_leaf: bool) -> bool:
        """Begin a list item, likewise. `in_leaf`: the line belongs to the open leaf as well."""
        source = self._line.source
        number = NUMBER.match(source, self._line.next)
        marker = number or BULLET.match(source, self._line.next)
        if marker is None:
            return False
        doubtful = not source[marker.end() :].strip() or (number is not None and int(number[1]) != 1)
        if doubtful and in_leaf and isinstance(self._open.leaf, Paragraph):
            return False  # it may be meant as text
        size = len(marker[0])
        indent = self._line.indent + size
        self._line.skip_marker(size)
        before = self._line.position, self._line.column, self._line.split_tab
        while self._line.column - before[1] < 5 and self._line.at_space():
            self._line.advance(1)
        spaces = self._line.column - before[1]
        if not 1 <= spaces <= 4 or self._line.position >= len(source):
            self._line.position, self._line.column, self._line.split_tab = before
            spaces = 1
            if self._line.at_space():
                self._line.advance(1)
        self._enter_list(depth, marker[0][-1], int(number[1]) if number else None)
        self._open.containers.append(Item(indent + spaces))
        return True

    def _enter_list(self, depth: int, delimiter: str, number: int | None) -> None:
        """Begin an item in the list that is open, if it is of the same kind, else in a new one."""
        self._open.close_leaf()
        self._open.close_to(depth)
        top = self._open.containers[-1] if self._open.containers else None
        gap = self._open.take_gap()
        if isinstance(top, ListBlock) and top.delimiter == delimiter:
            block = top
        else:
            if isinstance(top, ListBlock):
                self._open.close_to(depth - 1)
            self._open.note_content()
            block = ListBlock(delimiter, number or 0)
            self._open.containers.append(block)
            self._open.sink.open_list(gap=gap)
            gap = False
        self._open.sink.open_item("•" if number is None else f"{block.number}{delimiter}", gap=gap)
        block.number += 1
