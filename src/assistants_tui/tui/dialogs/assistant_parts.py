"""What an assistant is put together from, asked for in dialogs: model, files, stores, functions, schema."""

from collections.abc import Collection, Sequence
from datetime import date
from pathlib import Path
from typing import Any, cast

from textual.screen import Screen

from assistants_tui.protocol.objects import FunctionDefinition, Json, Model
from assistants_tui.service.assistants.checks import json_schema_problem
from assistants_tui.service.assistants.models import shutdown_note
from assistants_tui.service.files.server_files import ServerFiles
from assistants_tui.service.functions.definitions import TEMPLATE, DefinitionError, read_functions
from assistants_tui.service.functions.source import SourceError, functions_in
from assistants_tui.service.json_text import read_json, write_json
from assistants_tui.service.local_paths import size_words
from assistants_tui.service.vector_stores import ServerVectorStores
from assistants_tui.tui.dialogs.file_picker import FilePicker
from assistants_tui.tui.dialogs.paged_choice import Choice, SearchDialog
from assistants_tui.tui.dialogs.questions import TextDialog
from assistants_tui.tui.dialogs.source import SourceDialog

_NEW = "\0new"
_SCHEMA = {
    "name": "answer",
    "strict": True,
    "schema": {
        "type": "object",
        "properties": {"result": {"type": "string"}},
        "required": ["result"],
        "additionalProperties": False,
    },
}


async def ask_model(screen: Screen[Any], models: Sequence[Model]) -> str | None:
    """A model of the server, or a name that is typed."""

    async def load(_after: str | None) -> tuple[list[Choice], str | None]:
        today = date.today()
        return [
            Choice(model["id"], model["id"], str(model.get("owned_by") or ""), shutdown_note(model, today))
            for model in models
        ], None

    return await screen.app.push_screen_wait(
        SearchDialog("Which model answers?", load, free="as typed", empty="The server lists no models.")
    )


async def ask_files(
    screen: Screen[Any], files: ServerFiles, names: dict[str, str], known: Collection[str]
) -> list[str]:
    """The ID of a file of the server, or those of files that are uploaded now.

    `names` learns what they are called. Raises `ServiceError`.
    """

    async def load(after: str | None) -> tuple[list[Choice], str | None]:
        page = await files.list(purpose="assistants", after=after)
        names.update((file["id"], str(file.get("filename") or file["id"])) for file in page.items)
        return [
            Choice(file["id"], names[file["id"]], f"{size_words(file.get('bytes') or 0)}  {file['id']}")
            for file in page.items
            if file["id"] not in known
        ], page.next_cursor

    chosen = await screen.app.push_screen_wait(
        SearchDialog("Which file?", load, extra=[Choice(_NEW, "Upload files…")])
    )
    if chosen != _NEW:
        return [] if chosen is None else [chosen]
    added = []
    for path in await screen.app.push_screen_wait(FilePicker("Upload files", Path.cwd())) or ():
        file = await files.upload(path)
        names[file["id"]] = str(file.get("filename") or file["id"])
        added.append(file["id"])
    return added


async def ask_store(screen: Screen[Any], stores: ServerVectorStores, names: dict[str, str]) -> str | None:
    """The ID of a vector store of the server, or of a new one. Raises `ServiceError`."""

    async def load(after: str | None) -> tuple[list[Choice], str | None]:
        page = await stores.list(after=after)
        choices = []
        for store in page.items:
            names[store["id"]] = store.get("name") or "Unnamed"
            count = store["file_counts"]["total"] if "file_counts" in store else 0
            detail = f"{count} file{'' if count == 1 else 's'}  {store['id']}"
            warning = "expired" if store.get("status") == "expired" else ""
            choices.append(Choice(store["id"], names[store["id"]], detail, warning))
        return choices, page.next_cursor

    chosen = await screen.app.push_screen_wait(
        SearchDialog("Which vector store?", load, extra=[Choice(_NEW, "New vector store…")])
    )
    if chosen != _NEW:
        return chosen
    name = await screen.app.push_screen_wait(TextDialog("Name of the new vector store"))
    if name is None:
        return None
    store = await stores.create(name)
    names[store["id"]] = name
    return store["id"]


async def ask_function(
    screen: Screen[Any], present: FunctionDefinition | None = None
) -> list[FunctionDefinition] | None:
    """Definitions typed or pasted as JSON; `present` is the one to change."""
    text = await screen.app.push_screen_wait(
        SourceDialog(
            "Function" if present else "New function",
            write_json(present or TEMPLATE),
            lambda text: _summary(read_functions(text)),
            detail="A definition as JSON. Tools of chat completions and lists of them are understood too.",
            name="function.json",
        )
    )
    return None if text is None else read_functions(text)


async def ask_source(screen: Screen[Any]) -> list[FunctionDefinition] | None:
    """Definitions of the functions in a Python source, which is read and never run."""
    text = await screen.app.push_screen_wait(
        SourceDialog(
            "Functions from Python",
            "",
            _source_summary,
            detail="Paste functions, or open a file with ^O. Type hints and docstrings become definitions; "
            "nothing is run.",
            name="functions.py",
        )
    )
    return None if text is None else [found.definition for found in functions_in(text)]


async def ask_schema(screen: Screen[Any], present: Json | None) -> Json | None:
    """The `json_schema` of a response format."""

    def check(text: str) -> str:
        value = read_json(text)
        problem = json_schema_problem(value) if isinstance(value, dict) else "This is no JSON object."
        if problem:
            raise ValueError(problem)
        return f"✓ {value['name']}"

    text = await screen.app.push_screen_wait(
        SourceDialog(
            "Schema of the answers",
            write_json(present or _SCHEMA),
            check,
            detail="A name, and a JSON Schema that every answer follows.",
            name="schema.json",
        )
    )
    return None if text is None else cast(Json, read_json(text))


def _summary(functions: Sequence[FunctionDefinition]) -> str:
    shown = []
    for function in functions:
        properties = (function.get("parameters") or {}).get("properties")
        names = ", ".join(map(str, properties)) if isinstance(properties, dict) else ""
        shown.append(f"{function['name']}({names})")
    return f"✓ {', '.join(shown)}"


def _source_summary(text: str) -> str:
    if not text.strip():
        raise DefinitionError("There is no source yet.")
    try:
        found = functions_in(text)
    except SourceError as error:
        raise DefinitionError(str(error)) from None
    if not found:
        raise DefinitionError("It has no function at its top level whose name does not begin with “_”.")
    notes = " ".join(note for one in found for note in one.notes)
    return "\n".join(filter(None, [_summary([one.definition for one in found]), notes]))
