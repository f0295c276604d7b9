"""Assistants, threads and messages: what they show, what changes change, how lists are read."""

from typing import Any

import httpx2
import pytest
from openai import AsyncOpenAI

from assistants_tui.engine.app import EngineSettings
from assistants_tui.engine.store.database import Database
from assistants_tui.protocol.objects import Json
from support.engine import ManualClock, error_of, make, open_engine, settled, upload

USER = {"role": "user", "content": "I need to solve `3x + 11 = 14`."}


async def get(http: httpx2.AsyncClient, path: str, **query: str) -> Any:
    response = await http.get(path, params=query)
    assert response.status_code == 200, response.text
    return response.json()


async def test_minimal_assistant(http: httpx2.AsyncClient, clock: ManualClock) -> None:
    assistant = await make(http, "/assistants", model="gpt-4o")
    assert assistant == {
        "id": assistant["id"],
        "object": "assistant",
        "created_at": int(clock.now),
        "name": None,
        "description": None,
        "model": "gpt-4o",
        "instructions": None,
        "tools": [],
        "tool_resources": {},
        "metadata": {},
        "temperature": 1.0,
        "top_p": 1.0,
        "response_format": "auto",
        "reasoning_effort": None,
    }
    # Clients that compare text see the same in every answer, and as in the hosted service.
    path = f"/assistants/{assistant['id']}"
    for answer in (
        await http.post("/assistants", json={"model": "gpt-4o"}),
        await http.post(path, json={"temperature": 1}),
        await http.get(path),
    ):
        assert '"temperature":1.0,"top_p":1.0' in answer.text


async def test_assistant_with_everything(http: httpx2.AsyncClient) -> None:
    file, store = await upload(http), await make(http, "/vector_stores")
    schema = {"type": "object", "properties": {"x": {"type": "number", "default": 1e-300}}}
    body: Json = {
        "model": "local-small",
        "name": "Ledger helper",
        "description": "Answers from the ledger.",
        "instructions": "Be brief. 🙂",
        "tools": [
            {"type": "code_interpreter"},
            {
                "type": "file_search",
                "file_search": {
                    "max_num_results": 8,
                    "ranking_options": {"ranker": "auto", "score_threshold": 0.2},
                },
            },
            {
                "type": "function",
                "function": {
                    "name": "tide_height",
                    "description": "Height of the tide",
                    "parameters": schema,
                    "strict": True,
                },
            },
        ],
        "tool_resources": {
            "code_interpreter": {"file_ids": [file["id"]]},
            "file_search": {"vector_store_ids": [store["id"]]},
        },
        "metadata": {"team": "north"},
        "temperature": 0.2,
        "top_p": 0.5,
        "response_format": {"type": "text"},
    }
    assistant = await make(http, "/assistants", **body, reasoning_effort="low")
    body["tools"][1]["file_search"]["ranking_options"]["hybrid_search"] = None
    assert {name: assistant[name] for name in body} == body
    assert assistant["reasoning_effort"] == "low"
    changed = await make(http, f"/assistants/{assistant['id']}", reasoning_effort=None)
    assert changed == assistant | {"reasoning_effort": None}


@pytest.mark.parametrize(
    "response_format",
    [{"type": "json_object"}, {"type": "json_schema", "json_schema": {"name": "n", "schema": {}}}],
)
async def test_json_answers_go_with_functions_only(http: httpx2.AsyncClient, response_format: Json) -> None:
    function = {"type": "function", "function": {"name": "now"}}
    code = {"type": "code_interpreter"}
    refused = [
        await http.post(
            "/assistants", json={"model": "m", "response_format": response_format, "tools": [code]}
        )
    ]
    assistant = await make(http, "/assistants", model="m", response_format=response_format, tools=[function])
    path = f"/assistants/{assistant['id']}"
    refused.append(await http.post(path, json={"tools": [function, code]}))
    for response in refused:
        assert response.status_code == 400
        assert error_of(response)["message"] == (
            "Invalid tools: all tools must be of type `function` when `response_format` is of type "
            f"`{response_format['type']}`."
        )
    assert await get(http, path) == assistant
    await make(http, path, tools=[code], response_format="auto")


