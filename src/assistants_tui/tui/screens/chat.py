"""The main screen: three columns that show one profile, and the wiring between them and the service layer."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import Screen
from textual.widget import Widget

from assistants_tui.service import views
from assistants_tui.service.connection import Connection
from assistants_tui.service.conversation import Conversation
from assistants_tui.service.errors import ServiceError
from assistants_tui.service.wire import Assistant, Thread
from assistants_tui.settings.state import AppState
from assistants_tui.settings.threads import ThreadIndex, ThreadReference
from assistants_tui.tui.panes.assistants import AssistantsPane
from assistants_tui.tui.panes.conversation import ConversationPane
from assistants_tui.tui.panes.function_calls import FunctionCallsPanel
from assistants_tui.tui.panes.inspector import InspectorPane
from assistants_tui.tui.panes.threads import ThreadsPane
from assistants_tui.tui.screens.dialogs import ChoiceDialog, PickDialog, TextDialog
from assistants_tui.tui.screens.help import HelpScreen
from assistants_tui.tui.widgets.composer import Composer
from assistants_tui.tui.widgets.key_bar import KeyBar
from assistants_tui.tui.widgets.message_view import MessageView
from assistants_tui.tui.widgets.status_bar import StatusBar

Remembered = Callable[[AppState], AppState]
"""A change of what is kept for the next start."""

_WELCOME = """\
{name} is ready.

