"""Lines above the text: that a message is replaced, which run options hold, and what is wrong with them."""

from itertools import chain

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from assistants_tui.service import message_text
from assistants_tui.service.runs import options as run_options
from assistants_tui.service.runs.options import RunOptions
from assistants_tui.service.workspace import Workspace
from assistants_tui.tui.panes.composer.message import MessageInComposer

_EDITING = "✎ This goes out on a branch. Esc drops it."


class ComposerNotes(Vertical):
    """Each line is there only while it has something to say."""

    DEFAULT_CSS = """
    ComposerNotes {
        height: auto;
        & Static { height: auto; max-height: 2; padding: 0 2; color: $text-accent; display: none; }
        & #run-warning { color: $text-warning; }
    }
    """

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace
        self._shown = RunOptions()

    def compose(self) -> ComposeResult:
        yield Static(id="editing")
        yield Static(id="run-options")
        yield Static(id="run-warning")

    @property
    def outdated(self) -> bool:
        """Whether the thread has other options than those that are shown."""
        return self._workspace.conversations.shown.options is not self._shown

    def show(self, message: MessageInComposer) -> None:
        """Say all that is to be said about a message."""
        self._shown = self._workspace.conversations.shown.options
        parts = [
            f"{span}: {words}"
            for span, options in (("This thread", self._shown), ("Next message", message.options))
            if (words := run_options.summary(options, self._workspace.assistants.names))
        ]
        self._say("#editing", _EDITING if message.edit is not None else "")
        self._say("#run-options", "⚙ " + "  ·  ".join(parts) if parts else "")
        self.show_warning(message)

    def show_warning(self, message: MessageInComposer) -> None:
        """Say when the answer must be JSON and nothing that the model reads says so."""
        said = (message_text.render_text(one).text for one in message.conversation.messages.values())
        options = run_options.merged(self._shown, message.options)
        text = message.text
        warning = run_options.json_warning(options, message.assistant, chain([text], said)) if text else None
        self._say("#run-warning", f"! {warning}" if warning else "")

    def _say(self, selector: str, text: str) -> None:
        line = self.query_one(selector, Static)
        if str(line.content) != text:
            line.display = bool(text)
            line.update(Content(text))
