"""The real app on the real embedded engine, driven without a terminal."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from textual import events
from textual.pilot import Pilot

from assistants_tui.service.conversation.conversation import Conversation
from assistants_tui.settings.paths import user_paths
from assistants_tui.tui.app import AssistantsApp
from assistants_tui.tui.messages.message_view import MessageView
from assistants_tui.tui.screens.chat.screen import ChatScreen
from support.model_endpoint import ModelEndpoint, Reply
from support.patience import patience
from support.pilot import look

EQUATION = "I need to solve the equation `3x + 11 = 14`. Can you help me?"


def use_model(url: str, *lines: str) -> None:
    """Let the embedded profile answer with the chat-completions endpoint at `url`; `lines`: more settings."""
    config = user_paths().config_file
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text(
        f'[profiles.local]\nkind = "embedded"\nmodel_url = "{url}"\ndefault_model = "served"\n'
        + "\n".join(lines)
    )


class Driver:
    """Presses keys and says what the screen shows."""

    def __init__(self, app: AssistantsApp, pilot: Pilot[None]) -> None:
        self.app = app
        self.pilot = pilot
        self.strict = True
        """Whether an unexpected exception fails the test, though the app goes on."""
        self.told: list[str] = []
        """All notifications so far: on a busy computer one may be over before it is looked for."""
        notify = app.notify

        def told(message: str, *, title: str = "", **options: Any) -> None:
            self.told.append(f"{title} {message}")
            notify(message, title=title, **options)

        app.notify = told  # type: ignore[method-assign]

    @property
    def chat(self) -> ChatScreen:
        assert self.app.chat is not None
        return self.app.chat

    @property
    def conversation(self) -> Conversation:
        """The open thread."""
        return self.chat.workspace.conversations.shown

    @property
    def screen(self) -> str:
        """Every line of the screen as text."""
        look(self.app)
        strips = self.app.screen._compositor.render_strips()
        return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips)

    @property
    def texts(self) -> list[str]:
        """The texts of the messages that the conversation shows."""
        return [item.text for item in self.chat.query_one("#messages", MessageView).items]

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def type(self, text: str) -> None:
        """Bring a text to the focused field as a terminal does, and press Enter."""
        self.app.post_message(events.Paste(text))
        await self.pilot.press("enter")

    async def until(self, condition: Callable[[], object], *, seconds: float = 30) -> None:
        """Let the app work until the condition holds; `seconds`: see `patience`."""
        begin = time.monotonic()
        polls = 0
        while not condition():
            assert self.app._exception is None, "the app has crashed; what happened stands below"
            self.nothing_unexpected()
            waited = time.monotonic() - begin
            assert waited < patience(seconds), f"{waited:.0f} s, and it did not come to that:\n{self.screen}"
            await asyncio.sleep(0.04)
            polls += 1
            if polls % 5 == 0:  # some things happen when they come into sight
                look(self.app)
        await self.pilot.pause()

    def nothing_unexpected(self) -> None:
        """Raise what the app has told instead of crashing. Tests that mean it set `strict`."""
        for error in self.app.unexpected if self.strict else ():
            raise error

    async def until_shown(self, text: str) -> None:
        await self.until(lambda: text in self.screen)

    async def until_told(self, text: str) -> None:
        """Let the app work until a notification has said so."""
        await self.until(lambda: any(text in told for told in self.told))

    async def until_answered(self, runs: int = 1) -> None:
        """Let the app work until the open thread has so many finished runs and nothing is on its way."""
        await self.until(
            lambda: len(self.conversation.runs) >= runs and not self.conversation.busy and self.drawn
        )

    @property
    def drawn(self) -> bool:
        """Whether the view shows all messages of the open thread."""
        return len(self.texts) >= len(self.conversation.messages)

    async def quit(self) -> None:
        """Leave the app, which has to have nothing to ask."""
        await self.pilot.press("ctrl+q")
        await self.until(lambda: not self.app.is_running)


@asynccontextmanager
async def open_app(
    size: tuple[int, int] = (140, 40),
    *,
    connected: bool = True,
    notifications: bool = False,
    **options: str | None,
) -> AsyncIterator[Driver]:
    """The app as the command opens it, and closed again as the user would.

    `notifications`: whether they are drawn, as in a terminal.
    """
    app = AssistantsApp(user_paths(), **options)
    async with app.run_test(size=size, notifications=notifications) as pilot:
        driver = Driver(app, pilot)
        await driver.until(lambda: app.chat is not None)
        if connected:
            await driver.until(lambda: driver.chat.workspace.session.connected)
        try:
            yield driver
            driver.nothing_unexpected()
        finally:
            if app.is_running and app.chat is not None:
                await app.chat.workspace.close()


@asynccontextmanager
async def open_app_with(
    *replies: Reply, size: tuple[int, int] = (140, 40), **options: str | None
) -> AsyncIterator[Driver]:
    """The app on a model endpoint that gives these answers, one after the other."""
    async with ModelEndpoint(*replies) as endpoint:
        use_model(endpoint.url)
        async with open_app(size, connected=True, notifications=False, **options) as driver:
            yield driver
