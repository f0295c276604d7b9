"""Every object of a server is held to `objects.py` once: what is needed is there, and of the right kind."""

import copy
import json
import re
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any, get_type_hints, is_typeddict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistants_tui.protocol import objects
from assistants_tui.service.client.backend import Backend, open_backend
from assistants_tui.service.conversation.conversation import Conversation
from assistants_tui.service.drafts import Draft
from assistants_tui.service.errors import ServiceError
from assistants_tui.service.required_fields import MalformedError, checked
from assistants_tui.settings.config import Profile
from assistants_tui.settings.paths import Paths

MESSAGE: dict[str, Any] = {
    "id": "msg_1",
    "role": "assistant",
    "content": [
        {
            "type": "text",
            "text": {"value": "Hi 【1】", "annotations": [{"type": "file_path", "text": "【1】"}]},
        },
        {"type": "image_file", "image_file": {"file_id": "file-1"}},
    ],
    "attachments": [{"file_id": "file-1", "tools": [{"type": "file_search"}]}],
    "metadata": {"a": "b"},
}
RUN: dict[str, Any] = {
    "id": "run_1",
    "thread_id": "thread_1",
    "status": "requires_action",
    "tools": [{"type": "function", "function": {"name": "f"}}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
    "last_error": {"code": "server_error", "message": "It broke."},
    "required_action": {
        "type": "submit_tool_outputs",
        "submit_tool_outputs": {
            "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]
        },
    },
}
STEP: dict[str, Any] = {
    "id": "step_1",
    "type": "tool_calls",
    "status": "completed",
    "step_details": {
        "type": "tool_calls",
        "tool_calls": [
            {
                "id": "call_1",
                "type": "code_interpreter",
                "code_interpreter": {"input": "1", "outputs": [{"type": "logs", "logs": "1"}]},
            },
            {"id": "call_2", "type": "file_search", "file_search": {"results": [{"score": 1.0}]}},
        ],
    },
}
STORE: dict[str, Any] = {
    "id": "vs_1",
    "name": "Rules",
    "usage_bytes": 1,
    "file_counts": {"in_progress": 0, "completed": 1, "failed": 0, "cancelled": 0, "total": 1},
    "status": "completed",
}
ASSISTANT: dict[str, Any] = {
    "id": "asst_1",
    "model": "m",
    "tools": [{"type": "file_search"}],
    "tool_resources": {"file_search": {"vector_store_ids": ["vs_1"]}},
    "temperature": 1,
}
FILE: dict[str, Any] = {"id": "file-1", "bytes": 1, "created_at": 1, "filename": "a.txt", "purpose": "x"}
SOUND: list[tuple[Any, dict[str, Any]]] = [
    (objects.Message, MESSAGE),
    (objects.Run, RUN),
    (objects.RunStep, STEP),
    (objects.VectorStore, STORE),
    (objects.Assistant, ASSISTANT),
    (objects.FileObject, FILE),
    (objects.Thread, {"id": "thread_1"}),
    (objects.VectorStoreFile, {"id": "file-1", "status": "failed", "last_error": None}),
    (objects.Model, {"id": "m"}),
]
ODD: list[Any] = [None, True, 0, -1, 1.5, "", "text", [], [1], {}, {"id": 1}, [None], [{}]]


def places(value: Any) -> list[tuple[Any, ...]]:
    """The way to each value within a JSON value."""
    if isinstance(value, dict):
        inner = [(key, *rest) for key, one in value.items() for rest in places(one)]
    elif isinstance(value, list):
        inner = [(key, *rest) for key, one in enumerate(value) for rest in places(one)]
    else:
        inner = []
    return [(), *inner]


def holds(kind: Any, value: object) -> None:
    """Fails unless all that the type requires is there, however deep."""
    assert isinstance(value, dict)
    for name, hint in get_type_hints(kind).items():
        if name in kind.__required_keys__:
            assert name in value
        if is_typeddict(hint) and name in value:
            holds(hint, value[name])


@pytest.mark.parametrize(("kind", "sound"), SOUND, ids=lambda value: getattr(value, "__name__", ""))
def test_what_may_be_left_out_is_filled_in_and_nothing_else_changed(kind: Any, sound: Any) -> None:
    before = copy.deepcopy(sound)
    found = checked(kind, sound)
    assert sound == before, "the server's own object stays as it was"
    holds(kind, found)
    assert checked(kind, found) is found, "a whole object is taken as it is"
    assert checked(kind, {**found, "new_field": [1]})["new_field"] == [1]


@given(st.data())
def test_an_object_with_one_thing_changed_is_whole_or_refused(data: st.DataObject) -> None:
    kind, sound = data.draw(st.sampled_from(SOUND))
    value = copy.deepcopy(sound)
    *way, last = data.draw(st.sampled_from([place for place in places(value) if place]))
    holder: Any = value
    for key in way:
        holder = holder[key]
    if data.draw(st.booleans()):
        del holder[last]
    else:
        holder[last] = data.draw(st.sampled_from(ODD))
    try:
        found = checked(kind, json.loads(json.dumps(value)))
    except MalformedError as error:
        assert "`" in str(error), "it says where"
    else:
        holds(kind, found)


@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [
        (objects.Thread, {"object": "thread"}, "`id` is missing"),
        (objects.Thread, {"id": None}, "`id` is missing"),
        (objects.Thread, [], "`the object` is a list instead of an object"),
        (objects.FileObject, {"id": "f", "bytes": "12"}, "`bytes` is text instead of a number"),
        (objects.FileObject, {"id": "f", "bytes": True}, "`bytes` is true or false instead of a number"),
        (objects.FileObject, {"id": "f", "bytes": 1.5}, "`bytes` is a fraction instead of a whole number"),
        (objects.Message, {**MESSAGE, "content": "Hi"}, "`content` is text instead of a list"),
        (objects.Message, {**MESSAGE, "content": [{}]}, "`content[0].type` is missing"),
        (objects.Run, {**RUN, "tools": [{"type": 1}]}, "`tools[0].type` is a number instead of text"),
    ],
)
def test_it_says_what_is_wrong_and_where(kind: Any, value: Any, said: str) -> None:
    with pytest.raises(MalformedError) as caught:
        checked(kind, value)
    assert str(caught.value) == said


