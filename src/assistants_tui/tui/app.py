"""The app: the first frame, themes, the safety filter, the main screen, and leaving without losing anything.

Only what the first frame needs is imported here; the main screen and all behind it follow when it is painted.
"""

import asyncio
import signal
from collections.abc import Awaitable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from rich.text import Text
from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.command import Provider
from textual.filter import LineFilter
from textual.notifications import SeverityLevel
from textual.screen import Screen
from textual.widget import Widget

from assistants_tui import process_memory
from assistants_tui.service.first_profile import first_profile
from assistants_tui.service.last_resort import end_children, end_hard_after
from assistants_tui.service.state_keeper import StateKeeper
from assistants_tui.settings.config import Config, Profile
from assistants_tui.settings.config_reader import LoadedConfig, load_config
from assistants_tui.settings.config_template import create_config
from assistants_tui.settings.files import SettingsError
from assistants_tui.settings.paths import Paths
from assistants_tui.settings.state import AppState, load_state, take_over
from assistants_tui.tui.app_messages import ConfigEdited, ProfileChosen
from assistants_tui.tui.framework.painting import paint_with_less_work
from assistants_tui.tui.framework.resilient_app import ResilientApp
from assistants_tui.tui.framework.timers import never_skip_the_only_turn
from assistants_tui.tui.keyboard.doubled_keys import DoubledKeysApp
from assistants_tui.tui.keyboard.key_names import key_name
from assistants_tui.tui.keyboard.key_queue import KeyQueue
from assistants_tui.tui.terminal.driver import TerminalDriver
from assistants_tui.tui.terminal.escapes import one_line
from assistants_tui.tui.terminal.notifications import notification
from assistants_tui.tui.text.excerpts import broken_after_slashes, shortened
from assistants_tui.tui.text.safety import SafeFilter
from assistants_tui.tui.themes import DEFAULT_DARK, bundled_folder, load_themes, own_variables
from assistants_tui.tui.widgets.first_frame import FirstFrame

if TYPE_CHECKING:
    from assistants_tui.service.conversation.run_notices import RunEnded
    from assistants_tui.tui.screens.chat.screen import ChatScreen

_LAST_SECONDS = 1.0
"""What the app gets to close everything in order once it was told to end."""
_SLOW_DISK = 2.0
"""What the disk gets beyond that for what is to be kept."""
_HARD_END = 5.0
"""After so many seconds it ends whatever it hangs in."""
_MAX_FIELD = 10_000
"""Characters that a field of one line takes from a paste, where it has no limit of its own."""


def _app_commands() -> type[Provider]:
    from assistants_tui.tui.palette_commands import AppCommands  # not before the palette opens

    return AppCommands


