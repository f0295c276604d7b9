"""The form for what the next runs shall have different from their assistant."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Select, Static

from assistants_tui.protocol import limits
from assistants_tui.service import metadata
from assistants_tui.service.runs.options import (
    RunOptions,
    number,
    response_format,
    tool_choice,
    tool_name,
    whole_number,
)

Span = Literal["once", "thread"]


@dataclass(frozen=True, slots=True)
class _Field:
    """A line of text of the form. `read` raises `ValueError` with a sentence."""

    key: str
    label: str
    hint: str
    read: Callable[[str], Any]
    write: Callable[[Any], str] = str


def _truncation(text: str) -> dict[str, Any]:
    if text == "auto":
        return {"type": "auto"}
    return {"type": "last_messages", "last_messages": whole_number(text, 1)}


def _format_words(value: Any) -> str:
    if isinstance(value, dict) and value.get("type") in {"text", "json_object"}:
        return str(value["type"])
    if isinstance(value, dict):
        import json

        return json.dumps(value, ensure_ascii=False)
    return str(value)


_LIMIT = f"at least {limits.MIN_TOKENS}"
_FIELDS: tuple[_Field, ...] = (
    _Field("model", "Model", "the assistant's", str),
    _Field("instructions", "Instructions", "instead of the assistant's", str),
    _Field("additional_instructions", "More instructions", "after the assistant's", str),
    _Field(
        "response_format",
        "Response format",
        "auto, text, json_object or a schema",
        response_format,
        _format_words,
    ),
    _Field(
        "temperature", "Temperature", "0 to 2; leave this or top_p alone", lambda text: number(text, 0, 2)
    ),
    _Field("top_p", "top_p", "0 to 1", lambda text: number(text, 0, 1)),
    _Field("max_prompt_tokens", "Prompt tokens", _LIMIT, lambda text: whole_number(text, limits.MIN_TOKENS)),
    _Field(
        "max_completion_tokens", "Answer tokens", _LIMIT, lambda text: whole_number(text, limits.MIN_TOKENS)
    ),
    _Field(
        "truncation_strategy",
        "Read messages",
        "auto, or how many of the last ones",
        _truncation,
        lambda value: str(value.get("last_messages") or "auto"),
    ),
    _Field(
        "metadata",
        "Metadata",
        "key = value; key = value",
        lambda text: metadata.from_lines(text.replace(";", "\n")),
        lambda value: metadata.as_lines(value).replace("\n", "; "),
    ),
)


class RunOptionsScreen(ModalScreen[tuple[Span, RunOptions] | None]):
    """The result says for how long the options hold, and what they are; None after Esc."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Back", id="dialog.back"),
        Binding("ctrl+s", "save('once')", "Next message", id="options.once", priority=True),
        Binding("ctrl+t", "save('thread')", "Whole thread", id="options.thread", priority=True),
    ]
    DEFAULT_CSS = """
    RunOptionsScreen {
        align: center middle;
        background: $background 60%;
        & VerticalScroll { height: 1fr; }
        & .option { height: auto; }
        & .option > Static { width: 20; padding-right: 1; color: $text-muted; }
        & .option Input, & .option Select { width: 1fr; }
        & .option-error { color: $text-error; padding-left: 20; display: none; }
        & .dialog-buttons { margin-top: 1; }
    }
    """

    def __init__(
        self,
        options: RunOptions,
        *,
        assistants: Mapping[str, str],
        tools: Sequence[str],
    ) -> None:
        """`assistants` are names by ID; `tools` the names that a run can be made to use."""
        super().__init__()
        self._options = cast("dict[str, Any]", options)
        self._assistants = assistants
        self._tools = tools

    def compose(self) -> ComposeResult:
        parallel = self._options.get("parallel_tool_calls")
        with Vertical(classes="dialog"):
            yield Static("Options of the next runs", classes="dialog-title")
            with VerticalScroll(can_focus=False):
                yield from self._choice(
                    "assistant_id", "Assistant", [(name, key) for key, name in self._assistants.items()]
                )
                chosen = tool_name(self._options.get("tool_choice"))
                names = [*self._tools, *([chosen] if chosen and chosen not in self._tools else [])]
                yield from self._choice("tool_choice", "Tool", [(name, name) for name in names], chosen)
                yield from self._choice(
                    "parallel_tool_calls",
                    "Function calls",
                    [("several at once", "yes"), ("one at a time", "no")],
                    "" if parallel is None else "yes" if parallel else "no",
                )
                for field in _FIELDS:
                    value = self._options.get(field.key)
                    with Horizontal(classes="option"):
                        yield Static(field.label)
                        yield Input(
                            "" if value is None else field.write(value),
                            id=f"option-{field.key}",
                            placeholder=field.hint,
                            compact=True,
                        )
                    yield Static(id=f"error-{field.key}", classes="option-error")
            with Horizontal(classes="dialog-buttons"):
                yield Button("Clear all", id="clear", compact=True)
                yield Button("For this thread  ^T", id="thread", compact=True)
                yield Button("For the next message  ^S", id="once", compact=True, variant="primary")

    def _choice(
        self, key: str, label: str, choices: Sequence[tuple[str, str]], value: str | None = None
    ) -> ComposeResult:
        current = value if value is not None else str(self._options.get(key) or "")
        shown = [(Content(name), one) for name, one in choices]
        known = any(one == current for _, one in choices)
        with Horizontal(classes="option"):
            yield Static(label)
            yield Select(
                shown,
                prompt="as the assistant has it",
                value=current if known else Select.NULL,
                id=f"option-{key}",
                compact=True,
            )

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        if event.button.id == "clear":
            self.dismiss(("thread", RunOptions()))
        else:
            self.action_save(cast(Span, event.button.id))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_save("once")

    def action_save(self, span: Span) -> None:
        """Read the form; a mistake is said below its field, and nothing is closed."""
        options: dict[str, Any] = {
            key: value
            for key, value in self._options.items()
            if key in {"additional_messages", "tools", "reasoning_effort"}  # not in the form
        }
        for key in ("assistant_id", "tool_choice", "parallel_tool_calls"):
            value = self.query_one(f"#option-{key}", Select).value
            if value is Select.NULL:
                continue
            chosen = str(value)
            if key == "tool_choice":
                options[key] = tool_choice(chosen)
            else:
                options[key] = chosen == "yes" if key == "parallel_tool_calls" else chosen
        mistakes = [field for field in _FIELDS if not self._read(field, options)]
        if mistakes:
            self.query_one(f"#option-{mistakes[0].key}", Input).focus()
        else:
            self.dismiss((span, cast(RunOptions, options)))

    def _read(self, field: _Field, options: dict[str, Any]) -> bool:
        text = self.query_one(f"#option-{field.key}", Input).value.strip()
        error = self.query_one(f"#error-{field.key}", Static)
        error.display = False
        if not text:
            return True
        try:
            options[field.key] = field.read(text)
        except ValueError as mistake:
            error.update(Content(str(mistake)))
            error.display = True
            return False
        return True
