"""The order and shape of the events of each kind of run, as the streaming reference has them."""

import asyncio
from typing import Any

from assistants_tui.protocol import limits
from support.engines import ServedEngine, data_of, names, text_of, tokens
from support.model_endpoint import DONE, Reply, calls, chunk, says, usage

TIDE = {
    "type": "function",
    "function": {
        "name": "tide",
        "parameters": {"type": "object", "properties": {"port": {"type": "string"}}},
    },
}
CODE = {"type": "code_interpreter"}

MESSAGE = [
    "run.step.created",
    "run.step.in_progress",
    "message.created",
    "message.in_progress",
    "message.delta",
]
START = ["run.created", "run.queued", "run.in_progress"]
END = ["message.completed", "run.step.completed", "run.completed", "done"]


async def test_a_plain_message(served_engine: ServedEngine) -> None:
    served_engine.replies(says("Due", " in", " May", prompt=40, completion=9))
    assistant, thread = (
        await served_engine.assistant(instructions="Be brief."),
        await served_engine.thread("When?"),
    )
    events = await served_engine.run(thread, assistant)
    assert names(events) == [*START, *MESSAGE, *END]

    created, queued, begun, ended = (
        data_of(events, f"thread.run.{name}")[0] for name in ("created", "queued", "in_progress", "completed")
    )
    used = tokens(40, 9)
    assert created == queued
    assert created["status"] == "queued" and created["started_at"] is None
    assert created["expires_at"] == created["created_at"] + limits.RUN_SECONDS
    assert begun["status"] == "in_progress" and begun["started_at"] is not None and begun["usage"] is None
    assert ended["usage"] == used and ended["expires_at"] is None and ended["completed_at"] is not None

    step_begun, step_ended = (
        data_of(events, f"thread.run.step.{name}")[0] for name in ("created", "completed")
    )
    message_begun, message = (
        data_of(events, f"thread.message.{name}")[0] for name in ("created", "completed")
    )
    assert step_begun["step_details"] == {
        "type": "message_creation",
        "message_creation": {"message_id": message["id"]},
    }
    assert step_begun["usage"] is None and step_ended["usage"] == used
    assert message_begun["content"] == [] and message_begun["status"] == "in_progress"
    assert message["content"] == [{"type": "text", "text": {"value": "Due in May", "annotations": []}}]
    assert (message["role"], message["run_id"]) == ("assistant", created["id"])

    deltas = data_of(events, "thread.message.delta")
    assert [delta["delta"]["content"] for delta in deltas] == [
        [{"index": 0, "type": "text", "text": {"value": "Due", "annotations": []}}],
        [{"index": 0, "type": "text", "text": {"value": " in"}}],
        [{"index": 0, "type": "text", "text": {"value": " May"}}],
    ]
    # What was streamed is what is stored.
    assert await served_engine.get(f"/threads/{thread}/messages/{message['id']}") == message
    assert await served_engine.listed(f"/threads/{thread}/runs/{created['id']}/steps") == [step_ended]
    assert await served_engine.get(f"/threads/{thread}/runs/{created['id']}") == ended


async def test_a_thread_and_a_run_in_one(served_engine: ServedEngine) -> None:
    served_engine.replies(says("Hello"))
    assistant = await served_engine.assistant()
    body = {"assistant_id": assistant, "thread": {"messages": [{"role": "user", "content": "Hi"}]}}
    events = await served_engine.events("/threads/runs", body)
    assert names(events) == ["created", *START, *MESSAGE, *END]
    assert events[0][1]["object"] == "thread"
    assert events[1][1]["thread_id"] == events[0][1]["id"]


