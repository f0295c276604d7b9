"""Why there is no sandbox, in a few lines."""

from textual.content import Content
from textual.widgets import Static

from assistants_tui.service.approvals.run_approval import RunApproval
from assistants_tui.tui.text.excerpts import shortened
from assistants_tui.tui.text.safety import clean

_MOST = 3
"""Lines that are shown; the rest is shown on request."""
_MORE = "  w shows all"


class WhyLine(Static):
    """Why no sandbox confines the code; of a long reason the first lines, and how the rest is shown."""

    def __init__(self, approval: RunApproval) -> None:
        """`approval` is one for code."""
        super().__init__(classes="code-why")
        self._approval = approval

    def on_resize(self) -> None:
        code, width = self._approval.pending.code, self.content_size.width
        if code is None or width <= 0:
            return
        lines = Content(shortened(f"No sandbox: {clean(code.why_unconfined)}")).wrap(width)
        if len(lines) > _MOST:
            last = lines[_MOST - 1].truncate(max(1, width - len(_MORE)), ellipsis=True)
            lines = [*lines[: _MOST - 1], last + _MORE]
        self.update(Content("\n").join(lines))
