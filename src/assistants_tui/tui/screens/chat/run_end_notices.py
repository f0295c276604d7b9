"""What the main screen tells when a run has ended."""

from textual.notifications import SeverityLevel
from textual.widget import Widget

from assistants_tui.service.conversation.run_notices import RunEnded
from assistants_tui.service.runs.sandboxes import lacks_packages
from assistants_tui.service.workspace import Workspace


def tell_run_ended(widget: Widget, workspace: Workspace, ended: RunEnded) -> None:
    """Tell of a run that ended in another thread, or of packages that the code of this one has missed."""
    if ended.in_background:
        severity: SeverityLevel = "information" if ended.outcome == "completed" else "warning"
        widget.notify(ended.title, title=f"Run {ended.outcome}", severity=severity, markup=False)
    elif workspace.session.profile.kind == "embedded":
        _offer_packages(widget, workspace)


def _offer_packages(widget: Widget, workspace: Workspace) -> None:
    run = workspace.conversations.shown.latest_run
    if run is not None and lacks_packages(run.steps.values()):
        from assistants_tui.installation import install_command  # not for the first frame

        words = f"{install_command('code')}\nThe inspector (F4) has this line to be copied."
        widget.notify(words, title="Packages for code are missing", markup=False, timeout=20)
