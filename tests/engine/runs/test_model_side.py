"""What a run asks of its model, and what it makes of odd answers."""

import asyncio
import json
from pathlib import Path

import pytest

from assistants_tui.engine.runs.executor import MAX_TURNS
from assistants_tui.engine.runs.turn import MAX_WHITESPACE
from assistants_tui.protocol.objects import Json
from support.engine import ManualClock
from support.engines import ServedEngine, data_of, engine, text_of, tokens
from support.model_endpoint import DONE, Cut, Reply, calls, chunk, refuses, says

CODE = {"type": "code_interpreter"}


def function(name: str, **more: object) -> Json:
    return {"type": "function", "function": {"name": name, **more}}


async def ended(served_engine: ServedEngine, thread: str, assistant: str, **fields: object) -> Json:
    """A run, once it has ended."""
    run: Json = (await served_engine.run(thread, assistant, **fields))[-2][1]
    return run


async def test_instructions_are_system_text(served_engine: ServedEngine) -> None:
    served_engine.replies(*(says("ok") for _ in range(3)))
    assistant, thread = (
        await served_engine.assistant(instructions="Be kind."),
        await served_engine.thread("Hi"),
    )
    for fields, expected in (
        ({}, "Be kind."),
        ({"instructions": "Address Jane Doe."}, "Address Jane Doe."),
        ({"additional_instructions": "Be brief."}, "Be kind.\n\nBe brief."),
    ):
        run = await ended(served_engine, thread, assistant, **fields)
        assert run["instructions"] == expected
        assert served_engine.prompts[-1]["messages"][0] == {"role": "system", "content": expected}
    assert [m["role"] for m in served_engine.prompts[-1]["messages"]] == [
        "system",
        "user",
        "assistant",
        "assistant",
    ]


async def test_run_values_go_before_those_of_the_assistant(served_engine: ServedEngine) -> None:
    served_engine.replies(says("ok"), says("ok"))
    assistant = await served_engine.assistant(
        temperature=0.2, top_p=0.3, reasoning_effort="low", tools=[function("a")]
    )
    thread = await served_engine.thread("Hi")
    first = await ended(served_engine, thread, assistant)
    second = await ended(
        served_engine,
        thread,
        assistant,
        temperature=0,
        top_p=1,
        reasoning_effort="high",
        tools=[function("b")],
        model="other",
    )
    assert (first["temperature"], first["top_p"], first["model"]) == (0.2, 0.3, "served")
    assert (second["temperature"], second["top_p"], second["model"]) == (0, 1, "other")
    for body, temperature, top_p, effort, tool in (
        (served_engine.prompts[0], 0.2, 0.3, "low", "a"),
        (served_engine.prompts[1], 0, 1, "high", "b"),
    ):
        assert (body["temperature"], body["top_p"], body["reasoning_effort"]) == (temperature, top_p, effort)
        assert [definition["function"]["name"] for definition in body["tools"]] == [tool]


async def test_additional_messages_are_stored_before_the_run(served_engine: ServedEngine) -> None:
    served_engine.replies(says("ok"))
    assistant, thread = await served_engine.assistant(), await served_engine.thread("One")
    more = [{"role": "assistant", "content": "Two"}, {"role": "user", "content": "Three"}]
    await ended(served_engine, thread, assistant, additional_messages=more)
    assert [text_of(m) for m in await served_engine.listed(f"/threads/{thread}/messages")] == [
        "One",
        "Two",
        "Three",
        "ok",
    ]
    assert [m["content"] for m in served_engine.prompts[0]["messages"]] == ["One", "Two", "Three"]


