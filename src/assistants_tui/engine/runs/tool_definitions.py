"""Tools as a chat-completions model knows them: every tool of an assistant is a function to it."""

import json
from collections.abc import Iterable

from assistants_tui.protocol.objects import Json, Tool, ToolCall

CODE_INTERPRETER: Json = {
    "type": "function",
    "function": {
        "name": "code_interpreter",
        "description": (
            "Runs Python and returns what it prints, or its error. Variables and files stay for the whole "
            "conversation. Files are in /mnt/data: read the user's there, save new ones there and link them "
            "as sandbox:/mnt/data/<name>. Figures shown with matplotlib reach the user by themselves. There "
            "is no network. If the code fails, correct it and run it again."
        ),
        "parameters": {
            "type": "object",
            "properties": {"code": {"type": "string", "description": "Python source code."}},
            "required": ["code"],
            "additionalProperties": False,
        },
    },
}

FILE_SEARCH: Json = {
    "type": "function",
    "function": {
        "name": "file_search",
        "description": (
            "Searches the user's documents and returns the passages that fit best, each with a marker "
            "such as 【0:2†notes.md】. Search before you say what the documents say. In the answer, copy "
            "the marker of the passage right after each statement that rests on it. Make up no markers."
        ),
        "parameters": {
            "type": "object",
            "properties": {"query": {"type": "string", "description": "What to look for, in full words."}},
            "required": ["query"],
            "additionalProperties": False,
        },
    },
}

_BUILT_IN = {"code_interpreter": CODE_INTERPRETER, "file_search": FILE_SEARCH}
_MAX_RESULT = 20_000  # characters of one result that the model reads; the step keeps all of it


class ToolBox:
    """The tools of one run under the names that the model calls them by."""

    def __init__(self, tools: Iterable[Tool]) -> None:
        self._kinds: dict[str, str] = {}
        self.definitions: list[Json] = []
        # The user's own functions first: a built-in tool whose name is taken gets another one.
        for tool in sorted(tools, key=lambda tool: tool["type"] != "function"):
            kind = tool["type"]
            definition = _own(tool) if kind == "function" else _BUILT_IN[kind]
            name = definition["function"]["name"]
            if kind != "function" and name in self._kinds:
                name = f"built_in_{name}"
                definition = {**definition, "function": {**definition["function"], "name": name}}
            self._kinds[name] = kind
            self.definitions.append(definition)

    def kind(self, name: str) -> str | None:
        """`code_interpreter`, `file_search` or `function`; None for a name the model has made up."""
        return self._kinds.get(name)

    def names(self, kind: str) -> list[str]:
        """The names of the tools of a kind."""
        return [name for name, its_kind in self._kinds.items() if its_kind == kind]

    def choice(self, tool_choice: str | Json | None) -> str | Json:
        """A run's tool choice as the model gets it."""
        if tool_choice is None or isinstance(tool_choice, str):
            return tool_choice or "auto"
        kind = tool_choice["type"]
        name = tool_choice["function"]["name"] if kind == "function" else self._name(kind)
        return {"type": "function", "function": {"name": name}}

    def as_model_call(self, call: ToolCall) -> Json:
        """A tool call of a run step as the call that the model made."""
        if call["type"] == "function":
            name, arguments = call["function"]["name"], call["function"]["arguments"]
        else:
            name, arguments = self._name(call["type"]), "{}"
        if call["type"] == "code_interpreter":
            arguments = json.dumps({"code": call["code_interpreter"]["input"]}, ensure_ascii=False)
        return {"id": call["id"], "type": "function", "function": {"name": name, "arguments": arguments}}

    def _name(self, kind: str) -> str:
        return next((name for name, its_kind in self._kinds.items() if its_kind == kind), kind)


def result_for_model(call: ToolCall) -> str:
    """What a finished tool call of a run step gave, in the words that the model reads."""
    if call["type"] == "function":
        return _shortened(call["function"]["output"] or "")
    if call["type"] == "code_interpreter":
        outputs = call["code_interpreter"]["outputs"]
        text = "".join(
            output["logs"] if output["type"] == "logs" else "[The user sees an image.]\n"
            for output in outputs
        )
        return _shortened(text) or "The code ran and printed nothing."
    return ""


def _own(tool: Tool) -> Json:
    function = {key: value for key, value in tool["function"].items() if value is not None}
    function.setdefault("parameters", {"type": "object", "properties": {}})
    return {"type": "function", "function": function}


def _shortened(text: str) -> str:
    if len(text) <= _MAX_RESULT:
        return text
    half = _MAX_RESULT // 2
    return f"{text[:half]}\n[… {len(text) - _MAX_RESULT} characters left out …]\n{text[-half:]}"
