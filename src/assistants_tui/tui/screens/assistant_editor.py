"""The editor of assistants: every field of the API, with what is wrong with it beside it."""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from importlib import import_module
from typing import Any, ClassVar, TypeVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import Screen
from textual.timer import Timer
from textual.widgets import Input, Static

from assistants_tui.protocol.objects import Assistant, FunctionDefinition, Model
from assistants_tui.service.assistants.checks import hints, max_instructions, problems
from assistants_tui.service.assistants.draft import (
    AssistantDraft,
    Field,
    changes,
    draft_of,
    field_of,
    new_body,
)
from assistants_tui.service.assistants.models import shutdown_note
from assistants_tui.service.errors import ServiceError
from assistants_tui.service.workspace import Workspace
from assistants_tui.tui.dialogs import assistant_parts as parts
from assistants_tui.tui.dialogs.help import HelpScreen
from assistants_tui.tui.dialogs.questions import ChoiceDialog
from assistants_tui.tui.failures import told_failures
from assistants_tui.tui.terminal.external_editor import ExternalEditorError, edit_externally
from assistants_tui.tui.widgets.assistant_form import AssistantForm
from assistants_tui.tui.widgets.form import ItemList
from assistants_tui.tui.widgets.key_bar import KeyBar

_PAUSE = 0.1  # seconds without a change, after which the form is checked


