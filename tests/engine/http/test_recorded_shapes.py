"""What objects and streams of the hosted service had, written down from recordings of 2024 to 2026.

Recordings are the only witness left. Where they and the reference differ, they are followed; where they
differ among themselves by their date, our objects have the fields of all of them.
"""

from typing import Any

import pytest

from assistants_tui.protocol.objects import Json
from support.engine import settled
from support.engines import ServedEngine, data_of
from support.model_endpoint import calls, says

_OPTIONS = {"model", "instructions", "tools", "tool_resources", "metadata", "temperature", "top_p"}
ASSISTANT = _OPTIONS | {
    "id",
    "object",
    "created_at",
    "name",
    "description",
    "response_format",
    "reasoning_effort",
}
THREAD = {"id", "object", "created_at", "metadata", "tool_resources"}
MESSAGE = {
    *("id", "object", "created_at", "thread_id", "assistant_id", "run_id", "role", "content"),
    *("attachments", "file_ids", "metadata", "status", "completed_at", "incomplete_at", "incomplete_details"),
}
RUN = _OPTIONS | {
    *("id", "object", "created_at", "thread_id", "assistant_id", "status", "usage", "file_ids"),
    *("started_at", "expires_at", "cancelled_at", "failed_at", "completed_at", "last_error"),
    *("required_action", "incomplete_details", "max_prompt_tokens", "max_completion_tokens"),
    *("truncation_strategy", "tool_choice", "parallel_tool_calls", "response_format", "reasoning_effort"),
}
STEP = {
    *("id", "object", "created_at", "thread_id", "assistant_id", "run_id", "type", "status", "usage"),
    *("cancelled_at", "completed_at", "expires_at", "failed_at", "last_error", "step_details"),
}
FILE = {
    *("id", "object", "purpose", "filename", "bytes", "created_at", "expires_at", "status"),
    "status_details",
}
STORE = {
    *("id", "object", "created_at", "name", "description", "usage_bytes", "file_counts", "status"),
    *("expires_after", "expires_at", "last_active_at", "metadata"),
}
STORE_FILE = {
    *("id", "object", "usage_bytes", "created_at", "vector_store_id", "status", "last_error"),
    *("chunking_strategy", "attributes"),
}
BATCH = {"id", "object", "created_at", "vector_store_id", "status", "file_counts"}
USAGE = {
    *("prompt_tokens", "completion_tokens", "total_tokens"),
    *("prompt_token_details", "completion_tokens_details"),
}
NO_FILES: Json = {"code_interpreter": {"file_ids": []}}
RANKING = {"ranker": "default_2024_08_21", "score_threshold": 0.0}


async def _file(engine: ServedEngine, name: str = "foods.txt") -> Json:
    response = await engine.http.post(
        "/files", files={"file": (name, b"Filip likes cake.")}, data={"purpose": "assistants"}
    )
    file: Json = response.json()
    return file


@pytest.mark.parametrize(
    ("tools", "resources"),
    [
        ([], {}),
        ([{"type": "code_interpreter"}], NO_FILES),
        ([{"type": "function", "function": {"name": "f"}}], {}),
    ],
    ids=["no tools", "code interpreter", "function"],
)
async def test_an_assistant(served_engine: ServedEngine, tools: list[Json], resources: Json) -> None:
    made = await served_engine.post("/assistants", {"model": "m", "tools": tools})
    assert made.keys() >= ASSISTANT
    assert made["tool_resources"] == resources
    assert (made["reasoning_effort"], made["temperature"], made["response_format"]) == (None, 1.0, "auto")
    path = f"/assistants/{made['id']}"
    assert await served_engine.get(path) == made
    assert await served_engine.post(path, {}) == made
    assert (await served_engine.listed("/assistants"))[-1] == made
    # The tool is what makes the files appear: they come and go with it.
    other = [] if tools else [{"type": "code_interpreter"}]
    changed = await served_engine.post(path, {"tools": other})
    assert changed["tool_resources"] == ({} if tools else NO_FILES)
    assert await served_engine.get(path) == changed