def test_what_servers_are_loose_about_is_taken() -> None:
    store = checked(objects.VectorStore, {"id": "vs_1", "created_at": 1.0, "file_counts": None})
    assert store["created_at"] == 1 and isinstance(store["created_at"], int)
    assert store["file_counts"]["total"] == 0
    other = checked(objects.VectorStore, {"id": "vs_2"})
    assert other["file_counts"] is not store["file_counts"]
    assistant = checked(objects.Assistant, {"id": "asst_1", "tools": None, "metadata": {"n": 1}})
    assert (assistant["tools"], assistant["metadata"]) == ([], {"n": "1"})
    run = checked(objects.Run, {**RUN, "status": "on_hold"})
    assert str(run["status"]) == "on_hold", "a status that nobody knows is shown"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "`id` is missing"),
        ({"id": 7}, "`id` is a number instead of text"),
        ([{"id": "thread_1"}], "not an object"),
        (b"<html>Sign in</html>", "not an object"),
        (b"\xff\xfe{", "not JSON"),
        (b"", ""),
    ],
)
async def test_a_message_to_a_server_that_makes_no_sense_can_be_taken_back(
    profile: Profile, server: Any, wires: Any, paths: Paths, body: Any, said: str
) -> None:
    """Nothing stays on its way for ever, and what is queued behind it neither."""
    html = {"media_type": "text/html"} if body == b"<html>Sign in</html>" else {}
    server.on("POST", "/v1/threads", wires.answer(body, **html))
    backend = await open_backend(profile, paths=paths)

    async def opened() -> Backend:
        return backend

    conversation = Conversation(opened)
    conversation.sender.send(Draft("hello"), "asst_1")
    conversation.sender.send(Draft("second"), "asst_1")
    await conversation.settled()
    assert [item.state for item in conversation.outbox] == ["failed", "failed"]
    error = conversation.outbox[0].error
    assert error is not None and error.kind == "protocol" and said in str(error)
    assert server.url.removeprefix("http://") in str(error)
    taken = [conversation.sender.take_back(item.id) for item in conversation.outbox]
    assert [draft.text for draft in taken if draft] == ["hello", "second"]
    await conversation.close()
    await backend.close()


