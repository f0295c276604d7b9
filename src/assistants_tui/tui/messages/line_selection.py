"""Selecting parts of drawn lines, and turning them back into text."""

from collections.abc import Sequence

from assistants_tui.tui.markdown import Line, Run


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
