"""A message as lines: who and when, the text, and the notes below it."""

from collections.abc import Callable
from dataclasses import dataclass

from assistants_tui.tui.markdown import IncrementalMarkdown, Line, Run
from assistants_tui.tui.markdown.lines import cells, wrap
from assistants_tui.tui.text.safety import clean


@dataclass(frozen=True, slots=True)
class Note:
    """A line below a message."""

    kind: str
    """What it is: `footnote`, `file`, `image`, `error`, `stopped` or anything else, which gets no sign."""
    text: str
    target: str | None = None
    """What opens when it is chosen; None: nothing does."""
    quotation: str = ""
    """Words of the target, shown after the text."""


@dataclass(frozen=True, slots=True)
class MessageItem:
    """A message as it is shown."""

    id: str
    author: str
    """"You", or the name of the assistant."""
    from_user: bool
    time: str
    """When it was written, ready to be shown."""
    text: str
    """Markdown; annotations are marks like `[1]`."""
    notes: tuple[Note, ...] = ()
    streaming: bool = False
    """More text is coming."""
    source: str = ""
    """The text with all of its code, where `text` has the beginning of it."""


MAX_NOTES = 200
"""Notes that are shown below a message."""
MAX_NOTE = 1000
"""Characters of one that are shown."""

_SIGNS = {"file": "⎘ ", "image": "▣ ", "error": "✗ ", "stopped": "■ "}
_BLANK = Line(())
_WAITING = Line((Run("…", "waiting"),))


class MessageBody:
    """The lines of a message for one width. `update` takes a newer state of the same message.

    Drawing stops once `enough` is true, and `draw` goes on with it. Until it is done, a message is shown as
    far as it is drawn, and one whose text has become another as it was before.
    """

    __slots__ = ("_coming", "_drawn", "_head", "_item", "_notes", "_text", "_width")

    def __init__(self, item: MessageItem, width: int, enough: Callable[[], bool] | None = None) -> None:
        self._item = item
        self._width = width
        self._head = _head(item, width)
        self._notes = _note_lines(item, width)
        self._drawn = IncrementalMarkdown(width, breaks=item.from_user)
        self._coming: IncrementalMarkdown | None = None  # is to take its place
        self._text = ""  # what the newest of them was given
        self._continue()
        self.draw(enough)

    def __len__(self) -> int:
        return 1 + self._text_height + len(self._notes) + 1

    def __getitem__(self, index: int) -> Line:
        height = self._text_height
        if index == 0:
            return self._head
        if index <= height:
            return self._drawn[index - 1] if len(self._drawn) else _WAITING
        index -= height + 1
        return self._notes[index] if index < len(self._notes) else _BLANK

    @property
    def behind(self) -> bool:
        """Whether another `draw` has something to do."""
        return self._coming is not None or self._drawn.behind

    @property
    def _text_height(self) -> int:
        return len(self._drawn) or int(self._item.streaming or self.behind)

    def update(self, item: MessageItem, enough: Callable[[], bool] | None = None) -> int:
        """Show a newer state of the message. The lines from the returned index on may have changed."""
        old, self._item = self._item, item
        first, end = len(self), 1 + self._text_height
        if (old.author, old.time, old.from_user) != (item.author, item.time, item.from_user):
            self._head = _head(item, self._width)
            first = 0
        if old.notes != item.notes:
            self._notes = _note_lines(item, self._width)
            first = min(first, end)
        if old.text != item.text or old.streaming != item.streaming:
            self._continue()
            first = min(first, end, self.draw(enough))
        return first

    def draw(self, enough: Callable[[], bool] | None = None) -> int:
        """Go on drawing. The lines from the returned index on may have changed."""
        first = 1 + self._drawn.flush(enough)
        while (coming := self._coming) is not None:
            coming.flush(enough)
            if coming.behind and len(self._drawn):
                break
            self._drawn, self._coming, first = coming, None, 1
            self._continue()
        return first

    def _continue(self) -> None:
        """Have the newest text drawn: what is new of it, or all of it once the drawing before is shown."""
        text, newest = self._item.text, self._drawn if self._coming is None else self._coming
        if newest.ended:
            if text == self._text and not self._item.streaming:
                return
        elif text.startswith(self._text):
            self._feed(newest)
            return
        if self._coming is None:
            self._text = ""
            self._coming = IncrementalMarkdown(self._width, breaks=self._item.from_user)
            self._feed(self._coming)

    def _feed(self, markdown: IncrementalMarkdown) -> None:
        markdown.feed(self._item.text[len(self._text) :])
        self._text = self._item.text
        if not self._item.streaming:
            markdown.end()


def estimated_height(item: MessageItem, width: int) -> int:
    """About how many lines a message will take, without drawing it."""
    text = item.text
    return (
        2 + max(1, len(text) // width + text.count("\n")) + min(len(item.notes), MAX_NOTES) + bool(item.notes)
    )


def _head(item: MessageItem, width: int) -> Line:
    time = clean(item.time)
    name = Run(
        clean(item.author[:MAX_NOTE]).replace("\n", " "), "author-user" if item.from_user else "author"
    )
    room = width - len(time) - 2
    rows = wrap([name], max(1, room))
    runs = rows[0].runs if len(rows) == 1 else (*wrap([name], max(1, room - 1))[0].runs, Run("…", name.style))
    return Line((*runs, Run(" " * max(1, width - cells(runs) - len(time))), Run(time, "time")))


def _note_lines(item: MessageItem, width: int) -> list[Line]:
    """A line for each note, folded under itself if it is long, and a blank one before them."""
    lines: list[Line] = []
    for index, note in enumerate(item.notes[:MAX_NOTES]):
        style = "note-error" if note.kind == "error" else "note"
        sign = Run(_SIGNS.get(note.kind, ""), style)
        link = f"note:{index}" if note.target is not None else ""
        text = Run(clean(note.text[:MAX_NOTE]), f"{style} link" if link else style, link)
        quotation = [Run(f"  “{clean(note.quotation[:MAX_NOTE])}”", style)] if note.quotation else []
        for place, row in enumerate(wrap([text, *quotation], max(1, width - len(sign.text)))):
            margin = sign if place == 0 else Run(" " * len(sign.text))
            lines.append(Line((margin, *row.runs), "", len(sign.text) if place else 0, row.glue))
    if (more := len(item.notes) - MAX_NOTES) > 0:
        lines.append(Line((Run(f"… and {more:,} more", "note"),)))
    return [_BLANK, *lines] if lines else lines
