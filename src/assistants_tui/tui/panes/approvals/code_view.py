"""The code that is asked about, to be read or edited, and whether its end was in sight."""

import asyncio

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from assistants_tui.service.approvals.actions import CodeBlock
from assistants_tui.service.approvals.run_approval import RunApproval
from assistants_tui.tui.messages.message_body import MessageItem
from assistants_tui.tui.messages.message_view import MessageView
from assistants_tui.tui.panes.approvals.fields import CodeField
from assistants_tui.tui.text.exact_text import exact
from assistants_tui.tui.text.plain_text import fenced


class CodeView(Vertical):
    """Shows the code with marks for what hides in it, or in a field in which it is edited.

    Tells the approval once the end of what is shown was in sight.
    """

    DEFAULT_CSS = """
    CodeView {
        & Static { height: auto; }
        & .code-more { color: $text-error; text-style: bold reverse; }
        & MessageView { height: 1fr; background: transparent; }
        & CodeField { height: 1fr; border: none; padding: 0; margin-top: 1; scrollbar-size: 1 1; }
    }
    """

    def __init__(self, approval: RunApproval) -> None:
        super().__init__()
        self._approval = approval

    def compose(self) -> ComposeResult:
        view = MessageView()
        view.can_focus = False
        yield view
        yield Static(classes="code-more")
        edit = self._code.edit
        yield CodeField(
            edit.text if edit is not None else "",
            compact=True,
            show_line_numbers=True,
            soft_wrap=False,
            highlight_cursor_line=False,
        )

    def on_mount(self) -> None:
        for attribute in ("scroll_y", "virtual_size"):
            self.watch(self.field, attribute, self._field_moved, init=False)
        self.show_code()
        self.show_part()

    @property
    def _code(self) -> CodeBlock:
        code = self._approval.pending.code
        assert code is not None  # this is a view of code
        return code

    @property
    def field(self) -> CodeField:
        """Where the code is edited."""
        return self.query_one(CodeField)

    @property
    def view(self) -> MessageView:
        """Where the code is read."""
        return self.query_one(MessageView)

    @work(exclusive=True, group="code")
    async def show_code(self) -> None:
        """Show the text that would run, from its beginning."""
        code = self._code
        text = (code.text if code.edited else code.code).rstrip("\n")
        lines = text.count("\n") + 1
        size = "1 line" if lines == 1 else f"{lines:,} lines"
        self.view.set_items([], older=False)  # what was there before must not count as this code
        shown = await asyncio.to_thread(exact, text, code=True)
        title = "Code, changed by you" if code.edited else "Code"
        item = MessageItem("code", title, from_user=False, time=size, text=fenced(shown, "python"))
        self.view.set_items([item], older=False)
        self.view.scroll_home()
        self.call_after_refresh(self._show_more)

    def begin_edit(self) -> None:
        """Edit the code, from where it was left if it is edited already."""
        if self._code.edit is None:
            self.field.text = text = self._code.text
            self._approval.edit(lambda code: code.began_edit(text))
        self.show_part()

    def keep_edit(self) -> None:
        """Keep what is written in the field with the approval."""
        if self._code.edit is not None:
            text = self.field.text
            self._approval.edit(lambda code: code.began_edit(text))

    def show_part(self) -> None:
        """Show the field while the code is edited, else the view."""
        editing = self._code.edit is not None
        self.field.display = editing
        self.view.display = not editing
        self._show_more()
        self.call_after_refresh(self._field_moved)

    def on_resize(self) -> None:
        # a view of messages goes to their end, but code is read from its beginning
        self.call_after_refresh(self.view.scroll_home, animate=False)
        self.call_after_refresh(self._show_more)

    def scroll_lines(self, lines: int) -> None:
        """Scroll the code that is read."""
        self.view.action_scroll_lines(lines)
        self.call_after_refresh(self._note_end)

    def scroll_to_end(self) -> None:
        """Scroll to the end of the code that is read."""
        self.view.scroll_end()
        self.call_after_refresh(self._note_end)

    @property
    def _part(self) -> MessageView | CodeField:
        """Where the code is shown."""
        return self.field if self.field.display else self.view

    def _show_more(self) -> None:
        """Say how much of the code is out of sight."""
        part, line = self._part, self.query_one(".code-more", Static)
        below = max(0, round(part.max_scroll_y - part.scroll_y))
        line.display = part.max_scroll_y > 0
        lines = "1 more line" if below == 1 else f"{below:,} more lines"
        key = "PgDn" if isinstance(part, CodeField) else "End"
        advice = f"{key} shows them" if self._code.subject_seen else f"{key}, then it can run"
        line.update(Content(f" ▼ {lines}: {advice} " if below else " ▲ this is its end "))

    def _note_end(self) -> None:
        """Something has moved or was drawn: tell if that brought the end of the code into sight."""
        part = self._part
        if part.scroll_y >= part.max_scroll_y and self._is_drawn(part):
            self._approval.see(self._code)
        self._show_more()

    @staticmethod
    def _is_drawn(part: MessageView | CodeField) -> bool:
        """Whether its size is known and its content is in it."""
        if isinstance(part, CodeField):
            laid_out = part.virtual_size.height >= part.document.line_count
        else:
            laid_out = bool(part.items) and part.complete
        return laid_out and part.display and part.size.height > 0

    @on(MessageView.SightChanged)
    def _sight_changed(self, event: MessageView.SightChanged) -> None:
        if self.is_attached and self.query(CodeField) and event.view is self._part:
            self._note_end()

    def _field_moved(self) -> None:
        if isinstance(self._part, CodeField):
            self._note_end()

    def on_mouse_scroll_down(self) -> None:
        self._note_end()  # the view keeps these events to itself until it is at its end
