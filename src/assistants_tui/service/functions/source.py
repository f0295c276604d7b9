"""Python functions as definitions for models: read from their source, which is never run.

The signature gives names, types and what is required; the docstring says what they mean, in Google, NumPy,
Sphinx or Epydoc style.
"""

import ast
import warnings
from dataclasses import dataclass

from assistants_tui.protocol import limits
from assistants_tui.protocol.objects import FunctionDefinition, Json
from assistants_tui.service.functions.source_types import Names, TypeReader

MAX_SOURCE = 1_000_000
"""Characters of source that are read."""


class SourceError(ValueError):
    """The text is no Python. `str` is the sentence to show."""


@dataclass(frozen=True, slots=True)
class FoundFunction:
    """A function of a source."""

    definition: FunctionDefinition
    line: int
    notes: tuple[str, ...] = ()
    """What the source does not say, and what was assumed."""


def functions_in(source: str) -> list[FoundFunction]:
    """The functions at the top level of a source in their order, without those that begin with `_`.

    Raises `SourceError`.
    """
    if len(source) > MAX_SOURCE:
        raise SourceError(f"The source is longer than {MAX_SOURCE:,} characters.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # on escapes in the user's strings, which are not ours to judge
            module = ast.parse(source)
        names = Names(module)
        return [
            _found(node, names)
            for node in module.body
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and not node.name.startswith("_")
        ]
    except SyntaxError as error:
        place = f" at line {error.lineno}" if error.lineno else ""
        raise SourceError(f"Not Python{place}: {error.msg}.") from None
    except (ValueError, RecursionError, MemoryError):  # null bytes, or brackets within brackets without end
        raise SourceError("This is no Python that can be read.") from None


def _found(node: ast.FunctionDef | ast.AsyncFunctionDef, names: Names) -> FoundFunction:
    types = TypeReader(names)
    description, meanings = _docstring(node)
    properties: dict[str, Json] = {}
    required: list[str] = []
    for argument, default in _arguments(node.args):
        if argument.annotation is None:
            types.notes.append(f"{argument.arg} has no type hint: any value is allowed.")
        schema = types.schema(argument.annotation) if argument.annotation else {}
        if argument.arg in meanings:
            schema["description"] = meanings[argument.arg]
        if default is None:
            required.append(argument.arg)
        elif (value := types.value(default)) is not None:
            schema["default"] = value
        properties[argument.arg] = schema
    parameters: Json = {"type": "object", "properties": properties}
    if required:
        parameters["required"] = required
    if node.args.kwarg is None:
        parameters["additionalProperties"] = False
    else:
        types.notes.append(f"**{node.args.kwarg.arg} lets models pass anything else.")
    if node.args.vararg is not None:
        types.notes.append(f"*{node.args.vararg.arg} has no name that a model could use; it is left out.")
    if not description:
        types.notes.append("There is no docstring: describe what it does.")
    elif len(description) > limits.MAX_FUNCTION_DESCRIPTION:
        description = description[: limits.MAX_FUNCTION_DESCRIPTION - 1] + "…"
        types.notes.append(f"The docstring was cut to {limits.MAX_FUNCTION_DESCRIPTION:,} characters.")
    if len(node.name) > limits.MAX_FUNCTION_NAME or not node.name.isascii():
        types.notes.append(
            f"The name has to change: {limits.MAX_FUNCTION_NAME} letters a-z, digits, _ and - are allowed."
        )
    definition: FunctionDefinition = {
        "name": node.name,
        "description": description,
        "parameters": parameters,
    }
    return FoundFunction(definition, node.lineno, tuple(dict.fromkeys(types.notes)))


def _arguments(arguments: ast.arguments) -> list[tuple[ast.arg, ast.expr | None]]:
    """All parameters that have a name, with their defaults."""
    positional = [*arguments.posonlyargs, *arguments.args]
    defaults = [None] * (len(positional) - len(arguments.defaults)) + list(arguments.defaults)
    return [
        *zip(positional, defaults, strict=True),
        *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True),
    ]


def _docstring(node: ast.FunctionDef | ast.AsyncFunctionDef) -> tuple[str, dict[str, str]]:
    """What a function does, and what its parameters mean."""
    text = ast.get_docstring(node)
    if not text:
        return "", {}
    import docstring_parser  # only an editor needs it

    try:
        parsed = docstring_parser.parse(text)
    except docstring_parser.ParseError:
        return text.strip(), {}
    paragraphs = (parsed.short_description or "", parsed.long_description or "")
    meanings = {
        parameter.arg_name.lstrip("*"): " ".join(parameter.description.split())
        for parameter in parsed.params
        if parameter.description
    }
    return "\n\n".join(part.strip() for part in paragraphs if part.strip()), meanings
