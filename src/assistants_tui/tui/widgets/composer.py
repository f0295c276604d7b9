"""Where a message is written: several lines, Enter sends, earlier prompts come back with the arrow keys."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingsMap, BindingType
from textual.message import Message
from textual.strip import Strip
from textual.widgets import TextArea

from assistants_tui.service.local_paths import pasted_paths

LONG_LINE = 10_000
"""Characters of a line with which every later key would take long: such a text becomes a file."""
LONG_TEXT = 100_000
"""Characters of a text in many lines that nobody edits here any more."""
MANY_LINES = 5_000
"""Lines of one."""


def too_long(text: str) -> bool:
    """Whether keys would react late while this text is edited."""
    if len(text) <= LONG_LINE:
        return text.count("\n") > MANY_LINES
    lines = text.split("\n") if len(text) <= LONG_TEXT else ()
    return not lines or len(lines) > MANY_LINES or max(map(len, lines)) > LONG_LINE


class Composer(TextArea):
    """A growing text box. It keeps what is typed until it is told to clear, so a failure loses nothing."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "Send", id="composer.send", tooltip="Send the message"),
        Binding(
            "ctrl+j,shift+enter,alt+enter",
            "newline",
            "New line",
            id="composer.newline",
            tooltip="Begin a new line",
        ),
        Binding("ctrl+o", "attach", "Attach", id="composer.attach", tooltip="Attach files to the message"),
        Binding(
            "ctrl+e", "editor", "Editor", show=False, id="composer.editor", tooltip="Write in your $EDITOR"
        ),
        Binding("up", "earlier_prompt", show=False, id="composer.earlier", tooltip="Earlier prompt"),
        Binding("down", "later_prompt", show=False, id="composer.later", tooltip="Later prompt"),
    ]
    DEFAULT_CSS = """
    Composer {
        height: auto;
        max-height: 10;
        min-height: 1;
        border: none;
        padding: 0 1;
        background: $surface;
        scrollbar-size-vertical: 1;
        &:focus { border: none; }
    }
    """

    class Submitted(Message):
        """The user pressed Enter on a text that is not blank."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class FilesPasted(Message):
        """Paths of files were pasted, or files dropped on the terminal."""

        def __init__(self, paths: Sequence[Path], text: str) -> None:
            super().__init__()
            self.paths = paths
            self.text = text

    class LongPasted(Message):
        """A text is too long to be edited here; it has not been inserted."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class AttachWanted(Message):
        """The user wants to choose files."""

    class EditorWanted(Message):
        """The user wants to write in another program."""

    def __init__(self, *, id: str | None = None, placeholder: str = "") -> None:
        super().__init__(
            id=id, placeholder=placeholder, compact=True, highlight_cursor_line=False, soft_wrap=True
        )
        self._prompts: list[str] = []
        self._position = 0
        self._draft = ""
        self._keymap: Mapping[str, str] = {}
        self._rebound = self._bindings
        self.read_earlier: Callable[[], Awaitable[Sequence[str]]] | None = None
        """Gives the prompts of earlier times, oldest first. Asked once, when they are first wanted."""
        self.assist: Callable[[str], bool] = lambda key: False
        """Asked about every key before the composer takes it; true if the key is done with."""

    def set_prompts(self, prompts: Sequence[str]) -> None:
        """The earlier prompts that the up key brings back, oldest first."""
        known = {*self._prompts}  # those of now may be among them
        short = [prompt for prompt in prompts if not too_long(prompt) and prompt not in known]
        self._prompts[:0] = short
        self._position += len(short)

    def remember(self, prompt: str) -> None:
        """Add a prompt that was just sent, unless it repeats the last one."""
        if not too_long(prompt) and (not self._prompts or self._prompts[-1] != prompt):
            self._prompts.append(prompt)
        self._position = len(self._prompts)

    def render_line(self, y: int) -> Strip:
        # before its first layout a text area has no width, and drawing its placeholder would divide by it
        return super().render_line(y) if self.content_size.width > 0 else Strip.blank(0)

    async def _on_key(self, event: events.Key) -> None:
        # The text area takes Enter and the arrows itself, so ours come first. They are no priority bindings:
        # those run ahead of keys typed just before, and would send a text without its last letters.
        if self.assist(event.key):
            event.stop()
            event.prevent_default()
            return
        for binding in self._own_bindings().key_to_bindings.get(event.key, ()):
            if (binding.id or "").startswith("composer."):
                event.stop()
                event.prevent_default()
                await self.run_action(binding.action)
                return

    def _own_bindings(self) -> BindingsMap:
        """The bindings with the user's own keys."""
        keymap = self.app._keymap  # the app applies it to bindings, but keeps it to itself
        if keymap is not self._keymap:
            self._keymap = keymap
            self._rebound = self._bindings.copy()
            self._rebound.apply_keymap(keymap)
        return self._rebound

    async def _on_paste(self, event: events.Paste) -> None:
        event.stop()
        event.prevent_default()
        self.paste(event.text)  # here and now, so that keys typed after the paste come after it

    def paste(self, text: str) -> None:
        """Take a text as pasted: it is inserted in place of what is selected, or offered as files."""
        if paths := pasted_paths(text):
            self.post_message(self.FilesPasted(paths, text))
        elif too_long(text) or self._would_be_too_long(text):
            self.post_message(self.LongPasted(text))
        else:
            self.replace(text, *self.selection, maintain_selection_offset=False)

    def _would_be_too_long(self, text: str) -> bool:
        """Whether the whole would, or the line with the cursor, with so much more."""
        line = self.document.get_line(self.cursor_location[0])
        return (
            len(line) + max(map(len, text.split("\n"))) > LONG_LINE
            or len(self.text) + len(text) > LONG_TEXT
            or self.document.line_count + text.count("\n") > MANY_LINES
        )

    def put(self, text: str) -> None:
        """Show a text, to be edited at its end; what is too long for that is left to `LongPasted`."""
        if too_long(text):
            self.post_message(self.LongPasted(text))
            text = ""
        self.load_text(text)
        self.move_cursor(self.document.end)

    def action_submit(self) -> None:
        if self.text.strip():
            self.post_message(self.Submitted(self.text))

    def action_attach(self) -> None:
        self.post_message(self.AttachWanted())

    def action_editor(self) -> None:
        self.post_message(self.EditorWanted())

    def action_newline(self) -> None:
        self.insert("\n")

    async def action_earlier_prompt(self) -> None:
        if self.cursor_at_first_line and self.read_earlier is not None:
            read, self.read_earlier = self.read_earlier, None
            self.set_prompts(await read())
        if self.cursor_at_first_line and self._position > 0:
            self._recall(self._position - 1)
        else:
            self.action_cursor_up()

    def action_later_prompt(self) -> None:
        if self.cursor_at_last_line and self._position < len(self._prompts):
            self._recall(self._position + 1)
        else:
            self.action_cursor_down()

    def _recall(self, position: int) -> None:
        if self._position == len(self._prompts):
            self._draft = self.text
        self._position = position
        at_draft = position == len(self._prompts)
        self.put(self._draft if at_draft else self._prompts[position])
