"""Textual's driver with our own way in and out, and an end when the terminal goes away."""

import os
import select
import sys
import termios
from collections.abc import Callable
from time import monotonic

from textual.app import App
from textual.drivers.linux_driver import LinuxDriver

from assistants_tui.tui.terminal.input import TerminalInput
from assistants_tui.tui.terminal.output import Output

_READ = 64 * 1024
_POLL = 0.1
"""Seconds after which the input thread looks whether it is to end."""
_PATIENCE = 0.5
"""Seconds that a terminal gets to read what is left when it is given back."""


class TerminalDriver(LinuxDriver):
    """Reads and writes one terminal.

    With Textual's own driver pasted text presses keys, bytes that are no UTF-8 end the app, the event loop
    waits for a terminal that does not read, and the app waits for ever for a terminal that is gone.
    """

    def __init__(
        self, app: App[None], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self.when_gone: Callable[[], None] = lambda: None
        """Called on the event loop once the terminal is gone."""
        file = sys.__stderr__
        assert file is not None
        self._terminals = [descriptor for descriptor in (0, 1, 2) if os.isatty(descriptor)]
        self._output = Output(
            file.fileno(),
            file.encoding,
            lost=lambda: self._on_loop(self.when_gone),
            caught_up=lambda: self._on_loop(lambda: app.refresh(layout=True)),
        )

    @property
    def is_gone(self) -> bool:
        """Whether the terminal does not exist any more."""
        try:
            termios.tcgetattr(self.fileno)
        except (termios.error, OSError):
            return True
        return False

    def let_go(self) -> None:
        """Write nothing more, whoever tries: the terminal is gone."""
        self._output.give_up()
        nothing = os.open(os.devnull, os.O_RDWR)
        for descriptor in self._terminals:
            os.dup2(nothing, descriptor)
        os.close(nothing)

    def write(self, data: str) -> None:
        self._output.write(data)

    def start_application_mode(self) -> None:
        self._output.start()
        super().start_application_mode()  # type: ignore[no-untyped-call]

    def stop_application_mode(self) -> None:
        self._output.skip()
        super().stop_application_mode()

    def close(self) -> None:
        self._output.stop(_PATIENCE)
        super().close()  # Textual's own writer, which had nothing to do

    def run_input_thread(self) -> None:
        """Read until the app leaves or the terminal is gone."""
        source = TerminalInput()
        while not self.exit_event.is_set():
            due = source.deadline
            wait = _POLL if due is None else min(max(due - monotonic(), 0.0), _POLL)
            if not select.select([self.fileno], [], [], wait)[0]:
                messages = source.tick(monotonic())
            elif data := self._read():
                messages = source.feed(data, monotonic())
            elif self.is_gone:
                for message in source.end():
                    self.process_message(message)
                self._on_loop(self.when_gone)
                return
            else:  # another program has told the terminal not to wait
                self.exit_event.wait(_POLL)
                continue
            for message in messages:
                self.process_message(message)

    def _read(self) -> bytes:
        try:
            return os.read(self.fileno, _READ)
        except OSError:
            return b""

    def _on_loop(self, act: Callable[[], object]) -> None:
        try:
            self._loop.call_soon_threadsafe(act)
        except RuntimeError:  # the app has ended meanwhile
            return
