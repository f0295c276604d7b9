"""What the runs of the conversation used and cost, in one line."""

from textual.content import Content
from textual.widgets import Static

from assistants_tui.service.workspace import Workspace


class UsageTotal(Static):
    """Shown once something was used."""

    def draw(self, workspace: Workspace) -> None:
        """Show the sum for the shown conversation."""
        runs = workspace.conversations.shown.run_pages
        total = runs.usage.total(workspace.prices)
        parts = [f"{total.input:,} in, {total.output:,} out"] if total.tokens else []
        if total.cost is not None:
            parts.append(f"cost {total.cost:,.4f}".rstrip("0").rstrip("."))
            if total.unpriced:
                parts.append(f"{total.unpriced:,} without a price")
        if parts and runs.has_older:
            parts.append("older runs not counted")
        self.display = bool(parts)
        if (words := Content(" · ".join(parts))) != self.content:
            self.update(words)  # lays out the screen
