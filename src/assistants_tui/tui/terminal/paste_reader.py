"""Tells what was pasted from what was typed, in the text that a terminal sends (DEC private mode 2004).

Between the marks nothing is a key. Whoever wrote the pasted text may have put an end mark into it: terminals
filter it, tmux does not. So what follows an end mark without a pause is not believed to be keys as long as
another end mark may come: the last one counts. A text in which the terminal itself pauses after such a mark
cannot be told from keys by any program.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

ESC = "\x1b"
START, END = "\x1b[200~", "\x1b[201~"
_KEY_DELAY = 0.1
"""Seconds after which an escape is no longer the beginning of a mark, but the key."""
_MARK_DELAY = 1.0
"""The same for what no key begins with. Marks arrive in two pieces over a slow line."""
_AFTER_END = 0.1
"""Seconds without data after which the paste is over."""
_STALL = 2.0
"""Seconds without data after which what came is shown. The rest may still come."""
_LEAVE = {"\x03", "\x11", "\x1b[99;5u", "\x1b[113;5u"}
"""Ctrl+C and Ctrl+Q: alone and after a stall they end a paste whose end mark was lost."""
_REPORTS = re.compile(r"(?:\x1b\[(?:<[\d;]+[mM]|[IO]))+")
"""Mouse and focus: they come at any time, and are no sign of a paste that goes on."""
_UNFINISHED = re.compile(r"(?:\r|\x1b[^\x1b]{0,31})\Z")
"""What the next piece may turn into something else: half a line end, half an escape sequence."""


@dataclass(frozen=True, slots=True)
class Pasted:
    """A text that was pasted, as it came: with escape sequences, and any kind of line end."""

    text: str


class PasteReader:
    """Takes the text piece by piece and yields keys (`str`) and pastes, the same whatever the pieces.

    Times are seconds of one clock that never goes back.
    """

    def __init__(self) -> None:
        self.deadline: float | None = None
        """When `tick` has something to do if nothing comes before."""
        self._held = ""  # the end of the keys, which may begin a mark; or of the paste
        self._late = ""  # the part of a mark that was given out as keys a moment ago
        self._open = False
        self._stalled = False
        self._pieces: list[str] = []
        self._sure = 0  # the pieces up to the last end mark

    def feed(self, text: str, now: float) -> Iterator[str | Pasted]:
        """Take what the terminal has sent."""
        if self._open:
            return self._feed_paste(text, now)
        late, self._late = self._late, ""
        if late and text.startswith(START[len(late) :]):
            text = late + text
        return self._feed_keys(self._held + text, now)

    def tick(self, now: float) -> Iterator[str | Pasted]:
        """Nothing has come until `now`: settle what is due."""
        if self.deadline is None or now < self.deadline:
            return
        self.deadline = None
        if self._open:
            yield from self._stall() if not self._sure else self._finish(now)
        elif self._held:
            keys, self._held = self._held, ""
            self._late = keys if keys == ESC else ""
            yield keys

    def end(self) -> Iterator[str | Pasted]:
        """Nothing will come any more."""
        while self._open or self._held:
            if self._open and not self._sure:
                self._seal()
            self.deadline = 0.0
            yield from self.tick(0.0)

    def _feed_keys(self, text: str, now: float) -> Iterator[str | Pasted]:
        self.deadline, self._held = None, ""
        keys, mark, rest = text.partition(START)
        if mark:
            if keys:
                yield keys
            self._open, self._stalled = True, False
            yield from self._feed_paste(rest, now)
            return
        if held := _beginning(text, START):
            self._held, text = held, text[: -len(held)]
            self.deadline = now + (_KEY_DELAY if held == ESC else _MARK_DELAY)
        if text:
            yield text

    def _feed_paste(self, text: str, now: float) -> Iterator[str | Pasted]:
        if self._stalled and not self._sure and text in _LEAVE:
            self._seal()
            yield from self._finish(now)
            return
        only_reports = bool(self._sure) and _REPORTS.fullmatch(text) is not None
        text = self._held + text
        cut = text.rfind(END) + len(END)
        if cut >= len(END):
            self._pieces.append(text[:cut])
            self._sure, text = len(self._pieces), text[cut:]
        self._held = text[-len(END) + 1 :]
        if len(text) > len(self._held):
            self._pieces.append(text[: -len(self._held)])
        if not only_reports:
            self.deadline = now + (_AFTER_END if self._sure else _STALL)

    def _seal(self) -> None:
        """End the paste where no end mark has come."""
        self._pieces.append(self._held + END)
        self._held, self._sure = "", len(self._pieces)

    def _finish(self, now: float) -> Iterator[str | Pasted]:
        """The paste ends with its last end mark; what came after it is keys, or another paste."""
        pasted = "".join(self._pieces[: self._sure]).removesuffix(END)
        rest = "".join(self._pieces[self._sure :]) + self._held
        self._pieces, self._sure, self._held, self._open = [], 0, "", False
        self.deadline = None
        for text in pasted.split(END + START):  # several dropped files, one paste each
            yield Pasted(text)
        if rest:
            yield from self._feed_keys(rest, now)

    def _stall(self) -> Iterator[str | Pasted]:
        """Show what has come of a paste that does not go on."""
        self._stalled = True
        text = "".join(self._pieces) + self._held
        unfinished = _UNFINISHED.search(text)
        self._held = unfinished[0] if unfinished else ""
        self._pieces = []
        if text := text[: len(text) - len(self._held)]:
            yield Pasted(text)


def _beginning(text: str, mark: str) -> str:
    """The longest end of `text` that may be the beginning of `mark`."""
    for size in range(min(len(text), len(mark) - 1), 0, -1):
        if text.endswith(mark[:size]):
            return mark[:size]
    return ""
