"""The installed command in a real pseudo-terminal, its screen read through a terminal emulator."""

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import NoReturn

import psutil
import pyte

from support.patience import patience

COMMAND = Path(sys.executable).parent / "assistants-tui"


class Terminal:
    """Runs a program as a user's terminal does: bytes in, bytes out, a size, and signals.

    Waiting means reading until the screen shows what was asked for; there is a deadline, but no sleep.
    """

    def __init__(
        self,
        arguments: Sequence[str] = (),
        *,
        env: Mapping[str, str],
        columns: int = 120,
        lines: int = 40,
        command: Path = COMMAND,
        program: Callable[[], int] | None = None,
    ) -> None:
        """`program`: run this in a copy of the present process, which must have one thread only, instead of
        the command. What it imports may be there already, so it starts ten times as fast."""
        self.screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self.screen)
        self.raw = bytearray()
        """Every byte that the program sent to the terminal."""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            if program is not None:
                _run_here(program, env)
            os.execve(command, [str(command), *arguments], dict(env))
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self.exit_code: int | None = None

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.exit_code is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.fd)

    def kill(self) -> None:
        """End the program without a chance to tidy up. What it started has to notice by itself."""
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        self.exit_code = -signal.SIGKILL

    @property
    def family(self) -> list[psutil.Process]:
        """The processes that the program has started and that run now, with those that they started."""
        return psutil.Process(self.pid).children(recursive=True)

    @property
    def text(self) -> str:
        """The screen as lines of text."""
        # not `screen.display`: it fails where half of a wide character has been written over
        rows, columns = range(self.screen.lines), range(self.screen.columns)
        return "\n".join(
            "".join(self.screen.buffer[row][column].data for column in columns).rstrip() for row in rows
        )

    def send(self, keys: str) -> None:
        """Type `keys`; escape sequences stand for the special ones."""
        data = keys.encode()
        while data:
            data = data[os.write(self.fd, data) :]

    def wait_for(self, what: str | Callable[[str], bool], *, seconds: float = 30) -> str:
        """Read until the screen holds `what`, and return the screen; `seconds`: see `patience`."""
        wanted = (lambda text: what in text) if isinstance(what, str) else what
        begin = time.monotonic()
        while not wanted(self.text):
            if not self._read(begin + patience(seconds)):
                raise AssertionError(f"not seen: {what!r}; the screen is\n{self.text}")
        return self.text

    def wait_for_exit(self, *, seconds: float = 30) -> int:
        """Read until the program has ended and return its exit code; `seconds`: see `patience`."""
        deadline = time.monotonic() + patience(seconds)
        while self._read(deadline):
            pass
        pid, status = os.waitpid(self.pid, os.WNOHANG if time.monotonic() > deadline else 0)
        if pid == 0:
            raise AssertionError(f"still running; the screen is\n{self.text}")
        self.exit_code = os.waitstatus_to_exitcode(status)
        return self.exit_code

    def read(self, seconds: float) -> bool:
        """Take in what the program writes next without drawing it; False at its end or when time is up."""
        ready, _, _ = select.select([self.fd], [], [], max(0.0, seconds))
        if not ready:
            return False
        with contextlib.suppress(OSError):  # Linux reports the end of a pseudo-terminal as an error
            if data := os.read(self.fd, 65536):
                self.raw += data
                return True
        return False

    def watch(self, seconds: float) -> str:
        """Read for so long, or until the program ends, and return the screen."""
        deadline = time.monotonic() + seconds
        while self._read(deadline):
            pass
        return self.text

    def settle(self, quiet: float) -> str:
        """Read until nothing has come for so many seconds, and return the screen."""
        while self._read(time.monotonic() + quiet):
            pass
        return self.text

    def _read(self, deadline: float) -> bool:
        known = len(self.raw)
        alive = self.read(deadline - time.monotonic())
        self._stream.feed(bytes(self.raw[known:]))
        return alive


def _run_here(program: Callable[[], int], env: Mapping[str, str]) -> NoReturn:
    code = 1
    try:
        os.environ.clear()
        os.environ.update(env)
        sys.stdin, sys.stdout = os.fdopen(0, "r"), os.fdopen(1, "w")
        sys.stderr = sys.__stderr__
        code = program()
    finally:
        os._exit(code)
