"""Functions that assistants may call on this machine: where they come from, and what a call needs.

Two kinds of sources exist: a folder of Python files and MCP servers. Neither runs anything by itself; whoever
calls has asked the user.
"""

import asyncio
import difflib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from assistants_tui.protocol.json_schema import TooMuchWorkError, deviations
from assistants_tui.protocol.objects import FunctionDefinition
from assistants_tui.service.json_text import JsonTextError, read_json

MAX_OUTPUT = 256_000
"""Characters of an output that are sent; models read no more, and servers refuse more."""


class CallFailedError(Exception):
    """A call gave no result. `str` is a sentence that the model can read; `printed` is for the user."""

    def __init__(self, sentence: str, printed: str = "") -> None:
        super().__init__(sentence)
        self.printed = printed


class FunctionChangedError(CallFailedError):
    """The function is not the one any more that the user saw, so it was not called."""


@dataclass(frozen=True, slots=True)
class Function:
    """A function that can be called here."""

    definition: FunctionDefinition
    place: str
    """Where it comes from: the name of a file, or of an MCP server."""
    fingerprint: str
    """Differs when the function has become another one; decisions of the user hold for one fingerprint."""
    notes: tuple[str, ...] = ()
    """What its source leaves open."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What a source has."""

    functions: Mapping[str, Function] = field(default_factory=dict)
    """By the name that models call."""
    problems: tuple[str, ...] = ()
    """What could not be read, as sentences."""


class FunctionSource(Protocol):
    """Where functions come from."""

    async def catalogue(self) -> Catalogue:
        """Everything that there is now."""

    async def find(self, name: str) -> Function | None:
        """The function of this name as it is now. Raises `CallFailedError` when that cannot be told."""

    async def call(self, function: Function, arguments: Mapping[str, Any]) -> str:
        """The result of a call, as text. Raises `CallFailedError`."""


class Functions:
    """The functions of all sources. Where two have the same name, the earlier source counts."""

    def __init__(self, sources: Sequence[FunctionSource]) -> None:
        self._sources = sources

    async def catalogue(self) -> Catalogue:
        """What all sources have now."""
        functions: dict[str, Function] = {}
        problems: list[str] = []
        for one in await asyncio.gather(*(source.catalogue() for source in self._sources)):
            problems += one.problems
            for name, function in one.functions.items():
                if (first := functions.setdefault(name, function)) is not function:
                    problems.append(f"{name} of {function.place} is hidden by the one of {first.place}.")
        return Catalogue(functions, tuple(problems))

    async def find(self, name: str) -> Function | None:
        """The function of this name. Raises `CallFailedError` when its source cannot be reached."""
        for source in self._sources:
            if (function := await source.find(name)) is not None:
                return function
        return None

    async def call(self, name: str, fingerprint: str, arguments: Mapping[str, Any]) -> str:
        """Call a function that is still the one that the user saw. Raises `CallFailedError`, and
        `FunctionChangedError` for one that is another now."""
        for source in self._sources:
            if (function := await source.find(name)) is None:
                continue
            if function.fingerprint != fingerprint:
                raise FunctionChangedError("The function was changed just now. Try again.")
            return shortened(await source.call(function, arguments))
        raise CallFailedError("There is no such function here any more.")


def shortened(output: str) -> str:
    """An output as it can be sent."""
    if len(output) <= MAX_OUTPUT:
        return output
    note = f"\n[Cut: the output had {len(output):,} characters.]"
    return output[: MAX_OUTPUT - len(note)] + note


def definition_text(function: Function) -> str:
    """What a user decides on, as text that can be compared: name, description and parameters."""
    return json.dumps(function.definition, indent=2, sort_keys=True, ensure_ascii=False)


def difference(before: str, function: Function, since: str = "you decided about it") -> str:
    """How a function differs from what `definition_text` gave for it once, as a sentence and lines."""
    lines = difflib.unified_diff(
        before.splitlines(), definition_text(function).splitlines(), n=0, lineterm=""
    )
    changes = [line for line in lines if not line.startswith(("---", "+++", "@@"))]
    if not before or not changes:
        also = ", or a file that it imports," if function.place.endswith(".py") else ""
        return f"{function.place}{also} has changed since {since}."
    return "\n".join([f"This function has changed since {since}:", *changes])


_MOST_ERRORS = 20  # among which the most helpful one is looked for


def read_arguments(text: str, definition: FunctionDefinition | None) -> dict[str, Any]:
    """The arguments that a model wrote, checked against the parameters of the function.

    Raises `CallFailedError` with a sentence from which the model can correct itself.
    """
    try:
        arguments = read_json(text) if text.strip() else {}
    except JsonTextError as error:
        raise CallFailedError(f"The arguments cannot be read. {error}") from None
    if not isinstance(arguments, dict):
        raise CallFailedError("The arguments must be a JSON object.")
    if definition is not None and (wrong := _mismatch(arguments, definition.get("parameters") or {})):
        raise CallFailedError(f"The arguments do not fit. {wrong}")
    return arguments


def _mismatch(arguments: Mapping[str, Any], schema: Mapping[str, Any]) -> str | None:
    import jsonschema  # a tenth of a second that only a call needs
    import referencing

    try:
        errors = deviations(arguments, schema, most=_MOST_ERRORS)
    except (
        *(TooMuchWorkError, jsonschema.SchemaError, jsonschema.exceptions.UnknownType),
        *(referencing.exceptions.Unresolvable, RecursionError, AttributeError, LookupError, TypeError),
        *(ValueError, ArithmeticError),
    ):
        return None  # a schema that nobody can follow does not keep the function from being called
    if not errors:
        return None
    error = jsonschema.exceptions.best_match(errors)
    place = ".".join(str(part) for part in error.absolute_path)
    message = error.message if len(error.message) <= 300 else f"{error.message[:299]}…"
    return f"{place}: {message}." if place else f"{message}."
