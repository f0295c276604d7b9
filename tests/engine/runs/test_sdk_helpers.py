"""The official SDK's streaming handlers and polling helpers, sync and async, over a real socket."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from openai import AssistantEventHandler, AsyncAssistantEventHandler, OpenAI
from typing_extensions import override

from support.engines import ServedEngine
from support.model_endpoint import calls, says

CODE = {"type": "code_interpreter"}
TIDE = {"type": "function", "function": {"name": "tide"}}


class Printing(AssistantEventHandler):
    """What the quickstart's handler prints, and which callbacks it got."""

    def __init__(self) -> None:
        super().__init__()
        self.printed = ""
        self.called: list[str] = []

    @override
    def on_event(self, event: Any) -> None:
        self.called.append("event")

    @override
    def on_text_created(self, text: Any) -> None:
        self.called.append("text_created")
        self.printed += "\nassistant > "

    @override
    def on_text_delta(self, delta: Any, snapshot: Any) -> None:
        assert isinstance(delta.value, str)
        self.printed += delta.value

    @override
    def on_text_done(self, text: Any) -> None:
        self.called.append("text_done")

    @override
    def on_message_created(self, message: Any) -> None:
        self.called.append("message_created")

    @override
    def on_message_done(self, message: Any) -> None:
        self.called.append("message_done")

    @override
    def on_run_step_created(self, run_step: Any) -> None:
        self.called.append(f"{run_step.type}_created")

    @override
    def on_run_step_done(self, run_step: Any) -> None:
        self.called.append(f"{run_step.type}_done")

    @override
    def on_tool_call_created(self, tool_call: Any) -> None:
        self.called.append("tool_call_created")
        self.printed += f"\nassistant > {tool_call.type}\n"

    @override
    def on_tool_call_delta(self, delta: Any, snapshot: Any) -> None:
        if delta.type == "code_interpreter":
            if delta.code_interpreter.input:
                self.printed += delta.code_interpreter.input
            if delta.code_interpreter.outputs:
                self.printed += "\n\noutput >"
                for output in delta.code_interpreter.outputs:
                    if output.type == "logs":
                        self.printed += f"\n{output.logs}"

    @override
    def on_tool_call_done(self, tool_call: Any) -> None:
        self.called.append("tool_call_done")

    @override
    def on_end(self) -> None:
        self.called.append("end")


def in_thread(served_engine: ServedEngine, work: Callable[[OpenAI], Any]) -> Awaitable[Any]:
    """Work with the synchronous client, which would block the server's event loop."""

    def run() -> Any:
        with OpenAI(api_key="test", base_url=f"{served_engine.url}/v1", max_retries=0) as client:
            return work(client)

    return asyncio.to_thread(run)


async def test_the_quickstart_s_handler(served_engine: ServedEngine) -> None:
    served_engine.replies(
        calls(("code_interpreter", '{"code": "x = (14 - 11) / 3\\nprint(x)"}')),
        says("The solution ", "is x = 1."),
    )
    assistant, thread = (
        await served_engine.assistant(tools=[CODE]),
        await served_engine.thread("3x + 11 = 14?"),
    )
    handler = Printing()

    def work(client: OpenAI) -> Any:
        with client.beta.threads.runs.stream(
            thread_id=thread,
            assistant_id=assistant,
            instructions="Please address the user as Jane Doe.",
            event_handler=handler,
        ) as stream:
            stream.until_done()
            return stream.get_final_run(), stream.get_final_messages()

    run, [message] = await in_thread(served_engine, work)
    assert handler.printed == (
        "\nassistant > code_interpreter\nx = (14 - 11) / 3\nprint(x)\n\noutput >\n1.0\n"
        "\nassistant > The solution is x = 1."
    )
    assert [name for name in handler.called if name != "event"] == [
        "tool_calls_created",
        "tool_call_created",
        "tool_call_done",
        "tool_calls_done",
        "message_creation_created",
        "message_created",
        "text_created",
        "text_done",
        "message_done",
        # The SDK repeats this at every later step and at the end.
        "tool_call_done",
        "message_creation_done",
        "tool_call_done",
        "end",
    ]
    assert run.status == "completed"
    stored = await served_engine.get(f"/threads/{thread}/messages/{message.id}")
    assert message.content[0].text.value == stored["content"][0]["text"]["value"]


