"""A run that waits for functions: what it wants called, whether that may run, and the outputs."""

import json
from time import time
from typing import ClassVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.strip import Strip
from textual.widgets import Static, TextArea

from assistants_tui.service.approvals.pending_calls import Call, PendingCalls
from assistants_tui.tui.dialogs.exact_text import ExactTextScreen
from assistants_tui.tui.dialogs.questions import ChoiceDialog
from assistants_tui.tui.keyboard.question_guard import QuestionGuard
from assistants_tui.tui.terminal.external_editor import ExternalEditorError, edit_externally
from assistants_tui.tui.text.exact_text import exact

_CARD = 44
"""Columns that a card needs to stand beside others."""
_MAX_LINES = 8
"""Lines of arguments or of an output that a card shows."""
_MAX_LINE = 240
"""Characters of a line that a card shows."""
_MAX_NAME = 120
"""Characters of a name that a card shows; the API allows fewer."""


class OutputField(TextArea):
    """The output of a function, written by hand. Enter sends it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "enter", "send", "Answer", id="function_output.send", tooltip="Answer the call with this text"
        ),
        Binding("ctrl+j,shift+enter,alt+enter", "newline", "New line", id="function_output.newline"),
        Binding("ctrl+e", "editor", "Editor", id="function_output.editor", tooltip="Write in your $EDITOR"),
    ]
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

    def render_line(self, y: int) -> Strip:
        # before its first layout a text area has no width, and drawing its placeholder would divide by it
        return super().render_line(y) if self.content_size.width > 0 else Strip.blank(0)

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

    @work(exclusive=True, group="editor")
    async def action_editor(self) -> None:
        try:
            self.text = await edit_externally(self.app, self.text, name="output.txt")
        except ExternalEditorError as error:
            self.notify(str(error), title="No editor", severity="error", markup=False)


class CallCard(Vertical, can_focus=True):
    """One call: its function and arguments, and what to do about it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "run", "Run once", id="function_call.run", tooltip="Run the function this once"),
        Binding("space", "read", "Show all", id="function_call.read", tooltip="Show the call, all of it"),
        Binding(
            "a", "always", "Always run", id="function_call.always", tooltip="Run it without asking, always"
        ),
        Binding(
            "d", "decline", "Decline", id="function_call.decline", tooltip="Tell the model: not this time"
        ),
        Binding("N", "never", "Never", id="function_call.never", tooltip="Decline this function from now on"),
        Binding("e,enter", "write", "Write output", key_display="e", id="function_call.write"),
        Binding("up,k", "panel_scroll(-1)", show=False, id="function_call.up"),
        Binding("down,j", "panel_scroll(1)", show=False, id="function_call.down"),
        Binding("pageup", "panel_scroll(-8)", show=False, id="function_call.page_up"),
        Binding("pagedown", "panel_scroll(8)", show=False, id="function_call.page_down"),
    ]
    DEFAULT_CSS = """
    CallCard {
        height: auto;
        padding: 0 1;
        border-left: outer $border-blurred;
        &:focus { border-left: outer $accent; }
        &:focus-within { border-left: outer $accent; }
        & Static { height: auto; }
        & .call-arguments { color: $foreground; padding-left: 2; }
        & .call-problem { color: $text-warning; }
        & .call-output { padding-left: 2; }
    }
    """

    def __init__(self, pending: PendingCalls, call: Call) -> None:
        super().__init__()
        self._pending = pending
        self.call = call
        self._guard = QuestionGuard(self)
        self._read = ""
        """What the user has seen whole."""

    def compose(self) -> ComposeResult:
        yield Static(classes="call-title")
        yield Static(classes="call-arguments")
        yield Static(classes="call-problem")
        yield Static(classes="call-output")
        yield OutputField(f"Output of {_name(self.call)}, Enter sends it")

    def on_mount(self) -> None:
        self._field.display = False
        self.show(self.call)

    @property
    def _field(self) -> OutputField:
        return self.query_one(OutputField)

    @property
    def armed(self) -> bool:
        """Whether the keys do something already."""
        return self.has_focus and self._guard.ready()

    def on_focus(self) -> None:
        self._guard.appear()

    def on_key(self) -> None:
        self._guard.ready()

    def show(self, call: Call) -> None:
        """Show a newer state of the call."""
        if self.call.function is not None and self.call.function != call.function:
            self._guard.appear()  # keys were meant for what stood there before
        self.call = call
        if not self.children:  # it is not composed yet, and shows the call when it is
            return
        self.query_one(".call-title", Static).update(_title(call))
        more = "Space shows all, then it can run" if call.can_run else "Space shows all"
        self.query_one(".call-arguments", Static).update(_cut(_arguments(call), more))
        self._put(".call-problem", _cut(_remarks(call), more))
        self._put(".call-output", _output(call))
        waiting = call.state == "waiting"
        # without a function there is nothing to decide on: the field is what is needed
        if call.state == "answered" or (waiting and call.function is None):
            self._show_field(waiting)
        if not waiting and self.has_focus_within:
            self.focus()
        self.refresh_bindings()

    def _put(self, selector: str, content: Content) -> None:
        line = self.query_one(selector, Static)
        line.display = bool(content.plain)
        line.update(content)

    def _show_field(self, shown: bool) -> None:
        field = self._field
        if field.display == shown:
            return
        field.display = shown
        if shown:
            if self.call.values is None and self.call.problem and not field.text:
                field.text = self.call.problem  # from which the model can correct itself
            if self.has_focus:
                self.call_after_refresh(field.focus)

    def take_focus(self) -> None:
        """Go to where this call is answered."""
        self._field.guard.appear()
        (self._field if self._field.display else self).focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        match action:
            case "run" | "always":
                return self.call.can_run
            case "decline":
                return self.call.state == "waiting"
            case "never":
                return self.call.state == "waiting" and self.call.function is not None
            case "read":
                return self.call.state != "looking"
            case "write":
                return self.call.state in {"waiting", "answered"} and not self._pending.sent
        return True

    def action_run(self) -> None:
        if self.armed and self._seen():
            self._pending.run(self.call.id)

    @work
    async def action_read(self) -> None:
        if self.app.screen is self.screen:
            whole = _whole(self.call)
            if await self.app.push_screen_wait(ExactTextScreen(_name(self.call), whole)):
                self._read = whole

    def action_panel_scroll(self, lines: int) -> None:
        self._window.scroll_relative(y=lines, animate=False)

    @property
    def _window(self) -> VerticalScroll:
        """What the card is seen through."""
        return next(one for one in self.ancestors if isinstance(one, VerticalScroll))

    def _seen(self) -> bool:
        """Whether the user can know what would run: it is in sight, or was shown whole. If not, says so."""
        parts = [part for part in self.query(".call-title, .call-arguments, .call-problem") if part.display]
        short = not (_is_cut(_arguments(self.call)) or _is_cut(_remarks(self.call)))
        if self._read == _whole(self.call) or (
            short and all(self._window.region.contains_region(part.region) for part in parts)
        ):
            return True
        self.notify(
            "Space shows all of it, to its end. Then it can run.",
            title="Not all of this call is in sight",
            severity="warning",
        )
        return False

    @work
    async def action_always(self) -> None:
        function = self.call.function
        if (
            self.armed
            and function is not None
            and self._seen()
            and await self._sure(
                f"Always run {_name(self.call)} of {exact(function.place, code=True)}?",
                "It then runs with whatever arguments a model writes, until its source changes.",
                ("always", "Always run it"),
            )
        ):
            if self.call.function == function:
                self._pending.run(self.call.id, always=True)
            else:
                self.notify("It is asked about again.", title="The function has changed", severity="warning")

    @work
    async def action_decline(self) -> None:
        if self.armed and await self._sure(
            f"Decline this call of {_name(self.call)}?",
            "The model is told that you did not let it run.",
            ("decline", "Decline it"),
        ):
            self._pending.refuse(self.call.id)

    @work
    async def action_never(self) -> None:
        if self.armed and await self._sure(
            f"Never run {_name(self.call)}?",
            "Every call of it is declined without asking, until its source changes.",
            ("never", "Never run it"),
        ):
            self._pending.refuse(self.call.id, never=True)

    async def _sure(self, question: str, detail: str, choice: tuple[str, str]) -> bool:
        dialog = ChoiceDialog(question, detail, choices=[("back", "Go back"), choice])
        return await self.app.push_screen_wait(dialog) == choice[0]

    def action_write(self) -> None:
        if not self.armed:
            return
        field = self._field
        if self.call.state == "answered" and not field.text:
            field.text = self.call.output
        self._show_field(True)
        self.call_after_refresh(field.focus)

    @on(OutputField.Sent)
    @work(exclusive=True, group="written")
    async def _written(self, event: OutputField.Sent) -> None:
        event.stop()
        if not event.text.strip() and not await self._sure(
            "Send an empty output?",
            f"The model is told that {_name(self.call)} returned nothing.",
            ("empty", "Send it empty"),
        ):
            return
        if self.has_focus_within:
            self.focus()  # before the field goes, and the focus with it
        self._show_field(False)
        self._pending.write(self.call.id, event.text)