async def test_a_mistake_of_the_program_holds_no_message() -> None:
    async def broken() -> Backend:
        raise KeyError("id")

    conversation = Conversation(broken)
    conversation.sender.send(Draft("hello"), "asst_1")
    await conversation.settled()
    (item,) = conversation.outbox
    assert item.state == "failed" and "KeyError" in str(item.error)
    assert conversation.sender.take_back(item.id) == Draft("hello")


LISTS = {
    "/v1/assistants": ASSISTANT,
    "/v1/threads": {"id": "thread_1"},
    "/v1/threads/thread_1/messages": MESSAGE,
    "/v1/threads/thread_1/runs": RUN,
    "/v1/threads/thread_1/runs/run_1/steps": STEP,
    "/v1/files": FILE,
    "/v1/vector_stores": STORE,
    "/v1/vector_stores/vs_1/files": {"id": "file-1"},
}


@pytest.mark.parametrize("path", LISTS)
async def test_every_list_names_the_request_and_the_field(
    profile: Profile, server: Any, wires: Any, paths: Paths, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    asks: dict[str, Callable[[Backend], Awaitable[object]]] = {
        "/v1/assistants": lambda backend: backend.assistants.list(),
        "/v1/threads": lambda backend: backend.threads.list(),
        "/v1/threads/thread_1/messages": lambda backend: backend.threads.messages("thread_1"),
        "/v1/threads/thread_1/runs": lambda backend: backend.runs.list("thread_1"),
        "/v1/threads/thread_1/runs/run_1/steps": lambda backend: backend.runs.steps("thread_1", "run_1"),
        "/v1/files": lambda backend: backend.files.list(),
        "/v1/vector_stores": lambda backend: backend.vector_stores.list(),
        "/v1/vector_stores/vs_1/files": lambda backend: backend.vector_stores.files("vs_1"),
    }
    broken = {key: value for key, value in LISTS[path].items() if key != "id"}
    server.on(
        "GET",
        path,
        wires.answer({"object": "list", "data": [LISTS[path], broken], "has_more": False}),
        wires.answer({"object": "list", "data": {}}),
        wires.answer({"object": "list"}),
        wires.answer([LISTS[path]]),
    )
    request = path.removeprefix("/v1")

    async def refused(backend: Backend, said: str) -> None:
        with pytest.raises(ServiceError, match=re.escape(said)) as caught:
            await asks[path](backend)
        assert caught.value.kind == "protocol"
        assert f"127.0.0.1:{server.port}" in str(caught.value)
        assert said == "not an object" or f"GET {request} " in str(caught.value)

    async with AsyncExitStack() as stack:  # closed even if the test fails, else a later test is blamed
        backend = await open_backend(profile, paths=paths)
        stack.push_async_callback(backend.close)
        if path == "/v1/assistants":
            listed = await backend.assistants.list()
            assert [one["id"] for one in listed] == ["asst_1"], "a malformed assistant costs only itself"
            assert "GET /assistants " in caplog.text and "`data[1].id` is missing" in caplog.text
        else:
            await refused(backend, "`data[1].id` is missing")
        for said in ("`data` is an object", "`data` is missing", "not an object"):
            await refused(backend, said)


def test_a_state_that_a_server_leaves_out_is_none_of_those_known() -> None:
    file = checked(objects.VectorStoreFile, {"id": "file-1"})
    assert not file["status"]
