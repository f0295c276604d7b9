"""The app: the first frame, themes, the safety filter, the main screen, and leaving without losing anything.

Only what the first frame needs is imported here; the main screen and all behind it follow when it is painted.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import reduce
from typing import TYPE_CHECKING, ClassVar

from textual import events, work
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.color import Color
from textual.command import Provider
from textual.filter import LineFilter
from textual.worker import Worker

from assistants_tui.settings.config import LoadedConfig, create_config, load_config
from assistants_tui.settings.files import SettingsError
from assistants_tui.settings.paths import Paths
from assistants_tui.settings.state import AppState, load_state, update_state
from assistants_tui.tui.safety import SafeFilter
from assistants_tui.tui.themes import DEFAULT_DARK, bundled_folder, load_themes
from assistants_tui.tui.widgets.first_frame import FirstFrame

if TYPE_CHECKING:
    from assistants_tui.tui.screens.chat import ChatScreen

StateChange = Callable[[AppState], AppState]
_MODIFIERS = {"ctrl": "^", "shift": "⇧", "alt": "Alt+"}
_KEY_NAMES = {
    "enter": "Enter",
    "escape": "Esc",
    "space": "Space",
    "tab": "Tab",
    "delete": "Del",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "home": "Home",
    "end": "End",
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
    "slash": "/",
    "question_mark": "?",
}


def _app_commands() -> type[Provider]:
    from assistants_tui.tui.commands import AppCommands  # not before the palette opens

    return AppCommands


class AssistantsApp(App[None]):
    """The terminal client. What it needs from disk is read before the first frame, nothing else is."""

    TITLE = "assistants-tui"
    CSS_PATH = "app.tcss"
    ENABLE_COMMAND_PALETTE = True
    COMMANDS = App.COMMANDS | {_app_commands}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+q", "quit", "Quit", priority=True, id="app.quit", tooltip="Leave the app"),
    ]

    def __init__(
        self,
        paths: Paths,
        *,
        profile: str | None = None,
        assistant: str | None = None,
        thread_id: str | None = None,
    ) -> None:
        """`profile`, `assistant` (name or ID) and `thread_id` choose where to begin."""
        super().__init__()
        self._paths = paths
        self._wanted = (profile, assistant, thread_id)
        self._changes: list[StateChange] = []
        self._keeper: Worker[None] | None = None
        self._settled = False
        self._typed_early: list[events.Key | events.Paste] = []
        self.chat: ChatScreen | None = None
        """The main screen, once it is there."""

    def compose(self) -> ComposeResult:
        yield FirstFrame()

    def get_line_filters(self) -> Sequence[LineFilter]:
        return [SafeFilter(), *super().get_line_filters()]

    def get_key_display(self, binding: Binding) -> str:
        if binding.key_display:
            return binding.key_display
        *modifiers, key = binding.key.split("+")
        name = _KEY_NAMES.get(key, key.upper() if modifiers or (key[0] == "f" and key[1:].isdigit()) else key)
        return "".join(_MODIFIERS.get(modifier, f"{modifier}+") for modifier in modifiers) + name

    def get_theme_variable_defaults(self) -> dict[str, str]:
        # `$text-muted` is a contrast colour that spans inside a line cannot blend; this is a plain colour
        theme = self.current_theme
        background = Color.parse(theme.background or ("#121212" if theme.dark else "#e0e0e0"))
        foreground = Color.parse(theme.foreground or background.inverse.hex)
        return {"muted": foreground.blend(background, 0.4).hex}

    def on_mount(self) -> None:
        loaded = load_config(self._paths.config_file)
        themes = load_themes(bundled_folder(), self._paths.themes_dir)
        for theme in themes.themes:
            self.register_theme(theme)
        state = load_state(self._paths.state_file)
        wanted = state.theme or loaded.config.theme or DEFAULT_DARK
        self.theme = wanted if wanted in self.available_themes else DEFAULT_DARK
        self._settled = True
        self.call_after_refresh(self._open_chat, loaded, state)
        for problem in (*map(str, loaded.problems), *themes.problems):
            self.notify(problem, title="Settings", severity="warning", markup=False, timeout=15)

    def on_key(self, event: events.Key) -> None:
        if self.chat is None:
            self._typed_early.append(event)

    def on_paste(self, event: events.Paste) -> None:
        if self.chat is None:
            self._typed_early.append(event)

    async def _open_chat(self, loaded: LoadedConfig, state: AppState) -> None:
        """The first frame is painted: bring in the main screen, and give it the keys typed meanwhile."""
        from assistants_tui.service.workspace import Workspace
        from assistants_tui.tui.screens.chat import ChatScreen

        profile_name, assistant, thread_id = self._wanted
        name = profile_name or loaded.config.default_profile
        profile = loaded.config.profiles.get(name) or loaded.config.profiles[loaded.config.default_profile]
        if profile.name != name:
            known = ", ".join(loaded.config.profiles)
            self.notify(
                f"There is no profile “{name}”; config.toml has: {known}. This is “{profile.name}”.",
                title="Settings",
                severity="warning",
                markup=False,
                timeout=15,
            )
        workspace = Workspace(
            profile,
            paths=self._paths,
            config=loaded.config,
            state=state,
            remember=self._remember,
            assistant=assistant,
            thread_id=thread_id,
        )
        chat = ChatScreen(workspace, prompts=state.prompts)
        await self.push_screen(chat)
        self.chat = chat
        for event in self._typed_early:
            self.post_message(event)
        self._typed_early.clear()
        self.run_worker(self._create_config(), group="config", exit_on_error=False)

    async def _create_config(self) -> None:
        """Leave a commented config.toml for the user to find, if there is none yet."""
        try:
            await asyncio.to_thread(create_config, self._paths.config_file)
        except SettingsError as error:
            self.notify(str(error), title="Settings", severity="warning", markup=False)

    def watch_theme(self, name: str) -> None:
        if self._settled:
            self._remember(lambda state: replace(state, theme=name))

    def _remember(self, change: StateChange) -> None:
        """Keep a change for the next start, one after the other and off the event loop."""
        self._changes.append(change)
        if self._keeper is None or self._keeper.is_finished:
            self._keeper = self.run_worker(self._keep_changes(), group="remember", exit_on_error=False)

    async def _keep_changes(self) -> None:
        while self._changes:
            changes, self._changes = self._changes, []

            def apply(state: AppState, changes: list[StateChange] = changes) -> AppState:
                return reduce(lambda kept, change: change(kept), changes, state)

            try:
                await asyncio.to_thread(update_state, self._paths.state_file, apply)
            except SettingsError as error:
                self.notify(str(error), title="Not remembered", severity="warning", markup=False)

    async def action_quit(self) -> None:
        self._leave()

    @work(exclusive=True, group="quit")
    async def _leave(self) -> None:
        from assistants_tui.tui.screens.dialogs import ChoiceDialog

        chat = self.chat
        if chat is None:
            self.exit()
            return
        if busy := chat.workspace.busy_conversations:
            choice = await self.push_screen_wait(
                ChoiceDialog(
                    "A run is still in progress."
                    if len(busy) == 1
                    else f"{len(busy)} runs are still in progress.",
                    "Stopping keeps everything written so far.",
                    choices=[
                        ("stay", "Stay"),
                        ("wait", "Wait, then quit"),
                        ("stop", "Stop and quit"),
                    ],
                )
            )
            if choice not in ("wait", "stop"):
                return
            if choice == "stop":
                await asyncio.gather(*(conversation.cancel() for conversation in busy))
            await asyncio.gather(*(conversation.settled() for conversation in busy))
        await chat.workspace.close()
        if self._keeper is not None:
            await self._keeper.wait()
        self.exit()
