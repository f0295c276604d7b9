"""Programs of the guides in their modern form, run unchanged against a served engine."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from openai import AssistantEventHandler, AzureOpenAI, OpenAI

from support.engines import ServedEngine, engine

MODEL = "gpt-4o"  # which the engine answers with what it has


@pytest.fixture
async def offline_engine(tmp_path: Path) -> AsyncIterator[ServedEngine]:
    async with engine(tmp_path / "data", tutor=True) as opened:
        yield opened


async def run(offline_engine: ServedEngine, program: Callable[[Any], None], *, azure: bool = False) -> None:
    """Run a program that uses the synchronous client, which must not block the server's event loop."""

    def work() -> None:
        client: Any = (
            AzureOpenAI(api_version="2024-08-01-preview", azure_endpoint=offline_engine.url, api_key="any")
            if azure
            else OpenAI(base_url=f"{offline_engine.url}/v1", api_key="any")
        )
        with client:
            program(client)

    await asyncio.to_thread(work)


async def test_assistants_on_azure(offline_engine: ServedEngine) -> None:
    def program(client: AzureOpenAI) -> None:
        assistant = client.beta.assistants.create(
            model="deployment",
            name="Math Assist",
            instructions="You are an AI assistant that can write code to help answer math questions.",
            tools=[{"type": "code_interpreter"}],
        )
        listed = client.beta.assistants.list(order="desc", limit=20).data
        assert [found.id for found in listed] == [assistant.id]
        assert client.beta.assistants.retrieve(assistant.id) == assistant
        updated = client.beta.assistants.update(
            assistant.id,
            instructions="You are an HR bot. Answer from either of the files.",
            name="HR Helper",
            tools=[{"type": "file_search"}],
        )
        assert (updated.name, updated.model) == ("HR Helper", "deployment")
        assert client.beta.assistants.delete(assistant.id).deleted

    await run(offline_engine, program, azure=True)


async def test_files_steps_and_annotations(offline_engine: ServedEngine, tmp_path: Path) -> None:
    table = tmp_path / "tides.csv"
    table.write_text("port,height\nOulu,1.5\nVaasa,0.5\n")

    def program(client: OpenAI) -> None:
        with table.open("rb") as data:
            file = client.files.create(file=data, purpose="assistants")
        assistant = client.beta.assistants.create(
            model=MODEL,
            name="Data visualizer",
            description="You are great at creating beautiful data visualizations.",
            tools=[{"type": "code_interpreter"}],
            tool_resources={"code_interpreter": {"file_ids": [file.id]}},
        )
        thread = client.beta.threads.create(
            messages=[
                {
                    "role": "user",
                    "content": "Create a chart of this file.",
                    "attachments": [{"file_id": file.id, "tools": [{"type": "code_interpreter"}]}],
                }
            ]
        )
        run = client.beta.threads.runs.create_and_poll(
            thread_id=thread.id, assistant_id=assistant.id, additional_instructions="Be brief."
        )
        assert run.status == "completed" and run.instructions == "Be brief."
        shown = []
        for message in client.beta.threads.messages.list(thread.id, run_id=run.id, order="asc"):
            for part in message.content:
                if part.type == "text":
                    text = part.text.value
                    for annotation in reversed(part.text.annotations):
                        text = text[: annotation.start_index] + "[1]" + text[annotation.end_index :]
                    shown.append(text)
                elif part.type == "image_file":
                    client.files.content(part.image_file.file_id).write_to_file(tmp_path / "plot.png")
        assert any("**height**" in text for text in shown)
        steps = client.beta.threads.runs.steps.list(
            run.id,
            thread_id=thread.id,
            include=["step_details.tool_calls[*].file_search.results[*].content"],
        )
        assert {step.type for step in steps} == {"tool_calls", "message_creation"}

    await run(offline_engine, program)


async def test_functions(offline_engine: ServedEngine) -> None:
    def program(client: OpenAI) -> None:
        location = {"location": {"type": "string", "description": "The city and state"}}
        assistant = client.beta.assistants.create(
            instructions="You are a weather bot. Use the provided functions to answer questions.",
            model=MODEL,
            tools=[
                {
                    "type": "function",
                    "function": {
                        "name": name,
                        "description": description,
                        "parameters": {"type": "object", "properties": location, "required": ["location"]},
                    },
                }
                for name, description in (
                    ("getCurrentWeather", "Get the weather in location"),
                    ("getNickname", "Get the nickname of a city"),
                )
            ],
        )
        thread = client.beta.threads.create()
        client.beta.threads.messages.create(
            thread.id, role="user", content="What's the weather in Paris? And its nickname?"
        )
        run = client.beta.threads.runs.create_and_poll(thread_id=thread.id, assistant_id=assistant.id)
        assert run.status == "requires_action" and run.required_action is not None
        calls = run.required_action.submit_tool_outputs.tool_calls
        assert len(calls) == 2
        run = client.beta.threads.runs.submit_tool_outputs_and_poll(
            run_id=run.id,
            thread_id=thread.id,
            tool_outputs=[{"tool_call_id": call.id, "output": "sunny"} for call in calls],
        )
        assert run.status == "completed"

    await run(offline_engine, program)


async def test_the_quickstart_with_a_handler(offline_engine: ServedEngine) -> None:
    printed: list[str] = []

    class EventHandler(AssistantEventHandler):
        def on_text_created(self, text: Any) -> None:
            printed.append("\nassistant > ")

        def on_text_delta(self, delta: Any, snapshot: Any) -> None:
            printed.append(delta.value)

        def on_tool_call_created(self, tool_call: Any) -> None:
            printed.append(f"\nassistant > {tool_call.type}\n")

        def on_tool_call_delta(self, delta: Any, snapshot: Any) -> None:
            if delta.type == "code_interpreter":
                if delta.code_interpreter.input:
                    printed.append(delta.code_interpreter.input)
                if delta.code_interpreter.outputs:
                    printed.append("\n\noutput >")
                    for output in delta.code_interpreter.outputs:
                        if output.type == "logs":
                            printed.append(f"\n{output.logs}")

    def program(client: OpenAI) -> None:
        assistant = client.beta.assistants.create(
            name="Math Tutor",
            instructions="You are a personal math tutor. Write and run code to answer math questions.",
            tools=[{"type": "code_interpreter"}],
            model=MODEL,
        )
        thread = client.beta.threads.create()
        client.beta.threads.messages.create(
            thread_id=thread.id,
            role="user",
            content="I need to solve the equation `3x + 11 = 14`. Can you help me?",
        )
        with client.beta.threads.runs.stream(
            thread_id=thread.id,
            assistant_id=assistant.id,
            instructions="Please address the user as Jane Doe. The user has a premium account.",
            event_handler=EventHandler(),
        ) as stream:
            stream.until_done()

    await run(offline_engine, program)
    text = "".join(printed)
    assert text.startswith("\nassistant > code_interpreter\nfrom fractions import Fraction")
    assert "output >\nx = 1" in text and "**x = 1**" in text
