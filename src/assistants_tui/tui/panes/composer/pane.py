"""The composer pane: the text box, what goes with the message, completions, and who handles which event."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import TextArea

from assistants_tui.service.changes import Changed
from assistants_tui.service.client.local_model_servers import FoundEndpoint
from assistants_tui.service.drafts import Draft
from assistants_tui.service.workspace import Workspace
from assistants_tui.settings.provider_settings import ProviderSettings
from assistants_tui.tui.app_messages import ConnectWanted
from assistants_tui.tui.panes import slash
from assistants_tui.tui.panes.composer.attaching import FileAttaching
from assistants_tui.tui.panes.composer.completion import CompletionList, Completions
from assistants_tui.tui.panes.composer.message import MessageInComposer, Written
from assistants_tui.tui.panes.composer.notes import ComposerNotes
from assistants_tui.tui.panes.composer.options import choose_options
from assistants_tui.tui.panes.composer.sending import MessageSending
from assistants_tui.tui.panes.composer.thread_drafts import ThreadDrafts
from assistants_tui.tui.panes.model_offer import shown_offer
from assistants_tui.tui.terminal.external_editor import ExternalEditorError, edit_externally
from assistants_tui.tui.widgets.attached_files import AttachedFiles
from assistants_tui.tui.widgets.composer import Composer
from assistants_tui.tui.widgets.first_frame import COMPOSER_HINT


class ComposerPane(Vertical):
    """Holds what is written for the shown thread; every thread keeps its own until it is sent."""

    HELP: ClassVar[str] = (
        "Enter sends, Ctrl+J begins a line. The up key brings earlier prompts back, and first of all what "
        "still waits to be sent. A slash begins a command. Ctrl+O attaches files, and so do paths that you "
        "paste or drop."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(  # first, because text areas have a use of their own for F6
            "f6",
            "options",
            "Options",
            show=False,
            priority=True,
            id="composer.options",
            tooltip="Options of the next runs",
        ),
    ]
    DEFAULT_CSS = """
    ComposerPane {
        height: auto;
        border-top: solid $border-blurred;
        background: $surface;
        &:focus-within { border-top: solid $accent; }
    }
    """

    class CommandGiven(Message):
        """The user entered a slash command."""

        def __init__(self, name: str, argument: str) -> None:
            super().__init__()
            self.name = name
            self.argument = argument

    class Sent(Message):
        """A message is on its way."""

    def __init__(self, workspace: Workspace, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._workspace = workspace
        self.composer = Composer(id="composer", placeholder=COMPOSER_HINT)
        self._files = AttachedFiles(id="attached-files")
        self._notes = ComposerNotes(workspace)
        self._message = MessageInComposer(workspace, self.composer, self._show_extras)
        self._drafts = ThreadDrafts(self, workspace.drafts, self._message, self._drop_missing_files)
        self._attaching = FileAttaching(self, self._message, self._drafts, workspace.drafts)
        self._sending = MessageSending(
            self, workspace, self._message, self._drafts, lambda: self.post_message(self.Sent())
        )
        self._completions = CompletionList(
            Completions(workspace, self._message), self.composer, id="completions"
        )

    def compose(self) -> ComposeResult:
        yield self._completions
        yield self._files
        yield self._notes
        yield self.composer

    def on_mount(self) -> None:
        self.composer.assist = self._assist
        self._drafts.restore()
        self._workspace.feed.subscribe(self._workspace_changed)
        self._show_extras()

    def _workspace_changed(self, changed: Changed) -> None:
        self._drafts.find_thread()
        shown = self._workspace.conversations.shown
        if changed & Changed.PLACE and shown is not self._message.conversation:
            self._drafts.switch_to(shown)
        elif changed & Changed.ASSISTANTS or self._notes.outdated:
            self._show_extras()

    def _show_extras(self) -> None:
        """The files, the options, and what becomes of the message."""
        self._files.show(self._message.files, self._message.assistant)
        self._notes.show(self._message)

    # what is written

    @property
    def draft(self) -> Draft:
        """What has been written so far."""
        return self._message.draft

    def put(self, draft: Draft) -> None:
        """Show a draft, to be edited and sent."""
        self._message.put(Written(draft))

    def write_instead(self, message_id: str, draft: Draft) -> None:
        """Show a draft that is sent in place of a message, on a branch. Esc brings back what is here now."""
        self._message.write_instead(message_id, draft)

    def keep_draft(self) -> None:
        """Remember what has been written, in case the app ends before it is sent."""
        self._drafts.keep()

    def bring_back(self, outgoing_id: str) -> None:
        """Take a message back that has not gone out, if nothing is written."""
        self._sending.bring_back(outgoing_id)

    @on(TextArea.Changed)
    def _text_changed(self) -> None:
        self._drafts.keep_soon()
        self._notes.show_warning(self._message)
        self._completions.follow(self.composer.text)

    def _assist(self, key: str) -> bool:
        """Take a key before the composer has it. False if it is the composer's."""
        if self._completions.assist(key):
            return True
        message = self._message
        if key == "escape" and message.edit is not None:
            self.put(message.edit.aside)
            return True
        if message.text.strip():
            return False
        match key:
            case "up" if message.edit is None:
                return self._sending.take_back()
            case "enter" if message.files:  # pictures may say enough
                self._sending.send(message.draft)
            case "enter" if (offer := shown_offer(self._workspace)) is not None:
                self._connect_offer(offer)
            case "backspace" if message.files and not message.text:
                self.post_message(AttachedFiles.Changed(message.files[-1], "remove"))
            case _:
                return False
        return True

    def _connect_offer(self, offer: FoundEndpoint) -> None:
        """Connect the model server that was found, once."""
        self._workspace.session.offer = None
        provider = ProviderSettings(offer.provider, offer.url, default_model=offer.answering[0])
        self.post_message(ConnectWanted(provider))

    @on(Composer.Submitted)
    def _submitted(self, event: Composer.Submitted) -> None:
        event.stop()
        try:
            command = slash.parse(event.text)
        except slash.UnknownCommandError as error:
            self.notify(str(error), title="Not sent", severity="warning", markup=False)
            return
        written = self.composer.text  # perhaps more by now: a fast typist is already at the next one
        rest = written[len(event.text) :] if written.startswith(event.text) else ""
        if command is not None:
            self.composer.put(rest)
            self.post_message(self.CommandGiven(command[0].name, command[1]))
        else:
            draft = replace(self.draft, text=slash.message(event.text))
            self._sending.send(draft, rest)

    @on(Composer.EditorWanted)
    @work(exclusive=True, group="editor")
    async def edit(self) -> None:
        """Write the message in the user's editor."""
        try:
            text = await edit_externally(self.app, self.composer.text, name="message.md")
        except ExternalEditorError as error:
            self.notify(str(error), title="No editor", severity="error", markup=False)
        else:
            self.composer.put(text)
        self.composer.focus()

    # what goes with it

    def attach(self, paths: Sequence[Path]) -> None:
        """Let files go with the message."""
        self._attaching.attach(paths)
        self.composer.focus()

    @on(Composer.AttachWanted)
    @work
    async def _choose_files(self) -> None:
        await self._attaching.choose()
        self.composer.focus()

    @on(Composer.FilesPasted)
    @work
    async def _offer_files(self, event: Composer.FilesPasted) -> None:
        if await self._attaching.offer(event.paths, event.text):
            self.composer.focus()

    @on(Composer.LongPasted)
    @work
    async def _attach_text(self, event: Composer.LongPasted) -> None:
        await self._attaching.attach_text(event.text)

    @on(AttachedFiles.Changed)
    @work
    async def _change_file(self, event: AttachedFiles.Changed) -> None:
        event.stop()
        await self._attaching.change(event.file, event.what)
        if not self._message.files:
            self.composer.focus()

    @work(exclusive=True, group="missing")
    async def _drop_missing_files(self) -> None:
        await self._attaching.drop_missing()

    @on(events.Click, "#run-options")
    @work
    async def action_options(self) -> None:
        """Ask for the options of the next runs."""
        await choose_options(self, self._workspace, self._message)
