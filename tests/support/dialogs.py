"""A dialog by itself: our styles and safety filter, without the main screen and an engine behind it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from textual.app import App
from textual.filter import LineFilter
from textual.pilot import Pilot
from textual.screen import Screen

import assistants_tui.tui.app as main
from assistants_tui.tui.text.safety import SafeFilter
from assistants_tui.tui.themes import own_variables

TINY = (40, 12)
HOSTILE = "[red]a\x1b[31m\u202eb\n[/]" + "long " * 200 + "界" * 50


class DialogApp(App[None]):
    """Shows a dialog as our app would."""

    CSS_PATH = Path(main.__file__).with_name("app.tcss")
    HORIZONTAL_BREAKPOINTS = main.AssistantsApp.HORIZONTAL_BREAKPOINTS
    VERTICAL_BREAKPOINTS = main.AssistantsApp.VERTICAL_BREAKPOINTS

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return own_variables(self.current_theme)

    def get_line_filters(self) -> Sequence[LineFilter]:
        return [SafeFilter(), *super().get_line_filters()]


class OpenDialog:
    """A dialog that is shown, and what it has returned."""

    def __init__(self, app: DialogApp, pilot: Pilot[None]) -> None:
        self.app = app
        self.pilot = pilot
        self.answers: list[Any] = []

    @property
    def lines(self) -> list[str]:
        """What stands between the borders of the dialog, line by line."""
        strips = self.app.screen._compositor.render_strips()
        return ["".join(segment.text for segment in strip).strip("│ ") for strip in strips]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def until_shown(self, text: str) -> None:
        for _ in range(500):
            if text in self.text:
                return
            await asyncio.sleep(0.02)
        raise AssertionError(f"{text!r} was not shown; the screen is\n{self.text}")

    async def show(self, dialog: Screen[Any]) -> None:
        """Show another one, when the one before has returned."""
        self.app.push_screen(dialog, self.answers.append)
        await self.pilot.pause()

    async def resize(self, size: tuple[int, int]) -> None:
        await self.pilot.resize_terminal(*size)
        await self.pilot.pause()


@asynccontextmanager
async def open_dialog(dialog: Screen[Any], size: tuple[int, int] = (80, 24)) -> AsyncIterator[OpenDialog]:
    """Show `dialog`, and close the app at the end. An exception of the app fails the test."""
    app = DialogApp()
    async with app.run_test(size=size) as pilot:
        opened = OpenDialog(app, pilot)
        await opened.show(dialog)
        yield opened
