"""A run that waits for the user's functions: arguments in view, outputs typed in, the deadline."""

import json
from collections.abc import Sequence
from time import time
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static

from assistants_tui.service.wire import ToolCall, ToolOutput


class FunctionCallsPanel(VerticalScroll):
    """One line of output for each call; Enter in the last one submits all, as the API wants them together."""

    can_focus = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "ctrl+s", "submit", "Submit outputs", id="functions.submit", tooltip="Send all outputs to the run"
        ),
    ]

    class Submitted(Message):
        """All outputs, in the order of the calls. An empty output is allowed."""

        def __init__(self, outputs: Sequence[ToolOutput]) -> None:
            super().__init__()
            self.outputs = outputs

    def __init__(self, calls: Sequence[ToolCall], expires_at: int | None) -> None:
        super().__init__(id="function-calls")
        self.calls = calls
        self._expires_at = expires_at

    def compose(self) -> ComposeResult:
        yield Static(id="function-deadline", classes="pane-title")
        for number, call in enumerate(self.calls):
            function = call.get("function") or {"name": "", "arguments": ""}
            yield Static(
                Content.assemble((function["name"], "bold"), " ", _arguments(function["arguments"])),
                classes="function-call",
            )
            yield Input(id=f"output-{number}", placeholder=f"Output of {function['name']}".replace("\n", " "))

    def on_mount(self) -> None:
        self._show_deadline()
        self.set_interval(1, self._show_deadline)
        self.query(Input).first().focus()

    def _show_deadline(self) -> None:
        left = None if self._expires_at is None else max(0, int(self._expires_at - time()))
        clock = "" if left is None else f" · {left // 60}:{left % 60:02} left"
        count = len(self.calls)
        noun = "a function's output" if count == 1 else f"the outputs of {count} functions"
        self.query_one("#function-deadline", Static).update(Content(f"The assistant waits for {noun}{clock}"))

    @on(Input.Submitted)
    def _next_or_submit(self, event: Input.Submitted) -> None:
        event.stop()
        inputs = list(self.query(Input))
        position = inputs.index(event.input)
        if position + 1 < len(inputs):
            inputs[position + 1].focus()
        else:
            self.action_submit()

    def action_submit(self) -> None:
        outputs = [
            ToolOutput(tool_call_id=call["id"], output=field.value)
            for call, field in zip(self.calls, self.query(Input), strict=True)
        ]
        self.post_message(self.Submitted(outputs))


def _arguments(text: str) -> str:
    """Arguments as `name=value` where they are a JSON object, else as the model wrote them."""
    try:
        values = json.loads(text)
    except ValueError:
        return text
    if not isinstance(values, dict):
        return text
    return ", ".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in values.items())