Type a message below and press Enter.
Tab moves between the panes, F1 explains, Ctrl+Q quits."""
_NO_ASSISTANT = "There is no assistant yet."
_CONNECTING = "Starting… You can type already; the message goes out as soon as the server is there."


class ChatScreen(Screen[None]):
    """Shows the assistants, threads, messages and runs of one profile."""

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (80, "-medium"), (120, "-wide")]  # noqa: RUF012 - Textual's
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+n", "new_thread", "New", priority=True, id="threads.new", tooltip="Begin a new thread"),
        Binding("escape", "back", "Back", id="app.back", tooltip="Stop the run, or go back"),
        Binding(
            "f2",
            "toggle_sidebar",
            "Threads",
            id="sidebar.toggle",
            tooltip="Show or hide assistants and threads",
        ),
        Binding(
            "f4", "toggle_inspector", "Inspector", id="inspector.toggle", tooltip="Show or hide the inspector"
        ),
        Binding(
            "f1,question_mark", "help", "Help", key_display="F1", id="app.help", tooltip="Explain this screen"
        ),
    ]

    def __init__(
        self,
        connection: Connection,
        threads: ThreadIndex,
        *,
        assistants: list[Assistant],
        assistant: str | None,
        thread_id: str | None,
        prompts: Sequence[str] = (),
        remember: Callable[[Remembered], None] = lambda change: None,
    ) -> None:
        """`assistants` are the ones known from the last time; `assistant` is a name or an ID.

        `remember` keeps what the user chose for the next start.
        """
        super().__init__()
        self.connection = connection
        self._threads = threads
        self._assistants = assistants
        self._wanted_assistant = assistant
        self._assistant_id: str | None = None
        self._first_thread = thread_id
        self._prompts = prompts
        self._remember = remember
        self._conversations: dict[str, Conversation] = {}
        self.conversation = self._new_conversation()
        """The one that is shown."""
        self.connected = False
        """Whether the server has answered."""
        self._busy_threads: frozenset[str] = frozenset()

    def compose(self) -> ComposeResult:
        yield StatusBar(id="status")
        with Horizontal(id="columns"):
            with Vertical(id="sidebar"):
                yield AssistantsPane(id="assistants")
                yield ThreadsPane(id="threads")
            yield ConversationPane(id="conversation")
            yield InspectorPane(id="inspector")
        yield KeyBar(id="keys")

    def on_mount(self) -> None:
        self.query_one(StatusBar).profile = self._profile
        self.query_one(Composer).set_prompts(self._prompts)
        self._choose_assistant()
        self._show_assistants()
        self._show_threads()
        if self._first_thread is not None:
            self._open(self._first_thread)
        else:
            self._show_conversation()
        self.query_one(Composer).focus()
        self.call_after_refresh(self._connect)

    @property
    def _profile(self) -> str:
        return self.connection.profile.name

    # connecting

    @work(exclusive=True, group="connect")
    async def _connect(self) -> None:
        status = self.query_one(StatusBar)
        status.status = "connecting"
        try:
            backend = await self.connection.backend()
            self._assistants = await backend.assistants.list()
        except ServiceError as error:
            status.status = "offline"
            self.conversation.error = error
            self._conversation_changed(self.conversation)
            self._show_assistants()
            return
        self.connected = True
        status.status = ""
        self._choose_assistant()
        self._show_assistants()
        self._show_threads()
        self._show_place()
        self._conversation_changed(self.conversation)

    # assistants

    @property
    def _names(self) -> dict[str, str]:
        return {assistant["id"]: assistant.get("name") or assistant["id"] for assistant in self._assistants}

    def _choose_assistant(self) -> None:
        """The wanted assistant if it exists, else the one chosen before, else the first."""
        ids = list(self._names)
        if self._assistant_id in ids:
            return
        wanted = self._wanted_assistant
        by_name = next((key for key, name in self._names.items() if wanted in (key, name)), None)
        self._assistant_id = by_name or (ids[0] if ids else None)

    def _show_assistants(self) -> None:
        empty = _NO_ASSISTANT if self.connected else "Connecting…"
        self.query_one(AssistantsPane).show(self._assistants, self._assistant_id, empty=empty)
        self.query_one(ConversationPane).rename(self._names)
        self._show_empty()

    def _show_empty(self) -> None:
        name = self._names.get(self._assistant_id or "")
        if self.conversation.thread_id is not None:
            text = "" if self.conversation.opened else "Opening the thread…"
        elif not self.connected:
            text = _CONNECTING
        else:
            text = _WELCOME.format(name=name) if name else _NO_ASSISTANT
        self.query_one(ConversationPane).show_empty(text)

    @on(AssistantsPane.Chosen)
    def _assistant_chosen(self, event: AssistantsPane.Chosen) -> None:
        self._assistant_id = event.assistant_id
        self._remember_place()
        self._show_assistants()
        self._show_place()
        self._close_drawers()
        self.query_one(Composer).focus()

    def _remember_place(self) -> None:
        thread_id, assistant_id = self.conversation.thread_id, self._assistant_id
        self._remember(
            lambda state: state.with_profile(
                self._profile,
                replace(state.profile(self._profile), last_thread=thread_id, last_assistant=assistant_id),
            )
        )

    # threads

    def _new_conversation(self, thread_id: str | None = None) -> Conversation:
        conversation = Conversation(
            self.connection.backend,
            thread_id,
            created=lambda thread, assistant_id, text: self._thread_created(
                conversation, thread, assistant_id, text
            ),
        )
        conversation.subscribe(partial(self._conversation_changed, conversation))
        return conversation

    def _thread_created(
        self, conversation: Conversation, thread: Thread, assistant_id: str, text: str
    ) -> None:
        self._conversations[thread["id"]] = conversation
        now = int(time.time())
        self._threads.add(
            ThreadReference(
                profile=self._profile,
                id=thread["id"],
                title=views.suggested_title(text),
                assistant_id=assistant_id,
                created_at=thread["created_at"],
                last_used_at=now,
            )
        )
        self._remember_place()
        self._show_threads()
        self._show_place()

    def _show_threads(self) -> None:
        self._busy_threads = self._threads_with_runs
        self.query_one(ThreadsPane).show(
            self._threads.list(self._profile),
            self.conversation.thread_id,
            self._busy_threads,
        )

    @on(ThreadsPane.Opened)
    def _thread_opened(self, event: ThreadsPane.Opened) -> None:
        self._open(event.thread_id)
        self._close_drawers()
        self.query_one(Composer).focus()

    def _open(self, thread_id: str) -> None:
        conversation = self._conversations.get(thread_id)
        if conversation is None:
            conversation = self._conversations[thread_id] = self._new_conversation(thread_id)
        self.conversation = conversation
        reference = self._threads.get(self._profile, thread_id)
        if reference is not None and reference.assistant_id in self._names:
            self._assistant_id = reference.assistant_id
            self._show_assistants()
        self._remember_place()
        self._show_conversation()
        self._show_threads()
        self.run_worker(conversation.open(), group="open")

    def action_new_thread(self) -> None:
        if self.conversation.thread_id is not None or self.conversation.outbox:
            self.conversation = self._new_conversation()
            self._remember_place()
            self._show_conversation()
            self._show_threads()
        self._close_drawers()
        self.query_one(Composer).focus()

    @on(ThreadsPane.RenameWanted)
    @work
    async def _rename(self, event: ThreadsPane.RenameWanted) -> None:
        reference = self._threads.get(self._profile, event.thread_id)
        if reference is None:
            return
        title = await self.app.push_screen_wait(TextDialog("Title of the thread", reference.title))
        if title is not None:
            self._threads.update(self._profile, event.thread_id, title=title)
            self._show_threads()
            self._show_place()

    @on(ThreadsPane.DeleteWanted)
    @work
    async def _delete(self, event: ThreadsPane.DeleteWanted) -> None:
        reference = self._threads.get(self._profile, event.thread_id)
        if reference is None:
            return
        choice = await self.app.push_screen_wait(
            ChoiceDialog(
                f"Delete “{reference.title}”?",
                "Here only: it leaves the history, and can be opened again by its ID "
                f"({reference.id}). Everywhere: the server deletes it with all messages, for good.",
                choices=[("keep", "Keep it"), ("here", "Here only"), ("everywhere", "Everywhere")],
                danger="everywhere",
            )
        )
        if choice not in ("here", "everywhere"):
            return
        if choice == "everywhere":
            try:
                backend = await self.connection.backend()
                await backend.threads.delete(reference.id)
            except ServiceError as error:
                if error.status != 404:
                    self.notify(str(error), title="Not deleted", severity="error", markup=False)
                    return
        self._threads.remove(self._profile, reference.id)
        if (gone := self._conversations.pop(reference.id, None)) is not None:
            await gone.close()
        if self.conversation.thread_id == reference.id:
            self.conversation = self._new_conversation()
            self._show_conversation()
        self._show_threads()

    # the conversation

    def _show_conversation(self) -> None:
        self.query_one(ConversationPane).show(self.conversation, self._names)
        self._show_empty()
        self.query_one(InspectorPane).show(self.conversation)
        self._show_place()
        self._show_run_state()

    def _conversation_changed(self, conversation: Conversation) -> None:
        if not self.is_mounted:
            return
        if conversation is self.conversation:
            self.query_one(ConversationPane).conversation_changed()
            self.query_one(InspectorPane).conversation_changed()
            self._show_run_state()
        if self._threads_with_runs != self._busy_threads:
            self._show_threads()

    @property
    def _threads_with_runs(self) -> frozenset[str]:
        return frozenset(key for key, conversation in self._conversations.items() if conversation.busy)

    @on(Composer.Submitted)
    def _submitted(self, event: Composer.Submitted) -> None:
        if self._assistant_id is None:
            self.notify(
                "Wait until the assistants are listed, or create one first.",
                title="No assistant",
                markup=False,
            )
            return
        composer = self.query_one(Composer)
        composer.remember(event.text)
        composer.clear()
        self._remember(lambda state: state.with_prompt(event.text))
        self.query_one(MessageView).scroll_end(animate=False)
        if (thread_id := self.conversation.thread_id) is not None:
            self._threads.update(
                self._profile,
                thread_id,
                last_used_at=int(time.time()),
                assistant_id=self._assistant_id,
            )
        self.conversation.send(event.text, self._assistant_id)

    @on(MessageView.OlderWanted)
    def _older_wanted(self) -> None:
        self.run_worker(self.conversation.read_older(), group="older")

    @on(ConversationPane.RetryWanted)
    def _retry_wanted(self) -> None:
        if not self.connected:
            self._connect()
        for item in self.conversation.outbox:
            self.conversation.retry(item.id)
        self.run_worker(self.conversation.reconnect(), group="reconnect")

    @on(InspectorPane.RunWanted)
    def _run_wanted(self, event: InspectorPane.RunWanted) -> None:
        self.run_worker(self.conversation.read_run(event.run_id), group="run")

    @on(FunctionCallsPanel.Submitted)
    def _outputs_submitted(self, event: FunctionCallsPanel.Submitted) -> None:
        self.run_worker(self.conversation.submit(event.outputs), group="submit")
        self.query_one(Composer).focus()

    @on(MessageView.CopyWanted)
    def _copy_wanted(self, event: MessageView.CopyWanted) -> None:
        self.app.copy_to_clipboard(event.text)
        lines = event.text.count("\n") + 1
        self.notify(f"Copied {lines} line{'s' if lines > 1 else ''}.", timeout=2, markup=False)

    @on(MessageView.CodeWanted)
    @work
    async def _code_wanted(self, event: MessageView.CodeWanted) -> None:
        if not event.blocks:
            self.notify("There is no code in this message.", timeout=3, markup=False)
            return
        firsts = [block.source.strip().split("\n", 1)[0] for block in event.blocks]
        number = await self.app.push_screen_wait(PickDialog("Copy which code block?", firsts))
        if number is not None:
            self.post_message(MessageView.CopyWanted(event.blocks[number].source))

    @on(MessageView.OpenWanted)
    @work
    async def _open_wanted(self, event: MessageView.OpenWanted) -> None:
        rows = [*(note.text for note in event.notes), *event.links]
        if not rows:
            self.notify("There is nothing to open in this message.", timeout=3, markup=False)
            return
        number = await self.app.push_screen_wait(PickDialog("Open what?", rows))
        if number is None:
            return
        if number < len(event.notes):
            self.post_message(MessageView.NoteOpened(event.item.id, event.notes[number]))
        else:
            self.post_message(MessageView.LinkOpened(event.links[number - len(event.notes)]))

    @on(MessageView.LinkOpened)
    @work
    async def _link_opened(self, event: MessageView.LinkOpened) -> None:
        choice = await self.app.push_screen_wait(
            ChoiceDialog(
                "Open this link in the browser?",
                event.url,
                choices=[("stay", "Stay here"), ("copy", "Copy it"), ("open", "Open")],
            )
        )
        if choice == "open":
            self.app.open_url(event.url)
        elif choice == "copy":
            self.app.copy_to_clipboard(event.url)

    @on(MessageView.NoteOpened)
    @work
    async def _note_opened(self, event: MessageView.NoteOpened) -> None:
        if event.note.target is None:
            return
        try:
            backend = await self.connection.backend()
            path = await backend.files.download(event.note.target)
        except ServiceError as error:
            self.notify(str(error), title="Not saved", severity="error", markup=False)
        else:
            self.notify(str(path), title="Saved", markup=False)

    # the lines above and below

    def _show_place(self) -> None:
        status = self.query_one(StatusBar)
        assistant = next((one for one in self._assistants if one["id"] == self._assistant_id), None)
        status.assistant = (assistant.get("name") or assistant["id"]) if assistant else ""
        status.model = assistant["model"] if assistant else ""
        thread_id = self.conversation.thread_id
        reference = self._threads.get(self._profile, thread_id) if thread_id else None
        status.title = (reference.title if reference else "") or (
            "New thread" if thread_id is None else thread_id
        )
        self.app.title = f"{status.title} · assistants-tui"

    def _show_run_state(self) -> None:
        status = self.query_one(StatusBar)
        conversation = self.conversation
        run = conversation.latest_run
        if any(item.state == "sending" for item in conversation.outbox) and conversation.active_run is None:
            status.status = "sending" if self.connected else "connecting"
        elif run is not None and run.run is not None:
            status.seconds = views.run_seconds(run.run)
            status.status = run.status or ""
        elif self.connected:
            status.status = ""
        tokens = conversation.total_tokens
        self.query_one(KeyBar).note = f"{tokens:,} tok" if tokens else ""

    # panes

    def _drawer_shown(self, pane: str) -> bool:
        return self.has_class(f"-show-{pane}")

    def _close_drawers(self) -> bool:
        shown = self._drawer_shown("sidebar") or self._drawer_shown("inspector")
        self.remove_class("-show-sidebar", "-show-inspector")
        return shown

    def action_toggle_sidebar(self) -> None:
        self._toggle("sidebar", self.query_one(ThreadsPane).rows, columns=not self.has_class("-narrow"))

    def action_toggle_inspector(self) -> None:
        tree = self.query_one("#run-tree")
        self._toggle("inspector", tree, columns=self.has_class("-wide"))

    def _toggle(self, pane: str, focus: Widget, *, columns: bool) -> None:
        """Where there is room a pane is a column that can be hidden; elsewhere it is a drawer."""
        if columns:
            self.toggle_class(f"-hide-{pane}")
            shown = not self.has_class(f"-hide-{pane}")
        else:
            other = "inspector" if pane == "sidebar" else "sidebar"
            self.remove_class(f"-show-{other}")
            self.toggle_class(f"-show-{pane}")
            shown = self._drawer_shown(pane)
        self.call_after_refresh((focus if shown else self.query_one(Composer)).focus)
        self.query_one(InspectorPane).conversation_changed()

    @work
    async def action_back(self) -> None:
        if self.query_one(ThreadsPane).close_filter() or self._close_drawers():
            self.query_one(Composer).focus()
        elif self.conversation.active_run is not None:
            await self.conversation.cancel()
        else:
            self.query_one(Composer).focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return True

    def action_help(self) -> None:
        self.app.push_screen(HelpScreen(self))

    # leaving

    @property
    def busy_conversations(self) -> list[Conversation]:
        """The conversations that would lose their follower if the app quit now."""
        return [one for one in {self.conversation, *self._conversations.values()} if one.busy]

    async def close_conversations(self) -> None:
        """Stop following all runs and close the connection, and with it an embedded engine."""
        for conversation in {self.conversation, *self._conversations.values()}:
            await conversation.close()
        await self.connection.close()
