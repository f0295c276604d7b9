"""Styled lines, and breaking styled text into them.

Widths are terminal cells as Rich (and so Textual) measures them.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from rich.cells import cell_len, split_graphemes

ROW_CHARACTERS = 8
"""Characters that a row may have for each of its cells: more than letters and emoji are made of. More of
those that take no room begin another row."""
MIN_ROW_CHARACTERS = 64
"""Characters that every row may have."""


class Run(NamedTuple):
    """A piece of text in one style."""

    text: str
    style: str = ""
    """Names of styles, separated by spaces, the later ones on top; see `STYLES`."""
    link: str = ""
    """What the text points to: an http or https address, or `code:N` for the Nth code block of the source."""


class Line(NamedTuple):
    """One row of the screen."""

    runs: tuple[Run, ...]
    fill: str = ""
    """The style of the rest of the row, to the right of the text."""
    margin: int = 0
    """How many characters at the start are drawing (indentation, bars) and not text."""
    glue: str = "\n"
    """What stands in the source between this row and the next: a line break, or a space or nothing where a
    line was wrapped or folded."""

    @property
    def text(self) -> str:
        return "".join(run.text for run in self.runs)


class Row(NamedTuple):
    """A broken piece of text before it has a place: its runs, and what joins it to the next (see
    `Line.glue`)."""

    runs: tuple[Run, ...]
    glue: str = "\n"


STYLES = (
    *("strong", "em", "strike", "link", "code", "math", "mark", "image", "html"),
    *("h1", "h2", "h3", "h4", "h5", "h6", "bullet", "bar", "rule", "head"),
    *("block", "label", "keyword", "string", "number", "comment", "name", "operator", "inserted", "deleted"),
)
"""Every style name that a run may carry."""

# Between two of these a line may be broken without a space: Chinese and Japanese do not have any.
WIDE = (
    "\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf"
    "\uf900-\ufaff\uff01-\uff60\U00020000-\U0003ffff"
)
_CLOSING = "、。，．：；？！）」』】〕〉》〟’”…‥ー々ゝゞヽヾぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮ〜％"
_OPENING = "（「『【〔〈《〝‘“"
_WORD = re.compile(r"[^ ]+ *| +")
_WIDE_WORD = re.compile(
    rf"[{_OPENING}]*[{WIDE}]\ufe0f?[{_CLOSING}]* *|(?:(?![{WIDE}])[^ ])+[{_CLOSING}]* *| +|[^ ] *"
)
_HAS_WIDE = re.compile(f"[{WIDE}]")


def cells(runs: Iterable[Run]) -> int:
    """How many cells the runs take side by side."""
    return sum(cell_len(run.text) for run in runs)


def wrap(runs: Sequence[Run], width: int) -> list[Row]:
    """Break text at spaces (and between Chinese and Japanese characters) so that each row fits into `width`
    cells.

    A longer word is folded. A line break in the text starts a new row. There is always at least one row.
    Breaking only looks to the left: rows but the last stay as they are when text is added at the end.
    """
    rows: list[Row] = []
    for hard in _hard_lines(runs):
        rows += _wrap_line(hard, width)
    return rows


def fold(runs: Sequence[Run], width: int) -> list[Row]:
    """Break one line of code wherever the row is full."""
    text = "".join(run.text for run in runs)
    if text.isascii():
        cuts = list(range(width, len(text), width))
    elif cell_len(text) <= width:
        cuts = []
    else:
        cuts = list(_fold_cuts(text, 0, width, width))
    return _cut(runs, text, _bounded(cuts, len(text), width), keep_spaces=True)


def _hard_lines(runs: Sequence[Run]) -> Iterator[Sequence[Run]]:
    if not any("\n" in run.text for run in runs):
        yield runs
        return
    current: list[Run] = []
    for run in runs:
        first, *others = run.text.split("\n")
        current.append(run._replace(text=first))
        for part in others:
            yield current
            current = [run._replace(text=part)]
    yield current


def _wrap_line(runs: Sequence[Run], width: int) -> list[Row]:
    text = "".join(run.text for run in runs)
    if cell_len(text) <= width:
        return _cut(runs, text, _bounded([], len(text), width), keep_spaces=True)
    word = _WORD if text.isascii() or not _HAS_WIDE.search(text) else _WIDE_WORD
    cuts: list[int] = []
    x = 0
    for match in word.finditer(text):
        whole = match[0]
        core = whole.rstrip(" ")
        spaces = len(whole) - len(core)
        size = cell_len(core)
        if x + size > width:
            if x:
                cuts.append(match.start())
            x = 0
            if size > width:
                folds = list(_fold_cuts(core, match.start(), width, width))
                cuts += folds
                last = folds[-1] - match.start() if folds else 0
                size = cell_len(core[last:])
        x += size + spaces
    return _cut(runs, text, _bounded(cuts, len(text), width), keep_spaces=False)


def _bounded(cuts: Sequence[int], size: int, width: int) -> list[int]:
    """The cuts of a text of this size, and more where too many characters would be left in a row."""
    limit = max(MIN_ROW_CHARACTERS, ROW_CHARACTERS * width)
    more: list[int] = []
    start = 0
    for end in (*cuts, size):
        more += range(start + limit, end, limit)
        more.append(end)
        start = end
    return more[:-1]


def _fold_cuts(text: str, base: int, room: int, width: int) -> Iterator[int]:
    """Where to cut a word so that the first piece fits into `room` cells and the others into `width`."""
    if text.isascii():
        yield from range(base + room, base + len(text), width)
        return
    for start, _, size in split_graphemes(text)[0]:
        if size > room and start:
            yield base + start
            room = width
        room -= size


def _cut(runs: Sequence[Run], text: str, cuts: Sequence[int], *, keep_spaces: bool) -> list[Row]:
    """Split runs at the given positions of their joined text; spaces at the end of a row become its glue."""
    if not cuts:
        return [Row(tuple(run for run in runs if run.text))]
    rows: list[Row] = []
    ends = [*cuts, len(text)]
    current: list[Run] = []
    start = 0
    row = 0
    for run in runs:
        while run.text:
            room = ends[row] - start
            head, tail = run.text[:room], run.text[room:]
            if head:
                current.append(run._replace(text=head) if tail else run)
            start += len(head)
            run = run._replace(text=tail)  # noqa: PLW2901  # the rest of this run belongs to the next row
            if start == ends[row] and row < len(cuts):
                rows.append(Row(tuple(current), "") if keep_spaces else _without_end_spaces(current))
                current = []
                row += 1
    rows.append(Row(tuple(current)))
    return rows


def _without_end_spaces(runs: list[Run]) -> Row:
    glue = ""
    while runs and runs[-1].text.endswith(" "):
        glue = " "
        rest = runs[-1].text.rstrip(" ")
        runs = [*runs[:-1], runs[-1]._replace(text=rest)] if rest else runs[:-1]
    return Row(tuple(runs), glue)
