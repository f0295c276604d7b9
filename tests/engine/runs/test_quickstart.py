"""The first conversations of the guides, with the tutor and the starter assistants: no set-up is needed."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from support.engines import ServedEngine, data_of, engine, names, text_of

QUESTION = "I need to solve the equation `3x + 11 = 14`. Can you help me?"


@pytest.fixture
async def offline_engine(tmp_path: Path) -> AsyncIterator[ServedEngine]:
    async with engine(tmp_path / "data", tutor=True, starter_assistants=True) as opened:
        yield opened


async def starter(offline_engine: ServedEngine, name: str) -> str:
    found = (await offline_engine.get("/assistants"))["data"]
    return next(str(assistant["id"]) for assistant in found if assistant["name"] == name)


async def last_text(offline_engine: ServedEngine, thread: str) -> str:
    return text_of((await offline_engine.listed(f"/threads/{thread}/messages"))[-1])


async def test_the_math_tutor_streamed(offline_engine: ServedEngine) -> None:
    tutor, thread = await starter(offline_engine, "Math Tutor"), await offline_engine.thread(QUESTION)
    events = await offline_engine.run(thread, tutor)
    assert [name for name in names(events) if name.startswith(("run.step.c", "message.c", "run.c"))] == [
        "run.created",
        "run.step.created",
        "run.step.completed",
        "run.step.created",
        "message.created",
        "message.completed",
        "run.step.completed",
        "run.completed",
    ]
    [call] = data_of(events, "thread.run.step.completed")[0]["step_details"]["tool_calls"]
    assert "x = 1\n" in call["code_interpreter"]["outputs"][0]["logs"]
    pieces = [d["delta"]["step_details"]["tool_calls"][0] for d in data_of(events, "thread.run.step.delta")]
    assert sum("input" in piece["code_interpreter"] for piece in pieces) > 20
    text = text_of(data_of(events, "thread.message.completed")[0])
    assert text.startswith("The solution is **x = 1**.") and "offline tutor" in text and "model_url" in text
    assert events[-2][1]["usage"]["total_tokens"] > 0


async def test_the_math_tutor_polled_and_asked_again(offline_engine: ServedEngine) -> None:
    tutor, thread = await starter(offline_engine, "Math Tutor"), await offline_engine.thread(QUESTION)
    for question, expected in (
        (None, "x = 1"),
        ("And `2y - 4 = 10`?", "y = 7"),
        ("Who are you?", "offline tutor"),
    ):
        if question is not None:
            await offline_engine.post(f"/threads/{thread}/messages", {"role": "user", "content": question})
        run = await offline_engine.post(f"/threads/{thread}/runs", {"assistant_id": tutor})
        assert (await offline_engine.settled(thread, run["id"]))["status"] == "completed"
        assert expected in await last_text(offline_engine, thread)


async def test_the_weather_bot(offline_engine: ServedEngine) -> None:
    bot = await starter(offline_engine, "Weather Bot")
    thread = await offline_engine.thread("What's the weather in San Francisco today, and its nickname?")
    events = await offline_engine.run(thread, bot)
    waiting = events[-2][1]
    asked = waiting["required_action"]["submit_tool_outputs"]["tool_calls"]
    assert [(call["function"]["name"], json.loads(call["function"]["arguments"])) for call in asked] == [
        ("getCurrentWeather", {"location": "San Francisco"}),
        ("getNickname", {"location": "San Francisco"}),
    ]
    outputs = [
        {"tool_call_id": call["id"], "output": output}
        for call, output in zip(asked, ("22 degrees and sunny", "Fog City"), strict=True)
    ]
    path = f"/threads/{thread}/runs/{waiting['id']}/submit_tool_outputs"
    await offline_engine.events(path, {"tool_outputs": outputs})
    text = await last_text(offline_engine, thread)
    assert "22 degrees and sunny" in text and "Fog City" in text


async def test_the_data_visualizer(offline_engine: ServedEngine) -> None:
    upload = await offline_engine.http.post(
        "/files",
        files={"file": ("tides.csv", b"port,height\nOulu,1.5\nVaasa,0.5\n")},
        data={"purpose": "assistants"},
    )
    attachment = {"file_id": upload.json()["id"], "tools": [{"type": "code_interpreter"}]}
    message = {"role": "user", "content": "Draw it, please.", "attachments": [attachment]}
    thread = (await offline_engine.post("/threads", {"messages": [message]}))["id"]
    events = await offline_engine.run(thread, await starter(offline_engine, "Data Visualizer"))
    assert events[-2][1]["status"] == "completed"
    text = await last_text(offline_engine, thread)
    assert "2 rows" in text and "**height**: from 0.5 to 1.5" in text


async def test_the_hr_helper_does_not_pretend(offline_engine: ServedEngine) -> None:
    helper = await starter(offline_engine, "HR Helper")
    thread = await offline_engine.thread("How many holidays do I have?")
    events = await offline_engine.run(thread, helper)
    assert events[-2][1]["status"] == "completed"
    assert "documents" in await last_text(offline_engine, thread)
