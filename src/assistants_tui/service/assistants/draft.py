"""An assistant as a form holds it, and what of it has to be sent."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, cast

from assistants_tui.protocol import limits
from assistants_tui.protocol.objects import Assistant, FunctionDefinition, Json, Tool
from assistants_tui.service import metadata

Field = Literal[
    "name",
    "description",
    "model",
    "instructions",
    "code_interpreter",
    "file_ids",
    "file_search",
    "max_num_results",
    "score_threshold",
    "vector_store_ids",
    "functions",
    "response_format",
    "temperature",
    "top_p",
    "reasoning_effort",
    "metadata",
]
"""Where something is entered, and where what is wrong with it is told."""


@dataclass(frozen=True)
class AssistantDraft:
    """What a form shows. Numbers and metadata are texts as typed; an empty number is the default."""

    name: str = ""
    description: str = ""
    model: str = ""
    instructions: str = ""
    code_interpreter: bool = False
    file_ids: tuple[str, ...] = ()
    """Files that the code interpreter sees."""
    file_search: bool = False
    max_num_results: str = ""
    score_threshold: str = ""
    vector_store_ids: tuple[str, ...] = ()
    functions: tuple[FunctionDefinition, ...] = ()
    response_format: str | Json = "auto"
    """As the API has it: a word, or an object with its `type`."""
    temperature: str = ""
    top_p: str = ""
    reasoning_effort: str = ""
    """Servers do not show it; empty leaves it as it is."""
    metadata: str = ""
    """Lines of `key = value`."""
    search_options: Mapping[str, Any] | None = None
    """What file search has been told beyond what the form shows, such as its ranker."""
    other_tools: tuple[Tool, ...] = ()
    """Tools of kinds that this program does not know; they stay as they are."""
    other_resources: Mapping[str, Any] | None = None
    """The same for what tools of other kinds work on."""

    @property
    def format_kind(self) -> str:
        """`auto`, `text`, `json_object`, `json_schema`, or a kind that a server has beyond them."""
        shown = self.response_format
        return str(shown.get("type")) if isinstance(shown, dict) else shown


def draft_of(assistant: Assistant | Mapping[str, Any]) -> AssistantDraft:
    """An assistant as a form shows it. Fields that a server leaves out have their defaults."""
    tools = [tool for tool in assistant.get("tools") or () if isinstance(tool, dict)]
    kinds = [tool.get("type") for tool in tools]
    resources = dict(assistant.get("tool_resources") or {})
    code = resources.pop("code_interpreter", None) or {}
    stores = resources.pop("file_search", None) or {}
    search: Json = next(
        (tool.get("file_search") or {} for tool in tools if tool.get("type") == "file_search"), {}
    )
    return AssistantDraft(
        name=assistant.get("name") or "",
        description=assistant.get("description") or "",
        model=assistant.get("model") or "",
        instructions=assistant.get("instructions") or "",
        code_interpreter="code_interpreter" in kinds,
        file_ids=tuple(code.get("file_ids") or ()),
        file_search="file_search" in kinds,
        max_num_results=_shown(search.get("max_num_results")),
        score_threshold=_shown((search.get("ranking_options") or {}).get("score_threshold")),
        vector_store_ids=tuple(stores.get("vector_store_ids") or ()),
        functions=tuple(
            cast(FunctionDefinition, tool.get("function") or {})
            for tool in tools
            if tool.get("type") == "function"
        ),
        response_format=assistant.get("response_format") or "auto",
        temperature=_shown(assistant.get("temperature")),
        top_p=_shown(assistant.get("top_p")),
        metadata=metadata.as_lines(
            {key: str(value) for key, value in (assistant.get("metadata") or {}).items()}
        ),
        search_options=search or None,
        other_tools=tuple(cast(Tool, tool) for tool in tools if tool.get("type") not in _KNOWN_TOOLS),
        other_resources=resources or None,
    )


def copy_of(assistant: Assistant) -> AssistantDraft:
    """A draft for another assistant like this one, under a name that says so."""
    name = assistant.get("name") or ""
    suffix = " (copy)"
    return replace(
        draft_of(assistant), name=f"{name[: limits.MAX_NAME - len(suffix)]}{suffix}" if name else ""
    )


def body(draft: AssistantDraft) -> Json:
    """Every field as the API has it, null where the default shall be.

    Raises `ValueError` where a number or the metadata cannot be read, see `assistant_checks.problems`.
    """
    resources: Json = dict(draft.other_resources or {})
    resources["code_interpreter"] = {"file_ids": list(draft.file_ids)}
    resources["file_search"] = {"vector_store_ids": list(draft.vector_store_ids)}
    return {
        "name": draft.name or None,
        "description": draft.description or None,
        "model": draft.model.strip(),
        "instructions": draft.instructions or None,
        "tools": tools_of(draft),
        "tool_resources": resources,
        "response_format": draft.response_format,
        "temperature": _number(draft.temperature),
        "top_p": _number(draft.top_p),
        "reasoning_effort": draft.reasoning_effort or None,
        "metadata": metadata.from_lines(draft.metadata),
    }


def new_body(draft: AssistantDraft) -> Json:
    """What to send for a new assistant: what differs from an assistant of which nothing is said.

    Raises `ValueError` like `body`.
    """
    fields = changes(AssistantDraft(), draft)
    if "tool_resources" in fields:
        fields["tool_resources"] = {
            tool: held for tool, held in fields["tool_resources"].items() if any(held.values())
        }
    return {"model": draft.model.strip(), **fields}


def changes(before: AssistantDraft, after: AssistantDraft) -> Json:
    """What to send so that an assistant that is `before` becomes `after`; empty if nothing differs.

    Raises `ValueError` like `body`.
    """
    old = body(before)
    return {name: value for name, value in body(after).items() if value != old[name]}


def tools_of(draft: AssistantDraft) -> list[Tool]:
    """The tools as the API has them. Raises `ValueError` where a number cannot be read."""
    tools: list[Tool] = []
    if draft.code_interpreter:
        tools.append({"type": "code_interpreter"})
    if draft.file_search:
        options = _search_options(draft)
        tools.append({"type": "file_search", "file_search": options} if options else {"type": "file_search"})
    tools += [{"type": "function", "function": function} for function in draft.functions]
    return [*tools, *draft.other_tools]


def field_of(param: str | None, draft: AssistantDraft) -> Field | None:
    """The field that a server complains about under the name `param`, such as `tools[1].function.name`.

    None where it complains about something else. `draft` is what was sent.
    """
    param = param or ""
    top = param.partition(".")[0].partition("[")[0]
    if top == "tools":
        return _tool_field(param, draft)
    if top == "tool_resources":
        return "vector_store_ids" if "file_search" in param or "vector_store" in param else "file_ids"
    return _FIELDS.get(top)


_KNOWN_TOOLS = {"code_interpreter", "file_search", "function"}
_FIELDS: Mapping[str, Field] = {
    "name": "name",
    "description": "description",
    "model": "model",
    "instructions": "instructions",
    "file_ids": "file_ids",
    "vector_store_ids": "vector_store_ids",
    "functions": "functions",
    "response_format": "response_format",
    "temperature": "temperature",
    "top_p": "top_p",
    "reasoning_effort": "reasoning_effort",
    "metadata": "metadata",
}


def _tool_field(param: str, draft: AssistantDraft) -> Field:
    if "max_num_results" in param:
        return "max_num_results"
    if "ranking_options" in param:
        return "score_threshold"
    place = param.partition("[")[2].partition("]")[0]
    tools = tools_of(draft)
    kind = tools[int(place)]["type"] if place.isdecimal() and int(place) < len(tools) else ""
    if kind in {"code_interpreter", "file_search"}:
        return cast(Field, kind)
    if not place and draft.format_kind in {"json_object", "json_schema"}:
        return "response_format"  # the tools are complained about, but for the format's sake
    return "functions"


def _search_options(draft: AssistantDraft) -> Json:
    options: Json = dict(draft.search_options or {})
    ranking: Json = dict(options.pop("ranking_options", None) or {})
    options.pop("max_num_results", None)
    if draft.max_num_results.strip():
        options["max_num_results"] = int(draft.max_num_results)
    if (threshold := _number(draft.score_threshold)) is not None:
        options["ranking_options"] = {**ranking, "score_threshold": threshold}
    return options


def _number(text: str) -> float | None:
    return float(text) if text.strip() else None


def _shown(number: object) -> str:
    """A number as one would type it; whatever else a server sends counts as nothing."""
    if isinstance(number, bool) or not isinstance(number, (int, float)) or not math.isfinite(number):
        return ""
    return str(int(number)) if number == int(number) else repr(number)
