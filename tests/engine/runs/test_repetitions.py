"""Models that make the same call again and again."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistants_tui.engine.runs.repetitions import LIMIT, NOTE, Repetitions
from assistants_tui.protocol.objects import Json
from support.code_interpreter import NO_SANDBOX_HERE
from support.engine import settled, upload
from support.engines import ServedEngine, engine
from support.model_endpoint import Request, calls, says

TOOLS = [
    {"type": "code_interpreter"},
    {"type": "file_search"},
    {"type": "function", "function": {"name": "tide"}},
]
FAILING = ("code_interpreter", json.dumps({"code": "import nothing_of_that_name"}))


def stubborn(*made: tuple[str, str]) -> Any:
    """A model that calls whenever it may, and else answers."""

    def reply(request: Request) -> Any:
        assert "tools" in request.body, "a history with calls needs the tools declared"
        return says("I could not.") if request.body.get("tool_choice") == "none" else calls(*made)

    return reply


async def ended(served: ServedEngine, assistant: str, **fields: object) -> Json:
    run: Json = (await served.run(await served.thread("Go"), assistant, **fields))[-2][1]
    return run


@pytest.mark.parametrize(
    "made",
    [
        [FAILING],
        [("file_search", '{"query": "tide"}')],
        [("no_such_tool", "{}")],
        [FAILING, ("file_search", '{"query": "tide"}')],
    ],
    ids=["code", "search", "unknown", "two at once"],
)
async def test_the_third_time_is_the_last(served_engine: ServedEngine, made: list[tuple[str, str]]) -> None:
    assert served_engine.endpoint is not None
    served_engine.endpoint.otherwise = stubborn(*made)
    file = await upload(served_engine.http, "ledger.md", b"The tide is low.")
    store = (await served_engine.post("/vector_stores", {"file_ids": [file["id"]]}))["id"]
    await settled(served_engine.http, f"/vector_stores/{store}")
    resources = {"file_search": {"vector_store_ids": [store]}}
    run = await ended(served_engine, await served_engine.assistant(tools=TOOLS, tool_resources=resources))
    assert run["status"] == "completed"
    assert [prompt.get("tool_choice") for prompt in served_engine.prompts] == [None] * LIMIT + ["none"]
    assert served_engine.prompts[-1]["messages"][-1]["content"].endswith(NOTE)
    assert not any(NOTE in str(prompt) for prompt in served_engine.prompts[:-1])


async def test_a_model_that_heeds_no_tool_choice_is_asked_without_tools(served_engine: ServedEngine) -> None:
    assert served_engine.endpoint is not None
    served_engine.endpoint.otherwise = lambda request: (
        calls(FAILING) if "tools" in request.body else says("I could not.")
    )
    run = await ended(served_engine, await served_engine.assistant(tools=TOOLS))
    assert run["status"] == "completed"
    assert ["tools" in prompt for prompt in served_engine.prompts] == [True] * (LIMIT + 1) + [False]


async def test_who_calls_even_without_tools_gets_no_more(served_engine: ServedEngine) -> None:
    assert served_engine.endpoint is not None
    served_engine.endpoint.otherwise = lambda _: calls(FAILING)
    run = await ended(served_engine, await served_engine.assistant(tools=TOOLS))
    assert run["status"] == "failed" and "same call" in run["last_error"]["message"]
    assert len(served_engine.prompts) == LIMIT + 2


async def test_functions_count_over_rounds_of_outputs(served_engine: ServedEngine) -> None:
    assert served_engine.endpoint is not None
    served_engine.endpoint.otherwise = stubborn(("tide", '{"port": "Oulu"}'))
    thread, assistant = await served_engine.thread("Go"), await served_engine.assistant(tools=TOOLS)
    run = (await served_engine.run(thread, assistant))[-2][1]
    rounds = 0
    while run["status"] == "requires_action":
        [call] = run["required_action"]["submit_tool_outputs"]["tool_calls"]
        body = {"tool_outputs": [{"tool_call_id": call["id"], "output": "Error: no such port"}]}
        path = f"/threads/{thread}/runs/{run['id']}/submit_tool_outputs"
        run = (await served_engine.events(path, body))[-2][1]
        rounds += 1
    assert (run["status"], rounds) == ("completed", LIMIT)
    assert served_engine.prompts[-1]["messages"][-1]["content"] == f"Error: no such port\n\n{NOTE}"


async def test_code_that_is_asked_about_counts_as_well(tmp_path: Path) -> None:
    async with engine(tmp_path, sandbox=NO_SANDBOX_HERE, without_sandbox="ask") as served:
        assert served.endpoint is not None
        served.endpoint.otherwise = stubborn(FAILING)
        thread, assistant = await served.thread("Go"), await served.assistant(tools=TOOLS)
        run = (await served.run(thread, assistant))[-2][1]
        rounds = 0
        while run["status"] == "requires_action":
            [call] = run["required_action"]["approve_code"]["tool_calls"]
            body = {"tool_call_id": call["id"], "decision": "reject"}
            run = (await served.events(f"/threads/{thread}/runs/{run['id']}/approve_code", body))[-2][1]
            rounds += 1
        assert (run["status"], rounds) == ("completed", LIMIT)


async def test_the_same_call_with_another_result_goes_on(served_engine: ServedEngine) -> None:
    counting = ("code_interpreter", json.dumps({"code": "n = globals().get('n', 0) + 1\nprint(n)"}))

    def reply(request: Request) -> Any:
        results = [message["content"] for message in request.body["messages"] if message["role"] == "tool"]
        return says("Five.") if "5\n" in results else calls(counting)

    assert served_engine.endpoint is not None
    served_engine.endpoint.otherwise = reply
    run = await ended(served_engine, await served_engine.assistant(tools=TOOLS))
    assert run["status"] == "completed" and len(served_engine.prompts) == 6


def round_of(*made: tuple[str, str]) -> list[Json]:
    """One turn with calls of functions by name, and their results."""
    called = [
        {"id": f"call_{number}", "function": {"name": name, "arguments": "{}"}}
        for number, (name, _) in enumerate(made)
    ]
    told = [
        {"role": "tool", "tool_call_id": f"call_{number}", "content": result}
        for number, (_, result) in enumerate(made)
    ]
    return [{"role": "assistant", "content": None, "tool_calls": called}, *told]


ROUND = st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xy")), min_size=1, max_size=3)


@given(st.lists(ROUND, max_size=12))
def test_nobody_is_stuck_while_there_is_news(rounds: list[list[tuple[str, str]]]) -> None:
    repetitions, kept = Repetitions(), Repetitions()
    for number, made in enumerate(rounds):
        repetitions.add_round(round_of(*made))
        waited = Repetitions()
        waited.resume(kept.kept())
        waited.add_round(round_of(*made))
        kept = waited
        assert kept.is_stuck == repetitions.is_stuck, "a wait changes nothing"
        if any(all(call not in earlier for earlier in rounds[:number]) for call in made):
            assert not repetitions.is_stuck
    if len(rounds) >= LIMIT and all(set(made) == set(rounds[-1]) for made in rounds[-LIMIT:]):
        assert repetitions.is_stuck
