"""What panels and cards that ask the user have in common: the guard of their keys, and the deadline."""

import time

from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from assistants_tui.service.approvals.run_approval import RunApproval
from assistants_tui.tui.keyboard.question_guard import QuestionGuard

_URGENT = 60
"""Seconds before the deadline from which on it is shown as urgent."""


class Question(Vertical, can_focus=True):
    """Asks the user. Keys that come right after it has got the focus are not taken as an answer."""

    def __init__(self) -> None:
        super().__init__()
        self.guard = QuestionGuard(self)

    @property
    def armed(self) -> bool:
        """Whether the keys do something already."""
        return self.has_focus and self.guard.ready()

    def on_focus(self) -> None:
        self.guard.appear()

    def on_key(self) -> None:
        self.guard.ready()


class DeadlineLine(Static):
    """What a run waits for, and for how long; that the answers are sent, once they are."""

    def __init__(self, approval: RunApproval, question: str, sending: str, *, id: str, classes: str) -> None:
        super().__init__(id=id, classes=classes)
        self._approval = approval
        self._question = question
        self._sending = sending

    def on_mount(self) -> None:
        self.show()
        self.set_interval(1, self.show)

    def show(self) -> None:
        """Show how it stands now."""
        pending = self._approval.pending
        if pending.sent:
            self.update(Content(self._sending))
            return
        left = None if pending.expires_at is None else max(0, int(pending.expires_at - time.time()))
        clock = "" if left is None else f" · {left // 60}:{left % 60:02} left"
        style = "$text-error" if left is not None and left < _URGENT else ""
        self.update(Content.styled(f"{self._question}{clock}", style))
