"""All settings: what holds, what else is allowed, and what is wrong with the user's file."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.content import Content

from assistants_tui.service.local_paths import short_path
from assistants_tui.service.workspace import Workspace
from assistants_tui.settings.config_editor import change_setting
from assistants_tui.settings.config_reader import LoadedConfig
from assistants_tui.settings.files import SettingsError
from assistants_tui.settings.paths import Paths
from assistants_tui.settings.settings_reference import Setting, settings_of
from assistants_tui.settings.value_types import Choice, Flag, Keys, ValueType
from assistants_tui.tui.app_messages import ConfigEdited
from assistants_tui.tui.dialogs.questions import PickDialog, TextDialog
from assistants_tui.tui.dialogs.themes import offered_themes
from assistants_tui.tui.keyboard.keymap import known_actions, problems_of
from assistants_tui.tui.screens.list_screen import ListScreen
from assistants_tui.tui.terminal.external_editor import ExternalEditorError, edit_file
from assistants_tui.tui.text.plain_text import as_markdown
from assistants_tui.tui.text.safety import clean
from assistants_tui.tui.widgets.virtual_list import VirtualList


@dataclass(frozen=True, slots=True)
class _Problem:
    """Something that is wrong in the file."""

    text: str


_Row = Setting | _Problem | str
"""A row of the list; a text is the heading of a group."""


class SettingsScreen(ListScreen):
    """The settings of config.toml and the keys, each to be changed in its place in the file."""

    TITLE_TEXT = "Settings"
    HELP: ClassVar[str] = (
        "Enter changes a setting in config.toml, and d takes it out again, so that the default holds. Your "
        "comments and all else there stay as they are, and the version before is config.previous.toml. "
        "e opens the file in your editor; what you save holds as soon as you come back."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d,delete", "reset", "Default", id="settings.reset", tooltip="Go back to the default"),
        Binding("e", "edit", "Edit file", id="settings.edit", tooltip="Open config.toml in your $EDITOR"),
        Binding("r", "read", "Read again", id="settings.read", tooltip="Read config.toml again"),
        Binding("y", "copy_line", "Copy", id="settings.copy", tooltip="Copy the setting as a line of TOML"),
    ]

    def __init__(self, workspace: Workspace, loaded: LoadedConfig, paths: Paths, cursor: str = "") -> None:
        """`cursor` is the setting to begin with, as in `runs.timeout`."""
        super().__init__(workspace)
        self._loaded = loaded
        self._paths = paths
        self._begin = cursor
        self._settings = settings_of(loaded, workspace.session.profile)
        self._problems = [
            _Problem(str(problem).removeprefix(f"{problem.path}: ")) for problem in loaded.problems
        ]
        self._shown: Sequence[_Row] = ()

    def on_mount(self) -> None:
        self.draw()
        self._go_to_begin()
        self._look_for_keys()

    def _go_to_begin(self) -> None:
        keys = [self._key(index) for index in range(len(self._shown))]
        if self._begin in keys:
            self.rows.cursor = keys.index(self._begin)
            self._begin = ""

    @work(exclusive=True, group="keys")
    async def _look_for_keys(self) -> None:
        """The keys of all actions, which are known when all screens are imported."""
        actions = await asyncio.to_thread(known_actions)
        keys = self._loaded.config.keys
        self._settings += [
            Setting(
                "keys",
                name,
                keys.get(name, ",".join(action.keys)),
                ",".join(action.keys),
                'a key such as "ctrl+n", or a list of them',
                action.what or "Moves the cursor.",
                "config.toml, [keys]" if name in keys else "default",
                one[0] if len(one := keys.get(name, ",".join(action.keys)).split(",")) == 1 else one,
                Keys(),
            )
            for name, action in actions.items()
        ]
        self._problems += [_Problem(text) for text in await asyncio.to_thread(problems_of, keys)]
        self.draw()
        self._go_to_begin()  # where it is a key

    # the list

    def draw(self) -> None:
        words = self.wanted.casefold().split()
        found = [
            one
            for one in self._settings
            if all(word in f"{one.path} {one.about} {one.value}".casefold() for word in words)
        ]
        rows: list[_Row] = []
        if self._problems and not words:
            rows += ["Problems in the file", *self._problems]
        for group, members in _grouped(found).items():
            rows += [f"[{group}]" if group else "The file's first lines", *members]
        self._shown = rows
        self.rows.empty = "No setting matches."
        width = max((len(one.name) for one in found), default=0)

        def row(index: int) -> Content:
            one = rows[index]
            if isinstance(one, str):
                return Content.styled(clean(one), "bold $text-accent")
            if isinstance(one, _Problem):
                return Content.assemble(("✗ ", "$text-error"), clean(one.text))
            style = "$foreground bold" if one.source != "default" else "$muted"
            value = "–" if one.value == "not set" else clean(one.value)
            return Content.assemble(f"  {clean(one.name).ljust(min(width, 22))}  ", (value, style))

        self.rows.set_rows(
            len(rows), row, key=self._key, is_header=lambda index: isinstance(rows[index], str)
        )
        self.tell(short_path(self._paths.config_file))
        if self.rows.cursor == next((at for at, one in enumerate(rows) if not isinstance(one, str)), None):
            self.rows.scroll_home(animate=False)  # shows the heading above the first row
        self.draw_detail()

    def _key(self, index: int) -> str:
        one = self._shown[index]
        return one.path if isinstance(one, Setting) else one.text if isinstance(one, _Problem) else one

    @property
    def _row(self) -> _Row | None:
        index = self.rows.cursor
        return self._shown[index] if index is not None and index < len(self._shown) else None

    def draw_detail(self) -> None:
        one = self._row
        if isinstance(one, _Problem):
            text = f"{as_markdown(one.text)}\n\nUntil it is corrected, the default holds. e opens the file."
            self.show_detail("problem", "A mistake in config.toml", text)
        elif isinstance(one, Setting):
            facts = (
                as_markdown(one.about),
                "",
                f"- value: **{as_markdown(one.value)}**",
                f"- default: {as_markdown(one.default)}" if one.default else "",
                f"- allowed: {as_markdown(one.allowed)}",
                f"- from: {as_markdown(one.source)}",
            )
            self.show_detail(f"setting-{one.path}", one.path, "\n".join(facts))
        else:
            self.show_detail("", "", "")

    # the user's file

    @on(VirtualList.Selected)
    def _selected(self, event: VirtualList.Selected) -> None:
        event.stop()
        if isinstance(one := self._row, Setting) and one.type is not None:
            self._change(one, one.type)
        else:
            self.action_edit()

    @work(exclusive=True, group="edit")
    async def _change(self, setting: Setting, kind: ValueType) -> None:
        """Ask for a value until one is taken or the user goes back."""
        names = self._choices(setting, kind)
        text, problem = self._typed(setting, kind), ""
        while True:
            answer = await (self._pick(setting, names) if names else self._type(setting, kind, text, problem))
            if answer is None:
                return
            problem = await self._write(setting, kind.parse(answer))
            if not problem:
                return
            if names:
                self.notify(problem, title=setting.path, severity="error", markup=False)
                return
            text = answer

    def _choices(self, setting: Setting, kind: ValueType) -> Sequence[str]:
        """What can be chosen; nothing for what is typed."""
        match setting.path:
            case "default_profile":
                return tuple(self._loaded.config.profiles)
            case "theme":
                return offered_themes(self.app.available_themes, setting.value)
        return kind.names if isinstance(kind, Choice) else ("true", "false") if isinstance(kind, Flag) else ()

    def _typed(self, setting: Setting, kind: ValueType) -> str:
        """The text to begin with: the value, unless it has parts that nobody else should see."""
        if setting.raw is None or setting.value.endswith("…"):
            return ""
        return kind.text(setting.raw)

    async def _pick(self, setting: Setting, names: Sequence[str]) -> str | None:
        rows = [f"{clean(name)}  (default)" if name == setting.default else clean(name) for name in names]
        cursor = names.index(setting.value) if setting.value in names else 0
        dialog = PickDialog(setting.path, rows, detail=clean(setting.about), cursor=cursor)
        index = await self.app.push_screen_wait(dialog)
        return None if index is None else names[index]

    async def _type(self, setting: Setting, kind: ValueType, text: str, problem: str) -> str | None:
        def check(typed: str) -> None:
            try:
                kind.parse(typed)
            except ValueError as error:
                raise ValueError(f"It must be {error}.") from None

        detail = f"{setting.about}\nAllowed: {setting.allowed}. Default: {setting.default or 'none'}."
        if setting.value.endswith("…"):
            detail += "\nThe value of now is not shown as a whole: type all of the new one."
        dialog = TextDialog(setting.path, text, detail=clean(detail), check=check, error=clean(problem))
        return await self.app.push_screen_wait(dialog)

    async def _write(self, setting: Setting, value: object) -> str:
        """Change the file, and let it hold at once. Returns why it could not be changed."""
        try:
            await asyncio.to_thread(change_setting, self._paths.config_file, setting.key, value)
        except SettingsError as error:
            return str(error)
        self.app.post_message(ConfigEdited("settings", setting.path))
        return ""

    @work(exclusive=True, group="edit")
    async def action_reset(self) -> None:
        one = self._row
        if not isinstance(one, Setting) or one.source == "default":
            return
        if one.type is None:
            self.notify("Change it in the file: e opens it.", title=one.path, markup=False)
        elif problem := await self._write(one, None):
            self.notify(problem, title=one.path, severity="error", markup=False)

    @work(exclusive=True, group="edit")
    async def action_edit(self) -> None:
        try:
            await edit_file(self.app, self._paths.config_file)
        except ExternalEditorError as error:
            self.notify(str(error), title="No editor", severity="error", markup=False)
        else:
            self.action_read()

    def action_read(self) -> None:
        index = self.rows.cursor
        self.app.post_message(ConfigEdited("settings", self._key(index) if index is not None else ""))

    def action_copy_line(self) -> None:
        if isinstance(one := self._row, Setting):
            self.copy(one.toml)


def _grouped(settings: Sequence[Setting]) -> Mapping[str, list[Setting]]:
    groups: dict[str, list[Setting]] = {}
    for one in settings:
        groups.setdefault(one.group, []).append(one)
    return groups