async def test_images_are_sent_along(served_engine: ServedEngine) -> None:
    served_engine.replies(says("A cat."))
    upload = await served_engine.http.post(
        "/files", files={"file": ("cat.png", b"\x89PNG...")}, data={"purpose": "vision"}
    )
    file_id = upload.json()["id"]
    parts = [
        {"type": "text", "text": "What is it?"},
        {"type": "image_file", "image_file": {"file_id": file_id, "detail": "low"}},
        {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}},
    ]
    body = {"messages": [{"role": "user", "content": parts}]}
    thread = (await served_engine.post("/threads", body))["id"]
    await ended(served_engine, thread, await served_engine.assistant())
    [message] = served_engine.prompts[0]["messages"]
    assert message["content"] == [
        {"type": "text", "text": "What is it?"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORy4uLg==", "detail": "low"}},
        {"type": "image_url", "image_url": {"url": "https://example.org/a.png", "detail": "auto"}},
    ]
    # A model that takes none gets the names, and is not asked again.
    served_engine.replies(refuses(400, {"message": "Image input is not supported."}), says("?"), says("?"))
    for _ in range(2):
        await ended(served_engine, thread, await served_engine.assistant())
    names = "[Image cat.png, which this model cannot see]\n\n[Image a.png, which this model cannot see]"
    assert [
        prompt["messages"][0]["content"] == f"What is it?\n\n{names}" for prompt in served_engine.prompts
    ] == [
        False,
        False,
        True,
        True,
    ]


async def test_attached_files_are_named_and_readable(served_engine: ServedEngine) -> None:
    ids = []
    for name, data in (("a.csv", b"1"), ("a.csv", b"2"), ("../b.csv", b"3")):
        upload = await served_engine.http.post(
            "/files", files={"file": (name, data)}, data={"purpose": "assistants"}
        )
        ids.append(upload.json()["id"])
    code = "import os\\nfor n in sorted(os.listdir('/mnt/data')): print(n, open('/mnt/data/' + n).read())"
    served_engine.replies(calls(("code_interpreter", f'{{"code": "{code}"}}')), says("ok"))
    assistant = await served_engine.assistant(
        tools=[CODE], tool_resources={"code_interpreter": {"file_ids": ids[:1]}}
    )
    attachments = [{"file_id": file_id, "tools": [CODE]} for file_id in ids[1:]]
    body = {"messages": [{"role": "user", "content": "Look", "attachments": attachments}]}
    thread = (await served_engine.post("/threads", body))["id"]
    events = await served_engine.run(thread, assistant)
    [call] = data_of(events, "thread.run.step.completed")[0]["step_details"]["tool_calls"]
    assert call["code_interpreter"]["outputs"] == [
        {"type": "logs", "logs": "a (2).csv 2\na.csv 1\nb.csv 3\n"}
    ]
    system, user = served_engine.prompts[0]["messages"][:2]
    for name in ("a.csv", "a (2).csv", "b.csv"):
        assert f"- /mnt/data/{name}\n" in system["content"] + "\n"
    assert "[Attached: a (2).csv, b.csv]" in user["content"]  # as code finds them


async def test_a_forced_tool_binds_the_first_turn_only(served_engine: ServedEngine) -> None:
    served_engine.replies(calls(("code_interpreter", '{"code": "1"}')), says("ok"), says("ok"))
    assistant, thread = await served_engine.assistant(tools=[CODE]), await served_engine.thread("Hi")
    run = await ended(served_engine, thread, assistant, tool_choice=CODE)
    assert run["tool_choice"] == CODE
    forced, free = served_engine.prompts
    assert forced["tool_choice"] == {"type": "function", "function": {"name": "code_interpreter"}}
    assert "tool_choice" not in free
    await ended(served_engine, thread, assistant, tool_choice="none")
    assert served_engine.prompts[2]["tool_choice"] == "none"


async def test_without_parallel_calls_only_the_first_counts(served_engine: ServedEngine) -> None:
    served_engine.replies(calls(("a", "{}"), ("b", "{}")))
    assistant = await served_engine.assistant(tools=[function("a"), function("b")])
    run = await ended(served_engine, await served_engine.thread("Hi"), assistant, parallel_tool_calls=False)
    asked = run["required_action"]["submit_tool_outputs"]["tool_calls"]
    assert [call["function"]["name"] for call in asked] == ["a"]
    assert served_engine.prompts[0]["parallel_tool_calls"] is False


async def test_code_and_functions_in_one_turn(served_engine: ServedEngine) -> None:
    served_engine.replies(
        calls(("code_interpreter", '{"code": "print(1)"}'), ("a", "")),
        says("ok"),
    )
    assistant, thread = (
        await served_engine.assistant(tools=[CODE, function("a")]),
        await served_engine.thread("Hi"),
    )
    run = await ended(served_engine, thread, assistant)
    assert run["status"] == "requires_action"
    [asked] = run["required_action"]["submit_tool_outputs"]["tool_calls"]
    assert asked["function"] == {"name": "a", "arguments": "{}"}
    body = {"tool_outputs": [{"tool_call_id": asked["id"], "output": "x"}]}
    await served_engine.events(f"/threads/{thread}/runs/{run['id']}/submit_tool_outputs", body)
    told = served_engine.prompts[1]["messages"]
    assert [m["content"] for m in told if m["role"] == "tool"] == ["1\n", "x"]
    spoken = told[1]["tool_calls"]
    assert json.loads(spoken[0]["function"]["arguments"]) == {"code": "print(1)"}


async def test_failing_code_goes_back_to_the_model(served_engine: ServedEngine) -> None:
    served_engine.replies(
        calls(("code_interpreter", '{"code": "1/0"}')),
        calls(("code_interpreter", '{"code": "print(1)"}')),
        says("One."),
    )
    assistant, thread = await served_engine.assistant(tools=[CODE]), await served_engine.thread("Hi")
    run = await ended(served_engine, thread, assistant)
    assert run["status"] == "completed"
    assert "ZeroDivisionError" in served_engine.prompts[1]["messages"][-1]["content"]
    steps = await served_engine.listed(f"/threads/{thread}/runs/{run['id']}/steps")
    assert [step["type"] for step in steps] == ["tool_calls", "tool_calls", "message_creation"]


async def test_a_tool_that_does_not_exist_is_explained_to_the_model(served_engine: ServedEngine) -> None:
    served_engine.replies(calls(("teleport", "{}")), says("I cannot."))
    assistant, thread = await served_engine.assistant(tools=[CODE]), await served_engine.thread("Hi")
    run = await ended(served_engine, thread, assistant)
    assert run["status"] == "completed"
    assert "no tool named 'teleport'" in served_engine.prompts[1]["messages"][-1]["content"]
    assert len(await served_engine.listed(f"/threads/{thread}/runs/{run['id']}/steps")) == 1


async def test_a_function_may_have_the_name_of_a_built_in_tool(served_engine: ServedEngine) -> None:
    served_engine.replies(calls(("code_interpreter", "{}")))
    assistant = await served_engine.assistant(tools=[CODE, function("code_interpreter")])
    run = await ended(served_engine, await served_engine.thread("Hi"), assistant)
    assert run["status"] == "requires_action"
    offered = [tool["function"]["name"] for tool in served_engine.prompts[0]["tools"]]
    assert len(set(offered)) == 2


async def test_going_round_in_circles_has_an_end(served_engine: ServedEngine) -> None:
    assert served_engine.endpoint is not None
    served_engine.endpoint.otherwise = lambda _: calls(("nothing", f"[{len(served_engine.prompts)}]"))
    run = await ended(served_engine, await served_engine.thread("Hi"), await served_engine.assistant())
    assert run["status"] == "failed" and str(MAX_TURNS) in run["last_error"]["message"]
    assert len(served_engine.prompts) == MAX_TURNS


async def test_completion_tokens_are_counted_over_all_turns(served_engine: ServedEngine) -> None:
    served_engine.replies(
        calls(("code_interpreter", '{"code": "1"}'), prompt=200, completion=300),
        calls(("code_interpreter", '{"code": "2"}'), prompt=250, completion=700),
    )
    assistant, thread = await served_engine.assistant(tools=[CODE]), await served_engine.thread("Hi")
    run = await ended(served_engine, thread, assistant, max_completion_tokens=1000)
    assert run["status"] == "incomplete"
    assert run["incomplete_details"] == {"reason": "max_completion_tokens"}
    assert [body["max_tokens"] for body in served_engine.prompts] == [1000, 700]
    assert run["usage"] == tokens(450, 1000)


async def test_prompt_tokens_are_counted_over_all_turns(served_engine: ServedEngine) -> None:
    served_engine.replies(calls(("code_interpreter", '{"code": "1"}'), prompt=500))
    assistant, thread = await served_engine.assistant(tools=[CODE]), await served_engine.thread("Hi")
    run = await ended(served_engine, thread, assistant, max_prompt_tokens=500)
    assert (run["status"], run["incomplete_details"]) == ("incomplete", {"reason": "max_prompt_tokens"})


@pytest.mark.parametrize("limit", ["max_prompt_tokens", "max_completion_tokens"])
async def test_tools_are_run_before_the_token_limit_ends_the_run(
    served_engine: ServedEngine, limit: str
) -> None:
    served_engine.replies(calls(("code_interpreter", '{"code": "print(6 * 7)"}'), prompt=500, completion=500))
    assistant, thread = await served_engine.assistant(tools=[CODE]), await served_engine.thread("Hi")
    run = await ended(served_engine, thread, assistant, **{limit: 500})
    assert (run["status"], run["incomplete_details"]) == ("incomplete", {"reason": limit})
    [step] = await served_engine.listed(f"/threads/{thread}/runs/{run['id']}/steps")
    assert (step["status"], step["usage"]) == ("completed", tokens(500, 500))
    [call] = step["step_details"]["tool_calls"]
    assert call["code_interpreter"]["outputs"] == [{"type": "logs", "logs": "42\n"}]


@pytest.mark.parametrize("limit", ["max_prompt_tokens", "max_completion_tokens"])
async def test_a_client_is_asked_before_the_token_limit_ends_the_run(
    served_engine: ServedEngine, limit: str
) -> None:
    served_engine.replies(calls(("tide", "{}"), prompt=500, completion=500))
    assistant = await served_engine.assistant(tools=[function("tide")])
    thread = await served_engine.thread("Hi")
    run = await ended(served_engine, thread, assistant, **{limit: 500})
    assert run["status"] == "requires_action"
    path = f"/threads/{thread}/runs/{run['id']}/submit_tool_outputs"
    [called] = run["required_action"]["submit_tool_outputs"]["tool_calls"]
    outputs = [{"tool_call_id": called["id"], "output": "2 m"}]
    run = (await served_engine.events(path, {"tool_outputs": outputs}))[-2][1]
    assert (run["status"], run["incomplete_details"]) == ("incomplete", {"reason": limit})
    [step] = await served_engine.listed(f"/threads/{thread}/runs/{run['id']}/steps")
    assert step["status"] == "completed"


async def test_an_endpoint_that_ignores_the_token_limit_is_cut(served_engine: ServedEngine) -> None:
    served_engine.replies(says(*("words " for _ in range(2000))))
    run = await ended(
        served_engine,
        await served_engine.thread("Hi"),
        await served_engine.assistant(),
        max_completion_tokens=256,
    )
    assert (run["status"], run["incomplete_details"]) == ("incomplete", {"reason": "max_completion_tokens"})
    assert run["usage"]["completion_tokens"] < 600


async def test_tokens_are_estimated_where_the_endpoint_does_not_count(served_engine: ServedEngine) -> None:
    served_engine.replies(Reply([chunk({"content": "x" * 400}), chunk({}, "stop"), DONE]))
    run = await ended(served_engine, await served_engine.thread("y" * 4000), await served_engine.assistant())
    assert run["usage"]["completion_tokens"] == 100
    assert 1000 <= run["usage"]["prompt_tokens"] <= 1010


async def test_long_threads_lose_their_middle(served_engine: ServedEngine) -> None:
    served_engine.replies(says("ok"))
    thread = await served_engine.thread(
        "the first", *(f"number {n} " + "x" * 400 for n in range(30)), "the last"
    )
    assistant = await served_engine.assistant(instructions="system text")
    run = await ended(served_engine, thread, assistant, max_prompt_tokens=600)
    assert run["status"] == "completed"
    told = [message["content"] for message in served_engine.prompts[0]["messages"]]
    assert told[:2] == ["system text", "the first"] and told[-1] == "the last"
    numbers = [int(text.split()[1]) for text in told[2:-1]]
    assert 1 <= len(numbers) < 6 and numbers == list(range(30 - len(numbers), 30))
    assert len(await served_engine.listed(f"/threads/{thread}/messages")) == 33


async def test_only_the_last_messages_on_request(served_engine: ServedEngine) -> None:
    served_engine.replies(says("ok"))
    thread = await served_engine.thread("one", "two", "three", "four")
    strategy = {"type": "last_messages", "last_messages": 2}
    run = await ended(served_engine, thread, await served_engine.assistant(), truncation_strategy=strategy)
    assert run["truncation_strategy"] == strategy
    assert [m["content"] for m in served_engine.prompts[0]["messages"]] == ["three", "four"]


async def test_a_prompt_that_is_too_long_is_shortened(served_engine: ServedEngine) -> None:
    refusal = {"code": "context_length_exceeded", "message": "The maximum context length is 600 tokens."}
    served_engine.replies(refuses(400, refusal), says("ok"), says("ok"))
    thread = await served_engine.thread("the first", *("x" * 400 for _ in range(30)), "the last")
    assistant = await served_engine.assistant()
    assert (await ended(served_engine, thread, assistant))["status"] == "completed"
    long, short = served_engine.prompts
    assert len(short["messages"]) < 8 < len(long["messages"])
    assert short["messages"][-1]["content"] == "the last"
    # What was learned holds for the next run.
    assert (await ended(served_engine, thread, assistant))["status"] == "completed"
    assert len(served_engine.prompts) == 3


async def test_one_message_too_long_for_the_model_is_an_invalid_prompt(served_engine: ServedEngine) -> None:
    refusal = {"code": "context_length_exceeded", "message": "The maximum context length is 100 tokens."}
    served_engine.replies(refuses(400, refusal))
    run = await ended(served_engine, await served_engine.thread("x" * 4000), await served_engine.assistant())
    assert run["status"] == "failed" and run["last_error"]["code"] == "invalid_prompt"


async def test_what_one_run_guesses_is_not_held_against_others(served_engine: ServedEngine) -> None:
    assert served_engine.endpoint is not None
    assistant = await served_engine.assistant(instructions="You answer in the language of the question.")
    served_engine.endpoint.otherwise = lambda _: refuses(400, {"message": "The prompt is too long."})
    run = await ended(served_engine, await served_engine.thread("Hello"), assistant)
    assert run["status"] == "failed" and "The prompt is too long." in run["last_error"]["message"]
    memory = {"message": "llama runner: failed to allocate the context window: out of memory"}
    served_engine.replies(refuses(500, memory, x_should_retry="false"))
    run = await ended(served_engine, await served_engine.thread("Hello"), assistant)
    assert run["last_error"]["code"] == "server_error" and "out of memory" in run["last_error"]["message"]
    served_engine.endpoint.otherwise = lambda _: says("Fine.")
    thread = await served_engine.thread(*("word " * 60 for _ in range(6)), "And now?")
    assert (await ended(served_engine, thread, assistant))["status"] == "completed"
    assert len(served_engine.prompts[-1]["messages"]) == 8


async def test_a_stated_limit_is_asked_about_again_and_is_forgotten(
    tmp_path: Path, clock: ManualClock
) -> None:
    refusal = {"message": "This model's maximum context length is 600 tokens."}
    async with engine(tmp_path, clock=clock) as served:
        assistant, long = await served.assistant(), await served.thread("x" * 4000)
        served.replies(refuses(400, refusal))
        assert (await ended(served, long, assistant))["last_error"]["code"] == "invalid_prompt"
        served.replies(says("The model was loaded again with more."))
        assert (await ended(served, long, assistant))["status"] == "completed", "it is not taken for granted"
        many = await served.thread(*("x" * 400 for _ in range(20)))
        for seconds, messages in ((0, 5), (3600, 20)):
            clock.now += seconds
            served.replies(says("ok"))
            await ended(served, many, assistant)
            told = served.prompts[-1]["messages"]
            assert len([message for message in told if message["role"] == "user"]) == messages


@pytest.mark.parametrize("stated", [3, 100])
async def test_a_context_that_no_model_has_is_not_believed(served_engine: ServedEngine, stated: int) -> None:
    refusal = {"message": f"This model's maximum context length is {stated} tokens."}
    served_engine.replies(refuses(400, refusal), says("ok"))
    assistant, thread = await served_engine.assistant(), await served_engine.thread("x" * 800)
    assert (await ended(served_engine, thread, assistant))["status"] == "failed"
    assert (await ended(served_engine, thread, assistant))["status"] == "completed"
    assert len(served_engine.prompts) == 2


async def test_a_run_goes_on_after_a_limit_that_no_model_has(served_engine: ServedEngine) -> None:
    refusal = {"message": "This model's maximum context length is 3 tokens. Your prompt is too long."}
    served_engine.replies(refuses(400, refusal), says("ok"))
    thread = await served_engine.thread("x" * 8000)
    await served_engine.post(f"/threads/{thread}/messages", {"role": "user", "content": "Short."})
    assert (await ended(served_engine, thread, await served_engine.assistant()))["status"] == "completed"
    assert [len(prompt["messages"]) for prompt in served_engine.prompts] == [2, 1]


async def test_more_tokens_than_there_is_room_for_cost_no_model_its_use(served_engine: ServedEngine) -> None:
    refusal = (
        "This model's maximum context length is 8192 tokens. However, you requested 8300 tokens (300 in the "
        "messages, 8000 in the completion). Please reduce the length of the messages or completion."
    )
    served_engine.replies(refuses(400, {"message": refusal}), says("one"), says("two"))
    assistant, thread = await served_engine.assistant(), await served_engine.thread("Hello")
    run = await ended(served_engine, thread, assistant, max_completion_tokens=8000)
    assert run["status"] == "completed"
    assert (await ended(served_engine, thread, assistant))["status"] == "completed"
    assert [body.get("max_tokens") for body in served_engine.prompts] == [8000, 7892, None]


async def test_what_a_killed_server_has_written_is_kept(served_engine: ServedEngine) -> None:
    served_engine.replies(Reply([chunk({"content": "First do this, second do th"}), Cut()]))
    thread = await served_engine.thread("How?")
    run = await ended(served_engine, thread, await served_engine.assistant())
    assert run["status"] == "failed"
    assert run["last_error"]["message"].startswith("The model server stopped in the middle of the answer")
    message = (await served_engine.listed(f"/threads/{thread}/messages"))[-1]
    assert (message["status"], text_of(message)) == ("incomplete", "First do this, second do th")


async def test_an_answer_that_fills_the_context_is_kept(served_engine: ServedEngine) -> None:
    full = {"message": "Context size has been exceeded.", "code": 500}
    served_engine.replies(Reply([chunk({"content": "On and on"}), {"error": full}]))
    thread = await served_engine.thread("Tell me all")
    run = await ended(served_engine, thread, await served_engine.assistant())
    assert run["status"] == "failed" and len(served_engine.prompts) == 1
    assert "in the middle of the answer" in run["last_error"]["message"]
    assert "Context size has been exceeded." in run["last_error"]["message"]
    assert text_of((await served_engine.listed(f"/threads/{thread}/messages"))[-1]) == "On and on"


async def test_half_a_call_is_not_asked_of_anybody(served_engine: ServedEngine) -> None:
    half = {"index": 0, "id": "a", "function": {"name": "tide", "arguments": '{"port": "Ou'}}
    served_engine.replies(Reply([chunk({"tool_calls": [half]})]))
    assistant = await served_engine.assistant(tools=[function("tide")])
    run = await ended(served_engine, await served_engine.thread("Tide?"), assistant)
    assert run["status"] == "failed" and "in the middle" in run["last_error"]["message"]


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (refuses(429, {"message": "Quota"}, x_should_retry="false"), "rate_limit_exceeded"),
        (refuses(400, {"message": "No images here"}), "invalid_prompt"),
        (refuses(500, {"message": "Oops"}, x_should_retry="false"), "server_error"),
    ],
)
async def test_refusals_become_the_run_s_error(served_engine: ServedEngine, reply: Reply, code: str) -> None:
    served_engine.replies(reply)
    run = await ended(served_engine, await served_engine.thread("Hi"), await served_engine.assistant())
    assert (run["status"], run["last_error"]["code"]) == ("failed", code)


