"""The form of an assistant: a control for every field of the API. It knows no server."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, cast

from textual import on
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, Select, Static, TextArea

from assistants_tui.protocol import limits
from assistants_tui.protocol.objects import FunctionDefinition, Json
from assistants_tui.service.assistants import checks
from assistants_tui.service.assistants.draft import AssistantDraft, Field
from assistants_tui.tui.widgets.form import FormField, ItemList, Toggle, Tone
from assistants_tui.tui.widgets.large_text_area import LargeTextArea


class AssistantForm(VerticalScroll, can_focus=False):
    """Shows a draft and lets it be changed; `draft` is what it holds now.

    Lists of files, stores and functions, and the schema, are changed by whoever hears their messages, through
    `change`.
    """

    DEFAULT_CSS = """
    AssistantForm {
        height: 1fr;
        align-horizontal: center;
        & > FormField, & > .form-section { max-width: 110; }
        scrollbar-size-vertical: 1;
        .form-section { padding: 1 1 0 1; color: $text-primary; text-style: bold; }
        .form-section:first-of-type { padding: 0 1; }
        #field-instructions TextArea { height: auto; min-height: 4; max-height: 12; }
        #field-metadata TextArea { height: auto; min-height: 2; max-height: 8; }
        #field-schema { display: none; }
        &.-schema #field-schema { display: block; }
    }
    """

    class Changed(Message):
        """Something is different from what it was."""

    def __init__(self, start: AssistantDraft, *, model_hint: str, max_instructions: int) -> None:
        super().__init__()
        self._held = start  # what has no control of its own, and the lists
        self._model_hint = model_hint
        self._max_instructions = max_instructions

    def compose(self) -> ComposeResult:
        start = self._held
        yield Static("Assistant", classes="form-section")
        yield _field("name", "Name", _input(start.name))
        yield _field("description", "Description", _input(start.description))
        yield _field("model", "Model", _input(start.model), self._model_hint)
        yield _field(
            "instructions",
            "Instructions",
            _text(start.instructions),
            "What it does, how it speaks; ^E: $EDITOR",
        )
        yield Static("Tools", classes="form-section")
        yield _field(
            "code_interpreter",
            "Code interpreter",
            Toggle("Writes Python and runs it", start.code_interpreter),
        )
        yield _field("file_ids", "· files", ItemList("Add a file", id="file_ids"))
        yield _field(
            "file_search",
            "File search",
            Toggle("Looks things up in files and cites them", start.file_search),
        )
        yield _field(
            "vector_store_ids", "· vector store", ItemList("Choose a vector store", id="vector_store_ids")
        )
        yield _field(
            "max_num_results",
            "· results at most",
            _number(start.max_num_results, "the server's default"),
            "1 to 50",
        )
        yield _field(
            "score_threshold",
            "· score at least",
            _number(start.score_threshold, "the server's default"),
            "0 to 1; what fits less is left out",
        )
        yield _field(
            "functions",
            "Functions",
            ItemList("Define a function", "Take functions from Python source", id="functions"),
        )
        yield Static("Answers", classes="form-section")
        kinds = dict.fromkeys((*checks.RESPONSE_FORMATS, start.format_kind))
        yield _field(
            "response_format",
            "Response format",
            Select(
                [(kind, kind) for kind in kinds], value=start.format_kind, allow_blank=False, compact=True
            ),
            "The JSON formats work with function tools only",
        )
        yield _field("schema", "· JSON schema", ItemList("Write the schema", id="schema"))
        yield _field(
            "temperature", "Temperature", _number(start.temperature, "1"), "0 to 2; lower is more focused"
        )
        yield _field(
            "top_p", "Top p", _number(start.top_p, "1"), "0 to 1; change this or temperature, not both"
        )
        yield _field(
            "reasoning_effort",
            "Reasoning effort",
            Select(
                [(effort, effort) for effort in checks.REASONING_EFFORTS], prompt="as it is", compact=True
            ),
            "For models that reason; servers do not show it again",
        )
        yield Static("Metadata", classes="form-section")
        yield _field("metadata", "Metadata", _text(start.metadata), "A “key = value” per line")

    def on_mount(self) -> None:
        self.change(self._held)

    @property
    def draft(self) -> AssistantDraft:
        """What the form holds now."""
        kind = cast(str, self._select("response_format").value)
        held = self._held
        return replace(
            held,
            name=self._input("name").value,
            description=self._input("description").value,
            model=self._input("model").value,
            instructions=self.instructions.text,
            code_interpreter=self._checkbox("code_interpreter").value,
            file_search=self._checkbox("file_search").value,
            max_num_results=self._input("max_num_results").value,
            score_threshold=self._input("score_threshold").value,
            response_format=held.response_format if kind == held.format_kind else _format(kind),
            temperature=self._input("temperature").value,
            top_p=self._input("top_p").value,
            reasoning_effort=effort
            if isinstance(effort := self._select("reasoning_effort").value, str)
            else "",
            metadata=self.field("metadata").query_one(TextArea).text,
        )

    def change(
        self, draft: AssistantDraft, *, name_of: Callable[[str], str] = lambda identity: identity
    ) -> None:
        """Take the lists, the schema and the toggles of `draft`, and keep the rest as it was typed.

        `name_of` gives the names of files and stores by their IDs.
        """
        self._held = draft
        self._checkbox("code_interpreter").value = draft.code_interpreter
        self._checkbox("file_search").value = draft.file_search
        self.items("file_ids").set_items([_named(one, name_of(one)) for one in draft.file_ids])
        self.items("vector_store_ids").set_items(
            [_named(one, name_of(one)) for one in draft.vector_store_ids]
        )
        self.items("functions").set_items([_signature(function) for function in draft.functions])
        schema = draft.response_format.get("json_schema") if isinstance(draft.response_format, dict) else None
        self.items("schema").set_items([Content(str(schema.get("name") or "unnamed"))] if schema else [])
        self.post_message(self.Changed())

    def show(self, problems: Mapping[Field, str], hints: Mapping[Field, str]) -> None:
        """Show beside their fields what is wrong, what may surprise, and how much of each limit is used."""
        draft = self.draft
        self.set_class(draft.format_kind == "json_schema", "-schema")
        for field in self.query(FormField):
            name = cast(Field, (field.id or "").removeprefix("field-"))
            tone: Tone = "error" if name in problems else "warning"
            field.tell(problems.get(name) or hints.get(name) or "", tone)
        self.field("name").count(len(draft.name), limits.MAX_NAME)
        self.field("description").count(len(draft.description), limits.MAX_DESCRIPTION)
        self.field("instructions").count(len(draft.instructions), self._max_instructions)
        self.field("file_ids").count(len(draft.file_ids), limits.MAX_CODE_FILES)
        self.field("functions").count(len(draft.functions), limits.MAX_TOOLS)
        self.field("metadata").count(
            sum(bool(line.strip()) for line in draft.metadata.splitlines()), limits.MAX_PAIRS
        )

    def go_to(self, name: Field) -> None:
        """Bring a field into view and the cursor to it."""
        field = self.field(name)
        field.control.focus()
        field.scroll_visible(animate=False)

    def next_section(self, step: int) -> None:
        """Go to the first field of the next section, or of the one before."""
        first: list[Widget] = []
        after_heading = False
        for child in self.children:
            if isinstance(child, FormField) and after_heading:
                first.append(child.control)
            after_heading = child.has_class("form-section")
        order = list(self.screen.focus_chain)
        focused = self.screen.focused
        here = order.index(focused) if focused in order else 0
        places = [order.index(control) for control in first]
        beyond = [place for place in places if (place - here) * step > 0]
        if beyond:
            target = order[min(beyond) if step > 0 else max(beyond)]
            target.focus()
            target.scroll_visible(animate=False)

    # controls

    @property
    def instructions(self) -> TextArea:
        return self.field("instructions").query_one(TextArea)

    def field(self, name: str) -> FormField:
        return self.query_one(f"#field-{name}", FormField)

    def items(self, name: str) -> ItemList:
        return self.field(name).query_one(ItemList)

    def _input(self, name: Field) -> Input:
        return self.field(name).query_one(Input)

    def _checkbox(self, name: Field) -> Toggle:
        return self.field(name).query_one(Toggle)

    def _select(self, name: Field) -> Select[str]:
        return self.field(name).query_one(Select)

    @on(Input.Changed)
    @on(TextArea.Changed)
    @on(Toggle.Changed)
    @on(Select.Changed)
    def _control_changed(self, event: Message) -> None:
        event.stop()
        self.post_message(self.Changed())

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        """Enter goes on to the next field, but in the model's, where it lists the models."""
        if event.input is not self._input("model"):
            event.stop()
            self.screen.focus_next()


def _field(name: str, label: str, control: Widget, hint: str = "") -> FormField:
    return FormField(label, control, hint=hint, id=f"field-{name}")


def _input(value: str) -> Input:
    return Input(value, compact=True, select_on_focus=False)


def _number(value: str, placeholder: str) -> Input:
    return Input(value, placeholder=placeholder, compact=True)  # typing replaces what stands there


def _text(value: str) -> TextArea:
    return LargeTextArea(value, compact=True, highlight_cursor_line=False)


def _format(kind: str) -> str | Json:
    return kind if kind == "auto" else {"type": kind}


def _named(identity: str, name: str) -> Content:
    if name == identity:
        return Content(identity)
    return Content.assemble(name, (f"  {identity}", "$muted"))


def _signature(function: FunctionDefinition) -> Content:
    """`name(first, second)  what it does`"""
    parameters: Any = function.get("parameters")
    properties = parameters.get("properties") if isinstance(parameters, dict) else None
    names = ", ".join(map(str, properties)) if isinstance(properties, dict) else ""
    description = " ".join(str(function.get("description") or "").split())
    return Content.assemble(
        str(function.get("name") or "unnamed"), (f"({names})", "$muted"), (f"  {description}", "$muted")
    )
