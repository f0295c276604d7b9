"""Tables as lines: side by side while the columns are wide enough to read, else row by row as a list of
fields."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from .lines import Row, Run, cells, wrap

Cell = list[Run]

MIN_COLUMN = 8
"""Cells under which a column that needs more is not readable; the table then becomes a list of fields."""
SETTLED = 1000
"""Cells of a table after which its columns keep their widths: a long one is not drawn again and again."""
_BETWEEN = " │ "


@dataclass(slots=True)
class TableLayout:
    """A table while it grows. Rows that are drawn stay as they are until a new row makes a column wider,
    which only the first rows can."""

    alignments: Sequence[str]
    head: list[Cell]
    width: int
    rows: list[list[Cell]] = field(default_factory=list)
    """Those that may have to be drawn again."""
    size: int = 0
    """How many rows there are."""
    natural: list[int] = field(init=False)
    """The width that each column would like to have, at most the whole width."""
    widths: list[int] | None = field(init=False)
    """The width that it has; None: the table is a list of fields."""

    def __post_init__(self) -> None:
        self.natural = [1] * len(self.alignments)
        self._measure(self.head)
        self.widths = self._fit()

    def add(self, row: list[Cell]) -> bool:
        """Add a row. True if the rows before it have to be drawn again."""
        settled = self.settled
        self.size += 1
        if settled:
            self.rows.clear()
            return False
        self.rows.append(row)
        self._measure(row)
        before, self.widths = (self.widths, self.folded), self._fit()
        return before != (self.widths, self.folded)

    @property
    def settled(self) -> bool:
        """Whether the next row leaves the columns as they are."""
        return (self.size + 1) * len(self.head) > SETTLED

    @property
    def folded(self) -> bool:
        """Whether cells take several lines; rows are then parted by a thin rule."""
        return self.widths is not None and self.widths != self.natural

    def draw(self) -> list[Row]:
        """The lines of the whole table."""
        lines = self.draw_head()
        for index, row in enumerate(self.rows):
            lines += self.draw_row(row, index)
        return lines

    def draw_head(self) -> list[Row]:
        if self.widths is None:
            return []
        lines = self._side_by_side(self.head, self.widths)
        return [*lines, self._rule("─")]

    def draw_row(self, row: list[Cell], index: int) -> list[Row]:
        """The lines of the row that has this place in the table, as wide as the columns are now."""
        if self.widths is None:
            return ([self._rule("─")] if index else []) + self._fields(row)
        lines = self._side_by_side(row, self.widths)
        return [self._rule("┄"), *lines] if index and self.folded else lines

    def _rule(self, line: str) -> Row:
        if self.widths is None:
            return Row((Run(line * min(self.width, 12), "rule"),))
        return Row((Run(f"{line}┼{line}".join(line * width for width in self.widths), "rule"),))

    def _measure(self, row: list[Cell]) -> None:
        natural = self.natural
        for index, cell in enumerate(row):
            size = _widest(cell)
            if size > natural[index]:
                natural[index] = min(size, self.width)

    def _fit(self) -> list[int] | None:
        """Share the width: narrow columns get what they need, the others the same."""
        room = self.width - len(_BETWEEN) * (len(self.natural) - 1)
        if sum(self.natural) <= room:
            return list(self.natural)
        widths = [0] * len(self.natural)
        left = len(widths)
        for index in sorted(range(len(widths)), key=self.natural.__getitem__):
            widths[index] = min(self.natural[index], max(0, room) // left)
            room -= widths[index]
            left -= 1
        readable = all(
            width >= min(natural, MIN_COLUMN) for width, natural in zip(widths, self.natural, strict=True)
        )
        return widths if readable else None

    def _side_by_side(self, row: list[Cell], widths: list[int]) -> list[Row]:
        columns = [wrap(cell, width) for cell, width in zip(row, widths, strict=True)]
        lines: list[Row] = []
        for y in range(max(map(len, columns))):
            runs: list[Run] = []
            for x, (column, width) in enumerate(zip(columns, widths, strict=True)):
                if x:
                    runs.append(Run(_BETWEEN, "rule"))
                text = column[y].runs if y < len(column) else ()
                spare = max(0, width - cells(text))
                before = {"right": spare, "center": spare // 2}.get(self.alignments[x], 0)
                after = spare - before if x + 1 < len(widths) else 0
                runs += [Run(" " * before)] * bool(before) + list(text) + [Run(" " * after)] * bool(after)
            lines.append(Row(tuple(runs)))
        return lines

    def _fields(self, row: list[Cell]) -> list[Row]:
        lines: list[Row] = []
        for name, cell in zip(self.head, row, strict=True):
            if cell:
                lines += wrap([*name, Run(": ", "head"), *cell], self.width)
        return lines or [Row(())]


def _widest(cell: Cell) -> int:
    """The width of a cell without wrapping."""
    if not any("\n" in run.text for run in cell):
        return cells(cell)
    return max(cells([Run(part)]) for part in "".join(run.text for run in cell).split("\n"))