async def test_a_content_filter_is_told(served_engine: ServedEngine) -> None:
    served_engine.replies(says("Half", finish="content_filter"))
    events = await served_engine.run(await served_engine.thread("Hi"), await served_engine.assistant())
    message = data_of(events, "thread.message.incomplete")[0]
    assert message["incomplete_details"] == {"reason": "content_filter"}
    assert events[-2][1]["status"] == "failed"


async def test_refusals_are_parts_of_their_own(served_engine: ServedEngine) -> None:
    served_engine.replies(
        Reply([chunk({"refusal": "I will"}), chunk({"refusal": " not."}), chunk({}, "stop"), DONE])
    )
    events = await served_engine.run(await served_engine.thread("Hi"), await served_engine.assistant())
    message = data_of(events, "thread.message.completed")[0]
    assert message["content"] == [{"type": "refusal", "refusal": "I will not."}]


async def test_an_empty_answer_is_no_success(served_engine: ServedEngine) -> None:
    served_engine.replies(says("", " \n"))
    thread = await served_engine.thread("Hi")
    events = await served_engine.run(thread, await served_engine.assistant())
    assert [name for name, _ in events] == [
        "thread.run.created",
        "thread.run.queued",
        "thread.run.in_progress",
        "thread.run.failed",
        "done",
    ]
    assert "answer was empty" in events[-2][1]["last_error"]["message"]


