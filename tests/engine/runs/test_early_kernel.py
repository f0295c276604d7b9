"""The kernel of a run's first code starts while the model is still writing that code."""

import asyncio
import json

from support.engines import ServedEngine, data_of, names
from support.model_endpoint import DONE, Reply, chunk, says
from support.processes import running


def kernels() -> set[int]:
    """The processes below this one that listen for code."""
    return {process.pid for process in running("connection_file")}


async def test_the_kernel_is_there_before_the_code_is(served_engine: ServedEngine) -> None:
    written = asyncio.Event()
    begun = {"index": 0, "id": "call_1", "type": "function"}
    code = json.dumps({"code": "print(6 * 7)"})
    served_engine.replies(
        Reply(
            [
                chunk({"tool_calls": [{**begun, "function": {"name": "code_interpreter", "arguments": ""}}]}),
                chunk({"tool_calls": [{"index": 0, "function": {"arguments": code[:12]}}]}),
                written,  # the model thinks about the rest
                chunk({"tool_calls": [{"index": 0, "function": {"arguments": code[12:]}}]}),
                chunk(finish_reason="tool_calls"),
                DONE,
            ]
        ),
        says("42."),
    )
    before = kernels()
    assistant = await served_engine.assistant(tools=[{"type": "code_interpreter"}])
    thread = await served_engine.thread("Go")
    run = asyncio.create_task(served_engine.run(thread, assistant))
    async with asyncio.timeout(60):
        while not (runs := await served_engine.listed(f"/threads/{thread}/runs")):
            await asyncio.sleep(0.01)
        while not (steps := await served_engine.listed(f"/threads/{thread}/runs/{runs[0]['id']}/steps")):
            await asyncio.sleep(0.01)
        assert steps[0]["metadata"]["sandbox_says"], "what will confine the code is told before it runs"
        while not kernels() - before:
            await asyncio.sleep(0.01)
    early = kernels() - before
    written.set()
    events = await run
    assert names(events)[-2:] == ["run.completed", "done"]
    step = data_of(events, "thread.run.step.completed")[0]
    [output] = step["step_details"]["tool_calls"][0]["code_interpreter"]["outputs"]
    assert output["logs"] == "42\n"
    assert early <= kernels(), "the code ran in that kernel"
