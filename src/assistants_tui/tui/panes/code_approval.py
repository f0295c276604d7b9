"""Code that nothing would confine: shown before it runs, to be run, changed, or rejected with a reason."""

import asyncio
import re
from dataclasses import dataclass
from time import time
from typing import ClassVar, Literal

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Input, Static, TextArea

from assistants_tui.protocol.objects import CodeDecision
from assistants_tui.service.errors import ServiceError
from assistants_tui.service.runs.state import PendingCode
from assistants_tui.tui.dialogs.exact_text import ExactTextScreen
from assistants_tui.tui.dialogs.questions import ChoiceDialog
from assistants_tui.tui.keyboard.question_guard import QuestionGuard
from assistants_tui.tui.messages.message_body import MessageItem
from assistants_tui.tui.messages.message_view import MessageView
from assistants_tui.tui.terminal.external_editor import ExternalEditorError, edit_externally
from assistants_tui.tui.text.exact_text import exact
from assistants_tui.tui.text.excerpts import shortened
from assistants_tui.tui.text.plain_text import fenced
from assistants_tui.tui.text.safety import clean

_FEWEST, _MOST = 4, 20
"""Rows of code that are shown at once, where there is room."""
_FRAME = 9
"""Rows of the panel that are not code."""
_MOST_WHY = 3
"""Lines that say why there is no sandbox; the rest is shown on request."""
_MOST_REASON = 2_000
"""Characters of a reason that the engine takes."""
_MORE_WHY = "  w shows all"
_LINE_ENDS = re.compile("\r\n?")
_DANGER = "It can use your files, keys and network."


class CodeField(TextArea):
    """The code while it is edited."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "run", "Run this", id="code.run_edited", tooltip="Run the code as it stands here"),
        Binding("ctrl+e", "editor", "Editor", id="code.editor", tooltip="Write in your $EDITOR"),
        Binding("escape", "leave", "Leave", id="code.leave", tooltip="Keep the changes, or discard them"),
    ]

    class RunWanted(Message):
        """The text is to run."""

        def __init__(self, code: str) -> None:
            super().__init__()
            self.code = code

    class Left(Message):
        """The user is done with editing."""

    def render_lines(self, crop: Region) -> list[Strip]:
        # one that is being removed has no styles any more, and may be painted a last time
        return super().render_lines(crop) if self.is_attached else [Strip.blank(crop.width)] * crop.height

    def render_line(self, y: int) -> Strip:
        # before its first layout a text area has no width, and drawing it would divide by that
        return super().render_line(y) if self.content_size.width > 0 else Strip.blank(0)

    def action_run(self) -> None:
        if self.text.strip():
            self.post_message(self.RunWanted(self.text))

    def action_leave(self) -> None:
        self.post_message(self.Left())

    @work(exclusive=True, group="editor")
    async def action_editor(self) -> None:
        try:
            self.text = await edit_externally(self.app, self.text, name="code.py")
        except ExternalEditorError as error:
            self.notify(str(error), title="No editor", severity="error", markup=False)


@dataclass(frozen=True, slots=True)
class Begun:
    """What the user has begun to answer about a block of code."""

    code: str
    reason: str
    open: Literal["code", "reason", ""]
    """What of it is shown."""
    read: bool
    """The code was in sight to its end."""
    edited: str = ""
    """The code that is to run instead of the model's; empty: the model's."""


class ReasonField(Input):
    """Why the code is rejected, for the model."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "Reject", id="code.reject_with", tooltip="Reject the code"),
        Binding("escape", "leave", "Leave it", id="code.keep", tooltip="Do not reject it"),
    ]

    class Left(Message):
        """It is not to be rejected."""

    def action_leave(self) -> None:
        self.post_message(self.Left())


