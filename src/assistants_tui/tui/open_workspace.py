"""The workspace that is open, on its main screen; and how it is left and another one takes its place."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from textual.app import App

from assistants_tui.service.state_keeper import StateKeeper
from assistants_tui.settings.config import Config, Profile
from assistants_tui.settings.paths import Paths
from assistants_tui.settings.state import AppState

if TYPE_CHECKING:
    from assistants_tui.service.conversation.run_notices import RunEnded
    from assistants_tui.tui.screens.chat.screen import ChatScreen


class OpenWorkspace:
    """There is at most one at a time. What it needs is imported when it is opened, after the first frame."""

    def __init__(
        self, app: App[None], paths: Paths, keeper: StateKeeper, run_ended: "Callable[[RunEnded], None]"
    ) -> None:
        """`run_ended` hears of each run that ends in any thread."""
        self._app = app
        self._paths = paths
        self._keeper = keeper
        self._run_ended = run_ended
        self._config = Config()
        self.chat: ChatScreen | None = None
        """The main screen, once it is there."""
        self.asks_to_leave = False
        """Whether the user is being asked about runs that are in progress."""

    async def open(
        self,
        profile: Profile,
        config: Config,
        state: AppState,
        *,
        assistant: str | None = None,
        thread_id: str | None = None,
    ) -> None:
        """Open the workspace of a profile on the main screen, in place of the one before."""
        from assistants_tui.service.workspace import Workspace
        from assistants_tui.tui.screens.chat.screen import ChatScreen

        self._config = config
        workspace = await asyncio.to_thread(  # it reads the history, and may wait for another window's lock
            Workspace,
            profile,
            paths=self._paths,
            config=config,
            state=state,
            remember=self._keeper.remember,
            keep=self._keeper.keep,
            assistant=assistant,
            thread_id=thread_id,
        )
        workspace.run_notices.watch(self._run_ended)
        chat = ChatScreen(workspace, state)
        await (self._app.push_screen(chat) if self.chat is None else self._app.switch_screen(chat))
        self.chat = chat

    def is_made_with(self, profile: Profile, config: Config) -> bool:
        """Whether another workspace with this profile and these settings would be no different."""
        known = self.chat.workspace.session.profile if self.chat is not None else None
        return profile == known and _parts(config) == _parts(self._config)

    async def back_to_chat(self) -> None:
        """Close all screens and dialogs over the main screen."""
        gone: list[Awaitable[object]] = []
        while self._app.screen is not self.chat and len(self._app.screen_stack) > 1:
            gone.append(self._app.pop_screen())
        # shielded: a removal that is cancelled leaves widgets that hear nothing and stay
        await asyncio.shield(asyncio.gather(*gone))

    async def may_leave(self, purpose: str) -> bool:
        """Whether no run is in progress any more; asks what to do about those that are."""
        from assistants_tui.tui.leaving import ask_about_runs, settle_runs

        if self.chat is None or not (busy := self.chat.workspace.conversations.busy):
            return True
        self.asks_to_leave = True
        try:
            choice = await ask_about_runs(self._app, busy, purpose)
        finally:
            self.asks_to_leave = False
        if choice not in ("wait", "stop"):
            return False
        await settle_runs(busy, stop=choice == "stop")
        return True

    async def close(self) -> str:
        """Keep everything and close the workspace. Returns what went wrong, in words: it stops no end."""
        from assistants_tui.tui.leaving import close_workspace

        return "" if self.chat is None else await close_workspace(self.chat, self._keeper)


def _parts(config: Config) -> tuple[object, ...]:
    """What a workspace takes from the settings besides its profile."""
    return config.models, config.functions, config.mcp, config.prices, config.hooks, config.code
