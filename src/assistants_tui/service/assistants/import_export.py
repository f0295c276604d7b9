"""Assistants in JSON files: written as the API shows them, read in every shape that people have kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from assistants_tui.protocol.objects import Assistant, Json
from assistants_tui.service.assistants.checks import problems
from assistants_tui.service.assistants.draft import draft_of
from assistants_tui.service.assistants.v1 import migrated
from assistants_tui.service.json_text import JsonTextError, read_json, write_json

MAX_ASSISTANTS = 1000
"""Assistants that are read from one file."""

_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "name": str,
    "description": str,
    "model": str,
    "instructions": str,
    "tools": list,
    "tool_resources": dict,
    "metadata": dict,
    "temperature": (int, float),
    "top_p": (int, float),
    "response_format": (str, dict),
    "reasoning_effort": str,
}
_SERVERS = {"id", "object", "created_at"}  # a new assistant gets new ones


class AssistantFileError(ValueError):
    """A text holds no assistant that can be read. `str` is the sentence to show."""


@dataclass(frozen=True, slots=True)
class ReadAssistant:
    """An assistant from a file."""

    fields: Json
    """What to send to make it."""
    notes: tuple[str, ...] = ()
    """What was changed or left out on the way, a sentence each."""
    problem: str | None = None
    """Why no server would take it."""

    @property
    def title(self) -> str:
        """What to call it in a list."""
        return str(self.fields.get("name") or self.fields.get("model") or "Unnamed")

    @property
    def without_resources(self) -> Json:
        """The fields without files and vector stores, which another server may not have."""
        return {name: value for name, value in self.fields.items() if name != "tool_resources"}


def written(assistants: Sequence[Assistant]) -> str:
    """The text of a file: one assistant as its object, several as a list of the API."""
    value: object = assistants[0] if len(assistants) == 1 else {"object": "list", "data": list(assistants)}
    return write_json(value) + "\n"


def read_assistants(text: str, *, default_model: str = "") -> list[ReadAssistant]:
    """The assistants of a file. Raises `AssistantFileError`.

    Taken are one assistant, a list of them, and a list of the API with its `data`, in the form of version 2
    or of version 1, which is migrated. `default_model` is for those that name none.
    """
    try:
        value = read_json(text)
    except JsonTextError as error:
        raise AssistantFileError(str(error)) from None
    if isinstance(value, dict):
        value = next(
            (value[key] for key in ("data", "assistants") if isinstance(value.get(key), list)), [value]
        )
    if not isinstance(value, list) or not value:
        raise AssistantFileError("There is no assistant in it.")
    if len(value) > MAX_ASSISTANTS:
        raise AssistantFileError(
            f"It holds {len(value):,} assistants; {MAX_ASSISTANTS:,} can be read at once."
        )
    for index, entry in enumerate(value, start=1):
        kind = entry.get("object", "assistant") if isinstance(entry, dict) else None
        if kind != "assistant":
            what = f"a {kind}" if isinstance(kind, str) else "no object"
            raise AssistantFileError(f"Entry {index} is {what}, not an assistant.")
    return [_read(entry, default_model) for entry in value]


def _read(entry: Mapping[str, Any], default_model: str) -> ReadAssistant:
    migrated_fields, notes = migrated(entry)
    fields: Json = {}
    for name, value in migrated_fields.items():
        if name in _SERVERS or value is None:
            continue
        if name not in _TYPES:
            notes.append(f"“{name}” is no field of an assistant; it is left out.")
        elif not isinstance(value, _TYPES[name]) or isinstance(value, bool):
            return ReadAssistant(fields, tuple(notes), f"“{name}” has a value of the wrong kind.")
        else:
            fields[name] = value
    if not fields.get("model") and default_model:
        fields["model"] = default_model
        notes.append(f"It names no model; it gets {default_model}.")
    return ReadAssistant(fields, tuple(notes), _problem(fields))


def _problem(fields: Json) -> str | None:
    if not all(isinstance(value, str) for value in fields.get("metadata", {}).values()):
        return "metadata: the values are texts."
    try:
        found = problems(draft_of(fields))
    except (TypeError, AttributeError, ValueError):
        return "Its tools, resources or metadata do not have the shape of the API."
    return next((f"{field.replace('_', ' ')}: {problem}" for field, problem in found.items()), None)