async def test_code_is_streamed_then_its_output(served_engine: ServedEngine) -> None:
    code = 'print(6 * 7)\nprint("ä\\n")'
    served_engine.replies(
        calls(
            ("code_interpreter", '{"code": "print(6 * 7)\\nprint(\\"\\u00e4\\\\n\\")"}'),
            prompt=30,
            completion=8,
        ),
        says("It is 42.", prompt=50, completion=4),
    )
    assistant, thread = await served_engine.assistant(tools=[CODE]), await served_engine.thread("6 times 7?")
    events = await served_engine.run(thread, assistant)
    step = ["run.step.created", "run.step.in_progress", "run.step.delta", "run.step.completed"]
    assert names(events) == [*START, *step, *MESSAGE, *END]

    begun, done = (
        data_of(events, "thread.run.step.created")[0],
        data_of(events, "thread.run.step.completed")[0],
    )
    assert begun["step_details"] == {"type": "tool_calls", "tool_calls": []}
    deltas = [
        delta["delta"]["step_details"]["tool_calls"] for delta in data_of(events, "thread.run.step.delta")
    ]
    call_id = done["step_details"]["tool_calls"][0]["id"]
    first: dict[str, Any] = {"index": 0, "id": call_id, "type": "code_interpreter"}
    assert deltas[0] == [{**first, "code_interpreter": {"input": "", "outputs": []}}]
    inputs = [
        call["code_interpreter"]["input"] for [call] in deltas[1:] if "input" in call["code_interpreter"]
    ]
    assert len(inputs) > 3 and "".join(inputs) == code
    outputs = [
        call["code_interpreter"]["outputs"] for [call] in deltas if "outputs" in call["code_interpreter"]
    ]
    logs = "".join(output["logs"] for [output] in outputs[1:])
    assert all(output["index"] == 0 for [output] in outputs[1:])
    assert logs == "42\nä\n\n"
    assert all("id" not in call for [call] in deltas[1:])
    assert done["step_details"]["tool_calls"] == [
        {
            "id": call_id,
            "type": "code_interpreter",
            "code_interpreter": {"input": code, "outputs": [{"type": "logs", "logs": logs}]},
        }
    ]
    assert done["usage"] == tokens(30, 8)
    assert events[-2][1]["usage"] == tokens(80, 12)
    # The model reads what the code has printed.
    assert served_engine.prompts[1]["messages"][-1] == {
        "role": "tool",
        "tool_call_id": call_id,
        "content": logs,
    }


async def test_text_before_a_call_is_a_message_of_its_own(served_engine: ServedEngine) -> None:
    served_engine.replies(calls(("code_interpreter", '{"code": "1"}'), text="Let me see."), says("Done."))
    assistant, thread = await served_engine.assistant(tools=[CODE]), await served_engine.thread("Go")
    events = await served_engine.run(thread, assistant)
    steps = data_of(events, "thread.run.step.completed")
    assert [step["type"] for step in steps] == ["message_creation", "tool_calls", "message_creation"]
    assert [text_of(message) for message in data_of(events, "thread.message.completed")] == [
        "Let me see.",
        "Done.",
    ]
    assert names(events) == [
        *START,
        *MESSAGE,
        "message.completed",
        "run.step.completed",
        "run.step.created",
        "run.step.in_progress",
        "run.step.delta",
        "run.step.completed",
        *MESSAGE,
        *END,
    ]
    run = events[-2][1]
    assert sum(step["usage"]["total_tokens"] for step in steps) == run["usage"]["total_tokens"]


async def test_what_the_service_shows_beyond_its_reference(served_engine: ServedEngine) -> None:
    counted = usage(40, 9)
    counted["usage"]["prompt_tokens_details"] = {"cached_tokens": 32, "audio_tokens": 0}
    counted["usage"]["completion_tokens_details"] = {"reasoning_tokens": 4}
    served_engine.replies(
        calls(("code_interpreter", '{"code": "1"}'), prompt=20, completion=7),
        Reply([chunk({"content": "In May."}), chunk({}, "stop"), counted, DONE]),
    )
    form = {"purpose": "assistants"}
    files = [
        (await served_engine.http.post("/files", files={"file": (name, b"1")}, data=form)).json()["id"]
        for name in ("a.csv", "b.csv")
    ]
    held = {"tool_resources": {"code_interpreter": {"file_ids": files[:1]}}}
    assistant = await served_engine.assistant(tools=[CODE], reasoning_effort="low", **held)
    thread = await served_engine.thread()
    attachment = {"file_id": files[1], "tools": [CODE]}
    message = {"role": "user", "content": "When?", "attachments": [attachment]}
    events = await served_engine.run(thread, assistant, additional_messages=[message])
    run = events[0][1]
    assert run["reasoning_effort"] == "low"
    assert run["tool_resources"] == {"code_interpreter": {"file_ids": files}}
    steps = data_of(events, "thread.run.step.completed")
    assert [step["usage"] for step in steps] == [tokens(20, 7), tokens(40, 9, cached=32, reasoning=4)]
    assert events[-2][1]["usage"] == tokens(60, 16, cached=32, reasoning=4)
    assert {step["expires_at"] for step in steps} == {run["created_at"] + limits.RUN_SECONDS}

    served_engine.replies(says("Hi."))
    plain = await served_engine.run(await served_engine.thread("Hi"), await served_engine.assistant())
    assert plain[0][1]["tool_resources"] == {"code_interpreter": {"file_ids": []}}
    assert plain[0][1]["reasoning_effort"] is None


