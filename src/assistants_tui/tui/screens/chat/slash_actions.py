"""What the slash commands do: each is an action that some pane has anyway."""

import asyncio
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

from textual.screen import Screen

from assistants_tui.service.errors import ServiceError
from assistants_tui.service.export.document import SUFFIXES
from assistants_tui.service.local_paths import expanded
from assistants_tui.service.runs.options import RunOptions, merged, tool_choice, without
from assistants_tui.service.workspace import Workspace
from assistants_tui.tui.panes.composer.pane import ComposerPane
from assistants_tui.tui.panes.conversation import ConversationPane
from assistants_tui.tui.panes.threads import ThreadsPane
from assistants_tui.tui.panes.transcript.transcript import Transcript

Action = Callable[[str], object]
"""Carries out a command with its argument; what it gives is waited for where that is possible."""


class SlashActions:
    """Carries out the commands of `slash.COMMANDS` on the main screen."""

    def __init__(self, screen: Screen[Any], workspace: Workspace) -> None:
        self._screen = screen
        self._workspace = workspace
        self.actions: dict[str, Action] = {
            "new": lambda _: screen.run_action("new_thread"),
            "attach": self._attach,
            "assistant": self._assistant,
            "options": lambda _: self._composer_pane.action_options(),
            "model": lambda name: self._option("model", name),
            "instructions": lambda text: self._option("instructions", text),
            "tool": self._tool,
            "regenerate": lambda _: self._transcript.answer_again(),
            "branch": lambda _: self._transcript.branch_last(),
            "stop": lambda _: workspace.conversations.shown.cancel(),
            "find": self._find,
            "search": self._search,
            "rename": self._rename,
            "pin": lambda _: self._threads.pin(self._thread()),
            "archive": lambda _: self._threads.archive(self._thread()),
            "delete": lambda _: self._threads.delete(self._thread()),
            "export": self._export,
            "copy": lambda _: self._transcript.copy_last(),
            "editor": lambda _: self._composer_pane.edit(),
            "profile": lambda _: screen.app.run_action("profiles"),
            "settings": lambda _: screen.app.run_action("settings"),
            "theme": lambda _: screen.app.run_action("change_theme"),
            "guide": lambda _: screen.run_action("guide"),
            "help": lambda _: screen.run_action("help"),
            "quit": lambda _: screen.app.run_action("quit"),
        }

    async def run(self, name: str, argument: str) -> None:
        """Carry out a command. Raises `ServiceError`."""
        result = self.actions[name](argument)
        if inspect.iscoroutine(result):
            await result

    @property
    def _composer_pane(self) -> ComposerPane:
        return self._screen.query_one(ComposerPane)

    @property
    def _transcript(self) -> Transcript:
        return self._screen.query_one(Transcript)

    @property
    def _threads(self) -> ThreadsPane:
        return self._screen.query_one(ThreadsPane)

    def _thread(self) -> str:
        thread_id = self._workspace.conversations.shown.thread_id
        if thread_id is None:
            raise ServiceError(
                "There is no thread yet.", "It begins with its first message.", kind="refused", no_effect=True
            )
        return thread_id

    async def _attach(self, path: str) -> None:
        if not path:
            self._composer_pane.composer.action_attach()
            return
        file = expanded(path, Path.cwd())
        if not await asyncio.to_thread(file.is_file):
            raise ServiceError(f"{file} is no file.", kind="refused", no_effect=True)
        self._composer_pane.attach([file])

    def _assistant(self, name: str) -> None:
        names = self._workspace.assistants.names
        wanted = name.casefold()
        exact = [key for key, value in names.items() if wanted in (key, value.casefold())]
        near = [key for key, value in names.items() if value.casefold().startswith(wanted)]
        found = exact or near
        if len(found) != 1 or not name:
            raise ServiceError(
                f"There is no assistant “{name}”." if not found else f"“{name}” may be several assistants.",
                f"There are: {', '.join(names.values())}.",
                kind="refused",
                no_effect=True,
            )
        self._workspace.assistants.choose(found[0])

    def _option(self, key: str, value: str) -> None:
        options = without(self._workspace.conversations.shown.options, [key])
        if value:
            options = merged(options, {key: value})  # type: ignore[misc]  # both keys hold texts
        self._workspace.conversations.keep_options(options)

    def _tool(self, name: str) -> None:
        options = without(self._workspace.conversations.shown.options, ["tool_choice"])
        if name and name != "auto":
            options = merged(options, RunOptions(tool_choice=tool_choice(name)))
        self._workspace.conversations.keep_options(options)

    def _find(self, words: str) -> None:
        self._screen.query_one(ConversationPane).find(words)

    def _search(self, words: str) -> None:
        self._threads.search(words)

    def _export(self, form: str) -> None:
        near = [one for one in SUFFIXES if one.startswith(form.lower())]
        if not near:
            raise ServiceError(
                f"There is no format “{form}”.",
                f"There are: {', '.join(SUFFIXES)}.",
                kind="refused",
                no_effect=True,
            )
        self._screen.post_message(ThreadsPane.ExportWanted(self._thread(), near[0]))

    async def _rename(self, title: str) -> None:
        if title:
            await self._workspace.threads.rename(self._thread(), title)
        else:
            self._threads.rename(self._thread())
