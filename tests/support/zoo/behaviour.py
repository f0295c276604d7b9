"""What a behaviour of a model server is, and the shapes that most of them share."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from assistants_tui.protocol.objects import Json
from support.model_endpoint import DONE, Reply, chunk

Answer = Callable[[Json, int], Reply]
"""What a server answers to the body of a chat request; the number counts its requests from 0."""

TIDE: Json = {
    "type": "function",
    "function": {
        "name": "tide",
        "parameters": {"type": "object", "properties": {"port": {"type": "string"}}, "required": ["port"]},
    },
}
OULU = '{"port": "Oulu"}'


@dataclass(frozen=True)
class Behaviour:
    """One thing that a server of a family does.

    `questions`: the user's messages, which come before the run without answers between. `outputs`: what the
    function gives when the run asks for it. `said`, `error`: what the last message and the error must hold.
    `called`: the arguments that reach the function, call by call; None if nothing is asserted about calls.
    """

    family: str
    what: str
    answer: Answer
    status: str = "completed"
    said: str | None = None
    error: str = ""
    called: Sequence[Json] | None = None
    tools: Sequence[Json] = ()
    questions: Sequence[str | list[Json]] = ("Hello",)

    def __str__(self) -> str:
        return f"{self.family}: {self.what}"


def always(reply: Callable[[], Reply]) -> Answer:
    return lambda _body, _number: reply()


def stream(*events: Json | bytes, done: bool = True) -> Reply:
    """Events, and `[DONE]`."""
    return Reply([*events, *([DONE] if done else [])])


def words(*deltas: Json, finish: str = "stop") -> Reply:
    """One chunk for each delta, then the reason of the end."""
    return stream(*(chunk(delta) for delta in deltas), chunk({}, finish))


def call(arguments: object = OULU, *, before: Sequence[Json] = (), **extra: object) -> Reply:
    """A call of the function, whole in one chunk; `extra` are fields of the call."""
    made = {
        "index": 0,
        "id": "call_1",
        "type": "function",
        "function": {"name": "tide", "arguments": arguments},
    }
    return words(*before, {"tool_calls": [made | extra]}, finish="tool_calls")


def then(first: Reply, second: Reply) -> Answer:
    """The second answer where a result of a function is among the messages."""
    return lambda body, _: second if results(body) else first


def results(body: Json) -> list[Json]:
    return [message for message in body["messages"] if message["role"] == "tool"]


def made(body: Json) -> list[Json]:
    """The calls in the history."""
    return [call for message in body["messages"] for call in message.get("tool_calls") or ()]


def refusal(status: int, body: object) -> Reply:
    return Reply(
        [json.dumps(body).encode()], status, {"content-type": "application/json", "x-should-retry": "false"}
    )
