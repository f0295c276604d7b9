"""What threads, assistants and data directories share, and what they do not."""

from pathlib import Path
from typing import Any

import pytest

from assistants_tui.protocol.objects import Json
from support.engine import settled, upload
from support.engines import ServedEngine, data_of, engine, text_of
from support.model_endpoint import calls, says

CODE = {"type": "code_interpreter"}
SAID: list[Json] = [{"role": "user", "content": "Well?"}]
SHOW = (
    "code_interpreter",
    "{\"code\": \"import os\\nprint(*sorted(os.listdir('/mnt/data')), sep=', ')\"}",
)


def logs_of(events: list[tuple[str, Any]]) -> str:
    [call] = data_of(events, "thread.run.step.completed")[0]["step_details"]["tool_calls"]
    logs: str = call["code_interpreter"]["outputs"][0]["logs"]
    return logs


async def test_any_assistant_may_answer_in_a_thread(served_engine: ServedEngine) -> None:
    thread = await served_engine.thread("Who is there?")
    for name in ("One", "Two", "Three"):
        served_engine.replies(says(name))
        assistant = await served_engine.assistant(name=name)
        await served_engine.run(thread, assistant)
        message = (await served_engine.listed(f"/threads/{thread}/messages"))[-1]
        assert (message["assistant_id"], text_of(message)) == (assistant, name)
    told = served_engine.prompts[-1]["messages"]
    assert [message["content"] for message in told] == ["Who is there?", "One", "Two"]


async def test_files_of_the_assistant_are_in_all_its_threads_and_those_of_a_thread_only_there(
    served_engine: ServedEngine,
) -> None:
    everywhere, here = [(await upload(served_engine.http, name))["id"] for name in ("all.csv", "one.csv")]
    resources = {"code_interpreter": {"file_ids": [everywhere]}}
    assistant = await served_engine.assistant(tools=[CODE], tool_resources=resources)
    with_file: Json = {"tool_resources": {"code_interpreter": {"file_ids": [here]}}, "messages": SAID}
    first, second = (
        (await served_engine.post("/threads", with_file))["id"],
        await served_engine.thread("Well?"),
    )
    found = []
    for thread in (first, second):
        served_engine.replies(calls(SHOW), says("ok"))
        found.append(logs_of(await served_engine.run(thread, assistant)))
    assert found == ["all.csv, one.csv\n", "all.csv\n"]


async def test_one_vector_store_serves_assistants_and_threads(served_engine: ServedEngine) -> None:
    file = await upload(served_engine.http, "ledger.md", b"The rent is due in May.")
    store = (await served_engine.post("/vector_stores", {"file_ids": [file["id"]]}))["id"]
    await settled(served_engine.http, f"/vector_stores/{store}")
    tools, resources = [{"type": "file_search"}], {"file_search": {"vector_store_ids": [store]}}
    first, second = [await served_engine.assistant(tools=tools, tool_resources=resources) for _ in range(2)]
    without = await served_engine.assistant(tools=tools)
    plain = await served_engine.thread("Rent?")
    with_store = (await served_engine.post("/threads", {"tool_resources": resources, "messages": SAID}))["id"]
    for thread, assistant in ((plain, first), (plain, second), (with_store, without), (with_store, second)):
        served_engine.replies(calls(("file_search", '{"query": "rent"}')), says("In May."))
        events = await served_engine.run(thread, assistant)
        [call] = data_of(events, "thread.run.step.completed")[0]["step_details"]["tool_calls"]
        assert [result["file_id"] for result in call["file_search"]["results"]] == [file["id"]]
        if assistant == first:
            await served_engine.sdk.beta.assistants.delete(first)
    assert (await served_engine.get(f"/vector_stores/{store}"))["status"] == "completed"


async def test_data_directories_share_nothing(tmp_path: Path) -> None:
    async with engine(tmp_path / "one", says("Hi")) as one, engine(tmp_path / "two") as two:
        thread, assistant = await one.thread("Hi"), await one.assistant()
        await one.run(thread, assistant)
        await upload(one.http, "a.csv")
        for path in ("/assistants", "/threads", "/files", "/vector_stores"):
            assert await two.listed(path) == []
        assert (await two.http.get(f"/threads/{thread}/messages")).status_code == 404


async def test_the_offsets_of_a_file_that_code_made(served_engine: ServedEngine) -> None:
    """The example of the guide: 167 characters, then 35 for the file, then more."""
    path = "sandbox:/mnt/data/shuffled_file.csv"
    before = ("Ich habe die Zeilen gemischt 🎲. " * 6)[:166] + " "
    served_engine.replies(
        calls(
            (
                "code_interpreter",
                '{"code": "open(\\"/mnt/data/shuffled_file.csv\\", \\"w\\").write(\\"x\\")"}',
            )
        ),
        says(before, *path, " is ready."),
    )
    assistant, thread = await served_engine.assistant(tools=[CODE]), await served_engine.thread("Shuffle!")
    events = await served_engine.run(thread, assistant)
    text = data_of(events, "thread.message.completed")[0]["content"][0]["text"]
    [annotation] = text["annotations"]
    assert (annotation["start_index"], annotation["end_index"]) == (167, 202)
    assert text["value"][167:202] == annotation["text"] == path


@pytest.mark.parametrize(
    ("choice", "asked"),
    [
        (CODE, "code_interpreter"),
        ({"type": "file_search"}, "file_search"),
        ({"type": "function", "function": {"name": "tide"}}, "tide"),
        ("required", None),
    ],
)
async def test_every_kind_of_tool_can_be_forced(
    served_engine: ServedEngine, choice: str | Json, asked: str | None
) -> None:
    served_engine.replies(says("ok"))
    tools = [CODE, {"type": "file_search"}, {"type": "function", "function": {"name": "tide"}}]
    assistant, thread = await served_engine.assistant(tools=tools), await served_engine.thread("Hi")
    run = (await served_engine.run(thread, assistant, tool_choice=choice))[0][1]
    assert run["tool_choice"] == choice
    wanted = {"type": "function", "function": {"name": asked}} if asked else "required"
    assert served_engine.prompts[0]["tool_choice"] == wanted


async def test_a_greeting_needs_no_tool_and_a_sum_does(tmp_path: Path) -> None:
    async with engine(tmp_path, tutor=True) as offline_engine:
        assistant = await offline_engine.assistant(tools=[CODE])
        for question, kinds in (
            ("Hello!", ["message_creation"]),
            ("What is 12 * 12?", ["tool_calls", "message_creation"]),
        ):
            events = await offline_engine.run(await offline_engine.thread(question), assistant)
            steps = data_of(events, "thread.run.step.completed")
            assert [step["type"] for step in steps] == kinds