class AssistantsApp(DoubledKeysApp, ResilientApp):
    """The terminal client. What it needs from disk is read before the first frame, nothing else is."""

    TITLE = "assistants-tui"
    CSS_PATH = "app.tcss"
    ENABLE_COMMAND_PALETTE = True
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (80, "-wide")]  # noqa: RUF012 - Textual's
    VERTICAL_BREAKPOINTS = [(0, "-short"), (18, "-tall")]  # noqa: RUF012 - Textual's
    COMMANDS = {_app_commands}  # noqa: RUF012 - Textual's, whose own commands we do without
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
        self._applied = Config()  # what the open workspace was made with
        self._keeper = StateKeeper(paths.state_file, self._not_kept)
        self._settled = False
        self._asks_to_leave = False
        self._ending = False  # without a question
        self._keys = KeyQueue()
        self.chat: ChatScreen | None = None
        """The main screen, once it is there."""

    def compose(self) -> ComposeResult:
        yield FirstFrame()

    def action_command_palette(self) -> None:
        from assistants_tui.tui.dialogs.palette import Palette  # not before it opens

        if not isinstance(self.screen, Palette):
            self.push_screen(Palette())

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
            self._heed_end()
        loaded = self._loaded = load_config(self._paths.config_file)
        self.set_keymap(dict(loaded.config.keys))
        theme_problems = self.read_themes()
        state = load_state(self._paths.state_file)
        wanted = state.theme or loaded.config.theme or DEFAULT_DARK
        self.theme = wanted if wanted in self.available_themes else DEFAULT_DARK
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

    async def on_event(self, event: events.Event) -> None:
        if self._keys.holds(event):
            return
        if isinstance(event, events.Key | events.Paste) and not event.is_forwarded:
            self._find_focus()
        if isinstance(event, events.Key) and not event.is_forwarded:
            self._keys.note(event, self.focused)
        if isinstance(event, events.Paste) and not event.is_forwarded:
            self._fit_paste(event)
        await super().on_event(event)

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

    def _fit_paste(self, event: events.Paste) -> None:
        """A field of one line would take the first line alone, and nothing of what is too long for it."""
        from textual.widgets import Input  # not for the first frame

        field = self.focused
        if isinstance(field, Input):
            event.text = one_line(event.text)
            kept = len(field.value) - len(field.selected_text)
            room = max(0, (field.max_length or _MAX_FIELD) - kept)
            if len(event.text) > room:
                said = f"This field has room for {room:,} more characters; the text has {len(event.text):,}."
                self.notify(said, title="Not pasted", severity="warning", markup=False)
                event.text = ""

    def _find_focus(self) -> None:
        """Let a widget have the keys if none has: the one that had them may be gone or hidden."""
        if self.focused is None and self.screen.AUTO_FOCUS != "":
            wanted: Widget | None = None
            if self.screen is self.chat:
                wanted = self.chat.query_one("#composer")
            if wanted is None or not wanted.focusable:
                wanted = next(iter(self.screen.focus_chain), None)
            self.screen.set_focus(wanted)

    def on_key(self, event: events.Key) -> None:
        """A key that nobody took where the focus was goes to where it is now, if the key before moved it.

        `/` and what is to be filtered by may arrive at once, and letters must not become a list's commands.
        """
        aim, now = self._keys.aim_of(event), self.focused
        if aim is not None and now is not None and now is not aim:
            event.stop()
            event.prevent_default()
            now._forward_event(event.copy())

    async def _take_typed(self) -> None:
        """The main screen has its focus: give it what was typed before, and then whatever comes."""
        for event in self._keys.release():
            await super().on_event(event)

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
        await self._show(profile, state, assistant=assistant, thread_id=thread_id)
        self.call_later(self._take_typed)
        self._create_config()
        self._check_keys()

    async def _show(
        self, profile: Profile, state: AppState, *, assistant: str | None = None, thread_id: str | None = None
    ) -> None:
        """Open the workspace of a profile on the main screen."""
        from assistants_tui.service.workspace import Workspace
        from assistants_tui.tui.screens.chat.screen import ChatScreen

        self._applied = self._loaded.config
        workspace = await asyncio.to_thread(  # it reads the history, and may wait for another window's lock
            Workspace,
            profile,
            paths=self._paths,
            config=self._loaded.config,
            state=state,
            remember=self._keeper.remember,
            keep=self._keeper.keep,
            assistant=assistant,
            thread_id=thread_id,
        )
        workspace.run_notices.watch(self._run_ended)
        chat = ChatScreen(workspace, state)
        await (self.push_screen(chat) if self.chat is None else self.switch_screen(chat))
        self.chat = chat

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
        elif await self._may_leave("go on"):
            self._keeper.remember(lambda state: replace(state, last_profile=profile.name))
            await self._reopen(profile)

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
        if profile != chat.workspace.session.profile or _parts(config) != _parts(self._applied):
            if await self._may_leave("go on"):
                await self._reopen(profile)
            else:
                self.notify("Profiles, runs and functions change with the next start.", title="Settings")
        await self._back_to_chat()
        (self.action_profiles if event.page == "profiles" else self.action_settings)(event.cursor)

    @work(exclusive=True, group="keys", exit_on_error=False)
    async def _check_keys(self) -> None:
        """Say what is wrong with the user's own keys. All screens are imported for it, so nobody waits."""
        if keys := self._loaded.config.keys:
            from assistants_tui.tui.keyboard.keymap import problems_of

            for problem in await asyncio.to_thread(problems_of, keys):
                self._warn(problem)

    async def _reopen(self, profile: Profile) -> None:
        """Close the workspace and open one of this profile in its place."""
        assert self.chat is not None
        await self._back_to_chat()
        if failure := await self._close_workspace():
            self._warn(failure)
        state = await asyncio.to_thread(load_state, self._paths.state_file)
        await self._show(profile, state)

    async def _back_to_chat(self) -> None:
        gone: list[Awaitable[object]] = []
        while self.screen is not self.chat and len(self.screen_stack) > 1:
            gone.append(self.pop_screen())
        # shielded: a removal that is cancelled leaves widgets that hear nothing and stay
        await asyncio.shield(asyncio.gather(*gone))

    # leaving

    async def action_quit(self) -> None:
        if not self._asks_to_leave:  # once is enough
            self._leave()

    @work(exclusive=True, group="leave")
    async def _leave(self) -> None:
        if await self._may_leave("quit"):
            failure = await self._close_workspace()
            self.exit(return_code=1 if failure else 0, message=Text(failure))

    def _heed_end(self) -> None:
        """End in order when the system tells us to, or the terminal goes away."""
        loop = asyncio.get_running_loop()

        def end(number: int, _: object = None) -> None:
            end_hard_after(_HARD_END, 128 + number)
            with suppress(RuntimeError):  # the app has ended meanwhile
                loop.call_soon_threadsafe(self._begin_end, 128 + number)

        # not the loop's own handlers: they would hear the Ctrl-C of an editor that has the terminal
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, end)
        if isinstance(self._driver, TerminalDriver):
            self._driver.when_gone = lambda: end(signal.SIGHUP)
            if self._driver.is_gone:
                end(signal.SIGHUP)

    def _begin_end(self, code: int) -> None:
        if not self._ending:
            self._ending = True
            if isinstance(self._driver, TerminalDriver) and self._driver.is_gone:
                self._driver.let_go()
            self._end(code)

    @work(exclusive=True, group="leave")
    async def _end(self, code: int) -> None:
        """Leave without a question. Runs end with what they have written, or go on at their server."""
        failure = ""
        for seconds in (_LAST_SECONDS, _LAST_SECONDS / 2):
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    failure = await self._close_workspace()
                break
            await asyncio.to_thread(end_children)  # it may be one of them that does not end
        with suppress(TimeoutError):
            async with asyncio.timeout(_SLOW_DISK):
                await self._keeper.settled()
        self.exit(return_code=code, message=Text(failure))

    async def _close_workspace(self) -> str:
        """Keep everything and close the workspace. Returns what went wrong, in words: it stops no end."""
        from assistants_tui.tui.leaving import close_workspace  # not for the first frame

        return "" if self.chat is None else await close_workspace(self.chat, self._keeper)

    async def _may_leave(self, purpose: str) -> bool:
        """Whether no run is in progress any more; asks what to do about those that are."""
        from assistants_tui.tui.leaving import ask_about_runs, settle_runs  # not for the first frame

        if self.chat is None or not (busy := self.chat.workspace.conversations.busy):
            return True
        self._asks_to_leave = True
        try:
            choice = await ask_about_runs(self, busy, purpose)
        finally:
            self._asks_to_leave = False
        if choice not in ("wait", "stop"):
            return False
        await settle_runs(busy, stop=choice == "stop")
        return True


def _parts(config: Config) -> tuple[object, ...]:
    """What a workspace takes from the settings besides its profile."""
    return config.functions, config.mcp, config.prices, config.hooks, config.code
