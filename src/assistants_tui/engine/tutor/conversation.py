"""What the tutor reads out of a chat request, and what it may reply."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from assistants_tui.engine.models.base import ChatRequest
from assistants_tui.protocol.objects import Json

_FILE = re.compile(r"^- /mnt/data/(.+)$", re.MULTILINE)
_ATTACHED = re.compile(r"\n*\[Attached: (.*)\]\s*$")
_DOCUMENTS = re.compile(r"^Documents that file_search looks through:\n((?:- .+(?:\n|$))+)", re.MULTILINE)
_NOT_READ = re.compile(r"^Documents that could not be read\b[^\n]*:\n((?:- .+(?:\n|$))+)", re.MULTILINE)
_CODE_TOOLS = ("code_interpreter", "built_in_code_interpreter")
_SEARCH_TOOLS = (
    "built_in_file_search",
    "file_search",
)  # the first one if a function has taken the other's name


@dataclass(frozen=True, slots=True)
class Say:
    """Answer with this Markdown."""

    text: str


@dataclass(frozen=True, slots=True)
class Call:
    """Call a tool with these arguments."""

    name: str
    arguments: Json


Reply = Say | Sequence[Call]


@dataclass(frozen=True, slots=True)
class Result:
    """A call that was made for the present question, and what it gave."""

    name: str
    arguments: Json
    output: str


class Conversation:
    """The present question and what was done for it so far."""

    def __init__(self, request: ChatRequest) -> None:
        messages = list(request.messages)
        asked = max((n for n, message in enumerate(messages) if message["role"] == "user"), default=-1)
        whole = _text(messages[asked]) if asked >= 0 else ""
        attached = _ATTACHED.search(whole)
        self.question = whole[: attached.start()] if attached else whole
        self.attached = attached[1].split(", ") if attached else []
        """Names of files that came with the question."""
        self.is_first = not any(message["role"] == "assistant" for message in messages[: max(asked, 0)])
        """Whether nobody has answered in this conversation before."""
        self.results = list(_results(messages[asked + 1 :]))
        system = "\n".join(_text(message) for message in messages if message["role"] == "system")
        self.files: list[str] = _FILE.findall(system)
        """Names of the files that code can read."""
        definitions = [tool["function"] for tool in request.tools]
        names = [function["name"] for function in definitions]
        self.code_tool = next((name for name in _CODE_TOOLS if name in names), None)
        """The name of the code interpreter, if the assistant has it."""
        listed = _DOCUMENTS.search(system)
        self.documents: list[str] = [line[2:] for line in listed[1].splitlines()] if listed else []
        """Names of documents that can be searched."""
        listed = _NOT_READ.search(system)
        self.not_read: list[str] = listed[1].splitlines() if listed else []
        """Documents that could not be read, with the reasons: lines of a list."""
        self.search_tool = next((name for name in _SEARCH_TOOLS if name in names), None)
        """The name of file search, if the assistant has it."""
        self.functions: list[Json] = [
            function for function in definitions if function["name"] not in (*_CODE_TOOLS, self.search_tool)
        ]
        """The functions that the assistant's user has declared."""

    def outputs(self) -> list[str]:
        """What the code run for this question has printed, run by run."""
        return [result.output for result in self.results if result.name == self.code_tool]


def _text(message: Json) -> str:
    content = message.get("content")
    if isinstance(content, str):
        return content
    return "\n".join(part["text"] for part in content or () if part.get("type") == "text")


def _results(messages: list[Json]) -> Iterator[Result]:
    outputs = {message["tool_call_id"]: _text(message) for message in messages if message["role"] == "tool"}
    for message in messages:
        for call in message.get("tool_calls") or ():
            try:
                arguments = json.loads(call["function"]["arguments"])
            except ValueError:
                arguments = {}
            if call["id"] in outputs:
                yield Result(call["function"]["name"], arguments, outputs[call["id"]])
