"""Code that nothing would confine: shown before it runs, to be run, changed, or rejected with a reason."""

from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from assistants_tui.service.approvals.actions import CodeBlock
from assistants_tui.service.approvals.run_approval import RunApproval
from assistants_tui.tui.dialogs.exact_text import ExactTextScreen
from assistants_tui.tui.dialogs.questions import ChoiceDialog
from assistants_tui.tui.panes.approvals.code_view import CodeView
from assistants_tui.tui.panes.approvals.fields import CodeField
from assistants_tui.tui.panes.approvals.question import DeadlineLine, Question
from assistants_tui.tui.panes.approvals.reason_field import ReasonField
from assistants_tui.tui.panes.approvals.why_line import WhyLine

_FEWEST, _MOST = 4, 20
"""Rows of code that are shown at once, where there is room."""
_FRAME = 9
"""Rows of the panel that are not code."""
_DANGER = "It can use your files, keys and network."


class CodeApprovalPanel(Question):
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
        Binding("home,g", "go_to('home')", show=False, id="code.first"),
        Binding("end,G", "go_to('end')", show=False, id="code.last"),
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
        & > Static { height: auto; }
        & > .code-danger { color: $text-error; }
        & > .code-title { color: $text-accent; text-style: bold; }
        & > .code-why { color: $text-muted; }
        & > ReasonField { margin-bottom: 1; }
    }
    """

    def __init__(self, approval: RunApproval) -> None:
        """`approval` is one for code."""
        super().__init__()
        self.approval = approval

    def compose(self) -> ComposeResult:
        yield DeadlineLine(
            self.approval,
            "Run this code without a sandbox?",
            "Telling the engine…",
            id="code-deadline",
            classes="code-title",
        )
        yield Static(Content(_DANGER), classes="code-danger")
        if self._code.why_unconfined:
            yield WhyLine(self.approval)
        yield ReasonField(self.approval, self._code.reason, shown=self._code.rejecting)
        yield CodeView(self.approval)

    def on_mount(self) -> None:
        self._fit()

    @property
    def _code(self) -> CodeBlock:
        code = self.approval.pending.code
        assert code is not None  # see `__init__`
        return code

    @property
    def armed(self) -> bool:
        """Whether the keys do something: the code is not decided on yet."""
        return super().armed and self._code.state == "waiting"

    @property
    def _view(self) -> CodeView:
        return self.query_one(CodeView)

    @property
    def _reason(self) -> ReasonField:
        return self.query_one(ReasonField)

    def show(self) -> None:
        """Show how it stands now."""
        if self.children:  # it is composed
            self.query_one(DeadlineLine).show()

    def take_focus(self) -> None:
        """Go to where the code is decided on."""
        self.focus()

    def keep_drafts(self) -> None:
        """The panel goes: what was written in it is there when it comes again."""
        if not self.query(CodeField) or not self.query(ReasonField):
            return  # not composed yet, or going already
        self._reason.keep()
        self._view.keep_edit()

    def _fit(self) -> None:
        """Take the height that the code needs."""
        lines = self._code.text.rstrip("\n").count("\n") + 1
        self.styles.height = max(_FEWEST, min(_MOST, lines)) + _FRAME

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return action != "why" or bool(self._code.why_unconfined)

    @work
    async def action_why(self) -> None:
        if self.has_focus:
            why = ExactTextScreen("Why there is no sandbox", self._code.why_unconfined)
            await self.app.push_screen_wait(why)

    def action_run(self) -> None:
        if self.armed:
            self._run()

    @on(CodeField.RunWanted)
    def _run(self) -> None:
        self.keep_drafts()
        if not self.approval.allow(self._code.id) and self._code.state == "waiting":
            self.notify(
                "Go to its end; then it can run.",
                title="Not all of this code was in sight",
                severity="warning",
            )

    def action_edit(self) -> None:
        if self.armed:
            self._edit()

    def action_editor(self) -> None:
        if self._code.state == "waiting":
            self._edit()
            self._view.field.action_editor()

    def _edit(self) -> None:
        self._reason.show(shown=False)
        self._view.begin_edit()
        self.call_after_refresh(self._view.field.focus)

    @on(CodeField.Left)
    @work
    async def _editor_left(self, event: Message) -> None:
        """Ask what is to become of changes: what is shown afterwards is what would run."""
        event.stop()
        self.keep_drafts()
        if (text := self._code.subject) != self._code.text and text.strip():
            dialog = ChoiceDialog(
                "Keep the changed code?",
                "If you keep it, it is shown in place of the model's code, and runs in its place.",
                choices=[("edit", "Go on editing"), ("keep", "Keep it"), ("discard", "Discard changes")],
            )
            choice = await self.app.push_screen_wait(dialog)
            if choice not in ("keep", "discard") or not self.is_attached:
                return
            if choice == "keep":
                self.approval.edit(lambda code: code.kept_edit())
                self._fit()
                self._view.show_code()
        self.approval.edit(lambda code: code.discarded_edit())
        self._view.show_part()
        if self.has_focus_within:
            self.focus()

    def action_reject(self) -> None:
        if self.armed:
            self._reason.show(shown=True)
            self.call_after_refresh(self._reason.focus)

    @on(ReasonField.Left)
    def _reason_left(self, event: Message) -> None:
        event.stop()
        self._reason.show(shown=False)
        if self.has_focus_within:
            self.focus()

    def action_scroll(self, lines: int) -> None:
        self._view.scroll_lines(lines)

    def action_go_to(self, place: str) -> None:
        if place == "end":
            self._view.scroll_to_end()
        else:
            self._view.view.scroll_home()