async def test_a_model_that_has_spoken_may_end_with_nothing_more(served_engine: ServedEngine) -> None:
    served_engine.replies(calls(("code_interpreter", '{"code": "1"}'), text="I run it."), says(""))
    thread = await served_engine.thread("Run it")
    run = await ended(served_engine, thread, await served_engine.assistant(tools=[CODE]))
    assert run["status"] == "completed"


SCHEMA = {"name": "answer", "schema": {"type": "object", "properties": {"x": {"type": "integer"}}}}


@pytest.mark.parametrize("kind", ["json_object", "json_schema"])
async def test_json_is_asked_for_and_checked(served_engine: ServedEngine, kind: str) -> None:
    wanted: Json = {"type": kind} | ({"json_schema": SCHEMA} if kind == "json_schema" else {})
    served_engine.replies(says('{"x"', ": 1}"), says("Sure! {"))
    assistant, thread = (
        await served_engine.assistant(response_format=wanted),
        await served_engine.thread("JSON!"),
    )
    run = await ended(served_engine, thread, assistant)
    assert run["status"] == "completed" and run["response_format"] == wanted
    assert served_engine.prompts[0]["response_format"] == wanted
    run = await ended(served_engine, thread, assistant)
    assert run["status"] == "failed" and "not valid JSON" in run["last_error"]["message"]