async def test_a_file_search_tool_and_its_store(served_engine: ServedEngine) -> None:
    file = await _file(served_engine)
    assert file.keys() == FILE and file["status"] == "processed" and file["status_details"] is None
    tool = {"type": "file_search", "file_search": {"ranking_options": {"score_threshold": 0.5}}}
    made = await served_engine.post(
        "/assistants",
        {
            "model": "m",
            "tools": [tool],
            "tool_resources": {"file_search": {"vector_stores": [{"file_ids": [file["id"]]}]}},
        },
    )
    [shown] = made["tools"]
    assert shown["file_search"]["ranking_options"] == {
        "ranker": "default_2024_08_21",
        "score_threshold": 0.5,
        "hybrid_search": None,
    }
    [store_id] = made["tool_resources"]["file_search"]["vector_store_ids"]
    assert made["tool_resources"].keys() == {"file_search"}
    store = await served_engine.get(f"/vector_stores/{store_id}")
    assert store.keys() == STORE and store["name"] is None and store["description"] is None
    [attached] = await served_engine.listed(f"/vector_stores/{store_id}/files")
    assert attached.keys() == STORE_FILE and attached["attributes"] == {}


async def test_a_batch(served_engine: ServedEngine) -> None:
    store = await served_engine.post("/vector_stores")
    file = await _file(served_engine)
    path = f"/vector_stores/{store['id']}/file_batches"
    batch = await served_engine.post(path, {"file_ids": [file["id"]]})
    assert batch.keys() == BATCH
    assert (batch["object"], batch["status"]) == ("vector_store.file_batch", "in_progress")
    assert batch["file_counts"]["in_progress"] == batch["file_counts"]["total"] == 1


async def test_a_thread_and_a_message(served_engine: ServedEngine) -> None:
    file = await _file(served_engine)
    thread = await served_engine.post("/threads", {"messages": [], "metadata": {"a": "b"}})
    assert thread.keys() == THREAD and thread["tool_resources"] == NO_FILES
    assert await served_engine.get(f"/threads/{thread['id']}") == thread
    tools = [[{"type": "file_search"}], [{"type": "code_interpreter"}]]
    attachments = [{"file_id": file["id"], "tools": tool} for tool in tools]
    path = f"/threads/{thread['id']}/messages"
    body = {"role": "user", "content": "What is this?", "attachments": attachments}
    message = await served_engine.post(path, body)
    assert message.keys() == MESSAGE
    assert message["attachments"] == attachments  # one entry each, as they were sent
    assert message["file_ids"] == [file["id"]]
    assert await served_engine.get(f"{path}/{message['id']}") == message
    assert await served_engine.listed(path) == [message]
    empty = await served_engine.get(f"/threads/{thread['id']}/runs")
    assert empty == {"object": "list", "data": [], "first_id": None, "last_id": None, "has_more": False}


async def test_a_run_and_its_steps(served_engine: ServedEngine) -> None:
    served_engine.replies(says("Hello"))
    assistant, thread = await served_engine.assistant(), await served_engine.thread("Hi")
    run = await served_engine.post(f"/threads/{thread}/runs", {"assistant_id": assistant})
    assert run.keys() == RUN
    assert (run["status"], run["instructions"], run["tool_resources"]) == ("queued", None, NO_FILES)
    assert run["truncation_strategy"] == {"type": "auto", "last_messages": None}
    assert [type(run[name]) for name in ("temperature", "top_p")] == [float, float]
    ended = await served_engine.settled(thread, run["id"])
    assert ended.keys() == RUN and ended["usage"].keys() == USAGE and ended["expires_at"] is None
    path = f"/threads/{thread}/runs/{run['id']}"
    [step] = await served_engine.listed(f"{path}/steps")
    assert step.keys() >= STEP and step["usage"].keys() == USAGE
    assert await served_engine.get(f"{path}/steps/{step['id']}") == step
    assert await served_engine.listed(f"/threads/{thread}/runs") == [ended]


