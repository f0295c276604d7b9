"""The field for why code is rejected."""

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Input

from assistants_tui.protocol import limits
from assistants_tui.service.approvals.run_approval import RunApproval


class ReasonField(Input):
    """Why the code is rejected, for the model. Enter rejects it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "Reject", id="code.reject_with", tooltip="Reject the code"),
        Binding("escape", "leave", "Leave it", id="code.keep", tooltip="Do not reject it"),
    ]

    class Left(Message):
        """It is not to be rejected."""

    def __init__(self, approval: RunApproval, reason: str, *, shown: bool) -> None:
        """`approval` is one for code; `reason`: what is written so far."""
        super().__init__(reason, placeholder="Reason for the model, or nothing; Enter rejects", compact=True)
        self._approval = approval
        self.display = shown

    def show(self, *, shown: bool) -> None:
        """Show or hide it. What is written in it stays."""
        self.display = shown
        self.keep()

    def keep(self) -> None:
        """Keep what is written in it with the approval."""
        reason, rejecting = self.value, self.display
        self._approval.edit(lambda code: code.began_reason(reason, rejecting=rejecting))

    async def action_submit(self) -> None:
        code, reason = self._approval.pending.code, self.value.strip()
        if len(reason) > limits.MAX_REJECTION_REASON:
            self.notify(
                f"It has {len(reason):,} characters; the model can be told {limits.MAX_REJECTION_REASON:,}.",
                title="The reason is too long",
                severity="warning",
            )
        elif code is not None:
            self._approval.decline(code.id, reason)

    def action_leave(self) -> None:
        self.post_message(self.Left())