async def test_the_asynchronous_handler(served_engine: ServedEngine) -> None:
    served_engine.replies(says("One", " two"))
    assistant, thread = await served_engine.assistant(), await served_engine.thread("Count")
    pieces: list[str] = []

    class Handler(AsyncAssistantEventHandler):
        @override
        async def on_text_delta(self, delta: Any, snapshot: Any) -> None:
            pieces.append(delta.value)

    async with served_engine.sdk.beta.threads.runs.stream(
        thread_id=thread, assistant_id=assistant, event_handler=Handler()
    ) as stream:
        await stream.until_done()
        [message] = await stream.get_final_messages()
        [step] = await stream.get_final_run_steps()
    assert pieces == ["One", " two"]
    assert message.status == "completed" and step.type == "message_creation"


async def test_outputs_by_stream(served_engine: ServedEngine) -> None:
    served_engine.replies(calls(("tide", '{"port": "Oulu"}'), ("tide", '{"port": "Vaasa"}')), says("High."))
    assistant, thread = await served_engine.assistant(tools=[TIDE]), await served_engine.thread("Tides?")
    handler = Printing()

    def work(client: OpenAI) -> Any:
        with client.beta.threads.runs.stream(
            thread_id=thread, assistant_id=assistant, event_handler=Printing()
        ) as stream:
            stream.until_done()
            run = stream.current_run
        assert run is not None and run.required_action is not None
        asked = run.required_action.submit_tool_outputs.tool_calls
        assert [json.loads(call.function.arguments)["port"] for call in asked] == ["Oulu", "Vaasa"]
        with client.beta.threads.runs.submit_tool_outputs_stream(
            thread_id=thread,
            run_id=run.id,
            tool_outputs=[{"tool_call_id": call.id, "output": "1 m"} for call in asked],
            event_handler=handler,
        ) as stream:
            stream.until_done()
            return stream.get_final_run()

    run = await in_thread(served_engine, work)
    assert run.status == "completed" and handler.printed == "\nassistant > High."


async def test_polling_helpers(served_engine: ServedEngine) -> None:
    served_engine.replies(calls(("tide", "{}")), says("High."), says("Hello."), says("Bye."))
    assistant, thread = await served_engine.assistant(tools=[TIDE]), await served_engine.thread("Tide?")
    runs = served_engine.sdk.beta.threads.runs
    run = await runs.create_and_poll(thread_id=thread, assistant_id=assistant)
    assert run.status == "requires_action" and run.required_action is not None
    [call] = run.required_action.submit_tool_outputs.tool_calls
    run = await runs.submit_tool_outputs_and_poll(
        run_id=run.id, thread_id=thread, tool_outputs=[{"tool_call_id": call.id, "output": "1 m"}]
    )
    assert run.status == "completed" and run.usage is not None
    threads = served_engine.sdk.beta.threads
    message: Any = {"role": "user", "content": "Hi"}
    run = await threads.create_and_run_poll(assistant_id=assistant, thread={"messages": [message]})
    assert run.status == "completed"
    async with threads.create_and_run_stream(
        assistant_id=assistant, thread={"messages": [message]}
    ) as stream:
        kinds = [event.event async for event in stream]
    assert kinds[0] == "thread.created" and kinds[-1] == "thread.run.completed"


async def test_raw_streams(served_engine: ServedEngine) -> None:
    served_engine.replies(says("Hi"))
    assistant, thread = await served_engine.assistant(), await served_engine.thread("Hi")
    stream = await served_engine.sdk.beta.threads.runs.create(thread, assistant_id=assistant, stream=True)
    kinds = [event.event async for event in stream]
    assert kinds[:3] == ["thread.run.created", "thread.run.queued", "thread.run.in_progress"]
    assert kinds[-1] == "thread.run.completed"


async def test_lists_of_runs_and_steps(served_engine: ServedEngine) -> None:
    assistant, thread = await served_engine.assistant(), await served_engine.thread("Hi")
    made = []
    for _ in range(5):
        served_engine.replies(says("Hi"))
        made.append((await served_engine.run(thread, assistant))[0][1]["id"])
    runs = served_engine.sdk.beta.threads.runs
    assert [run.id async for run in runs.list(thread, limit=2)] == made[::-1]
    assert [run.id async for run in runs.list(thread, order="asc", after=made[2])] == made[3:]
    include: Any = "step_details.tool_calls[*].file_search.results[*].content"
    steps = [step async for step in runs.steps.list(made[0], thread_id=thread, include=[include])]
    assert [step.type for step in steps] == ["message_creation"]
    assert (await runs.steps.retrieve(steps[0].id, thread_id=thread, run_id=made[0])).id == steps[0].id
    response = await served_engine.http.get(f"/threads/{thread}/runs/{made[0]}/steps?include[]=everything")
    assert response.status_code == 400