async def test_endless_white_space_has_an_end(served_engine: ServedEngine) -> None:
    served_engine.replies(says("{", *("\n" * 1024 for _ in range(2 * MAX_WHITESPACE // 1024))))
    assistant = await served_engine.assistant(response_format={"type": "json_object"})
    events = await served_engine.run(await served_engine.thread("JSON!"), assistant)
    run = events[-2][1]
    assert (run["status"], run["incomplete_details"]) == ("incomplete", {"reason": "max_completion_tokens"})
    assert len(text_of(data_of(events, "thread.message.incomplete")[0])) <= MAX_WHITESPACE + 1025


@pytest.mark.parametrize("before", ["", "<think>\nHm.\n</think>\n", "Hm.\n</think>\n"])
async def test_endless_white_space_instead_of_an_answer(served_engine: ServedEngine, before: str) -> None:
    """It is seen although white space around reasoning is no part of the answer."""
    pieces = [before, *["\n" * 1024] * (2 * MAX_WHITESPACE // 1024)]
    no_end = asyncio.Event()
    served_engine.replies(Reply([*(chunk({"content": piece}) for piece in pieces), no_end]))
    assistant = await served_engine.assistant(response_format={"type": "json_object"})
    run = (await served_engine.run(await served_engine.thread("JSON!"), assistant))[-2][1]
    assert (run["status"], run["incomplete_details"]) == ("incomplete", {"reason": "max_completion_tokens"})


async def test_half_a_character_is_not_lost(served_engine: ServedEngine) -> None:
    served_engine.replies(says("a\ud83d", "\ude00b", "\ud83d", "c\x00"))
    events = await served_engine.run(await served_engine.thread("Hi"), await served_engine.assistant())
    assert text_of(data_of(events, "thread.message.completed")[0]) == "a😀b\ufffdc\ufffd"