async def test_a_search_that_is_cited(served_engine: ServedEngine) -> None:
    file = await _file(served_engine)
    store = await served_engine.post("/vector_stores", {"file_ids": [file["id"]]})
    await settled(served_engine.http, f"/vector_stores/{store['id']}")
    assistant = await served_engine.assistant(
        tools=[{"type": "file_search"}],
        tool_resources={"file_search": {"vector_store_ids": [store["id"]]}},
    )
    served_engine.replies(
        calls(("file_search", '{"query": "cake"}')), says("He likes ", "cake【0:0†foods.txt】", ".")
    )
    thread = await served_engine.thread("What does Filip like?")
    events = await served_engine.run(thread, assistant)

    [delta] = data_of(events, "thread.run.step.delta")
    [announced] = delta["delta"]["step_details"]["tool_calls"]
    assert announced.keys() == {"index", "id", "type", "file_search"}
    assert announced["file_search"] == {"ranking_options": RANKING, "results": []}

    done = data_of(events, "thread.run.step.completed")[0]
    [call] = done["step_details"]["tool_calls"]
    assert call["file_search"]["ranking_options"] == RANKING
    [result] = call["file_search"]["results"]
    assert result.keys() == {"file_id", "file_name", "score", "attributes"}
    include = "include[]=step_details.tool_calls[*].file_search.results[*].content"
    path = f"/threads/{thread}/runs/{done['run_id']}/steps/{done['id']}?{include}"
    [call] = (await served_engine.get(path))["step_details"]["tool_calls"]
    [result] = call["file_search"]["results"]
    assert result["content"][0].items() >= {"type": "text", "text": "Filip likes cake."}.items()

    parts: list[Any] = [delta["delta"]["content"][0] for delta in data_of(events, "thread.message.delta")]
    first, *others = parts
    assert first["text"]["annotations"] == []
    [cited] = [part for part in others if "annotations" in part["text"]]
    [annotation] = cited["text"]["annotations"]
    assert annotation["text"] == cited["text"]["value"] == "【0:0†foods.txt】"
    assert annotation["index"] == 0
    assert annotation["file_citation"] == {"file_id": file["id"], "quote": ""}
    [message] = data_of(events, "thread.message.completed")
    [stored] = message["content"][0]["text"]["annotations"]
    assert stored.keys() == {"type", "text", "start_index", "end_index", "file_citation"}
    assert stored["file_citation"] == {"file_id": file["id"]}


async def test_a_run_that_may_say_little(served_engine: ServedEngine) -> None:
    served_engine.replies(says("Once upon", " a time", finish="length"))
    assistant, thread = await served_engine.assistant(), await served_engine.thread("Tell me a story.")
    limits = {"max_prompt_tokens": 256, "max_completion_tokens": 16}
    events = await served_engine.run(thread, assistant, **limits)
    [message] = data_of(events, "thread.message.incomplete")
    assert message["incomplete_details"] == {"reason": "max_tokens"}
    assert message["incomplete_at"] is not None and message["completed_at"] is None
    assert data_of(events, "thread.run.step.completed")
    [run] = data_of(events, "thread.run.incomplete")
    assert run["incomplete_details"] == {"reason": "max_completion_tokens"}
    assert {name: run[name] for name in limits} == limits
    assert events[-1] == ("done", "[DONE]")


async def test_functions_asked_for_and_answered(served_engine: ServedEngine) -> None:
    served_engine.replies(calls(("food", '{"day": "Thursday"}')))
    tool = {"type": "function", "function": {"name": "food"}}
    assistant = await served_engine.assistant(tools=[tool])
    thread = {"messages": [{"role": "user", "content": "What is there on Thursday?"}]}
    events = await served_engine.events("/threads/runs", {"assistant_id": assistant, "thread": thread})
    [created] = data_of(events, "thread.created")
    assert created.keys() == THREAD and created["tool_resources"] == NO_FILES
    [run] = data_of(events, "thread.run.requires_action")
    assert run["usage"] is None
    [call] = run["required_action"]["submit_tool_outputs"]["tool_calls"]
    assert call.keys() == {"id", "type", "function"}
    assert call["function"] == {"name": "food", "arguments": '{"day": "Thursday"}'}
    first, *pieces = [
        delta["delta"]["step_details"]["tool_calls"][0] for delta in data_of(events, "thread.run.step.delta")
    ]
    assert first == {
        "index": 0,
        "id": call["id"],
        "type": "function",
        "function": {"name": "food", "arguments": "", "output": None},
    }
    assert all(piece.keys() == {"index", "type", "function"} for piece in pieces)
    assert all(piece["function"].keys() == {"arguments"} for piece in pieces)

    served_engine.replies(says("Soup"))
    path = f"/threads/{run['thread_id']}/runs/{run['id']}"
    outputs = {"tool_outputs": [{"tool_call_id": call["id"], "output": "soup"}]}
    events = await served_engine.events(f"{path}/submit_tool_outputs", outputs)
    assert [name for name, _ in events[:3]] == [
        "thread.run.step.completed",
        "thread.run.queued",
        "thread.run.in_progress",
    ]
    assert events[0][1]["step_details"]["tool_calls"][0]["function"]["output"] == "soup"
    assert events[1][1]["required_action"] is None and events[1][1]["started_at"] is not None
