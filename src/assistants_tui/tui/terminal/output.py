"""What is written to the terminal, by a thread, so that nobody waits for a terminal that does not read.

Terminals stop reading when their user halts them, or a connection stalls. Frames that nobody would see are
dropped then, and one whole frame is painted when the terminal reads again. What no later frame says again,
bells and operating system commands such as a text for the clipboard, is kept until then. Once a write fails,
the terminal is gone, and nothing more is written.
"""

import os
import select
import threading
from collections import deque
from collections.abc import Callable

_BACKLOG = 256 * 1024
"""Bytes that may wait to be written, about one whole frame of a large screen; and as many of what is kept."""
_BELL = b"\a"
_COMMAND = b"\x1b]"  # how an operating system command (OSC) begins


class Output:
    """Writes to one file descriptor, in order."""

    def __init__(
        self, descriptor: int, encoding: str, *, lost: Callable[[], None], caught_up: Callable[[], None]
    ) -> None:
        """`lost` is called when the terminal is gone, `caught_up` when it reads again after frames were
        dropped; both in the writing thread."""
        self._descriptor = descriptor
        self._encoding = encoding
        self._lost, self._caught_up = lost, caught_up
        self._waiting: deque[bytes] = deque()
        self._size = 0
        self._kept: deque[bytes] = deque()
        self._dropped = False
        self._stopping = False
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self.gone = False
        """Whether nothing is written any more."""

    def start(self) -> None:
        """Begin to write; or go on, if the terminal has not read yet what came before `stop`."""
        with self._changed:
            self._stopping = False
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="terminal-output", daemon=True)
                self._thread.start()

    def write(self, text: str) -> None:
        """Let a text be written. Never waits. What the encoding lacks becomes a question mark."""
        data = text.encode(self._encoding, "replace")
        with self._changed:
            if self.gone:
                return
            if self._dropped or (self._waiting and self._size + len(data) > _BACKLOG):
                if _is_said_once(data):
                    self._keep(data)
                else:
                    self._dropped = True
                return
            self._waiting.append(data)
            self._size += len(data)
            self._changed.notify()

    def skip(self) -> None:
        """Drop the frames that still wait: what is written next is more important."""
        with self._changed:
            for data in filter(_is_said_once, self._waiting):
                self._keep(data)
            self._waiting.clear()
            self._size = 0
            self._dropped = False

    def stop(self, seconds: float) -> None:
        """Write what waits and end the thread; give up after so many seconds."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
            thread = self._thread
        if thread is not None:
            thread.join(seconds)

    def give_up(self) -> None:
        """Write nothing any more."""
        with self._changed:
            self.gone = True
            self._waiting.clear()
            self._kept.clear()
            self._changed.notify()

    def _keep(self, data: bytes) -> None:
        """Keep what is said once. Of too much the oldest goes; one bell is as good as several."""
        if data == _BELL and _BELL in self._kept:
            return
        self._kept.append(data)
        while len(self._kept) > 1 and sum(map(len, self._kept)) > _BACKLOG:
            self._kept.popleft()

    def _run(self) -> None:
        while (data := self._next()) is not None:
            try:
                self._write(data)
            except OSError:
                self.give_up()
                self._lost()

    def _next(self) -> bytes | None:
        """The next piece, once there is one; None at the end."""
        while True:
            with self._changed:
                self._changed.wait_for(
                    lambda: self._waiting or self._kept or self._dropped or self._stopping or self.gone
                )
                if self.gone:
                    return None
                if self._waiting:
                    data = self._waiting.popleft()
                    self._size -= len(data)
                    return data
                if self._kept:
                    return self._kept.popleft()
                if self._stopping:
                    self._thread = None
                    return None
                self._dropped = False
            self._caught_up()

    def _write(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest and not self.gone:
            try:
                rest = rest[os.write(self._descriptor, rest) :]
            except BlockingIOError:  # another program on this terminal has set it so
                select.select([], [self._descriptor], [], 1.0)


def _is_said_once(data: bytes) -> bool:
    """Whether no later frame says it again."""
    return data == _BELL or data.startswith(_COMMAND)
