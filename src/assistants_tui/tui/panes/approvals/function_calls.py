"""A run that waits for functions: its calls side by side, and how long it waits."""

from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical, VerticalScroll

from assistants_tui.service.approvals.run_approval import RunApproval
from assistants_tui.tui.panes.approvals.call_card import CallCard
from assistants_tui.tui.panes.approvals.question import DeadlineLine

_CARD = 44
"""Columns that a card needs to stand beside others."""


class FunctionCallsPanel(Vertical):
    """The calls of a run side by side where there is room. When all have an output, they are sent."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "ctrl+s", "submit", "Send again", id="functions.submit", tooltip="Send all outputs once more"
        ),
    ]
    HELP: ClassVar[str] = (
        "The model wants functions called. Ctrl+S runs one this once, a always, d declines, e writes the "
        "output. Space shows a call whole; one that is not all in sight runs only after that. "
        "When all calls have an output, the run goes on."
    )
    DEFAULT_CSS = """
    FunctionCallsPanel {
        & > #function-deadline { dock: top; }
        & > VerticalScroll { height: auto; max-height: 100%; scrollbar-size-vertical: 1; }
        & > VerticalScroll > Container { height: auto; layout: vertical; }
        & > VerticalScroll > Container.-beside { layout: horizontal; }
        & CallCard { margin-top: 1; }
        & Container.-beside > CallCard { width: 1fr; }
    }
    """

    def __init__(self, approval: RunApproval) -> None:
        """`approval` is one for function calls."""
        super().__init__(id="function-calls")
        self.approval = approval

    def compose(self) -> ComposeResult:
        count = len(self.approval.pending.calls)
        noun = "a function's output" if count == 1 else f"{count} outputs"
        yield DeadlineLine(
            self.approval,
            f"The run waits for {noun}",
            "Sending the outputs…",
            id="function-deadline",
            classes="pane-title",
        )
        with VerticalScroll(can_focus=False), Container():
            for call in self.approval.pending.calls:
                yield CallCard(self.approval, call)

    def on_resize(self, event: events.Resize) -> None:
        count = len(self.approval.pending.calls)
        beside = count > 1 and event.size.width >= _CARD * count
        self.query_one(Container).set_class(beside, "-beside")

    def show(self) -> None:
        """Show the newest state of all calls."""
        if not self.children:  # it is not composed yet
            return
        for card, call in zip(self.query(CallCard), self.approval.pending.calls, strict=False):
            if card.call is not call:
                moved = card.has_focus_within and call.state == "answered"
                card.show(call)
                if moved:
                    self.take_focus()
        self.query_one(DeadlineLine).show()
        self.refresh_bindings()

    def take_focus(self) -> None:
        """Go to the first call that has no output yet."""
        for card in self.query(CallCard):
            if card.call.state in {"waiting", "checking"}:
                card.take_focus()
                return

    def keep_drafts(self) -> None:
        """The panel goes: what was written in it is there when it comes again."""
        for card in self.query(CallCard):
            card.keep_draft()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return self.approval.pending.sent if action == "submit" else True

    def action_submit(self) -> None:
        self.approval.send()