async def test_text_after_a_call_is_kept(served_engine: ServedEngine) -> None:
    first = calls(("code_interpreter", '{"code": "1"}'))
    late = [*list(first.body)[:-3], chunk({"content": "And now."}), chunk({}, "tool_calls"), DONE]
    served_engine.replies(Reply(late), says("Done."))
    assistant, thread = await served_engine.assistant(tools=[CODE]), await served_engine.thread("Go")
    events = await served_engine.run(thread, assistant)
    assert [text_of(message) for message in data_of(events, "thread.message.completed")] == [
        "And now.",
        "Done.",
    ]


async def test_functions_wait_for_outputs_and_go_on(served_engine: ServedEngine) -> None:
    served_engine.replies(
        calls(("tide", '{"port": "Oulu"}'), ("tide", '{"port": "Vaasa"}'), prompt=60, completion=20),
        says("0.4 and 0.2 m.", prompt=90, completion=8),
    )
    assistant, thread = await served_engine.assistant(tools=[TIDE]), await served_engine.thread("Tides?")
    events = await served_engine.run(thread, assistant)
    step = ["run.step.created", "run.step.in_progress", "run.step.delta"]
    assert names(events) == [*START, *step, "run.requires_action", "done"]
    deltas = [
        delta["delta"]["step_details"]["tool_calls"][0] for delta in data_of(events, "thread.run.step.delta")
    ]
    firsts = [delta for delta in deltas if "id" in delta]
    assert [delta["index"] for delta in firsts] == [0, 1]
    assert all(delta["function"] == {"name": "tide", "arguments": "", "output": None} for delta in firsts)
    waiting = events[-2][1]
    asked = waiting["required_action"]["submit_tool_outputs"]["tool_calls"]
    assert [(call["type"], call["function"]) for call in asked] == [
        ("function", {"name": "tide", "arguments": '{"port": "Oulu"}'}),
        ("function", {"name": "tide", "arguments": '{"port": "Vaasa"}'}),
    ]
    assert waiting["usage"] is None and waiting["status"] == "requires_action"
    [open_step] = await served_engine.listed(f"/threads/{thread}/runs/{waiting['id']}/steps")
    assert open_step["status"] == "in_progress" and open_step["usage"] is None

    outputs = [
        {"tool_call_id": call["id"], "output": output}
        for call, output in zip(asked, ("0.4", ""), strict=True)
    ]
    path = f"/threads/{thread}/runs/{waiting['id']}/submit_tool_outputs"
    more = await served_engine.events(path, {"tool_outputs": outputs})
    assert names(more) == ["run.step.completed", "run.queued", "run.in_progress", *MESSAGE, *END]
    done = more[0][1]
    assert [call["function"]["output"] for call in done["step_details"]["tool_calls"]] == ["0.4", ""]
    assert done["usage"] == tokens(60, 20)
    assert more[1][1]["required_action"] is None
    assert more[-2][1]["usage"] == tokens(150, 28)
    told = served_engine.prompts[1]["messages"]
    assert [message["role"] for message in told] == ["user", "assistant", "tool", "tool"]
    assert [call["id"] for call in told[1]["tool_calls"]] == [call["id"] for call in asked]
    assert [message["content"] for message in told[2:]] == ["0.4", "(no output)"]


async def test_requires_action_is_stored_before_it_is_announced(served_engine: ServedEngine) -> None:
    served_engine.replies(calls(("tide", "{}")), says("Done."))
    assistant, thread = await served_engine.assistant(tools=[TIDE]), await served_engine.thread("Tides?")
    body = {"assistant_id": assistant}
    async with served_engine.streaming(f"/threads/{thread}/runs", body) as events:
        async for name, data in events:
            if name == "thread.run.requires_action":
                # Clients answer while the stream is still open.
                [call] = data["required_action"]["submit_tool_outputs"]["tool_calls"]
                outputs = [{"tool_call_id": call["id"], "output": "low"}]
                path = f"/threads/{thread}/runs/{data['id']}/submit_tool_outputs"
                queued = await served_engine.post(path, {"tool_outputs": outputs})
    assert queued["status"] == "queued" and queued["required_action"] is None
    assert (await served_engine.settled(thread, queued["id"]))["status"] == "completed"


async def test_cancelling_keeps_the_partial_text(served_engine: ServedEngine) -> None:
    never = asyncio.Event()
    served_engine.replies(Reply([chunk({"content": "Due in May"}), never]))
    assistant, thread = await served_engine.assistant(), await served_engine.thread("When?")
    seen = []
    async with served_engine.streaming(f"/threads/{thread}/runs", {"assistant_id": assistant}) as events:
        async for name, data in events:
            seen.append((name, data))
            if name == "thread.message.delta":
                run_id = seen[0][1]["id"]
                answer = await served_engine.post(f"/threads/{thread}/runs/{run_id}/cancel")
                assert answer["status"] == "cancelling"
    tail = ["run.cancelling", "message.incomplete", "run.step.cancelled", "run.cancelled", "done"]
    assert names(seen) == [*START, *MESSAGE, *tail]
    message = data_of(seen, "thread.message.incomplete")[0]
    assert text_of(message) == "Due in May"
    assert (
        message["incomplete_details"] == {"reason": "run_cancelled"} and message["incomplete_at"] is not None
    )
    assert data_of(seen, "thread.run.step.cancelled")[0]["cancelled_at"] is not None
    run = seen[-2][1]
    assert run["cancelled_at"] is not None and run["expires_at"] is None and run["usage"] is not None
    await served_engine.post(f"/threads/{thread}/messages", {"role": "user", "content": "free again"})


