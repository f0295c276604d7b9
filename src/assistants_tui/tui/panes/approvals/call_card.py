"""One function call that waits: what it is, and the keys that decide on it."""

from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from assistants_tui.service.approvals.actions import FunctionCall
from assistants_tui.service.approvals.run_approval import RunApproval
from assistants_tui.tui.dialogs.exact_text import ExactTextScreen
from assistants_tui.tui.dialogs.questions import ChoiceDialog
from assistants_tui.tui.panes.approvals import call_text
from assistants_tui.tui.panes.approvals.fields import OutputField
from assistants_tui.tui.panes.approvals.question import Question
from assistants_tui.tui.text.exact_text import exact


class CallCard(Question):
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

    def __init__(self, approval: RunApproval, call: FunctionCall) -> None:
        super().__init__()
        self._approval = approval
        self.call = call
        self._taking_focus = False

    def compose(self) -> ComposeResult:
        yield Static(classes="call-title")
        yield Static(classes="call-arguments")
        yield Static(classes="call-problem")
        yield Static(classes="call-output")
        yield OutputField(f"Output of {call_text.shown_name(self.call)}, Enter sends it")

    def on_mount(self) -> None:
        self._field.text = self.call.draft
        self._field.display = self.call.state == "waiting" and bool(self.call.draft)
        self.show(self.call)

    @property
    def _field(self) -> OutputField:
        return self.query_one(OutputField)

    def show(self, call: FunctionCall) -> None:
        """Show a newer state of the call."""
        if self.call.function is not None and self.call.function != call.function:
            self.guard.appear()  # keys were meant for what stood there before
        self.call = call
        if not self.children:  # it is not composed yet, and shows the call when it is
            return
        self.query_one(".call-title", Static).update(call_text.title(call))
        more = "Space shows all, then it can run" if call.can_run else "Space shows all"
        arguments = call_text.cut(call_text.arguments_text(call), more)
        self.query_one(".call-arguments", Static).update(arguments)
        self._put(".call-problem", call_text.cut(call_text.remarks(call), more))
        self._put(".call-output", call_text.output(call))
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
        self._taking_focus = not self._field.display
        self._field.guard.appear()
        (self._field if self._field.display else self).focus()

    def on_focus(self) -> None:
        if self._taking_focus and self._field.display:  # it was shown while the focus was on its way
            self._field.focus()
        self._taking_focus = False

    def keep_draft(self) -> None:
        """Keep what is being written as an output."""
        if self.query(OutputField) and self._field.display:
            self._approval.draft(self.call.id, self._field.text)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        match action:
            case "run" | "always":
                return self.call.can_run
            case "decline":
                return self.call.state == "waiting"
            case "never":
                return self.call.state == "waiting" and self.call.function is not None
            case "read":
                return self.call.state != "checking"
            case "write":
                return self.call.state in {"waiting", "answered"} and not self._approval.pending.sent
        return True

    def action_run(self) -> None:
        if self.armed and self._seen():
            self._approval.allow(self.call.id)

    @work
    async def action_read(self) -> None:
        if self.app.screen is self.screen:
            call = self.call
            text = ExactTextScreen(call_text.shown_name(call), call_text.whole_text(call))
            if await self.app.push_screen_wait(text):
                self._approval.see(call)

    def action_panel_scroll(self, lines: int) -> None:
        self._window.scroll_relative(y=lines, animate=False)

    @property
    def _window(self) -> VerticalScroll:
        """What the card is seen through."""
        return next(one for one in self.ancestors if isinstance(one, VerticalScroll))

    def _seen(self) -> bool:
        """Whether the user can know what would run: it is in sight, or was shown whole. If not, says so."""
        parts = [part for part in self.query(".call-title, .call-arguments, .call-problem") if part.display]
        texts = (call_text.arguments_text(self.call), call_text.remarks(self.call))
        if not any(map(call_text.is_cut, texts)) and all(
            self._window.region.contains_region(part.region) for part in parts
        ):
            self._approval.see(self.call)
        if self.call.seen:
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
                f"Always run {call_text.shown_name(self.call)} of {exact(function.place, code=True)}?",
                "It then runs with whatever arguments a model writes, until its source changes.",
                ("always", "Always run it"),
            )
        ):
            allowed = self._approval.allow(self.call.id, always=True)
            if not allowed and self.call.function != function:
                self.notify("It is asked about again.", title="The function has changed", severity="warning")

    @work
    async def action_decline(self) -> None:
        if self.armed and await self._sure(
            f"Decline this call of {call_text.shown_name(self.call)}?",
            "The model is told that you did not let it run.",
            ("decline", "Decline it"),
        ):
            self._approval.decline(self.call.id)

    @work
    async def action_never(self) -> None:
        if self.armed and await self._sure(
            f"Never run {call_text.shown_name(self.call)}?",
            "Every call of it is declined without asking, until its source changes.",
            ("never", "Never run it"),
        ):
            self._approval.decline(self.call.id, never=True)

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
            f"The model is told that {call_text.shown_name(self.call)} returned nothing.",
            ("empty", "Send it empty"),
        ):
            return
        if self.has_focus_within:
            self.focus()  # before the field goes, and the focus with it
        self._show_field(False)
        self._approval.write(self.call.id, event.text)