async def test_tools_show_their_defaults(http: httpx2.AsyncClient) -> None:
    tools = [{"type": "file_search"}, {"type": "function", "function": {"name": "now"}}]
    assistant = await make(http, "/assistants", model="m", tools=tools)
    ranking = {"ranker": "default_2024_08_21", "score_threshold": 0.0, "hybrid_search": None}
    assert assistant["tools"] == [
        {"type": "file_search", "file_search": {"ranking_options": ranking}},
        {
            "type": "function",
            "function": {
                "name": "now",
                "description": None,
                "parameters": {"type": "object", "properties": {}},
                "strict": False,
            },
        },
    ]
    # Weights of one's own are not offered, and not taken for nothing.
    weights = {"embedding_weight": 1, "text_weight": 2}
    options = {"ranking_options": {"score_threshold": 0, "hybrid_search": weights}}
    refused = await http.post(
        "/assistants", json={"model": "m", "tools": [{"type": "file_search", "file_search": options}]}
    )
    assert "expected null, but got an object instead" in error_of(refused)["message"]
    # and take what they have shown
    assert (await make(http, f"/assistants/{assistant['id']}", tools=assistant["tools"])) == assistant


async def test_null_gives_defaults_back(http: httpx2.AsyncClient) -> None:
    plain = await make(http, "/assistants", model="m")
    odd = await make(
        http,
        "/assistants",
        model="m",
        name="n",
        tools=[{"type": "code_interpreter"}],
        metadata={"a": "b"},
        temperature=0,
        response_format={"type": "text"},
    )
    nothing = dict.fromkeys(("name", "tools", "metadata", "temperature", "response_format", "tool_resources"))
    cleared = await make(http, f"/assistants/{odd['id']}", **nothing)
    assert cleared == plain | {"id": odd["id"]}
    assert error_of(await http.post(f"/assistants/{odd['id']}", json={"model": None}))["param"] == "model"


@pytest.mark.parametrize("path", ["/assistants", "/threads"])
async def test_delete(http: httpx2.AsyncClient, path: str) -> None:
    made = await make(http, path, **({"model": "m"} if path == "/assistants" else {}))
    deleted = await http.delete(f"{path}/{made['id']}")
    assert deleted.json() == {"id": made["id"], "object": f"{made['object']}.deleted", "deleted": True}
    assert (await http.delete(f"{path}/{made['id']}")).status_code == 404
    assert (await get(http, path))["data"] == []


async def test_pages_of_assistants_through_the_sdk(http: httpx2.AsyncClient) -> None:
    made = [(await make(http, "/assistants", model="m"))["id"] for _ in range(25)]
    sdk = AsyncOpenAI(api_key="any", base_url="http://localhost/v1", http_client=http)
    first = await sdk.beta.assistants.list(order="desc", limit="20")  # type: ignore[arg-type]  # as text
    assert [assistant.id for assistant in first.data] == made[:4:-1]
    assert [assistant.id async for assistant in sdk.beta.assistants.list(limit=10)] == made[::-1]
    second = await first.get_next_page()
    back = await sdk.beta.assistants.list(before=second.data[0].id)
    assert back.data == first.data


async def test_threads_are_listed(http: httpx2.AsyncClient, clock: ManualClock) -> None:
    made = []
    for _ in range(3):
        made.append(await make(http, "/threads"))
        clock.advance(1)
    assert await get(http, "/threads") == {
        "object": "list",
        "data": made[::-1],
        "first_id": made[2]["id"],
        "last_id": made[0]["id"],
        "has_more": False,
    }


async def test_thread_with_first_messages(http: httpx2.AsyncClient, clock: ManualClock) -> None:
    said: list[Json] = [USER, {"role": "assistant", "content": "x = 1"}, USER | {"metadata": {"a": "b"}}]
    thread = await make(http, "/threads", messages=said, metadata={"c": "d"})
    assert thread == {
        "id": thread["id"],
        "object": "thread",
        "created_at": int(clock.now),
        "tool_resources": {"code_interpreter": {"file_ids": []}},
        "metadata": {"c": "d"},
    }
    listed = (await get(http, f"/threads/{thread['id']}/messages", order="asc"))["data"]
    assert [message["content"][0]["text"]["value"] for message in listed] == [one["content"] for one in said]
    assert [message["role"] for message in listed] == ["user", "assistant", "user"]
    assert listed[2]["metadata"] == {"a": "b"}


async def test_message(http: httpx2.AsyncClient, clock: ManualClock) -> None:
    thread = await make(http, "/threads")
    path = f"/threads/{thread['id']}/messages"
    message = await make(http, path, **USER)
    assert message == {
        "id": message["id"],
        "object": "thread.message",
        "created_at": int(clock.now),
        "thread_id": thread["id"],
        "status": "completed",
        "incomplete_details": None,
        "completed_at": int(clock.now),
        "incomplete_at": None,
        "role": "user",
        "content": [{"type": "text", "text": {"value": USER["content"], "annotations": []}}],
        "assistant_id": None,
        "run_id": None,
        "attachments": [],
        "file_ids": [],
        "metadata": {},
    }
    assert await get(http, f"{path}/{message['id']}") == message
    changed = await make(http, f"{path}/{message['id']}", metadata={"a": "b"})
    assert changed == message | {"metadata": {"a": "b"}}
    assert await make(http, f"{path}/{message['id']}") == changed
    assert await make(http, f"{path}/{message['id']}", metadata=None) == message
    deleted = (await http.delete(f"{path}/{message['id']}")).json()
    assert deleted == {"id": message["id"], "object": "thread.message.deleted", "deleted": True}
    assert (await get(http, path))["data"] == []


