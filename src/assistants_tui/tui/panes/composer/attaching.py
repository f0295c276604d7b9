"""Attaches files to the message that is being written, and long texts as files."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Literal

from textual.widget import Widget

from assistants_tui.protocol import limits
from assistants_tui.service.draft_store import DraftStore, missing
from assistants_tui.service.drafts import remove_pasted
from assistants_tui.service.errors import ServiceError
from assistants_tui.service.files.attachments import AttachedFile, chosen_use, uses
from assistants_tui.tui.dialogs.file_picker import FilePicker
from assistants_tui.tui.dialogs.questions import ChoiceDialog
from assistants_tui.tui.panes.composer.message import MessageInComposer, appended
from assistants_tui.tui.panes.composer.thread_drafts import ThreadDrafts
from assistants_tui.tui.text.safety import clean


class FileAttaching:
    """What becomes of files that are chosen, pasted or dropped."""

    def __init__(
        self, pane: Widget, message: MessageInComposer, drafts: ThreadDrafts, store: DraftStore
    ) -> None:
        self._pane = pane
        self._message = message
        self._drafts = drafts
        self._store = store

    async def choose(self) -> None:
        """Let the user choose files."""
        paths = await self._pane.app.push_screen_wait(FilePicker("Attach files", Path.cwd()))
        self.attach(paths or ())

    def attach(self, paths: Sequence[Path]) -> None:
        """Let files go with the message."""
        known = {file.path for file in self._message.files}
        new = [AttachedFile(path.name, path) for path in paths if path not in known]
        self._set([*self._message.files, *new])

    async def offer(self, paths: Sequence[Path], text: str) -> bool:
        """Ask whether files whose paths were pasted as `text` are to be attached. True if they were."""
        choice = await self._pane.app.push_screen_wait(
            ChoiceDialog(
                "Attach this file?" if len(paths) == 1 else f"Attach these {len(paths)} files?",
                ", ".join(path.name for path in paths),
                choices=[("attach", "Attach"), ("text", "Insert as text")],
            )
        )
        if choice == "attach":
            self.attach(paths)
        elif choice == "text":
            self._message.insert(text)
        return choice == "attach"

    async def attach_text(self, text: str) -> None:
        """Let a long text go as a file; if it cannot be written, it is text all the same."""
        conversation = self._message.conversation
        name = f"Pasted text, {len(text):,} characters.txt"
        too_long = len(text) > limits.MAX_MESSAGE_TEXT  # for a message, so a tool has to read it
        use = uses(name, self._message.assistant)[0] if too_long else None
        file: AttachedFile | None = None
        try:
            path = await self._store.keep_paste(text)
            file = AttachedFile(name, path, use=use, pasted=True)
        except ServiceError as error:
            self._pane.notify(str(error), title="Not made a file", severity="error", markup=False, timeout=10)
        self._drafts.find_thread()
        if conversation is not self._message.conversation:
            more = partial(appended, file=file) if file is not None else partial(appended, text=text)
            self._drafts.add(conversation, more)
        elif file is not None:
            self._set([*self._message.files, file])
        else:
            self._message.insert(text)
            self._drafts.keep_soon()

    async def change(self, file: AttachedFile, what: Literal["use", "remove"]) -> None:
        """Use a file in the next way, or do not attach it."""
        if file not in self._message.files:
            return
        if what == "remove":
            self._set([one for one in self._message.files if one is not file])
            await asyncio.to_thread(remove_pasted, [file])
            return
        offered = uses(file.name, self._message.assistant, pasted=file.pasted)
        current = chosen_use(file, self._message.assistant)
        place = offered.index(current) + 1 if current in offered else 0
        changed = replace(file, use=offered[place % len(offered)])
        self._set([changed if one is file else one for one in self._message.files])

    async def drop_missing(self) -> None:
        """Drop files that have gone since they were attached, and say which."""
        if gone := await asyncio.to_thread(missing, self._message.files):
            self._set([file for file in self._message.files if file not in gone])
            names = ", ".join(clean(file.name) for file in gone)
            self._pane.notify(
                names, title="No longer there, so not attached", severity="warning", markup=False
            )

    def _set(self, files: Sequence[AttachedFile]) -> None:
        self._message.set_files(files)
        self._drafts.keep_soon()
