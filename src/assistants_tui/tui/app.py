"""The app: the first frame, themes, the safety filter, the main screen, and leaving without losing anything.

Only what the first frame needs is imported here; the main screen and all behind it follow when it is painted.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.filter import LineFilter
from textual.notifications import SeverityLevel
from textual.screen import Screen
from textual.widget import Widget

from assistants_tui import process_memory
from assistants_tui.service.first_profile import first_profile
from assistants_tui.service.state_keeper import StateKeeper
from assistants_tui.settings.config import Config, Profile
from assistants_tui.settings.config_reader import LoadedConfig, load_config
from assistants_tui.settings.config_template import create_config
from assistants_tui.settings.connect_provider import connect_provider
from assistants_tui.settings.files import SettingsError
from assistants_tui.settings.paths import Paths
from assistants_tui.settings.state import AppState, load_state, take_over, used_last
from assistants_tui.tui.app_messages import ConfigEdited, ConnectWanted, ProfileChosen
from assistants_tui.tui.exit_signals import ExitSignals
from assistants_tui.tui.framework.painting import paint_with_less_work
from assistants_tui.tui.framework.resilient_app import ResilientApp
from assistants_tui.tui.framework.timers import never_skip_the_only_turn
from assistants_tui.tui.keyboard.aimed_keys import AimedKeysApp
from assistants_tui.tui.keyboard.doubled_keys import DoubledKeysApp
from assistants_tui.tui.keyboard.key_names import key_name
from assistants_tui.tui.open_workspace import OpenWorkspace
from assistants_tui.tui.terminal.driver import TerminalDriver
from assistants_tui.tui.terminal.notifications import notification
from assistants_tui.tui.text.excerpts import broken_after_slashes, shortened
from assistants_tui.tui.text.safety import SafeFilter
from assistants_tui.tui.themes import DEFAULT_DARK, bundled_folder, load_themes, own_variables
from assistants_tui.tui.widgets.first_frame import FirstFrame

if TYPE_CHECKING:
    from assistants_tui.service.conversation.run_notices import RunEnded
    from assistants_tui.tui.palette.commands import Command
    from assistants_tui.tui.screens.chat.screen import ChatScreen


class AssistantsApp(AimedKeysApp, DoubledKeysApp, ResilientApp):
    """The terminal client. What it needs from disk is read before the first frame, nothing else is."""

    TITLE = "assistants-tui"
    CSS_PATH = "app.tcss"
    ENABLE_COMMAND_PALETTE = False  # Textual's, with two rows for a command; ours has one
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (80, "-wide")]  # noqa: RUF012 - Textual's
    VERTICAL_BREAKPOINTS = [(0, "-short"), (18, "-tall")]  # noqa: RUF012 - Textual's
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+p", "command_palette", "Commands", id="app.commands", tooltip="Find any command"),
        Binding("ctrl+q", "quit", "Quit", priority=True, id="app.quit", tooltip="Quit: leave the app"),
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
        paint_with_less_work()
        never_skip_the_only_turn()
        super().__init__(driver_class=TerminalDriver)
        self._paths = paths
        self._wanted = (profile, assistant, thread_id)
        self._loaded = LoadedConfig(Config())
        self._keeper = StateKeeper(paths.state_file, self._not_kept)
        self._settled = False
        self._recent_commands: Sequence[str] = ()
        self._workspace = OpenWorkspace(self, paths, self._keeper, self._run_ended)
        self._exit_signals = ExitSignals(self, self._keeper, self._workspace.close)

    @property
    def chat(self) -> "ChatScreen | None":
        """The main screen, once it is there."""
        return self._workspace.chat

    def compose(self) -> ComposeResult:
        yield FirstFrame()

    def action_command_palette(self) -> None:
        from assistants_tui.tui.palette.screen import PaletteScreen  # not before it opens

        if not isinstance(self.screen, PaletteScreen):
            self.push_screen(PaletteScreen(self.screen, self._recent_commands), self._run_command)

    async def _run_command(self, command: "Command | None") -> None:
        if command is None:
            return
        self._recent_commands = used_last(command.entry.id, self._recent_commands)
        self._keeper.remember(
            lambda state: replace(state, recent_commands=used_last(command.entry.id, state.recent_commands))
        )
        self.call_later(command.run)

    def get_line_filters(self) -> Sequence[LineFilter]:
        return [SafeFilter(), *super().get_line_filters()]

    def can_go_on(self, unmade: Screen[Any] | None) -> bool:
        """Not without a main screen."""
        from assistants_tui.tui.screens.chat.screen import ChatScreen  # not for the first frame

        return self.chat is not None and not isinstance(unmade, ChatScreen)

    def get_key_display(self, binding: Binding) -> str:
        if binding.key_display:
            return binding.key_display
        return key_name(binding.key)

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return own_variables(self.current_theme)

    def on_mount(self) -> None:
        if not self.is_headless:
            self._exit_signals.on_signals(self._driver)
        loaded = self._loaded = load_config(self._paths.config_file)
        self.set_keymap(dict(loaded.config.keys))
        theme_problems = self.read_themes()
        state = load_state(self._paths.state_file)
        wanted = state.theme or loaded.config.theme or DEFAULT_DARK
        self.theme = wanted if wanted in self.available_themes else DEFAULT_DARK
        self._recent_commands = state.recent_commands
        self._settled = True
        self.call_after_refresh(self._open_chat, state)
        for problem in (*map(str, loaded.problems), *theme_problems):
            self._warn(problem)

    def read_themes(self) -> Sequence[str]:
        """Read the theme files, ours and the user's; what is wrong with them, in sentences."""
        themes = load_themes(bundled_folder(), self._paths.themes_dir)
        for theme in themes.themes:
            self.register_theme(theme)
        return themes.problems

    def _warn(self, problem: str) -> None:
        self.notify(problem, title="Settings", severity="warning", markup=False, timeout=15)

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = True,
    ) -> None:
        """Tell something in a corner; of a long text its beginning."""
        words = broken_after_slashes(shortened(message), max(1, min(60, self.size.width // 2) - 3))
        super().notify(words, title=title, severity=severity, timeout=timeout, markup=markup)

    def preferred_focus(self) -> Widget | None:
        """The composer, on the main screen."""
        is_chat = self.chat is not None and self.screen is self.chat
        return self.screen.query_one("#composer") if is_chat else None

    async def _open_chat(self, state: AppState) -> None:
        """The first frame is painted: bring in the main screen, and give it the keys typed meanwhile."""
        process_memory.hide_from_debuggers()
        _, assistant, thread_id = self._wanted
        try:
            await asyncio.to_thread(take_over, self._paths.state_file)
        except SettingsError as error:
            self._warn(str(error))
        config, (wanted, _, _) = self._loaded.config, self._wanted
        profile, problems = await asyncio.to_thread(
            first_profile, config, state, self._paths, wanted=wanted, thread_id=thread_id
        )
        for problem in problems:
            self._warn(problem)
        await self._workspace.open(profile, config, state, assistant=assistant, thread_id=thread_id)
        self.call_later(self.take_typed)
        self._create_config()
        self._check_keys()

    @work(group="config", exit_on_error=False)
    async def _create_config(self) -> None:
        """Leave a commented config.toml for the user to find, if there is none yet."""
        try:
            await asyncio.to_thread(create_config, self._paths.config_file)
        except SettingsError as error:
            self.notify(str(error), title="Settings", severity="warning", markup=False)

    def watch_theme(self, name: str) -> None:
        if self._settled:
            self._keeper.remember(lambda state: replace(state, theme=name))

    def _not_kept(self, error: Exception) -> None:
        if isinstance(error, SettingsError):
            self.notify(str(error), title="Not remembered", severity="warning", markup=False)
        else:
            self.report_unexpected(error)

    def _run_ended(self, ended: "RunEnded") -> None:
        """Tell the terminal of a run that ended where nobody looks: in another thread, or behind a window."""
        unseen = ended.in_background or not self.app_focus
        if unseen and self._driver is not None and not self.is_headless:
            how = self._loaded.config.notify
            self._driver.write(notification(how, f"Run {ended.outcome}", ended.title))

    # profiles and settings

    def action_profiles(self, cursor: str = "") -> None:
        from assistants_tui.tui.screens.profiles import ProfilesScreen  # not for the first frame

        if self.chat is not None:
            self.push_screen(ProfilesScreen(self.chat.workspace, self._loaded, self._paths, cursor))

    def action_settings(self, cursor: str = "") -> None:
        from assistants_tui.tui.screens.settings import SettingsScreen  # not for the first frame

        if self.chat is not None:
            self.push_screen(SettingsScreen(self.chat.workspace, self._loaded, self._paths, cursor))

    def action_change_theme(self) -> None:
        from assistants_tui.tui.dialogs.themes import ThemesScreen  # not for the first frame

        for problem in self.read_themes():
            self._warn(problem)
        self.push_screen(ThemesScreen())

    @on(ProfileChosen)
    @work(exclusive=True, group="leave")
    async def _change_profile(self, event: ProfileChosen) -> None:
        """Go on with another profile, which may have been added to config.toml just now."""
        self._loaded = await asyncio.to_thread(load_config, self._paths.config_file)
        profile = self._loaded.config.profiles.get(event.name)
        if profile is None:
            self._warn(f"config.toml has no profile “{event.name}” any more. F5 shows what is wrong in it.")
        elif await self._workspace.may_leave("go on"):
            self._keeper.remember(lambda state: replace(state, last_profile=profile.name))
            await self._change_workspace(profile)

    @on(ConnectWanted)
    @work(exclusive=True, group="leave")
    async def _connect(self, event: ConnectWanted) -> None:
        """Add a provider of models to config.toml, and go on with the profile that is open."""
        assert self.chat is not None
        profile, file = self.chat.workspace.session.profile, self._paths.config_file
        try:
            await asyncio.to_thread(connect_provider, file, event.provider, profile)
        except SettingsError as error:
            self._warn(str(error))
        else:
            self.post_message(ProfileChosen(profile.name))

    @on(ConfigEdited)
    @work(exclusive=True, group="leave")
    async def _read_config(self, event: ConfigEdited) -> None:
        """Let what config.toml says now hold from now on."""
        before, chat = self._loaded.config, self.chat
        if chat is None:
            return
        loaded = await asyncio.to_thread(load_config, self._paths.config_file)
        if loaded.problems and not loaded.given:  # not readable at all: what held before goes on
            loaded = replace(loaded, config=before)
        self._loaded = loaded
        config = loaded.config
        self.set_keymap(dict(config.keys))
        self._check_keys()
        if config.theme != before.theme and config.theme in self.available_themes:
            self.theme = config.theme
        profile = config.profiles.get(chat.workspace.session.profile.name)
        if profile is None:
            profile = config.profiles[config.default_profile]
        if not self._workspace.is_made_with(profile, config):
            if await self._workspace.may_leave("go on"):
                await self._change_workspace(profile)
            else:
                self.notify("Profiles, runs and functions change with the next start.", title="Settings")
        await self._workspace.back_to_chat()
        (self.action_profiles if event.page == "profiles" else self.action_settings)(event.cursor)

    @work(exclusive=True, group="keys", exit_on_error=False)
    async def _check_keys(self) -> None:
        """Say what is wrong with the user's own keys. All screens are imported for it, so nobody waits."""
        if keys := self._loaded.config.keys:
            from assistants_tui.tui.keyboard.keymap import problems_of

            for problem in await asyncio.to_thread(problems_of, keys):
                self._warn(problem)

    async def _change_workspace(self, profile: Profile) -> None:
        await self._workspace.back_to_chat()
        if failure := await self._workspace.close():
            self._warn(failure)
        state = await asyncio.to_thread(load_state, self._paths.state_file)
        await self._workspace.open(profile, self._loaded.config, state)

    # leaving

    async def action_quit(self) -> None:
        if not self._workspace.asks_to_leave:  # once is enough
            self._leave()

    @work(exclusive=True, group="leave")
    async def _leave(self) -> None:
        if await self._workspace.may_leave("quit"):
            failure = await self._workspace.close()
            self.exit(return_code=1 if failure else 0, message=Text(failure))