async def test_a_failure_in_the_middle(served_engine: ServedEngine) -> None:
    served_engine.replies(
        Reply([chunk({"content": "Due"}), b'data: {"error": {"message": "Out of memory."}}\n\n'])
    )
    assistant, thread = await served_engine.assistant(), await served_engine.thread("When?")
    events = await served_engine.run(thread, assistant)
    tail = ["message.incomplete", "run.step.failed", "run.failed", "done"]
    assert names(events) == [*START, *MESSAGE, *tail]
    assert data_of(events, "thread.message.incomplete")[0]["incomplete_details"] == {"reason": "run_failed"}
    step, run = data_of(events, "thread.run.step.failed")[0], events[-2][1]
    assert run["last_error"]["code"] == "server_error" and "Out of memory." in run["last_error"]["message"]
    assert step["last_error"] == run["last_error"]
    assert step["failed_at"] is not None and run["failed_at"] is not None


async def test_an_answer_that_is_cut_by_its_length(served_engine: ServedEngine) -> None:
    served_engine.replies(says("Due in", finish="length"))
    assistant, thread = await served_engine.assistant(), await served_engine.thread("When?")
    events = await served_engine.run(thread, assistant)
    tail = ["message.incomplete", "run.step.completed", "run.incomplete", "done"]
    assert names(events) == [*START, *MESSAGE, *tail]
    assert data_of(events, "thread.message.incomplete")[0]["incomplete_details"] == {"reason": "max_tokens"}
    run = events[-2][1]
    assert run["incomplete_details"] == {"reason": "max_completion_tokens"}
    assert run["completed_at"] is not None and run["expires_at"] is None


async def test_images_and_files_of_code_reach_the_message(served_engine: ServedEngine) -> None:
    code = (
        "from IPython.display import Image, display\\n"
        "display(Image(data=bytes.fromhex('89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
        "0000000c4944415408d763f8cfc000000301010018dd8db00000000049454e44ae426082'), format='png'))\\n"
        "open('/mnt/data/may.csv', 'w').write('a,b')"
    )
    served_engine.replies(
        calls(("code_interpreter", f'{{"code": "{code}"}}'), piece=80),
        says("See sandbox:/mnt", "/data/may.csv", " or sandbox:/mnt/data/none.csv"),
    )
    assistant, thread = await served_engine.assistant(tools=[CODE]), await served_engine.thread("Go")
    events = await served_engine.run(thread, assistant)
    message = data_of(events, "thread.message.completed")[0]
    image, text = message["content"]
    assert image["type"] == "image_file"
    [annotation] = text["text"]["annotations"]
    assert text["text"]["value"][annotation["start_index"] : annotation["end_index"]] == annotation["text"]
    assert annotation["text"] == "sandbox:/mnt/data/may.csv"
    file_id = annotation["file_path"]["file_id"]
    assert message["attachments"] == [{"file_id": file_id, "tools": [{"type": "code_interpreter"}]}]
    assert (await served_engine.http.get(f"/files/{file_id}/content")).content == b"a,b"
    file = await served_engine.get(f"/files/{file_id}")
    assert (file["filename"], file["purpose"]) == ("may.csv", "assistants_output")
    png = await served_engine.http.get(f"/files/{image['image_file']['file_id']}/content")
    assert png.content.startswith(b"\x89PNG")

    deltas = [delta["delta"]["content"][0] for delta in data_of(events, "thread.message.delta")]
    assert (deltas[0]["index"], deltas[0]["type"]) == (0, "image_file")
    assert all(delta["index"] == 1 and "value" in delta["text"] for delta in deltas[1:])
    announced = [delta["text"] for delta in deltas[1:] if delta["text"].get("annotations")]
    assert announced == [{"value": annotation["text"], "annotations": [{"index": 0, **annotation}]}]
    [outputs] = [
        call["code_interpreter"]["outputs"]
        for step in data_of(events, "thread.run.step.completed")
        for call in step["step_details"].get("tool_calls", [])
    ]
    assert {"type": "image", "image": {"file_id": image["image_file"]["file_id"]}} in outputs