class CodeApprovalPanel(Vertical, can_focus=True):
    """Asks about one block of code."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "run", "Run once", id="code.run", tooltip="Run this block of code this once"),
        Binding("e", "edit", "Edit", id="code.edit", tooltip="Change the code before it runs"),
        Binding("d", "reject", "Reject", id="code.reject", tooltip="Do not run it, and tell the model why"),
        Binding("w", "why", "Why", id="code.why", tooltip="Show all of why there is no sandbox"),
        Binding("ctrl+e", "editor", show=False, id="code.open_editor", tooltip="Edit it in your $EDITOR"),
        Binding("up,k", "scroll(-1)", show=False, id="code.up"),
        Binding("down,j", "scroll(1)", show=False, id="code.down"),
        Binding("pageup", "scroll(-10)", show=False, id="code.page_up"),
        Binding("pagedown", "scroll(10)", show=False, id="code.page_down"),
        Binding("home,g", "home", show=False, id="code.first"),
        Binding("end,G", "end", show=False, id="code.last"),
    ]
    HELP: ClassVar[str] = (
        "The model wants code run, and no sandbox works on this computer. Read it to its end: then Ctrl+S "
        "runs it this once, e changes it before, d rejects it and tells the model why. w shows why there is "
        "no sandbox. It expires with its run."
    )
    DEFAULT_CSS = """
    CodeApprovalPanel {
        max-height: 75%;
        padding: 0 1;
        border-left: outer $border-blurred;
        &:focus { border-left: outer $error; }
        &:focus-within { border-left: outer $error; }
        & Static { height: auto; }
        & .code-danger { color: $text-error; }
        & .code-title { color: $text-accent; text-style: bold; }
        & .code-more { color: $text-error; text-style: bold reverse; }
        & .code-why { color: $text-muted; }
        & MessageView { height: 1fr; background: transparent; }
        & CodeField { height: 1fr; border: none; padding: 0; margin-top: 1; scrollbar-size: 1 1; }
        & ReasonField { margin-bottom: 1; }
    }
    """

    class Decided(Message):
        """What is to become of the code."""

        def __init__(self, decision: CodeDecision) -> None:
            super().__init__()
            self.decision = decision

    class Overdue(Message):
        """The run has had its time: the server gives it up now."""

    def __init__(self, pending: PendingCode, begun: Begun | None = None) -> None:
        """`begun` is what the user had entered when this code was shown last."""
        super().__init__()
        self.pending = pending
        self._before = begun or Begun("", "", "", False)
        self._original = clean(_LINE_ENDS.sub("\n", pending.code))
        self._code = self._before.edited or self._original
        """What would run."""
        self._guard = QuestionGuard(self)
        self._decided = False
        self._error: ServiceError | None = None
        self._overdue = False
        self._read = self._before.read
        self._read_before = self._read and self._before.open != "code"
        """Whether that was so before the code was edited."""

    def compose(self) -> ComposeResult:
        yield Static(id="code-deadline", classes="code-title")
        yield Static(Content(_DANGER), classes="code-danger")
        if self.pending.reason:
            yield Static(classes="code-why")
        hint = "Reason for the model, or nothing; Enter rejects"
        yield ReasonField(self._before.reason, placeholder=hint, compact=True)
        view = MessageView()
        view.can_focus = False
        yield view
        yield Static(classes="code-more")
        yield CodeField(
            self._before.code,
            compact=True,
            show_line_numbers=True,
            soft_wrap=False,
            highlight_cursor_line=False,
        )

    def on_mount(self) -> None:
        self._show_code()
        self._show_why()
        for attribute in ("scroll_y", "virtual_size"):
            self.watch(self.query_one(CodeField), attribute, self._note_end_of_edited, init=False)
        parts: dict[str, type[Widget]] = {"code": CodeField, "reason": ReasonField}
        self._show_part(parts.get(self._before.open, MessageView))
        self._show_deadline()
        self.set_interval(1, self._show_deadline)

    @work(exclusive=True, group="code")
    async def _show_code(self) -> None:
        edited = self._code != self._original
        code = (self._code if edited else _LINE_ENDS.sub("\n", self.pending.code)).rstrip("\n")
        lines = code.count("\n") + 1
        self.styles.height = max(_FEWEST, min(_MOST, lines)) + _FRAME
        size = "1 line" if lines == 1 else f"{lines:,} lines"
        view = self.query_one(MessageView)
        view.set_items([], older=False)  # what was there before must not count as this code
        shown = await asyncio.to_thread(exact, code, code=True)
        title = "Code, changed by you" if edited else "Code"
        item = MessageItem("code", title, from_user=False, time=size, text=fenced(shown, "python"))
        view.set_items([item], older=False)
        view.scroll_home()
        self.call_after_refresh(self._show_more)

    def _show_why(self) -> None:
        """Why there is no sandbox; of a long reason the first lines, and how the rest is shown."""
        if not self.pending.reason:
            return
        why, width = shortened(f"No sandbox: {clean(self.pending.reason)}"), max(1, self.content_size.width)
        lines = Content(why).wrap(width)
        if len(lines) > _MOST_WHY:
            last = lines[_MOST_WHY - 1].truncate(max(1, width - len(_MORE_WHY)), ellipsis=True)
            lines = [*lines[: _MOST_WHY - 1], last + _MORE_WHY]
        self.query_one(".code-why", Static).update(Content("\n").join(lines))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return action != "why" or bool(self.pending.reason)

    @work
    async def action_why(self) -> None:
        if self.has_focus:
            why = ExactTextScreen("Why there is no sandbox", self.pending.reason or "")
            await self.app.push_screen_wait(why)

    def on_resize(self) -> None:
        self._show_why()
        # a view of messages goes to their end, but code is read from its beginning
        self.call_after_refresh(self.query_one(MessageView).scroll_home, animate=False)
        self.call_after_refresh(self._show_more)

    def on_focus(self) -> None:
        self._guard.appear()

    @property
    def _part(self) -> MessageView | CodeField:
        """Where the code is shown."""
        field = self.query_one(CodeField)
        return field if field.display else self.query_one(MessageView)

    def _show_more(self) -> None:
        """Say how much of the code is out of sight."""
        part, line = self._part, self.query_one(".code-more", Static)
        below = max(0, round(part.max_scroll_y - part.scroll_y))
        line.display = part.max_scroll_y > 0
        lines = "1 more line" if below == 1 else f"{below:,} more lines"
        key = "PgDn" if isinstance(part, CodeField) else "End"
        advice = f"{key} shows them" if self._read else f"{key}, then it can run"
        line.update(Content(f" ▼ {lines}: {advice} " if below else " ▲ this is its end "))

    def _note_end(self) -> None:
        """Something has moved or was drawn: remember if that brought the end of the code into sight."""
        part = self._part
        if part.scroll_y >= part.max_scroll_y and self._drawn(part):
            self._read = True
        self._show_more()

    @on(MessageView.SightChanged)
    def _sight_changed(self, event: MessageView.SightChanged) -> None:
        if self.is_attached and self.query(CodeField) and event.view is self._part:
            self._note_end()

    def _note_end_of_edited(self) -> None:
        if isinstance(self._part, CodeField):
            self._note_end()

    @staticmethod
    def _drawn(part: MessageView | CodeField) -> bool:
        """Whether its size is known and its content is in it."""
        if isinstance(part, CodeField):
            laid_out = part.virtual_size.height >= part.document.line_count
        else:
            laid_out = bool(part.items) and part.complete
        return laid_out and part.display and part.size.height > 0

    def on_mouse_scroll_down(self) -> None:
        self._note_end()  # the view keeps these events to itself until it is at its end

    @property
    def begun(self) -> Begun | None:
        """What the user has entered so far; None once it is decided."""
        if self._decided:
            return None
        if not self.query(CodeField) or not self.query(ReasonField):
            return self._before  # not composed yet, or going already
        code, reason = self.query_one(CodeField), self.query_one(ReasonField)
        shown: Literal["code", "reason", ""] = "code" if code.display else "reason" if reason.display else ""
        edited = self._code if self._code != self._original else ""
        return Begun(code.text, reason.value, shown, self._read, edited)

    def note_error(self, error: ServiceError | None) -> None:
        """What is wrong with the thread: ask again if that is new, because the decision has not arrived."""
        if not self._decided:
            self._error = error
        elif error is not None and error is not self._error:
            self._decided = False
            self._error = error
            self._show_deadline()

    def on_key(self) -> None:
        self._guard.ready()

    @property
    def _armed(self) -> bool:
        return self.has_focus and self._guard.ready() and not self._decided

    def action_run(self) -> None:
        field = self.query_one(CodeField)
        if self._armed:
            self._run(field.text if field.display else self._code)  # what is shown

    def action_edit(self) -> None:
        if self._armed:
            self._edit()

    def action_editor(self) -> None:
        if not self._decided:
            self._edit().action_editor()

    def _edit(self) -> CodeField:
        field = self.query_one(CodeField)
        if not field.display:
            self._read_before = self._read
            field.text = self._code
        self._show(field)
        return field

    def action_reject(self) -> None:
        if self._armed:
            self._show(self.query_one(ReasonField))

    def action_scroll(self, lines: int) -> None:
        self.query_one(MessageView).action_scroll_lines(lines)
        self.call_after_refresh(self._note_end)

    def action_home(self) -> None:
        self.query_one(MessageView).scroll_home()

    def action_end(self) -> None:
        self.query_one(MessageView).scroll_end()
        self.call_after_refresh(self._note_end)

    @on(CodeField.RunWanted)
    def _edited(self, event: CodeField.RunWanted) -> None:
        event.stop()
        self._run(event.code)

    def _run(self, code: str) -> None:
        if not self._read:
            self.notify(
                "Go to its end; then it can run.",
                title="Not all of this code was in sight",
                severity="warning",
            )
            return
        decision: CodeDecision = {"tool_call_id": self.pending.call_id, "decision": "run"}
        if code != self._original:
            decision["code"] = code
        self._decide(decision)

    @on(ReasonField.Submitted)
    def _rejected(self, event: Input.Submitted) -> None:
        event.stop()
        decision: CodeDecision = {"tool_call_id": self.pending.call_id, "decision": "reject"}
        if len(reason := event.value.strip()) > _MOST_REASON:
            self.notify(
                f"It has {len(reason):,} characters; the model can be told {_MOST_REASON:,}.",
                title="The reason is too long",
                severity="warning",
            )
            return
        if reason:
            decision["reason"] = reason
        self._decide(decision)

    @on(ReasonField.Left)
    def _reason_left(self, event: Message) -> None:
        event.stop()
        self._show(self.query_one(MessageView))

    @on(CodeField.Left)
    @work
    async def _editor_left(self, event: Message) -> None:
        """Ask what is to become of changes: what is shown afterwards is what would run."""
        event.stop()
        text = self.query_one(CodeField).text
        if text != self._code and text.strip():
            dialog = ChoiceDialog(
                "Keep the changed code?",
                "If you keep it, it is shown in place of the model's code, and runs in its place.",
                choices=[("edit", "Go on editing"), ("keep", "Keep it"), ("discard", "Discard changes")],
            )
            choice = await self.app.push_screen_wait(dialog)
            if choice not in ("keep", "discard") or self._decided or not self.is_attached:
                return
            if choice == "keep":
                self._code, self._read_before = text, False
                self._show_code()
        self._read = self._read_before
        self._show(self.query_one(MessageView))

    def _show(self, part: MessageView | CodeField | ReasonField) -> None:
        """Show the code, or it as it is edited, or the reason below the code; and go there."""
        self._show_part(type(part))
        if isinstance(part, MessageView):
            if self.has_focus_within:
                self.focus()
        else:
            self.call_after_refresh(part.focus)

    def _show_part(self, part: type[Widget]) -> None:
        self.query_one(CodeField).display = part is CodeField
        self.query_one(ReasonField).display = part is ReasonField
        self.query_one(MessageView).display = part is not CodeField
        self._show_more()
        self.call_after_refresh(self._note_end_of_edited)

    def _decide(self, decision: CodeDecision) -> None:
        if not self._decided:
            self._decided = True
            self._show_deadline()
            self.post_message(self.Decided(decision))

    def _show_deadline(self) -> None:
        expires_at = self.pending.expires_at
        left = None if expires_at is None else max(0, int(expires_at - time()))
        clock = "" if left is None else f" · {left // 60}:{left % 60:02} left"
        words = "Telling the engine…" if self._decided else f"Run this code without a sandbox?{clock}"
        style = "$text-error" if left is not None and left < 60 and not self._decided else ""
        self.query_one("#code-deadline", Static).update(Content.styled(words, style))
        if expires_at is not None and time() > expires_at and not self._overdue:
            self._overdue = True
            self.post_message(self.Overdue())
