"""The conversation in the middle: its messages, what waits for the user, troubles, and the composer."""

import asyncio
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Static, TextArea

from assistants_tui.service.changes import Changed
from assistants_tui.service.conversation.conversation import Conversation
from assistants_tui.service.workspace import Workspace
from assistants_tui.tui.app_messages import ComposerWanted
from assistants_tui.tui.failures import told_failures
from assistants_tui.tui.panes.approvals.code_approval import CodeApprovalPanel
from assistants_tui.tui.panes.approvals.function_calls import FunctionCallsPanel
from assistants_tui.tui.panes.composer.pane import ComposerPane
from assistants_tui.tui.panes.transcript.transcript import Transcript
from assistants_tui.tui.text.excerpts import shortened
from assistants_tui.tui.widgets.find_bar import FindBar


class ConversationPane(Vertical):
    """Shows the workspace's conversation and sends what the user writes."""

    HELP: ClassVar[str] = "Arrows scroll, j and k go from message to message. Esc stops a run."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+r", "retry", "Retry", id="conversation.retry", tooltip="Try again what failed"),
        Binding(
            "ctrl+f", "find", show=False, priority=True, id="conversation.find", tooltip="Find in this thread"
        ),
    ]

    def __init__(self, workspace: Workspace, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._workspace = workspace
        self._trouble = ("", "")
        self._replacing = asyncio.Lock()
        self._panel: FunctionCallsPanel | CodeApprovalPanel | None = None
        self._match: str | None = None  # the message that was found last

    def compose(self) -> ComposeResult:
        yield FindBar(id="find")
        yield Transcript(self._workspace, id="messages")
        yield Static(id="trouble")
        yield ComposerPane(self._workspace, id="composer-pane")

    def on_mount(self) -> None:
        self.query_one("#trouble").display = False
        self._workspace.feed.subscribe(self._workspace_changed)
        self._workspace_changed(Changed.CONVERSATION)

    def _workspace_changed(self, changed: Changed) -> None:
        if changed & (Changed.CONVERSATION | Changed.CONNECTION | Changed.PLACE):
            self._show_trouble(*_trouble(self._workspace))
        if changed & (Changed.APPROVALS | Changed.PLACE):
            self._show_approval()

    def _show_trouble(self, what: str, advice: str) -> None:
        if (what, advice) != self._trouble:
            self._trouble = (what, advice)
            line = self.query_one("#trouble", Static)
            line.display = bool(what)
            line.update(Content.assemble(("✗ ", "$text-error"), f"{shortened(what)} {advice}"))
            self.refresh_bindings()

    def _show_approval(self) -> None:
        """The panel that asks the user while, and only while, the run waits for an answer."""
        approval, panel = self._workspace.approvals.of(self._workspace.conversations.shown), self._panel
        if panel is not None and panel.approval is approval:
            panel.show()
            return
        if panel is not None:
            self._panel = None
            panel.keep_drafts()
            if panel.has_focus_within:
                self.query_one(ComposerPane).composer.focus()
        if panel is not None or approval is not None:
            self._replace_panel()

    @work(group="approval")
    async def _replace_panel(self) -> None:
        """Show the panel of what is waited for. Not exclusive: a cancelled removal leaves dead widgets."""
        async with self._replacing:
            approval = self._workspace.approvals.of(self._workspace.conversations.shown)
            if self._panel is not None and self._panel.approval is approval:
                return
            await self.query("FunctionCallsPanel, CodeApprovalPanel").remove()
            if approval is not None:
                panel = CodeApprovalPanel if approval.pending.code is not None else FunctionCallsPanel
                self._panel = panel(approval)
                await self.mount(self._panel, before="#trouble")
                self._panel.show()  # what has changed meanwhile
                if self._nobody_writes:
                    self._panel.take_focus()

    @property
    def _nobody_writes(self) -> bool:
        """Whether a question may take the focus: somebody who writes is not interrupted."""
        composer, focused = self.query_one(ComposerPane).composer, self.app.focused
        elsewhere = isinstance(focused, Input | TextArea) and focused is not composer
        return not composer.text and not elsewhere

    @on(ComposerPane.Sent)
    def _show_end(self) -> None:
        self.query_one(Transcript).scroll_end(animate=False)

    @on(Transcript.DraftWanted)
    def _write(self, event: Transcript.DraftWanted) -> None:
        pane = self.query_one(ComposerPane)
        if event.instead_of is None:
            pane.put(event.draft)
        else:
            pane.write_instead(event.instead_of, event.draft)
        self.post_message(ComposerWanted())

    # finding in the thread

    def action_find(self) -> None:
        self.find("")

    def find(self, words: str) -> None:
        """Find in this thread, beginning with these words."""
        self._match = None
        self.query_one(FindBar).open(words)

    @on(FindBar.Wanted)
    @work(exclusive=True, group="find")
    async def _find(self, event: FindBar.Wanted) -> None:
        event.stop()
        bar, transcript = self.query_one(FindBar), self.query_one(Transcript)
        conversation = self._workspace.conversations.shown
        while True:
            matches = transcript.matches(event.words)
            place = _next_place(matches, self._match, event.step)
            if place >= 0 or not event.words or event.step > 0 or not conversation.pages.has_older:
                break
            bar.tell("reading older messages…")
            read = len(conversation.messages)
            await conversation.pages.read_older()
            if len(conversation.messages) == read:
                break
        place = max(0, min(place, len(matches) - 1))
        if matches:
            self._match = matches[place]
            transcript.show_match(self._match, event.words)
            more = "+" if conversation.pages.has_older else ""
            bar.tell(f"{len(matches) - place} of {len(matches)}{more}")
        else:
            transcript.mark("")
            bar.tell("nothing found" if event.words else "")

    @on(FindBar.Closed)
    def _found(self) -> None:
        transcript = self.query_one(Transcript)
        transcript.mark("")
        transcript.focus()

    async def show_message(self, thread_id: str, message_id: str, words: str) -> None:
        """Open a thread and show one of its messages, where the first of `words` stands in it."""
        workspace = self._workspace
        if workspace.conversations.shown.thread_id != thread_id:
            await workspace.conversations.open(thread_id)
        transcript = self.query_one(Transcript)
        if await workspace.conversations.shown.read_until(message_id):
            transcript.show_match(message_id, next(iter(words.split()), ""))
            transcript.focus()
        else:
            self.notify("The thread does not have this message any more.", severity="warning", markup=False)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action != "retry":
            return True
        conversation = self._workspace.conversations.shown
        failed = any(item.state == "failed" for item in conversation.outbox)
        troubled = conversation.error is not None or self._workspace.session.error is not None
        return failed or troubled or _gave_no_answer(conversation)

    @work
    async def action_retry(self) -> None:
        if not self._workspace.session.connected:
            await self._workspace.session.connect()
        conversation = self._workspace.conversations.shown
        unanswered = conversation.error is not None and conversation.error.code == "unanswered"
        ended = conversation.error is None and _gave_no_answer(conversation)
        if not conversation.outbox and (unanswered or ended):
            conversation.dismiss_error()
            with told_failures(self, "Not answered"):
                self._workspace.messages.run()
            return
        for item in conversation.outbox:
            conversation.sender.retry(item.id)
        await conversation.reconnect()


def _gave_no_answer(conversation: Conversation) -> bool:
    """Whether the newest run ended without a whole answer, through no wish of the user."""
    latest = conversation.latest_run
    return latest is not None and latest.finished and latest.error is not None


def _next_place(matches: list[str], current: str | None, step: int) -> int:
    """The match to go to: the newest at first, then one after the other. -1: one before the oldest."""
    if current not in matches:
        return len(matches) - 1
    return min(matches.index(current) + step, len(matches) - 1)


def _trouble(workspace: Workspace) -> tuple[str, str]:
    """What keeps the app from the server or the thread, else why the newest run gave no full answer."""
    conversation: Conversation = workspace.conversations.shown
    if (error := workspace.session.error or conversation.error) is not None:
        return error.what, f"{error.advice} Ctrl+R tries again.".strip()
    latest = conversation.latest_run
    if latest is None or latest.error is None or not latest.finished:
        return "", ""
    return latest.error, "Ctrl+R answers again; another message goes on."
