"""A message as lines: who and when, the text, and the notes below it."""

from dataclasses import dataclass

from assistants_tui.tui.markdown import IncrementalMarkdown, Line, Run
from assistants_tui.tui.markdown.lines import cells, wrap
from assistants_tui.tui.safety import clean


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


_SIGNS = {"file": "⎘ ", "image": "▣ ", "error": "✗ ", "stopped": "■ "}
_BLANK = Line(())
_WAITING = Line((Run("…", "waiting"),))


class MessageBody:
    """The lines of a message for one width. `update` takes a newer state of the same message."""

    __slots__ = ("_body", "_head", "_item", "_notes", "_width")

    def __init__(self, item: MessageItem, width: int) -> None:
        self._item = item
        self._width = width
        self._head = _head(item, width)
        self._notes = _note_lines(item, width)
        self._body: IncrementalMarkdown | list[Line] = []
        self._draw()

    def __len__(self) -> int:
        return 1 + self._text_height + len(self._notes) + 1

    def __getitem__(self, index: int) -> Line:
        height = self._text_height
        if index == 0:
            return self._head
        if index <= height:
            return self._body[index - 1] if self._body else _WAITING
        index -= height + 1
        return self._notes[index] if index < len(self._notes) else _BLANK

    @property
    def _text_height(self) -> int:
        return len(self._body) or int(self._item.streaming)

    def update(self, item: MessageItem) -> int:
        """Show a newer state of the message. The lines from the returned index on may have changed."""
        old, self._item = self._item, item
        first = len(self)
        if (old.author, old.time, old.from_user) != (item.author, item.time, item.from_user):
            self._head = _head(item, self._width)
            first = 0
        if old.notes != item.notes:
            self._notes = _note_lines(item, self._width)
            first = min(first, 1 + self._text_height)
        if old.text != item.text or old.streaming != item.streaming:
            first = min(first, 1 + self._continue(old))
        return first

    def _continue(self, old: MessageItem) -> int:
        item, body = self._item, self._body
        if not isinstance(body, IncrementalMarkdown) or not item.text.startswith(old.text):
            self._draw()
            return 0
        body.feed(item.text[len(old.text) :])
        if item.streaming:
            return body.flush()
        changed = body.finish()
        self._body = list(body)
        return changed

    def _draw(self) -> None:
        markdown = IncrementalMarkdown(self._width, breaks=self._item.from_user)
        markdown.feed(self._item.text)
        if self._item.streaming:
            markdown.flush()
            self._body = markdown
        else:
            markdown.finish()
            self._body = list(markdown)


def estimated_height(item: MessageItem, width: int) -> int:
    """About how many lines a message will take, without drawing it."""
    text = item.text
    return 2 + max(1, len(text) // width + text.count("\n")) + len(item.notes) + bool(item.notes)


def _head(item: MessageItem, width: int) -> Line:
    time = clean(item.time)
    name = Run(clean(item.author).replace("\n", " "), "author-user" if item.from_user else "author")
    room = width - len(time) - 2
    rows = wrap([name], max(1, room))
    runs = rows[0].runs if len(rows) == 1 else (*wrap([name], max(1, room - 1))[0].runs, Run("…", name.style))
    return Line((*runs, Run(" " * max(1, width - cells(runs) - len(time))), Run(time, "time")))


def _note_lines(item: MessageItem, width: int) -> list[Line]:
    """A line for each note, folded under itself if it is long, and a blank one before them."""
    lines: list[Line] = []
    for index, note in enumerate(item.notes):
        style = "note-error" if note.kind == "error" else "note"
        sign = Run(_SIGNS.get(note.kind, ""), style)
        link = f"note:{index}" if note.target is not None else ""
        text = Run(clean(note.text), f"{style} link" if link else style, link)
        quotation = [Run(f"  “{clean(note.quotation)}”", style)] if note.quotation else []
        for place, row in enumerate(wrap([text, *quotation], max(1, width - len(sign.text)))):
            margin = sign if place == 0 else Run(" " * len(sign.text))
            lines.append(Line((margin, *row.runs), "", len(sign.text) if place else 0, row.glue))
    return [_BLANK, *lines] if lines else lines