@pytest.mark.parametrize("azure", [False, True])
async def test_azure_clients_run_as_well(served_engine: ServedEngine, azure: bool) -> None:
    from openai import AsyncAzureOpenAI

    served_engine.replies(says("Hi"))
    client: Any = served_engine.sdk
    if azure:
        client = AsyncAzureOpenAI(
            azure_endpoint=served_engine.url, api_version="2024-08-01-preview", api_key="test", max_retries=0
        )
    assistant = await client.beta.assistants.create(model="served")
    message = {"role": "user", "content": "Hi"}
    run = await client.beta.threads.create_and_run_poll(
        assistant_id=assistant.id, thread={"messages": [message]}
    )
    assert run.status == "completed"
    await client.close()


MIXES = {
    "two blocks of code": (
        [("code_interpreter", '{"code": "print(1)"}'), ("code_interpreter", '{"code": "print(2)"}')],
        ["print(1)", "> 1\n", "done", "print(2)", "> 2\n", "done"],
    ),
    "code, a search, a function and code": (
        [
            ("code_interpreter", '{"code": "print(1)"}'),
            ("file_search", '{"query": "tide"}'),
            ("tide", '{"port": "Oulu"}'),
            ("code_interpreter", '{"code": "print(2)"}'),
        ],
        ["print(1)", "> 1\n", "done", "done", '{"port": "Oulu"}', "done", "print(2)", "> 2\n", "done"],
    ),
    "a function before code": (
        [("tide", '{"port": "Oulu"}'), ("code_interpreter", '{"code": "print(2)"}')],
        ['{"port": "Oulu"}', "done", "print(2)", "> 2\n", "done"],
    ),
}


def told(delta: Any) -> str:
    """What a delta of a call adds, as one text."""
    if delta.type == "function":
        return delta.function.arguments or ""
    if delta.type == "code_interpreter":
        outputs = delta.code_interpreter.outputs or []
        return (delta.code_interpreter.input or "") + "".join(f"> {output.logs}" for output in outputs)
    return ""


def joined(pieces: list[str]) -> list[str]:
    """The same with inputs that came in pieces put together."""
    found: list[str] = []
    for piece in pieces:
        if found and piece != "done" and not piece.startswith("> ") and found[-1] != "done":
            found[-1] += piece
        else:
            found.append(piece)
    return found


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("mix", MIXES)
async def test_a_handler_is_told_all_of_each_call(
    served_engine: ServedEngine, mix: str, asynchronous: bool
) -> None:
    """It has no place for what comes of one call after the next was announced."""
    made, expected = MIXES[mix]
    served_engine.replies(calls(*made, piece=6), says("Done."))
    assistant = await served_engine.assistant(tools=[CODE, {"type": "file_search"}, TIDE])
    thread = await served_engine.thread("Go")
    heard: list[str] = []
    created: list[str] = []
    finished: dict[str, Any] = {}

    def on_created(call: Any) -> None:
        created.append(call.id)

    def on_delta(delta: Any, snapshot: Any) -> None:
        heard.append(told(delta))

    def on_done(call: Any) -> None:
        if call.id not in finished:
            heard.append("done")
        finished[call.id] = call

    if asynchronous:
        handler: Any = AsyncAssistantEventHandler()

        def awaitable(function: Callable[..., None]) -> Callable[..., Awaitable[None]]:
            async def call(*given: Any) -> None:
                function(*given)

            return call

        handler.on_tool_call_created = awaitable(on_created)
        handler.on_tool_call_delta = awaitable(on_delta)
        handler.on_tool_call_done = awaitable(on_done)
        async with served_engine.sdk.beta.threads.runs.stream(
            thread_id=thread, assistant_id=assistant, event_handler=handler
        ) as stream:
            await stream.until_done()
    else:
        handler = AssistantEventHandler()
        handler.on_tool_call_created = on_created
        handler.on_tool_call_delta = on_delta
        handler.on_tool_call_done = on_done

        def work(client: OpenAI) -> None:
            with client.beta.threads.runs.stream(
                thread_id=thread, assistant_id=assistant, event_handler=handler
            ) as stream:
                stream.until_done()

        await in_thread(served_engine, work)
    assert joined(heard) == expected
    assert created == list(finished) and len(created) == len(made)
    for call in finished.values():
        if call.type == "code_interpreter":
            assert f"print({call.code_interpreter.outputs[0].logs.strip()})" == call.code_interpreter.input