class AssistantEditor(Screen[Assistant | None]):
    """Makes or changes an assistant. The result is the assistant as the server has it, None after Esc."""

    HELP: ClassVar[str] = (
        "Tab and Shift+Tab go from field to field, ^PgDn and ^PgUp from section to section. Nothing is sent "
        "before ^S, and then only what you changed."
    )
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (70, "-wide")]  # noqa: RUF012 - Textual's
    DEFAULT_CSS = """
    AssistantEditor {
        background: $surface;
        #editor-title { height: 1; padding: 0 1; background: $panel; margin-bottom: 1; text-style: bold; }
        #editor-trouble { display: none; height: auto; max-height: 4; padding: 0 2; background: $error 12%; }
        #editor-trouble.-shown { display: block; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "save", "Save", priority=True, id="editor.save", tooltip="Save the assistant"),
        Binding("escape", "leave", "Back", id="editor.leave", tooltip="Leave the editor"),
        Binding(
            "ctrl+e",
            "external",
            "$EDITOR",
            priority=True,
            id="editor.external",
            tooltip="Edit the instructions in $EDITOR",
        ),
        Binding("ctrl+pagedown", "section(1)", show=False, id="editor.next", tooltip="Next section"),
        Binding("ctrl+pageup", "section(-1)", show=False, id="editor.previous", tooltip="Section before"),
        Binding("f1", "help", "Help", id="app.help", tooltip="Explain this screen"),
    ]

    def __init__(
        self, workspace: Workspace, assistant: Assistant | None = None, *, draft: AssistantDraft | None = None
    ) -> None:
        """`assistant` is the one to change; without it a new one is made, beginning with `draft`."""
        super().__init__()
        self._workspace = workspace
        self._assistant = assistant
        self._before = draft_of(assistant) if assistant is not None else None
        self._start = self._before or draft or AssistantDraft()
        self._azure = workspace.session.profile.kind == "azure"
        self._models: Sequence[Model] = ()
        self._names: dict[str, str] = {}
        """What files and stores are called, by their IDs."""
        self._refused: dict[Field, str] = {}
        """What the server said about fields, until they are changed."""
        self._sent = self._start
        self._pause: Timer | None = None
        self._ready = False
        self._saving = False
        self._tried = False  # what is missing is not complained about before somebody wants to save

    def compose(self) -> ComposeResult:
        yield Static(self._title(), id="editor-title")
        yield AssistantForm(
            self._start,
            model_hint=(
                "The name of a deployment"
                if self._azure
                else "Enter lists the server's models; others may be typed"
            ),
            max_instructions=max_instructions(azure=self._azure, new=self._assistant is None),
        )
        yield Static(id="editor-trouble")
        yield KeyBar()

    def _title(self) -> Content:
        changed = ("  ● not saved", "$text-warning not bold") if self._form_differs else ""
        if self._assistant is None:
            return Content.assemble("New assistant", changed)
        name = self._assistant.get("name") or "Unnamed"
        return Content.assemble(name, (f"  {self._assistant['id']}", "$muted not bold"), changed)

    @property
    def _form_differs(self) -> bool:
        """Whether there is something to save."""
        return self._ready and self._form.draft != self._start

    def on_mount(self) -> None:
        self._form.go_to("name")
        self._prepare()

    @property
    def _form(self) -> AssistantForm:
        return self.query_one(AssistantForm)

    @work
    async def _prepare(self) -> None:
        """What the form can be shown without: the checker of schemas, the models, and names for IDs."""
        await asyncio.to_thread(import_module, "jsonschema")
        self._ready = True
        self._check()
        with told_failures(self, "Not everything could be read"):
            self._models = await self._workspace.session.models()
            self._offer_model()
            self._check()
            await asyncio.gather(
                *(
                    self._learn_name(one, self._workspace.files.retrieve(one), "filename")
                    for one in self._start.file_ids
                ),
                *(
                    self._learn_name(one, self._workspace.vector_stores.retrieve(one), "name")
                    for one in self._start.vector_store_ids
                ),
            )
            self._form.change(self._form.draft, name_of=self._name_of)

    async def _learn_name(self, identity: str, asked: Awaitable[Mapping[str, Any]], key: str) -> None:
        try:
            self._names[identity] = str((await asked).get(key) or "Unnamed")
        except ServiceError as error:
            if error.kind != "not_found":
                raise
            self._names[identity] = "Not on the server any more"

    def _name_of(self, identity: str) -> str:
        return self._names.get(identity, identity)

    def _offer_model(self) -> None:
        """Fill in the profile's model, or the first one of the server, where a new assistant has none yet."""
        model = self._workspace.session.profile.default_model or next((one["id"] for one in self._models), "")
        if not self._start.model and not self._form.draft.model:
            self._start = replace(self._start, model=model)
            self._form.field("model").query_one(Input).value = model

    # what is wrong

    @on(AssistantForm.Changed)
    def _changed(self) -> None:
        if self._pause is not None:
            self._pause.stop()
        self._pause = self.set_timer(_PAUSE, self._check)

    def _check(self) -> dict[Field, str]:
        """Show what is wrong beside the fields, and return it."""
        if not self._ready:
            return {}
        self.query_one("#editor-title", Static).update(self._title())
        draft = self._form.draft
        if draft != self._sent:
            self._refused = {
                field: said for field, said in self._refused.items() if self._stands(field, draft)
            }
        found = problems(draft, before=self._before, azure=self._azure)
        shown = {**self._refused, **found}
        if not self._tried and not draft.model:
            shown.pop("model", None)
        self._form.show(shown, self._hints(draft))
        return found

    def _stands(self, refused: Field, draft: AssistantDraft) -> bool:
        """Whether a field is still what the server refused."""
        fields: tuple[Field, ...] = (refused,)
        if refused == "response_format":  # a format may be refused for the tools beside it
            fields += ("code_interpreter", "file_search")
        return all(getattr(draft, field) == getattr(self._sent, field) for field in fields)

    def _hints(self, draft: AssistantDraft) -> dict[Field, str]:
        found = hints(draft)
        models = {model["id"]: model for model in self._models}
        if draft.model in models:
            if note := shutdown_note(models[draft.model], date.today()):
                found["model"] = f"{note[0].upper()}{note[1:]}."
        elif draft.model and models:
            found["model"] = "The server does not list this model."
        return found

    def _complain(self, text: str) -> None:
        trouble = self.query_one("#editor-trouble", Static)
        trouble.update(Content(text))
        trouble.set_class(bool(text), "-shown")

    # saving and leaving

    @work(group="save")
    async def action_save(self) -> None:
        if not self._ready or self._saving:
            return
        self._saving = True
        try:
            await self._save()
        finally:
            self._saving = False

    async def _save(self) -> None:
        self._tried = True
        self._complain("")
        if found := self._check():
            self._form.go_to(next(iter(found)))
            return
        draft = self._form.draft
        if self._before is None and draft == self._start == AssistantDraft(model=draft.model):
            self._complain(
                "Nothing is filled in yet. Give the assistant a name or instructions, then save it."
            )
            self._form.go_to("name")
            return
        self._sent = draft
        try:
            store = self._workspace.assistant_store
            if self._assistant is None or self._before is None:
                saved = await store.create(new_body(draft))
            else:
                saved = await store.update(self._assistant, changes(self._before, draft))
        except ServiceError as error:
            self._refused_by_server(error, draft)
            return
        self.dismiss(saved)

    def _refused_by_server(self, error: ServiceError, draft: AssistantDraft) -> None:
        field = field_of(error.param, draft)
        if field is None:
            self._complain(str(error))
            return
        self._refused[field] = str(error)
        self._check()
        self._form.go_to(field)

    @work
    async def action_leave(self) -> None:
        if not self._form_differs:
            self.dismiss(None)
            return
        choice = await self.app.push_screen_wait(
            ChoiceDialog(
                "Save your changes?",
                choices=[("stay", "Go on editing"), ("save", "Save"), ("drop", "Drop them")],
            )
        )
        if choice == "save":
            self.action_save()
        elif choice == "drop":
            self.dismiss(None)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        # elsewhere the key goes to the end of the line
        return self.focused is self._form.instructions if action == "external" else True

    def action_section(self, step: int) -> None:
        self._form.next_section(step)

    def action_help(self) -> None:
        self.app.push_screen(HelpScreen(self))

    @work
    async def action_external(self) -> None:
        area = self._form.instructions
        try:
            area.text = await edit_externally(self.app, area.text, name="instructions.md")
        except ExternalEditorError as error:
            self.notify(str(error), title="Not edited", severity="error", markup=False)
        area.focus()

    # parts

    @on(Input.Submitted)
    @work
    async def _model_wanted(self) -> None:
        model = await parts.ask_model(self, self._models)
        if model is not None:
            self._form.field("model").query_one(Input).value = model

    @on(ItemList.Added, "#file_ids")
    @work
    async def _add_file(self) -> None:
        with told_failures(self, "No file added"):
            known = self._form.draft.file_ids
            if added := await parts.ask_files(self, self._workspace.files, self._names, known):
                self._update(file_ids=(*known, *added), code_interpreter=True)

    @on(ItemList.Added, "#vector_store_ids")
    @work
    async def _choose_store(self) -> None:
        with told_failures(self, "No vector store chosen"):
            chosen = await parts.ask_store(self, self._workspace.vector_stores, self._names)
            if chosen is not None:
                self._update(vector_store_ids=(chosen,), file_search=True)

    @on(ItemList.Added, "#functions")
    @work
    async def _add_functions(self, event: ItemList.Added) -> None:
        asked = parts.ask_function(self) if event.index == 0 else parts.ask_source(self)
        if (added := await asked) is not None:
            self._put_functions(added, instead_of=None)

    @on(ItemList.Opened, "#functions")
    @work
    async def _edit_function(self, event: ItemList.Opened) -> None:
        changed = await parts.ask_function(self, self._form.draft.functions[event.index])
        if changed is not None:
            self._put_functions(changed, instead_of=event.index)

    def _put_functions(self, added: Sequence[FunctionDefinition], *, instead_of: int | None) -> None:
        """Add definitions; one that has the name of another takes its place."""
        functions = list(self._form.draft.functions)
        if instead_of is not None:
            functions[instead_of : instead_of + 1] = added[:1]
            added = added[1:]
        for function in added:
            names = [one.get("name") for one in functions]
            if function["name"] in names:
                functions[names.index(function["name"])] = function
            else:
                functions.append(function)
        self._update(functions=tuple(functions))

    @on(ItemList.Added, "#schema")
    @on(ItemList.Opened, "#schema")
    @work
    async def _edit_schema(self) -> None:
        present = self._form.draft.response_format
        schema = present.get("json_schema") if isinstance(present, dict) else None
        if (written := await parts.ask_schema(self, schema)) is not None:
            self._update(response_format={"type": "json_schema", "json_schema": written})

    @on(ItemList.Removed)
    def _remove(self, event: ItemList.Removed) -> None:
        draft = self._form.draft
        match event.items.id:
            case "file_ids":
                self._update(file_ids=_without(draft.file_ids, event.index))
            case "vector_store_ids":
                self._update(vector_store_ids=_without(draft.vector_store_ids, event.index))
            case "functions":
                self._update(functions=_without(draft.functions, event.index))
            case "schema":
                self._update(response_format={"type": "json_schema"})

    def _update(self, **fields: Any) -> None:
        self._form.change(replace(self._form.draft, **fields), name_of=self._name_of)


_Item = TypeVar("_Item")


def _without(items: tuple[_Item, ...], index: int) -> tuple[_Item, ...]:
    return items[:index] + items[index + 1 :]