class FunctionCallsPanel(Vertical):
    """The calls of a run side by side where there is room. When all have an output, they are sent."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "ctrl+s", "submit", "Send again", id="functions.submit", tooltip="Send all outputs once more"
        ),
    ]
    HELP: ClassVar[str] = (
        "The model wants functions called. Ctrl+S runs one this once, a always, d declines, e writes the "
        "output. Space shows a call whole; one that is not all in sight runs only after that. "
        "When all calls have an output, the run goes on."
    )
    DEFAULT_CSS = """
    FunctionCallsPanel {
        & > #function-deadline { dock: top; }
        & > VerticalScroll { height: auto; max-height: 100%; scrollbar-size-vertical: 1; }
        & > VerticalScroll > Container { height: auto; layout: vertical; }
        & > VerticalScroll > Container.-beside { layout: horizontal; }
        & CallCard { margin-top: 1; }
        & Container.-beside > CallCard { width: 1fr; }
    }
    """

    def __init__(self, pending: PendingCalls) -> None:
        super().__init__(id="function-calls")
        self.pending = pending

    def compose(self) -> ComposeResult:
        yield Static(id="function-deadline", classes="pane-title")
        with VerticalScroll(can_focus=False), Container():
            for call in self.pending.calls:
                yield CallCard(self.pending, call)

    def on_mount(self) -> None:
        self._show_deadline()
        self.set_interval(1, self._show_deadline)

    def on_resize(self, event: events.Resize) -> None:
        beside = len(self.pending.calls) > 1 and event.size.width >= _CARD * len(self.pending.calls)
        self.query_one(Container).set_class(beside, "-beside")

    def show(self) -> None:
        """Show the newest state of all calls."""
        if not self.children:  # it is not composed yet
            return
        for card, call in zip(self.query(CallCard), self.pending.calls, strict=False):
            if card.call is not call:
                moved = card.has_focus_within and call.state == "answered"
                card.show(call)
                if moved:
                    self.take_focus()
        self._show_deadline()
        self.refresh_bindings()

    def take_focus(self) -> None:
        """Go to the first call that has no output yet."""
        for card in self.query(CallCard):
            if card.call.state in {"waiting", "looking"}:
                card.take_focus()
                return

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return self.pending.sent if action == "submit" else True

    @work
    async def action_submit(self) -> None:
        await self.pending.submit()

    def _show_deadline(self) -> None:
        expires_at = self.pending.expires_at
        left = None if expires_at is None else max(0, int(expires_at - time()))
        clock = "" if left is None else f" · {left // 60}:{left % 60:02} left"
        count = len(self.pending.calls)
        noun = "a function's output" if count == 1 else f"{count} outputs"
        words = "Sending the outputs…" if self.pending.sent else f"The run waits for {noun}{clock}"
        style = "$text-error" if left is not None and left < 60 and not self.pending.sent else ""
        self.query_one("#function-deadline", Static).update(Content.styled(words, style))


def _title(call: Call) -> Content:
    match call.state:
        case "looking":
            words, style = "looking for it…", "$muted"
        case "running":
            words, style = "running…", "$text-accent"
        case "answered":
            words, style = (
                ("failed", "$text-error") if call.failed else (_DECIDED[call.decision], "$text-success")
            )
        case "waiting" if call.function is None:
            words, style = "not a function of yours: write its output", "$muted"
        case _:
            words, style = "may it run?", "$text-accent"
    place = f"  {exact(call.function.place, code=True)}" if call.function is not None else ""
    return Content.assemble((_name(call), "bold"), (place, "$muted"), (f"  {words}", style))


def _name(call: Call) -> str:
    """The name of the called function on one line, with marks for what is not what it seems."""
    name = exact(call.name[:_MAX_NAME], code=True).replace("\n", "‹U+000A›") or "(no name)"
    left_out = len(call.name) - _MAX_NAME
    return name if left_out <= 0 else f"{name} ‹{left_out:,} more characters›"


_DECIDED = {
    "once": "done",
    "always": "done without asking",
    "refused": "declined",
    "never": "declined, as always",
    "typed": "answered",
}


def _arguments(call: Call) -> str:
    """Arguments as `name = value` where they can be used, else as the model wrote them."""
    if call.values is None:
        return call.arguments
    return "\n".join(
        f"{name if name.isidentifier() else json.dumps(name, ensure_ascii=False)} = "
        f"{json.dumps(value, ensure_ascii=False)}"
        for name, value in call.values.items()
    )


def _remarks(call: Call) -> str:
    """What is wrong with a call, and how its function has changed since the user decided about it."""
    return "\n".join(filter(None, (call.problem, call.changed)))


def _whole(call: Call) -> str:
    """All that the user decides on."""
    name = call.name if len(call.name) > _MAX_NAME else ""
    return "\n\n".join(filter(None, (name, _arguments(call), _remarks(call))))


def _output(call: Call) -> Content:
    if call.state != "answered":
        return Content("")
    more = "the inspector (F4) shows all"
    printed = Content("")
    if call.failed and call.printed:
        printed = _cut(f"\n{call.printed.strip()}", more)
    took = f"  {call.seconds:.1f} s" if call.seconds >= 0.1 else ""
    return Content.assemble(
        ("→ ", "$muted"), _cut(call.output, more), (took, "$muted"), printed.stylize("$muted")
    )


def _is_cut(text: str) -> bool:
    lines = text.split("\n", _MAX_LINES)
    return len(lines) > _MAX_LINES or any(len(line) > _MAX_LINE for line in lines)


def _cut(text: str, more: str) -> Content:
    """The beginning of a text, with lines that cannot be missed where something is left out.

    `more`: how to see it. Work is bounded by what is shown, but for counting lines.
    """
    lines = text.split("\n", _MAX_LINES)
    parts: list[Content] = []
    whole: list[str] = []  # empty lines are counted over several lines
    for line in lines[:_MAX_LINES]:
        whole.append(line[:_MAX_LINE])
        if len(line) > _MAX_LINE:
            parts += [Content(exact("\n".join(whole))), _more(len(line) - _MAX_LINE, "character", more)]
            whole.clear()
    if whole:
        parts.append(Content(exact("\n".join(whole))))
    if len(lines) > _MAX_LINES:
        parts.append(_more(lines[_MAX_LINES].count("\n") + 1, "line", more))
    return Content("\n").join(parts)


def _more(count: int, what: str, more: str) -> Content:
    words = f" ▼ {count:,} more {what}{'s' if count > 1 else ''}: {more} "
    return Content.styled(words, "bold reverse $text-error")
