"""The end that nobody asks about: the system ends the app, or its terminal goes away."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress

from rich.text import Text
from textual.app import App
from textual.driver import Driver

from assistants_tui.service.exit_guard import end_children, end_hard_after
from assistants_tui.service.state_keeper import StateKeeper
from assistants_tui.tui.terminal.driver import TerminalDriver

_LAST_SECONDS = 1.0
"""What the app gets to close everything in order once it was told to end."""
_SLOW_DISK = 2.0
"""What the disk gets beyond that for what is to be kept."""
_HARD_END = 5.0
"""After so many seconds it ends whatever it hangs in."""


class ExitSignals:
    """Ends the app without a question. Runs end with what they have written, or go on at their server."""

    def __init__(self, app: App[None], keeper: StateKeeper, close: Callable[[], Awaitable[str]]) -> None:
        """`close` closes what is open, and returns what went wrong, in words."""
        self._app = app
        self._keeper = keeper
        self._close = close
        self._driver: TerminalDriver | None = None
        self._begun = False

    def on_signals(self, driver: Driver | None) -> None:
        """From now on, end when the system says so, or the terminal of `driver` goes away."""
        loop = asyncio.get_running_loop()

        def end(number: int, _: object = None) -> None:
            end_hard_after(_HARD_END, 128 + number)
            with suppress(RuntimeError):  # the app has ended meanwhile
                loop.call_soon_threadsafe(self.begin, 128 + number)

        # not the loop's own handlers: they would hear the Ctrl-C of an editor that has the terminal
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, end)
        if isinstance(driver, TerminalDriver):
            self._driver = driver
            driver.when_gone = lambda: end(signal.SIGHUP)
            if driver.is_gone:
                end(signal.SIGHUP)

    def begin(self, code: int) -> None:
        """Begin to end, with this exit code. Once is enough."""
        if not self._begun:
            self._begun = True
            if self._driver is not None and self._driver.is_gone:
                self._driver.let_go()
            self._app.run_worker(self._end(code), group="leave", exclusive=True)

    async def _end(self, code: int) -> None:
        failure = ""
        for seconds in (_LAST_SECONDS, _LAST_SECONDS / 2):
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    failure = await self._close()
                break
            await asyncio.to_thread(end_children)  # it may be one of them that does not end
        with suppress(TimeoutError):
            async with asyncio.timeout(_SLOW_DISK):
                await self._keeper.settled()
        self._app.exit(return_code=code, message=Text(failure))
