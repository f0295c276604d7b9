"""Selecting parts of drawn lines, and turning them back into text."""

from collections.abc import Sequence

from textual.geometry import Offset
from textual.selection import Selection

from assistants_tui.tui.markdown import Line, Run

from .entry_list import EntryList
from .message_entry import MessageEntry

_LINES = 1 << 20  # more than a message has: the number of a line in a selection is serial * _LINES + row


def line_number(entry: MessageEntry, row: int) -> int:
    """The number of a line in a selection. It stays when messages come before it."""
    return entry.serial * _LINES + row


def whole_message(entry: MessageEntry, height: int) -> Selection:
    """The selection of all lines of a message but the blank one below it."""
    first = line_number(entry, 0)
    return Selection(Offset(0, first), Offset(_LINES, first + height - 2))


def selected_part(selection: Selection, entry: MessageEntry, row: int) -> tuple[int, int] | None:
    """The selected part of a line as character positions; the second is -1 for its end."""
    span = selection.get_span(line_number(entry, row))
    return None if span is None else (max(0, span[0]), span[1])


def selected_text(entries: EntryList, selection: Selection) -> str:
    """The selected text: messages that are selected as a whole as Markdown, others as they are shown, with
    wrapped lines joined.
    """
    if not len(entries):
        return ""
    start, end = selection  # not to be tested for truth: the offset (0, 0) is false
    if start is None:
        start = Offset(0, line_number(entries[0], 0))
    if end is None:
        end = Offset(_LINES, line_number(entries[len(entries) - 1], _LINES - 1))
    texts: list[str] = []
    for place, entry in enumerate(entries):
        first = line_number(entry, 0)
        if first + _LINES <= start.y or end.y < first:
            continue
        before = start.y < first or (start.y == first and start.x <= 0)
        if before and end.y > first + entries.heights[place]:
            texts.append(f"{entry.item.author}\n{entry.item.text}\n\n")
            continue
        entries.measure(place)
        rows = range(max(0, start.y - first), min(end.y - first, len(entry.body) - 1) + 1)
        spans = [
            (max(0, start.x) if first + row == start.y else 0, end.x if first + row == end.y else _LINES)
            for row in rows
        ]
        texts.append(joined([entry.body[row] for row in rows], spans))
    return "".join(texts)


def highlighted(runs: Sequence[Run], start: int, end: int, style: str = "selected") -> list[Run]:
    """The runs of a line, with a style between two characters; -1 is the end of the line."""
    parts: list[Run] = []
    at = 0
    for run in runs:
        size = len(run.text)
        low = min(max(start - at, 0), size)
        high = size if end < 0 else min(max(end - at, low), size)
        for text, styles in (
            (run.text[:low], run.style),
            (run.text[low:high], f"{run.style} {style}"),
            (run.text[high:], run.style),
        ):
            if text:
                parts.append(run._replace(text=text, style=styles))
        at += size
    return parts


def joined(lines: Sequence[Line], spans: Sequence[tuple[int, int]]) -> str:
    """The text of the given part of each line.

    Where a line was wrapped it goes on with the next, without the indentation and bars that were drawn before
    that; code loses its frame and its head everywhere.
    """
    text = ""
    glue = "\n"
    for line, (start, end) in zip(lines, spans, strict=True):
        if any(run.link.startswith("code:") for run in line.runs):
            continue  # the head of a code block is no text
        drawn = line.margin if glue != "\n" or line.fill else 0
        text += line.text[max(start, drawn) : max(end, drawn)]
        glue = line.glue
        text = text if glue == "" else text.rstrip(" ") + glue
    return text