async def test_content_parts(http: httpx2.AsyncClient) -> None:
    image = await upload(http, "plot.png", b"\x89PNG", purpose="vision")
    thread = await make(http, "/threads")
    parts: list[Json] = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_file", "image_file": {"file_id": image["id"]}},
        {"type": "image_url", "image_url": {"url": "https://example.org/a.png", "detail": "low"}},
    ]
    message = await make(http, f"/threads/{thread['id']}/messages", role="user", content=parts)
    assert message["content"] == [
        {"type": "text", "text": {"value": "What is this?", "annotations": []}},
        {"type": "image_file", "image_file": {"file_id": image["id"], "detail": "auto"}},
        {"type": "image_url", "image_url": {"url": "https://example.org/a.png", "detail": "low"}},
    ]


async def test_attachments_are_shown_and_given_to_the_thread(http: httpx2.AsyncClient) -> None:
    file, other = await upload(http, "speech.csv"), await upload(http, "more.csv")
    thread = await make(http, "/threads")
    attachments = [
        {"file_id": found["id"], "tools": [{"type": "code_interpreter"}]} for found in (file, other, file)
    ]
    path = f"/threads/{thread['id']}"
    message = await make(http, f"{path}/messages", role="user", content="x", attachments=attachments)
    assert message["attachments"] == attachments
    resources = (await get(http, path))["tool_resources"]
    assert resources == {"code_interpreter": {"file_ids": [file["id"], other["id"]]}}


async def test_messages_by_run(http: httpx2.AsyncClient) -> None:
    thread = await make(http, "/threads", messages=[USER])
    path = f"/threads/{thread['id']}/messages"
    assert (await get(http, path, run_id="run_x"))["data"] == []
    assert len((await get(http, path, run_id=""))["data"]) == 1


async def test_full_thread(http: httpx2.AsyncClient, engine_settings: EngineSettings) -> None:
    thread = await make(http, "/threads", messages=[USER])
    path = f"/threads/{thread['id']}/messages"
    database = await Database.open(engine_settings.data_dir)
    async with database.write() as connection:
        # as if 99,998 messages more had come before
        await connection.exec_driver_sql("UPDATE threads SET message_count = 99999")
    await database.close()
    last = await make(http, path, **USER)
    refused = await http.post(path, json=USER)
    assert refused.status_code == 400
    assert "100000 messages" in error_of(refused)["message"]
    assert len((await get(http, path))["data"]) == 2
    await http.delete(f"{path}/{last['id']}")
    await make(http, path, **USER)


async def test_deleting_a_thread_keeps_files_and_stores(http: httpx2.AsyncClient) -> None:
    file = await upload(http)
    attachment = {"file_id": file["id"], "tools": [{"type": "file_search"}]}
    thread = await make(http, "/threads", messages=[USER | {"attachments": [attachment]}])
    await http.delete(f"/threads/{thread['id']}")
    assert (await http.get(f"/threads/{thread['id']}/messages")).status_code == 404
    assert (await http.get(f"/files/{file['id']}")).status_code == 200
    assert len((await get(http, "/vector_stores"))["data"]) == 1


async def test_everything_survives_a_restart(engine_settings: EngineSettings) -> None:
    async with open_engine(engine_settings) as http:
        file = await upload(http)
        attachment = {"file_id": file["id"], "tools": [{"type": "file_search"}]}
        thread = await make(http, "/threads", messages=[USER | {"attachments": [attachment]}])
        [store_id] = thread["tool_resources"]["file_search"]["vector_store_ids"]
        await settled(http, f"/vector_stores/{store_id}")
        assistant = await make(http, "/assistants", model="m")
        paths = [
            "/assistants",
            "/threads",
            "/files",
            "/vector_stores",
            f"/threads/{thread['id']}/messages",
            f"/assistants/{assistant['id']}",
        ]
        before = [await get(http, path) for path in paths]
    async with open_engine(engine_settings) as http:
        assert [await get(http, path) for path in paths] == before
        assert (await http.get(f"/files/{file['id']}/content")).content == b"Rent is due."
