"""The fields in which the user answers: the code while it is edited, and an output."""

from typing import ClassVar

from textual import events, work
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widgets import TextArea

from assistants_tui.tui.keyboard.question_guard import QuestionGuard
from assistants_tui.tui.terminal.external_editor import ExternalEditorError, edit_externally


class EditorField(TextArea):
    """A text that can also be written in the user's own editor."""

    FILE_NAME: ClassVar[str] = "text.md"
    """Of the file that the editor gets; editors choose their colours by it."""

    def render_line(self, y: int) -> Strip:
        # before its first layout a text area has no width, and drawing it would divide by that
        return super().render_line(y) if self.content_size.width > 0 else Strip.blank(0)

    @work(exclusive=True, group="editor")
    async def action_editor(self) -> None:
        try:
            self.text = await edit_externally(self.app, self.text, name=self.FILE_NAME)
        except ExternalEditorError as error:
            self.notify(str(error), title="No editor", severity="error", markup=False)


class CodeField(EditorField):
    """The code while it is edited."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "run", "Run this", id="code.run_edited", tooltip="Run the code as it stands here"),
        Binding("ctrl+e", "editor", "Editor", id="code.editor", tooltip="Write in your $EDITOR"),
        Binding("escape", "leave", "Leave", id="code.leave", tooltip="Keep the changes, or discard them"),
    ]
    FILE_NAME = "code.py"

    class RunWanted(Message):
        """The text is to run."""

    class Left(Message):
        """The user is done with editing."""

    def render_lines(self, crop: Region) -> list[Strip]:
        # one that is being removed has no styles any more, and may be painted a last time
        return super().render_lines(crop) if self.is_attached else [Strip.blank(crop.width)] * crop.height

    def action_run(self) -> None:
        if self.text.strip():
            self.post_message(self.RunWanted())

    def action_leave(self) -> None:
        self.post_message(self.Left())


class OutputField(EditorField):
    """The output of a function, written by hand. Enter sends it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "enter", "send", "Answer", id="function_output.send", tooltip="Answer the call with this text"
        ),
        Binding("ctrl+j,shift+enter,alt+enter", "newline", "New line", id="function_output.newline"),
        Binding("ctrl+e", "editor", "Editor", id="function_output.editor", tooltip="Write in your $EDITOR"),
    ]
    FILE_NAME = "output.txt"
    DEFAULT_CSS = """
    OutputField {
        height: auto;
        min-height: 1;
        max-height: 8;
        border: none;
        padding: 0 1;
        background: $foreground 6%;
        &:focus { border: none; background: $foreground 10%; }
    }
    """

    class Sent(Message):
        """The text is the output; it may be empty."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self, placeholder: str) -> None:
        super().__init__(placeholder=placeholder, compact=True, highlight_cursor_line=False, soft_wrap=True)
        self.guard = QuestionGuard(self)
        """Of a field that gets the focus by itself."""

    async def _on_key(self, event: events.Key) -> None:
        if not self.guard.ready():
            event.stop()
            event.prevent_default()
            return
        for binding in self._bindings.key_to_bindings.get(event.key, ()):
            if (binding.id or "").startswith("function_output."):
                event.stop()
                event.prevent_default()
                await self.run_action(binding.action)

    def action_send(self) -> None:
        self.post_message(self.Sent(self.text))

    def action_newline(self) -> None:
        self.insert("\n")
