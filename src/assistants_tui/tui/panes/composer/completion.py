"""How the text in the composer may go on: where completions come from, and the list that offers them."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from textual import on, work
from textual.content import Content

from assistants_tui.service.errors import ServiceError
from assistants_tui.service.local_paths import matching
from assistants_tui.service.workspace import Workspace
from assistants_tui.tui.panes import slash
from assistants_tui.tui.panes.composer.message import MessageInComposer
from assistants_tui.tui.panes.composer.options import tools_of
from assistants_tui.tui.panes.slash import Completion
from assistants_tui.tui.widgets.composer import Composer
from assistants_tui.tui.widgets.virtual_list import VirtualList

_EXPORTS = ("markdown", "json", "html")
_ATTACH = "/attach "
_MODEL = "/model "


class Completions:
    """Completions of slash commands and of their arguments."""

    def __init__(self, workspace: Workspace, message: MessageInComposer) -> None:
        self._workspace = workspace
        self._message = message
        self._models: asyncio.Task[list[str]] | None = None

    def at_once(self, text: str) -> Sequence[Completion] | None:
        """How a text may go on; None where that has to be looked up."""
        models = self._models.result() if self._models is not None and self._models.done() else None
        if text.startswith(_ATTACH) or (text.startswith(_MODEL) and models is None):
            return None
        names = list(self._workspace.assistants.names.values())
        return slash.completions(
            text,
            {
                "assistant": lambda typed: slash.named("assistant", names, typed),
                "model": lambda typed: slash.named("model", models or (), typed),
                "tool": lambda typed: slash.named("tool", tools_of(self._message.assistant), typed),
                "export": lambda typed: slash.named("export", _EXPORTS, typed),
            },
        )

    async def look_up(self, text: str) -> Sequence[Completion]:
        """How a text may go on for which `at_once` gave None."""
        if text.startswith(_ATTACH):
            return await asyncio.to_thread(_paths, text.removeprefix(_ATTACH))
        if self._models is None:
            self._models = asyncio.create_task(self._read_models())
        await asyncio.shield(self._models)  # whoever types on waits for the same answer
        return self.at_once(text) or ()

    def close(self) -> None:
        """Give up what is being looked up."""
        if self._models is not None:
            self._models.cancel()

    async def _read_models(self) -> list[str]:
        try:
            return [model["id"] for model in await self._workspace.session.models()]
        except ServiceError:
            return []  # a name can be typed all the same


class CompletionList(VirtualList):
    """Shown while the text in the composer may go on in some way. The keys stay with the composer."""

    can_focus = False
    DEFAULT_CSS = """
    CompletionList {
        height: auto;
        max-height: 8;
        padding: 0 1;
        background: $panel;
        display: none;
        & > .virtual-list--cursor-blurred { background: $primary 30%; }
    }
    """

    def __init__(self, completions: Completions, composer: Composer, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._source = completions
        self._composer = composer
        self._offered: Sequence[Completion] = ()
        self._for_text = ""  # what they go on from
        self._dismissed = ""

    def on_unmount(self) -> None:
        self._source.close()

    def follow(self, text: str) -> None:
        """Offer how the text of the composer may go on."""
        if text == self._dismissed:
            self._offer(())
            return
        self._dismissed = ""
        completions = self._source.at_once(text)
        if completions is None:
            self._look_up(text)
        else:
            self._offer(completions)

    @work(exclusive=True, group="completion")
    async def _look_up(self, text: str) -> None:
        completions = await self._source.look_up(text)
        if self._composer.text == text:
            self._offer(completions)

    def assist(self, key: str) -> bool:
        """Take a key before the composer has it. False if it is not for the list."""
        if self._offered and self._for_text != self._composer.text:  # keys are faster than messages
            self._offer(())
            self.follow(self._composer.text)
        if not self._offered:
            return False
        match key:
            case "down" | "up":
                self.action_move(1 if key == "down" else -1)
            case "tab":
                self._complete()
            case "enter":
                self._complete()
                if not self._composer.text.endswith((" ", "/")):
                    self._offer(())
                    self._composer.action_submit()
            case "escape":
                self._dismissed = self._composer.text
                self._offer(())
            case _:
                return False
        return True

    def _offer(self, completions: Sequence[Completion]) -> None:
        self._offered, self._for_text = completions, self._composer.text
        self.display = bool(completions)
        width = max((len(one.label) for one in completions), default=0)

        def row(index: int) -> Content:
            one = completions[index]
            return Content.assemble(one.label.ljust(width), (f"  {one.help}", "$muted"))

        self.set_rows(len(completions), row, key=lambda index: completions[index].text)

    def _complete(self) -> None:
        if self.cursor is not None and self.cursor < len(self._offered):
            self._composer.load_text(self._offered[self.cursor].text)
            self._composer.move_cursor(self._composer.document.end)

    @on(VirtualList.Selected)
    def _clicked(self, event: VirtualList.Selected) -> None:
        event.stop()
        self._complete()
        self._composer.focus()


def _paths(typed: str) -> list[Completion]:
    """The files and folders whose path begins with what is typed. Blocks on the disk."""
    head, _, last = typed.rpartition("/")
    head = f"{_ATTACH}{head}/" if "/" in typed else _ATTACH
    entries = matching(typed, Path.cwd())
    names = [f"{entry.path.name}/" if entry.is_folder else entry.path.name for entry in entries]
    return [Completion(head + name, name) for name in names if name != last]
