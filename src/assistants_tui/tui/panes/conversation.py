"""The conversation in the middle: its messages, function calls that wait, troubles, and the composer."""

from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from assistants_tui.service.conversation import Conversation
from assistants_tui.service.drafts import Draft
from assistants_tui.service.workspace import Changed, Workspace
from assistants_tui.tui.failures import told_failures
from assistants_tui.tui.messages import ComposerWanted
from assistants_tui.tui.panes.function_calls import FunctionCallsPanel
from assistants_tui.tui.panes.transcript import Transcript
from assistants_tui.tui.widgets.composer import Composer


class ConversationPane(Vertical):
    """Shows the workspace's conversation and sends what the user writes."""

    HELP: ClassVar[str] = "Type and press Enter. The up key brings earlier prompts back. Esc stops a run."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+r", "retry", "Retry", id="conversation.retry", tooltip="Try again what failed"),
    ]

    def __init__(self, workspace: Workspace, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._workspace = workspace
        self._trouble = ("", "")

    def compose(self) -> ComposeResult:
        yield Transcript(self._workspace, id="messages")
        yield Static(id="trouble")
        yield Composer(id="composer", placeholder="Type a message, Enter sends it")

    def on_mount(self) -> None:
        self.query_one("#trouble").display = False
        self._workspace.subscribe(self._workspace_changed)
        self._workspace_changed(Changed.CONVERSATION)

    def _workspace_changed(self, changed: Changed) -> None:
        if changed & (Changed.CONVERSATION | Changed.CONNECTION | Changed.PLACE):
            self._show_trouble(*_trouble(self._workspace))
            self._show_calls()

    def _show_trouble(self, what: str, advice: str) -> None:
        if (what, advice) != self._trouble:
            self._trouble = (what, advice)
            line = self.query_one("#trouble", Static)
            line.display = bool(what)
            line.update(Content.assemble(("✗ ", "$text-error"), f"{what} {advice}"))
            self.refresh_bindings()

    def _show_calls(self) -> None:
        """The panel of function calls while, and only while, the run waits for them."""
        run = self._workspace.conversation.active_run
        calls = run.pending_calls if run is not None else ()
        panel = next(iter(self.query(FunctionCallsPanel)), None)
        if [call["id"] for call in calls] == ([call["id"] for call in panel.calls] if panel else []):
            return
        if panel is not None:
            if panel.has_focus_within:
                self.post_message(ComposerWanted())
            panel.remove()
        if calls and run is not None and run.run is not None:
            self.mount(FunctionCallsPanel(calls, run.run.get("expires_at")), before="#trouble")

    @on(Composer.Submitted)
    def _send(self, event: Composer.Submitted) -> None:
        with told_failures(self, "Not sent"):
            self._workspace.send(Draft(event.text))
            composer = self.query_one(Composer)
            composer.remember(event.text)
            composer.clear()
            self.query_one(Transcript).scroll_end(animate=False)

    @on(FunctionCallsPanel.Submitted)
    @work
    async def _submit(self, event: FunctionCallsPanel.Submitted) -> None:
        self.post_message(ComposerWanted())
        await self._workspace.conversation.submit(event.outputs)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action != "retry":
            return True
        conversation = self._workspace.conversation
        failed = any(item.state == "failed" for item in conversation.outbox)
        return failed or conversation.error is not None or self._workspace.error is not None

    @work
    async def action_retry(self) -> None:
        if not self._workspace.connected:
            await self._workspace.connect()
        conversation = self._workspace.conversation
        for item in conversation.outbox:
            conversation.retry(item.id)
        await conversation.reconnect()


def _trouble(workspace: Workspace) -> tuple[str, str]:
    """What keeps the app from the server or the thread, else why the newest run gave no full answer."""
    conversation: Conversation = workspace.conversation
    if (error := workspace.error or conversation.error) is not None:
        return error.what, f"{error.advice} Ctrl+R tries again.".strip()
    latest = conversation.latest_run
    if latest is None or latest.error is None or not latest.finished:
        return "", ""
    return latest.error, "Send another message to go on."
